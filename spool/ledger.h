/*
 * ledger.h - what happened to every file: the one truth about states.
 *
 *   claim      CLAIMED ----> TAKEN ----> ARCHIVED ----> row gone: its keep
 *                 |                                      time is over
 *                 '-> row gone: the file went back to the inbox
 *
 *   receipt    TAKEN ----> CONVERTED ----> DONE
 *                |  ^          |  ^ '------'  resend
 *                |  '- retry   '--'- HELD     a delivery waits for a person
 *                +--> HELD         we must act: our program or setup failed
 *                +--> REJECTED     the sender must: the file is wrong
 *                '--> SUPPRESSED   the same content was DONE before
 *              HELD, REJECTED ----> TAKEN     retry, release
 *              HELD ----> SUPPRESSED          settle: it arrived another way
 *
 *   delivery   READY ----> RENAMING ----> DELIVERED
 *                ^  |       | |  '------> UNCONFIRMED ----> settle
 *                '--+- HELD <-'
 *                   '-------'--> SUPERSEDED   a newer snapshot was there first
 *
 *   commit                   function             if we die before it
 *   claim CLAIMED            ledger_claim()       the file is in the inbox
 *   claim, receipts TAKEN    ledger_taken()       copy from .claim/ again
 *   receipt CONVERTED        ledger_converted()   convert again
 *   receipt REJECTED         ledger_rejected()    convert again
 *   delivery RENAMING        ledger_renaming()    write it again
 *   delivery DELIVERED       ledger_delivered()   look at both names
 *   receipt DONE             ledger_done()        nothing to do twice
 *   claim ARCHIVED           ledger_archived()    archive again
 *   claim expired            ledger_expire()      it is kept some time more
 *   rows gone                ledger_forget()      remove its files again
 *
 * CLAIMED, TAKEN, RENAMING, DELIVERED, DONE and ARCHIVED are committed for all
 * files that a step does together, in one transaction: what is durable before
 * it is so for each of them, and what the table says if we die before it holds
 * for each of them.
 *
 * A claim is one physical file, a receipt is that file on one route, a
 * delivery is one output at one destination. `job` is a receipt's number for
 * people. Every function is one transaction, or a part of the one opened by
 * ledger_begin(). A row that is not in the state that the change starts from
 * is an error of ours and stops the program (ERR_STOP), as does any failure of
 * the database: after an I/O error nothing that it says can be trusted.
 *
 * The ledger is never carried over a fork: a child closes all descriptors.
 */
#ifndef SPOOL_LEDGER_H
#define SPOOL_LEDGER_H

#include "converters/base/err.h"
#include "converters/base/mem.h"
#include "spool/sha256.h"

struct ledger;

enum claim_state { CLAIM_CLAIMED, CLAIM_TAKEN, CLAIM_ARCHIVED };

/* What tells whether a file is still the one that we looked at; of a file on a
 * partner's server only size and mtime_ns, which are the server's numbers. */
struct identity {
    uint64_t dev, ino, size;
    int64_t mtime_ns, ctime_ns;
};

struct claim {
    char id[ID_HEX + 1];
    struct str partner, folder; /* where it lay: "inbox" */
    struct str name;            /* its bytes, as the folder had them */
    enum claim_state state;
    /* Its place in the order in which files were found: a job's number is given
     * when its file is taken, which an error may put off. */
    uint64_t seq;
    /* When it was copied; mtime and size: when it was claimed. */
    struct identity seen;
    char sha256[HASH_HEX + 1];
    int64_t claimed_at, taken_at;
    struct str archive; /* below archive/ */
    /* Of a partner's server: its name there. CLAIMED, it is what the file was
     * listed as; TAKEN, it is to go before the claim is archived. "": nothing
     * is left there, or the file lay in a folder. */
    struct str there;
    /* ARCHIVED, and its keep time is over: files go, then all its rows. */
    int64_t expired_at;
};

