/*
 * got.h - a table of what a receiver got: for each record its key, and a hash
 * of what was sent of it.
 *
 *   u32 'GOT1', u32 mark, u64 n
 *   n times   u64 hash of the key, u64 hash of the record; by the first, rising
 *   n times   u16 length, text of the key; in the same order
 *
 * all of this machine. Hashes are facts_hash()'s, keyed by the ledger, so that
 * no file can make two keys collide; the mark is of that key: hashes of a
 * ledger that was lost say nothing to the one that took its place. The record's
 * hash is over its key, too: if two keys ever had the same 64 bits, both would
 * be sent each time, and none ever forgotten.
 *
 * The lowest bit of a record's hash is GOT_GONE: it is in the source no more,
 * and people know, or the receiver does. When most of a table is gone that is
 * forgotten, so that it does not grow for ever; what comes back then is sent
 * again.
 */
#ifndef TRADE_GOT_H
#define TRADE_GOT_H

#include "converters/base/hash.h"
#include "converters/base/mem.h"

#define GOT_GONE ((uint64_t)1)

enum { GOT_MAX_KEY = UINT16_MAX };

struct got_entry {
    uint64_t key, value;
};

/* ---- reading ------------------------------------------------------------- */

struct got_table {
    const char *entries; /* struct got_entry[n], not aligned */
    struct str texts;
    size_t n;
    uint32_t mark;
    uint32_t *first; /* by the upper bits of a key: where to begin */
    unsigned shift;
};

/* Looks at every length. false: damaged; then it is a table of nothing. */
bool got_open(struct str bytes, struct got_table *out);
/* Makes it ready for got_find(). */
void got_index(struct got_table *t, struct arena *a);
/* Where the key stands, or -1. */
ptrdiff_t got_find(const struct got_table *t, uint64_t key);
struct got_entry got_at(const struct got_table *t, size_t i);
/* The texts one after the other: of entry 0, 1, ... */
struct str got_next_text(struct str *texts);

/* ---- making -------------------------------------------------------------- */

/* An entry that is to stand in a table. */
struct got_row {
    struct got_entry e;
    struct str text;
};

/* Sorts the rows, whose keys all differ. -1: over out->max. */
int got_make(struct got_row *rows, size_t n, uint32_t mark, struct buf *out);
/* As got_merge() of facts.h; forget: what is gone, when that is most of it. */
int got_join(struct str older, struct str newer, bool forget, struct buf *out);

#endif
