/* t_closed.c - places that rest, and are forgotten. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "spool/closed.h"

static const struct str us = { "us", 2 };

static struct str place(int i, char buf[16])
{
    return (struct str){ buf, (size_t)snprintf(buf, 16, "%d", i) };
}

static void each_failure_is_counted_until_it_works(void **state)
{
    struct keeper k = { 0 };

    (void)state;
    assert_false(place_is_closed(&k, us, STR("in")));
    assert_int_equal(place_close(&k, us, STR("in")), 1);
    assert_int_equal(place_close(&k, us, STR("in")), 2);
    assert_true(place_is_closed(&k, us, STR("in")));
    assert_false(place_is_closed(&k, STR("them"), STR("in")));
    assert_false(place_is_closed(&k, us, STR("")));
    assert_true(places_timeout(&k) > 0);
    place_reopen(&k, us, STR("in"));
    assert_false(place_is_closed(&k, us, STR("in")));
    assert_int_equal(place_close(&k, us, STR("in")), 1);
    places_open(&k);
    assert_false(place_is_closed(&k, us, STR("in")));
    assert_int_equal(places_timeout(&k), -1);
    assert_int_equal(place_close(&k, us, STR("in")), 2);
    places_forget(&k);
    assert_null(k.closed);
}

/* Months of files that could not be fetched at once leave nothing behind. */
static void what_works_again_is_forgotten(void **state)
{
    struct keeper k = { 0 };
    char buf[16];

    (void)state;
    for (int i = 0; i < 1000; i++)
        place_close(&k, us, place(i, buf));
    for (int i = 0; i < 1000; i++)
        place_reopen(&k, us, place(i, buf));
    assert_null(k.closed);
    assert_int_equal(k.kept.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_is_counted_until_it_works),
        cmocka_unit_test(what_works_again_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
