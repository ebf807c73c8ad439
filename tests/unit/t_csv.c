/*
 * t_csv.c - formats/csv.c: rows, places, faults and limits of the reader.
 *
 * Each case is read several times, in pieces of different sizes: where a
 * chunk ends must never matter.
 */
#include "tests/unit/unit.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/format.h"
#include "formats/input.h"

extern const struct format format_csv;

static const char *const fault_names[] = {
#define X(id, name, level, text) name,
    DIAGS(X)
#undef X
};

/* ---- reading a text and writing down what came out ----------------------- */

/* The file: `text`, then n_fill bytes taken from `fill` again and again. */
struct file {
    struct str text, fill;
    uint64_t n_fill, n_pulled;
    size_t piece;
};

struct run {
    struct file file;
    struct reader reader;
    struct input input;
    struct limits limits;
    struct arena names;
    struct plan plan;
    struct want record, wants[64];
    struct opt_value opts[3];
    struct buf out;
    bool trim;
    bool places;    /* write line:col of each cell, and of the row */
    int stop_after; /* what the sink returns 7 for; 0: never */
};

static ptrdiff_t pull(void *ctx, char *buf, size_t n)
{
    struct file *f = ctx;
    size_t i = 0;

    if (n > f->piece)
        n = f->piece;
    for (; i < n && f->n_pulled < f->text.len; i++)
        buf[i] = f->text.p[f->n_pulled++];
    for (; i < n && f->n_pulled < f->text.len + f->n_fill; i++)
        buf[i] = f->fill.p[(f->n_pulled++ - f->text.len) % f->fill.len];
    return (ptrdiff_t)i;
}

static void put_cell(struct run *run, const struct item *item, uint32_t i)
{
    uint32_t line, col;

    buf_add(&run->out, item->cells[i]);
    if (run->places) {
        format_csv.locate(&run->reader, item, i, &line, &col);
        buf_addf(&run->out, "@%u:%u", line, col);
    }
}

static int sink(void *ctx, struct item *item)
{
    struct run *run = ctx;
    const char *gap = "";

    for (const struct want *w = run->record.child; w; w = w->next)
        for (uint32_t i = 0; i < w->n_cells; i++) {
            buf_addz(&run->out, gap);
            put_cell(run, item, w->cells[i]);
            gap = "|";
        }
    buf_addc(&run->out, '/');
    assert_ptr_equal(item->want, &run->record);
    arena_drop_before(&run->reader.arena, item->mark);
    return run->stop_after && --run->stop_after == 0 ? 7 : 0;
}

static void fault(void *ctx, enum diag_id id, bool fatal, uint32_t line,
                  uint32_t col, const struct str *args, size_t n)
{
    struct run *run = ctx;

    buf_addf(&run->out, "%c%s@%u:%u", fatal ? '!' : '?', fault_names[id], line,
             col);
    for (size_t i = 0; i < n; i++) {
        buf_addz(&run->out, i ? "," : "(");
        buf_add(&run->out, args[i]);
    }
    buf_addz(&run->out, n ? ")/" : "/");
}

/* "a,x*,[3]" */
static void set_wants(struct run *run, const char *names)
{
    struct want **last = &run->record.child;
    size_t n = 0;

    while (*names) {
        size_t len = strcspn(names, ",");
        struct want *w = &run->wants[n++];
        struct str name = { names, len };

        if (names[0] == '[') {
            w->kind = WANT_NTH;
            w->nth = (uint32_t)strtoul(names + 1, NULL, 10);
        }
        w->name = name;
        w->is_glob = str_find_char(name, '*') >= 0;
        *last = w;
        last = &w->next;
        names += len + (names[len] == ',');
    }
}

static void prepare(struct run *run, const char *wants)
{
    *run = (struct run){ .file.piece = INPUT_CHUNK };
    limits_default(&run->limits);
    buf_init(&run->out, 1 << 20);
    run->opts[0].text = STR(";");
    run->opts[1].text = STR("\"");
    run->opts[2].yes = true;
    run->plan.record = &run->record;
    set_wants(run, wants);
}

/* Small pieces shall be small chunks, so nobody must gather the file's head:
 * as if it had been looked at already. */
