/*
 * csv_parse.c - a row's fields: split_row() finds them in a plain row, libcsv
 * in any other.
 *
 * What is noted of a field is its place in the row, which is kept anyway; only
 * one with doubled quotes is copied. libcsv has no places: they follow from the
 * lengths that it tells.
 */
#include "converters/base/bytes.h"
#include "formats/csv.h"

/* What blanks and tabs are while libcsv has them; see veil(). */
#define BLANK '\xff'
#define TAB   '\xfe'

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* ---- libcsv's callbacks ------------------------------------------------- */

static int is_no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static size_t count_char(struct str s, char what)
{
    const char *p = s.p, *end = s.p + s.len;
    size_t n = 0;

    while (p < end && (p = memchr(p, what, (size_t)(end - p)))) {
        n++;
        p++;
    }
    return n;
}

static void note_field(struct csv *c, size_t len)
{
    if (len > c->max_field && c->long_field == SIZE_MAX)
        c->long_field = c->n_fields;
    c->last_empty = len == 0;
    c->breaks = 0;
    c->n_fields++;
}

static void unveil(struct buf *to, const char *text, size_t len)
{
    char *p = buf_room(to, len);

    for (size_t i = 0; p && i < len; i++)
        p[i] = text[i] == BLANK ? ' ' : text[i] == TAB ? '\t' : text[i];
    to->len += p ? len : 0;
}

/* Says where the field that just ended stands, and moves c->next behind it. */
static void locate_field(struct csv *c, struct span *to, const char *text,
                         size_t len)
{
    char quote = c->cols->dialect.quote;
    size_t n_quotes;

    to->at = c->next;
    to->len = len;
    to->unescaped = false;
    c->next += len + 1;
    if (!quote || to->at >= c->row_len || c->row[to->at] != quote)
        return;
    n_quotes = count_char((struct str){ text, len }, quote);
    c->next += n_quotes + 2;
    to->at++;
    if (n_quotes && to != &c->dropped) {
        to->at = c->unescaped.len;
        to->unescaped = true;
        unveil(&c->unescaped, text, len);
    }
}

static void on_field(void *text, size_t len, void *ctx)
{
    struct csv *c = ctx;
    size_t column = c->n_fields;
    uint32_t slot = CSV_UNWANTED;

    note_field(c, len);
    if (column < c->cols->n_slot_of)
        slot = c->cols->slot_of[column];
    locate_field(c, slot == CSV_UNWANTED ? &c->dropped : &c->spans[slot], text,
                 len);
}

static void on_title(void *text, size_t len, void *ctx)
{
    struct csv *c = ctx;
    size_t column = c->n_fields;

    note_field(c, len);
    if (column >= c->max_columns)
        return;
    if (column >= c->n_spans) {
        c->n_spans = c->n_spans ? c->n_spans * 2 : 64;
        c->spans = xrealloc(c->spans, c->n_spans * sizeof(*c->spans));
    }
    locate_field(c, &c->spans[column], text, len);
}

static void on_row(int ch, void *ctx)
{
    struct csv *c = ctx;

    (void)ch;
    c->row_done = true;
}

/* ---- faults ------------------------------------------------------------- */

void csv_place_of(const struct csv *c, struct str text, size_t at,
                  uint32_t *line, uint32_t *col)
{
    *line = c->row_line;
    *col = 1;
    csv_advance(text, at, line, col);
}

/* Because a quote is open, or because it is long? */
int csv_row_too_long(struct csv *c, struct str text, enum limit_id limit)
{
    ptrdiff_t at = csv_open_quote(c->cols->dialect, text);
    uint32_t line, col;

    if (at < 0)
        return reader_limit(c->r, limit, "the row", c->row_line, 1);
    csv_place_of(c, text, (size_t)at, &line, &col);
    return reader_limit(c->r, limit,
                        limit == LIMIT_CSV_BREAKS
                            ? "a quote opens here and does not close; the "
                              "number of line breaks behind it"
                            : "a quote opens here and does not close; the row",
                        line, col);
}