enum receipt_state {
    RECEIPT_TAKEN,
    RECEIPT_CONVERTED,
    RECEIPT_DONE,
    RECEIPT_HELD,
    RECEIPT_REJECTED,
    RECEIPT_SUPPRESSED,
    N_RECEIPT_STATES
};
extern const char *const receipt_state_names[N_RECEIPT_STATES];

struct job_counter; /* spool/job.h */

struct counters {
    uint64_t n_read, n_written, n_aside, n_skipped, n_filtered;
    uint64_t n_warnings, n_replaced;
};

struct receipt {
    char id[ID_HEX + 1];
    char claim[ID_HEX + 1];
    uint64_t job;
    struct str route, partner;
    struct str name; /* for people: no control characters, valid UTF-8 */
    uint64_t size;
    char sha256[HASH_HEX + 1];
    bool once;       /* the same content, DONE before, is SUPPRESSED */
    bool test;       /* leaves no facts behind */
    struct str only; /* the document of that number alone; "": all */
    bool full;       /* whatever its receiver has got */
    enum receipt_state state;
    struct str run_id;
    int64_t run_time;
    int64_t taken_at, converted_at, ended_at;
    uint64_t n_tries;
    int64_t retry_at; /* TAKEN: the next try; 0: at once */
    bool by_hand;     /* HELD because a person said so */
    uint64_t same_as; /* SUPPRESSED: the job that had this content */
    struct counters n;
    const struct job_counter *counters; /* of its maps; kept when CONVERTED */
    size_t n_counters;
    struct str facts;   /* what it learnt, a file of facts_file.h; likewise */
    struct str maps;    /* "NAME SHA256" lines, as they were converted with */
    struct str summary; /* "211 orders read, ..." */
    struct str why;     /* it waits, is held, rejected, suppressed */
};

enum delivery_state {
    DELIVERY_READY,
    DELIVERY_RENAMING,
    DELIVERY_DELIVERED,
    DELIVERY_UNCONFIRMED,
    DELIVERY_HELD,
    DELIVERY_SUPERSEDED,
    N_DELIVERY_STATES
};
extern const char *const delivery_state_names[N_DELIVERY_STATES];

enum delivery_kind {
    OUT_FILE,     /* a converted file: out/<receipt>/<path> */
    OUT_REPORT,   /* report.txt of the receipt, to the sender */
    OUT_ORIGINAL, /* in/<claim> back to the sender: the file was rejected */
    OUT_FAULTY,   /* the records that were set aside, to the sender */
    N_OUT_KINDS
};

struct delivery {
    char id[ID_HEX + 1];
    char receipt[ID_HEX + 1];
    char claim[ID_HEX + 1];
    uint64_t job;
    enum delivery_kind kind;
    struct str path;    /* below out/<receipt>/ */
    struct str partner; /* "": below the spool itself (mode test) */
    struct str folder, name;
    bool replace; /* a snapshot: takes the place of the last one */
    uint64_t seq; /* of its claim: which of two snapshots is the newer one */
    enum delivery_state state;
    uint64_t epoch;
    uint64_t bytes, n_documents;
    /* It waits for those of its job of an earlier stage, and for stage 0 of the
     * jobs that its job awaits: an order for its customer's card. */
    unsigned stage;
    char sha256[HASH_HEX + 1];
    struct str folder_id; /* which folder it was renamed in */
    bool name_taken;      /* HELD because the name exists: look again */
    bool by_absence;      /* DELIVERED: both names were gone */
    struct str why;
    int64_t ready_at, delivered_at;
};

struct event {
    uint64_t n; /* they are counted from 1 */
    int64_t at;
    uint64_t job; /* 0: of no job */
    struct str what, text;
};

/* What a command asks of the keeper. */
struct request {
    uint64_t n;
    struct str what; /* "retry"; the table is spool/request.c's */
    uint64_t job;
    struct str arg;
    bool is_done, ok;
    struct str answer;
};

