/*
 * once.c - `kervan once`: does what is waiting and exits. Made for cron: a
 * second one beside it (or beside the daemon) says so and does nothing.
 */
#include <stdio.h>
#include <unistd.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/view.h"
#include "spool/keeper.h"

extern const struct cmd cmd_once;

/* Jobs that are asked of the ledger at once. */
enum { PAGE = 256 };

static void list_job(struct view *v, struct text_table *t,
                     const struct receipt *r, struct err *e)
{
    struct json j;
    struct str where;

    if (cmd_globals.json) {
        json_init(&j);
        json_open(&j, NULL, '{');
        json_receipt(&j, r);
        json_close(&j, '}');
        json_end(&j);
        return;
    }
    where = arrival_text(v, r, e);
    if (str_eq(where, r->summary)) /* which stands beside it */
        where = STR("nothing to deliver");
    TABLE_ROW(t, number_text(&v->arena, r->job), r->route, r->name,
              str_of(receipt_state_names[r->state]), r->summary, where);
}

/* What this run did, one line a job: those it took, and those that are open. */
static int list_page(struct view *v, const struct keeper *k, uint64_t from,
                     struct text_table *t, bool *any_open, struct err *e)
{
    const struct ledger_find page = { .since = from, .until = from + PAGE - 1 };
    struct receipt *r;
    size_t n;

    if (ledger_receipts(v->ledger, &page, &v->arena, &r, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool open = !r[i].ended_at;

        /* Ended before this run began. */
        if (r[i].job < k->first_job && !open && r[i].ended_at < k->began_at)
            continue;
        *any_open =
            *any_open || open ||
            (r[i].state == RECEIPT_REJECTED && r[i].ended_at >= k->began_at);
        list_job(v, t, &r[i], e);
    }
    return 0;
}

static int list_jobs(struct view *v, const struct keeper *k, bool *any_open,
                     struct err *e)
{
    struct arena cells = { 0 };
    struct text_table t = { .arena = &cells,
                            .n_columns = 6,
                            .right = { true } };
    int rc = 0;

    for (uint64_t job = k->first_open; rc == 0 && job <= k->last_job;
         job += PAGE) {
        rc = list_page(v, k, job, &t, any_open, e);
        arena_reset(&v->arena);
    }
    table_print(&t);
    if (rc == 0 && !t.n && !cmd_globals.json && isatty(STDOUT_FILENO))
        puts("nothing was waiting");
    arena_release(&cells);
    return rc;
}

static int check_routes(struct view *v, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!conf_route(&v->conf, str_of(argv[i])))
            return cmd_usage(
                &cmd_once, "%s",
                conf_no_route(&v->conf, &v->arena, str_of(argv[i])).p);
    return EXIT_DONE;
}

static int report(struct view *v, struct keeper *k, struct err *e)
{
    bool any_open = false;
    int rc;

    v->ledger = k->ledger;
    rc = list_jobs(v, k, &any_open, e);
    v->ledger = NULL;
    for (const struct trouble *t = k->troubles; t; t = t->next)
        fprintf(stderr, "kervan: %.*s\n", STR_ARGS(t->text));
    if (rc == -1)
        return view_failed(e);
    if (k->machine_failed)
        return EXIT_MACHINE;
    return any_open || k->troubles || k->n_aside_records ? EXIT_ASIDE
                                                         : EXIT_DONE;
}

static int keep(struct view *v, int argc, char **argv)
{
    struct keeper k = {
        .conf = &v->conf,
        .run = job_run,
        .only = argc > 1 ? (const char *const *)argv + 1 : NULL,
        .n_only = argc > 1 ? (size_t)argc - 1 : 0,
    };
    struct err e;
    int rc;

    if (keeper_once(&k, &e) == -1) {
        rc = view_failed(&e);
    } else if (k.is_busy) {
        fputs("kervan: another kervan is at work on this spool; it takes "
              "what waits\n",
              stderr);
        rc = EXIT_DONE;
    } else {
        rc = report(v, &k, &e);
    }
    keeper_close(&k);
    return rc;
}

static int run(int argc, char **argv)
{
    struct view v = { 0 };
    int rc;

    for (int i = 1; i < argc; i++)
        if (argv[i][0] == '-')
            return cmd_usage(&cmd_once, "unknown option %s", argv[i]);
    rc = view_conf(&v, true);
    if (rc == EXIT_DONE)
        rc = check_routes(&v, argc, argv);
    if (rc == EXIT_DONE)
        rc = keep(&v, argc, argv);
    view_close(&v);
    return rc;
}

const struct cmd cmd_once = {
    .name = "once",
    .args = "[ROUTE...]",
    .help = "do what is waiting, then exit",
    .more = "Takes the complete files from all inboxes, converts, delivers and "
            "archives\nthem, and goes on with what an earlier run left. With "
            "names, only these routes\nrun, and those \"by hand\" too.\n\n"
            "Exit status 1: something was set aside, rejected, or waits; see\n"
            "`kervan status`.\n\n"
            "  */5 * * * *  kervan -c /etc/kervan/kervan.conf once\n",
    .run = run,
};
