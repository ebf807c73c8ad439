#include "converters/base/textmap.h"

#include <stdlib.h>

#include "converters/base/hash.h"
#include "converters/base/mem.h"

enum { FIRST_SLOTS = 256 };

/* The slot of a key, or the free one where it would be put. */
static struct textmap_slot *slot_of(const struct textmap *m, struct str key,
                                    uint32_t hash)
{
    size_t i = hash & (m->n_slots - 1);

    while (m->slots[i].entry && (m->slots[i].hash != hash ||
                                 !str_eq(m->keys[m->slots[i].entry - 1], key)))
        i = (i + 1) & (m->n_slots - 1);
    return &m->slots[i];
}

static uint32_t hash_of(struct str key)
{
    return (uint32_t)hash64(key);
}

const uint32_t *textmap_find(const struct textmap *m, struct str key)
{
    uint32_t entry = m->n_slots ? slot_of(m, key, hash_of(key))->entry : 0;

    return entry ? &m->values[entry - 1] : NULL;
}

/* In their order: of those in a row of slots, the last is behind the others. */
static void grow(struct textmap *m)
{
    uint32_t *hashes = xcalloc(m->n + 1, sizeof(*hashes));

    for (size_t k = 0; k < m->n_slots; k++)
        if (m->slots[k].entry)
            hashes[m->slots[k].entry - 1] = m->slots[k].hash;
    m->n_slots = m->n_slots ? 2 * m->n_slots : FIRST_SLOTS;
    m->cap = m->n_slots / 2;
    m->keys = xrealloc(m->keys, m->cap * sizeof(*m->keys));
    m->values = xrealloc(m->values, m->cap * sizeof(*m->values));
    free(m->slots);
    m->slots = xcalloc(m->n_slots, sizeof(*m->slots));
    for (size_t k = 0; k < m->n; k++) {
        size_t i = hashes[k] & (m->n_slots - 1);

        while (m->slots[i].entry)
            i = (i + 1) & (m->n_slots - 1);
        m->slots[i] = (struct textmap_slot){ (uint32_t)k + 1, hashes[k] };
    }
    free(hashes);
}

void textmap_add(struct textmap *m, struct str key, uint32_t value)
{
    uint32_t hash = hash_of(key);
    struct textmap_slot *slot;

    if (m->n == m->cap)
        grow(m);
    m->keys[m->n] = key;
    m->values[m->n] = value;
    slot = slot_of(m, key, hash);
    slot->hash = hash;
    slot->entry = (uint32_t)++m->n;
}

void textmap_set(struct textmap *m, struct str key, uint32_t value)
{
    m->values[slot_of(m, key, hash_of(key))->entry - 1] = value;
}

void textmap_drop_last(struct textmap *m)
{
    struct str key = m->keys[m->n - 1];

    /* Nothing was put behind it, so its slot can simply be freed. */
    slot_of(m, key, hash_of(key))->entry = 0;
    m->n--;
}

void textmap_clear(struct textmap *m)
{
    if (m->n_slots > FIRST_SLOTS) {
        textmap_release(m); /* one that was large is no reason to clear more */
        return;
    }
    if (m->n)
        memset(m->slots, 0, m->n_slots * sizeof(*m->slots));
    m->n = 0;
}

void textmap_release(struct textmap *m)
{
    free(m->keys);
    free(m->values);
    free(m->slots);
    *m = (struct textmap){ 0 };
}
