/*
 * show_order.c - `kervan show order N`: the story of one document: when it
 * came, in which file and line; what was sent, and when it was there; what its
 * receiver said; what went back.
 */
#include <stdio.h>
#include <string.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/docs.h"

extern const struct cmd cmd_show;

enum { MOST_FILES = 5 }; /* of a job, that are shown one by one */

/* What the story says of a moment; deliveries are put in behind the line whose
 * job they are of. */
struct moment {
    int64_t at;
    uint64_t job;
    struct str what, text;
    struct moment *next;
};

struct story {
    struct view *v;
    struct moment *first, **last;
};

static void add(struct story *s, int64_t at, uint64_t job, struct str what,
                struct str text)
{
    struct moment *m = arena_alloc(&s->v->arena, sizeof(*m));

    *m = (struct moment){ at, job, what, text, NULL };
    *s->last = m;
    s->last = &m->next;
}

/* Is it one of the files of the line? */
static bool is_named(struct str text, struct str path)
{
    while (text.len) {
        ptrdiff_t tab = str_find_char(text, '\t');
        struct str one = str_first(text, tab < 0 ? text.len : (size_t)tab);

        if (str_eq(one, path))
            return true;
        text = str_from(text, one.len + (tab >= 0));
    }
    return false;
}

/* Has that file the document? If nobody knows, is it where it goes? */
static bool goes_there(const struct found_doc *d, const struct doc_event *ev,
                       const struct delivery *x, struct arena *a)
{
    struct str place =
        arena_fmt(a, "%.*s/%.*s", STR_ARGS(x->partner), STR_ARGS(x->folder));

    if (x->kind != OUT_FILE)
        return false;
    if (x->path.len && str_find_char(ev->text, '\t') >= 0)
        return is_named(ev->text, x->path);
    if (str_is(ev->what, "sent"))
        return str_eq(place, d->is.key.output);
    return str_eq(x->partner, d->is.key.sender) ==
           str_is(ev->what, "went back");
}

static void add_delivery(struct story *s, uint64_t job,
                         const struct delivery *x)
{
    struct str place = place_text(&s->v->arena, x);

    if (x->state == DELIVERY_DELIVERED)
        add(s, x->delivered_at, job, STR("delivered"), place);
    else
        add(s, 0, job, STR("waits"),
            arena_fmt(&s->v->arena, "%s, %.*s%s%.*s",
                      delivery_state_names[x->state], STR_ARGS(place),
                      x->why.len ? ": " : "", STR_ARGS(x->why)));
}

