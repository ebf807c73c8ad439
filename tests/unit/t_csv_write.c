/* t_csv_write.c - formats/csv_write.c: one row of cells, one line of CSV. */
#include "tests/unit/unit.h"

#include "formats/format.h"
#include "formats/sink.h"

extern const struct format format_csv;

static const struct part row = { .kind = PART_ROW };
static const struct part column = { .kind = PART_CELL };

static struct write_case {
    int line;                        /* in this file */
    const char *name, *cells, *want; /* cells: separated by ~ */
    const char *charset;             /* NULL: UTF-8 */
    const char *delimiter;           /* NULL: ; */
    const char *quote;               /* NULL: needed */
    bool guard;
} cases[] = {
/* The designator lets the fields at the end be left out. */
#define AT .line = __LINE__
    { AT, "plain cells", "a~b c~1,5", "a;b c;1,5\n" },
    { AT, "empty cells", "~~", ";;\n" },
    { AT, "a row of one empty cell is no empty line", "", "\"\"\n" },
    { AT, "a delimiter needs quotes", "a;b~c", "\"a;b\";c\n" },
    { AT, "a quote is doubled", "5\" disk~\"", "\"5\"\" disk\";\"\"\"\"\n" },
    { AT, "line breaks are kept", "a\nb~\r\n", "\"a\nb\";\"\r\n\"\n" },
    { AT, "blanks at an end are kept", " a~a ~\ta", "\" a\";\"a \";\"\ta\"\n" },
    { AT, "another delimiter", "a;b~c,d", "a;b,\"c,d\"\n", NULL, "," },
    { AT, "a tab", "a b~c\td", "a b\t\"c\td\"\n", NULL, "tab" },
    { AT, "quotes around all", "a~~1", "\"a\";\"\";\"1\"\n", NULL, NULL,
      "all" },
    { AT, "no quotes where none are needed", "a~ b ", "a; b \n", NULL, NULL,
      "none" },
    { AT, "no quotes, but a delimiter", "a;b", "csv-no-quote ;", NULL, NULL,
      "none" },
    { AT, "no quotes, but a quote", "5\"", "csv-no-quote \"", NULL, NULL,
      "none" },
    { AT, "no quotes, but a line break", "a\nb", "csv-no-quote \n", NULL, NULL,
      "none" },
    { AT, "a control character is refused", "a\x01", "control-char \x01" },
    { AT, "8-bit charset", "ž~š;", "\x9e;\"\x9a;\"\n", "windows-1250" },
    { AT, "a replacement may need quotes", "a“b~“~c", "\"a\"\"b\";\"\"\"\";c\n",
      "ISO-8859-2" },
    { AT, "a replacement may be a delimiter", "a␣b~c", "\"a;b\";c\n",
      "ISO-8859-2" },
    { AT, "a replacement that needs quotes, and none", "a“b", "csv-no-quote \"",
      "ISO-8859-2", NULL, "none" },
    { AT, "formulas are guarded", "=1+1~@a~-a~+1-1", "'=1+1;'@a;'-a;'+1-1\n",
      NULL, NULL, NULL, true },
    { AT, "numbers and phones are no formulas", "-1,50~+420 777 000~-~a=",
      "-1,50;+420 777 000;-;a=\n", NULL, NULL, NULL, true },
    { AT, "a stand-in that begins a formula", "–a~–1~≡1~\xE2\x80\x8B=1~“a",
      "'-a;-1;'=1;'=1;\"\"\"a\"\n", "ISO-8859-2", NULL, NULL, true },
    { AT, "a guarded formula in quotes", "=a;\"b\"", "\"'=a;\"\"b\"\"\"\n",
      NULL, NULL, NULL, true },
    { AT, "formulas stay without guard", "=1+1", "=1+1\n" },
#undef AT
};

static const char *fault_name(enum diag_id id)
{
    static const char *const names[] = {
#define X(diag, name, level, text) name,
        DIAGS(X)
#undef X
    };

    return names[id];
}

