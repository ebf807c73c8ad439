/*
 * keeper.h - the process that answers for every file, from inbox to archive.
 *
 *   inbox/x.csv --claim--> inbox/.claim/<id> --copy--> in/<id>      TAKEN
 *   in/<id> --job--> tmp/<id>.<n>/ --rename--> out/<id>/            CONVERTED
 *   out/<id>/0/x.xml --publish--> the receiver's folder             DELIVERED
 *   in/<id>, out/<id>/ --rename--> archive/2026/01/31/17-x.csv, 17/ ARCHIVED
 *
 * It holds the lock of the spool and the ledger, decides, syncs, renames and
 * commits; it parses nothing that a partner wrote. Conversion happens in a
 * child (spool/convert.c), which dies with it and holds none of its files.
 *
 * Starting is the recovery: a run begins by sweeping tmp/ and doing with
 * every row what its state asks for, with the functions that would have done
 * it without the crash. Running a step twice leaves what once leaves.
 *
 *   spool/lock             held while a keeper is at work
 *   spool/state/ledger.db  the ledger; spool/generation names it
 *   spool/tmp/             begun and not committed: swept at the start
 *   spool/in/  out/        originals and results of open files
 *   spool/test/ROUTE/PARTNER/  what a route with `mode test` delivers
 *   spool/archive/         originals (N-NAME), results and manifests (N/)
 */
#ifndef SPOOL_KEEPER_H
#define SPOOL_KEEPER_H

#include "spool/conf.h"
#include "spool/couriers.h"
#include "spool/job.h"
#include "spool/jobs.h"
#include "spool/ledger.h"
#include "spool/looks.h"

/* A job that fails for reasons outside the file is tried so often. */
enum { MAX_TRIES = 5 };

/* The daemon takes so many files of a route before they are converted; more
 * wait in the inbox, where they cost nothing and their sender sees them. */
enum { BACKLOG = 256 };

/* Files that a step does together: they are synced one behind the other, their
 * folders once, and one transaction commits all of them. A large one that dies
 * with us would be copied again for the sake of small ones. */
enum { TOGETHER_FILES = 64, TOGETHER_BYTES = 16 << 20 };

/* In an inbox: files that are ours, under the ids of their claims. */
#define CLAIM_FOLDER ".claim"

/* Something in the way that a person may want to know, one line each. */
struct trouble {
    struct str text;
    struct trouble *next;
};

struct keeper {
    /* Given by the caller. */
    struct conf *conf; /* with maps loaded, without mistakes */
    int (*run)(const struct job_spec *spec, struct job_result *out);
    const char *const *only; /* names of routes; NULL: all but `by hand` */
    size_t n_only;
    size_t batch;      /* files of a round; 0: the usual number */
    uint64_t patience; /* seconds for a job beside its limits; 0: as usual */
    bool stays;        /* the daemon: tries again when it is time */

    /* Open while it works. */
    struct ledger *ledger;
    int spool_fd, lock_fd;
    struct jobs jobs; /* conversions at work */
    struct couriers couriers;
    struct shipment *shipments; /* deliveries that couriers have */
    struct remote_inbox *remote_inboxes;
    struct haul *hauls; /* files that couriers fetch, or remove */
    bool ring;          /* look into the inboxes: a server was listed */
    /* Memory of a run does not grow with the number of its files. */
    struct arena arena;  /* of the step at hand: lists of rows */
    struct arena item;   /* of the file, or job, that a step is busy with */
    struct arena looked; /* of the last look into the inboxes */
    struct arena kept;   /* of the run */
    struct arena told;   /* of the run, too: what is to be told */
    struct closed *closed;

