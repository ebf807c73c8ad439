/* t_charset.c - the charsets' tables against iconv; names; encoding. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <iconv.h>

#include "converters/base/charset.h"
#include "converters/base/utf8.h"

/* ---- every byte and every character, against the C library -------------- */

/* STR() is no constant; this is, inside a table. */
#define BYTES(lit)             \
    {                          \
        (lit), sizeof(lit) - 1 \
    }

static struct table_case {
    const char *name, *iconv;
    /* Bytes that the C library reads as other signs; see cwi2.tsv. */
    const char *other;
} tables[] = {
    { "windows-1250", "WINDOWS-1250", "" },
    { "windows-1252", "WINDOWS-1252", "" },
    { "windows-1254", "WINDOWS-1254", "" },
    { "ISO-8859-1", "ISO-8859-1", "" },
    { "ISO-8859-2", "ISO-8859-2", "" },
    { "ISO-8859-9", "ISO-8859-9", "" },
    { "ISO-8859-16", "ISO-8859-16", "" },
    { "CP852", "CP852", "" },
    { "CP857", "CP857", "" },
    { "CWI-2", "CWI-2", "\x9F\xE1\xE6\xED\xF8\xF9\xFA" },
};

static uint32_t code_point(const struct charset *cs, unsigned b)
{
    size_t pos = 0;

    return cs->utf8_len[b]
               ? (uint32_t)utf8_next(
                     (struct str){ cs->to_utf8[b], cs->utf8_len[b] }, &pos)
               : UINT32_MAX;
}

/* One character through iconv: its bytes, or 0 if it can not be converted. */
static size_t convert(iconv_t cd, const void *from, size_t n, void *to,
                      size_t room)
{
    char in[4], *p = in, *out = to;
    size_t left = room;

    memcpy(in, from, n);
    iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &p, &n, &out, &left) == (size_t)-1) {
        assert_int_equal(errno, EILSEQ);
        return 0;
    }
    iconv(cd, NULL, NULL, &out, &left);
    return room - left;
}

static void bytes_are_read_as_iconv_does(void **state)
{
    const struct table_case *c = *state;
    const struct charset *cs = charset_find(str_of(c->name));
    iconv_t cd = iconv_open("UCS-4LE", c->iconv);

    assert_non_null(cs);
    assert_true(cd != (iconv_t)-1);
    for (unsigned b = 0; b < 256; b++) {
        uint32_t want = UINT32_MAX, got = code_point(cs, b);

        if (convert(cd, &(char){ (char)b }, 1, &want, 4) == 0 ||
            (want >= 0x80 && want < 0xA0))
            want = UINT32_MAX;
        if ((got != want) == !memchr(c->other, (int)b, strlen(c->other)))
            fail_msg("byte %02X is U+%04X, iconv says U+%04X", b, got, want);
    }
    iconv_close(cd);
}

static void characters_are_written_as_iconv_does(void **state)
{
    const struct table_case *c = *state;
    const struct charset *cs = charset_find(str_of(c->name));
    iconv_t cd = iconv_open(c->iconv, "UCS-4LE");

    assert_true(cd != (iconv_t)-1);
    for (uint32_t cp = 0; cp < 0x10000; cp++) {
        unsigned char byte = 0;
        int want = -1, got = charset_byte(cs, cp);

        if (cp >= 0xD800 && cp < 0xE000)
            continue;
        if ((cp < 0x80 || cp >= 0xA0) && convert(cd, &cp, 4, &byte, 1))
            want = byte;
        if (got != want &&
            !memchr(c->other, want < 0 ? got : want, strlen(c->other)))
            fail_msg("U+%04X is byte %02X, iconv says %02X", cp, got, want);
    }
    iconv_close(cd);
}

static void no_two_bytes_are_one_character(void **state)
{
    (void)state;
    for (size_t i = 0; charsets[i]; i++)
        for (unsigned b = 0; b < 256; b++) {
            const struct charset *cs = charsets[i];

            if (cs->kind != CS_SINGLE_BYTE || !cs->utf8_len[b])
                continue;
            if (charset_byte(cs, code_point(cs, b)) != (int)b)
                fail_msg("%s: byte %02X comes back as %d", cs->name, b,
                         charset_byte(cs, code_point(cs, b)));
        }
}

/* ---- texts in charsets that iconv lacks -----------------------------------
 */

