/*
 * t_xml.c - formats/xml.c: what comes out of good documents, and what is said
 * of bad ones. Each row is read twice: as it is, and behind a long comment
 * byte by byte, so that every construct is cut at every place.
 */
#include "tests/unit/unit.h"

#include "tests/unit/xml_run.h"

/* ---- documents and what comes of them -------------------------------------
 */

enum { PLACES = 1, RAW = 2, TRIM = 4, NO_PAD = 8 };

#define CASE(name, record, wants, root, in, want, flags)                 \
    {                                                                    \
        __LINE__, name, record, wants, root, in, want, flags, NULL, NULL \
    }
#define LIMITED(name, limit, record, wants, in, want, flags)              \
    {                                                                     \
        __LINE__, name, record, wants, NULL, in, want, flags, NULL, limit \
    }

static struct xml_case {
    int line;
    const char *name, *record, *wants, *root, *in, *want;
    int flags;
    const char *charset, *limit;
} cases[] = {

    /* Records. */
    CASE("a path picks records", "/a/b", "x", NULL,
         "<a><b><x>1</x></b><b><x>2</x></b></a>", "b(x=1)|b(x=2)|", 0),
    CASE("a path is anchored at the root", "/a/b", "", NULL,
         "<a><c><b/></c><b/></a>", "b|", 0),
    CASE("// finds records at any depth", "//b", "", NULL,
         "<a><b/><c><d><b/></d></c></a>", "b|b|", 0),
    CASE("// with two steps", "//c/b", "", NULL,
         "<a><b/><c><b/></c><d><c><e><b/></e><b/></c></d></a>", "b|b|", 0),
    CASE("the outermost element can be the record", "/a", "x", NULL,
         "<a><x>1</x></a>", "a(x=1)|", 0),
    CASE("records in records do not start new ones", "//b", "x", NULL,
         "<a><b><x>1</x><b><x>2</x></b></b></a>", "b(x=1)|", 0),
    CASE("a star stands for any element of a path", "/a/*/b", "", NULL,
         "<a><c><b/></c><d><b/></d></a>", "b|b|", 0),
    CASE("no record fits", "/a/z", "", NULL, "<a><b/></a>", "", 0),
    CASE("a record that is an empty tag", "/a/b", "@i x", NULL,
         "<a><b i='1'/><b/></a>", "b(@i=1)|b|", 0),

    /* What is wanted of a record. */
    CASE("paths, attributes and texts", "/a/b", "x y/z @id y/@k", NULL,
         "<a><b id='7'><x>1</x><y k='8'><z>2</z><u>3</u></y></b></a>",
         "b(@id=7 x=1 y(@k=8 z=2))|", 0),
    CASE("same name below another element is not it", "/a/b", "x", NULL,
         "<a><b><y><x>1</x></y></b></a>", "b|", 0),
    CASE("repeated children keep their order", "/a/b", "x y", NULL,
         "<a><b><x>1</x><y>2</y><x>3</x></b></a>", "b(x=1 y=2 x=3)|", 0),
    CASE("a glob and a name both get the element", "/a/b", "I* I1", NULL,
         "<a><b><I1>x</I1><J>y</J><I2>z</I2></b></a>", "b(I1=x I1=x I2=z)|", 0),
    CASE("a star is any child", "/a/b", "*/k", NULL,
         "<a><b><x><k>1</k></x><y><k>2</k></y></b></a>", "b(x(k=1) y(k=2))|",
         0),
    CASE("two wants below one element", "/a/b", "*/k x/k", NULL,
         "<a><b><x><k>1</k></x></b></a>", "b(x(k=1) x(k=1))|", 0),
    CASE("own text of an element beside its attribute", "/a/b", "x/. x/@k",
         NULL, "<a><b><x k='1'>2</x></b></a>", "b(x(.=2 @k=1))|", 0),
    CASE("own text of the record", "/a/b", ".", NULL,
         "<a><b>x<c>no</c>y</b></a>", "b=xy|", 0),
    CASE("own text as a child of the record", "/a/b", ". x", NULL,
         "<a><b>p<x>q</x>r</b></a>", "b(.=pr x=q)|", 0),
    CASE("only presence", "/a/b", "x?", NULL, "<a><b><x>long</x></b></a>",
         "b(x)|", 0),
    CASE("an empty element has a text, an absent one no item", "/a/b", "x y",
         NULL, "<a><b><x/></b><b><y></y></b></a>", "b(x=)|b(y=)|", 0),
    CASE("an attribute with no value to read", "/a/b", "@x?", NULL,
         "<a><b x='1'/></a>", "b(@x)|", 0),
    CASE("a glob for attributes", "/a/b", "@p*", NULL,
         "<a><b p1='1' q='2' p2='3'/></a>", "b(@p1=1 @p2=3)|", 0),

    /* Texts. */
    CASE(
        "entities and character references", "/a/b", "x @y", NULL,
        "<a><b y='1&amp;2&lt;&#38;&#x26;&amp;#38;'><x>&lt;&amp;&gt;&quot;&apos;"
        "&#65;&#x159;</x></b></a>",
        "b(@y=1&2<&&&#38; x=<&>\"'A\xC5\x99)|", 0),
    CASE("CDATA is text and joins", "/a/b", "x", NULL,
         "<a><b><x>1<![CDATA[<&]]>2<![CDATA[]]]]><![CDATA[>]]></x></b></a>",
         "b(x=1<&2]]>)|", 0),
    CASE("comments and instructions do not split text", "/a/b", "x", NULL,
         "<a><b><x>1<!-- & < -->2<?pi x?>3</x></b></a>", "b(x=123)|", 0),
    CASE("mixed content: own text only", "/a/b", "x x/y", NULL,
         "<a><b><x>1<y>2</y>3<z>4</z>5</x></b></a>", "b(x=135(y=2))|", 0),
    CASE("blanks stay", "/a/b", "x @y", NULL,
         "<a><b y=' 1 '><x> 2\n </x></b></a>", "b(@y= 1  x= 2\n )|", 0),
    CASE("trim takes them off", "/a/b", "x @y z", NULL,
         "<a><b y=' 1 '><x> 2 3\n </x><z> \t</z></b></a>", "b(@y=1 x=2 3 z=)|",
         TRIM),
    CASE("line ends become LF", "/a/b", "x", NULL,
         "<a><b><x>1\r\n2\r3</x></b></a>", "b(x=1\n2\n3)|", 0),

    /* Namespaces. */
    CASE("prefixes do not matter, URIs do", "/p:a/p:b", "q:x", NULL,
         "<n:a xmlns:n='urn:p' xmlns:m='urn:q'><n:b><m:x>1</m:x><n:x>2</n:x>"
         "<x>3</x></n:b><b/></n:a>",
         "b(x=1)|", 0),
    CASE("a default namespace is for elements alone", "/p:a/p:b", "@x p:y @p:z",
         NULL,
         "<a xmlns='urn:p' xmlns:p='urn:p'><b x='1' p:z='2'><y>3</y></b></a>",
         "b(@x=1 @z=2 y=3)|", 0),
    CASE("a namespace may end", "/a/b", "x", NULL,
         "<a><b><x xmlns='urn:p'>1</x><x>2</x></b></a>", "b(x=2)|", 0),
    CASE("namespaces ignore", "/a/b", "!x @y", NULL,
         "<n:a xmlns:n='urn:p'><b n:y='1' xmlns='urn:q'><x>1</x></b></n:a>",
         "b(@y=1 x=1)|", 0),
    CASE("namespaces ignore lives with an undeclared prefix", "/a/b", "!x",
         NULL, "<a><b><g:x>1</g:x></b></a>", "b(x=1)|", 0),
    CASE("else an undeclared prefix is an error", "/a/b", "x", NULL,
         "<a><b><g:x>1</g:x></b></a>",
         "!xml-syntax 1:11 the prefix g is not declared", 0),
    CASE("a strange URI does no harm", "/a/b", "x", NULL,
         "<a xmlns:o='not a uri'><b><x>1</x></b></a>", "b(x=1)|", 0),

    /* Absolute paths. */
    CASE("attributes and earlier children of ancestors", "/a/b", "x",
         "a/@v a/h/d", "<a v='1'><h><d>2</d></h><b/><b/></a>",
         "[a(@v=1 h(d=2))]b|[a(@v=1 h(d=2))]b|", 0),
    CASE("only the open one of several ancestors", "/a/s/b", "", "a/s/@n a/s/t",
         "<a><s n='1'><t>p</t><b/></s><s n='0'/><s n='2'><b/><b/></s></a>",
         "[a(s(@n=1 t=p))]b|[a(s(@n=2))]b|[a(s(@n=2))]b|", 0),
    CASE("the open one also with //", "//b", "", "a/s/@n",
         "<a><s n='0'/><s n='1'><b/></s><s n='2'/><b/></a>",
         "[a(s(@n=1))]b|[a]b|", 0),
    CASE("own text of an open ancestor", "/a/b", "", "a", "<a>x<b/>y<b/></a>",
         "[a=x]b|[a=xy]b|", 0),
    CASE("a wanted element behind a record is late", "/a/b", "", "a/t",
         "<a><b/><t>1</t></a>", "[a]b|!xml-late 1:11 element t", 0),
    CASE("late for // too", "//b", "", "a/h/t",
         "<a><s><b/></s><h><t>1</t></h></a>", "[a]b|!xml-late 1:18 element h",
         0),
    CASE("an unwanted element may come late", "/a/b", "", "a/t",
         "<a><t>0</t><b/><u>1</u></a>", "[a(t=0)]b|", 0),
    CASE("inside a record nothing is late", "/a/b", "t", "a/b/t",
         "<a><b><t>1</t></b><b><t>2</t></b></a>", "[a]b(t=1)|[a]b(t=2)|", 0),

    /* Places: lines and characters from 1. */
    CASE("places count characters", "/a/b", "x y @z", NULL,
         "<a>\xC5\x99<b u='\xC5\x99' z='1'><x>\xC5\xA1</x>\xC5\xA1<y\n/>"
         "</b>\r\n <b/></a>",
         "b@1:5(@z@1:17=1 x@1:23=\xC5\xA1 y@2:3=)|b@3:2|", PLACES),
    CASE("places in multi-line tags", "/a/b", "@y @z x", NULL,
         "<a>\n<b\n  xmlns:o='u'\n  y = '\xC5\x99&amp;'\n z='2'\n ><x>1</x>\n"
         "</b></a>",
         "b@2:1(@y@4:8=\xC5\x99& @z@5:5=2 x@6:6=1)|", PLACES),
    CASE("places behind CDATA, comments, names beyond ASCII", "/a/b",
         "x \xC4\x8D", NULL,
         "<a><b><![CDATA[\xC5\x99\n\xC5\x99\xC5\x99]]><x>1</x>"
         "<!--\xC5\x99\n\xC5\x99--><\xC4\x8D>2</\xC4\x8D><?p \xC5\x99?>"
         "<x>3</x></b></a>",
         "b@1:4(x@2:9=1 \xC4\x8D@3:8=2 x@3:23=3)|", PLACES),
    CASE("a place deep in a long line", "/a/b", "x", NULL,
         "<a><b><x>1</x><x>2</x><u>\xC5\xA1\xC5\xA1</u><x>3</x></b></a>",
         "b@1:4(x@1:10=1 x@1:18=2 x@1:35=3)|", PLACES),

    /* The record's bytes in the file. */
    CASE("raw bytes of records", "/a/b", "x", NULL,
         "<a>\xC5\x99 <b k='\xC5\x99'>\n<x>1</x></b >\xC5\x99<b/></a>",
         "<b k='\xC5\x99'>\n<x>1</x></b >|<b/>|", RAW),
    CASE("raw bytes behind a BOM", "/a/b", "x", NULL,
         "\xEF\xBB\xBF<a>\xC5\x99<b><x/></b></a>", "<b><x/></b>|",
         RAW | NO_PAD),
    { __LINE__, "raw bytes in windows-1250", "/a/b", "", NULL,
      "<a>\xF8\xF8<b k='\x80'>\xF8</b>\xF8<b/></a>",
      "<b k='\x80'>\xF8</b>|<b/>|", RAW, "windows-1250", NULL },
    CASE("windows-1250 by the XML declaration", "/a/b", "x", NULL,
         "<?xml version='1.0' "
         "encoding='windows-1250'?><a><b><x>\xF8</x></b></a>",
         "b(x=\xC5\x99)|", NO_PAD),
    CASE("an unknown encoding", "/a/b", "x", NULL,
         "<?xml version='1.0' encoding='UTF-7'?><a/>", "!xml-encoding", NO_PAD),

    /* DOCTYPE. */
    CASE("a bare DOCTYPE is read over", "/a/b", "x", NULL,
         "<!DOCTYPE a SYSTEM 'http://nowhere.invalid/a.dtd'><a><b><x>1</x></b>"
         "</a>",
         "b(x=1)|", 0),
    CASE("an empty internal subset too", "/a/b", "x", NULL,
         "<!DOCTYPE a PUBLIC '-//X' 'file:///etc/passwd' [ <!-- x --> ]>"
         "<a><b><x>1</x></b></a>",
         "b(x=1)|", 0),
    CASE("an entity declaration", "/a/b", "x", NULL,
         "<!DOCTYPE a [\n<!ENTITY e 'x'>]><a><b><x>&e;</x></b></a>",
         "!xml-dtd 2:1 ENTITY e", 0),
    CASE("a parameter entity", "/a/b", "x", NULL,
         "<!DOCTYPE a [<!ENTITY % e SYSTEM 'file:///etc/passwd'> %e;]><a/>",
         "!xml-dtd 1:14 ENTITY e", 0),
    CASE("a reference to a parameter entity", "/a/b", "x", NULL,
         "<!DOCTYPE a [ %e; ]><a/>", "!xml-dtd 1:15 parameter entity e", 0),
    CASE("an attribute declaration", "/a/b", "x", NULL,
         "<!DOCTYPE a [<!ATTLIST a k (x|y) 'x'>]><a/>",
         "!xml-dtd 1:14 ATTLIST k", 0),
    CASE("an element declaration", "/a/b", "x", NULL,
         "<!DOCTYPE a [<!ELEMENT a (b,(c|d)*)>]><a/>",
         "!xml-dtd 1:14 ELEMENT a", 0),
    CASE("a notation", "/a/b", "x", NULL,
         "<!DOCTYPE a [<!NOTATION n SYSTEM 'x'>]><a/>",
         "!xml-dtd 1:14 NOTATION n", 0),
    CASE("an unparsed entity", "/a/b", "x", NULL,
         "<!DOCTYPE a [<!ENTITY n SYSTEM 'x' NDATA m>]><a/>",
         "!xml-dtd 1:14 ENTITY n", 0),
    CASE("an unknown entity in text", "/a/b", "x", NULL,
         "<a>\n<b><x>&nbsp;</x></b></a>", "!xml-entity 2:7 &nbsp;", 0),
    CASE("an unknown entity in an attribute", "/a/b", "x", NULL,
         "<a><b k='&auml;'/></a>", "!xml-entity 1:10 &auml;", 0),
    CASE("an unknown entity with an external DTD", "/a/b", "x", NULL,
         "<!DOCTYPE a SYSTEM 'a.dtd'><a><b k='&auml;'>&uuml;</b></a>",
         "!xml-entity 1:37 &auml;", 0),
    CASE("the same in text", "/a/b", "x", NULL,
         "<!DOCTYPE a SYSTEM 'a.dtd'><a><b>&uuml;</b></a>",
         "!xml-entity 1:34 &uuml;", 0),

    /* What is not well-formed. */
    CASE("a wrong end tag", "/a/b", "x", NULL, "<a>\n<b><x>1</y></b></a>",
         "!xml-syntax 2:12 element x (line 2) is closed by </y>", NO_PAD),
    CASE("a bare ampersand", "/a/b", "x", NULL,
         "<a><b><x>Tom & Jerry</x></b></a>",
         "!xml-syntax 1:14 '&' without ';'; in text it is written &amp;", 0),
    CASE("an ampersand and a far semicolon", "/a/b", "x", NULL,
         "<a><b><x>Tom & Jerry;</x></b></a>",
         "!xml-syntax 1:15 '&' or '<' without a name behind it; in text they "
         "are written &amp; and &lt;",
         NO_PAD),
    CASE("a lower-than sign in text", "/a/b", "x", NULL,
         "<a><b><x>1 < 2</x></b></a>",
         "!xml-syntax 1:13 '&' or '<' without a name behind it; in text they "
         "are written &amp; and &lt;",
         0),
    CASE("an ampersand with a name", "/a/b", "x", NULL,
         "<a><b><x>AT&T here; and there</x></b></a>",
         "!xml-syntax 1:14 '&' without ';'; in text it is written &amp;", 0),
    CASE("two outermost elements", "/a/b", "x", NULL, "<a/><a/>",
         "!xml-syntax 1:5 something stands behind the end of the outermost "
         "element",
         0),
    CASE("junk at the end", "/a/b", "", NULL, "<a><b/></a>junk",
         "b|!xml-syntax 1:12 something stands behind the end of the outermost "
         "element",
         0),
    CASE("one byte of junk", "/a/b", "", NULL, "<a><b/></a>\nx",
         "b|!xml-syntax 2:1 something stands behind the end of the outermost "
         "element",
         0),
    CASE("no XML at all", "/a/b", "", NULL, "code;date\n1;2\n",
         "!xml-syntax 1:1 it does not begin with '<'", NO_PAD),
    CASE("no XML and short", "/a/b", "", NULL, "ab",
         "!xml-syntax 1:1 it does not begin with '<'", NO_PAD),
    CASE("an attribute twice", "/a/b", "", NULL, "<a><b k='1' k='2'/></a>",
         "!xml-syntax 1:18 attribute k stands twice in a tag", 0),
    CASE("an attribute twice by its namespace", "/a/b", "", NULL,
         "<a xmlns:p='u' xmlns:q='u'><b p:k='1' q:k='2'/></a>",
         "!xml-syntax 1:46 attribute k stands twice in a tag", 0),
    CASE("a control character", "/a/b", "x", NULL, "<a><b><x>1\x01</x></b></a>",
         "!xml-syntax 1:11 character U+0001 cannot stand in XML", 0),
    CASE("a reference to a control character", "/a/b", "x", NULL,
         "<a><b><x>&#1;</x></b></a>",
         "!xml-syntax 1:14 character U+0001 cannot stand in XML", 0),
    CASE("U+FFFF", "/a/b", "x", NULL, "<a><b><x>\xEF\xBF\xBF</x></b></a>",
         "!xml-syntax 1:10 character U+FFFF cannot stand in XML", 0),
    CASE("bad UTF-8", "/a/b", "x", NULL, "<a><b><x>\xC3(</x></b></a>",
         "!charset-not-utf8", NO_PAD),
    CASE("a missing quote", "/a/b", "x", NULL, "<a><b k='1><x>1</x></b></a>",
         "!xml-syntax 1:12 '<' inside an attribute; is a closing quote missing "
         "before it?",
         0),
    CASE("a line before the XML declaration", "/a/b", "x", NULL,
         "\n<?xml version='1.0'?><a/>",
         "!xml-syntax 2:6 the XML declaration is not the very first thing in "
         "the file",
         NO_PAD),
    CASE("]]> in text", "/a/b", "x", NULL, "<a><b>]]></b></a>",
         "!xml-syntax 1:7 ]]> stands in text; there it is written ]]&gt;", 0),

    /* Limits. */
    LIMITED("depth", "xml-depth=2", "//b", "", "<a><a><a/></a></a>",
            "!limit 1:7 the nesting of XML elements 2 xml-depth", 0),
    LIMITED("depth is that of open elements", "xml-depth=2", "//b", "",
            "<a><a/><b/><a/></a>", "b|", 0),
    LIMITED(
        "attributes", "xml-attributes=1", "/a/b", "", "<a><b k='1' l='2'/></a>",
        "!limit 1:4 the number of attributes of an element 1 xml-attributes",
        0),
    LIMITED("start tag", "xml-tag=10", "/a/b", "", "<a><bcdefgh i='j'/></a>",
            "!limit 1:4 an XML tag 10 xml-tag", 0),
    LIMITED(
        "namespaces", "xml-namespaces=1", "/a/b", "",
        "<a xmlns='u' xmlns:v='v'/>",
        "!limit 1:1 the number of namespaces of an element 1 xml-namespaces",
        0),
    LIMITED("an element's name", "xml-name=5", "/a/b", "", "<a><abcdef/></a>",
            "!limit 1:4 an XML name 5 xml-name", 0),
    LIMITED("an attribute's name", "xml-name=5", "/a/b", "",
            "<a><b abcdef=''/></a>", "!limit 1:4 an XML name 5 xml-name", 0),
    LIMITED("text", "xml-text=5", "/a/b", "", "<a><c>abcdef</c></a>", "!limit",
            NO_PAD),
    LIMITED("CDATA", "xml-text=5", "/a/b", "",
            "<a><c><![CDATA[abcdef]]></c></a>", "!limit", NO_PAD),
    LIMITED("joined text", "xml-text=5", "/a/b", "x",
            "<a><b><x>abc<y/>def</x></b></a>", "!limit", NO_PAD),
    LIMITED("comment", "xml-comment=5", "/a/b", "", "<a><!--abcdef--></a>",
            "!limit 1:4 an XML comment 5 xml-comment", NO_PAD),
    LIMITED("instruction", "xml-pi=5", "/a/b", "", "<a><?x abcdef?></a>",
            "!limit 1:4 an XML processing instruction 5 xml-pi", 0),
    LIMITED("records", "records=1", "/a/b", "", "<a><b/><b/></a>",
            "b|!limit 1:8 the number of records 1 records", 0),
    LIMITED("memory of a record", "memory=900", "/a/b", "x",
            "<a><b><x/><x/><x/><x/><x/><x/></b></a>", "!limit", NO_PAD),
};

