/*
 * claim.c - what lies in the inboxes, and whose turn it is.
 *
 *   1  commit CLAIMED, of a whole round (which id stands for which name)
 *   2  rename inbox/NAME -> inbox/.claim/<id>
 *
 * Claim first, then read: a sender may replace a name at any moment, so what
 * is read and what is put away must be the same file, not the same name.
 * Steps 3 to 5, and what follows if we die before them, are in take.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "converters/base/utf8.h"
#include "spool/fetch.h"
#include "spool/files.h"
#include "spool/inbox.h"
#include "spool/keeper.h"
#include "spool/room.h"
#include "spool/scan.h"

/* ---- 1 and 2: claim ----------------------------------------------------- */

/* A route that is open must take it; the others get their receipt too. */
static bool is_wanted(const struct keeper *k, const struct inbox *in,
                      struct str name)
{
    for (const struct route *r = k->conf->routes; r; r = r->next)
        if (r->open && route_takes(r, in->partner->name, in->folder, name))
            return true;
    return false;
}

/* An inbox as it was when the run began. */
struct waiting {
    const struct inbox *in;
    struct found *files; /* complete, and wanted; oldest first */
    size_t n, done;
    struct room room; /* for the next of them, when it stopped there */
    struct waiting *next;
};

/* A slot's route stays open until the files that it found are complete. */
static void note_unready(struct keeper *k, const struct inbox *in,
                         const struct found *f)
{
    if (!f->soon)
        return;
    k->unready_soon = true;
    for (struct route *r = k->conf->routes; r; r = r->next)
        if (route_takes(r, in->partner->name, in->folder, f->name))
            r->unready = true;
}

static bool looks_complete(struct keeper *k, const struct inbox *in,
                           struct found *f)
{
    bool same;

    if (!f->shared || !k->stays)
        return !f->why;
    same = looks_are_same(&k->looks, in, f);
    if (f->why && !f->soon)
        return false; /* for another reason than its age */
    f->soon = !same;
    return same;
}

/* A slot that finds no listing of a server waits for one. */
static void note_unlisted(struct keeper *k, const struct inbox *in)
{
    for (struct route *r = k->conf->routes; r; r = r->next)
        for (const struct conf_from *f = r->from; f; f = f->next)
            if (f->partner == in->partner && str_eq(f->folder, in->folder))
                r->unready = true;
}

/* -1: the ledger failed. */
static int find_files(struct keeper *k, struct waiting *w, size_t *n,
                      struct err *e)
{
    struct err why;
    bool listed;

    *n = 0;
    if (w->in->partner->remote) {
        if (fetch_look(k, w->in, &w->files, n, &listed, e) == -1)
            return -1;
        if (!listed)
            note_unlisted(k, w->in);
    } else if (scan_inbox(k->conf, w->in, &k->looked, &w->files, n, &why) ==
               -1) {
        keeper_trouble(k, "%s", why.text);
        *n = 0;
    }
    return 0;
}

