/* take.h - the commit by which a file becomes ours. */
#ifndef SPOOL_TAKE_H
#define SPOOL_TAKE_H

#include "spool/keeper.h"

/* Does a route take it, by the configuration of now? Else it stays CLAIMED, and
 * a person is told. */
bool take_is_wanted(struct keeper *k, const struct claim *c);
/* CLAIMED -> TAKEN, with a receipt for each route that takes it. Its copy lies
 * durable in in/<id>; c has size and hash of that. */
int take_commit(struct keeper *k, struct claim *c, struct err *e);
/* The file is not ours; nor is a copy of it, made before that was known. */
int take_unclaim(struct keeper *k, const struct claim *c, struct err *e);

#endif
