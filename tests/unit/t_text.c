/* t_text.c - base/text.c, text_ascii.c, text_html.c, text_match.c. */
#include "tests/unit/unit.h"

#include "converters/base/text.h"

typedef struct str text_fn(struct arena *a, struct str s);

static struct str trim(struct arena *a, struct str s)
{
    (void)a;
    return text_trim(s);
}

#define CASED(name, fn, lang)                             \
    static struct str name(struct arena *a, struct str s) \
    {                                                     \
        return fn(a, s, STR(lang));                       \
    }
CASED(upper, text_upper, "")
CASED(upper_tr, text_upper, "tr")
CASED(upper_az, text_upper, "az")
CASED(upper_odd, text_upper, "turkish")
CASED(lower, text_lower, "")
CASED(lower_tr, text_lower, "tr")
CASED(title, text_title, "cs")
CASED(title_tr, text_title, "tr")

static struct str fold(struct arena *a, struct str s)
{
    char *to = arena_text(a, 16);

    return (struct str){ to, text_fold(s, to, 16) };
}

#define NBSP "\xC2\xA0"

static struct text_case {
    int line;
    const char *name;
    text_fn *fn;
    const char *in, *want;
} cases[] = {
    { __LINE__, "trim: all kinds of blanks", trim,
      " \t\r\n" NBSP "\xE3\x80\x80"
      "a b" NBSP "\xE2\x80\x8B\n",
      "a b" },
    { __LINE__, "trim: nothing is left", trim, NBSP " \xEF\xBB\xBF", "" },
    { __LINE__, "trim: a last byte that is not UTF-8 stays", trim, "a\xA0",
      "a\xA0" },
    { __LINE__, "trim: a two-byte letter at the end", trim, "  \xC5\x99",
      "\xC5\x99" },
    { __LINE__, "squeeze: runs and ends", text_squeeze,
      "  a" NBSP NBSP "b \n c  ", "a b c" },
    { __LINE__, "squeeze: a single no-break space is a blank", text_squeeze,
      "12" NBSP "500", "12 500" },
    { __LINE__, "squeeze: nothing to do", text_squeeze, "a b c", "a b c" },
    { __LINE__, "one_line: runs with a break", text_one_line,
      "a \r\n b\t\tc  d" NBSP "e\n", "a b c  d" NBSP "e" },
    { __LINE__, "one_line: Unicode's line separator", text_one_line,
      "a\xE2\x80\xA8"
      "b",
      "a b" },
    { __LINE__, "one_line: one line stays", text_one_line, " a  b ", "a  b" },

    { __LINE__, "upper: ASCII", upper, "a-z {`", "A-Z {`" },
    { __LINE__, "upper: ASCII i in Turkish", upper_tr, "istanbul 1i",
      "\xC4\xB0STANBUL 1\xC4\xB0" },
    { __LINE__, "upper: ASCII without i in Turkish", upper_tr, "ankara",
      "ANKARA" },
    { __LINE__, "upper: Azeri is as Turkish", upper_az, "i", "\xC4\xB0" },
    { __LINE__, "upper: an unknown language is none", upper_odd, "i\xC5\x99",
      "I\xC5\x98" },
    { __LINE__, "upper: Czech", upper,
      "p\xC5\x99\xC3\xADli\xC5\xA1 \xC5\xBElu\xC5\xA5",
      "P\xC5\x98\xC3\x8DLI\xC5\xA0 \xC5\xBDLU\xC5\xA4" },
    { __LINE__, "upper: sharp s is two letters", upper,
      "stra\xC3\x9F"
      "e",
      "STRASSE" },
    { __LINE__, "upper: nothing to change", upper, "\xC4\x8C 1", "\xC4\x8C 1" },
    { __LINE__, "upper: a byte that is not UTF-8 is U+FFFD", upper, "a\xFF",
      "A\xEF\xBF\xBD" },
    { __LINE__, "upper: empty", upper, "", "" },
    { __LINE__, "lower: ASCII", lower, "A-Z I", "a-z i" },
    { __LINE__, "lower: Turkish", lower_tr, "DI\xC5\x9E \xC4\xB0L",
      "d\xC4\xB1\xC5\x9F il" },
    { __LINE__, "lower: ASCII I in Turkish", lower_tr, "ISPARTA",
      "\xC4\xB1sparta" },
    { __LINE__, "lower: Romanian comma letters", lower, "\xC8\x98I \xC8\x9A",
      "\xC8\x99i \xC8\x9B" },
    { __LINE__, "title: words", title, "JAN nov\xC3\x81k-SVOBODA o'neil 12a",
      "Jan Nov\xC3\xA1k-Svoboda O'neil 12A" },
    { __LINE__, "title: Turkish", title_tr, "\xC4\xB0STANBUL ILGAZ izmir",
      "\xC4\xB0stanbul Ilgaz \xC4\xB0zmir" },

    { __LINE__, "nfc: a letter and its mark become one", text_nfc,
      "C\xCC\x8C"
      "esko",
      "\xC4\x8C"
      "esko" },
    { __LINE__, "nfc: composed text stays", text_nfc,
      "\xC4\x8C"
      "e",
      "\xC4\x8C"
      "e" },
    { __LINE__, "nfc: a sign with a canonical other", text_nfc, "\xE2\x84\xAB",
      "\xC3\x85" },
    { __LINE__, "nfc: compatibility signs stay", text_nfc, "\xE2\x84\xA2",
      "\xE2\x84\xA2" },

    { __LINE__, "ascii: Czech and Slovak", text_ascii,
      "\xC5\xBDlu\xC5\xA5ou\xC4\x8Dk\xC3\xBD k\xC5\xAF\xC5\x88, "
      "\xC4\xBE\xC3\xB4\xC5\x95",
      "Zlutoucky kun, lor" },
    { __LINE__, "ascii: Hungarian, Turkish, Romanian, Polish", text_ascii,
      "\xC5\x91\xC5\xB0 \xC5\x9F\xC4\x9F\xC4\xB1\xC4\xB0 "
      "\xC8\x99\xC5\xA3\xC4\x83 \xC5\x82\xC4\x85",
      "oU sgiI sta la" },
    { __LINE__, "ascii: letters that are two", text_ascii,
      "\xC3\x9F\xC3\xA6\xC3\x98\xC4\x91\xC3\x90\xC5\x92", "ssaeOdDOE" },
    { __LINE__, "ascii: typographic signs", text_ascii,
      "\xE2\x80\x9E"
      "a\xE2\x80\x9C \xE2\x80\x93 b\xE2\x80\x99s" NBSP "\xE2\x80\xA6",
      "\"a\" - b's ..." },
    { __LINE__, "ascii: decomposed text", text_ascii, "C\xCC\x8C", "C" },
    { __LINE__, "ascii: ligatures, numbers, money", text_ascii,
      "\xEF\xAC\x81 m\xC2\xB2 1\xC2\xBD 5 \xE2\x82\xAC \xE2\x84\x96",
      "fi m2 1 1/2 5 EUR No" },
    { __LINE__, "ascii: what has no form is dropped", text_ascii,
      "a\xD0\x96\xE4\xB8\xAD\xF0\x9F\x98\x80"
      "b\xFF",
      "ab" },
    { __LINE__, "ascii: a no-break space is a blank", text_ascii, "1" NBSP "2",
      "1 2" },
    { __LINE__, "fold: case, marks and signs do not count", fold,
      "  \xC4\x8C"
      "esk\xC3\xA1-Rep. ",
      "ceska rep" },
    { __LINE__, "fold: too long is nothing", fold, "abcdefghijklmnopq", "" },
    { __LINE__, "fold: just fits", fold, "abcdefgh ijklmno",
      "abcdefgh ijklmno" },
    { __LINE__, "digits: only those", text_digits, "+420 777/1\xC2\xB2",
      "4207771" },
    { __LINE__, "digits: none", text_digits, "abc", "" },

    { __LINE__, "html: plain text", text_strip_html, "a b", "a b" },
    { __LINE__, "html: tags and blocks", text_strip_html,
      "<p class=\"a>b\">One <b>two</b></p>\n<p>three<br/><BR>four</p>",
      "One two\nthree\nfour" },
    { __LINE__, "html: list and table", text_strip_html,
      "<ul><li>a</li><li>b</li></ul><table><tr><td>1</td><td>2</td></tr>"
      "</table>",
      "a\nb\n1 2" },
    { __LINE__, "html: blanks and breaks of the source", text_strip_html,
      " a \n\n b&nbsp; c ", "a b c" },
    { __LINE__, "html: script, style and comments go", text_strip_html,
      "a<script>if (a</b) '<b>'</SCRIPT >b<style>p{}</style><!-- > -- -->c",
      "abc" },
    { __LINE__, "html: an open script ends the text", text_strip_html,
      "a<script>b", "a" },
    { __LINE__, "html: an open comment ends the text", text_strip_html,
      "a<!-- b", "a" },
    { __LINE__, "html: entities", text_strip_html,
      "&lt;b&gt; R&amp;D &#x10d;&#269; &euro;&Scaron;&hellip; &#150;",
      "<b> R&D \xC4\x8D\xC4\x8D \xE2\x82\xAC\xC5\xA0\xE2\x80\xA6 "
      "\xE2\x80\x93" },
    { __LINE__, "html: entities are decoded once", text_strip_html, "&amp;lt;",
      "&lt;" },
    { __LINE__, "html: what is no entity stays", text_strip_html,
      "R&D; &nope; &#0; &#xD800; &#x110000; &; & &#;",
      "R&D; &nope; &#0; &#xD800; &#x110000; &; & &#;" },
    { __LINE__, "html: a < that opens no tag stays", text_strip_html,
      "1 < 2 <3 a <b", "1 < 2 <3 a <b" },
    { __LINE__, "html: a quote that never closes", text_strip_html,
      "<a title=\"x>y</a> z", "y z" },
    { __LINE__, "html: CDATA marks go", text_strip_html, "<![CDATA[<p>x</p>]]>",
      "x" },
    { __LINE__, "html: declarations go", text_strip_html,
      "<!DOCTYPE html><?xml?>x", "x" },
    { __LINE__, "html: control characters are blanks", text_strip_html,
      "a&#7;b\x01"
      "c",
      "a b c" },
};

