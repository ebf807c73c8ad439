/*
 * diag.h - messages about mistakes in the user's own files.
 *
 * A wrong map or a bad row is normal business, not an error of ours. So
 * mistakes are collected, with their place, until the file is read to its
 * end: the user sees all of them at once, those of maps sorted by place.
 *
 *   orders.map:14:12: error: unknown field: quantty; did you mean quantity?
 *     [unknown-field]
 *      14 | quantity = quantty
 *         |            ^~~~~~~
 *
 * (The first line is one line.) The name in brackets never changes its meaning:
 * people grep for it and look it up in kervan-mapping(5), whose list is made
 * from messages.h. A test walks the table and fails for a message that no case
 * under tests/ shows.
 *
 * A fault in data also names the record (`record`), the line of the map
 * (`map`), and what happened to the record (`outcome`):
 *
 *   orders.csv:148:6: error: not a number: "12 50O,00" in column price
 *     [number-syntax]
 *      order 100482, line 3
 *      shoptet.map:21:22:  price.gross = price
 *                                        ^~~~~
 *      order 100482 set aside; 211 other orders continue
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "converters/base/mem.h"
#include "converters/base/messages.h"

/* A file that messages point into. Data files have no text here. */
struct source {
    struct str name; /* as the user gave it: path, or orders.zip/july.csv */
    struct str text;
};

/* line and col count from 1, col in characters; 0 = not known. */
struct place {
    const struct source *src; /* NULL: no file */
    uint32_t line, col;
    uint32_t len; /* characters to underline; 0 or 1: just a caret */
};

enum diag_level { DIAG_NOTE, DIAG_WARNING, DIAG_ERROR };

enum diag_id {
#define X(id, name, level, text) DIAG_##id,
    DIAGS(X)
#undef X
        N_DIAGS
};

struct diag_info {
    const char *name, *text; /* text: %1 %2 %3 stand for the arguments */
    enum diag_level level;
};

extern const struct diag_info diag_table[N_DIAGS];

enum { DIAG_ARGS = 3 };

struct diag {
    struct diag *next;
    enum diag_id id;
    struct place at;
    struct str args[DIAG_ARGS];
    struct place map;   /* faults in data: the line of the map */
    struct str record;  /* faults in data: "order 100482, line 3" */
    struct str outcome; /* "order 100482 set aside; ..." */
};

/* Warnings of one kind from one line of a map. */
struct alike {
    struct alike *next;
    enum diag_id id;
    struct place map;
    uint64_t n; /* all of them */
};

enum { DIAG_ALIKE = 10 }; /* of them are listed */

struct diags {
    struct arena *arena; /* texts are copied into it */
    struct diag *first, **last;
    uint64_t n_errors, n_warnings; /* all that were added, listed or not */
    /*
     * Errors that are listed at most, 0 = all; and as many warnings again, so
     * that many warnings never hide an error.
     */
    uint64_t max;
    uint64_t n_listed, n_listed_errors;
    struct alike *alike;
    uint64_t n_alike; /* warnings that are counted there and not listed */
};

void diags_init(struct diags *d, struct arena *arena, uint64_t max);
/*
 * The new entry, for setting map, record and outcome; NULL: not listed, only
 * counted. args are copied (their first 1000 bytes); a source must live as
 * long as the entry.
 */
struct diag *diag_add(struct diags *d, enum diag_id id, struct place at,
                      const struct str *args, size_t n_args);
#define DIAG(d, id, at, ...)                                        \
    diag_add(d, DIAG_##id, at, (const struct str[]){ __VA_ARGS__ }, \
             sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))
#define DIAG0(d, id, at) diag_add(d, DIAG_##id, at, NULL, 0)

/*
 * One line of a map can warn about every record of a file. Call before
 * diag_add(): true when enough such warnings are listed; it is counted then.
 */
bool diag_is_enough(struct diags *d, enum diag_id id, struct place map);

/* By file, line, column; stable. What is said twice of one place is said once.
 */
/*
 * A try that failed is tried again: of what was said since the mark only the
 * errors stay, its warnings come again.
 */
struct diags_mark {
    struct diags then;
    struct alike *alike; /* a copy */
};
struct diags_mark diags_mark(const struct diags *d);
void diags_keep_errors(struct diags *d, const struct diags_mark *m);

void diags_sort(struct diags *d);
/*
 * The message's text with its DIAG_ARGS arguments (NULL: none), control
 * characters made visible. What stands in quotes is data and cut as in
 * show_text(); other arguments, such as lists of names, after 1000 bytes.
 */
void diag_text(enum diag_id id, const struct str *args, struct buf *out);
/* All entries as people read them, and "... and 7 more" for those that are not
 * listed; `colour` for terminals. */
void diags_print(const struct diags *d, bool colour, struct buf *out);
/*
 * One JSON object per line: file, line, column, length, level, name, text,
 * map {file, line, column}, record, outcome; what is not known is left out.
 * Then {"more":7} for entries that are not listed.
 */
void diags_print_json(const struct diags *d, struct buf *out);
/* Appends s as a JSON string, quotes included; bad UTF-8 as \ufffd. */
void json_string(struct buf *out, struct str s);
/*
 * Appends s with control characters as \n, \t, \xNN and invisible ones (zero
 * width, direction) as \uNNNN; after 200 bytes comes "..." instead.
 */
void show_text(struct buf *out, struct str s);
void show_text_max(struct buf *out, struct str s, size_t max);
/* A sentence of ours in which such a text stands: its end matters, too. */
enum { SHOW_SENTENCE = 500 };

#endif