static struct text_case {
    int line;
    const char *name, *charset, *text;
    struct str bytes;
} texts[] = {
    { __LINE__, "KEYBCS2 lower case", "KEYBCS2", "příliš žluťoučký kůň",
      BYTES("p\xA9\xA1li\xA8 \x91lu\x9Fou\x87k\x98 k\x96\xA4") },
    { __LINE__, "KEYBCS2 upper case", "KEYBCS2", "ŘÍŠE ČÁP ĚŤÚŮÝŇĎ",
      BYTES("\x9E\x8B\x9B"
            "E \x80\x8FP \x89\x86\x97\xA6\x9D\xA5\x85") },
    { __LINE__, "KEYBCS2 Slovak", "KEYBCS2", "ľĺŕôäĽĹŔÔÄ",
      BYTES("\x8C\x8D\xAA\x93\x84\x9C\x8A\xAB\xA7\x8E") },
    { __LINE__, "KEYBCS2 has the section sign", "KEYBCS2", "§ 12",
      BYTES("\xAD 12") },
    { __LINE__, "CWI-2 lower case", "CWI-2", "árvíztűrő tükörfúrógép",
      BYTES("\xA0rv\xA1zt\x96r\x93 t\x81k\x94rf\xA3r\xA2g\x82p") },
    { __LINE__, "CWI-2 upper case", "CWI-2", "ÁRVÍZTŰRŐ ÜÖÚÓÉ",
      BYTES("\x8FRV\x8DZT\x98R\xA7 \x9A\x99\x97\x95\x90") },
    { __LINE__, "CWI-2 degree and sharp s", "CWI-2", "°ß", BYTES("\xF8\xE1") },
    { __LINE__, "UTF-16 is little-endian", "UTF-16", "č😀",
      BYTES("\x0D\x01\x3D\xD8\x00\xDE") },
    { __LINE__, "UTF-16BE is big-endian", "UTF-16BE", "č😀",
      BYTES("\x01\x0D\xD8\x3D\xDE\x00") },
    { __LINE__, "UTF-8 is itself", "UTF-8", "č😀",
      BYTES("\xC4\x8D\xF0\x9F\x98\x80") },
};

static void test_text(void **state)
{
    const struct text_case *c = *state;
    const struct charset *cs = charset_find(str_of(c->charset));
    struct str text = str_of(c->text);
    size_t pos = 0, width = 0;
    struct buf out;

    buf_init(&out, 1000);
    while (pos < text.len) {
        uint32_t cp = (uint32_t)utf8_next(text, &pos);

        width += charset_width(cs, cp);
        assert_true(charset_put(cs, cp, &out));
    }
    if (!str_eq(buf_str(&out), c->bytes) || width != c->bytes.len ||
        charset_raw_size(cs, text) != c->bytes.len)
        fail_msg("%s:%d: other bytes, or another size", __FILE__, c->line);
    buf_release(&out);
}

static void what_a_charset_lacks_is_not_put(void **state)
{
    const struct charset *cs = charset_find(STR("windows-1254"));
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_false(charset_put(cs, 0x151, &out));   /* ő */
    assert_false(charset_put(cs, 0x20BA, &out));  /* lira sign */
    assert_false(charset_put(cs, 0x1F600, &out)); /* emoji */
    assert_int_equal(charset_width(cs, 0x151), 0);
    assert_false(charset_put(&charset_utf8, 0xD800, &out));
    assert_false(charset_put(&charset_utf8, 0x110000, &out));
    assert_int_equal(out.len, 0);
}

/* ---- names ------------------------------------------------------------------
 */

static struct name_case {
    const char *name, *found; /* NULL: unknown */
} names[] = {
    { "windows-1250", "windows-1250" },
    { "Windows-1250", "windows-1250" },
    { "WINDOWS_1250", "windows-1250" },
    { "cp1250", "windows-1250" },
    { "CP-1254", "windows-1254" },
    { "iso-8859-9", "ISO-8859-9" },
    { "ISO8859-2", "ISO-8859-2" },
    { "iso_8859-16", "ISO-8859-16" },
    { "latin2", "ISO-8859-2" },
    { "IBM852", "CP852" },
    { "cp857", "CP857" },
    { "kamenicky", "KEYBCS2" },
    { "CP895", "KEYBCS2" },
    { "cwi2", "CWI-2" },
    { "utf8", "UTF-8" },
    { "Utf-8", "UTF-8" },
    { "UTF-16", "UTF-16" },
    { "utf-16le", "UTF-16" },
    { "UTF-16BE", "UTF-16BE" },
    { "", NULL },
    { "UTF-7", NULL },
    { "IBM037", NULL },
    { "windows-125", NULL },
    { "windows-12500", NULL },
    { "ISO-2022-CN-EXT", NULL },
};

static void test_name(void **state)
{
    const struct name_case *c = *state;
    const struct charset *cs = charset_find(str_of(c->name));

    if (c->found)
        assert_string_equal(cs ? cs->name : "unknown", c->found);
    else
        assert_null(cs);
}

static void the_list_of_names_fits_a_message(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 240);
    charset_names(&out);
    assert_int_equal(buf_addc(&out, '\0'), 0);
    assert_true(str_starts(buf_str(&out), STR("UTF-8, UTF-16, UTF-16BE, ")));
    assert_true(str_ends(buf_str(&out), STR(", KEYBCS2, CWI-2\0")));
    buf_release(&out);
}

/* ---- fallbacks --------------------------------------------------------------
 */

