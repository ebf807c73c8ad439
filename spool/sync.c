/*
 * sync.c - many small files are synced at the price of a few.
 *
 * A sync of a file costs a journal's commit and a flush of the disk's cache,
 * however small it is. syncfs() needs that once for a whole file system; but
 * it waits for everybody's data, which beside a backup can be gigabytes. So it
 * is used where there are several files and little else is to be written;
 * else all of them are started on their way, and synced one by one.
 *
 * Not every file system makes durable with syncfs() what it would with
 * fsync(): a network one may never tell its server, nor FUSE its process. Those
 * that do are listed.
 */
#include "spool/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "converters/base/mem.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* Fewer are synced one by one; more dirty memory belongs to somebody else. */
enum { SEVERAL = 4, LITTLE_KB = 64 * 1024 };

static bool has_syncfs(int fd)
{
    struct statfs s;

    if (fstatfs(fd, &s) == -1)
        return false;
    return s.f_type == EXT4_SUPER_MAGIC || s.f_type == XFS_SUPER_MAGIC ||
           s.f_type == BTRFS_SUPER_MAGIC || s.f_type == TMPFS_MAGIC;
}

/* What all processes have written and the disks have not. */
static bool little_is_dirty(void)
{
    static const char words[][12] = { "\nDirty:", "\nWriteback:" };
    int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    unsigned long kb = 0;
    char text[4096];
    ssize_t len;

    if (fd == -1)
        return false;
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    for (size_t i = 0; i < COUNT(words); i++) {
        const char *at = strstr(text, words[i]);

        if (!at)
            return false;
        kb += strtoul(at + strlen(words[i]), NULL, 10);
    }
    return kb <= LITTLE_KB;
}

/* Those of a device, one by one. */
static void sync_each(struct synced *f, const dev_t *devices, dev_t device,
                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (devices[i] == device)
            (void)sync_file_range(f[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    for (size_t i = 0; i < n; i++)
        if (devices[i] == device)
            f[i].error = fsync(f[i].fd) == 0 ? 0 : errno;
}

int sync_system(int fd)
{
    if (!has_syncfs(fd) || !little_is_dirty())
        return 0;
    return syncfs(fd) == 0 ? 1 : -1;
}

/* Its errors are of anybody's files: each of ours is asked for its own. False:
 * it failed, or is not possible. */
static bool sync_all(struct synced *f, const dev_t *devices, dev_t device,
                     size_t n, int fd)
{
    if (sync_system(fd) != 1)
        return false;
    for (size_t i = 0; i < n; i++)
        if (devices[i] == device &&
            sync_file_range(f[i].fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE) == -1)
            f[i].error = errno;
    return true;
}

static size_t count(const dev_t *devices, dev_t device, size_t n)
{
    size_t same = 0;

    for (size_t i = 0; i < n; i++)
        same += devices[i] == device;
    return same;
}

void sync_files(struct synced *f, size_t n)
{
    dev_t *devices = xcalloc(n + 1, sizeof(*devices));

    for (size_t i = 0; i < n; i++) {
        struct stat st;

        f[i].error = 0;
        devices[i] = fstat(f[i].fd, &st) == 0 ? st.st_dev : 0;
    }
    for (size_t i = 0; i < n; i++) {
        dev_t device = devices[i];

        if (count(devices, device, i))
            continue; /* done with the first of them */
        if (count(devices, device, n) < SEVERAL ||
            !sync_all(f, devices, device, n, f[i].fd))
            sync_each(f, devices, device, n);
    }
    free(devices);
}
