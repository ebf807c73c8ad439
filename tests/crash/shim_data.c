/*
 * shim_data.c - calls on open files: data, size, mode, syncing; and what the
 * program asks the system about its files, or takes as random.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/crash/shim.h"

/* ---- data ---------------------------------------------------------------- */

static bool is_file(int fd)
{
    struct stat st;

    return page && fd >= 0 && fd < MAX_FDS && writable[fd] &&
           raw_stat(fd, "", &st, AT_EMPTY_PATH) == 0 && S_ISREG(st.st_mode);
}

static ssize_t raw_write(int fd, const void *p, size_t n, off_t at)
{
    return at < 0 ? syscall(SYS_write, fd, p, n)
                  : syscall(SYS_pwrite64, fd, p, n, at);
}

/* at < 0: where the descriptor stands. */
static ssize_t do_write(int fd, const void *p, size_t n, off_t at)
{
    struct record r = { .op = OP_WRITE };
    ssize_t done;

    if (!is_file(fd))
        return raw_write(fd, p, n, at);
    if (!begin(true))
        return -1;
    if (is_now(ACT_KILL) && page->moment == TORN) {
        raw_write(fd, p, n / 2, at);
        strike();
    }
    if (is_now(ACT_SHORT) && n > 1) {
        page->happened = true;
        n /= 2;
    }
    done = raw_write(fd, p, n, at);
    if (done > 0) {
        r.ino = ino_of_fd(fd);
        r.off = (uint64_t)(at < 0 ? lseek(fd, 0, SEEK_CUR) - done : at);
        r.len = (uint64_t)done;
        note(&r, p);
        if (writable[fd] == FD_SYNCED)
            note_fd(OP_SYNC, fd, 0, 0);
    }
    end();
    return done;
}

ssize_t write(int fd, const void *p, size_t n)
{
    return do_write(fd, p, n, -1);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return do_write(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return do_write(fd, p, n, at);
}

/* These copy inside the kernel; here, through us. */
ssize_t writev(int fd, const struct iovec *v, int n)
{
    ssize_t all = 0;

    if (!is_file(fd))
        return syscall(SYS_writev, fd, v, n);
    for (int i = 0; i < n; i++) {
        ssize_t done = do_write(fd, v[i].iov_base, v[i].iov_len, -1);

        if (done < 0)
            return all ? all : -1;
        all += done;
        if ((size_t)done < v[i].iov_len)
            break;
    }
    return all;
}

ssize_t sendfile(int to, int from, off_t *at, size_t n)
{
    char block[65536];
    ssize_t got;

    if (!is_file(to))
        return syscall(SYS_sendfile, to, from, at, n);
    n = n < sizeof(block) ? n : sizeof(block);
    got = at ? pread(from, block, n, *at) : read(from, block, n);
    if (got <= 0)
        return got;
    got = do_write(to, block, (size_t)got, -1);
    if (got > 0 && at)
        *at += got;
    return got;
}

ssize_t copy_file_range(int from, off_t *at, int to, off_t *to_at, size_t n,
                        unsigned flags)
{
    (void)from;
    (void)at;
    (void)to;
    (void)to_at;
    (void)n;
    (void)flags;
    errno = ENOSYS; /* every caller has another way */
    return -1;
}

int ftruncate(int fd, off_t size)
{
    int rc;

    if (!is_file(fd))
        return (int)syscall(SYS_ftruncate, fd, size);
    if (!begin(false))
        return -1;
    rc = (int)syscall(SYS_ftruncate, fd, size);
    if (rc == 0)
        note_fd(OP_SIZE, fd, (uint64_t)size, 0);
    end();
    return rc;
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t from, off_t n)
{
    int rc;

    if (!is_file(fd))
        return (int)syscall(SYS_fallocate, fd, mode, from, n);
    if (!begin(true))
        return -1;
    rc = (int)syscall(SYS_fallocate, fd, mode, from, n);
    if (rc == 0)
        note_other("fallocate");
    end();
    return rc;
}

int posix_fallocate(int fd, off_t from, off_t n)
{
    return fallocate(fd, 0, from, n) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off_t from, off_t n)
{
    return posix_fallocate(fd, from, n);
}

/* ---- mode, owner --------------------------------------------------------- */

int fchmod(int fd, mode_t mode)
{
    int rc;

    if (!page)
        return (int)syscall(SYS_fchmod, fd, mode);
    if (!begin(false))
        return -1;
    rc = (int)syscall(SYS_fchmod, fd, mode);
    if (rc == 0)
        note_fd(OP_MODE, fd, 0, mode);
    end();
    return rc;
}

/* Counted; who owns a file is not part of the model. */
int fchown(int fd, uid_t uid, gid_t gid)
{
    int rc;

    if (!page)
        return (int)syscall(SYS_fchown, fd, uid, gid);
    if (!begin(false))
        return -1;
    rc = (int)syscall(SYS_fchown, fd, uid, gid);
    end();
    return rc;
}

/* ---- syncing ------------------------------------------------------------- */

static int do_sync(int fd, long number, enum op op)
{
    int rc = 0;

    if (!page)
        return (int)syscall(number, fd);
    if (!begin(false))
        return -1;
    /* What is tested lies in memory; only a bad descriptor can fail. */
    if (fcntl(fd, F_GETFD) == -1)
        rc = -1;
    else
        note_fd(op, fd, 0, 0);
    end();
    return rc;
}

int fsync(int fd)
{
    return do_sync(fd, SYS_fsync, OP_SYNC);
}

int fdatasync(int fd)
{
    return do_sync(fd, SYS_fdatasync, OP_SYNC);
}

int syncfs(int fd)
{
    return do_sync(fd, SYS_syncfs, OP_SYNC_ALL);
}

/* Promises nothing about a power loss. */
int sync_file_range(int fd, off_t from, off_t n, unsigned flags)
{
    (void)fd;
    (void)from;
    (void)n;
    (void)flags;
    return 0;
}

/* ---- what the program learns of the disk --------------------------------- */

static int do_stat(int dir, const char *path, struct stat *st, int flags)
{
    int rc = raw_stat(dir, path, st, flags);

    if (rc == 0 && page)
        st->st_ino = shown(st->st_ino);
    return rc;
}

int fstatat(int dir, const char *path, struct stat *st, int flags)
{
    return do_stat(dir, path, st, flags);
}

int fstat(int fd, struct stat *st)
{
    return do_stat(fd, "", st, AT_EMPTY_PATH);
}

int stat(const char *path, struct stat *st)
{
    return do_stat(AT_FDCWD, path, st, 0);
}

int lstat(const char *path, struct stat *st)
{
    return do_stat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

int fstatat64(int dir, const char *path, struct stat64 *st, int flags)
{
    return do_stat(dir, path, (struct stat *)(void *)st, flags);
}

int fstat64(int fd, struct stat64 *st)
{
    return do_stat(fd, "", (struct stat *)(void *)st, AT_EMPTY_PATH);
}

int stat64(const char *path, struct stat64 *st)
{
    return do_stat(AT_FDCWD, path, (struct stat *)(void *)st, 0);
}

int lstat64(const char *path, struct stat64 *st)
{
    return do_stat(AT_FDCWD, path, (struct stat *)(void *)st,
                   AT_SYMLINK_NOFOLLOW);
}

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* The same in every run with that seed. */
ssize_t getrandom(void *p, size_t n, unsigned flags)
{
    unsigned char *to = p;

    if (!page)
        return syscall(SYS_getrandom, p, n, flags);
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)mix(mix(page->seed) + page->n_random++);
    return (ssize_t)n;
}
