/*
 * fetch.c - claimed files of partners' servers come into our custody. What is
 * left of them there is fetch_left.c's.
 *
 *   MOVE     RENAME NAME -> .claim/<id>     not with `after fetch keep`
 *   FETCH    into tmp/<id>, from .claim/<id>, or from where it lies
 *   TAKE     hashed, synced, named in/<id>; commit TAKEN, of all at once
 *   BACK     what was not complete goes back under its name, its row goes
 *
 * A haul is up to 64 claims of one partner; its steps are taken when all
 * answers of the last one are in. A line has two hauls: while the files of one
 * become ours, those of the other are on their way. A claim is in one of them,
 * and hauls become ours in the order in which they began.
 */
#include "spool/fetch_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/closed.h"
#include "spool/files.h"
#include "spool/scan.h"
#include "spool/ship.h"
#include "spool/sync.h"
#include "spool/take.h"

/* Rows that are read to find a haul: some may be of files that wait, or are
 * under way. Hauls on a line. */
enum { MOST_ROWS = 1024, AT_ONCE = 2 };

/* ---- asking -------------------------------------------------------------- */

struct str haul_path(struct haul *h, const struct claim *c, struct str name)
{
    return remote_path(&h->arena, h->partner->remote, c->folder, name);
}

static const struct errand *ask_make(struct haul *h, struct str path)
{
    struct wire *w = talk_begin(&h->talk, WIRE_MAKE_FOLDER);
    struct errand *x = arena_alloc(&h->arena, sizeof(*x));

    wire_put_str(w, path);
    talk_send(&h->talk, w, x, 0);
    return x;
}

void haul_rename(struct haul *h, struct str from, struct str to,
                 struct errand *x)
{
    struct wire *w = talk_begin(&h->talk, WIRE_RENAME);

    wire_put_str(w, from);
    wire_put_str(w, to);
    wire_put(w, UINT64_MAX);
    wire_put(w, 0);
    talk_send(&h->talk, w, x, 0);
}

void haul_look(struct haul *h, struct str path, struct errand *x)
{
    struct wire *w = talk_begin(&h->talk, WIRE_LOOK);

    wire_put_str(w, path);
    wire_put(w, UINT64_MAX);
    talk_send(&h->talk, w, x, 0);
}

void haul_remove(struct haul *h, struct str path, uint64_t size, uint64_t mtime,
                 struct errand *x)
{
    struct wire *w = talk_begin(&h->talk, WIRE_REMOVE);

    wire_put_str(w, path);
    wire_put(w, size);
    wire_put(w, mtime);
    talk_send(&h->talk, w, x, 0);
}

static struct str claimed_name(struct haul *h, const struct claim *c)
{
    return arena_fmt(&h->arena, CLAIM_FOLDER "/%s", c->id);
}

/* The one that was asked for by a claim before, of the same folder. */
static const struct errand *made_before(const struct haul *h, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (str_eq(h->v[j].c.folder, h->v[i].c.folder))
            return h->v[j].made;
    return NULL;
}

/* ---- MOVE, FETCH --------------------------------------------------------- */

static void move_all(struct haul *h)
{
    for (size_t i = 0; i < h->n; i++) {
        struct hauled *x = &h->v[i];

        x->there = x->c.name;
        if (h->partner->remote->after == AFTER_KEEP)
            continue;
        x->made = made_before(h, i);
        if (!x->made)
            x->made = ask_make(h, haul_path(h, &x->c, STR(CLAIM_FOLDER)));
        haul_rename(h, haul_path(h, &x->c, x->c.name),
                    haul_path(h, &x->c, claimed_name(h, &x->c)), &x->asked);
    }
    h->next_step = FETCH;
}

/* Where the file is now, by what came of the rename. */
static void on_moved(struct haul *h, struct hauled *x)
{
    switch (x->asked.f.how) {
    case OUTCOME_OK:
    case OUTCOME_TAKEN:  /* it was moved before we died: the id is ours alone */
    case OUTCOME_ABSENT: /* the same, or it is gone */
        if (x->made->f.how == OUTCOME_OK)
            x->there = claimed_name(h, &x->c);
        break;
    case OUTCOME_LOST:
        x->how = WAITS;
        break;
    default: /* nobody may rename there: it is fetched where it lies */
        break;
    }
}

