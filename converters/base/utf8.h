/* utf8.h - the program's inner encoding, checked by our own code. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "converters/base/mem.h"

/*
 * Reads the character at *pos of s and moves *pos behind it. Returns -1, with
 * *pos unmoved, for bytes that are not UTF-8 (overlong forms, surrogates and
 * above U+10FFFF included). Call only with *pos < s.len.
 */
int32_t utf8_next(struct str s, size_t *pos);
/* Offset of the first byte that is not UTF-8, or s.len. */
size_t utf8_valid_len(struct str s);
/* How many bytes at the start of s are ASCII, U+0000 left out. */
size_t utf8_ascii_len(struct str s);
/* Line feeds in s. */
size_t utf8_lines(struct str s);
/* Characters (code points) in s, which must be UTF-8. */
size_t utf8_count(struct str s);
/* Byte offset of character n (from 0), or s.len if s is shorter. */
size_t utf8_offset(struct str s, size_t n);
unsigned utf8_put(char to[4], uint32_t cp); /* bytes written, 1..4 */
/* Characters that do not show, or that turn the direction of a terminal. */
bool utf8_is_invisible(int32_t cp);

/*
 * Bytes of the character that starts at p if its bytes are a valid beginning:
 * 1..4, and more than n when it is cut. 0: no character starts like this.
 */
unsigned utf8_need(const unsigned char *p, size_t n);

#endif
