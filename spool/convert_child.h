/*
 * convert_child.h - the child that a conversion happens in (spool/convert.c).
 *
 * It runs the job once for every read map of the route, writes the outputs,
 * the report and `result` into its staging folder, and exits. It dies with
 * the keeper and holds none of its descriptors: not the ledger, not the lock.
 */
#ifndef SPOOL_CONVERT_CHILD_H
#define SPOOL_CONVERT_CHILD_H

#include <sys/types.h>

#include "spool/keeper.h"
#include "spool/result.h"

struct child {
    struct keeper *k;
    const struct route *route;
    const struct receipt *receipt;
    const char *staging;
    int in_fd;
    struct arena arena;
    struct result result;
    struct buf report; /* its messages */
    uint64_t n_mixed;
    size_t cap_outputs;
    uint64_t n_output_bytes;
    /* Counters of the route's maps: before, and after each run. */
    struct job_counter *counters;
    size_t n_counters;
};

/* Times the limits of a reader that a whole job may take: it may need a
 * second reader, and it writes. */
enum { JOB_TIMES = 4 };
uint64_t child_times(const struct route *route);

/* To be called right after fork(). Never returns. */
_Noreturn void child_become(struct child *c, pid_t keeper);

#endif