static void open_input(struct run *run, const struct charset *cs)
{
    struct input *in = &run->input;

    input_init(in, pull, &run->file, cs, UINT64_MAX, "csv");
    if (run->file.piece == INPUT_CHUNK)
        return;
    in->started = true;
    in->cs = cs ? cs : charset_find(STR("UTF-8"));
    decoder_init(&in->dec, in->cs);
}

static int read_file(struct run *run, const struct charset *cs)
{
    struct reader *r = &run->reader;
    int rc;

    open_input(run, cs);
    *r = (struct reader){ .format = &format_csv,
                          .opts = run->opts,
                          .plan = &run->plan,
                          .in = &run->input,
                          .limits = &run->limits,
                          .names = &run->names,
                          .trim = run->trim,
                          .sink = sink,
                          .fault = fault,
                          .ctx = run };
    rc = format_csv.read(r);
    buf_addc(&run->out, '\0');
    input_release(&run->input);
    return rc;
}

static void release(struct run *run)
{
    arena_release(&run->reader.arena);
    arena_release(&run->names);
    buf_release(&run->out);
}

/* ---- cases --------------------------------------------------------------- */

/* The designator lets the fields at the end be left out. */
#define AT .line = __LINE__

static struct csv_case {
    int line; /* in this file */
    const char *name, *in, *wants;
    const char *out;     /* cells joined by |, rows ended by /; faults */
    const char *options; /* delimiter, quote, h for no header */
    bool places;
} cases[] = {
    /* rows and fields */
    { AT, "no final newline", "a;b\n1;2", "a,b", "1|2/" },
    { AT, "a short last row without a line end is cut", "a;b;c\n1;2;3\n4;5",
      "a",
      "1/!file-truncated@3:1(the last row has 2 of 3 fields and no line "
      "end)/" },
    { AT, "so is one that ends at a delimiter", "a;b;c\n1;2;3\n4;", "a",
      "1/!file-truncated@3:1(the last row has 2 of 3 fields and no line "
      "end)/" },
    { AT, "windows line ends", "a;b\r\n1;2\r\n", "a,b", "1|2/" },
    { AT, "mac line ends", "a;b\r1;2\r3;4\r", "a,b", "1|2/3|4/" },
    { AT, "mixed line ends", "a\r1\n2\r\n3\r4", "a", "1/2/3/4/" },
    { AT, "quoted delimiter", "a;b\n\"1;5\";2\n", "a,b", "1;5|2/" },
    { AT, "doubled quotes", "a;b\n\"say \"\"hi\"\"\";\"\"\"\"\n", "a,b",
      "say \"hi\"|\"/" },
    { AT, "line break in a field", "a;b\n\"1\n2\";3\n", "a,b", "1\n2|3/" },
    { AT, "CRLF in a field stays", "a;b\r\n\"1\r\n2\";3\r\n", "a,b",
      "1\r\n2|3/" },
    { AT, "empty fields", "a;b\n;\n\"\";\n", "a,b", "|/|/" },
    { AT, "an empty field ends the file", "a;b\n1;", "a,b", "1|/" },
    { AT, "blanks and tabs stay", "a;b\n 1 ;\t2\t\n", "a,b", " 1 |\t2\t/" },
    { AT, "blanks in quotes stay", "a\n\" \"\" x \"\n", "a", " \" x /" },
    { AT, "empty lines are no rows", "\n\r\na\n\n1\n\n\r\n2\n\n", "a", "1/2/" },
    { AT, "empty lines in quotes are text", "a\n\"1\n\n\n2\"\n", "a",
      "1\n\n\n2/" },
    { AT, "a blank line with a blank is a row", "a\n \n", "a", " /" },
    { AT, "letters of two bytes", "ž;š\nčč;ďď\n", "š,ž", "ďď|čč/" },
    { AT, "the end mark of DOS", "a\n1\n\x1a", "a", "1/" },
    { AT, "only a header", "a;b\n", "a", "" },
    { AT, "Excel's line sep= is no row", "sep=;\r\na;b\r\n1;2\r\n", "a", "1/" },
    { AT, "sep= in quotes and capitals", "\"SEP=;\"\na;b\n1;2\n", "a", "1/" },
    { AT, "sep= that disagrees", "sep=,\na;b\n1;2\n", "a",
      "!csv-sep@1:1(,,;)/" },
    { AT, "a column called sep=", "sep=x;b\n1;2\n", "b", "2/" },
    { AT, "sep= below the first line is a row", "a;b\nsep=;\n", "a", "sep=/" },
    { AT, "nothing but line ends", "\n\n", "a", "!file-empty@0:0/" },

    /* columns */
    { AT, "only wanted columns, in the map's order", "a;b;c\n1;2;3\n", "c,a",
      "3|1/" },
    { AT, "one column wanted twice", "a;b\n1;2\n", "b,[2],b", "2|2|2/" },
    { AT, "a glob takes several", "x:1;a;x:2\n1;2;3\n", "x:*,a", "1|3|2/" },
    { AT, "a glob may fit nothing", "a\n1\n", "a,x*", "1/" },
    { AT, "a header with blanks around it", " a ;b\n1;2\n", "a", "1/" },
    { AT, "an exact header comes before a trimmed one", " a ;a\n1;2\n", "a",
      "2/" },
    { AT, "a quoted header", "\"a\"\"b\";\"c\"\n1;2\n", "a\"b,c", "1|2/" },
    { AT, "missing columns are all told", "aa;b\n1;2\n", "ab,b,cc",
      "!csv-no-column@1:1(ab,; did you mean aa?)/"
      "!csv-no-column@1:1(cc,)/" },
    { AT, "a wrong delimiter is suspected, once", "x,y\n1,2\n", "b,c,[2]",
      "!csv-no-column@1:1(b,; all of it is one column, perhaps its delimiter "
      "is not ;)/" },
    { AT, "a column named twice", "a;b;a\n", "a",
      "!csv-twice@1:1(a,[1] or [3])/" },
    { AT, "twice, but unwanted", "a;b;a\n1;2;3\n", "b", "2/" },
    { AT, "a place past the end", "a;b\n", "[3]", "!csv-no-place@1:1(3,2)/" },

    /* rows of another length */
    { AT, "a short and a long row", "a;b\n1\n3;4\n5;6;7\n", "a,b",
      "?csv-ragged@2:1(1,2)/3|4/?csv-ragged@4:1(3,2)/" },
    { AT, "header and rows end with a delimiter", "a;b;\n1;2;\n", "a,b",
      "1|2/" },
    { AT, "only the header does", "a;b;\n1;2\n3;4;\n", "a,b,[3]",
      "1|2|/3|4|/" },
    { AT, "only the rows do", "a;b\n1;2;\n", "a,b", "1|2/" },
    { AT, "a named field behind the end is none of it", "a;b\n1;2;3\n", "a",
      "?csv-ragged@2:1(3,2)/" },
    { AT, "an unnamed column with a value", "a;\n1;2\n", "a,[2]", "1|2/" },
    { AT, "two extra delimiters are too many", "a;b\n1;2;;\n", "a",
      "?csv-ragged@2:1(4,2)/" },

    /* no header */
    { AT, "places without header", "1;2;3\n4;5;6\n", "[3],[1]", "3|1/6|4/",
      ";\"h" },
    { AT, "the first row counts", "1;2\n3\n4;5\n", "[1]",
      "1/?csv-ragged-first@2:1(1,2)/4/", ";\"h" },
    { AT, "names need a header", "1;2\n", "a",
      "!csv-no-column@1:1(a,; the map says header no: name columns by their "
      "place, like [3])/",
      ";\"h" },
    { AT, "a place past the first row", "1;2\n", "[1],[3]",
      "!csv-no-place@1:1(3,2)/", ";\"h" },

    /* dialects */
    { AT, "comma", "a,b\n\"1,5\",2\n", "a,b", "1,5|2/", ",\"" },
    { AT, "tab", "a\tb\n 1\t\t\n", "a,b", " 1|/", "\t\"" },
    { AT, "blank", "a b\n1  \n\" \" 2\n", "a,b", "1|/ |2/", " \"" },
    { AT, "single quote", "a;b\n'1;''';\"2\"\n", "a,b", "1;'|\"2\"/", ";'" },
    { AT, "no quotes at all", "a;b\n\"1;5\" disk\n", "a,b", "\"1|5\" disk/",
      ";0" },

    /* quotes in wrong places */
    { AT, "a quote never closes", "a;b\n1;2\n3;\"4\n5;6\n", "a",
      "1/!csv-open-quote@3:3/" },
    { AT, "the last row is cut in a quote", "a;b\n1;\"\"\"x", "a",
      "!csv-open-quote@2:3/" },
    { AT, "text behind a closing quote", "a;b\n1;\"é\"x\n", "a",
      "!csv-quote@2:5/" },
    { AT, "a blank behind a closing quote", "a;b\n\"1\" ;2\n", "a",
      "!csv-quote@2:3/" },
    { AT, "a quote in a field", "a;b\n1;2\né5\" disk;1\n", "a",
      "1/!csv-quote@3:3/" },
    { AT, "a blank before a quote", "a;b\n1; \"2\"\n", "a", "!csv-quote@2:4/" },
    { AT, "a stray quote on a later line of the row",
      "a;b\n\"1\n2\";\"3\nx\"y\n", "a", "!csv-quote@4:2/" },
    { AT, "a quote in the header", "a\"b\n", "a", "!csv-quote@1:2/" },

    /* places */
    { AT, "places of cells", "a;b\nčé;ž\n\n1;\"2\"\n", "a,b",
      "čé@2:1|ž@2:4/1@4:1|2@4:3/", ";\"", true },
    { AT, "places behind line breaks", "a;b;c\r\n\"1\r\n\r\nx;\";2;3\r\n4;5;6",
      "b,c", "2@4:5|3@4:7/5@5:3|6@5:5/", ";\"", true },
    { AT, "an old Mac's lines count", "a;b\r1;2\r\"x\ry\";4\r5;6", "b",
      "2@2:3/4@4:4/6@5:3/", ";\"", true },
    { AT, "quotes inside do not mislead", "a;b\n\"x\"\";\"\"\";y\n", "b",
      "y@2:10/", ";\"", true },
};