static struct setup setup_of(const struct xml_case *c)
{
    struct setup set = {
        .record = c->record,
        .wants = c->wants,
        .root = c->root,
        .trim = c->flags & TRIM,
        .cs = c->charset ? charset_find(str_of(c->charset)) : NULL,
    };

    limits_default(&set.limits);
    if (c->limit) {
        struct str limit = str_of(c->limit);
        size_t n = (size_t)str_find_char(limit, '=');
        const char *wants;

        assert_int_equal(limits_set(&set.limits, str_first(limit, n),
                                    str_from(limit, n + 1), &wants),
                         0);
    }
    return set;
}

/* A row's expectation may stop after the message's name: "!limit". */
static bool as_wanted(struct str got, struct str want)
{
    if (str_starts(want, STR("!")) && str_find_char(want, ' ') < 0)
        return str_starts(got, want);
    return str_eq(got, want);
}

static void run_case(const struct xml_case *c, bool padded)
{
    struct setup set = setup_of(c);
    struct run run = {
        .places = c->flags & PLACES,
        .raw = c->flags & RAW,
        .lines_before = padded,
    };
    struct buf text;
    int rc;

    buf_init(&run.out, MB(1));
    buf_init(&text, MB(1));
    if (padded) {
        buf_addz(&text, "<!--");
        for (size_t i = 0; i < INPUT_CHUNK; i++)
            buf_addc(&text, 'x');
        buf_addz(&text, "-->\n");
    }
    run.head = padded ? text.len : SIZE_MAX;
    buf_addz(&text, c->in);
    run.text = buf_str(&text);
    rc = run_reader(&run, &set);
    if (!as_wanted(buf_str(&run.out), str_of(c->want)) ||
        (rc == -1) != (strchr(c->want, '!') != NULL))
        fail_msg("%s:%d:%s got %d and %.*s", __FILE__, c->line,
                 padded ? " (padded)" : "", rc, STR_ARGS(buf_str(&run.out)));
    buf_release(&text);
    buf_release(&run.out);
}

