/* t_fsck.c - what breaks which rule; and what a start does about it. */
#include "tests/unit/keeper_run.h"

#include "spool/fsck.h"
#include "spool/ledger_db.h"

static void change(const char *sql)
{
    struct db *db;

    assert_int_equal(db_open(&db, at("spool/state/ledger.db"), true, &e), 0);
    assert_int_equal(db_script(db,
                               "PRAGMA foreign_keys=OFF;"
                               "PRAGMA ignore_check_constraints=ON",
                               &e),
                     0);
    if (db_script(db, sql, &e) == -1)
        fail_msg("%s: %s", sql, e.text);
    db_close(db);
}

/* All rules, with the keeper's lock. Only `want` may be broken (0: none). */
static void expect_broken(int want, const char *when)
{
    static struct arena a;
    struct keeper x = { .conf = &conf };
    struct fsck f = { .arena = &a };

    assert_int_equal(keeper_reserve(&x, &e), 0);
    assert_false(x.is_busy);
    assert_int_equal(
        ledger_open(&f.ledger, at("spool/state/ledger.db"), LEDGER_READ, &e),
        0);
    f.spool_fd = x.spool_fd;
    assert_int_equal(fsck_ledger(&f, &e), 0);
    assert_int_equal(fsck_spool(&f, &e), 0);
    assert_int_equal(fsck_archive(&f, &e), 0);
    for (struct finding *g = f.findings; g; g = g->next)
        if (fsck_table[g->rule].number != want)
            fail_msg("%s: I%d job %d: %.*s", when, fsck_table[g->rule].number,
                     (int)g->job, STR_ARGS(g->text));
    if (want && !f.n)
        fail_msg("%s: nothing was found", when);
    ledger_close(f.ledger);
    keeper_close(&x);
    arena_release(&a);
}

static void start(void)
{
    k = (struct keeper){ .conf = &conf, .run = fake_run, .patience = 1 };
}

/* Job 1 is DONE, 2 is CONVERTED and waits, 3 is REJECTED, 4 SUPPRESSED. */
static void make_jobs(void)
{
    put("eshop/inbox/orders1.csv", "one order");
    once();
    keeper_close(&k);
    assert_int_equal(rename(at("pohoda/in"), at("pohoda/away")), 0);
    put("eshop/inbox/orders2.csv", "another");
    once();
    keeper_close(&k);
    put("eshop/inbox/orders3.csv", "reject me");
    put("eshop/inbox/orders4.csv", "one order");
    once();
    expect_job(2, RECEIPT_CONVERTED);
    expect_job(3, RECEIPT_REJECTED);
    expect_job(4, RECEIPT_SUPPRESSED);
    keeper_close(&k);
}

static const struct {
    const char *name, *sql;
    int rule;
    bool stops; /* a start sees it, too */
} changes[] = {
    { "nothing", "SELECT 1", 0, false },
    { "a claim without jobs",
      "INSERT INTO claim(id,partner,folder,name,state,seq,claimed_at) VALUES"
      "('00112233445566778899aabbccddeeff','eshop','inbox','x','TAKEN',1,"
      "'2027-01-15T08:00:00Z')",
      1, true },
    { "a job of no claim",
      "DELETE FROM claim WHERE id=(SELECT claim FROM "
      "receipt WHERE job=4)",
      2, false },
    { "a delivery of no job", "UPDATE delivery SET job=77 WHERE job=2", 2,
      true },
    { "a number above the counter",
      "UPDATE counter SET value=3 WHERE "
      "name='job'",
      3, true },
    { "a kind that nobody knows", "UPDATE delivery SET kind='x' WHERE job=1", 4,
      false },
    { "DONE without an end", "UPDATE receipt SET ended_at=NULL WHERE job=1", 5,
      true },
    { "CONVERTED with an end",
      "UPDATE receipt SET ended_at=taken_at WHERE job=2", 5, false },
    { "DONE with a delivery on its way",
      "UPDATE delivery SET state='READY',delivered_at=NULL WHERE job=1", 6,
      true },
    { "a held delivery of a job that goes on",
      "UPDATE delivery SET state='HELD' WHERE job=2", 7, true },
    { "DELIVERED without a time",
      "UPDATE delivery SET delivered_at=NULL WHERE job=1", 8, false },
    { "READY with a time",
      "UPDATE delivery SET delivered_at=ready_at WHERE "
      "job=2",
      8, true },
    { "CONVERTED without a time",
      "UPDATE receipt SET converted_at=NULL WHERE job=2", 9, true },
    { "archived nowhere",
      "UPDATE claim SET archive=NULL WHERE id=(SELECT "
      "claim FROM receipt WHERE job=4)",
      10, false },
    { "the same content DONE twice",
      "UPDATE receipt SET state='DONE',converted_at=taken_at WHERE job=4", 11,
      false },
    { "a claim above its counter",
      "UPDATE counter SET value=3 WHERE name='claim'", 17, false },
    { "a delivery that is of another place",
      "UPDATE delivery SET seq=9 WHERE job=2", 17, true },
    { "what waits for a job that is DONE",
      "INSERT INTO got VALUES('pohoda/in','stock',1,x'00')", 18, false },
    { "a story of no document",
      "PRAGMA foreign_keys=OFF; INSERT INTO story(doc,at,job,what,text)"
      " VALUES(7,'2027-01-15T08:00:00Z',1,'came','')",
      18, false },
    { "another ledger", "UPDATE meta SET value='x' WHERE name='generation'", 12,
      true },
    { "an older ledger", "DELETE FROM event WHERE n>3", 12, true },
};

