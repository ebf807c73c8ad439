/* t_keeper_batch.c - jobs of several files, and who is alone. */
#define MORE_CONF                \
    "route shared\n"             \
    "  from eshop both/*.csv\n"  \
    "  from pohoda both/*.csv\n" \
    "  read r\n"                 \
    "  write w\n"                \
    "  to pohoda in\n"           \
    "route tried\n"              \
    "  from eshop tried/*.csv\n" \
    "  read r\n"                 \
    "  write w\n"                \
    "  to pohoda in\n"           \
    "  mode test\n"              \
    "route twice\n"              \
    "  from eshop twice/*.csv\n" \
    "  read r\n"                 \
    "  write w\n"                \
    "  to pohoda in\n"           \
    "  read r\n"                 \
    "  write w\n"                \
    "  to pohoda in\n"

#include "tests/unit/keeper_run.h"

#include <errno.h>

static int n_syncfs, failing_syncfs;
static bool commit_fails; /* the first one behind syncfs() */
static int failing_fdatasync;

/* In the place of the C library's. */
int syncfs(int fd)
{
    n_syncfs++;
    if (failing_syncfs && failing_syncfs-- > 0) {
        errno = EIO;
        return -1;
    }
    failing_fdatasync = commit_fails;
    commit_fails = false;
    return (int)syscall(SYS_syncfs, fd);
}

/* The ledger's. */
int fdatasync(int fd)
{
    if (failing_fdatasync && failing_fdatasync-- > 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* Likewise: whatever waits to be written on this machine is little. */
int open(const char *path, int flags, ...)
{
    va_list ap;
    int mode, fd;

    va_start(ap, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, int) : 0;
    va_end(ap);
    if (strcmp(path, "/proc/meminfo") != 0)
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    fd = (int)syscall(SYS_memfd_create, "meminfo", 1);
    assert_int_equal(file_put(fd, STR("x\nDirty: 0 kB\nWriteback: 0 kB\n")), 0);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* "whose" files tell which process has converted them. */
static void expect_together(const char *a, const char *b, bool yes)
{
    const char *x = text_of(a), *y = text_of(b);

    assert_true(str_starts(str_of(x), STR("job ")));
    assert_true(str_starts(str_of(y), STR("job ")));
    if ((strcmp(x, y) == 0) != yes)
        fail_msg("%s: %s; %s: %s", a, x, b, y);
}

static void put_two_of(off_t size_of_second)
{
    put("eshop/inbox/orders1.csv", "whose 1");
    put("eshop/inbox/orders2.csv", "whose 2");
    if (size_of_second)
        assert_int_equal(
            truncate(at("eshop/inbox/orders2.csv"), size_of_second), 0);
}

static void expect_two(bool together)
{
    once();
    expect_together("pohoda/in/out-orders1.csv", "pohoda/in/out-orders2.csv",
                    together);
    expect_job(1, RECEIPT_DONE);
    expect_job(2, RECEIPT_DONE);
    expect_clean();
    keeper_close(&k);
}

static void small_files_of_a_route_share_a_job(void **state)
{
    (void)state;
    n_syncfs = 0;
    put_two_of(0);
    expect_two(true);
    assert_int_equal(n_syncfs, 1);
    assert_int_equal(n_syncs("spool/tmp"), 0);
}

static void one_file_is_synced_by_itself(void **state)
{
    (void)state;
    n_syncfs = 0;
    put("eshop/inbox/orders1.csv", "one");
    once();
    expect_job(1, RECEIPT_DONE);
    assert_int_equal(n_syncfs, 0);
    assert_int_equal(n_syncs("spool/out"), 2);
    assert_int_equal(n_syncs("spool/tmp"), 1);
    keeper_close(&k);
}

static void a_file_of_256_kb_shares(void **state)
{
    (void)state;
    put_two_of(JOB_FILE_SIZE);
    expect_two(true);
}

static void a_larger_file_is_alone(void **state)
{
    (void)state;
    put_two_of(JOB_FILE_SIZE + 1);
    expect_two(false);
}

static void put_many(int n, off_t size)
{
    for (int i = 0; i < n; i++) {
        char name[48], text[24];

        snprintf(name, sizeof(name), "eshop/inbox/orders%03d.csv", i);
        snprintf(text, sizeof(text), "whose %d", i);
        put(name, text);
        if (size)
            assert_int_equal(truncate(at(name), size), 0);
    }
}

static void expect_split_at(int i)
{
    char before[48], behind[48];

    snprintf(before, sizeof(before), "pohoda/in/out-orders%03d.csv", i - 1);
    snprintf(behind, sizeof(behind), "pohoda/in/out-orders%03d.csv", i);
    once();
    expect_together("pohoda/in/out-orders000.csv", before, true);
    expect_together("pohoda/in/out-orders000.csv", behind, false);
    expect_clean();
    keeper_close(&k);
}

static void sixty_four_files_share_and_no_more(void **state)
{
    (void)state;
    put_many(66, 0);
    expect_split_at(64);
}

static void four_megabytes_share_and_no_more(void **state)
{
    (void)state;
    put_many(18, 250000);
    expect_split_at(16);
}

static void files_of_two_partners_do_not_share(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("eshop/both"), 0700), 0);
    assert_int_equal(mkdir(at("pohoda/both"), 0700), 0);
    put("eshop/both/a.csv", "whose 1");
    put("eshop/both/b.csv", "whose 2");
    put("pohoda/both/c.csv", "whose 3");
    once();
    expect_together("pohoda/in/out-a.csv", "pohoda/in/out-b.csv", true);
    expect_together("pohoda/in/out-a.csv", "pohoda/in/out-c.csv", false);
    keeper_close(&k);
}

static void an_equal_file_waits_and_others_share(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "whose 1");
    put("eshop/inbox/orders2.csv", "whose 1");
    put("eshop/inbox/orders3.csv", "whose 3");
    once();
    expect_job(1, RECEIPT_DONE);
    expect_job(2, RECEIPT_SUPPRESSED);
    expect_together("pohoda/in/out-orders1.csv", "pohoda/in/out-orders3.csv",
                    true);
    assert_int_equal(n_names("pohoda/in"), 2);
    keeper_close(&k);
}