/* Where the schedule of a route stands. */
struct slot {
    int64_t at;    /* the last one that ran */
    uint64_t upto; /* the jobs that may run: taken by then */
    uint64_t seen; /* AFTER: the other route's last job by then */
    bool started;  /* a person has asked for another, which has not run */
    bool full;     /* whose first job is to send everything */
};

enum ledger_mode {
    LEDGER_WRITE, /* the keeper: creates it, brings it up to date */
    LEDGER_ASK,   /* a command beside the keeper: only requests */
    LEDGER_READ,  /* status, log, show */
};

/* -1 with e; not LEDGER_WRITE and there is none: 0 with *out NULL. */
int ledger_open(struct ledger **out, const char *path, enum ledger_mode mode,
                struct err *e);
/* There is no file of that name; one that we cannot look at is none missing. */
bool ledger_is_missing(const char *path);
void ledger_close(struct ledger *l);
/* Around a fork() whose child opens the ledger itself: no transaction or
 * question is open. -1 of ledger_resume() is ERR_STOP. */
void ledger_pause(struct ledger *l);
int ledger_resume(struct ledger *l, struct err *e);
/* A random name given when the ledger was made. Lives as long as l. */
const char *ledger_generation(const struct ledger *l);

/* A copy of it as it is now, in a new file. */
int ledger_copy(struct ledger *l, const char *path, struct err *e);

/* ---- the keeper's changes ----------------------------------------------- */

int ledger_begin(struct ledger *l, struct err *e);
int ledger_commit(struct ledger *l, struct err *e);
void ledger_rollback(struct ledger *l);

/* Places for n claims, in the order of claims: *first and those behind it. */
int ledger_reserve(struct ledger *l, uint64_t n, uint64_t *first,
                   struct err *e);
/* seq is one that was reserved. */
int ledger_claim(struct ledger *l, const struct claim *c, struct err *e);
/* It never left the inbox, or it was put back. */
int ledger_unclaim(struct ledger *l, const struct claim *c, struct err *e);
/*
 * Custody. Gives every receipt its job number and its run_id; one with `once`
 * whose content was DONE before on its route becomes SUPPRESSED. All but
 * run_id, which is for those who ask, is set in r[].
 */
int ledger_taken(struct ledger *l, const struct claim *c, struct receipt *r,
                 size_t n, struct err *e);
/* The claimed file is another one now, copied anew; all its receipts are
 * still TAKEN. If we die before it: in/ has the new content, and the next try
 * finds the difference and copies again. */
int ledger_taken_rest(struct ledger *l, const struct claim *c, struct err *e);
/*
 * The same content on the same route in an earlier job: *job is one that is
 * DONE (suppress this one), or, with *open, one that is on its way (wait for
 * it); 0: there is none. Two equal files may arrive together.
 */
int ledger_twin(struct ledger *l, const struct receipt *r, uint64_t *job,
                bool *open, struct err *e);
int ledger_suppressed(struct ledger *l, const struct receipt *r, uint64_t job,
                      struct err *e);
/* Another try begins: counts it. */
int ledger_trying(struct ledger *l, struct receipt *r, struct err *e);
/* The try failed for a reason that may pass; it stays TAKEN. */
int ledger_waits(struct ledger *l, const struct receipt *r, const char *why,
                 int64_t retry_at, struct err *e);
/* counter("name") of a route's maps, as they stand; names live in `a`. */
int ledger_counters(struct ledger *l, struct str route, struct arena *a,
                    struct job_counter **out, size_t *n, struct err *e);
/* r->n, counters, maps, summary; a receipt without deliveries is still
 * CONVERTED. */
int ledger_converted(struct ledger *l, const struct receipt *r,
                     const struct delivery *d, size_t n, struct err *e);
int ledger_rejected(struct ledger *l, const struct receipt *r,
                    const struct delivery *d, size_t n, struct err *e);
int ledger_held(struct ledger *l, const struct receipt *r, const char *why,
                struct err *e);
