/*
 * facts.h - what the rules may ask of the past, and what they learn for the
 * future. The ledger answers and keeps it (spool/facts.c, ledger_facts.c,
 * ledger_learn.c).
 *
 *   a job asks        over its own read-only connection, of one moment; what
 *                     it has learnt itself since counts as well
 *   a job learns      facts wait until the document that they are about is
 *                     written: facts_keep(), else facts_drop(). They go into
 *                     the file `result` beside the outputs
 *   the keeper keeps  all of them, in the transaction that makes the job
 *                     CONVERTED; only if no other job has changed meanwhile
 *                     what this one has asked for, else it runs again. A test
 *                     leaves none
 *
 * If we die before that commit nothing was learnt and nothing was sent; after
 * it both are true. The file goes to the archive with the outputs: a ledger
 * that is lost is made again from them.
 *
 * Who is who: the *sender* is the partner whose file the job has, the
 * *receiver* the partner of the route's first `to`; the *output* is that
 * partner and folder, "pohoda/xml". A *unit* is the partner whose books, or
 * whose shop, a fact is about.
 *
 * A failure of the ledger is sticky: questions then answer "nothing", and
 * facts_failed() tells the job to give up, which is tried again. Texts of
 * answers live in the arena that was given, or until the facts end.
 */
#ifndef TRADE_FACTS_H
#define TRADE_FACTS_H

#include "converters/base/err.h"
#include "converters/base/hash.h"
#include "converters/base/mem.h"

struct facts;

bool facts_failed(const struct facts *f);

/* ---- documents that happen once: orders, invoices, shipments --------------
 */

/* Which one: for whom, from whom, what, its number as the sender has it. */
struct doc_key {
    struct str output, sender, document, number;
};

enum doc_state {
    DOC_CAME, /* it was read, and not sent */
    DOC_SENT,
    DOC_CANCELLED, /* its cancellation was sent */
};

/* What is known of one. */
struct known_doc {
    bool found;
    struct doc_key key;
    enum doc_state state;
    struct str as_number; /* as the receiver knows it: with the prefix */
    struct str action;    /* that was sent last: create, change, cancel */
    uint64_t sent_job;    /* 0: never */
    struct str
        sent_route;    /* of that job; "": this one's, or not known any more */
    struct str values; /* what was sent last, see canon.h; "": not known */
    struct str hash;   /* of values, in hexadecimal */
    struct str came_hash;            /* of the version that was read last */
    struct str came_route;           /* that has read it last */
    uint64_t sent_place, came_place; /* of their files; 0: not known any more */
    int64_t last_at;                 /* when that was */
    struct str reported; /* hash of a version that was told and not sent */
    bool refused; /* the receiver has refused it, and `answer` says why */
    bool known;   /* though refused: he has spoken of it as of one he has */
    struct str answer;
    struct str receiver_number, receiver_id; /* the receiver's own */
    struct str series, invoice; /* of its invoice: it is locked. "": open */
    struct str passed; /* hash of what was last said of it, and passed on */
    struct str rival;  /* facts_doc_as(): another sender's has that number */
};

void facts_doc(struct facts *f, const struct doc_key *key, struct arena *a,
               struct known_doc *out);
/* By the number that the receiver knows it under; the newest of several. */
void facts_doc_as(struct facts *f, struct str unit, struct str document,
                  struct str as_number, struct arena *a, struct known_doc *out);
/* By the number that its sender gave it; of those that were sent to the unit,
 * the newest. */
void facts_doc_of(struct facts *f, struct str unit, struct str sender,
                  struct str document, struct str number, struct arena *a,
                  struct known_doc *out);
/* Of that key, but sent, or read at least, by that route for another folder of
 * the unit. */
void facts_doc_moved(struct facts *f, struct str unit, struct str route,
                     const struct doc_key *key, struct arena *a,
                     struct known_doc *out);
/* By its invoice, in the receiver's books; without its series only if that fits
 * a single one. */
void facts_doc_invoiced(struct facts *f, struct str unit, struct str series,
                        struct str invoice, struct arena *a,
                        struct known_doc *out);
/* Of the job's file: one that was taken later has a larger one. */
uint64_t facts_place(const struct facts *f);
/* All that were sent in the file of that name, to that unit; fn returns false
 * to end it. */
void facts_docs_of_file(struct facts *f, struct str unit, struct str file,
                        bool (*fn)(void *ctx, const struct known_doc *d),
                        void *ctx);

/* What people find it by. */
struct doc_face {
    struct str unit, route; /* the receiver; where it came */
    struct str customer;    /* name, company */
    struct str email;
    struct str date;   /* of the document */
    uint32_t line;     /* where it begins in the input; 0: not known */
    struct str member; /* "orders.zip/july.csv", or the file itself */
};

/*
 * It was read: learnt of every document, sent or not, when there is news of it:
 * it is new, its hash is another one, or it was not seen for a day.
 */
bool facts_is_news(const struct facts *f, const struct known_doc *was,
                   struct str hash);
