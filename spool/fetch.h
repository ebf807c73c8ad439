/*
 * fetch.h - files that partners leave on their servers.
 *
 *   listing    fetch_list.c   LIST of a folder, when it is time; what is in it
 *                             is compared with `seen` in the ledger, and goes
 *                             to keeper_look() like an inbox
 *   CLAIMED    claim.c        the row, as of any file
 *              fetch.c        RENAME to .claim/<id>, where that is allowed;
 *                             FETCH into tmp/<id>; synced, named in/<id>
 *   TAKEN      fetch.c        commit, with the name that is left there
 *              fetch_left.c   REMOVE it, or RENAME to the partner's folder of
 *                             fetched files; commit that nothing is left
 *   ARCHIVED   archive.c      only then
 *
 *   if we die          then
 *   before CLAIMED     the file lies where it lay
 *   CLAIMED            RENAME says TAKEN: it was done; FETCH from .claim/
 *   TAKEN              REMOVE again: the name in .claim/ is nobody else's
 *
 * Where a server lets nobody rename, the file is fetched where it lies, if it
 * is still of the size and time that were listed, and removed under the same
 * condition. Where it cannot be removed either, and with `after fetch keep`,
 * its name, size and time are remembered as long as they are listed, and for
 * 30 days: that file is not taken again. Nothing is ever told by the order of
 * times: a file may appear with an old one.
 *
 * A claim whose partner has no server in the configuration any more, or that no
 * route takes, stays as it is until they are back; a person is told.
 *
 * A listing counts if it is complete. A file is complete when it has looked
 * the same since a listing that is `rest` seconds old; times are the server's,
 * and compared with nothing else.
 */
#ifndef SPOOL_FETCH_H
#define SPOOL_FETCH_H

#include "spool/keeper.h"

/* Asks for listings that are due, and brings claims and what was left as far
 * as the answers allow. */
int keeper_fetch(struct keeper *k, struct err *e);
/* Something is asked, or will be without anybody ringing. */
bool fetch_busy(const struct keeper *k);
/* Milliseconds until a listing is due; -1: none is. */
int64_t fetch_timeout(const struct keeper *k);
/* The couriers have ended. */
void fetch_end(struct keeper *k);

/* Files of his that the route takes, CLAIMED and not ours yet; those that could
 * not be fetched, and rest for a while, do not count. */
int fetch_any_claimed(struct keeper *k, const struct partner *p,
                      const struct route *r, bool *any, struct err *e);

/* ---- fetch_list.c -------------------------------------------------------- */

/* What the last listing has, each once; as scan_inbox(). listed: one was looked
 * at that was asked for after the last slot of its routes began. -1: the
 * ledger failed. */
int fetch_look(struct keeper *k, const struct inbox *in, struct found **out,
               size_t *n, bool *listed, struct err *e);
void fetch_lists(struct keeper *k);

/* ---- fetch.c: hauls ------------------------------------------------------ */

bool fetch_hauls(const struct keeper *k);
void fetch_drop_hauls(struct keeper *k);

#endif
