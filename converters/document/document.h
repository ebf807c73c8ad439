/*
 * document.h - the documents that travel between a read and a write map.
 *
 * One table (fields.c) says which documents exist, their fields, types and
 * lists; the checker, `kervan fields`, the manual and both processes read it.
 * Named after UBL and EDIFACT practice.
 *
 *   struct level   what a document or a member of a list can hold (static)
 *   struct shape   a level plus the x.* fields that the two maps name
 *   struct doc     one order, one line... with its values
 *
 * Values are text in canonical form, the same in memory and on the pipe, so
 * that nothing is parsed twice and a decimal keeps the digits it came with:
 *
 *   text      UTF-8                       decimal, percent  [-]digits[.digits]
 *   date      YYYY-MM-DD                  datetime  YYYY-MM-DD[Thh:mm:ss[zone]]
 *   yes/no    "yes" or "no"               choice    one of the field's words
 *
 * A field that is empty has len 0; a computed one is marked in doc->computed.
 */
#ifndef DOCUMENT_DOCUMENT_H
#define DOCUMENT_DOCUMENT_H

#include "converters/base/diag.h"
#include "converters/base/limits.h"
#include "converters/base/mem.h"

enum field_type {
    FT_TEXT,
    FT_DECIMAL,
    FT_PERCENT, /* reads "27%", drops closing zeros */
    FT_DATE,
    FT_DATETIME,
    FT_BOOL,
    FT_CHOICE,
};

struct field_spec {
    const char *name; /* "price.net" */
    enum field_type type;
    bool key;            /* others match by it: never silently changed */
    const char *choices; /* FT_CHOICE: "new|confirmed|paid" */
    const char *help;
};

struct level {
    const char *name;
    const char *noun, *plural; /* for people: "stock record", "stock records" */
    const char *help;          /* documents: who sends it to whom */
    const struct field_spec *fields;  /* ends with name == NULL */
    const struct level *const *lists; /* ends with NULL; may be NULL */
};

extern const struct level *const documents[]; /* ends with NULL */
const struct level *document_find(struct str name);
const char *field_type_name(enum field_type t);
/* Of a field's choices, "new|confirmed|paid": is it one of them; all of them
 * for people, "new, confirmed, paid". */
bool choices_has(const char *choices, struct str word);
struct str choices_list(struct arena *a, const char *choices);

enum { MAX_LISTS = 8, MAX_X = 64, MAX_FIELDS = 256 };

/* Fields that derive.c computes with; their indexes stand in every shape. */
enum known_field {
    KNOWN_QUANTITY,
    KNOWN_RESERVED,
    KNOWN_FREE,
    KNOWN_PRICE_NET,
    KNOWN_PRICE_GROSS,
    KNOWN_NET,
    KNOWN_GROSS,
    KNOWN_VAT_RATE,
    KNOWN_VAT_CODE,
    KNOWN_TOTAL_NET,
    KNOWN_TOTAL_VAT,
    KNOWN_TOTAL_GROSS,
    KNOWN_ROUNDING,
    KNOWN_TO_PAY,
    KNOWN_OPENING,
    KNOWN_CLOSING,
    KNOWN_DEBIT,
    KNOWN_CREDIT,
    KNOWN_BALANCE,
    N_KNOWN,
};

/* A level as one pair of maps uses it: the fixed fields, then the x.* ones. */
struct shape {
    const struct level *level;
    struct shape *parent; /* NULL: the document itself */
    int n_fixed;
    int n_fields;        /* n_fixed + n_x */
    int known[N_KNOWN];  /* index, or -1 */
    struct str x[MAX_X]; /* without "x." */
    int n_x;
    int x_to[MAX_X]; /* its place in the joined shape; see shape_join() */
    struct shape *lists[MAX_LISTS]; /* as level->lists */
    int n_lists;
    bool is_asked; /* a list: see shape_list() */
    /* Fields that this map looks at, by index; and those that any of the write
     * maps that were joined looks at: what a receiver gets of a document. */
    bool named[MAX_FIELDS], written[MAX_FIELDS];
    bool is_written; /* a list: one of those write maps goes over it */
};

struct shape *shape_new(struct arena *a, const struct level *level);
/*
 * Makes the documents of `to` hold the x.* fields of `from` as well. Maps
 * compiled for `from` find them through from->x_to. -1: more than MAX_X.
 */
int shape_join(struct shape *to, struct shape *from);
/* Index of a field ("price.net", "x.colour"), or -1. Adds an unknown x.* when
 * add_x is true and room is left. */
int shape_field(struct shape *s, struct str name, bool add_x);
/* Index of a list, or -1. Notes that it is asked for: a list that no map names
 * is not computed either. */
int shape_list(const struct shape *s, struct str name);
/* The type of field i; x.* fields are text. */
static inline enum field_type shape_type(const struct shape *s, int i)
{
    return i < s->n_fixed ? s->level->fields[i].type : FT_TEXT;
}
const struct field_spec *shape_spec(const struct shape *s, int i); /* x: NULL */
struct str shape_field_name(const struct shape *s, int i); /* x: without "x." */

struct doc_list {
    struct doc *first, *last;
    uint32_t n;
};

struct doc {
    const struct shape *shape;
    struct str *f;          /* [shape->n_fields] */
    struct doc_list *lists; /* [shape->n_lists] */
    struct doc *next;       /* in the same list */
    struct doc *parent;     /* the document around a member */
    uint32_t line;          /* where it begins in the input */
    uint32_t member;        /* which file of a ZIP it came from, from 0 */
    uint64_t seq;           /* documents: number in the run, from 1 */
    uint64_t computed;      /* bit i: field i (below 64) was computed */
};

/* An empty doc of that shape in `a`. */
struct doc *doc_new(struct arena *a, const struct shape *s);
struct doc *doc_add(struct arena *a, struct doc *parent, int list);

/* "order 100482", by its first key; without: "order that begins in line 7". */
struct str doc_label(struct arena *a, const struct doc *d);

static inline bool doc_has(const struct doc *d, int i)
{
    return i >= 0 && d->f[i].len > 0;
}

/*
 * Packing, for the pipe and for documents that wait on disk. unpack checks
 * everything it reads: indexes, lengths, and that typed values are canonical;
 * texts borrow from `in`. false: not a document of that shape, or one with more
 * than max_members in all its lists.
 */
int doc_pack(const struct doc *d, struct buf *out); /* -1: over out->max */
bool doc_unpack(struct arena *a, const struct shape *s, struct str in,
                uint64_t max_members, struct doc **out);

/*
 * Computes what the source left empty (never overwrites): net and gross by
 * VAT rate, line totals, totals, tax, free stock, balances. Given values that
 * differ from computed ones beyond rounding are reported through `differ`
 * (field name, given, computed); see derive.c for the rules.
 */
void doc_derive(struct arena *a, struct doc *d,
                void (*differ)(void *ctx, const struct doc *d, const char *name,
                               struct str given, struct str computed),
                void *ctx);

#endif