static void test_case(void **state)
{
    const struct text_case *c = *state;
    struct arena a = { 0 };
    struct str in = str_of(c->in), got = c->fn(&a, in);

    if (!str_is(got, c->want))
        fail_msg("%s:%d: got \"%.*s\", want \"%s\"", __FILE__, c->line,
                 STR_ARGS(got), c->want);
    arena_release(&a);
}

static struct glob_case {
    int line;
    const char *name, *pattern, *in;
    bool want, want_nocase;
} globs[] = {
    { __LINE__, "glob: itself", "abc", "abc", true, true },
    { __LINE__, "glob: case", "ABC", "abc", false, true },
    { __LINE__, "glob: the whole text", "ab", "abc", false, false },
    { __LINE__, "glob: a longer pattern", "abcd", "abc", false, false },
    { __LINE__, "glob: a star at the end", "SHIP*", "SHIPPING1", true, true },
    { __LINE__, "glob: a star takes nothing", "SHIP*", "SHIP", true, true },
    { __LINE__, "glob: stars around", "*an*a", "banana", true, true },
    { __LINE__, "glob: a star gives back", "*ab*abc", "abababc", true, true },
    { __LINE__, "glob: no way to fit", "a*b*c", "aXbX", false, false },
    { __LINE__, "glob: a question mark is itself", "a?", "ab", false, false },
    { __LINE__, "glob: a star in the text", "a*", "a*b", true, true },
    { __LINE__, "glob: empty and empty", "", "", true, true },
    { __LINE__, "glob: empty and not", "", "a", false, false },
    { __LINE__, "glob: stars and empty", "**", "", true, true },
};

