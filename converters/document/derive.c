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

/*
 * The numbers of a document or member, read once: a field of this kind is
 * looked at by several rules.
 */
struct figures {
    struct doc *d;
    uint32_t there;   /* bit k: it has a value... */
    uint32_t numbers; /* ...and that is a number, in x[k] */
    struct dec x[N_KNOWN];
};

#define BIT(k) ((uint32_t)1 << (k))
_Static_assert(N_KNOWN <= 32, "each has a bit");

/* Those of `known`, a set of BIT(KNOWN_...). */
static void read_figures(struct figures *f, struct doc *d, uint32_t known)
{
    f->d = d;
    f->there = f->numbers = 0;
    while (known) {
        unsigned k = (unsigned)__builtin_ctz(known);
        int i = d->shape->known[k];

        known &= known - 1;
        if (!doc_has(d, i))
            continue;
        f->there |= BIT(k);
        if (dec_from_canon(d->f[i], &f->x[k]))
            f->numbers |= BIT(k);
    }
}

static bool has(const struct figures *f, enum known_field k)
{
    return f->there & BIT(k);
}

static bool get(const struct figures *f, enum known_field k, struct dec *out)
{
    if (!(f->numbers & BIT(k)))
        return false;
    *out = f->x[k];
    return true;
}

static bool is_computed(const struct figures *f, enum known_field k)
{
    int i = f->d->shape->known[k];

    return i >= 0 && i < 64 && f->d->computed >> i & 1;
}

static bool is_given(const struct figures *f, enum known_field k)
{
    return has(f, k) && !is_computed(f, k);
}

static void set(const struct derive *v, struct figures *f, enum known_field k,
                struct dec x)
{
    int i = f->d->shape->known[k];

    if (i < 0 || has(f, k))
        return;
    f->d->f[i] = dec_text(v->a, x);
    f->x[k] = x;
    f->there |= BIT(k);
    f->numbers |= BIT(k);
    if (i < 64)
        f->d->computed |= (uint64_t)1 << i;
}

/* Reports field k when it is further than `tolerance` from `computed`. */
static void compare(const struct derive *v, const struct figures *f,
                    enum known_field k, struct dec computed,
                    struct dec tolerance)
{
    struct dec given, gap;
    int i = f->d->shape->known[k];