static void test_case(void **state)
{
    const struct xml_case *c = *state;

    run_case(c, false);
    if (!(c->flags & NO_PAD))
        run_case(c, true);
}

/* ---- the rest --------------------------------------------------------------
 */

static void test_sink_stops(void **state)
{
    struct setup set = { .record = "/a/b", .wants = "x" };
    struct str text = STR("<a><b/><b/><b/></a>");
    struct run run = { .head = SIZE_MAX, .text = text, .stop_after = 2 };

    (void)state;
    limits_default(&set.limits);
    buf_init(&run.out, MB(1));
    assert_int_equal(run_reader(&run, &set), 7);
    assert_true(str_is(buf_str(&run.out), "b|b|"));
    assert_int_equal(run.r.n_records, 2);
    buf_release(&run.out);
}

/* The end of a long CDATA section, cut by chunks at each of its places. */
static void test_long_cdata(void **state)
{
    struct setup set = { .record = "/a/b", .wants = "x y" };
    struct buf text;
    size_t end;

    (void)state;
    limits_default(&set.limits);
    buf_init(&text, MB(1));
    buf_addz(&text, "<a><b><x><![CDATA[");
    repeat(&text, "<x>&]]\xC5\x99 ]", 20000);
    end = text.len;
    buf_addz(&text, "]]></x><y>1</y></b></a>");
    for (size_t head = end - 3; head < end + 8; head++) {
        struct run run = { .head = head, .text = buf_str(&text) };

        buf_init(&run.out, MB(1));
        assert_int_equal(run_reader(&run, &set), 0);
        assert_int_equal(run.out.len, 200000 + strlen("b(x= y=1)|"));
        assert_true(str_ends(buf_str(&run.out), STR("]]\xC5\x99 ] y=1)|")));
        buf_release(&run.out);
    }
    buf_release(&text);
}