void facts_came(struct facts *f, const struct doc_key *key,
                const struct doc_face *face, struct str hash);
/* And the next file of this process is to compare with it; of a document that
 * was known before, and is another version now. */
void facts_seen(struct facts *f, const struct doc_key *key, struct str hash);
/* files: those outputs of the job that have it, see struct trade. */
void facts_sent(struct facts *f, const struct doc_key *key,
                struct str as_number, struct str action, struct str values,
                struct str files);
/* A change that is not sent was told to people: once. */
void facts_reported(struct facts *f, const struct doc_key *key, struct str hash,
                    struct str text);

/* What a receiver has answered; empty texts say nothing new. */
struct doc_answer {
    bool given, ok; /* accepted or refused; `given` false: nothing said of it */
    struct str text;
    struct str number, id; /* the receiver's own */
    struct str status, carrier, tracking;
    struct str series, invoice; /* was made: locked from now on; */
    bool invoice_cancelled;     /* or it was cancelled: open again */
};
void facts_answered(struct facts *f, const struct doc_key *key,
                    const struct doc_answer *answer);
/* What was said of it was passed on. */
void facts_passed(struct facts *f, const struct doc_key *key, struct str hash);
/* It was refused, and is not wanted any more: nobody has to see to it. */
void facts_withdrawn(struct facts *f, const struct doc_key *key,
                     struct str text);
/* A line of its story that changes nothing; none if it says what the last one
 * says. */
void facts_story(struct facts *f, const struct doc_key *key, struct str what,
                 struct str text, struct str files);

/* ---- reservations ---------------------------------------------------------
 */

/* Of a sent document, replacing those of its version before; they count from
 * facts_sent() on until it is invoiced or cancelled. */
void facts_reserve(struct facts *f, const struct doc_key *key, struct str unit,
                   struct str sku, struct str warehouse, struct str quantity);
/* All that count now, of a unit, in no order. */
void facts_reserved(struct facts *f, struct str unit,
                    void (*fn)(void *ctx, struct str sku, struct str warehouse,
                               struct str quantity),
                    void *ctx);

/* ---- what a partner has in his books, or in his shop ----------------------
 */

enum card_kind {
    CARD_CUSTOMER,
    CARD_PRODUCT,
    CARD_PAYMENT,
    CARD_SHIPPING,
    N_CARD_KINDS
};
extern const char *const card_kind_names[N_CARD_KINDS];

/* A card by one of its keys: "sku:TRI-001", "email:a@b.cz". */
struct card {
    bool found;
    struct str code; /* its main key there: the sku, the customer's code */
    struct str name;
    bool hidden;       /* we have hidden it, and nobody has published it */
    uint64_t wait_job; /* the job whose delivery brings it there; 0: is there */
    bool fresh;        /* learnt of this file, or of one before it in the job */
};

void facts_card(struct facts *f, struct str unit, enum card_kind kind,
                struct str key, struct arena *a, struct card *out);
/* All cards of a kind, once, before many are asked for: a pass in place of as
 * many questions. */
void facts_load_cards(struct facts *f, struct str unit, enum card_kind kind);
/* by_us: this job sends it. Else its owner has shown it. */
void facts_learn_card(struct facts *f, struct str unit, enum card_kind kind,
                      struct str key, const struct card *card, bool by_us);
/* This job's documents wait until those cards were delivered. */
void facts_wait_for(struct facts *f, uint64_t job);

/* ---- what a receiver got of stock, prices, cards --------------------------
 */

/*
 * A table of (key text, hash of what was sent), sorted by the hash of the key;
 * see got.h for its bytes. There is one for each output and source, which is a
 * name of the rule's. `waiting` are those of jobs that are not DONE: nobody
 * knows whether the receiver has them.
 */
struct got_tables {
    struct str delivered;
    struct str *waiting;
    size_t n_waiting;
};
void facts_got(struct facts *f, struct str output, struct str source,
               struct arena *a, struct got_tables *out);
/* What this job adds; it counts when the job is DONE, see got_merge(). */
void facts_learn_got(struct facts *f, struct str output, struct str source,
                     struct str table);
/* Both are such tables: what newer has takes the place of what older has. Also
 * the keeper's, in the commit that makes the job DONE. -1: newer is none. */
int got_merge(struct str older, struct str newer, struct buf *out);
enum { GOT_EMPTY = 16 }; /* the bytes of a table without entries */
/* Hashes that stay the same between jobs; the key is the ledger's own. */
struct hash128 facts_hash(const struct facts *f, struct str s);
/* The same as 32 hexadecimal digits. */
struct str facts_hash_text(const struct facts *f, struct str s,
                           struct arena *a);

/* ---- for one document -----------------------------------------------------
 */

/* What was learnt since the last of both: it counts, or it is forgotten. seq
 * is the document's number in the run. */
void facts_keep(struct facts *f, uint64_t seq);
void facts_drop(struct facts *f);
/* Was that document of this read map set aside after it had been kept? */
bool facts_was_set_aside(struct facts *f, uint64_t seq);

#endif
