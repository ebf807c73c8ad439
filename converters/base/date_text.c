/*
 * date_text.c - date patterns: checked, read by and written by.
 *
 * One walk over the pattern gives its parts in order; checking, reading and
 * writing are three loops around it. Nothing is compiled: a pattern is as
 * short as the date that it describes. The pattern that nearly all files use
 * is tried first by a shape of its own.
 */
#include "converters/base/date.h"
#include "converters/base/decimal.h"

enum part_kind {
    PART_END,
    PART_BAD,
    PART_BLANK,
    PART_LITERAL,
    PART_YEAR,
    PART_MONTH,
    PART_DAY,
    PART_HOUR,
    PART_MINUTE,
    PART_SECOND,
    PART_MILLI,
    PART_OFFSET,
};

struct part {
    enum part_kind kind;
    int width;       /* letters of a number, blanks of a run */
    char c;          /* of a literal */
    const char *why; /* of a bad one */
};

#define BIT(kind) (1U << (kind))
enum {
    DATE_PARTS = BIT(PART_YEAR) | BIT(PART_MONTH) | BIT(PART_DAY),
    TIME_PARTS = BIT(PART_HOUR) | BIT(PART_MINUTE) | BIT(PART_SECOND) |
                 BIT(PART_MILLI) | BIT(PART_OFFSET),
};

static const struct letter {
    char c;
    enum part_kind kind;
    unsigned widths; /* bit n: n letters in a row are a part */
    const char *why; /* what to say about other widths */
} letters[] = {
    { 'Y', PART_YEAR, 1U << 4 | 1U << 2, "a year is YYYY or YY" },
    { 'M', PART_MONTH, 1U << 2 | 1U << 1, "a month is MM or M" },
    { 'D', PART_DAY, 1U << 2 | 1U << 1, "a day is DD or D" },
    { 'h', PART_HOUR, 1U << 2 | 1U << 1, "an hour is hh or h" },
    { 'm', PART_MINUTE, 1U << 2 | 1U << 1, "a minute is mm or m" },
    { 's', PART_SECOND, 1U << 2 | 1U << 1, "a second is ss or s" },
    { 'S', PART_MILLI, 1U << 3, "milliseconds are SSS, a second is ss" },
    { 'Z', PART_OFFSET, 1U << 1, "an offset is one Z" },
    { 'y', PART_BAD, 0, "a year is YYYY or YY, in capitals" },
    { 'd', PART_BAD, 0, "a day is DD or D, in capitals" },
    { 'H', PART_BAD, 0, "an hour is hh or h, in small letters" },
};

/* ---- the walk over a pattern -------------------------------------------- */

struct walk {
    struct str left;
    int after_hour; /* 1: right after an hour, 2: after an hour and ':' */
};

static struct walk walk_of(struct str pattern)
{
    return (struct walk){ .left = pattern };
}

static const struct letter *find_letter(char c)
{
    for (size_t i = 0; i < COUNT(letters); i++)
        if (letters[i].c == c)
            return &letters[i];
    return NULL;
}

static struct part bad(const char *why)
{
    return (struct part){ .kind = PART_BAD, .why = why };
}

static struct part letter_part(struct walk *w, const struct letter *l, int n)
{
    struct part p = { .kind = l->kind, .width = n };

    if (n > 4 || !(l->widths >> n & 1))
        return bad(l->why);
    if (p.kind == PART_MONTH && w->after_hour == 2)
        p.kind = PART_MINUTE;
    w->after_hour = p.kind == PART_HOUR;
    return p;
}

static struct part next_part(struct walk *w)
{
    const struct letter *l;
    size_t n = 0;
    char c;

    if (w->left.len == 0)
        return (struct part){ .kind = PART_END };
    c = w->left.p[0];
    while (n < w->left.len && w->left.p[n] == c)
        n++;
    l = find_letter(c);
    if (!l && c != ' ')
        n = 1;
    w->left = str_from(w->left, n);
    if (l)
        return letter_part(w, l, (int)n);
    w->after_hour = c == ':' && w->after_hour == 1 ? 2 : 0;
    if (c == ' ')
        return (struct part){ .kind = PART_BLANK, .width = (int)n };
    return (struct part){ .kind = PART_LITERAL, .c = c };
}

