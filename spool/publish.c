#include "spool/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/files.h"
#include "spool/sync.h"

void publish_part_name(const struct delivery *d, char out[PART_NAME])
{
    snprintf(out, PART_NAME, ".k%s.%llu.part", d->id,
             (unsigned long long)d->epoch);
}

/* ---- READY: write beside ------------------------------------------------ */

/* EXCL finds a leftover of a try that died. */
static int create_part(int dir_fd, const char *part)
{
    const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dir_fd, part, how, 0600);

    if (fd == -1 && errno == EEXIST && unlinkat(dir_fd, part, 0) == 0)
        fd = openat(dir_fd, part, how, 0600);
    return fd;
}

/* That of the epoch before was removed when the delivery got a new one; the
 * power may have failed before its folder was synced. */
static void remove_earlier(int dir_fd, const struct delivery *d)
{
    struct delivery earlier = *d;
    char part[PART_NAME];

    if (d->epoch < 2)
        return;
    earlier.epoch--;
    publish_part_name(&earlier, part);
    (void)unlinkat(dir_fd, part, 0);
}

static int set_owner(int fd, const struct place_to *to)
{
    if (to->group != (gid_t)-1 && fchown(fd, (uid_t)-1, to->group) == -1)
        return -1;
    return fchmod(fd, to->mode);
}

static void fail(struct publishing *p, int rc)
{
    p->rc = rc;
    p->step = SETTLED;
}

static void fail_sys(struct publishing *p, const char *doing)
{
    fail(p, err_sys(&p->e, ERR_RETRY, "%s", doing));
}

/* The content is hashed on its way: a staged file that is not what was
 * committed must not travel. */
static int fill_part(struct publishing *p)
{
    const struct delivery *d = p->d;
    struct content got;

    if (lseek(p->from_fd, 0, SEEK_SET) == -1 ||
        content_copy(p->from_fd, p->part_fd, UINT64_MAX, &got) == -1)
        return err_sys(&p->e, ERR_RETRY, "cannot write");
    if (got.bytes != d->bytes || strcmp(got.sha256, d->sha256) != 0)
        return err_set(&p->e, ERR_HOLD,
                       "the converted file in the spool is damaged");
    if (set_owner(p->part_fd, p->to) == -1)
        return err_sys(&p->e, ERR_RETRY, "set mode and group");
    return 0;
}

static void remove_part(struct publishing *p)
{
    char part[PART_NAME];

    publish_part_name(p->d, part);
    if (p->part_fd != -1)
        close(p->part_fd);
    p->part_fd = -1;
    unlinkat(p->to->dir_fd, part, 0);
}

static void write_part(struct publishing *p)
{
    char part[PART_NAME];

    remove_earlier(p->to->dir_fd, p->d);
    publish_part_name(p->d, part);
    p->part_fd = create_part(p->to->dir_fd, part);
    if (p->part_fd == -1) {
        fail_sys(p, "cannot create a file");
    } else if (fill_part(p) == -1) {
        fail(p, -1);
        remove_part(p);
    } else {
        p->step = WRITTEN;
    }
}

static void close_part(struct publishing *p, int error)
{
    int rc = close(p->part_fd);

    p->part_fd = -1;
    if (rc == 0 && !error)
        return;
    errno = error ? error : errno;
    fail_sys(p, "sync");
    remove_part(p);
}

static void sync_parts(struct publishing *p, size_t n)
{
    struct synced *f = xcalloc(n + 1, sizeof(*f));
    size_t n_files = 0;

    for (size_t i = 0; i < n; i++)
        if (p[i].step == WRITTEN)
            f[n_files++].fd = p[i].part_fd;
    sync_files(f, n_files);
    n_files = 0;
    for (size_t i = 0; i < n; i++)
        if (p[i].step == WRITTEN)
            close_part(&p[i], f[n_files++].error);
    free(f);
}

