#include "converters/lang/group.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/base/hash.h"

/*
 * Closed keys, as hashes. In a scattered file some key soon returns while it is
 * one of the last that were closed: `recent` sees that at once. Whether any
 * other one returned is seen when all are sorted.
 */
enum { RECENT = 4096 };

struct keys {
    uint64_t *recent; /* [RECENT], by hash */
    uint64_t *v, *spare;
    size_t n, cap, max;
    uint64_t *runs; /* where each sorted run in the spill begins, in keys */
    size_t n_runs, cap_runs;
    uint64_t n_spilled;
};

/* SCATTERED: groups in the order of their first row. */
struct scatter {
    struct hash128 *groups;
    uint32_t n_groups, cap_groups;
    uint32_t *slots; /* group number + 1 */
    size_t n_slots;
    uint32_t *group_of; /* [row] */
    uint64_t *offset_of;
    uint32_t n_rows, cap_rows;
    uint64_t size;  /* of the spill */
    struct buf out; /* rows on their way to it */
};

struct group {
    struct item **rows;
    uint32_t n_rows, cap_rows;
    struct buf key, new_key;
    uint64_t hash;   /* of key */
    size_t bytes;    /* of reader->arena when the group began */
    size_t row_text; /* of its rows, as they stand in the file */
    struct keys closed;
    struct scatter sc;
};

enum { SPILL_BUFFER = 1 << 20, FIRST_SLOTS = 1024, FIRST_KEYS = 1024 };

#define ALONE UINT64_MAX

/* ---- faults of the whole file ------------------------------------------- */

static int give_up(struct read_run *rr, const char *what)
{
    return READER_FAIL(rr->reader, FILE_READ, 0, 0,
                       arena_fmt(&rr->faults, "%s: %s", what, strerror(errno)));
}

static int write_spill(struct read_run *rr, const void *p, size_t n)
{
    const char *from = p;

    while (n) {
        ssize_t done = write(rr->spill_fd, from, n);

        if (done > 0) {
            from += done;
            n -= (size_t)done;
        } else if (errno != EINTR) {
            return give_up(rr, "cannot write the temporary file of groups");
        }
    }
    return 0;
}

/* ---- keys --------------------------------------------------------------- */

/* The key's values, each closed by a byte that no value holds. Empty: false. */
static bool row_key(struct read_run *rr, struct item *row, struct buf *key,
                    bool *ok)
{
    bool any = false;

    key->len = 0;
    *ok = true;
    rr->run.ctx = (struct ctx){ .item = row, .cell = -1 };
    arena_reset(&rr->docs);
    for (const struct expr *e = rr->map->group; e; e = e->next) {
        struct val v;

        *ok = eval(&rr->run, e, &v) && *ok;
        if (!*ok)
            return false;
        any = any || !val_is_empty(&v);
        (void)buf_add(key, val_str(&rr->run, &v));
        (void)buf_addc(key, '\0');
    }
    return any;
}

/* Sorts v by eight counting passes, one for each byte; two arrays take turns.
 */
static void keys_sort(struct keys *k)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t at[257] = { 0 };
        uint64_t *to = k->spare;

        for (size_t i = 0; i < k->n; i++)
            at[(k->v[i] >> shift & 255) + 1]++;
        for (size_t b = 0; b < 255; b++)
            at[b + 1] += at[b];
        for (size_t i = 0; i < k->n; i++)
            to[at[k->v[i] >> shift & 255]++] = k->v[i];
        k->spare = k->v;
        k->v = to;
    }
}

/* Sorts them; READ_SCATTERED: one is there twice. */
static int keys_check(struct keys *k)
{
    keys_sort(k);
    for (size_t i = 1; i < k->n; i++)
        if (k->v[i] == k->v[i - 1])
            return READ_SCATTERED;
    return READ_OK;
}

/* There is no more room: they become a sorted run in the spill. */
static int keys_spill(struct read_run *rr, struct keys *k)
{
    int rc = keys_check(k);

    if (rc != READ_OK)
        return rc;
    if (k->n_runs == k->cap_runs) {
        k->cap_runs = k->cap_runs ? 2 * k->cap_runs : 8;
        k->runs = xrealloc(k->runs, k->cap_runs * sizeof(*k->runs));
    }
    k->runs[k->n_runs++] = k->n_spilled;
    k->n_spilled += k->n;
    if (write_spill(rr, k->v, k->n * sizeof(*k->v)) == -1)
        return READ_FAILED;
    k->n = 0;
    return READ_OK;
}

