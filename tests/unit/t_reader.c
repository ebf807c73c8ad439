/*
 * t_reader.c - what a job says of a reader that went wrong, alone or with
 * several files.
 *
 * Whole conversions with the real reader, whose format (a table of functions,
 * here a changed copy of csv's) does what its input tells it to.
 */
#include "tests/unit/keeper_run.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/socket.h>

#include "formats/input.h"
#include "spool/jail.h"
#include "spool/reader.h"
#include "tests/unit/kernels.h"

/* ---- readers that go wrong ------------------------------------------------
 */

static struct format bad_csv;
static struct map *bad_read, *csv_write;
static struct limits limits;

static void eat(void)
{
    for (;;)
        memset(xrealloc(NULL, 1 << 20), 1, 1 << 20);
}

/* In the reader, instead of parsing. */
static int obey(struct reader *r)
{
    const struct format *csv = format_find(STR("csv"));
    char head[64] = "";
    struct str word = { head, 0 };
    volatile int zero = 0;
    uint32_t never = 0;

    (void)!pread(*(int *)r->in->ctx, head, sizeof(head) - 1, 0);
    word.len = strcspn(head, "\n;");
    if (str_is(word, "open"))
        (void)open("/dev/null", O_RDONLY);
    else if (str_is(word, "fork"))
        (void)fork();
    else if (str_is(word, "exec"))
        (void)execl("/bin/true", "true", (char *)NULL);
    else if (str_is(word, "socket"))
        (void)socket(AF_INET, SOCK_STREAM, 0);
    else if (str_is(word, "crash"))
        *(volatile int *)(intptr_t)zero = 1;
    else if (str_is(word, "abort"))
        abort();
    else if (str_is(word, "quit"))
        _exit(0);
    else if (str_is(word, "lie"))
        _exit(READER_NO_JAIL);
    else if (str_is(word, "eat"))
        eat();
    else if (str_is(word, "hang"))
        (void)syscall(SYS_futex, &never, FUTEX_WAIT, 0, NULL);
    while (str_is(word, "spin"))
        continue;
    return csv->read(r);
}

static struct misdeed {
    const char *name, *word;
    enum diag_id id;
    const char *want;
} misdeeds[] = {
    { "a reader that opens a file", "open", DIAG_READER_JAILED,
      "x.csv: error: the process that read the file was stopped: it did what "
      "its jail forbids (system call openat)" },
    { "a reader that forks", "fork", DIAG_READER_JAILED,
      "(system call clone)" },
    { "a reader that starts a program", "exec", DIAG_READER_JAILED,
      "(system call execve)" },
    { "a reader that makes a socket", "socket", DIAG_READER_JAILED,
      "(system call socket)" },
    { "a reader that crashes", "crash", DIAG_READER_DIED,
      "x.csv: error: the process that read the file died (signal 11, "
      "Segmentation fault)" },
    { "a reader that gives up", "abort", DIAG_READER_DIED,
      "(signal 6, Aborted)" },
    { "a reader that just ends", "quit", DIAG_READER_DIED,
      "(it stopped without a word)" },
    { "a reader that blames the kernel", "lie", DIAG_READER_DIED,
      "(it stopped without a word)" },
    { "a reader that spins", "spin", DIAG_LIMIT,
      "x.csv: error: the processor time to read the file is over the limit of "
      "1 s (change it with --limit cpu)" },
    { "a reader that hangs", "hang", DIAG_LIMIT,
      "x.csv: error: the time to read the file is over the limit of 1 s "
      "(change it with --limit wall)" },
    { "a reader that eats memory", "eat", DIAG_LIMIT,
      "x.csv: error: the memory to read the file is over the limit of "
      "134217728 bytes (change it with --limit memory)" },
};

