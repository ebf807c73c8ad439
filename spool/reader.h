/*
 * reader.h - the process that touches hostile bytes.
 *
 * It inherits open descriptors and compiled maps, locks itself in (jail.h) and
 * sends frames; it opens nothing. If it dies, the job sees a pipe that ends
 * without END and rejects the file.
 */
#ifndef SPOOL_READER_H
#define SPOOL_READER_H

#include "spool/job.h"
#include "spool/locate.h"

/*
 * Reads all inputs of spec and sends frames to pipe_fd. Runs in the forked
 * child; returns its exit status. spill_fd: an empty file for scattered
 * groups. With `places` it answers those queries and sends nothing else;
 * `scattered` tells that the first reading had to begin again.
 */
enum { READER_NO_MEMORY = 86, READER_NO_JAIL = 88 }; /* exit status */

int reader_main(const struct job_spec *spec, int pipe_fd, int spill_fd,
                const struct locate_list *places, bool scattered);

#endif
