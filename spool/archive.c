/*
 * archive.c - what is settled goes out of the way, several files together.
 *
 *   1  in/<id>        -> archive/2026/01/31/17-orders.csv
 *   2  out/<receipt>/ -> archive/2026/01/31/17/   (results, report, manifest)
 *   3  sync in/, out/ and each day's folder, once
 *   4  the claimed file: unchanged since we copied it? unlink it.
 *      changed? a sender wrote on after we took it: claimed anew
 *   5  sync each inbox/.claim/, once
 *   6  commit ARCHIVED, of all of them
 *
 * If we die in between, the next run does it again: each step finds that it
 * was done before, for the names do not depend on when it happens.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/files.h"
#include "spool/keeper.h"
#include "spool/manifest.h"
#include "spool/partner.h"
#include "spool/stamp.h"

/* A rename that may have happened before. */
static int move(struct keeper *k, const char *from, const char *to,
                struct err *e)
{
    struct stat st;

    if (renameat2(k->spool_fd, from, k->spool_fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == ENOENT && fstatat(k->spool_fd, to, &st, 0) == 0)
        return 0;
    return err_sys(e, ERR_RETRY, "cannot move %s to %s", from, to);
}

struct str archive_day(const struct claim *c)
{
    return str_first(c->archive, strlen("2026/01/31"));
}

static int sync_folder(struct keeper *k, const char *below, struct err *e)
{
    if (folder_sync(k->spool_fd, str_of(below)) == 0)
        return 0;
    return err_sys(e, ERR_RETRY, "cannot sync %s", below);
}

/* A folder of the files at hand: opened once, synced once. */
struct used {
    struct str partner, folder; /* of an inbox; of a day: "", its place */
    int fd;                     /* -1: it cannot be opened */
    bool changed;
    struct err e;
    struct used *next;
};

/* A claim of those that are archived together. */
struct archiving {
    const struct claim *c;
    struct receipt *r;
    size_t n; /* receipts */
    struct str path;
    struct used *day,
        *inbox; /* inbox NULL: on a server, nothing is left there */
    int rc;
    struct err e;
};

static void fail_all(struct archiving *x, size_t n, const struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (x[i].rc == 0) {
            x[i].rc = -1;
            x[i].e = *e;
        }
}

static struct used *used_before(struct used *all, struct str partner,
                                struct str folder)
{
    while (all &&
           (!str_eq(all->partner, partner) || !str_eq(all->folder, folder)))
        all = all->next;
    return all;
}

static struct used *use(struct keeper *k, struct used **all, struct str partner,
                        struct str folder)
{
    struct used *u = arena_alloc(&k->item, sizeof(*u));

