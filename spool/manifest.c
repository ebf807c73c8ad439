#include "spool/manifest.h"

#include <stdio.h>
#include <unistd.h>

#include "spool/files.h"
#include "spool/ledger_inside.h"
#include "spool/stamp.h"

enum { MANIFEST_MAX = 256 << 20 };

/* ---- writing ------------------------------------------------------------ */

/* A value must not end its line or its column. */
static void text(struct buf *b, struct str s)
{
    buf_addc(b, '\t');
    for (size_t i = 0; i < s.len; i++)
        buf_addc(b, (unsigned char)s.p[i] < ' ' ? ' ' : s.p[i]);
}

static void number(struct buf *b, uint64_t n)
{
    buf_addf(b, "\t%llu", (unsigned long long)n);
}

static void time_of(struct buf *b, int64_t t)
{
    char stamp[STAMP_LEN + 1];

    stamp_of(t, stamp);
    text(b, str_of(stamp));
}

static void add_claim(struct buf *b, const struct manifest *m)
{
    const struct claim *c = &m->claim;

    buf_addz(b, "claim");
    text(b, str_of(c->id));
    text(b, c->partner);
    text(b, c->folder);
    number(b, m->first_job);
    buf_addz(b, "\nseen");
    number(b, c->seen.dev);
    number(b, c->seen.ino);
    number(b, (uint64_t)c->seen.mtime_ns);
    number(b, (uint64_t)c->seen.ctime_ns);
    buf_addz(b, "\norder");
    number(b, c->seq);
}

static void add_receipt(struct buf *b, const struct receipt *r)
{
    const uint64_t n[] = { r->n.n_read,     r->n.n_written,  r->n.n_aside,
                           r->n.n_skipped,  r->n.n_filtered, r->n.n_warnings,
                           r->n.n_replaced, r->same_as };

    buf_addz(b, "\njob");
    number(b, r->job);
    text(b, str_of(r->id));
    text(b, str_of(receipt_state_names[r->state]));
    number(b, r->once);
    number(b, r->test);
    buf_addz(b, "\nroute");
    text(b, r->route);
    buf_addz(b, "\nfile");
    text(b, r->name);
    number(b, r->size);
    text(b, str_of(r->sha256));
    buf_addz(b, "\ntimes");
    time_of(b, r->taken_at);
    time_of(b, r->run_time);
    time_of(b, r->converted_at);
    buf_addz(b, "\nrun");
    text(b, r->run_id);
    if (r->only.len) {
        buf_addz(b, "\nonly");
        text(b, r->only);
    }
    if (r->full)
        buf_addz(b, "\nfull");
    buf_addz(b, "\ncounts");
    for (size_t i = 0; i < COUNT(n); i++)
        number(b, n[i]);
    buf_addz(b, "\nsummary");
    text(b, r->summary);
    buf_addz(b, "\nwhy");
    text(b, r->why);
    for (struct str rest = r->maps; rest.len;) {
        ptrdiff_t nl = str_find_char(rest, '\n');
        struct str one = str_first(rest, nl < 0 ? rest.len : (size_t)nl);

        buf_addz(b, "\nmap");
        text(b, one);
        rest = str_from(rest, one.len + 1);
    }
    for (size_t i = 0; i < r->n_counters; i++) {
        buf_addz(b, "\ncounter");
        number(b, (uint64_t)r->counters[i].value);
        text(b, r->counters[i].name);
    }
}

static void add_delivery(struct buf *b, const struct delivery *d)
{
    buf_addz(b, "\ndelivery");
    text(b, str_of(d->id));
    text(b, str_of(out_kind_names[d->kind]));
    number(b, d->bytes);
    text(b, str_of(d->sha256));
    number(b, d->n_documents);
    number(b, d->replace);
    text(b, d->path);
    text(b, d->partner);
    text(b, d->folder);
    text(b, d->name);
    number(b, d->stage);
}

int manifest_write(int dir_fd, const struct manifest *m, struct err *e)
{
    struct buf b;
    int rc;

    buf_init(&b, MANIFEST_MAX);
    add_claim(&b, m);
    add_receipt(&b, &m->receipt);
    for (size_t i = 0; i < m->n; i++)
        add_delivery(&b, &m->deliveries[i]);
    rc = buf_addz(&b, "\nend\n");
    unlinkat(dir_fd, MANIFEST_FILE, 0);
    if (rc == 0)
        rc = file_create(dir_fd, MANIFEST_FILE, buf_str(&b), 0600);
    buf_release(&b);
    return rc == 0 ? 0 : err_sys(e, ERR_RETRY, "cannot write the manifest");
}

