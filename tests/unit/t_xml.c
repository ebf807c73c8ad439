/*
 * t_xml.c - formats/xml.c: what comes out of good documents, and what is said
 * of bad ones. Each row is read twice: as it is, and behind a long comment
 * byte by byte, so that every construct is cut at every place.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "formats/input.h"
#include "tests/unit/xml_want.h"

extern const struct format format_xml;

/* ---- one run of the reader ------------------------------------------------
 */

struct run {
    struct str text;
    size_t head, at; /* `head` bytes at once, then one by one */
    struct buf out;
    bool places, raw, shows_root;
    uint32_t lines_before;
    struct reader r;
    int stop_after;
    enum diag_id fault;
    uint32_t fault_line, fault_col;
};

static ptrdiff_t pull(void *ctx, char *to, size_t n)
{
    struct run *run = ctx;
    size_t left = run->text.len - run->at;

    if (run->at < run->head && n > run->head - run->at)
        n = run->head - run->at;
    else if (run->at >= run->head)
        n = 1;
    if (n > left)
        n = left;
    memcpy(to, run->text.p + run->at, n);
    run->at += n;
    return (ptrdiff_t)n;
}

static int on_record(void *ctx, struct item *record)
{
    struct run *run = ctx;

    if (run->shows_root) {
        buf_addc(&run->out, '[');
        for (const struct item *c = run->r.root->child; c; c = c->next) {
            show_item(&run->out, c, run->places, run->lines_before);
            if (c->next)
                buf_addc(&run->out, ' ');
        }
        buf_addc(&run->out, ']');
    }
    if (run->raw)
        buf_add(&run->out, (struct str){ run->text.p + record->raw_offset,
                                         record->raw_len });
    else
        show_item(&run->out, record, run->places, run->lines_before);
    buf_addc(&run->out, '|');
    arena_reset(&run->r.arena);
    return run->stop_after && --run->stop_after == 0 ? 7 : 0;
}

static void on_fault(void *ctx, enum diag_id id, bool fatal, uint32_t line,
                     uint32_t col, const struct str *args, size_t n_args)
{
    struct run *run = ctx;

    assert_true(fatal);
    run->fault = id;
    run->fault_line = line - run->lines_before;
    run->fault_col = col;
    buf_addf(&run->out, "!%s %u:%u", diag_table[id].name, run->fault_line, col);
    for (size_t i = 0; i < n_args; i++)
        buf_addf(&run->out, " %.*s", STR_ARGS(args[i]));
}

struct setup {
    const char *record, *wants, *root;
    const struct charset *cs;
    bool trim;
    struct limits limits;
};

static void plan_make(struct arena *a, struct plan *plan,
                      const struct setup *set)
{
    struct want *top = arena_alloc(a, sizeof(*top));
    bool any = set->record[1] == '/';

    want_parse(a, top, set->record + (any ? 2 : 1));
    if (set->wants && set->wants[0] == '!')
        for (struct want *w = top->child; w; w = w->child)
            w->any_uri = true;
    plan->path = top->child;
    plan->anywhere = any;
    plan->record = arena_alloc(a, sizeof(*plan->record));
    if (set->wants && strcmp(set->wants, ".") == 0)
        plan->record->needs_text = true;
    else
        want_parse(a, plan->record, set->wants ? set->wants : "");
    if (!set->root)
        return;
    plan->root = arena_alloc(a, sizeof(*plan->root));
    want_parse(a, plan->root, set->root);
}

static int run_reader(struct run *run, const struct setup *set)
{
    struct arena names = { 0 };
    struct plan plan = { 0 };
    static struct input in;
    int rc;

    plan_make(&names, &plan, set);
    input_init(&in, pull, run, set->cs, MB(512), "XML");
    run->r = (struct reader){
        .plan = &plan,
        .in = &in,
        .limits = &set->limits,
        .names = &names,
        .trim = set->trim,
        .sink = on_record,
        .fault = on_fault,
        .ctx = run,
    };
    run->shows_root = set->root != NULL;
    rc = format_xml.read(&run->r);
    input_release(&in);
    arena_release(&run->r.arena);
    arena_release(&names);
    return rc;
}

/* ---- documents and what comes of them -------------------------------------
 */

enum { PLACES = 1, RAW = 2, TRIM = 4, NO_PAD = 8 };

