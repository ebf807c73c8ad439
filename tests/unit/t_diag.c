/* t_diag.c - base/diag.c and base/diag_print.c: messages as users see them. */
#include "tests/unit/unit.h"

#include "converters/base/diag.h"

#define TEXT(lit)            \
    {                        \
        lit, sizeof(lit) - 1 \
    }
#define NO_TEXT \
    {           \
        NULL, 0 \
    }
#define TEN(x)   x x x x x x x x x x
#define SEVEN(x) x x x x x x x

static const struct source map = {
    TEXT("orders.map"),
    TEXT("read order from csv\n"
         "number = code\n"
         "  quantity = qty_ordered  # \xC4\x8D\n"
         "\tkind\t= \x01x\r\n"
         "\xC4\x8D\xC5\x99 = x\n"
         "last"),
};
static const struct source bom = { TEXT("b.map"), TEXT("\xEF\xBB\xBFread x") };
static const struct source csv = { TEXT("orders.csv"), NO_TEXT };
static const struct source odd = { TEXT("a\x1B[2J.csv"), NO_TEXT };

/* 100 characters and then 100 more, of which each is two bytes. */
static const struct source wide = {
    TEXT("wide.map"),
    TEXT(TEN(TEN("a")) TEN(TEN("\xC3\xA1"))),
};
#define A77      SEVEN(TEN("a")) SEVEN("a")
#define X77      SEVEN(TEN("\xC3\xA1")) SEVEN("\xC3\xA1")
#define BLANKS80 TEN("        ")

