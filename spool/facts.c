#include "spool/facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/base/limits.h"
#include "converters/base/textmap.h"
#include "spool/facts_file.h"
#include "spool/files.h"
#include "spool/stamp.h"

enum { FLUSH_AT = 1 << 20, MOST_PENDING = 256 << 20, DAY = 86400 };

/*
 * What this process has learnt, by key; an entry hides the one before it of the
 * same key, which comes back when it is forgotten.
 */
struct learnt {
    struct str key;
    uint32_t before; /* index + 1; 0: the ledger's word counts */
    bool loaded;     /* of the ledger: not to be forgotten with a document */
    union {
        struct known_doc *doc;
        struct card *card;
    };
};

/* A table of facts_learn_got(). */
struct got {
    struct str output, document, table;
};

/* Asked for, and as it was then. */
struct scope {
    struct str name;
    uint64_t version;
};

struct facts {
    struct ledger *ledger;
    struct arena scope_names;
    struct scope *scopes;
    size_t n_scopes, cap_scopes;
    uint64_t key[2];
    int64_t now;
    bool failed;
    struct err err;

    struct arena arena; /* what was learnt */
    struct textmap map; /* keys to learnt[], index + 1; 0: forgotten */
    struct learnt *learnt;
    size_t n_learnt, cap_learnt;
    size_t doc_mark, read_mark, file_mark; /* of n_learnt */
    struct textmap loaded; /* "UNIT KIND" whose cards all are in `learnt` */

    struct buf pending; /* rows of the document at hand */
    struct buf rows;    /* to be written */
    struct buf aside;   /* numbers of documents */
    const char *staging;
    uint64_t job;
    unsigned read;
    int fd;                 /* the file; -1: nothing was learnt yet */
    off_t written, read_at; /* bytes; where this read map began */
    size_t read_aside;
    size_t aside_sorted; /* bytes of `aside` that were sorted */

    struct got *got; /* what the files of this process have sent so far */
    size_t n_got, cap_got, file_got;
    bool io_failed;
};

/* ---- failing --------------------------------------------------------------
 */

static bool check(struct facts *f, int rc)
{
    if (rc == -1)
        f->failed = true;
    return rc == 0;
}

bool facts_failed(const struct facts *f)
{
    return f && (f->failed || f->io_failed);
}

const struct err *facts_error(const struct facts *f)
{
    return &f->err;
}

/* ---- opening --------------------------------------------------------------
 */

/* The ledger's name is as good as any key: random, and the ledger's own. */
static void take_key(struct facts *f)
{
    const char *z = ledger_generation(f->ledger);

    for (int i = 0; i < 2 * 16 && z[i]; i++) {
        unsigned digit = (unsigned)(z[i] <= '9' ? z[i] - '0' : z[i] - 'a' + 10);

        f->key[i / 16] = f->key[i / 16] << 4 | digit;
    }
}

struct facts *facts_open(const char *ledger_path, int64_t now)
{
    struct facts *f = xcalloc(1, sizeof(*f));

    f->fd = -1;
    f->now = now;
    buf_init(&f->pending, MOST_PENDING);
    buf_init(&f->rows, MOST_PENDING + FLUSH_AT);
    buf_init(&f->aside, MB(16));
    if (!check(f, ledger_open(&f->ledger, ledger_path, LEDGER_READ, &f->err)))
        return f;
    if (!f->ledger) {
        check(f, err_set(&f->err, ERR_RETRY, "there is no ledger %s",
                         ledger_path));
        return f;
    }
    take_key(f);
    check(f, ledger_freeze(f->ledger, &f->err));
    return f;
}

void facts_close(struct facts *f)
{
    if (!f)
        return;
    if (f->fd != -1)
        close(f->fd);
    if (f->ledger)
        ledger_thaw(f->ledger);
    ledger_close(f->ledger);
    textmap_release(&f->map);
    textmap_release(&f->loaded);
    free(f->learnt);
    free(f->got);
    free(f->scopes);
    arena_release(&f->scope_names);
    buf_release(&f->pending);
    buf_release(&f->rows);
    buf_release(&f->aside);
    arena_release(&f->arena);
    free(f);
}

/* ---- scopes ----------------------------------------------------------------
 */

