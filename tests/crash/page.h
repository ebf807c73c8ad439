/*
 * page.h - what the driver and all processes of a run share.
 *
 * The driver makes a file, maps it, and names it in the environment; shim.so
 * maps it too, in the program and whatever that forks. The driver writes what
 * is to happen before a run and reads what happened after it.
 */
#ifndef TESTS_CRASH_PAGE_H
#define TESTS_CRASH_PAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Names in the environment of the program under test. */
#define PAGE_ENV "KERVAN_CRASH_PAGE"
/* Where the server in shim.so gets its orders, and where it answers. */
enum { ORDER_FD = 200, ANSWER_FD = 201 };

enum { NAME_SIZE = 256, PATH_SIZE = 512 };
enum { MAX_OUTBOXES = 16, MAX_INODES = 4096, MAX_ARGS = 8, MAX_LATE = 4 };
enum { LOG_SIZE = 48 * 1024 * 1024 };

/* What a mutating call did. Files and folders are told apart by inode. */
enum op {
    OP_CREATE, /* dir/name is the new file ino */
    OP_MKDIR,
    OP_LINK,   /* dir2/name2 names ino too */
    OP_RENAME, /* dir/name, which is ino, is dir2/name2 now */
    OP_UNLINK,
    OP_RMDIR,
    OP_WRITE, /* len bytes at off, they follow the record */
    OP_SIZE,  /* truncated or extended to len */
    OP_MODE,
    OP_SYNC, /* file or folder ino is durable */
    OP_SYNC_ALL,
    OP_TAKE,  /* the receiver took dir/name */
    OP_DROP,  /* a sender gave dir/name, which is ino, the name dir2/name2 */
    OP_OTHER, /* something that the model of the disk does not know */
    N_OPS
};

struct record {
    uint64_t call; /* number of the call that did it */
    uint32_t op, mode;
    uint64_t dir, dir2, ino;
    uint64_t off, len;
    char name[NAME_SIZE], name2[NAME_SIZE];
};

enum act { ACT_NONE, ACT_KILL, ACT_ASK, ACT_ERROR, ACT_SHORT };
enum moment { BEFORE, TORN, AFTER };
enum whom { WHOM_ALL, WHOM_KEEPER, WHOM_ASKED };

/* A folder whose files a receiver takes; it may not be there yet. */
struct outbox {
    uint64_t ino, parent;
    char name[64];
};

/* A file that a sender drops when a daemon has nothing more to do. */
struct late {
    char from[PATH_SIZE], to[PATH_SIZE];
};

struct page {
    pthread_mutex_t lock; /* robust: its holder may be killed */

    /* From the driver. */
    uint32_t act, moment, whom;
    int error;
    bool forever;
    uint64_t at; /* number of the call that it happens to */
    bool record;
    uint64_t seed;
    bool take; /* the receiver takes files at once, into `taken` */
    char taken[PATH_SIZE];
    uint32_t n_outboxes;
    struct outbox outboxes[MAX_OUTBOXES];
    bool stays; /* a daemon: it is asked to end when all is done */
    uint32_t n_late;
    struct late late[MAX_LATE];
    /* A tree that stands for another one shows the other's inode numbers. */
    uint32_t n_inodes;
    struct {
        uint64_t real, shown;
    } inodes[MAX_INODES];

    /* From the run. */
    pid_t keeper;
    uint64_t calls;
    bool happened; /* call `at` was reached */
    bool dead;     /* all were killed: who still lives must not go on */
    bool keeper_dead;
    uint64_t n_random, n_taken;
    uint64_t log_used;
    unsigned char log[LOG_SIZE];
};

/* Driver to server: run the program in this folder. */
struct order {
    char folder[PATH_SIZE], output[PATH_SIZE];
    uint32_t argc;
    char argv[MAX_ARGS][64];
};

struct answer {
    int status;         /* of the keeper, as waitpid() has it */
    int n_orphans;      /* processes that outlived it by two seconds */
    uint64_t calls_end; /* mutating calls when the keeper was seen dead */
};

#endif
