/*
 * t_xml_plain.c - formats/xml_plain.c: what is read without libxml2, and that
 * nobody can tell. Documents are read at once, when plain elements are found
 * in them, and byte by byte, when none ever is: the same must come out, places
 * included.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "formats/xml_plain.h"
#include "tests/unit/xml_run.h"

/* ---- what is plain ------------------------------------------------------- */

/* <a>, <b> and <p:c> are known. */
static struct find_case {
    const char *name, *in;
    const char *tokens; /* "": not plain */
} finds[] = {
    { "an element with text", "<a>x</a>", "<t>" },
    { "blanks before it", " \n\t<a>x</a>", "t<t>" },
    { "an empty one", "<a></a>", "<>" },
    { "one with a prefix", "<p:c>x</p:c>", "<t>" },
    { "elements in elements", "<a> <b>x</b>\n<p:c></p:c></a>", "<t<t>t<>>" },
    { "what follows is not looked at", "<a></a><?", "<>" },
    { "letters", "<a>\xC4\x8D\xE2\x82\xAC\xF0\x9F\x98\x80</a>", "<t>" },
    { "XML's own references", "<a>&amp;x&lt;&gt;&quot;&apos;</a>", "<c>" },
    { "lines", "<a>1\n2</a>", "<t>" },
    { "CRLF", "\r\n<a>1\r\n2</a>", "c<c>" },
    { "text before it", "x<a>x</a>", "t<t>" },
    { "as deep as it goes", "<a><a><a><a></a></a></a></a>", "<<<<>>>>" },
    { "too deep", "<a><a><a><a><a></a></a></a></a></a>", "" },
    { "an unknown name", "<d>x</d>", "" },
    { "an unknown name inside", "<a><d>x</d></a>", "" },
    { "the beginning of a known one", "<p>x</p>", "" },
    { "another prefix", "<q:c>x</q:c>", "" },
    { "another end tag", "<a>x</b>", "" },
    { "another end tag with the same end", "<p:c>x</q:c>", "" },
    { "crossed tags", "<a><b></a></b>", "" },
    { "a longer end tag", "<a>x</aa>", "" },
    { "a blank in the end tag", "<a>x</a >", "" },
    { "a blank in the start tag", "<a >x</a>", "" },
    { "an attribute", "<a k='1'>x</a>", "" },
    { "an empty tag", "<a/>", "" },
    { "an end tag", "</a>", "" },
    { "a comment", "<a><!-- --></a>", "" },
    { "an instruction", "<a><?b?></a>", "" },
    { "CDATA", "<a><![CDATA[x]]></a>", "" },
    { "brackets", "<a>[1] ]</a>]", "<t>" },
    { "two brackets", "<a>]]</a>", "<t>" },
    { "]]>", "<a>]]></a>", "" },
    { "]]]>", "<a>]]]></a>", "" },
    { "]]> that is cut", "<a>]]", "" },
    { "a character reference", "<a>&#65;</a>", "" },
    { "an entity", "<a>&b;</a>", "" },
    { "a reference that is cut", "<a>&amp</a>", "" },
    { "a lone CR", "<a>1\r2</a>", "" },
    { "a CR at the end", "<a></a>\r", "<>" },
    { "a CR that ends all", "<a>\r", "" },
    { "a control character", "<a>\x01</a>", "" },
    { "U+FFFE, and all that begins like it", "<a>\xEF\xBF\xBE</a>", "" },
    { "cut in the start tag", "<a", "" },
    { "cut behind the start tag", "<a>", "" },
    { "cut in the text", "<a>x", "" },
    { "cut in the end tag", "<a>x</a", "" },
    { "cut behind the '<'", "<a>x<", "" },
    { "cut inside", "<a><b>x</b>", "" },
    { "nothing", "", "" },
    { "blanks alone", " \n ", "" },
};

static void learn(struct xml_plain *l, const char *tag, const char *prefix,
                  const char *local)
{
    struct xml_name name = { .local = local };

    xml_plain_learn(l, tag, tag + strlen(tag) - 1, &name, prefix);
}

static struct xml_plain *knows(void)
{
    static struct xml_plain l;