    u->partner = partner;
    u->folder = folder;
    u->next = *all;
    u->fd = -1;
    *all = u;
    return u;
}

static void close_used(struct used *u)
{
    for (; u; u = u->next)
        if (u->fd != -1)
            close(u->fd);
}

/* archive/2026/01/31; it is made if it is not there. */
static struct used *use_day(struct keeper *k, struct used **all,
                            const struct claim *c)
{
    char day[11];
    struct str folder;
    struct used *u;

    stamp_folder(c->taken_at, day);
    folder = arena_fmt(&k->item, "archive/%s", day);
    u = used_before(*all, STR(""), folder);
    if (u)
        return u;
    u = use(k, all, STR(""), folder);
    if (dir_make(k->spool_fd, folder.p, 0700) == -1 ||
        (u->fd = dir_open_at(k->spool_fd, folder)) == -1)
        err_sys(&u->e, ERR_RETRY, "cannot make %s", folder.p);
    return u;
}

/* inbox/.claim */
static struct used *use_inbox(struct keeper *k, struct used **all,
                              const struct claim *c)
{
    const struct partner *p = conf_partner(k->conf, c->partner);
    struct used *u = used_before(*all, c->partner, c->folder);

    if (u || (p && p->remote))
        return u;
    u = use(k, all, c->partner, c->folder);
    if (!p)
        err_set(&u->e, ERR_RETRY,
                "partner %.*s is not in the configuration any more",
                STR_ARGS(c->partner));
    else
        u->fd = partner_open(p,
                             arena_fmt(&k->item, "%.*s%s" CLAIM_FOLDER,
                                       STR_ARGS(c->folder),
                                       c->folder.len ? "/" : ""),
                             &u->e);
    return u;
}

/* A folder that cannot be synced keeps all its files back. */
static void sync_used(struct used *all, struct archiving *x, size_t n)
{
    for (struct used *u = all; u; u = u->next) {
        if (!u->changed)
            continue;
        u->changed = false;
        if (dir_sync(u->fd) == 0)
            continue;
        err_sys(&u->e, ERR_RETRY, "cannot sync %.*s", STR_ARGS(u->folder));
        for (size_t i = 0; i < n; i++)
            if (x[i].day == u || x[i].inbox == u)
                fail_all(&x[i], 1, &u->e);
    }
}

/* A job without results has no folder, and would be forgotten with the
 * ledger. */
static int make_folder(struct keeper *k, const struct receipt *r,
                       const char *day, struct err *e)
{
    struct arena *a = &k->item;
    const char *out = arena_fmt(a, "out/%s", r->id).p;
    struct stat st;
    int fd, rc;

    if (r->state != RECEIPT_SUPPRESSED ||
        fstatat(k->spool_fd,
                arena_fmt(a, "%s/%llu", day, (unsigned long long)r->job).p, &st,
                0) == 0)
        return 0;
    if (dir_make(k->spool_fd, out, 0700) == -1)
        return err_sys(e, ERR_RETRY, "cannot make %s", out);
    fd = dir_open_at(k->spool_fd, str_of(out));
    rc = fd == -1 ? err_sys(e, ERR_RETRY, "cannot open %s", out)
                  : manifest_leave(k->ledger, fd, r, NULL, 0, e);
    if (rc == 0 && tree_sync(k->spool_fd, out) == -1)
        rc = err_sys(e, ERR_RETRY, "cannot sync %s", out);
    if (fd != -1)
        close(fd);
    return rc;
}

/* Steps 1 and 2. */
static int move_one(struct keeper *k, struct archiving *x)
{
    const char *folder = x->day->folder.p;
    struct arena *a = &k->item;
    struct stat st;

    x->path =
        arena_fmt(a, "%s/%llu-%.*s", folder + strlen("archive/"),
                  (unsigned long long)x->r[0].job, STR_ARGS(x->r[0].name));
    x->day->changed = true;
    if (move(k, arena_fmt(a, "in/%s", x->c->id).p,
             arena_fmt(a, "archive/%s", x->path.p).p, &x->e) == -1)
        return -1;
    for (size_t i = 0; i < x->n; i++) {
        struct str out = arena_fmt(a, "out/%s", x->r[i].id);

        if (make_folder(k, &x->r[i], folder, &x->e) == -1)
            return -1;
        if (fstatat(k->spool_fd, out.p, &st, 0) == 0 &&
            move(
                k, out.p,
                arena_fmt(a, "%s/%llu", folder, (unsigned long long)x->r[i].job)
                    .p,
                &x->e) == -1)
            return -1;
    }
    return 0;
}

/* Steps 1 to 3. */
static void move_all(struct keeper *k, struct archiving *x, size_t n,
                     struct used *days)
{
    bool any = false;
    struct err e;

