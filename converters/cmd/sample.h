/*
 * sample.h - does a read map fit a sample file? Names that fit nothing are
 * warnings: a path that can never match, a column that is not there.
 */
#ifndef CMD_SAMPLE_H
#define CMD_SAMPLE_H

#include "converters/lang/map.h"

void sample_check(struct map *m, const char *path, const struct limits *limits,
                  struct diags *diags);

#endif
