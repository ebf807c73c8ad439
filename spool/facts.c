#include "spool/facts_inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/base/limits.h"
#include "converters/base/textmap.h"
#include "spool/facts_file.h"
#include "spool/files.h"
#include "spool/stamp.h"

enum { FLUSH_AT = 1 << 20, MOST_PENDING = 256 << 20 };

/* ---- failing --------------------------------------------------------------
 */

bool facts_check(struct facts *f, int rc)
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
    if (!facts_check(
            f, ledger_open(&f->ledger, ledger_path, LEDGER_READ, &f->err)))
        return f;
    if (!f->ledger) {
        facts_check(f, err_set(&f->err, ERR_RETRY, "there is no ledger %s",
                               ledger_path));
        return f;
    }
    take_key(f);
    facts_check(f, ledger_freeze(f->ledger, &f->err));
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

struct str scope_of_got(struct arena *a, struct str output, struct str source)
{
    return arena_fmt(a, "got %.*s %.*s", STR_ARGS(output), STR_ARGS(source));
}

/* What the job decides now depends on it. There are few: one or two a route. */
void facts_ask(struct facts *f, struct str name)
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
        facts_check(f, ledger_scope(f->ledger, s->name, &s->version, &f->err));
}

/* ---- what was learnt ------------------------------------------------------
 */

struct learnt *facts_find(const struct facts *f, struct str key)
{
    const uint32_t *at = textmap_find(&f->map, key);

    return at && *at ? &f->learnt[*at - 1] : NULL;
}

struct learnt *facts_overlay(struct facts *f, struct str key, bool is_new)
{
    const uint32_t *at = is_new ? NULL : textmap_find(&f->map, key);
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

struct str facts_doc_name(struct arena *a, const struct doc_key *k)
{
    return arena_fmt(a, "d\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARGS(k->output),
                     STR_ARGS(k->sender), STR_ARGS(k->document),
                     STR_ARGS(k->number));
}

struct str facts_card_name(struct arena *a, struct str unit,
                           enum card_kind kind, struct str key)
{
    const struct str parts[] = { STR("c\n"), unit,
                                 STR("\n"),  str_of(card_kind_names[kind]),
                                 STR("\n"),  key };

    return arena_join(a, parts, COUNT(parts));
}

/* ---- rows -----------------------------------------------------------------
 */

void facts_row(struct facts *f, enum fact fact, const struct str *columns)
{
    if (fact_write(&f->pending, fact, 0, columns) == 0)
        return;
    f->io_failed = true;
    err_set(&f->err, ERR_HOLD, "one document teaches more than %d bytes",
            MOST_PENDING);
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
    f->aside_sorted = 0;
    f->file_got = f->n_got;
    f->place = 0;
    if (!f->failed)
        facts_check(f, ledger_place(f->ledger, job, &f->place, &f->err));
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
    f->aside_sorted = 0;
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
    f->aside_sorted = 0;
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

bool facts_took_back(const struct facts *f)
{
    return f && f->aside.len > 0;
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