static int keys_add(struct read_run *rr, struct keys *k, uint64_t h)
{
    if (k->n == k->max) {
        int rc = keys_spill(rr, k);

        if (rc != READ_OK)
            return rc;
    }
    if (k->n == k->cap) {
        k->cap = k->cap ? 2 * k->cap : FIRST_KEYS;
        if (k->cap > k->max)
            k->cap = k->max;
        k->v = xrealloc(k->v, k->cap * sizeof(*k->v));
        k->spare = xrealloc(k->spare, k->cap * sizeof(*k->spare));
    }
    k->v[k->n++] = h;
    k->recent[h % RECENT] = h;
    return READ_OK;
}

/* From the spill. 0, or -1 after a fault. */
static int read_at(struct read_run *rr, char *to, size_t n, uint64_t offset)
{
    while (n) {
        ssize_t got = pread(rr->spill_fd, to, n, (off_t)offset);

        if (got > 0) {
            to += got;
            n -= (size_t)got;
            offset += (uint64_t)got;
        } else if (got == 0 || errno != EINTR) {
            if (got == 0)
                errno = EIO;
            return give_up(rr, "cannot read the temporary file of groups");
        }
    }
    return 0;
}

/* A sorted run on its way back, piece by piece. */
struct run_head {
    uint64_t *v; /* the piece at hand */
    size_t n, i;
    uint64_t at, end; /* what comes behind it, in keys of the spill */
};

/* Makes v[i] the next key; *any: there is one. */
static int head_next(struct read_run *rr, struct run_head *h, size_t room,
                     bool *any)
{
    *any = h->i < h->n || h->at < h->end;
    if (h->i < h->n || !*any)
        return 0;
    h->n = h->end - h->at < room ? (size_t)(h->end - h->at) : room;
    h->i = 0;
    h->at += h->n;
    return read_at(rr, (char *)h->v, h->n * sizeof(*h->v),
                   (h->at - h->n) * sizeof(*h->v));
}

/* Does any key stand in two runs? Each run is sorted: look at their heads. */
static int merge_runs(struct read_run *rr, struct run_head *heads, size_t n,
                      size_t room)
{
    uint64_t last = 0;

    for (;;) {
        struct run_head *least = NULL;

        for (struct run_head *h = heads; h < heads + n; h++) {
            bool any;

            if (head_next(rr, h, room, &any) == -1)
                return READ_FAILED;
            if (any && (!least || h->v[h->i] < least->v[least->i]))
                least = h;
        }
        if (!least)
            return READ_OK;
        if (least->v[least->i] == last)
            return READ_SCATTERED;
        last = least->v[least->i++];
    }
}

/* All keys are known: has one returned? */
static int check_keys(struct read_run *rr, struct keys *k)
{
    enum { LEAST_ROOM = 64 };
    int rc = k->n_runs ? keys_spill(rr, k) : keys_check(k);
    struct run_head *heads;
    uint64_t *room;
    size_t each;

    if (rc != READ_OK || !k->n_runs)
        return rc;
    each = k->cap / k->n_runs > LEAST_ROOM ? k->cap / k->n_runs : LEAST_ROOM;
    room = xcalloc(k->n_runs, each * sizeof(*room));
    heads = xcalloc(k->n_runs, sizeof(*heads));
    for (size_t i = 0; i < k->n_runs; i++)
        heads[i] = (struct run_head){
            .v = room + i * each,
            .at = k->runs[i],
            .end = i + 1 < k->n_runs ? k->runs[i + 1] : k->n_spilled,
        };
    free(k->v); /* their memory is needed now */
    free(k->spare);
    k->v = k->spare = NULL;
    rc = merge_runs(rr, heads, k->n_runs, each);
    free(heads);
    free(room);
    return rc;
}

/* ---- TOGETHER ----------------------------------------------------------- */

/* How large is the document so far? Rows count as the file has them: what
 * their cells take in memory is a multiple of that, which the limit of lines
 * bounds. */
