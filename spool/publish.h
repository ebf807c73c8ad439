/*
 * publish.h - files under their final names, complete and once.
 *
 *   READY     write .k<id>.<epoch>.part beside the final name; sync it, and
 *             its folder once for all that are written at a time
 *   RENAMING  (committed, all of them at once) the temporary names are complete
 *             and durable; all that is left is one rename each
 *   DELIVERED (committed, all at once) the final names are durable: each folder
 *             was synced once
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
 * one now (an unmounted disk, an exchanged folder) gives UNCONFIRMED, or what
 * the partner's `unconfirmed` says.
 *
 * A snapshot (`replace`: stock, prices) takes the place of a file of its own
 * name; any other file never does, unless the partner's `exists` says so. If a
 * snapshot that was claimed later has been delivered under that name meanwhile,
 * it becomes SUPERSEDED instead, also when all that is left is its rename.
 *
 * A partner's trigger file comes between the rename and DELIVERED: if we die
 * there, it is written once more while our file lies there.
 */
#ifndef SPOOL_PUBLISH_H
#define SPOOL_PUBLISH_H

#include <sys/types.h>

#include "spool/conf.h"
#include "spool/ledger.h"

struct place_to {
    int dir_fd;                    /* the target folder, open */
    const struct partner *partner; /* whose rules hold; NULL: nobody's */
    mode_t mode;                   /* of the file, e.g. 0660 */
    gid_t group;                   /* (gid_t)-1: as it comes */
    int synced; /* publish()'s own: the errno of its last sync, -1: none yet */
};

/* A file of those that are published together. */
struct publishing {
    struct delivery *d;
    int from_fd; /* the staged file; -1: d is not READY */
    /* Files of one folder have the same one. */
    struct place_to *to;
    /* 0: settled or held, the ledger says how. -1 with ERR_RETRY: the world is
     * in the way, the same call again later; with ERR_HOLD: the staged file is
     * not what was converted. Given as -1, it is left out. */
    int rc;
    struct err e;
    /* publish()'s own. */
    enum { TO_WRITE, WRITTEN, TO_RENAME, RENAMED, SETTLED } step;
    int part_fd;
    bool by_absence;
    struct str folder_id; /* of the folder now */
    char folder_text[48]; /* it, where it is a folder of this machine */
};

/*
 * Brings the deliveries, which are READY or RENAMING, as far as they get; two
 * of them never have the same name in the same folder. One that fails stops no
 * other. -1: the ledger failed.
 */
int publish(struct ledger *l, struct publishing *p, size_t n, struct err *e);

enum { PART_NAME = 64 };
void publish_part_name(const struct delivery *d, char out[PART_NAME]);

/* ---- its steps, for ship.c, whose folders are elsewhere ------------------ */

/* TO_WRITE, TO_RENAME, or SETTLED. -1: the ledger failed. */
int publish_begin(struct ledger *l, const struct partner *partner,
                  struct publishing *p, struct str folder_id, struct err *e);
/* A snapshot that waited until a newer one was there becomes SUPERSEDED. */
int publish_give_way(struct ledger *l, struct delivery *d, struct err *e);
/* Nobody can know whether it arrived: what the partner's rule says. -1: the
 * ledger failed. */
int publish_unconfirmed(struct ledger *l, const struct partner *p,
                        struct delivery *d, const char *why, struct err *e);
/* May it take the place of a file of its name? */
bool publish_replaces(const struct partner *p, const struct delivery *d);
/* It may not: HELD, or READY under a name of its own in `a`. */
int publish_taken(struct ledger *l, const struct partner *p, struct delivery *d,
                  struct arena *a, struct err *e);
/* WRITTEN -> TO_RENAME, RENAMED -> SETTLED; each in one transaction. */
int publish_commit_written(struct ledger *l, struct publishing *p, size_t n,
                           struct err *e);
int publish_commit_renamed(struct ledger *l, struct publishing *p, size_t n,
                           struct err *e);

#endif
