/*
 * decimal_format.c - the number patterns of the `as` clause.
 *
 * A pattern is read anew for each number: it has a handful of characters, and
 * so nobody has to keep a compiled one. decimal.h has the grammar.
 */
#include "converters/base/decimal.h"

struct numpattern {
    int zeros;                  /* places before the point that always show */
    int min_behind, max_behind; /* places behind it */
    char point;                 /* 0: none */
    struct str sep;             /* empty: no groups */
};

static const struct str separators[] = {
    { " ", 1 },
    { ".", 1 },
    { ",", 1 },
    { "'", 1 },
    { "\xC2\xA0", 2 },     /* U+00A0 */
    { "\xE2\x80\xAF", 3 }, /* U+202F */
    { "\xE2\x80\x89", 3 }, /* U+2009 */
    { "\xE2\x80\x99", 3 }, /* U+2019 */
};

static bool is_place(char c)
{
    return c == '0' || c == '#';
}

/* Where the point of a pattern stands, or -1. */
static ptrdiff_t find_point(struct str s)
{
    ptrdiff_t i = (ptrdiff_t)s.len - 1;

    while (i >= 0 && s.p[i] != '.' && s.p[i] != ',')
        i--;
    if (i < 0 || (size_t)i + 1 == s.len || !is_place(s.p[i + 1]) ||
        str_is(str_from(s, (size_t)i + 1), "##0"))
        return -1;
    return i;
}

static const char *parse_fraction(struct str s, struct numpattern *f)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_place(s.p[i]))
            return "behind the decimal sign only 0 and # can stand";
        if (s.p[i] == '0' && f->max_behind > f->min_behind)
            return "behind the decimal sign a 0 cannot stand after a #";
        if (++f->max_behind > DEC_DIGITS)
            return "more than 18 places behind the decimal sign";
        f->min_behind += s.p[i] == '0';
    }
    return NULL;
}

/* The separator that s begins with; the same one must stand everywhere. */
static const char *parse_separator(struct str s, struct numpattern *f)
{
    for (size_t i = 0; i < COUNT(separators); i++)
        if (str_starts(s, separators[i])) {
            if (f->sep.len && !str_eq(f->sep, separators[i]))
                return "two different thousands separators";
            f->sep = separators[i];
            return NULL;
        }
    return "a number pattern has only 0, #, a decimal sign and separators";
}

static const char *parse_whole(struct str s, struct numpattern *f)
{
    static const char groups[] = "thousands groups must have three places";
    const char *why;
    int places = 0, run = 0;

    while (s.len) {
        if (!is_place(s.p[0])) {
            why = parse_separator(s, f);
            if (why)
                return why;
            if (run == 0 || run > 3 || (places > run && run != 3))
                return groups;
            run = 0;
            s = str_from(s, f->sep.len);
            continue;
        }
        if (s.p[0] == '#' && f->zeros)
            return "before the decimal sign a # cannot stand after a 0";
        f->zeros += s.p[0] == '0';
        run++;
        if (++places > DEC_DIGITS)
            return "more than 18 places before the decimal sign";
        s = str_from(s, 1);
    }
    if (f->sep.len && run != 3)
        return groups;
    return f->zeros ? NULL : "the last place before the decimal sign must be 0";
}

static const char *parse(struct str s, struct numpattern *f)
{
    ptrdiff_t point = find_point(s);
    const char *why = NULL;

    *f = (struct numpattern){ 0 };
    if (s.len == 0)
        return "the pattern is empty";
    if (point >= 0) {
        f->point = s.p[point];
        why = parse_fraction(str_from(s, (size_t)point + 1), f);
        s = str_first(s, (size_t)point);
    }
    if (!why)
        why = parse_whole(s, f);
    if (!why && f->sep.len == 1 && f->sep.p[0] == f->point)
        why = "the decimal sign is also the thousands separator";
    return why;
}

const char *dec_pattern_ok(struct str pattern)
{
    struct numpattern f;

    return parse(pattern, &f);
}

/* Writes the places behind the point backwards. Returns the whole part. */
static uint64_t put_behind(char **end, uint64_t u, int scale,
                           const struct numpattern *f)
{
    char *p = *end;
    int places = f->min_behind;

    for (; scale > f->min_behind && u % 10 == 0; scale--)
        u /= 10;
    if (scale > places)
        places = scale;
    for (int i = places; i > scale; i--)
        *--p = '0';
    for (; scale > 0; scale--, u /= 10)
        *--p = (char)('0' + u % 10);
    if (places)
        *--p = f->point;
    *end = p;
    return u;
}

bool dec_format(struct arena *a, struct dec d, struct str pattern,
                struct str *out)
{
    char text[128], *end = text + sizeof(text), *p = end;
    struct numpattern f;
    uint64_t u;

    if (parse(pattern, &f) != NULL)
        return false;
    if (d.scale > f.max_behind &&
        !dec_round_to(d, f.max_behind, ROUND_HALF_AWAY, &d))
        return false;
    u = put_behind(&p, (uint64_t)dec_abs(d).units, d.scale, &f);
    for (int n = 0; u > 0 || n < f.zeros; n++, u /= 10) {
        if (n > 0 && n % 3 == 0 && f.sep.len) {
            p -= f.sep.len;
            str_copy(p, f.sep);
        }
        *--p = (char)('0' + u % 10);
    }
    if (d.units < 0)
        *--p = '-';
    *out = arena_str(a, (struct str){ p, (size_t)(end - p) });
    return true;
}
