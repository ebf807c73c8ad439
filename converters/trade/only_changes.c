/*
 * only_changes.c - of what is as it is (stock, prices, products, customers)
 * only that is sent which differs from what this receiver got last.
 *
 *   new, or different              sent
 *   sent by a job that is not
 *   DONE yet                       sent again: nobody knows what he has
 *   the same                       skipped
 *   in the source no more          `missing report`: told, once
 *                                  `missing zero`: sent with quantity 0, once
 *                                  `missing ignore`: nothing
 *
 * What a receiver got is a table (got.h) in the ledger, where the keeper joins
 * it with what a job has sent when that job is DONE. It has a hash of each
 * record, in the fields that a write map looks at; `updated` does not count.
 *
 * There is a table for each sender and read map of a route: what one of them
 * has no more another one may have never had.
 *
 * A record that comes twice in a file is sent both times once one of them is:
 * the last one is to win.
 *
 * Nothing has vanished when a record was set aside, for it may be that one, or
 * when no record came at all: that is no source, but an export that failed.
 */
#include <stdlib.h>

#include "converters/trade/canon.h"
#include "converters/trade/got.h"
#include "converters/trade/rules.h"

enum missing { MISSING_REPORT, MISSING_ZERO, MISSING_IGNORE };

struct own {
    const struct oline *only_at, *missing_at;
    enum missing missing;
};

enum { MAX_KEY_FIELDS = 5, FIRST_SLOTS = 1024, TOLD = 5 };

/* Separates the fields of a key. */
#define UNIT_SEPARATOR '\x1f'

/* A record that this job has sent, or of which it has learnt. */
struct sent {
    struct got_entry e;
    uint64_t seq;   /* of its document; 0: it was not sent */
    size_t text_at; /* in `texts` */
    uint16_t text_len;
};

enum flag { SEEN = 1, WAITING = 2 };

struct state {
    int key[MAX_KEY_FIELDS];    /* fields of the documents, or -1 */
    int or_key[MAX_KEY_FIELDS]; /* when all of these are empty */
    struct got_table got;       /* what the receiver got, or may have got */
    unsigned char *flags;       /* of its entries */
    struct buf bytes;           /* of the document at hand */
    struct got_entry now;       /* the same; when `sends` */
    bool sends;
    struct str text;
    uint64_t n_seen;
    struct sent *sent;
    size_t n_sent, cap_sent;
    struct buf texts;
    uint32_t *slots; /* keys of `sent`: index + 1 */
    size_t n_slots;
};

/* ---- lines ----------------------------------------------------------------
 */

static void p_only(struct trade_parser *p, const struct oline *l,
                   struct str rest)
{
    struct own *own = trade_own(p, sizeof(*own));

    own->only_at = l;
    trade_end_of_line(p, l, rest);
}

static void p_missing(struct trade_parser *p, const struct oline *l,
                      struct str rest)
{
    static const char *const words[] = { [MISSING_REPORT] = "report",
                                         [MISSING_ZERO] = "zero",
                                         [MISSING_IGNORE] = "ignore" };
    static const char needed[] = "wants report, zero or ignore";
    struct own *own = trade_own(p, sizeof(*own));
    int i;

    own->missing_at = l;
    i = trade_choice(p, l, &rest, "missing", words, COUNT(words), needed);
    if (i < 0)
        return;
    own->missing = (enum missing)i;
    trade_end_of_line(p, l, rest);
}

static const struct trade_word words[] = {
    { .name = "only changes", .parse = p_only },
    { .name = "missing", .parse = p_missing },
    { .name = NULL },
};

static void check(const struct trade_conf *c, const void *conf,
                  struct diags *diags)
{
    const struct own *own = conf;

    (void)c;
    if (!own->only_at)
        DIAG(diags, CONF_VALUE, oline_whole(own->missing_at), STR("missing"),
             STR("belongs to \"only changes\", which is not there"));
}

/* What is made of it has a quantity alone: other columns would be empty. */
static void check_zero(const struct trade_site *s, const struct own *own,
                       struct diags *diags)
{
    static const char *const known[] = { "sku",      "warehouse", "quantity",
                                         "reserved", "free",      "incoming" };
    const struct shape *shape = s->shape;

    for (int i = 0; i < shape->n_fields; i++) {
        size_t k = 0;

        while (k < COUNT(known) &&
               !str_is(shape_field_name(shape, i), known[k]))
            k++;
        if (!shape->written[i] || k < COUNT(known))
            continue;
        DIAG(diags, ZERO_FIELD, oline_whole(own->missing_at),
             shape_field_name(shape, i));
        return;
    }
}

static bool serves(const struct trade_site *s, const void *conf,
                   struct diags *diags)
{
    const struct own *own = conf;

