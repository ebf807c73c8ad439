/*
 * keeper_run.h - a real tree, a real ledger, and a job that only pretends.
 *
 * The job obeys the text of its input: "reject", "aside", "fail", "die",
 * "none" and others at its start, see fake_run(); anything else is copied to
 * out-NAME. MORE_CONF is what a test adds to the configuration.
 */
#ifndef TESTS_UNIT_KEEPER_RUN_H
#define TESTS_UNIT_KEEPER_RUN_H

#include "tests/unit/tree.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "converters/base/date.h"
#include "spool/facts.h"
#include "spool/keeper.h"

enum { NOW = 1800000000 };

#ifndef MORE_CONF
#define MORE_CONF ""
#endif

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
                                "  by hand\n" MORE_CONF;

static struct map read_map = { .name = { "r", 1 } };
static struct map write_map = { .name = { "w", 1 } };
static struct conf conf;
static struct arena diag_arena;
static struct keeper k;
static struct err e;
static size_t batch; /* files of a round; 0: as usual */

/* ---- what was synced ------------------------------------------------------
 */

static struct {
    char path[256];
    int n;
} syncs[64];

/* In the place of the C library's. */
int fsync(int fd)
{
    char link[32], path[256] = "";
    size_t i = 0;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof(path) - 1) == -1)
        return -1;
    while (i < COUNT(syncs) - 1 && syncs[i].n && strcmp(syncs[i].path, path))
        i++;
    memcpy(syncs[i].path, path, sizeof(path));
    syncs[i].n++;
    return (int)syscall(SYS_fsync, fd);
}

static inline int n_syncs(const char *below)
{
    for (size_t i = 0; i < COUNT(syncs); i++)
        if (syncs[i].n && strcmp(syncs[i].path, at(below)) == 0)
            return syncs[i].n;
    return 0;
}

/* ---- the job ------------------------------------------------------------- */

static inline void fake_output(const struct job_spec *spec, struct str text,
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
static inline void write_late(void)
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

/* counter("n") of the map. */
static inline int64_t fake_count(const struct job_spec *spec,
                                 struct job_result *out)
{
    out->counters = arena_alloc(&out->arena, sizeof(*out->counters));
    out->counters[0] = (struct job_counter){ STR("n"), 1 };
    out->n_counters = 1;
    if (spec->n_counters)
        out->counters[0].value += spec->counters[0].value;
    return out->counters[0].value;
}

/* Asks for a card, waits while somebody looks, and learns one. */
static inline void fake_card(struct facts *f)
{
    const struct card new = { .code = STR("1") };
    struct arena a = { 0 };
    struct card card;

    facts_card(f, STR("pohoda"), CARD_CUSTOMER, STR("code:1"), &a, &card);
    put("asked", "");
    while (is_there("asked"))
        usleep(1000);
    facts_learn_card(f, STR("pohoda"), CARD_CUSTOMER, STR("code:1"), &new,
                     true);
    facts_keep(f, 1);
    arena_release(&a);
}

static inline int fake_run(const struct job_spec *spec, struct job_result *out)
{
    static char bytes[4096];
    ssize_t n = read(spec->inputs[0].fd, bytes, sizeof(bytes));
    struct str text = { bytes, n > 0 ? (size_t)n : 0 };

    *out = (struct job_result){ .n_read = 1 };
    diags_init(&out->diags, &out->arena, 10);
    out->summary = STR("1 order read");
    if (str_starts(text, STR("count")))
        text = arena_fmt(&out->arena, "%.*s %d", STR_ARGS(text),
                         (int)fake_count(spec, out));
    if (str_starts(text, STR("whose")))
        text = arena_fmt(&out->arena, "job %d", (int)getpid());
    if (str_starts(text, STR("die")))
        raise(SIGKILL);
    if (str_starts(text, STR("sleep")))
        pause();
    if (str_starts(text, STR("spin"))) {
        struct rlimit l;

        getrlimit(RLIMIT_CPU, &l);
        raise(l.rlim_cur == 4 * spec->limits->v[LIMIT_CPU] ? SIGXCPU : SIGHUP);
    }
    while (str_starts(text, STR("gate")) && !is_there("open"))
        usleep(1000);
    if (str_starts(text, STR("cards")))
        fake_card(spec->facts);
    if (str_starts(text, STR("200 MB")))
        free(xcalloc(1, MB(200)));
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
    if (str_starts(text, STR("reject")) ||
        str_starts(text, STR("count, reject")) ||
        (str_starts(text, STR("count, then reject")) &&
         str_ends(str_of(spec->staging), STR("/1")))) {
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

static inline void load_conf(void)
{
    static struct diags diags;
    static const struct level order = { .name = "order" };

    conf = (struct conf){ 0 };
    diags_init(&diags, &diag_arena, 0);
    put("kervan.conf", conf_text);
    assert_int_equal(conf_load(&conf, at("kervan.conf"), &diags, &e), 0);
    assert_int_equal(diags.n_errors, 0);
    read_map.document = write_map.document = &order;
    for (struct route *r = conf.routes; r; r = r->next)
        for (struct conf_read *x = r->reads; x; x = x->next) {
            x->map = &read_map;
            x->writes = arena_alloc(&conf.arena, sizeof(*x->writes));
            x->writes[0].map = &write_map;
            x->write_confs = arena_alloc(&conf.arena, sizeof(*x->write_confs));
            x->write_confs[0] = r->writes;
            x->n_writes = 1;
        }
}

static inline int setup(void **state)
{
    static const char *const folders[] = { "eshop", "eshop/inbox",
                                           "eshop/outbox", "pohoda",
                                           "pohoda/in" };

    (void)state;
    tree_make();
    clock_freeze(NOW);
    batch = 0;
    memset(syncs, 0, sizeof(syncs));
    for (size_t i = 0; i < COUNT(folders); i++)
        assert_int_equal(mkdir(at(folders[i]), 0700), 0);
    load_conf();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    arena_release(&conf.arena);
    arena_release(&diag_arena);
    tree_drop();
    return 0;
}

/* One run; the keeper stays open for questions until the next one. */
static inline void once_of(const char *const *only, size_t n)
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

static inline void once(void)
{
    once_of(NULL, 0);
}

static inline struct receipt job(uint64_t number)
{
    const struct ledger_find f = { .job = number };
    struct receipt *r;
    size_t n;

    assert_int_equal(ledger_receipts(k.ledger, &f, &k.arena, &r, &n, &e), 0);
    assert_int_equal(n, 1);
    return r[0];
}

static inline void expect_job(uint64_t number, enum receipt_state want)
{
    enum receipt_state got = job(number).state;

    if (got != want)
        fail_msg("job %d is %s, not %s: %.*s", (int)number,
                 receipt_state_names[got], receipt_state_names[want],
                 STR_ARGS(job(number).why));
}

static inline void expect_why(uint64_t number, const char *want)
{
    struct str got = job(number).why;

    if (!str_is(got, want))
        fail_msg("job %d: %.*s", (int)number, STR_ARGS(got));
}

static inline void expect_clean(void)
{
    assert_int_equal(n_names("spool/tmp"), 0);
    assert_int_equal(n_names("spool/in"), 0);
    assert_int_equal(n_names("spool/out"), 0);
    assert_int_equal(n_names("eshop/inbox/.claim"), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
