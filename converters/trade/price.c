/*
 * price.c - `price list L | purchase | none`: which prices travel.
 *
 *   list L     prices of this list; others are skipped
 *   purchase   what the goods cost is their price: net, and with the VAT rate
 *              gross as well; sale and regular prices go with the old one
 *   none       stock and products go without prices
 */
#include "converters/base/decimal.h"
#include "converters/trade/rules.h"

enum which { PRICE_LIST, PRICE_PURCHASE, PRICE_NONE };

struct own {
    enum which which;
    struct str list;
};

enum price { PURCHASE, NET, GROSS, REGULAR, SALE, N_PRICES };
enum { GROSS_DIGITS = 4, SUM_DIGITS = 2 };

/* Fields of a document, or of a product's variants; -1: it has none. */
struct fields {
    int of[N_PRICES];
};

struct state {
    struct fields doc, variant;
    int list, rate;
    int variants; /* the list; -1 */
};

/* ---- the line -------------------------------------------------------------
 */

static void p_price(struct trade_parser *p, const struct oline *l,
                    struct str rest)
{
    static const char *const words[] = { [PRICE_LIST] = "list",
                                         [PRICE_PURCHASE] = "purchase",
                                         [PRICE_NONE] = "none" };
    static const char needed[] = "wants \"list NAME\", purchase or none";
    struct own *own = trade_own(p, sizeof(*own));
    int i;

    i = trade_choice(p, l, &rest, "price", words, COUNT(words), needed);
    if (i < 0)
        return;
    own->which = (enum which)i;
    if (own->which == PRICE_LIST &&
        !trade_need(p, l, &rest, "price list", "needs its name", &own->list))
        return;
    trade_end_of_line(p, l, rest);
}

static const struct trade_word words[] = {
    { .name = "price", .parse = p_price },
    { .name = NULL },
};

static bool serves(const struct trade_site *s, const void *conf,
                   struct diags *diags)
{
    const struct own *own = conf;

    (void)diags;
    return own && (trade_is(s, "price") ||
                   (own->which != PRICE_LIST &&
                    (trade_is(s, "stock") || trade_is(s, "product"))));
}

/* ---- at work --------------------------------------------------------------
 */

static struct fields fields_of(struct shape *s, bool bare)
{
    static const char *const names[] = { [PURCHASE] = "price.purchase",
                                         [NET] = "price.net",
                                         [GROSS] = "price.gross",
                                         [REGULAR] = "price.regular",
                                         [SALE] = "price.sale" };
    const size_t prefix = bare ? sizeof("price.") - 1 : 0;
    struct fields f;

    for (int i = 0; i < N_PRICES; i++)
        f.of[i] = trade_field(s, names[i] + prefix);
    return f;
}

static void begin(struct trade *t, void *state, const void *own)
{
    struct shape *shape = t->site->shape;
    struct state *s = state;

    (void)own;
    s->doc = fields_of(shape, trade_is(t->site, "price"));
    s->list = trade_field(shape, "list");
    s->rate = trade_field(shape, "vat.rate");
    s->variants = -1;
    for (int i = 0; i < shape->n_lists; i++)
        if (strcmp(shape->lists[i]->level->name, "variant") == 0) {
            s->variants = i;
            s->variant = fields_of(shape->lists[i], false);
        }
}

static void clear(struct doc *d, const struct fields *f, enum price from)
{
    for (int i = (int)from; i < N_PRICES; i++)
        if (f->of[i] >= 0)
            d->f[f->of[i]] = STR("");
}

/* Without closing zeros, but with two digits behind the point at least. */
static struct str gross_of(struct trade *t, struct str net, struct str rate)
{
    struct dec n, r;

    if (!dec_from_canon(net, &n) || !dec_from_canon(rate, &r) ||
        !dec_gross(n, r, GROSS_DIGITS, &n))
        return STR("");
    n = dec_strip(n);
    if (n.scale < SUM_DIGITS)
        (void)dec_round_to(n, SUM_DIGITS, ROUND_HALF_AWAY, &n);
    return dec_text(t->docs, n);
}

static void put_purchase(struct trade *t, struct doc *d, const struct fields *f,
                         struct str rate)
{
    struct str cost = doc_text(d, f->of[PURCHASE]);

    clear(d, f, NET);
    if (f->of[NET] >= 0)
        d->f[f->of[NET]] = cost;
    if (f->of[GROSS] >= 0)
        d->f[f->of[GROSS]] = gross_of(t, cost, rate);
}

static enum trade_verdict take(struct trade *t, void *state, const void *conf,
                               struct doc *d)
{
    const struct own *own = conf;
    struct state *s = state;
    struct str rate = doc_text(d, s->rate);

    if (own->which == PRICE_LIST)
        return str_eq(doc_text(d, s->list), own->list)
                   ? TRADE_ON
                   : trade_skip(t, "of another price list");
    if (own->which == PRICE_NONE) {
        if (trade_is(t->site, "price"))
            return trade_skip(t, "prices are left out");
        clear(d, &s->doc, PURCHASE);
    } else {
        put_purchase(t, d, &s->doc, rate);
    }
    if (s->variants < 0)
        return TRADE_ON;
    for (struct doc *v = d->lists[s->variants].first; v; v = v->next)
        if (own->which == PRICE_NONE)
            clear(v, &s->variant, PURCHASE);
        else
            put_purchase(t, v, &s->variant, rate);
    return TRADE_ON;
}

const struct trade_rule rule_price = {
    .name = "price",
    .help = "which prices travel",
    .words = words,
    .fits = "prices and, without \"list\", stock and products",
    .serves = serves,
    .state = sizeof(struct state),
    .begin = begin,
    .take = take,
};
