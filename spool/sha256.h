/*
 * sha256.h - SHA-256, as 64 hexadecimal digits: the identity of content.
 *
 * Content is only ever recognised by this; names, sizes and times are what
 * people see, never what a decision rests on.
 */
#ifndef SPOOL_SHA256_H
#define SPOOL_SHA256_H

#include "converters/base/str.h"

enum { HASH_HEX = 64, ID_HEX = 32 };

struct sha256 {
    void *ctx;
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, struct str bytes);
/* The digits with a NUL; h is as before sha256_init(). */
void sha256_end(struct sha256 *h, char hex[HASH_HEX + 1]);

/* 128 random bits as digits: the id of a claim, a receipt, a delivery. */
void id_new(char hex[ID_HEX + 1]);

#endif
