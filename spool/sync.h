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
 * Everything on the file system of fd, which was opened before it was written,
 * is on the disk: 1. 0: that cannot be done, or not now; sync each. -1: it
 * failed, and nothing is known of any file.
 */
int sync_system(int fd);

#endif
