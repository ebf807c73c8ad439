/*
 * create.c - `create customer MAP, product MAP, payment MAP, shipping MAP`:
 * what the receiver does not know yet gets a card of its own, which is
 * delivered before the order that needs it.
 *
 *   take    the order travels, once has said. What of it does the receiver
 *           lack? Each card is made, and tried: if one cannot be written, its
 *           order is set aside as well
 *   wrote   the order is written: so are its cards, and only now they are
 *           known
 *
 * What he knows is learnt from his exports and from what he was sent
 * (cards.c). If its card is still on the way, in another job, this one waits
 * for it (facts_wait_for()). Within a job cards are of stage 0, orders of
 * stage 1: see struct delivery.
 *
 * A customer is his code, GLN, tax or VAT number; by his e-mail only who has
 * none of them, for a company's order comes from a person's address. When the
 * receiver knows him under a code, the order gets it where it has none. An
 * order that names nobody by any of these makes no card.
 *
 * A product is the sku of an item; payment and shipping are services: products
 * whose sku is the code of the method, or its name.
 */
#include <stdio.h>

#include "converters/base/decimal.h"
#include "converters/base/text.h"
#include "converters/base/textmap.h"
#include "converters/trade/cards.h"
#include "converters/trade/rules.h"

struct own {
    bool given[N_CARD_KINDS];
};

/* Where the fields of a card come from: a field of the order or line, or -1. */
struct origin {
    const struct trade_card *card; /* NULL: no such line */
    size_t index;                  /* in site->cards[] */
    int from[MAX_FIELDS];
};

/* A card that this order needs. */
struct made {
    enum card_kind kind;
    struct doc *doc;
    struct card card; /* as it will be known */
    struct made *next;
};

struct state {
    struct origin of[N_CARD_KINDS];
    /* Fields of the order, or -1; of its lines; of cards. */
    int action, code, id, gln, tax, vat, email, phone, name, company;
    int billing_phone, rate;
    int method[N_CARD_KINDS], method_code[N_CARD_KINDS];
    int line, line_kind, line_sku, line_name, line_variant, line_attribute;
    int card_code, card_phone, card_name, card_company; /* of customers */
    bool gives_codes;  /* their map writes `code` */
    struct str prefix; /* of the shop's numbers */
    int product_sku, product_name, product_attribute;
    struct textmap seen; /* cards that this order makes */
    struct made *first, **last;
    uint64_t n_asked;
};

/* ---- lines ----------------------------------------------------------------
 */

static void add_card(struct trade_parser *p, enum card_kind kind,
                     struct str map, struct place at)
{
    struct trade_card **last = &p->conf->creates;

    while (*last)
        last = &(*last)->next;
    *last = arena_alloc(p->conf->arena, sizeof(**last));
    **last = (struct trade_card){ .kind = kind, .map_name = map, .at = at };
}

/* "customer MAP"; *more: a comma follows. */
static bool p_card(struct trade_parser *p, const struct oline *l,
                   struct str *rest, bool *more)
{
    static const char needed[] =
        "wants customer MAP, product MAP, payment MAP or shipping MAP";
    struct own *own = trade_own(p, sizeof(*own));
    struct str kind, map;
    int i = 0;

    if (!trade_need(p, l, rest, "create", needed, &kind))
        return false;
    while (i < N_CARD_KINDS && !str_is(kind, card_kind_names[i]))
        i++;
    if (i == N_CARD_KINDS) {
        trade_wrong(p, l, kind, "create", needed);
        return false;
    }
    if (!trade_need(p, l, rest, "create", "needs a map behind each kind", &map))
        return false;
    *more = map.len && map.p[map.len - 1] == ',';
    if (*more)
        map.len--;
    *rest = str_trim(*rest);
    if (!*more && rest->len && rest->p[0] == ',') {
        *rest = str_from(*rest, 1);
        *more = true;
    }
    if (own->given[i])
        DIAG(p->diags, CONF_TWICE, oline_place(l, kind),
             arena_fmt(p->conf->arena, "create %s", card_kind_names[i]));
    else
        add_card(p, (enum card_kind)i, map, oline_place(l, map));
    own->given[i] = true;
    return true;
}

