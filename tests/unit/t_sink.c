/* t_sink.c - formats/sink.c: escapes, encoding, and what a charset lacks. */
#include "tests/unit/unit.h"

#include "converters/base/utf8.h"
#include "formats/sink.h"

/* STR() is no constant; this is, inside a table. */
#define BYTES(lit)             \
    {                          \
        (lit), sizeof(lit) - 1 \
    }

static const struct escapes xml_like = {
    .of = { [1] = "", ['&'] = "&amp;", ['<'] = "&lt;", ['"'] = "&quot;" },
    .least = SIXTEEN(2),
    .special = { SIXTEEN('&'), SIXTEEN('<'), SIXTEEN('"'), SIXTEEN('&') },
};

/* The chain that the language makes: map's table, country, all. */
struct chain {
    struct fallback map;
    const char *country;
    unsigned n_replaced;
    uint32_t last;
};

static bool ask(void *ctx, uint32_t cp, struct str *text)
{
    const struct chain *c = ctx;
    const struct fallback *f = &c->map;

    if (!f->text || f->cp != cp)
        f = fallback_find(str_of(c->country), cp);
    if (!f)
        f = fallback_find(STR(""), cp);
    if (f)
        *text = str_of(f->text);
    return f;
}

static void count(void *ctx, uint32_t cp)
{
    struct chain *c = ctx;

    c->n_replaced++;
    c->last = cp;
}

enum { NONE = 1, KEY = 2 }; /* no fallback; the value is a key */

