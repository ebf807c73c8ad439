/*
 * status.c - `kervan status`: what waits, what is held, and why.
 *
 * Reads folders and the ledger only; it works while nothing else runs, and
 * beside everything that does.
 */
#include <stdio.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "converters/cmd/cmd.h"
#include "converters/cmd/status.h"
#include "spool/files.h"
#include "spool/room.h"
#include "spool/scan.h"

extern const struct cmd cmd_status;

enum { MOST_CLAIMS = 1000 }; /* that are shown of a partner */

/* ---- collecting --------------------------------------------------------- */

/* The first route that takes it, if all of them run by hand; else NULL. */
static const struct route *only_by_hand(const struct conf *c,
                                        const struct inbox *in, struct str name)
{
    const struct route *first = NULL;

    for (const struct route *r = c->routes; r; r = r->next) {
        if (!route_takes(r, in->partner->name, in->folder, name))
            continue;
        if (r->schedule.kind != SCHEDULE_HAND)
            return NULL;
        first = first ? first : r;
    }
    return first;
}

/* At a time of its own, or when a person says so. */
static bool only_at_times(const struct conf *c, const struct inbox *in,
                          struct str name)
{
    for (const struct route *r = c->routes; r; r = r->next)
        if (route_takes(r, in->partner->name, in->folder, name) &&
            r->schedule.kind == SCHEDULE_FILE)
            return false;
    return true;
}

/* Why does a complete file still lie there? */
static struct str why_complete(struct status *s, const struct inbox *in,
                               const struct found *f)
{
    struct arena *a = &s->v.arena;
    struct room room = { .enough = true };
    const struct route *by_hand;
    struct str text;

    if (s->spool_fd != -1)
        room = room_for(s->spool_fd, f->size, &s->v.conf.limits);
    if (!room.enough) {
        text = room_text(a, &room, &s->v.conf.limits);
        return arena_fmt(a, "it waits for free space: %.*s", STR_ARGS(text));
    }
    by_hand = only_by_hand(&s->v.conf, in, f->name);
    if (!by_hand)
        return only_at_times(&s->v.conf, in, f->name)
                   ? STR("complete; the next run of its route takes it")
                   : STR("complete; the next run takes it");
    return arena_fmt(a, "its route runs by hand: kervan start %.*s",
                     STR_ARGS(by_hand->name));
}

static void add_file(struct status *s, const struct inbox *in,
                     const struct found *f)
{
    struct lying *x = arena_alloc(&s->v.arena, sizeof(*x));

    *x = (struct lying){
        .place = arena_fmt(&s->v.arena, "%.*s %.*s%s%.*s",
                           STR_ARGS(in->partner->name), STR_ARGS(in->folder),
                           in->folder.len ? "/" : "", STR_ARGS(f->name)),
        .since = f->mtime,
        .no_route = f->no_route,
        .has_time = !f->why && only_at_times(&s->v.conf, in, f->name),
        .why = f->why ? str_of(f->why) : why_complete(s, in, f),
    };
    *s->last_file = x;
    s->last_file = &x->next;
    for (size_t i = 0; i < s->n_routes; i++)
        if (!f->is_temporary &&
            route_takes(s->routes[i].route, in->partner->name, in->folder,
                        f->name))
            s->routes[i].n_files++;
}

/* Claimed on a server, and not here yet; or here, and still there. */
static int collect_claimed(struct status *s, const struct inbox *in, bool taken,
                           struct err *e)
{
    struct claim *c;
    size_t n;

