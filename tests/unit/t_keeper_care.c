/* t_keeper_care.c - what must not be lost, grow or go on without an end. */
#include "tests/unit/keeper_run.h"

#include "spool/facts_file.h"

/* ---- durable before it is told --------------------------------------------
 */

static void a_file_that_is_put_back_is_durable_first(void **state)
{
    size_t n;
    int fd;

    (void)state;
    once();
    put("eshop/inbox/orders.csv", "one");
    assert_int_equal(keeper_look(&k, &e), 0);
    fd = open(at("eshop/inbox/orders.csv"), O_WRONLY);
    assert_int_equal(keeper_claim(&k, 1, &n, &e), 0);
    assert_int_equal(n, 1);
    memset(syncs, 0, sizeof(syncs));
    assert_int_equal(keeper_take(&k, &e), 0);
    assert_int_equal(k.n_taken, 0);
    assert_true(is_there("eshop/inbox/orders.csv"));
    assert_int_equal(n_syncs("eshop/inbox"), 1);
    assert_int_equal(n_syncs("eshop/inbox/.claim"), 1);
    close(fd);
    keeper_close(&k);
}

/* The power went when the copy was durable and the claim was not. */
static void a_copy_goes_with_its_claim(void **state)
{
    struct claim c = { .partner = STR("eshop"),
                       .folder = STR("inbox"),
                       .name = STR("orders.csv") };

    (void)state;
    id_new(c.id);
    once();
    assert_int_equal(ledger_reserve(k.ledger, 1, &c.seq, &e), 0);
    assert_int_equal(ledger_claim(k.ledger, &c, &e), 0);
    keeper_close(&k);
    put(arena_cstr(&diag_arena, arena_fmt(&diag_arena, "spool/in/%s", c.id)),
        "one order");
    put("eshop/inbox/orders.csv", "one order");
    once();
    expect_job(1, RECEIPT_DONE);
    expect_clean();
    keeper_close(&k);
}

static void put_of_age(const char *below, int seconds)
{
    struct timespec t[2] = { { .tv_sec = 1800000000 - seconds } };

    t[1] = t[0];
    put(below, below);
    assert_int_equal(utimensat(AT_FDCWD, at(below), t, 0), 0);
}

/* The rename of the older file failed, or we died before it. */
static void a_claim_keeps_its_place(void **state)
{
    struct claim *c;
    size_t n;

    (void)state;
    once();
    put_of_age("eshop/inbox/orders-b.csv", 9);
    put_of_age("eshop/inbox/orders-a.csv", 8);
    assert_int_equal(keeper_look(&k, &e), 0);
    assert_int_equal(keeper_claim(&k, 9, &n, &e), 0);
    assert_int_equal(
        ledger_claims(k.ledger, CLAIM_CLAIMED, &k.arena, &c, &n, &e), 0);
    assert_int_equal(n, 2);
    assert_true(str_is(c[0].name, "orders-b.csv"));
    assert_int_equal(
        rename(at(arena_fmt(&k.arena, "eshop/inbox/.claim/%s", c[0].id).p),
               arena_cstr(&k.arena, str_of(at("eshop/inbox/orders-b.csv")))),
        0);
    keeper_close(&k);
    once();
    assert_true(str_is(job(1).name, "orders-b.csv"));
    assert_true(str_is(job(2).name, "orders-a.csv"));
    expect_clean();
    keeper_close(&k);
}

static void the_name_of_the_spool_is_durable(void **state)
{
    int n = 0;

    (void)state;
    once();
    for (size_t i = 0; i < COUNT(syncs); i++)
        if (strcmp(syncs[i].path, tree_root) == 0)
            n += syncs[i].n;
    assert_int_equal(n, 1);
    keeper_close(&k);
}

static void a_late_writer_is_taken_again(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "late");
    once();
    expect_job(1, RECEIPT_DONE);
    expect_job(2, RECEIPT_HELD); /* its name is taken by the first */
    assert_string_equal(text_of("spool/archive/2027/01/15/1-orders.csv"),
                        "late");
    assert_string_equal(text_of("pohoda/in/out-orders.csv"), "late");
    /* Taken, claimed anew, taken: each before its commit. */
    assert_int_equal(n_syncs("eshop/inbox/.claim"), 3);
    keeper_close(&k);
    unlink(at("pohoda/in/out-orders.csv"));
    once();
    assert_string_equal(text_of("pohoda/in/out-orders.csv"), "late, more");
    expect_clean();
    keeper_close(&k);
}

