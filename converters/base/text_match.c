/* text_match.c - globs, the order of numbers, the nearest of some names. */
#include "converters/base/text.h"
#include "converters/base/utf8.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/*
 * After a mismatch only the last '*' needs to take one more byte: what an
 * earlier one took cannot matter any more. So the time is at most the product
 * of both lengths.
 */
static bool match(struct str pattern, struct str s, bool nocase)
{
    size_t i = 0, k = 0, star = SIZE_MAX, taken = 0;

    while (k < s.len) {
        char want = i < pattern.len ? pattern.p[i] : 0;

        if (i < pattern.len && want == '*') {
            star = i++;
            taken = k;
        } else if (i < pattern.len &&
                   (want == s.p[k] ||
                    (nocase && lower(want) == lower(s.p[k])))) {
            i++;
            k++;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            k = ++taken;
        } else {
            return false;
        }
    }
    while (i < pattern.len && pattern.p[i] == '*')
        i++;
    return i == pattern.len;
}

bool glob_match(struct str pattern, struct str s)
{
    return match(pattern, s, false);
}

bool glob_match_nocase(struct str pattern, struct str s)
{
    return match(pattern, s, true);
}

bool glob_is(struct str pattern)
{
    return str_find_char(pattern, '*') >= 0;
}

/* ---- numbers of documents ------------------------------------------------ */

/* The run of digits at the beginning, without leading zeros. */
static struct str take_number(struct str *s)
{
    struct str n = *s;

    while (s->len && s->p[0] >= '0' && s->p[0] <= '9')
        *s = str_from(*s, 1);
    n.len -= s->len;
    while (n.len && n.p[0] == '0')
        n = str_from(n, 1);
    return n;
}

static bool is_digit_next(struct str s)
{
    return s.len && s.p[0] >= '0' && s.p[0] <= '9';
}

int text_natural_cmp(struct str a, struct str b)
{
    while (a.len && b.len) {
        int order = (unsigned char)a.p[0] - (unsigned char)b.p[0];

        if (is_digit_next(a) && is_digit_next(b)) {
            struct str x = take_number(&a), y = take_number(&b);

            order = x.len < y.len   ? -1
                    : x.len > y.len ? 1
                    : x.len         ? memcmp(x.p, y.p, x.len)
                                    : 0;
        } else {
            a = str_from(a, 1);
            b = str_from(b, 1);
        }
        if (order)
            return order;
    }
    return a.len ? 1 : b.len ? -1 : 0;
}

/* ---- Damerau-Levenshtein (each letter is moved once at most) ------------ */

enum { NAME_CHARS = 96 };

struct name {
    size_t n;
    int32_t c[NAME_CHARS];
};

/* False: longer than anybody mistypes. */
static bool name_of(struct str s, struct name *to)
{
    to->n = 0;
    for (size_t pos = 0; pos < s.len; to->n++) {
        int32_t cp = utf8_next(s, &pos);

        if (to->n == NAME_CHARS)
            return false;
        if (cp < 0)
            cp = (unsigned char)s.p[pos++];
        to->c[to->n] = cp < 0x80 ? lower((char)cp) : cp;
    }
    return true;
}

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The row of `a`'s character i from the two rows before it. */
static size_t fill_row(const struct name *a, const struct name *b, size_t i,
                       size_t rows[3][NAME_CHARS + 1])
{
    const size_t *one = rows[(i + 2) % 3], *two = rows[(i + 1) % 3];
    size_t *row = rows[i % 3], least = i;

    row[0] = i;
    for (size_t k = 1; k <= b->n; k++) {
        bool same = a->c[i - 1] == b->c[k - 1];

        row[k] = min(min(one[k], row[k - 1]) + 1, one[k - 1] + !same);
        if (i > 1 && k > 1 && a->c[i - 1] == b->c[k - 2] &&
            a->c[i - 2] == b->c[k - 1])
            row[k] = min(row[k], two[k - 2] + 1);
        least = min(least, row[k]);
    }
    return least;
}

/* The distance, or anything above max when it is above max. */
static size_t distance(const struct name *a, const struct name *b, size_t max)
{
    size_t rows[3][NAME_CHARS + 1], least_before = 0;

    if ((a->n > b->n ? a->n - b->n : b->n - a->n) > max)
        return max + 1;
    for (size_t k = 0; k <= b->n; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a->n; i++) {
        size_t least = fill_row(a, b, i, rows);

        /* A swap looks back two rows: both must be hopeless. */
        if (least > max && least_before > max)
            return max + 1;
        least_before = least;
    }
    return rows[a->n % 3][b->n];
}

const char *nearest(struct str typed, const char *const *names, size_t n)
{
    struct name want, name;
    const char *best = NULL;
    size_t limit;

    if (!name_of(typed, &want) || want.n == 0)
        return NULL;
    limit = min(1 + want.n / 4, want.n - 1);
    for (size_t i = 0; i < n; i++) {
        size_t d;

        if (!name_of(str_of(names[i]), &name))
            continue;
        d = distance(&want, &name, limit);
        if (d > limit)
            continue;
        best = names[i];
        if (d == 0)
            break;
        /* From now on only a nearer one is taken. */
        limit = d - 1;
    }
    return best;
}
