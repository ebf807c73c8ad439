/*
 * sink.h - one output file in memory: text encoded once, into large buffers.
 *
 * The language's writer (converters/lang/write_run.c) owns the sink and
 * empties `out` into the file when it is full; formats only append. A mark
 * and a rewind undo everything since: an element that stayed empty, a record
 * that turned out faulty.
 *
 * A character that the charset lacks is asked of `fallback` (map's table,
 * then the country's, then that for all); there is no silent '?'. The text
 * that stands for it is escaped like any other, and characters in it that the
 * charset lacks as well are asked for again, FALLBACK_DEPTH deep. When that
 * leads nowhere (ț is ţ is ț...), the built-in table for all is the last
 * resort. In a key (s->is_key) nothing is ever replaced.
 *
 * A format that decides by a value's text how to write it (CSV: quotes or
 * not) must bear in mind that a fallback may bring in other characters.
 */
#ifndef FORMATS_SINK_H
#define FORMATS_SINK_H

#include "converters/base/charset.h"
#include "converters/base/diag.h"

/* out.max of a new sink; the owner may set another. */
enum { SINK_MAX = 512 * 1024 * 1024 };

struct sink {
    struct buf out;
    const struct charset *cs;
    const char *newline; /* "\n" or "\r\n" */
    bool is_key;         /* the value being written is a key field */

    /* What stands for cp? false: nothing does. */
    bool (*fallback)(void *ctx, uint32_t cp, struct str *text);
    void (*replaced)(void *ctx, uint32_t cp); /* counts */
    void *ctx;

    /* Why a call returned -1. */
    enum diag_id fault; /* UNMAPPABLE, UNMAPPABLE_KEY, FORMULA_KEY,
                         * CONTROL_CHAR, CSV_NO_QUOTE, ATTRIBUTE_TWICE, LIMIT
                         * (out is full) */
    uint32_t bad_cp;

    /* State of the format's writer; saved by marks. */
    struct sink_state {
        bool tag_open; /* xml: the start tag has no '>' yet */
        bool in_text;  /* xml: text stood last in the open element */
        bool row_open; /* csv: a cell was written */
        bool has_root; /* xml: the outermost element was opened */
        uint32_t depth;
        size_t tag_at; /* xml: where the start tag begins in out */
    } state;
    /* csv: options, read once in begin() */
    char quote_mode, delimiter;
    bool guard;
};

struct sink_mark {
    size_t len;
    struct sink_state state;
};

typedef int8_t chars16 __attribute__((vector_size(16)));

/*
 * For each ASCII character: NULL = write it as it is, else the text that
 * stands for it (ASCII, too); "" refuses it (CONTROL_CHAR). Non-ASCII is
 * encoded.
 *
 * `least` and `special` say the same in short, for sixteen characters at once:
 * of what is neither below `least` nor special, nothing is escaped.
 */
struct escapes {
    const char *of[128];
    chars16 least;
    chars16 special[4]; /* fewer: the first one again */
};
#define SIXTEEN(c)                                     \
    {                                                  \
        c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c \
    }

static inline struct sink_mark sink_mark(const struct sink *s)
{
    return (struct sink_mark){ s->out.len, s->state };
}

static inline void sink_rewind(struct sink *s, struct sink_mark m)
{
    s->out.len = m.len;
    s->state = m.state;
}

void sink_init(struct sink *s, const struct charset *cs);
void sink_release(struct sink *s);
int sink_bytes_slow(struct sink *s, struct str bytes);

/* Bytes that are in the output charset already. */
static inline int sink_bytes(struct sink *s, struct str bytes)
{
    if (s->out.cap - s->out.len < bytes.len)
        return sink_bytes_slow(s, bytes);
    str_copy(s->out.p + s->out.len, bytes);
    s->out.len += bytes.len;
    return 0;
}

/*
 * UTF-8 text, escaped and encoded; esc may be NULL. 0, or -1 with s->fault
 * and nothing added.
 */
int sink_text(struct sink *s, struct str utf8, const struct escapes *esc);
/*
 * A text between bytes that are in the charset already: nearly all of what is
 * written. The same as sink_bytes(), sink_text() and sink_bytes(), or
 * nothing is added.
 */
int sink_between(struct sink *s, struct str open, struct str utf8,
                 const struct escapes *esc, struct str close);
/* utf8 in the charset, for names prepared once; -1: not encodable. */
int sink_encode(struct arena *a, const struct charset *cs, struct str utf8,
                struct str *out);

#endif