static struct diag_case {
    int line;
    const char *name;
    enum diag_id id;
    struct place at;
    const char *args[DIAG_ARGS];
    struct place map;
    const char *record, *outcome;
    const char *want, *want_json;
} cases[] = {
    { __LINE__,
      "a mistake in a map shows its line and a caret",
      DIAG_UNKNOWN_FIELD,
      { &map, 3, 14, 11 },
      { "qty_ordered", "; did you mean quantity?" },
      .want = "orders.map:3:14: error: unknown field: qty_ordered; did you "
              "mean quantity? [unknown-field]\n"
              "    3 |   quantity = qty_ordered  # \xC4\x8D\n"
              "      |              ^~~~~~~~~~~\n",
      .want_json = "{\"file\":\"orders.map\",\"line\":3,\"column\":14,"
                   "\"length\":11,\"level\":\"error\","
                   "\"name\":\"unknown-field\",\"text\":\"unknown field: "
                   "qty_ordered; did you mean quantity?\"}\n" },
    { __LINE__,
      "a fault in data shows record, map line and outcome",
      DIAG_NUMBER_SYNTAX,
      { &csv, 148, 6, 9 },
      { "12 50O,00", " in column price" },
      { &map, 3, 14, 11 },
      "order 100482, line 3",
      "order 100482 set aside; 211 other orders continue",
      "orders.csv:148:6: error: not a number: \"12 50O,00\" in column price "
      "[number-syntax]\n"
      "   order 100482, line 3\n"
      "   orders.map:3:14:  quantity = qty_ordered  # \xC4\x8D\n"
      "                                ^~~~~~~~~~~\n"
      "   order 100482 set aside; 211 other orders continue\n",
      "{\"file\":\"orders.csv\",\"line\":148,\"column\":6,\"length\":9,"
      "\"level\":\"error\",\"name\":\"number-syntax\",\"text\":\"not a "
      "number: \\\"12 50O,00\\\" in column price\",\"map\":{\"file\":"
      "\"orders.map\",\"line\":3,\"column\":14,\"length\":11},\"record\":"
      "\"order 100482, line 3\",\"outcome\":\"order 100482 set aside; 211 "
      "other orders continue\"}\n" },
    { __LINE__,
      "a place without line shows no numbers",
      DIAG_FILE_EMPTY,
      { &csv, 0, 7, 2 },
      .want = "orders.csv: error: the file is empty [file-empty]\n",
      .want_json = "{\"file\":\"orders.csv\",\"level\":\"error\",\"name\":"
                   "\"file-empty\",\"text\":\"the file is empty\"}\n" },
    { __LINE__, "no place at all", DIAG_FILE_EMPTY,
      .want = "error: the file is empty [file-empty]\n",
      .want_json = "{\"level\":\"error\",\"name\":\"file-empty\",\"text\":"
                   "\"the file is empty\"}\n" },
    { __LINE__,
      "a line without column has no caret",
      DIAG_EMPTY_BLOCK,
      { &map, 2, 0, 0 },
      .want = "orders.map:2: error: a block is missing below this line "
              "[empty-block]\n"
              "    2 | number = code\n" },
    { __LINE__,
      "a tab takes one column, a control character shows as ?",
      DIAG_TAB_INDENT,
      { &map, 4, 9, 1 },
      .want = "orders.map:4:9: error: a tab in the indentation; use spaces "
              "[tab-indent]\n"
              "    4 |  kind = ?x\n"
              "      |         ^\n" },
    { __LINE__,
      "the caret counts characters, not bytes",
      DIAG_SYNTAX,
      { &map, 5, 6, 1 },
      { "what is x" },
      .want = "orders.map:5:6: error: what is x [syntax]\n"
              "    5 | \xC4\x8D\xC5\x99 = x\n"
              "      |      ^\n" },
    { __LINE__,
      "a caret may stand behind the end, not further",
      DIAG_OPEN_STRING,
      { &map, 6, 99, 5 },
      .want = "orders.map:6:99: error: the text has no closing quote on this "
              "line [open-string]\n"
              "    6 | last\n"
              "      |     ^\n" },
    { __LINE__,
      "an underline ends with its line",
      DIAG_OPEN_STRING,
      { &map, 6, 3, 99 },
      .want = "orders.map:6:3: error: the text has no closing quote on this "
              "line [open-string]\n"
              "    6 | last\n"
              "      |   ^~\n" },
    { __LINE__,
      "a line that the text does not have is not shown",
      DIAG_EMPTY_BLOCK,
      { &map, 7, 1, 0 },
      .want = "orders.map:7:1: error: a block is missing below this line "
              "[empty-block]\n" },
    { __LINE__,
      "a byte-order mark is no column",
      DIAG_NO_BLOCK,
      { &bom, 1, 6, 1 },
      .want = "b.map:1:6: error: this line stands deeper than the one above, "
              "below which nothing can stand [no-block]\n"
              "    1 | read x\n"
              "      |      ^\n" },
    { __LINE__,
      "a long line is cut at its end",
      DIAG_NO_BLOCK,
      { &wide, 1, 2, 3 },
      .want =
          "wide.map:1:2: error: this line stands deeper than the one above, "
          "below which nothing can stand [no-block]\n"
          "    1 | " TEN(TEN("a"))
              TEN("\xC3\xA1\xC3\xA1\xC3\xA1\xC3\xA1\xC3\xA1")
                  SEVEN("\xC3\xA1") "...\n"
                                    "      |  ^~~\n" },
    { __LINE__,
      "a long line is a window around its caret",
      DIAG_NO_BLOCK,
      { &wide, 1, 101, 1 },
      .want =
          "wide.map:1:101: error: this line stands deeper than the one above, "
          "below which nothing can stand [no-block]\n"
          "    1 | ..." A77 X77 "...\n"
          "      | " BLANKS80 "^\n" },
    { __LINE__,
      "a file name can not paint the terminal",
      DIAG_FILE_EMPTY,
      { &odd, 0, 0, 0 },
      .want = "a\\x1b[2J.csv: error: the file is empty [file-empty]\n",
      .want_json = "{\"file\":\"a\\u001b[2J.csv\",\"level\":\"error\","
                   "\"name\":\"file-empty\",\"text\":\"the file is "
                   "empty\"}\n" },
    { __LINE__,
      "a map place without text still names the line",
      DIAG_DIVIDE_ZERO,
      { &csv, 3, 1, 0 },
      .map = { &csv, 9, 2, 4 },
      .want = "orders.csv:3:1: error: division by zero [divide-zero]\n"
              "   orders.csv:9:2\n" },
    { __LINE__, "an argument is never read as a placeholder",
      DIAG_UNKNOWN_FIELD, .args = { "%2%1", "!" },
      .want = "error: unknown field: %2%1! [unknown-field]\n" },
    { __LINE__, "missing arguments are empty", DIAG_CONF_DOCUMENTS,
      .args = { "a" },
      .want = "error: the read map makes a documents, the write map takes  "
              "[conf-documents]\n" },
};

static void add_case(struct diags *d, const struct diag_case *c)
{
    struct str args[DIAG_ARGS];
    size_t n = 0;
    struct diag *new;

    for (; n < DIAG_ARGS && c->args[n]; n++)
        args[n] = str_of(c->args[n]);
    new = diag_add(d, c->id, c->at, args, n);
    assert_non_null(new);
    new->map = c->map;
    new->record = str_of(c->record);
    new->outcome = str_of(c->outcome);
}

