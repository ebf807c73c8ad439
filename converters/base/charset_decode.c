/*
 * charset_decode.c - a file's bytes become UTF-8; see charset.h.
 *
 * A piece of the file is decoded in one go by a loop of its own for each kind
 * of charset; bytes of a cut character are carried into the next piece. What
 * speaks for UTF-8 in a file that claims to be in an 8-bit charset is weighed
 * before the piece is decoded, until something speaks against it: in honest
 * files that is the first letter.
 */
#include <assert.h>

#include "converters/base/bytes.h"
#include "converters/base/charset.h"
#include "converters/base/utf8.h"

enum {
    ENOUGH_SEEN = 1000, /* sequences: no need to wait for the end */
    ENOUGH_RARE = 20,   /* other ones (Greek, Cyrillic): no accident */
};

void decoder_init(struct decoder *d, const struct charset *cs)
{
    *d = (struct decoder){ .cs = cs, .line = 1, .col = 1 };
}

/* Each CR that no LF follows in s. */
static size_t count_lone_cr(struct str s)
{
    const char *p = s.p, *end = s.p + s.len;
    size_t n = 0;

    for (; p < end && (p = memchr(p, '\r', (size_t)(end - p))); p++)
        n += p + 1 == end || p[1] != '\n';
    return n;
}

static struct str last_line(struct str s)
{
    const char *end = memrchr(s.p, '\n', s.len);

    if (end)
        s = str_from(s, (size_t)(end + 1 - s.p));
    end = s.len ? memrchr(s.p, '\r', s.len) : NULL;
    return end ? str_from(s, (size_t)(end + 1 - s.p)) : s;
}

/* Lines end with LF, CRLF, or CR alone, as in editors. */
static void move_place(struct decoder *d, struct str text)
{
    size_t lines;

    if (!text.len)
        return;
    if (d->after_cr && text.p[0] == '\n')
        text = str_from(text, 1);
    d->after_cr = text.len && text.p[text.len - 1] == '\r';
    lines = utf8_lines(text) + count_lone_cr(text);
    if (lines) {
        d->line += lines;
        d->col = 1;
        text = last_line(text);
    }
    d->col += utf8_count(text);
}

static enum charset_fault bad_bytes(struct decoder *d, struct str raw, size_t n,
                                    enum charset_fault fault)
{
    raw = str_first(raw, n < sizeof(d->bad) ? n : sizeof(d->bad));
    str_copy((char *)d->bad, raw);
    d->n_bad = (uint8_t)raw.len;
    return fault;
}

/* Many second bytes of the file's start are zero, and few other ones (half of
 * an emoji): UTF-16 without a BOM. */
static bool looks_utf16(const struct decoder *d, struct str raw)
{
    size_t zeros[2] = { 0, 0 }, few, many;

    if (d->raw_done > 0)
        return false;
    raw = str_first(raw, 256);
    for (size_t i = 0; i < raw.len; i++)
        zeros[i & 1] += raw.p[i] == '\0';
    many = zeros[0] > zeros[1] ? zeros[0] : zeros[1];
    few = zeros[0] + zeros[1] - many;
    return few <= many / 4 && many >= 2 && many * 4 >= raw.len;
}

static enum charset_fault nul_fault(const struct decoder *d, struct str raw)
{
    return looks_utf16(d, raw) ? CHARSET_IS_UTF16 : CHARSET_NUL;
}

/* ---- is a single-byte file really UTF-8? -------------------------------- */

/*
 * What UTF-8 files of our countries are made of; combining marks are how macOS
 * writes letters. Letters of other Latin languages are left out on purpose:
 * CĂŞTI in windows-1250 reads as CêTI, and SMĚŠ as an S with a ring.
 */
static const char our_characters[] =
    "ÁÂÄÇÉÍÎÓÔÖÚÜÝßáâäçéíîóôöúüýĂăĄąĆćČčĎďĘęĚěĞğİıĹĺĽľŁłŃńŇňŐőŔŕŘřŚśŞşŠšŢţŤť"
    "ŮůŰűŹźŻżŽžȘșȚț\u00A0§©«®°±²³´µ·»¼½¾‐‑‒–—―‘’‚‛“”„‟†‡•…‰‹›€₺™−"
    "\u0301\u0302\u0306\u0308\u030B\u030C\u0326\u0327";