static void test_glob(void **state)
{
    const struct glob_case *c = *state;
    struct str pattern = str_of(c->pattern), in = str_of(c->in);

    if (glob_match(pattern, in) != c->want ||
        glob_match_nocase(pattern, in) != c->want_nocase)
        fail_msg("%s:%d: not as it should be", __FILE__, c->line);
    assert_int_equal(glob_is(pattern), strchr(c->pattern, '*') != NULL);
}

static struct near_case {
    int line;
    const char *name, *typed, *want;
} nears[] = {
    { __LINE__, "nearest: a letter is missing", "quantty", "quantity" },
    { __LINE__, "nearest: two letters swapped", "pirce", "price" },
    { __LINE__, "nearest: case counts nothing", "ITEMAMOUNT", "itemAmount" },
    { __LINE__, "nearest: distance at the limit", "qantite", "quantity" },
    { __LINE__, "nearest: too far", "qnttx", NULL },
    { __LINE__, "nearest: the nearer of two", "item", "items" },
    { __LINE__, "nearest: diacritics count one each", "znamka",
      "zn\xC3\xA1mka" },
    { __LINE__, "nearest: a single letter is near to nothing", "x", NULL },
    { __LINE__, "nearest: nothing typed", "", NULL },
};

static void test_near(void **state)
{
    static const char *const names[] = { "price",  "quantity", "itemAmount",
                                         "item2s", "items",    "zn\xC3\xA1mka",
                                         "y" };
    const struct near_case *c = *state;
    const char *got = nearest(str_of(c->typed), names, COUNT(names));

    if (c->want ? !got || strcmp(got, c->want) != 0 : got != NULL)
        fail_msg("%s:%d: got %s", __FILE__, c->line, got ? got : "nothing");
}