static size_t document_size(struct read_run *rr, const struct item *row)
{
    struct group *g = rr->group;

    if (!row->cells)
        return rr->reader->arena.used - g->bytes;
    g->row_text = (g->n_rows ? g->row_text : 0) + row->raw.len;
    return g->row_text;
}

static int add_row(struct read_run *rr, struct item *row)
{
    struct group *g = rr->group;
    size_t size = document_size(rr, row);

    if (g->n_rows >= rr->limits->v[LIMIT_LINES])
        return reader_limit(rr->reader, LIMIT_LINES,
                            "the number of rows of one "
                            "document",
                            row->line, 0);
    if (g->n_rows && size > rr->limits->v[LIMIT_DOCUMENT])
        return reader_limit(rr->reader, LIMIT_DOCUMENT, "one document",
                            row->line, 0);
    if (g->n_rows == g->cap_rows) {
        g->cap_rows = g->cap_rows ? 2 * g->cap_rows : 64;
        g->rows = xrealloc(g->rows, g->cap_rows * sizeof(struct item *));
    }
    g->rows[g->n_rows++] = row;
    return 0;
}

/* READ_*. */
static int close_group(struct read_run *rr)
{
    struct group *g = rr->group;

    if (!g->n_rows)
        return READ_OK;
    read_group(rr, g->rows, g->n_rows);
    g->n_rows = 0;
    return keys_add(rr, &g->closed, g->hash);
}

static void swap_keys(struct group *g)
{
    struct buf b = g->key;

    g->key = g->new_key;
    g->new_key = b;
}

/* Rows that wait in an open group may not keep more than this alive. */
enum { WAIT_MAX = 16 << 20 };

/* A row without key is a document of its own; the open group goes on. */
static int row_alone(struct read_run *rr, struct item *row)
{
    struct group *g = rr->group;
    int rc = READ_OK;

    read_group(rr, &row, 1);
    if (g->n_rows && rr->reader->arena.used - g->bytes > WAIT_MAX)
        rc = close_group(rr);
    if (rc != READ_OK)
        return rc;
    if (!g->n_rows)
        arena_reset(&rr->reader->arena);
    return rr->stop ? READ_STOPPED : 0;
}

static int together(struct read_run *rr, struct item *row)
{
    struct group *g = rr->group;
    bool ok, has_key = row_key(rr, row, &g->new_key, &ok);
    uint64_t hash;
    int rc;

    if (!ok) {
        read_faulty_row(rr, row);
        return 0;
    }
    if (!has_key)
        return row_alone(rr, row);
    if (g->n_rows && g->key.len == g->new_key.len &&
        memcmp(g->key.p, g->new_key.p, g->key.len) == 0)
        return add_row(rr, row);
    hash = hash64(buf_str(&g->new_key));
    if (g->closed.recent[hash % RECENT] == hash)
        return READ_SCATTERED;
    rc = close_group(rr);
    if (rc != READ_OK)
        return rc;
    g->hash = hash;
    arena_drop_before(&rr->reader->arena, row->mark);
    g->bytes = rr->reader->arena.used;
    swap_keys(g);
    if (add_row(rr, row) == -1)
        return READ_FAILED;
    return rr->stop ? READ_STOPPED : 0;
}

/* ---- SCATTERED ---------------------------------------------------------- */

static uint32_t *group_slot(const struct scatter *s, struct hash128 h)
{
    size_t i = h.lo & (s->n_slots - 1);

    while (s->slots[i] && (s->groups[s->slots[i] - 1].lo != h.lo ||
                           s->groups[s->slots[i] - 1].hi != h.hi))
        i = (i + 1) & (s->n_slots - 1);
    return &s->slots[i];
}

static void grow_groups(struct scatter *s)
{
    free(s->slots);
    s->n_slots = s->n_slots ? 2 * s->n_slots : FIRST_SLOTS;
    s->slots = xcalloc(s->n_slots, sizeof(*s->slots));
    for (uint32_t g = 0; g < s->n_groups; g++)
        if (s->groups[g].hi != ALONE)
            *group_slot(s, s->groups[g]) = g + 1;
}

