#include "spool/room.h"

static uint64_t times(uint64_t a, uint64_t b)
{
    return a && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

static uint64_t percent(uint64_t n, uint64_t of)
{
    return times(of / 100, n) + of % 100 * (n < 100 ? n : 100) / 100;
}

/* What the files will need, or the part of the disk that stays free. */
static void ask_bytes(struct room *r, uint64_t disk, uint64_t bytes,
                      const uint64_t *max)
{
    uint64_t files = times(max[LIMIT_FREE_TIMES], bytes);
    uint64_t kept = percent(max[LIMIT_FREE_DISK], disk);

    r->needed = plus(files, max[LIMIT_FREE_BYTES]);
    r->limit =
        files > max[LIMIT_FREE_BYTES] ? LIMIT_FREE_TIMES : LIMIT_FREE_BYTES;
    if (r->needed < kept) {
        r->needed = kept;
        r->limit = LIMIT_FREE_DISK;
    }
    r->enough = r->free >= r->needed;
}

struct room room_on(const struct statvfs *disk, uint64_t bytes,
                    const struct limits *l)
{
    uint64_t files = percent(l->v[LIMIT_FREE_FILES], disk->f_files);
    struct room r = { .free = (uint64_t)disk->f_bavail * disk->f_frsize };

    ask_bytes(&r, (uint64_t)disk->f_blocks * disk->f_frsize, bytes, l->v);
    if (r.enough && disk->f_favail < files)
        r = (struct room){ .free = disk->f_favail,
                           .needed = files,
                           .of_files = true,
                           .limit = LIMIT_FREE_FILES };
    return r;
}

struct room room_for(int spool_fd, uint64_t bytes, const struct limits *l)
{
    struct statvfs disk = { 0 };

    /* A disk that cannot be asked has no room. */
    (void)fstatvfs(spool_fd, &disk);
    return room_on(&disk, bytes, l);
}

struct str room_text(struct arena *a, const struct room *r,
                     const struct limits *l)
{
    uint64_t unit = r->of_files ? 1 : MB(1);
    const char *what = r->of_files ? "files can be made" : "MB are free";
    struct str value = limit_text(a, l, r->limit);

    /* What is free is rounded down, what is needed up. */
    return arena_fmt(
        a, "%llu %s, %llu%s are needed (limit %s of %.*s)",
        (unsigned long long)(r->free / unit), what,
        (unsigned long long)(r->needed / unit + (r->needed % unit != 0)),
        r->of_files ? "" : " MB", limit_table[r->limit].name, STR_ARGS(value));
}
