/*
 * outline.h - text files made of lines and indented blocks: maps and the
 * configuration. One lexer, so that both give the same errors.
 *
 *   line one            # a comment
 *     a line of its block
 *   line two
 *
 * UTF-8, a byte-order mark and CRLF accepted; blocks by spaces, a dedent
 * returns to a column that is open. `#` at the start of a line or after white
 * space begins a comment, not inside "quotes". Template lines ("> ...") are
 * kept as they stand.
 */
#ifndef LANG_OUTLINE_H
#define LANG_OUTLINE_H

#include "converters/base/diag.h"
#include "converters/base/err.h"
#include "converters/base/limits.h"

struct oline {
    const struct source *src;
    struct str text; /* without indentation, comment, closing blanks */
    uint32_t line;   /* from 1 */
    uint32_t before; /* characters before it: text begins at column before+1 */
    uint32_t indent; /* the column that says whose block it is in, from 0 */
    bool tabbed;     /* that holds a tab, which was reported */
    struct oline *parent, *child, *last, *next;
};

/* Reads a file into `a`. -1: e says why (does not exist, over the limit). */
int source_read(struct arena *a, const char *path, struct str name,
                const struct limits *limits, struct source **out,
                struct err *e);

/*
 * The lines of src as a tree: *top is the first of the outermost ones (NULL:
 * none). Mistakes go to diags; the tree holds what could be understood.
 */
void outline_parse(struct arena *a, const struct source *src,
                   const struct limits *limits, struct diags *diags,
                   struct oline **top);

/* A place in a line: `at` points into line->text, len in bytes. */
struct place oline_place(const struct oline *l, struct str at);
struct place oline_whole(const struct oline *l);

/*
 * Takes the first word off *rest (up to a blank), or a "quoted text" without
 * its quotes ("" doubled inside; then copied into a). False at the end; a
 * quote that never closes is reported.
 */
bool oline_word(struct arena *a, const struct oline *l, struct str *rest,
                struct str *word, struct diags *diags);

/* Nothing can stand in the block of this line: reports what does. */
void outline_no_block(const struct oline *l, struct diags *diags);

#endif