/* ---- places, against a plain count -----------------------------------------
 */

struct count {
    struct str text; /* up to here it is counted */
    size_t at;
    uint32_t line, col;
    size_t n_checked;
};

/* Every wanted thing is called x, with a text 'N' that tells nothing; the
 * next "<x>" or "x='" in the text is where it must be. */
static void check_place(struct count *c, const struct item *it)
{
    const char *mark = it->want->kind == WANT_ATTRIBUTE ? " x='" : "<x>";
    ptrdiff_t n = str_find(str_from(c->text, c->at), str_of(mark));

    assert_true(n >= 0);
    for (size_t to = c->at + (size_t)n + strlen(mark); c->at < to; c->at++) {
        if (c->text.p[c->at] == '\n') {
            c->line++;
            c->col = 1;
        } else if (((unsigned char)c->text.p[c->at] & 0xC0) != 0x80) {
            c->col++;
        }
    }
    if (it->line != c->line || it->col != c->col)
        fail_msg("item %zu is at %u:%u, not %u:%u", c->n_checked, it->line,
                 it->col, c->line, c->col);
    c->n_checked++;
}

static int check_places(void *ctx, struct item *record)
{
    struct run *run = ctx;

    for (const struct item *it = record->child; it; it = it->next)
        if (it->child)
            check_place(run->sink_data, it->child);
        else if (str_is(it->name, "x"))
            check_place(run->sink_data, it);
    arena_reset(&run->r.arena);
    return 0;
}

