/* t_document.c - documents as bytes and back. */
#include "tests/unit/unit.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_have_a_limit),
    };

    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
