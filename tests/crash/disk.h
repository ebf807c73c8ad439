/*
 * disk.h - a model of a disk: what a tree was, what was done to it, and what
 * of that is left when the power goes.
 *
 * A file system owes us only what was synced: data by fsync of the file, a
 * name by fsync of its folder. Everything else may be there or not, each on
 * its own: data in any part, or as zeros; names of one folder in the order in
 * which they were made. A rename is one thing: it happened or it did not, and
 * it is owed when the folder that it goes into was synced. This is less than
 * ext4 and xfs promise, so whoever survives it survives them.
 */
#ifndef TESTS_CRASH_DISK_H
#define TESTS_CRASH_DISK_H

#include "tests/crash/page.h"

struct bytes {
    unsigned char *p;
    size_t len;
};

struct node {
    uint64_t ino;
    bool is_dir;
    uint32_t mode;
    int64_t mtime_ns; /* of files that were there at first */
    struct bytes data;
};

/* Nodes and names are numbers in what follows. */
struct entry {
    uint32_t dir, name, node;
};

struct step {
    uint64_t call, durable; /* by call `durable` it is owed */
    bool before;            /* done by a run that was killed */
    uint32_t op, mode;
    uint32_t dir, dir2, node, name, name2;
    uint64_t off, len;
    const unsigned char *data;
};

struct disk {
    struct node *nodes; /* node 0 is the root */
    uint32_t n_nodes, cap_nodes;
    char **names;
    uint32_t n_names, cap_names;
    struct entry *entries; /* at first */
    uint32_t n_entries, cap_entries;
    struct step *steps;
    uint32_t n_steps, cap_steps;
    unsigned char *log;
    uint64_t n_calls;
};

/* One state of it. Nodes' data here is owned by the state. */
struct state {
    struct entry *entries;
    uint32_t n_entries, cap_entries;
    struct bytes *data; /* per node */
    uint32_t *modes;
    bool *reached;
    uint64_t hash;
};

/* Reads a real tree; p translates inode numbers. */
void disk_scan(struct disk *d, const char *root, const struct page *p);
/* Another one whose past is that of d up to `call`; d must outlive it. */
void disk_cut(struct disk *to, const struct disk *d, uint64_t call);
/* Adds what a run recorded to what was before. */
void disk_log(struct disk *d, const struct page *p);
void disk_free(struct disk *d);

enum { EVERYTHING = -1 };
/*
 * The state after `call`. choice EVERYTHING: all of it, as after a kill; 0:
 * nothing that is not owed; else a number of a random choice.
 */
void state_make(const struct disk *d, uint64_t call, int64_t choice,
                struct state *s);
/* All that was written into a node so far; the caller frees it. */
struct bytes disk_content(const struct disk *d, uint32_t node, uint64_t call);
void state_free(const struct disk *d, struct state *s);
/* Makes it a real tree in an empty folder; p learns the inode numbers. */
void state_write(const struct disk *d, const struct state *s, const char *root,
                 struct page *p);
/* The node of a path, or -1. */
int64_t state_find(const struct disk *d, const struct state *s,
                   const char *path);

void *must(void *p);
void *grow(void *list, uint32_t n, uint32_t *cap, size_t size);
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct bytes file_bytes(const char *path);
uint64_t mix64(uint64_t x);
uint64_t hash_bytes(uint64_t h, const void *p, size_t n);

#endif
