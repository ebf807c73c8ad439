/*
 * text_ascii.c - texts without diacritics, for systems that know only ASCII
 * and for comparing.
 *
 * Unicode's compatibility decomposition takes č, ş, ½, ™ and no-break space
 * apart; marks are dropped. The table holds what has no decomposition.
 */
#include <stdlib.h>

#include <unictype.h>
#include <uninorm.h>

#include "converters/base/text.h"
#include "converters/base/utf8.h"

/* Sorted by code point. clang-format would give each entry its own line. */
static const struct sign {
    uint16_t cp;
    char ascii[6];
} signs[] = {
    /* clang-format off */
    { 0x00A9, "(C)" }, { 0x00AB, "\"" }, { 0x00AE, "(R)" }, { 0x00B4, "'" },
    { 0x00B7, "." }, { 0x00BB, "\"" },
    { 0x00BC, " 1/4" }, { 0x00BD, " 1/2" }, { 0x00BE, " 3/4" },
    { 0x00C6, "AE" }, { 0x00D0, "D" },
    { 0x00D7, "x" }, { 0x00D8, "O" }, { 0x00DE, "Th" }, { 0x00DF, "ss" },
    { 0x00E6, "ae" }, { 0x00F0, "d" }, { 0x00F7, ":" }, { 0x00F8, "o" },
    { 0x00FE, "th" }, { 0x0110, "D" }, { 0x0111, "d" }, { 0x0126, "H" },
    { 0x0127, "h" }, { 0x0131, "i" }, { 0x0138, "k" }, { 0x0141, "L" },
    { 0x0142, "l" }, { 0x014A, "N" }, { 0x014B, "n" }, { 0x0152, "OE" },
    { 0x0153, "oe" }, { 0x0166, "T" }, { 0x0167, "t" }, { 0x018F, "E" },
    { 0x0259, "e" }, { 0x02B9, "'" }, { 0x02BB, "'" }, { 0x02BC, "'" },
    { 0x02C8, "'" }, { 0x03BC, "u" }, { 0x1E9E, "SS" }, { 0x2010, "-" },
    { 0x2012, "-" }, { 0x2013, "-" }, { 0x2014, "-" }, { 0x2015, "-" },
    { 0x2018, "'" }, { 0x2019, "'" }, { 0x201A, "'" }, { 0x201B, "'" },
    { 0x201C, "\"" }, { 0x201D, "\"" }, { 0x201E, "\"" }, { 0x201F, "\"" },
    { 0x2020, "+" }, { 0x2022, "*" }, { 0x2028, "\n" }, { 0x2029, "\n" },
    { 0x2030, "o/oo" }, { 0x2032, "'" }, { 0x2035, "'" }, { 0x2039, "'" },
    { 0x203A, "'" }, { 0x2044, "/" }, { 0x20A4, "GBP" }, { 0x20AC, "EUR" },
    { 0x20BA, "TL" }, { 0x2190, "<-" }, { 0x2192, "->" }, { 0x2212, "-" },
    { 0x2215, "/" }, { 0x2217, "*" }, { 0x2236, ":" }, { 0x2264, "<=" },
    { 0x2265, ">=" }, { 0x2713, "x" },
    /* clang-format on */
};

static int cmp_sign(const void *key, const void *entry)
{
    uint32_t cp = *(const uint32_t *)key;
    const struct sign *s = entry;

    return cp < s->cp ? -1 : cp > s->cp;
}

static const char *sign_of(uint32_t cp)
{
    const struct sign *s =
        bsearch(&cp, signs, COUNT(signs), sizeof(signs[0]), cmp_sign);

    return s ? s->ascii : NULL;
}

/* A character's longest form: U+FDFA takes apart into 18 letters. */
enum { FORM_MAX = 128 };

static size_t add(char *to, size_t n, const char *z)
{
    size_t len = strlen(z);

    memcpy(to + n, z, len);
    return n + len;
}

/* The ASCII form of one character; returns its length, 0 for none. */
static size_t ascii_form(struct str c, uint32_t cp, char to[FORM_MAX])
{
    uint8_t parts[FORM_MAX];
    size_t n_parts = sizeof(parts), n = 0, pos = 0;
    const char *sign = sign_of(cp);
    struct str all;
    uint8_t *r;

    if (sign)
        return add(to, 0, sign);
    r = u8_normalize(UNINORM_NFKD, (const uint8_t *)c.p, c.len, parts,
                     &n_parts);
    if (r != parts) {
        free(r);
        return 0;
    }
    all = (struct str){ (const char *)parts, n_parts };
    while (pos < all.len) {
        int32_t part = utf8_next(all, &pos);

        if (part < 0)
            break;
        if (part < 0x80)
            to[n++] = (char)part;
        else if (!uc_is_general_category_withtable((ucs4_t)part,
                                                   UC_CATEGORY_MASK_M) &&
                 (sign = sign_of((uint32_t)part)))
            n = add(to, n, sign);
    }
    return n;
}

/* Bytes that s has in ASCII; `to`: where to, or NULL for just counting. */
static size_t put_ascii(struct str s, char *to)
{
    char form[FORM_MAX];
    size_t n = 0;

    for (size_t pos = 0; pos < s.len;) {
        size_t from = pos, len;
        int32_t cp = utf8_next(s, &pos);

        if (cp < 0) {
            pos++;
            continue;
        }
        if (cp < 0x80) {
            form[0] = (char)cp;
            len = 1;
        } else {
            len = ascii_form((struct str){ s.p + from, pos - from },
                             (uint32_t)cp, form);
        }
        if (to)
            memcpy(to + n, form, len);
        n += len;
    }
    return n;
}

struct str text_ascii(struct arena *a, struct str s)
{
    size_t i = 0;
    char *to;

    while (i < s.len && (unsigned char)s.p[i] < 0x80)
        i++;
    if (i == s.len)
        return s;
    to = arena_text(a, put_ascii(s, NULL));
    return (struct str){ to, put_ascii(s, to) };
}

size_t text_fold(struct str s, char *out, size_t cap)
{
    char form[FORM_MAX];
    size_t n = 0;
    bool gap = false;

    for (size_t pos = 0; pos < s.len;) {
        size_t from = pos, len;

        if (utf8_next(s, &pos) < 0)
            pos++;
        len = put_ascii((struct str){ s.p + from, pos - from }, NULL);
        if (len >= sizeof(form))
            return 0;
        len = put_ascii((struct str){ s.p + from, pos - from }, form);
        for (size_t i = 0; i < len; i++) {
            char c = form[i];

            if (c >= 'A' && c <= 'Z')
                c = (char)(c - 'A' + 'a');
            if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) {
                gap = n > 0;
                continue;
            }
            if (n + gap >= cap)
                return 0;
            if (gap)
                out[n++] = ' ';
            out[n++] = c;
            gap = false;
        }
    }
    return n;
}
