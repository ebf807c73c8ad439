/*
 * derive.c - computes what a source left empty; never overwrites.
 *
 *   unit prices   net <-> gross by vat.rate, to 4 digits, closing zeros off
 *   line totals   price * quantity, to 2 digits; net <-> gross by vat.rate
 *   order totals  sums of the lines; vat = gross - net; to_pay = gross
 *                 + rounding
 *   tax           lines grouped by rate and code, when the source has none and
 *                 somebody asks
 *   stock         free = quantity - reserved
 *   statement     opening from the first entry's balance, entry.balance from
 *                 opening, closing from the last entry
 *
 * A given value is a fact. Where it differs from the computed one by more
 * than rounding explains it is reported, and stays. Rounding explains half a
 * unit of the last digit per unit of quantity, and for sums one cent per line
 * plus the order's rounding (half a currency unit when that is not told). Net
 * and gross of a unit or a line are compared by vat.rate, total.vat with the
 * difference of the totals.
 */
#include "converters/document/document.h"

#include "converters/base/decimal.h"
#include "converters/base/textmap.h"

enum { UNIT_DIGITS = 4, SUM_DIGITS = 2 };

struct derive {
    struct arena *a;
    void (*differ)(void *ctx, const struct doc *d, const char *name,
                   struct str given, struct str computed);
    void *ctx;
};

static int field(const struct doc *d, enum known_field k)
{
    return d->shape->known[k];
}

static bool get(const struct doc *d, int i, struct dec *out)
{
    return doc_has(d, i) && dec_from_canon(d->f[i], out);
}

static void set(const struct derive *v, struct doc *d, int i, struct dec x)
{
    if (i < 0 || doc_has(d, i))
        return;
    d->f[i] = dec_text(v->a, x);
    if (i < 64)
        d->computed |= (uint64_t)1 << i;
}

/* Reports field i when it is further than `tolerance` from `computed`. */
static void compare(const struct derive *v, const struct doc *d, int i,
                    struct dec computed, struct dec tolerance)
{
    struct dec given, gap;

    if (!get(d, i, &given) || (i < 64 && d->computed >> i & 1) ||
        !dec_sub(given, computed, &gap) ||
        dec_cmp(dec_abs(gap), tolerance) <= 0)
        return;
    v->differ(v->ctx, d, d->shape->level->fields[i].name, d->f[i],
              dec_text(v->a, computed));
}

/* Without closing zeros, but with two digits behind the point at least. */
static struct dec tidy(struct dec d)
{
    struct dec s = dec_strip(d);

    if (s.scale < SUM_DIGITS)
        (void)dec_round_to(s, SUM_DIGITS, ROUND_HALF_AWAY, &s);
    return s;
}

static bool is_given(const struct doc *d, int i)
{
    return doc_has(d, i) && !(i < 64 && d->computed >> i & 1);
}

/* Half a unit of the last digit; closing zeros may only be padding. */
static struct dec half_unit(struct dec d)
{
    uint8_t scale = dec_strip(d).scale;

    return (struct dec){ 5, (uint8_t)(scale < 17 ? scale + 1 : 18) };
}

/* Both are given: each of them may have been rounded, and so each piece. */
static void compare_net_gross(const struct derive *v, struct doc *d, int net,
                              int gross, struct dec rate, struct dec pieces)
{
    struct dec n, g, computed, tolerance;

    if (!is_given(d, net) || !is_given(d, gross) || !get(d, net, &n) ||
        !get(d, gross, &g) || !dec_gross(n, rate, UNIT_DIGITS, &computed))
        return;
    if (dec_gross(half_unit(n), dec_abs(rate), 8, &tolerance) &&
        dec_add(tolerance, half_unit(g), &tolerance) &&
        dec_mul_near(tolerance, pieces, &tolerance))
        compare(v, d, gross, tidy(computed), tolerance);
}

static void derive_net_gross(const struct derive *v, struct doc *d, int net,
                             int gross, struct dec rate, int digits)
{
    struct dec x;

    if (get(d, gross, &x) && !doc_has(d, net)) {
        if (dec_net(x, rate, digits, &x))
            set(v, d, net, digits == UNIT_DIGITS ? tidy(x) : x);
    } else if (get(d, net, &x) && !doc_has(d, gross)) {
        if (dec_gross(x, rate, digits, &x))
            set(v, d, gross, digits == UNIT_DIGITS ? tidy(x) : x);
    }
}

/* price * quantity, as a total of a line. */
static bool times(const struct doc *d, int price, struct dec quantity,
                  struct dec *out)
{
    struct dec p;

    return get(d, price, &p) && dec_mul_near(p, quantity, &p) &&
           dec_round_to(p, SUM_DIGITS, ROUND_HALF_AWAY, out);
}

