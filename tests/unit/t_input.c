/* t_input.c - formats/input.c: what a format gets to see of a file. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "formats/input.h"

/* STR() is no constant; this is, inside a table. */
#define BYTES(lit)             \
    {                          \
        (lit), sizeof(lit) - 1 \
    }

struct memory {
    struct str left;
    size_t step; /* bytes that one call gives at most */
    bool breaks; /* fails where the text ends */
};

static ptrdiff_t pull(void *ctx, char *to, size_t n)
{
    struct memory *m = ctx;

    n = n < m->step ? n : m->step;
    n = n < m->left.len ? n : m->left.len;
    if (n == 0 && m->breaks) {
        errno = EIO;
        return -1;
    }
    str_copy(to, str_first(m->left, n));
    m->left = str_from(m->left, n);
    return (ptrdiff_t)n;
}

static int read_all(struct input *in, struct buf *out)
{
    struct str chunk;
    int rc;

    while ((rc = input_next(in, &chunk)) == 1) {
        assert_true(chunk.len > 0);
        buf_add(out, chunk);
    }
    return rc;
}

static struct input_case {
    int line;
    const char *name, *format, *charset; /* charset NULL: not given */
    struct str raw;
    const char *want; /* the text, or the fault's arguments joined by | */
    int fault;        /* -1: none */
    unsigned at_line, at_col;
} cases[] = {
    { __LINE__, "plain CSV", "CSV", "UTF-8", BYTES("a;b\n1;2\n"), "a;b\n1;2\n",
      -1, 0, 0 },
    { __LINE__, "no charset is UTF-8", "CSV", NULL, BYTES("a;\xC4\x8D\n"),
      "a;č\n", -1, 0, 0 },
    { __LINE__, "no charset, a BOM", "CSV", NULL,
      BYTES("\xEF\xBB\xBF"
            "a;\xC4\x8D\n"),
      "a;č\n", -1, 0, 0 },
    { __LINE__, "no charset, a UTF-16 BOM", "CSV", NULL,
      BYTES("\xFF\xFE"
            "a\0;\0\x0D\x01"),
      "a;č", -1, 0, 0 },
    { __LINE__, "no charset, a UTF-16BE BOM", "XML", NULL,
      BYTES("\xFE\xFF\0<\0a\0/\0>"), "<a/>", -1, 0, 0 },
    { __LINE__, "windows-1250", "CSV", "windows-1250", BYTES("\x9E\x65na\n"),
      "žena\n", -1, 0, 0 },
    { __LINE__, "an empty file", "CSV", "UTF-8", BYTES(""), "", DIAG_FILE_EMPTY,
      0, 0 },
    { __LINE__, "only a BOM", "CSV", "UTF-8", BYTES("\xEF\xBB\xBF"), "",
      DIAG_FILE_EMPTY, 0, 0 },
    { __LINE__, "only a UTF-16 BOM", "CSV", "UTF-16", BYTES("\xFF\xFE"), "",
      DIAG_FILE_EMPTY, 0, 0 },

    { __LINE__, "a login page", "CSV", "windows-1250",
      BYTES("<!DOCTYPE html>\n<html>"), "CSV", DIAG_FILE_HTML, 1, 1 },
    { __LINE__, "an old web page", "XML", NULL,
      BYTES("\r\n <!-- x -->\n<HTML lang=\"cs\">"), "XML", DIAG_FILE_HTML, 1,
      1 },
    { __LINE__, "an XHTML page", "XML", NULL,
      BYTES(
          "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!DOCTYPE HTML PUBLIC \"x\">"),
      "XML", DIAG_FILE_HTML, 1, 1 },
    { __LINE__, "what PHP says when it fails", "CSV", NULL,
      BYTES("<br />\n<b>Fatal error</b>: Uncaught"), "CSV", DIAG_FILE_HTML, 1,
      1 },
    { __LINE__, "a piece of a page", "XML", NULL,
      BYTES("\n<div class=\"login\">"), "XML", DIAG_FILE_HTML, 1, 1 },
    { __LINE__, "an element that is called like HTML", "XML", NULL,
      BYTES("<html5data>x</html5data>"), "<html5data>x</html5data>", -1, 0, 0 },
    { __LINE__, "HTML inside is data", "CSV", NULL, BYTES("a;<html>\n"),
      "a;<html>\n", -1, 0, 0 },
    { __LINE__, "an XLSX file", "CSV", "windows-1250",
      BYTES("PK\3\4\x14\0\6\0"),
      "a ZIP file (XLSX and DOCX are ZIP files, too)|CSV", DIAG_FILE_KIND, 0,
      0 },
    { __LINE__, "a PDF file", "XML", NULL, BYTES("%PDF-1.7\n"),
      "a PDF file|XML", DIAG_FILE_KIND, 0, 0 },

    { __LINE__, "a declared charset", "XML", NULL,
      BYTES("<?xml version=\"1.0\" encoding=\"Windows-1250\"?><a>\x9E</a>"),
      "<?xml version=\"1.0\" encoding=\"Windows-1250\"?><a>ž</a>", -1, 0, 0 },
    { __LINE__, "a declared charset in apostrophes", "XML", NULL,
      BYTES("<?xml version='1.0' encoding = 'ISO-8859-9' ?><a>\xFE</a>"),
      "<?xml version='1.0' encoding = 'ISO-8859-9' ?><a>ş</a>", -1, 0, 0 },
    { __LINE__, "ASCII, as Python declares it", "XML", NULL,
      BYTES("<?xml version='1.0' encoding='us-ascii'?><a/>"),
      "<?xml version='1.0' encoding='us-ascii'?><a/>", -1, 0, 0 },
    { __LINE__, "the map is stronger than the declaration", "XML",
      "windows-1254",
      BYTES("<?xml version='1.0' encoding='ISO-8859-2'?><a>\xFE</a>"),
      "<?xml version='1.0' encoding='ISO-8859-2'?><a>ş</a>", -1, 0, 0 },
    { __LINE__, "a BOM is stronger than the declaration", "XML", NULL,
      BYTES("\xEF\xBB\xBF<?xml version='1.0' encoding='windows-1250'?>"
            "<a>\xC5\xBE</a>"),
      "<?xml version='1.0' encoding='windows-1250'?><a>ž</a>", -1, 0, 0 },
    { __LINE__, "UTF-16 in single bytes is UTF-8", "XML", NULL,
      BYTES("<?xml version='1.0' encoding='utf-16'?><a>\xC5\xBE</a>"),
      "<?xml version='1.0' encoding='utf-16'?><a>ž</a>", -1, 0, 0 },
    { __LINE__, "UTF-16 XML without a BOM", "XML", NULL, BYTES("<\0a\0/\0>\0"),
      "<a/>", -1, 0, 0 },
    { __LINE__, "a declaration without charset", "XML", NULL,
      BYTES("<?xml version='1.0'?><encoding>\xC5\xBE</encoding>"),
      "<?xml version='1.0'?><encoding>ž</encoding>", -1, 0, 0 },
    { __LINE__, "XML is no CSV", "CSV", NULL,
      BYTES("<?xml version='1.0' encoding='windows-1250'?>\xC5\xBE"),
      "an XML file|CSV", DIAG_FILE_KIND, 0, 0 },
    { __LINE__, "an unknown charset", "XML", NULL,
      BYTES("<?xml version='1.0' encoding='UTF-7'?><a/>"),
      "UTF-7|UTF-8, UTF-16, UTF-16BE, windows-1250, windows-1252, "
      "windows-1254, ISO-8859-1, ISO-8859-2, ISO-8859-9, ISO-8859-16, CP852, "
      "CP857, KEYBCS2, CWI-2",
      DIAG_XML_ENCODING, 1, 1 },

    { __LINE__, "a byte that the charset lacks", "CSV", "ISO-8859-2",
      BYTES("a\nDvo\xF8\xE1k, \x8A\x9Ev\xFD\n"),
      "0x8A|ISO-8859-2|the file looks like windows-1250: set charset "
      "windows-1250 in the map",
      DIAG_CHARSET_INVALID, 2, 9 },
    { __LINE__, "a byte without advice", "CSV", "windows-1250",
      BYTES("\xE8\xF8 \x83"),
      "0x83|windows-1250|the file is damaged, or in another charset",
      DIAG_CHARSET_INVALID, 1, 4 },
    { __LINE__, "windows-1250 in UTF-8", "CSV", NULL,
      BYTES("P\xF8\xEDli\x9A \x9Elu\x9Dou\xE8k\xFD"),
      "0xF8|windows-1250|nothing says otherwise", DIAG_CHARSET_NOT_UTF8, 1, 2 },
    { __LINE__, "windows-1254 in UTF-8", "XML", NULL,
      BYTES("<?xml version='1.0' encoding='UTF-8'?>\n"
            "<a>\xE7\xFD\xF0 a\xF0"
            "a\xE7 \xDEi\xFEli</a>"),
      "0xE7|windows-1254|its XML declaration says so", DIAG_CHARSET_NOT_UTF8, 2,
      4 },
    { __LINE__, "UTF-8 in windows-1250", "CSV", "windows-1250",
      BYTES("a\n\xC5\xBElu\xC5\xA5"), "windows-1250|the map says so",
      DIAG_CHARSET_IS_UTF8, 2, 1 },
    { __LINE__, "UTF-16 in windows-1250", "CSV", "windows-1250",
      BYTES("\xFF\xFE"
            "a\0"),
      "windows-1250|the map says so", DIAG_CHARSET_IS_UTF16, 1, 1 },
    { __LINE__, "cut", "CSV", NULL, BYTES("a\n\xC5\xBE\xC5"), "UTF-8",
      DIAG_CHARSET_CUT, 2, 2 },
    { __LINE__, "a zero byte", "CSV", NULL, BYTES("abc\0def"), "",
      DIAG_CHARSET_NUL, 1, 4 },
    { __LINE__, "lines that end with CR", "CSV", NULL, BYTES("a\rb\rcd\0"), "",
      DIAG_CHARSET_NUL, 3, 3 },
    { __LINE__, "lines that end in all ways", "CSV", NULL,
      BYTES("a\r\nb\rc\n\n\r\r\nd\0"), "", DIAG_CHARSET_NUL, 7, 2 },
    { __LINE__, "UTF-8 in windows-1250, lines that end with CR", "CSV",
      "windows-1250", BYTES("a\rb\xC5\xBElu\xC5\xA5"),
      "windows-1250|the map says so", DIAG_CHARSET_IS_UTF8, 2, 2 },
    { __LINE__, "UTF-16 with an emoji in UTF-8", "CSV", "UTF-8",
      BYTES("c\0o\0d\0e\0\n\0\x3D\xD8\0\xDE\n\0"), "UTF-8|the map says so",
      DIAG_CHARSET_IS_UTF16, 1, 2 },
};

