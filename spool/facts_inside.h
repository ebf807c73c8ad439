/* facts_inside.h - what facts.c and facts_ask.c share. */
#ifndef SPOOL_FACTS_INSIDE_H
#define SPOOL_FACTS_INSIDE_H

#include <sys/types.h>

#include "converters/base/textmap.h"
#include "spool/facts.h"
#include "spool/facts_file.h"

/*
 * What this process has learnt, by key; an entry hides the one before it of the
 * same key, which comes back when it is forgotten.
 */
struct learnt {
    struct str key;
    uint32_t before; /* index + 1; 0: the ledger's word counts */
    bool loaded;     /* of the ledger: not to be forgotten with a document */
    union {
        struct known_doc *doc;
        struct card *card;
    };
};

/* A table of facts_learn_got(). */
struct got {
    struct str output, source, table;
};

/* Asked for, and as it was then. */
struct scope {
    struct str name;
    uint64_t version;
};

struct facts {
    struct ledger *ledger;
    struct arena scope_names;
    struct scope *scopes;
    size_t n_scopes, cap_scopes;
    struct str cards_unit; /* whose cards were asked for last; of which kind */
    enum card_kind cards_kind;
    uint64_t key[2];
    int64_t now;
    bool failed;
    struct err err;

    struct arena arena; /* what was learnt */
    struct textmap map; /* keys to learnt[], index + 1; 0: forgotten */
    struct learnt *learnt;
    size_t n_learnt, cap_learnt;
    bool any_seen;                         /* facts_seen() was called */
    size_t doc_mark, read_mark, file_mark; /* of n_learnt */
    struct textmap loaded; /* "UNIT KIND" whose cards all are in `learnt` */

    struct buf pending; /* rows of the document at hand */
    struct buf rows;    /* to be written */
    struct buf aside;   /* numbers of documents */
    const char *staging;
    uint64_t job, place;
    unsigned read;
    int fd;                 /* the file; -1: nothing was learnt yet */
    off_t written, read_at; /* bytes; where this read map began */
    size_t read_aside;
    size_t aside_sorted; /* bytes of `aside` that were sorted */

    struct got *got; /* what the files of this process have sent so far */
    size_t n_got, cap_got, file_got;
    bool io_failed;
};

/* rc of a question: false, and all that follow fail. */
bool facts_check(struct facts *f, int rc);
/* What the job decides now depends on that scope. */
void facts_ask(struct facts *f, struct str scope);
/* What this process has learnt of it, or NULL. */
struct learnt *facts_find(const struct facts *f, struct str key);
/* A new entry, which hides the one before. */
struct learnt *facts_overlay(struct facts *f, struct str key, bool is_new);
struct str facts_doc_name(struct arena *a, const struct doc_key *k);
struct str facts_card_name(struct arena *a, struct str unit,
                           enum card_kind kind, struct str key);
/* A row of the document at hand. */
void facts_row(struct facts *f, enum fact fact, const struct str *columns);
#define ROW(f, fact, ...) \
    facts_row(f, fact, (const struct str[]){ __VA_ARGS__ })
#define KEY(k) (k)->output, (k)->sender, (k)->document, (k)->number

static inline struct str number_text(struct arena *a, uint64_t n)
{
    return arena_fmt(a, "%llu", (unsigned long long)n);
}

static inline struct str yes_no(bool b)
{
    return b ? STR("1") : STR("0");
}

#endif
