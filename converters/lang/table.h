/*
 * table.h - look-up tables: `via TABLE`, lookup(table, key).
 *
 *   table kinds                   table units from "units.csv" key 1 value 3
 *     SHIPPING*  = shipping         *  = error "unknown unit"
 *     "5"" disk" = "a text"
 *     ""         = empty
 *     27         = $code
 *     *          = pass
 *
 * The first entry that fits counts; those of a file stand before those of the
 * block. A key is itself; a glob when it has a '*' and no quotes; or a number:
 * 21 fits 21,00 in a map with `decimal ,`. A text with leading zeros is no
 * number here, so 021 does not fit 21. Only "" and globs fit an empty value;
 * when none does, it stays empty.
 */
#ifndef LANG_TABLE_H
#define LANG_TABLE_H

#include "converters/lang/map.h"

struct run;

/*
 * Fills t, named by the caller, from its block: `block` is the line "table
 * NAME" (or "table NAME from "units.csv" key 1 value 3", whose file lies in
 * `folder`: empty, or with its closing slash). The map's settings are known
 * already. Mistakes go to diags; t holds what could be understood.
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
