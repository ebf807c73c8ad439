/*
 * t_keeper.c - a real tree, a real ledger, and a job that only copies.
 *
 * The job obeys the text of its input: "reject", "aside", "fail", "die" and
 * "none" at its start; anything else is copied to out-NAME.
 */
#include "tests/unit/tree.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "converters/base/date.h"
#include "spool/keeper.h"

enum { NOW = 1800000000 };

static const char conf_text[] = "spool spool\n"
                                "partner eshop\n"
                                "  folder eshop\n"
                                "partner pohoda\n"
                                "  folder pohoda\n"
                                "  mode 0640\n"
                                "route orders\n"
                                "  from eshop inbox/orders*.csv\n"
                                "  read r\n"
                                "  write w\n"
                                "  to pohoda in\n"
                                "route copies\n"
                                "  from eshop inbox/*-both.csv\n"
                                "  read r\n"
                                "  write w\n"
                                "  to eshop outbox\n"
                                "route hand\n"
                                "  from eshop inbox/hand*.csv\n"
                                "  read r\n"
                                "  write w\n"
                                "  to pohoda in\n"
                                "  by hand\n";

static struct map read_map = { .name = { "r", 1 } };
static struct map write_map = { .name = { "w", 1 } };
static struct conf conf;
static struct arena diag_arena;
static struct keeper k;
static struct err e;
static size_t batch; /* files of a round; 0: as usual */

/* ---- the job ------------------------------------------------------------- */

static void fake_output(const struct job_spec *spec, struct str text,
                        struct job_result *out, size_t n)
{
    struct arena *a = &out->arena;
    int fd;

    out->outputs = arena_alloc(a, n * sizeof(*out->outputs));
    for (size_t i = 0; i < n; i++)
        out->outputs[i] = (struct job_output){
            .path = arena_cstr(a, STR("result.xml")),
            .name = arena_cstr(a, arena_fmt(a, "out%.*s-%.*s", (int)i, "123456",
                                            STR_ARGS(spec->inputs[0].name))),
            .bytes = text.len,
            .n_documents = 1,
        };
    out->n_outputs = n;
    out->n_written = 1;
    fd = open(arena_fmt(a, "%s/result.xml", spec->staging).p,
              O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd == -1 || file_put(fd, text) == -1)
        _exit(9);
    close(fd);
}

/* The sender goes on writing into the file that was claimed. */
static void write_late(void)
{
    DIR *dir = opendir(at("eshop/inbox/.claim"));
    struct dirent *d;

    while ((d = readdir(dir)))
        if (d->d_name[0] != '.') {
            int fd = openat(dirfd(dir), d->d_name, O_WRONLY | O_APPEND);

            if (fd == -1 || file_put(fd, STR(", more")) == -1)
                _exit(9);
            close(fd);
        }
    closedir(dir);
}

static int fake_run(const struct job_spec *spec, struct job_result *out)
{
    static char bytes[4096];
    ssize_t n = read(spec->inputs[0].fd, bytes, sizeof(bytes));
    struct str text = { bytes, n > 0 ? (size_t)n : 0 };

    *out = (struct job_result){ .n_read = 1 };
    diags_init(&out->diags, &out->arena, 10);
    out->summary = STR("1 order read");
    if (str_starts(text, STR("die")))
        raise(SIGKILL);
    if (str_starts(text, STR("sleep")))
        pause();
    if (str_starts(text, STR("spin"))) {
        struct rlimit l;

        getrlimit(RLIMIT_CPU, &l);
        raise(l.rlim_cur == 4 * spec->limits->v[LIMIT_CPU] ? SIGXCPU : SIGHUP);
    }
    if (str_starts(text, STR("full"))) {
        out->verdict = JOB_REJECTED;
        return err_set(&out->err, ERR_REJECT, "limit output hit") + 1;
    }
    if (str_starts(text, STR("many"))) {
        fake_output(spec, text, out, 3);
        return 0;
    }
    if (str_starts(text, STR("fail"))) {
        out->verdict = JOB_FAILED;
        return err_set(&out->err, ERR_RETRY, "no memory") + 1;
    }
    if (str_starts(text, STR("reject"))) {
        out->verdict = JOB_REJECTED;
        DIAG(&out->diags, NUMBER_SYNTAX, ((struct place){ .line = 14 }),
             STR("12,x"), STR(""));
        return 0;
    }
    if (str_starts(text, STR("none")))
        return 0;
    if (str_is(text, "drop"))
        put("eshop/inbox/orders-dropped.csv", "x");
    if (str_is(text, "late"))
        write_late();
    if (str_starts(text, STR("aside"))) {
        out->n_aside = 1;
        DIAG(&out->diags, NUMBER_SYNTAX, ((struct place){ .line = 3 }),
             STR("7,y"), STR(""));
    }
    fake_output(spec, text, out, 1);
    return 0;
}

/* ---- the tree ------------------------------------------------------------ */

static void load_conf(void)
{
    static struct diags diags;
    static const struct level order = { .name = "order" };

    conf = (struct conf){ 0 };
    diags_init(&diags, &diag_arena, 0);
    put("kervan.conf", conf_text);
    assert_int_equal(conf_load(&conf, at("kervan.conf"), &diags, &e), 0);
    assert_int_equal(diags.n_errors, 0);
    read_map.document = write_map.document = &order;
    for (struct route *r = conf.routes; r; r = r->next) {
        struct conf_read *x = r->reads;

        x->map = &read_map;
        x->writes = arena_alloc(&conf.arena, sizeof(*x->writes));
        x->writes[0].map = &write_map;
        x->write_confs = arena_alloc(&conf.arena, sizeof(*x->write_confs));
        x->write_confs[0] = r->writes;
        x->n_writes = 1;
    }
}