static bool is_ours(uint32_t cp)
{
    char bytes[4];
    unsigned n = utf8_put(bytes, cp);

    if (cp >= 0x1F300 && cp <= 0x1FAFF)
        return true; /* emoji in a customer's remark */
    return str_find(STR(our_characters), (struct str){ bytes, n }) >= 0;
}

/* A first byte. False: no sequence starts like this. */
static bool open_sequence(struct decoder *d, unsigned char c)
{
    d->seq_len = (uint8_t)utf8_need(&c, 1);
    if (d->seq_len < 2)
        return false;
    d->seq_left = (uint8_t)(d->seq_len - 1);
    d->seq_cp = c & (0x7Fu >> d->seq_len);
    return true;
}

/* A further byte. False: not one, or the sequence is none of UTF-8's. */
static bool go_on(struct decoder *d, unsigned char c)
{
    if ((c & 0xC0) != 0x80)
        return false;
    d->seq_cp = d->seq_cp << 6 | (c & 0x3F);
    if (--d->seq_left)
        return true;
    /* Overlong forms and surrogates. */
    if (charset_width(&charset_utf8, d->seq_cp) != d->seq_len)
        return false;
    if (is_ours(d->seq_cp))
        d->n_seen++;
    else
        d->n_rare++;
    return true;
}

static bool is_enough(const struct decoder *d)
{
    return d->n_seen + d->n_rare >= ENOUGH_SEEN;
}

static void weigh_utf8(struct decoder *d, struct str raw)
{
    size_t i = 0;

    while (i < raw.len && !d->not_utf8 && !is_enough(d)) {
        unsigned char c = (unsigned char)raw.p[i];

        if (d->seq_left) {
            d->not_utf8 = !go_on(d, c);
            i++;
            continue;
        }
        if (c < 0x80) {
            size_t ascii = utf8_ascii_len(str_from(raw, i));

            i += ascii ? ascii : 1;
            continue;
        }
        if (d->seen_line == 0) {
            struct decoder at = *d; /* only ASCII stands before it */

            move_place(&at, str_first(raw, i));
            d->seen_line = at.line;
            d->seen_col = at.col;
        }
        d->not_utf8 = !open_sequence(d, c);
        i++;
    }
}

static enum charset_fault is_utf8(struct decoder *d)
{
    d->line = d->seen_line;
    d->col = d->seen_col;
    d->n_bad = 0;
    return CHARSET_IS_UTF8;
}

/* ---- one loop for each kind of charset ---------------------------------- */

/* Decodes up to a zero byte or one that the charset lacks; `to` has room. */
static char *single_bytes(const struct charset *cs, const char **from,
                          const char *end, char *to)
{
    const char *p = *from;

    while (p < end) {
        unsigned char c;

        if (end - p >= 8) {
            uint64_t w = bytes_load(p), marks;

            memcpy(to, &w, 8);
            /* High bits, and by a borrow zero bytes, perhaps with a neighbour:
             * what is marked is looked at below. */
            marks = (w | (w - ONES)) & HIGHS;
            if (!marks) {
                p += 8;
                to += 8;
                continue;
            }
            p += bytes_first(marks);
            to += bytes_first(marks);
        }
        c = (unsigned char)*p;
        if (c == 0 || !cs->utf8_len[c])
            break;
        memcpy(to, cs->to_utf8[c], 4);
        to += cs->utf8_len[c];
        p++;
    }
    *from = p;
    return to;
}

static enum charset_fault decode_single(struct decoder *d, struct str raw,
                                        size_t *used, struct buf *out)
{
    const char *p = raw.p;
    char *to = buf_room(out, charset_room(raw.len));

    assert(to);
    if (!d->not_utf8)
        weigh_utf8(d, raw);
    if (raw.len)
        to = single_bytes(d->cs, &p, raw.p + raw.len, to);
    *used = raw.len ? (size_t)(p - raw.p) : 0;
    out->len = (size_t)(to - out->p);
    if (!d->not_utf8 && is_enough(d))
        return CHARSET_IS_UTF8;
    if (*used == raw.len)
        return CHARSET_OK;
    bad_bytes(d, str_from(raw, *used), 1, CHARSET_INVALID);
    if (*p == '\0')
        return nul_fault(d, raw);
    /* It may belong to a sequence that is still open. */
    return d->not_utf8 ? CHARSET_INVALID : CHARSET_IS_UTF8;
}

