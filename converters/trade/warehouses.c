/*
 * warehouses.c - `warehouses A, B`: the stock of an article in these warehouses
 * as one record.
 *
 *   record of warehouse A, 3     \
 *   record of warehouse B, 4      >  record, 7; level A, 3; level B, 4
 *   record of warehouse C, 9     /   (C is left out)
 *
 * Quantities are sums; what else a record has is the first one's that has it,
 * but for the warehouse: it is of none now. Levels stand in the order of the
 * line, so that nothing changes when the ERP lists its warehouses in another
 * one. A record that comes with levels of its own is filtered and summed.
 *
 * Nobody knows which record of an article is the last one. So all wait on disk,
 * in a file without a name, and are joined when all have come, in the order of
 * the first of each. In memory is an index: 64 to 100 bytes for a record.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/base/decimal.h"
#include "converters/base/hash.h"
#include "converters/trade/rules.h"

enum {
    MAX_WAREHOUSES = 64,
    FIRST_SLOTS = 1024,
    WRITE_AT = 1 << 20,
    WINDOWS = 16,
    WINDOW_SIZE = 1 << 16,
};

struct own {
    struct str names[MAX_WAREHOUSES];
    size_t n;
};

/* A record that waits. */
struct waiting {
    uint64_t at;
    uint32_t len;
    uint32_t next; /* of the same article: index + 1 */
};

struct article {
    struct hash128 key;
    uint32_t first, last; /* pieces, index + 1 */
};

/* A part of the file: records of one article often stand in as many places as
 * there are warehouses, each of which is read on from. */
struct window {
    uint64_t at, used;
    size_t len;
    char *p;
};

/* Fields of a record, and the same of a level. */
enum amount { QUANTITY, RESERVED, FREE, N_AMOUNTS };
struct fields {
    int warehouse, amounts[N_AMOUNTS];
};

struct state {
    struct fields doc, level;
    int sku, ean, incoming, list;
    int fd;
    uint64_t size; /* of the file, without `out` */
    struct buf out;
    struct waiting *pieces;
    size_t n_pieces, cap_pieces;
    struct article *articles;
    size_t n_articles, cap_articles;
    uint32_t *slots; /* article + 1 */
    size_t n_slots;
    struct window windows[WINDOWS];
    uint64_t clock;
};

/* ---- the line -------------------------------------------------------------
 */

/* Up to the next comma, or a quoted name. */
static bool take_name(struct trade_parser *p, const struct oline *l,
                      struct str *rest, struct str *name)
{
    ptrdiff_t comma;

    *rest = str_trim(*rest);
    if (rest->len && rest->p[0] == '"') {
        if (!oline_word(p->conf->arena, l, rest, name, p->diags))
            return false;
    } else {
        comma = str_find_char(*rest, ',');
        *name =
            str_trim(str_first(*rest, comma < 0 ? rest->len : (size_t)comma));
        if (str_find_char(*name, ' ') >= 0) /* a comma is missing, perhaps */
            return false;
        *rest = str_from(*rest, comma < 0 ? rest->len : (size_t)comma);
    }
    *rest = str_trim(*rest);
    return name->len > 0;
}

static bool is_named(const struct own *own, struct str name)
{
    for (size_t i = 0; i < own->n; i++)
        if (str_eq(own->names[i], name))
            return true;
    return false;
}

static void p_warehouses(struct trade_parser *p, const struct oline *l,
                         struct str rest)
{
    static const char what[] = "warehouses";
    static const char wanted[] = "wants names, joined by commas; one with "
                                 "blanks stands in double quotes";
    struct own *own = trade_own(p, sizeof(*own));
    struct str name;

    for (;;) {
        if (!take_name(p, l, &rest, &name)) {
            trade_wrong(p, l, l->text, what, wanted);
            return;
        }
        if (own->n == MAX_WAREHOUSES)
            trade_wrong(p, l, name, what, "names too many");
        else if (is_named(own, name))
            trade_wrong(p, l, name, what, "names it twice");
        else
            own->names[own->n++] = name;
        if (!rest.len)
            return;
        if (rest.p[0] != ',') {
            trade_wrong(p, l, rest, what, wanted);
            return;
        }
        rest = str_from(rest, 1);
    }
}

static const struct trade_word words[] = {
    { .name = "warehouses", .parse = p_warehouses },
    { .name = NULL },
};

static bool serves(const struct trade_site *s, const void *own,
                   struct diags *diags)
{
    (void)diags;
    return own && trade_is(s, "stock");
}

