/*
 * adopt.h - a ledger that is missing, or older than its spool, is matched with
 * what the jobs left behind, so that nothing of the lost days is sent again.
 *
 *   what is there                       the job becomes
 *   archive/DAY/N/manifest              what it says: DONE, REJECTED,
 *                                       SUPPRESSED; nothing of it was open
 *   out/<receipt>/manifest              HELD, its deliveries UNCONFIRMED: they
 *                                       may have been made; a rejected one
 *                                       stays REJECTED
 *   a row of the ledger, on its way     the same
 *   a row that is TAKEN, in/<claim>     stays TAKEN: it has no result yet, so
 *                                       nothing was delivered
 *   the same in a restored backup       HELD: the result may be lost with the
 *                                       spool that the backup was made of
 *   in/<claim> of a row that is         its place in the archive: it was taken
 *   ARCHIVED                            out for a job that is lost
 *   in/<claim> without a row            archive/lost/<claim>; the sender's file
 *                                       goes back to the inbox at the next
 *                                       start, under a name that no run takes
 *
 * Numbers of jobs and counters of maps go on above all that are found; what
 * commands had asked and nobody had answered is forgotten. All of it is one
 * transaction, and then the spool's `generation` is written; if we die before
 * that, the same command does it again.
 */
#ifndef SPOOL_ADOPT_H
#define SPOOL_ADOPT_H

#include "spool/keeper.h"

/* In a backup, when it is whole; spool/backup.h. */
#define COMPLETE_FILE "complete"

struct adopt_line {
    uint64_t job; /* 0: of no job */
    struct str text;
    struct adopt_line *next;
};

struct adopted {
    bool was_fine; /* the ledger is that of the spool: nothing was done */
    uint64_t n_archived, n_held, n_others;
    struct adopt_line *lines, **last; /* live in the keeper's arena `kept` */
    uint64_t last_job;                /* the highest of them */
};

/* k holds the lock (keeper_reserve()); opens the ledger, or makes one. */
int adopt(struct keeper *k, struct adopted *out, struct err *e);

/* ---- ledger_adopt.c: rows as they are found, whatever was there ---------- */

/* path NULL: it is TAKEN, else ARCHIVED there. */
int ledger_adopt_claim(struct ledger *l, const struct claim *c,
                       const char *path, struct err *e);
/* The row of the job becomes r; a line of history says so. */
int ledger_adopt_job(struct ledger *l, const struct receipt *r,
                     const char *note, struct err *e);
/* One that the ledger knows as DELIVERED or SUPERSEDED stays it. */
int ledger_adopt_delivery(struct ledger *l, uint64_t job,
                          const struct delivery *d, enum delivery_state state,
                          int64_t at, const char *why, struct err *e);
/* Of an open job: what was on its way may have arrived. */
int ledger_adopt_unknown(struct ledger *l, uint64_t job, const char *why,
                         struct err *e);
/* At least that. */
int ledger_adopt_counter(struct ledger *l, struct str name, uint64_t value,
                         struct err *e);
/* Open requests end; with `claims`, files that were only claimed are nobody's
 * any more. */
int ledger_adopt_clean(struct ledger *l, bool claims, struct err *e);

#endif
