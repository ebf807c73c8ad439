/*
 * compile.h - from the lines of a map's body to what runs.
 */
#ifndef LANG_COMPILE_H
#define LANG_COMPILE_H

#include "converters/lang/options.h"
#include "converters/lang/parse.h"

/* The body's lines: those that are no setting, table, part or include. */
struct body {
    const struct oline **lines;
    size_t n;
};

void compile_read(struct loader *ld, const struct body *b);
void compile_write(struct loader *ld, const struct body *b);

/* Finds a part; reports an unknown one, or one that uses itself. */
struct part_def *find_part(struct loader *ld, const struct parser *p,
                           const char *from, struct str name);
bool is_statement_line(struct str text, const char *word);
/* "; did you mean skip?" or "", for a line that begins with this word. */
struct str near_statement(const struct parser *p, struct str word);
/* Reports text and that hint as SYNTAX. Returns NULL. */
void *statement_fail(struct parser *p, struct str word, const char *text);

#endif