    if (!own || !own->only_at || !s->output.len)
        return false;
    if (own->missing == MISSING_ZERO && trade_is(s, "stock"))
        check_zero(s, own, diags);
    return trade_is(s, "stock") || trade_is(s, "price") ||
           trade_is(s, "product") || trade_is(s, "customer");
}

/* ---- the keys of records ---------------------------------------------------
 */

static const struct {
    const char *document;
    const char *key[MAX_KEY_FIELDS], *or_key[MAX_KEY_FIELDS];
} keys[] = {
    { "stock", { "sku", "warehouse" }, { "ean", "warehouse" } },
    { "price",
      { "sku", "list", "currency", "min_quantity", "from" },
      { NULL } },
    { "product", { "sku" }, { "ean" } },
    { "customer", { "code" }, { "email" } },
};

static void find_fields(const struct trade *t, struct state *s)
{
    size_t k = 0;

    while (k + 1 < COUNT(keys) && !trade_is(t->site, keys[k].document))
        k++;
    for (size_t i = 0; i < MAX_KEY_FIELDS; i++) {
        const char *one = keys[k].key[i], *other = keys[k].or_key[i];

        s->key[i] = one ? trade_field(t->site->shape, one) : -1;
        s->or_key[i] = other ? trade_field(t->site->shape, other) : -1;
    }
}

/* The first field says what it is: without it there is no key. */
static bool put_key(struct state *s, const struct doc *d, const int *fields)
{
    if (!doc_has(d, fields[0]))
        return false;
    for (size_t i = 0; i < MAX_KEY_FIELDS && fields[i] >= 0; i++)
        if ((i && buf_addc(&s->bytes, UNIT_SEPARATOR) == -1) ||
            buf_add(&s->bytes, d->f[fields[i]]) == -1)
            return false;
    return s->bytes.len <= GOT_MAX_KEY;
}

/* Key and record of d, in s->now and s->text. false: it has none; then it is
 * sent each time. */
static bool look_at(struct trade *t, struct state *s, const struct doc *d)
{
    static const char *const without[] = { "updated", "action", NULL };
    size_t len;

    buf_clear(&s->bytes);
    if (!put_key(s, d, s->key)) {
        buf_clear(&s->bytes);
        if (!put_key(s, d, s->or_key))
            return false;
    }
    len = s->bytes.len;
    s->now.key = facts_hash(t->facts, buf_str(&s->bytes)).lo;
    if (canon_bytes(d, without, &s->bytes) == -1)
        return false;
    s->now.value = facts_hash(t->facts, buf_str(&s->bytes)).lo & ~GOT_GONE;
    s->text = str_first(buf_str(&s->bytes), len);
    return true;
}

/* ---- what this job has sent ------------------------------------------------
 */

/* The slot of a key, or the free one where it would be put. */
static uint32_t *slot_of(const struct state *s, uint64_t key)
{
    size_t i = (size_t)key & (s->n_slots - 1);

    while (s->slots[i] && s->sent[s->slots[i] - 1].e.key != key)
        i = (i + 1) & (s->n_slots - 1);
    return &s->slots[i];
}

static bool has_sent(const struct state *s, uint64_t key)
{
    return s->n_slots && *slot_of(s, key);
}

static void grow(struct state *s)
{
    s->n_slots = s->n_slots ? 2 * s->n_slots : FIRST_SLOTS;
    s->cap_sent = s->n_slots / 2;
    s->sent = xrealloc(s->sent, s->cap_sent * sizeof(*s->sent));
    free(s->slots);
    s->slots = xcalloc(s->n_slots, sizeof(*s->slots));
    for (size_t i = 0; i < s->n_sent; i++)
        *slot_of(s, s->sent[i].e.key) = (uint32_t)i + 1;
}

static void note(struct state *s, struct got_entry e, struct str text,
                 uint64_t seq)
{
    uint32_t *slot;

    if (s->n_sent == s->cap_sent)
        grow(s);
    slot = slot_of(s, e.key);
    if (!*slot) {
        s->sent[s->n_sent] = (struct sent){ .text_at = s->texts.len,
                                            .text_len = (uint16_t)text.len };
        (void)buf_add(&s->texts, text);
        *slot = (uint32_t)++s->n_sent;
    }
    s->sent[*slot - 1].e = e;
    s->sent[*slot - 1].seq = seq;
}

/* ---- what the receiver got --------------------------------------------------
 */

/* Jobs that are not DONE, the older first: neighbours are joined until one is
 * left. */
static struct str join_waiting(struct trade *t, struct got_tables *all)
{
    while (all->n_waiting > 1) {
        size_t n = 0;

        for (size_t i = 0; i < all->n_waiting; i += 2) {
            struct str one = all->waiting[i];
            struct buf b;

            if (i + 1 < all->n_waiting) {
                buf_init(&b, SIZE_MAX / 2);
                if (got_join(one, all->waiting[i + 1], false, &b) == 0)
                    one = arena_str(&t->own, buf_str(&b));
                buf_release(&b);
            }
            all->waiting[n++] = one;
        }
        all->n_waiting = n;
    }
    return all->n_waiting ? all->waiting[0] : STR("");
}

