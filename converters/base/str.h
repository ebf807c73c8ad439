/*
 * str.h - text as a borrowed slice, and a growing, bounded buffer.
 *
 * Everything that comes from a file is a struct str: UTF-8 with a length,
 * never NUL-terminated. `const char *` is for literals, paths and names that
 * the program itself chose. A slice borrows: it lives as long as the memory
 * that it points into (base/mem.h names those lives).
 *
 * A str with p == NULL is "not there"; the functions treat it as empty.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct str {
    const char *p;
    size_t len;
};

#define STR(lit)    ((struct str){ (lit), sizeof(lit) - 1 })
/* For printf("%.*s"): the two arguments that it takes. */
#define STR_ARGS(s) (int)(s).len, (s).p ? (s).p : ""

static inline struct str str_of(const char *z)
{
    return (struct str){ z, z ? strlen(z) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool str_is(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

static inline bool str_starts(struct str s, struct str with)
{
    return s.len >= with.len &&
           (with.len == 0 || memcmp(s.p, with.p, with.len) == 0);
}

static inline bool str_ends(struct str s, struct str with)
{
    return s.len >= with.len &&
           (with.len == 0 ||
            memcmp(s.p + s.len - with.len, with.p, with.len) == 0);
}

static inline struct str str_between(const char *from, const char *to)
{
    return (struct str){ from, (size_t)(to - from) };
}

/* The rest of s from byte n on; empty past its end. */
static inline struct str str_from(struct str s, size_t n)
{
    if (n > s.len)
        n = s.len;
    return (struct str){ n ? s.p + n : s.p, s.len - n };
}

/* The first n bytes of s, or all of it. */
static inline struct str str_first(struct str s, size_t n)
{
    return (struct str){ s.p, n < s.len ? n : s.len };
}

/* memcpy that accepts an empty text without an address. */
static inline void str_copy(char *to, struct str s)
{
    if (s.len)
        memcpy(to, s.p, s.len);
}

/* Order of bytes, which for UTF-8 is the order of code points. */
int str_cmp(struct str a, struct str b);
/* Offset of the first `what` in s, or -1. An empty `what` is found at 0. */
ptrdiff_t str_find(struct str s, struct str what);
ptrdiff_t str_find_char(struct str s, char c);
/* Without blanks, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);
/* Equal but for the case of ASCII letters. */
bool str_eq_nocase(struct str a, struct str b);
/* A decimal number in 0..max; false for anything else. */
bool str_to_uint(struct str s, uint64_t max, uint64_t *out);

/*
 * A buffer that grows up to `max` bytes. Adding past max changes nothing and
 * returns -1; the caller turns that into the message that names its limit.
 */
struct buf {
    char *p;
    size_t len, cap, max;
};

void buf_init(struct buf *b, size_t max);
int buf_add(struct buf *b, struct str s);
int buf_addc(struct buf *b, char c);
int buf_addz(struct buf *b, const char *z);
int buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for n more bytes at the returned address; advance b->len yourself. */
char *buf_room(struct buf *b, size_t n); /* NULL: past max */
void buf_clear(struct buf *b);           /* len = 0, keeps the memory */
void buf_release(struct buf *b);         /* frees; b is as after buf_init */

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){ b->p, b->len };
}

#endif
