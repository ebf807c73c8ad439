/*
 * csv_place.c - line and column of things in a row's text.
 *
 * Reading keeps no places but each row's line: they are needed for faults
 * only, and a row is quickly read once more.
 */
#include "formats/csv.h"

/* The byte behind the quote that closes; 0: none does. at: inside. */
static size_t closing_quote(struct csv_dialect d, struct str raw, size_t at)
{
    for (;;) {
        const char *p =
            at < raw.len ? memchr(raw.p + at, d.quote, raw.len - at) : NULL;

        if (!p)
            return 0;
        at = (size_t)(p - raw.p) + 1;
        if (at == raw.len || raw.p[at] != d.quote)
            return at;
        at++;
    }
}

/* The byte behind the field that begins at `at`; *open: its quote never
 * closes. Text behind a closing quote is skipped as part of the field. */
static size_t field_end(struct csv_dialect d, struct str raw, size_t at,
                        bool *open)
{
    const char *p;

    *open = false;
    if (d.quote && at < raw.len && raw.p[at] == d.quote) {
        at = closing_quote(d, raw, at + 1);
        *open = at == 0;
        if (*open)
            return raw.len;
    }
    p = at < raw.len ? memchr(raw.p + at, d.delimiter, raw.len - at) : NULL;
    return p ? (size_t)(p - raw.p) : raw.len;
}

size_t csv_field_start(struct csv_dialect d, struct str raw, size_t field)
{
    size_t at = 0;
    bool open;

    for (; field; field--) {
        at = field_end(d, raw, at, &open);
        if (at >= raw.len)
            return raw.len;
        at++;
    }
    return at;
}

ptrdiff_t csv_open_quote(struct csv_dialect d, struct str raw)
{
    for (size_t at = 0; at < raw.len;) {
        bool open;
        size_t end = field_end(d, raw, at, &open);

        if (open)
            return (ptrdiff_t)at;
        at = end + 1;
    }
    return -1;
}

void csv_advance(struct str text, size_t n, uint32_t *line, uint32_t *col)
{
    for (size_t i = 0; i < n && i < text.len; i++) {
        char ch = text.p[i];

        if (ch == '\n' ||
            (ch == '\r' && (i + 1 >= text.len || text.p[i + 1] != '\n'))) {
            ++*line;
            *col = 1;
        } else if (((unsigned char)ch & 0xc0) != 0x80) {
            ++*col;
        }
    }
}
