#include "converters/base/decimal.h"

/*
 * Intermediate results. The largest is net * (100 + rate) in dec_gross(), a
 * little over 10^38; the signed type holds 1.7 * 10^38.
 */
__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

#define DEC_MAX INT64_C(999999999999999999)

static const int64_t tens[DEC_DIGITS + 1] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
};

/* ---- reading and writing text ------------------------------------------- */

/* A number that is being read: what is left of it, and what it was so far. */
struct scan {
    const char *p, *end;
    uint64_t units;
    size_t digits; /* significant ones; units is right up to 19 of them */
    bool plain;    /* nothing so far but [-]digits[.digits] */
};

static const struct str hard_blanks[] = {
    { "\xC2\xA0", 2 },     /* U+00A0 */
    { "\xE2\x80\xAF", 3 }, /* U+202F */
    { "\xE2\x80\x89", 3 }, /* U+2009 */
};

static size_t hard_blank_at(struct str s)
{
    for (size_t i = 0; i < COUNT(hard_blanks); i++)
        if (str_starts(s, hard_blanks[i]))
            return hard_blanks[i].len;
    return 0;
}

static size_t hard_blank_before_end(struct str s)
{
    for (size_t i = 0; i < COUNT(hard_blanks); i++)
        if (str_ends(s, hard_blanks[i]))
            return hard_blanks[i].len;
    return 0;
}

static struct str trim(struct str s)
{
    size_t n;

    s = str_trim(s);
    while ((n = hard_blank_at(s)) > 0)
        s = str_trim(str_from(s, n));
    while ((n = hard_blank_before_end(s)) > 0)
        s = str_trim(str_first(s, s.len - n));
    return s;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits as far as they go; returns how many. */
static size_t scan_digits(struct scan *c)
{
    const char *p = c->p;
    uint64_t units = c->units;
    size_t digits = c->digits, n;

    for (; p < c->end && is_digit(*p); p++) {
        units = units * 10 + (uint64_t)(*p - '0');
        digits += digits || *p != '0';
    }
    n = (size_t)(p - c->p);
    c->p = p;
    c->units = units;
    c->digits = digits;
    return n;
}

/* Returns true for a minus. */
static bool scan_sign(struct scan *c)
{
    static const struct str minus = { "\xE2\x88\x92", 3 }; /* U+2212 */
    struct str s = { c->p, (size_t)(c->end - c->p) };

    if (s.p[0] == '-') {
        c->p++;
        return true;
    }
    if (s.p[0] == '+') {
        c->p++;
        c->plain = false;
    } else if (str_starts(s, minus)) {
        c->p += minus.len;
        c->plain = false;
        return true;
    }
    return false;
}

static size_t thousands_at(const struct scan *c, struct str thousands)
{
    struct str s = { c->p, (size_t)(c->end - c->p) };

    if (thousands.len == 0 || s.len == 0)
        return 0;
    if (str_starts(s, thousands))
        return thousands.len;
    return thousands.len == 1 && thousands.p[0] == ' ' ? hard_blank_at(s) : 0;
}

/* The digits before the point. Returns how many, or -1 for a wrong group. */
static ptrdiff_t scan_whole(struct scan *c, const struct numfmt *f)
{
    size_t n = scan_digits(c), sep;
    bool first = true;

    if (c->p == c->end || *c->p == f->point)
        return (ptrdiff_t)n;
    while ((sep = thousands_at(c, f->thousands)) > 0) {
        if (first && (n == 0 || n > 3))
            return -1;
        c->p += sep;
        if (scan_digits(c) != 3)
            return -1;
        first = c->plain = false;
    }
    return (ptrdiff_t)n;
}

/* The point and the digits behind it, if there are any. Returns how many. */
static size_t scan_behind(struct scan *c, char point)
{
    size_t n;

    if (c->p == c->end || *c->p != point)
        return 0;
    c->p++;
    n = scan_digits(c);
    if (n == 0 || point != '.')
        c->plain = false;
    return n;
}

/*
 * *plain: s is [-]digits[.digits] without blanks. *canon: moreover it is what
 * dec_text() would write. Wrong syntax goes before too many digits.
 */
static enum dec_result scan(struct str s, const struct numfmt *f,
                            struct dec *out, bool *plain, bool *canon)
{
    struct scan c = { s.p, s.len ? s.p + s.len : s.p, 0, 0, true };
    const char *first;
    ptrdiff_t before;
    size_t behind;
    bool minus;

