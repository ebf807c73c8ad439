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

/* As people order numbers of documents: runs of digits by value, the rest by
 * its bytes: "2026-9" before "2026-10". 0: the same but for leading zeros. */
int text_natural_cmp(struct str a, struct str b);

/* The nearest of `names` to a mistyped one, or NULL when none is near
 * (distance in characters at most 1 + len/4 and below len; swapped letters
 * count 1; ASCII case counts nothing). */
const char *nearest(struct str typed, const char *const *names, size_t n);

bool text_is_space(uint32_t cp); /* Unicode white space, no-break too */

/* Without white space and zero-width characters at both ends. */
struct str text_trim(struct str s);
/* Trimmed, and inner runs of white space are one blank each. */
struct str text_squeeze(struct arena *a, struct str s);
struct str text_upper(struct arena *a, struct str s, struct str lang);
struct str text_lower(struct arena *a, struct str s, struct str lang);
struct str text_title(struct arena *a, struct str s, struct str lang);
struct str text_nfc(struct arena *a, struct str s);
/* Without diacritics and typographic signs: "Žluťoučký – ő ş ı" is
 * "Zlutoucky - o s i"; what has no ASCII form is dropped. */
struct str text_ascii(struct arena *a, struct str s);
/*
 * For comparing: as text_ascii, in lower case, only letters and digits, one
 * blank between words, into `out`. Returns the bytes written, or 0 when s is
 * longer than `cap` allows.
 */
size_t text_fold(struct str s, char *out, size_t cap);
/* White space with a line break or tab in it becomes one blank; trimmed. */
struct str text_one_line(struct arena *a, struct str s);
/*
 * Tags, comments, script and style bodies out; entities decoded; <br>, <p>,
 * </p>, </li>, </div>, </tr> and the like become line breaks, </td> a blank;
 * white space (line breaks of the source too) is squeezed, as a browser does.
 */
struct str text_strip_html(struct arena *a, struct str in);
uint32_t html_entity(struct str name); /* "nbsp" is U+00A0; 0: unknown */
struct str text_digits(struct arena *a, struct str s); /* only 0-9 */
/* Every `what` in s; an empty one is nowhere. There is no text (p == NULL)
 * when the result would be over TEXT_MAX: report limit "document". */
struct str text_replace(struct arena *a, struct str s, struct str what,
                        struct str with);
enum { TEXT_MAX = 16 << 20 };

/*
 * Names of people, streets, countries, phones. What cannot be split stays
 * whole in the first part, the second is empty, and the function returns false
 * (the caller warns). country is ISO 3166 alpha-2 in any case, or empty.
 *
 * Nothing is lost but the word "number" ("nr.", "No:", "č.p.") and commas at
 * the cut: "Str. Lalelelor nr. 12, bl. A3" is "Str. Lalelelor", "12, bl. A3".
 */
bool split_street(struct str s, struct str country, struct str *street,
                  struct str *number);
/* Given names first: "Ing. Jan Novák" is "Ing. Jan", "Novák"; "Novák, Jan" is
 * the same. A company, a single word or a number cannot be split. */
bool split_name(struct str s, struct str *first, struct str *last);
/* ISO code in upper case from a country's name in cs sk tr hu ro en de, from
 * an alpha-2 or alpha-3 code (any case), else false: "Česká republika" is
 * CZ. The code is static memory. */
bool country_code(struct str s, struct str *code);
/* "+420777000111" from "777 000 111", "00420 777...", "+420 (0)..."; false: s
 * as it is. */
bool phone_normal(struct arena *a, struct str s, struct str country,
                  struct str *out);

#endif
