#include "spool/convert_child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/facts.h"
#include "spool/files.h"
#include "spool/report.h"

static void add_output(struct child *c, const struct job_output *o,
                       uint64_t read)
{
    struct result *r = &c->result;

    if (r->n_outputs == c->cap_outputs) {
        c->cap_outputs = c->cap_outputs ? c->cap_outputs * 2 : 16;
        r->outputs = xrealloc(r->outputs, c->cap_outputs * sizeof(*r->outputs));
    }
    c->n_output_bytes += o->bytes;
    r->outputs[r->n_outputs++] = (struct result_output){
        .path =
            arena_fmt(&c->arena, "%llu/%s", (unsigned long long)read, o->path),
        .name = arena_str(&c->arena, str_of(o->name)),
        .bytes = o->bytes,
        .n_documents = o->n_documents,
        .read = read,
        .write = o->write,
    };
}

/* What a file may become has an end: the keeper names and checks each. */
static void check_outputs(const struct child *c, struct job_result *res)
{
    uint64_t max = c->k->conf->limits.v[LIMIT_OUTPUTS];
    uint64_t n = c->result.n_outputs + res->n_outputs;

    if (res->verdict != JOB_DONE || n <= max)
        return;
    res->verdict = JOB_REJECTED;
    res->n_written = 0;
    err_set(&res->err, ERR_REJECT,
            "%llu output files of one input are over the limit outputs of %llu",
            (unsigned long long)n, (unsigned long long)max);
}

static void add_faulty(struct child *c, const struct job_result *res,
                       uint64_t read)
{
    const struct job_faulty *f = &res->faulty;
    struct result *r = &c->result;

    if (res->verdict != JOB_DONE || !f->asked)
        return;
    if (!f->path) {
        r->returns_file = true;
        return;
    }
    r->faulty = xrealloc(r->faulty, (r->n_faulty + 1) * sizeof(*r->faulty));
    r->faulty[r->n_faulty++] = (struct result_faulty){
        .path =
            arena_fmt(&c->arena, "%llu/%s", (unsigned long long)read, f->path),
        .n_documents = res->n_aside,
    };
    c->n_mixed += f->n_mixed;
}

/* The run of one read map joins those before it: all of it, or nothing. */
static void add_run(struct child *c, const struct job_result *res,
                    uint64_t read)
{
    struct result *r = &c->result;

    if (res->verdict == JOB_FAILED ||
        (res->verdict == JOB_REJECTED && r->verdict == JOB_DONE))
        r->verdict = res->verdict;
    if (res->verdict != JOB_DONE)
        r->err = res->err;
    r->truncated = r->truncated || res->truncated;
    r->n.n_read += res->n_read;
    r->n.n_written += res->n_written;
    r->n.n_aside += res->n_aside;
    r->n.n_skipped += res->n_skipped;
    r->n.n_filtered += res->n_filtered;
    r->n.n_warnings += res->n_warnings;
    r->n.n_replaced += res->n_replaced;
    r->n_errors += res->diags.n_errors;
    if (!r->first_error.len)
        r->first_error = report_first(&c->arena, res);
    r->summary = arena_fmt(&c->arena, "%.*s%s%.*s", STR_ARGS(r->summary),
                           r->summary.len && res->summary.len ? "; " : "",
                           STR_ARGS(res->summary));
    if (res->diags.n_errors || res->diags.n_warnings || res->n_aside ||
        res->verdict == JOB_REJECTED ||
        c->job->route->report == REPORT_ALWAYS) {
        r->has_report = true;
        report_body(&c->report, res);
    }
    r->by_rule = r->by_rule || res->by_rule;
    add_faulty(c, res, read);
    for (size_t i = 0; res->verdict == JOB_DONE && i < res->n_outputs; i++)
        add_output(c, &res->outputs[i], read);
}

/* The first destination says for whom characters are replaced. */
static struct str country_of(const struct conf_read *read)
{
    for (size_t i = 0; i < read->n_writes; i++)
        for (const struct conf_to *to = read->write_confs[i]->to; to;
             to = to->next)
            if (to->partner->country.len)
                return to->partner->country;
    return STR("");
}

