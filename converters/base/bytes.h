/* bytes.h - eight bytes of memory in a word, looked at together. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdint.h>
#include <string.h>

#define ONES  0x0101010101010101u /* times a byte: that byte eight times */
#define HIGHS 0x8080808080808080u

static inline uint64_t bytes_load(const void *p)
{
    uint64_t w;

    memcpy(&w, p, 8);
    return w;
}

/* Which of the eight, as they stand in memory, is the first that is not 0; one
 * of them must be. */
static inline unsigned bytes_first(uint64_t w)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (unsigned)__builtin_ctzll(w) / 8;
#else
    return (unsigned)__builtin_clzll(w) / 8;
#endif
}

/* Of marks, a bit in each byte at most: all but the first. */
static inline uint64_t bytes_rest(uint64_t marks)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return marks & (marks - 1);
#else
    return marks & ~((uint64_t)1 << (63 - __builtin_clzll(marks)));
#endif
}

/* The high bit of each byte that is ch, and nothing else. */
static inline uint64_t bytes_that_are(uint64_t w, char ch)
{
    uint64_t x = w ^ (ONES * (unsigned char)ch);

    return ~(((x & ~HIGHS) + ~HIGHS) | x | ~HIGHS);
}

#endif
