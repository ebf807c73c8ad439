/* log.c - `kervan log`: the last jobs, one line each. Did it arrive? */
#include <stdio.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/view.h"

extern const struct cmd cmd_log;

struct log_args {
    const char *route;
    unsigned last;
};

static int take_args(struct log_args *l, int argc, char **argv)
{
    uint64_t n;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-n") == 0) {
            if (++i == argc || !str_to_uint(str_of(argv[i]), 1000000, &n))
                return cmd_usage(&cmd_log, "-n wants a number");
            l->last = (unsigned)n;
        } else if (argv[i][0] == '-') {
            return cmd_usage(&cmd_log, "unknown option %s", argv[i]);
        } else if (l->route) {
            return cmd_usage(&cmd_log, "one route at a time");
        } else {
            l->route = argv[i];
        }
    }
    return EXIT_DONE;
}

/* A route that is no longer in the configuration still has its jobs. */
static int nothing(struct view *v, const struct log_args *args)
{
    if (args->route && !conf_route(&v->conf, str_of(args->route)))
        return cmd_usage(
            &cmd_log, "%s",
            conf_no_route(&v->conf, &v->arena, str_of(args->route)).p);
    if (!cmd_globals.json)
        puts("nothing was taken yet");
    return EXIT_DONE;
}

static int print(struct view *v, const struct log_args *args)
{
    const struct ledger_find f = { .route = args->route, .last = args->last };
    struct text_table t = { .arena = &v->arena,
                            .n_columns = 7,
                            .right = { [0] = true, [5] = true } };
    struct receipt *r;
    struct err e;
    size_t n;

    if (ledger_receipts(v->ledger, &f, &v->arena, &r, &n, &e) == -1)
        return view_failed(&e);
    if (!n)
        return nothing(v, args);
    if (!cmd_globals.json)
        TABLE_ROW(&t, STR("JOB"), STR("TAKEN"), STR("ROUTE"), STR("FILE"),
                  STR("STATE"), STR("ASIDE"), STR("WHERE IT IS, OR WHY NOT"));
    for (size_t i = 0; i < n; i++) {
        struct json j;

        if (!cmd_globals.json) {
            TABLE_ROW(&t, number_text(&v->arena, r[i].job),
                      time_text(&v->arena, r[i].taken_at), r[i].route,
                      r[i].name, str_of(receipt_state_names[r[i].state]),
                      r[i].n.n_aside ? number_text(&v->arena, r[i].n.n_aside)
                                     : STR(""),
                      arrival_text(v, &r[i], &e));
            continue;
        }
        json_init(&j);
        json_open(&j, NULL, '{');
        json_receipt(&j, &r[i]);
        json_close(&j, '}');
        json_end(&j);
    }
    table_print(&t);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct log_args args = { .last = 20 };
    struct view v = { 0 };
    int rc = take_args(&args, argc, argv);

    if (rc != EXIT_DONE)
        return rc;
    rc = view_conf(&v, false);
    if (rc == EXIT_DONE)
        rc = view_ledger(&v);
    if (rc == EXIT_DONE)
        rc = v.ledger ? print(&v, &args) : nothing(&v, &args);
    view_close(&v);
    return rc;
}

const struct cmd cmd_log = {
    .name = "log",
    .args = "[ROUTE] [-n N]",
    .help = "the last jobs, one line each",
    .more = "  -n N    the last N jobs (20); 0 is all of them\n\n"
            "TAKEN in work, CONVERTED on its way, DONE delivered, HELD waits "
            "for you,\nREJECTED the sender must mend the file, SUPPRESSED the "
            "same file came before.\nASIDE: records that were set aside; "
            "`kervan show JOB` "
            "has the report.\n",
    .run = run,
};