static void flag_waiting(struct state *s, struct str waiting)
{
    struct got_table w;

    (void)got_open(waiting, &w);
    for (size_t i = 0; i < w.n; i++) {
        ptrdiff_t at = got_find(&s->got, got_at(&w, i).key);

        if (at >= 0)
            s->flags[at] |= WAITING;
    }
}

/* Of the key of our hashes. */
static uint32_t mark_of(struct trade *t)
{
    return (uint32_t)facts_hash(t->facts, STR("got")).lo;
}

static bool is_ours(struct trade *t, struct str bytes)
{
    struct got_table w;

    return got_open(bytes, &w) && (!bytes.len || w.mark == mark_of(t));
}

/* If it cannot be told what was sent, the receiver may have anything. */
static bool is_known(struct trade *t, const struct got_tables *all)
{
    for (size_t i = 0; i < all->n_waiting; i++)
        if (!is_ours(t, all->waiting[i]))
            return false;
    return is_ours(t, all->delivered);
}

/* What the table is of. */
static struct str source_of(struct trade *t)
{
    return arena_fmt(&t->own, "%s of %.*s, route %.*s %u",
                     t->site->document->name, STR_ARGS(t->sender),
                     STR_ARGS(t->site->route), t->site->read + 1);
}

static void load(struct trade *t, struct state *s)
{
    struct got_tables all;
    struct str waiting;
    struct buf b;

    facts_got(t->facts, t->site->output, source_of(t), &t->own, &all);
    if (!is_known(t, &all))
        all = (struct got_tables){ 0 };
    waiting = join_waiting(t, &all);
    if (waiting.len) {
        buf_init(&b, SIZE_MAX / 2);
        if (got_join(all.delivered, waiting, false, &b) == 0)
            all.delivered = arena_str(&t->own, buf_str(&b));
        buf_release(&b);
    }
    (void)got_open(all.delivered, &s->got);
    got_index(&s->got, &t->own);
    s->flags = arena_alloc(&t->own, s->got.n + 1);
    flag_waiting(s, waiting);
}

static void begin(struct trade *t, void *state, const void *own)
{
    struct state *s = state;

    (void)own;
    buf_init(&s->bytes, MB(64));
    buf_init(&s->texts, SIZE_MAX / 2);
    find_fields(t, s);
    load(t, s);
}

static void release(void *state)
{
    struct state *s = state;

    buf_release(&s->bytes);
    buf_release(&s->texts);
    free(s->sent);
    free(s->slots);
}

/* ---- at work --------------------------------------------------------------
 */

/* It was gone, and people know: should it vanish again, they are told again. */
static void note_return(struct state *s, struct got_entry was)
{
    if (was.value & GOT_GONE)
        note(s, s->now, s->text, 0);
}

static enum trade_verdict take(struct trade *t, void *state, const void *own,
                               struct doc *d)
{
    struct state *s = state;
    struct got_entry was;
    ptrdiff_t at;

    (void)own;
    s->n_seen++;
    s->sends = false;
    if (!look_at(t, s, d))
        return TRADE_ON;
    at = got_find(&s->got, s->now.key);
    if (at >= 0) {
        was = got_at(&s->got, (size_t)at);
        if (t->wanted && !t->full && !(s->flags[at] & WAITING) &&
            (was.value & ~GOT_GONE) == s->now.value &&
            !has_sent(s, s->now.key)) {
            s->flags[at] |= SEEN;
            note_return(s, was);
            return trade_skip(t, "not changed");
        }
        s->flags[at] |= SEEN;
    }
    s->sends = t->wanted;
    return TRADE_ON;
}

static void wrote(struct trade *t, void *state, const void *own, struct doc *d,
                  enum trade_written how)
{
    struct state *s = state;

    (void)t, (void)own;
    if (s->sends && how == WROTE)
        note(s, s->now, s->text, d->seq);
    s->sends = false;
}

/* ---- what vanished ----------------------------------------------------------
 */

/* "MUG-01 (ESHOP)" */
static struct str name_of(struct arena *a, struct str text)
{
    ptrdiff_t at = str_find_char(text, UNIT_SEPARATOR);
    struct str more;
    char *p;
    size_t n = 0;

    if (at < 0)
        return text;
    more = str_from(text, (size_t)at + 1);
    p = arena_text(a, 2 * more.len + 1);
    for (size_t i = 0; i < more.len; i++)
        if (more.p[i] != UNIT_SEPARATOR) {
            p[n++] = more.p[i];
        } else if (n && p[n - 1] != ' ') {
            p[n++] = ',';
            p[n++] = ' ';
        }
    while (n && (p[n - 1] == ' ' || p[n - 1] == ','))
        n--;
    if (!n)
        return str_first(text, (size_t)at);
    return arena_fmt(a, "%.*s (%.*s)", (int)at, text.p, (int)n, p);
}

