/*
 * deliver.c - everything that is READY or RENAMING towards its folder, several
 * files together, and receipts whose deliveries are settled to DONE.
 *
 * One that cannot be written falls out and is tried once more, alone, from its
 * source. Two of the same name in the same folder never go together: the first
 * is settled before the second begins.
 *
 * A delivery that was HELD because its name was taken is looked at again each
 * run: when the receiver has taken the other file, it goes on by itself.
 *
 * A target folder is never made by us: where a disk is not mounted, a made
 * folder would swallow the files. Only rejected/ and reports/ are, in a
 * partner's folder that is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/closed.h"
#include "spool/deliver.h"
#include "spool/files.h"
#include "spool/keeper.h"
#include "spool/partner.h"
#include "spool/publish.h"
#include "spool/ship.h"
#include "spool/stamp.h"

static int open_below_spool(struct keeper *k, const struct delivery *d)
{
    if (dir_make(k->spool_fd, arena_cstr(&k->item, d->folder), 0700) == -1)
        return -1;
    return dir_open_at(k->spool_fd, d->folder);
}

/*
 * The sender's people are to use it like the folder that it is in. It gets its
 * name when it is theirs: as it is before, nobody would mend it later.
 */
static int make_folder(int root, const struct partner *p, const char *name)
{
    static const char part[] = ".folder.part";
    struct stat st;
    int fd, rc, saved;

    if (fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return dir_sync(root); /* of a run that was killed, perhaps */
    if (mkdirat(root, part, 0770) == -1 && errno != EEXIST)
        return -1;
    fd = dir_open_at(root, str_of(part));
    rc = fd == -1 ? -1 : 0;
    if (rc == 0 && p->group != (gid_t)-1 &&
        (fchown(fd, (uid_t)-1, p->group) == -1 || fchmod(fd, 02770) == -1))
        rc = -1;
    if (rc == 0 &&
        (dir_sync(fd) == -1 || rename_fresh(root, part, root, name) == -1 ||
         dir_sync(root) == -1))
        rc = -1;
    saved = errno;
    if (fd != -1)
        close(fd);
    if (rc == -1)
        unlinkat(root, part, AT_REMOVEDIR);
    errno = saved;
    return rc;
}

static int open_partner(const struct partner *p, const struct delivery *d,
                        struct err *e)
{
    int root, fd;

    if (d->kind == OUT_FILE)
        return partner_open(p, d->folder, e);
    root = partner_open(p, STR(""), e);
    if (root == -1)
        return -1;
    fd = make_folder(root, p,
                     str_is(d->folder, "reports") ? "reports" : "rejected") == 0
             ? dir_open_at(root, d->folder)
             : -1;
    if (fd == -1)
        err_sys(e, ERR_RETRY, "folder %s/%.*s", p->folder, STR_ARGS(d->folder));
    close(root);
    return fd;
}

/* The folder that it goes to. */
static int open_target(struct keeper *k, const struct delivery *d,
                       struct place_to *to, struct err *e)
{
    const struct partner *p;

    *to = (struct place_to){ .mode = 0640, .group = (gid_t)-1 };
    if (d->partner.len == 0) {
        to->dir_fd = open_below_spool(k, d);
        return to->dir_fd != -1 ? 0
                                : err_sys(e, ERR_RETRY, "folder %s/%.*s",
                                          k->conf->spool, STR_ARGS(d->folder));
    }
    p = conf_partner(k->conf, d->partner);
    if (!p)
        return err_set(e, ERR_RETRY,
                       "partner %.*s is not in the configuration any more",
                       STR_ARGS(d->partner));
    to->dir_fd = open_partner(p, d, e);
    to->partner = p;
    to->mode = p->mode;
    to->group = p->group;
    return to->dir_fd == -1 ? -1 : 0;
}

/* An output that is sent once more is in the archive by now; also when the
 * file was taken back from there for another of its routes. */
static int open_archived(struct keeper *k, const struct delivery *d,
                         struct err *e)
{
    struct claim *c;
    char day[11];

    if (ledger_find_claim(k->ledger, d->claim, &k->item, &c, e) == -1 || !c)
        return -1;
    stamp_folder(c->taken_at, day);
    return openat(k->spool_fd,
                  arena_fmt(&k->item, "archive/%s/%llu/%.*s", day,
                            (unsigned long long)d->job, STR_ARGS(d->path))
                      .p,
                  O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* errno says nothing about the file. */
static bool is_short_of_memory(void)
{
    return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
}

int deliver_open_source(struct keeper *k, const struct delivery *d,
                        struct err *e)
{
    struct str path =
        d->kind == OUT_ORIGINAL
            ? arena_fmt(&k->item, "in/%s", d->claim)
            : arena_fmt(&k->item, "out/%s/%.*s", d->receipt, STR_ARGS(d->path));
    int fd = openat(k->spool_fd, path.p, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd == -1 && errno == ENOENT)
        fd = open_archived(k, d, e);
    if (fd == -1)
        return err_sys(e, is_short_of_memory() ? ERR_RETRY : ERR_HOLD,
                       "the converted file %s", path.p);
    return fd;
}

/* Is the name free now? Then a held one may go on. */
static int try_again(struct keeper *k, struct delivery *d, int dir_fd,
                     struct err *e)
{
    struct stat st;

    if (d->state != DELIVERY_HELD ||
        fstatat(dir_fd, arena_cstr(&k->item, d->name), &st,
                AT_SYMLINK_NOFOLLOW) == 0 ||
        errno != ENOENT)
        return 0;
    return ledger_delivery_again(k->ledger, d, e);
}

/* ---- what waits -----------------------------------------------------------
 */

int deliver_waits(struct keeper *k, const struct delivery *d, const char *why,
                  struct err *e)
{
    if (!k->stays) /* the daemon's log has it as an event */
        keeper_trouble(k, "job %llu, %.*s %.*s%s%.*s waits: %s",
                       (unsigned long long)d->job, STR_ARGS(d->partner),
                       STR_ARGS(d->folder), d->folder.len ? "/" : "",
                       STR_ARGS(d->name), why);
    return ledger_delivery_waits(k->ledger, d, why, e);
}

/* ---- files that go together ---------------------------------------------- */

/* A target folder of the files at hand, opened once. */
struct target {
    const struct delivery *d; /* the first that goes there */
    struct place_to to;
    int rc; /* -1: it cannot be opened, e says why */
    struct err e;
    struct target *next;
};

static bool same_target(const struct delivery *a, const struct delivery *b)
{
    return (a->kind == OUT_FILE) == (b->kind == OUT_FILE) &&
           str_eq(a->partner, b->partner) && str_eq(a->folder, b->folder);
}

static struct target *target_of(struct keeper *k, const struct delivery *d,
                                struct target **all)
{
    struct target *t = *all;

    while (t && !same_target(t->d, d))
        t = t->next;
    if (!t) {
        t = arena_alloc(&k->item, sizeof(*t));
        t->d = d;
        t->next = *all;
        *all = t;
        t->rc = open_target(k, d, &t->to, &t->e);
    }
    return t;
}

static void close_targets(struct target *t)
{
    for (; t; t = t->next)
        if (t->rc == 0)
            close(t->to.dir_fd);
}

/* Its folder and its source, open. -1: the ledger failed. */
static int prepare(struct keeper *k, struct publishing *p, struct target **all,
                   struct err *e)
{
    struct target *t = target_of(k, p->d, all);

    p->from_fd = -1;
    p->to = &t->to;
    p->rc = t->rc;
    p->e = t->e;
    if (p->rc == 0 && try_again(k, p->d, t->to.dir_fd, e) == -1)
        return -1;
    if (p->rc == 0 && p->d->state == DELIVERY_READY) {
        p->from_fd = deliver_open_source(k, p->d, &p->e);
        p->rc = p->from_fd == -1 ? -1 : 0;
    }
    return 0;
}

static int deliver_together(struct keeper *k, struct publishing *p, size_t n,
                            struct err *e);

/* What came of one of them. */
static int settle_one(struct keeper *k, struct publishing *p, bool alone,
                      struct err *e)
{
    struct delivery *d = p->d;

    if (p->rc == 0)
        place_reopen(k, d->partner, d->folder);
    k->n_delivered += p->rc == 0 && d->state == DELIVERY_DELIVERED;
    /* It has got another name. */
    k->again = k->again || (p->rc == 0 && d->state == DELIVERY_READY);
    if (p->rc == 0 || place_is_closed(k, d->partner, d->folder))
        return 0;
    if (p->e.next == ERR_HOLD && d->state == DELIVERY_READY)
        return ledger_delivery_held(k->ledger, d, false, p->e.text, e);
    if (!alone && d->state == DELIVERY_READY)
        return deliver_together(k, p, 1, e);
    place_close(k, d->partner, d->folder);
    return deliver_waits(k, d, p->e.text, e);
}

static int deliver_together(struct keeper *k, struct publishing *p, size_t n,
                            struct err *e)
{
    struct target *targets = NULL;
    int rc = 0;

    for (size_t i = 0; i < n; i++)
        p[i].from_fd = -1;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = prepare(k, &p[i], &targets, e);
    if (rc == 0)
        rc = publish(k->ledger, p, n, e);
    for (size_t i = 0; i < n; i++)
        if (p[i].from_fd != -1)
            close(p[i].from_fd);
    close_targets(targets);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = settle_one(k, &p[i], n == 1, e);
    return rc;
}

static bool any_of_that_name(const struct publishing *p, size_t n,
                             const struct delivery *d)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(p[i].d->name, d->name) &&
            str_eq(p[i].d->partner, d->partner) &&
            str_eq(p[i].d->folder, d->folder))
            return true;
    return false;
}

/* The next ones of the list, as many as may go together. */
static int deliver_next(struct keeper *k, struct delivery *d, size_t n,
                        size_t *done, struct err *e)
{
    struct publishing *p = arena_alloc(&k->item, TOGETHER_FILES * sizeof(*p));
    uint64_t bytes = 0;
    size_t n_together = 0, i = 0;

    for (; i < n; i++) {
        if (place_is_closed(k, d[i].partner, d[i].folder) || ship_has(k, &d[i]))
            continue;
        if (!keeper_together(n_together, &bytes, d[i].bytes) ||
            any_of_that_name(p, n_together, &d[i]))
            break;
        p[n_together++] = (struct publishing){ .d = &d[i] };
    }
    *done += i;
    return deliver_together(k, p, n_together, e);
}

/* ---- receipts ------------------------------------------------------------ */

static int finish_receipts(struct keeper *k, struct err *e)
{
    struct receipt *r;
    size_t n;

    if (ledger_to_finish(k->ledger, &k->arena, &r, &n, e) == -1)
        return -1;
    if (n == 0)
        return 0;
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (ledger_done(k->ledger, &r[i], e) == -1) {
            ledger_rollback(k->ledger);
            return -1;
        }
    k->n_done += n;
    return ledger_commit(k->ledger, e);
}

/* ",pohoda,erp,": those who are reached by couriers. */
static struct str with_servers(const struct conf *c, struct arena *a)
{
    struct str names = STR(",");

    for (const struct partner *p = c->partners; p; p = p->next)
        if (p->remote)
            names =
                arena_fmt(a, "%.*s%.*s,", STR_ARGS(names), STR_ARGS(p->name));
    return names;
}

/* What waits in folders, then on servers, as far as its turn has come. */
static int deliver_all(struct keeper *k, struct err *e)
{
    struct delivery *d;
    size_t n, done = 0;

    if (ledger_waiting(k->ledger, with_servers(k->conf, &k->arena), &k->arena,
                       &d, &n, e) == -1)
        return -1;
    while (done < n) {
        arena_reset(&k->item);
        if (deliver_next(k, d + done, n - done, &done, e) == -1)
            return -1;
    }
    return keeper_ship(k, e);
}

int keeper_deliver(struct keeper *k, struct err *e)
{
    bool more = true;

    while (more) {
        uint64_t before = k->n_delivered;

        if (deliver_all(k, e) == -1)
            return -1;
        more = false;
        /* Orders whose cards have just been delivered. */
        if (k->n_delivered > before && ledger_staged(k->ledger, &more, e) == -1)
            return -1;
    }
    return finish_receipts(k, e);
}
