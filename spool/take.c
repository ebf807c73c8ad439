/*
 * take.c - from an inbox's .claim/ into our custody, several files together.
 *
 *   3  copy each to tmp/<id>, hashing
 *   4  sync the copies; each claimed file must not have changed meanwhile;
 *      rename them to in/<id>; sync in/, once; sync each inbox/.claim/ and
 *      inbox/, once
 *   5  commit TAKEN, of all of them: from here on the files are ours
 *
 * Steps 1 and 2 are in claim.c. If we die after 1: the file lies in the inbox.
 * keeper_take() goes on at 2 if it is still the one that was seen, so that it
 * keeps its place in the order of claims; else it drops the row.
 * After 2, 3, 4: keeper_take() begins again at 3 with the claimed files.
 *
 * A file that cannot be copied or synced falls out and is tried once more,
 * alone, from its source: a sync that failed says nothing true the next time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "converters/base/utf8.h"
#include "spool/files.h"
#include "spool/inbox.h"
#include "spool/keeper.h"
#include "spool/scan.h"
#include "spool/sync.h"
#include "spool/take.h"

enum taken {
    TAKEN,    /* it is, or is going to be */
    PUT_BACK, /* it was not complete */
    GONE,     /* there is no claimed file */
    FAILED,   /* it could not be copied */
    LATER     /* its folder could not be synced: the next run */
};

struct taking {
    struct claim *c;
    struct open_inbox *o;
    int from, to;           /* the claimed file; its copy, until it is synced */
    struct identity before; /* of the claimed file, when the copy began */
    struct content got;
    enum taken how;
    struct err e; /* FAILED, LATER */
};

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

struct spot {
    char text[48];
};

static struct spot spot_of(const char *folder, const struct claim *c)
{
    struct spot p;

    snprintf(p.text, sizeof(p.text), "%s/%s", folder, c->id);
    return p;
}

static void cannot_copy(struct taking *t)
{
    t->how = errno == EFBIG ? PUT_BACK : FAILED;
    err_sys(&t->e, ERR_RETRY, "cannot copy %.*s into the spool",
            STR_ARGS(t->c->name));
}

/* tmp/<id>, not synced yet. */
static int fill_copy(struct keeper *k, struct taking *t)
{
    struct spot tmp = spot_of("tmp", t->c);

    unlinkat(k->spool_fd, tmp.text, 0);
    t->to = openat(k->spool_fd, tmp.text,
                   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (t->to == -1 ||
        content_copy(t->from, t->to, k->conf->limits.v[LIMIT_INPUT], &t->got) ==
            -1)
        return -1;
    return 0;
}

static void copy(struct keeper *k, struct taking *t)
{
    struct stat st;

    if (fstat(t->from, &st) == -1 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
        st.st_size == 0 || scan_is_written(t->from)) {
        t->how = PUT_BACK;
        return;
    }
    t->before = identity_of(&st);
    if (fill_copy(k, t) == -1)
        cannot_copy(t);
}

static void sync_copies(struct keeper *k, struct taking *t, size_t n)
{
    struct synced *f = arena_alloc(&k->item, (n + 1) * sizeof(*f));
    size_t n_files = 0;

    for (size_t i = 0; i < n; i++)
        if (t[i].how == TAKEN)
            f[n_files++].fd = t[i].to;
    sync_files(f, n_files);
    for (size_t i = 0; i < n; i++) {
        if (t[i].how != TAKEN)
            continue;
        errno = f->error;
        if (close(t[i].to) == -1 || f->error)
            cannot_copy(&t[i]);
        t[i].to = -1;
        f++;
    }
}

/* in/<id>, if nobody has written to the claimed file. */
static void name_copy(struct keeper *k, struct taking *t)
{
    struct spot tmp = spot_of("tmp", t->c), in = spot_of("in", t->c);
    struct identity after;
    struct stat st;

    if (fstat(t->from, &st) == -1) {
        t->how = PUT_BACK;
        return;
    }
    after = identity_of(&st);
    if (!same_file(&t->before, &after) || t->got.bytes != after.size) {
        t->how = PUT_BACK; /* somebody writes to it: it was not complete */
        return;
    }
    if (renameat(k->spool_fd, tmp.text, k->spool_fd, in.text) == -1) {
        cannot_copy(t);
        return;
    }
    t->c->seen = after;
    memcpy(t->c->sha256, t->got.sha256, sizeof(t->c->sha256));
}

static size_t n_taken(const struct taking *t, size_t n)
{
    size_t taken = 0;

    for (size_t i = 0; i < n; i++)
        taken += t[i].how == TAKEN;
    return taken;
}

static void sync_in(struct keeper *k, struct taking *t, size_t n)
{
    if (!n_taken(t, n) || folder_sync(k->spool_fd, STR("in")) == 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (t[i].how == TAKEN)
            cannot_copy(&t[i]);
}

/* in/<id> of all whose claimed file is open. */
static void copy_all(struct keeper *k, struct taking *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (t[i].how == TAKEN)
            copy(k, &t[i]);
    sync_copies(k, t, n);
    for (size_t i = 0; i < n; i++)
        if (t[i].how == TAKEN)
            name_copy(k, &t[i]);
    sync_in(k, t, n);
}

static void close_files(struct taking *t)
{
    if (t->from != -1)
        close(t->from);
    if (t->to != -1)
        close(t->to);
    t->from = t->to = -1;
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

bool take_is_wanted(struct keeper *k, const struct claim *c)
{
    for (const struct route *x = k->conf->routes; x; x = x->next)
        if (route_takes(x, c->partner, c->folder, c->name))
            return true;
    keeper_trouble(k, "%.*s %.*s is claimed, and no route takes it any more",
                   STR_ARGS(c->partner), STR_ARGS(c->name));
    return false;
}

/* What was to be sent in full is on its way with these. */
static int note_full(struct keeper *k, const struct receipt *r, size_t n,
                     struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct route *x = r[i].full ? conf_route(k->conf, r[i].route) : NULL;

        if (!x || r[i].state != RECEIPT_TAKEN)
            continue;
        x->full = false;
        if (ledger_full_begun(k->ledger, x->name,
                              x->schedule.kind != SCHEDULE_FILE, e) == -1)
            return -1;
    }
    return 0;
}

int take_commit(struct keeper *k, struct claim *c, struct err *e)
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
            .once = conf_comes_once(x),
            .test = x->test,
            .full = x->full,
            .run_time = c->taken_at,
            .taken_at = c->taken_at,
        };
        id_new(r[n].id);
        memcpy(r[n++].sha256, c->sha256, sizeof(c->sha256));
    }
    k->n_taken++;
    if (ledger_taken(k->ledger, c, r, n, e) == -1)
        return -1;
    return note_full(k, r, n, e);
}

