/* job_result.h - the words for a result: of each fault, and of the whole. */
#ifndef SPOOL_JOB_RESULT_H
#define SPOOL_JOB_RESULT_H

#include "spool/job.h"

/* Fills in the outcome of every listed fault, and result->summary;
 * only_learns: there is no write map. */
void job_result_conclude(struct job_result *o, const struct level *level,
                         bool only_learns);

#endif