static int open_copy(struct keeper *k, const struct claim *c)
{
    char tmp[48];

    snprintf(tmp, sizeof(tmp), "tmp/%s", c->id);
    unlinkat(k->spool_fd, tmp, 0);
    return openat(k->spool_fd, tmp,
                  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static void ask_fetch(struct haul *h, struct hauled *x)
{
    struct wire *w = talk_begin(&h->talk, WIRE_FETCH);

    wire_put_str(w, haul_path(h, &x->c, x->there));
    wire_put(w, x->c.seen.size);
    wire_put(w, (uint64_t)x->c.seen.mtime_ns);
    w->fd = x->fd;
    talk_send(&h->talk, w, &x->asked, x->c.seen.size);
}

static void fetch_all(struct keeper *k, struct haul *h)
{
    for (size_t i = 0; i < h->n; i++) {
        struct hauled *x = &h->v[i];

        if (h->partner->remote->after != AFTER_KEEP)
            on_moved(h, x);
        if (x->how != ON_ITS_WAY)
            continue;
        x->fd = open_copy(k, &x->c);
        if (x->fd == -1) {
            x->how = WAITS;
            failed_sys(&x->asked.f, OUTCOME_LOCAL, "the spool");
            continue;
        }
        ask_fetch(h, x);
    }
    h->next_step = TAKE;
}

/* ---- TAKE ---------------------------------------------------------------- */

/* It does not lie under its own name. A server that did not say why it would
 * not rename may have done it before we died; or files were not kept then. */
static void on_absent(struct haul *h, struct hauled *x)
{
    if (!str_eq(x->there, x->c.name)) {
        x->how = IS_GONE;
        return;
    }
    x->there = claimed_name(h, &x->c);
    ask_fetch(h, x);
}

static void on_fetched(struct haul *h, struct hauled *x)
{
    switch (x->asked.f.how) {
    case OUTCOME_OK:
        x->how = IS_OURS;
        break;
    case OUTCOME_ABSENT:
        on_absent(h, x);
        break;
    case OUTCOME_CHANGED: /* somebody writes to it: it was not complete */
        x->how = str_eq(x->there, x->c.name) ? IS_GONE : GOES_BACK;
        break;
    default:
        x->how = WAITS;
        break;
    }
}

/* Hashed anew: what the courier says of it is not believed. */
static int hash_copy(struct hauled *x)
{
    struct content got;

    if (lseek(x->fd, 0, SEEK_SET) == -1 ||
        content_copy(x->fd, -1, UINT64_MAX, &got) == -1)
        return failed_sys(&x->asked.f, OUTCOME_LOCAL, "the spool");
    if (got.bytes != x->c.seen.size)
        return failed(&x->asked.f, OUTCOME_LOCAL,
                      "the copy has %llu bytes, the file %llu",
                      (unsigned long long)got.bytes,
                      (unsigned long long)x->c.seen.size);
    memcpy(x->c.sha256, got.sha256, sizeof(x->c.sha256));
    return 0;
}

static int name_copy(struct keeper *k, struct hauled *x)
{
    char tmp[48], in[48];

    snprintf(tmp, sizeof(tmp), "tmp/%s", x->c.id);
    snprintf(in, sizeof(in), "in/%s", x->c.id);
    if (renameat(k->spool_fd, tmp, k->spool_fd, in) == -1)
        return failed_sys(&x->asked.f, OUTCOME_LOCAL, "the spool");
    return 0;
}

/* Every copy that is ours, synced, under its name in in/. */
static void make_durable(struct keeper *k, struct haul *h)
{
    struct synced f[TOGETHER_FILES];
    size_t n = 0;

    for (size_t i = 0; i < h->n; i++)
        if (h->v[i].how == IS_OURS && hash_copy(&h->v[i]) == -1)
            h->v[i].how = WAITS;
    for (size_t i = 0; i < h->n; i++)
        if (h->v[i].how == IS_OURS)
            f[n++] = (struct synced){ .fd = h->v[i].fd };
    sync_files(f, n);
    n = 0;
    for (size_t i = 0; i < h->n; i++) {
        struct hauled *x = &h->v[i];

        if (x->how != IS_OURS)
            continue;
        errno = f[n].error;
        if (f[n++].error)
            failed_sys(&x->asked.f, OUTCOME_LOCAL, "sync");
        if (errno || name_copy(k, x) == -1)
            x->how = WAITS;
    }
    if (n && folder_sync(k->spool_fd, STR("in")) == -1)
        for (size_t i = 0; i < h->n; i++)
            if (h->v[i].how == IS_OURS) {
                failed_sys(&h->v[i].asked.f, OUTCOME_LOCAL, "sync");
                h->v[i].how = WAITS;
            }
}

static struct seen seen_of(const struct claim *c)
{
    return (struct seen){ .name = c->name,
                          .size = c->seen.size,
                          .mtime = (uint64_t)c->seen.mtime_ns };
}

int haul_forget(struct keeper *k, const struct claim *c, struct err *e)
{
    const struct seen s = seen_of(c);

    return ledger_unsee(k->ledger, c->partner, c->folder, &s, e);
}

int haul_remember(struct keeper *k, const struct claim *c, struct err *e)
{
    struct seen s = seen_of(c);

    s.since = clock_now();
    s.taken = true;
    return ledger_see(k->ledger, c->partner, c->folder, &s, e);
}

/* With what is left there. While the file lies under its own name, it stays
 * among those that are seen and taken. */
static int commit_one(struct keeper *k, struct haul *h, struct hauled *x,
                      struct err *e)
{
    bool moved = !str_eq(x->there, x->c.name);
    bool keep = h->partner->remote->after == AFTER_KEEP;

    if (take_commit(k, &x->c, e) == -1)
        return -1;
    if (moved && haul_forget(k, &x->c, e) == -1)
        return -1;
    place_reopen(k, h->partner->name, str_of(x->c.id));
    return ledger_there(k->ledger, &x->c, keep && !moved ? STR("") : x->there,
                        e);
}

static int commit_taken(struct keeper *k, struct haul *h, struct err *e)
{
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    for (size_t i = 0; i < h->n; i++)
        if (h->v[i].how == IS_OURS && commit_one(k, h, &h->v[i], e) == -1) {
            ledger_rollback(k->ledger);
            return -1;
        }
    return ledger_commit(k->ledger, e);
}

/* It waits, for our disk or his server; the row stays CLAIMED. */
static void tell_waiting(struct keeper *k, struct haul *h,
                         const struct hauled *x)
{
    const struct failure *f = &x->asked.f;

    if (f->how == OUTCOME_LOST)
        return; /* the courier rests, and says why */
    if (f->how == OUTCOME_LOCAL)
        k->machine_failed = true;
    keeper_trouble(k, "%.*s %.*s cannot be fetched: %s",
                   STR_ARGS(h->partner->name), STR_ARGS(x->c.name), f->text);
    place_close(k, h->partner->name, str_of(x->c.id));
}

static int take_all(struct keeper *k, struct haul *h, struct err *e)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->v[i].how == ON_ITS_WAY)
            on_fetched(h, &h->v[i]);
    if (h->talk.n_open)
        return 0; /* some are looked for elsewhere */
    for (size_t i = 0; i < h->n; i++)
        if (h->v[i].how == IS_OURS && !take_is_wanted(k, &h->v[i].c))
            h->v[i].how = STAYS;
    make_durable(k, h);
    if (commit_taken(k, h, e) == -1)
        return -1;
    for (size_t i = 0; i < h->n; i++) {
        struct hauled *x = &h->v[i];

        if (x->how == IS_OURS)
            k->again = k->ring = true; /* a slot may have waited for it */
        else if (x->how == WAITS)
            tell_waiting(k, h, x);
        else if (x->how == GOES_BACK)
            haul_rename(h, haul_path(h, &x->c, x->there),
                        haul_path(h, &x->c, x->c.name), &x->asked);
    }
    h->next_step = BACK;
    return 0;
}

