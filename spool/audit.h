/*
 * audit.h - does everything that came in add up, and is the archive what it
 * was? Received is counted from the history, which only grows; states are
 * counted from the jobs:
 *
 *   files    received = done + held + rejected + suppressed + in work
 *   records  in the files = written + set aside + skipped + filtered
 *            (of converted files; a rejected file came back as a whole)
 *   archive  every original and result has the SHA-256 of its row
 */
#ifndef SPOOL_AUDIT_H
#define SPOOL_AUDIT_H

#include "spool/archive_walk.h"

struct audit_route {
    struct str route;
    uint64_t n_received; /* jobs that the history knows */
    uint64_t n[N_RECEIPT_STATES];
    uint64_t n_records, n_written, n_aside, n_skipped, n_filtered;
    uint64_t n_uneven; /* jobs whose records do not add up, */
    uint64_t uneven;   /* and the first of them */
};

/* A line that says what does not add up. */
struct audit_fault {
    uint64_t job; /* 0: of no job */
    struct str text;
    struct audit_fault *next;
};

struct audit {
    /* Given by the caller. */
    struct ledger *ledger;
    int spool_fd;
    struct arena *arena;
    int64_t since; /* only what was taken then or later; 0: all */

    struct audit_route *routes;
    size_t n_routes;
    struct walk_counts archive;
    struct audit_fault *faults, **last;
    uint64_t n_faults; /* the first thousand are listed */
};

int audit(struct audit *x, struct err *e);

/* ledger_audit.c: the numbers of every route, and jobs of the history that
 * are gone. */
int ledger_audit(struct ledger *l, int64_t since, struct arena *a,
                 struct audit_route **out, size_t *n, struct err *e);
int ledger_lost_jobs(struct ledger *l, int64_t since, uint64_t *n,
                     uint64_t *first, struct err *e);

#endif
