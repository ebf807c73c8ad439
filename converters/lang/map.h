/*
 * map.h - a parsed and checked map: what the language knows of one file.
 *
 *   text --outline--> lines --map_load()--> struct map --read_run/write_run-->
 *
 * A map is made once, before the jail, and never changes while it runs: the
 * reader process inherits it by fork. All of it lives in map->arena.
 *
 * Names are resolved when the map is loaded: a path is a chain of struct want
 * (what the format keeps), a field an index into a document, a $name a slot.
 * So running a map compares no names.
 */
#ifndef LANG_MAP_H
#define LANG_MAP_H

#include "converters/base/date.h"
#include "converters/base/decimal.h"
#include "converters/base/idcheck.h"
#include "converters/document/document.h"
#include "converters/lang/outline.h"
#include "formats/format.h"

/* ---- values ------------------------------------------------------------- */

enum val_kind { V_EMPTY, V_TEXT, V_DEC, V_DATE, V_BOOL };

/*
 * A value of an expression. A decimal carries its digits as canonical text
 * (s), the number (d), or both: what is only passed on is never parsed. A
 * date likewise. `item` and `cell` say where it was read, for messages.
 */
struct val {
    enum val_kind kind;
    int32_t cell; /* rows: index into item->cells, else -1 */
    struct str s;
    const struct item *item;
    union {
        struct dec d;  /* V_DEC, when has_d */
        struct date t; /* V_DATE, when has_t */
    };
    bool has_d, has_t;
    bool yes; /* V_BOOL */
};

/* ---- expressions -------------------------------------------------------- */

enum expr_kind {
    E_CONST,
    E_PATH,    /* parsed, not resolved yet */
    E_SOURCE,  /* read maps: something in the file */
    E_FIELD,   /* write maps: a field of a document in scope */
    E_INDEX,   /* order.index, line.index */
    E_NAME,    /* $name */
    E_SETTING, /* $setting */
    E_META,    /* file.name, run.id, ... */
    E_CALL,
    E_OR,
    E_AND,
    E_NOT,
    E_EQ,
    E_NE,
    E_LT,
    E_LE,
    E_GT,
    E_GE,
    E_IN,
    E_LIKE,
    E_MATCHES,
    E_JOIN, /* & */
    E_ADD,
    E_SUB,
    E_MUL,
    E_DIV,
    E_NEG,
};

enum meta {
    META_FILE_NAME,
    META_FILE_BASE,
    META_FILE_MEMBER,
    META_RUN_ID,
    META_RUN_TIME,
    META_RECORD_INDEX,
    N_METAS
};
extern const char *const meta_names[N_METAS];

/* A step of a path as it is written. */
struct step {
    enum want_kind kind;
    struct str name; /* with prefix */
    bool literal;    /* ["..."]: no glob */
    uint32_t nth;
    struct expr *filter; /* [@type="x"] */
    struct step *next;
    struct place at;
    struct want *want; /* when resolved */
};

/* Aggregates over a list or over documents: which members to walk. */
struct driver {
    bool is_on;
    int depth; /* scope whose list it is; -1: all documents of the file */
    int list;  /* of that scope's shape */
    int slot;  /* all documents: where write_run keeps the result */
};

struct expr {
    enum expr_kind kind;
    struct place at;
    struct expr *args, *next; /* operands, in order, linked by next */
    int n_args;
    struct val value; /* E_CONST */

    struct step *steps; /* E_PATH, E_SOURCE */
    struct step *own; /* in a `where`: the same from the value's own element */
    bool absolute, anywhere, bracket;

    int depth, index;          /* E_FIELD: scope and field; E_INDEX: scope;
                                * E_NAME, E_SETTING: slot; E_META: enum meta */
    const struct shape *shape; /* E_FIELD: the map's own; see shape_join() */
    const struct func *func;   /* E_CALL */
    struct expr *where;        /* aggregates */
    struct step *driver_steps; /* read: sum(a/b * a/c) walks a */
    struct driver driver;      /* write */
    bool once; /* write: an argument that is no member's: one value, not one
                * for each member of the list that the call goes over */
    const struct table *table; /* lookup() */
    int slot;                  /* share(), counter(): its state */
    void *regex;               /* E_MATCHES: regex.h */
};

