#include "converters/document/document.h"

#include <assert.h>
#include <stdio.h>

#include "converters/base/date.h"
#include "converters/base/decimal.h"
#include "converters/base/utf8.h"

static const char *const known_names[N_KNOWN] = {
    [KNOWN_QUANTITY] = "quantity",
    [KNOWN_RESERVED] = "reserved",
    [KNOWN_FREE] = "free",
    [KNOWN_PRICE_NET] = "price.net",
    [KNOWN_PRICE_GROSS] = "price.gross",
    [KNOWN_NET] = "net",
    [KNOWN_GROSS] = "gross",
    [KNOWN_VAT_RATE] = "vat.rate",
    [KNOWN_VAT_CODE] = "vat.code",
    [KNOWN_TOTAL_NET] = "total.net",
    [KNOWN_TOTAL_VAT] = "total.vat",
    [KNOWN_TOTAL_GROSS] = "total.gross",
    [KNOWN_ROUNDING] = "total.rounding",
    [KNOWN_TO_PAY] = "total.to_pay",
    [KNOWN_OPENING] = "opening",
    [KNOWN_CLOSING] = "closing",
    [KNOWN_DEBIT] = "debit",
    [KNOWN_CREDIT] = "credit",
    [KNOWN_BALANCE] = "balance",
};

struct shape *shape_new(struct arena *a, const struct level *level)
{
    struct shape *s = arena_alloc(a, sizeof(*s));

    s->level = level;
    while (level->fields[s->n_fixed].name)
        s->n_fixed++;
    s->n_fields = s->n_fixed;
    for (int i = 0; i < N_KNOWN; i++)
        s->known[i] = shape_field(s, str_of(known_names[i]), false);
    while (level->lists && level->lists[s->n_lists]) {
        assert(s->n_lists < MAX_LISTS);
        s->lists[s->n_lists] = shape_new(a, level->lists[s->n_lists]);
        s->lists[s->n_lists]->parent = s;
        s->n_lists++;
    }
    return s;
}

int shape_field(struct shape *s, struct str name, bool add_x)
{
    if (!str_starts(name, STR("x."))) {
        for (int i = 0; i < s->n_fixed; i++)
            if (str_is(name, s->level->fields[i].name))
                return i;
        return -1;
    }
    name = str_from(name, 2);
    for (int i = 0; i < s->n_x; i++)
        if (str_eq(s->x[i], name))
            return s->n_fixed + i;
    if (!add_x || s->n_x == MAX_X || name.len == 0)
        return -1;
    s->x_to[s->n_x] = s->n_x;
    s->x[s->n_x++] = name;
    return s->n_fields++;
}

int shape_join(struct shape *to, struct shape *from)
{
    for (int i = 0; i < from->n_x; i++) {
        char full[256];
        int n = snprintf(full, sizeof(full), "x.%.*s", STR_ARGS(from->x[i]));
        int at = n < (int)sizeof(full)
                     ? shape_field(to, (struct str){ full, (size_t)n }, true)
                     : -1;

        if (at < 0)
            return -1;
        to->x[at - to->n_fixed] = from->x[i]; /* lives as long as the map */
        from->x_to[i] = at - to->n_fixed;
    }
    for (int i = 0; i < from->n_fields; i++) {
        int at =
            i < from->n_fixed ? i : to->n_fixed + from->x_to[i - from->n_fixed];

        to->written[at] = to->written[at] || from->named[i];
    }
    to->is_written |= from->is_asked;
    to->is_asked |= from->is_asked;
    for (int i = 0; i < from->n_lists; i++)
        if (shape_join(to->lists[i], from->lists[i]) == -1)
            return -1;
    return 0;
}

int shape_list(const struct shape *s, struct str name)
{
    for (int i = 0; i < s->n_lists; i++)
        if (str_is(name, s->lists[i]->level->name)) {
            s->lists[i]->is_asked = true;
            return i;
        }
    return -1;
}

