/*
 * room.h - is there room on the spool's disk for files that wait?
 *
 * The intake stops before the disk is full, so that what was taken can always
 * be converted, delivered and archived.
 */
#ifndef SPOOL_ROOM_H
#define SPOOL_ROOM_H

#include "converters/base/mem.h"

struct room {
    bool enough;
    uint64_t free, needed; /* bytes; when those are enough: files */
    bool of_files;
};

/* bytes: of all that is about to be taken, not of one file. */
struct room room_for(int spool_fd, uint64_t bytes);
/* "12 MB are free, 268 MB are needed" */
struct str room_text(struct arena *a, const struct room *r);

#endif
