/* t_facts_file.c - the rows of what a job has learnt: back as they were, and no
 * row of bytes that are none. */
#include "tests/unit/unit.h"

#include "spool/facts_file.h"

#define CARD(key)                                                           \
    {                                                                       \
        STR("erp"), STR("product"), STR(key), STR("A"), STR("n"), STR("0"), \
            STR("1")                                                        \
    }

static void test_back_as_they_were(void **state)
{
    const struct str card[] = CARD("sku:A\n\t"), job[] = { STR("17") },
                     none[] = { STR(""), STR(""), STR("") };
    struct fact_row r;
    struct str rest;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(fact_write(&b, FACT_CARD, 5, card), 0);
    assert_int_equal(fact_write(&b, FACT_WAIT, UINT64_MAX, job), 0);
    assert_int_equal(fact_write(&b, FACT_GOT, 0, none), 0);
    rest = buf_str(&b);
    assert_true(fact_read(&rest, &r));
    assert_int_equal(r.fact, FACT_CARD);
    assert_int_equal(r.seq, 5);
    for (size_t i = 0; i < COUNT(card); i++)
        assert_true(str_eq(r.column[i], card[i]));
    assert_true(fact_read(&rest, &r));
    assert_true(r.seq == UINT64_MAX && str_is(r.column[0], "17"));
    assert_true(fact_read(&rest, &r));
    assert_true(r.fact == FACT_GOT && r.column[2].len == 0);
    assert_int_equal(rest.len, 0);
    assert_false(fact_read(&rest, &r));
    buf_release(&b);
}

static void test_no_room(void **state)
{
    const struct str card[] = CARD("sku:A");
    struct buf b;

    (void)state;
    buf_init(&b, 40);
    assert_int_equal(fact_write(&b, FACT_CARD, 1, card), -1);
    assert_int_equal(b.len, 0);
    buf_release(&b);
}

/* Each kind of row, by its number of columns. */
static void test_columns(void **state)
{
    (void)state;
    assert_int_equal(fact_columns(FACT_SCOPE), 2);
    assert_int_equal(fact_columns(FACT_CARD), 7);
    assert_int_equal(fact_columns(FACT_END), 1);
    for (int f = 0; f < N_FACTS; f++)
        assert_in_range(fact_columns((enum fact)f), 1, MAX_FACT_COLUMNS);
}

/* A whole file, for others to be damaged. */
static void whole(struct buf *b)
{
    const struct str card[] = CARD("sku:A"), aside[] = { STR("12345678") };

    buf_init(b, 4096);
    assert_int_equal(fact_write(b, FACT_CARD, 1, card), 0);
    assert_int_equal(fact_write(b, FACT_END, 0, aside), 0);
}

static void test_whole(void **state)
{
    struct str aside;
    struct buf b;

    (void)state;
    whole(&b);
    assert_true(facts_whole(buf_str(&b), &aside));
    assert_true(str_is(aside, "12345678"));
    assert_false(facts_whole(STR(""), &aside));
    buf_release(&b);
}

/* It ends anywhere: the job died. */
static void test_cut(void **state)
{
    struct str aside;
    struct buf b;

    (void)state;
    whole(&b);
    for (size_t n = 0; n < b.len; n++)
        assert_false(facts_whole(str_first(buf_str(&b), n), &aside));
    buf_release(&b);
}

/* Whatever a byte becomes, nothing beyond the file is read (the sanitizer says
 * so), and its head is no row any more. */
static void test_damaged(void **state)
{
    enum { HEAD = 8 }; /* fact, columns, zeros */
    struct str rest, aside;
    struct fact_row r;
    struct buf b;

    (void)state;
    whole(&b);
    for (size_t i = 0; i < b.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            b.p[i] = (char)(b.p[i] ^ 1 << bit);
            (void)facts_whole(buf_str(&b), &aside);
            rest = buf_str(&b);
            if (i > 0 && i < HEAD)
                assert_false(fact_read(&rest, &r));
            b.p[i] = (char)(b.p[i] ^ 1 << bit);
        }
    buf_release(&b);
}

/* Numbers of documents are eight bytes each. */
static void test_aside(void **state)
{
    const struct str aside[] = { STR("1234567") };
    struct str got;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(fact_write(&b, FACT_END, 0, aside), 0);
    assert_false(facts_whole(buf_str(&b), &got));
    buf_release(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        { .name = "rows come back as they were",
          .test_func = test_back_as_they_were },
        { .name = "a row for which there is no room leaves nothing",
          .test_func = test_no_room },
        { .name = "columns of each kind of row", .test_func = test_columns },
        { .name = "a whole file", .test_func = test_whole },
        { .name = "a file that ends anywhere", .test_func = test_cut },
        { .name = "a file with a bit of another value",
          .test_func = test_damaged },
        { .name = "half a number of a document", .test_func = test_aside },
    };

    return cmocka_run_group_tests_name("facts_file", tests, NULL, NULL);
}
