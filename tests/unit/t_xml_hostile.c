/*
 * t_xml_hostile.c - formats/xml.c: files that want to eat all memory or time,
 * and files that end too early. XML_TIMES=1 in the environment shows how long
 * each took.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/xml_run.h"

/* ---- hostile documents, made here ------------------------------------------
 */

static void make_laughs(struct buf *b)
{
    buf_addz(b, "<!DOCTYPE a [<!ENTITY l0 'lol'>");
    for (int i = 1; i < 10; i++) {
        buf_addf(b, "<!ENTITY l%d '", i);
        for (int k = 0; k < 10; k++)
            buf_addf(b, "&l%d;", i - 1);
        buf_addz(b, "'>");
    }
    buf_addz(b, "]><a>&l9;</a>");
}

static void make_quadratic(struct buf *b)
{
    buf_addz(b, "<!DOCTYPE a [<!ENTITY l '");
    repeat(b, "aaaaaaaaaa", 5000);
    buf_addz(b, "'>]><a>");
    repeat(b, "&l;", 30000);
}

static void make_xxe(struct buf *b)
{
    buf_addz(b, "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
                "<a>&x;</a>");
}

static void make_deep(struct buf *b)
{
    repeat(b, "<a>", 1000000);
}

static void make_attributes(struct buf *b)
{
    buf_addz(b, "<a");
    for (int i = 0; i < 100000; i++)
        buf_addf(b, " a%d='1'", i);
    buf_addz(b, "/>");
}

/* As many as fit into a tag that ends just in time. */
static void make_attributes_64k(struct buf *b)
{
    buf_addz(b, "<a");
    for (int i = 0; b->len < KB(64) - 20; i++)
        buf_addf(b, " a%d=''", i);
    buf_addz(b, "/>");
}

static void make_namespaces(struct buf *b)
{
    for (int d = 0; d < 120; d++) {
        buf_addf(b, "<a%d", d);
        for (int i = 0; i < 60; i++)
            buf_addf(b, " xmlns:n%d_%d='u%d'", d, i, i);
        buf_addz(b, ">");
    }
}

static void make_names(struct buf *b)
{
    buf_addz(b, "<a>");
    for (int i = 0; i < 1500000; i++)
        buf_addf(b, "<n%d/>", i);
}

static void make_long_name(struct buf *b)
{
    buf_addz(b, "<a><");
    repeat(b, "n", 40000);
    buf_addz(b, "/></a>");
}

static void make_longer_name(struct buf *b)
{
    buf_addz(b, "<a><");
    repeat(b, "n", 60000);
    buf_addz(b, "/></a>");
}

static void make_endless_name(struct buf *b)
{
    buf_addz(b, "<a></");
    repeat(b, "nnnnnnnnnn", 1100000);
}

static void make_text(struct buf *b)
{
    buf_addz(b, "<a><b><x>");
    repeat(b, "tttttttttt", 1100000);
    buf_addz(b, "</x></b></a>");
}

static void make_cdata(struct buf *b)
{
    buf_addz(b, "<a><b><x><![CDATA[");
    repeat(b, "tttttttttt", 1100000);
    buf_addz(b, "]]></x></b></a>");
}

static void make_long_attribute(struct buf *b)
{
    buf_addz(b, "<a k='");
    repeat(b, "tttttttttt", 1100000);
    buf_addz(b, "'/>");
}

static void make_comment(struct buf *b)
{
    buf_addz(b, "<a><!--");
    repeat(b, "tttttttttt", 1100000);
    buf_addz(b, "--></a>");
}

static void make_hyphens(struct buf *b)
{
    buf_addz(b, "<a><!--");
    repeat(b, "----------", 25000);
    buf_addz(b, "--></a>");
}

static void make_instruction(struct buf *b)
{
    buf_addz(b, "<a><?x ");
    repeat(b, "tttttttttt", 1100000);
    buf_addz(b, "?></a>");
}

static void make_doctype(struct buf *b)
{
    buf_addz(b, "<!DOCTYPE a SYSTEM '");
    repeat(b, "tttttttttt", 1100000);
    buf_addz(b, "'><a/>");
}

/* A comment's end is not the DOCTYPE's. */
static void make_doctype_comments(struct buf *b)
{
    buf_addz(b, "<!DOCTYPE a [");
    repeat(b, "<!-- x -->", 1100000);
    buf_addz(b, "]><a/>");
}

static void make_ampersand(struct buf *b)
{
    buf_addz(b, "<a>&");
    repeat(b, "tttttttttt", 1100000);
}

static void make_end_tag_blanks(struct buf *b)
{
    buf_addz(b, "<a></a");
    repeat(b, "          ", 1100000);
}

/* Own text in a million pieces between wanted children. */
static void make_pieces(struct buf *b)
{
    buf_addz(b, "<a><b>");
    repeat(b, "t<x/>", 400000);
    buf_addz(b, "</b></a>");
}

/* A small file that asks for half a gigabyte of items. */
static void make_items(struct buf *b)
{
    buf_addz(b, "<a><b>");
    repeat(b, "<x/>", 3000000);
    buf_addz(b, "</b></a>");
}

static void make_two_roots(struct buf *b)
{
    buf_addz(b, "<a></a>");
    repeat(b, "\n", 100000);
    buf_addz(b, "<a></a>");
}