/* Half a unit of the price's last digit for each piece, and a cent. */
static struct dec line_tolerance(const struct doc *d, int price,
                                 struct dec quantity)
{
    struct dec p = { 0 }, half, cent = { 1, 2 };

    if (!get(d, price, &p))
        return cent;
    half = (struct dec){ 5, (uint8_t)(p.scale < 17 ? p.scale + 1 : 18) };
    if (!dec_mul(half, dec_abs(quantity), &half) || !dec_add(half, cent, &half))
        return cent;
    return half;
}

struct line_fields {
    int quantity, price_net, price_gross, rate, total_net, total_gross, code;
};

static struct line_fields line_fields(const struct doc *d)
{
    return (struct line_fields){
        .quantity = field(d, KNOWN_QUANTITY),
        .price_net = field(d, KNOWN_PRICE_NET),
        .price_gross = field(d, KNOWN_PRICE_GROSS),
        .rate = field(d, KNOWN_VAT_RATE),
        .total_net = field(d, KNOWN_TOTAL_NET),
        .total_gross = field(d, KNOWN_TOTAL_GROSS),
        .code = field(d, KNOWN_VAT_CODE),
    };
}

/* A total from its price unless it is given; compared when both are there. */
static void derive_total(const struct derive *v, struct doc *d, int price,
                         int total, struct dec quantity)
{
    struct dec x;

    if ((d->computed >> price & 1) || !times(d, price, quantity, &x))
        return;
    if (doc_has(d, total))
        compare(v, d, total, x, line_tolerance(d, price, quantity));
    else
        set(v, d, total, x);
}

static void derive_price(const struct derive *v, struct doc *d, int price,
                         int total, struct dec quantity)
{
    struct dec x;

    if (!doc_has(d, price) && get(d, total, &x) && dec_div(x, quantity, &x) &&
        dec_round_to(x, UNIT_DIGITS, ROUND_HALF_AWAY, &x))
        set(v, d, price, tidy(x));
}

static void derive_line(const struct derive *v, struct doc *d,
                        const struct line_fields *f)
{
    const struct dec one = { 1, 0 };
    struct dec quantity = one, rate;
    bool has_rate = get(d, f->rate, &rate);

    if (get(d, f->quantity, &quantity)) {
        derive_total(v, d, f->price_gross, f->total_gross, quantity);
        derive_total(v, d, f->price_net, f->total_net, quantity);
        if (!doc_has(d, f->price_gross) && !doc_has(d, f->price_net)) {
            derive_price(v, d, f->price_gross, f->total_gross, quantity);
            derive_price(v, d, f->price_net, f->total_net, quantity);
        }
    }
    if (has_rate) {
        derive_net_gross(v, d, f->price_net, f->price_gross, rate, UNIT_DIGITS);
        derive_net_gross(v, d, f->total_net, f->total_gross, rate, SUM_DIGITS);
        compare_net_gross(v, d, f->price_net, f->price_gross, rate, one);
        /* With a price each total was compared with price * quantity. */
        if (!is_given(d, f->price_net) && !is_given(d, f->price_gross))
            compare_net_gross(
                v, d, f->total_net, f->total_gross, rate,
                dec_cmp(dec_abs(quantity), one) > 0 ? dec_abs(quantity) : one);
    }
}

/* Sum of one field over the lines; false when a line lacks it. */
static bool sum_lines(const struct doc_list *lines, enum known_field k,
                      struct dec *out)
{
    struct dec sum = { 0, SUM_DIGITS }, x;

    if (!lines->n)
        return false;
    for (const struct doc *l = lines->first; l; l = l->next)
        if (!get(l, field(l, k), &x) || !dec_add(sum, x, &sum))
            return false;
    *out = sum;
    return true;
}

static struct dec sum_tolerance(const struct doc *d, uint32_t n_lines)
{
    struct dec cents = { (int64_t)n_lines, 2 }, rounding = { 50, 2 };

    (void)get(d, field(d, KNOWN_ROUNDING), &rounding);
    (void)dec_add(cents, dec_abs(rounding), &cents);
    return cents;
}

