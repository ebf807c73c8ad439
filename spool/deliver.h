/*
 * deliver.h - what deliveries to folders and to servers (ship.h) share.
 */
#ifndef SPOOL_DELIVER_H
#define SPOOL_DELIVER_H

#include "spool/keeper.h"

/* The file that is delivered, wherever it lies by now; -1: ERR_HOLD. */
int deliver_open_source(struct keeper *k, const struct delivery *d,
                        struct err *e);
/* The ledger says why, of it and of all that go to its folder. */
int deliver_waits(struct keeper *k, const struct delivery *d, const char *why,
                  struct err *e);

#endif
