/*
 * flow.h - a flow is a folder with a configuration, files, and what is done
 * with them; a worker is a place in memory where it runs.
 *
 * In the folder, `flow` has these lines:
 *
 *   use FILE           is copied beside the configuration
 *   folder PATH        is there at first
 *   outbox PATH        a receiver looks in here; `new`: the program makes it
 *   before FILE PATH   dropped and brought through before
 *   drop FILE PATH     is to be brought through; the first is the oldest
 *   fresh              the spool does not exist yet
 *   again              the same file once more would be suppressed
 *   any-order          an error may change which of two snapshots is last
 *   pairs              a second kill strikes its recovery
 *   expect STATE N     so many receipts end like that
 *   result PATH N      so many files arrive there
 *
 * FILE is relative to the folder, or below samples/.
 */
#ifndef TESTS_CRASH_FLOW_H
#define TESTS_CRASH_FLOW_H

#include "tests/crash/disk.h"

enum { MAX_LINES = 24, FROZEN = 1767225600 };

/* Does the receiver take files at once, or after the run? */
enum receiver { LATER, AT_ONCE, N_RECEIVERS };

struct file {
    char path[PATH_SIZE];
    uint32_t mode;
    struct bytes data;
};

/* Files of a tree, sorted by path; NULL data: only its name counts. */
struct listing {
    struct file *files;
    uint32_t n, cap;
};

struct drop {
    char from[PATH_SIZE], to[PATH_SIZE];
};

struct flow {
    char name[64], folder[PATH_SIZE];
    char folders[MAX_LINES][64];
    char uses[MAX_LINES][64];
    char outboxes[MAX_OUTBOXES][64];
    bool outbox_new[MAX_OUTBOXES];
    struct drop before[MAX_LINES], drops[MAX_LINES];
    uint32_t n_folders, n_outboxes, n_before, n_drops, n_expects;
    uint32_t n_uses;
    struct {
        bool is_files;
        char what[64];
        unsigned n;
    } expects[MAX_LINES];
    bool fresh, again, pairs, any_order;

    /* From the undisturbed run, per receiver. */
    struct disk disk[N_RECEIVERS];
    uint8_t *op_of_call[N_RECEIVERS];
    uint32_t outbox_nodes[N_RECEIVERS][MAX_OUTBOXES];
    struct listing tree[N_RECEIVERS], taken[N_RECEIVERS];
    struct listing finals[N_RECEIVERS]; /* all that was ever delivered */
    uint32_t n_old[N_RECEIVERS];        /* the first of them lay there */
    char *ledger[N_RECEIVERS];
    char run_prefix[8]; /* how all run ids of that second begin */
};

struct worker {
    const char *program, *shim, *repo;
    bool daemon;
    const char *command;
    char place[PATH_SIZE]; /* a folder in memory */
    char root[PATH_SIZE], taken[PATH_SIZE], output[PATH_SIZE];
    struct page *page;
    pid_t server;
    int order_fd, answer_fd;
    bool keep; /* leave what is wrong for a person */
};

void flow_load(struct flow *f, const char *folder);
/* Runs it undisturbed and keeps what happened; dies if that is wrong. */
void flow_record(struct flow *f, enum receiver r, struct worker *w);

void worker_start(struct worker *w, const char *place);
void worker_end(struct worker *w);
/* An empty root with this state in it; the page knows its outboxes. */
void worker_lay(struct worker *w, const struct flow *f, const struct disk *d,
                const struct state *s);
/* What is to happen is set in the page between these two. */
void worker_ready(struct worker *w, enum receiver r, uint64_t seed);
struct answer worker_run(struct worker *w);
void worker_drop(struct worker *w, const struct flow *f);

void tree_clear(const char *root);
void make_folders(const char *root, const char *path);

#endif
