#include "formats/xml_plain.h"

#include "converters/base/bytes.h"

/* Of few bytes, mostly 8 to 24: faster than memcmp(). */
static bool same(const char *a, const char *b, size_t n)
{
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        if (bytes_load(a + i) != bytes_load(b + i))
            return false;
    if (n >= 8)
        return bytes_load(a + n - 8) == bytes_load(b + n - 8);
    for (; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* ---- names --------------------------------------------------------------- */

/* FNV-1a; that names share a place does no harm but to speed. */
static struct xml_plain_name *place_of(struct xml_plain *l, struct str tag)
{
    uint32_t hash = 2166136261;

    for (size_t i = 0; i < tag.len; i++)
        hash = (hash ^ (unsigned char)tag.p[i]) * 16777619;
    return &l->names[(hash ^ hash >> 16) % XML_PLAIN_NAMES];
}

void xml_plain_learn(struct xml_plain *l, const char *base, const char *tag_end,
                     const struct xml_name *name, const char *prefix)
{
    size_t len = strlen(name->local) + (prefix ? strlen(prefix) + 1 : 0) + 2;
    const char *tag = tag_end + 1 - len;
    struct xml_plain_name *n;

    /* A blank or '/' stands before the '>', or it is too long. */
    if (len > XML_PLAIN_TAG || *tag_end != '>' ||
        len > (size_t)(tag_end + 1 - base) || *tag != '<')
        return;
    n = place_of(l, (struct str){ tag, len });
    if (n->len != len || memcmp(n->tag, tag, len) != 0) {
        memcpy(n->tag, tag, len);
        n->len = len;
        n->then = NULL;
    }
    n->name = *name;
    n->scope = l->scope;
    l->last = n;
}

/* Is it n's start tag that begins s? */
static bool fits(const struct xml_plain *l, const struct xml_plain_name *n,
                 struct str s)
{
    return n->len && n->scope == l->scope && n->len <= s.len &&
           same(n->tag, s.p, n->len);
}

/* Whose start tag begins s? NULL: of none that is known. */
static struct xml_plain_name *name_at(struct xml_plain *l, struct str s)
{
    struct xml_plain_name *n = l->last->then;
    ptrdiff_t gt;

    if (!n || !fits(l, n, s)) {
        gt = str_find_char(str_first(s, XML_PLAIN_TAG), '>');
        if (gt < 0)
            return NULL;
        n = place_of(l, str_first(s, (size_t)gt + 1));
        if (!fits(l, n, s))
            return NULL;
        l->last->then = n;
    }
    l->last = n;
    return n;
}

/* ---- text ---------------------------------------------------------------- */

/* What a byte is to a text. */
enum { FOREIGN, PLAIN, LINE_END, CR, AMPERSAND, BRACKET };

/* U+FFFE and U+FFFF, which XML forbids, begin with EF. */
static unsigned char kind_of(int byte)
{
    if (byte == '\n')
        return LINE_END;
    if (byte == '\r')
        return CR;
    if (byte == '&')
        return AMPERSAND;
    if (byte == ']')
        return BRACKET;
    if (byte == '<' || byte == 0xEF || (byte < ' ' && byte != '\t'))
        return FOREIGN;
    return PLAIN;
}

void xml_plain_init(struct xml_plain *l)
{
    *l = (struct xml_plain){ .last = &l->names[0] };
    for (int i = 0; i < 256; i++)
        l->kinds[i] = kind_of(i);
}

size_t xml_plain_reference(struct str s, char *to)
{
    static const struct {
        struct str text;
        char means;
    } known[] = {
        { { "&amp;", 5 }, '&' },   { { "&quot;", 6 }, '"' },
        { { "&lt;", 4 }, '<' },    { { "&gt;", 4 }, '>' },
        { { "&apos;", 6 }, '\'' },
    };

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_starts(s, known[i].text)) {
            *to = known[i].means;
            return known[i].text.len;
        }
    return 0;
}

static const char *skip_plain(const struct xml_plain *l, const char *p,
                              const char *end)
{
    while (p < end && l->kinds[(unsigned char)*p] == PLAIN)
        p++;
    return p;
}

/* The text at p, as a token: to a '<', or to what is not plain. */
static const char *scan_text(const struct xml_plain *l, const char *p,
                             const char *end, struct xml_token *t)
{
    const char *line = p;
    size_t n = 1;
    char c;

    *t = (struct xml_token){ .kind = XML_TEXT };
    while (n && (p = skip_plain(l, p, end)) < end) {
        switch (l->kinds[(unsigned char)*p]) {
        case LINE_END:
            line = ++p;
            t->lines++;
            break;
        case CR: /* before LF it is dropped, else it becomes one */
            t->kind = XML_TEXT_CODED;
            n = end - p > 1 && p[1] == '\n';
            p += n;
            break;
        case AMPERSAND:
            t->kind = XML_TEXT_CODED;
            n = xml_plain_reference(str_between(p, end), &c);
            p += n;
            break;
        case BRACKET: /* "]]>" may not stand in text */
            n = end - p > 2 && !(p[1] == ']' && p[2] == '>');
            p += n;
            break;
        default:
            n = 0;
        }
    }
    t->last_line = (uint32_t)(p - line);
    t->end = p;
    return p;
}

/* ---- elements ------------------------------------------------------------ */

/* The end tag of n at p? NULL: it is not. */
static const char *scan_close(const struct xml_plain_name *n, const char *p,
                              const char *end, struct xml_token *t)
{
    if ((size_t)(end - p) <= n->len || !same(p + 2, n->tag + 1, n->len - 1))
        return NULL;
    p += n->len + 1;
    *t = (struct xml_token){ .kind = XML_CLOSES,
                             .end = p,
                             .last_line = (uint32_t)n->len + 1 };
    return p;
}

static const char *scan_open(struct xml_plain *l, const char *p,
                             const char *end, struct xml_token *t)
{
    const struct xml_plain_name *n = name_at(l, str_between(p, end));

    if (!n)
        return NULL;
    p += n->len;
    *t = (struct xml_token){
        .kind = XML_OPENS, .end = p, .last_line = (uint32_t)n->len, .opens = n
    };
    return p;
}

bool xml_plain_find(struct xml_plain *l, struct str s)
{
    const struct xml_plain_name *open[XML_PLAIN_DEPTH];
    const char *p = s.p, *end = s.p + s.len, *begin;
    struct xml_token *t = l->tokens;
    size_t depth = 0;

    while (t + 2 <= l->tokens + XML_PLAIN_TOKENS) {
        begin = p;
        p = scan_text(l, p, end, t);
        if (end - p < 2 || *p != '<')
            return false;
        if (p > begin)
            t++;
        if (p[1] == '/') {
            if (depth == 0 || !(p = scan_close(open[depth - 1], p, end, t++)))
                return false;
            if (--depth == 0) {
                l->n_tokens = (size_t)(t - l->tokens);
                return true;
            }
        } else {
            if (depth == XML_PLAIN_DEPTH || !(p = scan_open(l, p, end, t)))
                return false;
            open[depth++] = t++->opens;
        }
    }
    return false;
}