static void set_options(struct run *run, const struct csv_case *c)
{
    if (!c->options)
        return;
    run->opts[0].text = (struct str){ c->options, 1 };
    run->opts[1].text = (struct str){ c->options + 1, 1 };
    if (c->options[1] == '0')
        run->opts[1].text = STR("none");
    run->opts[2].yes = c->options[2] != 'h';
}

static void test_case(void **state)
{
    static const size_t pieces[] = { 1, 2, 3, 5, INPUT_CHUNK };
    const struct csv_case *c = *state;
    static struct run run;

    for (size_t i = 0; i < COUNT(pieces); i++) {
        prepare(&run, c->wants);
        set_options(&run, c);
        run.places = c->places;
        run.file.text = str_of(c->in);
        run.file.piece = pieces[i];
        read_file(&run, NULL);
        if (strcmp(run.out.p, c->out) != 0)
            fail_msg("%s:%d: in pieces of %zu: got %s", __FILE__, c->line,
                     pieces[i], run.out.p);
        release(&run);
    }
}

/* ---- limits -------------------------------------------------------------- */

static struct limit_case {
    int line;
    const char *name, *head, *fill; /* fill: repeated without end */
    const char *out;
    enum limit_id limit;
    uint64_t value; /* 0: the default */
} limit_cases[] = {
    { __LINE__, "a header without end", "", "x",
      "!limit@1:1(the row,4194304,csv-record)/", 0, 0 },
    { __LINE__, "a row without end", "a\n1\n", "x",
      "1/!limit@3:1(the row,4194304,csv-record)/", 0, 0 },
    { __LINE__, "a field in quotes without end", "a\n1\n\"", "x",
      "1/!limit@3:1(a quote opens here and does not close; the row,4194304,"
      "csv-record)/",
      0, 0 },
    { __LINE__, "lines in quotes without end", "a\n1\n\"", "x\n",
      "1/!limit@3:1(a quote opens here and does not close; the number of line "
      "breaks behind it,10000,csv-breaks)/",
      0, 0 },
    { __LINE__, "quotes without end", "a\n1\n\"", "\"\"",
      "1/!limit@3:1(the row,4194304,csv-record)/", 0, 0 },
    { __LINE__, "columns without end", "a\n1\n", ";",
      "1/!limit@3:1(the row,4194304,csv-record)/", 0, 0 },
    { __LINE__, "too many columns", "a\n", ";;;;;;;;;\n",
      "!limit@2:1(the number of columns,9,csv-columns)/", LIMIT_CSV_COLUMNS,
      9 },
    { __LINE__, "too many columns in a header", "a;b;c\n", "\n",
      "!limit@1:1(the number of columns,2,csv-columns)/", LIMIT_CSV_COLUMNS,
      2 },
    { __LINE__, "a field too long", "a\n1\n", "\"éxx;xx\"\n",
      "1/!limit@3:1(the field,6,csv-field)/", LIMIT_CSV_FIELD, 6 },
    { __LINE__, "rows without end", "a\n", "1\n",
      "1/1/1/!limit@5:1(the number of rows,3,records)/", LIMIT_RECORDS, 3 },
    { __LINE__, "a row longer than a small limit", "a\n", "123456789\n",
      "!limit@2:1(the row,5,csv-record)/", LIMIT_CSV_RECORD, 5 },
};

