/* ledger_inside.h - what the ledger's own files share. */
#ifndef SPOOL_LEDGER_INSIDE_H
#define SPOOL_LEDGER_INSIDE_H

#include "spool/ledger.h"

struct ledger {
    struct db *db;
    char generation[ID_HEX + 1];
};

extern const char *const out_kind_names[N_OUT_KINDS];

/* Ends what db_begin() began: all of it happened, or nothing. */
int ledger_settle(struct ledger *l, int rc, struct err *e);

/* The row of a document, by its key. */
#define THE_DOC " WHERE output=?1 AND sender=?2 AND document=?3 AND number=?4"

/* The place of a job's file in the order of claims. */
#define SEQ_OF_JOB(job)                                                \
    "(SELECT c.seq FROM receipt x JOIN claim c ON c.id=x.claim WHERE " \
    "x.job=" job ")"

/* Room for the n-th row, and more, of a growing array in an arena: its older
 * copies are forgotten with it. */
void *ledger_room(struct arena *a, void *rows, size_t n, size_t size);

/* TAKEN, of a claim that is; gives it its number. */
int ledger_add_receipt(struct ledger *l, const struct claim *c,
                       struct receipt *r, struct err *e);
/* READY, of the job. */
int ledger_add_delivery(struct ledger *l, uint64_t job,
                        const struct delivery *d, struct err *e);

#endif
