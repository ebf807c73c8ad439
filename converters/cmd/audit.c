/*
 * audit.c - `kervan audit`: received = done + held + rejected + suppressed +
 * in work, and the archive is what it was. Reads only, beside everything.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "converters/cmd/cmd.h"
#include "converters/cmd/view.h"
#include "spool/audit.h"
#include "spool/files.h"

extern const struct cmd cmd_audit;

static uint64_t in_work(const struct audit_route *r)
{
    return r->n[RECEIPT_TAKEN] + r->n[RECEIPT_CONVERTED];
}

static void print_route(struct text_table *t, const struct audit_route *r)
{
    struct arena *a = t->arena;

    TABLE_ROW(t, r->route, number_text(a, r->n_received),
              number_text(a, r->n[RECEIPT_DONE]),
              number_text(a, r->n[RECEIPT_HELD]),
              number_text(a, r->n[RECEIPT_REJECTED]),
              number_text(a, r->n[RECEIPT_SUPPRESSED]),
              number_text(a, in_work(r)), number_text(a, r->n_records),
              number_text(a, r->n_written), number_text(a, r->n_aside),
              number_text(a, r->n_skipped), number_text(a, r->n_filtered));
}

static struct audit_route total_of(const struct audit *x)
{
    struct audit_route all = { .route = STR("all") };

    for (size_t i = 0; i < x->n_routes; i++) {
        const struct audit_route *r = &x->routes[i];

        all.n_received += r->n_received;
        for (int s = 0; s < N_RECEIPT_STATES; s++)
            all.n[s] += r->n[s];
        all.n_records += r->n_records;
        all.n_written += r->n_written;
        all.n_aside += r->n_aside;
        all.n_skipped += r->n_skipped;
        all.n_filtered += r->n_filtered;
    }
    return all;
}

static void print_routes(struct arena *a, const struct audit *x)
{
    struct text_table t = { .arena = a, .n_columns = 12 };
    struct audit_route all = total_of(x);

    for (int i = 1; i < t.n_columns; i++)
        t.right[i] = true;
    TABLE_ROW(&t, STR("ROUTE"), STR("RECEIVED"), STR("DONE"), STR("HELD"),
              STR("REJECTED"), STR("SUPPRESSED"), STR("IN WORK"),
              STR("RECORDS"), STR("WRITTEN"), STR("ASIDE"), STR("SKIPPED"),
              STR("FILTERED"));
    for (size_t i = 0; i < x->n_routes; i++)
        print_route(&t, &x->routes[i]);
    if (x->n_routes != 1)
        print_route(&t, &all);
    table_print(&t);
}

static void print_people(struct arena *a, const struct audit *x)
{
    struct text_table t = { .arena = a, .n_columns = 2, .right = { true } };

    print_routes(a, x);
    printf("\nFiles of the archive that were read: %llu originals, %llu "
           "results",
           (unsigned long long)x->archive.n_originals,
           (unsigned long long)x->archive.n_results);
    if (x->archive.n_removed)
        printf("; %llu originals are of days that were removed",
               (unsigned long long)x->archive.n_removed);
    putchar('\n');
    for (const struct audit_fault *f = x->faults; f; f = f->next)
        TABLE_ROW(&t, f->job ? number_text(a, f->job) : STR("-"), f->text);
    if (t.n)
        puts("\nWrong (job, what)");
    table_print(&t);
    if (x->n_faults)
        printf("\nIt does not balance: %llu %s wrong.\n",
               (unsigned long long)x->n_faults,
               x->n_faults == 1 ? "thing is" : "things are");
    else
        puts("\nIt balances.");
}

static void json_route(struct json *j, const struct audit_route *r)
{
    json_open(j, NULL, '{');
    json_str(j, "route", r->route);
    json_num(j, "received", r->n_received);
    json_num(j, "done", r->n[RECEIPT_DONE]);
    json_num(j, "held", r->n[RECEIPT_HELD]);
    json_num(j, "rejected", r->n[RECEIPT_REJECTED]);
    json_num(j, "suppressed", r->n[RECEIPT_SUPPRESSED]);
    json_num(j, "in_work", in_work(r));
    json_num(j, "records", r->n_records);
    json_num(j, "written", r->n_written);
    json_num(j, "set_aside", r->n_aside);
    json_num(j, "skipped", r->n_skipped);
    json_num(j, "filtered", r->n_filtered);
    json_close(j, '}');
}

static void print_json(const struct audit *x)
{
    struct json j;

    json_init(&j);
    json_open(&j, NULL, '{');
    json_bool(&j, "balances", x->n_faults == 0);
    json_open(&j, "routes", '[');
    for (size_t i = 0; i < x->n_routes; i++)
        json_route(&j, &x->routes[i]);
    json_close(&j, ']');
    json_num(&j, "originals", x->archive.n_originals);
    json_num(&j, "results", x->archive.n_results);
    json_num(&j, "removed", x->archive.n_removed);
    json_open(&j, "wrong", '[');
    for (const struct audit_fault *f = x->faults; f; f = f->next) {
        json_open(&j, NULL, '{');
        json_num(&j, "job", f->job);
        json_str(&j, "what", f->text);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

static int print(struct view *v, int64_t since)
{
    struct audit x = { .ledger = v->ledger,
                       .arena = &v->arena,
                       .since = since };
    struct err e;
    int rc;

    x.spool_fd = dir_open(v->conf.spool, STR(""));
    if (x.spool_fd == -1) {
        err_sys(&e, ERR_HOLD, "cannot open the spool %s", v->conf.spool);
        return view_failed(&e);
    }
    rc = audit(&x, &e);
    close(x.spool_fd);
    if (rc == -1)
        return view_failed(&e);
    if (cmd_globals.json)
        print_json(&x);
    else
        print_people(&v->arena, &x);
    return x.n_faults ? EXIT_ASIDE : EXIT_DONE;
}

static int take_args(int64_t *since, int argc, char **argv)
{
    struct date d;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--since") != 0)
            return cmd_usage(&cmd_audit, "unknown argument %s", argv[i]);
        if (++i == argc || !date_from_canon(str_of(argv[i]), &d) || d.has_time)
            return cmd_usage(&cmd_audit, "--since wants a day, as 2026-01-31");
        *since = date_to_unix(d);
    }
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct view v = { 0 };
    int64_t since = 0;
    int rc = take_args(&since, argc, argv);

    if (rc != EXIT_DONE)
        return rc;
    rc = view_conf(&v, false);
    if (rc == EXIT_DONE)
        rc = view_ledger(&v);
    if (rc == EXIT_DONE && v.ledger)
        rc = print(&v, since);
    else if (rc == EXIT_DONE && !cmd_globals.json)
        puts("nothing was taken yet");
    view_close(&v);
    return rc;
}

const struct cmd cmd_audit = {
    .name = "audit",
    .args = "[--since DAY]",
    .help = "does everything that came in add up?",
    .more =
        "  --since DAY    only what was taken on that day (UTC) or later\n\n"
        "For each route: files received = done + held + rejected + suppressed "
        "+ in work,\nand records in the converted files = written + set aside "
        "+ skipped + filtered.\nThen every file of the archive is read: it "
        "must "
        "have the SHA-256 that it had\nwhen it was put there. Days that were "
        "removed from the archive are no fault.\n\nExit status 1: it does not "
        "balance.\n",
    .run = run,
};