    xml_plain_init(&l);
    learn(&l, "<a>", NULL, "a");
    learn(&l, "<b>", NULL, "b");
    learn(&l, "<p:c>", "p", "c");
    return &l;
}

/* The text stands at the very end of its memory, for the sanitizers. */
static bool finds_in(struct xml_plain *l, const char *in)
{
    size_t n = strlen(in);
    char *copy = xrealloc(NULL, n ? n : 1);
    bool found;

    memcpy(copy, in, n);
    found = xml_plain_find(l, (struct str){ copy, n });
    if (found)
        assert_true(l->tokens[l->n_tokens - 1].end <= copy + n);
    free(copy);
    return found;
}

static void test_find(void **state)
{
    const struct find_case *c = *state;
    struct xml_plain *l = knows();
    char got[64] = "";
    size_t n = 0;

    if (finds_in(l, c->in))
        for (; n < l->n_tokens; n++)
            got[n] = "tc<>"[l->tokens[n].kind];
    got[n] = '\0';
    assert_string_equal(got, c->tokens);
}

static void test_tokens_end(void **state)
{
    struct xml_plain *l = knows();
    struct buf b;

    (void)state;
    buf_init(&b, MB(1));
    buf_addz(&b, "<a>");
    repeat(&b, "<b></b>", (XML_PLAIN_TOKENS - 4) / 2);
    assert_true(!finds_in(l, (buf_addc(&b, '\0'), b.p)));
    b.len--;
    buf_addz(&b, "</a>");
    assert_true(finds_in(l, (buf_addc(&b, '\0'), b.p)));
    b.len -= 5;
    buf_addz(&b, "<b></b><b></b></a>");
    assert_true(!finds_in(l, (buf_addc(&b, '\0'), b.p)));
    buf_release(&b);
}

/* What a name means ends with its namespaces. */
static void test_scope(void **state)
{
    struct xml_plain *l = knows();

    (void)state;
    xml_plain_declare(l, 3);
    assert_true(!finds_in(l, "<a></a>"));
    learn(l, "<a>", NULL, "a");
    assert_true(finds_in(l, "<a></a>"));
    xml_plain_close(l, 4); /* which declared none */
    assert_true(finds_in(l, "<a></a>"));
    xml_plain_close(l, 3);
    assert_true(!finds_in(l, "<a></a>"));
    learn(l, "<a>", NULL, "a");
    xml_plain_close(l, 3); /* another one, as deep */
    assert_true(finds_in(l, "<a></a>"));
    xml_plain_close(l, 64); /* so deep that nobody remembers */
    assert_true(!finds_in(l, "<a></a>"));
}

static void test_learn(void **state)
{
    static const char longest[] =
        "<a12345678901234567890123456789012345678901234:b>";
    struct xml_plain l;
    char prefix[XML_PLAIN_TAG] = "";

    (void)state;
    xml_plain_init(&l);
    learn(&l, "<a >", NULL, "a");
    learn(&l, "<a/", NULL, "a");
    assert_true(!finds_in(&l, "<a></a>"));
    memcpy(prefix, longest + 1, sizeof(longest) - 5);
    assert_int_equal(sizeof(longest) - 1, XML_PLAIN_TAG + 1);
    learn(&l, longest, prefix, "b");
    for (size_t i = 0; i < COUNT(l.names); i++)
        assert_int_equal(l.names[i].len, 0);
    prefix[strlen(prefix) - 1] = '\0';
    prefix[0] = 'b';
    learn(&l, "<b1234567890123456789012345678901234567890123:b>", prefix, "b");
    assert_true(finds_in(&l,
                         "<b1234567890123456789012345678901234567890123:b>"
                         "</b1234567890123456789012345678901234567890123:b>"));
}

/* ---- nobody can tell ----------------------------------------------------- */

#define X3 "<b><x>1</x><x>2</x><y><z>3</z></y><y><z>4</z></y></b>"