/*
 * Something is not UTF-8. If most of what is not ASCII in this piece is not
 * (bad bytes in a row count once), and nothing was before, then the file is in
 * another charset.
 */
static enum charset_fault judge_utf8(const struct decoder *d, struct str raw)
{
    size_t good = 0, bad = 0;
    bool was_bad = false;

    for (size_t i = 0; i < raw.len;) {
        unsigned n = utf8_need((const unsigned char *)raw.p + i, raw.len - i);

        good += n > 1;
        bad += n == 0 && !was_bad;
        was_bad = n == 0;
        i += n ? n : 1;
    }
    return d->n_seen == 0 && bad > good ? CHARSET_NOT_UTF8 : CHARSET_INVALID;
}

static enum charset_fault decode_utf8(struct decoder *d, struct str raw,
                                      size_t *used, struct buf *out)
{
    size_t ascii = utf8_ascii_len(raw), n = ascii;
    char *to = buf_room(out, charset_room(raw.len));
    struct str rest;
    ptrdiff_t nul;

    assert(to);
    n += utf8_valid_len(str_from(raw, ascii));
    nul = str_find_char(str_from(str_first(raw, n), ascii), '\0');
    if (nul >= 0)
        n = ascii + (size_t)nul;
    str_copy(to, str_first(raw, n));
    out->len += n;
    *used = n;
    rest = str_from(raw, n);
    if (nul >= 0)
        return bad_bytes(d, rest, 1, nul_fault(d, raw));
    if (rest.len && utf8_need((const unsigned char *)rest.p, rest.len) == 0)
        return bad_bytes(d, rest, 1, judge_utf8(d, raw));
    d->n_seen += n > ascii;
    return CHARSET_OK;
}

static uint32_t unit_at(const struct decoder *d, struct str raw, size_t i)
{
    unsigned a = (unsigned char)raw.p[i], b = (unsigned char)raw.p[i + 1];

    return d->big_endian ? a << 8 | b : b << 8 | a;
}

static enum charset_fault decode_utf16(struct decoder *d, struct str raw,
                                       size_t *used, struct buf *out)
{
    char *to = buf_room(out, charset_room(raw.len));
    enum charset_fault fault = CHARSET_OK;
    size_t i = 0;

    assert(to);
    while (i + 2 <= raw.len) {
        uint32_t cp = unit_at(d, raw, i), low;
        size_t n = 2;

        if (cp == 0) {
            fault = bad_bytes(d, str_from(raw, i), 2, CHARSET_NUL);
            break;
        }
        if (cp >= 0xD800 && cp <= 0xDFFF) {
            if (cp < 0xDC00 && i + 4 > raw.len)
                break;
            low = cp < 0xDC00 ? unit_at(d, raw, i + 2) : 0;
            if (low < 0xDC00 || low > 0xDFFF) {
                fault = bad_bytes(d, str_from(raw, i), 2, CHARSET_INVALID);
                break;
            }
            cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
            n = 4;
        }
        to += utf8_put(to, cp);
        i += n;
    }
    out->len = (size_t)(to - out->p);
    *used = i;
    return fault;
}

/* ---- the start of the file, and pieces ---------------------------------- */

/* No text of ours in UTF-16 has 32 characters without a zero byte. */
static bool lacks_zeros(struct str head)
{
    return head.len >= 16 && str_find_char(str_first(head, 64), '\0') < 0;
}

static bool is_ascii_text(char c)
{
    return (c >= ' ' && c <= '~') || c == '\t' || c == '\r' || c == '\n';
}

