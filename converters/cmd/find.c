/* find.c - `kervan find`: documents by number, customer, date, or invoice. */
#include <stdio.h>
#include <string.h>

#include "converters/base/date.h"
#include "converters/base/text.h"
#include "converters/cmd/cmd.h"
#include "converters/cmd/docs.h"

extern const struct cmd cmd_find;

enum { FOLDED = 400 };

/* Those that are it come before those that hold it; both the newest first. */
struct hits {
    struct arena *arena;
    struct found_doc *v;
    size_t n, max;
};

struct search {
    struct str text;
    struct str day; /* that it is, as the ledger writes it; empty: none */
    char folded[FOLDED];
    size_t n_folded;
    struct hits are, hold;
};

static bool holds(struct str s, struct str part)
{
    return part.len && str_find(s, part) >= 0;
}

/* Without regard to case and accents. */
static bool name_holds(const struct search *s, struct str name)
{
    char folded[FOLDED];
    size_t n = text_fold(str_first(name, FOLDED / 4), folded, sizeof(folded));

    return s->n_folded && holds((struct str){ folded, n },
                                (struct str){ s->folded, s->n_folded });
}

static bool is_invoice(const struct known_doc *k, struct str text)
{
    if (!k->invoice.len || !str_ends(text, k->invoice))
        return false;
    text = str_first(text, text.len - k->invoice.len);
    return text.len == 0 || str_eq(str_trim(text), k->series);
}

static bool is_it(const struct search *s, const struct found_doc *d)
{
    const struct known_doc *k = &d->is;

    return str_eq(k->key.number, s->text) || str_eq(k->as_number, s->text) ||
           str_eq(k->receiver_number, s->text) ||
           str_eq(d->tracking, s->text) || is_invoice(k, s->text);
}

static bool holds_it(const struct search *s, const struct found_doc *d)
{
    const struct known_doc *k = &d->is;

    return holds(k->key.number, s->text) || holds(k->as_number, s->text) ||
           str_starts(d->date, s->text) ||
           (s->day.len && str_starts(d->date, s->day)) ||
           holds(d->email, s->text) || name_holds(s, d->customer);
}

static void keep(struct hits *h, const struct found_doc *d)
{
    struct arena *a = h->arena;
    struct found_doc *to;
    struct str *texts[] = {
        &h->v[h->n].is.key.output,   &h->v[h->n].is.key.sender,
        &h->v[h->n].is.key.document, &h->v[h->n].is.key.number,
        &h->v[h->n].is.as_number,    &h->v[h->n].is.action,
        &h->v[h->n].is.answer,       &h->v[h->n].is.receiver_number,
        &h->v[h->n].is.receiver_id,  &h->v[h->n].is.series,
        &h->v[h->n].is.invoice,      &h->v[h->n].unit,
        &h->v[h->n].route,           &h->v[h->n].customer,
        &h->v[h->n].email,           &h->v[h->n].date,
        &h->v[h->n].status,          &h->v[h->n].carrier,
        &h->v[h->n].tracking,        &h->v[h->n].member
    };

    if (h->n == h->max)
        return;
    to = &h->v[h->n++];
    *to = *d;
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_str(a, *texts[i]);
}

static bool look_at(void *ctx, const struct found_doc *d)
{
    struct search *s = ctx;

    if (is_it(s, d))
        keep(&s->are, d);
    else if (s->hold.n < s->hold.max && holds_it(s, d))
        keep(&s->hold, d);
    return s->are.n < s->are.max;
}

static void print(struct view *v, const struct search *s, unsigned max)
{
    struct arena *a = &v->arena;
    struct text_table t = { .arena = a, .n_columns = 7 };

    if (!cmd_globals.json)
        TABLE_ROW(&t, STR("DOCUMENT"), STR("NUMBER"), STR("DATE"),
                  STR("CUSTOMER"), STR("FROM"), STR("TO"), STR("STATE"));
    for (size_t i = 0; i < s->are.n + s->hold.n && i < max; i++) {
        const struct found_doc *d =
            i < s->are.n ? &s->are.v[i] : &s->hold.v[i - s->are.n];
        struct json j;

        if (!cmd_globals.json) {
            TABLE_ROW(&t, d->is.key.document, d->is.key.number,
                      str_first(d->date, strlen("2026-01-31")), d->customer,
                      d->is.key.sender, d->is.key.output, doc_state_text(a, d));
            continue;
        }
        json_init(&j);
        json_open(&j, NULL, '{');
        json_doc(&j, a, d);
        json_close(&j, '}');
        json_end(&j);
    }
    table_print(&t);
}

