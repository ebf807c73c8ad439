/* t_decode.c - base/charset_decode.c and charset_guess.c. */
#include "tests/unit/unit.h"

#include "converters/base/charset.h"
#include "converters/base/utf8.h"

/* STR() is no constant; this is, inside a table. */
#define BYTES(lit)             \
    {                          \
        (lit), sizeof(lit) - 1 \
    }

static enum charset_fault decode(struct decoder *d, const char *charset,
                                 struct str raw, size_t step, struct buf *out)
{
    enum charset_fault fault = CHARSET_OK;

    decoder_init(d, charset_find(str_of(charset)));
    buf_clear(out);
    for (size_t i = 0; i < raw.len && fault == CHARSET_OK; i += step)
        fault = decoder_feed(d, str_first(str_from(raw, i), step), false, out);
    if (fault == CHARSET_OK)
        fault = decoder_feed(d, (struct str){ NULL, 0 }, true, out);
    return fault;
}

/* The file's bytes in another charset. */
static void encode(const char *charset, const char *text, struct buf *out)
{
    struct str s = str_of(text);
    size_t pos = 0;

    while (pos < s.len) {
        uint32_t cp = (uint32_t)utf8_next(s, &pos);

        if (!charset_put(charset_find(str_of(charset)), cp, out))
            fail_msg("U+%04X is not in %s", cp, charset);
    }
}

/* ---- bytes and what becomes of them ---------------------------------------
 */