static struct sink_case {
    int line;
    const char *name, *charset, *country, *text;
    struct str want;
    unsigned flags, n_replaced;
    int fault; /* -1: none */
    uint32_t bad_cp;
} cases[] = {
    { __LINE__, "empty text", "windows-1250", "cz", "", BYTES(""), 0, 0, -1,
      0 },
    { __LINE__, "ASCII", "windows-1250", "cz", "abc defghijklmn",
      BYTES("abc defghijklmn"), 0, 0, -1, 0 },
    { __LINE__, "letters are encoded", "windows-1250", "cz",
      "Příliš žluťoučký kůň",
      BYTES("P\xF8\xEDli\x9A \x9Elu\x9Dou\xE8k\xFD k\xF9\xF2"), 0, 0, -1, 0 },
    { __LINE__, "escapes", "windows-1250", "cz", "a<b & \"ž\"<<<<<<<<",
      BYTES("a&lt;b &amp; &quot;\x9E&quot;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;"), 0,
      0, -1, 0 },
    { __LINE__, "UTF-8 is copied", "UTF-8", "cz", "a<žluť 😀 & ő",
      BYTES("a&lt;\xC5\xBElu\xC5\xA5 \xF0\x9F\x98\x80 &amp; \xC5\x91"), 0, 0,
      -1, 0 },
    { __LINE__, "UTF-16 escapes, too", "UTF-16", "cz", "<č😀",
      BYTES("&\0l\0t\0;\0\x0D\x01\x3D\xD8\x00\xDE"), 0, 0, -1, 0 },
    { __LINE__, "UTF-16BE", "UTF-16BE", "cz", "ač", BYTES("\0a\x01\x0D"), 0, 0,
      -1, 0 },
    { __LINE__, "a control character", "windows-1250", "cz",
      "abc\x01"
      "d",
      BYTES(""), 0, 0, DIAG_CONTROL_CHAR, 1 },
    { __LINE__, "a control character in UTF-16", "UTF-16", "cz",
      "abc\x01"
      "d",
      BYTES(""), 0, 0, DIAG_CONTROL_CHAR, 1 },

    { __LINE__, "Romanian in windows-1250", "windows-1250", "ro", "Știință",
      BYTES("\xAAtiin\xFE\xE3"), 0, 2, -1, 0 },
    { __LINE__, "Romanian in windows-1250 for a Czech", "windows-1250", "cz",
      "Știință", BYTES("\xAAtiin\xFE\xE3"), 0, 2, -1, 0 },
    { __LINE__, "Romanian in ISO-8859-16", "ISO-8859-16", "ro", "Şş Ţţ Șș Țț",
      BYTES("\xAA\xBA \xDE\xFE \xAA\xBA \xDE\xFE"), 0, 4, -1, 0 },
    { __LINE__, "a circle of fallbacks ends in a plain letter", "KEYBCS2", "ro",
      "șțŞŢ", BYTES("stST"), 0, 4, -1, 0 },
    { __LINE__, "half of Romanian in windows-1254", "windows-1254", "ro", "șț",
      BYTES("\xFEt"), 0, 2, -1, 0 },
    { __LINE__, "Hungarian in windows-1254", "windows-1254", "hu", "Győző ŰŐ",
      BYTES("Gy\xF5z\xF5 \xDB\xD5"), 0, 4, -1, 0 },
    { __LINE__, "Hungarian in a Turkish file", "windows-1254", "tr", "Győző",
      BYTES("Gy\xF6z\xF6"), 0, 2, -1, 0 },
    { __LINE__, "a lost tilde in windows-1250", "windows-1250", "hu", "Gyõzõ",
      BYTES("Gy\xF5z\xF5"), 0, 2, -1, 0 },
    { __LINE__, "Hungarian in KEYBCS2", "KEYBCS2", "hu", "ő", BYTES("\x94"), 0,
      1, -1, 0 },
    { __LINE__, "Turkish in windows-1250", "windows-1250", "cz", "ğıİş ₺",
      BYTES("giI\xBA TL"), 0, 4, -1, 0 },
    { __LINE__, "typographic signs", "ISO-8859-9", "tr",
      "„a” – ‘b’…\xC2\xA0™ 2 m² ½ × €\xE2\x80\x8B",
      BYTES("&quot;a&quot; - 'b'...\xA0(TM) 2 m\xB2 \xBD \xD7 EUR"), 0, 9, -1,
      0 },
    { __LINE__, "the same in windows-1250", "windows-1250", "cz",
      "„a” – ‘b’…\xC2\xA0™ 2 m² ½ × €\xE2\x80\x8B",
      BYTES("\x84"
            "a\x94 \x96 \x91"
            "b\x92\x85\xA0\x99 2 m2 1/2 \xD7 \x80"),
      0, 3, -1, 0 },
    { __LINE__, "a fallback is escaped", "ISO-8859-2", "cz", "“<",
      BYTES("&quot;&lt;"), 0, 1, -1, 0 },
    { __LINE__, "the map's table comes first", "windows-1250", "cz", "5 Ж",
      BYTES("5 \x9E"), 0, 1, -1, 0 },
    { __LINE__, "emoji have no fallback", "windows-1250", "cz", "abc 😀",
      BYTES(""), 0, 0, DIAG_UNMAPPABLE, 0x1F600 },
    { __LINE__, "nobody to ask", "windows-1250", "cz", "m²", BYTES(""), NONE, 0,
      DIAG_UNMAPPABLE, 0xB2 },
    { __LINE__, "a key is never changed", "windows-1250", "cz", "m²", BYTES(""),
      KEY, 0, DIAG_UNMAPPABLE_KEY, 0xB2 },
    { __LINE__, "a key that fits", "windows-1250", "cz", "ŽK-1",
      BYTES("\x8EK-1"), KEY, 0, -1, 0 },
};

static void test_case(void **state)
{
    const struct sink_case *c = *state;
    struct chain chain = { .map = { 0x416, "ž" }, .country = c->country };
    struct sink s;
    int rc;

    sink_init(&s, charset_find(str_of(c->charset)));
    s.fallback = c->flags & NONE ? NULL : ask;
    s.is_key = c->flags & KEY;
    s.replaced = count;
    s.ctx = &chain;
    sink_bytes(&s, STR("|"));
    rc = sink_text(&s, str_of(c->text), &xml_like);
    if (rc != (c->fault < 0 ? 0 : -1) ||
        !str_eq(str_from(buf_str(&s.out), 1), c->want) ||
        chain.n_replaced != c->n_replaced ||
        (rc && ((int)s.fault != c->fault || s.bad_cp != c->bad_cp)))
        fail_msg("%s:%d: %d, fault %d U+%04X, %u replaced: %.*s", __FILE__,
                 c->line, rc, rc ? (int)s.fault : -1, s.bad_cp,
                 chain.n_replaced, STR_ARGS(buf_str(&s.out)));
    sink_release(&s);
}

/* One character after the other, as the fast loop must not do it. */
static void add_slowly(struct buf *out, const struct charset *cs,
                       struct str text)
{
    size_t pos = 0;