    if (!get(f, k, &given) || is_computed(f, k) ||
        !dec_sub(given, computed, &gap) ||
        dec_cmp(dec_abs(gap), tolerance) <= 0)
        return;
    v->differ(v->ctx, f->d, f->d->shape->level->fields[i].name, f->d->f[i],
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

/* Half a unit of the last digit; closing zeros may only be padding. */
static struct dec half_unit(struct dec d)
{
    uint8_t scale = dec_strip(d).scale;

    return (struct dec){ 5, (uint8_t)(scale < 17 ? scale + 1 : 18) };
}

/* So near that no tolerance need be computed. */
static bool is_near(struct dec a, struct dec b, struct dec least_tolerance)
{
    struct dec gap;

    return dec_sub(a, b, &gap) && dec_cmp(dec_abs(gap), least_tolerance) <= 0;
}

/* Both are given: each of them may have been rounded, and so each piece. */
static void compare_net_gross(const struct derive *v, const struct figures *f,
                              enum known_field net, enum known_field gross,
                              struct dec rate, struct dec pieces)
{
    struct dec n, g, computed, tolerance;

    if (!is_given(f, net) || !is_given(f, gross) || !get(f, net, &n) ||
        !get(f, gross, &g) || !dec_gross(n, rate, UNIT_DIGITS, &computed) ||
        is_near(g, computed, half_unit(g)))
        return;
    if (dec_gross(half_unit(n), dec_abs(rate), 8, &tolerance) &&
        dec_add(tolerance, half_unit(g), &tolerance) &&
        dec_mul_near(tolerance, pieces, &tolerance))
        compare(v, f, gross, tidy(computed), tolerance);
}

static void derive_net_gross(const struct derive *v, struct figures *f,
                             enum known_field net, enum known_field gross,
                             struct dec rate, int digits)
{
    struct dec x;

    if (get(f, gross, &x) && !has(f, net)) {
        if (dec_net(x, rate, digits, &x))
            set(v, f, net, digits == UNIT_DIGITS ? tidy(x) : x);
    } else if (get(f, net, &x) && !has(f, gross)) {
        if (dec_gross(x, rate, digits, &x))
            set(v, f, gross, digits == UNIT_DIGITS ? tidy(x) : x);
    }
}

/* price * quantity, as a total of a line. */
static bool times(const struct figures *f, enum known_field price,
                  struct dec quantity, struct dec *out)
{
    struct dec p;

    return get(f, price, &p) && dec_mul_near(p, quantity, &p) &&
           dec_round_to(p, SUM_DIGITS, ROUND_HALF_AWAY, out);
}

/* Half a unit of the price's last digit for each piece, and a cent. */
static struct dec line_tolerance(const struct figures *f,
                                 enum known_field price, struct dec quantity)
{
    struct dec p = { 0 }, half, cent = { 1, 2 };

    if (!get(f, price, &p))
        return cent;
    half = (struct dec){ 5, (uint8_t)(p.scale < 17 ? p.scale + 1 : 18) };
    if (!dec_mul(half, dec_abs(quantity), &half) || !dec_add(half, cent, &half))
        return cent;
    return half;
}

/* A total from its price unless it is given; compared when both are there. */
static void derive_total(const struct derive *v, struct figures *f,
                         enum known_field price, enum known_field total,
                         struct dec quantity)
{
    const struct dec cent = { 1, 2 };
    struct dec x, given;

    if (is_computed(f, price) || !times(f, price, quantity, &x))
        return;
    if (!has(f, total))
        set(v, f, total, x);
    else if (!get(f, total, &given) || !is_near(given, x, cent))
        compare(v, f, total, x, line_tolerance(f, price, quantity));
}

static void derive_price(const struct derive *v, struct figures *f,
                         enum known_field price, enum known_field total,
                         struct dec quantity)
{
    struct dec x;

    if (!has(f, price) && get(f, total, &x) && dec_div(x, quantity, &x) &&
        dec_round_to(x, UNIT_DIGITS, ROUND_HALF_AWAY, &x))
        set(v, f, price, tidy(x));
}

enum {
    OF_LINES = BIT(KNOWN_QUANTITY) | BIT(KNOWN_PRICE_NET) |
               BIT(KNOWN_PRICE_GROSS) | BIT(KNOWN_VAT_RATE) |
               BIT(KNOWN_TOTAL_NET) | BIT(KNOWN_TOTAL_GROSS),
};

static void derive_line(const struct derive *v, struct figures *f)
{
    const struct dec one = { 1, 0 };
    struct dec quantity = one, rate;

    if (get(f, KNOWN_QUANTITY, &quantity)) {
        derive_total(v, f, KNOWN_PRICE_GROSS, KNOWN_TOTAL_GROSS, quantity);
        derive_total(v, f, KNOWN_PRICE_NET, KNOWN_TOTAL_NET, quantity);
        if (!has(f, KNOWN_PRICE_GROSS) && !has(f, KNOWN_PRICE_NET)) {
            derive_price(v, f, KNOWN_PRICE_GROSS, KNOWN_TOTAL_GROSS, quantity);
            derive_price(v, f, KNOWN_PRICE_NET, KNOWN_TOTAL_NET, quantity);
        }
    }
    if (get(f, KNOWN_VAT_RATE, &rate)) {
        derive_net_gross(v, f, KNOWN_PRICE_NET, KNOWN_PRICE_GROSS, rate,
                         UNIT_DIGITS);
        derive_net_gross(v, f, KNOWN_TOTAL_NET, KNOWN_TOTAL_GROSS, rate,
                         SUM_DIGITS);
        compare_net_gross(v, f, KNOWN_PRICE_NET, KNOWN_PRICE_GROSS, rate, one);
        /* With a price each total was compared with price * quantity. */
        if (!is_given(f, KNOWN_PRICE_NET) && !is_given(f, KNOWN_PRICE_GROSS))
            compare_net_gross(
                v, f, KNOWN_TOTAL_NET, KNOWN_TOTAL_GROSS, rate,
                dec_cmp(dec_abs(quantity), one) > 0 ? dec_abs(quantity) : one);
    }
}

/* Sums over the lines; not known when there are none or one lacks it. */
struct sum {
    struct dec x;
    bool is_known;
};

static void add_line(struct sum *s, const struct figures *line,
                     enum known_field k)
{
    s->is_known = s->is_known && (line->numbers & BIT(k)) &&
                  dec_add(s->x, line->x[k], &s->x);
}

struct sums {
    struct sum net, gross;
};

static struct dec sum_tolerance(const struct figures *f, uint32_t n_lines)
{
    struct dec cents = { (int64_t)n_lines, 2 }, rounding = { 50, 2 };

    (void)get(f, KNOWN_ROUNDING, &rounding);
    (void)dec_add(cents, dec_abs(rounding), &cents);
    return cents;
}

static void derive_sums(const struct derive *v, struct doc *d,
                        const struct sums *sums, uint32_t n_lines)
{
    struct dec tolerance, x, y;
    struct figures f;

    read_figures(&f, d,
                 BIT(KNOWN_TOTAL_NET) | BIT(KNOWN_TOTAL_GROSS) |
                     BIT(KNOWN_TOTAL_VAT) | BIT(KNOWN_TO_PAY) |
                     BIT(KNOWN_ROUNDING));
    tolerance = sum_tolerance(&f, n_lines);
    if (sums->gross.is_known) {
        set(v, &f, KNOWN_TOTAL_GROSS, sums->gross.x);
        compare(v, &f, KNOWN_TOTAL_GROSS, sums->gross.x, tolerance);
    }
    if (sums->net.is_known) {
        set(v, &f, KNOWN_TOTAL_NET, sums->net.x);
        compare(v, &f, KNOWN_TOTAL_NET, sums->net.x, tolerance);
    }
    if (get(&f, KNOWN_TOTAL_GROSS, &x) && get(&f, KNOWN_TOTAL_NET, &y) &&
        dec_sub(x, y, &y)) {
        set(v, &f, KNOWN_TOTAL_VAT, y);
        compare(v, &f, KNOWN_TOTAL_VAT, y, tolerance);
    } else if (get(&f, KNOWN_TOTAL_GROSS, &x) && get(&f, KNOWN_TOTAL_VAT, &y) &&
               dec_sub(x, y, &y))
        set(v, &f, KNOWN_TOTAL_NET, y);
    else if (get(&f, KNOWN_TOTAL_NET, &x) && get(&f, KNOWN_TOTAL_VAT, &y) &&
             dec_add(x, y, &y))
        set(v, &f, KNOWN_TOTAL_GROSS, y);
    if (get(&f, KNOWN_TOTAL_GROSS, &x)) {
        y = (struct dec){ 0 };
        (void)get(&f, KNOWN_ROUNDING, &y);
        if (dec_add(x, y, &y))
            set(v, &f, KNOWN_TO_PAY, y);
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

    if (t->f[i].len)
        (void)dec_from_canon(t->f[i], &sum);
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
                       const struct doc_list *lines)
{
    struct taxes x = { .index = list_of(d, "tax") };

    if (x.index < 0 || d->lists[x.index].n ||
        !d->shape->lists[x.index]->is_asked)
        return;
    x.list = &d->lists[x.index];
    for (struct doc *l = lines->first; l; l = l->next) {
        const int *known = l->shape->known;
        struct dec net, gross;
        struct figures f;
        struct doc *t;

        read_figures(&f, l, OF_LINES);
        if (!has(&f, KNOWN_VAT_RATE) || !get(&f, KNOWN_TOTAL_NET, &net) ||
            !get(&f, KNOWN_TOTAL_GROSS, &gross) || !dec_sub(gross, net, &gross))
            continue;
        t = tax_of(v, &x, d, l->f[known[KNOWN_VAT_RATE]],
                   l->f[known[KNOWN_VAT_CODE]]);
        add_to(v, t, TAX_BASE, net);
        add_to(v, t, TAX_AMOUNT, gross);
    }
    textmap_release(&x.places);
}

/* An invoice may be its totals alone. */
static void derive_order(const struct derive *v, struct doc *d)
{
    struct doc_list *lines = &d->lists[list_of(d, "line")];
    const struct sum none = { { 0, SUM_DIGITS }, lines->n > 0 };
    struct sums sums = { none, none };
    struct figures f;

    for (struct doc *l = lines->first; l; l = l->next) {
        read_figures(&f, l, OF_LINES);
        derive_line(v, &f);
        add_line(&sums.net, &f, KNOWN_TOTAL_NET);
        add_line(&sums.gross, &f, KNOWN_TOTAL_GROSS);
    }
    derive_sums(v, d, &sums, lines->n);
    if (lines->n)
        derive_tax(v, d, lines);
}

static void derive_prices(const struct derive *v, struct doc *d,
                          enum known_field net, enum known_field gross,
                          const struct dec *rate)
{
    struct figures f;

    if (!rate)
        return;
    read_figures(&f, d, BIT(net) | BIT(gross));
    derive_net_gross(v, &f, net, gross, *rate, UNIT_DIGITS);
    compare_net_gross(v, &f, net, gross, *rate, (struct dec){ 1, 0 });
}

/* Its VAT rate, in `to`; NULL: it has none. */
static const struct dec *rate_of(struct doc *d, struct dec *to)
{
    struct figures f;

    read_figures(&f, d, BIT(KNOWN_VAT_RATE));
    return get(&f, KNOWN_VAT_RATE, to) ? to : NULL;
}

static void derive_free(const struct derive *v, struct doc *d)
{
    struct dec quantity, reserved = { 0 };
    struct figures f;
    bool known;

    read_figures(&f, d,
                 BIT(KNOWN_QUANTITY) | BIT(KNOWN_RESERVED) | BIT(KNOWN_FREE));
    known = get(&f, KNOWN_RESERVED, &reserved);
    /* A source that knows no reservations reserves nothing. */
    if (!get(&f, KNOWN_QUANTITY, &quantity) ||
        !dec_sub(quantity, reserved, &quantity))
        return;
    set(v, &f, KNOWN_FREE, quantity);
    if (known)
        compare(v, &f, KNOWN_FREE, quantity, (struct dec){ 0 });
}

static void derive_stock(const struct derive *v, struct doc *d)
{
    struct dec rate;

    derive_free(v, d);
    for (struct doc *l = d->lists[0].first; l; l = l->next)
        derive_free(v, l);
    derive_prices(v, d, KNOWN_PRICE_NET, KNOWN_PRICE_GROSS, rate_of(d, &rate));
}

static void derive_price_doc(const struct derive *v, struct doc *d)
{
    struct dec rate;

    derive_prices(v, d, KNOWN_NET, KNOWN_GROSS, rate_of(d, &rate));
}

static void derive_product(const struct derive *v, struct doc *d)
{
    struct doc *m = d->lists[list_of(d, "variant")].first;
    struct dec to;
    const struct dec *rate = rate_of(d, &to);

    derive_prices(v, d, KNOWN_PRICE_NET, KNOWN_PRICE_GROSS, rate);
    for (; m; m = m->next)
        derive_prices(v, m, KNOWN_PRICE_NET, KNOWN_PRICE_GROSS, rate);
}

enum {
    OF_ENTRIES = BIT(KNOWN_DEBIT) | BIT(KNOWN_CREDIT) | BIT(KNOWN_BALANCE),
};

/* What the first entry's balance was before it. */
static void derive_opening(const struct derive *v, struct figures *f)
{
    struct doc *e = f->d->lists[0].first;
    struct figures first;
    struct dec x, y;

    if (!e)
        return;
    read_figures(&first, e, OF_ENTRIES);
    if (!get(&first, KNOWN_BALANCE, &x))
        return;
    if (get(&first, KNOWN_DEBIT, &y) && !dec_sub(x, y, &x))
        return;
    if (get(&first, KNOWN_CREDIT, &y) && !dec_add(x, y, &x))
        return;
    set(v, f, KNOWN_OPENING, x);
}

static void derive_statement(const struct derive *v, struct doc *d)
{
    struct dec balance = { 0, SUM_DIGITS }, x;
    const struct dec cent = { 1, 2 };
    struct figures f, entry;

    read_figures(&f, d, BIT(KNOWN_OPENING) | BIT(KNOWN_CLOSING));
    derive_opening(v, &f);
    (void)get(&f, KNOWN_OPENING, &balance);
    for (struct doc *e = d->lists[0].first; e; e = e->next) {
        read_figures(&entry, e, OF_ENTRIES);
        if (get(&entry, KNOWN_DEBIT, &x) && !dec_add(balance, x, &balance))
            return;
        if (get(&entry, KNOWN_CREDIT, &x) && !dec_sub(balance, x, &balance))
            return;
        set(v, &entry, KNOWN_BALANCE, balance);
        compare(v, &entry, KNOWN_BALANCE, balance, cent);
    }
    set(v, &f, KNOWN_CLOSING, balance);
    compare(v, &f, KNOWN_CLOSING, balance, cent);
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
