/*
 * idcheck.h - check digits of article, tax, person and bank numbers.
 *
 * One table: name, what it checks, source of the rule. A check answers only
 * whether the number can be right; no register is asked. Blanks inside are
 * allowed where people write them (tax and bank numbers), not in codes that
 * machines read (ean, gtin, email).
 *
 * Some numbers are a person's: Czech and Romanian birth numbers, the Turkish
 * identity number. They are in no message, log or report, not even when they
 * are wrong or stand in the wrong field: show them with idcheck_shown().
 */
#ifndef BASE_IDCHECK_H
#define BASE_IDCHECK_H

#include "converters/base/mem.h"

struct idcheck {
    const char *name; /* as in `check NAME` */
    const char *help; /* one line for the manual, with the rule's source */
    bool (*ok)(struct str s);
    /* May s, right or wrong, be a person's number? NULL: never. */
    bool (*is_personal)(struct str s);
};

extern const struct idcheck idchecks[]; /* ends with name == NULL */
const struct idcheck *idcheck_find(struct str name);
/* s for a message: as it is, or with all digits as "*". */
struct str idcheck_shown(const struct idcheck *c, struct arena *a,
                         struct str s);

#endif