/* The fault's arguments in place of the text. */
static void join_args(const struct input *in, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < in->n_fault_args; i++) {
        buf_addz(out, i ? "|" : "");
        buf_add(out, in->fault_args[i]);
    }
}

static void check_case(const struct input_case *c, size_t step)
{
    struct memory m = { .left = c->raw, .step = step };
    static struct input in;
    struct buf out;
    int rc;

    buf_init(&out, 10000);
    input_init(&in, pull, &m,
               c->charset ? charset_find(str_of(c->charset)) : NULL, 10000,
               c->format);
    rc = read_all(&in, &out);
    if (rc == -1)
        join_args(&in, &out);
    if (rc != (c->fault < 0 ? 0 : -1) || !str_is(buf_str(&out), c->want) ||
        (rc && ((int)in.fault != c->fault || in.fault_line != c->at_line ||
                in.fault_col != c->at_col)))
        fail_msg("%s:%d: %d, fault %d at %u:%u: %.*s", __FILE__, c->line, rc,
                 rc ? (int)in.fault : -1, in.fault_line, in.fault_col,
                 STR_ARGS(buf_str(&out)));
    assert_int_equal(input_next(&in, &(struct str){ NULL, 0 }), rc);
    input_release(&in);
    buf_release(&out);
}

static void test_case(void **state)
{
    check_case(*state, 10000);
    check_case(*state, 3);
    check_case(*state, 1);
}