/* 0, or -1 with errno, of the one sync that all files of a folder have. */
static int sync_once(struct place_to *to)
{
    if (to->synced == -1)
        to->synced = dir_sync(to->dir_fd) == 0 ? 0 : errno;
    errno = to->synced;
    return to->synced == 0 ? 0 : -1;
}

/* The folders of all that have come to this step. */
static void sync_folders(struct publishing *p, size_t n, int step)
{
    for (size_t i = 0; i < n; i++)
        p[i].to->synced = -1;
    for (size_t i = 0; i < n; i++) {
        if ((int)p[i].step != step || sync_once(p[i].to) == 0)
            continue;
        fail_sys(&p[i], "sync the folder");
        if (step == WRITTEN)
            remove_part(&p[i]);
    }
}

/* All of them durable under their temporary names before RENAMING says so. */
static void write_parts(struct publishing *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i].step == TO_WRITE)
            write_part(&p[i]);
    sync_parts(p, n);
    sync_folders(p, n, WRITTEN);
}

int publish_give_way(struct ledger *l, struct delivery *d, struct err *e)
{
    uint64_t newer;

    if (!d->replace)
        return 0;
    if (ledger_newer(l, d, &newer, e) == -1 ||
        (newer && ledger_superseded(l, d, newer, e) == -1))
        return -1;
    if (newer)
        d->state = DELIVERY_SUPERSEDED;
    return 0;
}

/* ---- RENAMING: look at both names --------------------------------------- */

enum found { ABSENT, OURS, OTHER, UNKNOWN };

/* Is there a file of that name, and is it what we deliver? */
static enum found look(int dir_fd, const char *name, const struct delivery *d)
{
    struct content got;
    struct stat st;
    bool same;
    int fd;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
        return errno == ENOENT ? ABSENT : UNKNOWN;
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != d->bytes)
        return OTHER;
    fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1)
        return errno == ENOENT ? ABSENT : UNKNOWN;
    same = content_copy(fd, -1, UINT64_MAX, &got) == 0 &&
           strcmp(got.sha256, d->sha256) == 0;
    close(fd);
    return same ? OURS : OTHER;
}