/* A swap must be found although both rows before it look hopeless. */
static void test_near_swaps(void **state)
{
    static const char *const names[] = { "badcfehg" };

    (void)state;
    assert_null(nearest(STR("abcdefgh"), names, 1));
    assert_ptr_equal(nearest(STR("bacdfehg"), names, 1), names[0]);
    assert_ptr_equal(nearest(STR("badcfhxe"), names, 1), names[0]);
    assert_null(nearest(STR("badcxxxx"), names, 1));
}

static struct order_case {
    int line;
    const char *name, *a, *b;
    int want;
} orders[] = {
    { __LINE__, "order: digits by value", "2026-9", "2026-10", -1 },
    { __LINE__, "order: longer digits are more", "99", "100", -1 },
    { __LINE__, "order: zeros before digits count nothing", "007", "7", 0 },
    { __LINE__, "order: zeros alone are nothing", "000", "0", 0 },
    { __LINE__, "order: nothing comes first", "", "0", -1 },
    { __LINE__, "order: what goes on comes later", "2026", "2026-1", -1 },
    { __LINE__, "order: text by its bytes", "A2", "B1", -1 },
    { __LINE__, "order: digits before letters", "9", "A1", -1 },
    { __LINE__, "order: more digits than any integer has",
      "123456789012345678901234567890", "123456789012345678901234567891", -1 },
    { __LINE__, "order: the same", "OBJ-17/a", "OBJ-17/a", 0 },
    { __LINE__, "order: bytes above 127 are after ASCII", "z1",
      "\xC5\xBE"
      "1",
      -1 },
};

static void test_order(void **state)
{
    const struct order_case *c = *state;
    int got = text_natural_cmp(str_of(c->a), str_of(c->b));
    int back = text_natural_cmp(str_of(c->b), str_of(c->a));

    if ((got > 0) - (got < 0) != c->want || (back > 0) - (back < 0) != -c->want)
        fail_msg("%s:%d: got %d, turned round %d", __FILE__, c->line, got,
                 back);
}

