/*
 * func.h - the functions of the mapping language.
 *
 * To add one: write `static bool fn_NAME(struct run *, const struct expr *,
 * struct val *)` in the fn_*.c file of its topic and one line in that file's
 * table. Checker and manual read the same line.
 */
#ifndef LANG_FUNC_H
#define LANG_FUNC_H

#include "converters/lang/map.h"

struct run;

enum {
    FN_SEVERAL = 1,    /* takes several values and `where`: sum(a where b) */
    FN_BARE = 2,       /* may stand without (): today, now */
    FN_TABLE = 4,      /* the first argument names a table */
    FN_DATE = 8,       /* argument `const_arg` is a date pattern */
    FN_MEMBER = 16,    /* only inside an each of a write map: share */
    FN_AGREE = 64,     /* what all rows of a group agree on counts once: join */
    FN_WRITE = 128,    /* only in write maps: counter */
    FN_ELEMENTS = 256, /* elements are values though they have no text: count */
    FN_FORMAT = 32,    /* argument `const_arg` is a date or number pattern */
};

struct func {
    const char *name;
    int min, max; /* arguments; max -1: any number */
    unsigned flags;
    int const_arg; /* this argument must be a constant text; -1: none */
    const char *args, *help;
    /* false: a fault was raised. Must set *out otherwise. */
    bool (*eval)(struct run *r, const struct expr *e, struct val *out);
};

/* The tables of the fn_*.c files; each ends with name == NULL. */
extern const struct func *const func_tables[]; /* ends with NULL */
const struct func *func_find(struct str name);
/* Names of all functions, for "did you mean". */
size_t func_names(const char **names, size_t max);

#endif