static void a_rejected_file_is_settled_with_the_others(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "whose 1");
    put("eshop/inbox/orders2.csv", "reject");
    put("eshop/inbox/orders3.csv", "whose 3");
    once();
    expect_job(2, RECEIPT_REJECTED);
    expect_together("pohoda/in/out-orders1.csv", "pohoda/in/out-orders3.csv",
                    true);
    assert_int_equal(n_names("eshop/rejected"), 2);
    assert_int_equal(job(2).n_tries, 1);
    expect_clean();
    keeper_close(&k);
}

/* ---- counters ------------------------------------------------------------ */

static void counters_go_on_from_file_to_file(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "count a");
    put("eshop/inbox/orders2.csv", "count, reject");
    put("eshop/inbox/orders3.csv", "count c");
    once();
    assert_string_equal(text_of("pohoda/in/out-orders1.csv"), "count a 1");
    assert_string_equal(text_of("pohoda/in/out-orders3.csv"), "count c 2");
    assert_int_equal(job(3).n_tries, 1);
    keeper_close(&k);
    put("eshop/inbox/orders4.csv", "count d");
    once();
    assert_string_equal(text_of("pohoda/in/out-orders4.csv"), "count d 3");
    keeper_close(&k);
}

static void counters_of_files_that_died_are_given_again(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "count a");
    put("eshop/inbox/orders2.csv", "count b");
    put("eshop/inbox/orders3.csv", "die");
    put("eshop/inbox/orders4.csv", "count d");
    once();
    assert_string_equal(text_of("pohoda/in/out-orders1.csv"), "count a 1");
    assert_string_equal(text_of("pohoda/in/out-orders2.csv"), "count b 2");
    assert_string_equal(text_of("pohoda/in/out-orders4.csv"), "count d 3");
    keeper_close(&k);
}

