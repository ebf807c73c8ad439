/* t_keeper.c - good days and bad ones of files, routes and partners. */
#include "tests/unit/keeper_run.h"

/* ---- good days ----------------------------------------------------------- */

static void an_order_arrives(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "one order");
    once();
    expect_job(1, RECEIPT_DONE);
    assert_string_equal(text_of("pohoda/in/out-orders.csv"), "one order");
    assert_string_equal(text_of("spool/archive/2027/01/15/1-orders.csv"),
                        "one order");
    assert_true(is_there("spool/archive/2027/01/15/1/0/result.xml"));
    assert_int_equal(n_names("eshop/inbox"), 1); /* .claim */
    assert_int_equal(n_names("eshop"), 2);       /* no rejected/ */
    assert_int_equal(k.n_taken, 1);
    expect_clean();
    keeper_close(&k);
}

static void a_file_runs_every_route_that_takes_it(void **state)
{
    (void)state;
    put("eshop/inbox/orders-both.csv", "one order");
    once();
    expect_job(1, RECEIPT_DONE);
    expect_job(2, RECEIPT_DONE);
    assert_true(is_there("pohoda/in/out-orders-both.csv"));
    assert_true(is_there("eshop/outbox/out-orders-both.csv"));
    assert_true(is_there("spool/archive/2027/01/15/1-orders-both.csv"));
    expect_clean();
    keeper_close(&k);
}

static void unfinished_and_foreign_files_stay(void **state)
{
    int fd;

    (void)state;
    put("eshop/inbox/orders.csv.part", "one");
    put("eshop/inbox/.orders.csv", "one");
    put("eshop/inbox/readme.txt", "one");
    put("eshop/inbox/orders-empty.csv", "");
    put("eshop/inbox/orders-link.csv", "one");
    assert_int_equal(
        link(at("eshop/inbox/orders-link.csv"), at("eshop/second")), 0);
    put("eshop/inbox/orders-open.csv", "one");
    fd = open(at("eshop/inbox/orders-open.csv"), O_WRONLY);
    once();
    assert_int_equal(k.n_taken, 0);
    assert_int_equal(n_names("eshop/inbox"), 6);
    keeper_close(&k);
    close(fd);
    once();
    assert_int_equal(k.n_taken, 1);
    keeper_close(&k);
}

static void by_hand_waits_until_it_is_named(void **state)
{
    static const char *const only[] = { "hand" };

    (void)state;
    put("eshop/inbox/hand.csv", "one");
    put("eshop/inbox/orders.csv", "two");
    once();
    assert_int_equal(k.n_taken, 1);
    assert_true(is_there("eshop/inbox/hand.csv"));
    keeper_close(&k);
    once_of(only, 1);
    assert_int_equal(k.n_taken, 1);
    assert_true(is_there("pohoda/in/out-hand.csv"));
    keeper_close(&k);
}

static void the_same_file_again_is_not_sent_again(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "one order");
    once();
    keeper_close(&k);
    unlink(at("pohoda/in/out-orders.csv"));
    put("eshop/inbox/orders-copy.csv", "one order");
    once();
    expect_job(2, RECEIPT_SUPPRESSED);
    assert_int_equal(n_names("pohoda/in"), 0);
    assert_true(is_there("spool/archive/2027/01/15/2-orders-copy.csv"));
    expect_clean();
    keeper_close(&k);
}

static void two_equal_files_together_are_one(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "one order");
    put("eshop/inbox/orders2.csv", "one order");
    put("eshop/inbox/orders3.csv", "another");
    once();
    expect_job(1, RECEIPT_DONE);
    expect_job(2, RECEIPT_SUPPRESSED);
    expect_job(3, RECEIPT_DONE);
    assert_int_equal(job(2).same_as, 1);
    assert_int_equal(n_names("pohoda/in"), 2);
    expect_clean();
    keeper_close(&k);
}

