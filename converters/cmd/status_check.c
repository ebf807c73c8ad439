/*
 * status_check.c - `kervan status --check`, for cron and monitoring: nothing
 * and 0, or one line and 1. What a person must look at comes first.
 */
#include <stdio.h>

#include "converters/base/date.h"
#include "converters/cmd/cmd.h"
#include "converters/cmd/status.h"
#include "spool/room.h"

enum { HOUR = 3600 };

struct check {
    struct status *s;
    struct str first; /* the text of the first one */
    uint64_t n;
};

static void wrong(struct check *c, struct str text)
{
    if (c->n++ == 0)
        c->first = text;
}

static bool is_old(int64_t since)
{
    return clock_now() - since > HOUR;
}

static void check_ledger(struct check *c)
{
    struct view *v = &c->s->v;
    struct err e;

    if (view_check_ledger(v, &e) == -1)
        wrong(c, arena_str(&v->arena, str_of(e.text)));
}

static void check_docs(struct check *c)
{
    for (size_t i = 0; i < c->s->n_docs; i++)
        wrong(c, status_doc_text(&c->s->v.arena, &c->s->docs[i]));
    c->n += c->s->n_all_docs - c->s->n_docs;
}

static const struct route_line *line_of(const struct status *s,
                                        struct str route)
{
    for (size_t i = 0; i < s->n_routes; i++)
        if (str_eq(s->routes[i].route->name, route))
            return &s->routes[i];
    return NULL;
}

/* Its time has not come yet; nothing has gone wrong with it. */
static bool waits_for_its_time(const struct status *s, const struct receipt *r)
{
    const struct route_line *x = line_of(s, r->route);

    return r->why.len == 0 && x && x->route->schedule.kind != SCHEDULE_FILE;
}

static void check_jobs(struct check *c)
{
    struct arena *a = &c->s->v.arena;

    for (size_t i = 0; i < c->s->n_open; i++) {
        const struct receipt *r = &c->s->open[i];

        if (r->state == RECEIPT_HELD)
            wrong(c, arena_fmt(a, "job %llu, %.*s, is held: %.*s",
                               (unsigned long long)r->job, STR_ARGS(r->name),
                               STR_ARGS(r->why)));
    }
    for (size_t i = 0; i < c->s->n_open; i++) {
        const struct receipt *r = &c->s->open[i];

        if (r->state == RECEIPT_TAKEN && is_old(r->taken_at) &&
            !waits_for_its_time(c->s, r))
            wrong(c, arena_fmt(a,
                               "job %llu, %.*s, has waited for more than an "
                               "hour%s%.*s",
                               (unsigned long long)r->job, STR_ARGS(r->name),
                               r->why.len ? ": " : "", STR_ARGS(r->why)));
    }
}

/* Those of held jobs are told of already. */
static int check_deliveries(struct check *c, struct err *e)
{
    const unsigned open = 1u << DELIVERY_READY | 1u << DELIVERY_RENAMING |
                          1u << DELIVERY_UNCONFIRMED | 1u << DELIVERY_HELD;
    struct arena *a = &c->s->v.arena;
    struct delivery *d;
    size_t n;

    if (!c->s->v.ledger)
        return 0;
    if (ledger_deliveries(c->s->v.ledger, NULL, open, a, &d, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool settles =
            d[i].state == DELIVERY_READY || d[i].state == DELIVERY_RENAMING;

        if (settles ? is_old(d[i].ready_at) : d[i].kind != OUT_FILE)
            wrong(c,
                  arena_fmt(a, "job %llu, the delivery of %.*s %s%s%.*s",
                            (unsigned long long)d[i].job, STR_ARGS(d[i].name),
                            settles ? "has waited for more than an hour"
                                    : "waits for a person",
                            d[i].why.len ? ": " : "", STR_ARGS(d[i].why)));
    }
    return 0;
}

static void check_routes(struct check *c)
{
    struct arena *a = &c->s->v.arena;

    for (size_t i = 0; i < c->s->n_routes; i++) {
        const struct route_line *x = &c->s->routes[i];
        struct str limit = interval_text(a, x->route->expect_minutes);

        if (!x->is_late)
            continue;
        if (x->counts.last_at)
            wrong(c, arena_fmt(a, "route %.*s took no file for more than %.*s",
                               STR_ARGS(x->route->name), STR_ARGS(limit)));
        else
            wrong(c, arena_fmt(a,
                               "route %.*s took no file yet; one is expected "
                               "every %.*s",
                               STR_ARGS(x->route->name), STR_ARGS(limit)));
    }
}

static void check_files(struct check *c)
{
    struct arena *a = &c->s->v.arena;

    for (const struct lying *x = c->s->files; x; x = x->next)
        if (x->since == 0)
            wrong(c, x->why);
    for (const struct lying *x = c->s->files; x; x = x->next)
        if (x->since && is_old(x->since) && !x->has_time)
            wrong(c, arena_fmt(a, "%.*s has waited for more than an hour: %.*s",
                               STR_ARGS(x->place), STR_ARGS(x->why)));
}

static void check_lines(struct check *c)
{
    struct arena *a = &c->s->v.arena;

    for (size_t i = 0; i < c->s->n_lines; i++) {
        const struct line_state *x = &c->s->lines[i];

        if (x->held || is_old(x->at))
            wrong(c, arena_fmt(a, "partner %.*s is not reached: %.*s",
                               STR_ARGS(x->partner), STR_ARGS(x->why)));
    }
}

/* Nothing more is taken, whether or not a file has waited for an hour yet. */
static void check_room(struct check *c)
{
    const struct limits *limits = &c->s->v.conf.limits;
    struct arena *a = &c->s->v.arena;
    struct room room;
    struct str text;

    if (c->s->spool_fd == -1)
        return;
    room = room_for(c->s->spool_fd, 0, limits);
    if (room.enough)
        return;
    text = room_text(a, &room, limits);
    wrong(c, arena_fmt(a, "%s: %.*s; nothing more is taken", c->s->v.conf.spool,
                       STR_ARGS(text)));
}

static void print(const struct check *c)
{
    struct json j;
    struct buf b;

    if (cmd_globals.json) {
        json_init(&j);
        json_open(&j, NULL, '{');
        json_bool(&j, "ok", c->n == 0);
        json_num(&j, "wrong", c->n);
        json_str(&j, "first", c->first);
        json_close(&j, '}');
        json_end(&j);
    } else if (c->n) {
        buf_init(&b, 8192);
        show_text_max(&b, c->first, SHOW_SENTENCE);
        printf("%.*s", STR_ARGS(buf_str(&b)));
        if (c->n > 1)
            printf(" (and %llu more)", (unsigned long long)c->n - 1);
        putchar('\n');
        buf_release(&b);
    }
}

int status_check(struct status *s)
{
    struct check c = { .s = s, .first = STR("") };
    struct err e;

    check_ledger(&c);
    check_room(&c);
    check_jobs(&c);
    if (check_deliveries(&c, &e) == -1)
        return view_failed(&e);
    check_docs(&c);
    check_lines(&c);
    check_routes(&c);
    check_files(&c);
    print(&c);
    return c.n ? EXIT_ASIDE : EXIT_DONE;
}
