/* t_ledger.c - the ledger in a real SQLite file: transitions, questions. */
#include "tests/unit/tree.h"

#include "converters/base/date.h"
#include "spool/ledger.h"
#include "spool/ledger_db.h"
#include "spool/ledger_schema.h"

enum { NOW = 1800000000 };

static struct ledger *l;
static struct arena a;
static struct err e;

#define OK(call)                                                          \
    do {                                                                  \
        if ((call) != 0)                                                  \
            fail_msg("%s:%d: %s: %s", __FILE__, __LINE__, #call, e.text); \
    } while (0)
#define REFUSED(call)                       \
    do {                                    \
        assert_int_equal(call, -1);         \
        assert_int_equal(e.next, ERR_STOP); \
    } while (0)

static int setup(void **state)
{
    (void)state;
    tree_make();
    clock_freeze(NOW);
    OK(ledger_open(&l, at("ledger.db"), LEDGER_WRITE, &e));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ledger_close(l);
    arena_release(&a);
    tree_drop();
    return 0;
}

static struct claim new_claim(const char *name)
{
    struct claim c = { .partner = STR("eshop"),
                       .folder = STR("inbox"),
                       .name = str_of(name),
                       .taken_at = NOW,
                       .seen = { 1, 2, 3, 4, 5 } };

    id_new(c.id);
    memset(c.sha256, 'a', HASH_HEX);
    OK(ledger_reserve(l, 1, &c.seq, &e));
    OK(ledger_claim(l, &c, &e));
    return c;
}

static struct receipt new_receipt(struct claim *c, const char *route, bool once)
{
    struct receipt r = { .route = str_of(route),
                         .partner = c->partner,
                         .name = c->name,
                         .size = 3,
                         .once = once,
                         .run_time = NOW,
                         .taken_at = NOW };

    id_new(r.id);
    memcpy(r.sha256, c->sha256, sizeof(r.sha256));
    return r;
}

static struct delivery new_delivery(void)
{
    struct delivery d = { .kind = OUT_FILE,
                          .path = STR("0/x.xml"),
                          .partner = STR("pohoda"),
                          .folder = STR("xml/in"),
                          .name = STR("x.xml"),
                          .bytes = 9,
                          .epoch = 1 };

    id_new(d.id);
    memset(d.sha256, 'b', HASH_HEX);
    return d;
}

static struct receipt taken(const char *name, bool once)
{
    struct claim c = new_claim(name);
    struct receipt r = new_receipt(&c, "orders", once);

    OK(ledger_taken(l, &c, &r, 1, &e));
    memcpy(r.claim, c.id, sizeof(r.claim));
    return r;
}

static struct receipt find(uint64_t job)
{
    const struct ledger_find f = { .job = job };
    struct receipt *r;
    size_t n;

    OK(ledger_receipts(l, &f, &a, &r, &n, &e));
    assert_int_equal(n, 1);
    return r[0];
}

static struct delivery find_delivery(const struct receipt *r)
{
    struct delivery *d;
    size_t n;

    OK(ledger_deliveries(l, r->id, 0, &a, &d, &n, &e));
    assert_int_equal(n, 1);
    return d[0];
}

static void a_file_goes_all_the_way(void **state)
{
    struct receipt r = taken("orders.csv", true);
    struct delivery d = new_delivery();
    struct claim *c;
    size_t n;

    (void)state;
    assert_int_equal(r.job, 1);
    r.summary = STR("2 orders read");
    r.n.n_read = 2;
    OK(ledger_converted(l, &r, &d, 1, &e));
    REFUSED(ledger_done(l, &r, &e)); /* a delivery is open */
    OK(ledger_renaming(l, &d, STR("1:2"), &e));
    OK(ledger_to_archive(l, &a, &c, &n, &e));
    assert_int_equal(n, 0);
    OK(ledger_delivered(l, &d, false, &e));
    OK(ledger_done(l, &r, &e));
    r = find(1);
    assert_int_equal(r.state, RECEIPT_DONE);
    assert_int_equal(r.n.n_read, 2);
    assert_int_equal(r.ended_at, NOW);
    assert_true(str_is(r.summary, "2 orders read"));
    OK(ledger_to_archive(l, &a, &c, &n, &e));
    assert_int_equal(n, 1);
    assert_true(str_is(c[0].name, "orders.csv"));
    assert_int_equal(c[0].seen.ctime_ns, 5);
    OK(ledger_archived(l, &c[0], "2027/01/15/1-orders.csv", &e));
    OK(ledger_to_archive(l, &a, &c, &n, &e));
    assert_int_equal(n, 0);
}

static void a_step_cannot_go_back(void **state)
{
    struct receipt r = taken("orders.csv", true);
    struct delivery d = new_delivery();
    struct claim c = { .name = STR("x") };

    (void)state;
    memcpy(c.id, r.claim, sizeof(c.id));
    REFUSED(ledger_unclaim(l, &c, &e)); /* custody is not given back */
    REFUSED(ledger_done(l, &r, &e));
    OK(ledger_converted(l, &r, &d, 1, &e));
    REFUSED(ledger_converted(l, &r, &d, 1, &e));
    REFUSED(ledger_rejected(l, &r, NULL, 0, &e));
    REFUSED(ledger_delivered(l, &d, false, &e)); /* RENAMING comes first */
    OK(ledger_renaming(l, &d, STR("1:2"), &e));
    REFUSED(ledger_renaming(l, &d, STR("1:2"), &e));
    OK(ledger_delivered(l, &d, false, &e));
    REFUSED(ledger_delivery_held(l, &d, true, "no", &e));
}

static void a_refused_step_leaves_nothing(void **state)
{
    struct receipt r = taken("orders.csv", true);
    struct delivery d[2];
    struct delivery *all;
    size_t n;

    (void)state;
    d[0] = new_delivery();
    d[1] = d[0]; /* the same id: the second one cannot be added */
    REFUSED(ledger_converted(l, &r, d, 2, &e));
    assert_int_equal(find(r.job).state, RECEIPT_TAKEN);
    OK(ledger_deliveries(l, r.id, 0, &a, &all, &n, &e));
    assert_int_equal(n, 0);
    OK(ledger_converted(l, &r, d, 1, &e));
}

static void the_same_content_is_suppressed(void **state)
{
    struct receipt first = taken("orders.csv", true), second, third, stock;

    (void)state;
    second = taken("copy.csv", true); /* the first is not DONE yet */
    assert_int_equal(second.state, RECEIPT_TAKEN);
    OK(ledger_converted(l, &first, NULL, 0, &e));
    OK(ledger_done(l, &first, &e));
    third = taken("again.csv", true);
    assert_int_equal(third.state, RECEIPT_SUPPRESSED);
    assert_int_equal(third.same_as, first.job);
    assert_true(str_is(find(third.job).why, "the same content as job 1"));
    stock = taken("stock.csv", false);
    assert_int_equal(stock.state, RECEIPT_TAKEN);
}

static void a_partly_set_aside_file_may_come_again(void **state)
{
    struct receipt first = taken("orders.csv", true);

    (void)state;
    first.n.n_aside = 1;
    OK(ledger_converted(l, &first, NULL, 0, &e));
    OK(ledger_done(l, &first, &e));
    assert_int_equal(taken("orders.csv", true).state, RECEIPT_TAKEN);
}

static void a_taken_name_holds_the_job_until_it_is_free(void **state)
{
    struct receipt r = taken("orders.csv", true);
    struct delivery d = new_delivery();

    (void)state;
    OK(ledger_converted(l, &r, &d, 1, &e));
    d = find_delivery(&r);
    OK(ledger_renaming(l, &d, STR("1:2"), &e));
    OK(ledger_delivery_held(l, &d, true, "the name is taken", &e));
    assert_int_equal(find(r.job).state, RECEIPT_HELD);
    assert_true(str_is(find(r.job).why, "the name is taken"));
    d = find_delivery(&r);
    assert_true(d.name_taken);
    OK(ledger_delivery_again(l, &d, &e));
    assert_int_equal(d.epoch, 2);
    assert_int_equal(find(r.job).state, RECEIPT_CONVERTED);
    d.epoch = 1; /* an older owner */
    REFUSED(ledger_renaming(l, &d, STR("1:2"), &e));
    d.epoch = 2;
    OK(ledger_renaming(l, &d, STR("1:2"), &e));
}

static void numbers_and_history_are_kept(void **state)
{
    struct route_counts c;
    struct event *ev;
    struct receipt r;
    size_t n;

    (void)state;
    r = taken("a.csv", true);
    OK(ledger_waits(l, &r, "no space", 0, &e));
    r = find(r.job);
    OK(ledger_waits(l, &r, "no space", 0, &e)); /* told once */
    OK(ledger_held(l, &r, "it died", &e));
    OK(ledger_events(l, r.job, 0, &a, &ev, &n, &e));
    assert_int_equal(n, 3);
    assert_true(str_is(ev[0].what, "taken"));
    assert_true(str_is(ev[1].text, "no space"));
    assert_true(str_is(ev[2].what, "held"));
    OK(ledger_route_counts(l, "orders", &c, &e));
    assert_int_equal(c.n[RECEIPT_HELD], 1);
    assert_int_equal(c.n[RECEIPT_TAKEN], 0);
    assert_int_equal(c.last_at, NOW);
}

static void a_run_id_never_comes_again(void **state)
{
    static const int64_t clocks[] = { NOW, NOW, NOW + 1, NOW - 5, NOW - 5 };
    struct str last = STR("");

    (void)state;
    for (size_t i = 0; i < COUNT(clocks); i++) {
        struct claim c = new_claim("a.csv");
        struct receipt r[2];
        struct str id;

        for (int route = 0; route < 2; route++) {
            r[route] = new_receipt(&c, route ? "stock" : "orders", false);
            r[route].taken_at = clocks[i];
        }
        OK(ledger_taken(l, &c, r, 2, &e));
        for (int route = 0; route < 2; route++) {
            id = find(r[route].job).run_id;
            assert_int_equal(id.len, 10);
            if (str_cmp(last, id) >= 0)
                fail_msg("%.*s comes after %.*s", STR_ARGS(id), STR_ARGS(last));
            last = id;
        }
    }
    assert_true(str_is(find(1).run_id, "1nmkmg0001"));
    assert_true(str_is(find(3).run_id, "1nmkmg0003"));
}

static void it_is_the_same_after_opening_again(void **state)
{
    char generation[ID_HEX + 1];
    struct receipt r = taken("a\xff.csv", true);
    struct claim *c;

    (void)state;
    memcpy(generation, ledger_generation(l), sizeof(generation));
    ledger_close(l);
    OK(ledger_open(&l, at("ledger.db"), LEDGER_READ, &e));
    assert_string_equal(ledger_generation(l), generation);
    OK(ledger_find_claim(l, r.claim, &a, &c, &e));
    assert_true(str_is(c->name, "a\xff.csv"));
    REFUSED(ledger_held(l, &r, "a reader writes nothing", &e));
    ledger_close(l);
    OK(ledger_open(&l, at("none.db"), LEDGER_READ, &e));
    assert_null(l);
}

/* A ledger of the first version, as its first step made it. */
static void an_older_ledger_is_brought_up_to_date(void **state)
{
    struct ledger *old;
    struct db *db;
    uint64_t n;

    (void)state;
    OK(db_open(&db, at("old.db"), true, &e));
    OK(db_script(db,
                 "CREATE TABLE migration(version INTEGER PRIMARY KEY,"
                 " at TEXT NOT NULL, what TEXT NOT NULL)",
                 &e));
    OK(db_script(db, ledger_steps[0].sql, &e));
    OK(db_script(db,
                 "PRAGMA user_version=1;"
                 "INSERT INTO meta VALUES('generation','old')",
                 &e));
    db_close(db);
    assert_int_equal(ledger_open(&old, at("old.db"), LEDGER_READ, &e), -1);
    assert_non_null(strstr(e.text, "older kervan"));
    OK(ledger_open(&old, at("old.db"), LEDGER_WRITE, &e));
    assert_string_equal(ledger_generation(old), "old");
    OK(ledger_ask(old, "start", 0, STR("orders"), &n, &e));
    ledger_close(old);
    OK(ledger_open(&old, at("old.db"), LEDGER_READ, &e));
    ledger_close(old);
}

/* What the second version had: a stock file that was delivered, two that were
 * only claimed. */
static void claims_of_an_older_ledger_have_their_order(void **state)
{
    struct ledger *old;
    struct delivery *d;
    struct claim *c;
    struct db *db;
    uint64_t first;
    size_t n;

    (void)state;
    OK(db_open(&db, at("old.db"), true, &e));
    OK(db_script(db,
                 "CREATE TABLE migration(version INTEGER PRIMARY KEY,"
                 " at TEXT NOT NULL, what TEXT NOT NULL)",
                 &e));
    OK(db_script(db, ledger_steps[0].sql, &e));
    OK(db_script(db, ledger_steps[1].sql, &e));
    OK(db_script(
        db,
        "PRAGMA user_version=2;"
        "INSERT INTO meta VALUES('generation','old');"
        "UPDATE counter SET value=8 WHERE name='job';"
        "INSERT INTO claim(id,partner,folder,name,state,mtime_ns,claimed_at)"
        " VALUES('a','erp','in','a.csv','TAKEN',1,'2026-01-01T00:00:00Z'),"
        "('b','erp','in','b.csv','CLAIMED',9,'2026-01-01T00:00:00Z'),"
        "('c','erp','in','c.csv','CLAIMED',5,'2026-01-01T00:00:00Z');"
        "INSERT INTO receipt(job,id,claim,route,partner,name,size,sha256,once,"
        "test,state,run_id,run_time,taken_at) VALUES(7,'r','a','s','erp',"
        "'a.csv',1,'x',0,0,'CONVERTED','1','2026-01-01T00:00:00Z',"
        "'2026-01-01T00:00:00Z');"
        "INSERT INTO delivery(id,job,kind,path,partner,folder,name,replace,"
        "state,bytes,n_documents,sha256,ready_at) VALUES('d',7,'file','p',"
        "'shop','in','s',1,'READY',1,1,'x','2026-01-01T00:00:00Z')",
        &e));
    db_close(db);
    OK(ledger_open(&old, at("old.db"), LEDGER_WRITE, &e));
    OK(ledger_deliveries(old, "r", 0, &a, &d, &n, &e));
    assert_int_equal(d[0].seq, 7);
    OK(ledger_claims(old, CLAIM_CLAIMED, &a, &c, &n, &e));
    assert_int_equal(n, 2);
    assert_string_equal(c[0].id, "c");
    assert_int_equal(c[0].seq, 9);
    assert_int_equal(c[1].seq, 10);
    OK(ledger_reserve(old, 3, &first, &e));
    assert_int_equal(first, 11);
    ledger_close(old);
}

/* ---- which snapshot is newer ----------------------------------------------
 */

static struct delivery snapshot(struct claim *c)
{
    struct receipt r = new_receipt(c, "stock", false);
    struct delivery d = new_delivery();

    d.replace = true;
    OK(ledger_taken(l, c, &r, 1, &e));
    OK(ledger_converted(l, &r, &d, 1, &e));
    return find_delivery(&r);
}

static void the_order_of_claims_tells_which_is_newer(void **state)
{
    struct claim first = new_claim("a.csv"), second = new_claim("b.csv");
    struct delivery newer = snapshot(&second), older = snapshot(&first);
    uint64_t job;

    (void)state;
    assert_true(older.job > newer.job);
    OK(ledger_newer(l, &older, &job, &e));
    assert_int_equal(job, 0); /* nothing was delivered yet */
    OK(ledger_renaming(l, &newer, STR("1:2"), &e));
    OK(ledger_newer(l, &older, &job, &e));
    assert_int_equal(job, newer.job);
    OK(ledger_newer(l, &newer, &job, &e));
    assert_int_equal(job, 0);
    OK(ledger_superseded(l, &older, job, &e));
}

/* ---- what a person changes ----------------------------------------------- */

static struct receipt converted(const char *name)
{
    struct receipt r = taken(name, true);
    struct delivery d = new_delivery();

    OK(ledger_converted(l, &r, &d, 1, &e));
    return find(r.job);
}

static void a_hold_and_its_release(void **state)
{
    struct receipt r = taken("a.csv", true), c = converted("b.csv");
    struct delivery *d;
    size_t n;

    (void)state;
    OK(ledger_hold(l, &r, &e));
    OK(ledger_hold(l, &c, &e));
    assert_true(find(r.job).by_hand);
    assert_int_equal(find(c.job).state, RECEIPT_HELD);
    REFUSED(ledger_hold(l, &r, &e));
    OK(ledger_deliveries(l, NULL, 1u << DELIVERY_READY, &a, &d, &n, &e));
    assert_int_equal(n, 0); /* nobody delivers what a person holds */
    OK(ledger_release(l, &r, &e));
    OK(ledger_release(l, &c, &e));
    assert_int_equal(find(r.job).state, RECEIPT_TAKEN);
    assert_int_equal(find(c.job).state, RECEIPT_CONVERTED);
    REFUSED(ledger_release(l, &r, &e));
}

static void results_are_sent_again_once_each(void **state)
{
    struct receipt r = converted("a.csv");
    struct delivery *d;
    size_t n;

    (void)state;
    REFUSED(ledger_resend(l, &r, &e)); /* not DONE yet */
    for (int i = 0; i < 3; i++) {
        OK(ledger_deliveries(l, NULL, 1u << DELIVERY_READY, &a, &d, &n, &e));
        assert_int_equal(n, 1);
        OK(ledger_renaming(l, &d[0], STR("1:2"), &e));
        OK(ledger_delivered(l, &d[0], false, &e));
        OK(ledger_done(l, &r, &e));
        OK(ledger_resend(l, &r, &e));
        assert_int_equal(find(r.job).state, RECEIPT_CONVERTED);
    }
}

static void an_unconfirmed_delivery_is_settled_both_ways(void **state)
{
    (void)state;
    for (int delivered = 0; delivered <= 1; delivered++) {
        struct receipt r = converted(delivered ? "a.csv" : "b.csv");
        struct delivery d = find_delivery(&r);

        OK(ledger_renaming(l, &d, STR("1:2"), &e));
        OK(ledger_unconfirmed(l, &d, "another folder", &e));
        assert_int_equal(find(r.job).state, RECEIPT_HELD);
        OK(ledger_settle_by_hand(l, &r, delivered, &e));
        assert_int_equal(find(r.job).state, RECEIPT_CONVERTED);
        d = find_delivery(&r);
        assert_int_equal(d.state,
                         delivered ? DELIVERY_DELIVERED : DELIVERY_READY);
        assert_int_equal(d.epoch, delivered ? 1 : 2);
    }
}

static void a_retry_frees_what_is_held(void **state)
{
    struct receipt r = taken("a.csv", true), c = converted("b.csv");
    struct delivery d = find_delivery(&c);

    (void)state;
    OK(ledger_held(l, &r, "the map is broken", &e));
    OK(ledger_retry(l, &r, &e));
    assert_int_equal(find(r.job).state, RECEIPT_TAKEN);
    OK(ledger_delivery_held(l, &d, true, "the name is taken", &e));
    assert_int_equal(find(c.job).state, RECEIPT_HELD);
    OK(ledger_retry(l, &c, &e));
    assert_int_equal(find(c.job).state, RECEIPT_CONVERTED);
    assert_int_equal(find_delivery(&c).state, DELIVERY_READY);
    assert_int_equal(find_delivery(&c).epoch, 2);
}

static void the_next_job_is_the_first_whose_time_has_come(void **state)
{
    struct receipt first = taken("a.csv", false), later = taken("b.csv", false);
    const struct str route = STR("orders");
    struct receipt *r;
    int64_t at;

    (void)state;
    OK(ledger_next(l, route, 0, INT64_MAX, NOW, &a, &r, &e));
    assert_int_equal(r->job, first.job);
    OK(ledger_waits(l, &first, "no space", NOW + 60, &e));
    OK(ledger_next_retry(l, &at, &e));
    assert_int_equal(at, NOW + 60);
    OK(ledger_next(l, route, 0, INT64_MAX, NOW, &a, &r, &e));
    assert_int_equal(r->job, later.job);
    OK(ledger_next(l, route, 0, first.job, NOW, &a, &r, &e));
    assert_null(r);
    OK(ledger_next(l, route, 0, INT64_MAX, NOW + 60, &a, &r, &e));
    assert_int_equal(r->job, first.job);
    OK(ledger_next(l, route, 0, INT64_MAX, 0, &a, &r, &e));
    assert_int_equal(r->job, first.job);
    /* The clock was set back by a day. */
    OK(ledger_next(l, route, 0, INT64_MAX, NOW - 86400, &a, &r, &e));
    assert_int_equal(r->job, first.job);
    OK(ledger_next(l, STR("else"), 0, INT64_MAX, 0, &a, &r, &e));
    assert_null(r);
}

static void a_request_is_answered_once(void **state)
{
    struct request *q;
    uint64_t one, two;

    (void)state;
    OK(ledger_ask(l, "retry", 7, STR(""), &one, &e));
    OK(ledger_ask(l, "start", 0, STR("orders"), &two, &e));
    OK(ledger_next_request(l, &a, &q, &e));
    assert_int_equal(q->n, one);
    assert_int_equal(q->job, 7);
    OK(ledger_answer(l, one, false, STR("no such job"), &e));
    REFUSED(ledger_answer(l, one, true, STR(""), &e));
    OK(ledger_next_request(l, &a, &q, &e));
    assert_int_equal(q->n, two);
    assert_true(str_is(q->arg, "orders"));
    OK(ledger_find_request(l, one, &a, &q, &e));
    assert_true(q->is_done && !q->ok && str_is(q->answer, "no such job"));
}

static void who_waits_for_an_hour_is_noted_once(void **state)
{
    struct receipt r = converted("a.csv");
    struct event *ev;
    size_t n;

    (void)state;
    OK(ledger_note_late(l, NOW, &e));
    OK(ledger_events(l, r.job, 0, &a, &ev, &n, &e));
    assert_int_equal(n, 2);
    for (int i = 0; i < 2; i++) {
        OK(ledger_note_late(l, NOW + 1, &e));
        OK(ledger_events(l, r.job, 0, &a, &ev, &n, &e));
        assert_int_equal(n, 3);
        assert_true(str_is(ev[2].what, "late"));
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_goes_all_the_way),
        TEST(a_step_cannot_go_back),
        TEST(a_refused_step_leaves_nothing),
        TEST(the_same_content_is_suppressed),
        TEST(a_partly_set_aside_file_may_come_again),
        TEST(a_taken_name_holds_the_job_until_it_is_free),
        TEST(numbers_and_history_are_kept),
        TEST(a_run_id_never_comes_again),
        TEST(it_is_the_same_after_opening_again),
        TEST(an_older_ledger_is_brought_up_to_date),
        TEST(claims_of_an_older_ledger_have_their_order),
        TEST(the_order_of_claims_tells_which_is_newer),
        TEST(a_hold_and_its_release),
        TEST(results_are_sent_again_once_each),
        TEST(an_unconfirmed_delivery_is_settled_both_ways),
        TEST(a_retry_frees_what_is_held),
        TEST(the_next_job_is_the_first_whose_time_has_come),
        TEST(a_request_is_answered_once),
        TEST(who_waits_for_an_hour_is_noted_once),
    };

    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