    if (s.len == 0)
        return DEC_SYNTAX;
    minus = scan_sign(&c);
    first = c.p;
    before = scan_whole(&c, f);
    if (before < 0)
        return DEC_SYNTAX;
    behind = scan_behind(&c, f->point);
    if (before == 0 && behind == 0)
        return DEC_SYNTAX;
    /* "990,-" is 990 crowns in Czech and German price lists. */
    if (c.p < c.end && *c.p == '-' && first == s.p && is_digit(c.p[-1])) {
        c.p++;
        minus = true;
        c.plain = false;
    }
    if (c.p != c.end)
        return DEC_SYNTAX;
    if (c.digits > DEC_DIGITS || behind > DEC_DIGITS)
        return DEC_OVERFLOW;
    *plain = c.plain && before > 0;
    *canon = *plain && !(before > 1 && *first == '0') && !(minus && !c.units);
    *out = (struct dec){ minus ? -(int64_t)c.units : (int64_t)c.units,
                         (uint8_t)behind };
    return DEC_OK;
}

enum dec_result dec_read(struct str s, const struct numfmt *f, struct dec *out)
{
    bool plain, canon;

    return scan(trim(s), f, out, &plain, &canon);
}

/* Most decimals that travel: at most 19 characters, so nothing overflows. */
static bool short_canon(struct str s, struct dec *out)
{
    const char *p = s.p, *end = s.p + s.len, *point = NULL, *first;
    uint64_t units = 0;

    p += p < end && *p == '-';
    first = p;
    for (; p < end; p++) {
        unsigned digit = (unsigned char)*p - (unsigned)'0';

        if (digit <= 9)
            units = units * 10 + digit;
        else if (*p == '.' && !point && p > first)
            point = p;
        else
            return false;
    }
    if (first == end || end[-1] == '.' || units > DEC_MAX)
        return false;
    out->units = first > s.p ? -(int64_t)units : (int64_t)units;
    out->scale = (uint8_t)(point ? end - point - 1 : 0);
    return true;
}

bool dec_from_canon(struct str s, struct dec *out)
{
    static const struct numfmt f = { '.', { NULL, 0 } };
    struct dec d;
    bool plain, canon;

    if (s.len <= DEC_DIGITS + 1)
        return short_canon(s, out);
    if (scan(s, &f, &d, &plain, &canon) != DEC_OK || !plain)
        return false;
    *out = d;
    return true;
}

/* Canonical but for its point, as nearly all are; false: it needs a scan. */
static bool quick_canon(struct arena *a, struct str s, char point,
                        struct str *out)
{
    const char *at = NULL;
    char *to;

    if (s.len == 0 || s.len > DEC_DIGITS || !is_digit(s.p[0]) ||
        !is_digit(s.p[s.len - 1]) ||
        (s.p[0] == '0' && s.len > 1 && s.p[1] != point))
        return false;
    for (const char *p = s.p; p < s.p + s.len; p++) {
        if (is_digit(*p))
            continue;
        if (*p != point || at)
            return false;
        at = p;
    }
    *out = s;
    if (!at || point == '.')
        return true;
    to = arena_text(a, s.len);
    memcpy(to, s.p, s.len);
    to[at - s.p] = '.';
    out->p = to;
    return true;
}

enum dec_result dec_canon(struct arena *a, struct str s, const struct numfmt *f,
                          struct str *out)
{
    enum dec_result r;
    struct dec d;
    bool plain, canon;

    if (quick_canon(a, s, f->point, out))
        return DEC_OK;
    s = trim(s);
    r = scan(s, f, &d, &plain, &canon);
    if (r == DEC_OK)
        *out = canon ? s : dec_text(a, d);
    return r;
}

/* Two digits, before `end`. */
static inline char *put_pair(char *end, unsigned n)
{
    end[-1] = (char)('0' + n % 10);
    end[-2] = (char)('0' + n / 10);
    return end - 2;
}

/* Writes |d| backwards, ending before `end`; at least one digit stands before
 * the point. Returns where it begins. */
static char *put_abs(char *end, struct dec d, char point)
{
    uint64_t u = (uint64_t)(d.units < 0 ? -d.units : d.units);
    int scale = d.scale;

    if (scale) {
        for (; scale >= 2; scale -= 2, u /= 100)
            end = put_pair(end, (unsigned)(u % 100));
        for (; scale; scale--, u /= 10)
            *--end = (char)('0' + u % 10);
        *--end = point;
    }
    for (; u >= 100; u /= 100)
        end = put_pair(end, (unsigned)(u % 100));
    if (u >= 10)
        return put_pair(end, (unsigned)u);
    *--end = (char)('0' + u);
    return end;
}

struct str dec_text(struct arena *a, struct dec d)
{
    char text[2 + DEC_DIGITS + 2], *end = text + sizeof(text);
    char *p = put_abs(end, d, '.');

