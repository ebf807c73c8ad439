/*
 * generation.h - does this ledger belong to this spool, and is it the newest?
 *
 * A ledger that was lost, or restored from an old copy, knows less than the
 * spool has done; going on would send a day of orders again. So the spool
 * says in its file `generation` which ledger it has and how far that was:
 *
 *   ID JOB EVENT           the ledger's name, its last job and line of history
 *   ID JOB EVENT backup T  the same, in a copy that `kervan backup` made
 *
 * The file is written after the commits that it speaks of: a ledger that is
 * further than its spool says is as it should be.
 */
#ifndef SPOOL_GENERATION_H
#define SPOOL_GENERATION_H

#include "spool/ledger.h"

#define GENERATION_FILE "generation"
/* It is there, and no ledger is. */
#define GENERATION_GONE                                                  \
    "the ledger is gone: bring back state/ledger.db, or make a new one " \
    "from the archive: `kervan adopt`"

struct generation {
    bool is_there;
    char id[ID_HEX + 1];
    uint64_t job, event;
    int64_t backup_at; /* 0: this is no copy */
};

/* Of a spool; none there: 0, and is_there is false. */
int generation_read(int spool_fd, struct generation *out, struct err *e);
/* Of a ledger, as it is now. */
int generation_of(struct ledger *l, struct generation *out, struct err *e);
/* Into a spool, or what is to become one: written aside, synced, renamed. */
int generation_write(int dir_fd, const struct generation *g, struct err *e);
/* -1 with ERR_STOP: this ledger must not go on with this spool. */
int generation_check(int spool_fd, struct ledger *l, struct err *e);

#endif
