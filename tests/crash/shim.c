/*
 * shim.c - stands between a program and the calls that change a disk.
 *
 * Loaded with LD_PRELOAD. Counts the calls of all processes of a run in one
 * page (page.h) and, at the call that the page names, kills the program or
 * lets the call fail. It can record all calls with their data, and it plays
 * the receiver who takes a file the moment that it has its final name.
 *
 * A call holds the page's lock from its count to its end. So after "kill at
 * call N" exactly N calls have happened, whatever other processes are about.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/shim.h"

struct page *page;

unsigned char writable[MAX_FDS];

/* ---- the gate ------------------------------------------------------------ */

static void lock(void)
{
    if (pthread_mutex_lock(&page->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&page->lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&page->lock);
}

static void wait_for_death(void)
{
    unlock();
    for (;;)
        pause();
}

void strike(void)
{
    page->happened = true;
    if (page->whom == WHOM_ALL) {
        page->dead = true;
        kill(0, SIGKILL);
        wait_for_death();
    }
    page->keeper_dead = true;
    kill(page->keeper, SIGKILL);
    if (getpid() == page->keeper)
        wait_for_death();
}

/* A full disk refuses what needs room; other faults refuse everything. */
static bool is_refused(bool needs_room)
{
    if (page->act != ACT_ERROR || page->calls < page->at ||
        (page->calls > page->at && !page->forever))
        return false;
    return page->error != ENOSPC || needs_room;
}

/* Counts a call. false: it must not be made, errno is set. Else end(). */
bool begin(bool needs_room)
{
    lock();
    if (page->dead)
        wait_for_death();
    page->calls++;
    if (page->act == ACT_KILL && page->calls == page->at &&
        page->moment == BEFORE)
        strike();
    if (is_refused(needs_room)) {
        page->happened = true;
        errno = page->error;
        unlock();
        return false;
    }
    return true;
}

bool is_now(enum act act)
{
    return page->act == act && page->calls == page->at;
}

void end(void)
{
    int saved = errno;

    if (is_now(ACT_KILL) && page->moment != BEFORE && !page->happened)
        strike(); /* also when there is nothing to tear */
    if (is_now(ACT_ASK)) {
        page->happened = true;
        kill(page->keeper, SIGTERM);
    }
    unlock();
    errno = saved;
}

/* ---- the log ------------------------------------------------------------- */

uint64_t shown(uint64_t real)
{
    for (uint32_t i = 0; i < page->n_inodes; i++)
        if (page->inodes[i].real == real)
            return page->inodes[i].shown;
    return real;
}

int raw_stat(int dir, const char *path, struct stat *st, int flags)
{
    return (int)syscall(SYS_newfstatat, dir, path, st, flags);
}

uint64_t ino_of_fd(int fd)
{
    struct stat st;

    return raw_stat(fd, "", &st, AT_EMPTY_PATH) == 0 ? shown(st.st_ino) : 0;
}

static uint64_t ino_at(int dir, const char *path)
{
    struct stat st;

    return raw_stat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? shown(st.st_ino)
                                                              : 0;
}

/* The folder of a path, and its last part. */
static uint64_t parent_of(int dir, const char *path, char name[NAME_SIZE])
{
    const char *slash = strrchr(path, '/');
    char parent[PATH_SIZE] = ".";
    struct stat st;

    if (slash)
        snprintf(parent, sizeof(parent), "%.*s",
                 slash == path ? 1 : (int)(slash - path), path);
    snprintf(name, NAME_SIZE, "%s", slash ? slash + 1 : path);
    return raw_stat(dir, parent, &st, 0) == 0 ? shown(st.st_ino) : 0;
}

void note(const struct record *r, const void *data)
{
    struct record *to = (struct record *)(void *)(page->log + page->log_used);
    size_t n = r->op == OP_WRITE ? r->len : 0;
    size_t size = sizeof(*r) + ((n + 7) & ~(size_t)7);

    if (!page->record)
        return;
    if (page->log_used + size > LOG_SIZE)
        abort();
    *to = *r;
    to->call = page->calls;
    memcpy(to + 1, data ? data : "", n);
    page->log_used += size;
}

void note_fd(enum op op, int fd, uint64_t len, uint32_t mode)
{
    int saved = errno;

    note(
        &(struct record){
            .op = op, .ino = ino_of_fd(fd), .len = len, .mode = mode },
        NULL);
    errno = saved;
}

void note_other(const char *what)
{
    struct record r = { .op = OP_OTHER };

    snprintf(r.name, sizeof(r.name), "%s", what);
    note(&r, NULL);
}

/* ---- the receiver -------------------------------------------------------- */

static void take(uint64_t dir, int dir_fd, const char *path, const char *name)
{
    struct record r = { .op = OP_TAKE, .dir = dir };
    char to[PATH_SIZE + NAME_SIZE + 32];
    uint32_t i = 0;

    if (!page->take || name[0] == '.')
        return;
    while (i < page->n_outboxes && page->outboxes[i].ino != dir)
        i++;
    if (i == page->n_outboxes)
        return;
    r.ino = ino_at(dir_fd, path);
    snprintf(r.name, sizeof(r.name), "%s", name);
    snprintf(to, sizeof(to), "%s/%06llu.%u.%s", page->taken,
             (unsigned long long)page->n_taken++, i, name);
    if (syscall(SYS_renameat2, dir_fd, path, AT_FDCWD, to, 0) == -1)
        abort();
    note(&r, NULL);
}

/* It may be an outbox that was not there before. */
static void new_folder(uint64_t parent, const char *name, uint64_t ino)
{
    for (uint32_t i = 0; i < page->n_outboxes; i++)
        if (page->outboxes[i].parent == parent &&
            strcmp(page->outboxes[i].name, name) == 0)
            page->outboxes[i].ino = ino;
}

/* ---- a daemon that has nothing to do ------------------------------------- */

/* Did a sender have one more file? */
static bool drop_late(void)
{
    for (uint32_t i = 0; i < page->n_late; i++) {
        const struct late *l = &page->late[i];
        struct record r = { .op = OP_DROP };

        r.ino = ino_at(AT_FDCWD, l->from);
        r.dir = parent_of(AT_FDCWD, l->from, r.name);
        r.dir2 = parent_of(AT_FDCWD, l->to, r.name2);
        if (syscall(SYS_renameat2, AT_FDCWD, l->from, AT_FDCWD, l->to, 0) == -1)
            continue; /* it was dropped before */
        note(&r, NULL);
        return true;
    }
    return false;
}

/* Nothing is ready, no child is at work, and it does not look soon. */
static bool is_idle(struct pollfd *fds, nfds_t n, int ms)
{
    siginfo_t child;

    return page && page->stays && getpid() == page->keeper &&
           (ms < 0 || ms >= 1000) &&
           waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == -1 &&
           syscall(SYS_poll, fds, n, 0) == 0;
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
    if (is_idle(fds, n, ms)) {
        lock();
        if (page->dead)
            wait_for_death();
        if (!drop_late())
            kill(getpid(), SIGTERM);
        unlock();
    }
    return (int)syscall(SYS_poll, fds, n, ms);
}

/* What _FORTIFY_SOURCE makes of it. */
int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size);