/* ---- waiting on disk --------------------------------------------------------
 */

static struct fields fields_of(struct shape *s)
{
    return (struct fields){
        .warehouse = trade_field(s, "warehouse"),
        .amounts = { [QUANTITY] = trade_field(s, "quantity"),
                     [RESERVED] = trade_field(s, "reserved"),
                     [FREE] = trade_field(s, "free") },
    };
}

static void begin(struct trade *t, void *state, const void *own)
{
    struct shape *shape = t->site->shape;
    struct state *s = state;

    (void)own;
    s->list = shape_list(shape, STR("level"));
    s->doc = fields_of(shape);
    s->level = fields_of(shape->lists[s->list]);
    s->sku = trade_field(shape, "sku");
    s->ean = trade_field(shape, "ean");
    s->incoming = trade_field(shape, "incoming");
    s->fd = t->hooks.temporary(t->hooks.ctx);
    buf_init(&s->out, SIZE_MAX / 2);
}

static void release(void *state)
{
    struct state *s = state;

    if (s->fd != -1)
        close(s->fd);
    for (size_t i = 0; i < WINDOWS; i++)
        free(s->windows[i].p);
    buf_release(&s->out);
    free(s->pieces);
    free(s->articles);
    free(s->slots);
}

static void flush(struct trade *t, struct state *s)
{
    struct str rest = buf_str(&s->out);

    while (s->fd != -1 && rest.len) {
        ssize_t n = pwrite(s->fd, rest.p, rest.len, (off_t)s->size);

        if (n > 0) {
            s->size += (uint64_t)n;
            rest = str_from(rest, (size_t)n);
        } else if (errno != EINTR) {
            t->hooks.fail(t->hooks.ctx, "cannot write a temporary file");
            break;
        }
    }
    buf_clear(&s->out);
}

static uint32_t *slot_of(const struct state *s, struct hash128 key)
{
    size_t i = (size_t)key.lo & (s->n_slots - 1);
    uint32_t at;

    while ((at = s->slots[i]) != 0 && (s->articles[at - 1].key.lo != key.lo ||
                                       s->articles[at - 1].key.hi != key.hi))
        i = (i + 1) & (s->n_slots - 1);
    return &s->slots[i];
}

static void grow(struct state *s)
{
    s->n_slots = s->n_slots ? 2 * s->n_slots : FIRST_SLOTS;
    s->cap_articles = s->n_slots / 2;
    s->articles = xrealloc(s->articles, s->cap_articles * sizeof(*s->articles));
    free(s->slots);
    s->slots = xcalloc(s->n_slots, sizeof(*s->slots));
    for (size_t i = 0; i < s->n_articles; i++)
        *slot_of(s, s->articles[i].key) = (uint32_t)i + 1;
}

/* The article of that key; one without a key stands for itself. */
static struct article *article_of(struct state *s, struct str key)
{
    struct hash128 h =
        key.len ? hash128(key) : (struct hash128){ .lo = s->n_pieces };
    uint32_t *slot;

    if (s->n_articles == s->cap_articles)
        grow(s);
    slot = slot_of(s, h);
    if (!*slot) {
        s->articles[s->n_articles] = (struct article){ .key = h };
        *slot = (uint32_t)++s->n_articles;
    }
    return &s->articles[*slot - 1];
}

static void hold(struct trade *t, struct state *s, const struct doc *d)
{
    struct str sku = doc_text(d, s->sku);
    struct article *a = article_of(s, sku.len ? sku : doc_text(d, s->ean));
    struct waiting *p;
    size_t at = s->out.len;

    if (s->n_pieces == s->cap_pieces) {
        s->cap_pieces = s->cap_pieces ? 2 * s->cap_pieces : FIRST_SLOTS;
        s->pieces = xrealloc(s->pieces, s->cap_pieces * sizeof(*s->pieces));
    }
    (void)doc_pack(d, &s->out);
    p = &s->pieces[s->n_pieces++];
    *p = (struct waiting){ .at = s->size + at,
                           .len = (uint32_t)(s->out.len - at) };
    if (a->last)
        s->pieces[a->last - 1].next = (uint32_t)s->n_pieces;
    else
        a->first = (uint32_t)s->n_pieces;
    a->last = (uint32_t)s->n_pieces;
    if (s->out.len >= WRITE_AT)
        flush(t, s);
}

