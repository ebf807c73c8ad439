/*
 * csv.c - reads CSV, one line at a time.
 *
 * How a byte travels: input.c decodes it; take_chunk() finds the line ends;
 * csv_parse.c splits a plain line at its delimiters and gives any other one to
 * libcsv; what it notes is where in the row each wanted field stands.
 * csv_rows.c copies the row once, into the reader's arena, and hands over an
 * item whose cells point into it.
 *
 * libcsv decides what a field and a row are, in its strict mode, and trims
 * nothing. It knows neither places nor limits, so it gets whole lines: then
 * we know in its callbacks where we are, a row can end once per call only,
 * and nothing larger than the limit of a row ever reaches it.
 *
 * An empty line outside quotes is no row (libcsv's rule, and the shops').
 */
#include <stdlib.h>

#include "converters/base/text.h"
#include "converters/base/utf8.h"
#include "formats/csv.h"

enum { OPT_DELIMITER, OPT_QUOTE, OPT_HEADER };

static const struct opt_spec read_opts[] = {
    [OPT_DELIMITER] = { "delimiter", OPT_CHAR, ";", NULL,
                        "what stands between two fields; an ASCII character" },
    [OPT_QUOTE] = { "quote", OPT_CHAR, "\"", "none",
                    "what stands around a field that holds a delimiter; "
                    "none: quotes are plain text" },
    [OPT_HEADER] = { "header", OPT_YESNO, "yes", NULL,
                     "whether the first row names the columns" },
    { 0 },
};

/* Where line ends stand in a chunk, so that each byte is looked at once. */
struct line_ends {
    const char *lf, *cr;
};

static struct str char_word(struct str s)
{
    return str_is(s, "\t") ? STR("tab") : str_is(s, " ") ? STR("space") : s;
}

/* ---- lines -------------------------------------------------------------- */

/*
 * Excel's "sep=;" above the header is no row. It says how the file is to be
 * read, so it must say what the map does. 1: it is that, -1: it disagrees.
 */
static int take_sep(struct csv *c, struct str line)
{
    struct str text = csv_without_break(line), sep;
    char ours = c->cols->dialect.delimiter;

    if (text.len > 2 && text.p[0] == '"' && text.p[text.len - 1] == '"')
        text = str_first(str_from(text, 1), text.len - 2);
    sep = str_from(text, 4);
    if (!str_eq_nocase(str_first(text, 4), STR("sep=")) || utf8_count(sep) != 1)
        return 0;
    if (sep.len == 1 && sep.p[0] == ours)
        return 1;
    return READER_FAIL(c->r, CSV_SEP, 1, 1, char_word(sep),
                       char_word((struct str){ &ours, 1 }));
}

/* A line with its end; the row's text reaches to it without a gap. */
static int take_line(struct csv *c, const char *line, size_t n)
{
    struct str s = { line, n };
    int skip = line == c->row && csv_without_break(s).len == 0;

    if (c->line == 1 && line == c->row && !skip)
        skip = take_sep(c, s);
    if (skip < 0)
        return -1;
    if (skip) {
        c->line++;
        c->offset += charset_raw_size(c->r->in->dec.cs, s);
        csv_next_row(c);
        return 0;
    }
    if (csv_feed(c, line, n) != 0)
        return -1;
    if (c->row_done)
        return csv_end_row(c);
    if (++c->breaks > c->r->limits->v[LIMIT_CSV_BREAKS])
        return csv_row_too_long(c, csv_row_text(c), LIMIT_CSV_BREAKS);
    return 0;
}

static const char *find_char(const char *p, const char *end, char what)
{
    const char *at = memchr(p, what, (size_t)(end - p));

    return at ? at : end;
}

/* Bytes of the first line of `in` with its end; 0: the end is not in it.
 * A CR that is the last byte may be half of CRLF, so it does not count. */
static size_t line_len(struct line_ends *e, struct str in)
{
    const char *end = in.p + in.len;

    if (!e->lf || e->lf < in.p)
        e->lf = find_char(in.p, end, '\n');
    if (!e->cr || e->cr < in.p)
        e->cr = find_char(in.p, end, '\r');
    if (e->lf < e->cr)
        return (size_t)(e->lf - in.p) + 1;
    if (end - e->cr < 2)
        return 0;
    return (size_t)(e->cr - in.p) + (e->cr[1] == '\n' ? 2 : 1);
}

