/*
 * xml_write.c - the XML writer.
 *
 * prepare() makes ready bytes of everything that a map fixes, in the output
 * charset:
 *
 *   element    open "\n  <a:b>", close "</a:b>"
 *   outermost  open "<a:b xmlns:a=...>", close "\n</a:b>"
 *   attribute  open " name=\"", close "\""
 *
 * so that leaf(), which writes most of a file, only appends three texts. The
 * indentation in front of an inner end tag is that of its start tag. An
 * element that holds text of its own gets nothing added inside:
 * sink->state.depth counts the elements that are open in it.
 */
#include "converters/base/utf8.h"
#include "formats/format.h"
#include "formats/sink.h"

extern const struct write_ops xml_write_ops;
extern const struct opt_spec xml_write_opts[];

enum { OPT_INDENT, OPT_NS };

const struct opt_spec xml_write_opts[] = {
    [OPT_INDENT] = { "indent", OPT_YESNO, "yes", NULL,
                     "each element on a line of its own" },
    [OPT_NS] = { "namespace", OPT_NAMESPACE, NULL, NULL,
                 "prefix = URI, declared on the outermost element" },
    { 0 },
};

#define CONTROLS                                                               \
    [0] = "", [1] = "", [2] = "", [3] = "", [4] = "", [5] = "", [6] = "",      \
    [7] = "", [8] = "", [11] = "", [12] = "", [14] = "", [15] = "", [16] = "", \
    [17] = "", [18] = "", [19] = "", [20] = "", [21] = "", [22] = "",          \
    [23] = "", [24] = "", [25] = "", [26] = "", [27] = "", [28] = "",          \
    [29] = "", [30] = "", [31] = ""

static const struct escapes in_text = {
    { CONTROLS, ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;",
      ['\r'] = "&#13;" },
    .least = SIXTEEN(' '),
    .special = { SIXTEEN('&'), SIXTEEN('<'), SIXTEEN('>'), SIXTEEN('&') },
};

static const struct escapes in_attribute = {
    { CONTROLS, ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;",
      ['"'] = "&quot;", ['\t'] = "&#9;", ['\n'] = "&#10;", ['\r'] = "&#13;" },
    .least = SIXTEEN(' '),
    .special = { SIXTEEN('&'), SIXTEEN('<'), SIXTEEN('>'), SIXTEEN('"') },
};

/* Bytes of an ASCII character. */
static uint32_t unit(const struct charset *cs)
{
    return cs->kind == CS_UTF16 ? 2 : 1;
}

/* ---- once per map ----------------------------------------------------------
 */

static bool indents(const struct write_plan *w)
{
    return !w->opts || w->opts[OPT_INDENT].yes;
}

/* Adds s as it stands in an attribute. */
static void add_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        const char *as = c < 128 ? in_attribute.of[c] : NULL;

        if (as)
            buf_addz(b, as);
        else
            buf_addc(b, (char)c);
    }
}

static void add_namespaces(struct buf *b, const struct write_plan *w)
{
    for (size_t i = 0; i < w->n_ns; i++) {
        buf_addz(b, w->ns[i].prefix.len ? " xmlns:" : " xmlns");
        buf_add(b, w->ns[i].prefix);
        buf_addz(b, "=\"");
        add_escaped(b, w->ns[i].uri);
        buf_addc(b, '"');
    }
}

static void build_open(struct buf *b, const struct part *p,
                       const struct write_plan *w)
{
    if (p->kind == PART_ATTRIBUTE) {
        buf_addc(b, ' ');
        buf_add(b, p->name);
        buf_addz(b, "=\"");
        return;
    }
    if (p->depth && indents(w)) {
        buf_addz(b, w->newline);
        for (uint32_t i = 0; i < p->depth; i++)
            buf_addc(b, ' ');
    }
    buf_addc(b, '<');
    buf_add(b, p->name);
    if (p->depth == 0)
        add_namespaces(b, w);
    buf_addc(b, '>');
}

static void build_close(struct buf *b, const struct part *p,
                        const struct write_plan *w)
{
    if (p->kind == PART_ATTRIBUTE) {
        buf_addc(b, '"');
        return;
    }
    if (p->depth == 0 && indents(w))
        buf_addz(b, w->newline);
    buf_addz(b, "</");
    buf_add(b, p->name);
    buf_addc(b, '>');
}

