/*
 * backup.h - a copy of the spool from which it can be brought back.
 *
 *   1  DIR/new/{state,in,out,generation}  by the keeper, between two passes:
 *                                         all of one moment
 *   2  DIR/archive/                       by the command: what is not there yet
 *   3  DIR/complete is removed; state/ in/ out/ generation take the place of
 *      the last ones; DIR/complete is written aside, synced, renamed
 *
 * If we die before 3, the last backup is still whole; in 3, there is none
 * until the next one: `complete` says so, and `kervan adopt` looks for it.
 * The archive in it may be further than the ledger; adopt takes that as well.
 *
 * DIR looks like a spool. Its `generation` says that it is a backup: a start
 * on it is refused until `kervan adopt` has found out what may have happened
 * since.
 */
#ifndef SPOOL_BACKUP_H
#define SPOOL_BACKUP_H

#include "spool/keeper.h"

struct backup_counts {
    uint64_t n_copied, n_kept, bytes; /* of files; bytes that were copied */
};

/* May DIR, which is absolute, become a backup, or is it one? */
int backup_check(const struct conf *c, const char *dir, struct err *e);
/* Step 1; the spool is ours. */
int backup_stage(struct ledger *l, int spool_fd, const char *dir,
                 struct err *e);
/* Step 2. */
int backup_archive(int spool_fd, int dir_fd, struct backup_counts *n,
                   struct err *e);
/* Step 3. */
int backup_finish(int dir_fd, bool with_archive, const struct backup_counts *n,
                  struct err *e);

#endif
