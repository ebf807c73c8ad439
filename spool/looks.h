/*
 * looks.h - files of shared folders have to look the same twice.
 *
 * On a network file system nobody can say whether another machine still writes
 * to a file. There, a file is complete when its size and its time, as the
 * server tells them, were the same ten seconds ago. The daemon remembers what
 * it saw; `kervan once` has no memory and goes by the time of the last change.
 */
#ifndef SPOOL_LOOKS_H
#define SPOOL_LOOKS_H

#include "spool/scan.h"

struct look;

struct looks {
    struct arena arenas[2]; /* of the last look, and of this one */
    struct look *last, *now;
    int turn;
};

/* A new look at all inboxes begins. */
void looks_begin(struct looks *l);
/* Remembers f; has it been the same for long enough? */
bool looks_are_same(struct looks *l, const struct inbox *in,
                    const struct found *f);
void looks_release(struct looks *l);

#endif
