/*
 * run.h - a map at work: what evaluating an expression needs.
 *
 * One struct run per process and map. For each document the arena `a` is
 * emptied and filled again; nothing else is allocated. Faults are raised,
 * not returned: run_fault() hands them on and marks the record as failed; the
 * evaluator then unwinds by returning false.
 */
#ifndef LANG_RUN_H
#define LANG_RUN_H

#include "converters/lang/map.h"

/*
 * Where names of a read map look: one record or element (item), one cell of a
 * row (item, cell >= 0), or all rows of a group (rows, item == NULL).
 */
struct ctx {
    struct item *const *rows;
    uint32_t n_rows;
    const struct item *item;
    int32_t cell;
    const struct item *self; /* in `where`: the element whose text is chosen */
};

struct fault {
    enum diag_id id;
    struct place map;        /* the expression that found it */
    const struct item *item; /* read: where the value stood, or NULL */
    int32_t cell;
    const struct doc *doc; /* write: the document or line, or NULL */
    int field;             /* write: its field, or -1 */
    struct str args[DIAG_ARGS];
};

/*
 * share(amount, weight): how much of the list is given out already. One for
 * each place of a map that calls it; all zeros before the first document.
 */
struct share {
    uint64_t seq; /* of the document: addresses alone come again */
    const struct doc *parent, *last; /* whose list; up to which member */
    struct dec total, before, done;  /* weights: all; without and with last */
    bool even;                       /* no weights at all: equal parts */
};

/* What the outside knows of a run; the same in both processes. */
struct run_info {
    const struct limits *limits;
    const struct str *settings; /* [map->n_settings], by slot */
    struct str run_id;
    struct date run_time; /* in the map's zone, else UTC */
    struct str file_name, file_base, file_member;
};

/* Sets file.name, file.base, file.member from a file's path and its member. */
void run_info_file(struct run_info *i, struct str file, struct str member);

struct run {
    const struct map *map;
    struct arena *a;
    const struct run_info *info;
    uint64_t record_index;

    const struct reader *reader; /* read maps */
    struct ctx ctx;

    struct doc *scope[MAX_SCOPES]; /* write maps; NULL when not inside */
    uint32_t index[MAX_SCOPES];    /* ...counted by their each */
    /* Two passes: all documents, one by one; NULL: no more. */
    struct doc *(*all_docs)(void *ctx, bool rewind);
    struct val *aggregates; /* over all documents, by driver.slot */
    struct share *shares;   /* by expr.slot */
    /* The next value of a counter; write maps only. */
    int64_t (*counter)(void *ctx, struct str name);
    /* What stands for a character that the charset lacks; write maps only. */
    bool (*fallback)(void *ctx, uint32_t cp, struct str *text);
    bool long_stand_ins; /* the map has its own, of any length */

    struct val *names; /* $name, by slot */
    void (*raise)(void *ctx, const struct fault *f);
    void *ctx_of; /* for raise, counter and fallback */
    bool failed;  /* an error was raised since it was last cleared */

    /* What the walks of one value looked at; walks that stand in others. */
    uint64_t n_steps;
    int n_walks;
};

/* ---- evaluating (eval.c) ------------------------------------------------ */

/* One value; several different ones in the source are a fault. */
bool eval(struct run *r, const struct expr *e, struct val *out);
/* A condition: empty is false. */
bool eval_cond(struct run *r, const struct expr *e, bool *out);
/* An expression with its clauses. *out may be V_EMPTY. */
bool eval_rule(struct run *r, const struct rule *rule, struct val *out);
/* A text with {expressions}, formatted as the map's options say. */
bool eval_pieces(struct run *r, const struct piece *p, struct str *out);

/*
 * Calls each(ctx, v) for every value of an argument that may have several: a
 * column in a group, a repeated path, members of a list; `where` chooses.
 * each() returns false to stop early. False: a fault.
 */
