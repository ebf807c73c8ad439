/*
 * claim.c - from the inbox into our custody.
 *
 *   1  commit CLAIMED (which id stands for which name)
 *   2  rename inbox/NAME -> inbox/.claim/<id>
 *   3  copy to tmp/<id>, hashing; the claimed file must not change meanwhile
 *   4  sync, rename to in/<id>, sync in/, inbox/.claim/ and inbox/
 *   5  commit TAKEN: from here on the file is ours
 *
 * Claim first, then read: a sender may replace a name at any moment, so what
 * is read and what is put away must be the same file, not the same name.
 *
 * If we die after 1: the file lies in the inbox. keeper_take() goes on at 2 if
 * it is still the one that was seen, so that it keeps its place in the order of
 * claims; else it drops the row.
 * After 2, 3, 4: keeper_take() begins again at 3 with the claimed file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "converters/base/utf8.h"
#include "spool/files.h"
#include "spool/keeper.h"
#include "spool/partner.h"
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

struct open_inbox {
    int fd, claim_fd;
};

static void inbox_close(struct open_inbox *o)
{
    if (o->fd != -1)
        close(o->fd);
    if (o->claim_fd != -1)
        close(o->claim_fd);
}

static int inbox_open(const struct partner *p, struct str folder,
                      struct open_inbox *o, struct err *e)
{
    *o = (struct open_inbox){ -1, -1 };
    o->fd = partner_open(p, folder, e);
    if (o->fd == -1)
        return -1;
    if (dir_make(o->fd, CLAIM_FOLDER, 0700) == 0)
        o->claim_fd = dir_open_at(o->fd, STR(CLAIM_FOLDER));
    if (o->claim_fd != -1)
        return 0;
    err_sys(e, ERR_RETRY, "folder %s/%.*s/" CLAIM_FOLDER, p->folder,
            STR_ARGS(folder));
    inbox_close(o);
    return -1;
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

static struct waiting *look_into(struct keeper *k, const struct inbox *in)
{
    struct waiting *w = arena_alloc(&k->looked, sizeof(*w));
    struct err e;
    size_t n;

    w->in = in;
    if (scan_inbox(k->conf, in, &k->looked, &w->files, &n, &e) == -1) {
        keeper_trouble(k, "%s", e.text);
        return w;
    }
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
    return w;
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
        *last = look_into(k, in);
        last = &(*last)->next;
    }
    return number_waiting(k, e);
}

/* It may have been taken away, or written to, since we looked. */
static bool is_as_seen(int dir_fd, const char *name, uint64_t size,
                       int64_t mtime_ns)
{
    struct stat st;

    return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (uint64_t)st.st_size == size &&
           (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec ==
               mtime_ns;
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

        if (!is_as_seen(dir_fd, arena_cstr(&k->arena, f->name), f->size,
                        f->mtime_ns) ||
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
        claims[n++].name = f->name;
    }
    return n;
}

/* The rows first, all in one commit; then the renames. */
static int claim_files(struct keeper *k, const struct open_inbox *o,
                       const struct claim *claims, size_t n, struct err *e)
{
    if (n == 0)
        return 0;
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (ledger_claim(k->ledger, &claims[i], e) == -1) {
            ledger_rollback(k->ledger);
            return -1;
        }
    if (ledger_commit(k->ledger, e) == -1)
        return -1;
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
    struct open_inbox o;
    size_t n_mine;
    int rc;

    if (inbox_open(w->in->partner, w->in->folder, &o, e) == -1) {
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

/* ---- 3 and 4: copy ------------------------------------------------------ */

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct identity identity_of(const struct stat *st)
{
    return (struct identity){
        .dev = st->st_dev,
        .ino = st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime_ns = nanoseconds(st->st_mtim),
        .ctime_ns = nanoseconds(st->st_ctim),
    };
}

static bool same_file(const struct identity *a, const struct identity *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

enum taken { TAKEN, PUT_BACK, LATER };

/* tmp/<id>, synced, then in/<id>. */
static int copy_into_spool(struct keeper *k, struct claim *c, int from,
                           struct content *got)
{
    char tmp[48], in[48];
    int to, dir, rc;

    snprintf(tmp, sizeof(tmp), "tmp/%s", c->id);
    snprintf(in, sizeof(in), "in/%s", c->id);
    unlinkat(k->spool_fd, tmp, 0);
    to =
        openat(k->spool_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to == -1)
        return -1;
    rc = content_copy(from, to, k->conf->limits.v[LIMIT_INPUT], got);
    if (rc == 0)
        rc = fsync(to);
    if (close(to) == -1)
        rc = -1;
    if (rc == 0)
        rc = renameat(k->spool_fd, tmp, k->spool_fd, in);
    dir = rc == 0 ? dir_open_at(k->spool_fd, STR("in")) : -1;
    if (rc == 0)
        rc = dir == -1 ? -1 : dir_sync(dir);
    if (dir != -1)
        close(dir);
    return rc;
}

static enum taken copy_claimed(struct keeper *k, struct claim *c, int fd,
                               struct err *e)
{
    struct identity before, after;
    struct content got;
    struct stat st;

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
        st.st_size == 0 || scan_is_written(fd))
        return PUT_BACK;
    before = identity_of(&st);
    if (copy_into_spool(k, c, fd, &got) == -1) {
        if (errno == EFBIG)
            return PUT_BACK;
        err_sys(e, ERR_RETRY, "cannot copy %.*s into the spool",
                STR_ARGS(c->name));
        return LATER;
    }
    if (fstat(fd, &st) == -1)
        return PUT_BACK;
    after = identity_of(&st);
    if (!same_file(&before, &after) || got.bytes != after.size)
        return PUT_BACK; /* somebody writes to it: it was not complete */
    c->seen = after;
    memcpy(c->sha256, got.sha256, sizeof(c->sha256));
    return TAKEN;
}

/* ---- 5: custody --------------------------------------------------------- */

/* A name that can be printed and stored: other bytes become '_'. */
static struct str label_of(struct arena *a, struct str name)
{
    char *out = arena_text(a, name.len);

    for (size_t i = 0; i < name.len; i++)
        out[i] = (unsigned char)name.p[i] < ' ' || name.p[i] == 127 ? '_'
                                                                    : name.p[i];
    for (size_t bad;
         (bad = utf8_valid_len((struct str){ out, name.len })) < name.len;)
        out[bad] = '_';
    return (struct str){ out, name.len };
}

static int commit_taken(struct keeper *k, struct claim *c, struct err *e)
{
    struct receipt *r;
    size_t n = 0;

    for (const struct route *x = k->conf->routes; x; x = x->next)
        n++;
    r = arena_alloc(&k->item, (n + 1) * sizeof(*r));
    n = 0;
    c->taken_at = clock_now();
    for (const struct route *x = k->conf->routes; x; x = x->next) {
        if (!route_takes(x, c->partner, c->folder, c->name))
            continue;
        r[n] = (struct receipt){
            .route = x->name,
            .partner = c->partner,
            .name = label_of(&k->item, c->name),
            .size = c->seen.size,
            .once = conf_happens_once(x),
            .test = x->test,
            .run_time = c->taken_at,
            .taken_at = c->taken_at,
        };
        id_new(r[n].id);
        memcpy(r[n++].sha256, c->sha256, sizeof(c->sha256));
    }
    k->n_taken++;
    return ledger_taken(k->ledger, c, r, n, e);
}

static int wait_longer(struct keeper *k, const struct err *e)
{
    keeper_trouble(k, "%s", e->text);
    k->machine_failed = true;
    return 0;
}

/* The file is not ours; nor is a copy of it, made before that was known. */
static int unclaim(struct keeper *k, const struct claim *c, struct err *e)
{
    char in[48], tmp[48];

    snprintf(in, sizeof(in), "in/%s", c->id);
    snprintf(tmp, sizeof(tmp), "tmp/%s", c->id);
    unlinkat(k->spool_fd, tmp, 0);
    if (unlinkat(k->spool_fd, in, 0) == 0) {
        int dir = dir_open_at(k->spool_fd, STR("in"));
        int rc = dir == -1 ? -1 : dir_sync(dir);

        if (dir != -1)
            close(dir);
        if (rc == -1) {
            err_sys(e, ERR_RETRY, "cannot sync the spool");
            return wait_longer(k, e);
        }
    } else if (errno != ENOENT) {
        err_sys(e, ERR_RETRY, "cannot remove %s", in);
        return wait_longer(k, e);
    }
    return ledger_unclaim(k->ledger, c, e);
}

/* Back under its name, if that is still free; else it waits as it is. */
static int put_back(struct keeper *k, const struct claim *c,
                    const struct open_inbox *o, struct err *e)
{
    if (rename_fresh(o->claim_fd, c->id, o->fd,
                     arena_cstr(&k->item, c->name)) == -1 &&
        errno != ENOENT) {
        keeper_trouble(k,
                       "%.*s changed while we read it, and its name is "
                       "in use again; it waits in %s/%s",
                       STR_ARGS(c->name), CLAIM_FOLDER, c->id);
        return 0;
    }
    /* Only then may the row go that knows whose file it is. */
    if (dir_sync(o->fd) == -1 || dir_sync(o->claim_fd) == -1) {
        err_sys(e, ERR_RETRY, "cannot sync the inbox");
        return wait_longer(k, e);
    }
    k->n_put_back++;
    return unclaim(k, c, e);
}

/*
 * What said that it is complete has done its duty. If the next file of that
 * name has come already, the trigger is that file's.
 */
static void drop_triggers(struct keeper *k, const struct claim *c, int dir_fd)
{
    char other[SCAN_NAME];
    struct stat st;

    for (const struct route *r = k->conf->routes; r; r = r->next)
        for (int instead = 0; r->trigger.len && instead <= 1; instead++)
            if (route_takes(r, c->partner, c->folder, c->name) &&
                scan_trigger_name(c->name, r->trigger, instead, other) &&
                fstatat(dir_fd, arena_cstr(&k->item, c->name), &st,
                        AT_SYMLINK_NOFOLLOW) == -1)
                unlinkat(dir_fd, other, 0);
}

static bool any_route(const struct keeper *k, const struct claim *c)
{
    for (const struct route *x = k->conf->routes; x; x = x->next)
        if (route_takes(x, c->partner, c->folder, c->name))
            return true;
    return false;
}

/* Step 2 once more, for one that stayed in the inbox. */
static int open_claimed(struct keeper *k, const struct claim *c,
                        const struct open_inbox *o)
{
    const int how = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    const char *name = arena_cstr(&k->item, c->name);
    int fd = openat(o->claim_fd, c->id, how);

    if (fd != -1 || errno != ENOENT)
        return fd;
    if (!is_as_seen(o->fd, name, c->seen.size, c->seen.mtime_ns) ||
        rename_fresh(o->fd, name, o->claim_fd, c->id) == -1) {
        errno = ENOENT;
        return -1;
    }
    return openat(o->claim_fd, c->id, how);
}

static int take_one(struct keeper *k, struct claim *c,
                    const struct open_inbox *o, struct err *e)
{
    int fd = open_claimed(k, c, o);
    enum taken how;

    if (fd == -1 && errno == ENOENT)
        return unclaim(k, c, e);
    how = fd == -1 || !any_route(k, c) ? PUT_BACK : copy_claimed(k, c, fd, e);
    if (fd != -1)
        close(fd);
    if (how == PUT_BACK)
        return put_back(k, c, o, e);
    if (how == TAKEN)
        drop_triggers(k, c, o->fd);
    if (how == TAKEN &&
        (dir_sync(o->claim_fd) == -1 || dir_sync(o->fd) == -1)) {
        err_sys(e, ERR_RETRY, "cannot sync the inbox");
        how = LATER;
    }
    if (how == LATER)
        return wait_longer(k, e);
    return commit_taken(k, c, e);
}

/* ---- the rest of a file that was taken too early ------------------------ */

static bool is_converting(const struct keeper *k, const struct claim *c)
{
    const struct job_file *x;

    for (size_t i = 0; (x = jobs_file(&k->jobs, i)); i++)
        if (strcmp(x->receipt.claim, c->id) == 0)
            return true;
    return false;
}

static bool all_are_taken(struct keeper *k, const struct claim *c, bool *yes,
                          struct err *e)
{
    const struct ledger_find mine = { .claim = c->id };
    struct receipt *r;
    size_t n;

    if (ledger_receipts(k->ledger, &mine, &k->item, &r, &n, e) == -1)
        return false;
    *yes = !is_converting(k, c);
    for (size_t i = 0; i < n; i++)
        *yes = *yes && r[i].state == RECEIPT_TAKEN;
    return true;
}

static int copy_rest(struct keeper *k, struct claim *c, int fd,
                     struct receipt *r, struct err *e)
{
    struct stat st;
    struct identity now;
    enum taken how;

    if (fstat(fd, &st) == -1)
        return 0;
    now = identity_of(&st);
    if (same_file(&now, &c->seen))
        return 0;
    how = copy_claimed(k, c, fd, e);
    if (how == LATER)
        return -1;
    if (how == PUT_BACK)
        return err_set(e, ERR_RETRY, "its sender is still writing it");
    r->size = c->seen.size;
    memcpy(r->sha256, c->sha256, sizeof(r->sha256));
    return ledger_taken_rest(k->ledger, c, e);
}

int keeper_take_rest(struct keeper *k, struct receipt *r, struct err *e)
{
    const struct partner *p;
    struct open_inbox o;
    struct claim *c;
    bool all;
    int fd, rc = 0;

    if (ledger_find_claim(k->ledger, r->claim, &k->item, &c, e) == -1)
        return -1;
    p = c ? conf_partner(k->conf, c->partner) : NULL;
    if (!p || c->state != CLAIM_TAKEN)
        return 0;
    if (!all_are_taken(k, c, &all, e))
        return -1;
    if (!all || inbox_open(p, c->folder, &o, e) == -1)
        return 0; /* what we have is complete, or all that we can have */
    fd = openat(o.claim_fd, c->id,
                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd != -1) {
        rc = copy_rest(k, c, fd, r, e);
        close(fd);
    }
    inbox_close(&o);
    return rc;
}

int keeper_take(struct keeper *k, struct err *e)
{
    struct claim *claims;
    size_t n;

    if (ledger_claims(k->ledger, CLAIM_CLAIMED, &k->arena, &claims, &n, e) ==
        -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct partner *p = conf_partner(k->conf, claims[i].partner);
        struct open_inbox o;
        int rc;

        if (!p) {
            keeper_trouble(k,
                           "%.*s is claimed, but its partner %.*s is not in "
                           "the configuration any more",
                           STR_ARGS(claims[i].name),
                           STR_ARGS(claims[i].partner));
            continue;
        }
        if (inbox_open(p, claims[i].folder, &o, e) == -1) {
            keeper_trouble(k, "%s", e->text);
            continue;
        }
        rc = take_one(k, &claims[i], &o, e);
        inbox_close(&o);
        arena_reset(&k->item);
        if (rc == -1)
            return -1;
    }
    return 0;
}
