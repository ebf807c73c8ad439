/* idcheck_rules.h - between idcheck.c and idcheck_tax.c, for nobody else. */
#ifndef BASE_IDCHECK_RULES_H
#define BASE_IDCHECK_RULES_H

#include "converters/base/str.h"

enum { NUMBER_MAX = 40 };

/* A number without what people write between its parts, in upper case. */
struct number {
    struct str s; /* in buf: do not copy the struct */
    char buf[NUMBER_MAX];
};

/* False: longer than any number, or other than ASCII letters and digits. */
bool number_of(struct str s, const char *separators, struct number *n);
bool is_digits(struct str s); /* at least one, and nothing else */

static inline unsigned digit(struct str s, size_t i)
{
    return (unsigned)(s.p[i] - '0');
}

bool ico_ok(struct str s);
bool dic_ok(struct str s);
bool adoszam_ok(struct str s);
bool cui_ok(struct str s);
bool cnp_ok(struct str s);
bool vkn_ok(struct str s);
bool tckn_ok(struct str s);
bool vat_id_ok(struct str s);

/*
 * A person's number that stands in the wrong field or has a digit too few is
 * still personal: these look only at the number of digits.
 */
bool ico_is_personal(struct str s);
bool dic_is_personal(struct str s);
bool adoszam_is_personal(struct str s);
bool cui_is_personal(struct str s);
bool vkn_is_personal(struct str s);
bool vat_id_is_personal(struct str s);
bool always_personal(struct str s);

#endif
