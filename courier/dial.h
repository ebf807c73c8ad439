/*
 * dial.h - a TCP connection, or one to a socket of this machine.
 */
#ifndef COURIER_DIAL_H
#define COURIER_DIAL_H

#include "courier/stream.h"

/* Resolves and connects over all addresses of the host within l->connect_s;
 * s->fd, non-blocking, and the address and time of s->line are set. -1:
 * NO_ANSWER. What resolves names has limits of its own: a few seconds. */
int dial(struct stream *s, const struct login *l, struct failure *f);
/* The socket of that path. -1: errno. */
int dial_local(const char *path);

uint64_t now_ms(void);

#endif