static void mode_test_delivers_into_the_spool(void **state)
{
    (void)state;
    conf_route(&conf, STR("orders"))->test = true;
    put("eshop/inbox/orders.csv", "one order");
    once();
    expect_job(1, RECEIPT_DONE);
    assert_int_equal(n_names("pohoda/in"), 0);
    assert_true(is_there("spool/test/orders/pohoda/in/out-orders.csv"));
    keeper_close(&k);
    conf_route(&conf, STR("orders"))->test = false;
    put("eshop/inbox/orders.csv", "one order");
    once();
    expect_job(2, RECEIPT_DONE); /* a test is no fact */
    assert_int_equal(n_names("pohoda/in"), 1);
    keeper_close(&k);
}

static void mode_test_keeps_destinations_apart(void **state)
{
    struct route *r = conf_route(&conf, STR("orders"));
    struct conf_to here = *r->writes->to, there = here;

    (void)state;
    r->test = true;
    r->writes->to = &here;
    here.next = &there;
    there.partner = conf_partner(&conf, STR("eshop"));
    there.folder = STR("");
    put("eshop/inbox/orders.csv", "one order");
    once();
    expect_job(1, RECEIPT_DONE);
    assert_true(is_there("spool/test/orders/pohoda/in/out-orders.csv"));
    assert_true(is_there("spool/test/orders/eshop/out-orders.csv"));
    keeper_close(&k);
}

/* ---- bad files ----------------------------------------------------------- */

static void a_rejected_file_goes_back_with_its_report(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "reject me");
    once();
    expect_job(1, RECEIPT_REJECTED);
    assert_true(str_starts(job(1).why, STR("14:0: not a number")));
    assert_int_equal(n_names("pohoda/in"), 0);
    assert_string_equal(text_of("eshop/rejected/1-orders.csv"), "reject me");
    assert_non_null(strstr(text_of("eshop/rejected/1-orders.csv.report.txt"),
                           "not a number: \"12,x\""));
    assert_non_null(strstr(text_of("eshop/rejected/1-orders.csv.report.txt"),
                           "Job       1"));
    expect_clean();
    keeper_close(&k);
}

static void a_record_set_aside_is_reported_the_rest_delivered(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "aside one");
    once();
    expect_job(1, RECEIPT_DONE);
    assert_int_equal(k.n_aside_records, 1);
    assert_true(is_there("pohoda/in/out-orders.csv"));
    assert_true(is_there("eshop/rejected/1-orders.csv.report.txt"));
    assert_false(is_there("eshop/rejected/1-orders.csv"));
    /* It may come again: not everything of it went through. */
    keeper_close(&k);
    unlink(at("pohoda/in/out-orders.csv"));
    put("eshop/inbox/orders.csv", "aside one");
    once();
    expect_job(2, RECEIPT_DONE);
    keeper_close(&k);
}

static void a_file_without_outputs_is_done(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "none of it");
    once();
    expect_job(1, RECEIPT_DONE);
    assert_int_equal(n_names("pohoda/in"), 0);
    expect_clean();
    keeper_close(&k);
}

/* ---- bad days ------------------------------------------------------------ */

static void a_job_killed_every_time_is_held_others_go_on(void **state)
{
    const int tries = 5;

    (void)state;
    put("eshop/inbox/orders1.csv", "die");
    put("eshop/inbox/orders2.csv", "two");
    /* The first run tries it twice: with the other one, and alone. */
    for (int i = 2; i < tries; i++) {
        once();
        assert_int_equal(n_names("pohoda/in"), 1);
        expect_job(1, RECEIPT_TAKEN);
        expect_job(2, RECEIPT_DONE);
        keeper_close(&k);
    }
    once();
    expect_job(1, RECEIPT_HELD);
    assert_true(str_is(job(1).why, "the converting process died (signal 9)"));
    assert_int_equal(n_names("spool/in"), 1); /* its original is kept */
    keeper_close(&k);
}

static void a_failed_machine_is_tried_again(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "fail");
    once();
    expect_job(1, RECEIPT_TAKEN);
    assert_true(k.machine_failed);
    assert_true(str_is(job(1).why, "no memory"));
    keeper_close(&k);
    once();
    expect_job(1, RECEIPT_TAKEN);
    assert_int_equal(job(1).n_tries, 2);
    keeper_close(&k);
}

