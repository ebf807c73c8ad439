/*
 * facts_file.h - what a job learnt, in front of the text of its `result`.
 *
 * One file and not two: the smallest job makes few files as it is. A file that
 * begins with a byte below N_FACTS has rows, up to END; a text, which begins
 * with a letter, is behind them.
 *
 * A row is u8 operation, u8 number of columns, u16 zero, u32 zero, u64 number
 * of the document, then each column as u32 length and its bytes; all of this
 * machine. Numbers in columns are decimal text. The last row is END, whose only
 * column has the numbers (u64 each) of documents that were set aside after all:
 * what was learnt of them does not count. A file without END is of a job that
 * died.
 *
 * Numbers of documents count within a read map of the route, whose index
 * stands in their upper bits (FACTS_READ).
 */
#ifndef SPOOL_FACTS_FILE_H
#define SPOOL_FACTS_FILE_H

#include "converters/base/err.h"
#include "converters/base/str.h"

#define RESULT_FILE "result"

enum { FACTS_READ = 48 };

#define FACT_KEY "output sender document number "

/* clang-format off */
#define FACTS(X)                                                              \
    /* what this job has asked for, as it was then; before END */             \
    X(SCOPE, "name version")                                                  \
    X(CAME, FACT_KEY "unit route customer email date line member hash")       \
    X(SENT, FACT_KEY "as_number action values hash files")                    \
    X(REPORTED, FACT_KEY "hash text")                                         \
    X(ANSWERED, FACT_KEY "given ok text number id status carrier tracking "   \
                         "series invoice invoice_cancelled")                  \
    X(PASSED, FACT_KEY "hash")                                                \
    X(STORY, FACT_KEY "what text files")                                      \
    X(WITHDRAWN, FACT_KEY "text")                                             \
    X(RESERVE, FACT_KEY "unit sku warehouse quantity")                        \
    X(CARD, "unit kind key code name hidden by_us")                           \
    X(WAIT, "job")                                                            \
    X(GOT, "output document table")                                           \
    X(END, "set_aside")
/* clang-format on */

enum fact {
#define X(id, columns) FACT_##id,
    FACTS(X)
#undef X
        N_FACTS
};

enum { MAX_FACT_COLUMNS = 16 };

struct fact_row {
    enum fact fact;
    uint64_t seq;
    struct str column[MAX_FACT_COLUMNS];
};

/* How many columns it has. */
size_t fact_columns(enum fact f);
/* Appends a row; -1: over out->max. */
int fact_write(struct buf *out, enum fact f, uint64_t seq,
               const struct str *columns);
/* Takes a row off *rest. false: there is none, or it is not one. */
bool fact_read(struct str *rest, struct fact_row *out);
struct facts_map {
    struct str whole; /* in memory until facts_unmap(); empty: no such file */
    struct str facts; /* the rows with END, or empty */
    struct str text;  /* behind them */
};
/* `result` of the folder. -1: it cannot be read (ERR_RETRY), or its rows do
 * not end (ERR_HOLD). */
int facts_map(int dir_fd, struct facts_map *out, struct err *e);
void facts_unmap(struct facts_map *m);
/* Is it a whole file of rows? *aside: the column of its END. */
bool facts_whole(struct str file, struct str *aside);

#endif
