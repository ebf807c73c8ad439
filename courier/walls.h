/*
 * walls.h - the walls around the process that speaks to a partner's server.
 *
 * Whoever takes it over from there finds: the line to that server, the wire to
 * the keeper, who believes nothing of it, the agent if the partner's keys are
 * in one, and the files that the keeper sends down the wire. No path, no other
 * descriptor, no new socket, no program, no process, no environment. They are
 * the walls of spool/jail.h with a longer list of calls, which is in walls.c;
 * memory is bounded, too.
 *
 * A call that is not listed ends the process with JAIL_BROKEN; before that the
 * wire gets a DONE with tag 0 that names it: LOST, and the number of
 * the call. Under the address sanitizer there are no walls.
 */
#ifndef COURIER_WALLS_H
#define COURIER_WALLS_H

#include "courier/outcome.h"
#include "courier/stream.h"

/* For good; after stream_prepare(), before stream_open(). -1: LOCAL, and the
 * process must not go on. */
int walls_up(const struct stream *s, int wire_fd, struct failure *f);

#endif