static struct xml_case {
    int line;
    const char *name, *record, *wants, *root, *in, *want;
    int flags;
    const char *charset, *limit;
} cases[] = {
    /* Records. */
    { .line = __LINE__,
      "a path picks records",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>1</x></b><b><x>2</x></b></a>",
      "b(x=1)|b(x=2)|" },
    { .line = __LINE__,
      "a path is anchored at the root",
      "/a/b",
      "",
      NULL,
      "<a><c><b/></c><b/></a>",
      "b|" },
    { .line = __LINE__,
      "// finds records at any depth",
      "//b",
      "",
      NULL,
      "<a><b/><c><d><b/></d></c></a>",
      "b|b|" },
    { .line = __LINE__,
      "// with two steps",
      "//c/b",
      "",
      NULL,
      "<a><b/><c><b/></c><d><c><e><b/></e><b/></c></d></a>",
      "b|b|" },
    { .line = __LINE__,
      "the outermost element can be the record",
      "/a",
      "x",
      NULL,
      "<a><x>1</x></a>",
      "a(x=1)|" },
    { .line = __LINE__,
      "records in records do not start new ones",
      "//b",
      "x",
      NULL,
      "<a><b><x>1</x><b><x>2</x></b></b></a>",
      "b(x=1)|" },
    { .line = __LINE__,
      "a star stands for any element of a path",
      "/a/*/b",
      "",
      NULL,
      "<a><c><b/></c><d><b/></d></a>",
      "b|b|" },
    { .line = __LINE__, "no record fits", "/a/z", "", NULL, "<a><b/></a>", "" },
    { .line = __LINE__,
      "a record that is an empty tag",
      "/a/b",
      "@i x",
      NULL,
      "<a><b i='1'/><b/></a>",
      "b(@i=1)|b|" },

    /* What is wanted of a record. */
    { .line = __LINE__,
      "paths, attributes and texts",
      "/a/b",
      "x y/z @id y/@k",
      NULL,
      "<a><b id='7'><x>1</x><y k='8'><z>2</z><u>3</u></y></b></a>",
      "b(@id=7 x=1 y(@k=8 z=2))|" },
    { .line = __LINE__,
      "same name below another element is not it",
      "/a/b",
      "x",
      NULL,
      "<a><b><y><x>1</x></y></b></a>",
      "b|" },
    { .line = __LINE__,
      "repeated children keep their order",
      "/a/b",
      "x y",
      NULL,
      "<a><b><x>1</x><y>2</y><x>3</x></b></a>",
      "b(x=1 y=2 x=3)|" },
    { .line = __LINE__,
      "a glob and a name both get the element",
      "/a/b",
      "I* I1",
      NULL,
      "<a><b><I1>x</I1><J>y</J><I2>z</I2></b></a>",
      "b(I1=x I1=x I2=z)|" },
    { .line = __LINE__,
      "a star is any child",
      "/a/b",
      "*/k",
      NULL,
      "<a><b><x><k>1</k></x><y><k>2</k></y></b></a>",
      "b(x(k=1) y(k=2))|" },
    { .line = __LINE__,
      "two wants below one element",
      "/a/b",
      "*/k x/k",
      NULL,
      "<a><b><x><k>1</k></x></b></a>",
      "b(x(k=1) x(k=1))|" },
    { .line = __LINE__,
      "own text of an element beside its attribute",
      "/a/b",
      "x/. x/@k",
      NULL,
      "<a><b><x k='1'>2</x></b></a>",
      "b(x(.=2 @k=1))|" },
    { .line = __LINE__,
      "own text of the record",
      "/a/b",
      ".",
      NULL,
      "<a><b>x<c>no</c>y</b></a>",
      "b=xy|" },
    { .line = __LINE__,
      "own text as a child of the record",
      "/a/b",
      ". x",
      NULL,
      "<a><b>p<x>q</x>r</b></a>",
      "b(.=pr x=q)|" },
    { .line = __LINE__,
      "only presence",
      "/a/b",
      "x?",
      NULL,
      "<a><b><x>long</x></b></a>",
      "b(x)|" },
    { .line = __LINE__,
      "an empty element has a text, an absent one no item",
      "/a/b",
      "x y",
      NULL,
      "<a><b><x/></b><b><y></y></b></a>",
      "b(x=)|b(y=)|" },
    { .line = __LINE__,
      "an attribute with no value to read",
      "/a/b",
      "@x?",
      NULL,
      "<a><b x='1'/></a>",
      "b(@x)|" },
    { .line = __LINE__,
      "a glob for attributes",
      "/a/b",
      "@p*",
      NULL,
      "<a><b p1='1' q='2' p2='3'/></a>",
      "b(@p1=1 @p2=3)|" },

    /* Texts. */
    { .line = __LINE__,
      "entities and character references",
      "/a/b",
      "x @y",
      NULL,
      "<a><b y='1&amp;2&lt;&#38;&#x26;&amp;#38;'><x>&lt;&amp;&gt;&quot;&apos;"
      "&#65;&#x159;</x></b></a>",
      "b(@y=1&2<&&&#38; x=<&>\"'A\xC5\x99)|" },
    { .line = __LINE__,
      "CDATA is text and joins",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>1<![CDATA[<&]]>2<![CDATA[]]]]><![CDATA[>]]></x></b></a>",
      "b(x=1<&2]]>)|" },
    { .line = __LINE__,
      "comments and instructions do not split text",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>1<!-- & < -->2<?pi x?>3</x></b></a>",
      "b(x=123)|" },
    { .line = __LINE__,
      "mixed content: own text only",
      "/a/b",
      "x x/y",
      NULL,
      "<a><b><x>1<y>2</y>3<z>4</z>5</x></b></a>",
      "b(x=135(y=2))|" },
    { .line = __LINE__,
      "blanks stay",
      "/a/b",
      "x @y",
      NULL,
      "<a><b y=' 1 '><x> 2\n </x></b></a>",
      "b(@y= 1  x= 2\n )|" },
    { .line = __LINE__,
      "trim takes them off",
      "/a/b",
      "x @y z",
      NULL,
      "<a><b y=' 1 '><x> 2 3\n </x><z> \t</z></b></a>",
      "b(@y=1 x=2 3 z=)|",
      TRIM },
    { .line = __LINE__,
      "line ends become LF",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>1\r\n2\r3</x></b></a>",
      "b(x=1\n2\n3)|" },

    /* Namespaces. */
    { .line = __LINE__,
      "prefixes do not matter, URIs do",
      "/p:a/p:b",
      "q:x",
      NULL,
      "<n:a xmlns:n='urn:p' xmlns:m='urn:q'><n:b><m:x>1</m:x><n:x>2</n:x>"
      "<x>3</x></n:b><b/></n:a>",
      "b(x=1)|" },
    { .line = __LINE__,
      "a default namespace is for elements alone",
      "/p:a/p:b",
      "@x p:y @p:z",
      NULL,
      "<a xmlns='urn:p' xmlns:p='urn:p'><b x='1' p:z='2'><y>3</y></b></a>",
      "b(@x=1 @z=2 y=3)|" },
    { .line = __LINE__,
      "a namespace may end",
      "/a/b",
      "x",
      NULL,
      "<a><b><x xmlns='urn:p'>1</x><x>2</x></b></a>",
      "b(x=2)|" },
    { .line = __LINE__,
      "namespaces ignore",
      "/a/b",
      "!x @y",
      NULL,
      "<n:a xmlns:n='urn:p'><b n:y='1' xmlns='urn:q'><x>1</x></b></n:a>",
      "b(@y=1 x=1)|" },
    { .line = __LINE__,
      "namespaces ignore lives with an undeclared prefix",
      "/a/b",
      "!x",
      NULL,
      "<a><b><g:x>1</g:x></b></a>",
      "b(x=1)|" },
    { .line = __LINE__,
      "else an undeclared prefix is an error",
      "/a/b",
      "x",
      NULL,
      "<a><b><g:x>1</g:x></b></a>",
      "!xml-syntax 1:11 the prefix g is not declared" },
    { .line = __LINE__,
      "a strange URI does no harm",
      "/a/b",
      "x",
      NULL,
      "<a xmlns:o='not a uri'><b><x>1</x></b></a>",
      "b(x=1)|" },

    /* Absolute paths. */
    { .line = __LINE__,
      "attributes and earlier children of ancestors",
      "/a/b",
      "x",
      "a/@v a/h/d",
      "<a v='1'><h><d>2</d></h><b/><b/></a>",
      "[a(@v=1 h(d=2))]b|[a(@v=1 h(d=2))]b|" },
    { .line = __LINE__,
      "only the open one of several ancestors",
      "/a/s/b",
      "",
      "a/s/@n a/s/t",
      "<a><s n='1'><t>p</t><b/></s><s n='0'/><s n='2'><b/><b/></s></a>",
      "[a(s(@n=1 t=p))]b|[a(s(@n=2))]b|[a(s(@n=2))]b|" },
    { .line = __LINE__,
      "the open one also with //",
      "//b",
      "",
      "a/s/@n",
      "<a><s n='0'/><s n='1'><b/></s><s n='2'/><b/></a>",
      "[a(s(@n=1))]b|[a]b|" },
    { .line = __LINE__,
      "own text of an open ancestor",
      "/a/b",
      "",
      "a",
      "<a>x<b/>y<b/></a>",
      "[a=x]b|[a=xy]b|" },
    { .line = __LINE__,
      "a wanted element behind a record is late",
      "/a/b",
      "",
      "a/t",
      "<a><b/><t>1</t></a>",
      "[a]b|!xml-late 1:11 element t" },
    { .line = __LINE__,
      "late for // too",
      "//b",
      "",
      "a/h/t",
      "<a><s><b/></s><h><t>1</t></h></a>",
      "[a]b|!xml-late 1:18 element h" },
    { .line = __LINE__,
      "an unwanted element may come late",
      "/a/b",
      "",
      "a/t",
      "<a><t>0</t><b/><u>1</u></a>",
      "[a(t=0)]b|" },
    { .line = __LINE__,
      "inside a record nothing is late",
      "/a/b",
      "t",
      "a/b/t",
      "<a><b><t>1</t></b><b><t>2</t></b></a>",
      "[a]b(t=1)|[a]b(t=2)|" },

    /* Places: lines and characters from 1. */
    { .line = __LINE__,
      "places count characters",
      "/a/b",
      "x y @z",
      NULL,
      "<a>\xC5\x99<b u='\xC5\x99' z='1'><x>\xC5\xA1</x>\xC5\xA1<y\n/>"
      "</b>\r\n <b/></a>",
      "b@1:5(@z@1:17=1 x@1:23=\xC5\xA1 y@2:3=)|b@3:2|",
      PLACES },
    { .line = __LINE__,
      "places in multi-line tags",
      "/a/b",
      "@y @z x",
      NULL,
      "<a>\n<b\n  xmlns:o='u'\n  y = '\xC5\x99&amp;'\n z='2'\n ><x>1</x>\n"
      "</b></a>",
      "b@2:1(@y@4:8=\xC5\x99& @z@5:5=2 x@6:6=1)|",
      PLACES },
    { .line = __LINE__,
      "places behind CDATA, comments, names beyond ASCII",
      "/a/b",
      "x \xC4\x8D",
      NULL,
      "<a><b><![CDATA[\xC5\x99\n\xC5\x99\xC5\x99]]><x>1</x>"
      "<!--\xC5\x99\n\xC5\x99--><\xC4\x8D>2</\xC4\x8D><?p \xC5\x99?>"
      "<x>3</x></b></a>",
      "b@1:4(x@2:9=1 \xC4\x8D@3:8=2 x@3:23=3)|",
      PLACES },
    { .line = __LINE__,
      "a place deep in a long line",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>1</x><x>2</x><u>\xC5\xA1\xC5\xA1</u><x>3</x></b></a>",
      "b@1:4(x@1:10=1 x@1:18=2 x@1:35=3)|",
      PLACES },

    /* The record's bytes in the file. */
    { .line = __LINE__,
      "raw bytes of records",
      "/a/b",
      "x",
      NULL,
      "<a>\xC5\x99 <b k='\xC5\x99'>\n<x>1</x></b >\xC5\x99<b/></a>",
      "<b k='\xC5\x99'>\n<x>1</x></b >|<b/>|",
      RAW },
    { .line = __LINE__,
      "raw bytes behind a BOM",
      "/a/b",
      "x",
      NULL,
      "\xEF\xBB\xBF<a>\xC5\x99<b><x/></b></a>",
      "<b><x/></b>|",
      RAW | NO_PAD },
    { .line = __LINE__,
      "raw bytes in windows-1250",
      "/a/b",
      "",
      NULL,
      "<a>\xF8\xF8<b k='\x80'>\xF8</b>\xF8<b/></a>",
      "<b k='\x80'>\xF8</b>|<b/>|",
      RAW,
      "windows-1250" },
    { .line = __LINE__,
      "windows-1250 by the XML declaration",
      "/a/b",
      "x",
      NULL,
      "<?xml version='1.0' encoding='windows-1250'?><a><b><x>\xF8</x></b></a>",
      "b(x=\xC5\x99)|",
      NO_PAD },
    { .line = __LINE__,
      "an unknown encoding",
      "/a/b",
      "x",
      NULL,
      "<?xml version='1.0' encoding='UTF-7'?><a/>",
      "!xml-encoding",
      NO_PAD },

    /* DOCTYPE. */
    { .line = __LINE__,
      "a bare DOCTYPE is read over",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a SYSTEM 'http://nowhere.invalid/a.dtd'><a><b><x>1</x></b>"
      "</a>",
      "b(x=1)|" },
    { .line = __LINE__,
      "an empty internal subset too",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a PUBLIC '-//X' 'file:///etc/passwd' [ <!-- x --> ]>"
      "<a><b><x>1</x></b></a>",
      "b(x=1)|" },
    { .line = __LINE__,
      "an entity declaration",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a [\n<!ENTITY e 'x'>]><a><b><x>&e;</x></b></a>",
      "!xml-dtd 2:15 ENTITY e" },
    { .line = __LINE__,
      "a parameter entity",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a [<!ENTITY % e SYSTEM 'file:///etc/passwd'> %e;]><a/>",
      "!xml-dtd 1:54 ENTITY e" },
    { .line = __LINE__,
      "a reference to a parameter entity",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a [ %e; ]><a/>",
      "!xml-dtd 1:18 parameter entity e" },
    { .line = __LINE__,
      "an attribute declaration",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a [<!ATTLIST a k (x|y) 'x'>]><a/>",
      "!xml-dtd 1:37 ATTLIST k" },
    { .line = __LINE__,
      "an element declaration",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a [<!ELEMENT a (b,(c|d)*)>]><a/>",
      "!xml-dtd 1:37 ELEMENT a" },
    { .line = __LINE__,
      "a notation",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a [<!NOTATION n SYSTEM 'x'>]><a/>",
      "!xml-dtd 1:38 NOTATION n" },
    { .line = __LINE__,
      "an unparsed entity",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a [<!ENTITY n SYSTEM 'x' NDATA m>]><a/>",
      "!xml-dtd 1:43 ENTITY n" },
    { .line = __LINE__,
      "an unknown entity in text",
      "/a/b",
      "x",
      NULL,
      "<a>\n<b><x>&nbsp;</x></b></a>",
      "!xml-entity 2:13 &nbsp;" },
    { .line = __LINE__,
      "an unknown entity in an attribute",
      "/a/b",
      "x",
      NULL,
      "<a><b k='&auml;'/></a>",
      "!xml-entity 1:16 &auml;" },
    { .line = __LINE__,
      "an unknown entity with an external DTD",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a SYSTEM 'a.dtd'><a><b k='&auml;'>&uuml;</b></a>",
      "!xml-entity 1:43 &auml;" },
    { .line = __LINE__,
      "the same in text",
      "/a/b",
      "x",
      NULL,
      "<!DOCTYPE a SYSTEM 'a.dtd'><a><b>&uuml;</b></a>",
      "!xml-entity 1:40 &uuml;" },

    /* What is not well-formed. */
    { .line = __LINE__,
      "a wrong end tag",
      "/a/b",
      "x",
      NULL,
      "<a>\n<b><x>1</y></b></a>",
      "!xml-syntax 2:12 element x (line 2) is closed by </y>",
      NO_PAD },
    { .line = __LINE__,
      "a bare ampersand",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>Tom & Jerry</x></b></a>",
      "!xml-syntax 1:14 '&' without ';'; in text it is written &amp;" },
    { .line = __LINE__,
      "an ampersand and a far semicolon",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>Tom & Jerry;</x></b></a>",
      "!xml-syntax 1:15 '&' or '<' without a name behind it; in text they "
      "are written &amp; and &lt;",
      NO_PAD },
    { .line = __LINE__,
      "a lower-than sign in text",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>1 < 2</x></b></a>",
      "!xml-syntax 1:13 '&' or '<' without a name behind it; in text they "
      "are written &amp; and &lt;" },
    { .line = __LINE__,
      "an ampersand with a name",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>AT&T here; and there</x></b></a>",
      "!xml-syntax 1:14 '&' without ';'; in text it is written &amp;" },
    { .line = __LINE__,
      "two outermost elements",
      "/a/b",
      "x",
      NULL,
      "<a/><a/>",
      "!xml-syntax 1:5 something stands behind the end of the outermost "
      "element" },
    { .line = __LINE__,
      "junk at the end",
      "/a/b",
      "",
      NULL,
      "<a><b/></a>junk",
      "b|!xml-syntax 1:12 something stands behind the end of the outermost "
      "element" },
    { .line = __LINE__,
      "one byte of junk",
      "/a/b",
      "",
      NULL,
      "<a><b/></a>\nx",
      "b|!xml-syntax 2:1 something stands behind the end of the outermost "
      "element" },
    { .line = __LINE__,
      "no XML at all",
      "/a/b",
      "",
      NULL,
      "code;date\n1;2\n",
      "!xml-syntax 1:1 it does not begin with '<'",
      NO_PAD },
    { .line = __LINE__,
      "no XML and short",
      "/a/b",
      "",
      NULL,
      "ab",
      "!xml-syntax 1:1 it does not begin with '<'",
      NO_PAD },
    { .line = __LINE__,
      "an attribute twice",
      "/a/b",
      "",
      NULL,
      "<a><b k='1' k='2'/></a>",
      "!xml-syntax 1:18 attribute k stands twice in a tag" },
    { .line = __LINE__,
      "an attribute twice by its namespace",
      "/a/b",
      "",
      NULL,
      "<a xmlns:p='u' xmlns:q='u'><b p:k='1' q:k='2'/></a>",
      "!xml-syntax 1:46 attribute k stands twice in a tag" },
    { .line = __LINE__,
      "a control character",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>1\x01</x></b></a>",
      "!xml-syntax 1:11 character U+0001 cannot stand in XML" },
    { .line = __LINE__,
      "a reference to a control character",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>&#1;</x></b></a>",
      "!xml-syntax 1:14 character U+0001 cannot stand in XML" },
    { .line = __LINE__,
      "U+FFFF",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>\xEF\xBF\xBF</x></b></a>",
      "!xml-syntax 1:10 character U+FFFF cannot stand in XML" },
    { .line = __LINE__,
      "bad UTF-8",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>\xC3(</x></b></a>",
      "!charset-not-utf8",
      NO_PAD },
    { .line = __LINE__,
      "a missing quote",
      "/a/b",
      "x",
      NULL,
      "<a><b k='1><x>1</x></b></a>",
      "!xml-syntax 1:12 '<' inside an attribute; is a closing quote missing "
      "before it?" },
    { .line = __LINE__,
      "a line before the XML declaration",
      "/a/b",
      "x",
      NULL,
      "\n<?xml version='1.0'?><a/>",
      "!xml-syntax 2:6 the XML declaration is not the very first thing in "
      "the file",
      NO_PAD },
    { .line = __LINE__,
      "]]> in text",
      "/a/b",
      "x",
      NULL,
      "<a><b>]]></b></a>",
      "!xml-syntax 1:7 ]]> stands in text; there it is written ]]&gt;" },

    /* Limits. */
    { .line = __LINE__,
      "depth",
      "//b",
      "",
      NULL,
      "<a><a><a/></a></a>",
      "!limit 1:7 the nesting of XML elements 2 xml-depth",
      .limit = "xml-depth=2" },
    { .line = __LINE__,
      "depth is that of open elements",
      "//b",
      "",
      NULL,
      "<a><a/><b/><a/></a>",
      "b|",
      .limit = "xml-depth=2" },
    { .line = __LINE__,
      "attributes",
      "/a/b",
      "",
      NULL,
      "<a><b k='1' l='2'/></a>",
      "!limit 1:4 the number of attributes of an element 1 xml-attributes",
      .limit = "xml-attributes=1" },
    { .line = __LINE__,
      "start tag",
      "/a/b",
      "",
      NULL,
      "<a><bcdefgh i='j'/></a>",
      "!limit 1:4 an XML tag 10 xml-tag",
      .limit = "xml-tag=10" },
    { .line = __LINE__,
      "namespaces",
      "/a/b",
      "",
      NULL,
      "<a xmlns='u' xmlns:v='v'/>",
      "!limit 1:1 the number of namespaces of an element 1 xml-namespaces",
      .limit = "xml-namespaces=1" },
    { .line = __LINE__,
      "an element's name",
      "/a/b",
      "",
      NULL,
      "<a><abcdef/></a>",
      "!limit 1:4 an XML name 5 xml-name",
      .limit = "xml-name=5" },
    { .line = __LINE__,
      "an attribute's name",
      "/a/b",
      "",
      NULL,
      "<a><b abcdef=''/></a>",
      "!limit 1:4 an XML name 5 xml-name",
      .limit = "xml-name=5" },
    { .line = __LINE__,
      "text",
      "/a/b",
      "",
      NULL,
      "<a><c>abcdef</c></a>",
      "!limit",
      NO_PAD,
      .limit = "xml-text=5" },
    { .line = __LINE__,
      "CDATA",
      "/a/b",
      "",
      NULL,
      "<a><c><![CDATA[abcdef]]></c></a>",
      "!limit",
      NO_PAD,
      .limit = "xml-text=5" },
    { .line = __LINE__,
      "joined text",
      "/a/b",
      "x",
      NULL,
      "<a><b><x>abc<y/>def</x></b></a>",
      "!limit",
      NO_PAD,
      .limit = "xml-text=5" },
    { .line = __LINE__,
      "comment",
      "/a/b",
      "",
      NULL,
      "<a><!--abcdef--></a>",
      "!limit 1:4 an XML comment 5 xml-comment",
      NO_PAD,
      .limit = "xml-comment=5" },
    { .line = __LINE__,
      "instruction",
      "/a/b",
      "",
      NULL,
      "<a><?x abcdef?></a>",
      "!limit 1:4 an XML processing instruction 5 xml-pi",
      .limit = "xml-pi=5" },
    { .line = __LINE__,
      "records",
      "/a/b",
      "",
      NULL,
      "<a><b/><b/></a>",
      "b|!limit 1:8 the number of records 1 records",
      .limit = "records=1" },
    { .line = __LINE__,
      "memory of a record",
      "/a/b",
      "x",
      NULL,
      "<a><b><x/><x/><x/><x/><x/><x/></b></a>",
      "!limit",
      NO_PAD,
      .limit = "memory=900" },
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

        assert_int_equal(limits_set(&set.limits, str_first(limit, n),
                                    str_from(limit, n + 1)),
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

/* ---- hostile documents, made here ------------------------------------------
 */

static void repeat(struct buf *b, const char *z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addz(b, z);
}

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
    { __LINE__, "11 MB of an instruction", make_instruction,
      "!limit 1:4 an XML processing instruction 65536 xml-pi" },
    { __LINE__, "11 MB of DOCTYPE", make_doctype,
      "!limit 1:1 a DOCTYPE 65536 xml-tag" },
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
    struct arena names = { 0 };
    struct plan plan = { 0 };
    struct run run = { .head = SIZE_MAX };
    static struct input in;
    struct buf text;

    (void)state;
    limits_default(&set.limits);
    buf_init(&text, MB(16));
    buf_addz(&text, "<a>");
    repeat(&text, "<s n='shop'><b><x>1</x></b></s>", 50000);
    buf_addz(&text, "</a>");
    run.text = buf_str(&text);
    plan_make(&names, &plan, &set);
    input_init(&in, pull, &run, NULL, MB(512), "XML");
    run.r = (struct reader){ .plan = &plan,
                             .in = &in,
                             .limits = &set.limits,
                             .names = &names,
                             .sink = forget_record,
                             .fault = on_fault,
                             .ctx = &run };
    assert_int_equal(format_xml.read(&run.r), 0);
    assert_int_equal(run.r.n_records, 50000);
    assert_true(names.used < 10000);
    input_release(&in);
    buf_release(&text);
    arena_release(&run.r.arena);
    arena_release(&names);
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
    struct CMUnitTest tests[COUNT(cases) + COUNT(hostile) + COUNT(sniffs) + 5];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(hostile); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_hostile, &hostile[i]);
    for (size_t i = 0; i < COUNT(sniffs); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_sniff, &sniffs[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_truncated);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_truncated_epilog);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_sink_stops);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_utf16);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_flat_memory);
    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