static int setup(void **state)
{
    static const char *const folders[] = { "eshop", "eshop/inbox",
                                           "eshop/outbox", "pohoda",
                                           "pohoda/in" };

    (void)state;
    tree_make();
    clock_freeze(NOW);
    batch = 0;
    for (size_t i = 0; i < COUNT(folders); i++)
        assert_int_equal(mkdir(at(folders[i]), 0700), 0);
    load_conf();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&conf.arena);
    arena_release(&diag_arena);
    tree_drop();
    return 0;
}

/* One run; the keeper stays open for questions until the next one. */
static void once_of(const char *const *only, size_t n)
{
    k = (struct keeper){ .conf = &conf,
                         .run = fake_run,
                         .only = only,
                         .n_only = n,
                         .batch = batch,
                         .patience = 1 };
    if (keeper_once(&k, &e) == -1)
        fail_msg("%s", e.text);
}

static void once(void)
{
    once_of(NULL, 0);
}

static struct receipt job(uint64_t number)
{
    const struct ledger_find f = { .job = number };
    struct receipt *r;
    size_t n;

    assert_int_equal(ledger_receipts(k.ledger, &f, &k.arena, &r, &n, &e), 0);
    assert_int_equal(n, 1);
    return r[0];
}

static void expect_job(uint64_t number, enum receipt_state want)
{
    enum receipt_state got = job(number).state;

    if (got != want)
        fail_msg("job %d is %s, not %s: %.*s", (int)number,
                 receipt_state_names[got], receipt_state_names[want],
                 STR_ARGS(job(number).why));
}

static void expect_why(uint64_t number, const char *want)
{
    struct str got = job(number).why;

    if (!str_is(got, want))
        fail_msg("job %d: %.*s", (int)number, STR_ARGS(got));
}

static void expect_clean(void)
{
    assert_int_equal(n_names("spool/tmp"), 0);
    assert_int_equal(n_names("spool/in"), 0);
    assert_int_equal(n_names("spool/out"), 0);
    assert_int_equal(n_names("eshop/inbox/.claim"), 0);
}

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

static void rounds_take_what_waited_at_the_start(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        char name[40], text[8];

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
        char name[40], text[8];

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
    keeper_look(&k);
    assert_int_equal(keeper_claim(&k, 10, &n, &e), 0);
    assert_int_equal(n, 1);
    assert_null(k.troubles); /* the next round asks again */
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
    assert_true(is_there("spool/test/orders/out-orders.csv"));
    keeper_close(&k);
    conf_route(&conf, STR("orders"))->test = false;
    put("eshop/inbox/orders.csv", "one order");
    once();
    expect_job(2, RECEIPT_DONE); /* a test is no fact */
    assert_int_equal(n_names("pohoda/in"), 1);
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
    keeper_close(&k);
    unlink(at("pohoda/in/out-orders.csv"));
    once();
    assert_string_equal(text_of("pohoda/in/out-orders.csv"), "late, more");
    expect_clean();
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

static void a_dead_job_is_held_others_go_on(void **state)
{
    (void)state;
    put("eshop/inbox/orders1.csv", "die");
    put("eshop/inbox/orders2.csv", "two");
    once();
    assert_int_equal(n_names("pohoda/in"), 1);
    expect_job(1, RECEIPT_HELD);
    expect_job(2, RECEIPT_DONE);
    assert_true(str_is(job(1).why, "the converting process died (signal 9)"));
    assert_int_equal(n_names("spool/in"), 1); /* its original is kept */
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
                  "(limit wall)");
    expect_why(2, "the conversion needed more than 480 s of processor time "
                  "and was stopped (limit cpu)");
    expect_job(1, RECEIPT_HELD);
    expect_job(2, RECEIPT_HELD);
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
    expect_why(2, "3 output files of one input are more than the limit "
                  "outputs (2)");
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

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_order_arrives),
        TEST(a_file_runs_every_route_that_takes_it),
        TEST(unfinished_and_foreign_files_stay),
        TEST(by_hand_waits_until_it_is_named),
        TEST(the_same_file_again_is_not_sent_again),
        TEST(two_equal_files_together_are_one),
        TEST(rounds_take_what_waited_at_the_start),
        TEST(memory_does_not_grow_with_files),
        TEST(files_that_do_not_fit_together_wait),
        TEST(mode_test_delivers_into_the_spool),
        TEST(a_late_writer_is_taken_again),
        TEST(a_rejected_file_goes_back_with_its_report),
        TEST(a_record_set_aside_is_reported_the_rest_delivered),
        TEST(a_file_without_outputs_is_done),
        TEST(a_dead_job_is_held_others_go_on),
        TEST(a_job_that_takes_too_long_is_held),
        TEST(too_many_outputs_reject_the_file),
        TEST(a_limit_that_was_hit_is_in_the_report),
        TEST(a_failed_machine_is_tried_again),
        TEST(a_missing_folder_makes_the_delivery_wait),
        TEST(a_taken_name_is_waited_for),
        TEST(a_second_keeper_does_nothing),
        TEST(a_lost_ledger_stops_the_start),
        TEST(killed_anywhere_nothing_is_lost_or_doubled),
    };

    return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
