/*
 * start.c - `start at order N`: a shop that is connected has sold before, and
 * its old orders are in the books already.
 *
 * Orders whose number comes before N are skipped, whatever becomes of them
 * later. Numbers are compared as people read them (text_natural_cmp()):
 * "2026-9" comes before "2026-10".
 *
 * An order that a person has asked for by its number is sent all the same.
 */
#include "converters/base/text.h"
#include "converters/trade/rules.h"

struct own {
    struct str first;
};

static void p_start(struct trade_parser *p, const struct oline *l,
                    struct str rest)
{
    struct own *own = trade_own(p, sizeof(*own));

    if (!trade_need(p, l, &rest, "start at order",
                    "needs the number of the first order", &own->first))
        return;
    trade_end_of_line(p, l, rest);
}

static const struct trade_word words[] = {
    { .name = "start at order", .parse = p_start },
    { .name = NULL },
};

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    (void)diags;
    return own && trade_is(s, "order");
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    const struct own *o = own;

    (void)state, (void)d;
    if (!t->number.len || t->only.len ||
        text_natural_cmp(t->number, o->first) >= 0)
        return TRADE_ON;
    return trade_skip(t, "before the first order");
}

const struct trade_rule rule_start = {
    .name = "start",
    .words = words,
    .fits = "orders",
    .serves = serves,
    .takes_unwanted = true,
    .take = take,
};