int ledger_done(struct ledger *l, const struct receipt *r, struct err *e);
int ledger_archived(struct ledger *l, const struct claim *c, const char *path,
                    struct err *e);

int ledger_renaming(struct ledger *l, const struct delivery *d,
                    struct str folder_id, struct err *e);
int ledger_delivered(struct ledger *l, const struct delivery *d,
                     bool by_absence, struct err *e);
int ledger_unconfirmed(struct ledger *l, const struct delivery *d,
                       const char *why, struct err *e);
/* Also holds its receipt, unless that has ended. */
int ledger_delivery_held(struct ledger *l, const struct delivery *d,
                         bool name_taken, const char *why, struct err *e);
/* HELD or RENAMING -> READY, under a new epoch; the receipt goes on. */
int ledger_delivery_again(struct ledger *l, struct delivery *d, struct err *e);
/* The same, under another name; the text of the new one is the caller's. */
int ledger_delivery_named(struct ledger *l, struct delivery *d, struct str name,
                          struct err *e);
/* By that job's. */
int ledger_superseded(struct ledger *l, const struct delivery *d, uint64_t job,
                      struct err *e);
/* The folder cannot be used now, by this one or any other; the states stay. */
int ledger_delivery_waits(struct ledger *l, const struct delivery *d,
                          const char *why, struct err *e);

/* A line of history that changes nothing. */
int ledger_note(struct ledger *l, uint64_t job, const char *what,
                struct str text, struct err *e);

/* ---- files on partners' servers (ledger_remote.c) ------------------------ */

/*
 * A file in a listing. Its identity is (name, size, mtime): another size or
 * time is another file. A row stands for a file that is not taken yet, or for
 * one that stays where it is; the latter for 30 days after it was last listed.
 */
struct seen {
    struct str name; /* its bytes */
    uint64_t size, mtime;
    int64_t since;   /* it looks like this */
    bool taken;      /* it is claimed, or ours, and is not taken again */
    int64_t gone_at; /* it is not listed any more; 0: it is */
};

/* In the order of their bytes. */
int ledger_seen(struct ledger *l, struct str partner, struct str folder,
                struct arena *a, struct seen **out, size_t *n, struct err *e);
int ledger_see(struct ledger *l, struct str partner, struct str folder,
               const struct seen *s, struct err *e);
/* If the row is of that very file. */
int ledger_unsee(struct ledger *l, struct str partner, struct str folder,
                 const struct seen *s, struct err *e);
/* Sets c->there of a claim that is TAKEN. */
int ledger_there(struct ledger *l, const struct claim *c, struct str name,
                 struct err *e);
/* Of the partner's server, in order: CLAIMED, or TAKEN and still there. */
int ledger_remote_claims(struct ledger *l, struct str partner, bool taken,
                         uint64_t max, struct arena *a, struct claim **out,
                         size_t *n, struct err *e);

/* Is a partner's server reached? As the keeper found it the last time. */
struct line_state {
    struct str partner;
    int64_t at; /* since then */
    bool ok;
    bool held;      /* it is not, until a person acts */
    struct str why; /* it is not */
};

/* Also a line of history when it changes. */
int ledger_line(struct ledger *l, struct str partner, bool ok, bool held,
                const char *why, struct err *e);
int ledger_lines(struct ledger *l, struct arena *a, struct line_state **out,
                 size_t *n, struct err *e);

/* ---- what a person changes (ledger_operator.c) --------------------------- */

/* HELD, or waiting for its time: tried again now. */
int ledger_retry(struct ledger *l, const struct receipt *r, struct err *e);
/* REJECTED or SUPPRESSED -> TAKEN; in/<claim> is there again. */
int ledger_take_again(struct ledger *l, const struct receipt *r, struct err *e);
/* TAKEN or CONVERTED -> HELD, and back. */
int ledger_hold(struct ledger *l, const struct receipt *r, struct err *e);
int ledger_release(struct ledger *l, const struct receipt *r, struct err *e);
/* DONE -> CONVERTED: every output READY once more. */
int ledger_resend(struct ledger *l, const struct receipt *r, struct err *e);
/* UNCONFIRMED -> DELIVERED, or READY. */
int ledger_settle_by_hand(struct ledger *l, const struct receipt *r,
                          bool delivered, struct err *e);