static void test_limit(void **state)
{
    const struct limit_case *c = *state;
    static struct run run;

    prepare(&run, "[1]");
    if (c->value)
        run.limits.v[c->limit] = c->value;
    run.file.text = str_of(c->head);
    run.file.fill = str_of(c->fill);
    run.file.n_fill = MB(100);
    assert_int_equal(read_file(&run, NULL), -1);
    if (strcmp(run.out.p, c->out) != 0)
        fail_msg("%s:%d: got %s", __FILE__, c->line, run.out.p);
    assert_in_range(run.file.n_pulled, 0, MB(5));
    assert_in_range(run.reader.arena.used + run.names.used, 0, KB(200));
    release(&run);
}

/* ---- single facts -------------------------------------------------------- */

static void test_stop(void **state)
{
    static struct run run;

    (void)state;
    prepare(&run, "a");
    run.file.text = STR("a\n1\n2\n3\n");
    run.stop_after = 2;
    assert_int_equal(read_file(&run, NULL), 7);
    assert_string_equal(run.out.p, "1/2/");
    assert_int_equal(run.reader.n_records, 2);
    release(&run);
}

/* The language's checker tells these first; the reader must not crash. */
static void test_bad_options(void **state)
{
    static const struct {
        struct str delimiter, quote;
    } bad[] = { { { "ab", 2 }, { "\"", 1 } },   { { "§", 2 }, { "\"", 1 } },
                { { "", 0 }, { "\"", 1 } },     { { "\n", 1 }, { "\"", 1 } },
                { { "none", 4 }, { "\"", 1 } }, { { ";", 1 }, { ";", 1 } },
                { { ";", 1 }, { "ab", 2 } } };
    static struct run run;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        prepare(&run, "a");
        run.file.text = STR("a;b\n");
        run.opts[0].text = bad[i].delimiter;
        run.opts[1].text = bad[i].quote;
        assert_int_equal(read_file(&run, NULL), -1);
        assert_true(str_starts(buf_str(&run.out), STR("!option-value@0:0")));
        release(&run);
    }
}

