/*
 * notify.h - what systemd is told: sd_notify(3), "$NOTIFY_SOCKET" and
 * "Algorithm". Without systemd nothing happens.
 */
#ifndef SPOOL_NOTIFY_H
#define SPOOL_NOTIFY_H

#include <stdint.h>

/* "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...". */
void notify(const char *state);
/* Milliseconds between two "WATCHDOG=1" at the most; 0: nobody waits for
 * them ($WATCHDOG_USEC, $WATCHDOG_PID; half of what is allowed). */
int64_t notify_watchdog_ms(void);

#endif