static struct decode_case {
    int line;
    const char *name, *charset;
    struct str raw;
    const char *want; /* text, also what stands before a fault */
    enum charset_fault fault;
    unsigned at_line, at_col, n_bad;
} cases[] = {
    { __LINE__, "an empty file", "UTF-8", BYTES(""), "", CHARSET_OK, 1, 1, 0 },
    { __LINE__, "one byte", "UTF-8", BYTES("a"), "a", CHARSET_OK, 1, 2, 0 },
    { __LINE__, "UTF-8 with a BOM", "UTF-8", BYTES("\xEF\xBB\xBF\xC4\x8D"), "č",
      CHARSET_OK, 1, 2, 0 },
    { __LINE__, "only a BOM", "UTF-8", BYTES("\xEF\xBB\xBF"), "", CHARSET_OK, 1,
      1, 0 },
    { __LINE__, "a BOM inside stays", "UTF-8", BYTES("a\xEF\xBB\xBF"),
      "a\xEF\xBB\xBF", CHARSET_OK, 1, 3, 0 },
    { __LINE__, "all lengths of UTF-8", "UTF-8",
      BYTES("a\n\xC4\x8D\xE2\x82\xAC\xF0\x9F\x98\x80z"), "a\nč€😀z", CHARSET_OK,
      2, 5, 0 },
    { __LINE__, "UTF-8 overlong", "UTF-8",
      BYTES("\xC4\x8D\xC4\x8D\nab\xC0\xAF"), "čč\nab", CHARSET_INVALID, 2, 3,
      1 },
    { __LINE__, "UTF-8 surrogate", "UTF-8",
      BYTES("\xC4\x8D\xC4\x8D\xED\xA0\x80"), "čč", CHARSET_INVALID, 1, 3, 1 },
    { __LINE__, "UTF-8 above U+10FFFF", "UTF-8",
      BYTES("\xC4\x8D\xC4\x8D\xC4\x8D\xC4\x8D\xC4\x8D\xF4\x90\x80\x80"),
      "ččččč", CHARSET_INVALID, 1, 6, 1 },
    { __LINE__, "UTF-8 cut at the end", "UTF-8", BYTES("abc\xE2\x82"), "abc",
      CHARSET_CUT, 1, 4, 2 },
    { __LINE__, "UTF-8 cut in its first character", "UTF-8", BYTES("\xF0\x9F"),
      "", CHARSET_CUT, 1, 1, 2 },
    { __LINE__, "one wrong byte in UTF-8", "UTF-8",
      BYTES("\xC4\x8D\xC5\x99\xC5\xBE x\xE8y"), "čřž x", CHARSET_INVALID, 1, 6,
      1 },
    { __LINE__, "windows-1250 read as UTF-8", "UTF-8",
      BYTES("a\nP\xF8\xEDli\x9A \x9Elu\x9Dou\xE8k\xFD"), "a\nP",
      CHARSET_NOT_UTF8, 2, 2, 1 },
    { __LINE__, "NUL in UTF-8", "UTF-8", BYTES("ab\n\0c and so on"), "ab\n",
      CHARSET_NUL, 2, 1, 1 },
    { __LINE__, "NUL behind letters in UTF-8", "UTF-8",
      BYTES("ab\xC4\x8D\xC4\x8D\0c"), "abčč", CHARSET_NUL, 1, 5, 1 },
    { __LINE__, "NUL in windows-1250", "windows-1250",
      BYTES("abcdefgh\xE8\0xyz"), "abcdefghč", CHARSET_NUL, 1, 10, 1 },

    { __LINE__, "windows-1250", "windows-1250",
      BYTES("P\xF8\xEDli\x9A \x9Elu\x9Dou\xE8k\xFD\n"), "Příliš žluťoučký\n",
      CHARSET_OK, 2, 1, 0 },
    { __LINE__, "a byte that windows-1250 lacks", "windows-1250",
      BYTES("12345678\n\xE8t\x83"), "12345678\nčt", CHARSET_INVALID, 2, 3, 1 },
    { __LINE__, "a byte that windows-1254 lacks", "windows-1254",
      BYTES("\xFE\xF0\x8E"), "şğ", CHARSET_INVALID, 1, 3, 1 },
    { __LINE__, "a byte that CP857 lacks", "CP857", BYTES("\x8D.\xD5"), "ı.",
      CHARSET_INVALID, 1, 3, 1 },
    { __LINE__, "windows-1250 in ISO-8859-2", "ISO-8859-2", BYTES("\xE8t \x9A"),
      "čt ", CHARSET_INVALID, 1, 4, 1 },
    { __LINE__, "CP852 has all bytes", "CP852", BYTES("\xD8\xE7\x9F\xFD\xA7"),
      "ěščřž", CHARSET_OK, 1, 6, 0 },

    { __LINE__, "UTF-16 with a BOM", "UTF-16",
      BYTES("\xFF\xFE"
            "a\0\x0D\x01"),
      "ač", CHARSET_OK, 1, 3, 0 },
    { __LINE__, "the BOM chooses the order", "UTF-16",
      BYTES("\xFE\xFF\0a\x01\x0D"), "ač", CHARSET_OK, 1, 3, 0 },
    { __LINE__, "the BOM is stronger than the name", "UTF-16BE",
      BYTES("\xFF\xFE"
            "a\0\x0D\x01"),
      "ač", CHARSET_OK, 1, 3, 0 },
    { __LINE__, "UTF-16 without BOM is little-endian", "UTF-16",
      BYTES("a\0b\0\n\0\x0D\x01"), "ab\nč", CHARSET_OK, 2, 2, 0 },
    { __LINE__, "zeros show big-endian", "UTF-16", BYTES("\0a\0b\x01\x0D"),
      "abč", CHARSET_OK, 1, 4, 0 },
    { __LINE__, "UTF-16 pair", "UTF-16", BYTES("a\0\x3D\xD8\x00\xDE"), "a😀",
      CHARSET_OK, 1, 3, 0 },
    { __LINE__, "UTF-16BE pair", "UTF-16BE", BYTES("\0a\xD8\x3D\xDE\x00"), "a😀",
      CHARSET_OK, 1, 3, 0 },
    { __LINE__, "UTF-16 high half alone", "UTF-16", BYTES("a\0\x3D\xD8z\0"),
      "a", CHARSET_INVALID, 1, 2, 2 },
    { __LINE__, "UTF-16 low half first", "UTF-16", BYTES("a\0\x00\xDEz\0"), "a",
      CHARSET_INVALID, 1, 2, 2 },
    { __LINE__, "UTF-16 of odd length", "UTF-16", BYTES("a\0b\0c"), "ab",
      CHARSET_CUT, 1, 3, 1 },
    { __LINE__, "UTF-16 ends in half a pair", "UTF-16", BYTES("a\0b\0\x3D\xD8"),
      "ab", CHARSET_CUT, 1, 3, 2 },
    { __LINE__, "U+0000 in UTF-16", "UTF-16", BYTES("a\0b\0\0\0c\0"), "ab",
      CHARSET_NUL, 1, 3, 2 },
    { __LINE__, "single bytes read as UTF-16", "UTF-16", BYTES("code;name\n"),
      "", CHARSET_INVALID, 1, 1, 2 },

    { __LINE__, "UTF-8 BOM under windows-1250", "windows-1250",
      BYTES("\xEF\xBB\xBF"
            "code"),
      "", CHARSET_IS_UTF8, 1, 1, 0 },
    { __LINE__, "UTF-8 BOM under UTF-16", "UTF-16",
      BYTES("\xEF\xBB\xBF"
            "code"),
      "", CHARSET_IS_UTF8, 1, 1, 0 },
    { __LINE__, "UTF-16 BOM under windows-1250", "windows-1250",
      BYTES("\xFF\xFE"
            "c\0o\0"),
      "", CHARSET_IS_UTF16, 1, 1, 0 },
    { __LINE__, "UTF-16 BOM under UTF-8", "UTF-8", BYTES("\xFE\xFF\0c\0o"), "",
      CHARSET_IS_UTF16, 1, 1, 0 },
    { __LINE__, "zero bytes of UTF-16 under UTF-8", "UTF-8",
      BYTES("c\0o\0d\0e\0;\0n\0a\0m\0e\0\n\0"), "c", CHARSET_IS_UTF16, 1, 2,
      1 },
    { __LINE__, "zero bytes of UTF-16BE under CP852", "CP852",
      BYTES("\0c\0o\0d\0e"), "", CHARSET_IS_UTF16, 1, 1, 1 },
};