int manifest_leave(struct ledger *l, int dir_fd, const struct receipt *r,
                   const struct delivery *d, size_t n, struct err *e)
{
    const struct ledger_find mine = { .claim = r->claim };
    struct manifest m = { .receipt = *r, .n = n };
    struct arena a = { 0 };
    struct receipt *all;
    struct claim *c;
    size_t n_all;
    int rc = ledger_find_claim(l, r->claim, &a, &c, e);

    if (rc == 0)
        rc = ledger_receipts(l, &mine, &a, &all, &n_all, e);
    if (rc == 0 && (!c || n_all == 0))
        rc = err_set(e, ERR_STOP, "ledger: job %llu is of no claim",
                     (unsigned long long)r->job);
    if (rc == 0) {
        m.claim = *c;
        m.first_job = all[0].job;
        m.deliveries = arena_alloc(&a, (n + 1) * sizeof(*d));
        if (n)
            memcpy(m.deliveries, d, n * sizeof(*d));
        rc = manifest_write(dir_fd, &m, e);
    }
    arena_release(&a);
    return rc;
}

/* ---- reading ------------------------------------------------------------ */

/* A line that is being taken apart; ok turns false for good. */
struct line {
    struct str rest;
    bool ok;
    struct arena *a;
};

static struct str next(struct line *l)
{
    ptrdiff_t tab = l->rest.p ? str_find_char(l->rest, '\t') : -1;
    struct str out = l->rest;

    if (!l->rest.p) {
        l->ok = false;
        return STR("");
    }
    if (tab < 0) {
        l->rest = (struct str){ NULL, 0 };
        return out;
    }
    l->rest = str_from(l->rest, (size_t)tab + 1);
    return str_first(out, (size_t)tab);
}

static uint64_t next_number(struct line *l)
{
    uint64_t n = 0;

    l->ok = str_to_uint(next(l), UINT64_MAX, &n) && l->ok;
    return n;
}

/* A text of exactly `size` bytes, into an array with room for a NUL. */
static void next_id(struct line *l, char *out, size_t size)
{
    struct str s = next(l);

    l->ok = l->ok && s.len == size;
    s = str_first(s, size);
    str_copy(out, s);
    out[s.len] = '\0';
}

static int64_t next_time(struct line *l)
{
    return stamp_read(arena_cstr(l->a, next(l)));
}

static int next_word(struct line *l, const char *const *names, int n)
{
    struct str s = next(l);

    for (int i = 0; i < n; i++)
        if (str_is(s, names[i]))
            return i;
    l->ok = false;
    return 0;
}

static void r_claim(struct line *l, struct manifest *m)
{
    next_id(l, m->claim.id, ID_HEX);
    memcpy(m->receipt.claim, m->claim.id, sizeof(m->claim.id));
    m->claim.partner = m->receipt.partner = next(l);
    m->claim.folder = next(l);
    m->first_job = next_number(l);
    m->claim.seq = m->first_job; /* as it was before there was such a line */
}

static void r_seen(struct line *l, struct manifest *m)
{
    m->claim.seen.dev = next_number(l);
    m->claim.seen.ino = next_number(l);
    m->claim.seen.mtime_ns = (int64_t)next_number(l);
    m->claim.seen.ctime_ns = (int64_t)next_number(l);
}

static void r_order(struct line *l, struct manifest *m)
{
    m->claim.seq = next_number(l);
}

static void r_job(struct line *l, struct manifest *m)
{
    m->receipt.job = next_number(l);
    next_id(l, m->receipt.id, ID_HEX);
    m->receipt.state =
        (enum receipt_state)next_word(l, receipt_state_names, N_RECEIPT_STATES);
    m->receipt.once = next_number(l) != 0;
    m->receipt.test = next_number(l) != 0;
}

static void r_route(struct line *l, struct manifest *m)
{
    m->receipt.route = next(l);
}

static void r_file(struct line *l, struct manifest *m)
{
    m->claim.name = m->receipt.name = next(l);
    m->claim.seen.size = m->receipt.size = next_number(l);
    next_id(l, m->receipt.sha256, HASH_HEX);
    memcpy(m->claim.sha256, m->receipt.sha256, sizeof(m->claim.sha256));
}