    if (ledger_remote_claims(s->v.ledger, in->partner->name, taken, MOST_CLAIMS,
                             &s->v.arena, &c, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (str_eq(c[i].folder, in->folder))
            add_file(s, in,
                     &(struct found){
                         .name = c[i].name,
                         .size = c[i].seen.size,
                         .mtime = taken ? c[i].taken_at : c[i].claimed_at,
                         .why = taken ? "it was fetched, and could not be "
                                        "removed there yet"
                                      : "it is ours to fetch, and could not "
                                        "be fetched yet",
                     });
    return 0;
}

/* On a server, as it was listed the last time; nobody is called for this. */
static int collect_seen(struct status *s, const struct inbox *in, struct err *e)
{
    struct seen *seen;
    size_t n;

    if (!s->v.ledger)
        return 0;
    if (ledger_seen(s->v.ledger, in->partner->name, in->folder, &s->v.arena,
                    &seen, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (!seen[i].taken && !seen[i].gone_at)
            add_file(s, in,
                     &(struct found){
                         .name = seen[i].name,
                         .size = seen[i].size,
                         .mtime = seen[i].since,
                         .why = "it was listed, and has to look the same in a "
                                "later listing",
                     });
    if (collect_claimed(s, in, false, e) == -1)
        return -1;
    return collect_claimed(s, in, true, e);
}

static int collect_files(struct status *s, struct err *failed)
{
    for (struct inbox *in = scan_inboxes(&s->v.conf, &s->v.arena); in;
         in = in->next) {
        struct found *f;
        struct err e;
        size_t n;

        if (in->partner->remote) {
            if (collect_seen(s, in, failed) == -1)
                return -1;
            continue;
        }
        if (scan_inbox(&s->v.conf, in, &s->v.arena, &f, &n, &e) == -1) {
            *s->last_file = arena_alloc(&s->v.arena, sizeof(**s->last_file));
            (*s->last_file)->place =
                arena_fmt(&s->v.arena, "%.*s %.*s/",
                          STR_ARGS(in->partner->name), STR_ARGS(in->folder));
            (*s->last_file)->why = arena_str(&s->v.arena, str_of(e.text));
            s->last_file = &(*s->last_file)->next;
            continue;
        }
        for (size_t i = 0; i < n; i++)
            add_file(s, in, &f[i]);
    }
    return 0;
}

/* Servers that are not reached. */
static int collect_lines(struct status *s, struct err *e)
{
    struct line_state *all;
    size_t n;

    if (ledger_lines(s->v.ledger, &s->v.arena, &all, &n, e) == -1)
        return -1;
    s->lines = all;
    for (size_t i = 0; i < n; i++) {
        const struct partner *p = conf_partner(&s->v.conf, all[i].partner);

        if (p && p->remote && !all[i].ok)
            s->lines[s->n_lines++] = all[i];
    }
    return 0;
}

/* As the daemon would count that began now. */
static int next_slot(struct status *s, const struct route *r, int64_t *at,
                     struct err *e)
{
    struct schedule_state st = { 0 };
    struct slot slot = { 0 };
    int64_t now = clock_now(), up = clock_up(), wait;

    if (s->v.ledger && ledger_slot(s->v.ledger, r->name, &slot, e) == -1)
        return -1;
    st.last = slot.at;
    schedule_begin(&r->schedule, &st, now, up);
    wait = slot.started ? 0 : schedule_wait(&r->schedule, &st, now, up);
    *at = wait >= 0 ? now + wait : 0;
    return 0;
}

static int collect_routes(struct status *s, struct err *e)
{
    size_t n = 0;

    for (const struct route *r = s->v.conf.routes; r; r = r->next)
        n++;
    s->routes = arena_alloc(&s->v.arena, (n + 1) * sizeof(*s->routes));
    for (const struct route *r = s->v.conf.routes; r; r = r->next) {
        struct route_line *x = &s->routes[s->n_routes++];

        x->route = r;
        if (s->v.ledger &&
            ledger_route_counts(s->v.ledger, arena_cstr(&s->v.arena, r->name),
                                &x->counts, e) == -1)
            return -1;
        if (next_slot(s, r, &x->next_at, e) == -1)
            return -1;
        x->is_late =
            s->v.ledger && r->expect_minutes &&
            clock_now() - x->counts.last_at > (int64_t)r->expect_minutes * 60;
    }
    return 0;
}

static bool is_open(const struct status *s, uint64_t job)
{
    for (size_t i = 0; i < s->n_open; i++)
        if (s->open[i].job == job)
            return true;
    return false;
}

/* A rejected job has ended, though its sender may not know it yet. */
static int collect_reports(struct status *s, struct err *e)
{
    const unsigned waiting = 1u << DELIVERY_READY | 1u << DELIVERY_RENAMING |
                             1u << DELIVERY_UNCONFIRMED | 1u << DELIVERY_HELD;
    struct delivery *d;
    size_t n;

    if (ledger_deliveries(s->v.ledger, NULL, waiting, &s->v.arena, &d, &n, e) ==
        -1)
        return -1;
    s->reports = d;
    for (size_t i = 0; i < n; i++)
        if (d[i].kind != OUT_FILE && !is_open(s, d[i].job))
            s->reports[s->n_reports++] = d[i];
    return 0;
}

static int collect(struct status *s, struct err *e)
{
    const struct ledger_find open = { .states = 1u << RECEIPT_TAKEN |
                                                1u << RECEIPT_CONVERTED |
                                                1u << RECEIPT_HELD };

    s->last_file = &s->files;
    if (collect_routes(s, e) == -1)
        return -1;
    if (collect_files(s, e) == -1)
        return -1;
    if (!s->v.ledger)
        return 0;
    if (collect_lines(s, e) == -1 || status_collect_docs(s, e) == -1)
        return -1;
    if (ledger_receipts(s->v.ledger, &open, &s->v.arena, &s->open, &s->n_open,
                        e) == -1)
        return -1;
    return collect_reports(s, e);
}

/* ---- for people --------------------------------------------------------- */

/* When a route of its own times runs next, if `kervan run` does. */
static struct str next_text(struct status *s, const struct route_line *x)
{
    struct arena *a = &s->v.arena;

    switch (x->route->schedule.kind) {
    case SCHEDULE_EVERY:
    case SCHEDULE_AT:
        return x->next_at <= clock_now() ? STR("now")
                                         : time_text(a, x->next_at);
    case SCHEDULE_AFTER:
        return arena_fmt(a, "after %.*s", STR_ARGS(x->route->schedule.after));
    case SCHEDULE_HAND:
        return STR("by hand");
    case SCHEDULE_FILE:
        break;
    }
    return STR("at once");
}

/* The last column: its title, or what it says of a route. */
static struct str remark(struct status *s, const struct route_line *x,
                         bool any_times)
{
    struct str next = any_times ? next_text(s, x) : STR("");
    struct str more = x->is_late       ? STR("a file is overdue")
                      : x->route->test ? STR("mode test")
                                       : STR("");

    if (!next.len || !more.len)
        return next.len ? next : more;
    return arena_fmt(&s->v.arena, "%.*s; %.*s", STR_ARGS(next), STR_ARGS(more));
}

static void print_routes(struct status *s)
{
    struct arena *a = &s->v.arena;
    struct text_table t = { .arena = a,
                            .n_columns = 7,
                            .right = { false, false, true, true, true, true } };
    bool any_times = false;

    for (size_t i = 0; i < s->n_routes; i++)
        any_times |= s->routes[i].route->schedule.kind != SCHEDULE_FILE;
    TABLE_ROW(&t, STR("ROUTE"), STR("LAST FILE TAKEN"), STR("IN INBOX"),
              STR("IN WORK"), STR("HELD"), STR("REJECTED"),
              any_times ? STR("RUNS NEXT") : STR(""));
    for (size_t i = 0; i < s->n_routes; i++) {
        const struct route_line *x = &s->routes[i];
        const struct route_counts *c = &x->counts;

        TABLE_ROW(&t, x->route->name, time_text(a, c->last_at),
                  number_text(a, x->n_files),
                  number_text(a, c->n[RECEIPT_TAKEN] + c->n[RECEIPT_CONVERTED]),
                  number_text(a, c->n[RECEIPT_HELD]),
                  number_text(a, c->n[RECEIPT_REJECTED]),
                  remark(s, x, any_times));
    }
    table_print(&t);
}

/* Why it is where it is, and when it is tried again. */
static struct str why_text(struct status *s, const struct receipt *r,
                           struct err *e)
{
    struct arena *a = &s->v.arena;
    struct str why = arrival_text(&s->v, r, e);

    if (r->state == RECEIPT_TAKEN && !why.len)
        why = STR("it is being converted, or its route's time has not come");
    if (r->state != RECEIPT_TAKEN || !r->retry_at)
        return why;
    return arena_fmt(a, "%.*s; next try %.*s", STR_ARGS(why),
                     STR_ARGS(time_text(a, r->retry_at)));
}

static void print_open(struct status *s, struct err *e)
{
    struct text_table t = { .arena = &s->v.arena,
                            .n_columns = 6,
                            .right = { true } };

    if (s->n_open == 0)
        return;
    puts("\nJobs that are held or wait (kervan show JOB tells more)");
    TABLE_ROW(&t, STR("JOB"), STR("TAKEN"), STR("ROUTE"), STR("FILE"),
              STR("STATE"), STR("WHY, AND WHEN AGAIN"));
    for (size_t i = 0; i < s->n_open; i++) {
        const struct receipt *r = &s->open[i];

        TABLE_ROW(&t, number_text(&s->v.arena, r->job),
                  time_text(&s->v.arena, r->taken_at), r->route, r->name,
                  str_of(receipt_state_names[r->state]), why_text(s, r, e));
    }
    table_print(&t);
}

static void print_reports(struct status *s)
{
    struct arena *a = &s->v.arena;
    struct text_table t = { .arena = a, .n_columns = 3, .right = { true } };

    for (size_t i = 0; i < s->n_reports; i++)
        TABLE_ROW(&t, number_text(a, s->reports[i].job),
                  place_text(a, &s->reports[i]), s->reports[i].why);
    if (t.n)
        puts("\nReports that have not reached the sender");
    table_print(&t);
}

static void print_files(struct status *s, bool no_route, const char *title)
{
    struct text_table t = { .arena = &s->v.arena, .n_columns = 3 };

    TABLE_ROW(&t, STR("FILE"), STR("SINCE"), STR("WHY IT IS NOT TAKEN"));
    for (const struct lying *x = s->files; x; x = x->next)
        if (x->no_route == no_route)
            TABLE_ROW(&t, x->place, time_text(&s->v.arena, x->since), x->why);
    if (t.n == 1)
        return;
    printf("\n%s\n", title);
    table_print(&t);
}

static void print_lines(struct status *s)
{
    struct text_table t = { .arena = &s->v.arena, .n_columns = 3 };

    if (!s->n_lines)
        return;
    puts("\nServers that are not reached");
    TABLE_ROW(&t, STR("PARTNER"), STR("SINCE"), STR("WHY"));
    for (size_t i = 0; i < s->n_lines; i++)
        TABLE_ROW(&t, s->lines[i].partner,
                  time_text(&s->v.arena, s->lines[i].at), s->lines[i].why);
    table_print(&t);
}

/* ---- for programs ------------------------------------------------------- */

static void json_routes(struct json *j, const struct status *s)
{
    json_open(j, "routes", '[');
    for (size_t i = 0; i < s->n_routes; i++) {
        const struct route_line *x = &s->routes[i];

        json_open(j, NULL, '{');
        json_str(j, "route", x->route->name);
        json_time(j, "last_taken", x->counts.last_at);
        json_num(j, "last_job", x->counts.last_job);
        json_num(j, "in_inbox", x->n_files);
        json_num(j, "taken", x->counts.n[RECEIPT_TAKEN]);
        json_num(j, "converted", x->counts.n[RECEIPT_CONVERTED]);
        json_num(j, "done", x->counts.n[RECEIPT_DONE]);
        json_num(j, "held", x->counts.n[RECEIPT_HELD]);
        json_num(j, "rejected", x->counts.n[RECEIPT_REJECTED]);
        json_num(j, "suppressed", x->counts.n[RECEIPT_SUPPRESSED]);
        json_num(j, "deliveries_waiting", x->counts.n_deliveries_waiting);
        json_time(j, "next", x->next_at);
        json_bool(j, "overdue", x->is_late);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void print_json(const struct status *s)
{
    struct json j;

    json_init(&j);
    json_open(&j, NULL, '{');
    json_routes(&j, s);
    json_open(&j, "open_jobs", '[');
    for (size_t i = 0; i < s->n_open; i++) {
        json_open(&j, NULL, '{');
        json_receipt(&j, &s->open[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_open(&j, "waiting_reports", '[');
    for (size_t i = 0; i < s->n_reports; i++)
        json_delivery(&j, &s->reports[i]);
    json_close(&j, ']');
    json_open(&j, "servers_not_reached", '[');
    for (size_t i = 0; i < s->n_lines; i++) {
        json_open(&j, NULL, '{');
        json_str(&j, "partner", s->lines[i].partner);
        json_time(&j, "since", s->lines[i].at);
        json_bool(&j, "held", s->lines[i].held);
        json_str(&j, "why", s->lines[i].why);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    status_json_docs(&j, s);
    json_open(&j, "files", '[');
    for (const struct lying *x = s->files; x; x = x->next) {
        json_open(&j, NULL, '{');
        json_str(&j, "file", x->place);
        json_time(&j, "since", x->since);
        json_bool(&j, "no_route", x->no_route);
        json_str(&j, "why", x->why);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

static int status(struct status *s, bool check)
{
    struct err e;

    if (collect(s, &e) == -1)
        return view_failed(&e);
    if (check)
        return status_check(s);
    if (cmd_globals.json) {
        print_json(s);
        return EXIT_DONE;
    }
    print_routes(s);
    print_open(s, &e);
    print_reports(s);
    status_print_docs(s);
    print_lines(s);
    print_files(s, false, "Files in inboxes");
    print_files(s, true, "Files that no route takes");
    if (!s->n_open && !s->files && !s->n_reports && !s->n_lines && !s->n_docs)
        puts("\nNothing waits.");
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    bool check = argc == 2 && strcmp(argv[1], "--check") == 0;
    struct status s = { .spool_fd = -1 };
    int rc;

    if (argc > 1 && !check)
        return cmd_usage(
            &cmd_status, "%s %s",
            argv[1][0] == '-' ? "unknown option" : "takes no names:", argv[1]);
    rc = view_conf(&s.v, false);
    if (rc == EXIT_DONE)
        rc = check ? view_any_ledger(&s.v) : view_ledger(&s.v);
    if (rc == EXIT_DONE) {
        s.spool_fd = dir_open(s.v.conf.spool, STR(""));
        rc = status(&s, check);
        if (s.spool_fd != -1)
            close(s.spool_fd);
    }
    view_close(&s.v);
    return rc;
}

const struct cmd cmd_status = {
    .name = "status",
    .args = "[--check]",
    .help = "what waits, what is held, and why",
    .more =
        "A line for each route, with the time at which the daemon runs it next "
        "if it\nhas times of its own; then the jobs that are not through, the "
        "reports that have\nnot reached their sender, orders that were refused "
        "or have changed and were not\nsent, the files in the inboxes with the "
        "reason why they are not taken yet, and\nthose that no route takes.\n\n"
        "  --check    for cron and monitoring: prints nothing, or one line "
        "that says what\n             is wrong, with exit status 1: jobs that "
        "are held; orders that were\n             refused, or have changed and "
        "were not sent; jobs, deliveries and\n             files that wait for "
        "more than an hour; files that are overdue; a\n             folder "
        "that "
        "cannot be read; a disk that is too full to take more; a\n             "
        "ledger that is not the spool's; a server whose host key is not\n"
        "             accepted, that refuses the login, or that was not "
        "reached "
        "for an hour\n",
    .run = run,
};
