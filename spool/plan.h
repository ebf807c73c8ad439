/*
 * plan.h - which deliveries the result of a job becomes: its outputs to their
 * receivers, reports and what was set aside to the sender.
 *
 * The job is not believed: every file is looked at again in its staging folder.
 */
#ifndef SPOOL_PLAN_H
#define SPOOL_PLAN_H

#include "spool/keeper.h"
#include "spool/result.h"

struct deliveries {
    struct delivery *list; /* free() */
    size_t n, cap;
};

/* dir: the staging folder. Texts live in k->item. -1: e says what is wrong. */
int plan_output(struct keeper *k, const struct route *route, int dir,
                const struct result_output *o, struct deliveries *ds,
                struct err *e);
int plan_return(struct keeper *k, const struct route *route,
                const struct receipt *r, int dir, const struct result *res,
                struct deliveries *ds, struct err *e);

#endif