static void derive_sums(const struct derive *v, struct doc *d,
                        const struct doc_list *lines)
{
    int net = field(d, KNOWN_TOTAL_NET), gross = field(d, KNOWN_TOTAL_GROSS),
        vat = field(d, KNOWN_TOTAL_VAT), to_pay = field(d, KNOWN_TO_PAY);
    struct dec tolerance = sum_tolerance(d, lines->n), x, y;

    if (sum_lines(lines, KNOWN_TOTAL_GROSS, &x)) {
        set(v, d, gross, x);
        compare(v, d, gross, x, tolerance);
    }
    if (sum_lines(lines, KNOWN_TOTAL_NET, &x)) {
        set(v, d, net, x);
        compare(v, d, net, x, tolerance);
    }
    if (get(d, gross, &x) && get(d, net, &y) && dec_sub(x, y, &y)) {
        set(v, d, vat, y);
        compare(v, d, vat, y, tolerance);
    } else if (get(d, gross, &x) && get(d, vat, &y) && dec_sub(x, y, &y))
        set(v, d, net, y);
    else if (get(d, net, &x) && get(d, vat, &y) && dec_add(x, y, &y))
        set(v, d, gross, y);
    if (get(d, gross, &x)) {
        y = (struct dec){ 0 };
        (void)get(d, field(d, KNOWN_ROUNDING), &y);
        if (dec_add(x, y, &y))
            set(v, d, to_pay, y);
    }
}

/* fields.c: tax is rate, code, base, amount. */
enum { TAX_RATE, TAX_CODE, TAX_BASE, TAX_AMOUNT };

/* The tax members of a document. Few are simply looked through; a map comes
 * when a file has made up many codes. */
enum { FEW_TAXES = 16 };

struct taxes {
    struct doc_list *list;
    int index;
    struct textmap places; /* rate and code to the place in v */
    struct doc **v;
    size_t cap;
};

static void note_tax(const struct derive *v, struct taxes *x, struct doc *t)
{
    size_t n = x->places.n;

    if (n == x->cap) {
        struct doc **wider;

        x->cap = x->cap ? 2 * x->cap : (size_t)4 * FEW_TAXES;
        wider = arena_alloc(v->a, x->cap * sizeof(*wider));
        for (size_t i = 0; i < n; i++)
            wider[i] = x->v[i];
        x->v = wider;
    }
    x->v[n] = t;
    textmap_add(&x->places,
                arena_fmt(v->a, "%.*s %.*s", STR_ARGS(t->f[TAX_RATE]),
                          STR_ARGS(t->f[TAX_CODE])),
                (uint32_t)n);
}

static struct doc *find_tax(const struct derive *v, const struct taxes *x,
                            struct str rate, struct str code)
{
    const uint32_t *place;

    if (!x->places.n) {
        for (struct doc *t = x->list->first; t; t = t->next)
            if (str_eq(t->f[TAX_RATE], rate) && str_eq(t->f[TAX_CODE], code))
                return t;
        return NULL;
    }
    place = textmap_find(&x->places, arena_fmt(v->a, "%.*s %.*s",
                                               STR_ARGS(rate), STR_ARGS(code)));
    return place ? x->v[*place] : NULL;
}

/* The tax member of that rate and code, made when it is the first. */
static struct doc *tax_of(const struct derive *v, struct taxes *x,
                          struct doc *d, struct str rate, struct str code)
{
    struct doc *t = find_tax(v, x, rate, code);

    if (t)
        return t;
    t = doc_add(v->a, d, x->index);
    t->line = d->line;
    t->f[TAX_RATE] = rate;
    t->f[TAX_CODE] = code;
    if (x->places.n)
        note_tax(v, x, t);
    else if (x->list->n > FEW_TAXES)
        for (struct doc *each = x->list->first; each; each = each->next)
            note_tax(v, x, each);
    return t;
}

static void add_to(const struct derive *v, struct doc *t, int i, struct dec x)
{
    struct dec sum = { 0, SUM_DIGITS };

    (void)get(t, i, &sum);
    if (dec_add(sum, x, &sum))
        t->f[i] = dec_text(v->a, sum);
}

static int list_of(const struct doc *d, const char *name)
{
    int i = d->shape->n_lists - 1;

    while (i >= 0 && strcmp(d->shape->lists[i]->level->name, name) != 0)
        i--;
    return i;
}

static void derive_tax(const struct derive *v, struct doc *d,
                       const struct doc_list *lines,
                       const struct line_fields *f)
{
    struct taxes x = { .index = list_of(d, "tax") };

    if (x.index < 0 || d->lists[x.index].n ||
        !d->shape->lists[x.index]->is_asked)
        return;
    x.list = &d->lists[x.index];
    for (const struct doc *l = lines->first; l; l = l->next) {
        struct dec net, gross;
        struct doc *t;

        if (!doc_has(l, f->rate) || !get(l, f->total_net, &net) ||
            !get(l, f->total_gross, &gross) || !dec_sub(gross, net, &gross))
            continue;
        t = tax_of(v, &x, d, l->f[f->rate], l->f[f->code]);
        add_to(v, t, TAX_BASE, net);
        add_to(v, t, TAX_AMOUNT, gross);
    }
    textmap_release(&x.places);
}