/* In the order of claims. */
static int commit_taken(struct keeper *k, struct taking *t, size_t n,
                        struct err *e)
{
    if (!n_taken(t, n))
        return 0;
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (t[i].how == TAKEN && take_commit(k, t[i].c, e) == -1) {
            ledger_rollback(k->ledger);
            return -1;
        }
    return ledger_commit(k->ledger, e);
}

/* ---- what is not taken --------------------------------------------------- */

static int wait_longer(struct keeper *k, const struct err *e)
{
    keeper_trouble(k, "%s", e->text);
    k->machine_failed = true;
    return 0;
}

int take_unclaim(struct keeper *k, const struct claim *c, struct err *e)
{
    struct spot tmp = spot_of("tmp", c), in = spot_of("in", c);

    unlinkat(k->spool_fd, tmp.text, 0);
    if (unlinkat(k->spool_fd, in.text, 0) == 0) {
        if (folder_sync(k->spool_fd, STR("in")) == -1) {
            err_sys(e, ERR_RETRY, "cannot sync the spool");
            return wait_longer(k, e);
        }
    } else if (errno != ENOENT) {
        err_sys(e, ERR_RETRY, "cannot remove %s", in.text);
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
    return take_unclaim(k, c, e);
}

/* ---- all of it ----------------------------------------------------------- */

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
    if (!inbox_has(o->fd, name, c->seen.size, c->seen.mtime_ns) ||
        rename_fresh(o->fd, name, o->claim_fd, c->id) == -1) {
        errno = ENOENT;
        return -1;
    }
    return openat(o->claim_fd, c->id, how);
}

static void begin_one(struct keeper *k, struct taking *t)
{
    t->to = -1;
    t->from = open_claimed(k, t->c, t->o);
    if (t->from == -1 && errno == ENOENT)
        t->how = GONE;
    else
        t->how = t->from == -1 || !any_route(k, t->c) ? PUT_BACK : TAKEN;
}

/* Each inbox that something was taken from, once. */
static void sync_inboxes(struct taking *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct open_inbox *o = t[i].o;
        size_t j = 0;

        while (j < i && (t[j].o != o || t[j].how != TAKEN))
            j++;
        if (t[i].how != TAKEN || j < i ||
            (dir_sync(o->claim_fd) == 0 && dir_sync(o->fd) == 0))
            continue;
        for (j = i; j < n; j++)
            if (t[j].o == o && t[j].how == TAKEN) {
                err_sys(&t[j].e, ERR_RETRY, "cannot sync the inbox");
                t[j].how = LATER;
            }
    }
}

static int take_together(struct keeper *k, struct taking *t, size_t n,
                         struct err *e);

/* One that was not taken with the others. */
static int settle_one(struct keeper *k, struct taking *t, bool alone,
                      struct err *e)
{
    switch (t->how) {
    case TAKEN:
        return 0;
    case PUT_BACK:
        return put_back(k, t->c, t->o, e);
    case GONE:
        return take_unclaim(k, t->c, e);
    case FAILED:
        if (!alone)
            return take_together(k, t, 1, e);
        break;
    case LATER:
        break;
    }
    return wait_longer(k, &t->e);
}