static struct replace_case {
    int line;
    const char *name, *in, *what, *with, *want;
} replaces[] = {
    { __LINE__, "replace: every one", "a-b-c", "-", " + ", "a + b + c" },
    { __LINE__, "replace: with nothing", "1 000 000", " ", "", "1000000" },
    { __LINE__, "replace: from left to right", "aaa", "aa", "b", "ba" },
    { __LINE__, "replace: the result is not searched", "ab", "a", "aa", "aab" },
    { __LINE__, "replace: nothing is nowhere", "abc", "", "x", "abc" },
    { __LINE__, "replace: not there", "abc", "d", "x", "abc" },
};

static void test_replace(void **state)
{
    const struct replace_case *c = *state;
    struct arena a = { 0 };
    struct str got =
        text_replace(&a, str_of(c->in), str_of(c->what), str_of(c->with));

    if (!str_is(got, c->want))
        fail_msg("%s:%d: got %.*s", __FILE__, c->line, STR_ARGS(got));
    arena_release(&a);
}

static void test_replace_too_long(void **state)
{
    struct arena a = { 0 };
    struct buf many, with;

    (void)state;
    buf_init(&many, 1 << 13);
    buf_init(&with, 1 << 13);
    for (int i = 0; i < 1 << 13; i++) {
        buf_addc(&many, 'x');
        buf_addc(&with, 'y');
    }
    assert_null(text_replace(&a, buf_str(&many), STR("x"), buf_str(&with)).p);
    with.len = TEXT_MAX / many.len;
    assert_int_equal(
        text_replace(&a, buf_str(&many), STR("x"), buf_str(&with)).len,
        TEXT_MAX);
    buf_release(&many);
    buf_release(&with);
    arena_release(&a);
}

/* What needs no change is not copied. */
static void test_borrowed(void **state)
{
    static text_fn *const fns[] = { text_squeeze, text_one_line, upper,
                                    title,        text_nfc,      text_ascii };
    struct arena a = { 0 };
    struct str s = STR("A 1");

    (void)state;
    for (size_t i = 0; i < COUNT(fns); i++)
        assert_ptr_equal(fns[i](&a, s).p, s.p);
    assert_int_equal(a.used, 0);
    arena_release(&a);
}

static void test_entities(void **state)
{
    (void)state;
    assert_int_equal(html_entity(STR("Aacute")), 0xC1);
    assert_int_equal(html_entity(STR("aacute")), 0xE1);
    assert_int_equal(html_entity(STR("thetasym")), 0x3D1);
    assert_int_equal(html_entity(STR("zwnj")), 0x200C);
    assert_int_equal(html_entity(STR("AElig")), 0xC6);
    assert_int_equal(html_entity(STR("thetasymx")), 0);
    assert_int_equal(html_entity(STR("")), 0);
}

#define ADD(fn, rows)                        \
    for (size_t i = 0; i < COUNT(rows); i++) \
    tests[n++] = (struct CMUnitTest)ROW(fn, &(rows)[i])

int main(void)
{
    static const struct CMUnitTest more[] = {
        { .name = "nearest: swaps", .test_func = test_near_swaps },
        { .name = "replace: too long", .test_func = test_replace_too_long },
        { .name = "unchanged texts are borrowed", .test_func = test_borrowed },
        { .name = "entities by name", .test_func = test_entities },
    };
    struct CMUnitTest tests[COUNT(cases) + COUNT(globs) + COUNT(nears) +
                            COUNT(orders) + COUNT(replaces) + COUNT(more)];
    size_t n = 0;

    ADD(test_case, cases);
    ADD(test_glob, globs);
    ADD(test_near, nears);
    ADD(test_order, orders);
    ADD(test_replace, replaces);
    for (size_t i = 0; i < COUNT(more); i++)
        tests[n++] = more[i];
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