static void p_create(struct trade_parser *p, const struct oline *l,
                     struct str rest)
{
    bool more = true;

    while (more)
        if (!p_card(p, l, &rest, &more))
            return;
    if (rest.len)
        trade_wrong(p, l, rest, "create", "wants a comma between two cards");
}

static const struct trade_word words[] = {
    { .name = "create", .parse = p_create, .may_repeat = true },
    { .name = NULL },
};

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    (void)diags;
    return own && s->output.len && trade_is(s, "order");
}

/* Services are among the products that a partner shows. */
static card_kinds asks(const struct trade_conf *c, const void *own)
{
    card_kinds kinds = 0;

    (void)own;
    for (const struct trade_card *x = c->creates; x; x = x->next)
        kinds |=
            1u << x->kind | (x->kind != CARD_CUSTOMER ? 1u << CARD_PRODUCT : 0);
    return kinds;
}

/* ---- where fields come from -----------------------------------------------
 */

static int field_of(struct shape *s, const char *prefix, struct str name)
{
    char text[256];

    if (name.len > 200)
        return -1;
    snprintf(text, sizeof(text), "%s%.*s", prefix, STR_ARGS(name));
    return trade_field(s, text);
}

/* Fields of the same name; those of customers stand below "customer." too. An
 * ordered quantity is no stock. */
static void find_origins(struct origin *x, struct shape *from)
{
    const struct shape *to = x->card->map->shape;
    const char *below = x->card->kind == CARD_CUSTOMER ? "customer." : "";

    for (int i = 0; i < to->n_fields; i++) {
        struct str name = shape_field_name(to, i);
        const char *prefix = i < to->n_fixed ? "" : "x.";

        x->from[i] =
            str_is(name, "quantity") ? -1 : field_of(from, prefix, name);
        if (x->from[i] < 0 && i < to->n_fixed)
            x->from[i] = field_of(from, below, name);
    }
}

static void begin_cards(struct trade *t, struct state *s, struct shape *line)
{
    for (size_t i = 0; i < t->site->n_cards; i++) {
        const struct trade_card *c = t->site->cards[i];
        struct origin *x = &s->of[c->kind];

        x->card = c;
        x->index = i;
        find_origins(x, c->kind == CARD_CUSTOMER ? t->site->shape : line);
        if (c->kind == CARD_CUSTOMER) {
            s->card_code = trade_field(c->map->shape, "code");
            s->gives_codes = c->map->shape->named[s->card_code];
            s->card_phone = trade_field(c->map->shape, "phone");
            s->card_name = trade_field(c->map->shape, "name");
            s->card_company = trade_field(c->map->shape, "company");
        } else {
            s->product_sku = trade_field(c->map->shape, "sku");
            s->product_name = trade_field(c->map->shape, "name");
            s->product_attribute = shape_list(c->map->shape, STR("attribute"));
        }
    }
}

static void begin(struct trade *t, void *state, const void *own)
{
    struct shape *order = t->site->shape, *line;
    struct state *s = state;

    (void)own;
    *s = (struct state){
        .action = trade_field(order, "action"),
        .code = trade_field(order, "customer.code"),
        .id = trade_field(order, "customer.id"),
        .gln = trade_field(order, "customer.gln"),
        .tax = trade_field(order, "customer.tax_id"),
        .vat = trade_field(order, "customer.vat_id"),
        .email = trade_field(order, "customer.email"),
        .phone = trade_field(order, "customer.phone"),
        .billing_phone = trade_field(order, "billing.phone"),
        .name = trade_field(order, "billing.name"),
        .company = trade_field(order, "billing.company"),
        .rate = trade_field(order, "exchange_rate"),
        .line = shape_list(order, STR("line")),
        .prefix = prefix_of(t->site->conf),
    };
    line = order->lists[s->line];
    s->method[CARD_PAYMENT] = trade_field(order, "payment.method");
    s->method_code[CARD_PAYMENT] = trade_field(order, "payment.code");
    s->method[CARD_SHIPPING] = trade_field(order, "shipping.method");
    s->method_code[CARD_SHIPPING] = trade_field(order, "shipping.code");
    s->line_kind = trade_field(line, "kind");
    s->line_sku = trade_field(line, "sku");
    s->line_name = trade_field(line, "name");
    s->line_variant = trade_field(line, "variant");
    s->line_attribute = shape_list(line, STR("attribute"));
    begin_cards(t, s, line);
}

