/*
 * format.h - what a file format must provide, and what it hands over.
 *
 * To add a format: write formats/NAME.c with one const struct format in it,
 * add it to formats/formats.c, put cases under tests/cases/NAME/. Nothing
 * else in the tree changes.
 *
 * Reading. The map says what it wants of each record: a tree of struct want,
 * made when the map is compiled. The format keeps only that: for every record
 * it builds a small tree of struct item (or, for rows, an array of cells) in
 * reader->arena and pushes it to reader->sink. Everything else in the file is
 * checked and dropped. Memory stays flat whatever the size of the file.
 *
 *   file bytes --input_next()--> UTF-8 chunks --read()--> items --> sink()
 *
 * Writing. The map's body is a tree of struct part (an element, an attribute,
 * a cell...). The language walks it and calls open, value, close; the format
 * appends bytes of the output charset to a sink (sink.h).
 *
 * Faults are message ids with places and arguments; a format never prints.
 */
#ifndef FORMATS_FORMAT_H
#define FORMATS_FORMAT_H

#include "converters/base/charset.h"
#include "converters/base/diag.h"
#include "converters/base/limits.h"

/* ---- options ------------------------------------------------------------ */

enum opt_kind {
    OPT_WORD, /* one word or "quoted text" */
    OPT_CHAR, /* one character, or the words tab, space, none */
    OPT_YESNO,
    OPT_CHOICE,    /* one of `choices`, separated by | */
    OPT_TEXT,      /* the rest of the line, quotes removed */
    OPT_EXPRS,     /* expressions of the language, separated by commas */
    OPT_PATH,      /* a path into the file */
    OPT_NAMESPACE, /* prefix = URI; may stand several times */
};

/* One option of a format. Checker, manual and reader read the same table. */
struct opt_spec {
    const char *name;
    enum opt_kind kind;
    const char *fallback; /* as it would be written in the map; NULL: none */
    const char *choices;  /* OPT_CHOICE */
    const char *help;
};

/* The values of one map, in the order of format->read_opts / write_opts. */
struct opt_value {
    struct str text; /* p == NULL: not given and no default */
    bool yes;        /* OPT_YESNO */
    bool given;      /* stood in the map */
};

struct ns {
    struct str prefix, uri; /* empty prefix: the default namespace */
};

/* ---- reading: what is wanted -------------------------------------------- */

enum want_kind {
    WANT_ELEMENT,   /* a child; CSV: a column of that header */
    WANT_ATTRIBUTE, /* @name */
    WANT_NTH,       /* [3]: the third column */
    WANT_SELF,      /* `.`: the record or element itself */
};

/*
 * A node of what the map names. Children of plan->record are relative to a
 * record, those of plan->root stand for absolute paths.
 */
struct want {
    enum want_kind kind;
    struct str name; /* as the map has it, without prefix, NFC */
    struct str uri;  /* XML: its namespace; p == NULL: of no namespace */
    bool any_uri;    /* XML: `namespaces ignore` */
    bool is_glob;    /* name has a '*' */
    bool maybe;      /* one of two places where a `where` looks for a name */
    bool needs_text; /* its text is read, not only its presence */
    uint32_t nth;    /* WANT_NTH: from 1 */
    unsigned id;     /* 0..plan->n_wants-1 */
    struct place at; /* where the map names it first */
    struct want *parent, *child, *next;
    /* Rows only, set by the format when it knows the header: the places of
     * the wanted columns in item->cells. A glob may have several. */
    uint32_t *cells;
    uint32_t n_cells;
    /* XML only, set by the format: its number among its parent's children,
     * which is its place in item->found. */
    uint32_t index;
};

struct plan {
    struct want *record; /* its children are wanted of each record */
    struct want *root;   /* its children start absolute paths; may be NULL */
    /* XML, JSON: which elements are records, as a chain of wants from the
     * root (`record /a/b`); anywhere: `record //b`. NULL for rows. */
    const struct want *path;
    bool anywhere;
    unsigned n_wants;
    const struct ns *ns;
    size_t n_ns;
};

/* ---- reading: what is handed over --------------------------------------- */

/* The children of an item that came of one want: the first and the last; what
 * lies between them may have come of others. */
struct item_span {
    struct item *first, *last;
};

/* A wanted thing in a record. Lives in reader->arena. */
struct item {
    const struct want *want;
    struct str name; /* local name as it stood; rows: NULL (see titles) */
    struct str text; /* own text, joined; p == NULL when not asked for */
    struct item *child, *last, *next; /* in the order of the file */
    struct item *parent;
    /* XML, in records as read: for each child of `want`, by want->index. NULL:
     * there is no child, or nobody has noted where they are. */
    struct item_span *found;
    uint32_t line, col; /* where its text begins; rows: line of the row */
    uint32_t n_fields;  /* ragged rows: how many; else 0 */

    /* Records only. */
    struct item *context;   /* copy of reader->root, when it must outlive it */
    struct arena_mark mark; /* in reader->arena, before the record */
    struct str *cells;      /* rows: wanted columns; see want->cells */
    struct str raw;         /* rows: the row's text without its line end */
    uint64_t raw_offset;    /* of raw in the file (or ZIP member), bytes */
    uint64_t raw_len;
};

/*
 * Another reading of the same file that copies some records out of it: which
 * bytes, in their order, make a file of those records alone?
 */
struct cut {
    /* Is the record that begins there, at item->raw_offset, to be kept? */
    bool (*wants)(void *ctx, uint64_t raw_offset);
    /* Bytes from..to of the file (or ZIP member) are; UINT64_MAX: its end. */
    void (*add)(void *ctx, uint64_t from, uint64_t to);
    void *ctx;
};

struct reader;