/* All but what the runs before it decide. */
static struct job_spec spec_of(struct child *c, size_t file,
                               const struct conf_read *read, uint64_t i)
{
    const struct receipt *r = &c->job->files[file].receipt;
    const struct partner *sender = conf_partner(c->k->conf, r->partner);
    struct job_input *input = arena_alloc(&c->all, sizeof(*input));

    *input = (struct job_input){ .fd = c->in_fds[file], .name = r->name };
    return (struct job_spec){
        .read = read->map,
        .read_settings = read->settings,
        .writes = read->writes,
        .n_writes = read->n_writes,
        .n_cards = read->n_cards,
        .trade = read->site.any ? &read->site : NULL,
        .facts = c->facts,
        .sender = r->partner,
        .sender_asked = sender ? sender->asked : 0,
        .only = r->only,
        .full = r->full,
        .inputs = input,
        .n_inputs = 1,
        .when = read->when,
        .country = country_of(read),
        .run_id = r->run_id,
        .run_time = r->run_time,
        .limits = &c->k->conf->limits,
        .reject_file = conf_rejects_file(c->job->route, read),
        .keep_faulty = !c->job->route->test && !r->only.len,
        .staging = arena_fmt(&c->all, "%s/tmp/%s/%llu", c->k->conf->spool,
                             c->job->files[file].staging, (unsigned long long)i)
                       .p,
        .out_fd = -1,
    };
}

static bool shares_reader(const struct child *c)
{
    return c->job->n > 1 && !c->job->route->reads->next;
}

static void share_reader(struct child *c)
{
    struct job_reader *r = &c->reader;

    if (!shares_reader(c))
        return;
    r->n = c->job->n;
    r->specs = arena_alloc(&c->all, r->n * sizeof(*r->specs));
    for (size_t i = 0; i < r->n; i++) {
        r->specs[i] = spec_of(c, i, c->job->route->reads, 0);
        r->specs[i].reader = r;
    }
}

static int run_read(struct child *c, size_t file, const struct conf_read *read,
                    uint64_t i, struct job_result *res)
{
    struct job_spec spec =
        shares_reader(c) ? c->reader.specs[file] : spec_of(c, file, read, i);

    spec.counters = c->counters;
    spec.n_counters = c->n_counters;
    spec.n_output_bytes = c->n_output_bytes;
    if (mkdir(spec.staging, 0700) == -1)
        return -1;
    /* A reader that is shared may be reading there. */
    if (!spec.reader && lseek(c->in_fds[file], 0, SEEK_SET) == -1)
        return -1;
    return c->k->run(&spec, res);
}

static int write_report(struct child *c, int dir_fd)
{
    const struct report_facts facts = { .receipt = c->receipt,
                                        .route = c->job->route,
                                        .result = &c->result,
                                        .n_mixed = c->n_mixed };
    struct buf b;
    int rc;

    buf_init(&b, MB(32));
    report_head(&b, &facts);
    buf_add(&b, buf_str(&c->report));
    report_advice(&b, &facts);
    rc = file_create(dir_fd, REPORT_FILE, buf_str(&b), 0600);
    buf_release(&b);
    return rc;
}

/* The next run counts on from there. */
static void count_on(struct child *c, const struct job_result *res)
{
    struct job_counter *now =
        arena_alloc(&c->all, (res->n_counters + 1) * sizeof(*now));

    for (size_t i = 0; i < res->n_counters; i++)
        now[i] =
            (struct job_counter){ arena_str(&c->all, res->counters[i].name),
                                  res->counters[i].value };
    c->counters = now;
    c->n_counters = res->n_counters;
}

static void run_reads(struct child *c, size_t file)
{
    uint64_t i = 0;

    for (const struct conf_read *x = c->job->route->reads; x; x = x->next) {
        struct job_result res = { 0 };

        facts_enter(c->facts, (unsigned)i);
        if (run_read(c, file, x, i, &res) == -1)
            _exit(1);
        check_outputs(c, &res);
        add_run(c, &res, i++);
        if (res.verdict == JOB_DONE)
            count_on(c, &res);
        job_result_release(&res);
        if (c->result.verdict == JOB_FAILED)
            return;
    }
}

