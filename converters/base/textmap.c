#include "converters/base/textmap.h"

#include <stdlib.h>

#include "converters/base/hash.h"
#include "converters/base/mem.h"

enum { FIRST_SLOTS = 256 };

/* The slot of a key, or the free one where it would be put. */
static uint32_t *slot_of(const struct textmap *m, struct str key)
{
    size_t i = hash64(key) & (m->n_slots - 1);

    while (m->slots[i] && !str_eq(m->keys[m->slots[i] - 1], key))
        i = (i + 1) & (m->n_slots - 1);
    return &m->slots[i];
}

const uint32_t *textmap_find(const struct textmap *m, struct str key)
{
    uint32_t entry = m->n_slots ? *slot_of(m, key) : 0;

    return entry ? &m->values[entry - 1] : NULL;
}

static void grow(struct textmap *m)
{
    m->n_slots = m->n_slots ? 2 * m->n_slots : FIRST_SLOTS;
    m->cap = m->n_slots / 2;
    m->keys = xrealloc(m->keys, m->cap * sizeof(*m->keys));
    m->values = xrealloc(m->values, m->cap * sizeof(*m->values));
    free(m->slots);
    m->slots = xcalloc(m->n_slots, sizeof(*m->slots));
    for (size_t i = 0; i < m->n; i++)
        *slot_of(m, m->keys[i]) = (uint32_t)i + 1;
}

void textmap_add(struct textmap *m, struct str key, uint32_t value)
{
    if (m->n == m->cap)
        grow(m);
    m->keys[m->n] = key;
    m->values[m->n] = value;
    *slot_of(m, key) = (uint32_t)++m->n;
}

void textmap_set(struct textmap *m, struct str key, uint32_t value)
{
    m->values[*slot_of(m, key) - 1] = value;
}

void textmap_drop_last(struct textmap *m)
{
    /* Nothing was put behind it, so its slot can simply be freed. */
    *slot_of(m, m->keys[m->n - 1]) = 0;
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
