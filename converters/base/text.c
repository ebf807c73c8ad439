/* text.c - white space, case, NFC, replacing. */
#include "converters/base/text.h"

#include <errno.h>
#include <stdlib.h>

#include <unicase.h>
#include <uninorm.h>

#include "converters/base/utf8.h"

static bool is_ascii(struct str s)
{
    unsigned char all = 0;

    for (size_t i = 0; i < s.len; i++)
        all |= (unsigned char)s.p[i];
    return all < 0x80;
}

/* A byte that is not UTF-8 passes as one strange character. */
static uint32_t next(struct str s, size_t *pos)
{
    int32_t cp = utf8_next(s, pos);

    if (cp >= 0)
        return (uint32_t)cp;
    ++*pos;
    return 0xFFFD;
}

/* ---- white space -------------------------------------------------------- */

bool text_is_space(uint32_t cp)
{
    if (cp < 0x80)
        return cp == ' ' || (cp >= '\t' && cp <= '\r');
    return cp == 0x85 || cp == 0xA0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 ||
           cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

static bool is_break(uint32_t cp)
{
    return (cp >= '\t' && cp <= '\r') || cp == 0x85 || cp == 0x2028 ||
           cp == 0x2029;
}

/* At an end of a text these are as useless as blanks, and nobody sees them. */
static bool is_trimmed(uint32_t cp)
{
    return text_is_space(cp) || cp == 0x200B || cp == 0xFEFF;
}

/* Where the last character of s, which is not empty, begins. */
static size_t last_char(struct str s)
{
    size_t i = s.len - 1;

    while (i > 0 && s.len - i < 4 && ((unsigned char)s.p[i] & 0xC0) == 0x80)
        i--;
    return i;
}

struct str text_trim(struct str s)
{
    while (s.len) {
        size_t pos = 0;

        if (!is_trimmed(next(s, &pos)))
            break;
        s = str_from(s, pos);
    }
    while (s.len) {
        size_t from = last_char(s), pos = from;

        if (!is_trimmed(next(s, &pos)) || pos != s.len)
            break;
        s.len = from;
    }
    return s;
}

/* Nothing to squeeze but single blanks? Most texts are so. */
static bool is_squeezed(struct str s)
{
    for (size_t pos = 0; pos < s.len;) {
        bool blank = s.p[pos] == ' ';
        uint32_t cp = next(s, &pos);

        if (text_is_space(cp) && (!blank || (pos < s.len && s.p[pos] == ' ')))
            return false;
    }
    return true;
}

/* Runs of white space that `only_breaks` lets through are copied. */
static struct str squeeze(struct arena *a, struct str s, bool only_breaks)
{
    char *to = arena_text(a, s.len), *p = to;
    size_t pos = 0;

    while (pos < s.len) {
        size_t from = pos;
        bool space = false, brk = false;

        for (size_t at = pos; at < s.len; pos = at) {
            uint32_t cp = next(s, &at);

            if (!text_is_space(cp))
                break;
            space = true;
            brk = brk || is_break(cp);
        }
        if (!space)
            next(s, &pos);
        if (space && (brk || !only_breaks)) {
            *p++ = ' ';
        } else {
            str_copy(p, (struct str){ s.p + from, pos - from });
            p += pos - from;
        }
    }
    return (struct str){ to, (size_t)(p - to) };
}

struct str text_squeeze(struct arena *a, struct str s)
{
    s = text_trim(s);
    return is_squeezed(s) ? s : squeeze(a, s, false);
}

struct str text_one_line(struct arena *a, struct str s)
{
    s = text_trim(s);
    for (size_t pos = 0; pos < s.len;)
        if (is_break(next(s, &pos)))
            return squeeze(a, s, true);
    return s;
}

/* ---- case --------------------------------------------------------------- */

/* Turkish and Azeri pair i with İ and ı with I, even in plain ASCII. */
static bool has_dotless(struct str lang)
{
    return str_is(lang, "tr") || str_is(lang, "az");
}

/* A copy with the ASCII letters from `first` on changed by `add`. */
static struct str shift_case(struct arena *a, struct str s, char first, int add)
{
    size_t i = 0;
    char *to;

    while (i < s.len && (s.p[i] < first || s.p[i] > first + 25))
        i++;
    if (i == s.len)
        return s;
    to = arena_text(a, s.len);
    for (i = 0; i < s.len; i++) {
        char c = s.p[i];

        to[i] = c >= first && c <= first + 25 ? (char)(c + add) : c;
    }
    return (struct str){ to, s.len };
}

/* Moves a result of libunistring's to the arena; frees it. */
static struct str taken(struct arena *a, struct str s, uint8_t *r, size_t n)
{
    struct str got = { (const char *)r, n };

    if (!r) {
        /* Not UTF-8 stays as it is; out of memory ends us, see base/mem.h. */
        if (errno == ENOMEM)
            abort();
        return s;
    }
    if (!str_eq(got, s))
        s = arena_str(a, got);
    free(r);
    return s;
}

typedef uint8_t *case_fn(const uint8_t *s, size_t n, const char *lang,
                         uninorm_t form, uint8_t *to, size_t *to_n);

static struct str change_case(struct arena *a, struct str s, struct str lang,
                              case_fn *fn)
{
    char iso[4] = "";
    size_t n = 0;
    uint8_t *r;

    if (s.len == 0)
        return s;
    if (lang.len < sizeof(iso))
        str_copy(iso, lang);
    r = fn((const uint8_t *)s.p, s.len, iso, NULL, NULL, &n);
    return taken(a, s, r, n);
}

struct str text_upper(struct arena *a, struct str s, struct str lang)
{
    if (is_ascii(s) && !(has_dotless(lang) && str_find_char(s, 'i') >= 0))
        return shift_case(a, s, 'a', 'A' - 'a');
    return change_case(a, s, lang, u8_toupper);
}

struct str text_lower(struct arena *a, struct str s, struct str lang)
{
    if (is_ascii(s) && !(has_dotless(lang) && str_find_char(s, 'I') >= 0))
        return shift_case(a, s, 'A', 'a' - 'A');
    return change_case(a, s, lang, u8_tolower);
}

struct str text_title(struct arena *a, struct str s, struct str lang)
{
    return change_case(a, s, lang, u8_totitle);
}

struct str text_nfc(struct arena *a, struct str s)
{
    size_t n = 0, i = 0;
    uint8_t *r;

    /* Below U+0300, whose first byte is CC, nothing combines. */
    while (i < s.len && (unsigned char)s.p[i] < 0xCC)
        i++;
    if (i == s.len)
        return s;
    r = u8_normalize(UNINORM_NFC, (const uint8_t *)s.p, s.len, NULL, &n);
    return taken(a, s, r, n);
}

/* ---- picking and replacing ---------------------------------------------- */

struct str text_digits(struct arena *a, struct str s)
{
    size_t n = 0;
    char *to;

    while (n < s.len && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    if (n == s.len)
        return s;
    to = arena_text(a, s.len);
    n = 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] >= '0' && s.p[i] <= '9')
            to[n++] = s.p[i];
    return (struct str){ to, n };
}

struct str text_replace(struct arena *a, struct str s, struct str what,
                        struct str with)
{
    size_t n = 0, len;
    ptrdiff_t at;
    char *to, *p;

    if (what.len == 0)
        return s;
    for (struct str rest = s; (at = str_find(rest, what)) >= 0; n++)
        rest = str_from(rest, (size_t)at + what.len);
    if (n == 0)
        return s;
    len = s.len - n * what.len;
    if (len > TEXT_MAX || (with.len && n > (TEXT_MAX - len) / with.len))
        return (struct str){ NULL, 0 };

    len += n * with.len;
    p = to = arena_text(a, len);
    while ((at = str_find(s, what)) >= 0) {
        str_copy(p, str_first(s, (size_t)at));
        str_copy(p + at, with);
        p += (size_t)at + with.len;
        s = str_from(s, (size_t)at + what.len);
    }
    str_copy(p, s);
    return (struct str){ to, len };
}
