/* utf8.c - checking and counting UTF-8; ASCII, the bulk, in long steps. */
#include "converters/base/utf8.h"

#include "converters/base/bytes.h"

/*
 * What may follow a first byte: how many bytes, and the range of the second
 * one, which is where overlong forms (E0, F0), surrogates (ED) and characters
 * above U+10FFFF (F4) show. All further bytes are 80..BF.
 */
struct lead {
    uint8_t from, to, len, low, high;
};

static const struct lead leads[] = {
    { 0xC2, 0xDF, 2, 0x80, 0xBF }, { 0xE0, 0xE0, 3, 0xA0, 0xBF },
    { 0xE1, 0xEC, 3, 0x80, 0xBF }, { 0xED, 0xED, 3, 0x80, 0x9F },
    { 0xEE, 0xEF, 3, 0x80, 0xBF }, { 0xF0, 0xF0, 4, 0x90, 0xBF },
    { 0xF1, 0xF3, 4, 0x80, 0xBF }, { 0xF4, 0xF4, 4, 0x80, 0x8F },
};

static bool is_more(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

unsigned utf8_need(const unsigned char *p, size_t n)
{
    const struct lead *l = leads;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    if (p[0] <= 0xDF)
        return n < 2 || is_more(p[1]) ? 2 : 0;
    while (p[0] > l->to)
        l++;
    if (n > 1 && (p[1] < l->low || p[1] > l->high))
        return 0;
    for (unsigned i = 2; i < l->len && i < n; i++)
        if (!is_more(p[i]))
            return 0;
    return l->len;
}

int32_t utf8_next(struct str s, size_t *pos)
{
    const unsigned char *p = (const unsigned char *)s.p + *pos;
    size_t left = s.len - *pos;
    unsigned n = utf8_need(p, left);

    if (n == 0 || n > left)
        return -1;
    *pos += n;
    switch (n) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3:
        return (p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    default:
        return (p[0] & 0x07) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 |
               (p[3] & 0x3F);
    }
}

size_t utf8_ascii_len(struct str s)
{
    size_t i = 0;

    for (; i + 8 <= s.len; i += 8) {
        uint64_t w = bytes_load(s.p + i);

        /* A borrow out of a zero byte sets its high bit, too. */
        if ((w | (w - ONES)) & HIGHS)
            break;
    }
    while (i < s.len && (signed char)s.p[i] > 0)
        i++;
    return i;
}

/* The last n bytes, 1 to 7 of them: loads that overlap. */
static inline bool ascii_tail(const unsigned char *p, size_t len, size_t n)
{
    uint32_t a, b;

    if (len >= 8)
        return !(bytes_load(p + len - 8) & HIGHS);
    p += len - n;
    if (n >= 4) {
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        return !((a | b) & (uint32_t)HIGHS);
    }
    return !((p[0] | p[n / 2] | p[n - 1]) & 0x80);
}

size_t utf8_valid_len(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;

    while (i < s.len) {
        unsigned n;

        if (s.len - i >= 8) {
            uint64_t w = bytes_load(p + i) & HIGHS;

            if (!w) {
                i += 8;
                continue;
            }
            i += bytes_first(w);
        } else if (ascii_tail(p, s.len, s.len - i)) {
            return s.len;
        }
        /* Two bytes, as nearly all letters of our languages. */
        if (s.len - i >= 2 && p[i] >= 0xC2 && p[i] <= 0xDF &&
            is_more(p[i + 1])) {
            i += 2;
            continue;
        }
        n = utf8_need(p + i, s.len - i);
        if (n == 0 || n > s.len - i)
            break;
        i += n;
    }
    return i;
}

/* Sixteen bytes compared at once: -1 in each that fits. */
typedef int8_t bytes16 __attribute__((vector_size(16)));
typedef uint8_t counts16 __attribute__((vector_size(16)));

static size_t add_up(counts16 v)
{
    size_t n = 0;

    for (int i = 0; i < 16; i++)
        n += v[i];
    return n;
}

/* Bytes of s that are `c`, or with c = 0 those that start a character. */
static inline size_t count_bytes(struct str s, char c)
{
    size_t n = 0, i = 0;

    while (i + 16 <= s.len) {
        /* A byte of `found` counts up to 255, then they are added up. */
        size_t room = (size_t)255 * 16;
        size_t end = s.len - i > room ? i + room : s.len;
        counts16 found = { 0 };
        bytes16 v;

        for (; i + 16 <= end; i += 16) {
            memcpy(&v, s.p + i, 16);
            found -= (counts16)(c ? v == c : v > (int8_t)0xBF);
        }
        n += add_up(found);
    }
    if (!c && i + 8 <= s.len) {
        uint64_t w = bytes_load(s.p + i);

        w &= ~(w << 1) & HIGHS; /* 10xxxxxx: no character starts here */
        n += 8 - (size_t)((w >> 7) * ONES >> 56);
        i += 8;
    }
    for (; i < s.len; i++)
        n += c ? s.p[i] == c : !is_more((unsigned char)s.p[i]);
    return n;
}

size_t utf8_lines(struct str s)
{
    return count_bytes(s, '\n');
}

size_t utf8_count(struct str s)
{
    return count_bytes(s, '\0');
}

size_t utf8_offset(struct str s, size_t n)
{
    size_t i = 0;

    for (; i < s.len; i++)
        if (!is_more((unsigned char)s.p[i]) && n-- == 0)
            break;
    return i;
}

unsigned utf8_put(char to[4], uint32_t cp)
{
    unsigned n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char first[5] = { 0, 0, 0xC0, 0xE0, 0xF0 };

    for (unsigned i = n; i > 1; i--) {
        to[i - 1] = (char)(0x80 | (cp & 0x3F));
        cp >>= 6;
    }
    to[0] = (char)(first[n] | cp);
    return n;
}

bool utf8_is_invisible(int32_t cp)
{
    return cp == 0xAD || cp == 0x61C || (cp >= 0x200B && cp <= 0x200F) ||
           (cp >= 0x2028 && cp <= 0x202E) || (cp >= 0x2060 && cp <= 0x206F) ||
           cp == 0xFEFF;
}