/* ---- BACK ---------------------------------------------------------------- */

static int back_one(struct keeper *k, struct haul *h, struct hauled *x,
                    struct err *e)
{
    enum outcome how = x->asked.f.how;

    if (x->how != IS_GONE && x->how != GOES_BACK)
        return 0;
    if (x->how == GOES_BACK && how == OUTCOME_TAKEN) {
        keeper_trouble(k,
                       "%.*s changed while we read it, and its name is in use "
                       "again; it waits in %.*s",
                       STR_ARGS(x->c.name), STR_ARGS(x->there));
        return 0;
    }
    if (x->how == GOES_BACK && how != OUTCOME_OK && how != OUTCOME_ABSENT) {
        tell_waiting(k, h, x);
        return 0;
    }
    k->n_put_back += x->how == GOES_BACK;
    place_reopen(k, h->partner->name, str_of(x->c.id));
    if (haul_forget(k, &x->c, e) == -1)
        return -1;
    return take_unclaim(k, &x->c, e);
}

/* ---- hauls --------------------------------------------------------------- */

static void release(struct haul *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->v[i].fd != -1)
            close(h->v[i].fd);
    talk_end(&h->talk);
    h->conf->users--;
    arena_release(&h->arena);
    free(h);
}

static int back_all(struct keeper *k, struct haul *h, struct err *e)
{
    for (size_t i = 0; i < h->n; i++)
        if (back_one(k, h, &h->v[i], e) == -1)
            return -1;
    return 0;
}

