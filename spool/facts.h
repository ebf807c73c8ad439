/*
 * facts.h - a job's end of converters/trade/facts.h: it asks the ledger, and
 * writes what it learns into the file `result` of its staging folder.
 *
 *   facts_open()   once a process, after fork(): one moment of the ledger
 *   facts_begin()  a file begins
 *   facts_enter()  a read map of the route is at work on it
 *   facts_reset()  which begins anew
 *   facts_end()    what was learnt of the file is complete, or nobody's
 *
 * Files of one process see what those before them have learnt; what a file
 * that was rejected has learnt is forgotten again.
 */
#ifndef SPOOL_FACTS_H
#define SPOOL_FACTS_H

#include "converters/trade/facts.h"
#include "spool/ledger.h"

/* A ledger that cannot be opened makes facts_failed(). */
struct facts *facts_open(const char *ledger_path, int64_t now);
void facts_begin(struct facts *f, const char *staging, uint64_t job);
void facts_enter(struct facts *f, unsigned read);
void facts_reset(struct facts *f);
/* A document that was kept was set aside after all. */
void facts_set_aside(struct facts *f, uint64_t seq);
/* false: e says why the file could not be written. */
bool facts_end(struct facts *f, bool keep, struct err *e);
/* Was something of the last file set aside after it had been kept? Others may
 * have counted on it. */
bool facts_took_back(const struct facts *f);
/* Why facts_failed(). */
const struct err *facts_error(const struct facts *f);
void facts_close(struct facts *f);

/*
 * Facts that a job decides by belong to a scope, whose version grows with each
 * commit that changes one of them: documents that a sender has sent to an
 * output, cards of a kind in a partner's books, what an output got of a source.
 */
struct str scope_of_docs(struct arena *a, struct str output, struct str sender);
struct str scope_of_cards(struct arena *a, struct str unit, struct str kind);
struct str scope_of_got(struct arena *a, struct str output, struct str source);

/* ---- the keeper's (ledger_facts.c, _learn.c)
 * ---------------------------------------
 */

/* Are the facts that these files' jobs have asked for still as they were? */
int ledger_facts_stand(struct ledger *l, struct str file, bool *yes,
                       struct err *e);
/* In the commit that makes the receipt CONVERTED. file: whole, or empty. */
int ledger_learn(struct ledger *l, const struct receipt *r, struct str file,
                 struct err *e);
/* In the commit that makes it DONE: what waited counts. */
int ledger_got(struct ledger *l, const struct receipt *r, struct err *e);
/* What it has delivered is delivered once more, over what came later: nobody
 * knows any longer what those receivers have. */
int ledger_forget_got(struct ledger *l, const struct receipt *r, struct err *e);

/* Questions. */
int ledger_scope(struct ledger *l, struct str name, uint64_t *version,
                 struct err *e);
/* Of the job's file in the order of claims; 0: it is not kept any more. */
int ledger_place(struct ledger *l, uint64_t job, uint64_t *place,
                 struct err *e);
int ledger_doc(struct ledger *l, const struct doc_key *key, struct arena *a,
               struct known_doc *out, struct err *e);
int ledger_doc_as(struct ledger *l, struct str unit, struct str document,
                  struct str as_number, struct arena *a, struct known_doc *out,
                  struct err *e);
int ledger_doc_of(struct ledger *l, struct str unit, struct str sender,
                  struct str document, struct str number, struct arena *a,
                  struct known_doc *out, struct err *e);
int ledger_doc_moved(struct ledger *l, struct str unit, struct str route,
                     const struct doc_key *key, struct arena *a,
                     struct known_doc *out, struct err *e);
int ledger_doc_invoiced(struct ledger *l, struct str unit, struct str series,
                        struct str invoice, struct arena *a,
                        struct known_doc *out, struct err *e);
int ledger_docs_of_file(struct ledger *l, struct str unit, struct str file,
                        struct arena *a, struct known_doc **out, size_t *n,
                        struct err *e);
int ledger_reserved(struct ledger *l, struct str unit,
                    void (*fn)(void *ctx, struct str sku, struct str warehouse,
                               struct str quantity),
                    void *ctx, struct err *e);
int ledger_card(struct ledger *l, struct str unit, enum card_kind kind,
                struct str key, struct arena *a, struct card *out,
                struct err *e);
/* Are there more than `max` keys? */
int ledger_many_cards(struct ledger *l, struct str unit, enum card_kind kind,
                      uint64_t max, bool *more, struct err *e);
int ledger_cards(struct ledger *l, struct str unit, enum card_kind kind,
                 void (*fn)(void *ctx, struct str key, const struct card *c),
                 void *ctx, struct arena *a, struct err *e);
int ledger_got_tables(struct ledger *l, struct str output, struct str document,
                      struct arena *a, struct got_tables *out, struct err *e);

#endif
