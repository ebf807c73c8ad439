/*
 * textmap.h - texts to numbers: which output has that key, that name?
 *
 * Keys borrow; they live as long as the map is used. Open addressing over a
 * keyed hash (base/hash.h), so no file can make it slow.
 */
#ifndef BASE_TEXTMAP_H
#define BASE_TEXTMAP_H

#include "converters/base/str.h"

struct textmap {
    struct str *keys;
    uint32_t *values;
    size_t n, cap;
    struct textmap_slot {
        uint32_t entry; /* + 1; 0 is free */
        uint32_t hash;  /* spares the look at most keys that are others */
    } * slots;
    size_t n_slots;
};

/* The value of a key, or NULL. */
const uint32_t *textmap_find(const struct textmap *m, struct str key);
/* The key must not be there yet. */
void textmap_add(struct textmap *m, struct str key, uint32_t value);
/* It must be there. */
void textmap_set(struct textmap *m, struct str key, uint32_t value);
/* Takes back the last textmap_add(). */
void textmap_drop_last(struct textmap *m);
/* Forgets all keys, which may be gone already; keeps a little room. */
void textmap_clear(struct textmap *m);
void textmap_release(struct textmap *m);

#endif
