/* show.c - `kervan show JOB`: all that the ledger knows of one job. Of one
 * order: show_order.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/docs.h"
#include "converters/cmd/view.h"
#include "spool/files.h"
#include "spool/report.h"
#include "spool/stamp.h"

extern const struct cmd cmd_show;

struct shown {
    struct receipt *r;
    struct delivery *d;
    struct event *ev;
    struct claim *claim;
    size_t n_d, n_ev;
};

static int find(struct view *v, uint64_t job, struct shown *s, struct err *e)
{
    const struct ledger_find f = { .job = job };
    size_t n;

    if (ledger_receipts(v->ledger, &f, &v->arena, &s->r, &n, e) == -1)
        return -1;
    if (n == 0)
        return 0;
    if (ledger_deliveries(v->ledger, s->r->id, 0, &v->arena, &s->d, &s->n_d,
                          e) == -1 ||
        ledger_events(v->ledger, job, 0, &v->arena, &s->ev, &s->n_ev, e) ==
            -1 ||
        ledger_find_claim(v->ledger, s->r->claim, &v->arena, &s->claim, e) ==
            -1)
        return -1;
    return 1;
}

/* The report: in out/ while the job is open, in the archive after it. */
static struct str report_of(struct view *v, const struct shown *s)
{
    struct arena *a = &v->arena;
    struct str path, text = { NULL, 0 };
    struct buf b;
    char day[11];

    /* Its file may be at work again, for another job. */
    if (s->claim && (s->claim->state == CLAIM_ARCHIVED || s->r->ended_at)) {
        stamp_folder(s->claim->taken_at, day);
        path = arena_fmt(a, "%s/archive/%s/%llu/%s", v->conf.spool, day,
                         (unsigned long long)s->r->job, REPORT_FILE);
    } else {
        path =
            arena_fmt(a, "%s/out/%s/%s", v->conf.spool, s->r->id, REPORT_FILE);
    }
    buf_init(&b, MB(64));
    if (file_read(AT_FDCWD, path.p, &b) == 0)
        text = arena_str(a, buf_str(&b));
    buf_release(&b);
    return text;
}

static struct str archive_of(struct view *v, const struct shown *s)
{
    if (!s->claim || s->claim->state != CLAIM_ARCHIVED)
        return STR("");
    return arena_fmt(&v->arena, "%s/archive/%.*s", v->conf.spool,
                     STR_ARGS(s->claim->archive));
}

/* Those who may delete old days of the archive do not look there in vain. */
static struct str shown_archive(struct view *v, const struct shown *s)
{
    struct str path = archive_of(v, s);
    struct stat st;

    if (!path.len || stat(path.p, &st) == 0 || errno != ENOENT)
        return path;
    return arena_fmt(&v->arena, "%.*s (it was removed)", STR_ARGS(path));
}

static void print_deliveries(struct view *v, const struct shown *s)
{
    struct text_table t = { .arena = &v->arena, .n_columns = 5 };

    for (size_t i = 0; i < s->n_d; i++) {
        const struct delivery *d = &s->d[i];

        TABLE_ROW(&t, STR("  "), str_of(delivery_state_names[d->state]),
                  time_text(&v->arena, d->delivered_at),
                  place_text(&v->arena, d),
                  d->by_absence ? STR("the receiver had taken it") : d->why);
    }
    if (s->n_d)
        puts("\nDeliveries");
    table_print(&t);
}

static void print_events(struct view *v, const struct shown *s)
{
    struct text_table t = { .arena = &v->arena, .n_columns = 4 };

    for (size_t i = 0; i < s->n_ev; i++)
        TABLE_ROW(&t, STR("  "), time_text(&v->arena, s->ev[i].at),
                  s->ev[i].what, s->ev[i].text);
    puts("\nHistory");
    table_print(&t);
}

static void print_maps(const struct shown *s)
{
    struct str rest = s->r->maps;

    if (rest.len)
        puts("\nMaps (name, SHA-256)");
    while (rest.len) {
        ptrdiff_t nl = str_find_char(rest, '\n');
        struct str one = str_first(rest, nl < 0 ? rest.len : (size_t)nl);

        printf("  %.*s\n", STR_ARGS(one));
        rest = str_from(rest, one.len + 1);
    }
}

