/*
 * request.h - what a command may ask of the keeper: one table.
 *
 * A command writes a row into the ledger and touches the spool's `wake`; the
 * daemon does it between two passes and writes the answer. Without a daemon
 * the command is the keeper for a moment and does the same. If we die before
 * the answer, the next keeper does it again: each can be done twice.
 */
#ifndef SPOOL_REQUEST_H
#define SPOOL_REQUEST_H

#include "spool/keeper.h"

/* Does what was asked for, in order, and answers. */
int keeper_requests(struct keeper *k, struct err *e);

/*
 * For commands: asks, and waits for the answer; without a keeper beside it,
 * this process is one until it is done, and then works on the job. *ok: it was
 * done; the answer lives in `a`. -1: nothing is known, e says why.
 */
int request_make(struct conf *c,
                 int (*run)(const struct job_spec *, struct job_result *),
                 const char *what, uint64_t job, struct str arg,
                 struct arena *a, bool *ok, struct str *answer, struct err *e);

/*
 * The same for what needs another process to be the keeper. to_the_end: waits
 * as long as that lives, and takes the request back when it does not.
 */
int request_ask(struct conf *c, const char *what, uint64_t job, struct str arg,
                bool to_the_end, struct arena *a, bool *ok, struct str *answer,
                struct err *e);

/* A partner's server can be reached now: if a keeper is at work, he shall not
 * wait until it has rested. Does not wait for him either. */
int request_reach(const struct conf *c, struct str partner, struct arena *a,
                  struct err *e);

#endif