static void a_long_file_comes_in_chunks(void **state)
{
    struct memory m = { .step = 5000 };
    static struct input in;
    struct buf raw, want, out;

    (void)state;
    buf_init(&raw, 1000000);
    buf_init(&want, 1000000);
    buf_init(&out, 1000000);
    while (raw.len < 200000) {
        buf_addz(&raw, "0123;\x9E\n");
        buf_addz(&want, "0123;ž\n");
    }
    m.left = buf_str(&raw);
    input_init(&in, pull, &m, charset_find(STR("windows-1250")), 1000000,
               "CSV");
    assert_int_equal(read_all(&in, &out), 0);
    assert_true(str_eq(buf_str(&out), buf_str(&want)));
    assert_int_equal(in.n_bytes, raw.len);
    input_release(&in);

    /* The same with an error far behind. */
    raw.p[raw.len - 2] = '\x83';
    m.left = buf_str(&raw);
    input_init(&in, pull, &m, charset_find(STR("windows-1250")), 1000000,
               "CSV");
    assert_int_equal(read_all(&in, &out), -1);
    assert_int_equal(in.fault_line, raw.len / 7);
    assert_int_equal(in.fault_col, 6);
    input_release(&in);
    buf_release(&raw);
    buf_release(&want);
    buf_release(&out);
}