static void leave_result(struct child *c)
{
    int dir = open(c->staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir == -1 || (c->result.has_report && write_report(c, dir) == -1) ||
        result_write(dir, &c->result) == -1)
        _exit(1);
    close(dir);
}

static void begin_file(struct child *c, size_t file)
{
    free(c->result.outputs);
    free(c->result.faulty);
    arena_reset(&c->arena);
    buf_clear(&c->report);
    c->receipt = &c->job->files[file].receipt;
    c->staging = arena_fmt(&c->arena, "%s/tmp/%s", c->k->conf->spool,
                           c->job->files[file].staging)
                     .p;
    if (c->facts)
        facts_begin(c->facts, c->staging, c->receipt->job);
    c->result = (struct result){ 0 };
    c->n_mixed = c->cap_outputs = c->n_output_bytes = 0;
}

/* What a file without outputs, or a test, has learnt is nobody's. */
static void end_facts(struct child *c)
{
    struct result *r = &c->result;

    if (c->facts &&
        !facts_end(c->facts, r->verdict == JOB_DONE && !c->receipt->test,
                   &r->err))
        r->verdict = JOB_FAILED;
}

static void convert_file(struct child *c, size_t file)
{
    struct job_counter *before = c->counters;
    size_t n_before = c->n_counters;

    begin_file(c, file);
    run_reads(c, file);
    end_facts(c);
    if (c->result.verdict == JOB_FAILED && c->job->n > 1)
        _exit(1);
    if (c->result.verdict == JOB_DONE) {
        c->result.counters = c->counters;
        c->result.n_counters = c->n_counters;
    } else {
        c->result.n_outputs = 0;
        c->result.returns_file = false;
    }
    /* Numbers of a file without outputs, or of a test, are nobody's. */
    if (c->result.verdict != JOB_DONE || c->receipt->test) {
        c->counters = before;
        c->n_counters = n_before;
    }
    /* With the whole file nobody needs its parts. */
    if (c->result.verdict != JOB_DONE || c->result.returns_file)
        c->result.n_faulty = 0;
    leave_result(c);
}

static void open_facts(struct child *c)
{
    if (conf_has_rules(c->job->route))
        c->facts =
            facts_open(keeper_ledger_path(&c->all, c->k->conf), clock_now());
}

/* Never returns. Only stdio, the originals and what the job opens is open
 * here: not the ledger, not the lock. */
static _Noreturn void child_main(struct child *c)
{
    buf_init(&c->report, MB(16));
    open_facts(c);
    share_reader(c);
    /* What stands behind a file that took back what it had told us is converted
     * again, by one who has not heard it. */
    for (size_t i = 0; i < c->job->n && !facts_took_back(c->facts); i++)
        convert_file(c, i);
    job_reader_end(&c->reader);
    _exit(0);
}

uint64_t child_times(const struct route *route)
{
    uint64_t n = 0;

    for (const struct conf_read *x = route->reads; x; x = x->next)
        n += JOB_TIMES;
    return n;
}

static void limit_processor(const struct child *c)
{
    uint64_t limit = c->k->conf->limits.v[LIMIT_CPU];
    rlim_t max = RLIM_INFINITY / JOB_TIMES / 1000;
    struct rlimit l;

    if (limit > max)
        return;
    /* The reader sets its own, which must not be above ours. */
    l.rlim_cur = limit * child_times(c->job->route);
    l.rlim_max = l.rlim_cur + 2;
    (void)setrlimit(RLIMIT_CPU, &l);
}

/* They were opened in this order: none is in the way of one before it. */
static void keep_originals(struct child *c)
{
    const int first = 3;
    int n = (int)c->job->n;

    for (int i = 0; i < n; i++) {
        if (c->in_fds[i] != first + i && dup2(c->in_fds[i], first + i) == -1)
            _exit(1);
        c->in_fds[i] = first + i;
    }
    close_range((unsigned)(first + n), ~0u, 0);
}

_Noreturn void child_become(struct child *c, pid_t keeper)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The daemon reads its signals; here they do what they usually do. */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (getppid() != keeper)
        _exit(1);
    keep_originals(c);
    limit_processor(c);
    job_limit_memory(&c->k->conf->limits);
    child_main(c);
}
