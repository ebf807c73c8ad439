/* t_canon.c - what a receiver gets, as text; what of it has changed. */
#include "tests/unit/unit.h"

#include "converters/trade/canon.h"

/* ---- comparing ------------------------------------------------------------
 */

#define X39 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static struct differ_case {
    int line;
    const char *name, *was, *now, *want; /* NULL: they do not differ */
} differs[] = {
    { __LINE__, "the same text", "note \nnote\tx\n", "note \nnote\tx\n", NULL },
    { __LINE__, "a value", "total.gross \ntotal.gross\t100\n",
      "total.gross \ntotal.gross\t120\n", "total.gross 100 -> 120" },
    { __LINE__, "a value of a line",
      "line:sku line:quantity \nline.1.sku\tA\n"
      "line.1.quantity\t1\nline.2.sku\tB\nline.2.quantity\t1\n",
      "line:sku line:quantity \nline.1.sku\tA\nline.1.quantity\t1\n"
      "line.2.sku\tB\nline.2.quantity\t3\n",
      "line.2.quantity 1 -> 3" },
    { __LINE__, "a value that is gone", "note status \nnote\tx\nstatus\tnew\n",
      "note status \nstatus\tnew\n", "note x -> nothing" },
    { __LINE__, "a value that is new", "note \n", "note \nnote\tx\n",
      "note nothing -> x" },
    { __LINE__, "a line more", "line:sku \nline.1.sku\tA\n",
      "line:sku \nline.1.sku\tA\nline.2.sku\tB\n", "line.2.sku nothing -> B" },
    { __LINE__, "a line more, of which nothing is written",
      "line# \nline#\t1\n", "line# \nline#\t2\n", "line# 1 -> 2" },
    { __LINE__, "a line that is gone",
      "line:sku \nline.1.sku\tA\nline.2.sku\tB\n", "line:sku \nline.1.sku\tA\n",
      "line.2.sku B -> nothing" },
    { __LINE__, "a field that the old one did not know", "number \nnumber\t1\n",
      "number note \nnumber\t1\nnote\tx\n", NULL },
    { __LINE__, "a field that the new one does not know",
      "number note \nnumber\t1\nnote\tx\n", "number \nnumber\t1\n", NULL },
    { __LINE__, "below two lists",
      "line:attribute:name \n"
      "line.12.attribute.1.name\tred\n",
      "line:attribute:name \nline.12.attribute.1.name\tblue\n",
      "line.12.attribute.1.name red -> blue" },
    { __LINE__, "a field whose name begins like another", "note \n",
      "note note2 \nnote2\tx\n", NULL },
    { __LINE__, "digits in a name are no number of a line", "x.a1 \nx.a1\tp\n",
      "x.a1 \nx.a1\tq\n", "x.a1 p -> q" },
    { __LINE__, "four are told", "a b c d e \n",
      "a b c d e \na\t1\nb\t2\nc\t3\nd\t4\ne\t5\n",
      "a nothing -> 1, b nothing -> 2, c nothing -> 3, d nothing -> 4, ..." },
    { __LINE__, "a long value is cut, between characters", "note \n",
      "note \nnote\t" X39 "\xC5\xBE"
      "and more\n",
      "note nothing -> " X39 },
    { __LINE__, "values of other order are found", "a b \nb\t1\na\t2\n",
      "a b \na\t2\nb\t1\n", NULL },
};

static void test_differ(void **state)
{
    const struct differ_case *c = *state;
    struct arena a = { 0 };
    struct str what;
    bool differ = canon_differ(str_of(c->was), str_of(c->now), &a, &what);

    if (differ != (c->want != NULL) || (c->want && !str_is(what, c->want)))
        fail_msg("%s:%d: got %s%.*s", __FILE__, c->line,
                 differ ? "" : "no difference ", STR_ARGS(what));
    arena_release(&a);
}

/* ---- making ---------------------------------------------------------------
 */

struct made {
    struct arena a;
    struct shape *shape, *line;
    struct doc *d, *l;
    struct buf b;
};

static void set(struct made *m, struct doc *d, struct shape *s,
                const char *name, const char *value)
{
    int i = shape_field(s, str_of(name), true);

    s->written[i] = true;
    if (d)
        d->f[i] = str_of(value);
    (void)m;
}

static void make(struct made *m)
{
    int list;

    *m = (struct made){ 0 };
    m->shape = shape_new(&m->a, document_find(STR("order")));
    list = shape_list(m->shape, STR("line"));
    m->line = m->shape->lists[list];
    (void)shape_field(m->shape, STR("x.colour"), true);
    m->d = doc_new(&m->a, m->shape);
    m->l = doc_add(&m->a, m->d, list);
    buf_init(&m->b, 4096);
}

static void drop(struct made *m)
{
    buf_release(&m->b);
    arena_release(&m->a);
}

static void test_only_what_is_written(void **state)
{
    static const char *const without[] = { "action", NULL };
    struct made m;

    (void)state;
    make(&m);
    set(&m, m.d, m.shape, "number", "17");
    set(&m, m.d, m.shape, "action", "create");
    m.d->f[shape_field(m.shape, STR("note"), false)] = STR("nobody writes it");
    set(&m, m.l, m.line, "sku", "A");
    assert_int_equal(canon_text(m.d, without, &m.b), 0);
    buf_addc(&m.b, '\0');
    assert_string_equal(m.b.p, "number \nnumber\t17\n");
    m.line->is_written = true;
    buf_clear(&m.b);
    assert_int_equal(canon_text(m.d, without, &m.b), 0);
    buf_addc(&m.b, '\0');
    assert_string_equal(m.b.p, "number line# line:sku \nnumber\t17\nline#\t1\n"
                               "line.1.sku\tA\n");
    drop(&m);
}

static void test_values(void **state)
{
    struct made m;

    (void)state;
    make(&m);
    set(&m, m.d, m.shape, "note", "a\tb\nc\\d");
    set(&m, m.d, m.shape, "total.gross", "399.90");
    set(&m, m.d, m.shape, "total.net", "100.00");
    set(&m, m.d, m.shape, "total.vat", "0.10");
    set(&m, m.d, m.shape, "reference", "100.00");
    set(&m, m.d, m.shape, "x.colour", "red");
    assert_int_equal(canon_text(m.d, NULL, &m.b), 0);
    buf_addc(&m.b, '\0');
    assert_string_equal(strchr(m.b.p, '\n') + 1,
                        "reference\t100.00\nnote\ta\\tb\\nc\\\\d\n"
                        "total.net\t100\ntotal.vat\t0.1\ntotal.gross\t399.9\n"
                        "x.colour\tred\n");
    drop(&m);
}

static void test_too_much(void **state)
{
    struct made m;

    (void)state;
    make(&m);
    set(&m, m.d, m.shape, "note", "longer than the room that there is");
    buf_release(&m.b);
    buf_init(&m.b, 16);
    assert_int_equal(canon_text(m.d, NULL, &m.b), -1);
    drop(&m);
}

int main(void)
{
    static const struct CMUnitTest more[] = {
        { .name = "what no map writes does not count",
          .test_func = test_only_what_is_written },
        { .name = "numbers by value, texts as they are",
          .test_func = test_values },
        { .name = "more than the room that there is",
          .test_func = test_too_much },
    };
    struct CMUnitTest tests[COUNT(differs) + COUNT(more)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(differs); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_differ, &differs[i]);
    for (size_t i = 0; i < COUNT(more); i++)
        tests[n++] = more[i];
    return cmocka_run_group_tests_name("canon", tests, NULL, NULL);
}
