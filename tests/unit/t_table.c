/*
 * t_table.c - converters/lang/table*.c: what a table makes of a value, and
 * which mistakes in its lines are reported.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/lang/run.h"
#include "converters/lang/table.h"

#define KINDS                    \
    "table t\n"                  \
    "  SHIPPING*  = shipping\n"  \
    "  \"DISC*\"    = literal\n" \
    "  DISCOUNT*= discount\n"
#define RATES              \
    "table t\n"            \
    "  21   = high\n"      \
    "  12.50 = low\n"      \
    "  0    = none\n"      \
    "  \"\"   = no rate\n" \
    "  \"7\"  = quoted\n"  \
    "  021  = code\n"      \
    "  *    = error \"no VAT class\"\n"

static struct table_case {
    int line;
    const char *name;
    const char *table, *key; /* "#21.00": a number; "?yes": yes or no */
    const char *want, *fault;
} cases[] = {
    { __LINE__, "an exact key", "table t\n  a = x\n  b = y\n", "b", "y", NULL },
    { __LINE__, "a glob", KINDS, "SHIPPING21", "shipping", NULL },
    { __LINE__, "a glob is the whole text", KINDS, "XSHIPPING", "",
      "table-key" },
    { __LINE__, "a glob without a blank before =", KINDS, "DISCOUNT1",
      "discount", NULL },
    { __LINE__, "a quoted key is no glob", KINDS, "DISC*", "literal", NULL },
    { __LINE__, "the first that fits: a glob before a key",
      "table t\n  a* = glob\n  ab = key\n", "ab", "glob", NULL },
    { __LINE__, "the first that fits: a key before a glob",
      "table t\n  ab = key\n  a* = glob\n", "ab", "key", NULL },
    { __LINE__, "an unknown key", KINDS, "x", "", "table-key" },
    { __LINE__, "case counts", KINDS, "shipping1", "", "table-key" },
    { __LINE__, "an empty value fits the empty key", RATES, "", "no rate",
      NULL },
    { __LINE__, "an empty value fits *", "table t\n  a = x\n  * = y\n", "", "y",
      NULL },
    { __LINE__, "an empty value without an entry stays empty", KINDS, "", "",
      NULL },
    { __LINE__, "a number by value", RATES, "#21.00", "high", NULL },
    { __LINE__, "a number with digits behind the point", RATES, "#12.5", "low",
      NULL },
    { __LINE__, "a text by its value in this map", RATES, "21,00", "high",
      NULL },
    { __LINE__, "zero by value", RATES, "0,00", "none", NULL },
    { __LINE__, "leading zeros make a code", RATES, "021", "code", NULL },
    { __LINE__, "a text with leading zeros is no number", RATES, "0021", "",
      "table-error" },
    { __LINE__, "a quoted number is a text", RATES, "#7.0", "", "table-error" },
    { __LINE__, "a quoted number as it is", RATES, "7", "quoted", NULL },
    { __LINE__, "yes and no", "table t\n  yes = 1\n  no = 0\n", "?yes", "1",
      NULL },
    { __LINE__, "pass", "table t\n  a = b\n  * = pass\n", "other", "other",
      NULL },
    { __LINE__, "pass keeps a number's digits", "table t\n  * = pass\n",
      "#1.50", "1,50", NULL },
    { __LINE__, "empty", "table t\n  a = empty\n", "a", "", NULL },
    { __LINE__, "a quoted word is a text", "table t\n  a = \"pass\"\n", "a",
      "pass", NULL },
    { __LINE__, "error", RATES, "19", "", "table-error" },
    { __LINE__, "a setting", "table t\n  a = $code\n", "a", "77", NULL },
    { __LINE__, "a number has the map's decimal sign", "table t\n  a = 12.5\n",
      "a", "12,5", NULL },
    { __LINE__, "a text keeps its dot", "table t\n  a = \"12.5\"\n", "a",
      "12.5", NULL },
    { __LINE__, "a code keeps its zeros", "table t\n  a = 007\n", "a", "007",
      NULL },
    { __LINE__, "blanks inside keys and values",
      "table t\n  open order  =  in  work\n", "open order", "in  work", NULL },
    { __LINE__, "quotes inside quotes", "table t\n  \"5\"\" disk\" = a\n",
      "5\" disk", "a", NULL },
    { __LINE__, "= inside a quoted key", "table t\n  \"a=b\" = c\n", "a=b", "c",
      NULL },
    { __LINE__, "a comment", "table t\n  a = b   # c = d\n", "a", "b", NULL },
    { __LINE__, "the first of two equal keys", "table t\n  a = b\n  a = c\n",
      "a", "b", NULL },
};

