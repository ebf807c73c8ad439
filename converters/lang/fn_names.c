/*
 * fn_names.c - streets, people, countries, phones. What these cannot make out
 * stays as it is, with a warning: they never fail a record for its data.
 */
#include "converters/base/text.h"
#include "converters/lang/fn.h"

/* Argument 1: which of two parts is asked for. */
static bool part_arg(struct run *r, const struct expr *e, const char *first,
                     const char *second, bool *is_first)
{
    struct str s;

    if (!arg_str(r, e, 1, &s))
        return false;
    *is_first = str_is(s, first);
    if (*is_first || str_is(s, second))
        return true;
    return RUN_FAULT(r, CHOICE_VALUE, arg(e, 1)->at, NULL, s,
                     arena_fmt(r->a, "part of %s", e->func->name),
                     arena_fmt(r->a, "\"%s\", \"%s\"", first, second));
}

/* A country as a code or name, else the map's own. */
static bool country_arg(struct run *r, const struct expr *e, int i,
                        struct str *out)
{
    struct str s;

    if (!arg_str(r, e, i, &s))
        return false;
    if (!s.len || !country_code(s, out))
        *out = s.len ? s : r->map->country;
    return true;
}

/* The part that was asked for; the first one warns of a text left whole. */
static struct val part_of(struct run *r, const struct expr *e,
                          const struct val *v, bool was_split, bool is_first,
                          const struct str parts[2])
{
    if (!was_split && is_first)
        (void)RUN_FAULT(r, SPLIT, e->at, v, val_str(r, v),
                        str_is(str_of(e->func->name), "split_street")
                            ? STR("street and number")
                            : STR("first and last name"));
    return fn_text_from(v, parts[is_first ? 0 : 1]);
}

static bool fn_split_street(struct run *r, const struct expr *e,
                            struct val *out)
{
    struct str country, parts[2];
    bool is_first, was_split;
    struct val v;

    if (!arg_val(r, e, 0, &v) ||
        !part_arg(r, e, "street", "number", &is_first) ||
        !country_arg(r, e, 2, &country))
        return false;
    *out = val_empty();
    if (val_is_empty(&v))
        return true;
    was_split = split_street(val_str(r, &v), country, &parts[0], &parts[1]);
    *out = part_of(r, e, &v, was_split, is_first, parts);
    return true;
}

static bool fn_split_name(struct run *r, const struct expr *e, struct val *out)
{
    bool is_first, was_split;
    struct str parts[2];
    struct val v;

    if (!arg_val(r, e, 0, &v) || !part_arg(r, e, "first", "last", &is_first))
        return false;
    *out = val_empty();
    if (val_is_empty(&v))
        return true;
    was_split = split_name(val_str(r, &v), &parts[0], &parts[1]);
    *out = part_of(r, e, &v, was_split, is_first, parts);
    return true;
}

static bool fn_country_code(struct run *r, const struct expr *e,
                            struct val *out)
{
    struct str s, code;
    struct val v;

    if (!arg_val(r, e, 0, &v))
        return false;
    *out = v;
    if (val_is_empty(&v))
        return true;
    s = val_str(r, &v);
    if (!country_code(s, &code)) {
        (void)RUN_FAULT(r, NOT_KNOWN, e->at, &v, s, STR("country"),
                        where_of(r, &v));
        return true;
    }
    *out = fn_text_from(&v, code);
    return true;
}

static bool fn_phone(struct run *r, const struct expr *e, struct val *out)
{
    struct str s, country, number;
    struct val v;

    if (!arg_val(r, e, 0, &v) || !country_arg(r, e, 1, &country))
        return false;
    *out = v;
    if (val_is_empty(&v))
        return true;
    s = val_str(r, &v);
    if (!phone_normal(r->a, s, country, &number)) {
        (void)RUN_FAULT(r, NOT_KNOWN, e->at, &v, s, STR("form of phone number"),
                        where_of(r, &v));
        return true;
    }
    *out = fn_text_from(&v, number);
    return true;
}

const struct func fn_names[] = {
    { "split_street", 2, 3, 0, 1, "x, \"street\"|\"number\", country",
      "the street or the house number of an address line", fn_split_street },
    { "split_name", 2, 2, 0, 1, "x, \"first\"|\"last\"",
      "the given names or the family name of a person", fn_split_name },
    { "country_code", 1, 1, 0, -1, "x",
      "two letters (CZ) from a country's name or code", fn_country_code },
    { "phone", 1, 2, 0, -1, "x, country",
      "a phone number as +420777000111; country: for numbers without one",
      fn_phone },
    { 0 },
};
