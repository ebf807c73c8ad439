/*
 * partner.h - into a partner's folder, if it is the right one.
 *
 * A share that is not mounted looks like an empty folder, and would swallow
 * what is delivered. With `mounted FOLDER` in the configuration, nothing of
 * the partner is read or written unless a file system is mounted there.
 */
#ifndef SPOOL_PARTNER_H
#define SPOOL_PARTNER_H

#include "spool/conf.h"

/* The folder `below` the partner's, open; -1: e says why (ERR_RETRY). */
int partner_open(const struct partner *p, struct str below, struct err *e);
/* Is the folder at the top of a file system? */
bool is_mounted(const char *folder);

#endif