/* Files are taken in their order: an older haul is not so far yet. */
static bool has_to_wait(const struct keeper *k, const struct haul *h)
{
    const struct haul *x = k->hauls;

    while (x != h &&
           (x->next_step > TAKE || !str_eq(x->partner->name, h->partner->name)))
        x = x->next;
    return h->next_step == TAKE && x != h;
}

static int advance(struct keeper *k, struct haul *h, bool *over, struct err *e)
{
    int rc = 0;

    *over = false;
    while (rc == 0 && h->talk.n_open == 0 && !*over && !has_to_wait(k, h))
        switch (h->next_step) {
        case MOVE:
            move_all(h);
            break;
        case FETCH:
            fetch_all(k, h);
            break;
        case TAKE:
            rc = take_all(k, h, e);
            break;
        case BACK:
            rc = back_all(k, h, e);
            *over = true;
            break;
        case BEHIND:
            left_look(h);
            break;
        case DISPOSE:
            rc = left_dispose(k, h, e);
            break;
        case DISPOSED:
            rc = left_disposed(k, h, over, e);
            break;
        }
    return rc;
}

static int advance_all(struct keeper *k, struct err *e)
{
    for (struct haul **p = &k->hauls; *p;) {
        struct haul *h = *p;
        bool over;

        if (advance(k, h, &over, e) == -1)
            return -1;
        if (over) {
            *p = h->next;
            release(h);
        } else {
            p = &h->next;
        }
    }
    return 0;
}

static struct claim copy_of(struct arena *a, const struct claim *c)
{
    struct claim out = *c;

    out.partner = arena_str(a, c->partner);
    out.folder = arena_str(a, c->folder);
    out.name = arena_str(a, c->name);
    out.archive = arena_str(a, c->archive);
    out.there = arena_str(a, c->there);
    return out;
}

static size_t n_hauls_from(const struct keeper *k, const struct partner *p)
{
    size_t n = 0;

    for (const struct haul *h = k->hauls; h; h = h->next)
        n += str_eq(h->partner->name, p->name);
    return n;
}

static bool is_under_way(const struct keeper *k, const struct claim *c)
{
    for (const struct haul *h = k->hauls; h; h = h->next)
        for (size_t i = 0; i < h->n; i++)
            if (strcmp(h->v[i].c.id, c->id) == 0)
                return true;
    return false;
}

static bool may_go(struct keeper *k, const struct partner *p,
                   const struct claim *c)
{
    return !place_is_closed(k, p->name, str_of(c->id)) && !is_under_way(k, c) &&
           (c->state == CLAIM_TAKEN || take_is_wanted(k, c));
}

static void begin(struct keeper *k, const struct partner *p, struct courier *c,
                  const struct claim *claims, size_t n, bool taken)
{
    struct haul *h = xcalloc(1, sizeof(*h)), **last = &k->hauls;
    uint64_t bytes = 0;

    h->partner = p;
    h->conf = k->conf;
    h->conf->users++;
    h->talk = talk_with(c);
    h->next_step = taken ? BEHIND : MOVE;
    h->v = arena_alloc(&h->arena, TOGETHER_FILES * sizeof(*h->v));
    for (size_t i = 0; i < n; i++) {
        if (!may_go(k, p, &claims[i]))
            continue;
        if (!keeper_together(h->n, &bytes, claims[i].seen.size))
            break;
        h->v[h->n++] = (struct hauled){
            .c = copy_of(&h->arena, &claims[i]),
            .fd = -1,
            .how = taken ? WAITS : ON_ITS_WAY,
        };
    }
    while (*last)
        last = &(*last)->next;
    *last = h;
}

