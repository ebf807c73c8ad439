/*
 * xml_library.h - libxml2 itself: made silent, and its errors in plain words.
 */
#ifndef FORMATS_XML_LIBRARY_H
#define FORMATS_XML_LIBRARY_H

#include "converters/base/str.h"

/* Before the first parser: it loads nothing and prints nothing. */
void xml_library_init(void);
/* Is it a version whose cursor may be moved from its callbacks? */
bool xml_library_is_known(void);
/* A text for one of its errors, to be filled in by xml_fill_in(): %1 and %2
 * are its names, %3 its number. NULL: there is none for that one. */
const char *xml_plain_words(int code);
/* The first 200 bytes of what it says or names, whole characters only: it cuts
 * its own texts anywhere. */
struct str xml_clip(const void *text);

#endif
