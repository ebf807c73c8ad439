/*
 * charset.h - the charsets of shops and accounting programs.
 *
 * Single-byte charsets are tables made at build time by charset_gen.c (from
 * the C library's iconv, KEYBCS2 and CWI-2 from *.tsv files beside it) and
 * tested against iconv; UTF-8 and UTF-16 are our own code. Nothing loads a
 * converter at run time, so the jailed reader needs no files.
 *
 * All text inside is UTF-8, shortest form, no surrogates, at most U+10FFFF.
 * A charset name is looked up without regard to ASCII case, '-' and '_'.
 *
 * The ISO 8859 charsets lack the control characters U+0080 to U+009F: bytes
 * 80 to 9F in such a file mean that it is really a windows or DOS charset.
 */
#ifndef BASE_CHARSET_H
#define BASE_CHARSET_H

#include "converters/base/mem.h"

enum charset_kind { CS_SINGLE_BYTE, CS_UTF8, CS_UTF16 };

struct charset {
    const char *name;           /* as messages and XML declarations write it */
    const char *const *aliases; /* ends with NULL */
    enum charset_kind kind;
    bool big_endian;          /* CS_UTF16 without BOM */
    const char (*to_utf8)[4]; /* [256]: bytes of each, see utf8_len */
    const uint8_t *utf8_len;  /* [256]: 0 = the byte is not in the charset */
    /* Code point to byte: pages[cp >> 8][cp & 255], 0 = not there. NULL page:
     * none. Only below U+10000; byte 0 stands for U+0000 alone. */
    const uint8_t *const *pages; /* [256] */
};

extern const struct charset charset_utf8, charset_utf16, charset_utf16be;
/* All of them, ends with NULL; written by charset_gen.c. */
extern const struct charset *const charsets[];
const struct charset *charset_find(struct str name); /* NULL: unknown */
/* Appends "UTF-8, UTF-16, windows-1250, ..." for messages. */
void charset_names(struct buf *out);
/*
 * Which single-byte charset is a text of this country ("cz" "sk" "hu" "ro"
 * "tr", "" = any of them) likely in? Only for advice and for `sniff`; never
 * to decode by. NULL: the sample has only ASCII.
 */
const struct charset *charset_guess(struct str sample, struct str country);

/* What is wrong with a file's bytes; the reader turns it into a message. */
enum charset_fault {
    CHARSET_OK,
    CHARSET_INVALID,  /* a byte or sequence that the charset lacks */
    CHARSET_CUT,      /* the file ends inside a character */
    CHARSET_NUL,      /* U+0000 */
    CHARSET_IS_UTF8,  /* declared 8-bit, plainly UTF-8 (or its BOM) */
    CHARSET_IS_UTF16, /* a UTF-16 BOM or the zero bytes of UTF-16 */
    CHARSET_NOT_UTF8, /* declared UTF-8, plainly an 8-bit charset */
};

/*
 * Decodes a file, chunk by chunk, to UTF-8. Counts lines and columns so that
 * a fault has its place: line, and character in the line, both from 1.
 *
 *   decoder_init(&d, cs);
 *   while (there is input)
 *       if (decoder_feed(&d, raw, is_last, &out) != CHARSET_OK) ...d.line...
 *
 * `out` is appended to, whole characters only; bytes of a cut one wait for the
 * next call. Its max must leave room for charset_room(raw.len) bytes. A BOM at
 * the start is dropped (and chooses the byte order).
 *
 * CHARSET_IS_UTF8 comes at once for a BOM, else at the end of the file (or
 * when 1,000 characters spoke for it, or at a byte that the charset lacks):
 * every non-ASCII byte belonged to a valid sequence, and these were letters
 * and signs that our languages use. Its place is the first of them.
 */
struct decoder {
    const struct charset *cs;
    uint64_t line, col; /* of the next character, or of the fault */
    uint64_t raw_done;  /* bytes of the file decoded */
    bool started, big_endian;
    bool after_cr; /* an LF now would be the second half of CRLF */
    unsigned char carry[4];
    uint8_t n_carry;
    unsigned char bad[4]; /* the offending bytes, for the message */
    uint8_t n_bad;

    /* Is a single-byte file really UTF-8? Valid sequences so far: of our
     * languages and other ones; and whether anything spoke against it. For
     * UTF-8 itself: n_seen pieces of the file had valid sequences. */
    uint64_t n_seen, n_rare;
    bool not_utf8;
    uint64_t seen_line, seen_col; /* of the first sequence; 0: none yet */
    uint32_t seq_cp;              /* an open sequence */
    uint8_t seq_left, seq_len;
};

/* Text made of n raw bytes at most, with slack for long steps. */
static inline size_t charset_room(size_t n)
{
    return 3 * n + 32;
}

void decoder_init(struct decoder *d, const struct charset *cs);
enum charset_fault decoder_feed(struct decoder *d, struct str raw, bool is_last,
                                struct buf *out);
/* How many bytes of the file this decoded text took (no BOM). */
uint64_t charset_raw_size(const struct charset *cs, struct str utf8);

/*
 * Encoding. A fallback table says what stands for a character that the
 * charset lacks; a map's own table is asked before the country's.
 */
struct fallback {
    uint32_t cp;
    const char *text; /* UTF-8, may be empty */
};

/*
 * Built-in tables: "cz" "sk" "tr" "hu" "ro" and "" (all). A text may hold
 * characters that a charset lacks in its turn (ș is ş is s): whoever encodes
 * asks again for those, at most FALLBACK_DEPTH deep. In the end FALLBACK_MAX
 * characters stand for one at most. NULL: nothing stands for cp; so it is with
 * emoji.
 */
enum { FALLBACK_DEPTH = 3, FALLBACK_MAX = 8 };
const struct fallback *fallback_find(struct str country, uint32_t cp);

/* Byte of cp in a single-byte charset, or -1. */
static inline int charset_byte(const struct charset *cs, uint32_t cp)
{
    const uint8_t *page = cp < 0x10000 ? cs->pages[cp >> 8] : NULL;
    int b = page ? page[cp & 255] : 0;

    return b || cp == 0 ? b : -1;
}

/* Bytes that cp takes in cs (for `cut N bytes`); 0 = it is not there. */
unsigned charset_width(const struct charset *cs, uint32_t cp);
/* Appends cp in cs; false: not there, nothing added. For UTF-8 always true. */
bool charset_put(const struct charset *cs, uint32_t cp, struct buf *out);
struct str charset_bom(const struct charset *cs); /* empty for 8-bit ones */

#endif