/* The files of the job that the line speaks of. */
static int add_deliveries(struct story *s, const struct found_doc *d,
                          const struct doc_event *ev, struct err *e)
{
    const struct ledger_find f = { .job = ev->job };
    struct arena *a = &s->v->arena;
    struct receipt *r;
    struct delivery *x;
    size_t n, n_there = 0;

    if (!ev->job || ledger_receipts(s->v->ledger, &f, a, &r, &n, e) == -1)
        return ev->job ? -1 : 0;
    if (n == 0)
        return 0;
    if (ledger_deliveries(s->v->ledger, r->id, 0, a, &x, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (goes_there(d, ev, &x[i], a) && n_there++ < MOST_FILES)
            add_delivery(s, ev->job, &x[i]);
    if (n_there > MOST_FILES)
        add(s, 0, ev->job, STR(""),
            arena_fmt(a, "and %zu more files, see kervan show %llu",
                      n_there - MOST_FILES, (unsigned long long)ev->job));
    return 0;
}

static bool has_files(const struct doc_event *ev)
{
    return str_is(ev->what, "sent") || str_is(ev->what, "went back") ||
           str_is(ev->what, "went on");
}

/* "create" is what the map sees; people read what it means. */
static struct str event_text(const struct doc_event *ev)
{
    ptrdiff_t tab = has_files(ev) ? str_find_char(ev->text, '\t') : -1;
    struct str text = str_first(ev->text, tab < 0 ? ev->text.len : (size_t)tab);

    static const struct {
        const char *action;
        struct str text;
    } actions[] = { { "create", { "as new", 6 } },
                    { "change", { "as changed", 10 } },
                    { "cancel", { "its cancellation", 16 } } };

    for (size_t i = 0; str_is(ev->what, "sent") && i < COUNT(actions); i++)
        if (str_is(text, actions[i].action))
            return actions[i].text;
    return text;
}

static int tell_story(struct view *v, const struct found_doc *d,
                      struct story *s, struct err *e)
{
    struct doc_event *ev;
    size_t n;

    *s = (struct story){ .v = v };
    s->last = &s->first;
    if (ledger_doc_story(v->ledger, d->n, &v->arena, &ev, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        add(s, ev[i].at, ev[i].job, ev[i].what, event_text(&ev[i]));
        if (has_files(&ev[i]) && add_deliveries(s, d, &ev[i], e) == -1)
            return -1;
    }
    return 0;
}

/* ---- for people -----------------------------------------------------------
 */

static struct str joined(struct arena *a, struct str one, const char *between,
                         struct str other)
{
    if (!one.len || !other.len)
        return one.len ? one : other;
    return arena_fmt(a, "%.*s%s%.*s", STR_ARGS(one), between, STR_ARGS(other));
}

static void print_head(struct arena *a, const struct found_doc *d)
{
    const struct known_doc *k = &d->is;
    struct str file = d->member;

    if (d->line)
        file = arena_fmt(a, "%.*s, line %u", STR_ARGS(file), d->line);
    title_line("Document", arena_fmt(a, "%.*s %.*s", STR_ARGS(k->key.document),
                                     STR_ARGS(shown_text(a, k->key.number))));
    title_line("Date", shown_text(a, d->date));
    title_line("Customer",
               shown_text(a, joined(a, d->customer, ", ", d->email)));
    title_line("From", k->key.sender);
    title_line("Route", d->route);
    title_line("To", k->key.output);
    if (!str_ends(k->key.number, k->as_number)) /* its series is ours */
        title_line("Sent as", shown_text(a, k->as_number));
    title_line("State", shown_text(a, doc_state_text(a, d)));
    title_line("Why", k->refused ? shown_text(a, k->answer) : STR(""));
    title_line("There", shown_text(a, joined(a, k->receiver_number, ", id ",
                                             k->receiver_id)));
    title_line("Status", d->status);
    title_line("Parcel",
               shown_text(a, joined(a, d->carrier, " ", d->tracking)));
    title_line("Last seen",
               arena_fmt(a, "%.*s, job %llu", STR_ARGS(shown_text(a, file)),
                         (unsigned long long)d->last_job));
}

static void print_story(const struct story *s)
{
    struct arena *a = &s->v->arena;
    struct text_table t = { .arena = a,
                            .n_columns = 5,
                            .right = { [3] = true } };

    TABLE_ROW(&t, STR("  "), STR("WHEN"), STR("WHAT"), STR("JOB"), STR(""));
    for (const struct moment *m = s->first; m; m = m->next)
        TABLE_ROW(&t, STR("  "), m->at ? time_text(a, m->at) : STR(""), m->what,
                  m->job ? number_text(a, m->job) : STR(""), m->text);
    puts("");
    table_print(&t);
}

/* ---- for programs ---------------------------------------------------------
 */

static void json_story(struct json *j, const struct story *s)
{
    json_open(j, "story", '[');
    for (const struct moment *m = s->first; m; m = m->next) {
        json_open(j, NULL, '{');
        json_time(j, "at", m->at);
        json_str(j, "what", m->what);
        json_num(j, "job", m->job);
        json_str(j, "text", m->text);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* ---- all of it ------------------------------------------------------------
 */

static int show_all(struct view *v, const struct doc_search *q)
{
    struct found_doc *d;
    struct err e;
    size_t n = 0;

    if (v->ledger && ledger_docs(v->ledger, q, &v->arena, &d, &n, &e) == -1)
        return view_failed(&e);
    if (!n)
        return cmd_usage(&cmd_show, DOC_IS_UNKNOWN, STR_ARGS(q->document),
                         STR_ARGS(q->number), q->place.len ? " of " : "",
                         STR_ARGS(q->place));
    for (size_t i = 0; i < n; i++) {
        struct story s;
        struct json j;

        if (tell_story(v, &d[i], &s, &e) == -1)
            return view_failed(&e);
        if (!cmd_globals.json) {
            if (i)
                puts("");
            print_head(&v->arena, &d[i]);
            print_story(&s);
            continue;
        }
        json_init(&j);
        json_open(&j, NULL, '{');
        json_doc(&j, &v->arena, &d[i]);
        json_story(&j, &s);
        json_close(&j, '}');
        json_end(&j);
    }
    return EXIT_DONE;
}

int show_document(int argc, char **argv)
{
    struct doc_search q = { .last = 100 };
    struct view v = { 0 };
    int rc;

    if (argc != 3 && argc != 4)
        return cmd_usage(&cmd_show, "which %s? kervan find looks for one",
                         argv[1]);
    q.document = str_of(argv[1]);
    q.number = str_trim(str_of(argv[2]));
    q.place = str_of(argc == 4 ? argv[3] : "");
    rc = view_conf(&v, false);
    if (rc == EXIT_DONE)
        rc = view_ledger(&v);
    if (rc == EXIT_DONE)
        rc = show_all(&v, &q);
    view_close(&v);
    return rc;
}
