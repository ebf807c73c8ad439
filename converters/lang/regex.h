/*
 * regex.h - `matches`: the one place that knows PCRE2.
 *
 * Whoever writes a map may write a pattern that would take hours on a long
 * text. So work is counted while a pattern is at work, the same on every
 * machine, and ends at a limit.
 */
#ifndef LANG_REGEX_H
#define LANG_REGEX_H

#include "converters/base/limits.h"
#include "converters/base/mem.h"

/* What it needs lives in `a` and goes with it. NULL: *why says what is wrong
 * with the pattern. */
void *regex_compile(struct arena *a, struct str pattern, struct str *why);

/*
 * 1: the pattern fits somewhere in s; 0: it does not; -1: it was stopped by
 * *hit. A step of LIMIT_MATCH_STEPS is an item of the pattern that is tried, or
 * 16 bytes that one passes over.
 */
int regex_match(void *regex, struct str s, const struct limits *limits,
                enum limit_id *hit);

#endif
