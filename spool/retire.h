/*
 * retire.h - what was kept long enough goes: files of the archive, and with
 * them all that the ledger knows of their jobs.
 *
 *                                       if we die before it
 *   1  commit: the claims have expired   they are kept some time more
 *   2  unlink the originals; move the    again: what is gone is gone. From 1 on
 *      jobs' folders to tmp/ and remove  nobody misses a file, and no command
 *      them there                        touches the job
 *   3  sync the folders of their days,   again
 *      and tmp/
 *   4  commit: their rows are gone       again
 *
 * Files go before rows: a row that is still there finds its files, but nobody
 * would ever find files without one. A folder moves as a whole, so that no
 * ledger is made again from a half of it (spool/adopt.h).
 *
 * A file stays as long as any of its routes wants it; nothing goes that is at
 * work, or is the last of a route that is DONE: a snapshot that was put off
 * has to find the newer one (ledger_newer()).
 */
#ifndef SPOOL_RETIRE_H
#define SPOOL_RETIRE_H

#include "spool/keeper.h"

/*
 * One small step: a page of files. *more: there is more to do now; else all
 * routes were looked at, and an hour later is soon enough.
 */
int keeper_retire(struct keeper *k, bool *more, struct err *e);

/* ---- ledger_retire.c ----------------------------------------------------- */

/* The routes of all jobs, by name; NULL behind the last. */
int ledger_next_route(struct ledger *l, struct str after, struct arena *a,
                      struct str *out, struct err *e);
/* The n-th from the newest of the route's jobs that are DONE; 0: there are
 * fewer. */
int ledger_nth_done(struct ledger *l, struct str route, uint32_t n,
                    uint64_t *job, struct err *e);
/* Step 1, one claim. */
int ledger_expire(struct ledger *l, const char *claim, struct err *e);
/* Step 4, one claim. */
int ledger_forget(struct ledger *l, const char *claim, struct err *e);
/* History that is of no job, and requests that were answered. */
int ledger_forget_old(struct ledger *l, int64_t before, unsigned max,
                      struct err *e);
/* In ledger_ask.c: claims that have expired; and jobs of a route that have
 * ended, in order, later than `after`. */
int ledger_expired(struct ledger *l, unsigned max, struct arena *a,
                   struct claim **out, size_t *n, struct err *e);
int ledger_ended(struct ledger *l, struct str route, uint64_t after,
                 unsigned max, struct arena *a, struct receipt **out, size_t *n,
                 struct err *e);

#endif
