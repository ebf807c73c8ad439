/*
 * hash.h - SHA-256, as 64 hexadecimal digits: the identity of content.
 *
 * Content is only ever recognised by this; names, sizes and times are what
 * people see, never what a decision rests on.
 */
#ifndef SPOOL_HASH_H
#define SPOOL_HASH_H

#include "converters/base/str.h"

enum { HASH_HEX = 64, ID_HEX = 32 };

struct hash {
    void *ctx;
};

void hash_init(struct hash *h);
void hash_add(struct hash *h, struct str bytes);
/* The digits with a NUL; h is as before hash_init(). */
void hash_end(struct hash *h, char hex[HASH_HEX + 1]);

/* 128 random bits as digits: the id of a claim, a receipt, a delivery. */
void id_new(char hex[ID_HEX + 1]);

#endif