    for (size_t i = 0; i < n; i++) {
        if (x[i].rc == 0)
            x[i].rc = move_one(k, &x[i]);
        any = any || x[i].rc == 0;
    }
    if (!any)
        return;
    sync_used(days, x, n);
    if (sync_folder(k, "in", &e) == -1 || sync_folder(k, "out", &e) == -1)
        fail_all(x, n, &e);
}

static bool is_unchanged(const struct claim *c, const struct stat *st)
{
    int64_t mtime =
        (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;

    return c->seen.ino == st->st_ino && c->seen.size == (uint64_t)st->st_size &&
           c->seen.mtime_ns == mtime;
}

/* The late writer's file becomes a claim of its own, and a second job. */
static int claim_anew(struct keeper *k, const struct claim *c, int fd,
                      const struct receipt *r, struct err *e)
{
    struct claim anew = *c;

    id_new(anew.id);
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    if (ledger_reserve(k->ledger, 1, &anew.seq, e) == -1 ||
        ledger_claim(k->ledger, &anew, e) == -1 ||
        ledger_note(k->ledger, r->job, "changed",
                    STR("the sender went on writing after the file was taken; "
                        "it is taken again as it is now"),
                    e) == -1) {
        ledger_rollback(k->ledger);
        return -1;
    }
    if (ledger_commit(k->ledger, e) == -1)
        return -1;
    /* Under the old name it would be nobody's once that row is ARCHIVED. */
    if (renameat(fd, c->id, fd, anew.id) == -1 || dir_sync(fd) == -1)
        return err_sys(e, ERR_RETRY, "cannot rename the claimed file");
    k->again = true;
    return 0;
}

/* Step 4. */
static int drop_claimed(struct keeper *k, struct archiving *x)
{
    const struct claim *c = x->c;
    struct stat st;
    int fd;

    if (!x->inbox)
        return 0;
    fd = x->inbox->fd;
    if (fstatat(fd, c->id, &st, AT_SYMLINK_NOFOLLOW) == -1) {
        if (errno != ENOENT)
            return err_sys(&x->e, ERR_RETRY, "cannot look at the claimed file");
        x->inbox->changed = true; /* by a run that died before it could sync */
        return 0;
    }
    if (!is_unchanged(c, &st))
        return claim_anew(k, c, fd, x->r, &x->e);
    if (unlinkat(fd, c->id, 0) == -1)
        return err_sys(&x->e, ERR_RETRY, "cannot remove the claimed file");
    x->inbox->changed = true;
    return 0;
}

static void drop_all(struct keeper *k, struct archiving *x, size_t n,
                     struct used *inboxes)
{
    for (size_t i = 0; i < n; i++)
        if (x[i].rc == 0)
            x[i].rc = drop_claimed(k, &x[i]);
    sync_used(inboxes, x, n);
}

static int commit_archived(struct keeper *k, const struct archiving *x,
                           size_t n, struct err *e)
{
    size_t n_moved = 0;

    for (size_t i = 0; i < n; i++)
        n_moved += x[i].rc == 0;
    if (!n_moved)
        return 0;
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (x[i].rc == 0 &&
            ledger_archived(k->ledger, x[i].c, x[i].path.p, e) == -1) {
            ledger_rollback(k->ledger);
            return -1;
        }
    return ledger_commit(k->ledger, e);
}

/* Its receipts and its folders. -1: the ledger failed. */
static int prepare(struct keeper *k, struct archiving *x, struct used **days,
                   struct used **inboxes, struct err *e)
{
    const struct ledger_find mine = { .claim = x->c->id };

    if (ledger_receipts(k->ledger, &mine, &k->item, &x->r, &x->n, e) == -1)
        return -1;
    if (x->n == 0)
        return err_set(e, ERR_STOP, "ledger: claim %s has no receipt",
                       x->c->id);
    x->day = use_day(k, days, x->c);
    x->inbox = use_inbox(k, inboxes, x->c);
    if (x->day->fd == -1)
        fail_all(x, 1, &x->day->e);
    return 0;
}

/* After a failure of the ledger nothing more is done with it. */
static int any_stop(const struct archiving *x, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (x[i].rc == -1 && x[i].e.next == ERR_STOP) {
            *e = x[i].e;
            return -1;
        }
    return 0;
}

/* Their folders are open, or they have failed. */
static int archive_all(struct keeper *k, struct archiving *x, size_t n,
                       struct used *days, struct used *inboxes, struct err *e)
{
    move_all(k, x, n, days);
    if (any_stop(x, n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (x[i].inbox && x[i].inbox->fd == -1)
            fail_all(&x[i], 1, &x[i].inbox->e);
    drop_all(k, x, n, inboxes);
    if (any_stop(x, n, e) == -1 || commit_archived(k, x, n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (x[i].rc == -1)
            keeper_trouble(k, "archive: %s", x[i].e.text);
    return 0;
}

static int archive_together(struct keeper *k, struct archiving *x, size_t n,
                            struct err *e)
{
    struct used *days = NULL, *inboxes = NULL;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = prepare(k, &x[i], &days, &inboxes, e);
    if (rc == 0)
        rc = archive_all(k, x, n, days, inboxes, e);
    close_used(days);
    close_used(inboxes);
    return rc;
}

int archive_take_back(struct keeper *k, const struct claim *c, uint64_t job,
                      struct err *e)
{
    struct arena *a = &k->item;
    struct str day = arena_fmt(a, "archive/%.*s", STR_ARGS(archive_day(c)));

    if (move(k, arena_fmt(a, "archive/%.*s", STR_ARGS(c->archive)).p,
             arena_fmt(a, "in/%s", c->id).p, e) == -1)
        return -1;
    if (job && tree_remove(k->spool_fd, arena_fmt(a, "%.*s/%llu", STR_ARGS(day),
                                                  (unsigned long long)job)
                                            .p) == -1)
        return err_sys(e, ERR_RETRY, "cannot remove the old result");
    if (sync_folder(k, "in", e) == -1)
        return -1;
    return sync_folder(k, day.p, e);
}

int keeper_archive(struct keeper *k, struct err *e)
{
    struct claim *c;
    size_t n, n_together;

    if (ledger_to_archive(k->ledger, &k->arena, &c, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i += n_together) {
        struct archiving *x;

        arena_reset(&k->item);
        n_together = n - i < TOGETHER_FILES ? n - i : TOGETHER_FILES;
        x = arena_alloc(&k->item, n_together * sizeof(*x));
        for (size_t j = 0; j < n_together; j++)
            x[j] = (struct archiving){ .c = &c[i + j] };
        if (archive_together(k, x, n_together, e) == -1)
            return -1;
    }
    return 0;
}
