/* t_retire.c - what was kept long enough goes, files and rows together. */
#include "tests/unit/keeper_run.h"

#include "spool/audit.h"
#include "spool/fsck.h"
#include "spool/request.h"
#include "spool/retire.h"

enum { DAY = 86400 };

static const struct level stock = { .name = "stock" };

static void on_day(int day)
{
    clock_freeze(NOW + (int64_t)day * DAY);
}

/* One file, through to the archive. */
static void bring(const char *name, const char *text)
{
    put(name, text);
    once();
    keeper_close(&k);
}

static void run(void)
{
    once();
    keeper_close(&k);
}

static void expect_jobs(const char *want)
{
    const struct ledger_find all = { 0 };
    static char got[256];
    struct receipt *r;
    size_t n, len = 0;

    once();
    assert_int_equal(ledger_receipts(k.ledger, &all, &k.arena, &r, &n, &e), 0);
    got[0] = '\0';
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%d",
                                i ? " " : "", (int)r[i].job);
    assert_string_equal(got, want);
    keeper_close(&k);
}

/* Rules, balance and archive; and nothing is left anywhere. */
static void expect_in_order(void)
{
    static struct arena a;
    struct fsck f = { .arena = &a };
    struct audit x = { .arena = &a };

    once();
    expect_clean();
    f.ledger = x.ledger = k.ledger;
    f.spool_fd = x.spool_fd = k.spool_fd;
    assert_int_equal(fsck_ledger(&f, &e), 0);
    assert_int_equal(fsck_spool(&f, &e), 0);
    assert_int_equal(fsck_archive(&f, &e), 0);
    if (f.n)
        fail_msg("I%d job %d: %.*s", fsck_table[f.findings->rule].number,
                 (int)f.findings->job, STR_ARGS(f.findings->text));
    keeper_close(&k);
    once(); /* audit reads one moment: nobody writes */
    ledger_close(k.ledger);
    assert_int_equal(
        ledger_open(&x.ledger, at("spool/state/ledger.db"), LEDGER_READ, &e),
        0);
    x.spool_fd = k.spool_fd;
    assert_int_equal(audit(&x, &e), 0);
    if (x.n_faults)
        fail_msg("job %d: %.*s", (int)x.faults->job, STR_ARGS(x.faults->text));
    k.ledger = x.ledger;
    keeper_close(&k);
    arena_release(&a);
}

static void expect_answer(const char *what, uint64_t number, const char *want)
{
    struct arena a = { 0 };
    struct str answer;
    bool ok;

    assert_int_equal(request_make(&conf, fake_run, what, number, STR(""), &a,
                                  &ok, &answer, &e),
                     0);
    assert_string_equal(arena_cstr(&a, answer), want);
    assert_false(ok);
    arena_release(&a);
}

/* ---- how long -------------------------------------------------------------
 */

static void orders_are_kept_for_400_days(void **state)
{
    (void)state;
    bring("eshop/inbox/orders1.csv", "one");
    bring("eshop/inbox/orders2.csv", "reject me");
    on_day(399);
    bring("eshop/inbox/orders3.csv", "one"); /* the same content */
    expect_jobs("1 2 3");
    on_day(400);
    expect_jobs("1 3"); /* the last that is DONE stays */
    bring("eshop/inbox/orders4.csv", "four");
    expect_jobs("3 4");
    assert_true(is_there("spool/archive/2028"));
    assert_false(is_there("spool/archive/2027"));
    expect_in_order();
    bring("eshop/inbox/orders5.csv", "one");
    once();
    expect_job(5, RECEIPT_DONE); /* nobody knows it any more */
    keeper_close(&k);
}

static void of_snapshots_seven_days_or_ten_files_are_kept(void **state)
{
    char name[40];

    (void)state;
    read_map.document = &stock;
    for (int i = 1; i <= 12; i++) {
        snprintf(name, sizeof(name), "eshop/inbox/orders%d.csv", i);
        bring(name, "the same");
    }
    on_day(6);
    expect_jobs("1 2 3 4 5 6 7 8 9 10 11 12");
    on_day(7);
    expect_jobs("3 4 5 6 7 8 9 10 11 12");
    on_day(1000);
    expect_jobs("3 4 5 6 7 8 9 10 11 12");
    expect_in_order();
}