/* The next one that vanished, from entry *i on, whose text is the next of
 * *texts. With `known` also those of which people know. */
static bool next_vanished(const struct state *s, bool known, size_t *i,
                          struct str *texts, struct got_entry *e,
                          struct str *text)
{
    while (*i < s->got.n) {
        unsigned char flags = s->flags[*i];

        *e = got_at(&s->got, (*i)++);
        *text = got_next_text(texts);
        if (!(flags & SEEN) &&
            (!(e->value & GOT_GONE) || (known && flags & WAITING)))
            return true;
    }
    return false;
}

static void report(struct trade *t, struct state *s)
{
    struct str texts = s->got.texts, text;
    struct arena *a = &t->own;
    struct got_entry e;
    struct buf b;
    size_t i = 0, n = 0;

    buf_init(&b, MB(1));
    while (next_vanished(s, false, &i, &texts, &e, &text)) {
        if (n++ < TOLD)
            (void)buf_addf(&b, "%s%.*s", n > 1 ? ", " : "",
                           STR_ARGS(name_of(a, text)));
        e.value |= GOT_GONE;
        note(s, e, text, 0);
    }
    if (n > TOLD)
        (void)buf_addf(&b, " and %zu more", n - TOLD);
    if (n)
        TRADE_FAULT(t, NULL, -1, ITEMS_VANISHED, buf_str(&b));
    buf_release(&b);
}

static void set(struct doc *d, const char *name, struct str value)
{
    int i = d->shape->n_fixed;

    while (--i >= 0)
        if (str_is(str_of(d->shape->level->fields[i].name), name))
            d->f[i] = value;
}

static void send_zero(struct trade *t, struct state *s, struct str text)
{
    ptrdiff_t at = str_find_char(text, UNIT_SEPARATOR);
    struct doc *d;

    arena_reset(t->docs);
    d = trade_make(t);
    set(d, "sku", str_first(text, at < 0 ? text.len : (size_t)at));
    if (at >= 0)
        set(d, "warehouse", str_from(text, (size_t)at + 1));
    set(d, "quantity", STR("0"));
    set(d, "free", STR("0"));
    s->sends = look_at(t, s, d);
    s->now.value |= GOT_GONE;
    trade_pass_on(t, &rule_only_changes, d);
}

static void send_zeros(struct trade *t, struct state *s)
{
    struct str texts = s->got.texts, text;
    struct got_entry e;
    size_t i = 0;

    while (next_vanished(s, true, &i, &texts, &e, &text))
        send_zero(t, s, text);
}

static void end(struct trade *t, void *state, const void *conf)
{
    const struct own *own = conf;
    struct state *s = state;
    bool zero = own->missing == MISSING_ZERO && trade_is(t->site, "stock");

    if (own->missing == MISSING_IGNORE || t->n_aside || t->only.len ||
        !s->got.n)
        return;
    if (!s->n_seen)
        TRADE_FAULT0(t, NULL, -1, SOURCE_EMPTY);
    else if (zero)
        send_zeros(t, s);
    else
        report(t, s);
}

/* ---- what is learnt
 * ----------------------------------------------------------
 */

/* Also when nothing was sent: the job has decided by what others have sent,
 * and must run again if one of them does meanwhile. */
static void done(struct trade *t, void *state, const void *own)
{
    struct state *s = state;
    struct got_row *rows = xcalloc(s->n_sent + 1, sizeof(*rows));
    struct buf b;
    size_t n = 0;

    (void)own;
    for (size_t i = 0; i < s->n_sent; i++) {
        struct sent *x = &s->sent[i];

        /* A twin before it may have been sent: it fits nothing. */
        if (x->seq && facts_was_set_aside(t->facts, x->seq))
            x->e.value = 0;
        rows[n++] = (struct got_row){
            .e = x->e,
            .text = { s->texts.p + x->text_at, x->text_len },
        };
    }
    buf_init(&b, SIZE_MAX / 2);
    if (got_make(rows, n, mark_of(t), &b) == 0)
        facts_learn_got(t->facts, t->site->output, source_of(t), buf_str(&b));
    buf_release(&b);
    free(rows);
}

const struct trade_rule rule_only_changes = {
    .name = "only changes",
    .help = "sends what differs from what the receiver got last",
    .words = words,
    .fits = "stock, prices, products and customers",
    .serves = serves,
    .check = check,
    .state = sizeof(struct state),
    .begin = begin,
    .takes_unwanted = true,
    .take = take,
    .wrote = wrote,
    .end = end,
    .done = done,
    .release = release,
};
