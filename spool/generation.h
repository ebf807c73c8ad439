/*
 * generation.h - the file `generation`: which ledger belongs to the spool.
 *
 * A ledger that was lost or restored from an old copy knows less than the
 * spool has done; going on would send a day of orders again. So the spool
 * names its ledger and how far it was.
 */
#ifndef SPOOL_GENERATION_H
#define SPOOL_GENERATION_H

#include "spool/ledger.h"

/* l NULL: there is none. 0: it is the spool's; 1: the spool knows of none
 * yet; -1: e says what is wrong. */
int generation_check(int spool_fd, const char *spool, struct ledger *l,
                     struct arena *a, struct err *e);
int generation_write(int spool_fd, const char *spool, const struct ledger *l,
                     uint64_t last_job, struct err *e);
/* The newest job; 0: there is none. */
int generation_last_job(struct ledger *l, struct arena *a, uint64_t *job,
                        struct err *e);

#endif