    if (d.units < 0)
        *--p = '-';
    return arena_str(a, (struct str){ p, (size_t)(end - p) });
}

/* ---- arithmetic --------------------------------------------------------- */

static wide power(int n)
{
    wide p = 1;

    for (; n > DEC_DIGITS; n -= DEC_DIGITS)
        p *= tens[DEC_DIGITS];
    return p * tens[n];
}

/* 10^18 and more, or too many digits behind the point. */
static bool too_long(wide units, int scale)
{
    return units > DEC_MAX || units < -DEC_MAX || scale > DEC_DIGITS;
}

static bool fit(wide units, int scale, struct dec *out)
{
    while (scale > 0 && too_long(units, scale) && units % 10 == 0) {
        units /= 10;
        scale--;
    }
    if (too_long(units, scale))
        return false;
    *out = (struct dec){ (int64_t)units, (uint8_t)scale };
    return true;
}

bool dec_add(struct dec a, struct dec b, struct dec *out)
{
    int scale = a.scale > b.scale ? a.scale : b.scale;

    if (a.scale == b.scale && !too_long(a.units + b.units, scale)) {
        *out = (struct dec){ a.units + b.units, a.scale };
        return true;
    }
    return fit((wide)a.units * tens[scale - a.scale] +
                   (wide)b.units * tens[scale - b.scale],
               scale, out);
}

bool dec_sub(struct dec a, struct dec b, struct dec *out)
{
    return dec_add(a, dec_neg(b), out);
}

bool dec_mul(struct dec a, struct dec b, struct dec *out)
{
    return fit((wide)a.units * b.units, a.scale + b.scale, out);
}

/*
 * fit(), or else rounded once, half away from zero, to as many digits behind
 * the point as there is room for: at least NEAR_DIGITS.
 */
enum { NEAR_DIGITS = 6 };

static bool fit_near(wide units, int scale, struct dec *out)
{
    wide n = units < 0 ? -units : units, unit = 1;

    if (fit(units, scale, out))
        return true;
    while (scale > NEAR_DIGITS && too_long((n + unit / 2) / unit, scale)) {
        unit *= 10;
        scale--;
    }
    n = (n + unit / 2) / unit;
    return fit(units < 0 ? -n : n, scale, out);
}

bool dec_add_near(struct dec a, struct dec b, struct dec *out)
{
    int scale = a.scale > b.scale ? a.scale : b.scale;

    return fit_near((wide)a.units * tens[scale - a.scale] +
                        (wide)b.units * tens[scale - b.scale],
                    scale, out);
}

bool dec_mul_near(struct dec a, struct dec b, struct dec *out)
{
    return fit_near((wide)a.units * b.units, a.scale + b.scale, out);
}

static uint64_t magnitude(int64_t n)
{
    return (uint64_t)(n < 0 ? -n : n);
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t r = a % b;

        a = b;
        b = r;
    }
    return a;
}

/* Takes all factors `prime` out of *d; returns how many there were. */
static int take_out(uint64_t *d, unsigned prime)
{
    int n = 0;

    for (; *d % prime == 0; n++)
        *d /= prime;
    return n;
}

/*
 * n / d / 10^shift for n and d without a common factor: exact when d has no
 * prime factors but 2 and 5. Widened to d = 10^places, the numerator then has
 * no closing zeros that could make a longer quotient fit.
 */
static bool div_exact(uint64_t n, uint64_t d, int shift, struct dec *out)
{
    int twos = take_out(&d, 2), fives = take_out(&d, 5);
    int places = twos > fives ? twos : fives;
    wide units = (wide)n;

    if (d != 1)
        return false;
    for (int i = places; i > twos && units <= DEC_MAX; i--)
        units *= 2;
    for (int i = places; i > fives && units <= DEC_MAX; i--)
        units *= 5;
    if (units > DEC_MAX)
        return false;
    places += shift;
    if (places < 0) {
        units *= tens[-places];
        places = 0;
    }
    return fit(units, places, out);
}

/* n * 10^exp / d by long division, rounded half up; false above DEC_MAX. */
static bool div_round(uwide n, uwide d, int exp, int64_t *out)
{
    uwide q, r;

    if (exp < 0) {
        d *= (uwide)power(-exp);
        exp = 0;
    }
    if (n <= UINT64_MAX && d <= UINT64_MAX) { /* many times as fast */
        q = (uint64_t)n / (uint64_t)d;
        r = (uint64_t)n % (uint64_t)d;
    } else {
        q = n / d;
        r = n % d;
    }
    for (; exp > 0 && q <= (uwide)DEC_MAX; exp--) {
        r *= 10;
        q = q * 10 + r / d;
        r %= d;
    }
    if (r >= d - r)
        q++;
    if (exp > 0 || q > (uwide)DEC_MAX)
        return false;
    *out = (int64_t)q;
    return true;
}

