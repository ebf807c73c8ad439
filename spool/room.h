/*
 * room.h - is there room on the spool's disk for files that wait?
 *
 * The intake stops before the disk is full, so that what was taken can always
 * be converted, delivered and archived.
 */
#ifndef SPOOL_ROOM_H
#define SPOOL_ROOM_H

#include <sys/statvfs.h>

#include "converters/base/limits.h"
#include "converters/base/mem.h"

struct room {
    bool enough;
    uint64_t free, needed; /* bytes; when those are enough: files */
    bool of_files;
    enum limit_id limit; /* that asks for so much */
};

/* bytes: of all that is about to be taken, not of one file. */
struct room room_for(int spool_fd, uint64_t bytes, const struct limits *l);
/* The same for a disk as statvfs(3) describes it. */
struct room room_on(const struct statvfs *disk, uint64_t bytes,
                    const struct limits *l);
/* "12 MB are free, 268 MB are needed (limit free-bytes of 268435456 bytes)" */
struct str room_text(struct arena *a, const struct room *r,
                     const struct limits *l);

#endif