static void convert(const char *text, struct job_result *res)
{
    const struct job_write write = { .map = csv_write };
    struct job_input input = { .name = STR("x.csv") };
    struct job_spec spec = { .read = bad_read,
                             .writes = &write,
                             .n_writes = 1,
                             .inputs = &input,
                             .n_inputs = 1,
                             .run_id = STR("1"),
                             .limits = &limits };

    put("x.csv", text);
    input.fd = open(at("x.csv"), O_RDONLY | O_CLOEXEC);
    spec.out_fd = open(at("out.csv"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(job_run(&spec, res), 0);
    close(input.fd);
    close(spec.out_fd);
}

static void expect_said(const struct job_result *res, const char *want)
{
    struct buf b;

    buf_init(&b, MB(1));
    diags_print(&res->diags, false, &b);
    buf_addc(&b, '\0');
    if (!strstr(b.p, want))
        fail_msg("%s", b.p);
    buf_release(&b);
}

/* One file is rejected, and the report says why; the next one goes on. */
static void test_misdeed(void **state)
{
    const struct misdeed *m = *state;
    struct job_result res;

    kernel = AS_IT_IS;
    limits_default(&limits);
    limits.v[LIMIT_CPU] = 1;
    if (strcmp(m->word, "hang") == 0)
        limits.v[LIMIT_WALL] = 1;
    limits.v[LIMIT_MEMORY] = MB(128);
    convert(m->word, &res);
    assert_int_equal(res.verdict, JOB_REJECTED);
    assert_int_equal(res.diags.n_errors, 1);
    assert_int_equal(res.n_outputs, 0);
    assert_int_equal(res.diags.first->id, m->id);
    expect_said(&res, m->want);
    job_result_release(&res);
    convert("good;1\n", &res);
    assert_int_equal(res.verdict, JOB_DONE);
    assert_int_equal(res.n_written, 1);
    assert_string_equal(text_of("out.csv"), "sku\ngood\n");
    job_result_release(&res);
}

/* Nothing is parsed without the main wall; that is no fault of the file. */
static void without_seccomp_the_machine_failed(void **state)
{
    struct job_result res;

    (void)state;
    kernel = WITHOUT_SECCOMP;
    limits_default(&limits);
    convert("good;1\n", &res);
    assert_int_equal(res.verdict, JOB_FAILED);
    assert_int_equal(res.err.next, ERR_RETRY);
    assert_non_null(strstr(res.err.text, "seccomp"));
    job_result_release(&res);
}

/* ---- readers of several files -------------------------------------------- */

enum { SHARED = 3 };

/* Runs SHARED files with one reader, and looks how each went. */
static void convert_together(const char *const *texts,
                             const enum job_verdict *want)
{
    const struct job_write write = { .map = csv_write };
    struct job_input inputs[SHARED];
    struct job_spec specs[SHARED];
    struct job_reader reader = { .specs = specs, .n = SHARED };
    int status;

    kernel = AS_IT_IS;
    for (int i = 0; i < SHARED; i++) {
        const char *name = arena_fmt(&diag_arena, "in-%d.csv", i).p;

        put(name, texts[i]);
        inputs[i] =
            (struct job_input){ .fd = open(at(name), O_RDONLY | O_CLOEXEC),
                                .name = str_of(name) };
        specs[i] = (struct job_spec){
            .read = bad_read,
            .writes = &write,
            .n_writes = 1,
            .inputs = &inputs[i],
            .n_inputs = 1,
            .run_id = STR("1"),
            .limits = &limits,
            .reader = &reader,
            .out_fd = open(at("out.csv"), O_RDWR | O_CREAT | O_TRUNC, 0600)
        };
    }
    for (int i = 0; i < SHARED; i++) {
        struct job_result res;

        assert_int_equal(ftruncate(specs[i].out_fd, 0), 0);
        assert_int_equal(job_run(&specs[i], &res), 0);
        if (res.verdict != want[i])
            fail_msg("file %d: verdict %d", i, (int)res.verdict);
        if (res.verdict == JOB_DONE)
            assert_string_equal(
                text_of("out.csv"),
                arena_fmt(&diag_arena, "sku\n%c%d\n", texts[i][0], i).p);
        job_result_release(&res);
        close(inputs[i].fd);
        close(specs[i].out_fd);
    }
    job_reader_end(&reader);
    assert_int_equal(waitpid(-1, &status, WNOHANG), -1); /* none is left */
}

static void one_reader_reads_file_after_file(void **state)
{
    static const char *const texts[] = { "a0;1\n", "b1;1\n", "c2;1\n" };
    static const enum job_verdict want[SHARED] = { JOB_DONE, JOB_DONE,
                                                   JOB_DONE };

    (void)state;
    limits_default(&limits);
    convert_together(texts, want);
}

static void a_rejected_file_does_not_end_its_reader(void **state)
{
    static const char *const texts[] = { "a0;1\n", "\"open quote", "c2;1\n" };
    static const enum job_verdict want[SHARED] = { JOB_DONE, JOB_REJECTED,
                                                   JOB_DONE };

    (void)state;
    limits_default(&limits);
    convert_together(texts, want);
}

/* Whatever one of them does: of that file and of those behind it nothing is
 * believed, nor is it held against them. */
static void test_shared_misdeed(void **state)
{
    static const enum job_verdict want[SHARED] = { JOB_DONE, JOB_FAILED,
                                                   JOB_FAILED };
    const struct misdeed *m = *state;
    const char *texts[SHARED] = { "a0;1\n", m->word, "c2;1\n" };

    limits_default(&limits);
    limits.v[LIMIT_CPU] = 1;
    if (strcmp(m->word, "hang") == 0)
        limits.v[LIMIT_WALL] = 1;
    limits.v[LIMIT_MEMORY] = MB(128);
    convert_together(texts, want);
}

static int run_bad(const struct job_spec *spec, struct job_result *out)
{
    const struct job_write write = { .map = csv_write };
    struct job_spec s = *spec;

    for (size_t i = 0; s.reader && i < s.reader->n; i++)
        s.reader->specs[i].read = bad_read;
    s.read = bad_read;
    s.writes = &write;
    s.n_writes = 1;
    s.read_settings = NULL;
    return job_run(&s, out);
}

static void the_keeper_goes_on(void **state)
{
    (void)state;
    kernel = AS_IT_IS;
    put("eshop/inbox/orders-1.csv", "exec");
    put("eshop/inbox/orders-2.csv", "good;1\n");
    put("eshop/inbox/orders-3.csv", "crash");
    k = (struct keeper){ .conf = &conf, .run = run_bad };
    if (keeper_once(&k, &e) == -1)
        fail_msg("%s", e.text);
    expect_job(1, RECEIPT_REJECTED);
    expect_job(2, RECEIPT_DONE);
    expect_job(3, RECEIPT_REJECTED);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(job(i).n_tries, 2); /* together, and alone */
    assert_non_null(strstr(text_of("eshop/rejected/1-orders-1.csv.report.txt"),
                           "(system call execve)"));
    assert_int_equal(n_names("pohoda/in"), 1);
    keeper_close(&k);
}

/* ---- all of them ----------------------------------------------------------
 */

static int load_maps(void **state)
{
    struct arena *a = xcalloc(1, sizeof(*a));
    struct diags diags;

    if (setup(state))
        return -1;
    limits_default(&limits);
    diags_init(&diags, a, 0);
    put("bad.map", "read stock from csv\n"
                   "  header no\n"
                   "sku = [1]\n");
    put("csv.map", "write stock to csv\n"
                   "row\n"
                   "  sku = sku\n");
    bad_read = map_load(at("bad.map"), STR("bad"), &limits, &diags);
    csv_write = map_load(at("csv.map"), STR("csv"), &limits, &diags);
    assert_int_equal(diags.n_errors, 0);
    assert_true(maps_join(bad_read, csv_write));
    bad_csv = *bad_read->format;
    bad_csv.read = obey;
    bad_read->format = &bad_csv;
    arena_release(a);
    free(a);
    return 0;
}

static int drop_maps(void **state)
{
    map_free(bad_read);
    map_free(csv_write);
    return teardown(state);
}

#define WHOLE(fn) cmocka_unit_test_setup_teardown(fn, load_maps, drop_maps)

static const struct CMUnitTest whole[] = {
    WHOLE(without_seccomp_the_machine_failed),
    WHOLE(one_reader_reads_file_after_file),
    WHOLE(a_rejected_file_does_not_end_its_reader),
    WHOLE(the_keeper_goes_on),
};

int main(void)
{
    static struct CMUnitTest tests[2 * COUNT(misdeeds) + COUNT(whole)];
    static char shared_names[COUNT(misdeeds)][64];
    size_t n = 0;

    if (JAIL_IS_OPEN) {
        puts("1..0 # SKIP the sanitizers cannot run in the jail");
        return 0;
    }
    for (size_t i = 0; i < COUNT(misdeeds); i++) {
        tests[n] = (struct CMUnitTest)ROW(test_misdeed, &misdeeds[i]);
        tests[n].setup_func = load_maps;
        tests[n++].teardown_func = drop_maps;
        snprintf(shared_names[i], sizeof(shared_names[i]), "shared: %s",
                 misdeeds[i].name);
        tests[n] = tests[n - 1];
        tests[n].name = shared_names[i];
        tests[n++].test_func = test_shared_misdeed;
    }
    for (size_t i = 0; i < COUNT(whole); i++)
        tests[n++] = whole[i];
    return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