static void check_case(const struct decode_case *c, size_t step)
{
    struct decoder d;
    struct buf out;
    enum charset_fault fault;

    buf_init(&out, 100000);
    fault = decode(&d, c->charset, c->raw, step, &out);
    if (fault != c->fault || !str_is(buf_str(&out), c->want) ||
        d.line != c->at_line || d.col != c->at_col ||
        (fault != CHARSET_OK && d.n_bad != c->n_bad))
        fail_msg("%s:%d: in steps of %zu: fault %d at %d:%d, %d bytes, "
                 "text \"%.*s\"",
                 __FILE__, c->line, step, fault, (int)d.line, (int)d.col,
                 d.n_bad, STR_ARGS(buf_str(&out)));
    if (fault == CHARSET_OK)
        assert_int_equal(d.raw_done, c->raw.len);
    buf_release(&out);
}

static void test_case(void **state)
{
    check_case(*state, 1000);
}

/* UTF-8 or not is judged by the piece at hand, so there pieces may differ. */
static void every_step_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t step = 1; step < 20; step++)
            if (cases[i].fault != CHARSET_NOT_UTF8)
                check_case(&cases[i], step);
}

static void a_long_file_is_the_same_in_any_steps(void **state)
{
    static const char *const in[] = { "windows-1250", "CP852",  "KEYBCS2",
                                      "UTF-8",        "UTF-16", "UTF-16BE" };
    static const char *const words[] = { "kůň", ";",          "\r\n",
                                         "Ž",   "0123456789", "abcdefghijklm",
                                         "éá",  "ť\t" };
    struct buf text, raw, out;
    unsigned random = 7;

    (void)state;
    buf_init(&text, 40000);
    buf_init(&raw, 100000);
    buf_init(&out, 400000);
    while (text.len < 20000) {
        random = random * 1103515245u + 12345u;
        buf_addz(&text, words[(random >> 16) % COUNT(words)]);
    }
    buf_addc(&text, '\0');
    for (size_t i = 0; i < COUNT(in); i++) {
        buf_clear(&raw);
        encode(in[i], text.p, &raw);
        for (size_t step = 1; step < 5000; step = step * 3 + 1) {
            struct decoder d;

            assert_int_equal(decode(&d, in[i], buf_str(&raw), step, &out), 0);
            assert_true(str_is(buf_str(&out), text.p));
            assert_int_equal(d.line, utf8_lines(str_of(text.p)) + 1);
        }
    }
    buf_release(&text);
    buf_release(&raw);
    buf_release(&out);
}

/* ---- honest 8-bit files, and UTF-8 that claims to be one ------------------
 */

