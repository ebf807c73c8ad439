/* t_schedule.c - when a route runs: times of the day over the changes of
 * summer time and of the clock, and intervals. */
#include "tests/unit/unit.h"

#include "spool/schedule.h"

static struct arena arena;

static const struct zone *load(const char *name)
{
    struct err e;
    const struct zone *z = zone_load(&arena, str_of(name), &e);

    if (!z)
        fail_msg("%s", e.text);
    return z;
}

static int64_t at(const char *text)
{
    struct date d;

    assert_true(date_from_canon(str_of(text), &d));
    return date_to_unix(d);
}

/* "at 02:30 and 14:00", watched every minute over a while: its runs in UTC. */
static const struct case_at {
    const char *name, *zone;
    uint16_t at[2];
    int n_at;
    const char *from, *to, *runs;
} cases[] = {
    { "a usual day",
      "Europe/Prague",
      { 2 * 60 + 30, 14 * 60 },
      2,
      "2026-07-01T00:00:00Z",
      "2026-07-02T00:00:00Z",
      "2026-07-01T00:30:00Z 2026-07-01T12:00:00Z " },
    { "Prague skips 02:30: right behind the gap",
      "Europe/Prague",
      { 2 * 60 + 30 },
      1,
      "2026-03-28T12:00:00Z",
      "2026-03-30T12:00:00Z",
      "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z " },
    { "two skipped times are one run",
      "Europe/Prague",
      { 2 * 60 + 15, 2 * 60 + 45 },
      2,
      "2026-03-29T00:00:00Z",
      "2026-03-29T12:00:00Z",
      "2026-03-29T01:00:00Z " },
    { "Prague repeats 02:30: the first time",
      "Europe/Prague",
      { 2 * 60 + 30 },
      1,
      "2026-10-24T12:00:00Z",
      "2026-10-26T12:00:00Z",
      "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z " },
    { "Bucharest skips 03:30",
      "Europe/Bucharest",
      { 3 * 60 + 30 },
      1,
      "2026-03-29T00:00:00Z",
      "2026-03-29T12:00:00Z",
      "2026-03-29T01:00:00Z " },
    { "Bucharest repeats 03:30",
      "Europe/Bucharest",
      { 3 * 60 + 30 },
      1,
      "2026-10-24T23:00:00Z",
      "2026-10-25T12:00:00Z",
      "2026-10-25T00:30:00Z " },
    { "Budapest, behind the gap's end",
      "Europe/Budapest",
      { 3 * 60 },
      1,
      "2026-03-29T00:00:00Z",
      "2026-03-29T12:00:00Z",
      "2026-03-29T01:00:00Z " },
    { "Istanbul has no summer time",
      "Europe/Istanbul",
      { 2 * 60 + 30 },
      1,
      "2026-03-28T22:00:00Z",
      "2026-03-30T00:00:00Z",
      "2026-03-28T23:30:00Z 2026-03-29T23:30:00Z " },
    { "midnight in UTC",
      NULL,
      { 0 },
      1,
      "2026-03-28T22:00:00Z",
      "2026-03-30T00:00:00Z",
      "2026-03-29T00:00:00Z 2026-03-30T00:00:00Z " },
};

static void check(const struct case_at *c)
{
    struct schedule s = { .kind = SCHEDULE_AT,
                          .n_at = c->n_at,
                          .zone = c->zone ? load(c->zone) : NULL };
    struct schedule_state st = { 0 };
    struct buf runs;

    buf_init(&runs, 4096);
    memcpy(s.at, c->at, sizeof(c->at));
    schedule_begin(&s, &st, at(c->from), 0);
    for (int64_t now = at(c->from); now <= at(c->to); now += 60) {
        int64_t wait = schedule_wait(&s, &st, now, 0);

        assert_int_equal(wait == 0, schedule_due(&s, &st, now, 0));
        if (wait)
            continue;
        buf_add(&runs, date_canon(&arena, date_from_unix(now)));
        buf_addc(&runs, ' ');
        schedule_ran(&st, now, 0);
    }
    if (!str_is(buf_str(&runs), c->runs))
        fail_msg("%s: %.*s", c->name, STR_ARGS(buf_str(&runs)));
    buf_release(&runs);
}