/* What is reported, by names in their order. */
static struct parse_case {
    int line;
    const char *name, *table, *want;
} parses[] = {
    { __LINE__, "a good table", RATES, "" },
    { __LINE__, "no block", "table t\n", "empty-block" },
    { __LINE__, "no =", "table t\n  a b\n", "syntax" },
    { __LINE__, "no key", "table t\n  = b\n", "syntax" },
    { __LINE__, "no value", "table t\n  a =\n", "syntax" },
    { __LINE__, "an open quote", "table t\n  \"a = b\n", "open-string" },
    { __LINE__, "text behind a quote", "table t\n  a = \"b\" c\n",
      "unknown-clause" },
    { __LINE__, "error without text", "table t\n  a = error b\n", "syntax" },
    { __LINE__, "an unknown setting", "table t\n  a = $coed\n",
      "unknown-setting" },
    { __LINE__, "a key twice", "table t\n  a = b\n  a = c\n",
      "table-key-twice" },
    { __LINE__, "a glob twice", "table t\n  a* = b\n  a* = c\n",
      "table-key-twice" },
    { __LINE__, "a quoted star is another key",
      "table t\n  * = b\n  \"*\" = c\n", "" },
    { __LINE__, "a block below an entry", "table t\n  a = b\n    c = d\n",
      "no-block" },
    { __LINE__, "mistakes are reported together", "table t\n  a\n  b\n",
      "syntax syntax" },
    { __LINE__, "a file out of the folder",
      "table t from \"../units.csv\" key 1 value 2\n", "table-file" },
    { __LINE__, "a hidden file", "table t from \".units\" key 1 value 2\n",
      "table-file" },
    { __LINE__, "a file that is not there",
      "table t from \"none.csv\" key 1 value 2\n", "table-file" },
    { __LINE__, "a file without columns", "table t from \"units.csv\"\n",
      "syntax" },
    { __LINE__, "column 0", "table t from \"units.csv\" key 0 value 2\n",
      "syntax" },
    { __LINE__, "a file without quotes",
      "table t from units.csv key 1 value 2\n", "syntax" },
};

struct world {
    struct arena arena;
    struct map map;
    struct limits limits;
    struct diags diags;
    struct setting code;
    struct str settings[1];
    struct run_info info;
    struct run run;
    struct table table;
    int n_faults;
    enum diag_id fault;
    struct str args[DIAG_ARGS];
};

static void raise_fault(void *ctx, const struct fault *f)
{
    struct world *w = ctx;

    w->n_faults++;
    w->fault = f->id;
    memcpy(w->args, f->args, sizeof(w->args));
}

static bool world_init(struct world *w, const char *text, const char *folder)
{
    struct source src = { .name = STR("t.map"), .text = str_of(text) };
    struct oline *top;

    *w = (struct world){ .code = { .name = STR("code") },
                         .settings = { STR("77") } };
    w->map.settings = &w->code;
    w->map.src = arena_alloc(&w->arena, sizeof(src));
    memcpy((void *)(uintptr_t)w->map.src, &src, sizeof(src));
    w->map.num = (struct numfmt){ ',', STR(" ") };
    w->info.limits = &w->limits;
    w->info.settings = w->settings;
    w->run = (struct run){ .map = &w->map,
                           .a = &w->arena,
                           .info = &w->info,
                           .raise = raise_fault,
                           .ctx_of = w };
    limits_default(&w->limits);
    diags_init(&w->diags, &w->arena, 0);
    outline_parse(&w->arena, w->map.src, &w->limits, &w->diags, &top);
    w->table.name = STR("t");
    return table_parse(&w->map, top, str_of(folder), &w->limits, &w->table,
                       &w->diags);
}