static void derive_order(const struct derive *v, struct doc *d)
{
    struct doc_list *lines = &d->lists[list_of(d, "line")];
    struct line_fields f;

    if (!lines->n) {
        derive_sums(v, d, lines); /* an invoice may be its totals alone */
        return;
    }
    f = line_fields(lines->first);
    for (struct doc *l = lines->first; l; l = l->next)
        derive_line(v, l, &f);
    derive_sums(v, d, lines);
    derive_tax(v, d, lines, &f);
}

static void derive_prices(const struct derive *v, struct doc *d,
                          enum known_field net, enum known_field gross,
                          struct doc *rated)
{
    struct dec rate;

    if (!get(rated, field(rated, KNOWN_VAT_RATE), &rate))
        return;
    derive_net_gross(v, d, field(d, net), field(d, gross), rate, UNIT_DIGITS);
    compare_net_gross(v, d, field(d, net), field(d, gross), rate,
                      (struct dec){ 1, 0 });
}

static void derive_free(const struct derive *v, struct doc *d)
{
    struct dec quantity, reserved = { 0 };
    bool known = get(d, field(d, KNOWN_RESERVED), &reserved);
    int free = field(d, KNOWN_FREE);

    /* A source that knows no reservations reserves nothing. */
    if (!get(d, field(d, KNOWN_QUANTITY), &quantity) ||
        !dec_sub(quantity, reserved, &quantity))
        return;
    set(v, d, free, quantity);
    if (known)
        compare(v, d, free, quantity, (struct dec){ 0 });
}

static void derive_stock(const struct derive *v, struct doc *d)
{
    derive_free(v, d);
    for (struct doc *l = d->lists[0].first; l; l = l->next)
        derive_free(v, l);
    derive_prices(v, d, KNOWN_PRICE_NET, KNOWN_PRICE_GROSS, d);
}

static void derive_price_doc(const struct derive *v, struct doc *d)
{
    derive_prices(v, d, KNOWN_NET, KNOWN_GROSS, d);
}

static void derive_product(const struct derive *v, struct doc *d)
{
    struct doc *m = d->lists[list_of(d, "variant")].first;

    derive_prices(v, d, KNOWN_PRICE_NET, KNOWN_PRICE_GROSS, d);
    for (; m; m = m->next)
        derive_prices(v, m, KNOWN_PRICE_NET, KNOWN_PRICE_GROSS, d);
}

/* What the first entry's balance was before it. */
static void derive_opening(const struct derive *v, struct doc *d)
{
    const struct doc *e = d->lists[0].first;
    struct dec x, y;

    if (!e || !get(e, field(e, KNOWN_BALANCE), &x))
        return;
    if (get(e, field(e, KNOWN_DEBIT), &y) && !dec_sub(x, y, &x))
        return;
    if (get(e, field(e, KNOWN_CREDIT), &y) && !dec_add(x, y, &x))
        return;
    set(v, d, field(d, KNOWN_OPENING), x);
}

static void derive_statement(const struct derive *v, struct doc *d)
{
    struct dec balance = { 0, SUM_DIGITS }, x;
    const struct dec cent = { 1, 2 };
    int closing = field(d, KNOWN_CLOSING);

    derive_opening(v, d);
    (void)get(d, field(d, KNOWN_OPENING), &balance);
    for (struct doc *e = d->lists[0].first; e; e = e->next) {
        if (get(e, field(e, KNOWN_DEBIT), &x) && !dec_add(balance, x, &balance))
            return;
        if (get(e, field(e, KNOWN_CREDIT), &x) &&
            !dec_sub(balance, x, &balance))
            return;
        set(v, e, field(e, KNOWN_BALANCE), balance);
        compare(v, e, field(e, KNOWN_BALANCE), balance, cent);
    }
    set(v, d, closing, balance);
    compare(v, d, closing, balance, cent);
}

static const struct {
    const char *document;
    void (*derive)(const struct derive *v, struct doc *d);
} rules[] = {
    { "order", derive_order },     { "invoice", derive_order },
    { "stock", derive_stock },     { "price", derive_price_doc },
    { "product", derive_product }, { "statement", derive_statement },
};

void doc_derive(struct arena *a, struct doc *d,
                void (*differ)(void *ctx, const struct doc *d, const char *name,
                               struct str given, struct str computed),
                void *ctx)
{
    const struct derive v = { .a = a, .differ = differ, .ctx = ctx };

    for (size_t i = 0; i < COUNT(rules); i++)
        if (strcmp(d->shape->level->name, rules[i].document) == 0)
            rules[i].derive(&v, d);
}
