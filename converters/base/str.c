#include "converters/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "converters/base/mem.h"

int str_cmp(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    if (c)
        return c;
    return a.len < b.len ? -1 : a.len > b.len;
}

ptrdiff_t str_find(struct str s, struct str what)
{
    const char *p;

    if (what.len == 0)
        return 0;
    if (s.len < what.len)
        return -1;
    p = memmem(s.p, s.len, what.p, what.len);
    return p ? p - s.p : -1;
}

ptrdiff_t str_find_char(struct str s, char c)
{
    const char *p = s.len ? memchr(s.p, c, s.len) : NULL;

    return p ? p - s.p : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.p[0]))
        s = str_from(s, 1);
    while (s.len && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

bool str_to_uint(struct str s, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

        if (digit > 9 || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    if (n > max)
        return false;
    *out = n;
    return true;
}

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){ .max = max };
}

char *buf_room(struct buf *b, size_t n)
{
    if (n > b->max - b->len)
        return NULL;
    if (b->len + n > b->cap) {
        size_t want = b->cap ? b->cap * 2 : 256;

        while (want < b->len + n)
            want *= 2;
        if (want > b->max)
            want = b->max;
        b->p = xrealloc(b->p, want);
        b->cap = want;
    }
    return b->p + b->len;
}

int buf_add(struct buf *b, struct str s)
{
    char *to;

    if (!s.len)
        return 0;
    to = buf_room(b, s.len);
    if (!to)
        return -1;
    memcpy(to, s.p, s.len);
    b->len += s.len;
    return 0;
}

int buf_addc(struct buf *b, char c)
{
    return buf_add(b, (struct str){ &c, 1 });
}

int buf_addz(struct buf *b, const char *z)
{
    return buf_add(b, str_of(z));
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    char *to;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    to = n < 0 ? NULL : buf_room(b, (size_t)n + 1);
    if (!to)
        return -1;
    va_start(ap, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
    return 0;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
}

void buf_release(struct buf *b)
{
    size_t max = b->max;

    free(b->p);
    buf_init(b, max);
}