/* HELD before it was converted -> SUPPRESSED: a person says that its content
 * has arrived another way. */
int ledger_done_by_hand(struct ledger *l, const struct receipt *r,
                        struct err *e);
/* An event "late" for each job that has waited since before that time. */
int ledger_note_late(struct ledger *l, int64_t before, struct err *e);

/* ---- requests, schedules, what a person is told (ledger_request.c) ------- */

int ledger_ask(struct ledger *l, const char *what, uint64_t job, struct str arg,
               uint64_t *n, struct err *e);
/* The oldest that is not done; NULL: there is none. */
int ledger_next_request(struct ledger *l, struct arena *a, struct request **out,
                        struct err *e);
int ledger_find_request(struct ledger *l, uint64_t n, struct arena *a,
                        struct request **out, struct err *e);
int ledger_answer(struct ledger *l, uint64_t n, bool ok, struct str text,
                  struct err *e);

/* Nobody waits for the answer any more. */
int ledger_withdraw(struct ledger *l, uint64_t n, struct err *e);

int ledger_slot(struct ledger *l, struct str route, struct slot *out,
                struct err *e);
/* Also what a person asked for has run then. */
int ledger_slot_ran(struct ledger *l, struct str route, const struct slot *s,
                    struct err *e);
/* A person wants a slot now. */
int ledger_slot_start(struct ledger *l, struct str route, struct err *e);
/* The same, and the route's next job sends everything; it is there. */
int ledger_full_start(struct ledger *l, struct str route, struct err *e);
int ledger_full_begun(struct ledger *l, struct str route, bool has_slots,
                      struct err *e);
/* That one is taken already. */
int ledger_make_full(struct ledger *l, const struct receipt *r, struct err *e);
/* All that were asked for have run, or are not wanted any more. */
int ledger_slots_started(struct ledger *l, struct err *e);
/* The newest job of a route that is DONE; 0: none. */
int ledger_last_done(struct ledger *l, struct str route, uint64_t *job,
                     struct err *e);
/* How many jobs of the route are TAKEN. */
int ledger_backlog(struct ledger *l, struct str route, uint64_t *n,
                   struct err *e);
/* Is any job of the route, up to this one, on its way? */
int ledger_is_busy(struct ledger *l, struct str route, uint64_t upto, bool *yes,
                   struct err *e);
/* When the next failed try is due; 0: none is. */
int ledger_next_retry(struct ledger *l, int64_t *at, struct err *e);

/* The last event that a person was told of. */
int ledger_told(struct ledger *l, uint64_t *n, struct err *e);
int ledger_tell(struct ledger *l, uint64_t n, struct err *e);

/* Of a name: "job" is the highest number of a job that was given. 0: none. */
int ledger_counter(struct ledger *l, struct str name, uint64_t *value,
                   struct err *e);
/* With its number: there is no row, and the counter is beyond it. */
#define DOC_IS_UNKNOWN                                                     \
    "no %.*s %.*s is known%s%.*s; one that was set aside is named in the " \
    "report of its job (ASIDE in kervan log)"
#define JOB_IS_GONE "job %llu is not kept any more (see keep in kervan.conf(5))"

/* ---- questions. Rows live in `a`; NULL or 0 asks for any. --------------- */

struct ledger_find {
    const char *route;
    const char *claim;
    uint64_t job;
    uint64_t since;  /* this job and later ones */
    uint64_t until;  /* and none after this one */
    unsigned states; /* of receipts: 1u << RECEIPT_..., 0: any */
    unsigned last;   /* only that many, the newest */
};