static void make_places(struct buf *b)
{
    static const char *const pieces[] = {
        "<x>N</x>",
        "<x>N</x>",
        "\n  ",
        "\r\n",
        "<u k='\xC5\x99\n' x='N'/>",
        "\xC5\x99\xC5\x99",
        "<![CDATA[\xC5\x99\n\xC5\x99\xC5\x99]]>",
        "<!-- \xC5\x99\n\xC5\x99 -->",
        "<\xC4\x8D>N</\xC4\x8D>",
        "<u  k = \"\xC5\x99&amp;\"\n  x='N&amp;'>\xC5\x99</u>",
        "                                        ",
        "<?pi \xC5\x99\n?>",
        "&#65;&amp;",
        "<u><w/>\n</u>",
        "\n\n",
        "<x>N</x>\n\n<x>N</x>",
        "<v>\xC5\x99\n\n</v>",
        "<v>\xC5\x99<w>&lt;</w></v>",
    };
    uint32_t seed = 1;

    buf_addz(b, "<a>\n");
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1664525 + 1013904223;
        if (i % 10 == 0)
            buf_addz(b, i ? "</b><b>" : "<b>");
        buf_addz(b, pieces[(seed >> 16) % COUNT(pieces)]);
    }
    buf_addz(b, "</b></a>");
}

