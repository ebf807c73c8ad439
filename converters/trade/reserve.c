/*
 * reserve.c - `reserve`: ordered goods are on the shelf, and not for sale.
 *
 *   a route of orders   what the item lines of each sent order want of a
 *                       warehouse is reserved with its receiver, until it is
 *                       invoiced or cancelled (the ledger knows)
 *   a route of stock    a record of that partner whose source says nothing of
 *                       reservations gets them: reserved, and free = quantity
 *                       - reserved; its levels likewise
 *
 * Which reservations:
 *
 *   record without warehouse     all of the article
 *   record or level of a         those of this warehouse
 *   warehouse
 *   reserved in no warehouse     count once: in the record without warehouse,
 *                                else in the first record or level of the
 *                                article
 *
 * So over all records of an article the sum is right, and it is for the
 * integrator to name warehouses in orders (`warehouse W`) where it matters
 * which.
 *
 * Stock is looked at before `warehouse` and `match by` give it the receiver's
 * names; an order when it was sent, for facts_sent() ends the reservations of
 * the version before.
 */
#include "converters/base/decimal.h"
#include "converters/base/textmap.h"
#include "converters/trade/rules.h"

/* What is reserved of an article: in a warehouse, in none, or in all. */
struct amount {
    struct dec x;
    bool used; /* in no warehouse: a record has it */
};

struct fields {
    int sku, warehouse, quantity, reserved, free;
};

struct state {
    bool learns; /* of orders */
    struct fields doc, member;
    int list, kind, action;
    struct arena *arena;
    struct arena look; /* names that are looked up */
    struct textmap places;
    struct amount *amounts;
    size_t n, cap;
};

/* ---- the line -------------------------------------------------------------
 */

static void p_reserve(struct trade_parser *p, const struct oline *l,
                      struct str rest)
{
    (void)trade_own(p, 1); /* that there is such a line says all */
    trade_end_of_line(p, l, rest);
}

static const struct trade_word words[] = {
    { .name = "reserve", .parse = p_reserve },
    { .name = NULL },
};

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    (void)diags;
    return own && s->output.len &&
           (trade_is(s, "order") || trade_is(s, "stock"));
}

/* ---- what is reserved -------------------------------------------------------
 */

/* ALL is no warehouse's name: that would have no line break. */
#define ALL STR("\n")

static struct str name_of(struct arena *a, struct str sku, struct str warehouse)
{
    size_t len = sku.len + 1 + warehouse.len;
    char *p = arena_text(a, len);

    str_copy(p, sku);
    p[sku.len] = '\n';
    str_copy(p + sku.len + 1, warehouse);
    return (struct str){ p, len };
}

static struct amount *find(struct state *s, struct str sku,
                           struct str warehouse)
{
    const uint32_t *at;

    arena_reset(&s->look);
    at = textmap_find(&s->places, name_of(&s->look, sku, warehouse));
    return at ? &s->amounts[*at] : NULL;
}

static void add_to(struct state *s, struct str sku, struct str warehouse,
                   struct dec x)
{
    struct amount *a = find(s, sku, warehouse);

    if (a) {
        (void)dec_add(a->x, x, &a->x); /* more than 18 digits stay as many */
        return;
    }
    if (s->n == s->cap) {
        struct amount *wider;

        s->cap = s->cap ? 2 * s->cap : 256;
        wider = arena_alloc(s->arena, s->cap * sizeof(*wider));
        if (s->n)
            memcpy(wider, s->amounts, s->n * sizeof(*wider));
        s->amounts = wider;
    }
    textmap_add(&s->places, name_of(s->arena, sku, warehouse), (uint32_t)s->n);
    s->amounts[s->n++] = (struct amount){ .x = x };
}

static void reserved(void *ctx, struct str sku, struct str warehouse,
                     struct str quantity)
{
    struct state *s = ctx;
    struct dec x;

    if (!dec_from_canon(quantity, &x))
        return;
    add_to(s, sku, warehouse, x);
    add_to(s, sku, ALL, x);
}

/* ---- beginning
 * ---------------------------------------------------------------
 */

static struct fields fields_of(struct shape *s)
{
    return (struct fields){
        .sku = trade_field(s, "sku"),
        .warehouse = trade_field(s, "warehouse"),
        .quantity = trade_field(s, "quantity"),
        .reserved = trade_field(s, "reserved"),
        .free = trade_field(s, "free"),
    };
}

