#include "converters/base/hash.h"

#include <sys/random.h>

static uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

/* Once: maps that live longer than a conversion would lose their keys. */
void hash_seed(void)
{
    static bool is_seeded;
    uint64_t fresh[2];

    if (!is_seeded &&
        getrandom(fresh, sizeof(fresh), 0) == (ssize_t)sizeof(fresh)) {
        memcpy(key, fresh, sizeof(key));
        is_seeded = true;
    }
}

static uint64_t rotl(uint64_t x, int b)
{
    return x << b | x >> (64 - b);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    sip_round(v);
    sip_round(v);
    v[0] ^= m;
}

struct hash128 hash128(struct str s)
{
    return hash128_keyed(key, s);
}

struct hash128 hash128_keyed(const uint64_t with[2], struct str s)
{
    uint64_t v[4] = { with[0] ^ 0x736f6d6570736575,
                      with[1] ^ 0x646f72616e646f6d ^ 0xee,
                      with[0] ^ 0x6c7967656e657261,
                      with[1] ^ 0x7465646279746573 };
    uint64_t last = (uint64_t)s.len << 56, m;
    struct hash128 h;
    size_t i = 0;

    for (; i + 8 <= s.len; i += 8) {
        memcpy(&m, s.p + i, 8);
        sip_word(v, m);
    }
    for (int shift = 0; i < s.len; i++, shift += 8)
        last |= (uint64_t)(unsigned char)s.p[i] << shift;
    sip_word(v, last);
    v[2] ^= 0xee;
    for (int r = 0; r < 4; r++)
        sip_round(v);
    h.lo = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    for (int r = 0; r < 4; r++)
        sip_round(v);
    h.hi = v[0] ^ v[1] ^ v[2] ^ v[3];
    return h;
}