static void a_change_breaks_its_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        if (i) {
            teardown(NULL);
            setup(NULL);
        }
        make_jobs();
        expect_broken(0, "before");
        change(changes[i].sql);
        if (changes[i].rule != 10) /* its file is looked for, too */
            expect_broken(changes[i].rule, changes[i].name);
        start();
        if ((keeper_open(&k, &e) == -1) != changes[i].stops)
            fail_msg("%s: a start %s", changes[i].name,
                     changes[i].stops ? "goes on" : e.text);
        if (changes[i].stops)
            assert_int_equal(e.next, ERR_STOP);
        keeper_close(&k);
    }
}

/* The one name in a folder of the spool. */
static const char *only_name(const char *folder)
{
    static char path[512];
    DIR *dir = opendir(at(folder));
    struct dirent *d;

    path[0] = '\0';
    while ((d = readdir(dir)))
        if (d->d_name[0] != '.')
            snprintf(path, sizeof(path), "%s/%s", folder, d->d_name);
    closedir(dir);
    return path;
}

static void a_lost_original_holds_its_job(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "fail once");
    once();
    expect_job(1, RECEIPT_TAKEN);
    keeper_close(&k);
    put(only_name("spool/in"), "short");
    expect_broken(13, "another size");
    once();
    expect_job(1, RECEIPT_HELD);
    keeper_close(&k);
    assert_int_equal(unlink(at(only_name("spool/in"))), 0);
    expect_broken(13, "not there");
}

static void a_lost_result_holds_its_delivery(void **state)
{
    char result[300];

    (void)state;
    make_jobs();
    snprintf(result, sizeof(result), "%.200s/0/result.xml",
             only_name("spool/out"));
    assert_int_equal(unlink(at(result)), 0);
    expect_broken(14, "not there");
    put("eshop/inbox/orders5.csv", "others go on");
    rename(at("pohoda/away"), at("pohoda/in"));
    once();
    expect_job(2, RECEIPT_HELD);
    expect_job(5, RECEIPT_DONE);
    keeper_close(&k);
}

static void litter_is_found(void **state)
{
    (void)state;
    make_jobs();
    put("spool/in/x", "?");
    expect_broken(15, "in/");
    once();
    keeper_close(&k);
    unlink(at("spool/in/x"));
    put("spool/out/x", "?");
    expect_broken(15, "out/");
}

static void the_archive_is_complete_or_a_day_is_gone(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "one order");
    once();
    keeper_close(&k);
    put("spool/archive/2027/01/15/1-orders.csv", "other");
    expect_broken(16, "another size");
    put("spool/archive/2027/01/15/1-orders.csv", "one order");
    expect_broken(0, "as it was");
    unlink(at("spool/archive/2027/01/15/1/0/result.xml"));
    expect_broken(16, "no result");
    assert_int_equal(tree_remove(AT_FDCWD, at("spool/archive/2027/01/15")), 0);
    expect_broken(0, "the day was removed");
}

/* What a crash between two steps leaves is in order. */
static void half_archived_is_in_order(void **state)
{
    char day[] = "spool/archive/2027/01/15";

    (void)state;
    make_jobs();
    change("UPDATE claim SET state='TAKEN',archive=NULL,archived_at=NULL WHERE "
           "id=(SELECT claim FROM receipt WHERE job=1)");
    assert_true(is_there(day));
    expect_broken(0, "moved, not committed");
}

static void findings_travel_as_text(void **state)
{
    static struct arena a;
    struct fsck f = { .arena = &a }, g = { .arena = &a };

    (void)state;
    fsck_found(&f, FSCK_ORIGINAL, 17, "a line\nand \x01 more");
    fsck_found(&f, FSCK_NO_LITTER, 0, "x");
    fsck_unpack(&g, fsck_pack(&f, &a));
    assert_int_equal(g.n, 2);
    assert_int_equal(g.findings->rule, FSCK_ORIGINAL);
    assert_int_equal(g.findings->job, 17);
    assert_true(str_is(g.findings->next->text, "x"));
    fsck_unpack(&g, STR("999 1 no such rule\nnothing\n"));
    assert_int_equal(g.n, 2);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_breaks_its_rule),
        TEST(a_lost_original_holds_its_job),
        TEST(a_lost_result_holds_its_delivery),
        TEST(litter_is_found),
        TEST(the_archive_is_complete_or_a_day_is_gone),
        TEST(half_archived_is_in_order),
        cmocka_unit_test(findings_travel_as_text),
    };

    return cmocka_run_group_tests_name("fsck", tests, NULL, NULL);
}