static void expect(int line, struct buf *out, const char *want)
{
    if (!str_is(buf_str(out), want))
        fail_msg("%s:%d: got\n%.*swant\n%s", __FILE__, line,
                 STR_ARGS(buf_str(out)), want);
    buf_clear(out);
}

static void test_case(void **state)
{
    const struct diag_case *c = *state;
    struct arena a = { 0 };
    struct diags d;
    struct buf out;

    buf_init(&out, 1 << 20);
    diags_init(&d, &a, 0);
    add_case(&d, c);
    diags_print(&d, false, &out);
    expect(c->line, &out, c->want);
    diags_print_json(&d, &out);
    if (c->want_json)
        expect(c->line, &out, c->want_json);
    buf_release(&out);
    arena_release(&a);
}

/* ---- texts */

static struct text_case {
    int line;
    const char *name, *in;
    size_t len; /* of in, where it holds a NUL */
    const char *shown, *json;
} texts[] = {
    { __LINE__, "plain text", "a\xC4\x8D", 0, "a\xC4\x8D", "\"a\xC4\x8D\"" },
    { __LINE__, "control characters", "\n\t\r\x1B", 0, "\\n\\t\\r\\x1b",
      "\"\\n\\t\\r\\u001b\"" },
    { __LINE__, "a NUL", "a\0b", 3, "a\\x00b", "\"a\\u0000b\"" },
    { __LINE__, "quotes and backslashes", "\"\\\b\f/", 0, "\"\\\\x08\\x0c/",
      "\"\\\"\\\\\\b\\f/\"" },
    { __LINE__, "bytes that are not UTF-8", "a\xE9z\xC4", 0, "a\\xe9z\\xc4",
      "\"a\\ufffdz\\ufffd\"" },
    { __LINE__, "a C1 control", "\xC2\x9B", 0, "\\x9b", "\"\xC2\x9B\"" },
    { __LINE__, "a zero-width space", "1\xE2\x80\x8B", 0, "1\\u200b",
      "\"1\xE2\x80\x8B\"" },
    { __LINE__, "200 bytes stay whole", TEN(TEN("ab")), 0, TEN(TEN("ab")),
      NULL },
    { __LINE__, "201 bytes are cut", TEN(TEN("ab")) "c", 0,
      TEN(TEN("ab")) "...", NULL },
    { __LINE__, "the cut splits no character", "a" TEN(TEN("\xC4\x8D")), 0,
      "a" TEN(SEVEN("\xC4\x8D") "\xC4\x8D\xC4\x8D")
          SEVEN("\xC4\x8D") "\xC4\x8D\xC4\x8D...",
      NULL },
};

static void test_text(void **state)
{
    const struct text_case *c = *state;
    struct str in = { c->in, c->len ? c->len : strlen(c->in) };
    struct buf out;

    buf_init(&out, 1 << 20);
    show_text(&out, in);
    expect(c->line, &out, c->shown);
    json_string(&out, in);
    if (c->json)
        expect(c->line, &out, c->json);
    buf_release(&out);
}

/* ---- several entries */

static void add_at(struct diags *d, const struct source *src, uint32_t line,
                   uint32_t col, const char *text)
{
    struct place at = { src, line, col, 0 };

    DIAG(d, SYNTAX, at, str_of(text));
}

static void expect_args(const struct diags *d, const char *want)
{
    char got[64] = "";
    size_t n = 0;

    for (const struct diag *i = d->first; i && n + 1 < sizeof(got); i = i->next)
        got[n++] = i->args[0].p[0];
    assert_string_equal(got, want);
}

static void test_sort(void **state)
{
    struct arena a = { 0 };
    struct diags d;

    (void)state;
    diags_init(&d, &a, 0);
    diags_sort(&d);
    assert_null(d.first);
    add_at(&d, &map, 10, 1, "h");
    add_at(&d, &map, 9, 2, "f");
    add_at(&d, &map, 9, 2, "g");
    add_at(&d, &bom, 99, 1, "b");
    add_at(&d, &map, 9, 1, "e");
    add_at(&d, NULL, 0, 0, "a");
    add_at(&d, &map, 0, 0, "c");
    add_at(&d, &map, 2, 90, "d");
    diags_sort(&d);
    expect_args(&d, "abcdefgh");
    add_at(&d, &map, 1, 1, "z");
    expect_args(&d, "abcdefghz");
    arena_release(&a);
}