static void a_claimed_file_without_a_row_is_given_back(void **state)
{
#define LOST "0123456789abcdef0123456789abcdef"
    (void)state;
    assert_int_equal(mkdir(at("eshop/inbox/.claim"), 0700), 0);
    put("eshop/inbox/.claim/" LOST, "one");
    put("eshop/inbox/.claim/other", "two");
    once();
    assert_int_equal(k.n_taken, 0);
    assert_string_equal(text_of("eshop/inbox/unclaimed-" LOST ".part"), "one");
    assert_int_equal(n_names("eshop/inbox/.claim"), 1);
    assert_non_null(k.troubles);
    assert_true(str_starts(k.troubles->text, STR("the ledger does not know")));
    keeper_close(&k);
    once();
    assert_null(k.troubles);
    keeper_close(&k);
}

/* ---- bounded --------------------------------------------------------------
 */

static void rounds_take_what_waited_at_the_start(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        char name[40], text[16];

        snprintf(name, sizeof(name), "eshop/inbox/orders%d.csv", i);
        snprintf(text, sizeof(text), i ? "%d" : "drop", i);
        put(name, text);
    }
    batch = 2;
    once();
    assert_int_equal(k.n_taken, 5);
    assert_int_equal(n_names("pohoda/in"), 5);
    assert_true(is_there("eshop/inbox/orders-dropped.csv"));
    expect_clean();
    keeper_close(&k);
    once();
    assert_int_equal(k.n_taken, 1); /* it came while the others were taken */
    keeper_close(&k);
}

static void memory_does_not_grow_with_files(void **state)
{
    (void)state;
    for (int i = 0; i < 24; i++) {
        char name[40], text[16];

        snprintf(name, sizeof(name), "eshop/inbox/orders%d.csv", i);
        snprintf(text, sizeof(text), "%d", i);
        put(name, text);
    }
    batch = 8;
    once();
    assert_int_equal(k.n_taken, 24);
    if (k.arena.used + k.item.used > 2000)
        fail_msg("%zu bytes are still in use", k.arena.used + k.item.used);
    keeper_close(&k);
}

/* Files with nothing but holes: only their sizes count. */
static void files_that_do_not_fit_together_wait(void **state)
{
    struct statvfs v;
    off_t size;
    size_t n;

    (void)state;
    once();
    assert_int_equal(statvfs(tree_root, &v), 0);
    size = (off_t)(v.f_bavail * v.f_frsize / 5 * 2) - (off_t)MB(256);
    if (size < (off_t)MB(1) || v.f_bavail < v.f_blocks / 20)
        skip();
    conf.limits.v[LIMIT_INPUT] = UINT64_MAX;
    put("eshop/inbox/orders1.csv", "one");
    put("eshop/inbox/orders2.csv", "two");
    assert_int_equal(truncate(at("eshop/inbox/orders1.csv"), size), 0);
    assert_int_equal(truncate(at("eshop/inbox/orders2.csv"), size), 0);
    assert_int_equal(keeper_look(&k, &e), 0);
    assert_int_equal(keeper_claim(&k, 10, &n, &e), 0);
    assert_int_equal(n, 1);
    assert_null(k.troubles); /* the next round asks again */
    keeper_close(&k);
}

static void a_job_that_takes_too_long_is_held(void **state)
{
    (void)state;
    conf.limits.v[LIMIT_WALL] = 0;
    put("eshop/inbox/orders1.csv", "sleep");
    put("eshop/inbox/orders2.csv", "spin");
    put("eshop/inbox/orders3.csv", "three");
    once();
    expect_why(1, "the conversion was not over after 1 s and was stopped "
                  "(limit wall of 0 s)");
    expect_why(2, "the conversion needed more than 480 s of processor time "
                  "and was stopped (limit cpu of 120 s)");
    expect_job(1, RECEIPT_HELD);
    expect_job(2, RECEIPT_HELD);
    expect_job(3, RECEIPT_DONE);
    keeper_close(&k);
}