static void print_people(struct view *v, const struct shown *s)
{
    struct arena *a = &v->arena;
    const struct receipt *r = s->r;
    struct str report = report_of(v, s);

    title_line("Job", number_text(a, r->job));
    title_line("File", shown_text(a, r->name));
    title_line("From", r->partner);
    title_line("Route", arena_fmt(a, "%.*s%s", STR_ARGS(r->route),
                                  r->test ? " (mode test)" : ""));
    if (r->only.len || r->full)
        title_line("Asked for", r->only.len
                                    ? shown_text(a, r->only)
                                    : STR("all of it, whatever is there"));
    title_line("State", str_of(receipt_state_names[r->state]));
    title_line("Why", shown_text(a, r->why));
    title_line("Result", r->summary);
    title_line("Size", arena_fmt(a, "%llu bytes", (unsigned long long)r->size));
    title_line("SHA-256", str_of(r->sha256));
    title_line("Taken", time_text(a, r->taken_at));
    title_line("Ended", time_text(a, r->ended_at));
    title_line("Original", shown_archive(v, s));
    print_deliveries(v, s);
    print_maps(s);
    print_events(v, s);
    if (report.len)
        printf("\n%.*s", STR_ARGS(report));
}

static void print_json(struct view *v, const struct shown *s)
{
    struct json j;

    json_init(&j);
    json_open(&j, NULL, '{');
    json_receipt(&j, s->r);
    json_str(&j, "original", archive_of(v, s));
    json_str(&j, "report", report_of(v, s));
    json_open(&j, "deliveries", '[');
    for (size_t i = 0; i < s->n_d; i++)
        json_delivery(&j, &s->d[i]);
    json_close(&j, ']');
    json_open(&j, "history", '[');
    for (size_t i = 0; i < s->n_ev; i++) {
        json_open(&j, NULL, '{');
        json_time(&j, "at", s->ev[i].at);
        json_str(&j, "what", s->ev[i].what);
        json_str(&j, "text", s->ev[i].text);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

static int show(struct view *v, uint64_t job)
{
    struct shown s = { 0 };
    uint64_t last = 0;
    struct err e;
    int rc = v->ledger ? find(v, job, &s, &e) : 0;

    if (rc == -1)
        return view_failed(&e);
    if (rc == 0 && v->ledger &&
        ledger_counter(v->ledger, STR("job"), &last, &e) == -1)
        return view_failed(&e);
    if (rc == 0)
        return cmd_usage(&cmd_show,
                         job <= last ? JOB_IS_GONE
                                     : "there is no job %llu; an order is "
                                       "found by kervan show order N",
                         (unsigned long long)job);
    if (cmd_globals.json)
        print_json(v, &s);
    else
        print_people(v, &s);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct view v = { 0 };
    uint64_t job;
    int rc;

    if (argc > 1 && is_document_word(argv[1]))
        return show_document(argc, argv);
    if (argc != 2 || !str_to_uint(str_of(argv[1]), INT64_MAX, &job) || !job)
        return cmd_usage(&cmd_show, "which job? `kervan log` has the numbers; "
                                    "or else: order, invoice or shipment N");
    rc = view_conf(&v, false);
    if (rc == EXIT_DONE)
        rc = view_ledger(&v);
    if (rc == EXIT_DONE)
        rc = show(&v, job);
    view_close(&v);
    return rc;
}

const struct cmd cmd_show = {
    .name = "show",
    .args = "JOB | order|invoice|shipment N [ROUTE|PARTNER]",
    .help = "all that is known of one job, or the story of one order",
    .more = "JOB is the number that `kervan log` shows: its deliveries, its "
            "history, its report.\n\n"
            "Of an order: when it came, in which file and line; what was sent, "
            "and when it was\nthere; what its receiver said; what went back. N "
            "is its number, as its sender or its\nreceiver knows it; `kervan "
            "find` looks for it.\n",
    .run = run,
};
