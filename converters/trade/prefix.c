/*
 * prefix.c - `prefix "CZ-"`: each shop has its own block of numbers at a
 * receiver who takes orders from several.
 *
 * The receiver sees the prefix and the number; facts know the document by the
 * number that its sender gave it (t->number), and how the receiver calls it, so
 * that his answers find it. Numbers of other documents that it names get the
 * prefix as well: the order of an invoice, the invoice that one cancels.
 */
#include "converters/trade/rules.h"

enum { N_NUMBERS = 3 };

struct own {
    struct str prefix;
};

struct state {
    int fields[N_NUMBERS]; /* of the documents, or -1 */
};

static void p_prefix(struct trade_parser *p, const struct oline *l,
                     struct str rest)
{
    struct own *own = trade_own(p, sizeof(*own));

    if (!trade_need(p, l, &rest, "prefix",
                    "needs the text before the numbers, such as \"CZ-\"",
                    &own->prefix))
        return;
    if (!own->prefix.len)
        trade_wrong(p, l, l->text, "prefix", "is empty; leave the line out");
    trade_end_of_line(p, l, rest);
}

static const struct trade_word words[] = {
    { .name = "prefix", .parse = p_prefix },
    { .name = NULL },
};

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    (void)diags;
    return own && (trade_is(s, "order") || trade_is(s, "invoice") ||
                   trade_is(s, "shipment"));
}

struct str prefix_of(const struct trade_conf *c)
{
    const struct own *own = trade_lines_of(c, &rule_prefix);

    return own ? own->prefix : STR("");
}

static void begin(struct trade *t, void *state, const void *own)
{
    static const char *const names[N_NUMBERS] = { "number", "order",
                                                  "cancels" };
    struct state *s = state;

    (void)own;
    for (int i = 0; i < N_NUMBERS; i++)
        s->fields[i] = trade_field(t->site->shape, names[i]);
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    const struct state *s = state;
    const struct own *o = own;

    for (int i = 0; i < N_NUMBERS; i++) {
        struct str number = doc_text(d, s->fields[i]);

        if (number.len)
            d->f[s->fields[i]] = arena_fmt(
                t->docs, "%.*s%.*s", STR_ARGS(o->prefix), STR_ARGS(number));
    }
    return TRADE_ON;
}

const struct trade_rule rule_prefix = {
    .name = "prefix",
    .words = words,
    .fits = "orders, invoices and shipments",
    .serves = serves,
    .state = sizeof(struct state),
    .begin = begin,
    .takes_unwanted = true,
    .take = take,
};