static void test_max(void **state)
{
    struct arena a = { 0 };
    struct diags d;
    struct buf out;
    struct place at = { &csv, 1, 1, 0 };

    (void)state;
    buf_init(&out, 1 << 20);
    diags_init(&d, &a, 2);
    for (int i = 0; i < 5; i++)
        DIAG(&d, WARNED, at, STR("w"));
    assert_non_null(DIAG0(&d, FILE_EMPTY, at));
    assert_non_null(DIAG(&d, SYNTAX, at, STR("x\ny")));
    assert_null(DIAG(&d, SYNTAX, at, STR("z")));
    assert_int_equal(d.n_errors, 3);
    assert_int_equal(d.n_warnings, 5);
    diags_print(&d, true, &out);
    expect(__LINE__, &out,
           "\033[1morders.csv:1:1:\033[0m \033[1;33mwarning:\033[0m w "
           "[warned]\n"
           "\033[1morders.csv:1:1:\033[0m \033[1;33mwarning:\033[0m w "
           "[warned]\n"
           "\033[1morders.csv:1:1:\033[0m \033[1;31merror:\033[0m the file is "
           "empty [file-empty]\n"
           "\033[1morders.csv:1:1:\033[0m \033[1;31merror:\033[0m x\\ny "
           "[syntax]\n"
           "... and 4 more (limit errors of 2)\n");
    diags_print_json(&d, &out);
    assert_true(str_ends(buf_str(&out), STR("}\n{\"more\":4}\n")));
    buf_release(&out);
    arena_release(&a);
}

/* A long value is cut, a long list of names is not. */
static void test_long_args(void **state)
{
    struct arena a = { 0 };
    struct diags d;
    struct buf out;
    struct place at = { 0 };
    struct str value = STR(TEN(TEN(TEN("abc"))));

    (void)state;
    buf_init(&out, 1 << 20);
    diags_init(&d, &a, 0);
    DIAG(&d, CHARSET_UNKNOWN, at, STR("x"), str_first(value, 900));
    DIAG(&d, CHECK_REJECT, at, value, STR("ean"));
    DIAG(&d, SYNTAX, at, value);
    assert_true(a.used < 4000);
    diag_text(d.first->id, d.first->args, &out);
    assert_int_equal(out.len, 29 + 900);
    buf_clear(&out);
    diag_text(d.first->next->id, d.first->next->args, &out);
    assert_int_equal(out.len, 2 + 200 + 3 + 16);
    buf_clear(&out);
    diag_text(d.first->next->next->id, d.first->next->next->args, &out);
    assert_int_equal(out.len, 1000 + 3);
    buf_release(&out);
    arena_release(&a);
}

/* Names are looked up with grep: each is there once, in one form. */
static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_DIAGS; i++) {
        const char *name = diag_table[i].name;

        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                         strlen(name));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(name, diag_table[k].name);
    }
}

/* Their place in the map is what a reader says: there may be any number. */
static void test_alike_has_an_end(void **state)
{
    struct arena a = { 0 };
    struct diags d;
    size_t used = 0;

    (void)state;
    diags_init(&d, &a, 20);
    for (uint32_t line = 1; line < 10000; line++) {
        struct place at = { .line = line };

        if (!diag_is_enough(&d, DIAG_TOTALS_DIFFER, at))
            (void)DIAG0(&d, TOTALS_DIFFER, at);
        if (line == 100)
            used = a.used;
    }
    assert_int_equal(d.n_warnings, 9999);
    assert_int_equal(a.used, used);
    arena_release(&a);
}

int main(void)
{
    static const struct CMUnitTest more[] = {
        { .name = "entries sort by file, line, column",
          .test_func = test_sort },
        { .name = "warnings over the maximum never hide errors",
          .test_func = test_max },
        { .name = "long arguments are cut", .test_func = test_long_args },
        { .name = "names are distinct", .test_func = test_names },
        { .name = "warnings of many lines need no more memory",
          .test_func = test_alike_has_an_end },
    };
    struct CMUnitTest tests[COUNT(cases) + COUNT(texts) + COUNT(more)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(texts); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_text, &texts[i]);
    for (size_t i = 0; i < COUNT(more); i++)
        tests[n++] = more[i];
    return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
