/*
 * unknown.c - `unknown products hide in "CATEGORY" | skip | send`: what becomes
 * of a product that the shop does not have.
 *
 *   hide   it goes in invisible, into a category that customers do not see. As
 *          long as nobody has published it, later files of it leave its
 *          visibility and its category alone: they are a person's now. Its
 *          stock is sent all the same
 *   skip   it is not sent, nor its stock
 *   send   as any other one
 *
 * The shop's own product export shows what it has, and what was published;
 * cards.c learns both. What a shop has is known by the sku, of the product or
 * of any of its variants.
 *
 * A product document says whether it is to be created or changed: `action`.
 */
#include "converters/trade/cards.h"
#include "converters/trade/rules.h"

enum what { UNKNOWN_HIDE, UNKNOWN_SKIP, UNKNOWN_SEND };

struct own {
    enum what what;
    struct str category;
};

struct state {
    int sku, name, action, visible, category;
    int variants, variant_sku;
    uint64_t n;
    bool hides; /* the document at hand goes in hidden */
};

/* ---- the line -------------------------------------------------------------
 */

static void p_unknown(struct trade_parser *p, const struct oline *l,
                      struct str rest)
{
    static const char *const words[] = { [UNKNOWN_HIDE] = "hide",
                                         [UNKNOWN_SKIP] = "skip",
                                         [UNKNOWN_SEND] = "send" };
    static const char what[] = "unknown products";
    static const char needed[] = "wants \"hide in CATEGORY\", skip or send";
    struct own *own = trade_own(p, sizeof(*own));
    struct str word;
    int i;

    i = trade_choice(p, l, &rest, what, words, COUNT(words), needed);
    if (i < 0)
        return;
    own->what = (enum what)i;
    if (own->what == UNKNOWN_HIDE) {
        if (!trade_need(p, l, &rest, what, needed, &word))
            return;
        if (!str_is(word, "in")) {
            trade_wrong(p, l, word, what, needed);
            return;
        }
        if (!trade_need(p, l, &rest, what, needed, &own->category))
            return;
    }
    trade_end_of_line(p, l, rest);
}

static const struct trade_word words[] = {
    { .name = "unknown products", .parse = p_unknown },
    { .name = NULL },
};

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    (void)diags;
    return own && s->output.len &&
           (trade_is(s, "product") || trade_is(s, "stock"));
}

static card_kinds asks(const struct trade_conf *c, const void *own)
{
    (void)c;
    return own ? 1u << CARD_PRODUCT : 0;
}

/* ---- what the shop has
 * -------------------------------------------------------
 */

static void begin(struct trade *t, void *state, const void *own)
{
    struct shape *shape = t->site->shape;
    struct state *s = state;

    (void)own;
    s->sku = trade_field(shape, "sku");
    s->name = trade_field(shape, "name");
    s->action = trade_field(shape, "action");
    s->visible = trade_field(shape, "visible");
    s->category = trade_field(shape, "category");
    s->variants =
        trade_is(t->site, "product") ? shape_list(shape, STR("variant")) : -1;
    if (s->variants >= 0)
        s->variant_sku = trade_field(shape->lists[s->variants], "sku");
}

static void look_up(struct trade *t, struct str sku, struct card *out)
{
    struct str key = card_key(t->docs, KEY_SKU, sku);

    *out = (struct card){ 0 };
    if (key.len)
        facts_card(t->facts, t->site->receiver, CARD_PRODUCT, key, t->docs,
                   out);
}

/* Under its own sku, or that of a variant. */
static struct card card_of(struct trade *t, const struct state *s,
                           const struct doc *d)
{
    struct card c;

    look_up(t, doc_text(d, s->sku), &c);
    if (s->variants < 0)
        return c;
    for (const struct doc *v = d->lists[s->variants].first; v && !c.found;
         v = v->next)
        look_up(t, doc_text(v, s->variant_sku), &c);
    return c;
}

/* ---- at work --------------------------------------------------------------
 */

static void set(struct doc *d, int field, struct str value)
{
    if (field >= 0)
        d->f[field] = value;
}

static enum trade_verdict take(struct trade *t, void *state, const void *conf,
                               struct doc *d)
{
    const struct own *own = conf;
    struct state *s = state;
    struct card card;

    s->hides = false;
    if (++s->n == FEW_CARDS)
        facts_load_cards(t->facts, t->site->receiver, CARD_PRODUCT);
    if (s->variants < 0 && own->what != UNKNOWN_SKIP)
        return TRADE_ON; /* stock */
    card = card_of(t, s, d);
    if (!card.found && own->what == UNKNOWN_SKIP)
        return trade_skip(t, "unknown to the receiver");
    set(d, s->action, card.found ? STR("change") : STR("create"));
    if (own->what != UNKNOWN_HIDE)
        return TRADE_ON;
    if (!card.found) {
        set(d, s->visible, STR("no"));
        set(d, s->category, own->category);
        s->hides = true;
    } else if (card.hidden) {
        set(d, s->visible, STR(""));
        set(d, s->category, STR(""));
    }
    return TRADE_ON;
}

static void hide(struct trade *t, struct str sku, struct str name)
{
    const struct card card = { .code = sku, .name = name, .hidden = true };
    struct str key = card_key(t->docs, KEY_SKU, sku);

    if (key.len)
        facts_learn_card(t->facts, t->site->receiver, CARD_PRODUCT, key, &card,
                         true);
}

static void wrote(struct trade *t, void *state, const void *own, struct doc *d,
                  enum trade_written how)
{
    struct state *s = state;

    (void)own;
    if (!s->hides || how != WROTE)
        return;
    hide(t, doc_text(d, s->sku), doc_text(d, s->name));
    for (const struct doc *v = d->lists[s->variants].first; v; v = v->next)
        hide(t, doc_text(v, s->variant_sku), doc_text(d, s->name));
}

const struct trade_rule rule_unknown = {
    .name = "unknown products",
    .help = "what becomes of products that the shop does not have",
    .words = words,
    .fits = "products and stock",
    .serves = serves,
    .asks = asks,
    .state = sizeof(struct state),
    .begin = begin,
    .take = take,
    .wrote = wrote,
};