/* The file has ended in a quoted field. */
static int open_quote(struct csv *c, struct str text)
{
    ptrdiff_t at = csv_open_quote(c->cols->dialect, text);
    uint32_t line, col;

    csv_place_of(c, text, at < 0 ? 0 : (size_t)at, &line, &col);
    return reader_fail(c->r, DIAG_CSV_OPEN_QUOTE, line, col, NULL, 0);
}

/* libcsv refused the byte `at`: a quote, or what follows a closing one. */
static int stray_quote(struct csv *c, size_t at)
{
    uint32_t line, col;

    if (c->row[at] != c->cols->dialect.quote && at > 0)
        at--;
    csv_place_of(c, csv_row_text(c), at, &line, &col);
    return reader_fail(c->r, DIAG_CSV_QUOTE, line, col, NULL, 0);
}

/* ---- rows that need a parser --------------------------------------------- */

/*
 * libcsv trims blanks and tabs. Its way to forbid that costs a call per byte,
 * so they travel through it as BLANK and TAB, bytes that no UTF-8 text holds:
 * the fields are taken from the row itself anyway.
 */
static const char *veil(struct csv *c, const char *line, size_t n)
{
    char *to = buf_room(&c->veiled, n + sizeof(bytes16));
    size_t i = 0;

    for (; i + sizeof(bytes16) <= n; i += sizeof(bytes16)) {
        bytes16 v;

        memcpy(&v, line + i, sizeof(v));
        v ^= ((bytes16)(v == ' ') & (' ' ^ (uint8_t)BLANK)) |
             ((bytes16)(v == '\t') & ('\t' ^ (uint8_t)TAB));
        memcpy(to + i, &v, sizeof(v));
    }
    for (; i < n; i++)
        to[i] = line[i] == ' ' ? BLANK : line[i] == '\t' ? TAB : line[i];
    return to;
}

/* ---- rows that need no parser -------------------------------------------- */

/* Where in a row of one line we are. */
struct split {
    const char *from;  /* where the field begins */
    const char *close; /* behind the quote that closed it, or NULL */
    size_t n_doubled;  /* quotes in it that were doubled */
    bool in_quotes;
};

/* Copies a quoted text with its doubled quotes made single. */
static void add_unescaped(struct csv *c, struct str s)
{
    char quote = c->cols->dialect.quote, *to = buf_room(&c->unescaped, s.len);
    size_t n = 0;

    for (size_t i = 0; to && i < s.len; i++) {
        to[n++] = s.p[i];
        i += s.p[i] == quote;
    }
    c->unescaped.len += n;
}

/* The field that ends before `end`. */
static void split_field(struct csv *c, struct split *f, const char *end)
{
    size_t column = c->n_fields;
    uint32_t slot = CSV_UNWANTED;
    struct str text = { f->from, (size_t)(end - f->from) };

    if (f->close)
        text = (struct str){ f->from + 1, text.len - 2 };
    note_field(c, text.len - f->n_doubled);
    if (column < c->cols->n_slot_of)
        slot = c->cols->slot_of[column];
    if (slot == CSV_UNWANTED)
        return;
    c->spans[slot] = (struct span){ .at = (size_t)(text.p - c->row),
                                    .len = text.len - f->n_doubled };
    if (f->n_doubled) {
        c->spans[slot].at = c->unescaped.len;
        c->spans[slot].unescaped = true;
        add_unescaped(c, text);
    }
}

/* A quote at `at`; the last byte of the row is before `end`. Returns how many
 * bytes are done with; 0: not as it should be. */