/* Its first reading counted, its second one rejects the file. */
static void numbers_of_a_rejected_file_are_given_again(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("eshop/twice"), 0700), 0);
    put("eshop/twice/a.csv", "count, then reject");
    put("eshop/twice/b.csv", "count b");
    once();
    expect_job(1, RECEIPT_REJECTED);
    assert_string_equal(text_of("pohoda/in/out-b.csv"), "count b 1");
    assert_int_equal(job(2).n_tries, 1);
    keeper_close(&k);
}

static void a_test_leaves_no_numbers_to_the_next_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("eshop/tried"), 0700), 0);
    put("eshop/tried/a.csv", "count a");
    put("eshop/tried/b.csv", "count b");
    once();
    assert_string_equal(text_of("spool/test/tried/pohoda/in/out-a.csv"),
                        "count a 1");
    assert_string_equal(text_of("spool/test/tried/pohoda/in/out-b.csv"),
                        "count b 1");
    keeper_close(&k);
}

/* ---- what goes wrong ----------------------------------------------------- */

static struct misfortune {
    const char *name, *text;
    enum receipt_state want;
    const char *why;
} misfortunes[] = {
    { "a file that kills its job", "die", RECEIPT_TAKEN,
      "the converting process died (signal 9)" },
    { "a file that fails", "fail", RECEIPT_TAKEN, "no memory" },
    { "a file that takes too long", "sleep", RECEIPT_HELD,
      "the conversion was not over after 1 s and was stopped (limit wall of "
      "0 s)" },
    { "a file that spins", "spin", RECEIPT_HELD,
      "the conversion needed more than 480 s of processor time and was "
      "stopped (limit cpu of 120 s)" },
};

/* Nobody but it comes to harm, and all others are delivered once. */
static void test_misfortune(void **state)
{
    const struct misfortune *m = *state;

    setup(NULL);
    conf.limits.v[LIMIT_WALL] = 0;
    put("eshop/inbox/orders1.csv", "whose 1");
    put("eshop/inbox/orders2.csv", m->text);
    put("eshop/inbox/orders3.csv", "whose 3");
    put("eshop/inbox/orders4.csv", "reject");
    once();
    expect_job(1, RECEIPT_DONE);
    expect_job(2, m->want);
    expect_why(2, m->why);
    expect_job(3, RECEIPT_DONE);
    expect_job(4, RECEIPT_REJECTED);
    expect_together("pohoda/in/out-orders1.csv", "pohoda/in/out-orders3.csv",
                    false);
    for (uint64_t i = 1; i <= 4; i++)
        assert_int_equal(job(i).n_tries, 2);
    assert_int_equal(n_names("pohoda/in"), 2);
    assert_int_equal(n_names("spool/tmp"), 0);
    assert_int_equal(n_names("spool/out"), 0);
    assert_int_equal(n_names("spool/in"), 1);
    keeper_close(&k);
    teardown(NULL);
}

static void a_failed_sync_is_not_repeated(void **state)
{
    (void)state;
    n_syncfs = 0;
    failing_syncfs = 1;
    put_two_of(0);
    expect_two(false);
    assert_int_equal(n_syncfs, 1);
}

/* It may be in the ledger all the same: whoever reads it next needs them. */
static void results_stay_when_their_commit_fails(void **state)
{
    (void)state;
    commit_fails = true;
    put_two_of(0);
    k = (struct keeper){ .conf = &conf, .run = fake_run };
    assert_int_equal(keeper_once(&k, &e), -1);
    assert_int_equal(e.next, ERR_STOP);
    assert_int_equal(n_names("spool/out"), 2);
    keeper_close(&k);
    expect_two(false);
}

/* What the keeper sees of it is not what the job said. */
static int lying_run(const struct job_spec *spec, struct job_result *out)
{
    int rc = fake_run(spec, out);

    if (str_is(spec->inputs[0].name, "orders2.csv"))
        out->outputs[0].bytes++;
    return rc;
}