bool dec_div(struct dec a, struct dec b, struct dec *out)
{
    uint64_t n = magnitude(a.units), d = magnitude(b.units);
    uint64_t common = gcd(n, d);
    int shift = a.scale - b.scale;
    int places = 12;
    struct dec q;

    if (d == 0)
        return false;
    n /= common;
    d /= common;
    if (!div_exact(n, d, shift, &q)) {
        while (!div_round(n, d, places - shift, &q.units))
            if (--places < 0)
                return false;
        q.scale = (uint8_t)places;
    }
    if ((a.units < 0) != (b.units < 0))
        q.units = -q.units;
    *out = dec_strip(q);
    return true;
}

struct dec dec_neg(struct dec a)
{
    a.units = -a.units;
    return a;
}

struct dec dec_abs(struct dec a)
{
    return a.units < 0 ? dec_neg(a) : a;
}

int dec_cmp(struct dec a, struct dec b)
{
    wide x = a.units, y = b.units;

    if (a.scale < b.scale)
        x *= tens[b.scale - a.scale];
    else
        y *= tens[a.scale - b.scale];
    return x < y ? -1 : x > y;
}

bool dec_is_zero(struct dec a)
{
    return a.units == 0;
}

/* Whether a number that was cut to q, losing r of d, moves away from zero. */
static bool rounds_up(int64_t q, int64_t r, int64_t d, bool minus,
                      enum dec_round how)
{
    switch (how) {
    case ROUND_HALF_AWAY:
        return r >= d - r;
    case ROUND_HALF_EVEN:
        return r > d - r || (r == d - r && q % 2 != 0);
    case ROUND_DOWN:
        return false;
    case ROUND_FLOOR:
        return r != 0 && minus;
    case ROUND_CEIL:
        return r != 0 && !minus;
    }
    return false;
}

bool dec_round_to(struct dec a, int scale, enum dec_round how, struct dec *out)
{
    int64_t d, q;

    if (scale < 0 || scale > DEC_DIGITS)
        return false;
    if (scale >= a.scale) {
        wide units = (wide)a.units * tens[scale - a.scale];

        if (too_long(units, scale))
            return false;
        *out = (struct dec){ (int64_t)units, (uint8_t)scale };
        return true;
    }
    d = tens[a.scale - scale];
    q = dec_abs(a).units / d;
    q += rounds_up(q, dec_abs(a).units % d, d, a.units < 0, how);
    *out = (struct dec){ a.units < 0 ? -q : q, (uint8_t)scale };
    return true;
}

struct dec dec_strip(struct dec a)
{
    while (a.scale > 0 && a.units % 10 == 0) {
        a.units /= 10;
        a.scale--;
    }
    return a;
}

/* ---- VAT ---------------------------------------------------------------- */

/* 100 + rate in units of the rate's scale; false unless it is above zero. */
static bool hundred_plus(struct dec rate, uwide *out)
{
    wide sum = (wide)100 * tens[rate.scale] + rate.units;

    if (sum <= 0)
        return false;
    *out = (uwide)sum;
    return true;
}

/* Both directions are n * 10^exp / d with the sign of `of`. */
static bool vat_result(struct dec of, uwide n, uwide d, int exp, int scale,
                       struct dec *out)
{
    int64_t q;

    if (!div_round(n, d, exp, &q))
        return false;
    *out = (struct dec){ of.units < 0 ? -q : q, (uint8_t)scale };
    return true;
}

bool dec_net(struct dec gross, struct dec rate, int scale, struct dec *out)
{
    uwide whole;

    if (scale < 0 || scale > DEC_DIGITS || !hundred_plus(rate, &whole))
        return false;
    return vat_result(gross, (uwide)magnitude(gross.units) * 100, whole,
                      rate.scale + scale - gross.scale, scale, out);
}

bool dec_gross(struct dec net, struct dec rate, int scale, struct dec *out)
{
    uwide whole;

    if (scale < 0 || scale > DEC_DIGITS || !hundred_plus(rate, &whole))
        return false;
    return vat_result(net, (uwide)magnitude(net.units) * whole, 1,
                      scale - net.scale - rate.scale - 2, scale, out);
}
