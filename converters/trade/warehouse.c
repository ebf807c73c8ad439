/*
 * warehouse.c - `warehouse W`: where goods are taken from, or counted for, when
 * the sender does not say.
 *
 *   orders, invoices   the document, and each line that names none: that of
 *                      its document, else W. A rule of its own, behind once
 *   stock              the record; one that `warehouses` has made of several
 *                      has no warehouse of its own, and so goes into W of the
 *                      shop
 */
#include "converters/trade/rules.h"

struct own {
    struct str warehouse;
};

struct state {
    int document, line; /* the field "warehouse" of both */
    int list;           /* "line"; -1: stock */
};

static void p_warehouse(struct trade_parser *p, const struct oline *l,
                        struct str rest)
{
    struct own *own = trade_own(p, sizeof(*own));

    if (!trade_need(p, l, &rest, "warehouse", "needs a warehouse",
                    &own->warehouse))
        return;
    if (!own->warehouse.len)
        trade_wrong(p, l, l->text, "warehouse", "is empty; leave the line out");
    trade_end_of_line(p, l, rest);
}

static const struct trade_word words[] = {
    { .name = "warehouse", .parse = p_warehouse },
    { .name = NULL },
};

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    (void)diags;
    return own && (trade_is(s, "order") || trade_is(s, "invoice") ||
                   trade_is(s, "stock"));
}

static void begin(struct trade *t, void *state, const void *own)
{
    static const struct str name = { "warehouse", 9 };
    struct shape *shape = t->site->shape;
    struct state *s = state;

    (void)own;
    s->document = shape_field(shape, name, false);
    s->list = trade_is(t->site, "stock") ? -1 : shape_list(shape, STR("line"));
    s->line =
        s->list >= 0 ? shape_field(shape->lists[s->list], name, false) : -1;
}

static enum trade_verdict take_stock(struct trade *t, void *state,
                                     const void *own, struct doc *d)
{
    const struct state *s = state;
    const struct own *o = own;

    (void)t;
    if (s->list < 0 && !d->f[s->document].len)
        d->f[s->document] = o->warehouse;
    return TRADE_ON;
}

static enum trade_verdict take_order(struct trade *t, void *state,
                                     const void *own, struct doc *d)
{
    const struct own *o = trade_lines_of(t->site->conf, &rule_warehouse);
    const struct state *s = state;

    (void)own;
    if (!d->f[s->document].len)
        d->f[s->document] = o->warehouse;
    for (struct doc *l = d->lists[s->list].first; l; l = l->next)
        if (!l->f[s->line].len)
            l->f[s->line] = d->f[s->document];
    return TRADE_ON;
}

const struct trade_rule rule_warehouse = {
    .name = "warehouse",
    .words = words,
    .fits = "orders, invoices and stock",
    .serves = serves,
    .state = sizeof(struct state),
    .begin = begin,
    .takes_unwanted = true,
    .take = take_stock,
};

static bool serves_orders(const struct trade_site *s, const void *own,
                          struct diags *diags)
{
    (void)own;
    return !trade_is(s, "stock") &&
           serves(s, trade_lines_of(s->conf, &rule_warehouse), diags);
}

const struct trade_rule rule_warehouse_of_orders = {
    .name = "warehouse of orders",
    .serves = serves_orders,
    .state = sizeof(struct state),
    .begin = begin,
    .take = take_order,
};
