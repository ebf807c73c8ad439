/*
 * table.h - look-up tables: `via TABLE`, lookup(table, key).
 *
 * The first entry that fits counts. Exact keys are found by hash; unquoted
 * keys with a '*' are globs. A key that is a number fits a decimal by value
 * (21 fits 21,00). (MAPPING part 7.)
 */
#ifndef LANG_TABLE_H
#define LANG_TABLE_H

#include "converters/lang/map.h"

struct run;

/*
 * Fills t from its block: `block` is the line "table NAME" (or "table NAME
 * from "units.csv" key 1 value 3", whose file lies in `folder`). Mistakes go
 * to diags.
 */
bool table_parse(struct map *m, const struct oline *block, struct str folder,
                 const struct limits *limits, struct table *t,
                 struct diags *diags);

/* The entry that v fits, or NULL. */
const struct table_entry *table_find(struct run *r, const struct table *t,
                                     const struct val *v);
/* What the table makes of v. False: a fault at `at` (no entry, error). */
bool table_apply(struct run *r, struct place at, const struct table *t,
                 const struct val *v, struct val *out);

#endif
