#include "spool/convert_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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
        res->verdict == JOB_REJECTED || c->route->report == REPORT_ALWAYS) {
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

static int run_read(struct child *c, const struct conf_read *read, uint64_t i,
                    struct job_result *res)
{
    const struct job_input input = { .fd = c->in_fd, .name = c->receipt->name };
    struct job_spec spec = {
        .read = read->map,
        .read_settings = read->settings,
        .writes = read->writes,
        .n_writes = read->n_writes,
        .inputs = &input,
        .n_inputs = 1,
        .when = read->when,
        .country = country_of(read),
        .run_id = c->receipt->run_id,
        .run_time = c->receipt->run_time,
        .limits = &c->k->conf->limits,
        .counters = c->counters,
        .n_counters = c->n_counters,
        .n_output_bytes = c->n_output_bytes,
        .reject_file = conf_rejects_file(c->route, read),
        .keep_faulty = !c->route->test,
        .staging =
            arena_fmt(&c->arena, "%s/%llu", c->staging, (unsigned long long)i)
                .p,
        .out_fd = -1,
    };

    if (mkdir(spec.staging, 0700) == -1 || lseek(c->in_fd, 0, SEEK_SET) == -1)
        return -1;
    return c->k->run(&spec, res);
}

static int write_report(struct child *c, int dir_fd)
{
    const struct report_facts facts = { .receipt = c->receipt,
                                        .route = c->route,
                                        .result = &c->result,
                                        .n_mixed = c->n_mixed };
    struct buf b;
    int rc;

    buf_init(&b, MB(32));
    report_head(&b, &facts);
    buf_add(&b, buf_str(&c->report));
    report_advice(&b, &facts);
    rc = file_write(dir_fd, REPORT_FILE, buf_str(&b), 0600);
    buf_release(&b);
    return rc;
}

/* Never returns. Only stdio, the input and what the job opens is open here:
 * not the ledger, not the lock. */
static _Noreturn void child_main(struct child *c)
{
    uint64_t i = 0;
    int dir;

    buf_init(&c->report, MB(16));
    for (const struct conf_read *x = c->route->reads; x; x = x->next, i++) {
        struct job_result res = { 0 };

        if (run_read(c, x, i, &res) == -1)
            _exit(1);
        check_outputs(c, &res);
        add_run(c, &res, i);
        if (res.verdict == JOB_DONE) { /* the next run counts on */
            c->counters = res.counters;
            c->n_counters = res.n_counters;
        }
        if (c->result.verdict == JOB_FAILED)
            break;
    }
    if (c->result.verdict == JOB_DONE) {
        c->result.counters = c->counters;
        c->result.n_counters = c->n_counters;
    } else {
        c->result.n_outputs = 0;
        c->result.returns_file = false;
    }
    /* With the whole file nobody needs its parts. */
    if (c->result.verdict != JOB_DONE || c->result.returns_file)
        c->result.n_faulty = 0;
    dir = open(c->staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir == -1 || (c->result.has_report && write_report(c, dir) == -1) ||
        result_write(dir, &c->result) == -1)
        _exit(1);
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
    l.rlim_cur = limit * child_times(c->route);
    l.rlim_max = l.rlim_cur + 2;
    (void)setrlimit(RLIMIT_CPU, &l);
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
    if (c->in_fd != 3 && dup2(c->in_fd, 3) == -1)
        _exit(1);
    c->in_fd = 3;
    close_range(4, ~0u, 0);
    limit_processor(c);
    job_limit_memory(&c->k->conf->limits);
    child_main(c);
}
