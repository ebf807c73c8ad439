/* fn_vat.c - VAT, and parts of an amount that add up to it. */
#include "converters/lang/fn.h"

enum { UNIT_DIGITS = 4, SUM_DIGITS = 2 };

__extension__ typedef __int128 wide;

/* ---- net, gross --------------------------------------------------------- */

/* A rate in percent: 21, or a text like "21%". */
static bool rate_arg(struct run *r, const struct expr *e, int i,
                     struct dec *out, bool *has)
{
    struct val v;

    if (!arg_val(r, e, i, &v))
        return false;
    if (v.kind == V_TEXT && str_ends(v.s, STR("%")))
        v.s.len--;
    *has = !val_is_empty(&v);
    return !*has || val_to_dec(r, arg(e, i), &v, out);
}

/* Digits behind the point: argument 2, else up to 4, but at least 2. */
static bool vat_digits(struct run *r, const struct expr *e, int32_t *digits)
{
    struct val v;

    *digits = UNIT_DIGITS;
    if (!arg(e, 2))
        return true;
    return arg_val(r, e, 2, &v) &&
           val_to_int(r, arg(e, 2), &v, 0, DEC_DIGITS, digits);
}

static bool vat(struct run *r, const struct expr *e, struct val *out,
                bool (*f)(struct dec x, struct dec rate, int scale,
                          struct dec *out))
{
    struct dec x, rate;
    bool has_x, has_rate;
    int32_t digits;

    if (!fn_dec(r, e, 0, &x, &has_x) || !rate_arg(r, e, 1, &rate, &has_rate) ||
        !vat_digits(r, e, &digits))
        return false;
    *out = val_empty();
    if (!has_x || !has_rate)
        return true;
    if (!f(x, rate, digits, &x))
        return fn_overflow(r, e);
    if (!arg(e, 2)) {
        x = dec_strip(x);
        if (x.scale < SUM_DIGITS)
            (void)dec_round_to(x, SUM_DIGITS, ROUND_HALF_AWAY, &x);
    }
    *out = val_dec(x);
    return true;
}

static bool fn_net(struct run *r, const struct expr *e, struct val *out)
{
    return vat(r, e, out, dec_net);
}

static bool fn_gross(struct run *r, const struct expr *e, struct val *out)
{
    return vat(r, e, out, dec_gross);
}

/* ---- share ---------------------------------------------------------------
 *
 * Member i of a list gets round(amount * w1..wi / all) less what the members
 * before it got, so rounding never adds up. The sums so far are kept in
 * r->shares: each walks its members in order, so a list costs two walks.
 */

/* The weight of a member, 0 if the each leaves it out or it is empty. */
static bool weight_of(struct run *r, const struct expr *e, struct doc *member,
                      bool even, struct dec *out)
{
    struct doc *current = r->scope[e->depth];
    bool takes = true, has = true, ok = true;

    *out = (struct dec){ 1, 0 };
    r->scope[e->depth] = member;
    if (e->where)
        ok = eval_cond(r, e->where, &takes);
    if (ok && takes && !even)
        ok = fn_dec(r, e, 1, out, &has);
    r->scope[e->depth] = current;
    if (!takes || !has)
        *out = (struct dec){ 0, 0 };
    return ok;
}

/*
 * Adds the weights from `from` on up to `member`; *found: it was met. NULL
 * goes to the end.
 */
static bool walk_to(struct run *r, const struct expr *e, struct share *s,
                    struct doc *from, const struct doc *member, bool *found)
{
    struct dec w;

    *found = false;
    for (struct doc *m = from; m && !*found; m = m->next) {
        if (!weight_of(r, e, m, s->even, &w))
            return false;
        s->before = s->done;
        if (!dec_add_near(s->done, w, &s->done))
            return fn_overflow(r, e);
        s->last = m;
        *found = m == member;
    }
    return true;
}

/* Begins a list: all its weights. Without any, its members get equal parts. */
static bool begin(struct run *r, const struct expr *e, struct share *s,
                  const struct doc *parent)
{
    struct doc *first = parent->lists[e->index].first;
    struct share start = { .seq = r->scope[0]->seq, .parent = parent };
    bool found;

    *s = start;
    if (!walk_to(r, e, s, first, NULL, &found))
        return false;
    if (dec_is_zero(s->done)) {
        *s = start;
        s->even = true;
        if (!walk_to(r, e, s, first, NULL, &found))
            return false;
    }
    start.even = s->even;
    start.total = s->done;
    *s = start;
    return true;
}

/* Brings the state to `member`; members come in the order of their list. */
static bool advance(struct run *r, const struct expr *e, struct share *s,
                    struct doc *member)
{
    const struct doc *parent = member->parent;
    bool same = s->parent == parent && s->seq == r->scope[0]->seq;
    bool found = false;

    if (same && s->last == member)
        return true;
    if (same && s->last && !walk_to(r, e, s, s->last->next, member, &found))
        return false;
    if (found)
        return true;
    return begin(r, e, s, parent) &&
           walk_to(r, e, s, parent->lists[e->index].first, member, &found);
}

static wide ten_to(int n)
{
    wide x = 1;

    while (n-- > 0)
        x *= 10;
    return x;
}

/* amount * part / all in cents, half away from zero. False: too large. */
static bool cents(struct dec amount, struct dec part, struct dec all,
                  int64_t *out)
{
    wide x, by, q;

    amount = dec_strip(amount);
    if (!dec_round_to(part, all.scale, ROUND_HALF_AWAY, &part))
        return false;
    x = (wide)amount.units * part.units;
    by = all.units;
    if (amount.scale < SUM_DIGITS)
        x *= ten_to(SUM_DIGITS - amount.scale); /* below 10^38 */
    else
        by *= ten_to(amount.scale - SUM_DIGITS);
    if (by == 0)
        return false;
    if (by < 0) {
        x = -x;
        by = -by;
    }
    q = x / by;
    if ((x % by < 0 ? -(x % by) : x % by) >= by - by / 2)
        q += x < 0 ? -1 : 1;
    if (q >= ten_to(DEC_DIGITS) || q <= -ten_to(DEC_DIGITS))
        return false;
    *out = (int64_t)q;
    return true;
}

static bool fn_share(struct run *r, const struct expr *e, struct val *out)
{
    struct share *s = &r->shares[e->slot];
    struct dec amount;
    int64_t with, without;
    bool has;

    *out = val_empty();
    if (!fn_dec(r, e, 0, &amount, &has))
        return false;
    if (!has)
        return true;
    if (!advance(r, e, s, r->scope[e->depth])) {
        *s = (struct share){ 0 };
        return false;
    }
    if (!cents(amount, s->done, s->total, &with) ||
        !cents(amount, s->before, s->total, &without))
        return fn_overflow(r, e);
    *out = val_dec((struct dec){ with - without, SUM_DIGITS });
    return true;
}

const struct func fn_vat[] = {
    { "net", 2, 3, 0, -1, "gross, rate, digits",
      "without VAT of rate percent; to 4 digits unless told", fn_net },
    { "gross", 2, 3, 0, -1, "net, rate, digits",
      "with VAT of rate percent; to 4 digits unless told", fn_gross },
    { "share", 2, 2, FN_MEMBER, -1, "amount, weight",
      "this member's part of an amount, to cents; the parts add up", fn_share },
    { 0 },
};