/* ---- taking
 * ------------------------------------------------------------------
 */

/* What was computed is computed again of the sums. */
static void drop_computed(struct doc *d, const struct fields *f)
{
    for (int i = 0; i < N_AMOUNTS; i++) {
        int field = f->amounts[i];

        if (field >= 0 && d->computed >> field & 1)
            d->f[field] = STR("");
    }
}

static void filter_levels(struct state *s, const struct own *own, struct doc *d)
{
    struct doc_list *l = &d->lists[s->list];
    struct doc **to = &l->first;

    l->last = NULL;
    l->n = 0;
    for (struct doc *m = l->first; m; m = m->next)
        if (is_named(own, doc_text(m, s->level.warehouse))) {
            drop_computed(m, &s->level);
            *to = m;
            to = &m->next;
            l->last = m;
            l->n++;
        }
    *to = NULL;
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    static const char other[] = "of other warehouses";
    struct state *s = state;

    if (d->lists[s->list].n) {
        filter_levels(s, own, d);
        if (!d->lists[s->list].n)
            return trade_skip(t, other);
    } else if (!is_named(own, doc_text(d, s->doc.warehouse))) {
        return trade_skip(t, other);
    }
    drop_computed(d, &s->doc);
    hold(t, s, d);
    return TRADE_HELD;
}

/* ---- reading back
 * ------------------------------------------------------------
 */

static bool read_at(struct trade *t, struct state *s, uint64_t at, char *to,
                    size_t want, size_t *got)
{
    *got = 0;
    while (*got < want) {
        ssize_t n = pread(s->fd, to + *got, want - *got, (off_t)(at + *got));

        if (n == 0)
            return true;
        if (n > 0) {
            *got += (size_t)n;
        } else if (errno != EINTR) {
            t->hooks.fail(t->hooks.ctx, "cannot read a temporary file");
            return false;
        }
    }
    return true;
}

/* The window that holds these bytes, filled anew if none does. */
static struct window *window_of(struct trade *t, struct state *s, uint64_t at,
                                size_t len)
{
    struct window *w = s->windows;

    for (size_t i = 0; i < WINDOWS; i++) {
        struct window *x = &s->windows[i];

        if (at >= x->at && at + len <= x->at + x->len) {
            w = x;
            break;
        }
        if (x->used < w->used)
            w = x;
    }
    w->used = ++s->clock;
    if (at >= w->at && at + len <= w->at + w->len)
        return w;
    if (!w->p)
        w->p = xrealloc(NULL, WINDOW_SIZE);
    w->at = at;
    return read_at(t, s, at, w->p, WINDOW_SIZE, &w->len) && w->len >= len
               ? w
               : NULL;
}

/* NULL: it failed, which was told. */
static struct doc *read_piece(struct trade *t, struct state *s,
                              const struct waiting *p)
{
    char *copy = arena_text(t->docs, p->len);
    const struct window *w;
    struct doc *d;
    size_t got;

    if (p->len > WINDOW_SIZE) {
        if (!read_at(t, s, p->at, copy, p->len, &got) || got != p->len)
            return NULL;
    } else {
        w = window_of(t, s, p->at, p->len);
        if (!w)
            return NULL;
        memcpy(copy, w->p + (p->at - w->at), p->len);
    }
    if (doc_unpack(t->docs, t->site->shape, (struct str){ copy, p->len },
                   UINT64_MAX, &d))
        return d;
    t->hooks.fail(t->hooks.ctx, "a temporary file is damaged");
    return NULL;
}

/* ---- joining ----------------------------------------------------------------
 */

struct sum {
    bool there, over;
    struct dec x;
};

/* Of one warehouse of the line, or of all. */
struct sums {
    bool there;
    struct sum of[N_AMOUNTS];
};

static void add(struct sum *s, struct str text)
{
    struct dec x;

    if (!text.len || !dec_from_canon(text, &x))
        return;
    if (s->there && !dec_add(s->x, x, &x))
        s->over = true;
    s->there = true;
    s->x = x;
}

static void add_amounts(struct sums *s, const struct doc *d,
                        const struct fields *f)
{
    s->there = true;
    for (int i = 0; i < N_AMOUNTS; i++)
        add(&s->of[i], doc_text(d, f->amounts[i]));
}

