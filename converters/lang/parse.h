/*
 * parse.h - expressions, clauses and texts with {expressions}.
 *
 * Precedence, weakest first: or, and, not, comparisons, &, + -, * div, unary
 * minus. A `-` or `.` inside a name belongs to the name; a bare word is a
 * name; after an operand a bare word is a clause.
 */
#ifndef LANG_PARSE_H
#define LANG_PARSE_H

#include "converters/lang/map.h"

struct parser {
    struct arena *a;
    const struct oline *line;
    const char *p, *end; /* inside line->text, or a copy of a part of it */
    struct map *map;     /* tables are looked up when resolved */
    struct str column;   /* the last bare name; empty: none yet */
    struct diags *diags;
    int nesting, n_operators; /* both have a limit */
};

void parser_init(struct parser *p, struct map *m, const struct oline *l,
                 struct str text, struct diags *diags);
/* NULL: a mistake was reported. */
struct expr *parse_expr(struct parser *p);
/* The same without comparisons, and, or: what a `default` takes. */
struct expr *parse_operation(struct parser *p);
/* An expression and its clauses, to the end of the text. */
struct rule *parse_rule(struct parser *p);
/* expr, expr, ... linked by next. */
struct expr *parse_exprs(struct parser *p);
/* A path alone: `record //a/b`, `each line in Items/Item`. */
struct expr *parse_path(struct parser *p);
/* A "quoted text with {expr}". The parser stands at the quote. */
struct piece *parse_pieces(struct parser *p);

void parse_blanks(struct parser *p);
bool parse_at_end(struct parser *p); /* only blanks are left */
bool parse_end(struct parser *p);    /* else report what is left */
/* Reports what stands at p: with the nearest of these words, or as the rest of
 * a column's name that needs brackets. */
void parse_unexpected(struct parser *p, const char *const *words, size_t n);
/* The same if it is such a rest; else `text` as SYNTAX. Returns NULL. */
void *parse_missing(struct parser *p, const char *from, const char *text);
/* Takes `word` if it stands next, as a whole word. */
bool parse_word(struct parser *p, const char *word);
/* The next run of name characters; empty if none. */
struct str parse_name(struct parser *p);
/* A quoted text; the parser stands at the quote. False: reported. */
bool parse_string(struct parser *p, struct str *out);
/* NULL: f is a format of a date or of a number; else what is wrong with it. */
const char *format_wrong(struct str f);
struct place parse_place(const struct parser *p, const char *from,
                         const char *to);
/* Reports SYNTAX with this text at the place. Returns NULL. */
void *parse_fail(struct parser *p, const char *from, const char *text);

#endif