static void release(void *state)
{
    struct state *s = state;

    textmap_release(&s->seen);
}

/* ---- what the receiver knows -----------------------------------------------
 */

/* Under that key; if it is on its way, the order waits for it. */
static bool knows(struct trade *t, struct state *s, enum card_kind kind,
                  enum card_key name, struct str value, struct card *card)
{
    struct str key = card_key(t->docs, name, value);

    *card = (struct card){ 0 };
    if (!key.len)
        return false;
    if (++s->n_asked == FEW_CARDS)
        for (int i = 0; i < N_CARD_KINDS; i++)
            if (s->of[i].card)
                facts_load_cards(t->facts, t->site->receiver,
                                 (enum card_kind)i);
    facts_card(t->facts, t->site->receiver, kind, key, t->docs, card);
    if (card->found && card->wait_job)
        facts_wait_for(t->facts, card->wait_job);
    return card->found;
}

/* The code that a new one gets of us: two shops may have the same id. */
static struct str own_code(struct trade *t, const struct state *s,
                           const struct doc *d)
{
    const struct str parts[] = { s->prefix, doc_text(d, s->id) };

    return s->gives_codes && parts[1].len ? arena_join(t->docs, parts, 2)
                                          : STR("");
}

/* Is he known? *named: he has a key at all. */
static bool knows_customer(struct trade *t, struct state *s,
                           const struct doc *d, struct card *card, bool *named)
{
    struct str own = doc_has(d, s->code) ? STR("") : own_code(t, s, d);
    const struct {
        enum card_key key;
        struct str value;
    } keys[] = { { KEY_CODE, doc_text(d, s->code) },
                 { KEY_GLN, doc_text(d, s->gln) },
                 { KEY_TAX, doc_text(d, s->tax) },
                 { KEY_VAT, doc_text(d, s->vat) },
                 { KEY_EMAIL, doc_text(d, s->email) } };

    *named = false;
    if (knows(t, s, CARD_CUSTOMER, KEY_CODE, own, card))
        return true;
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (!keys[i].value.len || (keys[i].key == KEY_EMAIL && *named))
            continue;
        *named = true;
        if (knows(t, s, CARD_CUSTOMER, keys[i].key, keys[i].value, card))
            return true;
    }
    *named = *named || own.len;
    return false;
}

/* ---- making cards -----------------------------------------------------------
 */

static struct doc *new_card(struct trade *t, const struct origin *x,
                            const struct doc *order, const struct doc *from)
{
    struct doc *c = doc_new(t->docs, x->card->map->shape);

    c->line = order->line;
    c->member = order->member;
    c->seq = order->seq;
    for (int i = 0; from && i < c->shape->n_fields; i++)
        if (x->from[i] >= 0)
            c->f[i] = from->f[x->from[i]];
    return c;
}

static struct str first_of(struct str a, struct str b)
{
    return a.len ? a : b;
}

static struct made *add_made(struct trade *t, struct state *s,
                             enum card_kind kind, struct doc *doc)
{
    struct made *m = arena_alloc(t->docs, sizeof(*m));

    *m = (struct made){ .kind = kind, .doc = doc };
    *s->last = m;
    s->last = &m->next;
    return m;
}

static bool try_made(struct trade *t, const struct state *s,
                     const struct made *m)
{
    return t->hooks.try_card(t->hooks.ctx, s->of[m->kind].index, m->doc);
}

