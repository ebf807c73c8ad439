/* t_got.c - tables of what a receiver got. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <time.h>

#include "converters/base/mem.h"
#include "converters/trade/facts.h"
#include "converters/trade/got.h"

enum { MANY = 300000 };

/* As a hash would: spread over all 64 bits. */
static uint64_t spread(uint64_t i)
{
    return i * 0x9E3779B97F4A7C15u;
}

static struct got_row row(struct arena *a, uint64_t i, uint64_t value)
{
    return (struct got_row){
        .e = { spread(i), value },
        .text = arena_fmt(a, "SKU-%llu", (unsigned long long)i),
    };
}

/* Entries from, from + 1, ... n of them, all with that value. */
static struct str marked(struct arena *a, uint64_t from, size_t n,
                         uint64_t value, uint32_t mark)
{
    struct got_row *rows = arena_alloc(a, (n + 1) * sizeof(*rows));
    struct str s;
    struct buf b;

    for (size_t i = 0; i < n; i++)
        rows[i] = row(a, from + i, value);
    buf_init(&b, SIZE_MAX / 2);
    assert_int_equal(got_make(rows, n, mark, &b), 0);
    s = arena_str(a, buf_str(&b));
    buf_release(&b);
    return s;
}

static struct str table(struct arena *a, uint64_t from, size_t n,
                        uint64_t value)
{
    return marked(a, from, n, value, 7);
}

/* The value of an entry, or -1. */
static int64_t value_of(struct arena *a, struct str bytes, uint64_t i)
{
    struct got_table t;
    ptrdiff_t at;

    assert_true(got_open(bytes, &t));
    got_index(&t, a);
    at = got_find(&t, spread(i));
    return at < 0 ? -1 : (int64_t)got_at(&t, (size_t)at).value;
}

static struct str merged(struct arena *a, struct str older, struct str newer)
{
    struct buf b;
    struct str s;

    buf_init(&b, older.len + newer.len + GOT_EMPTY);
    assert_int_equal(got_merge(older, newer, &b), 0);
    s = arena_str(a, buf_str(&b));
    buf_release(&b);
    return s;
}

static void test_each_entry_is_found(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 7, 8, 9, 1000 };
    struct arena a = { 0 };

    (void)state;
    for (size_t k = 0; k < COUNT(sizes); k++) {
        struct str t = table(&a, 1, sizes[k], 40);

        for (uint64_t i = 1; i <= sizes[k]; i++)
            assert_int_equal(value_of(&a, t, i), 40);
        assert_int_equal(value_of(&a, t, 0), -1);
        assert_int_equal(value_of(&a, t, sizes[k] + 1), -1);
    }
    arena_release(&a);
}

static void test_newer_takes_the_place_of_older(void **state)
{
    struct arena a = { 0 };
    struct str t = merged(&a, table(&a, 1, 10, 40), table(&a, 6, 10, 80));

    (void)state;
    assert_int_equal(value_of(&a, t, 5), 40);
    assert_int_equal(value_of(&a, t, 6), 80);
    assert_int_equal(value_of(&a, t, 15), 80);
    assert_int_equal(value_of(&a, merged(&a, STR(""), t), 15), 80);
    assert_int_equal(value_of(&a, merged(&a, t, STR("")), 5), 40);
    arena_release(&a);
}

static void test_texts_stay_with_their_entries(void **state)
{
    struct arena a = { 0 };
    struct str t = merged(&a, table(&a, 1, 50, 40), table(&a, 30, 50, 80));
    struct got_table open;
    struct str texts;

    (void)state;
    assert_true(got_open(t, &open));
    assert_int_equal(open.n, 79);
    texts = open.texts;
    for (size_t i = 0; i < open.n; i++) {
        struct str text = got_next_text(&texts);
        uint64_t n;

        assert_true(str_to_uint(str_from(text, 4), 100, &n));
        assert_int_equal(got_at(&open, i).key, spread(n));
    }
    assert_int_equal(texts.len, 0);
    arena_release(&a);
}

static void test_hashes_of_another_ledger_say_nothing(void **state)
{
    struct arena a = { 0 };
    struct str t =
        merged(&a, marked(&a, 1, 10, 40, 6), marked(&a, 6, 10, 80, 7));

    (void)state;
    assert_int_equal(value_of(&a, t, 5), -1);
    assert_int_equal(value_of(&a, t, 6), 80);
    arena_release(&a);
}

/* A catalogue that was replaced by another one is forgotten; a few articles
 * that are not sold any more are known for ever. */
static void test_what_is_gone_is_forgotten_when_it_is_most(void **state)
{
    struct arena a = { 0 };
    struct str few = table(&a, 1, 1000, 40 | GOT_GONE);
    struct str many = table(&a, 1, 1001, 40 | GOT_GONE);
    struct str live = table(&a, 5000, 100, 80);

    (void)state;
    assert_int_equal(value_of(&a, merged(&a, few, live), 1), 41);
    assert_int_equal(value_of(&a, merged(&a, many, live), 1), -1);
    assert_int_equal(value_of(&a, merged(&a, many, live), 5000), 80);
    live = table(&a, 5000, 1001, 80);
    assert_int_equal(value_of(&a, merged(&a, many, live), 1), 41);
    arena_release(&a);
}

/* Wherever it is cut and whichever byte is another one, it is read as a table
 * or refused. */
static void test_damage_is_no_crash(void **state)
{
    struct arena a = { 0 };
    struct str whole = table(&a, 1, 20, 40), other = table(&a, 10, 20, 80);
    struct got_table t;

    (void)state;
    for (size_t len = 1; len < whole.len; len++) {
        char *copy = arena_cstr(&a, str_first(whole, len));

        assert_false(got_open((struct str){ copy, len }, &t));
        assert_int_equal(t.n, 0);
    }
    for (size_t i = 0; i < whole.len; i++) {
        char *copy = arena_cstr(&a, whole);
        struct buf b;

        copy[i] = (char)(copy[i] ^ 0x41);
        buf_init(&b, 4096);
        (void)got_merge((struct str){ copy, whole.len }, other, &b);
        assert_int_equal(value_of(&a, buf_str(&b), 12), 80);
        buf_clear(&b);
        if (got_merge(other, (struct str){ copy, whole.len }, &b) == 0)
            assert_true(got_open(buf_str(&b), &t));
        buf_release(&b);
    }
    arena_release(&a);
}

/* It is done in the keeper, in a commit. */
static void test_a_large_table_takes_no_time(void **state)
{
    struct arena a = { 0 };
    struct str older = table(&a, 1, MANY, 40);
    struct str newer = table(&a, MANY - 1000, 3000, 80);
    clock_t begin = clock();
    double ms;

    (void)state;
    assert_int_equal(value_of(&a, merged(&a, older, newer), MANY), 80);
    ms = (double)(clock() - begin) * 1000 / CLOCKS_PER_SEC;
    print_message("# %d entries: %.1f ms\n", MANY, ms);
    assert_true(ms < (MEM_GUARDED ? 1000 : 100));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_entry_is_found),
        cmocka_unit_test(test_newer_takes_the_place_of_older),
        cmocka_unit_test(test_texts_stay_with_their_entries),
        cmocka_unit_test(test_hashes_of_another_ledger_say_nothing),
        cmocka_unit_test(test_what_is_gone_is_forgotten_when_it_is_most),
        cmocka_unit_test(test_damage_is_no_crash),
        cmocka_unit_test(test_a_large_table_takes_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