/* Claims of the partner, in order; *first is one that may go, or n. Those that
 * wait, however many they are, hold up no other. */
static int claims_of(struct keeper *k, const struct partner *p, bool taken,
                     struct claim **claims, size_t *n, size_t *first,
                     struct err *e)
{
    uint64_t max = MOST_ROWS;

    for (;; max *= 4) {
        if (ledger_remote_claims(k->ledger, p->name, taken, max, &k->arena,
                                 claims, n, e) == -1)
            return -1;
        for (*first = 0; *first < *n; ++*first)
            if (may_go(k, p, &(*claims)[*first]))
                return 0;
        if (*n < max)
            return 0;
    }
}

/* New files first; what is left can wait. */
static int begin_for(struct keeper *k, const struct partner *p, struct err *e)
{
    for (int taken = 0; taken <= 1; taken++) {
        struct claim *claims;
        struct courier *c;
        const char *why;
        size_t n, first;

        if (claims_of(k, p, taken, &claims, &n, &first, e) == -1)
            return -1;
        if (first == n)
            continue;
        c = courier_up(k, p, &why);
        if (c)
            begin(k, p, c, claims + first, n - first, taken);
        else if (why && !k->stays)
            keeper_trouble(k, "%.*s: %s", STR_ARGS(p->name), why);
        return 0;
    }
    return 0;
}

/* A partner is gone from the configuration, or has a folder now: what he has
 * left on his server waits for his return. */
static int tell_of_gone(struct keeper *k, struct str partner, struct err *e)
{
    for (int taken = 0; taken <= 1; taken++) {
        struct claim *c;
        size_t n;

        if (ledger_remote_claims(k->ledger, partner, taken, 1, &k->arena, &c,
                                 &n, e) == -1)
            return -1;
        if (n)
            keeper_trouble(k,
                           taken ? "%.*s was fetched and is not removed yet: "
                                   "partner %.*s has no server in the "
                                   "configuration any more"
                                 : "%.*s is claimed on a server, and partner "
                                   "%.*s has none in the configuration any "
                                   "more",
                           STR_ARGS(c->name), STR_ARGS(partner));
    }
    return 0;
}

static int look_for_gone(struct keeper *k, struct err *e)
{
    struct str name = STR("");

    do {
        const struct partner *p;

        if (ledger_next_remote(k->ledger, name, &k->arena, &name, e) == -1)
            return -1;
        p = name.len ? conf_partner(k->conf, name) : NULL;
        if (name.len && (!p || !p->remote) && tell_of_gone(k, name, e) == -1)
            return -1;
    } while (name.len);
    return 0;
}

int keeper_fetch(struct keeper *k, struct err *e)
{
    fetch_lists(k);
    if (couriers_note(k, e) == -1 || advance_all(k, e) == -1 ||
        look_for_gone(k, e) == -1)
        return -1;
    for (const struct partner *p = k->conf->partners; p; p = p->next)
        if (p->remote && n_hauls_from(k, p) < AT_ONCE * p->remote->n_lines &&
            begin_for(k, p, e) == -1)
            return -1;
    return advance_all(k, e);
}

int fetch_any_claimed(struct keeper *k, const struct partner *p,
                      const struct route *r, bool *any, struct err *e)
{
    struct claim *c;
    size_t n;

    *any = false;
    if (ledger_remote_claims(k->ledger, p->name, false, MOST_ROWS, &k->item, &c,
                             &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n && !*any; i++)
        *any = route_takes(r, p->name, c[i].folder, c[i].name) &&
               !place_is_closed(k, p->name, str_of(c[i].id));
    return 0;
}

bool fetch_hauls(const struct keeper *k)
{
    return k->hauls != NULL;
}

void fetch_drop_hauls(struct keeper *k)
{
    while (k->hauls) {
        struct haul *h = k->hauls;

        k->hauls = h->next;
        release(h);
    }
}
