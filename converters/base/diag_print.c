/* diag_print.c - messages as people and as programs read them. */
#include <inttypes.h>
#include <limits.h>

#include "converters/base/diag.h"
#include "converters/base/utf8.h"

/* Characters of a source line that are shown around its caret. */
enum { LINE_MAX_CHARS = 160, WINDOW_BEFORE = 80 };

/* More than any message's text with its arguments, which are cut. */
enum { MESSAGE_MAX = 1 << 16 };

static const struct {
    const char *name, *colour;
} levels[] = {
    [DIAG_NOTE] = { "note", "\033[1m" },
    [DIAG_WARNING] = { "warning", "\033[1;33m" },
    [DIAG_ERROR] = { "error", "\033[1;31m" },
};

static void paint(struct buf *out, bool colour, const char *code)
{
    if (colour)
        buf_addz(out, code);
}

/* "orders.map:14:9", without what is not known. */
static void add_place(struct buf *out, const struct place *at)
{
    show_text_max(out, at->src->name, PATH_MAX);
    if (at->line)
        buf_addf(out, ":%" PRIu32, at->line);
    if (at->line && at->col)
        buf_addf(out, ":%" PRIu32, at->col);
}

static void add_head(struct buf *out, const struct diag *d, bool colour)
{
    enum diag_level level = diag_table[d->id].level;

    if (d->at.src) {
        paint(out, colour, "\033[1m");
        add_place(out, &d->at);
        buf_addc(out, ':');
        paint(out, colour, "\033[0m");
        buf_addc(out, ' ');
    }
    paint(out, colour, levels[level].colour);
    buf_addf(out, "%s:", levels[level].name);
    paint(out, colour, "\033[0m");
    buf_addc(out, ' ');
    diag_text(d->id, d->args, out);
    buf_addf(out, " [%s]\n", diag_table[d->id].name);
}

/* ---- the source line with its caret; all numbers below are characters ---- */

struct excerpt {
    struct str line;
    size_t n, from, to; /* characters: all, and those that are shown */
    size_t caret, len;  /* in what is shown, from 0; len == 0: no caret */
    bool cut;           /* a window: "..." at an end that is not the line's */
    size_t indent;
};

/* The character at *pos; a byte that is not UTF-8 counts as one. */
static struct str next_char(struct str s, size_t *pos)
{
    size_t from = *pos;

    if (utf8_next(s, pos) < 0)
        ++*pos;
    return (struct str){ s.p + from, *pos - from };
}

static size_t n_chars(struct str s)
{
    size_t n = 0;

    for (size_t pos = 0; pos < s.len; n++)
        next_char(s, &pos);
    return n;
}

static bool source_line(const struct place *at, struct str *line)
{
    struct str rest = at->src ? at->src->text : (struct str){ NULL, 0 };
    ptrdiff_t end;

    if (!at->line || !rest.p)
        return false;
    for (uint32_t n = 1; n < at->line; n++) {
        end = str_find_char(rest, '\n');
        if (end < 0)
            return false;
        rest = str_from(rest, (size_t)end + 1);
    }
    end = str_find_char(rest, '\n');
    *line = end < 0 ? rest : str_first(rest, (size_t)end);
    if (str_ends(*line, STR("\r")))
        line->len--;
    if (at->line == 1 && str_starts(*line, STR("\xEF\xBB\xBF")))
        *line = str_from(*line, 3);
    return true;
}

/* Makes a window of a line that is too long to show. */
static void narrow(struct excerpt *x)
{
    if (x->to - x->from <= LINE_MAX_CHARS)
        return;
    if (x->caret > WINDOW_BEFORE)
        x->from = x->caret - WINDOW_BEFORE;
    if (x->from + LINE_MAX_CHARS > x->n)
        x->from = x->n - LINE_MAX_CHARS;
    x->to = x->from + LINE_MAX_CHARS;
    x->cut = true;
}

static struct excerpt excerpt_of(struct str line, const struct place *at,
                                 bool trimmed)
{
    struct excerpt x = { .line = line, .n = n_chars(line) };

    while (trimmed && x.indent < line.len &&
           (line.p[x.indent] == ' ' || line.p[x.indent] == '\t'))
        x.indent++;
    x.from = x.indent;
    x.to = x.n;
    /* A caret may stand behind the last character: something is missing. */
    x.caret = at->col > x.n ? x.n : at->col ? at->col - 1 : 0;
    if (x.caret < x.from)
        x.caret = x.from;
    narrow(&x);
    x.len = at->len ? at->len : 1;
    if (x.len > x.to - x.caret)
        x.len = x.to > x.caret ? x.to - x.caret : 1;
    if (!at->col)
        x.len = 0;
    x.caret -= x.from;
    return x;
}

/* Every character takes one column, so that the caret stands below its own. */
static void add_char(struct buf *out, struct str c)
{
    size_t pos = 0;
    int32_t cp = utf8_next(c, &pos);

    if (cp == '\t')
        buf_addc(out, ' ');
    else if (cp < ' ' || (cp >= 0x7F && cp < 0xA0))
        buf_addc(out, '?');
    else
        buf_add(out, c);
}

static void add_line(struct buf *out, const struct excerpt *x)
{
    size_t pos = 0;

    for (size_t i = 0; i < x->to; i++) {
        struct str c = next_char(x->line, &pos);
        bool dot = x->cut && ((x->from > x->indent && i < x->from + 3) ||
                              (x->to < x->n && i + 3 >= x->to));

        if (i < x->from)
            continue;
        if (dot)
            buf_addc(out, '.');
        else
            add_char(out, c);
    }
    buf_addc(out, '\n');
}

