/* t_adopt.c - lost ledgers, old ones, and backups that were brought back. */
#include "tests/unit/keeper_run.h"

#include "spool/adopt.h"
#include "spool/backup.h"
#include "spool/fsck.h"
#include "spool/generation.h"
#include "spool/request.h"

static struct adopted found;

/* ---- what a person does -------------------------------------------------- */

static void copy(const char *from, const char *to)
{
    int in = open(at(from), O_RDONLY);
    int out = open(at(to), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct content got;

    assert_true(in != -1 && out != -1);
    assert_int_equal(content_copy(in, out, UINT64_MAX, &got), 0);
    close(in);
    close(out);
}

static void save_ledger(void)
{
    copy("spool/state/ledger.db", "saved.db");
}

static void bring_ledger_back(void)
{
    assert_int_equal(tree_remove(AT_FDCWD, at("spool/state")), 0);
    assert_int_equal(mkdir(at("spool/state"), 0700), 0);
    copy("saved.db", "spool/state/ledger.db");
}

static void lose_ledger(void)
{
    assert_int_equal(tree_remove(AT_FDCWD, at("spool/state")), 0);
}

/* A start stops; nothing was taken or delivered. */
static void expect_stop(const char *why)
{
    struct keeper x = { .conf = &conf, .run = fake_run };

    assert_int_equal(keeper_once(&x, &e), -1);
    assert_int_equal(e.next, ERR_STOP);
    if (!strstr(e.text, why))
        fail_msg("%s", e.text);
    keeper_close(&x);
}

static int try_adopt(void)
{
    struct keeper x = { .conf = &conf };
    int rc = keeper_reserve(&x, &e);

    if (rc == 0)
        rc = adopt(&x, &found, &e);
    found.lines = NULL; /* they lived in the keeper */
    keeper_close(&x);
    return rc;
}

static void expect_in_order(void)
{
    static struct arena a;
    struct keeper x = { .conf = &conf };
    struct fsck f = { .arena = &a };

    assert_int_equal(keeper_reserve(&x, &e), 0);
    assert_int_equal(
        ledger_open(&f.ledger, at("spool/state/ledger.db"), LEDGER_READ, &e),
        0);
    f.spool_fd = x.spool_fd;
    assert_int_equal(fsck_ledger(&f, &e), 0);
    assert_int_equal(fsck_spool(&f, &e), 0);
    assert_int_equal(fsck_archive(&f, &e), 0);
    if (f.n)
        fail_msg("I%d job %d: %.*s", fsck_table[f.findings->rule].number,
                 (int)f.findings->job, STR_ARGS(f.findings->text));
    ledger_close(f.ledger);
    keeper_close(&x);
    arena_release(&a);
}

static void adopt_it(void)
{
    struct adopted first;

    if (try_adopt() == -1)
        fail_msg("%s", e.text);
    first = found;
    assert_false(first.was_fine);
    expect_in_order();
    assert_int_equal(try_adopt(), 0); /* once is enough */
    assert_true(found.was_fine);
    found = first;
}

static void ask(const char *what, uint64_t number, const char *arg)
{
    static struct arena a;
    struct str answer;
    bool ok;

    if (request_make(&conf, fake_run, what, number, str_of(arg), &a, &ok,
                     &answer, &e) == -1)
        fail_msg("%s", e.text);
    if (!ok)
        fail_msg("%.*s", STR_ARGS(answer));
    arena_release(&a);
}

static void run(void)
{
    once();
    keeper_close(&k);
}

/* Keeps the receiver's folder away, so that deliveries wait. */
static void close_receiver(void)
{
    assert_int_equal(rename(at("pohoda/in"), at("pohoda/away")), 0);
}

static void open_receiver(void)
{
    assert_int_equal(rename(at("pohoda/away"), at("pohoda/in")), 0);
}

/* ---- a lost ledger ------------------------------------------------------- */

static void the_archive_makes_a_ledger(void **state)
{
    (void)state;
    put("eshop/inbox/orders1-both.csv", "one order");
    put("eshop/inbox/orders2.csv", "reject me");
    put("eshop/inbox/orders3.csv", "aside one");
    put("eshop/inbox/orders4.csv", "none of it");
    run();
    put("eshop/inbox/orders5.csv", "one order");
    run();
    lose_ledger();
    expect_stop("kervan adopt");
    adopt_it();
    assert_int_equal(found.n_held, 0);
    /* The same content is known, and numbers go on. */
    assert_int_equal(n_names("pohoda/in"), 2);
    put("eshop/inbox/orders6.csv", "one order");
    put("eshop/inbox/orders7.csv", "a new one");
    once();
    expect_job(1, RECEIPT_DONE);
    expect_job(2, RECEIPT_DONE);
    expect_job(3, RECEIPT_REJECTED);
    expect_job(4, RECEIPT_DONE);
    assert_int_equal(job(4).n.n_aside, 1);
    expect_job(5, RECEIPT_DONE);
    expect_job(6, RECEIPT_SUPPRESSED);
    assert_int_equal(job(6).same_as, 1);
    expect_job(7, RECEIPT_SUPPRESSED);
    expect_job(8, RECEIPT_DONE);
    assert_int_equal(n_names("pohoda/in"), 3);
    assert_true(is_there("spool/archive/2027/01/15/8-orders7.csv"));
    keeper_close(&k);
    expect_in_order();
}

static void an_adopted_job_is_sent_again(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "one order");
    run();
    lose_ledger();
    adopt_it();
    unlink(at("pohoda/in/out-orders.csv"));
    ask("resend", 1, "");
    assert_string_equal(text_of("pohoda/in/out-orders.csv"), "one order");
    expect_in_order();
}