static bool is_number(enum part_kind k)
{
    return k >= PART_YEAR && k <= PART_MILLI;
}

/* Checks a pattern; *parts gets a bit for each kind of part that it has and
 * *runs_on whether a number of open width has another right behind it. */
static const char *check(struct str pattern, unsigned *parts, bool *runs_on)
{
    struct walk w = walk_of(pattern);
    bool open = false;

    *parts = 0;
    *runs_on = false;
    if (pattern.len == 0)
        return "the pattern is empty";
    if (pattern.len > DATE_PATTERN_MAX)
        return "the pattern is longer than 64 characters";
    for (;;) {
        struct part p = next_part(&w);

        if (p.kind == PART_BAD)
            return p.why;
        if (p.kind == PART_END)
            break;
        if (p.kind >= PART_YEAR && (*parts & BIT(p.kind)))
            return "a part of the date stands twice";
        *parts |= BIT(p.kind);
        *runs_on = *runs_on || (open && is_number(p.kind));
        open = is_number(p.kind) && (p.width == 1 || p.kind == PART_MILLI);
    }
    if (!(*parts & (DATE_PARTS | TIME_PARTS)))
        return "the pattern has no YYYY, MM, DD, hh, mm or ss";
    /* DD.mm.YYYY is a slip of the hand; mm alone is a part of a time. */
    if ((*parts & BIT(PART_MINUTE)) && !(*parts & BIT(PART_HOUR)) &&
        (*parts & DATE_PARTS))
        return "m is a minute and needs an hour before it; "
               "a month is MM or M";
    return NULL;
}

static bool is_serial(struct str pattern)
{
    return str_is(pattern, "unix") || str_is(pattern, "excel");
}

const char *date_pattern_ok(struct str pattern)
{
    unsigned parts;
    bool runs_on;

    return is_serial(pattern) ? NULL : check(pattern, &parts, &runs_on);
}

const char *date_pattern_read_ok(struct str pattern)
{
    const char *why;
    unsigned parts;
    bool runs_on;

    if (is_serial(pattern))
        return NULL;
    why = check(pattern, &parts, &runs_on);
    if (!why && (parts & DATE_PARTS) != DATE_PARTS)
        why = "to read a date takes year, month and day";
    if (!why && (parts & BIT(PART_SECOND)) && !(parts & BIT(PART_HOUR)))
        why = "a second needs an hour";
    if (!why && runs_on)
        why = "a single letter (or SSS) needs a separator before the next "
              "number";
    return why;
}

/* ---- reading ------------------------------------------------------------ */