struct str scope_of_docs(struct arena *a, struct str output, struct str sender)
{
    return arena_fmt(a, "doc %.*s %.*s", STR_ARGS(output), STR_ARGS(sender));
}

struct str scope_of_cards(struct arena *a, struct str unit, struct str kind)
{
    return arena_fmt(a, "card %.*s %.*s", STR_ARGS(unit), STR_ARGS(kind));
}

struct str scope_of_got(struct arena *a, struct str output, struct str document)
{
    return arena_fmt(a, "got %.*s %.*s", STR_ARGS(output), STR_ARGS(document));
}

/* What the job decides now depends on it. There are few: one or two a route. */
static void asks(struct facts *f, struct str name)
{
    struct scope *s;

    for (size_t i = 0; i < f->n_scopes; i++)
        if (str_eq(f->scopes[i].name, name))
            return;
    if (f->n_scopes == f->cap_scopes) {
        f->cap_scopes = f->cap_scopes ? 2 * f->cap_scopes : 8;
        f->scopes = xrealloc(f->scopes, f->cap_scopes * sizeof(*f->scopes));
    }
    s = &f->scopes[f->n_scopes++];
    *s = (struct scope){ .name = arena_str(&f->scope_names, name) };
    if (!f->failed)
        check(f, ledger_scope(f->ledger, s->name, &s->version, &f->err));
}

/* ---- what was learnt ------------------------------------------------------
 */

static struct learnt *find(const struct facts *f, struct str key)
{
    const uint32_t *at = textmap_find(&f->map, key);

    return at && *at ? &f->learnt[*at - 1] : NULL;
}

static struct learnt *add(struct facts *f, struct str key)
{
    const uint32_t *at = textmap_find(&f->map, key);
    struct learnt *l;

    if (f->n_learnt == f->cap_learnt) {
        f->cap_learnt = f->cap_learnt ? 2 * f->cap_learnt : 64;
        f->learnt = xrealloc(f->learnt, f->cap_learnt * sizeof(*f->learnt));
    }
    l = &f->learnt[f->n_learnt++];
    *l = (struct learnt){ .before = at ? *at : 0 };
    l->key = at ? key : arena_str(&f->arena, key);
    if (at) {
        textmap_set(&f->map, key, (uint32_t)f->n_learnt);
        l->key = arena_str(&f->arena, key);
    } else {
        textmap_add(&f->map, l->key, (uint32_t)f->n_learnt);
    }
    return l;
}

/* Down to the mark; what was loaded is the ledger's and comes again. */
static void forget(struct facts *f, size_t mark)
{
    while (f->n_learnt > mark) {
        const struct learnt *l = &f->learnt[--f->n_learnt];

        textmap_set(&f->map, l->key, l->before);
        if (l->loaded) /* ask anew */
            textmap_release(&f->loaded);
    }
}

static struct str doc_name(struct arena *a, const struct doc_key *k)
{
    return arena_fmt(a, "d\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARGS(k->output),
                     STR_ARGS(k->sender), STR_ARGS(k->document),
                     STR_ARGS(k->number));
}

static struct str card_name(struct arena *a, struct str unit,
                            enum card_kind kind, struct str key)
{
    return arena_fmt(a, "c\n%.*s\n%s\n%.*s", STR_ARGS(unit),
                     card_kind_names[kind], STR_ARGS(key));
}

/* ---- rows -----------------------------------------------------------------
 */

static void row(struct facts *f, enum fact fact, const struct str *columns)
{
    if (fact_write(&f->pending, fact, 0, columns) == 0)
        return;
    f->io_failed = true;
    err_set(&f->err, ERR_HOLD, "one document teaches more than %d bytes",
            MOST_PENDING);
}

#define ROW(f, fact, ...) row(f, fact, (const struct str[]){ __VA_ARGS__ })
#define KEY(k)            (k)->output, (k)->sender, (k)->document, (k)->number

static struct str number_text(struct arena *a, uint64_t n)
{
    return arena_fmt(a, "%llu", (unsigned long long)n);
}

static struct str yes_no(bool b)
{
    return b ? STR("1") : STR("0");
}

