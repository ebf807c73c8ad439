/*
 * archive.c - what is settled goes out of the way.
 *
 *   1  in/<id>        -> archive/2026/01/31/17-orders.csv
 *   2  out/<receipt>/ -> archive/2026/01/31/17/   (results, report, manifest)
 *   3  sync the folders
 *   4  the claimed file: unchanged since we copied it? unlink it.
 *      changed? a sender wrote on after we took it: claimed anew
 *   5  commit ARCHIVED
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
    int fd = dir_open_at(k->spool_fd, str_of(below));
    int rc = fd == -1 ? -1 : dir_sync(fd);

    if (rc == -1)
        err_sys(e, ERR_RETRY, "cannot sync %s", below);
    if (fd != -1)
        close(fd);
    return rc;
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

/* Steps 1 to 3. *path: where the original lies, below archive/. */
static int move_all(struct keeper *k, const struct claim *c,
                    const struct receipt *r, size_t n, struct str *path,
                    struct err *e)
{
    struct arena *a = &k->item;
    char day[11], folder[32];
    struct stat st;

    stamp_folder(c->taken_at, day);
    snprintf(folder, sizeof(folder), "archive/%s", day);
    if (dir_make(k->spool_fd, folder, 0700) == -1)
        return err_sys(e, ERR_RETRY, "cannot make %s", folder);
    *path = arena_fmt(a, "%s/%llu-%.*s", day, (unsigned long long)r[0].job,
                      STR_ARGS(r[0].name));
    if (move(k, arena_fmt(a, "in/%s", c->id).p,
             arena_fmt(a, "archive/%s", path->p).p, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct str out = arena_fmt(a, "out/%s", r[i].id);

        if (make_folder(k, &r[i], folder, e) == -1)
            return -1;
        if (fstatat(k->spool_fd, out.p, &st, 0) == 0 &&
            move(
                k, out.p,
                arena_fmt(a, "%s/%llu", folder, (unsigned long long)r[i].job).p,
                e) == -1)
            return -1;
    }
    if (sync_folder(k, folder, e) == -1 || sync_folder(k, "in", e) == -1)
        return -1;
    return sync_folder(k, "out", e);
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
static int drop_claimed(struct keeper *k, const struct claim *c,
                        const struct receipt *r, struct err *e)
{
    const struct partner *p = conf_partner(k->conf, c->partner);
    struct str below = arena_fmt(&k->item, "%.*s%s.claim", STR_ARGS(c->folder),
                                 c->folder.len ? "/" : "");
    struct stat st;
    int fd, rc = 0;

    if (!p)
        return err_set(e, ERR_RETRY,
                       "partner %.*s is not in the configuration any more",
                       STR_ARGS(c->partner));
    fd = partner_open(p, below, e);
    if (fd == -1)
        return -1;
    if (fstatat(fd, c->id, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!is_unchanged(c, &st))
            rc = claim_anew(k, c, fd, r, e);
        else if (unlinkat(fd, c->id, 0) == -1 || dir_sync(fd) == -1)
            rc = err_sys(e, ERR_RETRY, "cannot remove the claimed file");
    } else if (errno != ENOENT) {
        rc = err_sys(e, ERR_RETRY, "cannot look at the claimed file");
    }
    close(fd);
    return rc;
}

static int archive_one(struct keeper *k, const struct claim *c, struct err *e)
{
    const struct ledger_find mine = { .claim = c->id };
    struct str path = STR("");
    struct receipt *r;
    size_t n;

    if (ledger_receipts(k->ledger, &mine, &k->item, &r, &n, e) == -1)
        return -1;
    if (n == 0)
        return err_set(e, ERR_STOP, "ledger: claim %s has no receipt", c->id);
    if (move_all(k, c, r, n, &path, e) == -1 || drop_claimed(k, c, r, e) == -1)
        return -1;
    return ledger_archived(k->ledger, c, path.p, e);
}

int archive_take_back(struct keeper *k, const struct claim *c, uint64_t job,
                      struct err *e)
{
    struct arena *a = &k->item;
    struct str day = arena_fmt(a, "archive/%.*s", STR_ARGS(archive_day(c)));

    if (move(k, arena_fmt(a, "archive/%.*s", STR_ARGS(c->archive)).p,
             arena_fmt(a, "in/%s", c->id).p, e) == -1)
        return -1;
    if (tree_remove(k->spool_fd, arena_fmt(a, "%.*s/%llu", STR_ARGS(day),
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
    size_t n;

    if (ledger_to_archive(k->ledger, &k->arena, &c, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        arena_reset(&k->item);
        if (archive_one(k, &c[i], e) == 0)
            continue;
        if (e->next == ERR_STOP)
            return -1;
        keeper_trouble(k, "archive: %s", e->text);
    }
    return 0;
}
