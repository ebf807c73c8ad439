#include "formats/xml_place.h"

#include "converters/base/bytes.h"
#include "converters/base/utf8.h"

/* Characters of a piece of a line: most are ASCII. */
static uint64_t count_few_chars(struct str s)
{
    uint64_t any = 0;

    if (s.len < 8)
        return utf8_count(s);
    for (size_t i = 0; i + 8 < s.len; i += 8)
        any |= bytes_load(s.p + i);
    any |= bytes_load(s.p + s.len - 8);
    return any & HIGHS ? utf8_count(s) : s.len;
}

void xml_place_move(struct xml_place *at, struct str text, uint32_t line)
{
    const char *newline = NULL;

    at->offset += text.len;
    if (line != at->line && text.len)
        newline = memrchr(text.p, '\n', text.len);
    if (newline) {
        at->col = 1;
        text = str_from(text, (size_t)(newline + 1 - text.p));
    }
    at->col += (uint32_t)count_few_chars(text);
    at->line = line;
}

/* Without a branch that depends on the text: this is asked of every element
 * that is wanted. */
bool xml_line_is_plain(const char *p, size_t n)
{
    static const unsigned char in_line[2 * XML_LOOK_BACK] = {
#define EIGHT 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80
        [XML_LOOK_BACK] = EIGHT,
        EIGHT,
        EIGHT,
        EIGHT,
        EIGHT,
        EIGHT,
        EIGHT,
        EIGHT,
#undef EIGHT
    };
    const char *mask = (const char *)in_line + n;
    uint64_t any = 0;

    for (size_t i = 0; i < XML_LOOK_BACK; i += 8)
        any |= bytes_load(p - XML_LOOK_BACK + i) & bytes_load(mask + i);
    return any == 0 && p[-(ptrdiff_t)n - 1] == '\n';
}

uint64_t xml_raw_size(const struct charset *cs, struct str text)
{
    if (cs->kind == CS_UTF8)
        return text.len;
    if (cs->kind == CS_SINGLE_BYTE)
        return utf8_count(text);
    return charset_raw_size(cs, text);
}

uint32_t xml_count_lines(struct str text)
{
    uint32_t n = 0;
    ptrdiff_t i;

    while ((i = str_find_char(text, '\n')) >= 0) {
        n++;
        text = str_from(text, (size_t)i + 1);
    }
    return n;
}

bool xml_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool xml_next_value(const char **p)
{
    const char *name;

    while (xml_is_blank(**p))
        ++*p;
    name = *p;
    while (**p != '"' && **p != '\'')
        ++*p;
    ++*p;
    /* The quote stands before the end of these six bytes only if the name
     * is another one. */
    return strncmp(name, "xmlns", 5) == 0 &&
           (name[5] == ':' || name[5] == '=' || xml_is_blank(name[5]));
}

const char *xml_value_end(const char *p)
{
    char quote = p[-1];

    while (*p != quote)
        p++;
    return p + 1;
}

struct str xml_value_decode(struct buf *room, struct str v)
{
    ptrdiff_t amp = str_find_char(v, '&');

    if (amp < 0)
        return v;
    buf_clear(room);
    for (; amp >= 0; amp = str_find_char(v, '&')) {
        buf_add(room, str_first(v, (size_t)amp + 1));
        v = str_from(v, (size_t)amp + 1);
        if (str_starts(v, STR("#38;")))
            v = str_from(v, 4);
    }
    buf_add(room, v);
    return buf_str(room);
}

struct str xml_fill_in(struct arena *a, const char *text, const char *one,
                       const char *two, int n)
{
    struct buf b;
    struct str s;

    buf_init(&b, 1024);
    for (; *text; text++) {
        const char *arg = text[0] == '%' && text[1] == '1' ? one : two;

        if (*text != '%')
            buf_addc(&b, *text);
        else if (*++text == '3')
            buf_addf(&b, "%d", n);
        else
            buf_add(&b, str_first(str_of(arg ? arg : "?"), 200));
    }
    s = arena_str(a, buf_str(&b));
    buf_release(&b);
    return s;
}