/* Three jobs of three routes, which wait for each other. */
static void start_three(uint64_t at_once)
{
    static const char *const all[] = { "orders", "copies", "hand" };
    size_t n;

    conf.limits.v[LIMIT_JOBS] = at_once;
    once_of(all, COUNT(all));
    put("eshop/inbox/orders.csv", "gate of orders");
    put("eshop/inbox/x-both.csv", "gate of copies");
    put("eshop/inbox/hand.csv", "gate of hand");
    assert_int_equal(keeper_look(&k, &e), 0);
    assert_int_equal(keeper_claim(&k, 10, &n, &e), 0);
    assert_int_equal(keeper_take(&k, &e), 0);
    assert_int_equal(keeper_start(&k, &e), 0);
}

static void two_jobs_run_at_once_and_the_third_waits(void **state)
{
    (void)state;
    start_three(2);
    assert_int_equal(k.jobs.n, 2);
    assert_int_equal(keeper_start(&k, &e), 0);
    assert_int_equal(k.jobs.n, 2);
    put("open", "");
    while (k.jobs.n == 2) {
        jobs_wait(&k);
        assert_int_equal(keeper_settle(&k, &e), 0);
    }
    assert_int_equal(keeper_start(&k, &e), 0);
    while (k.jobs.n) {
        jobs_wait(&k);
        assert_int_equal(keeper_settle(&k, &e), 0);
    }
    for (uint64_t i = 1; i <= 3; i++)
        expect_job(i, RECEIPT_CONVERTED);
    keeper_close(&k);
}

static void three_jobs_run_at_once_when_three_may(void **state)
{
    (void)state;
    start_three(3);
    assert_int_equal(k.jobs.n, 3);
    keeper_close(&k);
}

static void a_job_that_needs_too_much_memory_is_held(void **state)
{
    (void)state;
    if (MEM_GUARDED)
        skip();
    conf.limits.v[LIMIT_JOB_MEMORY] = MB(200);
    put("eshop/inbox/orders1.csv", "200 MB");
    put("eshop/inbox/orders2.csv", "two");
    once();
    expect_why(1, "the conversion needed more memory than the limit "
                  "job-memory of 209715200 bytes");
    expect_job(1, RECEIPT_HELD);
    expect_job(2, RECEIPT_DONE);
    keeper_close(&k);
    conf.limits.v[LIMIT_JOB_MEMORY] = MB(400);
    put("eshop/inbox/orders3.csv", "200 MB again");
    once();
    expect_job(3, RECEIPT_DONE);
    keeper_close(&k);
}

static void too_many_outputs_reject_the_file(void **state)
{
    (void)state;
    conf.limits.v[LIMIT_OUTPUTS] = 3;
    put("eshop/inbox/orders1.csv", "many");
    once();
    expect_job(1, RECEIPT_DONE);
    keeper_close(&k);
    conf.limits.v[LIMIT_OUTPUTS] = 2;
    put("eshop/inbox/orders2.csv", "many more");
    once();
    expect_job(2, RECEIPT_REJECTED);
    expect_why(2, "3 output files of one input are over the limit "
                  "outputs of 2");
    assert_int_equal(n_names("pohoda/in"), 3);
    keeper_close(&k);
}

static void a_limit_that_was_hit_is_in_the_report(void **state)
{
    (void)state;
    put("eshop/inbox/orders.csv", "full");
    once();
    expect_job(1, RECEIPT_REJECTED);
    expect_why(1, "limit output hit");
    assert_non_null(strstr(text_of("eshop/rejected/1-orders.csv.report.txt"),
                           "\nerror: limit output hit\n"));
    keeper_close(&k);
}

