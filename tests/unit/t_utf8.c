/* t_utf8.c - base/utf8.c: what is valid, and counting in long steps. */
#include "tests/unit/unit.h"

#include "converters/base/utf8.h"

/* STR() is no constant; this is, inside a table. */
#define BYTES(lit)             \
    {                          \
        (lit), sizeof(lit) - 1 \
    }

static struct utf8_case {
    int line;
    const char *name;
    struct str in;
    size_t valid; /* bytes until the first that is wrong */
    int32_t first;
} cases[] = {
    { __LINE__, "ASCII is valid", BYTES("abc"), 3, 'a' },
    { __LINE__, "two bytes are valid", BYTES("\xC4\x8D"), 2, 0x10D },
    { __LINE__, "three bytes are valid", BYTES("\xE2\x82\xAC"), 3, 0x20AC },
    { __LINE__, "four bytes are valid", BYTES("\xF0\x9F\x98\x80"), 4, 0x1F600 },
    { __LINE__, "U+0000 is valid UTF-8", BYTES("\0x"), 2, 0 },
    { __LINE__, "U+0080 is the first of two", BYTES("\xC2\x80"), 2, 0x80 },
    { __LINE__, "U+0800 is the first of three", BYTES("\xE0\xA0\x80"), 3,
      0x800 },
    { __LINE__, "U+D7FF stands before the surrogates", BYTES("\xED\x9F\xBF"), 3,
      0xD7FF },
    { __LINE__, "U+E000 stands behind the surrogates", BYTES("\xEE\x80\x80"), 3,
      0xE000 },
    { __LINE__, "U+10000 is the first of four", BYTES("\xF0\x90\x80\x80"), 4,
      0x10000 },
    { __LINE__, "U+10FFFF is the last", BYTES("\xF4\x8F\xBF\xBF"), 4,
      0x10FFFF },
    { __LINE__, "overlong slash in two bytes", BYTES("\xC0\xAF"), 0, -1 },
    { __LINE__, "overlong in C1", BYTES("\xC1\xBF"), 0, -1 },
    { __LINE__, "overlong slash in three bytes", BYTES("\xE0\x80\xAF"), 0, -1 },
    { __LINE__, "overlong U+07FF", BYTES("\xE0\x9F\xBF"), 0, -1 },
    { __LINE__, "overlong in four bytes", BYTES("\xF0\x8F\xBF\xBF"), 0, -1 },
    { __LINE__, "the first surrogate", BYTES("\xED\xA0\x80"), 0, -1 },
    { __LINE__, "the last surrogate", BYTES("\xED\xBF\xBF"), 0, -1 },
    { __LINE__, "U+110000 is too high", BYTES("\xF4\x90\x80\x80"), 0, -1 },
    { __LINE__, "F5 starts nothing", BYTES("\xF5\x80\x80\x80"), 0, -1 },
    { __LINE__, "FF starts nothing", BYTES("\xFF"), 0, -1 },
    { __LINE__, "a lone further byte", BYTES("\x80"), 0, -1 },
    { __LINE__, "cut after one of two", BYTES("\xC4"), 0, -1 },
    { __LINE__, "cut after two of three", BYTES("\xE2\x82"), 0, -1 },
    { __LINE__, "cut after three of four", BYTES("\xF0\x9F\x98"), 0, -1 },
    { __LINE__, "a letter in the place of a further byte", BYTES("\xE2\x82x"),
      0, -1 },
    { __LINE__, "wrong third byte of four", BYTES("\xF0\x9Fx\x80"), 0, -1 },
    { __LINE__, "wrong after a long ASCII run",
      BYTES("0123456789abcdef0123\xC4\x8Dxyz\xE8!"), 25, '0' },
    { __LINE__, "wrong in the last of eight bytes", BYTES("1234567\xE8"), 7,
      '1' },
};

static void test_case(void **state)
{
    const struct utf8_case *c = *state;
    size_t pos = 0, valid = utf8_valid_len(c->in);
    int32_t first = utf8_next(c->in, &pos);

    if (valid != c->valid || first != c->first)
        fail_msg("%s:%d: valid to %zu, first U+%04X", __FILE__, c->line, valid,
                 (unsigned)first);
    if (first < 0)
        assert_int_equal(pos, 0);
}

static void every_character_comes_back(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        char bytes[4];
        struct str s = { bytes, utf8_put(bytes, cp) };
        size_t pos = 0;
        bool is_surrogate = cp >= 0xD800 && cp <= 0xDFFF;
        int32_t got = utf8_next(s, &pos);

        if (got != (is_surrogate ? -1 : (int32_t)cp) ||
            utf8_valid_len(s) != (is_surrogate ? 0 : s.len))
            fail_msg("U+%04X is read as %d", cp, (int)got);
    }
}

static void long_steps_count_as_short_ones(void **state)
{
    static const char *const parts[] = { "a", "\n", "č", "€", "😀", "bcdefgh" };
    char text[12000];
    unsigned random = 1;
    size_t len = 0;

    (void)state;
    while (len < sizeof(text) - 8) {
        struct str part;

        random = random * 1103515245u + 12345u;
        part = str_of(parts[(random >> 16) % COUNT(parts)]);
        str_copy(text + len, part);
        len += part.len;
    }
    for (size_t from = 0; from < 40; from++) {
        struct str s = { text + from, len - from - from % 7 };
        size_t lines = 0, chars = 0, ascii = 0;

        for (size_t i = 0; i < s.len; i++) {
            lines += s.p[i] == '\n';
            chars += ((unsigned char)s.p[i] & 0xC0) != 0x80;
        }
        while (ascii < s.len && (unsigned char)s.p[ascii] < 0x80)
            ascii++;
        assert_int_equal(utf8_lines(s), lines);
        assert_int_equal(utf8_count(s), chars);
        assert_int_equal(utf8_ascii_len(s), ascii);
    }
}

static void offset_of_a_character(void **state)
{
    (void)state;
    assert_int_equal(utf8_offset(STR("ačb"), 0), 0);
    assert_int_equal(utf8_offset(STR("ačb"), 1), 1);
    assert_int_equal(utf8_offset(STR("ačb"), 2), 3);
    assert_int_equal(utf8_offset(STR("ačb"), 3), 4);
    assert_int_equal(utf8_offset(STR("ačb"), 9), 4);
}

static void an_ascii_run_ends_at_nul(void **state)
{
    (void)state;
    assert_int_equal(utf8_ascii_len(STR("abcdefghij\0k")), 10);
    assert_int_equal(utf8_ascii_len(STR("\0abcdefghij")), 0);
}

int main(void)
{
    static const struct CMUnitTest more[] = {
        cmocka_unit_test(every_character_comes_back),
        cmocka_unit_test(long_steps_count_as_short_ones),
        cmocka_unit_test(offset_of_a_character),
        cmocka_unit_test(an_ascii_run_ends_at_nul),
    };
    struct CMUnitTest tests[COUNT(cases) + COUNT(more)];

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[i] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    memcpy(tests + COUNT(cases), more, sizeof(more));
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
