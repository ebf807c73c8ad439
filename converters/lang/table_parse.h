/* table_parse.h - between table_parse.c and table_file.c. */
#ifndef LANG_TABLE_PARSE_H
#define LANG_TABLE_PARSE_H

#include "converters/lang/table.h"

/* from "units.csv" key 1 value 3 */
struct table_file {
    struct str name;
    uint32_t key, value; /* columns, from 1 */
    struct place at;     /* of the name, for messages */
};

/* Adds the rows of a CSV file, in UTF-8, beside the map. False: reported. */
bool table_load(struct map *m, struct table *t, const struct table_env *env,
                const struct table_file *f);

/* An entry without value, its key not quoted; it is no glob yet. */
void table_entry_init(struct table_entry *e, struct arena *a, struct str key,
                      struct place at);

#endif