static void rejected_belongs_to_the_group_of_the_partner(void **state)
{
    struct partner *p = conf.partners;
    mode_t mask = umask(077);
    struct stat st;

    (void)state;
    while (!str_is(p->name, "eshop"))
        p = p->next;
    p->group = getegid() ? getegid() : 4711; /* root may give it to any */
    put("eshop/inbox/orders.csv", "reject me");
    once();
    umask(mask);
    assert_int_equal(stat(at("eshop/rejected"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 02770);
    assert_int_equal(st.st_gid, p->group);
    assert_int_equal(n_names("eshop/rejected"), 2);
    keeper_close(&k);
}

static bool die_at_chmod;

/* In the place of the C library's. */
int fchmod(int fd, mode_t mode)
{
    if (die_at_chmod)
        _exit(7);
    return (int)syscall(SYS_fchmod, fd, mode);
}

static void killed_while_rejected_is_made_it_is_still_the_group_s(void **state)
{
    struct partner *p = conf.partners;
    struct stat st;
    int status;
    pid_t pid;

    (void)state;
    while (!str_is(p->name, "eshop"))
        p = p->next;
    p->group = getegid();
    put("eshop/inbox/orders.csv", "reject me");
    pid = fork();
    if (pid == 0) {
        die_at_chmod = true;
        once();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 7);
    once();
    assert_int_equal(stat(at("eshop/rejected"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 02770);
    assert_int_equal(n_names("eshop/rejected"), 2);
    assert_false(is_there("eshop/.folder.part"));
    keeper_close(&k);
}

/* Another job learns such a card, and ends first. */
static void change_cards(void)
{
    static const struct str aside = { "", 0 };
    const struct str card[] = { STR("pohoda"), STR("customer"), STR("code:2"),
                                STR("2"),      STR(""),         STR("0"),
                                STR("0") };
    const struct receipt other = { .job = 1000 };
    struct buf b;

    buf_init(&b, KB(4));
    assert_int_equal(fact_write(&b, FACT_CARD, 0, card), 0);
    assert_int_equal(fact_write(&b, FACT_END, 0, &aside), 0);
    assert_int_equal(ledger_learn(k.ledger, &other, buf_str(&b), &e), 0);
    buf_release(&b);
}

static void take_file(const char *path, const char *text)
{
    size_t n;

    put(path, text);
    assert_int_equal(keeper_look(&k, &e), 0);
    assert_int_equal(keeper_claim(&k, 10, &n, &e), 0);
    assert_int_equal(keeper_take(&k, &e), 0);
}

/* The only job, which has asked for cards; do others change? */
static void expect_settled(uint64_t number, bool change,
                           enum receipt_state state)
{
    assert_int_equal(k.jobs.n, 1);
    while (!is_there("asked"))
        usleep(1000);
    if (change)
        change_cards();
    assert_int_equal(unlink(at("asked")), 0);
    jobs_wait(&k);
    assert_int_equal(keeper_settle(&k, &e), 0);
    expect_job(number, state);
}

static void who_always_runs_again_is_left_alone(void **state)
{
    (void)state;
    for (struct route *x = conf.routes; x; x = x->next)
        x->reads->site.any = true;
    once();
    take_file("eshop/inbox/orders.csv", "cards");
    for (int i = 0; i < 4; i++) {
        assert_int_equal(keeper_start(&k, &e), 0);
        expect_settled(1, true, RECEIPT_TAKEN);
    }
    /* It was started at once, and who comes waits. */
    take_file("eshop/inbox/x-both.csv", "cards");
    assert_int_equal(keeper_start(&k, &e), 0);
    expect_settled(1, false, RECEIPT_CONVERTED);
    assert_int_equal(keeper_start(&k, &e), 0);
    expect_settled(2, false, RECEIPT_CONVERTED);
    keeper_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_is_put_back_is_durable_first),
        TEST(a_copy_goes_with_its_claim),
        TEST(a_claim_keeps_its_place),
        TEST(the_name_of_the_spool_is_durable),
        TEST(a_late_writer_is_taken_again),
        TEST(a_claimed_file_without_a_row_is_given_back),
        TEST(rounds_take_what_waited_at_the_start),
        TEST(memory_does_not_grow_with_files),
        TEST(files_that_do_not_fit_together_wait),
        TEST(a_job_that_takes_too_long_is_held),
        TEST(two_jobs_run_at_once_and_the_third_waits),
        TEST(three_jobs_run_at_once_when_three_may),
        TEST(a_job_that_needs_too_much_memory_is_held),
        TEST(too_many_outputs_reject_the_file),
        TEST(a_limit_that_was_hit_is_in_the_report),
        TEST(rejected_belongs_to_the_group_of_the_partner),
        TEST(who_always_runs_again_is_left_alone),
        TEST(killed_while_rejected_is_made_it_is_still_the_group_s),
    };

    return cmocka_run_group_tests_name("keeper_care", tests, NULL, NULL);
}