static struct whole_case {
    const char *name, *record, *wants, *root, *in, *want;
} wholes[] = {
    { "records", "/a/b", "x y/z", NULL, "<a>" X3 "\n " X3 "</a>",
      "b@1:4(x@1:10=1 x@1:18=2 y@1:26(z@1:29=3) y@1:41(z@1:44=4))|"
      "b@2:2(x@2:8=1 x@2:16=2 y@2:24(z@2:27=3) y@2:39(z@2:42=4))|" },
    { "// and records in records", "//b", "b/x x", NULL,
      "<a><b><b><x>1</x></b><x>2</x></b><b><b><x>1</x></b><x>2</x></b></a>",
      "b@1:4(b@1:10(x@1:13=1) x@1:25=2)|"
      "b@1:34(b@1:40(x@1:43=1) x@1:55=2)|" },
    { "records that are leaves", "/a/b", ".", "a/@v",
      "<a v='0'><b>1</b>\n<b>2</b><b>\xC4\x8D&lt;</b><b>&amp;</b></a>",
      "[a@1:10(@v@1:7=0)]b@1:10=1|[a@1:10(@v@1:7=0)]b@2:1=2|"
      "[a@1:10(@v@1:7=0)]b@2:9=\xC4\x8D<|[a@1:10(@v@1:7=0)]b@2:21=&|" },
    { "own text around elements", "/a/b", ". x", NULL,
      "<a><b>p<x>1</x>q<x>2</x>\nr<x>3</x> s</b></a>",
      "b@1:4(.@1:7=pq\nr s x@1:11=1 x@1:20=2 x@2:5=3)|" },
    { "references", "/a/b", "x", NULL,
      "<a><b><x>1</x><x>&quot;\xC4\x8D&quot; &amp; c</x><x>2</x></b></a>",
      "b@1:4(x@1:10=1 x@1:18=\"\xC4\x8D\" & c x@1:46=2)|" },
    { "lines", "/a/b", "x", NULL,
      "<a><b><x>1</x><u>1</u>\n<x>\n</x><u>\xC4\x8D\n\n\xC4\x8D</u><x>3</x>"
      "</b></a>",
      "b@1:4(x@1:10=1 x@2:4=\n x@5:9=3)|" },
    { "CRLF, and CR alone", "/a/b", "x", NULL,
      "<a><b><x>1</x>\r\n<x>1\r\n2</x>\r\n\r\n <x>&lt;\r\n&lt;</x><x>\r</x>"
      "<x>2</x></b></a>",
      "b@1:4(x@1:10=1 x@2:4=1\n2 x@5:5=<\n< x@6:12=\n x@6:20=2)|" },
    { "a prefix that is declared anew", "//b", "p:x q:x", NULL,
      "<a xmlns:n='urn:p'><b><n:x>1</n:x><n:x>2</n:x></b>"
      "<c xmlns:n='urn:q'><b><n:x>1</n:x><n:x>2</n:x></b></c>"
      "<b><n:x>1</n:x><n:x>2</n:x></b></a>",
      "b@1:20(x@1:28=1 x@1:40=2)|b@1:70(x@1:78=1 x@1:90=2)|"
      "b@1:105(x@1:113=1 x@1:125=2)|" },
    { "a prefix that is declared no more", "/a/b", "p:x", NULL,
      "<a><b xmlns:n='urn:p'><n:x>1</n:x><n:x>2</n:x></b>"
      "<b><n:x>1</n:x></b></a>",
      "b@1:4(x@1:28=1 x@1:40=2)|"
      "!xml-syntax 1:58 the prefix n is not declared" },
    { "a default namespace that ends", "/a/b", "x p:x", NULL,
      "<a><b><x>1</x><x xmlns='urn:p'>2</x><x>3</x></b></a>",
      "b@1:4(x@1:10=1 x@1:32=2 x@1:40=3)|" },
    { "namespaces ignore", "/a/b", "!x", NULL,
      "<a><b><g:x>1</g:x><g:x>2</g:x><x>3</x></b></a>",
      "b@1:4(x@1:12=1 x@1:24=2 x@1:34=3)|" },
    { "a late element", "/a/b", "", "a/t",
      "<a><t>1</t><b></b><b></b><t>2</t><b></b></a>",
      "[a@1:4(t@1:7=1)]b@1:12|[a@1:4(t@1:7=1)]b@1:19|"
      "!xml-late 1:29 element t" },
    { "a wrong end tag", "/a/b", "x", NULL, "<a><b><x>1</x><x>2</x y></b></a>",
      "!xml-syntax 1:23 '>' is missing at the end of a tag" },
    { "]]>", "/a/b", "x", NULL, "<a><b><x>1</x><x>2]]></x></b></a>",
      "!xml-syntax 1:18 ]]> stands in text; there it is written ]]&gt;" },
    { "]] >", "/a/b", "x", NULL, "<a><b><x>1</x><x>]] ></x><x>]]</x></b></a>",
      "b@1:4(x@1:10=1 x@1:18=]] > x@1:29=]])|" },
    { "an entity", "/a/b", "x", NULL, "<a><b><x>1</x><x>&e;</x></b></a>",
      "!xml-entity 1:18 &e;" },
    { "a fault behind plain elements", "/a/b", "x", NULL,
      "<a><b><x>1</x>\n<x>\xC4\x8D</x>\n <x>&amp;\xC4\x8D</x>&</b></a>",
      "!xml-syntax 3:15 '&' without ';'; in text it is written &amp;" },
};

