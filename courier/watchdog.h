/*
 * watchdog.h - an end to what a library does with a server that never ends.
 *
 * libssh2 and libssh wait with limits of their own, but read an endless banner
 * for ever, and give a server that drips a byte at a time as many seconds
 * again. So an alarm shuts the socket down, whatever the library is doing: its
 * next read finds the end, and it comes back with an error. One that does not
 * come back even then is ended with the process: WATCHDOG_STUCK is the exit
 * status.
 *
 * There is one watchdog in a process. Behind the walls its handler cannot be
 * put up any more: watchdog_ready() first.
 */
#ifndef COURIER_WATCHDOG_H
#define COURIER_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

enum { WATCHDOG_STUCK = 88 /* exit status */, WATCHDOG_GRACE_S = 10 };

void watchdog_ready(void);
/* fd: a socket; -1: nothing to shut down. 0 seconds: one. */
void watchdog_start(int fd, uint32_t seconds);
/* Did it bark? */
bool watchdog_stop(void);

#endif
