/* fn_number.c - functions over numbers. An empty number gives empty. */
#include "converters/lang/fn.h"

/* The decimal sign in argument i, or 0 after a fault. */
static char decimal_sign(struct run *r, const struct expr *e, int i)
{
    struct str s;

    if (!arg_str(r, e, i, &s))
        return 0;
    if (str_is(s, ".") || str_is(s, ","))
        return s.p[0];
    (void)RUN_FAULT(r, CHOICE_VALUE, arg(e, i)->at, NULL, s,
                    STR("decimal sign"), STR("\".\", \",\""));
    return 0;
}

/* Text by a decimal sign of its own; the map's groups if they fit it. */
static bool read_number(struct run *r, const struct expr *e,
                        const struct val *v, char point, struct dec *out)
{
    struct numfmt f = { point, r->map->num.thousands };
    enum dec_result rc;

    if (v->kind != V_TEXT)
        return val_to_dec(r, arg(e, 0), v, out);
    if (f.thousands.len == 1 && f.thousands.p[0] == point)
        f.thousands = STR("");
    rc = dec_read(v->s, &f, out);
    if (rc == DEC_OK)
        return true;
    if (rc == DEC_OVERFLOW)
        return RUN_FAULT(r, NUMBER_OVERFLOW, arg(e, 0)->at, v, v->s,
                         where_of(r, v));
    return RUN_FAULT(r, NUMBER_SYNTAX, arg(e, 0)->at, v, v->s, where_of(r, v));
}

static bool fn_number_of(struct run *r, const struct expr *e, struct val *out)
{
    char point = r->map->num.point;
    struct val v;
    struct dec d;

    if (!arg_val(r, e, 0, &v))
        return false;
    if (arg(e, 1) && (point = decimal_sign(r, e, 1)) == 0)
        return false;
    *out = val_empty();
    if (val_is_empty(&v))
        return true;
    if (!(arg(e, 1) ? read_number(r, e, &v, point, &d)
                    : val_to_dec(r, arg(e, 0), &v, &d)))
        return false;
    *out = fn_dec_from(&v, d);
    return true;
}

enum { MAX_ROUND = DEC_DIGITS };

/* To tens, hundreds...: `places` digits before the point become zeros. */
static bool round_left(struct dec d, int places, struct dec *out)
{
    struct dec ten = { 1, 0 };

    /* What is cut here stands behind the digit that decides. */
    if (d.scale + places > DEC_DIGITS &&
        !dec_round_to(d, DEC_DIGITS - places, ROUND_DOWN, &d))
        return false;
    d.scale = (uint8_t)(d.scale + places);
    for (int i = 0; i < places; i++)
        if (dec_is_zero(d) || !dec_mul(ten, (struct dec){ 10, 0 }, &ten))
            break;
    return dec_round_to(d, 0, ROUND_HALF_AWAY, &d) && dec_mul(d, ten, out);
}

static bool fn_round(struct run *r, const struct expr *e, struct val *out)
{
    struct val v, digits;
    int32_t n = 0;
    struct dec d;

    if (!arg_val(r, e, 0, &v) || !arg_val(r, e, 1, &digits))
        return false;
    if (arg(e, 1) &&
        !val_to_int(r, arg(e, 1), &digits, -MAX_ROUND + 1, MAX_ROUND, &n))
        return false;
    *out = val_empty();
    if (val_is_empty(&v))
        return true;
    if (!val_to_dec(r, arg(e, 0), &v, &d))
        return false;
    if (!(n < 0 ? round_left(d, -n, &d)
                : dec_round_to(d, n, ROUND_HALF_AWAY, &d)))
        return fn_overflow(r, e);
    *out = fn_dec_from(&v, d);
    return true;
}

/* A whole number near argument 0. */
static bool to_whole(struct run *r, const struct expr *e, enum dec_round how,
                     struct val *out)
{
    struct dec d;
    bool has;

    if (!fn_dec(r, e, 0, &d, &has))
        return false;
    if (has && !dec_round_to(d, 0, how, &d))
        return fn_overflow(r, e);
    *out = has ? val_dec(d) : val_empty();
    return true;
}

static bool fn_floor(struct run *r, const struct expr *e, struct val *out)
{
    return to_whole(r, e, ROUND_FLOOR, out);
}

static bool fn_ceil(struct run *r, const struct expr *e, struct val *out)
{
    return to_whole(r, e, ROUND_CEIL, out);
}

static bool fn_abs(struct run *r, const struct expr *e, struct val *out)
{
    struct dec d;
    bool has;

    if (!fn_dec(r, e, 0, &d, &has))
        return false;
    *out = has ? val_dec(dec_abs(d)) : val_empty();
    return true;
}

const struct func fn_number[] = {
    { "number", 1, 2, 0, 1, "x, \"sign\"",
      "a text as a number; sign: its decimal sign, else the map's",
      fn_number_of },
    { "round", 1, 2, 0, -1, "x, n",
      "to n digits behind the point, half away from zero; -1: to tens",
      fn_round },
    { "floor", 1, 1, 0, -1, "x", "the whole number at or below x", fn_floor },
    { "ceil", 1, 1, 0, -1, "x", "the whole number at or above x", fn_ceil },
    { "abs", 1, 1, 0, -1, "x", "without its sign", fn_abs },
    { 0 },
};
