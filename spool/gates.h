/*
 * gates.h - which routes may take files now, and whose jobs may start.
 *
 *   no schedule       always open
 *   every, at, after  open when a slot is due, until all files that waited
 *                     are taken; then closed, and the slot is noted: if we
 *                     die before, it runs again, and takes what waits
 *   by hand           open when somebody asks for it: the ledger has it, until
 *                     all files that waited are taken
 *
 * A file that several routes take is claimed by the first that is open; the
 * jobs of the others stay TAKEN until their own slot (route->upto).
 */
#ifndef SPOOL_GATES_H
#define SPOOL_GATES_H

#include "spool/keeper.h"

/* As the ledger has the schedules. */
int gates_begin(struct keeper *k, struct err *e);
/* Without schedules: opens what a person has started. */
int gates_started(struct keeper *k, struct err *e);
/* Opens what is due. *opened: look into the inboxes. */
int gates_open(struct keeper *k, bool *opened, struct err *e);
/* After a look and its claims: closes those that took all that waited. */
int gates_close(struct keeper *k, struct err *e);
/* A slot now, whatever the schedule says. */
void gates_ask(struct route *r);
/* Is there something for the route that is not complete, or not here yet? */
int gates_wait_for_files(struct keeper *k, const struct route *r, bool *yes,
                         struct err *e);
/* Seconds until the next slot; -1: none can be told. */
int64_t gates_wait(const struct keeper *k);

#endif
