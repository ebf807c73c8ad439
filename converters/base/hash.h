/*
 * hash.h - a keyed hash for keys out of files.
 *
 * SipHash-2-4 with 128 bits (Aumasson, Bernstein: SipHash, a fast short-input
 * PRF, 2012). The key is random per process, so that no file can be made to
 * collide; 128 bits are taken as equality of the texts themselves.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "converters/base/str.h"

struct hash128 {
    uint64_t lo, hi;
};

struct hash128 hash128(struct str s);
/* Under a key of the caller's: the same in every process that has it. */
struct hash128 hash128_keyed(const uint64_t with[2], struct str s);
static inline uint64_t hash64(struct str s)
{
    return hash128(s).lo;
}
/* Draws the key from the system, once in a process: tables outlive a file.
 * Before the process is locked in. */
void hash_seed(void);

#endif
