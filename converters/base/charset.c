#include "converters/base/charset.h"

#include "converters/base/utf8.h"

const struct charset charset_utf8 = {
    .name = "UTF-8",
    .aliases = (const char *const[]){ "utf8", "unicode-1-1-utf-8", NULL },
    .kind = CS_UTF8,
};

/* Without a BOM little-endian, as every program on Windows means it. */
const struct charset charset_utf16 = {
    .name = "UTF-16",
    .aliases = (const char *const[]){ "UTF-16LE", "UCS-2", "unicode", NULL },
    .kind = CS_UTF16,
};

const struct charset charset_utf16be = {
    .name = "UTF-16BE",
    .aliases = (const char *const[]){ NULL },
    .kind = CS_UTF16,
    .big_endian = true,
};

/* The next character of a name that counts, in lower case; 0 at its end. */
static char name_char(struct str s, size_t *pos)
{
    while (*pos < s.len) {
        char c = s.p[(*pos)++];

        if (c == '-' || c == '_')
            continue;
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return '\0';
}

static bool same_name(struct str a, const char *z)
{
    struct str b = str_of(z);
    size_t i = 0, k = 0;
    char c;

    do {
        c = name_char(a, &i);
        if (c != name_char(b, &k))
            return false;
    } while (c);
    return i == a.len;
}

const struct charset *charset_find(struct str name)
{
    for (size_t i = 0; charsets[i]; i++) {
        if (same_name(name, charsets[i]->name))
            return charsets[i];
        for (size_t k = 0; charsets[i]->aliases[k]; k++)
            if (same_name(name, charsets[i]->aliases[k]))
                return charsets[i];
    }
    return NULL;
}

void charset_names(struct buf *out)
{
    for (size_t i = 0; charsets[i]; i++) {
        buf_addz(out, i ? ", " : "");
        buf_addz(out, charsets[i]->name);
    }
}

static bool is_character(uint32_t cp)
{
    return cp < 0xD800 || (cp > 0xDFFF && cp <= 0x10FFFF);
}

unsigned charset_width(const struct charset *cs, uint32_t cp)
{
    if (!is_character(cp))
        return 0;
    switch (cs->kind) {
    case CS_SINGLE_BYTE:
        return charset_byte(cs, cp) < 0 ? 0 : 1;
    case CS_UTF16:
        return cp < 0x10000 ? 2 : 4;
    case CS_UTF8:
        break;
    }
    return cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
}

static unsigned put_utf16(char to[4], uint32_t cp, bool big_endian)
{
    uint32_t unit[2] = { cp, 0 };
    unsigned n = 1;

    if (cp > 0xFFFF) {
        unit[0] = 0xD800 + ((cp - 0x10000) >> 10);
        unit[1] = 0xDC00 + ((cp - 0x10000) & 0x3FF);
        n = 2;
    }
    for (unsigned i = 0; i < n; i++) {
        to[2 * i + big_endian] = (char)(unit[i] & 255);
        to[2 * i + !big_endian] = (char)(unit[i] >> 8);
    }
    return 2 * n;
}

bool charset_put(const struct charset *cs, uint32_t cp, struct buf *out)
{
    char bytes[4];
    unsigned n = charset_width(cs, cp);

    if (n == 0)
        return false;
    if (cs->kind == CS_SINGLE_BYTE)
        bytes[0] = (char)charset_byte(cs, cp);
    else if (cs->kind == CS_UTF8)
        utf8_put(bytes, cp);
    else
        put_utf16(bytes, cp, cs->big_endian);
    return buf_add(out, (struct str){ bytes, n }) == 0;
}

struct str charset_bom(const struct charset *cs)
{
    if (cs->kind == CS_SINGLE_BYTE)
        return STR("");
    if (cs->kind == CS_UTF8)
        return STR("\xEF\xBB\xBF");
    return cs->big_endian ? STR("\xFE\xFF") : STR("\xFF\xFE");
}

uint64_t charset_raw_size(const struct charset *cs, struct str utf8)
{
    uint64_t n;

    if (cs->kind == CS_UTF8)
        return utf8.len;
    n = utf8_count(utf8);
    if (cs->kind == CS_SINGLE_BYTE)
        return n;
    /* A sequence of four bytes is a pair of two units. */
    for (size_t i = 0; i < utf8.len; i++)
        n += (unsigned char)utf8.p[i] >= 0xF0;
    return 2 * n;
}