static void test_trim(void **state)
{
    static struct run run;

    (void)state;
    prepare(&run, "a,b");
    run.file.text = STR("a;b\n 1 ;\"\t2\"\" \"\n");
    run.trim = true;
    assert_int_equal(read_file(&run, NULL), 0);
    assert_string_equal(run.out.p, "1|2\"/");
    release(&run);
}

static void test_input_fault(void **state)
{
    static struct run run;

    (void)state;
    prepare(&run, "a");
    run.file.text = STR("a\n1\n\xff\n");
    assert_int_equal(read_file(&run, NULL), -1);
    assert_non_null(strstr(run.out.p, "!charset-"));
    assert_non_null(strstr(run.out.p, "@3:1"));
    release(&run);
}

/* Each row has the whole limit for itself, each field its line breaks. */
static void test_limits_begin_anew(void **state)
{
    static struct run run;

    (void)state;
    prepare(&run, "[1]");
    run.file.text = STR("a;b\n");
    run.file.fill = STR("\"\"\"\n\n\"\"\";\"\n\n\"\n");
    run.file.n_fill = 100 * run.file.fill.len;
    run.limits.v[LIMIT_CSV_RECORD] = run.file.fill.len;
    run.limits.v[LIMIT_CSV_BREAKS] = 2;
    assert_int_equal(read_file(&run, NULL), 0);
    assert_int_equal(run.out.len, 100 * strlen("\"\n\n\"/") + 1);
    for (size_t i = 0; i < 100; i++)
        assert_memory_equal(run.out.p + 5 * i, "\"\n\n\"/", 5);
    release(&run);
}