/* Adds to a row that began in an earlier chunk. */
static int carry(struct csv *c, struct str text)
{
    size_t room = c->carry.max - c->carry.len;

    buf_add(&c->carry, str_first(text, room));
    c->row = c->carry.p;
    return text.len > room
               ? csv_row_too_long(c, buf_str(&c->carry), LIMIT_CSV_RECORD)
               : 0;
}

/* Hands over what the carry has more than libcsv got. */
static int take_carried(struct csv *c)
{
    size_t fed = c->row_len;
    int rc = take_line(c, c->carry.p + fed, c->carry.len - fed);

    if (!c->row)
        buf_clear(&c->carry);
    return rc;
}

static int take_chunk(struct csv *c, struct str in)
{
    struct line_ends ends = { 0 };
    size_t n;
    int rc = 0;

    if (c->carry.len > c->row_len && c->carry.p[c->carry.len - 1] == '\r') {
        n = in.p[0] == '\n';
        rc = carry(c, str_first(in, n));
        if (rc == 0)
            rc = take_carried(c);
        in = str_from(in, n);
    }
    while (rc == 0 && in.len && (n = line_len(&ends, in)) > 0) {
        if (c->carry.len) {
            rc = carry(c, str_first(in, n));
            if (rc == 0)
                rc = take_carried(c);
        } else {
            if (!c->row)
                c->row = in.p;
            rc = take_line(c, in.p, n);
        }
        in = str_from(in, n);
    }
    if (rc != 0 || (!c->row && !in.len))
        return rc;
    if (c->carry.len)
        return carry(c, in);
    if (!c->row)
        c->row = in.p;
    return carry(c, (struct str){ c->row, (size_t)(in.p + in.len - c->row) });
}

/* An empty line, or the ^Z that programs of DOS put at the end. */
static bool is_nothing(struct str rest)
{
    return csv_without_break(rest).len == 0 || str_is(rest, "\x1a");
}

/* The end of the file ends the last row, unless a quote is open. */
static int take_end(struct csv *c)
{
    struct str rest = str_from(buf_str(&c->carry), c->row_len);

    if (!c->row)
        return 0;
    if (c->row_len == 0 && is_nothing(rest))
        return 0;
    c->at_end = csv_without_break(rest).len == rest.len;
    if (rest.len && csv_feed(c, rest.p, rest.len) != 0)
        return -1;
    if (!c->row_done && csv_feed_end(c) != 0)
        return -1;
    return csv_end_row(c);
}

/* ---- the file ----------------------------------------------------------- */

/* The character of an option; -1: none that a byte-wise reader can take. */
static int option_char(struct str s)
{
    if (str_is(s, "tab"))
        return '\t';
    if (str_is(s, "space"))
        return ' ';
    if (str_is(s, "none"))
        return '\0';
    if (s.len != 1 || (s.p[0] < ' ' && s.p[0] != '\t'))
        return -1;
    return s.p[0];
}

static int read_options(struct reader *r, struct csv_columns *k)
{
    int delimiter = option_char(r->opts[OPT_DELIMITER].text);
    int quote = option_char(r->opts[OPT_QUOTE].text);

    if (delimiter <= 0)
        return READER_FAIL(r, OPTION_VALUE, 0, 0, STR("delimiter"),
                           STR("it is one ASCII character, tab or space"));
    if (quote < 0 || quote == delimiter)
        return READER_FAIL(r, OPTION_VALUE, 0, 0, STR("quote"),
                           STR("it is none or one ASCII character, and not "
                               "the delimiter"));
    k->dialect = (struct csv_dialect){ (char)delimiter, (char)quote };
    k->header = r->opts[OPT_HEADER].yes;
    return 0;
}

