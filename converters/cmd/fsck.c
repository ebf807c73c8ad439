/*
 * fsck.c - `kervan fsck`: are ledger, spool and archive what they must be?
 *
 * Beside a keeper, the keeper looks at the spool between two passes; without
 * one, the lock of the spool keeps others away for that moment. Nothing is
 * changed.
 */
#include <stdio.h>
#include <unistd.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/view.h"
#include "spool/fsck.h"
#include "spool/request.h"

extern const struct cmd cmd_fsck;

/* By the keeper, or with its lock. */
static int look_at_spool(struct view *v, struct keeper *k, struct fsck *f,
                         struct err *e)
{
    struct str answer = STR("");
    bool ok;

    if (!k->is_busy)
        return fsck_spool(f, e);
    if (request_ask(&v->conf, "fsck", 0, STR(""), true, &v->arena, &ok, &answer,
                    e) == -1)
        return -1;
    if (!ok)
        return err_set(e, ERR_RETRY, "%.*s", STR_ARGS(answer));
    fsck_unpack(f, answer);
    return 0;
}

static int look(struct view *v, struct keeper *k, struct fsck *f, struct err *e)
{
    int rc;

    if (look_at_spool(v, k, f, e) == -1)
        return -1;
    /* All rules of the ledger are of one moment. */
    if (ledger_freeze(v->ledger, e) == -1)
        return -1;
    rc = fsck_ledger(f, e);
    ledger_thaw(v->ledger);
    return rc == 0 ? fsck_archive(f, e) : -1;
}

static void print_people(struct view *v, const struct fsck *f)
{
    struct arena *a = &v->arena;
    struct text_table t = { .arena = a,
                            .n_columns = 3,
                            .right = { false, true } };

    for (const struct finding *x = f->findings; x; x = x->next)
        TABLE_ROW(&t, arena_fmt(a, "I%d", fsck_table[x->rule].number),
                  x->job ? number_text(a, x->job) : STR("-"), x->text);
    if (t.n)
        puts("Broken (rule, job, what)");
    table_print(&t);
    if (f->n > t.n)
        printf("and %llu more\n", (unsigned long long)(f->n - t.n));
    if (t.n)
        puts("\nThe rules");
    t.n = 0;
    for (enum fsck_rule i = 0; i < N_FSCK_RULES; i++) {
        const struct finding *x = f->findings;

        while (x && x->rule != i)
            x = x->next;
        if (x)
            printf("I%d  %s\n", fsck_table[i].number, fsck_table[i].text);
    }
    if (f->n == 0)
        printf("all %d rules hold (looked at in the archive: %llu originals, "
               "%llu results)\n",
               (int)N_FSCK_RULES, (unsigned long long)f->archive.n_originals,
               (unsigned long long)f->archive.n_results);
}

static void print_json(const struct fsck *f)
{
    struct json j;

    json_init(&j);
    json_open(&j, NULL, '{');
    json_bool(&j, "ok", f->n == 0);
    json_num(&j, "broken", f->n);
    json_num(&j, "originals", f->archive.n_originals);
    json_num(&j, "results", f->archive.n_results);
    json_num(&j, "removed", f->archive.n_removed);
    json_open(&j, "findings", '[');
    for (const struct finding *x = f->findings; x; x = x->next) {
        json_open(&j, NULL, '{');
        json_num(&j, "rule", (uint64_t)fsck_table[x->rule].number);
        json_num(&j, "job", x->job);
        json_str(&j, "what", x->text);
        json_str(&j, "must", str_of(fsck_table[x->rule].text));
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

static int fsck(struct view *v, struct keeper *k)
{
    struct fsck f = { .ledger = v->ledger,
                      .spool_fd = k->spool_fd,
                      .arena = &v->arena };
    struct err e;

    if (look(v, k, &f, &e) == -1)
        return view_failed(&e);
    if (cmd_globals.json)
        print_json(&f);
    else
        print_people(v, &f);
    return f.n ? EXIT_ASIDE : EXIT_DONE;
}

/* The rules with their numbers, for people who read a finding. */
static int list_rules(void)
{
    for (enum fsck_rule i = 0; i < N_FSCK_RULES; i++)
        printf("I%-2d %s\n", fsck_table[i].number, fsck_table[i].text);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct view v = { 0 };
    struct keeper k = { 0 };
    int rc;

    if (argc == 2 && strcmp(argv[1], "--rules") == 0)
        return list_rules();
    if (argc > 1)
        return cmd_usage(&cmd_fsck, "unknown argument %s", argv[1]);
    rc = view_keeper(&v, &k);
    if (rc == EXIT_DONE && v.ledger)
        rc = fsck(&v, &k);
    view_keeper_close(&v, &k);
    return rc;
}

const struct cmd cmd_fsck = {
    .name = "fsck",
    .args = "[--rules]",
    .help = "look whether ledger, spool and archive are in order",
    .more =
        "Changes nothing, and works beside the daemon. A broken rule means "
        "that "
        "somebody\nelse changed something, or that a disk lost it. Every start "
        "looks at what is open;\na broken ledger stops it, a missing file "
        "holds "
        "its job.\n\n  --rules    list the rules\n\nExit status 1: a rule is "
        "broken.\n",
    .run = run,
};
