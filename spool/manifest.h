/*
 * manifest.h - what a job leaves beside its results, so that a ledger can be
 * made again from the archive (spool/adopt.c).
 *
 *   out/<receipt>/manifest   written before the commit of CONVERTED or
 *                            REJECTED; moves with its folder
 *   archive/2027/01/15/17/manifest   lies there when, and only when, job 17
 *                            has ended and all its deliveries are settled
 *
 * A word and its tab-separated values a line, closed by "end". Ids, times and
 * hashes are those of the rows. A job that was SUPPRESSED has no results; its
 * folder with the manifest is made when it is archived.
 */
#ifndef SPOOL_MANIFEST_H
#define SPOOL_MANIFEST_H

#include "spool/job.h"
#include "spool/ledger.h"

#define MANIFEST_FILE "manifest"

struct manifest {
    struct claim claim; /* its name is the one for people */
    struct receipt receipt;
    uint64_t first_job; /* of the claim: the archived original's name has it */
    struct delivery *deliveries;
    size_t n;
    struct job_counter *counters; /* what receipt.counters points to */
};

/* Into the folder; one that is there is replaced. It is not synced. */
int manifest_write(int dir_fd, const struct manifest *m, struct err *e);
/* The same for a job that the ledger knows; state and times as in r. */
int manifest_leave(struct ledger *l, int dir_fd, const struct receipt *r,
                   const struct delivery *d, size_t n, struct err *e);
/* false: there is none, or it is not complete. */
bool manifest_read(int dir_fd, struct arena *a, struct manifest *out);

#endif