static struct text_case {
    int line;
    const char *name, *charset, *text;
} honest[] = {
    { __LINE__, "Czech", "windows-1250",
      "Příliš žluťoučký kůň úpěl ďábelské ódy. „Ne – ano…“ 5 €" },
    { __LINE__, "Czech capitals", "windows-1250", "PŘÍLIŠ ŽLUŤOUČKÝ KŮŇ BLÍŽE" },
    { __LINE__, "a ring in UTF-8", "windows-1250", "SMĚŠ" },
    { __LINE__, "one Czech word", "windows-1250", "ÚŽASNÝ" },
    { __LINE__, "letters that make one UTF-8 sequence", "windows-1250",
      "Tomáš“" },
    { __LINE__, "Romanian capitals that read as UTF-8", "windows-1250",
      "CĂŞTI" },
    { __LINE__, "Slovak capitals", "windows-1250", "VĹŽA, STĹP" },
    { __LINE__, "Hungarian", "windows-1250", "árvíztűrő tükörfúrógép ŐŰ" },
    { __LINE__, "Romanian", "windows-1250", "Şcoală, ţară, împărat, CÂŞTIG" },
    { __LINE__, "Turkish", "windows-1254",
      "Şişli’de çığ, İstanbul’un ağacı; ULUDAĞ’DA" },
    { __LINE__, "one Turkish name", "windows-1254", "DAĞ’A" },
    { __LINE__, "Turkish in ISO-8859-9", "ISO-8859-9", "Giriş Tarihi İÇİN" },
    { __LINE__, "Turkish in CP857", "CP857", "Şişli çığ İSTANBUL ağacı" },
    { __LINE__, "Czech in CP852", "CP852", "Příliš žluťoučký kůň, běží BĚŽÍ" },
    { __LINE__, "Hungarian in CP852", "CP852", "árvíztűrő ÁRVÍZTŰRŐ" },
    { __LINE__, "Czech in KEYBCS2", "KEYBCS2", "Příliš žluťoučký KŮŇ" },
    { __LINE__, "Hungarian in CWI-2", "CWI-2", "árvíztűrő ÁRVÍZTŰRŐ" },
    { __LINE__, "Czech in ISO-8859-2", "ISO-8859-2", "Příliš žluťoučký KŮŇ Š" },
    { __LINE__, "ASCII", "windows-1250", "nothing to see here" },
}, in_utf8[] = {
    { __LINE__, "Czech", "windows-1250", "kod;Příliš žluťoučký kůň" },
    { __LINE__, "one letter", "windows-1250", "Dvořak" },
    { __LINE__, "a byte that the charset lacks", "windows-1250",
      "Dvořák má koňě" },
    { __LINE__, "euro sign", "ISO-8859-2", "5 €" },
    { __LINE__, "Turkish", "windows-1254", "Şişli’de çığ" },
    { __LINE__, "Turkish dotless i", "windows-1254", "Sıra" },
    { __LINE__, "Hungarian", "CP852", "árvíztűrő" },
    { __LINE__, "Romanian with a comma", "windows-1250", "Școală" },
    { __LINE__, "decomposed letters", "windows-1250", "s\u0326coala\u0306" },
    { __LINE__, "emoji in a remark", "windows-1250", "thanks 😀" },
    { __LINE__, "long Cyrillic", "windows-1254",
      "Широкая электрификация южных губерний" },
};

static void honest_text_is_no_utf8(void **state)
{
    const struct text_case *c = *state;
    struct buf raw, out;

    buf_init(&raw, 1000);
    buf_init(&out, 10000);
    encode(c->charset, c->text, &raw);
    for (size_t step = 1; step < 100; step += 49) {
        struct decoder d;
        enum charset_fault fault =
            decode(&d, c->charset, buf_str(&raw), step, &out);

        if (fault != CHARSET_OK || !str_is(buf_str(&out), c->text))
            fail_msg("%s:%d: fault %d, \"%.*s\"", __FILE__, c->line, fault,
                     STR_ARGS(buf_str(&out)));
    }
    buf_release(&raw);
    buf_release(&out);
}

