/*
 * hostile.c - inputs of 64 KB that are to cost more than they should: nesting,
 * quotes, short rows, many names, what matchers go over again and again.
 *
 * A row is a target and what its input looks like: `head`, then `unit` as often
 * as fits, then `tail`. A # in the unit is a number that counts up.
 */
#include "tests/fuzz/fuzz.h"

enum { SIZE = 64 * 1024 };

#define READ_CSV  "read order from csv\n"
#define WRITE_XML "write order to xml\n"
#define PAIR_CSV                                            \
    READ_CSV "group k\nnumber = k\nnote = join(\",\", v)\n" \
             "each line\n  sku = v\n%%\n"                   \
             "write order to csv\nrow\n number = number\n n = note\n%%\n"
#define PAIR_XML                                                              \
    "read order from xml\n  record //o\nnumber = n\neach line in l\n  sku = " \
    "@s\n  name = *\n%%\n" WRITE_XML                                          \
    "os\n  each order\n    o\n      n = number\n      each line\n"            \
    "        l = sku\n%%\n"

static const struct row {
    const char *target, *name;
    struct str head;
    const char *unit, *tail;
} rows[] = {
#define S(lit)                 \
    {                          \
        (lit), sizeof(lit) - 1 \
    }
    { "csv", "empty rows", S("\0\0a;b\n"), "\n", "" },
    { "csv", "rows of one byte", S("\0\0a;b\n"), "1\n", "" },
    { "csv", "empty columns", S("\0\0a;b\n"), ";", "" },
    { "csv", "names of columns", S("\0\0"), "x#;", "\n1;2\n" },
    { "csv", "doubled quotes", S("\0\0a;b\n\""), "\"\"", "\"\n" },
    { "csv", "empty quotes", S("\0\0a;b\n"), "\"\";\"\"\n", "" },
    { "csv", "an open quote", S("\0\0a;b\n\""), "x;\n", "" },
    { "csv", "quotes that do not belong there", S("\0\0a;b\n"), "1\"\n", "" },
    { "csv", "line ends of all kinds", S("\0\0a;b\n"), "\r\n\n\r", "" },
    { "csv", "one long field", S("\0\0a;b\n"), "x", "" },
    { "xml", "nesting", S("\1\0"), "<b>", "" },
    { "xml", "nesting of what nobody wants", S("\1\0<a>"), "<q>", "" },
    { "xml", "attributes", S("\1\0<b"), " a#=\"1\"", "/>" },
    { "xml", "the same attribute", S("\1\0<b"), " a=\"1\"", "/>" },
    { "xml", "namespaces", S("\1\0<b"), " xmlns:n#=\"u\"", "/>" },
    { "xml", "a namespace in each element", S("\4\0<a>"), "<n xmlns=\"u#\"/>",
      "</a>" },
    { "xml", "names", S("\4\0<a>"), "<n#/>", "</a>" },
    { "xml", "records", S("\1\0<a>"), "<b/>", "</a>" },
    { "xml", "records in records", S("\4\0<a>"), "<b><x/>", "" },
    { "xml", "entities", S("\1\0<b><x>"), "&amp;", "</x></b>" },
    { "xml", "entities in an attribute", S("\1\0<b id=\""), "&amp;", "\"/>" },
    { "xml", "characters by number", S("\1\0<b><x>"), "&#9;", "</x></b>" },
    { "xml", "bare ampersands", S("\1\0<b><x>"), "&", "</x></b>" },
    { "xml", "comments", S("\1\0<b>"), "<!---->", "</b>" },
    { "xml", "an open comment", S("\1\0<b><!--"), "-", "" },
    { "xml", "CDATA sections", S("\1\0<b><x>"), "<![CDATA[x]]>", "</x></b>" },
    { "xml", "an open CDATA section", S("\1\0<b><![CDATA["), "]", "" },
    { "xml", "instructions", S("\1\0<b>"), "<?p?>", "</b>" },
    { "xml", "an open instruction", S("\1\0<b><?p "), "?", "" },
    { "xml", "one long name", S("\1\0<"), "n", "/>" },
    { "xml", "an open tag", S("\1\0<b "), " ", "" },
    { "xml", "ends", S("\1\0<b>"), "</b>", "" },
    { "xml", "opening brackets", S("\1\0<b>"), "<", "" },
    { "xml", "an open DOCTYPE", S("\1\0<!DOCTYPE b "), " ", "" },
    { "decode", "high bytes as windows-1250", S("\4\0"), "\xc3\xa1", "" },
    { "decode", "bytes that begin something", S("\0\0"), "\xc3", "" },
    { "decode", "blanks before the head", S("\xff\0"), " ", "" },
    { "decode", "an open declaration", S("\xff\1<?xml "), " ", "" },
    { "zip", "ends of a directory", S(""), "PK\5\6", "" },
    { "zip", "headers", S(""), "PK\3\4PK\1\2", "PK\5\6" },
    { "zip", "stored data", S("\0\0\0"), "x", "" },
    { "map", "parentheses", S(READ_CSV "number = "), "(", "" },
    { "map", "not not not", S(READ_CSV "number = "), "not ", "A" },
    { "map", "minus signs", S(READ_CSV "number = "), "- ", "1" },
    { "map", "a long sum", S(READ_CSV "number = 1"), " + 1", "" },
    { "map", "a long text", S(READ_CSV "number = A"), " & A", "" },
    { "map", "a long or", S(READ_CSV "skip when A"), " or A", "" },
    { "map", "calls", S(READ_CSV "number = "), "trim(", "" },
    { "map", "filters", S("read order from xml\n  record /a\nnumber = "),
      "a[@x=", "" },
    { "map", "a long path", S("read order from xml\n  record /a\nnumber = "),
      "a/", "a" },
    { "map", "records deep down", S("read order from xml\n  record /"), "a/",
      "a\nnumber = a" },
    { "map", "columns", S(READ_CSV), "x.a = A#\n", "" },
    { "map", "columns by number", S(READ_CSV "number = first("), "[#], ",
      "A)" },
    { "map", "names of its own", S(READ_CSV), "$n# = 1\n", "" },
    { "map", "settings", S(READ_CSV), "setting s#\n", "" },
    { "map", "tables", S(READ_CSV), "table t#\n", "" },
    { "map", "rows of a table", S(READ_CSV "table t\n"), "  a# = \"b\"\n", "" },
    { "map", "globs of a table", S(READ_CSV "table t\n"), "  a*# = \"b\"\n",
      "" },
    { "map", "parts", S(WRITE_XML), "part p#\n  a\n", "" },
    { "map", "unknown words", S(READ_CSV), "qwertyuiop#\n", "" },
    { "map", "unknown fields", S(READ_CSV), "quantity.# = A\n", "" },
    { "map", "elements", S(WRITE_XML "a\n"), " b#\n", "" },
    { "map", "quotes", S(READ_CSV "number = \""), "\"\"", "\"" },
    { "map", "an open quote", S(READ_CSV "number = \""), "{", "" },
    { "map", "pieces", S(READ_CSV "skip when A = 1 \""), "{A}", "\"" },
    { "map", "blank lines", S(READ_CSV), "\n", "" },
    { "map", "comments", S(READ_CSV), "#\n", "" },
    { "map", "a regex of groups", S(READ_CSV "skip when A matches \""), "(",
      "\"" },
    { "map", "a regex of choices", S(READ_CSV "skip when A matches \"(a"), "|a",
      ")*b\"" },
    { "map", "skips", S(READ_CSV), "skip when A = \"#\" \"#\"\n", "" },
    { "conf", "partners", S(""), "partner p#\n folder f#\n", "" },
    { "conf", "routes", S(""), "route r#\n from a b\n", "" },
    { "conf", "froms", S("partner p\n folder f\nroute r\n"), " from p a#\n",
      "" },
    { "conf", "settings", S("partner p\n folder f\nroute r\n"), " set a# = 1\n",
      "" },
    { "conf", "unknown words", S(""), "qwertyuiop#\n", "" },
    { "conf", "times", S("route r\n at 02:30"), " and 02:30", "" },
    { "conf", "includes", S(""), "include a*#\n", "" },
    { "pipe", "members", S(""), "\1\7\1\1\1\1\1abc", "" },
    { "pipe", "records", S("\1\5\1\1\1\1\1a"), "\2\1\1", "" },
    { "pipe", "restarts", S(""), "\4\1\1xx", "" },
    { "sftp", "names", S("\1\x68\0\0\0\7\xff\xff\xff\xff"), "\1\1\1\1\1\1\1\1",
      "" },
    { "sftp", "truth", S("\0\1"), "\x8\1\1\1.", "" },
    { "sftp", "bytes one by one", S("\0\1"), "\x9\1\1\1.\2\1\1\1.", "" },
    { "result", "outputs", S("verdict\tdone\n"), "output\t0\t0\t0\t0\t0/0\tx\n",
      "end\n" },
    { "result", "counters", S("verdict\tdone\n"), "counter\t#\tx\n", "end\n" },
    { "result", "tabs", S("summary"), "\t", "\nend\n" },
    { "number", "digits", S("\1"), "1", "" },
    { "number", "groups",
      S("\1"
        "1"),
      " 000", "" },
    { "number", "a format",
      S("\1"
        "1\n%%\n1\n%%\n"),
      "# ##", "0" },
    { "date", "blanks", S("YYYY-MM-DD\n%%\n2026-01-01"), " ", "" },
    { "date", "a pattern of blanks", S("YYYY"), " ", "\n%%\n2026" },
    { "match", "many stars, no end", S("*a*a*a*a*a*a*b\n%%\n"), "a", "" },
    { "match", "a long middle, no end",
      S("*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab*\n%%\n"), "a", "" },
    { "match", "stars alone", S(""), "*", "\n%%\nab" },
    { "match", "star, letter, star", S(""), "*a",
      "*b\n%%\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
    { "hostkey", "names", S("h\n%%\n"), "a,", " t k\n%%\n" },
    { "hostkey", "stars", S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n%%\n"), "*a",
      "b t k\n%%\n" },
    { "hostkey", "lines", S("h\n%%\n"), "* t k\n", "%%\n" },
    { "hostkey", "keys", S("h\n%%\n* ssh-ed25519 "), "AAAA", "\n%%\n" },
    { "hostkey", "fingerprints", S("h\n%%\n"), "h t SHA256:AAAA\n", "%%\n" },
    { "text", "entities", S("\0"), "&amp;", "" },
    { "text", "ampersands", S("\0"), "&", "" },
    { "text", "open entities", S("\0"), "&#", "" },
    { "text", "brackets", S("\0"), "<", "" },
    { "text", "open comments", S("\0"), "<!--", "" },
    { "text", "open scripts", S("\0"), "<script>", "" },
    { "text", "open styles with ends of scripts", S("\0"), "<style></", "" },
    { "text", "tags", S("\0"), "<p>", "" },
    { "text", "quotes in a tag", S("\0<a "), "\"", "" },
    { "text", "blanks", S("\0"), " ", "x" },
    { "text", "blanks and a letter", S("\0x"), " ", "x" },
    { "text", "no-break blanks", S("\0"), "\xc2\xa0", "" },
    { "text", "accents on one letter", S("\0a"), "\xcc\x81\xcc\xa7", "" },
    { "text", "signs that grow", S("\0"), "\xef\xb7\xba", "" },
    { "text", "letters that grow in capitals", S("\3"), "\xc5\x89\xef\xac\x83",
      "" },
    { "text", "digits", S("\0"), "1", "" },
    { "text", "words of a street", S("\0"), "nr. ", "1" },
    { "text", "house numbers", S("\0"), "1/", "a" },
    { "text", "commas", S("\0"), ",", "" },
    { "text", "titles", S("\0"), "Ing. ", "" },
    { "text", "at signs", S("\0"), "a@a.", "" },
    { "expr", "a regex that tries again",
      S("%%\nif(b matches \"^(a+)+$\", 1, 2)\n%%\nnote\n%%\na;b;c\n1;"), "a",
      "b;\n" },
    { "expr", "a regex from each place",
      S("%%\nif(b matches \"a{0,300}a{0,300}c\", 1, 2)\n%%\nnote\n%%\na;b;c\n"
        "1;"),
      "a", ";\n" },
    { "expr", "a regex with a dot star",
      S("%%\nif(b matches \".*.*x\", 1, 2)\n%%\nnote\n%%\na;b;c\n1;"), "a",
      ";\n" },
    { "expr", "like with stars",
      S("%%\nif(b like \"*a*a*a*b\", 1, 2)\n%%\nnote\n%%\na;b;c\n1;"), "a",
      ";\n" },
    { "expr", "replace, again and again",
      S("%%\nreplace(replace(replace(replace(replace(replace(b, \"a\", \"aa\"),"
        " \"a\", \"aa\"), \"a\", \"aa\"), \"a\", \"aa\"), \"a\", \"aa\"), "
        "\"a\", \"aa\")\n%%\nnote\n%%\na;b;c\n1;"),
      "a", ";\n" },
    { "expr", "a text of many", S("%%\nb"), " & b",
      "\n%%\nnote\n%%\na;b;c\n1;2\n" },
    { "expr", "a sum of many", S("%%\n1"), " + 1",
      "\n%%\nnote\n%%\na;b;c\n1;2\n" },
    { "expr", "join of many", S("%%\njoin(\",\", b"), ", b",
      ")\n%%\nnote\n%%\na;b;c\n1;2\n" },
    { "expr", "pieces of a text",
      S("%%\npiece(b, \";\", -1)\n%%\nstrip_html(note)\n%%\na;b;c\n1;\""), ";",
      "\"\n" },
    { "pair", "rows of one group", S(PAIR_CSV "k;v\n"), "1;2\n", "" },
    { "pair", "scattered groups", S(PAIR_CSV "k;v\n1;1\n2;2\n1;1\n"), "#;1\n",
      "1;1\n" },
    { "pair", "scattered rows of two groups", S(PAIR_CSV "k;v\n"), "1;1\n2;2\n",
      "" },
    { "pair", "one long key", S(PAIR_CSV "k;v\n"), "x", ";1\n" },
    { "pair", "long keys", S(PAIR_CSV "k;v\n"),
      "#aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;1\n",
      "" },
    { "pair", "lines of one order", S(PAIR_XML "<o><n>1</n>"), "<l s=\"1\"/>",
      "</o>" },
    { "pair", "orders", S(PAIR_XML "<a>"), "<o><n>#</n></o>", "</a>" },
    { "pair", "faults in each order", S(PAIR_XML "<a>"),
      "<o><n>1</n><n>2</n></o>", "</a>" },
    { "pair", "elements of a glob", S(PAIR_XML "<o><n>1</n><l>"), "<q/>",
      "</l></o>" },
#undef S
};

/* The unit with its # replaced. */
static void put_unit(struct buf *b, const char *unit, unsigned n)
{
    for (; *unit; unit++) {
        if (*unit == '#')
            buf_addf(b, "%u", n);
        else
            buf_addc(b, *unit);
    }
}

static void make(struct buf *b, const struct row *r)
{
    size_t tail = strlen(r->tail);

    buf_clear(b);
    buf_add(b, r->head);
    for (unsigned n = 0; b->len + tail + strlen(r->unit) + 8 < SIZE; n++)
        put_unit(b, r->unit, n);
    buf_addz(b, r->tail);
}

void hostile_inputs(const char *target,
                    void (*run)(void *ctx, const char *name, struct str bytes),
                    void *ctx)
{
    struct buf b;

    buf_init(&b, 2 * SIZE);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].target, target) == 0) {
            make(&b, &rows[i]);
            run(ctx, rows[i].name, buf_str(&b));
        }
    buf_release(&b);
}