/* ---- rules: an expression with its clauses ------------------------------ */

enum clause_kind {
    C_VIA,
    C_DEFAULT,
    C_REQUIRED,
    C_MAX,
    C_CUT,
    C_CUT_BYTES,
    C_AS,
    C_CHECK
};

struct clause {
    enum clause_kind kind;
    struct clause *next;
    struct place at;
    const struct table *table; /* via */
    struct expr *e;            /* default */
    uint32_t n;                /* max, cut */
    struct str format;         /* as */
    const struct idcheck *check;
    bool reject; /* check ... reject */
};

struct rule {
    struct expr *e;
    struct clause *clauses;
    struct expr *when;
    bool keep;
    bool direct;     /* write: a field or text as it is; see rule_is_direct() */
    struct place at; /* the expression with its clauses */
};

/* "text {expr} text": file names, messages. */
struct piece {
    struct str text; /* when rule == NULL */
    struct rule *rule;
    struct piece *next;
};

/* ---- tables ------------------------------------------------------------- */

enum table_action { TA_VALUE, TA_PASS, TA_EMPTY, TA_ERROR, TA_SETTING };

struct table_entry {
    struct str key;
    struct str number; /* key's value, when it is a number: "21.50" is 21.5 */
    bool glob;
    enum table_action action;
    struct str value; /* or the error's message */
    bool is_number;   /* value is a number of the map, without quotes */
    int setting;
    struct place at;
};

struct table {
    struct str name;
    struct place at;
    struct table_entry *entries;
    size_t n, cap;
    uint32_t *hash; /* exact keys: index + 1, power of two slots (table.c) */
    size_t n_hash;
    bool has_globs, has_numbers, used;
    struct table *next;
};

/* ---- settings, parts ---------------------------------------------------- */

struct setting {
    struct str name, help;
    bool required, used;
    struct place at;
    struct setting *next;
    int slot;
};

struct part_def {
    struct str name;
    const struct oline *line;
    bool used;
    bool open; /* being expanded: a part cannot use itself */
    struct part_def *next;
};

/* ---- read maps: statements ---------------------------------------------- */

enum stmt_kind {
    S_SET,
    S_NAME,
    S_EACH,
    S_EACH_DOC,
    S_SKIP,
    S_REJECT,
    S_WARN,
    S_WHEN
};

struct stmt {
    enum stmt_kind kind;
    struct stmt *next;
    struct place at;
    int field;         /* S_SET */
    int slot;          /* S_NAME */
    bool guarded;      /* S_SET: in the block of a `when` */
    int decided;       /* S_SET: slot shared by all lines of a field, or -1 */
    struct rule *rule; /* S_SET, S_NAME */
    struct expr *cond; /* S_SKIP..S_WHEN; S_EACH: where */
    struct piece *message;
    int list;           /* S_EACH */
    struct expr *paths; /* S_EACH, S_EACH_DOC: E_SOURCE, linked; NULL: rows */
    struct stmt *body;  /* S_EACH, S_EACH_DOC, S_WHEN */
    int reason;         /* S_SKIP: index into map->reasons */
};

/* ---- write maps: nodes -------------------------------------------------- */

enum node_kind {
    N_ELEMENT,
    N_ATTRIBUTE,
    N_TEXT,
    N_EACH_DOC,
    N_EACH_LIST,
    N_WHEN,
    N_NAME,
    N_ROW,
    N_CELL
};

struct node {
    enum node_kind kind;
    struct node *next, *child, *parent;
    struct place at;
    struct part part;
    struct rule *rule; /* value, or none */
    struct expr *cond; /* N_WHEN, `when` of an element, `where` of each */
    bool keep, is_key;
    bool has_doc_inside; /* an N_EACH_DOC is at or below it */
    int depth, list;     /* N_EACH_*: the scope it opens; its list */
    int slot;            /* N_NAME */
    int key_field;       /* a key of the document that it writes, or -1 */
};

