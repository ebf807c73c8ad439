/*
 * group.h - rows with the same key become one document; see read_run.h.
 *
 * States of a file's grouping:
 *
 *   TOGETHER    rows of the current key in memory, closed keys as hashes;
 *               a closed key that returns ends the pass: READ_SCATTERED
 *   SCATTERED   all rows to the spill, then back group by group
 *
 * Closed keys take 8 bytes each, and 8 to sort them. Past limit group-keys they
 * go to the spill as a sorted run; a key that returns is found while it is one
 * of the last, when its run is sorted, or at the end of the file, by merging
 * the runs. (A 64-bit hash that collides only costs a second
 * pass: SCATTERED compares 128 bits.)
 */
#ifndef LANG_GROUP_H
#define LANG_GROUP_H

#include "converters/lang/read_run.h"

void group_begin(struct read_run *rr);
/* The reader's sink: one record. */
int group_record(void *ctx, struct item *row);
/* After the last record. READ_*. */
int group_end(struct read_run *rr);
void group_free(struct read_run *rr);

#endif
