/*
 * table.c - looking up. Every key is in one hash of open addresses: under its
 * text, and, if it is a number written otherwise, under its number too. As
 * nothing is ever taken out, a probe meets earlier entries first.
 */
#include "converters/lang/table_parse.h"

#include "converters/base/text.h"
#include "converters/lang/run.h"

static uint32_t hash_of(struct str s)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h;
}

/* 007 is a code that happens to have digits only. */
static bool has_leading_zero(struct str s)
{
    s = str_trim(s);
    if (s.len && (s.p[0] == '-' || s.p[0] == '+'))
        s = str_from(s, 1);
    return s.len > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9';
}

void table_add(struct table *t, struct arena *a, const struct table_entry *e)
{
    if (t->n == t->cap) {
        struct table_entry *old = t->entries;

        t->cap = t->cap ? t->cap * 2 : 16;
        t->entries = arena_alloc(a, t->cap * sizeof(*t->entries));
        if (old)
            memcpy(t->entries, old, t->n * sizeof(*old));
    }
    t->entries[t->n++] = *e;
}

enum key_kind { KEY_TEXT, KEY_GLOB, KEY_NUMBER };

static bool is_key(const struct table_entry *e, enum key_kind kind,
                   struct str key)
{
    if (kind == KEY_NUMBER)
        return e->number.p && str_eq(e->number, key);
    return e->glob == (kind == KEY_GLOB) && str_eq(e->key, key);
}

/* The slot of the first entry with that key, or the free one for it. */
static uint32_t *slot_of(const struct table *t, enum key_kind kind,
                         struct str key)
{
    size_t i = hash_of(key) & (t->n_hash - 1);

    while (t->hash[i] && !is_key(&t->entries[t->hash[i] - 1], kind, key))
        i = (i + 1) & (t->n_hash - 1);
    return &t->hash[i];
}

void table_ready(struct table *t, struct arena *a,
                 void (*twice)(void *ctx, const struct table_entry *e),
                 void *ctx)
{
    t->n_hash = 4;
    while (t->n_hash < t->n * 4)
        t->n_hash *= 2;
    t->hash = arena_alloc(a, t->n_hash * sizeof(*t->hash));
    for (uint32_t i = 0; i < t->n; i++) {
        struct table_entry *e = &t->entries[i];
        uint32_t *slot = slot_of(t, e->glob ? KEY_GLOB : KEY_TEXT, e->key);

        if (*slot)
            twice(ctx, e);
        if (!*slot)
            *slot = i + 1;
        t->has_globs |= e->glob;
        t->has_numbers |= e->number.p != NULL;
        if (!e->number.p)
            continue;
        slot = slot_of(t, KEY_NUMBER, e->number);
        if (!*slot)
            *slot = i + 1;
    }
}

/* A value as keys are written: numbers with a dot, yes and no. */
static struct str key_text(struct run *r, const struct val *v)
{
    if (v->kind == V_BOOL)
        return v->yes ? STR("yes") : STR("no");
    if (v->s.len || v->kind == V_EMPTY)
        return v->s;
    if (v->kind == V_DEC)
        return dec_text(r->a, v->d);
    return v->kind == V_DATE ? date_canon(r->a, v->t) : v->s;
}

/* The first entry with that key as a number, + 1; 0: none. */
static uint32_t find_number(struct run *r, const struct table *t,
                            const struct val *v)
{
    struct dec d;

    if (!t->has_numbers || (v->kind != V_DEC && v->kind != V_TEXT) ||
        (v->kind == V_TEXT && has_leading_zero(v->s)) || !val_is_dec(r, v, &d))
        return 0;
    return *slot_of(t, KEY_NUMBER, dec_text(r->a, dec_strip(d)));
}

const struct table_entry *table_find(struct run *r, const struct table *t,
                                     const struct val *v)
{
    struct str key = key_text(r, v);
    uint32_t n, best;

    if (!t->n)
        return NULL;
    best = *slot_of(t, KEY_TEXT, key);
    n = find_number(r, t, v);
    if (n && (!best || n < best))
        best = n;
    if (t->has_globs) {
        uint32_t end = best ? best - 1 : (uint32_t)t->n;

        for (uint32_t i = 0; i < end; i++)
            if (t->entries[i].glob && glob_match(t->entries[i].key, key))
                return &t->entries[i];
    }
    return best ? &t->entries[best - 1] : NULL;
}

static struct val entry_value(const struct table_entry *e)
{
    struct val v = val_text(e->value);

    if (e->is_number && dec_from_canon(e->value, &v.d)) {
        v.kind = V_DEC;
        v.has_d = true;
    }
    return v;
}

bool table_apply(struct run *r, struct place at, const struct table *t,
                 const struct val *in, struct val *out)
{
    const struct table_entry *e = table_find(r, t, in);
    struct val v = val_empty(), from = *in;

    if (!e && !val_is_empty(in))
        return RUN_FAULT(r, TABLE_KEY, at, in, key_text(r, in), t->name,
                         where_of(r, in));
    switch (e ? e->action : TA_EMPTY) {
    case TA_VALUE:
        v = entry_value(e);
        break;
    case TA_PASS:
        v = from;
        break;
    case TA_EMPTY:
        break;
    case TA_ERROR:
        return RUN_FAULT(r, TABLE_ERROR, at, in, key_text(r, in), e->value);
    case TA_SETTING:
        v = val_text(r->info->settings[e->setting]);
        break;
    }
    v.item = from.item;
    v.cell = from.cell;
    *out = v;
    return true;
}