/* ---- the map ------------------------------------------------------------ */

enum { MAX_SCOPES = 6, MAX_DATES = 8, MAX_ATTACHMENTS = 16 };

struct map {
    struct arena arena;
    struct str name; /* as it was asked for: "cz/shoptet-orders" */
    const struct source *src;
    const struct source *sources[17]; /* it, then what it includes */
    int n_sources;
    bool is_write;
    const struct level *document;
    const struct format *format;
    struct opt_value *opts; /* the format's, in its table's order */
    struct ns *ns;
    size_t n_ns;

    /* Options of every format. */
    const struct charset *charset; /* NULL: the format decides */
    struct numfmt num;
    struct str dates[MAX_DATES];
    int n_dates;
    const struct zone *zone;
    struct str yes, no;
    bool trim;
    struct expr *group; /* read: linked expressions */
    struct str members; /* read: which entries of a ZIP */
    /* write: */
    const char *newline;
    enum { BOM_BY_CHARSET, BOM_NO, BOM_YES } bom;
    struct str country;
    struct piece *file, *zip;
    struct str attachments[MAX_ATTACHMENTS]; /* patterns; see attach.h */
    int n_attachments;
    struct place attachments_at;
    struct expr *per; /* one file per FIELD: E_FIELD of the document */
    uint64_t per_n;   /* one file per N order; 1 for `order`; 0: one file */
    enum {
        UNMAPPABLE_BUILTIN,
        UNMAPPABLE_FAIL,
        UNMAPPABLE_REPLACE,
        UNMAPPABLE_TABLE
    } unmappable;
    struct str unmappable_text;
    const struct table *unmappable_table;

    struct setting *settings;
    int n_settings;
    struct table *tables;
    struct part_def *parts;
    int n_names, n_decided, n_aggregates, n_shares;
    struct expr *aggregates[64]; /* over all documents, by driver.slot */
    struct str *reasons;         /* of skip */
    int n_reasons, cap_reasons;

    struct shape *shape;
    struct shape *scopes[MAX_SCOPES]; /* write: by depth */

    /* read */
    struct plan plan;
    struct stmt *body;

    /* write */
    struct node *root;
    struct part **cells; /* rows: the columns in order */
    size_t n_cells;
    struct write_plan plan_out;
    bool two_passes; /* looks over all documents: they wait on disk */
};

/*
 * Loads and checks the map file at `path`. Mistakes go to diags, all at once,
 * sorted. Returns the map even when it has mistakes (for the checker), or
 * NULL when nothing could be understood. The shape belongs to the map: see
 * maps_join().
 */
struct map *map_load(const char *path, struct str name,
                     const struct limits *limits, struct diags *diags);
void map_free(struct map *m);

/*
 * Makes the documents of a read map hold what a write map names (x.* fields).
 * Call for each pair, before running either.
 */
bool maps_join(struct map *read, struct map *write);

/* Finds a map by path or name, see kervan(1). NULL: not found, `looked` lists
 * the places. `beside`: a folder to look in first, or NULL. */
char *map_find(struct arena *a, struct str name, const char *beside,
               struct buf *looked);

/* The block "table NAME" of a map, or of kervan.conf, which has them in a map
 * that is empty otherwise. `folder` as in table.h. */
void map_add_table(struct map *m, const struct oline *block, struct str folder,
                   const struct limits *limits, struct diags *diags);
/*
 * A condition over the documents of a read map: `when` of a route. NULL: a
 * mistake was reported.
 */
struct expr *map_compile_when(struct map *read, const struct oline *l,
                              struct str text, struct diags *diags);

const struct setting *map_setting(const struct map *m, struct str name);

/* "; did you mean X?" or "", for the second argument of unknown-... messages.
 */
struct str did_you_mean(struct arena *a, struct str typed,
                        const char *const *names, size_t n);

#endif
