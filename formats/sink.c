#include "formats/sink.h"

#include "converters/base/bytes.h"
#include "converters/base/utf8.h"

static const struct escapes no_escapes;

void sink_init(struct sink *s, const struct charset *cs)
{
    *s = (struct sink){ .cs = cs, .newline = "\n" };
    buf_init(&s->out, SINK_MAX);
}

void sink_release(struct sink *s)
{
    buf_release(&s->out);
}

static int fail(struct sink *s, enum diag_id id, uint32_t cp)
{
    s->fault = id;
    s->bad_cp = cp;
    return -1;
}

int sink_bytes_slow(struct sink *s, struct str bytes)
{
    return buf_add(&s->out, bytes) == 0 ? 0 : fail(s, DIAG_LIMIT, 0);
}

static int put(struct sink *s, struct str text, const struct escapes *esc,
               unsigned depth);

/* Tries what stands for cp; all or nothing. */
static int try_text(struct sink *s, struct str text, const struct escapes *esc,
                    unsigned depth)
{
    size_t before = s->out.len;

    if (put(s, text, esc, depth) == 0)
        return 0;
    s->out.len = before;
    return -1;
}

static int put_fallback(struct sink *s, uint32_t cp, const struct escapes *esc,
                        unsigned depth)
{
    const struct fallback *last;
    struct str text = { NULL, 0 };
    bool is_done;

    if (s->is_key)
        return fail(s, DIAG_UNMAPPABLE_KEY, cp);
    if (depth >= FALLBACK_DEPTH || !s->fallback ||
        !s->fallback(s->ctx, cp, &text))
        return fail(s, DIAG_UNMAPPABLE, cp);
    is_done = try_text(s, text, esc, depth + 1) == 0;
    if (!is_done && s->fault == DIAG_UNMAPPABLE) {
        last = fallback_find(STR(""), cp);
        is_done = last && try_text(s, str_of(last->text), esc, depth + 1) == 0;
    }
    /* A control character or a full buffer stays what it is. */
    if (!is_done)
        return fail(s, s->fault, cp);
    if (depth == 0 && s->replaced)
        s->replaced(s->ctx, cp);
    return 0;
}

/* UTF-8 was checked when it came in; what is not is no character at all. */
static inline uint32_t next_cp(const char **p, const char *end)
{
    unsigned char c = (unsigned char)**p;
    size_t pos = 0;
    int32_t cp;

    if (c >= 0xC2 && c <= 0xDF && end - *p >= 2) {
        cp = (c & 0x1F) << 6 | ((*p)[1] & 0x3F);
        *p += 2;
        return (uint32_t)cp;
    }
    cp = utf8_next((struct str){ *p, (size_t)(end - *p) }, &pos);
    *p += pos ? pos : 1;
    return cp < 0 ? 0xFFFD : (uint32_t)cp;
}

typedef uint64_t pair __attribute__((vector_size(16)));

/* Where the first of them stands that is not surely plain; 16: nowhere. */
static inline unsigned first_doubt(chars16 v, const struct escapes *esc)
{
    chars16 doubt = v < esc->least; /* what is not ASCII is negative */
    pair half;

    doubt |= (v == esc->special[0]) | (v == esc->special[1]) |
             (v == esc->special[2]) | (v == esc->special[3]);
    half = (pair)doubt;
    if (!(half[0] | half[1]))
        return 16;
    return half[0] ? bytes_first(half[0]) : 8 + bytes_first(half[1]);
}

/*
 * The last 1 to 15 bytes without a loop, whose end no processor can foresee:
 * loads that overlap. False: not all of them are plain.
 */
static inline bool copy_tail(const char *p, size_t n, const struct escapes *esc,
                             char *to)
{
    uint64_t first, last;
    uint32_t a, b;

    if (n >= 8) {
        first = bytes_load(p);
        last = bytes_load(p + n - 8);
        memcpy(to, &first, 8);
        memcpy(to + n - 8, &last, 8);
    } else if (n >= 4) {
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        memcpy(to, &a, 4);
        memcpy(to + n - 4, &b, 4);
        first = last = (uint64_t)b << 32 | a;
    } else {
        to[0] = p[0];
        to[n / 2] = p[n / 2];
        to[n - 1] = p[n - 1];
        a = (unsigned char)p[0] | (uint32_t)(unsigned char)p[n / 2] << 8;
        a |= a << 16;
        b = (unsigned char)p[n - 1] * 0x01010101u;
        first = last = (uint64_t)b << 32 | a;
    }
    return first_doubt((chars16)(pair){ first, last }, esc) == 16;
}

/* Most values: short, and plain to their end. False: look closer. */
static inline bool copy_short(struct str s, const struct escapes *esc, char *to)
{
    return s.len < 16 && (s.len == 0 || copy_tail(s.p, s.len, esc, to));
}

/* Copies what is plain up to the first character that is not: an escape or a
 * non-ASCII one. There is as much room as text. */