int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size)
{
    (void)size;
    return poll(fds, n, ms);
}

/* ---- opening and closing ------------------------------------------------- */

static void remember(int fd, int how)
{
    if (fd >= 0 && fd < MAX_FDS)
        writable[fd] = (how & O_ACCMODE) == O_RDONLY ? FD_NO
                       : how & O_DSYNC               ? FD_SYNCED
                                                     : FD_YES;
}

/* Random bytes that are the same each time: a file with some of them. */
static int open_random(void)
{
    unsigned char bytes[512];
    int fd = (int)syscall(SYS_memfd_create, "random", 1);

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes) ||
        syscall(SYS_write, fd, bytes, sizeof(bytes)) != sizeof(bytes) ||
        lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

/* Nobody else has anything to write: all runs sync in the same way. */
static int open_meminfo(void)
{
    static const char text[] = "MemTotal: 1 kB\nDirty: 0 kB\nWriteback: 0 kB\n";
    int fd = (int)syscall(SYS_memfd_create, "meminfo", 1);

    if (syscall(SYS_write, fd, text, sizeof(text) - 1) != sizeof(text) - 1 ||
        lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

/*
 * A file without a name can be refused. Nothing else of it is counted: no
 * crash can show it, and the reader, who writes into it, is in a jail where
 * we could not do our work.
 */
static int open_nameless(int dir, const char *path, int how, mode_t mode)
{
    int fd;

    if (!begin(true))
        return -1;
    fd = (int)syscall(SYS_openat, dir, path, how, mode);
    end();
    return fd;
}

static int do_open(int dir, const char *path, int how, mode_t mode)
{
    struct record r = { .op = OP_CREATE };
    int fd, saved;
    bool was;

    if (!page)
        return (int)syscall(SYS_openat, dir, path, how, mode);
    if (strcmp(path, "/dev/urandom") == 0)
        return open_random();
    if (strcmp(path, "/proc/meminfo") == 0)
        return open_meminfo();
    if ((how & O_TMPFILE) == O_TMPFILE)
        return open_nameless(dir, path, how, mode);
    if (!(how & (O_CREAT | O_TRUNC)) || strcmp(path, "/dev/null") == 0) {
        fd = (int)syscall(SYS_openat, dir, path, how, mode);
        remember(fd, how);
        return fd;
    }
    if (!begin(true))
        return -1;
    was = ino_at(dir, path) != 0;
    fd = (int)syscall(SYS_openat, dir, path, how, mode);
    saved = errno;
    remember(fd, how);
    if (fd >= 0 && !was) {
        struct stat st;

        r.dir = parent_of(dir, path, r.name);
        raw_stat(fd, "", &st, AT_EMPTY_PATH);
        r.ino = shown(st.st_ino);
        r.mode = st.st_mode;
        note(&r, NULL);
        take(r.dir, dir, path, r.name);
    } else if (fd >= 0 && how & O_TRUNC) {
        note_fd(OP_SIZE, fd, 0, 0);
    }
    errno = saved;
    end();
    return fd;
}

#define OPEN_MODE(how, last)             \
    mode_t mode = 0;                     \
    if ((how) & (O_CREAT | O_TMPFILE)) { \
        va_list ap;                      \
        va_start(ap, last);              \
        mode = (mode_t)va_arg(ap, int);  \
        va_end(ap);                      \
    }

int open(const char *path, int how, ...)
{
    OPEN_MODE(how, how)
    return do_open(AT_FDCWD, path, how, mode);
}

int openat(int dir, const char *path, int how, ...)
{
    OPEN_MODE(how, how)
    return do_open(dir, path, how, mode);
}

int open64(const char *path, int how, ...)
{
    OPEN_MODE(how, how)
    return do_open(AT_FDCWD, path, how, mode);
}

int openat64(int dir, const char *path, int how, ...)
{
    OPEN_MODE(how, how)
    return do_open(dir, path, how, mode);
}

/* What _FORTIFY_SOURCE makes of calls without a mode. */
int __open_2(const char *path, int how);
int __open64_2(const char *path, int how);
int __openat_2(int dir, const char *path, int how);
int __openat64_2(int dir, const char *path, int how);

int __open_2(const char *path, int how)
{
    return do_open(AT_FDCWD, path, how, 0);
}

int __open64_2(const char *path, int how)
{
    return do_open(AT_FDCWD, path, how, 0);
}

int __openat_2(int dir, const char *path, int how)
{
    return do_open(dir, path, how, 0);
}

int __openat64_2(int dir, const char *path, int how)
{
    return do_open(dir, path, how, 0);
}

int creat(const char *path, mode_t mode)
{
    return do_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int close(int fd)
{
    if (fd >= 0 && fd < MAX_FDS)
        writable[fd] = FD_NO;
    return (int)syscall(SYS_close, fd);
}

int close_range(unsigned from, unsigned to, int flags)
{
    for (unsigned fd = from; fd <= to && fd < MAX_FDS && flags == 0; fd++)
        writable[fd] = FD_NO;
    return (int)syscall(SYS_close_range, from, to, flags);
}

int dup2(int from, int to)
{
    int fd = (int)syscall(SYS_dup3, from, to, 0);

    if (fd >= 0 && fd < MAX_FDS && from < MAX_FDS)
        writable[fd] = writable[from];
    return fd;
}

int dup(int from)
{
    int fd = (int)syscall(SYS_dup, from);

    if (fd >= 0 && fd < MAX_FDS && from < MAX_FDS)
        writable[fd] = writable[from];
    return fd;
}

/* ---- names --------------------------------------------------------------- */

static int do_rename(int dir, const char *path, int dir2, const char *path2,
                     unsigned flags)
{
    struct record r = { .op = OP_RENAME };
    int rc, saved;

    if (!page)
        return (int)syscall(SYS_renameat2, dir, path, dir2, path2, flags);
    if (!begin(true))
        return -1;
    r.ino = ino_at(dir, path);
    r.dir = parent_of(dir, path, r.name);
    r.dir2 = parent_of(dir2, path2, r.name2);
    rc = (int)syscall(SYS_renameat2, dir, path, dir2, path2, flags);
    saved = errno;
    if (rc == 0 && flags & ~(unsigned)RENAME_NOREPLACE)
        note_other("rename with flags");
    if (rc == 0) {
        new_folder(r.dir2, r.name2, r.ino);
        note(&r, NULL);
        take(r.dir2, dir2, path2, r.name2);
    }
    errno = saved;
    end();
    return rc;
}

int rename(const char *a, const char *b)
{
    return do_rename(AT_FDCWD, a, AT_FDCWD, b, 0);
}

int renameat(int dir, const char *a, int dir2, const char *b)
{
    return do_rename(dir, a, dir2, b, 0);
}

int renameat2(int dir, const char *a, int dir2, const char *b, unsigned flags)
{
    return do_rename(dir, a, dir2, b, flags);
}

int linkat(int dir, const char *path, int dir2, const char *path2, int flags)
{
    struct record r = { .op = OP_LINK };
    int rc, saved;

    if (!page)
        return (int)syscall(SYS_linkat, dir, path, dir2, path2, flags);
    if (!begin(true))
        return -1;
    r.ino = ino_at(dir, path);
    r.dir2 = parent_of(dir2, path2, r.name2);
    rc = (int)syscall(SYS_linkat, dir, path, dir2, path2, flags);
    saved = errno;
    if (rc == 0) {
        note(&r, NULL);
        take(r.dir2, dir2, path2, r.name2);
    }
    errno = saved;
    end();
    return rc;
}

int link(const char *a, const char *b)
{
    return linkat(AT_FDCWD, a, AT_FDCWD, b, 0);
}

static int do_unlink(int dir, const char *path, int flags)
{
    struct record r = { .op = flags & AT_REMOVEDIR ? OP_RMDIR : OP_UNLINK };
    int rc, saved;

    if (!page)
        return (int)syscall(SYS_unlinkat, dir, path, flags);
    if (!begin(false))
        return -1;
    r.ino = ino_at(dir, path);
    r.dir = parent_of(dir, path, r.name);
    rc = (int)syscall(SYS_unlinkat, dir, path, flags);
    saved = errno;
    if (rc == 0)
        note(&r, NULL);
    errno = saved;
    end();
    return rc;
}

int unlink(const char *path)
{
    return do_unlink(AT_FDCWD, path, 0);
}

int unlinkat(int dir, const char *path, int flags)
{
    return do_unlink(dir, path, flags);
}

int rmdir(const char *path)
{
    return do_unlink(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
    int rc = unlink(path);

    return rc == -1 && errno == EISDIR ? rmdir(path) : rc;
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    struct record r = { .op = OP_MKDIR };
    int rc, saved;

    if (!page)
        return (int)syscall(SYS_mkdirat, dir, path, mode);
    if (!begin(true))
        return -1;
    rc = (int)syscall(SYS_mkdirat, dir, path, mode);
    saved = errno;
    if (rc == 0) {
        struct stat st;

        r.dir = parent_of(dir, path, r.name);
        raw_stat(dir, path, &st, AT_SYMLINK_NOFOLLOW);
        r.ino = shown(st.st_ino);
        r.mode = st.st_mode;
        new_folder(r.dir, r.name, r.ino);
        note(&r, NULL);
    }
    errno = saved;
    end();
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int symlinkat(const char *target, int dir, const char *path)
{
    int rc;

    if (!page)
        return (int)syscall(SYS_symlinkat, target, dir, path);
    if (!begin(true))
        return -1;
    rc = (int)syscall(SYS_symlinkat, target, dir, path);
    if (rc == 0)
        note_other("symlink");
    end();
    return rc;
}

int symlink(const char *target, const char *path)
{
    return symlinkat(target, AT_FDCWD, path);
}