static int look_into(struct keeper *k, struct waiting *w, struct err *e)
{
    const struct inbox *in = w->in;
    size_t n;

    if (find_files(k, w, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool complete = looks_complete(k, in, &w->files[i]);

        if (!complete)
            note_unready(k, in, &w->files[i]);
        if (!is_wanted(k, in, w->files[i].name))
            continue;
        if (complete)
            w->files[w->n++] = w->files[i];
        else if (w->files[i].stays)
            keeper_trouble(k, "%.*s %.*s%s%.*s waits: %s",
                           STR_ARGS(in->partner->name), STR_ARGS(in->folder),
                           in->folder.len ? "/" : "",
                           STR_ARGS(w->files[i].name), w->files[i].why);
    }
    return 0;
}

/*
 * The places of all that are complete, whatever inbox they lie in: the oldest
 * file first. They are kept, however long its turn or an error puts one off.
 */
static int number_waiting(struct keeper *k, struct err *e)
{
    struct found **all;
    uint64_t first;
    size_t n = 0;

    for (const struct waiting *w = k->waiting; w; w = w->next)
        n += w->n;
    if (n == 0)
        return 0;
    all = arena_alloc(&k->looked, n * sizeof(struct found *));
    n = 0;
    for (const struct waiting *w = k->waiting; w; w = w->next)
        for (size_t i = 0; i < w->n; i++)
            all[n++] = &w->files[i];
    qsort(all, n, sizeof(struct found *), scan_older);
    if (ledger_reserve(k->ledger, n, &first, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        all[i]->seq = first + i;
    return 0;
}

int keeper_look(struct keeper *k, struct err *e)
{
    struct waiting **last = &k->waiting;

    *last = NULL;
    arena_reset(&k->looked);
    looks_begin(&k->looks);
    k->unready_soon = false;
    for (struct route *r = k->conf->routes; r; r = r->next)
        r->unready = r->held_back = false;
    for (const struct inbox *in = scan_inboxes(k->conf, &k->looked); in;
         in = in->next) {
        struct waiting *w = arena_alloc(&k->looked, sizeof(*w));

        w->in = in;
        if (look_into(k, w, e) == -1)
            return -1;
        *last = w;
        last = &w->next;
    }
    return number_waiting(k, e);
}

int keeper_count(struct keeper *k, struct err *e)
{
    for (struct route *r = k->conf->routes; r; r = r->next)
        if (ledger_backlog(k->ledger, r->name, &r->backlog, e) == -1)
            return -1;
    return 0;
}

/*
 * Has any route of the file room for it? If so, all that take it count it; if
 * not, it stays where it is, and the next look finds it again.
 */
static bool has_turn(struct keeper *k, const struct inbox *in, struct str name)
{
    bool turn = !k->stays;

    for (const struct route *r = k->conf->routes; r && !turn; r = r->next)
        turn = r->open && r->backlog < BACKLOG &&
               route_takes(r, in->partner->name, in->folder, name);
    for (struct route *r = k->conf->routes; r; r = r->next) {
        if (!route_takes(r, in->partner->name, in->folder, name))
            continue;
        r->backlog += turn;
        r->held_back = r->held_back || !turn;
    }
    return turn;
}

/* Up to `max` of its files, as long as there is room. */
static size_t choose(struct keeper *k, struct waiting *w, int dir_fd,
                     struct claim *claims, size_t max, uint64_t *bytes)
{
    size_t n = 0;

    for (; w->done < w->n && n < max; w->done++) {
        const struct found *f = &w->files[w->done];

        if ((dir_fd != -1 && !inbox_has(dir_fd, arena_cstr(&k->arena, f->name),
                                        f->size, f->mtime_ns)) ||
            !has_turn(k, w->in, f->name))
            continue;
        w->room = room_for(k->spool_fd, *bytes + f->size, &k->conf->limits);
        if (!w->room.enough)
            break;
        *bytes += f->size;
        id_new(claims[n].id);
        claims[n].partner = w->in->partner->name;
        claims[n].folder = w->in->folder;
        claims[n].seq = f->seq;
        claims[n].seen.size = f->size;
        claims[n].seen.mtime_ns = f->mtime_ns;
        claims[n].there = dir_fd == -1 ? f->name : STR("");
        claims[n++].name = f->name;
    }
    return n;
}

/* The next listing must not claim a file of a server again. */
static int claim_row(struct keeper *k, const struct claim *c, bool remote,
                     struct err *e)
{
    const struct seen seen = { .name = c->name,
                               .size = c->seen.size,
                               .mtime = (uint64_t)c->seen.mtime_ns,
                               .since = clock_now(),
                               .taken = true };

    if (ledger_claim(k->ledger, c, e) == -1)
        return -1;
    return remote ? ledger_see(k->ledger, c->partner, c->folder, &seen, e) : 0;
}

/* The rows first, all in one commit; then the renames, which on a server are
 * fetch.c's. */
static int claim_files(struct keeper *k, const struct open_inbox *o,
                       const struct claim *claims, size_t n, struct err *e)
{
    if (n == 0)
        return 0;
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (claim_row(k, &claims[i], o->fd == -1, e) == -1) {
            ledger_rollback(k->ledger);
            return -1;
        }
    if (ledger_commit(k->ledger, e) == -1)
        return -1;
    if (o->fd == -1) {
        k->again = true; /* they are fetched at once */
        return 0;
    }
    /* One that fails is tried once more by keeper_take(). */
    for (size_t i = 0; i < n; i++)
        if (rename_fresh(o->fd, arena_cstr(&k->arena, claims[i].name),
                         o->claim_fd, claims[i].id) == -1 &&
            errno != ENOENT) {
            err_sys(e, ERR_RETRY, "cannot move %.*s into %s",
                    STR_ARGS(claims[i].name), CLAIM_FOLDER);
            keeper_trouble(k, "%s", e->text);
        }
    return 0;
}

static int claim_inbox(struct keeper *k, struct waiting *w, size_t max,
                       size_t *n, uint64_t *bytes, struct err *e)
{
    struct claim *claims = arena_alloc(&k->arena, max * sizeof(*claims));
    struct open_inbox o = { -1, -1 };
    size_t n_mine;
    int rc;

    if (!w->in->partner->remote &&
        inbox_open(w->in->partner, w->in->folder, &o, e) == -1) {
        keeper_trouble(k, "%s", e->text);
        w->done = w->n;
        return 0;
    }
    n_mine = choose(k, w, o.fd, claims, max, bytes);
    rc = claim_files(k, &o, claims, n_mine, e);
    inbox_close(&o);
    *n += n_mine;
    return rc;
}

int keeper_claim(struct keeper *k, size_t max, size_t *n, struct err *e)
{
    uint64_t bytes = 0;
    int rc = k->stays ? keeper_count(k, e) : 0;

    *n = 0;
    while (rc == 0 && k->waiting && *n < max) {
        struct waiting *w = k->waiting;

        if (w->done < w->n)
            rc = claim_inbox(k, w, max - *n, n, &bytes, e);
        if (w->done < w->n)
            break; /* a full round, or a full disk */
        k->waiting = w->next;
    }
    if (rc == 0 && *n == 0 && k->waiting) {
        struct str room =
            room_text(&k->arena, &k->waiting->room, &k->conf->limits);

        keeper_trouble(k, "%s: %.*s; nothing more is taken", k->conf->spool,
                       STR_ARGS(room));
        k->machine_failed = true;
    }
    arena_reset(&k->arena);
    return rc;
}