static void a_file_of_the_limit_passes_one_more_does_not(void **state)
{
    static struct input in;
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (uint64_t max = 9; max <= 10; max++) {
        struct memory m = { .left = STR("0123456789"), .step = 4 };

        input_init(&in, pull, &m, NULL, max, "CSV");
        assert_int_equal(read_all(&in, &out), max == 10 ? 0 : -1);
        if (max == 9) {
            assert_int_equal(in.fault, DIAG_LIMIT);
            assert_true(str_is(in.fault_args[1], "9"));
            assert_true(str_is(in.fault_args[2], "input"));
        }
        input_release(&in);
    }
    buf_release(&out);
}

static void a_read_error_is_a_fault(void **state)
{
    struct memory m = { .left = STR("abc"), .step = 4, .breaks = true };
    static struct input in;
    struct str chunk;

    (void)state;
    input_init(&in, pull, &m, NULL, 1000, "CSV");
    assert_int_equal(input_next(&in, &chunk), -1);
    assert_int_equal(in.fault, DIAG_FILE_READ);
    assert_true(str_is(in.fault_args[0], strerror(EIO)));
    input_release(&in);
}

static void a_descriptor_is_read(void **state)
{
    int fds[2];
    char bytes[8];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "abc", 3), 3);
    close(fds[1]);
    assert_int_equal(input_pull_fd(&fds[0], bytes, sizeof(bytes)), 3);
    assert_int_equal(input_pull_fd(&fds[0], bytes, sizeof(bytes)), 0);
    close(fds[0]);
    assert_int_equal(input_pull_fd(&fds[0], bytes, sizeof(bytes)), -1);
}

int main(void)
{
    static const struct CMUnitTest more[] = {
        cmocka_unit_test(a_long_file_comes_in_chunks),
        cmocka_unit_test(a_file_of_the_limit_passes_one_more_does_not),
        cmocka_unit_test(a_read_error_is_a_fault),
        cmocka_unit_test(a_descriptor_is_read),
    };
    struct CMUnitTest tests[COUNT(cases) + COUNT(more)];

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[i] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    memcpy(tests + COUNT(cases), more, sizeof(more));
    return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
