/*
 * decimal.h - exact decimals for money, quantities and rates.
 *
 * A decimal is units / 10^scale with at most 18 significant digits; there is
 * no binary floating point anywhere in the program. The scale is the number
 * of digits behind the point as they were written: 399.90 has scale 2 and
 * stays 399.90. Results have their natural scale: the larger one for + and -,
 * the sum of both for *; `dec_div` gives the exact quotient where one exists
 * within 18 digits, else it rounds to 12 digits behind the point, or to the
 * fewer that 18 digits leave room for; a quotient has no closing zeros.
 *
 * A result of more than 18 digits drops closing zeros behind the point if
 * that makes it fit. dec_add_near() and dec_mul_near() moreover round behind
 * the 6th digit after the point, for a quotient may have filled all 18. Every
 * function that can overflow returns false and leaves *out alone. Rounding is
 * half away from zero unless the name says otherwise.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "converters/base/mem.h"

enum { DEC_DIGITS = 18 };

struct dec {
    int64_t units; /* |units| < 10^18 */
    uint8_t scale; /* 0..18 */
};

/* How a file writes numbers. Options `decimal` and `thousands` of a map. */
struct numfmt {
    char point;           /* '.' or ',' */
    struct str thousands; /* one separator, UTF-8; empty: none allowed.
                           * " " also accepts no-break blanks (U+00A0,
                           * U+202F, U+2009). Differs from the point. */
};

enum dec_result { DEC_OK, DEC_SYNTAX, DEC_OVERFLOW };

/*
 * Reads s: optional sign (+, -, U+2212, or a - behind the last digit), digits,
 * optional thousands groups of three, optional point and digits. Blanks around
 * it (no-break ones too) are ignored, blanks behind the sign are not. A number
 * has groups everywhere before its point or nowhere. An empty or blank s is
 * DEC_SYNTAX: the caller decides on empty. DEC_OVERFLOW: a number, but one of
 * more than 18 digits (leading zeros do not count, closing ones do) or of
 * more than 18 digits behind the point.
 */
enum dec_result dec_read(struct str s, const struct numfmt *f, struct dec *out);
/*
 * The canonical form: [-]digits[.digits], nothing else. Used between
 * processes. (Leading zeros and "-0" are read, though never written.)
 */
bool dec_from_canon(struct str s, struct dec *out);
/*
 * Turns a number as the file has it into canonical text: returns a part of s
 * itself when it is canonical already (but for blanks around it), else a copy
 * in `a`. "+5" is 5, "12-" is -12, ",5" is 0.5, "5," is 5, "007" is 7, "-0" is
 * 0, "-0,00" is 0.00.
 */
enum dec_result dec_canon(struct arena *a, struct str s, const struct numfmt *f,
                          struct str *out);
struct str dec_text(struct arena *a, struct dec d); /* canonical */

bool dec_add(struct dec a, struct dec b, struct dec *out);
bool dec_sub(struct dec a, struct dec b, struct dec *out);
bool dec_mul(struct dec a, struct dec b, struct dec *out);
/* The same for expressions; see above. */
bool dec_add_near(struct dec a, struct dec b, struct dec *out);
bool dec_mul_near(struct dec a, struct dec b, struct dec *out);
/* false also for b = 0; dec_is_zero(b) tells which. */
bool dec_div(struct dec a, struct dec b, struct dec *out);
struct dec dec_neg(struct dec a);
struct dec dec_abs(struct dec a);
int dec_cmp(struct dec a, struct dec b); /* by value: 1.0 equals 1 */
bool dec_is_zero(struct dec a);

enum dec_round {
    ROUND_HALF_AWAY,
    ROUND_HALF_EVEN,
    ROUND_DOWN, /* towards zero */
    ROUND_FLOOR,
    ROUND_CEIL
};
/* To exactly `scale` digits (0..18) behind the point; pads with zeros too. */
bool dec_round_to(struct dec a, int scale, enum dec_round how, struct dec *out);
struct dec dec_strip(struct dec a); /* without closing zeros: 27.0000 is 27 */

/*
 * Formats of the `as` clause: "0,00", "0.##", "# ##0.00",
 * "#.##0,00", "000".
 *
 *   pattern  = whole [ point fraction ]
 *   point    = "." | ","
 *   fraction = "0"... "#"...           at least one of them
 *   whole    = "#"... "0" "0"...       the last place is a 0
 *            | the same with one kind of separator before every third place
 *              from the right ("# ##0", "#.##0", "# ### ##0", "0 000")
 *   separator = " " | "." | "," | "'" | U+00A0 | U+202F | U+2009 | U+2019
 *
 * 0 is a digit always shown, # one shown if needed; the whole part grows to
 * the left as far as the number needs, in groups if the pattern has groups.
 * The last '.' or ',' of the pattern is its point when a 0 or # follows and
 * it is not followed by exactly "##0" (then it groups thousands). Digits
 * beyond the fraction are rounded, half away from zero. A minus stands first;
 * a number that rounds to zero has none. At most 18 places on either side.
 *
 * dec_pattern_ok() says why a pattern is refused (a static text) or NULL.
 * dec_format() is false only for a pattern that is refused.
 */
const char *dec_pattern_ok(struct str pattern);
bool dec_format(struct arena *a, struct dec d, struct str pattern,
                struct str *out);

/*
 * VAT on exact decimals. rate is in percent (21). net = gross*100/(100+rate),
 * gross = net*(100+rate)/100, both rounded once, to `scale` digits. A rate of
 * -100 or less has no answer (false).
 */
bool dec_net(struct dec gross, struct dec rate, int scale, struct dec *out);
bool dec_gross(struct dec net, struct dec rate, int scale, struct dec *out);

#endif