static void test_places(void **state)
{
    struct setup set = { .record = "/a/b", .wants = "x u/@x" };
    struct run run = { .head = SIZE_MAX };
    struct count count = { .line = 1, .col = 1 };
    struct buf text;

    (void)state;
    limits_default(&set.limits);
    buf_init(&text, MB(16));
    make_places(&text);
    run.text = count.text = buf_str(&text);
    run.sink = check_places;
    run.sink_data = &count;
    buf_init(&run.out, MB(1));
    assert_int_equal(run_reader(&run, &set), 0);
    assert_true(count.n_checked > 1000);
    buf_release(&run.out);
    buf_release(&text);
}

/* As Notepad saves it: little-endian with BOM. */
static void test_utf16(void **state)
{
    static const char ascii[] = "<a>\n<b k='1'><x>2</x></b><b/></a>";
    struct setup set = { .record = "/a/b", .wants = "x @k" };
    struct run run = { .head = SIZE_MAX, .places = true };
    struct buf text;

    (void)state;
    limits_default(&set.limits);
    buf_init(&run.out, MB(1));
    buf_init(&text, MB(1));
    buf_addz(&text, "\xFF\xFE");
    for (size_t i = 0; i + 1 < sizeof(ascii); i++)
        buf_add(&text, (struct str){ (char[]){ ascii[i], 0 }, 2 });
    run.text = buf_str(&text);
    assert_int_equal(run_reader(&run, &set), 0);
    assert_string_equal((buf_addc(&run.out, '\0'), run.out.p),
                        "b@2:1(@k@2:7=1 x@2:13=2)|b@2:22|");
    buf_clear(&run.out);
    run.at = 0;
    run.raw = true;
    assert_int_equal(run_reader(&run, &set), 0);
    assert_int_equal(run.out.len,
                     2 * (strlen("<b k='1'><x>2</x></b><b/>")) + 2);
    assert_memory_equal(run.out.p, "<\0b\0 \0k", 7);
    buf_release(&text);
    buf_release(&run.out);
}