struct reader {
    const struct format *format;
    const struct opt_value *opts; /* as format->read_opts */
    struct plan *plan;
    struct input *in; /* input.h: decoded chunks */
    const struct limits *limits;
    struct arena arena;  /* records; emptied by the sink's owner */
    struct arena *names; /* lives as long as the file */
    bool trim;           /* option `trim` */
    /*
     * Ragged rows, which have another number of fields than the first row, go
     * to the sink with the cells that they have. Else each is a fault only.
     */
    bool keeps_ragged;
    const struct cut *cut; /* NULL: nothing is copied */

    /* A record is complete. Non-zero stops the reader, which returns it. */
    int (*sink)(void *ctx, struct item *record);
    /*
     * A fault. record: the row it concerns or NULL; when `fatal` the file is
     * given up and read() returns -1 after the call.
     */
    void (*fault)(void *ctx, enum diag_id id, bool fatal, uint32_t line,
                  uint32_t col, const struct str *args, size_t n_args);
    void *ctx;

    /* Set by read(): */
    uint32_t n_cells;    /* rows: how many item->cells has */
    struct str *titles;  /* rows: header names by place in item->cells */
    uint32_t n_fields;   /* rows: how many each should have */
    enum diag_id ragged; /* rows: the fault of one that has not */
    struct item *root;   /* XML: open ancestors with what plan->root wants */
    /* During fault(): what the map names and the file lacks; else NULL. */
    const struct want *fault_want;
    uint64_t n_records;
    void *state;
};

/* Reports and returns -1, so that a format can write: return READER_FAIL(...).
 */
int reader_fail(struct reader *r, enum diag_id id, uint32_t line, uint32_t col,
                const struct str *args, size_t n_args);
#define READER_FAIL(r, id, line, col, ...)                                    \
    reader_fail(r, DIAG_##id, line, col, (const struct str[]){ __VA_ARGS__ }, \
                sizeof((const struct str[]){ __VA_ARGS__ }) /                 \
                    sizeof(struct str))
/* The same for a limit that was hit; `what` says of what. */
int reader_limit(struct reader *r, enum limit_id id, const char *what,
                 uint32_t line, uint32_t col);
/* Warns if the file names another charset than the map; after the first chunk.
 */
void reader_compare_charset(struct reader *r);

/*
 * A record as bytes and back, for records that wait on disk. The want of an
 * item is kept as a pointer: packed records never leave the process.
 * item_unpack borrows texts from `in`; NULL: not what item_pack made.
 */
int item_pack(const struct item *record, uint32_t n_cells, struct buf *out);
/* A copy of an item and what is below it, texts included. */
struct item *item_copy(struct arena *a, const struct item *from);
struct item *item_unpack(struct arena *a, struct str in);

/* ---- writing ------------------------------------------------------------ */

enum part_kind { PART_ELEMENT, PART_ATTRIBUTE, PART_ROW, PART_CELL };

/* A node of a write map's body, as the format needs it. */
struct part {
    enum part_kind kind;
    struct str name;        /* as the map has it: "ord:text", "itemCode" */
    struct str open, close; /* the format's own: bytes made by prepare() */
    uint32_t indent;        /* XML: bytes of open (outermost: of close) that
                             * stand before its '<' */
    uint32_t depth;         /* elements around it; 0 = outermost */
    bool may_repeat;        /* an attribute that its element may have already */
};

struct sink; /* sink.h: one output file in memory */

/* What a writer knows of its map. */
struct write_plan {
    const struct charset *cs;
    const struct opt_value *opts; /* as format->write_opts */
    const char *newline;          /* "\n" or "\r\n" */
    const struct ns *ns;
    size_t n_ns;
    const struct part *const *cells; /* rows: the columns, in order */
    size_t n_cells;
};

/*
 * The writer of a format. For each element the language calls
 *
 *   open(p); value(attribute)...; text or children...; close(p)
 *
 * and leaf() for one that holds only text; for rows open(row), value(cell) in
 * the order of the columns, empty ones too, close(row). Values are UTF-8; the
 * sink encodes. -1 means that s->fault says why.
 */
struct write_ops {
    /* Once per map and part: fills p->open and p->close. -1: it cannot have
     * that name in this format and charset. */
    int (*prepare)(struct arena *a, struct part *p, const struct write_plan *w);
    int (*begin)(struct sink *s, const struct write_plan *w); /* of a file */
    int (*open)(struct sink *s, const struct part *p);
    int (*value)(struct sink *s, const struct part *p, struct str v);
    int (*text)(struct sink *s, const struct part *p, struct str v);
    int (*leaf)(struct sink *s, const struct part *p, struct str v);
    int (*close)(struct sink *s, const struct part *p);
    int (*end)(struct sink *s); /* of a file */
};

/* ---- the format --------------------------------------------------------- */

struct format {
    const char *name;
    const char *title; /* in messages: "CSV" */
    const char *help;
    const char *const *suffixes;      /* "csv", ...; ends with NULL */
    const struct opt_spec *read_opts; /* ends with name == NULL */
    const struct opt_spec *write_opts;
    bool rows; /* names are columns, not paths */

    /* How sure are we that `head` starts such a file: 0 no, 100 certain. */
    int (*sniff)(struct str head);
    /* Reads r->in to its end. 0; -1: a fatal fault was reported; else what
     * the sink returned. */
    int (*read)(struct reader *r);
    /* Rows: line and column of cell number `cell` of a record (raw text). */
    void (*locate)(const struct reader *r, const struct item *record,
                   uint32_t cell, uint32_t *line, uint32_t *col);
    const struct write_ops *write;
};

extern const struct format *const formats[]; /* ends with NULL */
const struct format *format_find(struct str name);

#endif
