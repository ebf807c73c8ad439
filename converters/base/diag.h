/*
 * diag.h - messages about mistakes in the user's own files.
 *
 * A wrong map or a bad row is normal business, not an error of ours. So
 * mistakes are collected, with their place, until the file is read to its
 * end: the user sees all of them at once, those of maps sorted by place.
 *
 *   orders.map:14:9: error: unknown field: qty_orderd; did you mean quantity?
 *     [map-unknown-field]
 *      14 | quantity = qty_orderd
 *         |            ^~~~~~~~~~
 *
 * The name in brackets never changes its meaning: people grep for it and look
 * it up in kervan-mapping(5), whose list is made from messages.h. A test walks
 * the table and fails for a message that no case under tests/ shows.
 *
 * A fault in data also names the line of the map (`map`), the record
 * (`record`: "order 100482, line 3"), and what happened to it.
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

struct diags {
    struct arena *arena; /* texts are copied into it */
    struct diag *first, **last;
    uint64_t n_errors, n_warnings; /* all that were added, listed or not */
    uint64_t max;                  /* listed at most; 0 = all */
    uint64_t n_listed;
};

void diags_init(struct diags *d, struct arena *arena, uint64_t max);
/* The new entry, for setting map, record and outcome; NULL: not listed. */
struct diag *diag_add(struct diags *d, enum diag_id id, struct place at,
                      const struct str *args, size_t n_args);
#define DIAG(d, id, at, ...)                                        \
    diag_add(d, DIAG_##id, at, (const struct str[]){ __VA_ARGS__ }, \
             sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))
#define DIAG0(d, id, at) diag_add(d, DIAG_##id, at, NULL, 0)

void diags_sort(struct diags *d); /* by file, line, column */
/* The message's text with its arguments, control characters made visible. */
void diag_text(enum diag_id id, const struct str *args, struct buf *out);
/* All entries as people read them; `colour` for terminals. */
void diags_print(const struct diags *d, bool colour, struct buf *out);
/* One JSON object per line: file, line, column, level, name, text, ... */
void diags_print_json(const struct diags *d, struct buf *out);
/* Appends s as a JSON string, quotes included; bad UTF-8 as \ufffd. */
void json_string(struct buf *out, struct str s);
/* Appends s with control characters as \n, \t, \xNN; cut after 200 bytes. */
void show_text(struct buf *out, struct str s);

#endif