static void test_titles(void **state)
{
    static struct run run;

    (void)state;
    prepare(&run, "Image*,a");
    run.file.text = STR("a;Image2; Image1\n");
    assert_int_equal(read_file(&run, NULL), 0);
    assert_int_equal(run.wants[0].n_cells, 2);
    assert_true(str_is(run.reader.titles[run.wants[0].cells[0]], "Image2"));
    assert_true(str_is(run.reader.titles[run.wants[0].cells[1]], " Image1"));
    assert_true(str_is(run.reader.titles[run.wants[1].cells[0]], "a"));
    release(&run);
}

static void test_ragged_keeps_no_memory(void **state)
{
    static struct run run;

    (void)state;
    prepare(&run, "a");
    run.file.text = STR("a\n");
    run.file.fill = STR("12;345\n");
    run.file.n_fill = 7 * 100000;
    run.out.max = 256; /* the list of faults is not what is tested */
    assert_int_equal(read_file(&run, NULL), 0);
    assert_int_equal(run.reader.n_records, 100000);
    assert_in_range(run.reader.arena.used, 0, 1024);
    release(&run);
}

/* Where rows stand in the file, byte by byte. */
static struct str raw_of[8];
static size_t n_raw;

static int sink_raw(void *ctx, struct item *item)
{
    struct run *run = ctx;

    raw_of[n_raw++] =
        str_first(str_from(run->file.text, item->raw_offset), item->raw_len);
    return 0;
}

static void check_raw(const char *charset, struct str file, struct str first,
                      struct str second)
{
    static struct run run;
    const struct charset *cs = charset ? charset_find(str_of(charset)) : NULL;
    struct reader *r = &run.reader;

    prepare(&run, "[1]");
    n_raw = 0;
    run.file.text = file;
    run.file.piece = 7;
    open_input(&run, cs);
    *r = (struct reader){ .format = &format_csv,
                          .opts = run.opts,
                          .plan = &run.plan,
                          .in = &run.input,
                          .limits = &run.limits,
                          .names = &run.names,
                          .sink = sink_raw,
                          .fault = fault,
                          .ctx = &run };
    assert_int_equal(format_csv.read(r), 0);
    assert_int_equal(n_raw, 2);
    assert_true(str_eq(raw_of[0], first));
    assert_true(str_eq(raw_of[1], second));
    input_release(&run.input);
    release(&run);
}

static void test_raw_utf8(void **state)
{
    (void)state;
    check_raw(NULL, STR("\xef\xbb\xbfž;b\r\n\n\"č\n\";2\r\nřř;4"),
              STR("\"č\n\";2"), STR("řř;4"));
}

static void test_raw_8bit(void **state)
{
    (void)state;
    check_raw("windows-1250", STR("a\r\n\xe8\xf8\r\n\r\n\x9a\n"),
              STR("\xe8\xf8"), STR("\x9a"));
}

static void test_raw_utf16(void **state)
{
    (void)state;
    check_raw("UTF-16",
              STR("\xff\xfe"
                  "a\0\r\0\n\0\x0d\x01x\0\r\0\n\0"
                  "2\0"),
              STR("\x0d\x01x\0"), STR("2\0"));
}

/* ---- against libcsv itself ----------------------------------------------- */

struct oracle {
    struct buf out, row;
    size_t n_first, n_fields;
    bool last_empty;
};

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static void oracle_field(void *text, size_t len, void *ctx)
{
    struct oracle *o = ctx;

    if (o->n_first == 0 || o->n_fields < o->n_first) {
        buf_addz(&o->row, o->n_fields ? "|" : "");
        buf_add(&o->row, (struct str){ text, len });
    }
    o->n_fields++;
    o->last_empty = len == 0;
}

static void oracle_row(int c, void *ctx)
{
    struct oracle *o = ctx;

    if (o->n_first == 0)
        o->n_first = o->n_fields;
    if (c == -1 && o->n_fields < o->n_first) /* it has no line end */
        buf_addc(&o->out, '!');
    if (o->n_fields == o->n_first ||
        (o->n_fields == o->n_first + 1 && o->last_empty)) {
        buf_add(&o->out, buf_str(&o->row));
        buf_addc(&o->out, '/');
    }
    buf_clear(&o->row);
    o->n_fields = 0;
}

