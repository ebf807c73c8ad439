/*
 * csv.h - what the parts of the CSV reader share; for formats/csv*.c only.
 *
 *   csv.c          the file: options, chunks into lines
 *   csv_parse.c    a line: libcsv and its callbacks
 *   csv_rows.c     a row: header, record or fault
 *   csv_columns.c  which columns the map wants, found in the header
 *   csv_place.c    line and column of things in a row's text
 */
#ifndef FORMATS_CSV_H
#define FORMATS_CSV_H

#include <csv.h>

#include "formats/format.h"
#include "formats/input.h"

#define CSV_UNWANTED UINT32_MAX

/* Both ASCII; quote NUL: no quoting, since no text holds a NUL. */
struct csv_dialect {
    char delimiter, quote;
};

/* What is known of the columns once the first row was seen. Lives in
 * reader->names, as csv_locate() needs it after the end of the file. */
struct csv_columns {
    struct csv_dialect dialect;
    bool header;
    uint32_t n;       /* columns of the first row */
    bool open_end;    /* the last of them has no name and may be absent */
    uint32_t n_slots; /* length of item->cells */
    uint32_t *slot_of;
    uint32_t n_slot_of;  /* slot_of[column]: slot or CSV_UNWANTED */
    uint32_t *column_of; /* column_of[slot], from 0 */
};

/* A wanted field of the row being read: in its text or in `unescaped`. */
struct span {
    size_t at, len;
    bool unescaped;
};

/* The reader at work. */
struct csv {
    struct reader *r;
    struct csv_columns *cols;
    struct csv_parser parser;
    bool by_blanks;   /* the delimiter or the quote is one */
    bool has_columns; /* cols is filled: rows are data */
    bool has_first;   /* cols->n is known */

    /* The row being read. */
    const char *row;  /* its text so far; NULL: none was begun */
    size_t row_len;   /* of that, what libcsv was given */
    struct buf carry; /* its text, when it began in an earlier chunk */
    size_t next;      /* where in it the next field begins */
    size_t n_fields;
    size_t long_field; /* the first one over the limit; SIZE_MAX: none */
    bool last_empty;
    bool row_done;
    bool at_end;     /* it is the last row, and has no line end */
    uint64_t breaks; /* line breaks in the quoted field at the end */
    struct span *spans;
    size_t n_spans;
    struct span dropped;  /* a column that nobody wants */
    struct buf unescaped; /* fields that had doubled quotes */
    struct buf veiled;    /* the line on its way to libcsv */

    uint32_t line, row_line; /* the line to come; where the row began */
    uint64_t offset;         /* of the row in the file */
    uint64_t max_columns, max_field;
};

/* csv_parse.c: 0, or -1 after a fault. */
void csv_feed_begin(struct csv *c); /* when c->cols->dialect is known */
/* A line of the row c->row, with its end. */
int csv_feed(struct csv *c, const char *line, size_t n);
/* The file ends: so does the row, unless a quote is open. */
int csv_feed_end(struct csv *c);
/* `text`, the row so far, does not end where it should: -1. */
int csv_row_too_long(struct csv *c, struct str text, enum limit_id limit);
/* Where byte `at` of the row's text stands in the file. */
void csv_place_of(const struct csv *c, struct str text, size_t at,
                  uint32_t *line, uint32_t *col);

/* csv_rows.c: a row is complete. What the sink returned, or -1. */
int csv_end_row(struct csv *c);
void csv_next_row(struct csv *c); /* forgets the row */
struct str csv_without_break(struct str s);

static inline struct str csv_row_text(const struct csv *c)
{
    return (struct str){ c->row, c->row_len };
}

/*
 * Gives every wanted column a slot and fills want->cells and r->titles.
 * titles: the header's names, or NULL for a file without header, where `n`
 * is only how many columns can be wanted at all. Reports what is missing.
 */
int csv_resolve(struct reader *r, struct csv_columns *k,
                const struct str *titles, uint32_t n, uint32_t line);
/* Without header: are the wanted places in a first row of n columns? */
int csv_check_places(struct reader *r, uint32_t n, uint32_t line);

/* Where field number `field` (from 0) begins in a row's text; the quote
 * belongs to it. raw.len when there are fewer. */
size_t csv_field_start(struct csv_dialect d, struct str raw, size_t field);
/* Where the quote stands that is still open at the end of raw; or -1. */
ptrdiff_t csv_open_quote(struct csv_dialect d, struct str raw);
/* Moves a place from the start of text over its first n bytes. */
void csv_advance(struct str text, size_t n, uint32_t *line, uint32_t *col);

/* csv_write.c, for the table in csv.c. */
extern const struct write_ops csv_write_ops;
extern const struct opt_spec csv_write_opts[];

#endif
