/*
 * files.h - the few things that every step does with files and folders.
 *
 * All of them return 0 or a descriptor, or -1 with errno. Folders of partners
 * are opened one component at a time without following links: a partner who
 * may write into his folder cannot lead us out of it.
 */
#ifndef SPOOL_FILES_H
#define SPOOL_FILES_H

#include <sys/types.h>

#include "converters/base/str.h"
#include "spool/sha256.h"

/* The folder `root` (links allowed: the operator's), then `below` in it
 * (none allowed, no ".."; "" is root itself). */
int dir_open(const char *root, struct str below);
/* The same from an open folder. */
int dir_open_at(int at, struct str below);
/* Makes names in the folder durable. A file system that cannot sync folders
 * (EINVAL) is not an error: its renames are durable or nothing helps. */
int dir_sync(int fd);
/* The same of a folder below `at`. */
int folder_sync(int at, struct str below);
/* mkdir -p below `at`; every new name is synced in its parent. */
int dir_make(int at, const char *path, mode_t mode);
/* A rename that takes no other file's place, where the system can tell. */
int rename_fresh(int from_dir, const char *from, int to_dir, const char *to);
/* Removes a file or a whole tree; what is not there is no error. */
int tree_remove(int at, const char *name);
/* Syncs every file and folder of a tree, deepest first. */
int tree_sync(int at, const char *name);

struct content {
    uint64_t bytes;
    char sha256[HASH_HEX + 1];
};

int file_put(int fd, struct str data);
/* Copies from one descriptor's place to the end; `to` may be -1: only hashes.
 * More than max bytes: EFBIG. */
int content_copy(int from, int to, uint64_t max, struct content *out);
/* A whole regular file, up to b->max bytes (EFBIG). */
int file_read(int at, const char *name, struct buf *b);
/* Creates a new file with this text and syncs it. */
int file_write(int at, const char *name, struct str text, mode_t mode);
/* The same without the sync, for who will sync its folder with all in it. */
int file_create(int at, const char *name, struct str text, mode_t mode);
/* Behind what is there; not synced. */
int file_append(int at, const char *name, struct str text, mode_t mode);

/* "a/b.csv": relative, no empty part, no "." or "..", no control character. */
bool path_is_safe(struct str path);
/* A single part of such a path that we may create: no leading dot. */
bool name_is_safe(struct str name);

#endif