/* 0, or -1 with errno; EEXIST: the name is taken. */
static int rename_once(int dir_fd, const char *part, const char *name,
                       bool replace)
{
    struct stat st;

    if (replace)
        return renameat(dir_fd, part, dir_fd, name);
    if (renameat2(dir_fd, part, dir_fd, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    /* A file system without that flag: look, then rename. */
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return errno == ENOENT ? renameat(dir_fd, part, dir_fd, name) : -1;
}

bool publish_replaces(const struct partner *p, const struct delivery *d)
{
    if (d->kind != OUT_FILE || !p || p->exists == EXISTS_USUAL)
        return d->replace;
    /* Under another name nobody would find a picture. */
    if (p->exists == EXISTS_KEEP_BOTH && !d->n_documents)
        return d->replace;
    return p->exists == EXISTS_REPLACE;
}

/* "orders.xml" of job 17 becomes "orders-17.xml": no other job has that name.
 * "": it has it already. */
static struct str own_name(struct arena *a, const struct delivery *d)
{
    struct str own = arena_fmt(a, "-%llu", (unsigned long long)d->job);
    size_t stem = d->name.len;

    while (stem > 0 && d->name.p[stem - 1] != '.')
        stem--;
    stem = stem > 1 ? stem - 1 : d->name.len;
    if (str_ends(str_first(d->name, stem), own))
        return STR("");
    return arena_fmt(a, "%.*s%.*s%.*s", (int)stem, d->name.p, STR_ARGS(own),
                     STR_ARGS(str_from(d->name, stem)));
}

int publish_taken(struct ledger *l, const struct partner *p, struct delivery *d,
                  struct arena *a, struct err *e)
{
    static const char why[] =
        "another file of that name lies there and was not taken yet";

    struct str own = { "", 0 };

    if (p && p->exists == EXISTS_KEEP_BOTH && d->kind == OUT_FILE)
        own = own_name(a, d);
    if (own.len)
        return ledger_delivery_named(l, d, own, e);
    if (ledger_delivery_held(l, d, true, why, e) == -1)
        return -1;
    d->state = DELIVERY_HELD;
    return 0;
}

/* After the commit: a crash in between leaves a part file, nothing else. */
static int hold_taken(struct ledger *l, struct publishing *p, const char *part,
                      struct err *e)
{
    struct arena a = { 0 };
    int rc = publish_taken(l, p->to->partner, p->d, &a, e);

    if (rc == 0)
        unlinkat(p->to->dir_fd, part, 0);
    p->step = SETTLED;
    arena_release(&a);
    return rc;
}

static int rename_failed(struct ledger *l, struct publishing *p,
                         const char *part, const char *name, struct err *e)
{
    int dir_fd = p->to->dir_fd;

    if (errno != EEXIST) {
        fail(p, err_sys(&p->e, ERR_RETRY, "rename to %s", name));
        return 0;
    }
    switch (look(dir_fd, name, p->d)) {
    case OURS:
        if (unlinkat(dir_fd, part, 0) == -1 && errno != ENOENT)
            fail(p, err_sys(&p->e, ERR_RETRY, "remove %s", part));
        else
            p->step = RENAMED;
        return 0;
    case OTHER:
        return hold_taken(l, p, part, e);
    case ABSENT: /* taken this moment */
    case UNKNOWN:
        break;
    }
    fail(p, err_set(&p->e, ERR_RETRY, "%s cannot be looked at", name));
    return 0;
}

/* The temporary name is there: the rename is still to be done. */
static int rename_part(struct ledger *l, struct publishing *p, const char *part,
                       const char *name, struct err *e)
{
    if (publish_give_way(l, p->d, e) == -1)
        return -1;
    if (p->d->state == DELIVERY_SUPERSEDED) {
        p->step = SETTLED;
        unlinkat(p->to->dir_fd, part, 0);
        return 0;
    }
    if (rename_once(p->to->dir_fd, part, name,
                    publish_replaces(p->to->partner, p->d)) == -1)
        return rename_failed(l, p, part, name, e);
    p->step = RENAMED;
    return 0;
}

/* -1: the ledger failed. */
static int finish(struct ledger *l, struct publishing *p, struct err *e)
{
    struct delivery *d = p->d;
    char part[PART_NAME], name[256];
    struct stat st;
    enum found found;

    publish_part_name(d, part);
    snprintf(name, sizeof(name), "%.*s", STR_ARGS(d->name));
    if (fstatat(p->to->dir_fd, part, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return rename_part(l, p, part, name, e);
    if (errno != ENOENT) {
        fail(p, err_sys(&p->e, ERR_RETRY, "look at %s", part));
        return 0;
    }
    found = look(p->to->dir_fd, name, d);
    if (found == UNKNOWN) {
        fail(p, err_sys(&p->e, ERR_RETRY, "look at %s", name));
        return 0;
    }
    p->by_absence = found != OURS;
    p->step = RENAMED;
    return 0;
}

/* ---- all of them --------------------------------------------------------- */

int publish_unconfirmed(struct ledger *l, const struct partner *p,
                        struct delivery *d, const char *why, struct err *e)
{
    switch (p ? p->unconfirmed : UNCONFIRMED_HOLD) {
    case UNCONFIRMED_RESEND:
        return ledger_delivery_again(l, d, e);
    case UNCONFIRMED_ACCEPT:
        d->state = DELIVERY_DELIVERED;
        d->by_absence = true;
        return ledger_delivered(l, d, true, e);
    case UNCONFIRMED_HOLD:
        break;
    }
    d->state = DELIVERY_UNCONFIRMED;
    return ledger_unconfirmed(l, d, why, e);
}

int publish_begin(struct ledger *l, const struct partner *partner,
                  struct publishing *p, struct str folder_id, struct err *e)
{
    struct delivery *d = p->d;

    p->by_absence = false;
    p->step = SETTLED;
    p->folder_id = folder_id;
    if (!name_is_safe(d->name))
        return ledger_delivery_held(l, d, false, "not a usable file name", e);
    if (d->state == DELIVERY_RENAMING && !str_eq(d->folder_id, folder_id))
        return publish_unconfirmed(l, partner, d,
                                   "the folder is not the one that the file "
                                   "was written to; look there, then settle it",
                                   e);
    if (d->state == DELIVERY_READY) {
        if (publish_give_way(l, d, e) == -1)
            return -1;
        p->step = d->state == DELIVERY_SUPERSEDED ? SETTLED : TO_WRITE;
    } else if (d->state == DELIVERY_RENAMING) {
        p->step = TO_RENAME;
    }
    return 0;
}

static int begin_one(struct ledger *l, struct publishing *p, struct err *e)
{
    struct stat st;

    p->part_fd = -1;
    p->step = SETTLED;
    if (p->rc == -1)
        return 0;
    if (fstat(p->to->dir_fd, &st) == -1) {
        fail_sys(p, "look at the folder");
        return 0;
    }
    snprintf(p->folder_text, sizeof(p->folder_text), "%llx:%llu",
             (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    return publish_begin(l, p->to->partner, p, str_of(p->folder_text), e);
}

static bool any_at(const struct publishing *p, size_t n, int step)
{
    for (size_t i = 0; i < n; i++)
        if ((int)p[i].step == step)
            return true;
    return false;
}

int publish_commit_written(struct ledger *l, struct publishing *p, size_t n,
                           struct err *e)
{
    if (!any_at(p, n, WRITTEN))
        return 0;
    if (ledger_begin(l, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (p[i].step != WRITTEN)
            continue;
        if (ledger_renaming(l, p[i].d, p[i].folder_id, e) == -1) {
            ledger_rollback(l);
            return -1;
        }
        p[i].d->state = DELIVERY_RENAMING;
        p[i].step = TO_RENAME;
    }
    return ledger_commit(l, e);
}

int publish_commit_renamed(struct ledger *l, struct publishing *p, size_t n,
                           struct err *e)
{
    if (!any_at(p, n, RENAMED))
        return 0;
    if (ledger_begin(l, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (p[i].step != RENAMED)
            continue;
        if (ledger_delivered(l, p[i].d, p[i].by_absence, e) == -1) {
            ledger_rollback(l);
            return -1;
        }
        p[i].d->state = DELIVERY_DELIVERED;
        p[i].d->by_absence = p[i].by_absence;
        p[i].step = SETTLED;
    }
    return ledger_commit(l, e);
}

/* Empty files that say that those beside them are complete. */
static void write_triggers(struct publishing *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct partner *partner = p[i].to->partner;
        char name[256 + 32];
        int fd;

        if (p[i].step != RENAMED || p[i].by_absence || !partner ||
            !partner->trigger.len || p[i].d->kind != OUT_FILE)
            continue;
        snprintf(name, sizeof(name), "%.*s%.*s", STR_ARGS(p[i].d->name),
                 STR_ARGS(partner->trigger));
        fd = openat(p[i].to->dir_fd, name,
                    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK |
                        O_CLOEXEC,
                    0600);
        if (fd == -1 || set_owner(fd, p[i].to) == -1)
            fail_sys(&p[i], "the trigger file");
        if (fd != -1)
            close(fd);
    }
}

int publish(struct ledger *l, struct publishing *p, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (begin_one(l, &p[i], e) == -1)
            return -1;
    write_parts(p, n);
    if (publish_commit_written(l, p, n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (p[i].step == TO_RENAME && finish(l, &p[i], e) == -1)
            return -1;
    write_triggers(p, n);
    sync_folders(p, n, RENAMED);
    return publish_commit_renamed(l, p, n, e);
}