static void begin(struct trade *t, void *state, const void *own)
{
    struct shape *shape = t->site->shape;
    struct state *s = state;

    (void)own;
    s->arena = &t->own;
    s->learns = trade_is(t->site, "order");
    s->list = shape_list(shape, s->learns ? STR("line") : STR("level"));
    s->doc = fields_of(shape);
    s->member = fields_of(shape->lists[s->list]);
    s->kind = trade_field(shape->lists[s->list], "kind");
    s->action = trade_field(shape, "action");
    if (!s->learns)
        facts_reserved(t->facts, t->sender, reserved, s);
}

static void release(void *state)
{
    struct state *s = state;

    textmap_release(&s->places);
    arena_release(&s->look);
}

/* ---- stock
 * -------------------------------------------------------------------
 */

static bool is_given(const struct doc *d, int field)
{
    return doc_has(d, field) && !(d->computed >> field & 1);
}

static void put(struct trade *t, struct doc *d, int field, struct dec x)
{
    d->f[field] = dec_text(t->docs, x);
    d->computed |= (uint64_t)1 << field;
}

/* What the source says of its own is true. */
static void apply(struct trade *t, struct doc *d, const struct fields *f,
                  struct dec x)
{
    struct dec quantity;

    if (is_given(d, f->reserved) || is_given(d, f->free))
        return;
    put(t, d, f->reserved, x);
    if (dec_from_canon(doc_text(d, f->quantity), &quantity) &&
        dec_sub(quantity, x, &quantity))
        put(t, d, f->free, quantity);
}

/* Of this warehouse, and what has none unless a record before has it. */
static struct dec of_warehouse(struct state *s, struct str sku,
                               struct str warehouse)
{
    struct amount *a = find(s, sku, warehouse.len ? warehouse : ALL);
    struct dec x = { 0 };

    if (a)
        x = a->x;
    a = find(s, sku, STR(""));
    if (a && !a->used) {
        a->used = true;
        if (warehouse.len) /* else it is in it */
            (void)dec_add(x, a->x, &x);
    }
    return x;
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    struct state *s = state;
    struct str sku = doc_text(d, s->doc.sku);
    struct dec sum = { 0 }, x;

    (void)own;
    if (s->learns || !sku.len)
        return TRADE_ON;
    if (!d->lists[s->list].n) {
        apply(t, d, &s->doc,
              of_warehouse(s, sku, doc_text(d, s->doc.warehouse)));
        return TRADE_ON;
    }
    for (struct doc *m = d->lists[s->list].first; m; m = m->next) {
        apply(t, m, &s->member,
              of_warehouse(s, sku, doc_text(m, s->member.warehouse)));
        if (dec_from_canon(doc_text(m, s->member.reserved), &x))
            (void)dec_add(sum, x, &sum);
    }
    apply(t, d, &s->doc, sum);
    return TRADE_ON;
}

/* ---- orders
 * ------------------------------------------------------------------
 */

/* Goods, in a quantity that leaves the shelf. */
static bool is_goods(const struct state *s, const struct doc *line)
{
    struct str kind = doc_text(line, s->kind);
    struct dec x;

    return (!kind.len || str_is(kind, "item") || str_is(kind, "gift")) &&
           doc_has(line, s->member.sku) &&
           dec_from_canon(doc_text(line, s->member.quantity), &x) &&
           x.units > 0;
}

static void wrote(struct trade *t, void *state, const void *own, struct doc *d,
                  enum trade_written how)
{
    const struct doc_key key = { .output = t->output,
                                 .sender = t->sender,
                                 .document = STR("order"),
                                 .number = t->number };
    struct state *s = state;
    const struct fields *f = &s->member;

    (void)own;
    if (!s->learns || how != WROTE || !t->number.len ||
        str_is(doc_text(d, s->action), "cancel"))
        return;
    for (const struct doc *l = d->lists[s->list].first; l; l = l->next) {
        struct str warehouse = doc_text(l, f->warehouse);

        if (is_goods(s, l))
            facts_reserve(t->facts, &key, t->site->receiver, l->f[f->sku],
                          warehouse.len ? warehouse
                                        : doc_text(d, s->doc.warehouse),
                          l->f[f->quantity]);
    }
}

const struct trade_rule rule_reserve = {
    .name = "reserve",
    .help = "reserves ordered goods",
    .words = words,
    .fits = "orders and stock",
    .serves = serves,
    .state = sizeof(struct state),
    .begin = begin,
    .take = take,
    .wrote = wrote,
    .wrote_last = true,
    .release = release,
};
