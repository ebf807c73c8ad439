#include "spool/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/adopt.h"
#include "spool/files.h"
#include "spool/generation.h"
#include "spool/notify.h"
#include "spool/stamp.h"

#define PART_FILE ".copy.part"

/* Beside what is copied, so much stays free. */
enum { FREE_MB = 64, DEPTH = 16 };

/* ---- copying ------------------------------------------------------------ */

struct copy {
    bool only_new; /* a file that is there in the same size stays */
    bool measure;  /* nothing is written: how many bytes would it be? */
    struct backup_counts n;
};

static int fill(int from, int to)
{
    struct content got;
    int rc = content_copy(from, to, UINT64_MAX, &got);

    return rc == 0 ? fsync(to) : rc;
}

/* Under another name until it is whole: its size is all that is looked at. */
static int write_copy(int from, int to_dir, const char *name)
{
    int to, rc, saved;

    unlinkat(to_dir, PART_FILE, 0);
    to = openat(to_dir, PART_FILE,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to == -1)
        return -1;
    rc = fill(from, to);
    saved = errno;
    if (close(to) == -1 && rc == 0)
        return -1;
    errno = saved;
    return rc == 0 ? renameat(to_dir, PART_FILE, to_dir, name) : -1;
}

static int copy_file(struct copy *c, int from_dir, int to_dir, const char *name,
                     uint64_t size)
{
    struct stat st;
    int from, rc, saved;

    if (c->only_new && to_dir != -1 &&
        fstatat(to_dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(st.st_mode) && (uint64_t)st.st_size == size) {
        c->n.n_kept++;
        return 0;
    }
    c->n.n_copied++;
    c->n.bytes += size;
    if (c->measure)
        return 0;
    from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (from == -1)
        return errno == ENOENT ? 0 : -1; /* taken back meanwhile */
    rc = write_copy(from, to_dir, name);
    saved = errno;
    close(from);
    errno = saved;
    notify("WATCHDOG=1");
    return rc;
}

static int copy_tree(struct copy *c, int from_dir, int to_dir, const char *name,
                     int depth);

static int copy_entry(struct copy *c, int from, int to, const char *name,
                      int depth)
{
    struct stat st;

    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
        return errno == ENOENT ? 0 : -1;
    if (S_ISDIR(st.st_mode))
        return copy_tree(c, from, to, name, depth - 1);
    return S_ISREG(st.st_mode)
               ? copy_file(c, from, to, name, (uint64_t)st.st_size)
               : 0;
}

static int copy_names(struct copy *c, DIR *dir, int to, int depth)
{
    struct dirent *d;

    while ((d = readdir(dir)))
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
            copy_entry(c, dirfd(dir), to, d->d_name, depth) == -1)
            return -1;
    return 0;
}

/* to_dir -1: there is nothing yet (to be measured). */
static int copy_tree(struct copy *c, int from_dir, int to_dir, const char *name,
                     int depth)
{
    int from = dir_open_at(from_dir, str_of(name)), to = -1, rc = 0, saved;
    DIR *dir = from == -1 ? NULL : fdopendir(from);

    if (!dir)
        return errno == ENOENT ? 0 : -1;
    if (depth == 0) {
        errno = ELOOP;
        rc = -1;
    }
    if (rc == 0 && !c->measure && mkdirat(to_dir, name, 0700) == -1 &&
        errno != EEXIST)
        rc = -1;
    if (rc == 0 && to_dir != -1)
        to = dir_open_at(to_dir, str_of(name));
    if (rc == 0 && to == -1 && !c->measure)
        rc = -1;
    if (rc == 0)
        rc = copy_names(c, dir, to, depth);
    if (rc == 0 && !c->measure)
        rc = dir_sync(to);
    saved = errno;
    if (to != -1)
        close(to);
    closedir(dir);
    errno = saved;
    return rc;
}

/* ---- room --------------------------------------------------------------- */

static int check_room(int dir_fd, uint64_t bytes, struct err *e)
{
    uint64_t least = bytes + MB(FREE_MB), free_bytes;
    struct statvfs v;

    if (fstatvfs(dir_fd, &v) == -1)
        return err_sys(e, ERR_RETRY, "cannot ask for the free space");
    free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    if (free_bytes >= least)
        return 0;
    return err_set(e, ERR_RETRY,
                   "not enough free space for the backup: %llu MB are needed, "
                   "%llu MB are free",
                   (unsigned long long)(least / MB(1)),
                   (unsigned long long)(free_bytes / MB(1)));
}