static int find(struct view *v, struct search *s, unsigned max)
{
    struct hits empty = { .arena = &v->arena, .max = max };
    struct err e;

    s->are = s->hold = empty;
    s->are.v = arena_alloc(&v->arena, (max + 1) * sizeof(*s->are.v));
    s->hold.v = arena_alloc(&v->arena, (max + 1) * sizeof(*s->hold.v));
    s->n_folded = text_fold(s->text, s->folded, sizeof(s->folded));
    if (v->ledger && ledger_each_doc(v->ledger, look_at, s, &e) == -1)
        return view_failed(&e);
    if (s->are.n + s->hold.n)
        print(v, s, max);
    else if (!cmd_globals.json)
        puts("nothing was found");
    return s->are.n + s->hold.n ? EXIT_DONE : EXIT_ASIDE;
}

/* A day as people write it at home. One that may be two days is none. */
static struct str day_of(struct arena *a, struct str text)
{
    static const char *const patterns[] = { "D.M.YYYY", "D. M. YYYY",
                                            "YYYY.M.D", "YYYY. M. D" };
    struct date d;

    if (str_ends(text, STR(".")))
        text = str_first(text, text.len - 1);
    for (size_t i = 0; i < COUNT(patterns); i++)
        if (date_read(text, str_of(patterns[i]), NULL, &d))
            return date_format(a, d, STR("YYYY-MM-DD"));
    return STR("");
}

/* The words of the command are one text: a name has several. */
static int take_args(struct arena *a, int argc, char **argv, struct str *text,
                     unsigned *max)
{
    uint64_t n;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-n") != 0) {
            *text = arena_fmt(a, "%.*s%s%s", STR_ARGS(*text),
                              text->len ? " " : "", argv[i]);
            continue;
        }
        if (++i == argc || !str_to_uint(str_of(argv[i]), 100000, &n) || !n)
            return cmd_usage(&cmd_find, "-n wants a number, 100000 at most");
        *max = (unsigned)n;
    }
    *text = str_trim(*text);
    return text->len ? EXIT_DONE : cmd_usage(&cmd_find, "what?");
}

static int run(int argc, char **argv)
{
    struct view v = { 0 };
    struct search s = { .text = STR("") };
    unsigned max = 50;
    int rc = take_args(&v.arena, argc, argv, &s.text, &max);

    s.day = day_of(&v.arena, s.text);
    if (rc == EXIT_DONE)
        rc = view_conf(&v, false);
    if (rc == EXIT_DONE)
        rc = view_ledger(&v);
    if (rc == EXIT_DONE)
        rc = find(&v, &s, max);
    view_close(&v);
    return rc;
}

const struct cmd cmd_find = {
    .name = "find",
    .args = "TEXT|DATE [-n N]",
    .help = "documents by number, customer, date or invoice",
    .more =
        "Orders, invoices and shipments that came, sent or not. TEXT is a "
        "number, as its\nsender or its receiver knows it, or a part of one; "
        "a part of the customer's name\nor e-mail, whatever its accents; an "
        "invoice, with or without its series; a\ntracking number. DATE "
        "is 2026-01-31, 31.1.2026, or 2026-01 for a month.\n\nA record "
        "that was set aside is not found: the report of its job names it, "
        "see ASIDE\nin `kervan log`.\n\n"
        "  -n N    at most N documents (50), the newest\n\n"
        "  kervan find 2026041001\n"
        "  kervan find Jitka Hradecka\n"
        "  kervan find FCT 123\n",
    .run = run,
};