/* Their inboxes are open. */
static int take_together(struct keeper *k, struct taking *t, size_t n,
                         struct err *e)
{
    for (size_t i = 0; i < n; i++)
        begin_one(k, &t[i]);
    copy_all(k, t, n);
    for (size_t i = 0; i < n; i++) {
        close_files(&t[i]);
        if (t[i].how == TAKEN)
            drop_triggers(k, t[i].c, t[i].o->fd);
    }
    sync_inboxes(t, n);
    if (commit_taken(k, t, n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (settle_one(k, &t[i], n == 1, e) == -1)
            return -1;
    return 0;
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

static int copy_rest(struct keeper *k, struct taking *t, struct receipt *r,
                     struct err *e)
{
    struct stat st;
    struct identity now;

    if (fstat(t->from, &st) == -1)
        return 0;
    now = identity_of(&st);
    if (same_file(&now, &t->c->seen))
        return 0;
    copy_all(k, t, 1);
    if (t->how == FAILED) {
        *e = t->e;
        return -1;
    }
    if (t->how == PUT_BACK)
        return err_set(e, ERR_RETRY, "its sender is still writing it");
    r->size = t->c->seen.size;
    memcpy(r->sha256, t->c->sha256, sizeof(r->sha256));
    return ledger_taken_rest(k->ledger, t->c, e);
}

int keeper_take_rest(struct keeper *k, struct receipt *r, struct err *e)
{
    struct taking t = { .how = TAKEN, .to = -1 };
    const struct partner *p;
    struct open_inbox o;
    bool all;
    int rc = 0;

    if (ledger_find_claim(k->ledger, r->claim, &k->item, &t.c, e) == -1)
        return -1;
    p = t.c ? conf_partner(k->conf, t.c->partner) : NULL;
    if (!p || p->remote || t.c->state != CLAIM_TAKEN)
        return 0;
    if (!all_are_taken(k, t.c, &all, e))
        return -1;
    if (!all || inbox_open(p, t.c->folder, &o, e) == -1)
        return 0; /* what we have is complete, or all that we can have */
    t.from = openat(o.claim_fd, t.c->id,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (t.from != -1)
        rc = copy_rest(k, &t, r, e);
    close_files(&t);
    inbox_close(&o);
    return rc;
}

/* ---- who is taken together ----------------------------------------------- */

/* Inboxes of the files at hand, each opened once. */
struct opened {
    struct open_inbox o;
    const struct partner *partner;
    struct str folder;
    struct opened *next;
};

static struct open_inbox *inbox_of(struct keeper *k, const struct claim *c,
                                   struct opened **all)
{
    const struct partner *p = conf_partner(k->conf, c->partner);
    struct opened *x = *all;
    struct err e;

    if (!p) {
        keeper_trouble(k,
                       "%.*s is claimed, but its partner %.*s is not in "
                       "the configuration any more",
                       STR_ARGS(c->name), STR_ARGS(c->partner));
        return NULL;
    }
    if (p->remote) {
        keeper_trouble(k,
                       "%.*s is claimed in a folder of partner %.*s, who has a "
                       "server now",
                       STR_ARGS(c->name), STR_ARGS(c->partner));
        return NULL;
    }
    while (x && (x->partner != p || !str_eq(x->folder, c->folder)))
        x = x->next;
    if (!x) {
        x = arena_alloc(&k->item, sizeof(*x));
        *x = (struct opened){ .partner = p, .folder = c->folder, .next = *all };
        *all = x;
        if (inbox_open(p, c->folder, &x->o, &e) == -1)
            keeper_trouble(k, "%s", e.text);
    }
    return x->o.fd == -1 ? NULL : &x->o;
}

/* The next ones of the list, as many as may go together. */
static int take_next(struct keeper *k, struct claim *c, size_t n, size_t *done,
                     struct err *e)
{
    struct taking *t =
        arena_alloc(&k->item, TOGETHER_FILES * sizeof(struct taking));
    struct opened *all = NULL;
    uint64_t bytes = 0;
    size_t n_together = 0, i = 0;
    int rc;

    for (; i < n && keeper_together(n_together, &bytes, c[i].seen.size); i++) {
        struct open_inbox *o = NULL;

        if (take_is_wanted(k, &c[i]))
            o = inbox_of(k, &c[i], &all);
        if (o)
            t[n_together++] = (struct taking){ .c = &c[i], .o = o };
    }
    *done += i;
    rc = take_together(k, t, n_together, e);
    for (; all; all = all->next)
        inbox_close(&all->o);
    return rc;
}

int keeper_take(struct keeper *k, struct err *e)
{
    struct claim *c;
    size_t n, done = 0;
    int rc = 0;

    if (ledger_claims(k->ledger, CLAIM_CLAIMED, &k->arena, &c, &n, e) == -1)
        return -1;
    while (rc == 0 && done < n) {
        rc = take_next(k, c + done, n - done, &done, e);
        arena_reset(&k->item);
    }
    return rc;
}
