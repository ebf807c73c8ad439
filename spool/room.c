#include "spool/room.h"

#include <sys/statvfs.h>

#include "converters/base/limits.h"

/* Of the disk and of its files, this part stays free. */
enum { KEPT_FREE = 20 };

struct room room_for(int spool_fd, uint64_t bytes)
{
    struct room r = { .needed = 2 * bytes + MB(256) };
    struct statvfs v;
    uint64_t kept;

    if (fstatvfs(spool_fd, &v) == -1)
        return r;
    kept = (uint64_t)v.f_blocks * v.f_frsize / KEPT_FREE;
    r.free = (uint64_t)v.f_bavail * v.f_frsize;
    if (r.needed < kept)
        r.needed = kept;
    r.enough = r.free >= r.needed;
    if (r.enough && v.f_favail < v.f_files / KEPT_FREE)
        r = (struct room){ .free = v.f_favail,
                           .needed = v.f_files / KEPT_FREE,
                           .of_files = true };
    return r;
}

struct str room_text(struct arena *a, const struct room *r)
{
    /* What is free is rounded down, what is needed up. */
    if (r->of_files)
        return arena_fmt(a, "%llu files can be made, %llu are needed",
                         (unsigned long long)r->free,
                         (unsigned long long)r->needed);
    return arena_fmt(a, "%llu MB are free, %llu MB are needed",
                     (unsigned long long)(r->free / MB(1)),
                     (unsigned long long)((r->needed + MB(1) - 1) / MB(1)));
}
