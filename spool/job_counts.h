/*
 * job_counts.h - counter("name") of write maps while a job runs.
 *
 * A document that is taken back gives its numbers back, and a run that begins
 * again begins with the numbers it was given: no number is used twice, none is
 * lost. The keeper stores the last ones with the CONVERTED commit.
 */
#ifndef SPOOL_JOB_COUNTS_H
#define SPOOL_JOB_COUNTS_H

#include "spool/job.h"

struct job_counts {
    struct job_counter *now, *before; /* before: at the last mark */
    size_t n, n_before, cap;
};

int64_t job_counts_next(struct job_counts *c, struct arena *a, struct str name);
void job_counts_mark(struct job_counts *c);
void job_counts_back(struct job_counts *c); /* to the mark */
void job_counts_reset(struct job_counts *c, struct arena *a,
                      const struct job_counter *from, size_t n);
void job_counts_collect(const struct job_counts *c, struct job_result *out);
void job_counts_release(struct job_counts *c);

#endif