/* `before`: a comment that fills the first chunk, and a line end. */
static void run_whole(const struct whole_case *c, struct str before,
                      size_t at_once)
{
    struct setup set = { .record = c->record,
                         .wants = c->wants,
                         .root = c->root };
    struct run run = { .places = true, .lines_before = before.len > 0 };
    struct buf text;

    buf_init(&text, MB(1));
    buf_init(&run.out, MB(1));
    buf_add(&text, before);
    buf_addz(&text, c->in);
    run.text = buf_str(&text);
    run.head = at_once;
    limits_default(&set.limits);
    (void)run_reader(&run, &set);
    if (!str_eq(buf_str(&run.out), str_of(c->want)))
        fail_msg("%zu of %zu bytes at once: %.*s", at_once, text.len,
                 STR_ARGS(buf_str(&run.out)));
    buf_release(&run.out);
    buf_release(&text);
}

static void test_whole(void **state)
{
    run_whole(*state, STR(""), SIZE_MAX);
}

/* Byte by byte, and with a first piece that ends anywhere. */
static void test_pieces(void **state)
{
    const struct whole_case *c = *state;
    struct buf before;

    buf_init(&before, MB(1));
    buf_addz(&before, "<!--");
    repeat(&before, "x", INPUT_CHUNK);
    buf_addz(&before, "-->\n");
    for (size_t n = 0; n <= strlen(c->in); n++)
        run_whole(c, buf_str(&before), before.len + n);
    buf_release(&before);
}

/* The last of many characters in one line, behind a long comment. */
static void test_long_line(void **state)
{
    struct setup set = { .record = "/a/b", .wants = "x" };
    struct run run = { .head = SIZE_MAX, .places = true };
    struct buf text;
    char want[40];
    size_t col;

    (void)state;
    limits_default(&set.limits);
    buf_init(&text, MB(1));
    buf_init(&run.out, MB(1));
    buf_addz(&text, "<a><b>");
    repeat(&text, "<x>\xC4\x8D</x>", 50);
    buf_addz(&text, "<!--");
    repeat(&text, "y", 8000);
    buf_addz(&text, "--><x>");
    col = text.len - 50 + 1;
    buf_addz(&text, "2</x></b></a>");
    snprintf(want, sizeof(want), "x@1:%zu=2)|", col);
    run.text = buf_str(&text);
    assert_int_equal(run_reader(&run, &set), 0);
    if (!str_ends(buf_str(&run.out), str_of(want)))
        fail_msg("%s: %.*s", want, STR_ARGS(str_from(buf_str(&run.out), 500)));
    buf_release(&run.out);
    buf_release(&text);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(finds) + 2 * COUNT(wholes) + 4];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(finds); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_find, &finds[i]);
    for (size_t i = 0; i < COUNT(wholes); i++) {
        tests[n++] = (struct CMUnitTest)ROW(test_whole, &wholes[i]);
        tests[n++] = (struct CMUnitTest)ROW(test_pieces, &wholes[i]);
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_tokens_end);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_scope);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_learn);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_long_line);
    return cmocka_run_group_tests_name("xml_plain", tests, NULL, NULL);
}