const struct field_spec *shape_spec(const struct shape *s, int i)
{
    return i < s->n_fixed ? &s->level->fields[i] : NULL;
}

struct str shape_field_name(const struct shape *s, int i)
{
    return i < s->n_fixed ? str_of(s->level->fields[i].name)
                          : s->x[i - s->n_fixed];
}

struct doc *doc_new(struct arena *a, const struct shape *s)
{
    size_t n = (size_t)s->n_fields, l = (size_t)s->n_lists;
    struct doc *d =
        arena_alloc(a, sizeof(*d) + n * sizeof(*d->f) + l * sizeof(*d->lists));

    d->shape = s;
    d->f = (struct str *)(d + 1);
    d->lists = (struct doc_list *)(d->f + n);
    return d;
}

struct doc *doc_add(struct arena *a, struct doc *parent, int list)
{
    struct doc_list *l = &parent->lists[list];
    struct doc *d = doc_new(a, parent->shape->lists[list]);

    d->parent = parent;
    if (l->last)
        l->last->next = d;
    else
        l->first = d;
    l->last = d;
    l->n++;
    return d;
}

struct str doc_label(struct arena *a, const struct doc *d)
{
    const struct field_spec *f = d->shape->level->fields;
    int i = 0;

    while (f[i].name && !f[i].key)
        i++;
    if (f[i].name && d->f[i].len)
        return arena_fmt(a, "%s %.*s", d->shape->level->name,
                         STR_ARGS(d->f[i]));
    return arena_fmt(a, "%s that begins in line %u", d->shape->level->name,
                     d->line);
}

/*
 * Packed form, little-endian as the machine has it (it never leaves it):
 *   doc    = u32 line, u32 member, u64 seq, u16 n, field*, u8 n_lists, list*
 *   field  = u16 index, u32 length, bytes
 *   list   = u8 index, u32 n, doc*
 * Only fields and lists that hold something are there.
 */
struct packed_head {
    uint64_t seq;
    uint32_t line, member;
    uint16_t n_fields;
    uint16_t n_lists;
};

static int put(struct buf *out, const void *p, size_t n)
{
    return buf_add(out, (struct str){ p, n });
}

static int pack_fields(const struct doc *d, struct buf *out, uint16_t *n)
{
    for (int i = 0; i < d->shape->n_fields; i++) {
        uint16_t index = (uint16_t)i;
        uint32_t len = (uint32_t)d->f[i].len;
        char *to;

        if (!len)
            continue;
        to = buf_room(out, sizeof(index) + sizeof(len) + len);
        if (!to)
            return -1;
        memcpy(to, &index, sizeof(index));
        memcpy(to + sizeof(index), &len, sizeof(len));
        memcpy(to + sizeof(index) + sizeof(len), d->f[i].p, len);
        out->len += sizeof(index) + sizeof(len) + len;
        ++*n;
    }
    return 0;
}

int doc_pack(const struct doc *d, struct buf *out)
{
    struct packed_head h = { .seq = d->seq,
                             .line = d->line,
                             .member = d->member };
    size_t at = out->len;

    if (put(out, &h, sizeof(h)) == -1 || pack_fields(d, out, &h.n_fields) == -1)
        return -1;
    for (int i = 0; i < d->shape->n_lists; i++) {
        const struct doc_list *l = &d->lists[i];
        uint8_t index = (uint8_t)i;

        if (!l->n)
            continue;
        if (put(out, &index, 1) == -1 || put(out, &l->n, sizeof(l->n)) == -1)
            return -1;
        for (const struct doc *m = l->first; m; m = m->next)
            if (doc_pack(m, out) == -1)
                return -1;
        h.n_lists++;
    }
    memcpy(out->p + at, &h, sizeof(h));
    return 0;
}

static bool take(struct str *in, void *to, size_t n)
{
    if (in->len < n)
        return false;
    memcpy(to, in->p, n);
    *in = str_from(*in, n);
    return true;
}

