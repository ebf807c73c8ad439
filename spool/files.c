#include "spool/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART_MAX = 255, COPY_BLOCK = 128 * 1024 };

static bool part_is_safe(struct str s)
{
    if (s.len == 0 || s.len > PART_MAX || str_is(s, ".") || str_is(s, ".."))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127 || s.p[i] == '/')
            return false;
    return true;
}

/* Takes the next part of a path; false at its end. */
static bool next_part(struct str *path, struct str *part)
{
    ptrdiff_t slash = str_find_char(*path, '/');

    if (path->len == 0)
        return false;
    *part = str_first(*path, slash < 0 ? path->len : (size_t)slash);
    *path = str_from(*path, slash < 0 ? path->len : (size_t)slash + 1);
    return true;
}

bool path_is_safe(struct str path)
{
    struct str part;

    if (path.len == 0 || path.p[path.len - 1] == '/')
        return false;
    while (next_part(&path, &part))
        if (!part_is_safe(part))
            return false;
    return true;
}

bool name_is_safe(struct str name)
{
    return part_is_safe(name) && name.p[0] != '.';
}

int dir_open_at(int at, struct str below)
{
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct str part;

    while (fd != -1 && next_part(&below, &part)) {
        char name[PART_MAX + 1];
        int next = -1;

        if (part_is_safe(part)) {
            str_copy(name, part);
            name[part.len] = '\0';
            next = openat(fd, name,
                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        } else {
            errno = EINVAL;
        }
        int saved = errno;
        close(fd);
        errno = saved;
        fd = next;
    }
    return fd;
}

int dir_open(const char *root, struct str below)
{
    int at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd, saved;

    if (at == -1 || below.len == 0)
        return at;
    fd = dir_open_at(at, below);
    saved = errno;
    close(at);
    errno = saved;
    return fd;
}

int dir_sync(int fd)
{
    if (fsync(fd) == 0 || errno == EINVAL)
        return 0;
    return -1;
}

int folder_sync(int at, struct str below)
{
    int fd = dir_open_at(at, below);
    int rc = fd == -1 ? -1 : dir_sync(fd), saved = errno;

    if (fd != -1)
        close(fd);
    errno = saved;
    return rc;
}

int dir_make(int at, const char *path, mode_t mode)
{
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct str rest = str_of(path), part;

    while (fd != -1 && next_part(&rest, &part)) {
        char name[PART_MAX + 1];
        int next = -1, saved;

        if (!part_is_safe(part)) {
            errno = EINVAL;
        } else {
            str_copy(name, part);
            name[part.len] = '\0';
            if ((mkdirat(fd, name, mode) == 0 && dir_sync(fd) == 0) ||
                errno == EEXIST)
                next = openat(fd, name,
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        saved = errno;
        close(fd);
        errno = saved;
        fd = next;
    }
    if (fd == -1)
        return -1;
    close(fd);
    return 0;
}

int rename_fresh(int from_dir, const char *from, int to_dir, const char *to)
{
    if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
        return 0;
    /* NFS and SMB have no such flag; the target name is random. */
    if (errno == EINVAL || errno == ENOSYS)
        return renameat(from_dir, from, to_dir, to);
    return -1;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/*
 * Calls `step` for everything below at/name, deepest first, then for it.
 * Depth is bounded by the maps' depth of folders; ours are two deep.
 */
static int tree_walk(int at, const char *name, int depth,
                     int (*step)(int at, const char *name, bool is_dir))
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct dirent *d;
    DIR *dir;
    int rc = 0;

    if (fd == -1 && (errno == ENOTDIR || errno == ELOOP))
        return step(at, name, false);
    if (fd == -1)
        return -1;
    if (depth == 0 || !(dir = fdopendir(fd))) {
        close(fd);
        errno = depth == 0 ? ELOOP : errno;
        return -1;
    }
    while (rc == 0 && (d = readdir(dir)))
        if (!is_dots(d->d_name))
            rc = tree_walk(dirfd(dir), d->d_name, depth - 1, step);
    closedir(dir);
    return rc == 0 ? step(at, name, true) : -1;
}

static int remove_one(int at, const char *name, bool is_dir)
{
    if (unlinkat(at, name, is_dir ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
        return 0;
    return -1;
}

int tree_remove(int at, const char *name)
{
    if (tree_walk(at, name, 16, remove_one) == 0 || errno == ENOENT)
        return 0;
    return -1;
}

static int sync_one(int at, const char *name, bool is_dir)
{
    int fd = openat(at, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
                        (is_dir ? O_DIRECTORY : 0));
    int rc, saved;

    if (fd == -1)
        return -1;
    rc = is_dir ? dir_sync(fd) : fsync(fd);
    saved = errno;
    close(fd);
    errno = saved;
    return rc;
}

int tree_sync(int at, const char *name)
{
    return tree_walk(at, name, 16, sync_one);
}

int file_put(int fd, struct str data)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.p, data.len);

        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return -1;
        data = str_from(data, (size_t)n);
    }
    return 0;
}

int content_copy(int from, int to, uint64_t max, struct content *out)
{
    static char block[COPY_BLOCK];
    struct sha256 h;
    int rc = 0;

    out->bytes = 0;
    sha256_init(&h);
    for (;;) {
        ssize_t n = read(from, block, sizeof(block));

        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0) {
            rc = (int)n;
            break;
        }
        out->bytes += (uint64_t)n;
        if (out->bytes > max) {
            errno = EFBIG;
            rc = -1;
            break;
        }
        sha256_add(&h, (struct str){ block, (size_t)n });
        if (to != -1 && file_put(to, (struct str){ block, (size_t)n }) == -1) {
            rc = -1;
            break;
        }
    }
    int saved = errno;
    sha256_end(&h, out->sha256);
    errno = saved;
    return rc;
}

int file_read(int at, const char *name, struct buf *b)
{
    int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = 1;
    int saved;

    if (fd == -1)
        return -1;
    while (n > 0) {
        char *to = buf_room(b, 4096);

        if (!to) {
            errno = EFBIG;
            n = -1;
            break;
        }
        n = read(fd, to, 4096);
        if (n > 0)
            b->len += (size_t)n;
    }
    saved = errno;
    close(fd);
    errno = saved;
    return n == 0 ? 0 : -1;
}

static int write_at(int at, const char *name, struct str text, mode_t mode,
                    int flags, bool sync)
{
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
    int rc, saved;

    if (fd == -1)
        return -1;
    rc = file_put(fd, text) == 0 && (!sync || fsync(fd) == 0) ? 0 : -1;
    saved = errno;
    if (close(fd) == -1 && rc == 0)
        return -1;
    errno = saved;
    return rc;
}

int file_write(int at, const char *name, struct str text, mode_t mode)
{
    return write_at(at, name, text, mode, O_EXCL, true);
}

int file_create(int at, const char *name, struct str text, mode_t mode)
{
    return write_at(at, name, text, mode, O_EXCL, false);
}

int file_append(int at, const char *name, struct str text, mode_t mode)
{
    return write_at(at, name, text, mode, O_APPEND | O_NOFOLLOW, false);
}