static struct fallback_case {
    const char *name, *country;
    uint32_t cp;
    const char *text; /* NULL: none */
} fallbacks[] = {
    { "en dash", "", 0x2013, "-" },
    { "low quote", "", 0x201E, "\"" },
    { "apostrophe", "", 0x2019, "'" },
    { "no-break space", "", 0xA0, " " },
    { "ellipsis", "", 0x2026, "..." },
    { "multiplication sign", "", 0xD7, "x" },
    { "trade mark", "", 0x2122, "(TM)" },
    { "square", "", 0xB2, "2" },
    { "half", "", 0xBD, "1/2" },
    { "zero width space", "", 0x200B, "" },
    { "BOM inside", "", 0xFEFF, "" },
    { "soft hyphen", "", 0xAD, "" },
    { "lira", "", 0x20BA, "TL" },
    { "euro", "", 0x20AC, "EUR" },
    { "comma below is a cedilla first", "", 0x219, "ş" },
    { "a cedilla loses it last", "", 0x15F, "s" },
    { "double acute is an umlaut first", "", 0x151, "ö" },
    { "Hungarian double acute is a tilde", "hu", 0x151, "õ" },
    { "Hungarian tilde is a double acute", "hu", 0xF5, "ő" },
    { "Romanian cedilla is a comma", "ro", 0x163, "ț" },
    { "Czech number sign", "cz", 0x2116, "č." },
    { "Slovak number sign", "sk", 0x2116, "č." },
    { "a country's table has only its own", "ro", 0x2013, NULL },
    { "dagger", "", 0x2020, "+" },
    { "bullet", "", 0x2022, "-" },
    { "a star", "", 0x2605, "*" },
    { "a tick says yes", "", 0x2714, "+" },
    { "an arrow head", "", 0x27A4, ">" },
    { "emoji have none", "", 0x1F600, NULL },
    { "Cyrillic has none", "", 0x416, NULL },
    { "control characters have none", "", 0x85, NULL },
    { "a country in capitals is the same", "RO", 0x163, "ț" },
    { "an unknown country has none", "xx", 0x2013, NULL },
};

static void test_fallback(void **state)
{
    const struct fallback_case *c = *state;
    const struct fallback *f = fallback_find(str_of(c->country), c->cp);

    if (c->text)
        assert_string_equal(f ? f->text : "none", c->text);
    else
        assert_null(f);
}

static void every_latin_letter_ends_in_ascii(void **state)
{
    (void)state;
    for (uint32_t cp = 0xC0; cp < 0x180; cp++) {
        const struct fallback *f = fallback_find(STR(""), cp);
        unsigned depth = 1;

        while (f && (unsigned char)f->text[0] >= 0x80 && depth++ < 3) {
            size_t pos = 0;

            f = fallback_find(STR(""),
                              (uint32_t)utf8_next(str_of(f->text), &pos));
        }
        if (!f || (unsigned char)f->text[0] >= 0x80)
            fail_msg("U+%04X does not", cp);
    }
}

/* Of a character in a country, in ASCII. */
static size_t stand_in_len(struct str country, uint32_t cp, int depth)
{
    const struct fallback *f = cp < 0x80 ? NULL : fallback_find(country, cp);
    size_t pos = 0, n = 0;

    if (cp >= 0x80 && !f)
        f = fallback_find(STR(""), cp);
    if (!f || depth > FALLBACK_DEPTH)
        return 1;
    while (f->text[pos])
        n += stand_in_len(country, (uint32_t)utf8_next(str_of(f->text), &pos),
                          depth + 1);
    return n;
}

static void no_stand_in_is_longer_than_promised(void **state)
{
    static const char *const countries[] = { "", "cz", "sk", "tr", "hu", "ro" };

    (void)state;
    for (size_t i = 0; i < COUNT(countries); i++)
        for (uint32_t cp = 0x80; cp < 0x110000; cp++)
            if (stand_in_len(str_of(countries[i]), cp, 1) > FALLBACK_MAX)
                fail_msg("\"%s\" U+%04X is", countries[i], cp);
}

static void add_tables(struct CMUnitTest *t)
{
    for (size_t i = 0; i < COUNT(tables); i++) {
        t[2 * i] = (struct CMUnitTest){ .name = tables[i].name,
                                        bytes_are_read_as_iconv_does,
                                        .initial_state = &tables[i] };
        t[2 * i + 1] =
            (struct CMUnitTest){ .name = tables[i].name,
                                 characters_are_written_as_iconv_does,
                                 .initial_state = &tables[i] };
    }
}

int main(void)
{
    static const struct CMUnitTest more[] = {
        cmocka_unit_test(no_two_bytes_are_one_character),
        cmocka_unit_test(what_a_charset_lacks_is_not_put),
        cmocka_unit_test(the_list_of_names_fits_a_message),
        cmocka_unit_test(every_latin_letter_ends_in_ascii),
        cmocka_unit_test(no_stand_in_is_longer_than_promised),
    };
    struct CMUnitTest tests[2 * COUNT(tables) + COUNT(texts) + COUNT(names) +
                            COUNT(fallbacks) + COUNT(more)];
    size_t n = 2 * COUNT(tables);

    add_tables(tests);
    for (size_t i = 0; i < COUNT(texts); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_text, &texts[i]);
    for (size_t i = 0; i < COUNT(names); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_name, &names[i]);
    for (size_t i = 0; i < COUNT(fallbacks); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_fallback, &fallbacks[i]);
    memcpy(tests + n, more, sizeof(more));
    return cmocka_run_group_tests_name("charset", tests, NULL, NULL);
}
