/*
 * closed.h - places that could not be used rest for a while: 5 seconds,
 * doubled up to 15 minutes. What goes there waits; others do not.
 *
 * A place is a folder that is delivered to, or a file on a server that could
 * not be fetched. It is forgotten when it could be used, or when nobody has
 * tried for an hour.
 */
#ifndef SPOOL_CLOSED_H
#define SPOOL_CLOSED_H

#include "spool/keeper.h"

bool place_is_closed(const struct keeper *k, struct str partner,
                     struct str place);
/* Once more, and for longer; how often that was, since it could be used. */
uint64_t place_close(struct keeper *k, struct str partner, struct str place);
/* It could be used: the next failure is the first one. */
void place_reopen(struct keeper *k, struct str partner, struct str place);
/* The keeper ends. */
void places_forget(struct keeper *k);
/* A person says that all of them can be used. */
void places_open(struct keeper *k);
/* Milliseconds until one opens; -1: none is closed. */
int64_t places_timeout(const struct keeper *k);

#endif
