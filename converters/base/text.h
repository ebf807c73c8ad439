/*
 * text.h - what the mapping language does to texts; all pure functions.
 *
 * Results borrow from their argument where they can, else they live in `a`.
 * Nothing depends on the process's locale: languages are named ("tr", "cs",
 * "hu", "ro", "" for none). Case and NFC are libunistring's.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "converters/base/mem.h"

/* '*' stands for any run of characters, '?' is itself. Whole text. */
bool glob_match(struct str pattern, struct str s);
bool glob_match_nocase(struct str pattern, struct str s); /* ASCII case */
bool glob_is(struct str pattern);                         /* has a '*' */

/* The nearest of `names` to a mistyped one, or NULL when none is near
 * (distance at most 1 + len/4; swapped letters count 1; ASCII case counts
 * nothing). */
const char *nearest(struct str typed, const char *const *names, size_t n);

struct str text_trim(struct str s); /* Unicode white space at both ends */
struct str text_squeeze(struct arena *a, struct str s); /* inner runs: " " */
struct str text_upper(struct arena *a, struct str s, struct str lang);
struct str text_lower(struct arena *a, struct str s, struct str lang);
struct str text_title(struct arena *a, struct str s, struct str lang);
struct str text_nfc(struct arena *a, struct str s);
/* Without diacritics and typographic signs: "Žluťoučký – ő ş ı" is
 * "Zlutoucky - o s i"; what has no ASCII form is dropped. */
struct str text_ascii(struct arena *a, struct str s);
/* Line breaks and tabs become one blank each run; ends trimmed. */
struct str text_one_line(struct arena *a, struct str s);
/* Tags, comments, script and style bodies out; entities decoded; <br>, </p>,
 * </li>, </div>, </tr> become line breaks; blanks squeezed. */
struct str text_strip_html(struct arena *a, struct str s);
struct str text_digits(struct arena *a, struct str s); /* only 0-9 */
struct str text_replace(struct arena *a, struct str s, struct str what,
                        struct str with);

/*
 * Names of people, streets, countries, phones. What cannot be split stays
 * whole in the first part and the function returns false (the caller warns).
 * country is ISO 3166 alpha-2 in lower case ("cz"), or empty.
 */
bool split_street(struct str s, struct str country, struct str *street,
                  struct str *number);
bool split_name(struct str s, struct str *first, struct str *last);
/* ISO code from a country's name in cs sk tr hu ro en de, from an alpha-2 or
 * alpha-3 code (any case), else false: "Česká republika" is CZ. */
bool country_code(struct str s, struct str *code);
/* "+420777000111" from "777 000 111", "00420 777...", "(0)..." ; false: s as
 * it is. */
bool phone_normal(struct arena *a, struct str s, struct str country,
                  struct str *out);

#endif