/*
 * When his card carries a code, it is the shop's own id, with the prefix of its
 * numbers, and the order calls him by it too; else the receiver gives him one,
 * which his next export tells.
 */
static bool make_customer(struct trade *t, struct state *s, struct doc *d)
{
    const struct origin *x = &s->of[CARD_CUSTOMER];
    struct doc *c = new_card(t, x, d, d);
    struct made *m = add_made(t, s, CARD_CUSTOMER, c);

    c->f[s->card_name] = d->f[s->name];
    c->f[s->card_company] = d->f[s->company];
    c->f[s->card_phone] = first_of(d->f[s->phone], d->f[s->billing_phone]);
    d->f[s->code] = first_of(d->f[s->code], own_code(t, s, d));
    c->f[s->card_code] = d->f[s->code];
    m->card.code = d->f[s->code];
    m->card.name = first_of(d->f[s->company], d->f[s->name]);
    return try_made(t, s, m);
}

/* The receiver has him, or nothing tells who he is; the order calls him as the
 * receiver does. */
static bool has_customer(struct trade *t, struct state *s, struct doc *d)
{
    struct card card;
    bool named;

    if (!s->of[CARD_CUSTOMER].card)
        return true;
    if (!knows_customer(t, s, d, &card, &named))
        return !named;
    if (!d->f[s->code].len && !card_is_ambiguous(&card))
        d->f[s->code] = card.code;
    return true;
}

static bool need_customer(struct trade *t, struct state *s, struct doc *d)
{
    return has_customer(t, s, d) || make_customer(t, s, d);
}

/* The order makes a card of that key already. */
static bool is_made(struct trade *t, struct state *s, enum card_kind kind,
                    struct str sku)
{
    struct str key =
        arena_fmt(t->docs, "%s:%.*s", card_kind_names[kind], STR_ARGS(sku));

    if (textmap_find(&s->seen, key))
        return true;
    textmap_add(&s->seen, key, 1);
    return false;
}

/* Prices of another currency are none of the card. */
static void forget_prices(struct doc *c)
{
    const int *known = c->shape->known;

    c->f[known[KNOWN_PRICE_NET]] = c->f[known[KNOWN_PRICE_GROSS]] = STR("");
    for (int i = 0; i < c->shape->n_fixed; i++)
        if (str_is(shape_field_name(c->shape, i), "price.regular"))
            c->f[i] = STR("");
}

static bool is_foreign(const struct state *s, const struct doc *order)
{
    const struct dec one = { 1, 0 };
    struct dec rate;

    return doc_has(order, s->rate) &&
           dec_from_canon(order->f[s->rate], &rate) && dec_cmp(rate, one) != 0;
}

static bool make_product(struct trade *t, struct state *s,
                         const struct doc *order, enum card_kind kind,
                         const struct doc *line, struct str sku,
                         struct str name)
{
    struct doc *c = new_card(t, &s->of[kind], order, line);
    struct made *m = add_made(t, s, kind, c);

    c->f[s->product_sku] = sku;
    c->f[s->product_name] = name;
    if (is_foreign(s, order))
        forget_prices(c);
    if (line && kind == CARD_PRODUCT)
        for (const struct doc *a = line->lists[s->line_attribute].first; a;
             a = a->next)
            memcpy(doc_add(t->docs, c, s->product_attribute)->f, a->f,
                   2 * sizeof(*a->f)); /* fields.c: name, value */
    m->card.code = text_trim(sku);
    m->card.name = name;
    return try_made(t, s, m);
}

static bool is_item(struct str kind)
{
    return !kind.len || str_is(kind, "item") || str_is(kind, "gift");
}

