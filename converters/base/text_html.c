/* text_html.c - the text of an HTML fragment, as shops keep descriptions. */
#include "converters/base/text.h"
#include "converters/base/utf8.h"

/*
 * Every byte of the result stands for at least one byte of the source, so the
 * result has room in as many bytes. Time is linear but for quotes in a tag
 * that never close, which QUOTES_MAX bounds.
 */
enum { QUOTES_MAX = 2048, ENTITY_MAX = 32 };

struct strip {
    struct str in;
    size_t pos;
    char *to;
    size_t n;
    char gap; /* what goes before the next character: 0, blank, line break */
    bool no_more_tags;
};

static void put(struct strip *s, struct str c, uint32_t cp)
{
    if (text_is_space(cp) || cp < ' ' || cp == 0x7F) {
        if (!s->gap)
            s->gap = ' ';
        return;
    }
    if (s->gap && s->n)
        s->to[s->n++] = s->gap;
    s->gap = 0;
    str_copy(s->to + s->n, c);
    s->n += c.len;
}

/* Leaves pos behind the next `what`, or at the end when there is none. */
static void skip_past(struct strip *s, size_t from, struct str what)
{
    ptrdiff_t at = str_find(str_from(s->in, from), what);

    s->pos = at < 0 ? s->in.len : from + (size_t)at + what.len;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * Offset of the '>' that ends the tag at pos; in.len when there is none. In
 * quotes a '>' ends nothing, unless the quotes never close.
 */
static size_t tag_end(struct strip *s)
{
    struct str rest = str_from(s->in, s->pos);
    ptrdiff_t first = s->no_more_tags ? -1 : str_find_char(rest, '>');
    char quote = 0;

    if (first < 0) {
        s->no_more_tags = true;
        return s->in.len;
    }
    for (size_t i = 1; i < rest.len && i < QUOTES_MAX; i++) {
        char c = rest.p[i];

        if (quote) {
            if (c == quote)
                quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            return s->pos + i;
        }
    }
    return s->pos + (size_t)first;
}

static struct str tag_name(struct strip *s)
{
    struct str name = str_from(s->in, s->pos + 1);
    size_t n = 0;

    if (str_starts(name, STR("/")))
        name = str_from(name, 1);
    while (n < name.len &&
           (is_letter(name.p[n]) || (name.p[n] >= '0' && name.p[n] <= '9')))
        n++;
    return str_first(name, n);
}

static const struct {
    const char *name;
    char gap;
} gaps[] = {
    { "br", '\n' },      { "p", '\n' },   { "div", '\n' },
    { "li", '\n' },      { "tr", '\n' },  { "ul", '\n' },
    { "ol", '\n' },      { "dl", '\n' },  { "dt", '\n' },
    { "dd", '\n' },      { "h1", '\n' },  { "h2", '\n' },
    { "h3", '\n' },      { "h4", '\n' },  { "h5", '\n' },
    { "h6", '\n' },      { "hr", '\n' },  { "table", '\n' },
    { "section", '\n' }, { "pre", '\n' }, { "blockquote", '\n' },
    { "td", ' ' },       { "th", ' ' },   { "option", ' ' },
};

static void tag_gap(struct strip *s, struct str name)
{
    for (size_t i = 0; i < COUNT(gaps); i++)
        if (str_eq_nocase(name, str_of(gaps[i].name)) && s->gap != '\n')
            s->gap = gaps[i].gap;
}

/* The body of a script or style is not text. */
static void skip_body(struct strip *s, struct str name)
{
    while (s->pos < s->in.len) {
        struct str rest = str_from(s->in, s->pos);
        ptrdiff_t at = str_find(rest, STR("</"));

        if (at < 0)
            break;
        s->pos += (size_t)at;
        if (str_eq_nocase(tag_name(s), name)) {
            s->pos = tag_end(s);
            break;
        }
        s->pos += 2;
    }
    if (s->pos < s->in.len && s->in.p[s->pos] == '>')
        s->pos++;
    else
        s->pos = s->in.len;
}

/* False: this '<' is just a character, as in "a < b". */
static bool take_tag(struct strip *s)
{
    struct str rest = str_from(s->in, s->pos);
    char next = rest.len > 1 ? rest.p[1] : 0;
    struct str name = tag_name(s);
    size_t end;

    if (str_starts(rest, STR("<!--"))) {
        skip_past(s, s->pos + 4, STR("-->"));
        return true;
    }
    if (str_starts(rest, STR("<![CDATA["))) {
        s->pos += 9;
        return true;
    }
    if (!name.len && next != '!' && next != '?')
        return false;
    if (name.len && !is_letter(name.p[0]))
        return false;
    end = tag_end(s);
    if (end == s->in.len)
        return false;
    s->pos = end + 1;
    tag_gap(s, name);
    if (next != '/' && (str_eq_nocase(name, STR("script")) ||
                        str_eq_nocase(name, STR("style"))))
        skip_body(s, name);
    return true;
}

/* What numbers 128..159 mean to every browser: windows-1252. */
static const uint16_t cp1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
    0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

static uint32_t digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (uint32_t)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (uint32_t)(c - 'A') + 10;
    return 99;
}

/* "#8364" or "#x20AC"; 0: no character. */
static uint32_t numeric_entity(struct str name)
{
    uint32_t base = 10, cp = 0;

    name = str_from(name, 1);
    if (str_starts(name, STR("x")) || str_starts(name, STR("X"))) {
        base = 16;
        name = str_from(name, 1);
    }
    for (size_t i = 0; i < name.len; i++) {
        if (digit_of(name.p[i]) >= base || cp > 0x10FFFF)
            return 0;
        cp = cp * base + digit_of(name.p[i]);
    }
    if (cp >= 0x80 && cp < 0xA0)
        return cp1252[cp - 0x80];
    return cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000) ? 0 : cp;
}

/* False: this '&' is just a character, as in "R&D". */
static bool take_entity(struct strip *s)
{
    struct str name = str_first(str_from(s->in, s->pos + 1), ENTITY_MAX);
    ptrdiff_t end = str_find_char(name, ';');
    char utf8[4];
    uint32_t cp;

    if (end < 1)
        return false;
    name.len = (size_t)end;
    cp = name.p[0] == '#' ? numeric_entity(name) : html_entity(name);
    if (!cp)
        return false;
    put(s, (struct str){ utf8, utf8_put(utf8, cp) }, cp);
    s->pos += name.len + 2;
    return true;
}

struct str text_strip_html(struct arena *a, struct str in)
{
    struct strip s = { .in = in, .to = arena_text(a, in.len) };

    while (s.pos < in.len) {
        struct str rest = { in.p + s.pos, in.len - s.pos };
        int32_t cp;

        if (rest.p[0] == '<' && take_tag(&s))
            continue;
        if (rest.p[0] == '&' && take_entity(&s))
            continue;
        if (str_starts(rest, STR("]]>"))) {
            s.pos += 3;
            continue;
        }
        cp = utf8_next(in, &s.pos);
        if (cp < 0)
            s.pos++;
        put(&s, str_first(rest, s.pos - (in.len - rest.len)),
            cp < 0 ? 0xFFFD : (uint32_t)cp);
    }
    return (struct str){ s.to, s.n };
}