static void add_carets(struct buf *out, const struct excerpt *x, size_t before)
{
    for (size_t i = 0; i < before + x->caret; i++)
        buf_addc(out, ' ');
    buf_addc(out, '^');
    for (size_t i = 1; i < x->len; i++)
        buf_addc(out, '~');
    buf_addc(out, '\n');
}

/* Below a mistake in a map: the line, as compilers show it. */
static void add_source(struct buf *out, const struct place *at)
{
    struct excerpt x;
    struct str line;

    if (!source_line(at, &line))
        return;
    x = excerpt_of(line, at, false);
    buf_addf(out, "%5" PRIu32 " | ", at->line);
    add_line(out, &x);
    if (x.len) {
        buf_addz(out, "      | ");
        add_carets(out, &x, 0);
    }
}

/* Below a fault in data: record, line of the map, and what happens now. */
static void add_trail(struct buf *out, const struct diag *d)
{
    static const char indent[] = "   ";
    struct excerpt x;
    struct str line;

    if (d->record.len) {
        buf_addz(out, indent);
        show_text(out, d->record);
        buf_addc(out, '\n');
    }
    if (d->map.src) {
        size_t from = out->len;

        buf_addz(out, indent);
        add_place(out, &d->map);
        if (source_line(&d->map, &line)) {
            buf_addz(out, ":  ");
            x = excerpt_of(line, &d->map, true);
            from = n_chars(str_from(buf_str(out), from));
            add_line(out, &x);
            if (x.len)
                add_carets(out, &x, from);
        } else {
            buf_addc(out, '\n');
        }
    }
    if (d->outcome.len) {
        buf_addz(out, indent);
        show_text(out, d->outcome);
        buf_addc(out, '\n');
    }
}

/* Entries that were counted and not listed. */
static uint64_t n_more(const struct diags *d)
{
    uint64_t listed = 0;

    for (const struct diag *i = d->first; i; i = i->next)
        listed += diag_table[i->id].level != DIAG_NOTE;
    return d->n_errors + d->n_warnings - d->n_alike - listed;
}

/* "... and 269990 more like it from pohoda-stock.map:12 [check-failed]" */
static void add_alike(struct buf *out, const struct diags *d)
{
    for (const struct alike *a = d->alike; a; a = a->next) {
        if (a->n <= DIAG_ALIKE)
            continue;
        buf_addf(out, "... and %" PRIu64 " more like it",
                 a->n - (uint64_t)DIAG_ALIKE);
        if (a->map.src)
            buf_addf(out, " from %.*s:%u", STR_ARGS(a->map.src->name),
                     a->map.line);
        buf_addf(out, " [%s]\n", diag_table[a->id].name);
    }
}

void diags_print(const struct diags *d, bool colour, struct buf *out)
{
    for (const struct diag *i = d->first; i; i = i->next) {
        add_head(out, i, colour);
        if (i->map.src || i->record.len || i->outcome.len)
            add_trail(out, i);
        else
            add_source(out, &i->at);
    }
    add_alike(out, d);
    if (n_more(d))
        buf_addf(out,
                 "... and %" PRIu64 " more (limit errors of %" PRIu64 ")\n",
                 n_more(d), d->max);
}

/* ---- JSON --------------------------------------------------------------- */

void json_string(struct buf *out, struct str s)
{
    static const char what[] = "\"\\\b\f\n\r\t", as[] = "\"\\bfnrt";
    size_t pos = 0;

    buf_addc(out, '"');
    while (pos < s.len) {
        struct str c = next_char(s, &pos);
        unsigned char first = (unsigned char)c.p[0];
        const char *e = first ? strchr(what, first) : NULL;

        if (c.len == 1 && first >= 0x80)
            buf_addz(out, "\\ufffd");
        else if (e)
            buf_addf(out, "\\%c", as[e - what]);
        else if (first < ' ')
            buf_addf(out, "\\u%04x", first);
        else
            buf_add(out, c);
    }
    buf_addc(out, '"');
}

static void json_place(struct buf *out, const struct place *at)
{
    if (!at->src)
        return;
    buf_addz(out, "\"file\":");
    json_string(out, at->src->name);
    if (at->line)
        buf_addf(out, ",\"line\":%" PRIu32, at->line);
    if (at->line && at->col)
        buf_addf(out, ",\"column\":%" PRIu32, at->col);
    if (at->line && at->col && at->len)
        buf_addf(out, ",\"length\":%" PRIu32, at->len);
}

static void json_text(struct buf *out, const char *name, struct str s)
{
    if (!s.len)
        return;
    buf_addf(out, ",\"%s\":", name);
    json_string(out, s);
}

static void json_diag(struct buf *out, const struct diag *d, struct buf *text)
{
    const struct diag_info *info = &diag_table[d->id];

    buf_addc(out, '{');
    json_place(out, &d->at);
    buf_addf(out, "%s\"level\":\"%s\"", d->at.src ? "," : "",
             levels[info->level].name);
    json_text(out, "name", str_of(info->name));
    buf_clear(text);
    diag_text(d->id, d->args, text);
    json_text(out, "text", buf_str(text));
    if (d->map.src) {
        buf_addz(out, ",\"map\":{");
        json_place(out, &d->map);
        buf_addc(out, '}');
    }
    json_text(out, "record", d->record);
    json_text(out, "outcome", d->outcome);
    buf_addz(out, "}\n");
}

void diags_print_json(const struct diags *d, struct buf *out)
{
    struct buf text;

    buf_init(&text, MESSAGE_MAX);
    for (const struct diag *i = d->first; i; i = i->next)
        json_diag(out, i, &text);
    if (n_more(d) + d->n_alike)
        buf_addf(out, "{\"more\":%" PRIu64 "}\n", n_more(d) + d->n_alike);
    buf_release(&text);
}