/* The group with that key; a row without key (hi is ALONE) opens a new one
 * that nobody finds again. */
static uint32_t group_number(struct scatter *s, struct hash128 h)
{
    uint32_t *slot = NULL;

    if (4 * (size_t)(s->n_groups + 1) > 3 * s->n_slots)
        grow_groups(s);
    if (h.hi != ALONE) {
        slot = group_slot(s, h);
        if (*slot)
            return *slot - 1;
    }
    if (s->n_groups == s->cap_groups) {
        s->cap_groups =
            s->cap_groups ? s->cap_groups + s->cap_groups / 2 : FIRST_SLOTS;
        s->groups = xrealloc(s->groups, s->cap_groups * sizeof(*s->groups));
    }
    s->groups[s->n_groups++] = h;
    if (slot)
        *slot = s->n_groups;
    return s->n_groups - 1;
}

static int flush_spill(struct read_run *rr, struct scatter *s)
{
    int rc = write_spill(rr, s->out.p, s->out.len);

    s->out.len = 0;
    return rc;
}

static int scatter_row(struct read_run *rr, struct item *row)
{
    struct group *g = rr->group;
    struct scatter *s = &g->sc;
    bool ok, has_key = row_key(rr, row, &g->new_key, &ok);
    struct hash128 h = { 0, ALONE };
    size_t before = s->out.len;

    if (!ok) {
        read_faulty_row(rr, row);
        arena_reset(&rr->reader->arena);
        return 0;
    }
    if (has_key)
        h = hash128(buf_str(&g->new_key));
    if (has_key && h.hi == ALONE)
        h.hi--;
    if (s->n_rows == s->cap_rows) {
        s->cap_rows = s->cap_rows ? s->cap_rows + s->cap_rows / 2 : 4096;
        s->group_of = xrealloc(s->group_of, s->cap_rows * sizeof(uint32_t));
        s->offset_of = xrealloc(s->offset_of, s->cap_rows * sizeof(uint64_t));
    }
    s->group_of[s->n_rows] = group_number(s, h);
    s->offset_of[s->n_rows++] = s->size;
    if (item_pack(row, rr->reader->n_cells, &s->out) == -1)
        return reader_limit(rr->reader, LIMIT_DOCUMENT, "one record", row->line,
                            0);
    s->size += s->out.len - before;
    arena_reset(&rr->reader->arena);
    return s->out.len < SPILL_BUFFER ? 0 : flush_spill(rr, s);
}

/* Row numbers sorted by group, stable: a counting sort. */
static uint32_t *sort_rows(const struct scatter *s, uint32_t **first)
{
    uint32_t *at = xcalloc((size_t)s->n_groups + 1, sizeof(*at));
    uint32_t *order = xcalloc(s->n_rows, sizeof(*order));

    for (uint32_t i = 0; i < s->n_rows; i++)
        at[s->group_of[i] + 1]++;
    for (uint32_t g = 0; g < s->n_groups; g++)
        at[g + 1] += at[g];
    for (uint32_t i = 0; i < s->n_rows; i++)
        order[at[s->group_of[i]]++] = i;
    /* at[g] is now where group g ends. */
    *first = at;
    return order;
}

/*
 * The spill is larger than the file: it is not mapped, which would count as
 * memory of the process. Rows of one group often stand near each other.
 */
struct spill {
    char *p;
    uint64_t at; /* where in the spill p begins */
    size_t len;
};

enum { SPILL_AHEAD = 4096, SPILL_NEAR = 4 * SPILL_AHEAD };

/* A row as it was packed, in the reader's arena; NULL: it cannot be read. */
static struct item *spilled_row(struct read_run *rr, struct spill *spill,
                                uint32_t row)
{
    const struct scatter *s = &rr->group->sc;
    uint64_t from = s->offset_of[row],
             to = row + 1 < s->n_rows ? s->offset_of[row + 1] : s->size;
    size_t n = (size_t)(to - from);
    char *packed = arena_text(&rr->reader->arena, n);

    if (n > SPILL_AHEAD) {
        if (read_at(rr, packed, n, from) == -1)
            return NULL;
        return item_unpack(&rr->reader->arena, (struct str){ packed, n });
    }
    if (from < spill->at || to > spill->at + spill->len) {
        /* Scattered without any order, what lies behind a row is no use. */
        if (from - spill->at > SPILL_NEAR)
            spill->len = n;
        else
            spill->len = s->size - from < SPILL_AHEAD ? (size_t)(s->size - from)
                                                      : SPILL_AHEAD;
        spill->at = from;
        if (read_at(rr, spill->p, spill->len, from) == -1)
            return NULL;
    }
    memcpy(packed, spill->p + (from - spill->at), n);
    return item_unpack(&rr->reader->arena, (struct str){ packed, n });
}