static void what_may_have_arrived_is_held(void **state)
{
    (void)state;
    close_receiver();
    put("eshop/inbox/orders1.csv", "one");
    put("eshop/inbox/orders2.csv", "two");
    run();
    open_receiver();
    lose_ledger();
    adopt_it();
    assert_int_equal(found.n_held, 2);
    once();
    expect_job(1, RECEIPT_HELD);
    expect_job(2, RECEIPT_HELD);
    assert_int_equal(n_names("pohoda/in"), 0);
    keeper_close(&k);
    ask("settle", 1, "delivered");
    ask("settle", 2, "resend");
    once();
    expect_job(1, RECEIPT_DONE);
    expect_job(2, RECEIPT_DONE);
    assert_int_equal(n_names("pohoda/in"), 1);
    assert_true(is_there("pohoda/in/out-orders2.csv"));
    expect_clean(); /* claimed files too: the senders' were unchanged */
    keeper_close(&k);
    expect_in_order();
}

static void a_file_without_a_result_goes_back(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "fail");
    run();
    assert_int_equal(n_names("spool/in"), 1);
    lose_ledger();
    adopt_it();
    assert_int_equal(n_names("spool/in"), 0);
    assert_int_equal(n_names("spool/archive/lost"), 1);
    run();
    assert_int_equal(n_names("eshop/inbox"), 2); /* .claim, unclaimed-... */
    assert_int_equal(n_names("eshop/inbox/.claim"), 0);
}

static void a_spool_without_its_ledger_and_generation(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "one order");
    run();
    lose_ledger();
    unlink(at("spool/generation"));
    expect_stop("the archive is not");
    adopt_it();
    once();
    expect_job(1, RECEIPT_DONE);
    keeper_close(&k);
}

/* ---- an old ledger ------------------------------------------------------- */

static void lost_days_are_not_sent_again(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "one");
    run();
    close_receiver();
    put("eshop/inbox/orders2.csv", "two");
    put("eshop/inbox/orders3.csv", "reject me");
    run();
    save_ledger(); /* job 2 waits in it */
    open_receiver();
    put("eshop/inbox/orders4.csv", "four");
    run();
    assert_int_equal(n_names("pohoda/in"), 3);
    bring_ledger_back();
    expect_stop("the spool had job 4, the ledger has 3");
    adopt_it();
    for (int i = 1; i <= 4; i++) {
        char name[64];

        snprintf(name, sizeof(name), "pohoda/in/out-orders%d.csv", i);
        unlink(at(name));
    }
    put("eshop/inbox/orders5.csv", "two");
    put("eshop/inbox/orders6.csv", "four");
    once();
    expect_job(2, RECEIPT_DONE);
    expect_job(3, RECEIPT_REJECTED);
    expect_job(4, RECEIPT_DONE);
    expect_job(5, RECEIPT_SUPPRESSED);
    expect_job(6, RECEIPT_SUPPRESSED);
    assert_int_equal(n_names("pohoda/in"), 0);
    keeper_close(&k);
    expect_in_order();
}