static inline const char *copy_plain(const char *p, const char *end,
                                     const struct escapes *esc, char **to)
{
    const char *const *of = esc->of;
    char *t = *to;

    while (end - p >= 16) {
        unsigned n;
        chars16 v;

        memcpy(&v, p, 16);
        memcpy(t, &v, 16);
        n = first_doubt(v, esc);
        p += n;
        t += n;
        if (n < 16)
            break;
    }
    if (p < end && end - p < 16 && copy_tail(p, (size_t)(end - p), esc, t)) {
        t += end - p;
        p = end;
    }
    while (p < end && (unsigned char)*p < 0x80 && !of[(unsigned char)*p])
        *t++ = *p++;
    *to = t;
    return p;
}

/* Stops before the next character that needs a decision. No charset but UTF-16
 * takes more bytes than UTF-8. */
static inline const char *copy_run(const struct charset *cs, const char *p,
                                   const char *end, const struct escapes *esc,
                                   char **to)
{
    for (;;) {
        const char *next;
        int byte;

        p = copy_plain(p, end, esc, to);
        if (p == end || (unsigned char)*p < 0x80)
            return p;
        if (cs->kind == CS_UTF8) {
            while (p < end && (unsigned char)*p >= 0x80)
                *(*to)++ = *p++;
            continue;
        }
        next = p;
        byte = charset_byte(cs, next_cp(&next, end));
        if (byte < 0)
            return p;
        *(*to)++ = (char)byte;
        p = next;
    }
}

static int put_escape(struct sink *s, unsigned char c,
                      const struct escapes *esc)
{
    struct str text = str_of(esc->of[c]);

    if (text.len == 0)
        return fail(s, DIAG_CONTROL_CHAR, c);
    return put(s, text, &no_escapes, 0);
}

static int put_bytes(struct sink *s, struct str text, const struct escapes *esc,
                     unsigned depth)
{
    const char *p = text.p, *end = text.p + text.len;

    while (p < end) {
        char *to = buf_room(&s->out, (size_t)(end - p));

        if (!to)
            return fail(s, DIAG_LIMIT, 0);
        p = copy_run(s->cs, p, end, esc, &to);
        s->out.len = (size_t)(to - s->out.p);
        if (p == end)
            break;
        if ((unsigned char)*p < 0x80) {
            if (put_escape(s, (unsigned char)*p++, esc) != 0)
                return -1;
        } else if (put_fallback(s, next_cp(&p, end), esc, depth) != 0) {
            return -1;
        }
    }
    return 0;
}

static int put_utf16(struct sink *s, struct str text, const struct escapes *esc)
{
    const char *p = text.p, *end = text.p + text.len;

    while (p < end) {
        uint32_t cp = next_cp(&p, end);

        if (cp < 0x80 && esc->of[cp]) {
            if (put_escape(s, (unsigned char)cp, esc) != 0)
                return -1;
        } else if (!charset_put(s->cs, cp, &s->out)) {
            return fail(s, DIAG_LIMIT, 0);
        }
    }
    return 0;
}

static int put(struct sink *s, struct str text, const struct escapes *esc,
               unsigned depth)
{
    if (text.len == 0)
        return 0;
    return s->cs->kind == CS_UTF16 ? put_utf16(s, text, esc)
                                   : put_bytes(s, text, esc, depth);
}

int sink_text(struct sink *s, struct str utf8, const struct escapes *esc)
{
    const char *p = utf8.p, *end;
    size_t before = s->out.len;

    if (utf8.len == 0)
        return 0;
    end = p + utf8.len;
    if (!esc)
        esc = &no_escapes;
    /* Nearly all values: there is room, and nothing needs a decision. */
    if (s->cs->kind != CS_UTF16 && s->out.cap - before >= utf8.len) {
        char *to = s->out.p + before;

        if (copy_short(utf8, esc, to)) {
            s->out.len += utf8.len;
            return 0;
        }
        p = copy_run(s->cs, p, end, esc, &to);
        s->out.len = (size_t)(to - s->out.p);
    }
    if (p < end && put(s, (struct str){ p, (size_t)(end - p) }, esc, 0) != 0) {
        s->out.len = before;
        return -1;
    }
    return 0;
}

int sink_between(struct sink *s, struct str open, struct str utf8,
                 const struct escapes *esc, struct str close)
{
    size_t before = s->out.len, need = open.len + utf8.len + close.len;

    if (s->cs->kind != CS_UTF16 && s->out.cap - before >= need) {
        const char *end = utf8.len ? utf8.p + utf8.len : utf8.p;
        char *to = s->out.p + before;
        bool is_done;

        memcpy(to, open.p, open.len);
        to += open.len;
        is_done = copy_short(utf8, esc, to);
        if (is_done)
            to += utf8.len;
        else
            is_done = copy_run(s->cs, utf8.p, end, esc, &to) == end;
        if (is_done) {
            memcpy(to, close.p, close.len);
            s->out.len = (size_t)(to - s->out.p) + close.len;
            return 0;
        }
    }
    if (sink_bytes(s, open) == 0 && sink_text(s, utf8, esc) == 0 &&
        sink_bytes(s, close) == 0)
        return 0;
    s->out.len = before;
    return -1;
}

int sink_encode(struct arena *a, const struct charset *cs, struct str utf8,
                struct str *out)
{
    struct sink s;
    int rc;

    sink_init(&s, cs);
    rc = sink_text(&s, utf8, NULL);
    if (rc == 0)
        *out = arena_str(a, buf_str(&s.out));
    sink_release(&s);
    return rc;
}
