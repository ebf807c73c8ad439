#include "spool/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/files.h"

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

static int set_owner(int fd, const struct place_to *to)
{
    if (to->group != (gid_t)-1 && fchown(fd, (uid_t)-1, to->group) == -1)
        return -1;
    return fchmod(fd, to->mode);
}

/* Writes and syncs. The content is hashed on its way: a staged file that is
 * not what was committed must not travel. */
static int fill_part(int fd, int from_fd, const struct delivery *d,
                     const struct place_to *to, struct err *e)
{
    struct content got;

    if (lseek(from_fd, 0, SEEK_SET) == -1 ||
        content_copy(from_fd, fd, UINT64_MAX, &got) == -1)
        return err_sys(e, ERR_RETRY, "cannot write");
    if (got.bytes != d->bytes || strcmp(got.sha256, d->sha256) != 0)
        return err_set(e, ERR_HOLD,
                       "the converted file in the spool is damaged");
    if (set_owner(fd, to) == -1)
        return err_sys(e, ERR_RETRY, "set mode and group");
    if (fsync(fd) == -1)
        return err_sys(e, ERR_RETRY, "sync");
    return 0;
}

static int write_part(const struct delivery *d, const char *part, int from_fd,
                      const struct place_to *to, struct err *e)
{
    int fd = create_part(to->dir_fd, part);
    int rc;

    if (fd == -1)
        return err_sys(e, ERR_RETRY, "cannot create a file");
    rc = fill_part(fd, from_fd, d, to, e);
    if (close(fd) == -1 && rc == 0)
        rc = err_sys(e, ERR_RETRY, "close");
    /* Durable under its name before RENAMING says so. */
    if (rc == 0 && dir_sync(to->dir_fd) == -1)
        rc = err_sys(e, ERR_RETRY, "sync the folder");
    if (rc == -1)
        unlinkat(to->dir_fd, part, 0);
    return rc;
}

/* A snapshot that waited until a newer one was there becomes SUPERSEDED. */
static int give_way(struct ledger *l, struct delivery *d, struct err *e)
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

static int hold_taken(struct ledger *l, struct delivery *d, int dir_fd,
                      const char *part, struct err *e)
{
    char why[200];

    snprintf(why, sizeof(why),
             "another file of that name lies there and was not taken yet");
    /* After the commit: a crash in between leaves a part file, nothing else. */
    if (ledger_delivery_held(l, d, true, why, e) == -1)
        return -1;
    d->state = DELIVERY_HELD;
    unlinkat(dir_fd, part, 0);
    return 0;
}

static int settle_delivered(struct ledger *l, struct delivery *d, int dir_fd,
                            bool by_absence, struct err *e)
{
    if (dir_sync(dir_fd) == -1)
        return err_sys(e, ERR_RETRY, "sync the folder");
    if (ledger_delivered(l, d, by_absence, e) == -1)
        return -1;
    d->state = DELIVERY_DELIVERED;
    d->by_absence = by_absence;
    return 0;
}

/* The temporary name is there: the rename is still to be done. */
static int rename_part(struct ledger *l, struct delivery *d,
                       const struct place_to *to, const char *part,
                       const char *name, struct err *e)
{
    if (rename_once(to->dir_fd, part, name, d->replace) == 0)
        return settle_delivered(l, d, to->dir_fd, false, e);
    if (errno != EEXIST)
        return err_sys(e, ERR_RETRY, "rename to %s", name);
    switch (look(to->dir_fd, name, d)) {
    case OURS:
        if (unlinkat(to->dir_fd, part, 0) == -1 && errno != ENOENT)
            return err_sys(e, ERR_RETRY, "remove %s", part);
        return settle_delivered(l, d, to->dir_fd, false, e);
    case OTHER:
        return hold_taken(l, d, to->dir_fd, part, e);
    case ABSENT: /* taken this moment */
    case UNKNOWN:
        break;
    }
    return err_set(e, ERR_RETRY, "%s cannot be looked at", name);
}

/* folder_id: of the folder now; written_in: when the part was written. */
static int finish(struct ledger *l, struct delivery *d,
                  const struct place_to *to, const char *folder_id,
                  struct str written_in, struct err *e)
{
    char part[PART_NAME], name[256];
    struct stat st;
    enum found found;

    if (!str_is(written_in, folder_id)) {
        d->state = DELIVERY_UNCONFIRMED;
        return ledger_unconfirmed(l, d,
                                  "the folder is not the one that the file was "
                                  "written to; look there, then settle it",
                                  e);
    }
    publish_part_name(d, part);
    snprintf(name, sizeof(name), "%.*s", STR_ARGS(d->name));
    if (fstatat(to->dir_fd, part, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (give_way(l, d, e) == -1)
            return -1;
        if (d->state != DELIVERY_SUPERSEDED)
            return rename_part(l, d, to, part, name, e);
        unlinkat(to->dir_fd, part, 0);
        return 0;
    }
    if (errno != ENOENT)
        return err_sys(e, ERR_RETRY, "look at %s", part);
    found = look(to->dir_fd, name, d);
    if (found == UNKNOWN)
        return err_sys(e, ERR_RETRY, "look at %s", name);
    return settle_delivered(l, d, to->dir_fd, found != OURS, e);
}

/* ---- both --------------------------------------------------------------- */

static int prepare(struct ledger *l, struct delivery *d, int from_fd,
                   const struct place_to *to, const char *folder_id,
                   struct err *e)
{
    char part[PART_NAME];

    publish_part_name(d, part);
    if (write_part(d, part, from_fd, to, e) == -1)
        return -1;
    if (ledger_renaming(l, d, folder_id, e) == -1)
        return -1;
    d->state = DELIVERY_RENAMING;
    return 0;
}

int publish(struct ledger *l, struct delivery *d, int from_fd,
            const struct place_to *to, struct err *e)
{
    char folder_id[48];
    struct str written_in = d->folder_id;
    struct stat st;

    if (!name_is_safe(d->name))
        return ledger_delivery_held(l, d, false, "not a usable file name", e);
    if (fstat(to->dir_fd, &st) == -1)
        return err_sys(e, ERR_RETRY, "look at the folder");
    snprintf(folder_id, sizeof(folder_id), "%llx:%llu",
             (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    if (d->state == DELIVERY_READY) {
        if (give_way(l, d, e) == -1)
            return -1;
        if (d->state == DELIVERY_SUPERSEDED)
            return 0;
        if (prepare(l, d, from_fd, to, folder_id, e) == -1)
            return -1;
        written_in = str_of(folder_id);
    }
    return finish(l, d, to, folder_id, written_in, e);
}
