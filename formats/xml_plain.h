/*
 * xml_plain.h - plain elements, read without the parser.
 *
 * Most of an accounting file looks like
 *
 *     <stk:storage><typ:id>1</typ:id><typ:ids>ESHOP</typ:ids></stk:storage>
 *     <stk:isSales>true</stk:isSales>
 *
 * no attributes, elements and text. libxml2 needs most of its time to find out
 * what these tags mean, anew for each record. Here they are known by their
 * bytes, once libxml2 has taken one like it apart.
 *
 * What is taken for plain is so narrow that libxml2 would see the same in it,
 * and nothing wrong:
 *
 *   - each start tag is byte for byte one that libxml2 has taken apart while
 *     no namespace was declared and none went out of scope since;
 *   - text has no "]]>", no character that XML forbids, no CR but before LF,
 *     and no '&' but that of the five references that XML knows itself;
 *   - each end tag has the name of its start tag, and no blank;
 *   - all of it, to the end of the element that begins it, is there.
 *
 * Anything else is left to libxml2, where it stands. So is what is too deep or
 * too long: what is looked at in vain is looked at a few times at most.
 */
#ifndef FORMATS_XML_PLAIN_H
#define FORMATS_XML_PLAIN_H

#include "formats/xml_match.h"

enum {
    XML_PLAIN_TAG = 48, /* bytes of a start tag */
    XML_PLAIN_NAMES = 256,
    XML_PLAIN_TOKENS = 256,
    XML_PLAIN_DEPTH = 4, /* elements in each other */
};

/* A start tag that libxml2 has taken apart. */
struct xml_plain_name {
    char tag[XML_PLAIN_TAG]; /* "<stk:isSales>" */
    size_t len;
    struct xml_name name;        /* what the namespaces make of it, */
    uint64_t scope;              /* ...these ones */
    struct xml_plain_name *then; /* which tag came next the last time */
};

enum xml_token_kind {
    XML_TEXT,
    XML_TEXT_CODED, /* with references or CRLF in it */
    XML_OPENS,
    XML_CLOSES
};

/* Begins where the one before it ends. */
struct xml_token {
    const char *end;
    const struct xml_plain_name *opens;
    enum xml_token_kind kind;
    uint32_t lines;     /* line ends in it */
    uint32_t last_line; /* bytes behind the last of them, or all */
};

struct xml_plain {
    struct xml_plain_name names[XML_PLAIN_NAMES]; /* by their hash */
    struct xml_plain_name *last;
    unsigned char kinds[256]; /* of bytes */
    uint64_t scope;           /* a new one whenever namespaces come or go */
    uint64_t declares; /* a bit for the depth of each open element that brings
                        * some */
    struct xml_token tokens[XML_PLAIN_TOKENS];
    size_t n_tokens;
};

void xml_plain_init(struct xml_plain *l);
/* libxml2 has read a start tag without attributes; its '>' is at tag_end, and
 * `base` is where its buffer begins. */
void xml_plain_learn(struct xml_plain *l, const char *base, const char *tag_end,
                     const struct xml_name *name, const char *prefix);
/* Behind a tag: does s begin with a plain element, and perhaps text before it?
 * Then l->tokens are they. */
bool xml_plain_find(struct xml_plain *l, struct str s);

/* One of XML's own references at the start of s: its length, and what it means.
 * 0: there is none. */
size_t xml_plain_reference(struct str s, char *to);

/* The innermost of `depth` elements declares namespaces. */
static inline void xml_plain_declare(struct xml_plain *l, uint64_t depth)
{
    l->scope++;
    if (depth < 64)
        l->declares |= (uint64_t)1 << depth;
}

/* The innermost of `depth` elements closes. */
static inline void xml_plain_close(struct xml_plain *l, uint64_t depth)
{
    if (depth < 64 && !(l->declares >> depth & 1))
        return;
    l->scope++;
    if (depth < 64)
        l->declares &= ~((uint64_t)1 << depth);
}

#endif
