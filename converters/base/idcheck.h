/*
 * idcheck.h - check digits of article, tax, person and bank numbers.
 *
 * One table: name, what it checks, source of the rule. A check answers only
 * whether the number can be right; no register is asked.
 */
#ifndef BASE_IDCHECK_H
#define BASE_IDCHECK_H

#include "converters/base/str.h"

struct idcheck {
    const char *name; /* as in `check NAME` */
    const char *help; /* one line for the manual, with the rule's source */
    bool (*ok)(struct str s);
};

extern const struct idcheck idchecks[]; /* ends with name == NULL */
const struct idcheck *idcheck_find(struct str name);

#endif