/* Without a new job since: only the history is longer. */
static void an_old_state_of_the_last_job_is_noticed(void **state)
{
    (void)state;
    close_receiver();
    put("eshop/inbox/orders.csv", "one");
    run();
    save_ledger();
    open_receiver();
    run();
    unlink(at("pohoda/in/out-orders.csv"));
    bring_ledger_back();
    expect_stop("older than the spool");
    adopt_it();
    once();
    expect_job(1, RECEIPT_DONE);
    assert_int_equal(n_names("pohoda/in"), 0);
    keeper_close(&k);
}

static void what_was_never_converted_goes_on(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "fail");
    run();
    save_ledger();
    put("eshop/inbox/orders2.csv", "two");
    run();
    bring_ledger_back();
    adopt_it();
    once();
    expect_job(1, RECEIPT_TAKEN);
    expect_job(2, RECEIPT_DONE);
    keeper_close(&k);
}

static void the_ledger_of_another_spool_is_refused(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "one");
    run();
    save_ledger();
    assert_int_equal(tree_remove(AT_FDCWD, at("spool")), 0);
    put("eshop/inbox/orders2.csv", "two");
    put("eshop/inbox/orders3.csv", "three");
    run();
    bring_ledger_back();
    assert_int_equal(try_adopt(), -1);
    assert_non_null(strstr(e.text, "another spool"));
}

/* ---- backups ------------------------------------------------------------- */

static struct backup_counts copied;

static int stage_only(void)
{
    struct keeper x = { .conf = &conf };
    char dir[64];
    int rc;

    mkdir(at("bak"), 0700);
    snprintf(dir, sizeof(dir), "%s", at("bak"));
    rc = backup_check(&conf, dir, &e);
    if (rc == 0)
        rc = keeper_reserve(&x, &e);
    if (rc == 0)
        rc =
            ledger_open(&x.ledger, at("spool/state/ledger.db"), LEDGER_ASK, &e);
    if (rc == 0)
        rc = backup_stage(x.ledger, x.spool_fd, dir, &e);
    keeper_close(&x);
    return rc;
}

static void back_up(void)
{
    int dir = open(at("bak"), O_RDONLY), spool = open(at("spool"), O_RDONLY);

    if (stage_only() == -1)
        fail_msg("%s", e.text);
    if (dir == -1)
        dir = open(at("bak"), O_RDONLY);
    assert_int_equal(backup_archive(spool, dir, &copied, &e), 0);
    assert_int_equal(backup_finish(dir, true, &copied, &e), 0);
    close(dir);
    close(spool);
}

static void bring_back(void)
{
    assert_int_equal(tree_remove(AT_FDCWD, at("spool")), 0);
    assert_int_equal(rename(at("bak"), at("spool")), 0);
}

static void a_backup_is_a_spool_that_waits_for_adopt(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "one");
    run();
    close_receiver();
    put("eshop/inbox/orders2.csv", "two");
    put("eshop/inbox/orders3.csv", "fail");
    run();
    back_up();
    assert_true(is_there("bak/complete"));
    assert_false(is_there("bak/new"));
    open_receiver();
    run();
    assert_int_equal(n_names("pohoda/in"), 2);
    bring_back();
    expect_stop("is a backup of 2027-01-15");
    adopt_it();
    once();
    expect_job(1, RECEIPT_DONE);
    expect_job(2, RECEIPT_HELD); /* it was delivered, but who knows */
    expect_job(3, RECEIPT_HELD); /* it may have been converted since */
    assert_int_equal(n_names("pohoda/in"), 2);
    keeper_close(&k);
    ask("settle", 2, "delivered");
    ask("settle", 3, "delivered");
    put("eshop/inbox/orders4.csv", "four");
    once();
    expect_job(2, RECEIPT_DONE);
    expect_job(3, RECEIPT_SUPPRESSED);
    expect_job(1001, RECEIPT_DONE); /* above all that were lost */
    keeper_close(&k);
    expect_in_order();
}

