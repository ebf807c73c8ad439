/*
 * t_cut.c - copying some records out of a file: whatever the charset and
 * wherever the pieces of the file end, reading the copy gives exactly those.
 */
#include "tests/unit/unit.h"

#include "converters/base/utf8.h"
#include "tests/unit/xml_run.h"

struct picked {
    const struct str file;
    unsigned records; /* bit per record */
    unsigned n;       /* asked so far */
    uint64_t end;     /* of what was copied */
    struct buf copy;
};

static bool wants(void *ctx, uint64_t offset)
{
    struct picked *p = ctx;

    (void)offset;
    return p->records >> p->n++ & 1;
}

static void add(void *ctx, uint64_t from, uint64_t to)
{
    struct picked *p = ctx;

    if (to == UINT64_MAX)
        to = p->file.len;
    assert_true(from >= p->end && to >= from && to <= p->file.len);
    (void)buf_add(&p->copy, str_first(str_from(p->file, from), to - from));
    p->end = to;
}

/* The text in a charset. The head of a file is read at once, so there is a
 * long comment in its second line. */
static void in_charset(struct buf *to, const char *text,
                       const struct charset *cs)
{
    size_t line = (size_t)(strchr(text, '\n') - text) + 1;
    struct buf padded;
    struct str s;

    buf_init(&padded, KB(64));
    (void)buf_add(&padded, str_first(str_of(text), line));
    (void)buf_addf(&padded, "<!-- %9000d -->", 0);
    (void)buf_addz(&padded, text + line);
    s = buf_str(&padded);
    (void)buf_add(to, charset_bom(cs));
    for (size_t pos = 0; pos < s.len;)
        assert_true(charset_put(cs, (uint32_t)utf8_next(s, &pos), to));
    buf_release(&padded);
}

/* ---- XML ---------------------------------------------------------------- */

static const char xml[] =
    "<?xml version=\"1.0\"?>\n<!-- š <r> -->\n"
    "<p:a xmlns:p=\"urn:p\" k='>'>\r\n<h>Ž</h>"
    "<b n='1'><i>č</i><r>1</r><!-- x --><r>2ř</r></b>\n"
    "<b n='2'/><b n='3'> <j/> <r>3<r>in</r></r>\n</b><?pi x?>"
    "<b n='4'><r/><r>5</r><z/></b>\n</p:a>\n<!-- end -->\n";

/* The records of a file, and what stands around each, as one line. */
static void read_xml(struct run *run, struct str text, size_t head,
                     const struct charset *cs, const struct cut *cut)
{
    struct setup set = { .record = "/p:a/b/r",
                         .wants = ".",
                         .root = "p:a/@k p:a/h p:a/b/@n p:a/b/i",
                         .cs = cs };

    *run = (struct run){ .text = text, .head = head, .cut = cut };
    limits_default(&set.limits);
    buf_init(&run->out, KB(64));
    assert_int_equal(run_reader(run, &set), 0);
}

/* Lines of those records only. */
static void only(struct buf *to, struct str all, unsigned records)
{
    for (unsigned i = 0; all.len; i++) {
        size_t n = (size_t)str_find_char(all, '|') + 1;

        if (records >> i & 1)
            (void)buf_add(to, str_first(all, n));
        all = str_from(all, n);
    }
}

static void check_xml(struct str file, size_t head, const struct charset *cs,
                      unsigned records)
{
    struct picked p = { .file = file, .records = records };
    const struct cut cut = { wants, add, &p };
    static struct run all, copied;
    struct buf expected;

    buf_init(&p.copy, KB(64));
    buf_init(&expected, KB(64));
    read_xml(&all, file, head, cs, &cut);
    assert_int_equal(p.n, 5);
    only(&expected, buf_str(&all.out), records);
    read_xml(&copied, buf_str(&p.copy), SIZE_MAX, cs, NULL);
    assert_true(str_eq(buf_str(&copied.out), buf_str(&expected)));
    buf_release(&all.out);
    buf_release(&copied.out);
    buf_release(&expected);
    buf_release(&p.copy);
}

static const char *const charset_names_used[] = { "UTF-8", "windows-1250",
                                                  "UTF-16" };

static void copied_xml_is_those_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(charset_names_used); i++) {
        const struct charset *cs = charset_find(str_of(charset_names_used[i]));
        struct buf file;

        buf_init(&file, KB(64));
        in_charset(&file, xml, cs);
        for (unsigned records = 1; records < 32; records++) {
            check_xml(buf_str(&file), SIZE_MAX, cs, records);
            check_xml(buf_str(&file), 0, cs, records);
        }
        buf_release(&file);
    }
}

static void all_of_an_xml_file_is_the_file(void **state)
{
    struct picked p = { .file = str_of(xml), .records = ~0u };
    const struct cut cut = { wants, add, &p };
    static struct run run;

    (void)state;
    buf_init(&p.copy, KB(64));
    read_xml(&run, p.file, SIZE_MAX, &charset_utf8, &cut);
    (void)buf_addc(&p.copy, '\0');
    /* But for what is no element around a record. */
    assert_non_null(strstr(p.copy.p,
                           "<h>Ž</h><b n='1'><i>č</i><r>1</r><r>2ř</r></b>"
                           "<b n='3'> <j/> <r>3<r>in</r></r>\n</b>"
                           "<b n='4'><r/><r>5</r></b>\n</p:a>\n"
                           "<!-- end -->\n"));
    buf_release(&p.copy);
    buf_release(&run.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copied_xml_is_those_records),
        cmocka_unit_test(all_of_an_xml_file_is_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
