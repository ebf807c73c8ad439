/*
 * reader.h - the process that touches hostile bytes.
 *
 * It inherits open descriptors and compiled maps, and sends frames; it opens
 * nothing. If it dies, the job sees a pipe that ends without END and rejects
 * the file.
 */
#ifndef SPOOL_READER_H
#define SPOOL_READER_H

#include "spool/job.h"

/*
 * Reads all inputs of spec and sends frames to pipe_fd. Runs in the forked
 * child; returns its exit status. spill_fd: an empty file for scattered
 * groups. run_time is the job's, the same for both processes.
 */
int reader_main(const struct job_spec *spec, int pipe_fd, int spill_fd);

#endif