static void what_stands_behind_a_liar_is_converted_again(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "count a");
    put("eshop/inbox/orders2.csv", "count b");
    put("eshop/inbox/orders3.csv", "count c");
    k = (struct keeper){ .conf = &conf, .run = lying_run };
    assert_int_equal(keeper_once(&k, &e), 0);
    expect_job(1, RECEIPT_DONE);
    expect_job(2, RECEIPT_HELD);
    expect_job(3, RECEIPT_DONE);
    assert_int_equal(job(1).n_tries, 1);
    assert_int_equal(job(3).n_tries, 2);
    assert_string_equal(text_of("pohoda/in/out-orders3.csv"), "count c 2");
    keeper_close(&k);
}

/* A person held the first one meanwhile. */
static void a_file_that_was_tried_does_not_join(void **state)
{
    struct receipt r;
    size_t n;

    (void)state;
    once();
    put("eshop/inbox/orders1.csv", "one");
    put("eshop/inbox/orders2.csv", "fail");
    assert_int_equal(keeper_look(&k, &e), 0);
    assert_int_equal(keeper_claim(&k, 9, &n, &e), 0);
    assert_int_equal(keeper_take(&k, &e), 0);
    r = job(1);
    assert_int_equal(ledger_hold(k.ledger, &r, &e), 0);
    keeper_close(&k);
    once();
    assert_int_equal(job(2).n_tries, 1);
    r = job(1);
    assert_int_equal(ledger_release(k.ledger, &r, &e), 0);
    keeper_close(&k);
    once();
    expect_job(1, RECEIPT_DONE);
    assert_int_equal(job(1).n_tries, 1);
    assert_int_equal(job(2).n_tries, 2);
    keeper_close(&k);
}

static void one_lost_original_holds_its_job_only(void **state)
{
    struct receipt r;
    size_t n;

    (void)state;
    once();
    put_two_of(0);
    assert_int_equal(keeper_look(&k, &e), 0);
    assert_int_equal(keeper_claim(&k, 9, &n, &e), 0);
    assert_int_equal(keeper_take(&k, &e), 0);
    r = job(1);
    assert_int_equal(unlink(at(arena_fmt(&k.arena, "spool/in/%s", r.claim).p)),
                     0);
    while (job(2).state == RECEIPT_TAKEN) {
        assert_int_equal(keeper_start(&k, &e), 0);
        jobs_wait(&k);
        assert_int_equal(keeper_settle(&k, &e), 0);
    }
    expect_job(1, RECEIPT_HELD);
    expect_job(2, RECEIPT_CONVERTED);
    keeper_close(&k);
}

int main(void)
{
    static struct CMUnitTest tests[18 + COUNT(misfortunes)] = {
        TEST(small_files_of_a_route_share_a_job),
        TEST(one_file_is_synced_by_itself),
        TEST(a_file_of_256_kb_shares),
        TEST(a_larger_file_is_alone),
        TEST(sixty_four_files_share_and_no_more),
        TEST(four_megabytes_share_and_no_more),
        TEST(files_of_two_partners_do_not_share),
        TEST(an_equal_file_waits_and_others_share),
        TEST(a_rejected_file_is_settled_with_the_others),
        TEST(counters_go_on_from_file_to_file),
        TEST(counters_of_files_that_died_are_given_again),
        TEST(numbers_of_a_rejected_file_are_given_again),
        TEST(a_test_leaves_no_numbers_to_the_next_file),
        TEST(a_failed_sync_is_not_repeated),
        TEST(results_stay_when_their_commit_fails),
        TEST(what_stands_behind_a_liar_is_converted_again),
        TEST(a_file_that_was_tried_does_not_join),
        TEST(one_lost_original_holds_its_job_only),
    };
    size_t n = 0;

    while (tests[n].name)
        n++;
    for (size_t i = 0; i < COUNT(misfortunes); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_misfortune, &misfortunes[i]);
    return _cmocka_run_group_tests("keeper_batch", tests, n, NULL, NULL);
}
