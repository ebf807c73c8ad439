/*
 * cards.c - what partners have in their books and shops, learnt from what they
 * show of it, and from what they are sent. It changes no document.
 *
 *   product   sku:TRI-001, ean:8590000000015, name:Tričko; and each variant.
 *             A stock record of a partner shows that he has the product; one
 *             that he is sent does not
 *   customer  code:AD0012, gln:8590000000008, tax:12345678, vat:CZ12345678,
 *             email:a@b.cz
 *
 * The card that they lead to has the code that its owner knows it by (sku,
 * code), and its name. Only kinds of cards and keys that somebody asks for are
 * learnt, and only what is new.
 *
 * A key may lead to two cards: articles of the same title, companies of one
 * accountant's e-mail. Such a key leads to both codes, a line each, and so to
 * none: card_is_ambiguous(). Two cards of one file are such; of cards of
 * different files, titles are looked at again (does the other article still
 * have it?), for all other keys the newer card is right.
 */
#include "converters/trade/cards.h"

#include "converters/base/text.h"
#include "converters/base/utf8.h"
#include "converters/trade/rules.h"

enum { MAX_CODES = 16 }; /* that are kept of a key */

struct state {
    enum card_kind kind;
    bool from_sender, to_receiver; /* what is asked of whom */
    uint64_t n;
    /* Fields, or -1. */
    int sku, ean, name, visible;
    int code, gln, tax, vat, email, company;
    int variants, variant_sku, variant_ean, variant_name;
};

/* ---- keys ------------------------------------------------------------------
 */

/* Letters and digits, in capitals: numbers of companies come with blanks and
 * dashes. */
static struct str bare(struct arena *a, struct str s)
{
    char *p = arena_text(a, s.len);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))
            p[n++] = c;
    }
    return (struct str){ p, n };
}

/* Of Latin letters, with accents or without: nothing gets lost by text_fold().
 */
static bool is_latin(struct str s)
{
    size_t pos = 0;

    while (pos < s.len) {
        int32_t cp = utf8_next(s, &pos);

        if (cp >= 0x250 && !(cp >= 0x1e00 && cp < 0x20d0))
            return false;
    }
    return true;
}

/* ERPs keep titles in capitals, without accents, with two blanks. */
static struct str title(struct arena *a, struct str s)
{
    char folded[1024];
    size_t n = is_latin(s) ? text_fold(s, folded, sizeof(folded)) : 0;

    if (n)
        return arena_str(a, (struct str){ folded, n });
    return text_lower(a, text_squeeze(a, s), STR(""));
}

struct str card_key(struct arena *a, enum card_key key, struct str value)
{
    static const struct str names[] = {
        [KEY_SKU] = { "sku:", 4 },   [KEY_EAN] = { "ean:", 4 },
        [KEY_NAME] = { "name:", 5 }, [KEY_CODE] = { "code:", 5 },
        [KEY_GLN] = { "gln:", 4 },   [KEY_TAX] = { "tax:", 4 },
        [KEY_VAT] = { "vat:", 4 },   [KEY_EMAIL] = { "email:", 6 },
    };
    struct str parts[2];

    switch (key) {
    case KEY_TAX:
    case KEY_VAT:
        value = bare(a, value);
        break;
    case KEY_EMAIL:
        value = text_lower(a, text_trim(value), STR(""));
        break;
    case KEY_NAME:
        value = title(a, value);
        break;
    case KEY_SKU:
    case KEY_EAN:
    case KEY_CODE:
    case KEY_GLN:
        value = text_trim(value);
        break;
    }
    parts[0] = names[key];
    parts[1] = value;
    return value.len ? arena_join(a, parts, 2) : STR("");
}

/* ---- learning --------------------------------------------------------------
 */

/* Does another card still claim the key? */
static bool still_claims(struct trade *t, struct str unit, enum card_kind kind,
                         enum card_key key, const struct card *was,
                         struct str code, struct str name)
{
    struct card other;

    if (was->fresh)
        return true;
    if (key != KEY_NAME)
        return false;
    facts_card(t->facts, unit, kind, card_key(t->docs, KEY_SKU, code), t->docs,
               &other);
    return other.found &&
           str_eq(title(t->docs, other.name), title(t->docs, name));
}

/* Takes the first code off the list. */
static struct str take_code(struct str *list)
{
    ptrdiff_t nl = str_find_char(*list, '\n');
    struct str code = str_first(*list, nl < 0 ? list->len : (size_t)nl);

    *list = str_from(*list, code.len + (nl >= 0));
    return code;
}

static struct str add_code(struct arena *a, struct str list, struct str code)
{
    const struct str parts[] = { list, STR("\n"), code };

    return !list.len ? code : code.len ? arena_join(a, parts, 3) : list;
}

