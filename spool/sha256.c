#include "spool/sha256.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static void hex_of(const unsigned char *bytes, size_t n, char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * n] = '\0';
}

/*
 * libcrypto and the random source fail only when memory is gone or the
 * machine is broken. Going on without a hash would be worse than dying: every
 * step may be repeated.
 */
static void must(int ok, const char *what)
{
    if (ok == 1)
        return;
    fprintf(stderr, "kervan: %s failed\n", what);
    abort();
}

void sha256_init(struct sha256 *h)
{
    h->ctx = EVP_MD_CTX_new();
    must(h->ctx != NULL, "libcrypto");
    must(EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL), "libcrypto");
}

void sha256_add(struct sha256 *h, struct str bytes)
{
    if (bytes.len)
        must(EVP_DigestUpdate(h->ctx, bytes.p, bytes.len), "libcrypto");
}

void sha256_end(struct sha256 *h, char hex[HASH_HEX + 1])
{
    unsigned char sum[HASH_HEX / 2];
    unsigned n = sizeof(sum);

    must(EVP_DigestFinal_ex(h->ctx, sum, &n) && n == sizeof(sum), "libcrypto");
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
    hex_of(sum, sizeof(sum), hex);
}

void id_new(char hex[ID_HEX + 1])
{
    unsigned char raw[ID_HEX / 2];

    must(getrandom(raw, sizeof(raw), 0) == sizeof(raw), "getrandom");
    hex_of(raw, sizeof(raw), hex);
}
