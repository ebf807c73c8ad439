/*
 * vat.c - `vat map TABLE`: VAT keys of the receiver.
 *
 *   line with a vat.code    that code is looked up
 *   line without            its vat.rate, by value: 27 fits 27.00
 *   line without both       the entry of "", or of a glob; else nothing
 *
 * What the table says becomes vat.code; the rate stays. The members of the list
 * tax go the same way; those that are the same then become one.
 *
 * A seller who is exempt from VAT has one key for all, or some: `* = AAM`. A
 * key that the table does not know sets the document aside: a wrong VAT key is
 * worse than none.
 */
#include "converters/base/decimal.h"
#include "converters/base/text.h"
#include "converters/base/textmap.h"
#include "converters/lang/run.h"
#include "converters/lang/table.h"
#include "converters/trade/rules.h"

struct own {
    const struct table *table;
};

struct state {
    int line, tax; /* lists */
    int line_code, line_rate;
    int tax_code, tax_rate, tax_base, tax_amount;
};

/* ---- lines ----------------------------------------------------------------
 */

static const struct table *find(struct trade_parser *p, const struct oline *l,
                                struct str name)
{
    const char *names[64];
    size_t n = 0;

    for (struct table *t = p->conf->tables->tables; t; t = t->next) {
        t->used = t->used || str_eq(t->name, name);
        if (str_eq(t->name, name))
            return t;
        if (n < COUNT(names))
            names[n++] = arena_cstr(p->conf->arena, t->name);
    }
    trade_wrong(
        p, l, name, "vat map",
        arena_fmt(p->conf->arena, "no table %.*s stands in kervan.conf%.*s",
                  STR_ARGS(name),
                  STR_ARGS(did_you_mean(p->conf->arena, name, names, n)))
            .p);
    return NULL;
}

static void p_vat(struct trade_parser *p, const struct oline *l,
                  struct str rest)
{
    struct own *own = trade_own(p, sizeof(*own));
    struct str name;

    if (!trade_need(p, l, &rest, "vat map", "needs a table", &name))
        return;
    own->table = find(p, l, name);
    trade_end_of_line(p, l, rest);
}

static const struct trade_word words[] = {
    { .name = "vat map", .parse = p_vat },
    { .name = NULL },
};

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    (void)diags;
    return own && (trade_is(s, "order") || trade_is(s, "invoice"));
}

/* ---- at work --------------------------------------------------------------
 */

/* Who gets the key sees a change of the rate. */
static void looks_at(struct shape *shape, int code, int rate)
{
    if (shape->written[code])
        shape->written[rate] = true;
}

static void begin(struct trade *t, void *state, const void *own)
{
    struct shape *shape = t->site->shape;
    struct state *s = state;

    (void)own;
    s->line = shape_list(shape, STR("line"));
    s->tax = shape_list(shape, STR("tax"));
    s->line_code = trade_field(shape->lists[s->line], "vat.code");
    s->line_rate = trade_field(shape->lists[s->line], "vat.rate");
    s->tax_code = trade_field(shape->lists[s->tax], "code");
    s->tax_rate = trade_field(shape->lists[s->tax], "rate");
    s->tax_base = trade_field(shape->lists[s->tax], "base");
    s->tax_amount = trade_field(shape->lists[s->tax], "amount");
    looks_at(shape->lists[s->line], s->line_code, s->line_rate);
    looks_at(shape->lists[s->tax], s->tax_code, s->tax_rate);
}

/* False: the table does not know it, or will not have it; that is told. */
static bool map_one(struct trade *t, const struct table *table, struct doc *d,
                    int code, int rate)
{
    struct run run = { .map = t->site->conf->tables, .a = t->docs };
    struct val key = val_text(doc_has(d, code) ? d->f[code] : d->f[rate]);
    int field = doc_has(d, code) ? code : rate;
    const struct table_entry *e = table_find(&run, table, &key);

    if (!e && val_is_empty(&key))
        return true;
    if (!e) {
        TRADE_FAULT(t, d, field, TABLE_KEY, key.s, table->name, STR(""));
        return false;
    }
    switch (e->action) {
    case TA_ERROR:
        TRADE_FAULT(t, d, field, TABLE_ERROR, key.s, e->value);
        return false;
    case TA_EMPTY:
        d->f[code] = STR("");
        break;
    case TA_VALUE:
        d->f[code] = e->value;
        break;
    case TA_PASS: /* the key itself */
        d->f[code] = key.s;
        break;
    case TA_SETTING: /* these tables have no settings */
        break;
    }
    return true;
}

static void add_to(struct arena *a, struct doc *to, const struct doc *from,
                   int field)
{
    struct dec x, y;

    if (!doc_has(to, field))
        to->f[field] = from->f[field];
    else if (dec_from_canon(to->f[field], &x) &&
             dec_from_canon(from->f[field], &y) && dec_add(x, y, &x))
        to->f[field] = dec_text(a, x);
}

/* Two keys of the sender may be one of the receiver. */
static void join_taxes(struct trade *t, const struct state *s,
                       struct doc_list *taxes)
{
    struct textmap places = { 0 };
    struct doc **v = arena_alloc(t->docs, taxes->n * sizeof(struct doc *));
    struct doc *x = taxes->first;

    *taxes = (struct doc_list){ 0 };
    while (x) {
        struct doc *next = x->next;
        struct str key =
            arena_fmt(t->docs, "%.*s\n%.*s", STR_ARGS(x->f[s->tax_rate]),
                      STR_ARGS(x->f[s->tax_code]));
        const uint32_t *place = textmap_find(&places, key);

        if (place) {
            add_to(t->docs, v[*place], x, s->tax_base);
            add_to(t->docs, v[*place], x, s->tax_amount);
        } else {
            textmap_add(&places, key, taxes->n);
            v[taxes->n++] = x;
            x->next = NULL;
            if (taxes->last)
                taxes->last->next = x;
            else
                taxes->first = x;
            taxes->last = x;
        }
        x = next;
    }
    textmap_release(&places);
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    const struct state *s = state;
    const struct own *o = own;
    bool ok = true;

    for (struct doc *l = d->lists[s->line].first; l; l = l->next)
        ok = map_one(t, o->table, l, s->line_code, s->line_rate) && ok;
    for (struct doc *x = d->lists[s->tax].first; x && ok; x = x->next)
        ok = map_one(t, o->table, x, s->tax_code, s->tax_rate);
    if (!ok)
        return TRADE_ASIDE;
    if (d->lists[s->tax].n > 1)
        join_taxes(t, s, &d->lists[s->tax]);
    return TRADE_ON;
}

const struct trade_rule rule_vat = {
    .name = "vat",
    .words = words,
    .fits = "orders and invoices",
    .serves = serves,
    .state = sizeof(struct state),
    .begin = begin,
    .take = take,
};