    while (pos < text.len) {
        uint32_t cp = (uint32_t)utf8_next(text, &pos);

        if (cp >= 128 || !xml_like.of[cp])
            assert_true(charset_put(cs, cp, out));
        else
            for (const char *e = xml_like.of[cp]; *e; e++)
                assert_true(charset_put(cs, (unsigned char)*e, out));
    }
}

static void any_mixture_is_written_as_character_by_character(void **state)
{
    static const char *const parts[] = { "a",  "<",        "&",
                                         "č",  "bcdefghi", "klmnopqrstuvw",
                                         "žš", "\n" };
    static const char *const in[] = { "windows-1250", "CP852", "UTF-8",
                                      "UTF-16" };
    unsigned random = 3;

    (void)state;
    for (size_t i = 0; i < 4000; i++) {
        const struct charset *cs = charset_find(str_of(in[i % COUNT(in)]));
        struct buf text, want;
        struct sink s;

        buf_init(&text, 1000);
        buf_init(&want, 10000);
        for (size_t k = 0; k < i / 4 % 12; k++) {
            random = random * 1103515245u + 12345u;
            buf_addz(&text, parts[(random >> 16) % COUNT(parts)]);
        }
        add_slowly(&want, cs, buf_str(&text));
        sink_init(&s, cs);
        assert_int_equal(sink_text(&s, buf_str(&text), &xml_like), 0);
        assert_true(str_eq(buf_str(&s.out), buf_str(&want)));
        sink_release(&s);
        buf_release(&text);
        buf_release(&want);
    }
}

static void what_was_replaced_is_told(void **state)
{
    struct chain chain = { .country = "ro" };
    struct sink s;

    (void)state;
    sink_init(&s, charset_find(STR("CWI-2")));
    s.fallback = ask;
    s.replaced = count;
    s.ctx = &chain;
    assert_int_equal(sink_text(&s, STR("ț"), NULL), 0);
    assert_int_equal(chain.n_replaced, 1);
    assert_int_equal(chain.last, 0x21B);
    sink_release(&s);
}

static void a_full_sink_takes_nothing(void **state)
{
    struct sink s;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const char *charset = i == 0 ? "UTF-8" : i == 1 ? "CP852" : "UTF-16";

        sink_init(&s, charset_find(str_of(charset)));
        s.out.max = 20;
        assert_int_equal(sink_bytes(&s, STR("0123456789")), 0);
        assert_int_equal(sink_text(&s, STR("0123456789<"), &xml_like), -1);
        assert_int_equal(s.fault, DIAG_LIMIT);
        assert_int_equal(s.out.len, 10);
        assert_int_equal(sink_bytes(&s, STR("0123456789a")), -1);
        assert_int_equal(s.fault, DIAG_LIMIT);
        sink_release(&s);
    }
}

static void a_rewind_undoes_text_and_state(void **state)
{
    struct sink_mark m;
    struct sink s;

    (void)state;
    sink_init(&s, &charset_utf8);
    sink_bytes(&s, STR("keep"));
    s.state.depth = 2;
    m = sink_mark(&s);
    sink_text(&s, STR("<drop"), &xml_like);
    s.state.depth = 3;
    sink_rewind(&s, m);
    assert_true(str_is(buf_str(&s.out), "keep"));
    assert_int_equal(s.state.depth, 2);
    sink_release(&s);
}

static void names_are_encoded_without_fallback(void **state)
{
    struct arena a = { 0 };
    struct str out;

    (void)state;
    assert_int_equal(
        sink_encode(&a, charset_find(STR("windows-1250")), STR("<žák>"), &out),
        0);
    assert_true(str_is(out, "<\x9E\xE1k>"));
    assert_int_equal(
        sink_encode(&a, charset_find(STR("windows-1250")), STR("m²"), &out),
        -1);
    arena_release(&a);
}

int main(void)
{
    static const struct CMUnitTest more[] = {
        cmocka_unit_test(any_mixture_is_written_as_character_by_character),
        cmocka_unit_test(what_was_replaced_is_told),
        cmocka_unit_test(a_full_sink_takes_nothing),
        cmocka_unit_test(a_rewind_undoes_text_and_state),
        cmocka_unit_test(names_are_encoded_without_fallback),
    };
    struct CMUnitTest tests[COUNT(cases) + COUNT(more)];

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[i] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    memcpy(tests + COUNT(cases), more, sizeof(more));
    return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