/* Drops a BOM, finds the byte order. `head` has 4 bytes or is all there is. */
static enum charset_fault look_at_start(struct decoder *d, struct str head,
                                        size_t *bom)
{
    bool le = str_starts(head, STR("\xFF\xFE"));
    bool be = str_starts(head, STR("\xFE\xFF"));

    d->started = true;
    d->big_endian = d->cs->big_endian;
    if (str_starts(head, charset_bom(&charset_utf8))) {
        d->seen_line = d->seen_col = 1;
        *bom = 3;
        return d->cs->kind == CS_UTF8 ? CHARSET_OK : CHARSET_IS_UTF8;
    }
    if (le || be) {
        d->big_endian = be;
        *bom = 2;
        return d->cs->kind == CS_UTF16 ? CHARSET_OK : CHARSET_IS_UTF16;
    }
    if (d->cs->kind != CS_UTF16 || head.len < 2)
        return CHARSET_OK;
    if (lacks_zeros(head) ||
        (is_ascii_text(head.p[0]) && is_ascii_text(head.p[1])))
        return bad_bytes(d, head, 2, CHARSET_INVALID);
    if (head.p[0] == '\0' || head.p[1] == '\0')
        d->big_endian = head.p[0] == '\0';
    return CHARSET_OK;
}

static enum charset_fault decode_piece(struct decoder *d, struct str raw,
                                       size_t *used, struct buf *out)
{
    enum charset_fault fault = CHARSET_OK;
    size_t before = out->len, bom = 0;

    *used = 0;
    if (!d->started)
        fault = look_at_start(d, raw, &bom);
    if (fault == CHARSET_OK) {
        raw = str_from(raw, bom);
        switch (d->cs->kind) {
        case CS_SINGLE_BYTE:
            fault = decode_single(d, raw, used, out);
            break;
        case CS_UTF8:
            fault = decode_utf8(d, raw, used, out);
            break;
        case CS_UTF16:
            fault = decode_utf16(d, raw, used, out);
            break;
        }
        move_place(d, str_from(buf_str(out), before));
        *used += bom;
        d->raw_done += *used;
    }
    return fault == CHARSET_IS_UTF8 ? is_utf8(d) : fault;
}

static void carry(struct decoder *d, struct str raw)
{
    assert(d->n_carry + raw.len <= sizeof(d->carry));
    str_copy((char *)d->carry + d->n_carry, raw);
    d->n_carry = (uint8_t)(d->n_carry + raw.len);
}

/* Carried bytes and the next ones together; takes what it used off *raw. */
static enum charset_fault decode_joint(struct decoder *d, struct str *raw,
                                       struct buf *out)
{
    char joint[sizeof(d->carry) * 2];
    struct str more = str_first(*raw, sizeof(joint) - d->n_carry), all;
    enum charset_fault fault;
    size_t used, old = d->n_carry;

    memcpy(joint, d->carry, old);
    str_copy(joint + old, more);
    all = (struct str){ joint, old + more.len };
    fault = decode_piece(d, all, &used, out);
    d->n_carry = 0;
    if (fault != CHARSET_OK)
        return fault;
    if (used >= old) {
        *raw = str_from(*raw, used - old);
        return CHARSET_OK;
    }
    /* Still cut: then all of *raw was in it. */
    *raw = str_from(*raw, more.len);
    carry(d, str_from(all, used));
    return CHARSET_OK;
}

static enum charset_fault at_end(struct decoder *d)
{
    if (d->n_carry)
        return bad_bytes(d, (struct str){ (char *)d->carry, d->n_carry },
                         d->n_carry, CHARSET_CUT);
    if (d->cs->kind == CS_SINGLE_BYTE && !d->not_utf8 && d->seq_left == 0 &&
        (d->n_seen || d->n_rare >= ENOUGH_RARE))
        return is_utf8(d);
    return CHARSET_OK;
}

enum charset_fault decoder_feed(struct decoder *d, struct str raw, bool is_last,
                                struct buf *out)
{
    enum charset_fault fault = CHARSET_OK;
    size_t used;

    if (!d->started && !is_last && d->n_carry + raw.len < sizeof(d->carry)) {
        carry(d, raw);
        return CHARSET_OK;
    }
    if (d->n_carry)
        fault = decode_joint(d, &raw, out);
    if (fault == CHARSET_OK && raw.len) {
        fault = decode_piece(d, raw, &used, out);
        raw = str_from(raw, used);
    }
    if (fault != CHARSET_OK)
        return fault;
    carry(d, raw);
    return is_last ? at_end(d) : CHARSET_OK;
}
