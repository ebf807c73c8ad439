/*
 * t_xml_write.c - formats/xml_write.c: each row is a little script of what the
 * language calls, and the file that comes out.
 *
 *   <a   opens element a          >    closes the innermost element
 *   @k=v an attribute             "t   text
 *   a=v  an element with only text
 *   {    takes a mark             }    rewinds to it
 *
 * Words stand between | because values hold blanks.
 */
#include "tests/unit/unit.h"

#include "formats/format.h"
#include "formats/sink.h"

extern const struct format format_xml;

static struct write_case {
    int line;
    const char *name, *script, *want;
    const char *charset; /* NULL: UTF-8 */
    bool crlf, flat, ns;
    enum diag_id fault;
    uint32_t bad_cp;
} cases[] = {
    { .line = __LINE__,
      "children are indented by one blank per depth",
      "<a|<b|c=1|>|d=2|>",
      "<a>\n <b>\n  <c>1</c>\n </b>\n <d>2</d>\n</a>\n" },
    { .line = __LINE__,
      "attributes",
      "<a|@k=1|@l=2|<b|@m=3|>|>",
      "<a k=\"1\" l=\"2\">\n <b m=\"3\"/>\n</a>\n" },
    { .line = __LINE__,
      "an empty outermost element",
      "<a|@k=1|>",
      "<a k=\"1\"/>\n" },
    { .line = __LINE__, "an empty leaf", "<a|b=|>", "<a>\n <b/>\n</a>\n" },
    { .line = __LINE__, "an outermost leaf", "a=1", "<a>1</a>\n" },
    { .line = __LINE__,
      "text with attributes",
      "<a|<b|@k=1|\"t|>|>",
      "<a>\n <b k=\"1\">t</b>\n</a>\n" },
    { .line = __LINE__,
      "nothing is added inside an element with text",
      "<a|<b|\"t|<c|<d|e=1|>|>|f=2|\"u|>|g=3|>",
      "<a>\n <b>t<c><d><e>1</e></d></c><f>2</f>u</b>\n <g>3</g>\n</a>\n" },
    { .line = __LINE__,
      "an empty element beside text",
      "<a|\"t|<b|>|c=1|>",
      "<a>t<b/><c>1</c></a>\n" },
    { .line = __LINE__,
      "an empty text is none",
      "<a|<b|\"|>|>",
      "<a>\n <b/>\n</a>\n" },
    { .line = __LINE__,
      "not indented",
      "<a|<b|c=1|>|>",
      "<a><b><c>1</c></b></a>\n",
      .flat = true },
    { .line = __LINE__,
      "lines end as the map says",
      "<a|b=1|>",
      "<a>\r\n <b>1</b>\r\n</a>\r\n",
      .crlf = true },
    { .line = __LINE__,
      "namespaces stand on the outermost element in order",
      "<p:a|@k=1|p:b=1|>",
      "<p:a xmlns:p=\"urn:p\" xmlns=\"urn:x?a&amp;b\" k=\"1\">\n"
      " <p:b>1</p:b>\n</p:a>\n",
      .ns = true },
    { .line = __LINE__,
      "namespaces on an outermost leaf",
      "p:a=1",
      "<p:a xmlns:p=\"urn:p\" xmlns=\"urn:x?a&amp;b\">1</p:a>\n",
      .ns = true },
    { .line = __LINE__,
      "text is escaped",
      "<a|b=<&>\"'\r\n\t|>",
      "<a>\n <b>&lt;&amp;&gt;\"'&#13;\n\t</b>\n</a>\n" },
    { .line = __LINE__,
      "attributes are escaped",
      "<a|@k=<&>\"'\r\n\t|>",
      "<a k=\"&lt;&amp;&gt;&quot;'&#13;&#10;&#9;\"/>\n" },
    { .line = __LINE__,
      "a rewind undoes an element and its parent's >",
      "<a|@k=1|{|<b|c=1|>|}|>",
      "<a k=\"1\"/>\n" },
    { .line = __LINE__,
      "a rewind inside text",
      "<a|\"t|{|<b|\"u|}|>",
      "<a>t</a>\n" },
    { .line = __LINE__,
      "in windows-1250",
      "<a|@k=\xC5\x99|b=\xC5\xA1\xE2\x82\xAC|>",
      "<a k=\"\xF8\">\n <b>\x9A\x80</b>\n</a>\n",
      .charset = "windows-1250" },
    { .line = __LINE__,
      "names in windows-1250",
      "<\xC5\x99|\xC5\xA1=1|>",
      "<\xF8>\n <\x9A>1</\x9A>\n</\xF8>\n",
      .charset = "windows-1250" },
    { .line = __LINE__,
      "a character that the charset lacks",
      "<a|b=\xC4\x9F|>",
      "",
      .charset = "windows-1250",
      .fault = DIAG_UNMAPPABLE,
      .bad_cp = 0x11F },
    { .line = __LINE__,
      "a control character",
      "<a|b=1\x01|>",
      "",
      .fault = DIAG_CONTROL_CHAR,
      .bad_cp = 1 },
    { .line = __LINE__,
      "a control character in an attribute",
      "<a|@k=\x1F|>",
      "",
      .fault = DIAG_CONTROL_CHAR,
      .bad_cp = 0x1F },
    { .line = __LINE__,
      "U+FFFE",
      "<a|b=1\xEF\xBF\xBE|>",
      "",
      .fault = DIAG_CONTROL_CHAR,
      .bad_cp = 0xFFFE },
    { .line = __LINE__,
      "U+FFFF in text",
      "<a|\"\xEF\xBF\xBF|>",
      "",
      .fault = DIAG_CONTROL_CHAR,
      .bad_cp = 0xFFFF },
    { .line = __LINE__,
      "U+FFFD and U+FEFF are characters",
      "a=\xEF\xBF\xBD\xEF\xBB\xBF",
      "<a>\xEF\xBF\xBD\xEF\xBB\xBF</a>\n" },
    { .line = __LINE__,
      "UTF-16",
      "<a|@k=1|<b|>|c=2|>",
      "<a k=\"1\">\n <b/>\n <c>2</c>\n</a>\n",
      .charset = "UTF-16" },
    { .line = __LINE__,
      "UTF-16, the other way round",
      "<a|\"t|b=2|>",
      "<a>t<b>2</b></a>\n",
      .charset = "UTF-16BE" },
};