static void a_line_of_the_configuration_says_how_long(void **state)
{
    static const struct {
        struct keep all, route;
        const char *want;
    } rows[] = {
        { { 0 }, { .given = true, .days = 2 }, "3" },
        { { 0 }, { .given = true, .days = 2, .files = 2 }, "2 3" },
        { { 0 }, { .given = true, .files = 1 }, "3" },
        { { .given = true, .days = 2 }, { 0 }, "3" },
        { { .given = true, .days = 2 },
          { .given = true, .for_ever = true },
          "1 2 3" },
        { { .given = true, .days = 2 }, { .given = true, .days = 4 }, "1 2 3" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (i) {
            teardown(state);
            setup(state);
        }
        bring("eshop/inbox/orders1.csv", "one");
        bring("eshop/inbox/orders2.csv", "two");
        bring("eshop/inbox/orders3.csv", "three");
        on_day(3);
        conf.keep = rows[i].all;
        conf.routes->keep = rows[i].route;
        expect_jobs(rows[i].want);
        expect_in_order();
    }
}

static void a_file_stays_as_long_as_any_route_wants_it(void **state)
{
    (void)state;
    conf_route(&conf, STR("copies"))->keep =
        (struct keep){ .given = true, .days = 1 };
    bring("eshop/inbox/orders1-both.csv", "one");
    bring("eshop/inbox/orders2-both.csv", "two");
    on_day(300);
    expect_jobs("1 2 3 4");
    on_day(400);
    expect_jobs("3 4");
    expect_in_order();
}

static void the_newest_job_stays(void **state)
{
    (void)state;
    bring("eshop/inbox/orders1.csv", "reject me");
    bring("eshop/inbox/orders2.csv", "reject me");
    on_day(400);
    expect_jobs("2"); /* its number must not be given again */
    expect_in_order();
}

static void what_is_at_work_stays(void **state)
{
    (void)state;
    bring("eshop/inbox/orders1-both.csv", "one");
    bring("eshop/inbox/orders2-both.csv", "two");
    assert_int_equal(rename(at("pohoda/in"), at("pohoda/away")), 0);
    once();
    const struct receipt first = job(1);
    assert_int_equal(ledger_resend(k.ledger, &first, &e), 0);
    keeper_close(&k);
    bring("eshop/inbox/orders3.csv", "three");
    on_day(500);
    expect_jobs("1 2 3 4 5");
    assert_int_equal(rename(at("pohoda/away"), at("pohoda/in")), 0);
    unlink(at("pohoda/in/out-orders1-both.csv"));
    run();
    expect_jobs("3 4 5");
    expect_in_order();
}

/* ---- whenever we die ------------------------------------------------------
 */

static void what_was_begun_is_ended(void **state)
{
    for (int step = 1; step <= 3; step++) {
        struct receipt r;

        if (step > 1) {
            teardown(state);
            setup(state);
        }
        bring("eshop/inbox/orders1.csv", "one");
        once();
        r = job(1);
        assert_int_equal(ledger_expire(k.ledger, r.claim, &e), 0);
        keeper_close(&k);
        if (step >= 2)
            assert_int_equal(
                unlink(at("spool/archive/2027/01/15/1-orders1.csv")), 0);
        if (step == 3) /* in the middle of the folder, in tmp/ */
            assert_int_equal(rename(at("spool/archive/2027/01/15/1"),
                                    at("spool/tmp/expired-1")),
                             0);
        expect_jobs("");
        assert_int_equal(n_names("spool/archive"), 0);
        expect_in_order();
    }
}

static void nobody_misses_or_takes_what_has_expired(void **state)
{
    struct fsck f = { .arena = &diag_arena };
    struct receipt r;

    (void)state;
    bring("eshop/inbox/orders1.csv", "reject me");
    bring("eshop/inbox/orders2.csv", "two");
    once();
    r = job(1);
    assert_int_equal(ledger_expire(k.ledger, r.claim, &e), 0);
    assert_int_equal(unlink(at("spool/archive/2027/01/15/1-orders1.csv")), 0);
    f.ledger = k.ledger;
    f.spool_fd = k.spool_fd;
    assert_int_equal(fsck_archive(&f, &e), 0);
    assert_int_equal(f.n, 0);
    assert_int_equal(f.archive.n_originals, 1);
    keeper_close(&k);
    expect_answer("retry", 1,
                  "job 1 is not kept any more (see keep in kervan.conf(5))");
    run();
    expect_answer("retry", 1,
                  "job 1 is not kept any more (see keep in kervan.conf(5))");
    expect_answer("resend", 3, "there is no job 3");
}

/* ---- how much at once -----------------------------------------------------
 */

static void a_step_is_small_and_a_round_ends(void **state)
{
    bool more = true;
    int n_steps = 0;
    char name[40];

    (void)state;
    for (int i = 1; i <= 150; i++) {
        snprintf(name, sizeof(name), "eshop/inbox/orders%d.csv", i);
        put(name, name);
    }
    run();
    once();
    on_day(400);
    assert_int_equal(mkdir(at("spool/tmp/expired-1"), 0700), 0);
    put("spool/tmp/expired-1/x", "of a step that failed");
    for (; more && n_steps < 20; n_steps++) {
        assert_int_equal(keeper_retire(&k, &more, &e), 0);
        arena_reset(&k.arena);
        arena_reset(&k.item);
        if (n_steps == 0)
            assert_int_equal(n_names("spool/archive/2027/01/15"),
                             2 * (150 - 64));
    }
    assert_int_equal(n_names("spool/archive/2027/01/15"), 2);
    assert_in_range(n_steps, 3, 6);
    keeper_close(&k);
    expect_jobs("150");
    expect_in_order();
}

/* The line of history that is the newest belongs to what goes. */
static void the_ledger_does_not_look_older(void **state)
{
    struct receipt first;
    bool more;

    (void)state;
    bring("eshop/inbox/orders1.csv", "one");
    bring("eshop/inbox/orders2.csv", "two");
    unlink(at("pohoda/in/out-orders1.csv"));
    once();
    first = job(1);
    assert_int_equal(ledger_resend(k.ledger, &first, &e), 0);
    keeper_close(&k);
    run();
    once();
    on_day(400);
    assert_int_equal(keeper_retire(&k, &more, &e), 0);
    keeper_close(&k); /* killed */
    expect_jobs("2");
}

static void old_history_of_no_job_goes_and_numbers_do_not_come_again(
    void **state)
{
    struct event *ev;
    size_t n;

    (void)state;
    once();
    assert_int_equal(ledger_note(k.ledger, 0, "overdue", STR("a"), &e), 0);
    assert_int_equal(ledger_note(k.ledger, 0, "overdue", STR("b"), &e), 0);
    keeper_close(&k);
    on_day(401);
    run();
    once(); /* an older ledger would stop here */
    assert_int_equal(ledger_events(k.ledger, 0, 0, &k.arena, &ev, &n, &e), 0);
    assert_int_equal(n, 1);
    assert_true(str_is(ev[0].text, "b"));
    keeper_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(orders_are_kept_for_400_days),
        TEST(of_snapshots_seven_days_or_ten_files_are_kept),
        TEST(a_line_of_the_configuration_says_how_long),
        TEST(a_file_stays_as_long_as_any_route_wants_it),
        TEST(the_newest_job_stays),
        TEST(what_is_at_work_stays),
        TEST(what_was_begun_is_ended),
        TEST(nobody_misses_or_takes_what_has_expired),
        TEST(a_step_is_small_and_a_round_ends),
        TEST(the_ledger_does_not_look_older),
        TEST(old_history_of_no_job_goes_and_numbers_do_not_come_again),
    };

    return cmocka_run_group_tests_name("retire", tests, NULL, NULL);
}