/* Memory does not grow with the records, nor with their ancestors. */
static int forget_record(void *ctx, struct item *record)
{
    struct run *run = ctx;
    size_t n = 0;

    (void)record;
    for (const struct item *c = run->r.root->child->child; c; c = c->next)
        n++;
    assert_int_equal(n, 1);
    arena_reset(&run->r.arena);
    return 0;
}

static void test_flat_memory(void **state)
{
    struct setup set = { .record = "/a/s/b", .wants = "x", .root = "a/s/@n" };
    struct run run = { .head = SIZE_MAX, .sink = forget_record };
    struct buf text;

    (void)state;
    limits_default(&set.limits);
    buf_init(&text, MB(16));
    buf_addz(&text, "<a>");
    repeat(&text, "<s n='shop'><b><x>1</x></b></s>", 50000);
    buf_addz(&text, "</a>");
    run.text = buf_str(&text);
    assert_int_equal(run_reader(&run, &set), 0);
    assert_int_equal(run.r.n_records, 50000);
    assert_true(run.names_used < 10000);
    buf_release(&text);
}

static struct sniff_case {
    const char *name, *head;
    size_t len;
    int want;
} sniffs[] = {
#define HEAD(lit) (lit), sizeof(lit) - 1
    { "sniff: declaration", HEAD("<?xml version='1.0'?>"), 100 },
    { "sniff: BOM", HEAD("\xEF\xBB\xBF<?xml version='1.0'?>"), 100 },
    { "sniff: UTF-16", HEAD("\xFF\xFE<\0?\0x\0m\0l\0 \0"), 100 },
    { "sniff: element", HEAD("\n <orders>"), 60 },
    { "sniff: doctype", HEAD("<!DOCTYPE cXML SYSTEM 'x'>"), 60 },
    { "sniff: web page", HEAD("<!doctype HTML><html>"), 0 },
    { "sniff: CSV", HEAD("a;b\n1;2"), 0 },
    { "sniff: a lonely <", HEAD("< 5;x"), 0 },
    { "sniff: empty", HEAD(""), 0 },
};

static void test_sniff(void **state)
{
    const struct sniff_case *c = *state;

    assert_int_equal(format_xml.sniff((struct str){ c->head, c->len }),
                     c->want);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(cases) + COUNT(sniffs) + 5];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(sniffs); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_sniff, &sniffs[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_sink_stops);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_long_cdata);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_places);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_utf16);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_flat_memory);
    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