    /* What the run found, for the caller. */
    bool is_busy; /* another keeper is at work: nothing was done */
    int64_t began_at;
    uint64_t first_job;  /* the first one that this run may have taken */
    uint64_t first_open; /* the oldest that was open when it began */
    uint64_t last_job;   /* the newest when it ended */
    uint64_t marked;     /* 1 + the last event that the spool knows of */
    uint64_t *tried;     /* jobs whose try failed in this run */
    size_t n_tried, cap_tried;
    uint64_t n_taken, n_aside_records, n_put_back, n_done;
    uint64_t n_delivered; /* files, of which others may have waited */
    uint64_t n_requests;  /* that were answered */
    bool started;         /* one of them opened a route */
    bool machine_failed;  /* disk, memory: try again later */
    bool again;           /* there is more to do now: work once more */
    bool twins;           /* files wait for jobs that have the same content */
    struct trouble *troubles, **last_trouble;
    struct retiring {
        struct arena arena; /* of the name */
        struct str route;   /* "": from the first one on */
        uint64_t after;     /* its jobs up to this one were looked at */
    } retiring;
    struct looks looks;      /* at shared folders, before */
    struct waiting *waiting; /* seen at the last look, not claimed yet */
    bool unready_soon;       /* some of them will be complete in a moment */
};

/*
 * Takes what waits, converts, delivers, archives, and returns. 0 (also when
 * files were rejected or wait); -1: it had to stop, e says why. Close it
 * after both; the ledger stays open for questions until then.
 */
int keeper_once(struct keeper *k, struct err *e);
void keeper_close(struct keeper *k);

/* ---- for the daemon, which does the same step by step ------------------- */

/* Spool, lock, ledger; then what a crash may have left. is_busy: not opened. */
int keeper_open(struct keeper *k, struct err *e);
/* Only the lock of a spool that is there; no ledger, and nothing changes. */
int keeper_reserve(struct keeper *k, struct err *e);
/* Every row as far as it gets; if it looks, also what waits in the inboxes of
 * the routes that are open. */
int keeper_work(struct keeper *k, bool looks, struct err *e);
/* Runs one step and forgets its rows. */
int keeper_step(struct keeper *k, int (*run)(struct keeper *k, struct err *e),
                struct err *e);
/* The newest job; 0: there is none. */
int keeper_last_job(struct keeper *k, uint64_t *job, struct err *e);
/* Notes in the spool how far its ledger is. */
int keeper_mark(struct keeper *k, struct err *e);

/* ---- its steps, one file each ------------------------------------------- */

/*
 * claim.c: looks into the inboxes; then claims up to `max` of the files that
 * were complete, *n says how many. What comes later waits for the next look.
 */
int keeper_look(struct keeper *k, struct err *e);
/* Counts what the routes have taken and not converted. */
int keeper_count(struct keeper *k, struct err *e);
int keeper_claim(struct keeper *k, size_t max, size_t *n, struct err *e);
/* take.c: CLAIMED -> TAKEN */
int keeper_take(struct keeper *k, struct err *e);
/* Before another try: if the sender has written on meanwhile and nothing of
 * the claim was converted yet, r is of the file as it is now. */
int keeper_take_rest(struct keeper *k, struct receipt *r, struct err *e);
/* unclaimed.c: files in .claim/ that the ledger does not know. */
int keeper_sweep_claimed(struct keeper *k, struct err *e);
/* convert.c: jobs for TAKEN receipts, as many as there is room for; and what
 * those that have ended leave: CONVERTED, REJECTED, HELD, or TAKEN still. */
int keeper_start(struct keeper *k, struct err *e);
int keeper_settle(struct keeper *k, struct err *e);
/* TAKEN, but its route is gone from the configuration: says so. */
int keeper_orphans(struct keeper *k, struct err *e);
int keeper_deliver(struct keeper *k, struct err *e);
/* Until a job ends, or what a courier says allows a step: then `again`. For at
 * most so long. */
void keeper_wait(struct keeper *k, int64_t ms);
int keeper_archive(struct keeper *k, struct err *e);
/* archive.c: "2026/01/31", where an archived claim lies. */
struct str archive_day(const struct claim *c);
/* The original of an archived claim comes back to in/, and the job's results
 * go (0: of no job); done twice, it is done. */
int archive_take_back(struct keeper *k, const struct claim *c, uint64_t job,
                      struct err *e);

/* May one of that size go with the n of so many bytes? Then it counts. */
bool keeper_together(size_t n, uint64_t *bytes, uint64_t size);

void keeper_trouble(struct keeper *k, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Seconds until what failed so often is tried again: 5, doubled up to 15
 * minutes, a fifth more or less. */
int64_t keeper_back_off(uint64_t n_tries);
/* Where the ledger of a spool lies. */
char *keeper_ledger_path(struct arena *a, const struct conf *conf);

#endif