static bool need_products(struct trade *t, struct state *s, const struct doc *d)
{
    bool ok = true;

    if (!s->of[CARD_PRODUCT].card)
        return true;
    for (const struct doc *l = d->lists[s->line].first; l && ok; l = l->next) {
        struct str sku = l->f[s->line_sku], name = l->f[s->line_name];
        struct card card;

        if (!sku.len || !is_item(l->f[s->line_kind]) ||
            knows(t, s, CARD_PRODUCT, KEY_SKU, sku, &card) ||
            is_made(t, s, CARD_PRODUCT, sku))
            continue;
        if (l->f[s->line_variant].len)
            name = arena_fmt(t->docs, "%.*s, %.*s", STR_ARGS(name),
                             STR_ARGS(l->f[s->line_variant]));
        ok = make_product(t, s, d, CARD_PRODUCT, l, sku, name);
    }
    return ok;
}

/* The line that charges for it, if there is one. */
static const struct doc *line_of(const struct state *s, const struct doc *d,
                                 const char *kind)
{
    const struct doc *l = d->lists[s->line].first;

    while (l && !str_is(l->f[s->line_kind], kind))
        l = l->next;
    return l;
}

static bool need_service(struct trade *t, struct state *s, const struct doc *d,
                         enum card_kind kind)
{
    struct str method = doc_text(d, s->method[kind]);
    struct str sku = first_of(doc_text(d, s->method_code[kind]), method);
    struct card card;

    if (!s->of[kind].card || !sku.len ||
        knows(t, s, kind, KEY_SKU, sku, &card) ||
        knows(t, s, CARD_PRODUCT, KEY_SKU, sku, &card) ||
        is_made(t, s, kind, sku))
        return true;
    return make_product(t, s, d, kind, line_of(s, d, card_kind_names[kind]),
                        sku, first_of(method, sku));
}

static bool need_all(struct trade *t, struct state *s, struct doc *d)
{
    return need_customer(t, s, d) && need_products(t, s, d) &&
           need_service(t, s, d, CARD_PAYMENT) &&
           need_service(t, s, d, CARD_SHIPPING);
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    struct state *s = state;

    (void)own;
    s->first = NULL;
    s->last = &s->first;
    textmap_clear(&s->seen);
    if (str_is(doc_text(d, s->action), "cancel")) {
        has_customer(t, s, d); /* a new one gets no card for that */
        return TRADE_ON;
    }
    return need_all(t, s, d) ? TRADE_ON : TRADE_ASIDE;
}

/* ---- they are written
 * -------------------------------------------------------- */

static void customer_sent(struct trade *t, const struct state *s,
                          const struct doc *d, const struct card *card)
{
    const struct {
        enum card_key key;
        int field;
    } keys[] = { { KEY_CODE, s->code },
                 { KEY_GLN, s->gln },
                 { KEY_TAX, s->tax },
                 { KEY_VAT, s->vat } };
    bool named = false;

    for (size_t i = 0; i < COUNT(keys); i++) {
        named = named || (keys[i].key != KEY_CODE && d->f[keys[i].field].len);
        card_sent(t, CARD_CUSTOMER, keys[i].key, d->f[keys[i].field], card);
    }
    if (!named)
        card_sent(t, CARD_CUSTOMER, KEY_EMAIL, d->f[s->email], card);
}

/*
 * What is known of the order ends here: that its cards were sent stays true
 * when the order is set aside after all (a map of orders with two passes).
 */
static void wrote(struct trade *t, void *state, const void *own, struct doc *d,
                  enum trade_written how)
{
    struct state *s = state;

    (void)own;
    if (how != WROTE || !s->first)
        return;
    facts_keep(t->facts, d->seq);
    for (const struct made *m = s->first; m; m = m->next) {
        if (!t->hooks.write_card(t->hooks.ctx, s->of[m->kind].index, m->doc))
            continue;
        if (m->kind == CARD_CUSTOMER)
            customer_sent(t, s, d, &m->card);
        else
            card_sent(t, m->kind, KEY_SKU, m->card.code, &m->card);
    }
    facts_keep(t->facts, 0);
}

const struct trade_rule rule_create = {
    .name = "create",
    .words = words,
    .fits = "orders",
    .serves = serves,
    .asks = asks,
    .state = sizeof(struct state),
    .begin = begin,
    .take = take,
    .wrote = wrote,
    .release = release,
};