static size_t split_quote(struct split *f, const char *at, const char *end,
                          struct csv_dialect d)
{
    if (!f->in_quotes) {
        f->in_quotes = at == f->from;
        return f->in_quotes;
    }
    if (at + 1 < end && at[1] == d.quote) {
        f->n_doubled++;
        return 2;
    }
    f->in_quotes = false;
    f->close = at + 1;
    return at + 1 == end || at[1] == d.delimiter;
}

/* Marks delimiters and quotes in the eight bytes at p, or in those before
 * `end`: there is no NUL among them. */
static inline uint64_t specials(const char *p, const char *end,
                                struct csv_dialect d)
{
    size_t n = (size_t)(end - p) < 8 ? (size_t)(end - p) : 8;
    uint64_t w = 0;

    if (n == 8)
        w = bytes_load(p);
    else
        memcpy(&w, p, n);
    return bytes_that_are(w, d.delimiter) |
           (d.quote ? bytes_that_are(w, d.quote) : 0);
}

/* The delimiters and quotes of a row, one after the other. */
static bool split_row(struct csv *c, struct str row)
{
    struct csv_dialect d = c->cols->dialect;
    struct split f = { .from = row.p };
    const char *end = row.p + row.len, *next = row.p;

    for (const char *p = row.p; p < end; p += 8) {
        for (uint64_t found = specials(p, end, d); found;
             found = bytes_rest(found)) {
            const char *at = p + bytes_first(found);

            if (at < next)
                continue; /* the second of two quotes */
            next = at + 1;
            if (*at == d.delimiter && !f.in_quotes) {
                split_field(c, &f, at);
                f = (struct split){ .from = next };
            } else if (*at != d.delimiter) {
                size_t n = split_quote(&f, at, end, d);

                if (n == 0)
                    return false;
                next = at + n;
            }
        }
    }
    if (f.in_quotes)
        return false;
    split_field(c, &f, end);
    return true;
}

/*
 * Most rows are one line, whose quotes, if it has any, stand around whole
 * fields: what is in them is clear without libcsv, which looks at each byte in
 * turn. False: the header, a row of several lines, and whatever else libcsv
 * must judge; nothing was taken from it then.
 */
static bool split_plain(struct csv *c, const char *line, size_t n)
{
    if (!c->has_columns || line != c->row)
        return false;
    if (split_row(c, csv_without_break((struct str){ line, n }))) {
        c->row_done = true;
        return true;
    }
    c->n_fields = 0;
    c->long_field = SIZE_MAX;
    buf_clear(&c->unescaped);
    return false;
}

/* ---- lines -------------------------------------------------------------- */

int csv_feed(struct csv *c, const char *line, size_t n)
{
    size_t used;

    c->row_len = (size_t)(line + n - c->row);
    if (c->row_len > c->r->limits->v[LIMIT_CSV_RECORD])
        return csv_row_too_long(c, csv_row_text(c), LIMIT_CSV_RECORD);
    if (split_plain(c, line, n)) {
        c->line++;
        return 0;
    }
    used = csv_parse(&c->parser, c->by_blanks ? line : veil(c, line, n), n,
                     c->has_columns ? on_field : on_title, on_row, c);
    if (used != n)
        return stray_quote(c, (size_t)(line - c->row) + used);
    c->line++;
    return 0;
}

int csv_feed_end(struct csv *c)
{
    if (csv_fini(&c->parser, c->has_columns ? on_field : on_title, on_row, c) !=
        0)
        return open_quote(c, csv_row_text(c));
    return 0;
}

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

void csv_feed_begin(struct csv *c)
{
    struct csv_dialect d = c->cols->dialect;

    csv_init(&c->parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_realloc_func(&c->parser, xrealloc);
    csv_set_blk_size(&c->parser, KB(16));
    csv_set_delim(&c->parser, (unsigned char)d.delimiter);
    csv_set_quote(&c->parser, (unsigned char)d.quote);
    c->by_blanks = is_blank(d.delimiter) || is_blank(d.quote);
    if (c->by_blanks)
        csv_set_space_func(&c->parser, is_no_space);
}
