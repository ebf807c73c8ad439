#include "converters/trade/got.h"

#include <stdlib.h>

#include "converters/trade/facts.h"

enum {
    MAGIC = 'G' | 'O' << 8 | 'T' << 16 | '1' << 24,
    MANY = 1000, /* gone entries below that are no burden */
};

struct head {
    uint32_t magic, mark;
    uint64_t n;
};

/* ---- reading ------------------------------------------------------------- */

struct got_entry got_at(const struct got_table *t, size_t i)
{
    struct got_entry e;

    memcpy(&e, t->entries + i * sizeof(e), sizeof(e));
    return e;
}

struct str got_next_text(struct str *texts)
{
    uint16_t len;
    struct str s;

    memcpy(&len, texts->p, sizeof(len));
    s = str_first(str_from(*texts, sizeof(len)), len);
    *texts = str_from(*texts, sizeof(len) + len);
    return s;
}

static bool is_rising(const struct got_table *t)
{
    for (size_t i = 1; i < t->n; i++)
        if (got_at(t, i - 1).key >= got_at(t, i).key)
            return false;
    return true;
}

static bool texts_fit(struct str texts, size_t n)
{
    uint16_t len;

    for (; n; n--) {
        if (texts.len < sizeof(len))
            return false;
        memcpy(&len, texts.p, sizeof(len));
        if (texts.len - sizeof(len) < len)
            return false;
        texts = str_from(texts, sizeof(len) + len);
    }
    return !texts.len;
}

bool got_open(struct str bytes, struct got_table *out)
{
    struct head h;
    struct got_table t = { 0 };

    *out = t;
    if (!bytes.len)
        return true;
    if (bytes.len < sizeof(h))
        return false;
    memcpy(&h, bytes.p, sizeof(h));
    bytes = str_from(bytes, sizeof(h));
    if (h.magic != MAGIC ||
        h.n > bytes.len / (sizeof(struct got_entry) + sizeof(uint16_t)) ||
        h.n >= UINT32_MAX)
        return false;
    t.n = (size_t)h.n;
    t.mark = h.mark;
    t.entries = bytes.p;
    t.texts = str_from(bytes, t.n * sizeof(struct got_entry));
    if (!texts_fit(t.texts, t.n) || !is_rising(&t))
        return false;
    *out = t;
    return true;
}

/* Some four entries for each place of the index. */
void got_index(struct got_table *t, struct arena *a)
{
    unsigned bits = 1;
    size_t at = 0;

    while (bits < 32 && (t->n >> bits) > 4)
        bits++;
    t->shift = 64 - bits;
    t->first = arena_alloc(a, (((size_t)1 << bits) + 1) * sizeof(*t->first));
    for (size_t i = 0; i < t->n; i++) {
        size_t place = (size_t)(got_at(t, i).key >> t->shift);

        while (at <= place)
            t->first[at++] = (uint32_t)i;
    }
    while (at <= (size_t)1 << bits)
        t->first[at++] = (uint32_t)t->n;
}

ptrdiff_t got_find(const struct got_table *t, uint64_t key)
{
    size_t place = (size_t)(key >> t->shift);

    for (size_t i = t->first[place]; i < t->first[place + 1]; i++)
        if (got_at(t, i).key == key)
            return (ptrdiff_t)i;
    return -1;
}

/* ---- making -------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    uint64_t x = ((const struct got_row *)a)->e.key;
    uint64_t y = ((const struct got_row *)b)->e.key;

    return x < y ? -1 : x > y;
}

static int put(struct buf *out, const void *p, size_t n)
{
    return buf_add(out, (struct str){ p, n });
}

static int put_text(struct buf *out, struct str s)
{
    uint16_t len = (uint16_t)s.len;

    return put(out, &len, sizeof(len)) == -1 ? -1 : buf_add(out, s);
}

static int put_head(struct buf *out, size_t n, uint32_t mark)
{
    struct head h = { .magic = MAGIC, .mark = mark, .n = n };

    return put(out, &h, sizeof(h));
}

int got_make(struct got_row *rows, size_t n, uint32_t mark, struct buf *out)
{
    int rc = put_head(out, n, mark);

    if (n)
        qsort(rows, n, sizeof(*rows), by_key);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = put(out, &rows[i].e, sizeof(rows[i].e));
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = put_text(out, rows[i].text);
    return rc;
}

/* ---- two become one ------------------------------------------------------ */

struct side {
    struct got_table t;
    size_t i;
    struct str texts;
    struct got_entry e; /* the i-th */
};

static void step(struct side *s)
{
    if (++s->i < s->t.n)
        s->e = got_at(&s->t, s->i);
}

static void rewind_to_first(struct side *s)
{
    s->i = 0;
    s->texts = s->t.texts;
    if (s->t.n)
        s->e = got_at(&s->t, 0);
}

/* The next entry of both, in order; `text` only when that is wanted, which
 * walks the texts. */
static bool next(struct side *older, struct side *newer, struct got_entry *e,
                 struct str *text)
{
    bool old = older->i < older->t.n, new = newer->i < newer->t.n;

    if (!old && !new)
        return false;
    if (old && new && older->e.key == newer->e.key) {
        if (text)
            (void)got_next_text(&older->texts);
        step(older);
        old = false;
    }
    if (old && new)
        new = newer->e.key < older->e.key;
    *e = new ? newer->e : older->e;
    if (text)
        *text = got_next_text(new ? &newer->texts : &older->texts);
    step(new ? newer : older);
    return true;
}

/* How many there will be, and whether those that are gone are forgotten. */
static size_t count(struct side *older, struct side *newer, bool *forget)
{
    struct got_entry e;
    size_t n = 0, n_gone = 0;

    rewind_to_first(older);
    rewind_to_first(newer);
    while (next(older, newer, &e, NULL)) {
        n++;
        n_gone += e.value & GOT_GONE;
    }
    *forget = *forget && n_gone > MANY && n_gone > n / 2;
    return *forget ? n - n_gone : n;
}

static int join_texts(struct side *older, struct side *newer, bool forget,
                      struct buf *out)
{
    struct got_entry e;
    struct str text;
    int rc = 0;

    rewind_to_first(older);
    rewind_to_first(newer);
    while (rc == 0 && next(older, newer, &e, &text))
        if (!forget || !(e.value & GOT_GONE))
            rc = put_text(out, text);
    return rc;
}

int got_join(struct str older, struct str newer, bool forget, struct buf *out)
{
    struct side o = { 0 }, n = { 0 };
    struct got_entry e;
    int rc;

    if (!got_open(newer, &n.t))
        return -1;
    /* A damaged one, or one of another ledger: nothing was known. */
    if (!got_open(older, &o.t) || (newer.len && o.t.mark != n.t.mark))
        o.t = (struct got_table){ 0 };
    rc = put_head(out, count(&o, &n, &forget), newer.len ? n.t.mark : o.t.mark);
    rewind_to_first(&o);
    rewind_to_first(&n);
    while (rc == 0 && next(&o, &n, &e, NULL))
        if (!forget || !(e.value & GOT_GONE))
            rc = put(out, &e, sizeof(e));
    return rc == 0 ? join_texts(&o, &n, forget, out) : -1;
}

int got_merge(struct str older, struct str newer, struct buf *out)
{
    return got_join(older, newer, true, out);
}