static int measure(struct copy *c, int spool_fd, int dir_fd, const char *name,
                   struct err *e)
{
    c->measure = true;
    if (copy_tree(c, spool_fd, dir_fd, name, DEPTH) == -1)
        return err_sys(e, ERR_RETRY, "cannot read %s/ of the spool", name);
    return 0;
}

/* ---- is it ours to write to? -------------------------------------------- */

static bool is_ours(const char *name)
{
    static const char *const names[] = { ".",
                                         "..",
                                         "state",
                                         "in",
                                         "out",
                                         GENERATION_FILE,
                                         "archive",
                                         "new",
                                         "lock",
                                         COMPLETE_FILE,
                                         COMPLETE_FILE ".new" };

    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static int check_names(const char *dir, int fd, struct err *e)
{
    DIR *d = fdopendir(fd);
    struct dirent *x;
    int rc = 0;

    if (!d) {
        close(fd);
        return err_sys(e, ERR_RETRY, "cannot read %s", dir);
    }
    while (rc == 0 && (x = readdir(d)))
        if (!is_ours(x->d_name))
            rc = err_set(e, ERR_REJECT,
                         "%.150s is no backup of ours: \"%.40s\" lies in it; "
                         "name an empty folder",
                         dir, x->d_name);
    closedir(d);
    return rc;
}

int backup_check(const struct conf *c, const char *dir, struct err *e)
{
    char *spool = realpath(c->spool, NULL), *real = realpath(dir, NULL);
    struct generation g = { 0 };
    int fd = dir_open(dir, STR("")), rc = 0;

    if (fd == -1 || !real)
        rc = err_sys(e, ERR_REJECT, "cannot use folder %s", dir);
    else if (spool && str_starts(str_of(real), str_of(spool)) &&
             (real[strlen(spool)] == '/' || real[strlen(spool)] == '\0'))
        rc = err_set(e, ERR_REJECT, "%s lies in the spool", dir);
    else if (generation_read(fd, &g, e) == -1)
        rc = -1;
    else if (g.is_there && !g.backup_at)
        rc = err_set(e, ERR_REJECT, "%s is a spool, and no backup", dir);
    free(spool);
    free(real);
    if (rc == 0)
        return check_names(dir, fd, e);
    if (fd != -1)
        close(fd);
    return rc;
}

/* ---- step 1 ------------------------------------------------------------- */

static uint64_t size_of(int at, const char *name)
{
    struct stat st;

    return fstatat(at, name, &st, 0) == 0 ? (uint64_t)st.st_size : 0;
}

static int stage_ledger(struct ledger *l, const char *dir, int new_fd,
                        struct err *e)
{
    struct arena a = { 0 };
    struct generation g;
    int rc = dir_make(new_fd, "state", 0700);

    if (rc == -1)
        err_sys(e, ERR_RETRY, "cannot make a folder in %s", dir);
    if (rc == 0)
        rc = ledger_copy(l, arena_fmt(&a, "%s/new/state/ledger.db", dir).p, e);
    if (rc == 0 && tree_sync(new_fd, "state") == -1)
        rc = err_sys(e, ERR_RETRY, "cannot sync %s", dir);
    if (rc == 0)
        rc = generation_of(l, &g, e);
    if (rc == 0) {
        g.backup_at = clock_now();
        rc = generation_write(new_fd, &g, e);
    }
    arena_release(&a);
    return rc;
}

static int stage(struct ledger *l, int spool_fd, const char *dir, int dir_fd,
                 struct err *e)
{
    struct copy c = { 0 };
    int new_fd, rc;

    if (measure(&c, spool_fd, -1, "in", e) == -1 ||
        measure(&c, spool_fd, -1, "out", e) == -1 ||
        check_room(dir_fd,
                   c.n.bytes + size_of(spool_fd, "state/ledger.db") +
                       size_of(spool_fd, "state/ledger.db-wal"),
                   e) == -1)
        return -1;
    c = (struct copy){ 0 };
    if (tree_remove(dir_fd, "new") == -1 || mkdirat(dir_fd, "new", 0700) == -1)
        return err_sys(e, ERR_RETRY, "cannot write to %s", dir);
    new_fd = dir_open_at(dir_fd, STR("new"));
    if (new_fd == -1)
        return err_sys(e, ERR_RETRY, "cannot open %s/new", dir);
    rc = stage_ledger(l, dir, new_fd, e);
    if (rc == 0 && (copy_tree(&c, spool_fd, new_fd, "in", DEPTH) == -1 ||
                    copy_tree(&c, spool_fd, new_fd, "out", DEPTH) == -1 ||
                    dir_sync(new_fd) == -1))
        rc = err_sys(e, ERR_RETRY, "cannot copy to %s", dir);
    close(new_fd);
    return rc;
}

int backup_stage(struct ledger *l, int spool_fd, const char *dir, struct err *e)
{
    int dir_fd, rc;

    if (generation_check(spool_fd, l, e) == -1)
        return -1;
    dir_fd = dir_open(dir, STR(""));
    if (dir_fd == -1)
        return err_sys(e, ERR_RETRY, "cannot open %s", dir);
    rc = stage(l, spool_fd, dir, dir_fd, e);
    close(dir_fd);
    return rc;
}

/* ---- step 2 ------------------------------------------------------------- */

int backup_archive(int spool_fd, int dir_fd, struct backup_counts *n,
                   struct err *e)
{
    struct copy c = { .only_new = true };

    if (measure(&c, spool_fd, dir_fd, "archive", e) == -1 ||
        check_room(dir_fd, c.n.bytes, e) == -1)
        return -1;
    c = (struct copy){ .only_new = true };
    if (copy_tree(&c, spool_fd, dir_fd, "archive", DEPTH) == -1)
        return err_sys(e, ERR_RETRY, "cannot copy the archive");
    *n = c.n;
    return 0;
}

/* ---- step 3 ------------------------------------------------------------- */

static int put_in_place(int dir_fd, int new_fd)
{
    static const char *const parts[] = { "state", "in", "out",
                                         GENERATION_FILE };

    if ((unlinkat(dir_fd, COMPLETE_FILE, 0) == -1 && errno != ENOENT) ||
        dir_sync(dir_fd) == -1)
        return -1;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (tree_remove(dir_fd, parts[i]) == -1 ||
            renameat(new_fd, parts[i], dir_fd, parts[i]) == -1)
            return -1;
    if (tree_remove(dir_fd, "new") == -1)
        return -1;
    return dir_sync(dir_fd);
}

static int say_complete(int dir_fd, struct str text)
{
    unlinkat(dir_fd, COMPLETE_FILE ".new", 0);
    if (file_write(dir_fd, COMPLETE_FILE ".new", text, 0600) == -1 ||
        renameat(dir_fd, COMPLETE_FILE ".new", dir_fd, COMPLETE_FILE) == -1)
        return -1;
    return dir_sync(dir_fd);
}

int backup_finish(int dir_fd, bool with_archive, const struct backup_counts *n,
                  struct err *e)
{
    char stamp[STAMP_LEN + 1], text[256];
    struct generation g;
    int new_fd = dir_open_at(dir_fd, STR("new"));
    int rc;

    if (new_fd == -1)
        return err_sys(e, ERR_RETRY, "the copy of the spool");
    rc = generation_read(new_fd, &g, e);
    if (rc == 0 && put_in_place(dir_fd, new_fd) == -1)
        rc = err_sys(e, ERR_RETRY, "cannot put the backup in its place");
    close(new_fd);
    if (rc == -1)
        return -1;
    stamp_of(g.backup_at, stamp);
    snprintf(text, sizeof(text),
             "A whole backup of a kervan spool.\nat %s\nledger %s\njob %llu\n"
             "archive %s, %llu files\n",
             stamp, g.id, (unsigned long long)g.job,
             with_archive ? "with" : "without",
             (unsigned long long)(n->n_copied + n->n_kept));
    if (say_complete(dir_fd, str_of(text)) == -1)
        return err_sys(e, ERR_RETRY, "cannot write %s", COMPLETE_FILE);
    return 0;
}