static void add_piece(struct state *s, const struct own *own, struct sums *sums,
                      const struct doc *d)
{
    size_t i = 0;

    if (!d->lists[s->list].n) {
        while (!str_eq(own->names[i], doc_text(d, s->doc.warehouse)))
            i++;
        add_amounts(&sums[i], d, &s->doc);
        return;
    }
    for (const struct doc *m = d->lists[s->list].first; m; m = m->next) {
        i = 0;
        while (!str_eq(own->names[i], doc_text(m, s->level.warehouse)))
            i++;
        add_amounts(&sums[i], m, &s->level);
    }
}

static bool put_sum(struct trade *t, struct doc *d, int field,
                    const struct sum *s)
{
    d->f[field] = s->there ? dec_text(t->docs, s->x) : STR("");
    if (s->there)
        d->computed &= ~((uint64_t)1 << field);
    return !s->over;
}

/* free is computed where no source has told it. */
static bool put_amounts(struct trade *t, struct doc *d, const struct fields *f,
                        struct sums *s)
{
    struct sum *free = &s->of[FREE];
    bool ok = true, computes = !free->there && s->of[QUANTITY].there;

    if (computes)
        free->there = dec_sub(s->of[QUANTITY].x,
                              s->of[RESERVED].there ? s->of[RESERVED].x
                                                    : (struct dec){ 0 },
                              &free->x);
    for (int i = 0; i < N_AMOUNTS; i++)
        ok = put_sum(t, d, f->amounts[i], &s->of[i]) && ok;
    if (computes)
        d->computed |= (uint64_t)1 << f->amounts[FREE];
    return ok;
}

/* Levels in the order of the line, and over all of them the sums. */
static bool put_levels(struct trade *t, struct state *s, const struct own *own,
                       struct sums *sums, struct doc *d)
{
    struct sums all = { 0 };
    bool computed = true, ok = true;

    d->lists[s->list] = (struct doc_list){ 0 };
    for (size_t i = 0; i < own->n; i++) {
        struct doc *m;

        if (!sums[i].there)
            continue;
        m = doc_add(t->docs, d, s->list);
        m->line = d->line;
        m->member = d->member;
        m->f[s->level.warehouse] = own->names[i];
        ok = put_amounts(t, m, &s->level, &sums[i]) && ok;
        computed = computed && m->computed >> s->level.amounts[FREE] & 1;
        add_amounts(&all, m, &s->level);
    }
    ok = put_amounts(t, d, &s->doc, &all) && ok;
    if (computed)
        d->computed |= (uint64_t)1 << s->doc.amounts[FREE];
    return ok;
}

/* What it lacks the others may have. */
static void fill(struct doc *d, const struct doc *from)
{
    for (int i = 0; i < d->shape->n_fields; i++)
        if (!d->f[i].len)
            d->f[i] = from->f[i];
}

static bool join(struct trade *t, struct state *s, const struct own *own,
                 const struct article *a)
{
    struct sums sums[MAX_WAREHOUSES] = { 0 };
    struct sum incoming = { 0 };
    struct doc *d = NULL;
    bool ok;

    arena_reset(t->docs);
    for (uint32_t i = a->first; i; i = s->pieces[i - 1].next) {
        struct doc *one = read_piece(t, s, &s->pieces[i - 1]);

        if (!one)
            return false;
        add_piece(s, own, sums, one);
        add(&incoming, doc_text(one, s->incoming));
        if (d) {
            fill(d, one);
            trade_skip_held(t, "joined with that of another warehouse");
        } else {
            d = one;
        }
    }
    if (!d)
        return true;
    ok = put_levels(t, s, own, sums, d);
    ok = put_sum(t, d, s->incoming, &incoming) && ok;
    d->f[s->doc.warehouse] = STR("");
    if (!ok) {
        TRADE_FAULT(t, d, s->doc.amounts[QUANTITY], NUMBER_OVERFLOW,
                    STR("the sum over the warehouses"), STR(""));
        trade_aside_held(t, d);
    } else {
        trade_pass_on(t, &rule_warehouses, d);
    }
    return true;
}

static void end(struct trade *t, void *state, const void *own)
{
    struct state *s = state;

    flush(t, s);
    for (size_t i = 0; i < s->n_articles; i++)
        if (s->fd == -1 || !join(t, s, own, &s->articles[i]))
            break;
}

const struct trade_rule rule_warehouses = {
    .name = "warehouses",
    .help = "joins the stock of several warehouses",
    .words = words,
    .fits = "stock",
    .serves = serves,
    .state = sizeof(struct state),
    .begin = begin,
    .take = take,
    .end = end,
    .release = release,
};
