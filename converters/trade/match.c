/*
 * match.c - `match by sku | ean | name`, `names sender | receiver`: a product
 * is the receiver's own.
 *
 *   match by    the key that both know the product by. Its sku becomes the
 *               receiver's
 *   names       whose name the document shows; the sender's without such a line
 *
 * Lines of orders, invoices and shipments are matched, by a rule of its own
 * behind once, and the record itself of stock and products. Names are compared
 * without case, accents and signs.
 *
 * What the receiver does not have, or has twice, must not go under the sender's
 * sku: he may have another product of that sku. An order is set aside; a record
 * of stock or of a product is skipped, or, if that sku is free, left to what
 * `unknown products` says. A line whose sku is free gets a card where the route
 * creates products.
 *
 * By sku nothing is looked for but the name: unknown ones travel as they are.
 */
#include "converters/trade/cards.h"
#include "converters/trade/rules.h"

struct own {
    enum card_key by; /* KEY_SKU, KEY_EAN or KEY_NAME */
    bool receivers_name;
};

struct state {
    int list; /* the lines; -1: the document itself */
    int sku, ean, name, kind;
    bool creates, has_unknown; /* other rules of the route */
    uint64_t n_asked;
};

/* ---- lines ----------------------------------------------------------------
 */

static void p_match(struct trade_parser *p, const struct oline *l,
                    struct str rest)
{
    static const struct {
        const char *name;
        enum card_key key;
    } keys[] = { { "sku", KEY_SKU }, { "ean", KEY_EAN }, { "name", KEY_NAME } };
    struct own *own = trade_own(p, sizeof(*own));
    struct str word;
    size_t i = 0;

    if (!trade_need(p, l, &rest, "match by", "wants sku, ean or name", &word))
        return;
    while (i < COUNT(keys) && !str_is(word, keys[i].name))
        i++;
    if (i == COUNT(keys))
        trade_wrong(p, l, word, "match by", "wants sku, ean or name");
    else
        own->by = keys[i].key;
    trade_end_of_line(p, l, rest);
}

static void p_names(struct trade_parser *p, const struct oline *l,
                    struct str rest)
{
    struct own *own = trade_own(p, sizeof(*own));
    struct str word;

    if (!trade_need(p, l, &rest, "names", "wants sender or receiver", &word))
        return;
    own->receivers_name = str_is(word, "receiver");
    if (!own->receivers_name && !str_is(word, "sender"))
        trade_wrong(p, l, word, "names", "wants sender or receiver");
    trade_end_of_line(p, l, rest);
}

static const struct trade_word words[] = {
    { .name = "match by", .parse = p_match },
    { .name = "names", .parse = p_names },
    { .name = NULL },
};

static bool has_lines(const struct trade_site *s)
{
    return trade_is(s, "order") || trade_is(s, "invoice") ||
           trade_is(s, "shipment");
}

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    (void)diags;
    return own && s->output.len &&
           (has_lines(s) || trade_is(s, "stock") || trade_is(s, "product"));
}

static card_kinds asks(const struct trade_conf *c, const void *own)
{
    const struct own *o = own;

    (void)c;
    if (!o)
        return 0;
    return 1u << CARD_PRODUCT | (o->by == KEY_EAN    ? (unsigned)ASKS_EAN
                                 : o->by == KEY_NAME ? (unsigned)ASKS_NAME
                                                     : 0);
}

/* ---- at work --------------------------------------------------------------
 */

static bool has_line_of(const struct trade_conf *c, const char *rule)
{
    for (int i = 0; trade_rules[i]; i++)
        if (strcmp(trade_rules[i]->name, rule) == 0)
            return c->lines[i] != NULL;
    return false;
}

static void begin(struct trade *t, void *state, const void *own)
{
    struct shape *shape = t->site->shape;
    struct state *s = state;

    (void)own;
    s->list = has_lines(t->site) ? shape_list(shape, STR("line")) : -1;
    if (s->list >= 0)
        shape = shape->lists[s->list];
    s->sku = trade_field(shape, "sku");
    s->ean = trade_field(shape, "ean");
    s->name = trade_field(shape, "name");
    s->kind = trade_field(shape, "kind");
    for (size_t i = 0; i < t->site->n_cards; i++)
        s->creates = s->creates || t->site->cards[i]->kind == CARD_PRODUCT;
    s->has_unknown = has_line_of(t->site->conf, "unknown");
}

static bool find(struct trade *t, struct state *s, enum card_key by,
                 struct str value, struct card *card)
{
    struct str key = card_key(t->docs, by, value);