static void utf8_is_told(void **state)
{
    const struct text_case *c = *state;
    struct str raw = str_of(c->text);
    size_t first = utf8_ascii_len(raw);
    struct buf out;

    buf_init(&out, 10000);
    for (size_t step = 1; step < 100; step += 49) {
        struct decoder d;
        enum charset_fault fault = decode(&d, c->charset, raw, step, &out);

        if (fault != CHARSET_IS_UTF8 || d.line != 1 || d.col != first + 1)
            fail_msg("%s:%d: fault %d at %d:%d", __FILE__, c->line, fault,
                     (int)d.line, (int)d.col);
    }
    buf_release(&out);
}

static void utf8_is_no_utf16(void **state)
{
    struct decoder d;
    struct buf out;

    (void)state;
    buf_init(&out, 10000);
    assert_int_equal(
        decode(&d, "UTF-16", STR("čřžýáíé;čřžýáíé;čřžýáíé"), 1000, &out),
        CHARSET_INVALID);
    buf_release(&out);
}

static void much_utf8_is_told_before_the_end(void **state)
{
    struct decoder d;
    struct buf raw, out;

    (void)state;
    buf_init(&raw, 10000);
    buf_init(&out, 100000);
    for (unsigned i = 0; i < 1000; i++)
        buf_addz(&raw, "\nř");
    decoder_init(&d, charset_find(STR("windows-1250")));
    assert_int_equal(decoder_feed(&d, buf_str(&raw), false, &out),
                     CHARSET_IS_UTF8);
    assert_int_equal(d.line, 2);
    assert_int_equal(d.col, 1);
    buf_release(&raw);
    buf_release(&out);
}

/* ---- guesses ----------------------------------------------------------------
 */

static struct guess_case {
    const char *name, *charset, *country, *text;
} guesses[] = {
    { "Czech in windows-1250", "windows-1250", "", "Příliš žluťoučký kůň" },
    { "Czech in CP852", "CP852", "", "Příliš žluťoučký kůň úpěl" },
    { "Czech in KEYBCS2", "KEYBCS2", "", "Příliš žluťoučký kůň úpěl" },
    { "Czech in ISO-8859-2", "ISO-8859-2", "", "žluťoučký šátek" },
    { "Slovak in windows-1250", "windows-1250", "", "ľúbezný šťastný vŕšok" },
    { "Hungarian in windows-1250", "windows-1250", "", "árvíztűrő tükör" },
    { "Hungarian in CWI-2", "CWI-2", "hu", "árvíztűrő ŐSZI ÁR" },
    { "Romanian in windows-1250", "windows-1250", "", "Şcoală ţară înaltă" },
    { "Turkish in windows-1254", "windows-1254", "", "çığ ağaç Şişli ılık" },
    { "Turkish in CP857", "CP857", "tr", "çığ ağaç Şişli ılık" },
    { "only quotes", "windows-1250", "", "5 € – “a”" },
};

static void test_guess(void **state)
{
    const struct guess_case *c = *state;
    const struct charset *cs;
    struct buf raw;

    buf_init(&raw, 1000);
    encode(c->charset, c->text, &raw);
    cs = charset_guess(buf_str(&raw), str_of(c->country));
    assert_string_equal(cs ? cs->name : "none", c->charset);
    buf_release(&raw);
}

static void ascii_is_not_guessed(void **state)
{
    (void)state;
    assert_null(charset_guess(STR("code;name"), STR("")));
}

int main(void)
{
    static const struct CMUnitTest more[] = {
        cmocka_unit_test(every_step_gives_the_same),
        cmocka_unit_test(a_long_file_is_the_same_in_any_steps),
        cmocka_unit_test(utf8_is_no_utf16),
        cmocka_unit_test(much_utf8_is_told_before_the_end),
        cmocka_unit_test(ascii_is_not_guessed),
    };
    struct CMUnitTest tests[COUNT(cases) + COUNT(honest) + COUNT(in_utf8) +
                            COUNT(guesses) + COUNT(more)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(honest); i++)
        tests[n++] = (struct CMUnitTest)ROW(honest_text_is_no_utf8, &honest[i]);
    for (size_t i = 0; i < COUNT(in_utf8); i++)
        tests[n++] = (struct CMUnitTest)ROW(utf8_is_told, &in_utf8[i]);
    for (size_t i = 0; i < COUNT(guesses); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_guess, &guesses[i]);
    memcpy(tests + n, more, sizeof(more));
    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