static void times_of_the_day(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i]);
    arena_release(&arena);
}

static void the_wait_ends_at_the_slot(void **state)
{
    struct schedule s = { .kind = SCHEDULE_AT,
                          .at = { 2 * 60 + 30 },
                          .n_at = 1,
                          .zone = load("Europe/Prague") };
    struct schedule_state st = { 0 };
    int64_t now = at("2026-03-28T12:00:00Z");

    (void)state;
    schedule_begin(&s, &st, now, 0);
    assert_int_equal(schedule_wait(&s, &st, now, 0), 13 * 3600);
    /* Skipped on the day after. */
    now = at("2026-03-29T01:00:00Z");
    schedule_ran(&st, now, 0);
    assert_int_equal(schedule_wait(&s, &st, now, 0), 23 * 3600 + 1800);
    arena_release(&arena);
}

static void missed_slots_are_one_run(void **state)
{
    struct schedule s = { .kind = SCHEDULE_AT, .at = { 150 }, .n_at = 1 };
    struct schedule_state st = { .last = at("2026-01-01T02:30:00Z") };
    int64_t now = at("2026-05-20T12:00:00Z");

    (void)state;
    schedule_begin(&s, &st, now, 0);
    assert_true(schedule_due(&s, &st, now, 0));
    schedule_ran(&st, now, 0);
    assert_false(schedule_due(&s, &st, now, 0));
    assert_int_equal(schedule_wait(&s, &st, now, 0), 14 * 3600 + 1800);
}

/* From 14:00 to 13:00: 13:30 has run. From 14:00 to 10:00: nothing has. */
static void a_clock_set_back(void **state)
{
    struct schedule s = { .kind = SCHEDULE_AT,
                          .at = { 13 * 60 + 30 },
                          .n_at = 1 };
    int64_t two = at("2026-05-20T14:00:00Z");
    struct schedule_state st = { .last = two };

    (void)state;
    assert_false(schedule_due(&s, &st, two - 1800, 0));
    assert_false(schedule_due(&s, &st, two - 1799, 0));
    assert_int_equal(schedule_wait(&s, &st, two - 3600, 0), 24 * 3600 + 1800);
    assert_false(schedule_due(&s, &st, two - 4 * 3600, 0));
    assert_true(schedule_due(&s, &st, two - 1800, 0));
}

static void intervals_go_by_the_other_clock(void **state)
{
    struct schedule s = { .kind = SCHEDULE_EVERY, .minutes = 15 };
    struct schedule_state st = { 0 };
    int64_t now = at("2026-05-20T14:00:00Z");

    (void)state;
    schedule_begin(&s, &st, now, 5000);
    assert_true(schedule_due(&s, &st, now, 5000)); /* never ran: at once */
    schedule_ran(&st, now, 5000);
    assert_false(schedule_due(&s, &st, now + 1000000, 5000));
    assert_int_equal(schedule_wait(&s, &st, now, 5001), 899);
    assert_false(schedule_due(&s, &st, now, 5899));
    assert_true(schedule_due(&s, &st, now - 1000000, 5900));
    /* After a restart: what has passed by the wall's clock counts. */
    schedule_begin(&s, &st, now + 600, 20);
    assert_int_equal(schedule_wait(&s, &st, now + 600, 20), 300);
    schedule_begin(&s, &st, now - 600, 20);
    assert_int_equal(schedule_wait(&s, &st, now - 600, 20), 900);
}

static void others_have_no_slots(void **state)
{
    static const enum schedule_kind kinds[] = { SCHEDULE_FILE, SCHEDULE_AFTER,
                                                SCHEDULE_HAND };

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct schedule s = { .kind = kinds[i] };
        struct schedule_state st = { 0 };

        assert_false(schedule_due(&s, &st, 1000000, 1000000));
        assert_int_equal(schedule_wait(&s, &st, 1000000, 1000000), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_of_the_day),
        cmocka_unit_test(the_wait_ends_at_the_slot),
        cmocka_unit_test(missed_slots_are_one_run),
        cmocka_unit_test(a_clock_set_back),
        cmocka_unit_test(intervals_go_by_the_other_clock),
        cmocka_unit_test(others_have_no_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