static void world_release(struct world *w)
{
    arena_release(&w->arena);
    arena_release(&w->map.arena);
}

static struct val key_value(const char *key)
{
    struct val v = val_text(str_of(key));

    if (str_starts(v.s, STR("#"))) {
        v.kind = V_DEC;
        v.s = str_from(v.s, 1);
    }
    if (str_starts(v.s, STR("?")))
        v = val_bool(strcmp(key, "?yes") == 0);
    return v;
}

static void test_case(void **state)
{
    const struct table_case *c = *state;
    struct val in = key_value(c->key), out;
    struct str got = STR("");
    struct world w;
    bool ok;

    assert_true(world_init(&w, c->table, ""));
    ok = table_apply(&w.run, (struct place){ 0 }, &w.table, &in, &out);
    if (ok)
        got = val_str(&w.run, &out);
    if (ok != !c->fault || !str_is(got, c->want) || w.n_faults != !ok ||
        (c->fault && strcmp(diag_table[w.fault].name, c->fault) != 0))
        fail_msg("%s:%d: \"%.*s\", %d faults, the last %s", __FILE__, c->line,
                 STR_ARGS(got), w.n_faults,
                 w.n_faults ? diag_table[w.fault].name : "none");
    world_release(&w);
}

static void test_parse(void **state)
{
    const struct parse_case *c = *state;
    struct world w;
    struct buf got;
    bool ok;

    buf_init(&got, 1000);
    ok = world_init(&w, c->table, "");
    for (const struct diag *d = w.diags.first; d; d = d->next)
        assert_int_equal(
            buf_addf(&got, "%s%s", got.len ? " " : "", diag_table[d->id].name),
            0);
    if (!str_is(buf_str(&got), c->want) || ok != (w.diags.n_errors == 0))
        fail_msg("%s:%d: %.*s", __FILE__, c->line, STR_ARGS(buf_str(&got)));
    buf_release(&got);
    world_release(&w);
}

static void test_faults_say_what_and_where(void **state)
{
    struct val in = val_text(STR("x")), out;
    struct world w;

    (void)state;
    assert_true(world_init(&w, KINDS, ""));
    assert_false(table_apply(&w.run, (struct place){ 0 }, &w.table, &in, &out));
    assert_true(str_is(w.args[0], "x"));
    assert_true(str_is(w.args[1], "t"));
    assert_true(w.run.failed);
    world_release(&w);
    assert_true(world_init(&w, RATES, ""));
    assert_false(table_apply(&w.run, (struct place){ 0 }, &w.table, &in, &out));
    assert_true(str_is(w.args[1], "no VAT class"));
    world_release(&w);
}

static void test_a_result_keeps_the_place(void **state)
{
    struct item row = { 0 };
    struct val in = val_text(STR("a")), out;
    struct world w;

    (void)state;
    in.item = &row;
    in.cell = 3;
    assert_true(world_init(&w, "table t\n  a = b\n", ""));
    assert_true(table_apply(&w.run, (struct place){ 0 }, &w.table, &in, &out));
    assert_ptr_equal(out.item, &row);
    assert_int_equal(out.cell, 3);
    world_release(&w);
}

static void test_a_setting_counts_as_used(void **state)
{
    struct world w;

    (void)state;
    assert_true(world_init(&w, "table t\n  a = $code\n", ""));
    assert_true(w.code.used);
    world_release(&w);
}

static void test_ten_thousand_keys(void **state)
{
    struct world w;
    struct buf text;
    struct val out;

    (void)state;
    buf_init(&text, MB(1));
    assert_int_equal(buf_addz(&text, "table t\n"), 0);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf_addf(&text, "  k%d = v%d\n", i, i), 0);
    assert_int_equal(buf_addc(&text, '\0'), 0);
    assert_true(world_init(&w, text.p, ""));
    for (int i = 0; i < 10000; i += 7) {
        struct val in = val_text(arena_fmt(&w.arena, "k%d", i));

        assert_true(
            table_apply(&w.run, (struct place){ 0 }, &w.table, &in, &out));
        assert_true(str_eq(out.s, arena_fmt(&w.arena, "v%d", i)));
    }
    world_release(&w);
    buf_release(&text);
}