/* A date that is being read: plain ints, so that nothing wraps unseen. */
struct got {
    struct str left;
    unsigned parts;
    int v[PART_OFFSET + 1]; /* by kind; the offset in minutes */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes min..max digits off the front of s; -1 if there are fewer. */
static int take_number(struct str *s, int min, int max)
{
    int v = 0, n = 0;

    for (; n < max && (size_t)n < s->len && is_digit(s->p[n]); n++)
        v = v * 10 + (s->p[n] - '0');
    if (n < min)
        return -1;
    *s = str_from(*s, (size_t)n);
    return v;
}

/* Takes the blanks off the front of s: blanks, tabs, no-break blanks. */
static bool take_blanks(struct str *s)
{
    size_t before = s->len;

    for (;;) {
        if (str_starts(*s, STR(" ")) || str_starts(*s, STR("\t")))
            *s = str_from(*s, 1);
        else if (str_starts(*s, STR("\xC2\xA0")))
            *s = str_from(*s, 2);
        else if (str_starts(*s, STR("\xE2\x80\xAF")))
            *s = str_from(*s, 3);
        else
            return s->len < before;
    }
}

static bool take_char(struct str *s, char c)
{
    if (s->len == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

/* Z, +hh:mm, +hhmm or +hh. */
static bool take_offset(struct str *s, int *minutes)
{
    bool west = s->len && s->p[0] == '-';
    int h, m = 0;

    *minutes = 0;
    if (take_char(s, 'Z'))
        return true;
    if (!take_char(s, '+') && !take_char(s, '-'))
        return false;
    h = take_number(s, 2, 2);
    if (h < 0)
        return false;
    if (take_char(s, ':') || (s->len && is_digit(s->p[0])))
        m = take_number(s, 2, 2);
    if (m < 0 || m > 59)
        return false;
    *minutes = west ? -(h * 60 + m) : h * 60 + m;
    return true;
}

static bool take_part(struct got *g, struct part p)
{
    int *v = &g->v[p.kind];

    switch (p.kind) {
    case PART_BLANK:
        return take_blanks(&g->left);
    case PART_LITERAL:
        return take_char(&g->left, p.c);
    case PART_OFFSET:
        return take_offset(&g->left, v);
    case PART_MILLI:
        *v = take_number(&g->left, 1, 9);
        return *v >= 0;
    default:
        *v = take_number(&g->left, p.width, p.width == 1 ? 2 : p.width);
        if (p.kind == PART_YEAR && p.width == 2 && *v >= 0)
            *v += *v >= 70 ? 1900 : 2000;
        return *v >= 0;
    }
}

/* The rest of a text behind a pattern without a time: nothing or midnight. */
static bool is_midnight(struct str s)
{
    if (!take_blanks(&s) && !take_char(&s, 'T'))
        return false;
    if (take_number(&s, 1, 2) != 0 || !take_char(&s, ':') ||
        take_number(&s, 2, 2) != 0 || !take_char(&s, ':') ||
        take_number(&s, 2, 2) != 0)
        return false;
    return s.len == 0 ||
           (take_char(&s, '.') && take_number(&s, 1, 9) == 0 && s.len == 0);
}

/*
 * Whether a text may end here, before part p: its date is complete, its time
 * has not begun, and a time (not just a full stop) is what is missing.
 */
static bool may_end(const struct got *g, struct part p, struct walk w)
{
    if ((g->parts & DATE_PARTS) != DATE_PARTS || (g->parts & TIME_PARTS))
        return false;
    while (p.kind != PART_END && p.kind < PART_HOUR)
        p = next_part(&w);
    return p.kind != PART_END;
}

static bool match(struct got *g, struct str pattern)
{
    struct walk w = walk_of(pattern);
    struct part p;

    for (p = next_part(&w); p.kind != PART_END; p = next_part(&w)) {
        if (p.kind == PART_BAD)
            return false;
        if (g->left.len == 0 && may_end(g, p, w))
            return true;
        if (!take_part(g, p))
            return false;
        g->parts |= BIT(p.kind);
    }
    if (g->left.len == 0)
        return true;
    return !(g->parts & TIME_PARTS) && is_midnight(g->left);
}

/* From plain ints to a valid date with, if z is given, an offset. */
static bool finish(const struct got *g, const struct zone *z, struct date *out)
{
    struct date d = { 0 };

    if ((g->parts & DATE_PARTS) != DATE_PARTS)
        return false;
    d.year = (int16_t)g->v[PART_YEAR];
    d.month = (uint8_t)g->v[PART_MONTH];
    d.day = (uint8_t)g->v[PART_DAY];
    d.hour = (uint8_t)g->v[PART_HOUR];
    d.minute = (uint8_t)g->v[PART_MINUTE];
    d.second = (uint8_t)g->v[PART_SECOND];
    d.has_time = (g->parts & BIT(PART_HOUR)) != 0;
    if (d.has_time && (g->parts & BIT(PART_OFFSET))) {
        d.has_offset = true;
        d.offset = (int16_t)g->v[PART_OFFSET];
    }
    if (!date_valid(&d))
        return false;
    if (z && !d.has_offset)
        zone_apply(z, &d);
    *out = d;
    return true;
}

/* ---- numbers of seconds and days ---------------------------------------- */

/* A number with '.' or ',' and digits up to its end. */
static bool read_serial(struct str s, struct dec *out)
{
    static const struct numfmt point = { '.', { NULL, 0 } };
    static const struct numfmt comma = { ',', { NULL, 0 } };

    s = str_trim(s);
    return s.len && is_digit(s.p[s.len - 1]) &&
           (dec_read(s, &point, out) == DEC_OK ||
            dec_read(s, &comma, out) == DEC_OK);
}

static bool read_unix(struct str s, const struct zone *z, struct date *out)
{
    struct dec n;
    struct date d;

    if (!read_serial(s, &n) || !dec_round_to(n, 0, ROUND_FLOOR, &n))
        return false;
    d = date_from_unix(n.units);
    if (!date_valid(&d) || date_to_unix(d) != n.units)
        return false;
    if (z)
        d = zone_local(z, n.units);
    *out = d;
    return true;
}

/*
 * Day 60 is a 29 February 1900 that never was; days before it therefore count
 * from 31 December 1899, later ones from the day before that.
 */
static bool read_excel(struct str s, const struct zone *z, struct date *out)
{
    const struct dec day = { 86400, 0 };
    struct date d = { .year = 1900, .month = 1, .day = 1 };
    struct dec n, whole, seconds;

    if (!read_serial(s, &n) || !dec_round_to(n, 0, ROUND_FLOOR, &whole) ||
        !dec_sub(n, whole, &seconds) ||
        !dec_round_to(seconds, 12, ROUND_HALF_AWAY, &seconds) ||
        !dec_mul(seconds, day, &seconds) ||
        !dec_round_to(seconds, 0, ROUND_HALF_AWAY, &seconds))
        return false;
    d.has_time = seconds.units > 0;
    if (whole.units < 1 || whole.units == 60 ||
        !date_add_days(d, whole.units - (whole.units < 60 ? 1 : 2), &d))
        return false;
    if (seconds.units == day.units) {
        seconds.units = 0;
        if (!date_add_days(d, 1, &d))
            return false;
    }
    d.hour = (uint8_t)(seconds.units / 3600);
    d.minute = (uint8_t)(seconds.units / 60 % 60);
    d.second = (uint8_t)(seconds.units % 60);
    if (z)
        zone_apply(z, &d);
    *out = d;
    return true;
}

static struct str format_excel(struct arena *a, struct date d)
{
    const struct date first = { .year = 1900, .month = 1, .day = 1 };
    struct dec day = { 86400, 0 }, n = { 0, 0 };

    d.has_offset = false;
    n.units = date_to_unix(d) - date_to_unix(first);
    n.units += n.units < 59 * day.units ? day.units : 2 * day.units;
    if (!dec_div(n, day, &n)) /* seven digits: always fits */
        return STR("");
    return dec_text(a, n);
}

/*
 * The usual pattern, without the walk. False: try the walk (a date alone, or
 * a mistake).
 */
static bool match_usual(struct got *g)
{
    static const char shape[] = "0000-00-00 00:00:00";
    const char *p = g->left.p;

    if (g->left.len != sizeof(shape) - 1)
        return false;
    for (size_t i = 0; i < sizeof(shape) - 1; i++)
        if (shape[i] == '0' ? !is_digit(p[i]) : p[i] != shape[i])
            return false;
#define TWO(at) ((p[at] - '0') * 10 + (p[(at) + 1] - '0'))
    g->v[PART_YEAR] = TWO(0) * 100 + TWO(2);
    g->v[PART_MONTH] = TWO(5);
    g->v[PART_DAY] = TWO(8);
    g->v[PART_HOUR] = TWO(11);
    g->v[PART_MINUTE] = TWO(14);
    g->v[PART_SECOND] = TWO(17);
#undef TWO
    g->parts = DATE_PARTS | BIT(PART_HOUR);
    return true;
}

bool date_read(struct str s, struct str pattern, const struct zone *zone,
               struct date *out)
{
    struct got g = { .left = str_trim(s) };

    if (str_is(pattern, "unix"))
        return read_unix(s, zone, out);
    if (str_is(pattern, "excel"))
        return read_excel(s, zone, out);
    if (!(str_is(pattern, "YYYY-MM-DD hh:mm:ss") && match_usual(&g)) &&
        !match(&g, pattern))
        return false;
    return finish(&g, zone, out);
}

/* ---- writing ------------------------------------------------------------ */

static char *put_number(char *to, int v, int width)
{
    char digits[8];
    int n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
    } while (v /= 10);
    for (; n < width; n++)
        digits[n] = '0';
    while (n)
        *to++ = digits[--n];
    return to;
}

static char *put_offset(char *to, struct date d)
{
    int v = d.offset < 0 ? -d.offset : d.offset;

    if (!d.has_time || !d.has_offset)
        return to;
    if (v == 0) {
        *to++ = 'Z';
        return to;
    }
    *to++ = d.offset < 0 ? '-' : '+';
    to = put_number(to, v / 60, 2);
    *to++ = ':';
    return put_number(to, v % 60, 2);
}

static char *put_two(char *to, unsigned v)
{
    to[0] = (char)('0' + v / 10);
    to[1] = (char)('0' + v % 10);
    return to + 2;
}

/* YYYY-MM-DD of a valid date. */
static char *put_day(char *to, struct date d)
{
    to = put_two(put_two(to, (unsigned)d.year / 100), (unsigned)d.year % 100);
    *to++ = '-';
    to = put_two(to, d.month);
    *to++ = '-';
    return put_two(to, d.day);
}

struct str date_canon(struct arena *a, struct date d)
{
    char text[32], *to = put_day(text, d);

    if (d.has_time) {
        *to++ = 'T';
        to = put_two(to, d.hour);
        *to++ = ':';
        to = put_two(to, d.minute);
        *to++ = ':';
        to = put_offset(put_two(to, d.second), d);
    }
    return arena_str(a, (struct str){ text, (size_t)(to - text) });
}

static char *put_part(char *to, struct part p, struct date d)
{
    switch (p.kind) {
    case PART_BLANK:
        memset(to, ' ', (size_t)p.width);
        return to + p.width;
    case PART_LITERAL:
        *to++ = p.c;
        return to;
    case PART_YEAR:
        return put_number(to, p.width == 2 ? d.year % 100 : d.year, p.width);
    case PART_MONTH:
        return put_number(to, d.month, p.width);
    case PART_DAY:
        return put_number(to, d.day, p.width);
    case PART_HOUR:
        return put_number(to, d.hour, p.width);
    case PART_MINUTE:
        return put_number(to, d.minute, p.width);
    case PART_SECOND:
        return put_number(to, d.second, p.width);
    case PART_MILLI:
        return put_number(to, 0, 3);
    case PART_OFFSET:
        return put_offset(to, d);
    case PART_END:
    case PART_BAD:
        break;
    }
    return to;
}

struct str date_format(struct arena *a, struct date d, struct str pattern)
{
    /* Z grows the most: to "+hh:mm", or one more if the date is not valid. */
    char text[DATE_PATTERN_MAX * 8], *to = text;
    struct walk w = walk_of(pattern);
    struct part p;

    if (str_is(pattern, "YYYY-MM-DD") && date_valid(&d))
        return arena_str(a,
                         (struct str){ text, (size_t)(put_day(to, d) - text) });
    if (str_is(pattern, "unix"))
        return arena_fmt(a, "%lld", (long long)date_to_unix(d));
    if (str_is(pattern, "excel"))
        return format_excel(a, d);
    if (pattern.len > DATE_PATTERN_MAX)
        return STR("");
    for (p = next_part(&w); p.kind != PART_END; p = next_part(&w)) {
        if (p.kind == PART_BAD)
            return STR("");
        to = put_part(to, p, d);
    }
    return arena_str(a, (struct str){ text, (size_t)(to - text) });
}
