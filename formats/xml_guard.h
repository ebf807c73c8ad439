/*
 * xml_guard.h - looks at an XML file's bytes before libxml2 parses them.
 *
 * libxml2 knows no limit for most things and needs quadratic time for some.
 * But its push parser does not touch markup whose end has not come yet: that
 * stays unread in its buffer, and there it is measured after each chunk.
 */
#ifndef FORMATS_XML_GUARD_H
#define FORMATS_XML_GUARD_H

#include "converters/base/limits.h"

/* NULL: all is well. Else what is too long, and by which limit; limit ==
 * N_LIMITS: it is no XML, and the text says why. */
const char *xml_guard_unread(const struct limits *limits, struct str unread,
                             bool in_cdata, enum limit_id *limit);

/*
 * Of an unfinished CDATA section libxml2 reads 300 bytes per call, and looks
 * through all the rest for its end each time. So once a section is long,
 * chunks are held back until that end is there.
 */
struct xml_hold {
    struct buf text; /* max: the limit of a text */
    size_t n_seam;   /* bytes at its start that the parser has already */
};

enum xml_held { XML_FEED, XML_WAIT, XML_TOO_LONG };

/* XML_FEED: *chunk is what the parser gets now; empty h->text after that. */
enum xml_held xml_hold_cdata(struct xml_hold *h, struct str unread,
                             bool in_cdata, struct str *chunk);
/* What is still held at the end of the file. */
struct str xml_hold_rest(const struct xml_hold *h);

/* How sure are we that a file with this head is XML? See format.h. */
int xml_guard_sniff(struct str head);

#endif