static bool write_rows(struct facts *f)
{
    struct str s = buf_str(&f->rows);

    while (!f->io_failed && s.len) {
        ssize_t n = write(f->fd, s.p, s.len);

        if (n > 0) {
            s = str_from(s, (size_t)n);
            f->written += n;
        } else {
            f->io_failed = true;
            err_sys(&f->err, ERR_RETRY, "cannot write what a job learns");
        }
    }
    buf_clear(&f->rows);
    return !f->io_failed;
}

static bool open_file(struct facts *f)
{
    struct arena a = { 0 };
    char *path;

    if (f->fd != -1)
        return true;
    path = arena_cstr(&a, arena_fmt(&a, "%s/%s", f->staging, RESULT_FILE));
    f->fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    f->written = f->read_at = 0;
    if (f->fd == -1) {
        f->io_failed = true;
        err_sys(&f->err, ERR_RETRY, "cannot make %s", path);
    }
    arena_release(&a);
    return !f->io_failed;
}

void facts_keep(struct facts *f, uint64_t seq)
{
    struct str rest;
    struct fact_row r;

    if (!f)
        return;
    f->doc_mark = f->n_learnt;
    rest = buf_str(&f->pending);
    if (!rest.len || !open_file(f))
        return;
    seq |= (uint64_t)f->read << FACTS_READ;
    while (fact_read(&rest, &r))
        if (fact_write(&f->rows, r.fact, seq, r.column) == -1 ||
            (f->rows.len >= FLUSH_AT && !write_rows(f)))
            f->io_failed = true;
    buf_clear(&f->pending);
}

void facts_drop(struct facts *f)
{
    if (!f)
        return;
    buf_clear(&f->pending);
    forget(f, f->doc_mark);
}

/* ---- files and read maps ---------------------------------------------------
 */

void facts_begin(struct facts *f, const char *staging, uint64_t job)
{
    f->staging = staging;
    f->job = job;
    f->fd = -1;
    f->written = f->read_at = 0;
    f->doc_mark = f->read_mark = f->file_mark = f->n_learnt;
    buf_clear(&f->aside);
    f->file_got = f->n_got;
}

void facts_enter(struct facts *f, unsigned read)
{
    if (!f)
        return;
    facts_drop(f);
    if (f->fd != -1)
        (void)write_rows(f);
    f->read = read;
    f->read_at = f->written;
    f->read_aside = f->aside.len;
    f->read_mark = f->n_learnt;
}

void facts_reset(struct facts *f)
{
    if (!f)
        return;
    buf_clear(&f->pending);
    buf_clear(&f->rows);
    forget(f, f->read_mark);
    f->doc_mark = f->read_mark;
    f->aside.len = f->read_aside;
    if (f->fd == -1 || f->written == f->read_at)
        return;
    if (ftruncate(f->fd, f->read_at) == -1 ||
        lseek(f->fd, f->read_at, SEEK_SET) == -1) {
        f->io_failed = true;
        err_sys(&f->err, ERR_RETRY, "cannot write what a job learns");
    }
    f->written = f->read_at;
}

void facts_set_aside(struct facts *f, uint64_t seq)
{
    if (!f)
        return;
    seq |= (uint64_t)f->read << FACTS_READ;
    if (buf_add(&f->aside, (struct str){ (const char *)&seq, sizeof(seq) }) ==
        -1) {
        f->io_failed = true;
        err_set(&f->err, ERR_HOLD, "too many documents were set aside");
    }
}