/* The codes that the key leads to from now on. */
static struct str codes_of(struct trade *t, struct str unit,
                           enum card_kind kind, enum card_key key,
                           const struct card *was, const struct card *now)
{
    struct str rest = was->code, codes = { NULL, 0 };

    if (!now->code.len)
        return was->code;
    for (int n = 0; rest.len && n < MAX_CODES; n++) {
        struct str code = take_code(&rest);

        if (!str_eq(code, now->code) &&
            still_claims(t, unit, kind, key, was, code, now->name))
            codes = add_code(t->docs, codes, code);
    }
    return add_code(t->docs, codes, now->code);
}

/* Its owner has shown it. */
static void shown(struct trade *t, enum card_kind kind, enum card_key name,
                  struct str value, const struct card *card, struct str visible)
{
    struct str key = card_key(t->docs, name, value);
    struct card was, now = *card;

    if (!key.len)
        return;
    facts_card(t->facts, t->sender, kind, key, t->docs, &was);
    now.hidden = was.hidden && !str_is(visible, "yes");
    if (!now.name.len) /* a list of quantities unnames nothing */
        now.name = was.name;
    if (was.found && !str_eq(was.code, now.code))
        now.code = codes_of(t, t->sender, kind, name, &was, &now);
    if (was.found && !was.wait_job && str_eq(was.code, now.code) &&
        str_eq(was.name, now.name) && was.hidden == now.hidden)
        return;
    facts_learn_card(t->facts, t->sender, kind, key, &now, false);
}

void card_sent(struct trade *t, enum card_kind kind, enum card_key name,
               struct str value, const struct card *card)
{
    struct str key = card_key(t->docs, name, value);
    struct card was;

    if (!key.len)
        return;
    facts_card(t->facts, t->site->receiver, kind, key, t->docs, &was);
    if (!was.found || (name == KEY_NAME && !was.code.len))
        facts_learn_card(t->facts, t->site->receiver, kind, key, card, true);
}

/* ---- documents -------------------------------------------------------------
 */

static bool kind_of(const struct trade_site *s, enum card_kind *kind)
{
    *kind = trade_is(s, "customer") ? CARD_CUSTOMER : CARD_PRODUCT;
    return *kind == CARD_CUSTOMER || trade_is(s, "product") ||
           trade_is(s, "stock");
}

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    enum card_kind kind;

    (void)own, (void)diags;
    return kind_of(s, &kind) &&
           ((s->sender_asked | s->receiver_asked) & 1u << kind);
}

static void begin(struct trade *t, void *state, const void *own)
{
    struct shape *shape = t->site->shape;
    struct state *s = state;

    (void)own;
    *s = (struct state){
        .sku = trade_field(shape, "sku"),
        .ean = trade_field(shape, "ean"),
        .name = trade_field(shape, "name"),
        .visible = trade_field(shape, "visible"),
        .code = trade_field(shape, "code"),
        .gln = trade_field(shape, "gln"),
        .tax = trade_field(shape, "tax_id"),
        .vat = trade_field(shape, "vat_id"),
        .email = trade_field(shape, "email"),
        .company = trade_field(shape, "company"),
        .variants = trade_is(t->site, "product")
                        ? shape_list(shape, STR("variant"))
                        : -1,
    };
    (void)kind_of(t->site, &s->kind);
    s->from_sender = t->sender_asked & 1u << s->kind;
    s->to_receiver = (t->site->receiver_asked & 1u << s->kind) &&
                     !trade_is(t->site, "stock");
    if (s->variants >= 0) {
        struct shape *v = shape->lists[s->variants];

        s->variant_sku = trade_field(v, "sku");
        s->variant_ean = trade_field(v, "ean");
        s->variant_name = trade_field(v, "name");
    }
}

/* It has another title now: the old one does not lead to it any more, and to
 * none if it was the only one. */
static void leave_title(struct trade *t, const struct card *now)
{
    struct str rest, key, codes = { NULL, 0 };
    struct card was, old;

    facts_card(t->facts, t->sender, CARD_PRODUCT,
               card_key(t->docs, KEY_SKU, now->code), t->docs, &was);
    key = card_key(t->docs, KEY_NAME, was.name);
    if (!was.found || !key.len || !now->name.len ||
        str_eq(key, card_key(t->docs, KEY_NAME, now->name)))
        return;
    facts_card(t->facts, t->sender, CARD_PRODUCT, key, t->docs, &old);
    rest = old.code;
    while (rest.len) {
        struct str code = take_code(&rest);

        if (!str_eq(code, now->code))
            codes = add_code(t->docs, codes, code);
    }
    if (codes.len == old.code.len)
        return;
    old.code = codes;
    /* The one that is left may write it otherwise. */
    if (codes.len && !card_is_ambiguous(&old)) {
        facts_card(t->facts, t->sender, CARD_PRODUCT,
                   card_key(t->docs, KEY_SKU, codes), t->docs, &was);
        old.name = was.name;
    }
    facts_learn_card(t->facts, t->sender, CARD_PRODUCT, key, &old, false);
}

