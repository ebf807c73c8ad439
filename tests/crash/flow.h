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
 *   late FILE PATH     dropped when the daemon has nothing more to do
 *   fresh              the spool does not exist yet
 *   again              the same file once more would be suppressed
 *   pairs              a second kill strikes its recovery
 *   stays              only for the daemon
 *   ends               only for `kervan once`
 *   unchanged          the command changes nothing
 *   backup PATH        is whole whenever there is a file `complete` in it
 *   expect STATE N     so many receipts end like that
 *   result PATH N      so many files arrive there
 *
 * What people do, in their order, after `before`:
 *
 *   command WORDS      gets into trouble, instead of a keeper; what stands
 *                      behind it is done after it, or after its recovery,
 *                      in which the person repeats it
 *   run WORDS          a command that nothing happens to
 *   ask WHAT JOB ARG   a command asks the next keeper; - for no ARG
 *   put FILE PATH      drops a file
 *   lose PATH          removes a file or a folder
 *   move PATH PATH     gives it another name
 *
 * FILE is relative to the folder, or below samples/. Without `command`, a flow
 * is brought through twice: by `kervan once` and, as run.NAME, by the daemon.
 */
#ifndef TESTS_CRASH_FLOW_H
#define TESTS_CRASH_FLOW_H

#include "tests/crash/disk.h"

enum { MAX_LINES = 24, MAX_ENDS = 3, FROZEN = 1767225600 };

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

struct action {
    enum { RUN, ASK, PUT, LOSE, MOVE } what;
    char a[PATH_SIZE], b[64], c[64];
};

/* What is there when all is done. */
struct end {
    struct listing tree, taken;
    char *ledger;
};

struct flow {
    char name[64], folder[PATH_SIZE];
    char command[64];
    bool by_hand; /* the command is a person's, not a keeper's */
    bool stays;   /* the keeper is the daemon */
    bool only_daemon, only_once, unchanged;
    struct action actions[MAX_LINES];
    uint32_t n_actions, n_prepare; /* the first of them, before the command */
    char backup[64];
    char folders[MAX_LINES][64];
    char uses[MAX_LINES][64];
    char outboxes[MAX_OUTBOXES][64];
    bool outbox_new[MAX_OUTBOXES];
    struct drop before[MAX_LINES], drops[MAX_LINES], late[MAX_LATE];
    uint32_t n_folders, n_outboxes, n_before, n_drops, n_late, n_expects;
    uint32_t n_uses;
    struct {
        bool is_files;
        char what[64];
        unsigned n;
    } expects[MAX_LINES];
    bool fresh, again, pairs;

    /* From the undisturbed run, per receiver. */
    struct disk disk[N_RECEIVERS];
    uint8_t *op_of_call[N_RECEIVERS];
    uint32_t outbox_nodes[N_RECEIVERS][MAX_OUTBOXES];
    /* Right after it; and at the end, when a person repeats the command so
     * often. */
    struct end after[N_RECEIVERS], ends[N_RECEIVERS][MAX_ENDS];
    uint32_t n_ends;
    /* The backup at first, and after the command; if there is one. */
    struct end wholes[N_RECEIVERS][2];
    struct listing finals[N_RECEIVERS]; /* all that was ever delivered */
    uint32_t n_old[N_RECEIVERS];        /* the first of them lay there */
    char run_prefix[8]; /* how all run ids of that second begin */
};

struct worker {
    const char *program, *shim, *repo;
    const char *command;
    bool stays;
    char place[PATH_SIZE]; /* a folder in memory */
    char root[PATH_SIZE], taken[PATH_SIZE], output[PATH_SIZE];
    struct page *page;
    pid_t server;
    int order_fd, answer_fd;
    bool keep; /* leave what is wrong for a person */
};

void flow_load(struct flow *f, const char *folder);
/* The same flow, brought through by the daemon. */
void flow_by_daemon(struct flow *f);
/* Runs it undisturbed and keeps what happened; dies if that is wrong. */
void flow_record(struct flow *f, enum receiver r, struct worker *w);
/* What is done behind the command; false: a command failed, see `a`. */
bool flow_go_on(const struct flow *f, enum receiver r, struct worker *w,
                uint64_t seed, struct answer *a);

void worker_start(struct worker *w, const char *place);
void worker_end(struct worker *w);
/* An empty root with this state in it; the page knows its outboxes. */
void worker_lay(struct worker *w, const struct flow *f, const struct disk *d,
                const struct state *s);
/* What is to happen is set in the page between these two. */
void worker_ready(struct worker *w, enum receiver r, uint64_t seed);
struct answer worker_run(struct worker *w);
void worker_drop(struct worker *w, const struct flow *f);
/* What nobody has dropped yet, for a keeper who does not stay. */
void worker_drop_late(struct worker *w);
/* Another command of the same program. */
struct worker worker_with(const struct worker *w, const char *command);
void worker_drop_file(const struct worker *w, const char *from, const char *to,
                      int64_t age);

void tree_clear(const char *root);
void make_folders(const char *root, const char *path);

#endif
