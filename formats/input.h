/*
 * input.h - a file's bytes on their way into a format: read, decoded, checked.
 *
 *   pull() --raw chunks--> decoder --UTF-8 chunks--> input_next()
 *
 * The bytes come from a descriptor or a ZIP member. Decoding stands before
 * everything else, so a format sees only valid UTF-8 without BOM. A chunk is
 * made of at most INPUT_CHUNK raw bytes: small chunks stay in the cache, and
 * an XML parser is fastest on them.
 *
 * What the head of the file gives away is told before a format sees it: an
 * empty file, a web page (that the shop sent in place of the file), a ZIP or a
 * PDF under another name.
 *
 * Which charset? What the map says, whatever the file says. Without that a
 * BOM; then for XML its declaration, which must name a charset that we know
 * and is not believed when it says UTF-16 in single bytes (programs on .NET
 * write that above UTF-8); else UTF-8. The decoder checks what was chosen. A
 * declaration that the map overrules is a warning, which the format gives.
 */
#ifndef FORMATS_INPUT_H
#define FORMATS_INPUT_H

#include "converters/base/charset.h"
#include "converters/base/diag.h"

enum { INPUT_CHUNK = 16 * 1024, INPUT_FORMAT = 16 };

struct input {
    /* Bytes read into buf, 0 at the end, -1 with errno. */
    ptrdiff_t (*pull)(void *ctx, char *buf, size_t n);
    void *ctx;
    const struct charset *cs;  /* NULL: by the XML declaration or BOM, UTF-8 */
    uint64_t max_bytes;        /* limit input */
    char format[INPUT_FORMAT]; /* "CSV", "XML", as messages have it */

    struct decoder dec;
    struct buf out; /* the current chunk */
    char raw[INPUT_CHUNK];
    size_t n_raw; /* in raw, not decoded yet: the head of the file */
    uint64_t n_bytes;
    bool started, ended, failed;
    const char *cs_from; /* who chose cs, for messages */
    /* Of the XML declaration, if the map says another one; else NULL. */
    const struct charset *declared;

    /* Set when input_next() returned -1. */
    enum diag_id fault;
    uint32_t fault_line, fault_col;
    struct str fault_args[DIAG_ARGS];
    size_t n_fault_args;
    char fault_text[DIAG_ARGS][240]; /* where the arguments live */
};

/* Reads a descriptor through `pull`; *fd must outlive the input. */
ptrdiff_t input_pull_fd(void *fd, char *buf, size_t n);

/* `format` is the name of a struct format. */
void input_init(struct input *in, ptrdiff_t (*pull)(void *, char *, size_t),
                void *ctx, const struct charset *cs, uint64_t max_bytes,
                const char *format);
/*
 * 1: *chunk is the next piece of text (never empty, valid until the next call;
 * may end anywhere between two characters), 0: the end, -1: in->fault says
 * why, and says it again.
 */
int input_next(struct input *in, struct str *chunk);
void input_release(struct input *in);

#endif