/* ---- from a file -----------------------------------------------------------
 */

static struct file_case {
    int line;
    const char *name, *csv, *table, *key, *want; /* want "!": not loaded */
} files[] = {
    { __LINE__, "semicolons", "kus;Stück;C62\nm;Meter;MTR\n",
      "table t from \"u.csv\" key 1 value 3\n", "m", "MTR" },
    { __LINE__, "commas and a BOM", "\xef\xbb\xbfkus,C62\n",
      "table t from \"u.csv\" key 1 value 2\n", "kus", "C62" },
    { __LINE__, "tabs, and commas in quotes", "\"a,b,c\"\tC62\r\n",
      "table t from \"u.csv\" key 1 value 2\n", "a,b,c", "C62" },
    { __LINE__, "columns the other way round", "kus;C62\n",
      "table t from \"u.csv\" key 2 value 1\n", "C62", "kus" },
    { __LINE__, "numbers by value", "21.0;high\n",
      "table t from \"u.csv\" key 1 value 2\n", "21,00", "high" },
    { __LINE__, "a star in a file is no glob", "a*;b\n",
      "table t from \"u.csv\" key 1 value 2\n  * = other\n", "ab", "other" },
    { __LINE__, "an empty value", "a;\nb;c\n",
      "table t from \"u.csv\" key 1 value 2\n  * = other\n", "a", "" },
    { __LINE__, "a block adds to the file", "a;b\n",
      "table t from \"u.csv\" key 1 value 2\n  c = d\n", "c", "d" },
    { __LINE__, "no such column", "a;b\n",
      "table t from \"u.csv\" key 1 value 5\n", "a", "!" },
    { __LINE__, "not UTF-8", "\xe1;b\n",
      "table t from \"u.csv\" key 1 value 2\n", "a", "!" },
    { __LINE__, "an empty file", "", "table t from \"u.csv\" key 1 value 2\n",
      "a", "!" },
    { __LINE__, "an open quote", "a;\"b\nc;d\n",
      "table t from \"u.csv\" key 1 value 2\n", "a", "!" },
};

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static bool file_result(struct world *w, const struct file_case *c, bool ok)
{
    struct val in = val_text(str_of(c->key)), out;

    if (strcmp(c->want, "!") == 0)
        return !ok && w->diags.first && w->diags.first->id == DIAG_TABLE_FILE;
    return ok &&
           table_apply(&w->run, (struct place){ 0 }, &w->table, &in, &out) &&
           str_is(val_str(&w->run, &out), c->want);
}

static void test_file(void **state)
{
    const struct file_case *c = *state;
    char dir[] = "/tmp/t_table-XXXXXX", path[64], folder[64];
    struct world w;
    struct buf text;
    bool ok;

    assert_non_null(mkdtemp(dir));
    (void)snprintf(folder, sizeof(folder), "%s/", dir);
    (void)snprintf(path, sizeof(path), "%s/u.csv", dir);
    write_file(path, c->csv);
    ok = world_init(&w, c->table, folder);
    (void)unlink(path);
    (void)rmdir(dir);
    buf_init(&text, 10000);
    diags_print(&w.diags, false, &text);
    if (!file_result(&w, c, ok))
        fail_msg("%s:%d: %.*s", __FILE__, c->line, STR_ARGS(buf_str(&text)));
    buf_release(&text);
    world_release(&w);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(cases) + COUNT(parses) + COUNT(files) + 4];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(parses); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_parse, &parses[i]);
    for (size_t i = 0; i < COUNT(files); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_file, &files[i]);
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test(test_faults_say_what_and_where);
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test(test_a_result_keeps_the_place);
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test(test_a_setting_counts_as_used);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_ten_thousand_keys);
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
