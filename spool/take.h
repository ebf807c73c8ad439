/* take.h - the commit by which a file becomes ours. */
#ifndef SPOOL_TAKE_H
#define SPOOL_TAKE_H

#include "spool/keeper.h"

/* CLAIMED -> TAKEN, with a receipt for each route that takes it. Its copy lies
 * durable in in/<id>; c has size and hash of that. */
int take_commit(struct keeper *k, struct claim *c, struct err *e);

#endif
