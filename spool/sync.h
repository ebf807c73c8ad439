/* sync.h - files that become durable together. */
#ifndef SPOOL_SYNC_H
#define SPOOL_SYNC_H

#include <stddef.h>

struct synced {
    int fd;
    int error; /* 0, or the errno of what went wrong with this file */
};

/*
 * Content and size of all these files are on the disk, or their error is set:
 * such a file has to be written anew, for a second sync says nothing true. The
 * names are the business of their folders.
 */
void sync_files(struct synced *f, size_t n);

/*
 * All that was written to the file system of fd, names too, at the price of one
 * sync. 1: it is on the disk; -1: it failed, errno says why, and nothing of it
 * can be trusted; 0: not with this file system, or not now, for others have
 * much to write: each file must be synced.
 */
int sync_whole(int fd);

#endif
