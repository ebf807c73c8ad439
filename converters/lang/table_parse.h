/* table_parse.h - between the table_*.c and table.c. */
#ifndef LANG_TABLE_PARSE_H
#define LANG_TABLE_PARSE_H

#include "converters/lang/table.h"

/* table NAME from "units.csv" key 1 value 3 */
struct table_file {
    struct str folder, name;
    uint32_t key, value; /* columns, from 1 */
    struct place at;     /* of the name, for messages */
    const struct limits *limits;
    struct diags *diags;
};

/* Adds the rows of a CSV file, in UTF-8, beside the map. False: reported. */
bool table_load(struct map *m, struct table *t, const struct table_file *f);

/* An entry without value, its key not quoted; it is no glob yet. */
void table_entry_init(struct table_entry *e, struct arena *a, struct str key,
                      struct place at);
/* Adds a copy of e behind the others; table_ready() comes last. */
void table_add(struct table *t, struct arena *a, const struct table_entry *e);
/* Builds the hash; `twice` is told of keys that stood before. */
void table_ready(struct table *t, struct arena *a,
                 void (*twice)(void *ctx, const struct table_entry *e),
                 void *ctx);

#endif