/* One product or variant of the sender. */
static void product_shown(struct trade *t, struct str sku, struct str ean,
                          struct str name, struct str visible)
{
    const struct card card = { .code = text_trim(sku),
                               .name = text_squeeze(t->docs, name) };

    if (!card.code.len)
        return;
    if (t->sender_asked & ASKS_NAME)
        leave_title(t, &card);
    shown(t, CARD_PRODUCT, KEY_SKU, sku, &card, visible);
    if (t->sender_asked & ASKS_EAN)
        shown(t, CARD_PRODUCT, KEY_EAN, ean, &card, visible);
    if (t->sender_asked & ASKS_NAME)
        shown(t, CARD_PRODUCT, KEY_NAME, name, &card, visible);
}

static void product_sent(struct trade *t, struct str sku, struct str ean,
                         struct str name)
{
    const struct card card = { .code = text_trim(sku),
                               .name = text_squeeze(t->docs, name) };

    if (!card.code.len)
        return;
    card_sent(t, CARD_PRODUCT, KEY_SKU, sku, &card);
    if (t->site->receiver_asked & ASKS_EAN)
        card_sent(t, CARD_PRODUCT, KEY_EAN, ean, &card);
    if (t->site->receiver_asked & ASKS_NAME)
        card_sent(t, CARD_PRODUCT, KEY_NAME, name, &card);
}

static void each_product(struct trade *t, const struct state *s,
                         const struct doc *d, bool is_sent)
{
    struct str visible = doc_text(d, s->visible);

    if (is_sent)
        product_sent(t, doc_text(d, s->sku), doc_text(d, s->ean),
                     doc_text(d, s->name));
    else
        product_shown(t, doc_text(d, s->sku), doc_text(d, s->ean),
                      doc_text(d, s->name), visible);
    if (s->variants < 0)
        return;
    for (const struct doc *v = d->lists[s->variants].first; v; v = v->next)
        if (is_sent)
            product_sent(t, doc_text(v, s->variant_sku),
                         doc_text(v, s->variant_ean),
                         doc_text(v, s->variant_name));
        else
            product_shown(t, doc_text(v, s->variant_sku),
                          doc_text(v, s->variant_ean),
                          doc_text(v, s->variant_name), visible);
}

static void each_customer(struct trade *t, const struct state *s,
                          const struct doc *d, bool is_sent)
{
    struct str company = doc_text(d, s->company);
    const struct card card = {
        .code = text_trim(doc_text(d, s->code)),
        .name =
            text_squeeze(t->docs, company.len ? company : doc_text(d, s->name)),
    };
    const struct {
        enum card_key key;
        int field;
    } keys[] = { { KEY_CODE, s->code },
                 { KEY_GLN, s->gln },
                 { KEY_TAX, s->tax },
                 { KEY_VAT, s->vat },
                 { KEY_EMAIL, s->email } };

    for (size_t i = 0; i < COUNT(keys); i++)
        if (is_sent)
            card_sent(t, CARD_CUSTOMER, keys[i].key, doc_text(d, keys[i].field),
                      &card);
        else
            shown(t, CARD_CUSTOMER, keys[i].key, doc_text(d, keys[i].field),
                  &card, STR(""));
}

static void each(struct trade *t, const struct state *s, const struct doc *d,
                 bool is_sent)
{
    if (s->kind == CARD_CUSTOMER)
        each_customer(t, s, d, is_sent);
    else
        each_product(t, s, d, is_sent);
}

/* Of a large file all cards are read once, in place of as many questions. */
static void load(struct trade *t, struct state *s)
{
    if (++s->n < FEW_CARDS)
        return;
    if (s->from_sender)
        facts_load_cards(t->facts, t->sender, s->kind);
    if (s->to_receiver)
        facts_load_cards(t->facts, t->site->receiver, s->kind);
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    struct state *s = state;

    (void)own;
    load(t, s);
    if (s->from_sender)
        each(t, s, d, false);
    return TRADE_ON;
}

static void wrote(struct trade *t, void *state, const void *own, struct doc *d,
                  enum trade_written how)
{
    const struct state *s = state;

    (void)own;
    if (s->to_receiver && how == WROTE)
        each(t, s, d, true);
}

const struct trade_rule rule_cards = {
    .name = "cards",
    .serves = serves,
    .state = sizeof(struct state),
    .begin = begin,
    .takes_unwanted = true,
    .take = take,
    .wrote = wrote,
};