/* Stands for the map's table: in the test any charset may lack these. */
static bool fallback(void *ctx, uint32_t cp, struct str *text)
{
    static const struct {
        uint32_t cp;
        const char *text;
    } known[] = { { 0x201c, "\"" },
                  { 0x2423, ";" },
                  { 0x2013, "-" },
                  { 0x2261, "=" },
                  { 0x200b, "" } };

    (void)ctx;
    for (size_t i = 0; i < COUNT(known); i++)
        if (known[i].cp == cp) {
            *text = str_of(known[i].text);
            return true;
        }
    return false;
}

static void start(struct sink *s, struct opt_value *opts,
                  const struct write_case *c)
{
    const char *charset = c->charset ? c->charset : "UTF-8";

    sink_init(s, charset_find(str_of(charset)));
    s->fallback = fallback;
    s->newline = "\n";
    opts[0].text = str_of(c->delimiter ? c->delimiter : ";");
    opts[1].text = str_of(c->quote ? c->quote : "needed");
    opts[3].yes = c->guard;
}

static int write_row(struct sink *s, const char *cells)
{
    const struct write_ops *w = format_csv.write;
    int rc = w->open(s, &row);

    for (;;) {
        size_t len = strcspn(cells, "~");

        if (rc == 0)
            rc = w->value(s, &column, (struct str){ cells, len });
        if (cells[len] == '\0')
            break;
        cells += len + 1;
    }
    return rc == 0 ? w->close(s, &row) : rc;
}

static void test_case(void **state)
{
    const struct write_case *c = *state;
    struct opt_value opts[4] = { 0 };
    struct write_plan plan = { .opts = opts, .newline = "\n" };
    struct sink s;
    struct buf got;

    buf_init(&got, 4096);
    start(&s, opts, c);
    plan.cs = s.cs;
    assert_int_equal(format_csv.write->begin(&s, &plan), 0);
    if (write_row(&s, c->cells) == 0)
        buf_add(&got, buf_str(&s.out));
    else
        buf_addf(&got, "%s %c", fault_name(s.fault), (int)s.bad_cp);
    if (!str_is(buf_str(&got), c->want))
        fail_msg("%s:%d: got %.*s", __FILE__, c->line, STR_ARGS(buf_str(&got)));
    assert_int_equal(format_csv.write->end(&s), 0);
    sink_release(&s);
    buf_release(&got);
}

static void write_header(const char *charset, struct str want)
{
    static const struct part a = { .kind = PART_CELL, .name = { "a", 1 } };
    static const struct part b = { .kind = PART_CELL, .name = { "=b;", 3 } };
    static const struct part *const cells[] = { &a, &b };
    const struct write_case c = { .charset = charset, .guard = true };
    struct opt_value opts[4] = { [2].yes = true };
    struct write_plan plan = {
        .opts = opts, .newline = "\r\n", .cells = cells, .n_cells = 2
    };
    struct sink s;

    start(&s, opts, &c);
    s.newline = "\r\n";
    plan.cs = s.cs;
    assert_int_equal(format_csv.write->begin(&s, &plan), 0);
    assert_int_equal(write_row(&s, "1~2"), 0);
    if (!str_eq(buf_str(&s.out), want))
        fail_msg("got %.*s", STR_ARGS(buf_str(&s.out)));
    sink_release(&s);
}

static void test_header(void **state)
{
    (void)state;
    write_header(NULL, STR("a;\"=b;\"\r\n1;2\r\n"));
}

static void test_header_utf16(void **state)
{
    (void)state;
    write_header("UTF-16", STR("a\0;\0\"\0=\0b\0;\0\"\0\r\0\n\0"
                               "1\0;\0"
                               "2\0\r\0\n\0"));
}

static const struct CMUnitTest facts[] = {
    cmocka_unit_test(test_header),
    cmocka_unit_test(test_header_utf16),
};

int main(void)
{
    struct CMUnitTest tests[COUNT(cases) + COUNT(facts)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(facts); i++)
        tests[n++] = facts[i];
    return cmocka_run_group_tests_name("csv_write", tests, NULL, NULL);
}
