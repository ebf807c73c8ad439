/*
 * canon.h - what a receiver gets of a document, as text that can be compared
 * with an earlier version of it.
 *
 * Only fields that a write map of the route looks at (shape->written) count:
 * what the receiver never sees cannot have changed for him. Numbers are
 * compared by value: 399.90 is 399.9.
 *
 *   number date total.gross line# line:sku             the fields that count
 *   number<TAB>2026041001                              those that have a value
 *   line#<TAB>1                                        members of a list
 *   line.1.sku<TAB>TRI-001
 *   line.1.quantity<TAB>2
 *
 * Tabs, line breaks and backslashes of values are escaped.
 */
#ifndef TRADE_CANON_H
#define TRADE_CANON_H

#include "converters/document/document.h"

/* Appends the text of d. Fields named in `without` (ends with NULL) do not
 * count. -1: over out->max. */
int canon_text(const struct doc *d, const char *const *without,
               struct buf *out);
/* The same for a hash alone, which is all that is wanted of most documents: no
 * head, and with lengths in place of what is escaped. */
int canon_bytes(const struct doc *d, const char *const *without,
                struct buf *out);
/*
 * Do they differ in a field that both know? *what, in `a`, then tells people
 * which: "total.gross 100 -> 120, line 2 quantity 1 -> 3", at most a few.
 */
bool canon_differ(struct str was, struct str now, struct arena *a,
                  struct str *what);

#endif
