/*
 * courier_process.h - the process of a courier: its program, its environment,
 * its descriptors.
 */
#ifndef SPOOL_COURIER_PROCESS_H
#define SPOOL_COURIER_PROCESS_H

#include <sys/types.h>

#include "courier/outcome.h"

/* The partner's name is for those who look at processes. *fd is our end of its
 * socket. -1: f says why there is none. */
int courier_spawn(const char *partner, pid_t *pid, int *fd, struct failure *f);

#endif