/* XML 1.0, 5th edition, [4] and [4a] without the colon. */
static bool is_name_char(uint32_t cp, bool first)
{
    static const struct {
        uint32_t from, to;
        bool begins;
    } ranges[] = {
        { '-', '.', false },      { '0', '9', false },
        { 'A', 'Z', true },       { '_', '_', true },
        { 'a', 'z', true },       { 0xB7, 0xB7, false },
        { 0xC0, 0xD6, true },     { 0xD8, 0xF6, true },
        { 0xF8, 0x2FF, true },    { 0x300, 0x36F, false },
        { 0x370, 0x37D, true },   { 0x37F, 0x1FFF, true },
        { 0x200C, 0x200D, true }, { 0x203F, 0x2040, false },
        { 0x2070, 0x218F, true }, { 0x2C00, 0x2FEF, true },
        { 0x3001, 0xD7FF, true }, { 0xF900, 0xFDCF, true },
        { 0xFDF0, 0xFFFD, true }, { 0x10000, 0xEFFFF, true },
    };

    for (size_t i = 0; i < COUNT(ranges); i++)
        if (cp >= ranges[i].from && cp <= ranges[i].to)
            return ranges[i].begins || !first;
    return false;
}

/* A name without a prefix. */
static bool is_plain_name(struct str s)
{
    for (size_t pos = 0; pos < s.len;) {
        bool first = pos == 0;

        if (!is_name_char((uint32_t)utf8_next(s, &pos), first))
            return false;
    }
    return s.len > 0;
}

/* As namespaces have it: at most one colon, and not at an end. */
static bool is_name(struct str s)
{
    ptrdiff_t colon = str_find_char(s, ':');

    if (colon < 0)
        return is_plain_name(s) && !str_is(s, "xmlns");
    return is_plain_name(str_first(s, (size_t)colon)) &&
           is_plain_name(str_from(s, (size_t)colon + 1));
}

static bool names_are_right(const struct part *p, const struct write_plan *w)
{
    bool has_name = p->kind == PART_ELEMENT || p->kind == PART_ATTRIBUTE;

    for (size_t i = 0; has_name && p->depth == 0 && i < w->n_ns; i++)
        if (w->ns[i].prefix.len && !is_plain_name(w->ns[i].prefix))
            return false;
    return !has_name || is_name(p->name);
}

static int xml_prepare(struct arena *a, struct part *p,
                       const struct write_plan *w)
{
    struct buf open, close;
    ptrdiff_t indent;
    int rc;

    if (!names_are_right(p, w))
        return -1;
    buf_init(&open, MB(16));
    buf_init(&close, MB(16));
    build_open(&open, p, w);
    build_close(&close, p, w);
    rc = sink_encode(a, w->cs, buf_str(&open), &p->open);
    if (rc == 0)
        rc = sink_encode(a, w->cs, buf_str(&close), &p->close);
    indent = str_find_char(buf_str(p->depth ? &open : &close), '<');
    p->indent = indent > 0 ? (uint32_t)indent * unit(w->cs) : 0;
    buf_release(&open);
    buf_release(&close);
    return rc;
}

/* ---- per value -------------------------------------------------------------
 */

static int refuse_char(struct sink *s, uint32_t cp)
{
    s->fault = DIAG_CONTROL_CHAR;
    s->bad_cp = cp;
    return -1;
}

/* U+FFFE and U+FFFF are no characters of XML: EF BF BE, EF BF BF. */
static int check_text(struct sink *s, struct str v)
{
    const char *p = v.p, *end = v.p + v.len;

    if (s->cs->kind == CS_SINGLE_BYTE)
        return 0; /* has neither; sink_text() says so */
    while (p < end && (p = memchr(p, 0xEF, (size_t)(end - p)))) {
        if (end - p >= 3 && p[1] == (char)0xBF && (unsigned char)p[2] >= 0xBE)
            return refuse_char(s, 0xFF00u | ((unsigned char)p[2] + 0x40u));
        p++;
    }
    return 0;
}

/* A piece of markup. */
static inline int put_ascii(struct sink *s, struct str text)
{
    return s->cs->kind == CS_UTF16 ? sink_text(s, text, NULL)
                                   : sink_bytes(s, text);
}