    *card = (struct card){ 0 };
    if (!key.len)
        return false;
    if (++s->n_asked == FEW_CARDS)
        facts_load_cards(t->facts, t->site->receiver, CARD_PRODUCT);
    facts_card(t->facts, t->site->receiver, CARD_PRODUCT, key, t->docs, card);
    return card->found && card->code.len; /* "": a title that was given up */
}

enum matched {
    MATCHED,
    NEW,  /* he has none, and none of its sku */
    NONE, /* he has none, but perhaps another one of its sku */
    SEVERAL,
};

static int field_of(const struct state *s, enum card_key by)
{
    return by == KEY_SKU ? s->sku : by == KEY_EAN ? s->ean : s->name;
}

static enum matched match(struct trade *t, struct state *s, const struct own *o,
                          struct doc *d)
{
    int field = field_of(s, o->by);
    struct card card;

    if (!find(t, s, o->by, doc_text(d, field), &card))
        return o->by == KEY_SKU ? MATCHED
               : doc_has(d, s->sku) && !find(t, s, KEY_SKU, d->f[s->sku], &card)
                   ? NEW
                   : NONE;
    if (card_is_ambiguous(&card))
        return SEVERAL;
    if (o->by != KEY_SKU)
        d->f[s->sku] = card.code;
    if (o->receivers_name && card.name.len)
        d->f[s->name] = card.name;
    return MATCHED;
}

/* ---- documents -------------------------------------------------------------
 */

static enum trade_verdict take_record(struct trade *t, struct state *s,
                                      const struct own *o, struct doc *d)
{
    switch (match(t, s, o, d)) {
    case MATCHED:
        break;
    case NEW:
        if (!s->has_unknown)
            return trade_skip(t, "the receiver has none");
        break;
    case NONE:
        return trade_skip(t, "the receiver has none");
    case SEVERAL:
        return trade_skip(t, "the receiver has several");
    }
    return TRADE_ON;
}

static bool is_item(struct str kind)
{
    return !kind.len || str_is(kind, "item") || str_is(kind, "gift");
}

static void tell(struct trade *t, const struct state *s, const struct own *o,
                 const struct doc *l, enum matched how)
{
    int field = o->by == KEY_EAN ? s->ean : s->name;
    struct str by = o->by == KEY_EAN ? STR("EAN") : STR("name");

    if (how == SEVERAL)
        TRADE_FAULT(t, l, field, PRODUCT_SEVERAL, t->site->receiver, by,
                    doc_text(l, field));
    else
        TRADE_FAULT(t, l, field, PRODUCT_NONE, t->site->receiver, by,
                    doc_text(l, field));
}

static enum trade_verdict take_lines(struct trade *t, struct state *s,
                                     const struct own *o, struct doc *d)
{
    bool ok = true;

    for (struct doc *l = d->lists[s->list].first; l; l = l->next) {
        enum matched how;

        if (!is_item(doc_text(l, s->kind)))
            continue;
        how = match(t, s, o, l);
        if (how == MATCHED || (how == NEW && s->creates))
            continue;
        tell(t, s, o, l, how);
        ok = false;
    }
    return ok ? TRADE_ON : TRADE_ASIDE;
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    struct state *s = state;

    return s->list >= 0 ? TRADE_ON : take_record(t, s, own, d);
}

const struct trade_rule rule_match = {
    .name = "match",
    .words = words,
    .fits = "orders, invoices, shipments, stock and products",
    .serves = serves,
    .asks = asks,
    .state = sizeof(struct state),
    .begin = begin,
    .takes_unwanted = true,
    .take = take,
};

/* Who gets the receiver's own sku or name sees a change of the key. */
static void begin_lines(struct trade *t, void *state, const void *own)
{
    const struct own *o = trade_lines_of(t->site->conf, &rule_match);
    struct state *s = state;
    struct shape *line;
    int key;

    begin(t, state, own);
    line = t->site->shape->lists[s->list];
    key = field_of(s, o->by);
    if (line->written[s->sku] || line->written[s->name])
        line->written[key] = true;
}

static bool serves_lines(const struct trade_site *s, const void *own,
                         struct diags *diags)
{
    (void)own;
    return has_lines(s) &&
           serves(s, trade_lines_of(s->conf, &rule_match), diags);
}

static enum trade_verdict take_order(struct trade *t, void *state,
                                     const void *own, struct doc *d)
{
    (void)own;
    return take_lines(t, state, trade_lines_of(t->site->conf, &rule_match), d);
}

const struct trade_rule rule_match_of_lines = {
    .name = "match of lines",
    .serves = serves_lines,
    .state = sizeof(struct state),
    .begin = begin_lines,
    .take = take_order,
};
