/*
 * convert_child.h - the child that conversions happen in (spool/convert.c).
 *
 * For one file after the other it runs the job once for every read map of the
 * route and writes the outputs, the report and `result` into the file's
 * staging folder; then it exits. It dies with the keeper and holds none of its
 * descriptors: not the ledger, not the lock.
 *
 * Several files share a reader (struct job_reader), unless the route reads
 * each more than once: then two readers would move the place in one open file.
 * When that reader fails, or a conversion does, so does the whole child: the
 * keeper has each file converted alone.
 */
#ifndef SPOOL_CONVERT_CHILD_H
#define SPOOL_CONVERT_CHILD_H

#include <sys/types.h>

#include "spool/keeper.h"
#include "spool/result.h"

struct child {
    struct keeper *k;
    const struct running *job;
    int in_fds[JOB_FILES]; /* its originals */
    /* Counters of the route's maps: before, and after each run. */
    struct job_counter *counters;
    size_t n_counters;
    struct arena all; /* what all files share */
    struct job_reader reader;
    struct facts *facts; /* NULL: no rule asks */

    /* Of the file at hand. */
    const struct receipt *receipt;
    const char *staging;
    struct arena arena;
    struct result result;
    struct buf report; /* its messages */
    uint64_t n_mixed;
    size_t cap_outputs;
    uint64_t n_output_bytes;
};

/* Times the limits of a reader that a whole job may take: it may need a
 * second reader, and it writes. */
enum { JOB_TIMES = 4 };
uint64_t child_times(const struct route *route);

/* To be called right after fork(). Never returns. */
_Noreturn void child_become(struct child *c, pid_t keeper);

#endif