static int by_number(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

bool facts_was_set_aside(struct facts *f, uint64_t seq)
{
    if (!f || !f->aside.len)
        return false;
    /* All of them have come by then. */
    if (f->aside_sorted != f->aside.len)
        qsort(f->aside.p, f->aside.len / sizeof(seq), sizeof(seq), by_number);
    f->aside_sorted = f->aside.len;
    seq |= (uint64_t)f->read << FACTS_READ;
    return bsearch(&seq, f->aside.p, f->aside.len / sizeof(seq), sizeof(seq),
                   by_number) != NULL;
}

/* The rows are complete, or nobody's. */
static void end_file(struct facts *f, bool keep)
{
    struct str aside = buf_str(&f->aside);

    for (size_t i = 0; keep && i < f->n_scopes; i++) {
        struct arena a = { 0 };
        const struct str columns[] = { f->scopes[i].name,
                                       number_text(&a, f->scopes[i].version) };

        (void)fact_write(&f->rows, FACT_SCOPE, 0, columns);
        arena_release(&a);
    }
    if (keep && fact_write(&f->rows, FACT_END, 0, &aside) == 0)
        (void)write_rows(f);
    buf_clear(&f->rows);
    if ((!keep && ftruncate(f->fd, 0) == -1) || close(f->fd) == -1) {
        f->io_failed = true;
        err_sys(&f->err, ERR_RETRY, "cannot write what a job learns");
    }
    f->fd = -1;
}

bool facts_end(struct facts *f, bool keep, struct err *e)
{
    facts_drop(f);
    if (!keep) {
        forget(f, f->file_mark);
        f->n_got = f->file_got;
    }
    if (f->fd != -1)
        end_file(f, keep && !f->io_failed);
    if (!facts_failed(f))
        return true;
    *e = f->err;
    return false;
}

/* ---- documents ------------------------------------------------------------
 */

void facts_doc(struct facts *f, const struct doc_key *key, struct arena *a,
               struct known_doc *out)
{
    const struct learnt *l;

    *out = (struct known_doc){ 0 };
    if (!f)
        return;
    asks(f, scope_of_docs(a, key->output, key->sender));
    l = find(f, doc_name(a, key));
    if (l)
        *out = *l->doc;
    else if (!f->failed)
        check(f, ledger_doc(f->ledger, key, a, out, &f->err));
}

void facts_doc_as(struct facts *f, struct str unit, struct str document,
                  struct str as_number, struct arena *a, struct known_doc *out)
{
    *out = (struct known_doc){ 0 };
    if (f && !f->failed)
        check(f, ledger_doc_as(f->ledger, unit, document, as_number, a, out,
                               &f->err));
}

void facts_doc_of(struct facts *f, struct str unit, struct str sender,
                  struct str document, struct str number, struct arena *a,
                  struct known_doc *out)
{
    *out = (struct known_doc){ 0 };
    if (f && !f->failed)
        check(f, ledger_doc_of(f->ledger, unit, sender, document, number, a,
                               out, &f->err));
}

void facts_doc_invoiced(struct facts *f, struct str unit, struct str series,
                        struct str invoice, struct arena *a,
                        struct known_doc *out)
{
    *out = (struct known_doc){ 0 };
    if (f && !f->failed)
        check(f, ledger_doc_invoiced(f->ledger, unit, series, invoice, a, out,
                                     &f->err));
}

void facts_docs_of_file(struct facts *f, struct str unit, struct str file,
                        bool (*fn)(void *ctx, const struct known_doc *d),
                        void *ctx)
{
    struct arena a = { 0 };
    struct known_doc *v;
    size_t n = 0;

    if (!f || f->failed)
        return;
    if (check(f,
              ledger_docs_of_file(f->ledger, unit, file, &a, &v, &n, &f->err)))
        for (size_t i = 0; i < n && fn(ctx, &v[i]); i++)
            continue;
    arena_release(&a);
}

bool facts_is_news(const struct facts *f, const struct known_doc *was,
                   struct str hash)
{
    return !was->found || !str_eq(was->came_hash, hash) || !f ||
           f->now - was->last_at >= DAY;
}

void facts_came(struct facts *f, const struct doc_key *key,
                const struct doc_face *face, struct str hash)
{
    struct arena a = { 0 };

    if (!f)
        return;
    ROW(f, FACT_CAME, KEY(key), face->unit, face->route, face->customer,
        face->email, face->date, number_text(&a, face->line), face->member,
        hash);
    arena_release(&a);
}

/* A copy of what is known, to be changed; its texts are kept. */
static struct known_doc *change_doc(struct facts *f, const struct doc_key *key)
{
    struct known_doc *d = arena_alloc(&f->arena, sizeof(*d)), was;
    struct arena a = { 0 };

    facts_doc(f, key, &a, &was);
    *d = (struct known_doc){
        .found = true,
        .state = was.state,
        .sent_job = was.sent_job,
        .refused = was.refused,
        .last_at = f->now,
        .as_number = arena_str(&f->arena, was.as_number),
        .action = arena_str(&f->arena, was.action),
        .hash = arena_str(&f->arena, was.hash),
        .came_hash = arena_str(&f->arena, was.came_hash),
        .reported = arena_str(&f->arena, was.reported),
        .series = arena_str(&f->arena, was.series),
        .invoice = arena_str(&f->arena, was.invoice),
    };
    add(f, doc_name(&a, key))->doc = d;
    arena_release(&a);
    return d;
}

void facts_sent(struct facts *f, const struct doc_key *key,
                struct str as_number, struct str action, struct str values)
{
    struct arena a = { 0 };
    struct known_doc *d;
    struct str hash;

    if (!f)
        return;
    hash = facts_hash_text(f, values, &a);
    d = change_doc(f, key);
    d->state = str_is(action, "cancel") ? DOC_CANCELLED : DOC_SENT;
    d->as_number = arena_str(&f->arena, as_number);
    d->action = arena_str(&f->arena, action);
    d->hash = arena_str(&f->arena, hash);
    d->sent_job = f->job;
    d->refused = false;
    ROW(f, FACT_SENT, KEY(key), as_number, action, values, hash);
    arena_release(&a);
}

void facts_reported(struct facts *f, const struct doc_key *key, struct str hash,
                    struct str text)
{
    if (!f)
        return;
    change_doc(f, key)->reported = arena_str(&f->arena, hash);
    ROW(f, FACT_REPORTED, KEY(key), hash, text);
}

void facts_answered(struct facts *f, const struct doc_key *key,
                    const struct doc_answer *w)
{
    if (!f)
        return;
    ROW(f, FACT_ANSWERED, KEY(key), yes_no(w->given), yes_no(w->ok), w->text,
        w->number, w->id, w->status, w->carrier, w->tracking, w->series,
        w->invoice, yes_no(w->invoice_cancelled));
}

void facts_withdrawn(struct facts *f, const struct doc_key *key,
                     struct str text)
{
    struct known_doc *d;

    if (!f)
        return;
    d = change_doc(f, key);
    d->refused = false;
    d->state = DOC_CANCELLED;
    ROW(f, FACT_WITHDRAWN, KEY(key), text);
}

void facts_story(struct facts *f, const struct doc_key *key, struct str what,
                 struct str text)
{
    if (f)
        ROW(f, FACT_STORY, KEY(key), what, text);
}

/* ---- reservations ----------------------------------------------------------
 */

void facts_reserve(struct facts *f, const struct doc_key *key, struct str unit,
                   struct str sku, struct str warehouse, struct str quantity)
{
    if (f)
        ROW(f, FACT_RESERVE, KEY(key), unit, sku, warehouse, quantity);
}

void facts_reserved(struct facts *f, struct str unit,
                    void (*fn)(void *ctx, struct str sku, struct str warehouse,
                               struct str quantity),
                    void *ctx)
{
    if (f && !f->failed)
        check(f, ledger_reserved(f->ledger, unit, fn, ctx, &f->err));
}

/* ---- cards -----------------------------------------------------------------
 */

const char *const card_kind_names[N_CARD_KINDS] = {
    [CARD_CUSTOMER] = "customer",
    [CARD_PRODUCT] = "product",
    [CARD_PAYMENT] = "payment",
    [CARD_SHIPPING] = "shipping",
};

static struct str loaded_name(struct arena *a, struct str unit,
                              enum card_kind kind)
{
    return arena_fmt(a, "%.*s %s", STR_ARGS(unit), card_kind_names[kind]);
}

void facts_card(struct facts *f, struct str unit, enum card_kind kind,
                struct str key, struct arena *a, struct card *out)
{
    const struct learnt *l;

    *out = (struct card){ 0 };
    if (!f)
        return;
    asks(f, scope_of_cards(a, unit, str_of(card_kind_names[kind])));
    l = find(f, card_name(a, unit, kind, key));
    if (l)
        *out = *l->card;
    else if (!f->failed &&
             !textmap_find(&f->loaded, loaded_name(a, unit, kind)))
        check(f, ledger_card(f->ledger, unit, kind, key, a, out, &f->err));
}

static void overlay_card(struct facts *f, struct str name, const struct card *c,
                         bool loaded)
{
    struct learnt *l = add(f, name);

    l->card = arena_alloc(&f->arena, sizeof(*l->card));
    l->loaded = loaded;
    *l->card = *c;
    l->card->code = arena_str(&f->arena, c->code);
    l->card->name = arena_str(&f->arena, c->name);
}

struct loading {
    struct facts *f;
    struct str unit;
    enum card_kind kind;
    struct arena a;
};

/* What was learnt meanwhile counts more. */
static void load_card(void *ctx, struct str key, const struct card *c)
{
    struct loading *l = ctx;
    struct str name;

    arena_reset(&l->a);
    name = card_name(&l->a, l->unit, l->kind, key);
    if (!find(l->f, name))
        overlay_card(l->f, name, c, true);
}

void facts_load_cards(struct facts *f, struct str unit, enum card_kind kind)
{
    struct loading l = { .f = f, .unit = unit, .kind = kind };
    struct arena rows = { 0 };
    struct str name;

    if (!f || f->failed)
        return;
    name = loaded_name(&f->arena, unit, kind);
    if (textmap_find(&f->loaded, name))
        return;
    if (check(f, ledger_cards(f->ledger, unit, kind, load_card, &l, &rows,
                              &f->err)))
        textmap_add(&f->loaded, name, 1);
    arena_release(&rows);
    arena_release(&l.a);
}

void facts_learn_card(struct facts *f, struct str unit, enum card_kind kind,
                      struct str key, const struct card *card, bool by_us)
{
    struct arena a = { 0 };
    struct card c = *card;

    if (!f)
        return;
    c.found = true;
    c.wait_job = by_us ? f->job : 0;
    overlay_card(f, card_name(&a, unit, kind, key), &c, false);
    ROW(f, FACT_CARD, unit, str_of(card_kind_names[kind]), key, c.code, c.name,
        yes_no(c.hidden), yes_no(by_us));
    arena_release(&a);
}

void facts_wait_for(struct facts *f, uint64_t job)
{
    struct arena a = { 0 };

    if (f && job != f->job)
        ROW(f, FACT_WAIT, number_text(&a, job));
    arena_release(&a);
}

/* ---- what a receiver got ----------------------------------------------------
 */

/* What files before this one have sent waits, too. */
static void add_own_got(const struct facts *f, struct str output,
                        struct str document, struct arena *a,
                        struct got_tables *out)
{
    struct str *all =
        arena_alloc(a, (out->n_waiting + f->n_got + 1) * sizeof(*all));

    for (size_t i = 0; i < out->n_waiting; i++)
        all[i] = out->waiting[i];
    for (size_t i = 0; i < f->n_got; i++)
        if (str_eq(f->got[i].output, output) &&
            str_eq(f->got[i].document, document))
            all[out->n_waiting++] = f->got[i].table;
    out->waiting = all;
}

void facts_got(struct facts *f, struct str output, struct str document,
               struct arena *a, struct got_tables *out)
{
    *out = (struct got_tables){ 0 };
    if (!f)
        return;
    asks(f, scope_of_got(a, output, document));
    if (!f->failed && check(f, ledger_got_tables(f->ledger, output, document, a,
                                                 out, &f->err)))
        add_own_got(f, output, document, a, out);
}

void facts_learn_got(struct facts *f, struct str output, struct str document,
                     struct str table)
{
    struct got *g;

    if (!f)
        return;
    ROW(f, FACT_GOT, output, document, table);
    if (f->n_got == f->cap_got) {
        f->cap_got = f->cap_got ? 2 * f->cap_got : 16;
        f->got = xrealloc(f->got, f->cap_got * sizeof(*f->got));
    }
    g = &f->got[f->n_got++];
    g->output = arena_str(&f->arena, output);
    g->document = arena_str(&f->arena, document);
    g->table = arena_str(&f->arena, table);
}

struct hash128 facts_hash(const struct facts *f, struct str s)
{
    static const uint64_t none[2];

    return hash128_keyed(f ? f->key : none, s);
}

struct str facts_hash_text(const struct facts *f, struct str s, struct arena *a)
{
    struct hash128 h = facts_hash(f, s);

    return arena_fmt(a, "%016llx%016llx", (unsigned long long)h.hi,
                     (unsigned long long)h.lo);
}