/* Without header the map itself says which columns it can want. */
static int resolve_places(struct csv *c)
{
    uint64_t n = 0;

    for (const struct want *w = c->r->plan->record->child; w; w = w->next)
        if (w->kind == WANT_NTH && w->nth > n)
            n = w->nth;
    if (n > c->max_columns)
        n = c->max_columns;
    c->has_columns = true;
    c->spans = xcalloc(n + 1, sizeof(*c->spans));
    return csv_resolve(c->r, c->cols, NULL, (uint32_t)n, 1);
}

static int start(struct csv *c, struct reader *r)
{
    *c = (struct csv){ .r = r, .line = 1, .row_line = 1 };
    c->max_columns = r->limits->v[LIMIT_CSV_COLUMNS];
    if (c->max_columns >= CSV_UNWANTED)
        c->max_columns = CSV_UNWANTED - 1;
    c->max_field = r->limits->v[LIMIT_CSV_FIELD];
    c->long_field = SIZE_MAX;
    c->cols = arena_alloc(r->names, sizeof(*c->cols));
    r->state = c->cols;
    buf_init(&c->carry, r->limits->v[LIMIT_CSV_RECORD]);
    buf_init(&c->unescaped, r->limits->v[LIMIT_CSV_RECORD]);
    buf_init(&c->veiled, r->limits->v[LIMIT_CSV_RECORD] + 16);
    if (read_options(r, c->cols) != 0)
        return -1;
    csv_feed_begin(c);
    return c->cols->header ? 0 : resolve_places(c);
}

static int input_fault(struct reader *r)
{
    struct input *in = r->in;

    return reader_fail(r, in->fault, in->fault_line, in->fault_col,
                       in->fault_args, in->n_fault_args);
}

static int read_chunks(struct csv *c)
{
    struct input *in = c->r->in;
    bool first = true;
    struct str chunk;
    int more, rc = 0;

    while (rc == 0 && (more = input_next(in, &chunk)) != 0) {
        if (more < 0)
            return input_fault(c->r);
        if (first) /* a BOM stands before the first row */
            c->offset = in->dec.raw_done - charset_raw_size(in->dec.cs, chunk);
        first = false;
        if (chunk.len)
            rc = take_chunk(c, chunk);
    }
    if (rc == 0)
        rc = take_end(c);
    if (rc == 0 && !c->has_columns)
        return reader_fail(c->r, DIAG_FILE_EMPTY, 0, 0, NULL, 0);
    return rc;
}

static int csv_read(struct reader *r)
{
    struct csv c;
    int rc = start(&c, r);

    if (rc == 0)
        rc = read_chunks(&c);
    csv_free(&c.parser);
    buf_release(&c.carry);
    buf_release(&c.unescaped);
    buf_release(&c.veiled);
    free(c.spans);
    return rc;
}

static void csv_locate(const struct reader *r, const struct item *record,
                       uint32_t cell, uint32_t *line, uint32_t *col)
{
    const struct csv_columns *k = r->state;
    size_t at = csv_field_start(k->dialect, record->raw, k->column_of[cell]);

    *line = record->line;
    *col = record->col;
    csv_advance(record->raw, at, line, col);
}

/* Text with a usual delimiter in its first line; never quite certain. */
static int csv_sniff(struct str head)
{
    ptrdiff_t end = str_find_char(head, '\n');
    struct str line = end < 0 ? head : str_first(head, (size_t)end);
    struct str text = str_trim(line);

    if (!text.len || str_find_char(head, '\0') >= 0 || text.p[0] == '<' ||
        text.p[0] == '{' || text.p[0] == '[')
        return 0;
    if (str_find_char(line, ';') >= 0 || str_find_char(line, '\t') >= 0)
        return 60;
    return str_find_char(line, ',') >= 0 ? 50 : 10;
}

static const char *const suffixes[] = { "csv", "txt", "tsv", NULL };

extern const struct format format_csv;

const struct format format_csv = {
    .name = "csv",
    .title = "CSV",
    .help = "rows of fields between delimiters, with or without a header",
    .suffixes = suffixes,
    .read_opts = read_opts,
    .write_opts = csv_write_opts,
    .rows = true,
    .sniff = csv_sniff,
    .read = csv_read,
    .locate = csv_locate,
    .write = &csv_write_ops,
};