static int read_back(struct read_run *rr, struct spill *spill)
{
    struct group *g = rr->group;
    struct scatter *s = &g->sc;
    uint32_t *end, *order = sort_rows(s, &end), i = 0;
    int rc = READ_OK;

    for (uint32_t k = 0; rc == READ_OK && k < s->n_groups; k++) {
        arena_reset(&rr->reader->arena);
        g->n_rows = 0;
        g->bytes = 0;
        for (; rc == READ_OK && i < end[k]; i++) {
            struct item *item = spilled_row(rr, spill, order[i]);

            rc = item ? add_row(rr, item) : READ_FAILED;
        }
        if (rc == READ_OK)
            read_group(rr, g->rows, g->n_rows);
        if (rr->stop)
            rc = READ_STOPPED;
    }
    free(order);
    free(end);
    return rc;
}

static int scatter_end(struct read_run *rr)
{
    struct scatter *s = &rr->group->sc;
    struct spill spill = { 0 };
    int rc;

    if (flush_spill(rr, s) == -1)
        return READ_FAILED;
    if (!s->n_rows)
        return READ_OK;
    free(s->slots); /* the hashes have done their work */
    free(s->groups);
    s->slots = NULL;
    s->groups = NULL;
    spill.p = xcalloc(1, SPILL_AHEAD);
    rc = read_back(rr, &spill);
    free(spill.p);
    return rc;
}

/* ---- one file ----------------------------------------------------------- */

void group_begin(struct read_run *rr)
{
    struct group *g = xcalloc(1, sizeof(*g));

    buf_init(&g->key, MB(1));
    buf_init(&g->new_key, MB(1));
    buf_init(&g->sc.out,
             rr->limits->v[LIMIT_DOCUMENT] + (uint64_t)2 * SPILL_BUFFER);
    g->closed.recent = xcalloc(RECENT, sizeof(uint64_t));
    g->closed.max = rr->limits->v[LIMIT_GROUP_KEYS] / (2 * sizeof(uint64_t));
    if (g->closed.max < 2)
        g->closed.max = 2;
    rr->group = g;
    if (rr->spill_fd >= 0 && rr->map->group &&
        (ftruncate(rr->spill_fd, 0) == -1 ||
         lseek(rr->spill_fd, 0, SEEK_SET) == -1))
        rr->spill_fd = -1;
}

int group_record(void *ctx, struct item *row)
{
    struct read_run *rr = ctx;

    if (rr->map->group && rr->reader->root)
        row->context = item_copy(&rr->reader->arena, rr->reader->root);
    if (rr->map->group)
        return rr->scattered ? scatter_row(rr, row) : together(rr, row);
    read_group(rr, &row, 1);
    arena_reset(&rr->reader->arena);
    return rr->stop ? READ_STOPPED : 0;
}

int group_end(struct read_run *rr)
{
    int rc;

    if (!rr->map->group)
        return READ_OK;
    if (rr->scattered)
        return scatter_end(rr);
    rc = close_group(rr);
    if (rc == READ_OK)
        rc = check_keys(rr, &rr->group->closed);
    return rr->stop ? READ_STOPPED : rc;
}

void group_free(struct read_run *rr)
{
    struct group *g = rr->group;

    free(g->rows);
    buf_release(&g->key);
    buf_release(&g->new_key);
    free(g->closed.recent);
    free(g->closed.v);
    free(g->closed.spare);
    free(g->closed.runs);
    free(g->sc.slots);
    free(g->sc.groups);
    free(g->sc.group_of);
    free(g->sc.offset_of);
    buf_release(&g->sc.out);
    free(g);
    rr->group = NULL;
}