bool choices_has(const char *choices, struct str word)
{
    struct str rest = str_of(choices);

    for (;;) {
        ptrdiff_t bar = str_find_char(rest, '|');
        struct str one = str_first(rest, bar < 0 ? rest.len : (size_t)bar);

        if (str_eq(one, word))
            return true;
        if (bar < 0)
            return false;
        rest = str_from(rest, (size_t)bar + 1);
    }
}

struct str choices_list(struct arena *a, const char *choices)
{
    struct str rest = str_of(choices), out;
    struct buf b;

    buf_init(&b, KB(4));
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.p[i] == '|')
            (void)buf_addz(&b, ", ");
        else
            (void)buf_addc(&b, rest.p[i]);
    }
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}

/* [-]digits[.digits], at most 18 significant ones: cheap to see. */
static bool is_canon_decimal(struct str s)
{
    size_t i = s.len && s.p[0] == '-', n = 0;
    bool point = false;

    for (; i < s.len; i++) {
        if (s.p[i] == '.' && n && !point)
            point = true;
        else if (s.p[i] >= '0' && s.p[i] <= '9')
            n++;
        else
            return false;
    }
    return n > 0 && n <= DEC_DIGITS + 1 && s.p[s.len - 1] != '.';
}

/* Is v what a reader may send for field i? The reader parsed hostile bytes. */
static bool is_canonical(const struct shape *s, int i, struct str v)
{
    struct date d;

    switch (shape_type(s, i)) {
    case FT_TEXT:
        return utf8_valid_len(v) == v.len;
    case FT_DECIMAL:
    case FT_PERCENT:
        return is_canon_decimal(v);
    case FT_DATE:
    case FT_DATETIME:
        return date_from_canon(v, &d);
    case FT_BOOL:
        return str_is(v, "yes") || str_is(v, "no");
    case FT_CHOICE:
        return choices_has(shape_spec(s, i)->choices, v);
    }
    return false;
}

static bool unpack_fields(struct doc *d, struct str *in, unsigned n)
{
    while (n--) {
        uint16_t index;
        uint32_t len;
        struct str v;

        if (!take(in, &index, sizeof(index)) || !take(in, &len, sizeof(len)) ||
            index >= d->shape->n_fields || len > in->len)
            return false;
        v = str_first(*in, len);
        if (!is_canonical(d->shape, index, v))
            return false;
        d->f[index] = v;
        *in = str_from(*in, len);
    }
    return true;
}

static bool unpack(struct arena *a, struct doc *d, struct str *in,
                   uint64_t *left);

/* A member takes far more room in memory than an empty one takes in `in`. */
static bool unpack_list(struct arena *a, struct doc *d, struct str *in,
                        uint64_t *left)
{
    uint8_t index;
    uint32_t n;

    if (!take(in, &index, 1) || !take(in, &n, sizeof(n)) ||
        index >= d->shape->n_lists || n > in->len / sizeof(struct packed_head))
        return false;
    if (n > *left)
        return false;
    *left -= n;
    while (n--)
        if (!unpack(a, doc_add(a, d, index), in, left))
            return false;
    return true;
}

static bool unpack(struct arena *a, struct doc *d, struct str *in,
                   uint64_t *left)
{
    struct packed_head h;

    if (!take(in, &h, sizeof(h)))
        return false;
    d->seq = h.seq;
    d->line = h.line;
    d->member = h.member;
    if (!unpack_fields(d, in, h.n_fields))
        return false;
    while (h.n_lists--)
        if (!unpack_list(a, d, in, left))
            return false;
    return true;
}

bool doc_unpack(struct arena *a, const struct shape *s, struct str in,
                uint64_t max_members, struct doc **out)
{
    struct doc *d = doc_new(a, s);

    if (!unpack(a, d, &in, &max_members) || in.len)
        return false;
    *out = d;
    return true;
}
