/*
 * xml_reader.h - what the files around libxml2's push parser share.
 *
 *   xml.c         the parser's callbacks, faults and limits
 *   xml_at.c      where the parser is: lines, characters, offsets in the file
 *   xml_refuse.c  what a DTD can hold
 *
 * libxml2's headers are included by those alone.
 */
#ifndef FORMATS_XML_READER_H
#define FORMATS_XML_READER_H

#include "formats/format.h"
#include "formats/xml_cut.h"
#include "formats/xml_guard.h"
#include "formats/xml_match.h"
#include "formats/xml_place.h"
#include "formats/xml_plain.h"

struct _xmlParserCtxt;
struct _xmlSAXHandler;

struct xml {
    struct reader *r;
    struct _xmlParserCtxt *ctxt;
    const uint64_t *max; /* the limits */
    struct xml_match match;
    struct xml_plain plain;
    bool learns; /* plain elements; see xml_library_is_known() */
    struct xml_place at;
    uint64_t raw;       /* an offset in the file... */
    uint64_t raw_text;  /* ...and the same place in the decoded text */
    uint64_t last_tag;  /* offset of the last tag seen */
    uint64_t text_run;  /* bytes of text since then */
    uint64_t small_tag; /* a tag up to here cannot be over any limit */
    uint64_t depth;
    struct buf value; /* an attribute's, decoded */
    struct xml_hold held;
    struct xml_cut cut; /* if the reader has one */
    const struct charset *cs;
    bool at_end; /* the parser knows that no more text comes */
    bool junk;   /* ...and the outermost element was complete before */
    int rc;      /* not 0: over */
};

/* The place of p, in the parser's buffer, in the decoded text. */
#define XML_OFFSET(x, p)                     \
    ((uint64_t)((x)->ctxt->input->consumed + \
                ((const xmlChar *)(p) - (x)->ctxt->input->base)))

/* Moves x->at forward to p. Called at least once per chunk. */
void xml_move_to(struct xml *x, const void *p);
/* The same for the end of the start tag being read, a little faster. */
void xml_move_behind_tag(struct xml *x);
/* Where in the file is p? Not before the place that was asked for last. */
uint64_t xml_raw_offset(struct xml *x, const void *p);
/* Where what has just been read whole begins: at its `open`. */
const char *xml_begin_of(const struct xml *x, const char *open);

/* A fault at x->at; its id without DIAG_. */
#define XML_FAIL(x, id, ...) \
    ((x)->rc = READER_FAIL((x)->r, id, (x)->at.line, (x)->at.col, __VA_ARGS__))

/* Ends the parse from inside a callback. */
#define XML_STOP(x, id, ...)              \
    do {                                  \
        if (!(x)->rc) {                   \
            XML_FAIL(x, id, __VA_ARGS__); \
            xmlStopParser((x)->ctxt);     \
        }                                 \
    } while (0)

/* Sets the callbacks that refuse. */
void xml_refuse(struct _xmlSAXHandler *sax);

#endif
