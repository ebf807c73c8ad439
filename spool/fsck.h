/*
 * fsck.h - what must be true of ledger and spool between two steps.
 *
 * The keeper's commits keep all of it, whenever we die; so a broken rule means
 * that somebody else changed something, or a disk lost it. A start looks at
 * what is open and then
 *
 *   STOP   does not start: the ledger is not what we wrote, and going on could
 *          lose a file or send one twice
 *   HOLD   holds that job, and goes on with the others
 *   TELL   says nothing: only `kervan fsck` looks at it
 *
 * Rules of the ledger are questions in ledger_fsck.c; they see one moment of
 * it, whoever is at work. Those of the spool are the keeper's to look at,
 * between two passes. The archive changes only by whole files; what seems to
 * be missing there is looked at again.
 */
#ifndef SPOOL_FSCK_H
#define SPOOL_FSCK_H

#include "spool/archive_walk.h"
#include "spool/jobs.h"

/* clang-format off */
#define FSCK_RULES(X)                                                         \
    X(1, CLAIM_RECEIPT, LEDGER, STOP,                                         \
      "a file that was taken has a job on at least one route")                \
    X(2, NO_ORPHANS, LEDGER, STOP,                                            \
      "a job is of a file that was taken, a delivery is of a job")            \
    X(3, JOB_NUMBERS, LEDGER, STOP,                                           \
      "no job has a number above the counter of jobs")                        \
    X(4, STATES, LEDGER, STOP,                                                \
      "states and kinds are words that this program knows")                   \
    X(5, ENDED, LEDGER, STOP,                                                 \
      "a job has the time of its end when it is DONE, REJECTED or "           \
      "SUPPRESSED, and only then")                                            \
    X(6, SETTLED, LEDGER, STOP,                                               \
      "a job that is TAKEN, DONE or SUPPRESSED has no delivery on its way")   \
    X(7, HOLDS, LEDGER, STOP,                                                 \
      "a delivery that is HELD or UNCONFIRMED holds its job, unless that is " \
      "REJECTED")                                                             \
    X(8, DELIVERED, LEDGER, STOP,                                             \
      "a delivery has a time when it is DELIVERED, and only then")            \
    X(9, CONVERTED, LEDGER, STOP,                                             \
      "a job has the time of its conversion when it is CONVERTED, DONE or "   \
      "REJECTED, and not when it is TAKEN")                                   \
    X(10, ARCHIVED, LEDGER, STOP,                                             \
      "an archived file has a place, and no job that is still to be "         \
      "converted")                                                            \
    X(11, ONCE, LEDGER, STOP,                                                 \
      "content that was DONE on a route is not taken there once more, unless "\
      "by hand")                                                              \
    X(12, GENERATION, SPOOL, STOP,                                            \
      "the ledger is that of the spool, and not older")                       \
    X(13, ORIGINAL, SPOOL, HOLD,                                              \
      "the original of a file at work lies in in/, in its size")              \
    X(14, RESULT, SPOOL, HOLD,                                                \
      "the file of a delivery that may be sent lies in out/ or in the "       \
      "archive, in its size")                                                 \
    X(15, NO_LITTER, SPOOL, TELL,                                             \
      "every file in in/, out/ and tmp/ is of a job at work")                 \
    X(16, ARCHIVE, ARCHIVE, TELL,                                             \
      "originals and results of archived files lie in the archive, in their " \
      "size, unless their whole day was removed")                             \
    X(17, ORDER, LEDGER, STOP,                                                \
      "a file has a place in the order of claims, not above its counter, and " \
      "its deliveries have the same")                                         \
    X(18, FACTS, LEDGER, TELL,                                                \
      "what was learnt is of a document and of a job that are there, and "    \
      "waits only for jobs that have not ended")
/* clang-format on */

enum fsck_rule {
#define X(number, id, where, act, text) FSCK_##id,
    FSCK_RULES(X)
#undef X
        N_FSCK_RULES
};

enum fsck_where { FSCK_IN_LEDGER, FSCK_IN_SPOOL, FSCK_IN_ARCHIVE };
enum fsck_act { FSCK_STOP, FSCK_HOLD, FSCK_TELL };

extern const struct fsck_info {
    int number; /* I1, I2, ...: they do not change between versions */
    enum fsck_where where;
    enum fsck_act act;
    const char *text;
} fsck_table[N_FSCK_RULES];

/* Something that breaks a rule. */
struct finding {
    enum fsck_rule rule;
    uint64_t job; /* 0: of no job */
    struct str text;
    const struct receipt *held;         /* HOLD: this one, */
    const struct delivery *held_output; /* or this one */
    struct finding *next;
};

struct fsck {
    /* Given by the caller. */
    struct ledger *ledger;
    int spool_fd;
    struct arena *arena;
    const struct jobs *jobs; /* of the keeper; NULL: none is at work */
    bool at_start;           /* only what is open, and only what is cheap */

    struct finding *findings, **last;
    uint64_t n;                 /* of them; the first thousand are listed */
    struct walk_counts archive; /* what fsck_archive() looked at */
};

int fsck_ledger(struct fsck *f, struct err *e);
int fsck_spool(struct fsck *f, struct err *e);
int fsck_archive(struct fsck *f, struct err *e);

void fsck_found(struct fsck *f, enum fsck_rule rule, uint64_t job,
                const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Findings as lines, and back: they travel as the answer to a request. */
struct str fsck_pack(const struct fsck *f, struct arena *a);
void fsck_unpack(struct fsck *f, struct str text);

struct keeper;
/* At a start: -1 with ERR_STOP, or jobs are held and the rest goes on. */
int fsck_start(struct keeper *k, struct err *e);

#endif