static void a_missing_folder_makes_the_delivery_wait(void **state)
{
    (void)state;
    assert_int_equal(rmdir(at("pohoda/in")), 0);
    put("eshop/inbox/orders.csv", "one");
    once();
    expect_job(1, RECEIPT_CONVERTED);
    assert_non_null(k.troubles);
    assert_false(is_there("pohoda/in")); /* it may be a disk not mounted */
    keeper_close(&k);
    assert_int_equal(mkdir(at("pohoda/in"), 0700), 0);
    once();
    expect_job(1, RECEIPT_DONE);
    assert_true(is_there("pohoda/in/out-orders.csv"));
    expect_clean();
    keeper_close(&k);
}

static void a_taken_name_is_waited_for(void **state)
{
    (void)state;
    put("pohoda/in/out-orders.csv", "yesterday's");
    put("eshop/inbox/orders.csv", "today's");
    once();
    expect_job(1, RECEIPT_HELD);
    assert_string_equal(text_of("pohoda/in/out-orders.csv"), "yesterday's");
    assert_int_equal(n_names("pohoda/in"), 1);
    keeper_close(&k);
    unlink(at("pohoda/in/out-orders.csv"));
    once();
    expect_job(1, RECEIPT_DONE);
    assert_string_equal(text_of("pohoda/in/out-orders.csv"), "today's");
    keeper_close(&k);
}

static void a_second_keeper_does_nothing(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    once();
    put("eshop/inbox/orders.csv", "one");
    pid = fork();
    if (pid == 0) {
        struct keeper second = { .conf = &conf, .run = fake_run };
        int rc = keeper_once(&second, &e);

        _exit(rc == 0 && second.is_busy ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(is_there("eshop/inbox/orders.csv"));
    keeper_close(&k);
}

static void a_lost_ledger_stops_the_start(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "one");
    once();
    keeper_close(&k);
    assert_int_equal(rename(at("spool/state/ledger.db"), at("away.db")), 0);
    k = (struct keeper){ .conf = &conf, .run = fake_run };
    assert_int_equal(keeper_once(&k, &e), -1);
    assert_int_equal(e.next, ERR_STOP);
    keeper_close(&k);
}

/* ---- killed at every change of the file system or the ledger --------------
 */

/*
 * The child is killed after n milliseconds' worth of work; the parent then
 * runs to the end. What is delivered must be there once, whatever n is.
 */
static void killed_anywhere_nothing_is_lost_or_doubled(void **state)
{
    (void)state;
    for (int us = 0; us < 40000; us += 1300) {
        int status;
        pid_t pid;

        teardown(NULL);
        setup(NULL);
        put("eshop/inbox/orders1.csv", "one");
        put("eshop/inbox/orders2.csv", "reject");
        put("eshop/inbox/orders3-both.csv", "three");
        pid = fork();
        if (pid == 0) {
            once();
            _exit(0);
        }
        usleep((useconds_t)us);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        once();
        assert_string_equal(text_of("pohoda/in/out-orders1.csv"), "one");
        assert_string_equal(text_of("pohoda/in/out-orders3-both.csv"), "three");
        assert_string_equal(text_of("eshop/outbox/out-orders3-both.csv"),
                            "three");
        assert_int_equal(n_names("pohoda/in"), 2);
        assert_int_equal(n_names("eshop/outbox"), 1);
        assert_int_equal(n_names("eshop/rejected"), 2);
        expect_clean();
        keeper_close(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_order_arrives),
        TEST(a_file_runs_every_route_that_takes_it),
        TEST(unfinished_and_foreign_files_stay),
        TEST(by_hand_waits_until_it_is_named),
        TEST(the_same_file_again_is_not_sent_again),
        TEST(two_equal_files_together_are_one),
        TEST(mode_test_delivers_into_the_spool),
        TEST(mode_test_keeps_destinations_apart),
        TEST(a_rejected_file_goes_back_with_its_report),
        TEST(a_record_set_aside_is_reported_the_rest_delivered),
        TEST(a_file_without_outputs_is_done),
        TEST(a_job_killed_every_time_is_held_others_go_on),
        TEST(a_failed_machine_is_tried_again),
        TEST(a_missing_folder_makes_the_delivery_wait),
        TEST(a_taken_name_is_waited_for),
        TEST(a_second_keeper_does_nothing),
        TEST(a_lost_ledger_stops_the_start),
        TEST(killed_anywhere_nothing_is_lost_or_doubled),
    };

    return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
