/*
 * fn_several.c - functions that take several values: a column of a group, a
 * path that fits more than once, the members of a list. All skip empty ones.
 */
#include "converters/base/text.h"
#include "converters/lang/fn.h"

/* Calls each() for every value of the arguments from `from` on. */
static bool walk(struct run *r, const struct expr *call, int from,
                 bool (*each)(void *, struct val *), void *ctx)
{
    for (const struct expr *a = arg(call, from); a; a = a->next)
        if (!eval_several(r, a, call, each, ctx))
            return false;
    return true;
}

/* ---- first, last, count ------------------------------------------------- */

static bool take_first(void *ctx, struct val *v)
{
    struct val *out = ctx;

    if (val_is_empty(v))
        return true;
    *out = *v;
    return false;
}

static bool fn_first(struct run *r, const struct expr *e, struct val *out)
{
    *out = val_empty();
    for (const struct expr *a = e->args; a && val_is_empty(out); a = a->next)
        if (!eval_several(r, a, e, take_first, out))
            return false;
    return true;
}

static bool take_last(void *ctx, struct val *v)
{
    if (!val_is_empty(v))
        *(struct val *)ctx = *v;
    return true;
}

static bool fn_last(struct run *r, const struct expr *e, struct val *out)
{
    *out = val_empty();
    return walk(r, e, 0, take_last, out);
}

static bool count_one(void *ctx, struct val *v)
{
    *(int64_t *)ctx += !val_is_empty(v);
    return true;
}

static bool fn_count(struct run *r, const struct expr *e, struct val *out)
{
    int64_t n = 0;

    if (!walk(r, e, 0, count_one, &n))
        return false;
    *out = val_dec((struct dec){ n, 0 });
    return true;
}

/* ---- sum ---------------------------------------------------------------- */

struct sum {
    struct run *r;
    const struct expr *call, *arg;
    struct dec total;
    bool any, failed;
};

static bool sum_one(void *ctx, struct val *v)
{
    struct sum *s = ctx;
    struct dec d;

    if (val_is_empty(v))
        return true;
    s->failed =
        !val_to_dec(s->r, s->arg, v, &d) ||
        (!dec_add_near(s->total, d, &s->total) && !fn_overflow(s->r, s->call));
    s->any = true;
    return !s->failed;
}

static bool fn_sum(struct run *r, const struct expr *e, struct val *out)
{
    struct sum s = { .r = r, .call = e };

    for (s.arg = e->args; s.arg && !s.failed; s.arg = s.arg->next)
        if (!eval_several(r, s.arg, e, sum_one, &s))
            return false;
    *out = s.any ? val_dec(s.total) : val_empty();
    return !s.failed;
}

/* ---- min, max ------------------------------------------------------------ *
 * Over numbers if every value is one, else over dates, else in the order of
 * texts. Which it is is known only at the end, so the best of each kind is kept
 * as long as it can still count. ---- */

struct best {
    struct run *r;
    int sign; /* 1: the largest is the best */
    bool any, typed_dec, typed_date;
    struct val by_number, by_date, by_text;
    struct dec number;
    struct date date;
    struct str text;
    struct val no_number, no_date; /* the first that is none; V_EMPTY: none */
};

static void keep_number(struct best *b, const struct val *v)
{
    struct dec d;

    if (!val_is_dec(b->r, v, &d)) {
        b->no_number = *v;
    } else if (!b->any || dec_cmp(d, b->number) * b->sign > 0) {
        b->number = d;
        b->by_number = *v;
    }
}

static void keep_date(struct best *b, const struct val *v)
{
    struct date t;

    if (!val_is_date(b->r, v, &t)) {
        b->no_date = *v;
    } else if (!b->any || val_date_cmp(b->r, t, b->date) * b->sign > 0) {
        b->date = t;
        b->by_date = *v;
    }
}

static bool best_one(void *ctx, struct val *v)
{
    struct best *b = ctx;
    struct str s;

    if (val_is_empty(v))
        return true;
    b->typed_dec |= v->kind == V_DEC;
    b->typed_date |= v->kind == V_DATE;
    if (b->no_number.kind == V_EMPTY)
        keep_number(b, v);
    if (b->no_date.kind == V_EMPTY)
        keep_date(b, v);
    s = val_str(b->r, v);
    if (!b->any || str_cmp(s, b->text) * b->sign > 0) {
        b->text = s;
        b->by_text = *v;
    }
    b->any = true;
    return true;
}

/*
 * A number or date among values that are none is a mistake in one of them. In
 * write maps, where `dates` says how dates are written, texts alone are texts.
 */
static bool choose(const struct best *b, const struct expr *e, struct val *out)
{
    bool dates = b->typed_date || !b->r->map->is_write;
    struct date t;
    struct dec d;

    if (b->no_number.kind == V_EMPTY)
        *out = b->by_number;
    else if (b->no_date.kind == V_EMPTY && dates)
        *out = b->by_date;
    else if (b->typed_date)
        return val_to_date(b->r, e, &b->no_date, &t);
    else if (b->typed_dec)
        return val_to_dec(b->r, e, &b->no_number, &d);
    else
        *out = b->by_text;
    return true;
}

static bool best(struct run *r, const struct expr *e, int sign, struct val *out)
{
    struct best b = { .r = r, .sign = sign };

    *out = val_empty();
    if (!walk(r, e, 0, best_one, &b))
        return false;
    return !b.any || choose(&b, e, out);
}

static bool fn_min(struct run *r, const struct expr *e, struct val *out)
{
    return best(r, e, -1, out);
}

static bool fn_max(struct run *r, const struct expr *e, struct val *out)
{
    return best(r, e, 1, out);
}

/* ---- join --------------------------------------------------------------- */

struct join {
    struct run *r;
    struct str sep;
    struct buf text;
    bool full;
};

static bool join_one(void *ctx, struct val *v)
{
    struct join *j = ctx;
    struct str s = val_str(j->r, v);

    if (!s.len)
        return true;
    if ((j->text.len && buf_add(&j->text, j->sep) == -1) ||
        buf_add(&j->text, s) == -1)
        j->full = true;
    return !j->full;
}

static bool fn_join(struct run *r, const struct expr *e, struct val *out)
{
    struct join j = { .r = r };
    bool ok = arg_str(r, e, 0, &j.sep);

    buf_init(&j.text, TEXT_MAX);
    ok = ok && walk(r, e, 1, join_one, &j);
    if (ok && j.full)
        ok = fn_too_long(r, e);
    if (ok)
        *out = val_text(arena_str(r->a, buf_str(&j.text)));
    buf_release(&j.text);
    return ok;
}

const struct func fn_several[] = {
    { "first", 1, -1, FN_SEVERAL, -1, "value, ...",
      "the first value that is not empty", fn_first },
    { "last", 1, -1, FN_SEVERAL, -1, "value, ...",
      "the last value that is not empty", fn_last },
    { "count", 1, -1, FN_SEVERAL | FN_ELEMENTS, -1, "value, ...",
      "how many values are not empty", fn_count },
    { "sum", 1, -1, FN_SEVERAL, -1, "value, ...",
      "the sum; empty if all are empty", fn_sum },
    { "min", 1, -1, FN_SEVERAL, -1, "value, ...",
      "the smallest number, the earliest date or the first text", fn_min },
    { "max", 1, -1, FN_SEVERAL, -1, "value, ...",
      "the largest number, the latest date or the last text", fn_max },
    { "join", 2, -1, FN_SEVERAL | FN_AGREE, -1, "separator, value, ...",
      "the values with the separator between them; what all rows of a group "
      "agree on counts once",
      fn_join },
    { 0 },
};
