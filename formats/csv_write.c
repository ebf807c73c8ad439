/*
 * csv_write.c - writes CSV: rows of cells into the sink.
 *
 * Whether a cell needs quotes is decided on what stands in the output: a
 * character that the charset lacks may have become a quote or a delimiter on
 * its way there (“ is often written as "). Only UTF-16, which lacks nothing,
 * is looked at before.
 */
#include "converters/base/utf8.h"
#include "formats/csv.h"
#include "formats/sink.h"

enum { OPT_DELIMITER, OPT_QUOTE, OPT_HEADER, OPT_GUARD };

const struct opt_spec csv_write_opts[] = {
    [OPT_DELIMITER] = { "delimiter", OPT_CHAR, ";", NULL,
                        "what stands between two fields; an ASCII character" },
    [OPT_QUOTE] = { "quote", OPT_CHOICE, "needed", "needed|all|none",
                    "which fields stand in quotes; with none, a value that "
                    "needs them is a fault" },
    [OPT_HEADER] = { "header", OPT_YESNO, "yes", NULL,
                     "whether the first row names the columns" },
    [OPT_GUARD] = { "guard formulas", OPT_YESNO, "no", NULL,
                    "whether a value that a spreadsheet would run as a "
                    "formula gets a ' before it; in a key it is a fault" },
    { 0 },
};

#define REFUSED(c)  [c] = ""
#define REFUSED4(c) REFUSED(c), REFUSED(c + 1), REFUSED(c + 2), REFUSED(c + 3)
#define CONTROLS                                                            \
    REFUSED4(0), REFUSED4(4), REFUSED(8), REFUSED(11), REFUSED(12),         \
        REFUSED(14), REFUSED(15), REFUSED4(16), REFUSED4(20), REFUSED4(24), \
        REFUSED4(28), REFUSED(127)

/* Quotes are doubled; tab, LF and CR are text, other controls are not. */
static const struct escapes cell_escapes = {
    { CONTROLS, ['"'] = "\"\"" },
    .least = SIXTEEN(' '),
    .special = { SIXTEEN('"'), SIXTEEN(127), SIXTEEN('"'), SIXTEEN('"') },
};

static const struct escapes no_escapes;

static int put_char(struct sink *s, char ch)
{
    if (s->cs->kind == CS_UTF16)
        return sink_text(s, (struct str){ &ch, 1 }, &no_escapes);
    return sink_bytes(s, (struct str){ &ch, 1 });
}

/* The first character of text for which the cell must have quotes, or 0. */
static char needs_quotes(const struct sink *s, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.p[i];

        if (ch == s->delimiter || ch == '"' || ch == '\n' || ch == '\r')
            return ch;
    }
    /* Many readers trim blanks at the ends. */
    if (text.len && (text.p[0] == ' ' || text.p[0] == '\t'))
        return text.p[0];
    if (text.len &&
        (text.p[text.len - 1] == ' ' || text.p[text.len - 1] == '\t'))
        return text.p[text.len - 1];
    return 0;
}

/* Without surrounding quotes nothing may stand that needs them, but blanks. */
static int check_plain(struct sink *s, char ch)
{
    if (ch == 0 || ((ch == ' ' || ch == '\t') && ch != s->delimiter))
        return 0;
    s->fault = DIAG_CSV_NO_QUOTE;
    s->bad_cp = (unsigned char)ch;
    return -1;
}

static int quote_since(struct sink *s, size_t start)
{
    char *p = buf_room(&s->out, 2);

    if (!p) {
        s->fault = DIAG_LIMIT;
        return -1;
    }
    p = s->out.p + start;
    memmove(p + 1, p, s->out.len - start);
    p[0] = '"';
    s->out.len++;
    return buf_addc(&s->out, '"');
}

static int put_quoted(struct sink *s, struct str v)
{
    if (put_char(s, '"') != 0 || sink_text(s, v, &cell_escapes) != 0)
        return -1;
    return put_char(s, '"');
}

/* UTF-16 has every character, so the value itself tells. */
static int put_wide(struct sink *s, struct str v)
{
    char ch = needs_quotes(s, v);

    if (s->quote_mode == 'n' && check_plain(s, ch) != 0)
        return -1;
    if (s->quote_mode == 'n' || ch == 0)
        return sink_text(s, v, &cell_escapes);
    return put_quoted(s, v);
}

