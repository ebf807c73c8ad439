/*
 * table.h - tables of a map: what stands for a value.
 *
 *   table kinds                         table units from "units.csv" key 1 value 3
 *     SHIPPING*  = shipping               * = error "unknown unit"
 *     "5"" disk" = "a text"
 *     ""         = empty
 *     27         = $code
 *     *          = pass
 *
 * The first entry that fits wins; entries of a file stand before those of the
 * block. A key is itself, a glob when it has a '*' and no quotes, or a number:
 * 21 fits 21,00 of a map with `decimal ,`. A text with leading zeros is no
 * number here, so 021 does not fit 21. Nothing but "" and globs fits an empty
 * value; when none does, it stays empty.
 */
#ifndef LANG_TABLE_H
#define LANG_TABLE_H

#include "converters/lang/map.h"
#include "converters/lang/run.h"

/* Where tables come from, for table_parse(). */
struct table_env {
    const char *folder; /* of the map file; NULL: the working folder */
    const struct limits *limits;
    struct diags *diags;
};

/*
 * Parses a whole line `table NAME [from ...]` and its block into *t, after
 * the settings of the map are known. False: mistakes were reported; *t holds
 * what could be understood.
 */
bool table_parse(struct map *m, const struct oline *line,
                 const struct table_env *env, struct table *t);

/* Adds an entry behind the others (a copy of e); table_ready() comes last. */
void table_add(struct table *t, struct arena *a, const struct table_entry *e);
/* Builds the hash; `twice` is told of keys that stood before, or NULL. */
void table_ready(struct table *t, struct arena *a,
                 void (*twice)(void *ctx, const struct table_entry *e),
                 void *ctx);

/* The entry for v, or NULL. Without a run (r NULL) numbers are only texts. */
const struct table_entry *table_find(const struct map *m, const struct table *t,
                                     const struct val *v, struct run *r);
/* What the table makes of `in`. False: a fault was raised at `at`. */
bool table_apply(struct run *r, struct place at, const struct table *t,
                 const struct val *in, struct val *out);

#endif
