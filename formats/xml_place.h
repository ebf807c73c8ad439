/*
 * xml_place.h - places in an XML text, raw start tags, texts of faults.
 *
 * Without libxml2, whose columns are sometimes bytes and sometimes characters.
 */
#ifndef FORMATS_XML_PLACE_H
#define FORMATS_XML_PLACE_H

#include "converters/base/charset.h"

/* A place in the decoded text, as people count. */
struct xml_place {
    uint64_t offset; /* bytes of the text before it */
    uint32_t line, col;
};

/*
 * Moves over `text`, which begins at the place. line: the one in which the
 * text ends (the parser knows it, so that nobody counts line ends twice).
 */
void xml_place_move(struct xml_place *at, struct str text, uint32_t line);
/*
 * The n bytes in front of p seem to be all that its line has there: libxml2
 * counted so many columns, not always rightly. Is that sure? At least
 * XML_LOOK_BACK bytes stand before p; n is less than that.
 */
enum { XML_LOOK_BACK = 64 };
bool xml_line_is_plain(const char *p, size_t n);
/* Bytes that `text` took in the file: charset_raw_size(), only faster. */
uint64_t xml_raw_size(const struct charset *cs, struct str text);
uint32_t xml_count_lines(struct str text);

/*
 * Moves *p, inside a well-formed start tag, to the next attribute's value
 * (behind the quote). Returns whether it declares a namespace.
 */
bool xml_next_value(const char **p);
/* Behind the closing quote of the value at p. */
const char *xml_value_end(const char *p);
/*
 * An attribute's value as libxml2 hands it over without XML_PARSE_NOENT: an &
 * arrives as "&#38;", and no other & does. `room` holds the result if needed.
 */
struct str xml_value_decode(struct buf *room, struct str v);
bool xml_is_blank(char c);
/* A common mistake, by libxml2's number, in plain words; NULL: another. %1 and
 * %2 are its names, %3 its number. */
const char *xml_plain_words(int code);
/* `text` with one and two for %1 and %2, n for %3. */
struct str xml_fill_in(struct arena *a, const char *text, const char *one,
                       const char *two, int n);

#endif
