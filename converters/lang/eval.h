/* eval.h - what the eval*.c files share; everybody else uses run.h. */
#ifndef LANG_EVAL_H
#define LANG_EVAL_H

#include "converters/lang/run.h"

/* A path of a read map, as a single value. */
bool eval_source(struct run *r, const struct expr *e, struct val *out);
/*
 * Without looking at each character: is s no longer than max, whatever stands
 * for what the charset lacks? false: it may be all the same.
 */
bool eval_surely_fits(const struct run *r, struct str s, uint32_t max);
/*
 * The text of a path that is one column, when all rows have the same; false:
 * eval() must find out.
 */
bool eval_column_text(const struct run *r, const struct expr *e,
                      struct str *out);
/* Raises NUMBER_OVERFLOW for the result of e; returns false. */
bool eval_overflow(struct run *r, const struct expr *e, const struct val *v);

#endif