struct script {
    const struct write_plan *plan;
    struct arena arena;
    struct sink sink;
    struct sink_mark mark;
    struct part *open[16];
    uint32_t depth, depth_marked;
};

static struct part *part_make(struct script *s, enum part_kind kind,
                              struct str name)
{
    struct part *p = arena_alloc(&s->arena, sizeof(*p));

    p->kind = kind;
    p->name = name;
    p->depth = s->depth;
    assert_int_equal(format_xml.write->prepare(&s->arena, p, s->plan), 0);
    return p;
}

static int named_value(struct script *s, struct str word)
{
    const struct write_ops *ops = format_xml.write;
    bool attribute = word.p[0] == '@';
    size_t eq = (size_t)str_find_char(word, '=');
    struct str name = str_first(word, eq), value = str_from(word, eq + 1);

    if (attribute)
        return ops->value(
            &s->sink, part_make(s, PART_ATTRIBUTE, str_from(name, 1)), value);
    return ops->leaf(&s->sink, part_make(s, PART_ELEMENT, name), value);
}

static int run_word(struct script *s, struct str word)
{
    const struct write_ops *ops = format_xml.write;
    struct str rest = str_from(word, 1);

    switch (word.p[0]) {
    case '<':
        s->open[s->depth] = part_make(s, PART_ELEMENT, rest);
        return ops->open(&s->sink, s->open[s->depth++]);
    case '>':
        return ops->close(&s->sink, s->open[--s->depth]);
    case '"':
        return ops->text(&s->sink, s->open[s->depth - 1], rest);
    case '{':
        s->mark = sink_mark(&s->sink);
        s->depth_marked = s->depth;
        return 0;
    case '}':
        sink_rewind(&s->sink, s->mark);
        s->depth = s->depth_marked;
        return 0;
    default:
        return named_value(s, word);
    }
}

static int run_script(struct script *s, const char *text)
{
    struct str rest = str_of(text);

    if (format_xml.write->begin(&s->sink, s->plan) != 0)
        return -1;
    while (rest.len) {
        ptrdiff_t bar = str_find_char(rest, '|');
        struct str word = str_first(rest, bar < 0 ? rest.len : (size_t)bar);

        if (run_word(s, word) != 0)
            return -1;
        rest = str_from(rest, word.len + 1);
    }
    return format_xml.write->end(&s->sink);
}

/* What the row wants, with the declaration in front, in the charset. */
static void make_want(const struct write_case *c, const struct charset *cs,
                      struct buf *out)
{
    const char *bytes = c->want;

    for (struct str s = str_of("<?xml version=\"1.0\" encoding=\""); s.len;
         s = str_from(s, 1))
        charset_put(cs, (unsigned char)s.p[0], out);
    for (struct str s = str_of(cs->name); s.len; s = str_from(s, 1))
        charset_put(cs, (unsigned char)s.p[0], out);
    for (struct str s = str_of(c->crlf ? "\"?>\r\n" : "\"?>\n"); s.len;
         s = str_from(s, 1))
        charset_put(cs, (unsigned char)s.p[0], out);
    if (cs->kind == CS_UTF16)
        for (; *bytes; bytes++)
            charset_put(cs, (unsigned char)*bytes, out);
    buf_addz(out, bytes);
}

static void test_case(void **state)
{
    const struct write_case *c = *state;
    const struct charset *cs =
        charset_find(str_of(c->charset ? c->charset : "UTF-8"));
    const struct ns ns[] = { { STR("p"), STR("urn:p") },
                             { STR(""), STR("urn:x?a&b") } };
    struct opt_value opts[2] = { { .yes = !c->flat } };
    struct write_plan plan = {
        .cs = cs,
        .opts = opts,
        .newline = c->crlf ? "\r\n" : "\n",
        .ns = ns,
        .n_ns = c->ns ? COUNT(ns) : 0,
    };
    struct script s = { .plan = &plan };
    struct buf want;
    int rc;

    buf_init(&want, 4096);
    make_want(c, cs, &want);
    sink_init(&s.sink, cs);
    s.sink.newline = plan.newline;
    rc = run_script(&s, c->script);
    if (c->want[0] == '\0') {
        assert_int_equal(rc, -1);
        assert_int_equal(s.sink.fault, c->fault);
        if (c->bad_cp)
            assert_int_equal(s.sink.bad_cp, c->bad_cp);
    } else if (rc != 0 || !str_eq(buf_str(&s.sink.out), buf_str(&want))) {
        fail_msg("%s:%d: got %d and %.*s", __FILE__, c->line, rc,
                 STR_ARGS(buf_str(&s.sink.out)));
    }
    buf_release(&want);
    sink_release(&s.sink);
    arena_release(&s.arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(cases)];

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[i] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    return cmocka_run_group_tests_name("xml_write", tests, NULL, NULL);
}
