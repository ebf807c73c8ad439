/* t_document.c - documents as bytes and back. */
#include "tests/unit/unit.h"

#include <time.h>

#include "converters/document/document.h"

enum { N_LINES = 3 };

/* A reader that was taken over could send millions of empty members. */
static void test_members_have_a_limit(void **state)
{
    struct arena a = { 0 };
    struct shape *s = shape_new(&a, document_find(STR("order")));
    int list = shape_list(s, STR("line"));
    struct doc *d = doc_new(&a, s), *back;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    for (int i = 0; i < N_LINES; i++)
        doc_add(&a, d, list);
    assert_int_equal(doc_pack(d, &b), 0);
    assert_true(doc_unpack(&a, s, buf_str(&b), N_LINES, &back));
    assert_int_equal(back->lists[list].n, N_LINES);
    assert_false(doc_unpack(&a, s, buf_str(&b), N_LINES - 1, &back));
    buf_release(&b);
    arena_release(&a);
}

static void ignore(void *ctx, const struct doc *d, const char *name,
                   struct str given, struct str computed)
{
    (void)ctx;
    (void)d;
    (void)name;
    (void)given;
    (void)computed;
}

/* A file may give each line a code of its own; taxes are grouped by them. */
static void test_many_tax_codes_take_no_time(void **state)
{
    enum { MANY = 30000 };
    struct arena a = { 0 };
    struct shape *s = shape_new(&a, document_find(STR("order")));
    int list = shape_list(s, STR("line")), tax = shape_list(s, STR("tax"));
    struct doc *d = doc_new(&a, s);
    clock_t begin = clock();

    (void)state;
    for (int i = 0; i < MANY; i++) {
        struct doc *l = doc_add(&a, d, list);

        l->f[shape_field(s->lists[list], STR("quantity"), false)] = STR("1");
        l->f[shape_field(s->lists[list], STR("price.net"), false)] = STR("2");
        l->f[shape_field(s->lists[list], STR("vat.rate"), false)] = STR("21");
        l->f[shape_field(s->lists[list], STR("vat.code"), false)] =
            arena_fmt(&a, "%d", i % (MANY / 2));
    }
    doc_derive(&a, d, ignore, NULL);
    assert_int_equal(d->lists[tax].n, MANY / 2);
    assert_true(str_is(d->lists[tax].last->f[1], "14999"));
    assert_true(str_is(d->lists[tax].last->f[2], "4.00"));
    assert_in_range(clock() - begin, 0, 2 * CLOCKS_PER_SEC);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_have_a_limit),
        cmocka_unit_test(test_many_tax_codes_take_no_time),
    };

    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
