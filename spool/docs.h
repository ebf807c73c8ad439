/*
 * docs.h - documents that happen once, for people: what `find`, `show order`,
 * `send` and `status` ask the ledger about (ledger_docs.c).
 */
#ifndef SPOOL_DOCS_H
#define SPOOL_DOCS_H

#include "spool/facts.h"

/* A row of the table `doc`. An answer to an order that nobody has sent is one
 * of no output. */
struct found_doc {
    uint64_t n; /* of its row */
    struct known_doc is;
    struct str unit, route;
    struct str customer, email, date;
    struct str status, carrier, tracking; /* as its receiver said */
    uint64_t first_job, last_job;
    uint32_t line;
    struct str member;
    struct str
        unsent; /* how it has changed, and was not sent; "": it has not */
};

/* Columns of a document that everybody reads, behind `SELECT ` or others. */
#define KNOWN_DOC                                                            \
    "output,sender,document,number,state,as_number,action,sent_job,refused," \
    "answer,receiver_number,receiver_id,series,invoice,last_at"
enum { N_KNOWN_DOC = 15 };
struct rows;
/* Of the row, whose column `first` is the first of these. */
struct known_doc ledger_known_doc(const struct rows *r, int first,
                                  struct arena *a);

/* What to look for. Empty texts ask for any. */
struct doc_search {
    struct str document, number; /* as its sender or its receiver knows it */
    struct str place;            /* its route, its sender or its receiver */
    bool waits; /* for a person: it was refused, or has changed and not sent */
    unsigned last; /* only that many, the newest; 0: all */
};

/* A line of its story; of what was delivered there is none, see deliveries.
 * Behind the text of what was sent or went on stand the outputs of the job that
 * have it (delivery.path), each with a tab before it. */
struct doc_event {
    int64_t at;
    uint64_t job;
    struct str what, text;
};

/* In the order in which they came, those that were refused the last sent first;
 * of a number an answer to an order that nobody has sent only if there is no
 * such order. */
int ledger_docs(struct ledger *l, const struct doc_search *q, struct arena *a,
                struct found_doc **out, size_t *n, struct err *e);
/*
 * All, those that came last first, until fn returns false; the row and its
 * texts are gone when it returns.
 */
int ledger_each_doc(struct ledger *l,
                    bool (*fn)(void *ctx, const struct found_doc *d), void *ctx,
                    struct err *e);
int ledger_doc_story(struct ledger *l, uint64_t doc, struct arena *a,
                     struct doc_event **out, size_t *n, struct err *e);
/* How many wait for a person. */
int ledger_count_waiting_docs(struct ledger *l, uint64_t *n, struct err *e);

/* ---- changes by hand ------------------------------------------------------
 */

/* A person has seen to a document that waits for him. */
int ledger_settle_doc(struct ledger *l, const struct found_doc *d,
                      struct err *e);
/* Another job for a file that was taken before; in/<claim> is there. Sets its
 * number. */
int ledger_take_more(struct ledger *l, const struct claim *c, struct receipt *r,
                     struct err *e);
/* The job of that file, route and wish that has not ended; 0: none. */
int ledger_more_open(struct ledger *l, const struct receipt *r, uint64_t *job,
                     struct err *e);

#endif
