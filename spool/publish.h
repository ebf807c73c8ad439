/*
 * publish.h - a file under its final name, complete and once.
 *
 *   READY     write .k<id>.<epoch>.part beside the final name, sync it and
 *             its folder
 *   RENAMING  (committed) the temporary name is complete and durable; all that
 *             is left is one rename
 *   DELIVERED (committed) the final name is durable
 *
 * If we die in READY, a leftover of the temporary name may lie there; nobody
 * but this delivery uses that name, so the next try removes it and writes
 * again. If we die in RENAMING, both names tell what happened:
 *
 *   temp   final        meaning                        then
 *   yes    no           not renamed yet                rename
 *   no     yes, ours    renamed                        DELIVERED
 *   no     no           renamed, and taken since       DELIVERED (by_absence)
 *   yes    yes, ours    linked, not yet unlinked       unlink temp, DELIVERED
 *   yes    yes, other   somebody else's file           HELD: the name is taken
 *   no     yes, other   renamed, taken, another came   DELIVERED (by_absence)
 *
 * Only our rename removes our temporary name, so its absence is proof; but
 * only in the very folder that it was written in. A folder that is another
 * one now (an unmounted disk, an exchanged folder) gives UNCONFIRMED.
 *
 * A snapshot (`replace`: stock, prices) takes the place of a file of its own
 * name; any other file never does. If a file that was claimed later has been
 * delivered under that name meanwhile, it becomes SUPERSEDED instead, also when
 * all that is left is its rename.
 */
#ifndef SPOOL_PUBLISH_H
#define SPOOL_PUBLISH_H

#include <sys/types.h>

#include "spool/ledger.h"

struct place_to {
    int dir_fd;  /* the target folder, open */
    mode_t mode; /* of the file, e.g. 0660 */
    gid_t group; /* (gid_t)-1: as it comes */
};

/*
 * Brings d, which is READY or RENAMING, as far as it gets; from_fd is the
 * staged file (READY only, else -1). 0: settled or held, the ledger says how.
 * -1 with ERR_RETRY: the world is in the way, the same call again later.
 */
int publish(struct ledger *l, struct delivery *d, int from_fd,
            const struct place_to *to, struct err *e);

enum { PART_NAME = 64 };
void publish_part_name(const struct delivery *d, char out[PART_NAME]);

#endif