static void r_times(struct line *l, struct manifest *m)
{
    m->claim.taken_at = m->receipt.taken_at = next_time(l);
    m->claim.claimed_at = m->claim.taken_at;
    m->receipt.run_time = next_time(l);
    m->receipt.converted_at = next_time(l);
}

static void r_run(struct line *l, struct manifest *m)
{
    m->receipt.run_id = next(l);
}

static void r_only(struct line *l, struct manifest *m)
{
    m->receipt.only = next(l);
}

static void r_full(struct line *l, struct manifest *m)
{
    (void)l;
    m->receipt.full = true;
}

static void r_counts(struct line *l, struct manifest *m)
{
    struct receipt *r = &m->receipt;
    uint64_t *const n[] = { &r->n.n_read,     &r->n.n_written,
                            &r->n.n_aside,    &r->n.n_skipped,
                            &r->n.n_filtered, &r->n.n_warnings,
                            &r->n.n_replaced, &r->same_as };

    for (size_t i = 0; i < COUNT(n); i++)
        *n[i] = next_number(l);
}

static void r_summary(struct line *l, struct manifest *m)
{
    m->receipt.summary = next(l);
}

static void r_why(struct line *l, struct manifest *m)
{
    m->receipt.why = next(l);
}

static void r_map(struct line *l, struct manifest *m)
{
    struct str one = next(l);

    m->receipt.maps =
        arena_fmt(l->a, "%.*s%.*s\n", STR_ARGS(m->receipt.maps), STR_ARGS(one));
}

/* The lists have room for as many as the file has lines. */
static void r_counter(struct line *l, struct manifest *m)
{
    struct job_counter *c = &m->counters[m->receipt.n_counters++];

    c->value = (int64_t)next_number(l);
    c->name = next(l);
}

static void r_delivery(struct line *l, struct manifest *m)
{
    struct delivery *d = &m->deliveries[m->n++];

    next_id(l, d->id, ID_HEX);
    d->kind = (enum delivery_kind)next_word(l, out_kind_names, N_OUT_KINDS);
    d->bytes = next_number(l);
    next_id(l, d->sha256, HASH_HEX);
    d->n_documents = next_number(l);
    d->replace = next_number(l) != 0;
    d->path = next(l);
    d->partner = next(l);
    d->folder = next(l);
    d->name = next(l);
    d->stage =
        l->rest.p ? (unsigned)next_number(l) : 0; /* older ones have none */
}

static const struct {
    const char *word;
    void (*parse)(struct line *l, struct manifest *m);
} words[] = {
    { "claim", r_claim },       { "seen", r_seen },
    { "job", r_job },           { "route", r_route },
    { "file", r_file },         { "times", r_times },
    { "run", r_run },           { "counts", r_counts },
    { "summary", r_summary },   { "why", r_why },
    { "map", r_map },           { "counter", r_counter },
    { "delivery", r_delivery }, { "order", r_order },
    { "only", r_only },         { "full", r_full },
};

/* Words of a newer version are passed over. */
static bool parse_line(struct str text_, struct arena *a, struct manifest *m)
{
    struct line l = { text_, true, a };
    struct str word = next(&l);

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_is(word, words[i].word))
            words[i].parse(&l, m);
    return l.ok;
}

static bool parse(struct str all, struct arena *a, struct manifest *m)
{
    size_t n_lines = 1;

    for (size_t i = 0; i < all.len; i++)
        n_lines += all.p[i] == '\n';
    m->deliveries = arena_alloc(a, n_lines * sizeof(*m->deliveries));
    m->counters = arena_alloc(a, n_lines * sizeof(*m->counters));
    m->receipt.counters = m->counters;
    while (all.len) {
        ptrdiff_t nl = str_find_char(all, '\n');
        struct str line = str_first(all, nl < 0 ? 0 : (size_t)nl);

        if (str_is(line, "end"))
            return m->receipt.job && m->claim.id[0] && m->receipt.taken_at;
        if (nl < 0 || !parse_line(line, a, m))
            return false;
        all = str_from(all, (size_t)nl + 1);
    }
    return false;
}

bool manifest_read(int dir_fd, struct arena *a, struct manifest *out)
{
    struct buf b;
    bool ok;

    *out = (struct manifest){ 0 };
    buf_init(&b, MANIFEST_MAX);
    ok = file_read(dir_fd, MANIFEST_FILE, &b) == 0 &&
         parse(arena_str(a, buf_str(&b)), a, out);
    buf_release(&b);
    return ok;
}