/* In order; of those that are CLAIMED, only what lay in folders. */
int ledger_claims(struct ledger *l, enum claim_state state, struct arena *a,
                  struct claim **out, size_t *n, struct err *e);
/* The next partner, by name, who has claims for ledger_remote_claims(); "":
 * there is none. */
int ledger_next_remote(struct ledger *l, struct str after, struct arena *a,
                       struct str *out, struct err *e);
/* In the order in which they were taken. */
int ledger_receipts(struct ledger *l, const struct ledger_find *f,
                    struct arena *a, struct receipt **out, size_t *n,
                    struct err *e);
/* CONVERTED, and all deliveries are settled. */
int ledger_to_finish(struct ledger *l, struct arena *a, struct receipt **out,
                     size_t *n, struct err *e);
/*
 * The first job of a route that is TAKEN, later than `after`, not later than
 * `upto`, and whose time to be tried has come (now 0: all); NULL: none. A time
 * that lies more than an hour ahead has come as well: the clock was set back.
 */
int ledger_next(struct ledger *l, struct str route, uint64_t after,
                uint64_t upto, int64_t now, struct arena *a,
                struct receipt **out, struct err *e);
/* states: 1u << DELIVERY_...; in order. receipt NULL: of all that no person
 * holds. */
int ledger_deliveries(struct ledger *l, const char *receipt, unsigned states,
                      struct arena *a, struct delivery **out, size_t *n,
                      struct err *e);
/* What is to be delivered, of all that no person holds, also what was held
 * because its name was taken; in order. To any but the partners whose names the
 * text lists (",pohoda,erp,"). */
int ledger_waiting(struct ledger *l, struct str partners, struct arena *a,
                   struct delivery **out, size_t *n, struct err *e);
/* To that partner, at most max; of what was held only what has a later place in
 * the order of claims. */
int ledger_waiting_for(struct ledger *l, struct str partner,
                       uint64_t held_after, uint64_t max, struct arena *a,
                       struct delivery **out, size_t *n, struct err *e);
/* Is it in the state of d, under its epoch? */
/* Is one of a later stage READY, and what it waits for delivered? */
int ledger_staged(struct ledger *l, bool *yes, struct err *e);
int ledger_delivery_stands(struct ledger *l, const struct delivery *d,
                           bool *yes, struct err *e);
int ledger_events(struct ledger *l, uint64_t job, unsigned last,
                  struct arena *a, struct event **out, size_t *n,
                  struct err *e);
/* Up to `max` events later than `after`, in order. */
int ledger_events_since(struct ledger *l, uint64_t after, unsigned max,
                        struct arena *a, struct event **out, size_t *n,
                        struct err *e);
/* The job of a file that was claimed later, and whose output of that name was
 * delivered there already; 0: there is none. */
int ledger_newer(struct ledger *l, const struct delivery *d, uint64_t *job,
                 struct err *e);
/* Claims whose receipts have all ended and whose deliveries are all settled. */
int ledger_to_archive(struct ledger *l, struct arena *a, struct claim **out,
                      size_t *n, struct err *e);
int ledger_find_claim(struct ledger *l, const char *id, struct arena *a,
                      struct claim **out, struct err *e); /* NULL: none */
/* The claim of a receipt, by its id; "": there is no such receipt. */
int ledger_claim_of(struct ledger *l, const char *receipt,
                    char claim[ID_HEX + 1], struct err *e);
/* What is asked from here to ledger_thaw() is of one moment (LEDGER_READ). */
int ledger_freeze(struct ledger *l, struct err *e);
void ledger_thaw(struct ledger *l);

struct route_counts {
    uint64_t n[N_RECEIPT_STATES];
    uint64_t n_deliveries_waiting;
    int64_t last_at; /* newest receipt */
    uint64_t last_job;
};
int ledger_route_counts(struct ledger *l, const char *route,
                        struct route_counts *out, struct err *e);

#endif