static void ask_oracle(struct oracle *o, struct str in)
{
    struct csv_parser p;

    csv_init(&p, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_delim(&p, ';');
    csv_set_space_func(&p, no_space);
    if (csv_parse(&p, in.p, in.len, oracle_field, oracle_row, o) != in.len ||
        csv_fini(&p, oracle_field, oracle_row, o) != 0)
        buf_addc(&o->out, '!');
    csv_free(&p);
}

/* Faults as the oracle knows them: rows of another length are not told. */
static void fault_short(void *ctx, enum diag_id id, bool fatal, uint32_t line,
                        uint32_t col, const struct str *args, size_t n)
{
    struct run *run = ctx;

    (void)line, (void)col, (void)args, (void)n;
    assert_true(!fatal || id == DIAG_CSV_QUOTE || id == DIAG_CSV_OPEN_QUOTE ||
                id == DIAG_CSV_SEP || id == DIAG_FILE_EMPTY ||
                id == DIAG_FILE_TRUNCATED);
    if (fatal)
        buf_addc(&run->out, '!');
}

static void compare(struct str in, size_t piece)
{
    static struct run run;
    struct oracle o = { 0 };
    char wants[256] = "";
    struct reader *r = &run.reader;

    buf_init(&o.out, 4096);
    buf_init(&o.row, 4096);
    ask_oracle(&o, in);
    for (size_t i = 0; i < o.n_first; i++)
        snprintf(wants + strlen(wants), sizeof(wants) - strlen(wants),
                 "%s[%zu]", i ? "," : "", i + 1);
    prepare(&run, wants);
    run.opts[2].yes = false;
    run.file.text = in;
    run.file.piece = piece;
    open_input(&run, NULL);
    *r = (struct reader){ .format = &format_csv,
                          .opts = run.opts,
                          .plan = &run.plan,
                          .in = &run.input,
                          .limits = &run.limits,
                          .names = &run.names,
                          .sink = sink,
                          .fault = fault_short,
                          .ctx = &run };
    format_csv.read(r);
    if (!str_eq(buf_str(&run.out), buf_str(&o.out)))
        fail_msg("%.*s\n gives %.*s\n, libcsv %.*s", STR_ARGS(in),
                 STR_ARGS(buf_str(&run.out)), STR_ARGS(buf_str(&o.out)));
    input_release(&run.input);
    buf_release(&o.out);
    buf_release(&o.row);
    release(&run);
}

static void test_oracle(void **state)
{
    static const char *const bits[] = { ";",     ";",   "\"",  "\"",
                                        "\";\"", "\n",  "\r",  "\r\n",
                                        " ",     "\t",  "a",   "é",
                                        "\"\"",  "\";", ";\"", "bcdefgh" };
    uint32_t seed = 20261121;

    (void)state;
    for (int i = 0; i < 30000; i++) {
        char text[128] = "a";
        size_t n = 1;

        for (int k = 0; k < 1 + i % 14; k++) {
            const char *bit;

            seed = seed * 1664525 + 1013904223;
            bit = bits[(seed >> 16) % COUNT(bits)];
            memcpy(text + n, bit, strlen(bit));
            n += strlen(bit);
        }
        compare((struct str){ text, n }, 1 + (seed >> 8) % 9);
    }
}

static void test_sniff(void **state)
{
    (void)state;
    assert_int_equal(format_csv.sniff(STR("<?xml version")), 0);
    assert_int_equal(format_csv.sniff(STR("PK\3\4\0\0")), 0);
    assert_true(format_csv.sniff(STR("code;date\n1;2\n")) >
                format_csv.sniff(STR("one line, of text\n")));
}

static const struct CMUnitTest facts[] = {
    cmocka_unit_test(test_stop),
    cmocka_unit_test(test_bad_options),
    cmocka_unit_test(test_trim),
    cmocka_unit_test(test_input_fault),
    cmocka_unit_test(test_limits_begin_anew),
    cmocka_unit_test(test_titles),
    cmocka_unit_test(test_ragged_keeps_no_memory),
    cmocka_unit_test(test_raw_utf8),
    cmocka_unit_test(test_raw_8bit),
    cmocka_unit_test(test_raw_utf16),
    cmocka_unit_test(test_oracle),
    cmocka_unit_test(test_sniff),
};

int main(void)
{
    struct CMUnitTest tests[COUNT(cases) + COUNT(limit_cases) + COUNT(facts)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(limit_cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_limit, &limit_cases[i]);
    for (size_t i = 0; i < COUNT(facts); i++)
        tests[n++] = facts[i];
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
