/*
 * item.c - records as bytes: scattered groups wait on disk (lang/group.c).
 *
 *   item = struct head, name, text, raw, cells (u32 length, bytes)*, child*,
 *          context (an item) if there is one
 */
#include "formats/format.h"

struct head {
    const struct want *want;
    uint64_t raw_offset, raw_len;
    uint32_t line, col;
    uint32_t name, text, raw; /* lengths */
    uint32_t n_cells, n_children, n_fields;
    uint8_t has_text, has_context, zero[6];
};

static int pack(const struct item *i, uint32_t n_cells, struct buf *out)
{
    uint32_t n = i->cells ? n_cells : 0;
    struct head h = { .want = i->want,
                      .raw_offset = i->raw_offset,
                      .raw_len = i->raw_len,
                      .line = i->line,
                      .col = i->col,
                      .name = (uint32_t)i->name.len,
                      .text = (uint32_t)i->text.len,
                      .raw = (uint32_t)i->raw.len,
                      .n_cells = n,
                      .n_fields = i->n_fields,
                      .has_text = i->text.p != NULL,
                      .has_context = i->context != NULL };

    for (const struct item *c = i->child; c; c = c->next)
        h.n_children++;
    if (buf_add(out, (struct str){ (const char *)&h, sizeof(h) }) ||
        buf_add(out, i->name) || buf_add(out, i->text) || buf_add(out, i->raw))
        return -1;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t len = (uint32_t)i->cells[k].len;

        if (buf_add(out, (struct str){ (const char *)&len, sizeof(len) }) ||
            buf_add(out, i->cells[k]))
            return -1;
    }
    for (const struct item *c = i->child; c; c = c->next)
        if (pack(c, 0, out) == -1)
            return -1;
    return i->context ? pack(i->context, 0, out) : 0;
}

int item_pack(const struct item *record, uint32_t n_cells, struct buf *out)
{
    return pack(record, n_cells, out);
}

static bool take(struct str *in, size_t n, struct str *out)
{
    if (in->len < n)
        return false;
    *out = str_first(*in, n);
    *in = str_from(*in, n);
    return true;
}

static bool unpack_cells(struct arena *a, struct item *i, uint32_t n,
                         struct str *in)
{
    if (!n)
        return true;
    i->cells = arena_alloc(a, n * sizeof(*i->cells));
    for (uint32_t k = 0; k < n; k++) {
        struct str len_bytes;
        uint32_t len;

        if (!take(in, sizeof(len), &len_bytes))
            return false;
        memcpy(&len, len_bytes.p, sizeof(len));
        if (!take(in, len, &i->cells[k]))
            return false;
    }
    return true;
}

static struct item *unpack(struct arena *a, struct item *parent, struct str *in)
{
    struct item *i = arena_alloc(a, sizeof(*i));
    struct str bytes;
    struct head h;

    if (!take(in, sizeof(h), &bytes))
        return NULL;
    memcpy(&h, bytes.p, sizeof(h));
    *i = (struct item){ .want = h.want,
                        .raw_offset = h.raw_offset,
                        .raw_len = h.raw_len,
                        .line = h.line,
                        .col = h.col,
                        .n_fields = h.n_fields,
                        .parent = parent };
    if (!take(in, h.name, &i->name) || !take(in, h.text, &i->text) ||
        !take(in, h.raw, &i->raw) || !unpack_cells(a, i, h.n_cells, in))
        return NULL;
    if (!h.has_text)
        i->text.p = NULL;
    while (h.n_children--) {
        struct item *c = unpack(a, i, in);

        if (!c)
            return NULL;
        if (i->last)
            i->last->next = c;
        else
            i->child = c;
        i->last = c;
    }
    if (h.has_context && !(i->context = unpack(a, NULL, in)))
        return NULL;
    return i;
}

struct item *item_copy(struct arena *a, const struct item *from)
{
    struct item *i = arena_alloc(a, sizeof(*i));

    *i = (struct item){ .want = from->want,
                        .name = arena_str(a, from->name),
                        .text = from->text.p ? arena_str(a, from->text)
                                             : from->text,
                        .line = from->line,
                        .col = from->col };
    for (const struct item *c = from->child; c; c = c->next) {
        struct item *copy = item_copy(a, c);

        copy->parent = i;
        if (i->last)
            i->last->next = copy;
        else
            i->child = copy;
        i->last = copy;
    }
    return i;
}

struct item *item_unpack(struct arena *a, struct str in)
{
    struct item *i = unpack(a, NULL, &in);

    return in.len ? NULL : i;
}
