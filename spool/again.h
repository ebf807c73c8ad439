/*
 * again.h - a file that was taken before is converted once more, in a job of
 * its own: one document of it because a person has asked for it, or all of it
 * because the receiver is to get everything.
 *
 *   1  archive/2026/01/31/17-orders.csv -> in/<id>, if it is there already
 *   2  commit: its claim is TAKEN, with one more receipt
 *
 * The results of its other jobs stay where they are. If we die after 1, the
 * request is asked again, and finds the file in in/.
 */
#ifndef SPOOL_AGAIN_H
#define SPOOL_AGAIN_H

#include "spool/docs.h"
#include "spool/keeper.h"

/* Of the file of an earlier job on that route: as `only` and `full` say.
 * *job: the new one, or the same that is on its way. -1: e, for people, unless
 * it is ERR_STOP. */
int again_take(struct keeper *k, const struct receipt *old, struct str only,
               bool full, uint64_t *job, struct err *e);

/*
 * The document that a request is about: "DOCUMENT\tNUMBER\tPLACE". *out NULL:
 * there is none, or there are several, and *why says so.
 */
int again_find(struct keeper *k, struct str arg, const char *command,
               struct found_doc **out, struct str *why, struct err *e);
/* "order 2026041001" */
struct str again_name(struct arena *a, const struct found_doc *d);

/* Routes that are to send everything (`start --full`), and for which nothing
 * waits: the last file of each that was DONE. */
int keeper_full(struct keeper *k, struct err *e);

#endif
