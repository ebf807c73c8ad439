/*
 * xml_match.h - which elements and attributes of an XML file a map wants.
 *
 * Knows nothing of the parser: formats/xml.c tells it what opens and closes,
 * with names that are interned (equal names have equal addresses), and it
 * builds the items.
 *
 *   outside a record   every open element has a frame; its pairs (step, item)
 *                      follow plan->root. Items live on the heap and go when
 *                      their element is no ancestor of a record any more, so
 *                      that memory does not grow with the records.
 *   inside a record    only elements that fit something have a frame; its
 *                      pairs follow plan->record. Items live in reader->arena.
 *                      Everything below an element that fits nothing is
 *                      skipped by counting depth.
 *
 * Text is collected in one buffer used as a stack: an inner element's text
 * leaves it before the outer one goes on, so joining never copies twice.
 */
#ifndef FORMATS_XML_MATCH_H
#define FORMATS_XML_MATCH_H

#include "formats/format.h"

struct xml_name {
    const char *local, *uri; /* interned; uri NULL: of no namespace */
    bool unbound;            /* has a prefix that nobody declared */
};

/* A want with interned names and its children sorted by kind. */
struct xml_step {
    const struct want *want;
    const char *local, *uri;
    bool any_uri, is_glob, needs_text;
    bool any_name; /* the glob `*` */
    struct xml_step *elements, *attributes, *selves;
    uint32_t n_elements, n_attributes, n_selves, n_children;
    /* For telling quickly that an element fits none of `elements`: a bit for
     * each of their names, all bits if one is a glob. */
    uint64_t name_bits;
    bool is_alone; /* no sibling can fit the same element */
    /* Records are alike: which child was matched last, and which sibling
     * was matched after this one the last time. */
    struct xml_step *latest, *then;
    bool holds_records; /* plan->root: a record stood inside such an element */
};

struct xml_pair {
    struct xml_step *step;
    struct item *item;
};

/* An open element. */
struct xml_frame {
    struct xml_name name; /* set only outside records */
    size_t first_pair;    /* its pairs reach to the next frame's */
    size_t text;          /* where its text begins in xml_match.text */
    uint32_t on_path;     /* steps of plan->path that lead here, all fitting */
    bool keeps_text;
    bool has_record; /* a record has begun inside */
};

typedef const char *xml_intern(void *ctx, struct str name);

struct xml_match {
    struct reader *r;
    struct xml_step record, root, *path;
    uint32_t n_path;
    bool ignores_uris;        /* some want is `namespaces ignore` */
    struct xml_frame *frames; /* [0] is the document */
    size_t n_frames, cap_frames;
    struct xml_pair *pairs;
    size_t n_pairs, cap_pairs;
    struct buf text;
    bool keeps_text;  /* of the innermost open element */
    uint64_t skipped; /* open elements that fit nothing */

    uint64_t max_text;
    struct item *item;   /* the record that is open, or NULL */
    size_t record_frame; /* ...and its frame */
    size_t used_before;  /* arena.used before it */
    uint64_t root_bytes; /* what r->root's tree takes */
    struct item root_item;
};

enum xml_started { XML_SKIPPED, XML_OPENED, XML_RECORD };
enum xml_ended { XML_GOES_ON, XML_RECORD_ENDS, XML_IS_LATE };

void xml_match_init(struct xml_match *m, struct reader *r, xml_intern *intern,
                    void *ctx);
void xml_match_release(struct xml_match *m);

/*
 * Below an element that fits nothing only depth is counted. True: this one
 * opens, or closes, there, and that is all. Ask before the functions below.
 */
static inline bool xml_match_skips_start(struct xml_match *m)
{
    if (m->skipped)
        m->skipped++;
    return m->skipped > 0;
}

static inline bool xml_match_skips_end(struct xml_match *m)
{
    if (m->skipped == 0)
        return false;
    if (--m->skipped == 0)
        m->keeps_text = m->frames[m->n_frames - 1].keeps_text;
    return true;
}

/* An element opens. XML_RECORD: m->item is new and empty. */
enum xml_started xml_match_start(struct xml_match *m,
                                 const struct xml_name *name);
/* Does the element just opened want attributes? */
bool xml_match_wants_attributes(const struct xml_match *m);
void xml_match_attribute(struct xml_match *m, const struct xml_name *name,
                         struct str value, uint32_t line, uint32_t col);
/* Where the text of the element just opened begins. */
void xml_match_place(struct xml_match *m, uint32_t line, uint32_t col);

/* Text of the innermost open element, if m->keeps_text. false: the element's
 * text is over the limit XML_TEXT. */
static inline bool xml_match_text(struct xml_match *m, struct str text)
{
    size_t before = m->frames[m->n_frames - 1].text;

    if (m->text.len - before + text.len > m->max_text)
        return false;
    if (m->text.cap - m->text.len < text.len)
        return buf_add(&m->text, text) == 0;
    memcpy(m->text.p + m->text.len, text.p, text.len);
    m->text.len += text.len;
    return true;
}

/*
 * The innermost element closes. XML_RECORD_ENDS: the caller sees to m->item,
 * then sets it to NULL. XML_IS_LATE: *late should have stood before a record.
 */
enum xml_ended xml_match_end(struct xml_match *m, const struct item **late);
/* Bytes that the record or the ancestors' tree took so far. */
static inline uint64_t xml_match_bytes(const struct xml_match *m)
{
    return m->item ? m->r->arena.used - m->used_before : m->root_bytes;
}

#endif