static int put_cell(struct sink *s, struct str v)
{
    size_t start = s->out.len;
    char ch;

    if (s->quote_mode == 'a')
        return put_quoted(s, v);
    if (s->cs->kind == CS_UTF16)
        return put_wide(s, v);
    if (sink_text(s, v, &cell_escapes) != 0)
        return -1;
    ch = needs_quotes(s, str_from(buf_str(&s->out), start));
    if (s->quote_mode == 'n')
        return check_plain(s, ch);
    return ch ? quote_since(s, start) : 0;
}

/*
 * The first byte of what will stand in the file; *rest of v is behind it. Of a
 * character that the charset lacks it is that of its stand-in, which may be
 * empty, or a sign that begins a formula.
 */
static char first_written(const struct sink *s, struct str v, size_t *rest)
{
    *rest = 0;
    while (*rest < v.len) {
        struct str text = { v.p + *rest, 1 };
        int32_t cp = utf8_next(v, rest);

        if (cp >= 0x80 && !charset_width(s->cs, (uint32_t)cp) &&
            (!s->fallback || !s->fallback(s->ctx, (uint32_t)cp, &text)))
            return '\0'; /* it will be refused */
        if (text.len)
            return text.p[0];
    }
    return '\0';
}

/* The sign for which a spreadsheet would take it for a formula, or 0. Signed
 * numbers are none. */
static char formula_sign(const struct sink *s, struct str v)
{
    size_t rest;
    char first = first_written(s, v, &rest);

    if (first == '=' || first == '@' || first == '\t' || first == '\r')
        return first;
    if (first != '+' && first != '-')
        return '\0';
    for (size_t i = rest; i < v.len; i++)
        if (!strchr("0123456789., ", v.p[i]) || v.p[i] == '\0')
            return first;
    return '\0';
}

static int put_field(struct sink *s, struct str v, bool guard)
{
    char sign = guard ? formula_sign(s, v) : '\0';
    struct buf guarded;
    int rc;

    if (s->state.row_open && put_char(s, s->delimiter) != 0)
        return -1;
    if (s->state.row_open || v.len)
        s->state.depth = 1; /* the row is no empty line */
    s->state.row_open = true;
    if (!sign)
        return put_cell(s, v);
    if (s->is_key) { /* the receiver would know it by another name */
        s->fault = DIAG_FORMULA_KEY;
        s->bad_cp = (unsigned char)sign;
        return -1;
    }
    buf_init(&guarded, v.len + 1);
    buf_addc(&guarded, '\'');
    buf_add(&guarded, v);
    rc = put_cell(s, buf_str(&guarded));
    buf_release(&guarded);
    return rc;
}

static int row_begin(struct sink *s)
{
    s->state.row_open = false;
    s->state.depth = 0;
    return 0;
}

/* A row of one empty cell would be an empty line, which readers skip. */
static int row_end(struct sink *s)
{
    if (s->state.row_open && s->state.depth == 0 && s->quote_mode == '-' &&
        put_quoted(s, STR("")) != 0)
        return -1;
    s->state.row_open = false;
    return sink_text(s, str_of(s->newline), &no_escapes);
}

static int csv_prepare(struct arena *a, struct part *p,
                       const struct write_plan *w)
{
    (void)a;
    (void)p;
    (void)w;
    return 0;
}

static char delimiter_of(struct str s)
{
    if (str_is(s, "tab"))
        return '\t';
    if (str_is(s, "space"))
        return ' ';
    return s.len ? s.p[0] : ';';
}

static int csv_begin(struct sink *s, const struct write_plan *w)
{
    struct str quote = w->opts[OPT_QUOTE].text;

    s->delimiter = delimiter_of(w->opts[OPT_DELIMITER].text);
    s->quote_mode = str_is(quote, "all")    ? 'a'
                    : str_is(quote, "none") ? 'n'
                                            : '-';
    s->guard = w->opts[OPT_GUARD].yes;
    if (!w->opts[OPT_HEADER].yes)
        return 0;
    row_begin(s);
    for (size_t i = 0; i < w->n_cells; i++)
        if (put_field(s, w->cells[i]->name, false) != 0)
            return -1;
    return row_end(s);
}

static int csv_open(struct sink *s, const struct part *p)
{
    return p->kind == PART_ROW ? row_begin(s) : 0;
}

static int csv_value(struct sink *s, const struct part *p, struct str v)
{
    (void)p;
    return put_field(s, v, s->guard);
}

static int csv_close(struct sink *s, const struct part *p)
{
    return p->kind == PART_ROW ? row_end(s) : 0;
}

static int csv_end(struct sink *s)
{
    (void)s;
    return 0;
}

const struct write_ops csv_write_ops = {
    .prepare = csv_prepare,
    .begin = csv_begin,
    .open = csv_open,
    .value = csv_value,
    .close = csv_close,
    .end = csv_end,
};