static struct hostile_case {
    int line;
    const char *name;
    void (*make)(struct buf *b);
    const char *want; /* what comes out begins with it */
} hostile[] = {
    { __LINE__, "billion laughs", make_laughs, "!xml-dtd" },
    { __LINE__, "quadratic entities", make_quadratic, "!xml-dtd" },
    { __LINE__, "XXE", make_xxe, "!xml-dtd" },
    { __LINE__, "a million levels", make_deep,
      "!limit 1:385 the nesting of XML elements 128 xml-depth" },
    { __LINE__, "100,000 attributes", make_attributes,
      "!limit 1:1 an XML tag" },
    { __LINE__, "attributes up to the tag's limit", make_attributes_64k,
      "!limit 1:1 the number of attributes of an element 1000 xml-attributes" },
    { __LINE__, "namespaces on every level", make_namespaces, "!limit" },
    { __LINE__, "1.5 million names", make_names, "!limit" },
    { __LINE__, "a name of 40,000 bytes", make_long_name,
      "!limit 1:4 an XML name 1024 xml-name" },
    { __LINE__, "a name of 60,000 bytes", make_longer_name, "!limit" },
    { __LINE__, "an end tag without an end", make_endless_name,
      "!limit 1:4 an XML tag 65536 xml-tag" },
    { __LINE__, "11 MB of text", make_text, "!limit" },
    { __LINE__, "11 MB of CDATA", make_cdata, "!limit" },
    { __LINE__, "11 MB in an attribute", make_long_attribute,
      "!limit 1:1 an XML tag 65536 xml-tag" },
    { __LINE__, "11 MB of comment", make_comment,
      "!limit 1:4 an XML comment 262144 xml-comment" },
    { __LINE__, "250 KB of hyphens in a comment", make_hyphens,
      "!xml-syntax 1:4 -- stands inside a comment" },
    { __LINE__, "11 MB of an instruction", make_instruction,
      "!limit 1:4 an XML processing instruction 65536 xml-pi" },
    { __LINE__, "11 MB of DOCTYPE", make_doctype,
      "!limit 1:1 a DOCTYPE 65536 xml-tag" },
    { __LINE__, "11 MB of comments in a DOCTYPE", make_doctype_comments,
      "!limit 1:13 a DOCTYPE 65536 xml-tag" },
    { __LINE__, "11 MB behind an ampersand", make_ampersand,
      "!xml-syntax 1:4 '&' without ';'" },
    { __LINE__, "11 MB of blanks in an end tag", make_end_tag_blanks,
      "!limit 1:4 an XML tag" },
    { __LINE__, "text in 400,000 pieces", make_pieces, "b" },
    { __LINE__, "3 million items in a record", make_items, "!limit 1:" },
    { __LINE__, "two roots far apart", make_two_roots,
      "!xml-syntax 100001:1 something" },
};

static void test_hostile(void **state)
{
    const struct hostile_case *c = *state;
    struct setup set = { .record = "/a/b", .wants = "x ." };
    struct run run = { .head = SIZE_MAX };
    struct buf text;
    clock_t begin;
    double seconds;

    limits_default(&set.limits);
    set.limits.v[LIMIT_MEMORY] = MB(256);
    buf_init(&run.out, MB(64));
    buf_init(&text, MB(64));
    c->make(&text);
    run.text = buf_str(&text);
    begin = clock();
    run_reader(&run, &set);
    seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    if (getenv("XML_TIMES"))
        print_message("# %.3f s %s: %.*s\n", seconds, c->name,
                      STR_ARGS(str_first(buf_str(&run.out), 90)));
    if (!str_starts(buf_str(&run.out), str_of(c->want)))
        fail_msg("%s:%d: got %.*s", __FILE__, c->line,
                 STR_ARGS(str_first(buf_str(&run.out), 200)));
    if (seconds > 2)
        fail_msg("%s:%d: %.1f s", __FILE__, c->line, seconds);
    buf_release(&text);
    buf_release(&run.out);
}

/* ---- files that end too early ----------------------------------------------
 */

static const char whole[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='yes'?>\n"
    "<!-- a comment -->\n"
    "<!DOCTYPE a SYSTEM \"a.dtd\">\n"
    "<?pi with text?>\n"
    "<n:a xmlns:n=\"urn:p\" k='1'>\n"
    " <b k=\"&amp;&#65;\"><x>text &lt; \xC5\x99</x><![CDATA[<x>]]></b>\n"
    " <!-- inside --><?pi?><b/>\n"
    "</n:a>";

/* Behind the outermost element only a comment can be cut. */
static const char epilog[] = "\n<!-- end -->";

static void check_cut(const char *text, size_t n, enum diag_id want)
{
    struct setup set = { .record = "/p:a/b", .wants = "x @k ." };
    struct run run = { .head = SIZE_MAX, .text = { text, n } };
    int rc;

    limits_default(&set.limits);
    buf_init(&run.out, MB(1));
    rc = run_reader(&run, &set);
    if (rc != -1 || run.fault != want)
        fail_msg("cut at %zu: %d, %.*s", n, rc, STR_ARGS(buf_str(&run.out)));
    buf_release(&run.out);
}

static void test_truncated(void **state)
{
    size_t cut_char = (size_t)(strstr(whole, "\x99") - whole);

    (void)state;
    check_cut(whole, 0, DIAG_FILE_EMPTY);
    for (size_t n = 1; n < sizeof(whole) - 1; n++)
        check_cut(whole, n,
                  n == cut_char ? DIAG_CHARSET_CUT : DIAG_FILE_TRUNCATED);
}

static void test_truncated_epilog(void **state)
{
    char text[sizeof(whole) + sizeof(epilog)];
    int n = snprintf(text, sizeof(text), "%s%s", whole, epilog);

    (void)state;
    for (size_t i = sizeof(whole) + 1; i < (size_t)n; i++)
        check_cut(text, i, DIAG_FILE_TRUNCATED);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(hostile) + 2];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(hostile); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_hostile, &hostile[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_truncated);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_truncated_epilog);
    return cmocka_run_group_tests_name("xml hostile", tests, NULL, NULL);
}