bool eval_several(struct run *r, const struct expr *arg,
                  const struct expr *call, bool (*each)(void *, struct val *),
                  void *ctx);

/* Every element or cell that a path of a read map finds. visit() returns
 * false to stop. False: a fault in a filter. */
bool eval_items(struct run *r, const struct expr *path,
                bool (*visit)(void *, const struct item *, int32_t cell),
                void *ctx);

/* ---- values (val.c) ----------------------------------------------------- */

static inline bool val_is_empty(const struct val *v)
{
    return v->kind == V_EMPTY || (v->kind == V_TEXT && v->s.len == 0);
}

static inline struct val val_empty(void)
{
    return (struct val){ .kind = V_EMPTY, .cell = -1 };
}

static inline struct val val_text(struct str s)
{
    return (struct val){ .kind = s.len ? V_TEXT : V_EMPTY, .s = s, .cell = -1 };
}

static inline struct val val_dec(struct dec d)
{
    return (struct val){ .kind = V_DEC, .has_d = true, .d = d, .cell = -1 };
}

static inline struct val val_date(struct date t)
{
    return (struct val){ .kind = V_DATE, .has_t = true, .t = t, .cell = -1 };
}

static inline struct val val_bool(bool yes)
{
    return (struct val){ .kind = V_BOOL, .yes = yes, .cell = -1 };
}

/* Text of a value, formatted as the map's options say. Never fails. */
struct str val_str(struct run *r, const struct val *v);
/*
 * Text of a value in a format of the `as` clause: a number's if that is what
 * the format is and v no date, else a date's. False: a fault at `at`.
 */
bool val_format(struct run *r, const struct expr *at, const struct val *v,
                struct str format, struct str *out);
/*
 * Text read as a number, date, yes/no by the map's options. False: a fault
 * at e, with the value's place. Empty values must be caught before.
 */
bool val_to_dec(struct run *r, const struct expr *e, const struct val *v,
                struct dec *out);
bool val_to_date(struct run *r, const struct expr *e, const struct val *v,
                 struct date *out);
bool val_to_bool(struct run *r, const struct expr *e, const struct val *v,
                 bool *out);
/* A small count: 0..1,000,000. */
bool val_to_count(struct run *r, const struct expr *e, const struct val *v,
                  uint32_t *out);
/* A whole number in min..max. */
bool val_to_int(struct run *r, const struct expr *e, const struct val *v,
                int32_t min, int32_t max, int32_t *out);
/* Whether v can be read so, without raising a fault. */
bool val_is_dec(const struct run *r, const struct val *v, struct dec *out);
bool val_is_date(const struct run *r, const struct val *v, struct date *out);
/* As the clock of the map's zone shows both: a day begins there. */
int val_date_cmp(const struct run *r, struct date a, struct date b);

/* ---- faults ------------------------------------------------------------- */

/* Raises; returns false, so that one can write: return run_fault(...). */
bool run_fault(struct run *r, enum diag_id id, struct place at,
               const struct val *v, const struct str *args, size_t n_args);
#define RUN_FAULT(r, id, at, v, ...)                                    \
    run_fault(r, DIAG_##id, at, v, (const struct str[]){ __VA_ARGS__ }, \
              sizeof((const struct str[]){ __VA_ARGS__ }) /             \
                  sizeof(struct str))

/* " in column X" / " in element X", or "" - the tail of data messages. */
struct str where_of(const struct run *r, const struct val *v);
/* The same of a text that is no number: with the option that would read it. */
struct str where_of_number(const struct run *r, const struct val *v,
                           struct str s);

/* ---- arguments of functions --------------------------------------------- */

/* Argument number i (from 0) of a call; NULL past the end. */
const struct expr *arg(const struct expr *call, int i);
bool arg_val(struct run *r, const struct expr *call, int i, struct val *out);
/* As text; *out is empty for an empty or missing argument. */
bool arg_str(struct run *r, const struct expr *call, int i, struct str *out);

#endif