static void the_next_backup_copies_only_what_is_new(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "one");
    run();
    back_up();
    assert_int_equal(copied.n_kept, 0);
    put("eshop/inbox/orders2.csv", "two");
    run();
    back_up();
    assert_true(copied.n_kept > 0);
    assert_int_equal(copied.n_kept, copied.n_copied);
    assert_string_equal(text_of("bak/archive/2027/01/15/2-orders2.csv"), "two");
}

static void an_interrupted_backup_is_no_backup(void **state)
{
    char before[512];

    (void)state;
    put("eshop/inbox/orders1.csv", "one");
    run();
    assert_int_equal(stage_only(), 0);
    assert_false(is_there("bak/complete"));
    back_up();
    snprintf(before, sizeof(before), "%s", text_of("bak/complete"));
    put("eshop/inbox/orders2.csv", "two");
    run();
    assert_int_equal(stage_only(), 0); /* and then the power went */
    assert_string_equal(text_of("bak/complete"), before);
    assert_int_equal(unlink(at("bak/complete")), 0);
    bring_back();
    assert_int_equal(try_adopt(), -1);
    assert_non_null(strstr(e.text, "interrupted"));
}

static void a_request_in_a_backup_is_forgotten(void **state)
{
    struct ledger *l;
    uint64_t n;

    (void)state;
    put("eshop/inbox/orders1.csv", "one");
    run();
    assert_int_equal(
        ledger_open(&l, at("spool/state/ledger.db"), LEDGER_ASK, &e), 0);
    assert_int_equal(ledger_ask(l, "resend", 1, STR(""), &n, &e), 0);
    ledger_close(l);
    back_up();
    bring_back();
    adopt_it();
    unlink(at("pohoda/in/out-orders1.csv"));
    run();
    assert_int_equal(n_names("pohoda/in"), 0);
}

/* Killed before the new generation was written, then after it. */
static void an_adopt_that_was_killed_is_repeated(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "one");
    run();
    back_up();
    bring_back();
    copy("spool/generation", "saved.generation");
    copy("spool/complete", "saved.complete");
    adopt_it();
    copy("saved.generation", "spool/generation");
    copy("saved.complete", "spool/complete");
    adopt_it();
    copy("saved.complete", "spool/complete");
    assert_int_equal(try_adopt(), 0);
    assert_true(found.was_fine);
    assert_false(is_there("spool/complete"));
    put("eshop/inbox/orders2.csv", "two");
    once();
    expect_job(1001, RECEIPT_DONE);
    keeper_close(&k);
}

static void a_backup_goes_nowhere_else(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "one");
    run();
    assert_int_equal(backup_check(&conf, at("spool/in"), &e), -1);
    assert_int_equal(backup_check(&conf, at("spool"), &e), -1);
    assert_int_equal(backup_check(&conf, at("eshop"), &e), -1);
    assert_int_equal(backup_check(&conf, at("nowhere"), &e), -1);
    assert_int_equal(backup_check(&conf, at("pohoda/in"), &e), -1);
    mkdir(at("spool2"), 0700);
    assert_int_equal(backup_check(&conf, at("spool2"), &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_archive_makes_a_ledger),
        TEST(an_adopted_job_is_sent_again),
        TEST(what_may_have_arrived_is_held),
        TEST(a_file_without_a_result_goes_back),
        TEST(a_spool_without_its_ledger_and_generation),
        TEST(lost_days_are_not_sent_again),
        TEST(an_old_state_of_the_last_job_is_noticed),
        TEST(what_was_never_converted_goes_on),
        TEST(the_ledger_of_another_spool_is_refused),
        TEST(a_backup_is_a_spool_that_waits_for_adopt),
        TEST(the_next_backup_copies_only_what_is_new),
        TEST(an_interrupted_backup_is_no_backup),
        TEST(a_request_in_a_backup_is_forgotten),
        TEST(an_adopt_that_was_killed_is_repeated),
        TEST(a_backup_goes_nowhere_else),
    };

    return cmocka_run_group_tests_name("adopt", tests, NULL, NULL);
}