static int put_value(struct sink *s, struct str v, const struct escapes *esc)
{
    if (v.len == 0)
        return 0;
    return check_text(s, v) || sink_text(s, v, esc) ? -1 : 0;
}

static int put_between(struct sink *s, struct str open, struct str v,
                       const struct escapes *esc, struct str close)
{
    return check_text(s, v) ? -1 : sink_between(s, open, v, esc, close);
}

/* ---- elements --------------------------------------------------------------
 */

/* Something comes into the open element. */
static int end_start_tag(struct sink *s)
{
    if (!s->state.tag_open)
        return 0;
    s->state.tag_open = false;
    return put_ascii(s, STR(">"));
}

static struct str start_tag(const struct sink *s, const struct part *p)
{
    return s->state.in_text && p->depth ? str_from(p->open, p->indent)
                                        : p->open;
}

/* Behind text: no line is added to it. */
static struct str inner_close(const struct part *p)
{
    return p->depth ? p->close : str_from(p->close, p->indent);
}

static int xml_begin(struct sink *s, const struct write_plan *w)
{
    s->state = (struct sink_state){ 0 };
    if (put_ascii(s, STR("<?xml version=\"1.0\" encoding=\"")) ||
        put_ascii(s, str_of(w->cs->name)) || put_ascii(s, STR("\"?>")))
        return -1;
    return put_ascii(s, str_of(w->newline));
}

static int xml_open(struct sink *s, const struct part *p)
{
    struct str tag;

    if (end_start_tag(s))
        return -1;
    tag = start_tag(s, p);
    if (s->state.in_text)
        s->state.depth++;
    s->state.tag_open = true;
    s->state.tag_at = s->out.len;
    return sink_bytes(s, str_first(tag, tag.len - unit(s->cs)));
}

/* Is p->open, ` name="`, in the start tag? In a value its " would be &quot;. */
static bool has_attribute(const struct sink *s, const struct part *p)
{
    size_t at = s->state.tag_at < s->out.len ? s->state.tag_at : 0;

    for (; at + p->open.len <= s->out.len; at += unit(s->cs))
        if (memcmp(s->out.p + at, p->open.p, p->open.len) == 0)
            return true;
    return false;
}

static int xml_value(struct sink *s, const struct part *p, struct str v)
{
    if (p->may_repeat && has_attribute(s, p)) {
        s->fault = DIAG_ATTRIBUTE_TWICE;
        return -1;
    }
    return put_between(s, p->open, v, &in_attribute, p->close);
}

static int xml_text(struct sink *s, const struct part *p, struct str v)
{
    (void)p;
    if (v.len == 0)
        return 0;
    if (end_start_tag(s))
        return -1;
    s->state.in_text = true;
    return put_value(s, v, &in_text);
}

static int xml_leaf(struct sink *s, const struct part *p, struct str v)
{
    struct str tag;

    if (end_start_tag(s))
        return -1;
    tag = start_tag(s, p);
    if (v.len == 0)
        return sink_bytes(s, str_first(tag, tag.len - unit(s->cs))) ||
                       put_ascii(s, STR("/>"))
                   ? -1
                   : 0;
    return put_between(s, tag, v, &in_text, inner_close(p));
}

static int xml_close(struct sink *s, const struct part *p)
{
    bool empty = s->state.tag_open, in_own_text = s->state.in_text;

    s->state.tag_open = false;
    if (s->state.in_text && s->state.depth-- == 0) {
        s->state.in_text = false;
        s->state.depth = 0;
    }
    if (empty)
        return put_ascii(s, STR("/>"));
    if (in_own_text)
        return sink_bytes(s, inner_close(p));
    if (p->depth && sink_bytes(s, str_first(p->open, p->indent)))
        return -1;
    return sink_bytes(s, p->close);
}

static int xml_end(struct sink *s)
{
    return put_ascii(s, str_of(s->newline));
}

const struct write_ops xml_write_ops = {
    .prepare = xml_prepare,
    .begin = xml_begin,
    .open = xml_open,
    .value = xml_value,
    .text = xml_text,
    .leaf = xml_leaf,
    .close = xml_close,
    .end = xml_end,
};
