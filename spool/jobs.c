#include "spool/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/convert_child.h"
#include "spool/files.h"
#include "spool/keeper.h"

/* Seconds: for what a job does beside reading; the longest that poll() can. */
enum { PATIENCE = 60, MAX_WAIT = 400000 };

static uint64_t time_of(const struct conf *conf, const struct route *route,
                        enum limit_id limit)
{
    uint64_t value = conf->limits.v[limit];

    return child_times(route) * (value < MAX_WAIT ? value : MAX_WAIT);
}

bool jobs_room(const struct keeper *k, const struct route *route)
{
    uint64_t max = k->conf->limits.v[LIMIT_JOBS];

    if (k->jobs.n >= (max < MAX_JOBS ? max : MAX_JOBS))
        return false;
    for (size_t i = 0; i < k->jobs.n; i++)
        if (str_eq(k->jobs.v[i]->files[0].receipt.route, route->name))
            return false;
    return true;
}

const struct job_file *jobs_file(const struct jobs *jobs, size_t i)
{
    for (size_t j = 0; j < jobs->n; i -= jobs->v[j++]->n)
        if (i < jobs->v[j]->n)
            return &jobs->v[j]->files[i];
    return NULL;
}

/* ---- starting ----------------------------------------------------------- */

static struct receipt copy_of(struct arena *a, const struct receipt *r)
{
    struct receipt out = *r;

    out.route = arena_str(a, r->route);
    out.partner = arena_str(a, r->partner);
    out.name = arena_str(a, r->name);
    out.run_id = arena_str(a, r->run_id);
    out.why = arena_str(a, r->why);
    out.only = arena_str(a, r->only);
    return out;
}

/* Its staging folder, new and empty. What an earlier run left there was swept
 * when we started. */
static int make_staging(struct keeper *k, struct job_file *f, struct err *e)
{
    char below[80];

    snprintf(f->staging, sizeof(f->staging), "%s.%llu", f->receipt.id,
             (unsigned long long)f->receipt.n_tries);
    snprintf(below, sizeof(below), "tmp/%s", f->staging);
    if (mkdirat(k->spool_fd, below, 0700) == 0 ||
        (errno == EEXIST && tree_remove(k->spool_fd, below) == 0 &&
         mkdirat(k->spool_fd, below, 0700) == 0))
        return 0;
    return err_sys(e, ERR_RETRY, "cannot make %s/%s", k->conf->spool, below);
}

/* Its original; -1: e. */
static int open_original(struct keeper *k, const struct receipt *r,
                         struct err *e)
{
    struct stat st;
    char in[48];
    int fd;

    snprintf(in, sizeof(in), "in/%s", r->claim);
    fd = openat(k->spool_fd, in, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd == -1)
        return err_sys(e, ERR_HOLD, "the original in the spool is gone");
    if (fstat(fd, &st) == 0 && (uint64_t)st.st_size == r->size)
        return fd;
    close(fd);
    return err_set(e, ERR_HOLD, "the original in the spool is damaged");
}

/* The child never comes back. If it is to ask the ledger, we have none open
 * while it is made. */
static int fork_child(struct keeper *k, struct running *x, struct child *c,
                      struct err *e)
{
    bool asks = conf_has_rules(x->route);
    pid_t keeper = getpid();
    int rc;

    (void)fflush(NULL);
    if (asks)
        ledger_pause(k->ledger);
    x->pid = fork();
    if (x->pid == 0)
        child_become(c, keeper);
    rc = x->pid == -1 ? err_sys(e, ERR_RETRY, "fork") : 0;
    if (asks && ledger_resume(k->ledger, e) == -1)
        rc = -1;
    return rc;
}

static int start_child(struct keeper *k, struct running *x, struct err *e)
{
    struct child c = { .k = k, .job = x };
    size_t n = 0;
    int rc = ledger_counters(k->ledger, x->route->name, &x->arena, &c.counters,
                             &c.n_counters, e);

    while (rc == 0 && n < x->n) {
        c.in_fds[n] = open_original(k, &x->files[n].receipt, e);
        rc = c.in_fds[n] == -1 ? -1 : make_staging(k, &x->files[n], e);
        n += c.in_fds[n] != -1;
    }
    if (rc == 0)
        rc = fork_child(k, x, &c, e);
    while (n)
        close(c.in_fds[--n]);
    return rc;
}

static void end_child(struct running *x)
{
    if (x->pid <= 0)
        return;
    kill(x->pid, SIGKILL);
    while (waitpid(x->pid, NULL, 0) == -1 && errno == EINTR)
        continue;
}

static void release(struct running *x)
{
    if (x->pidfd != -1)
        close(x->pidfd);
    arena_release(&x->arena);
    free(x);
}

static void remove_staging(const struct keeper *k, const struct job_file *f)
{
    char below[80];

    snprintf(below, sizeof(below), "tmp/%s", f->staging);
    if (f->staging[0] && !f->moved)
        tree_remove(k->spool_fd, below);
}

static int start(struct keeper *k, struct running *x, struct err *e)
{
    if (start_child(k, x, e) == -1)
        return -1;
    x->pidfd = pidfd_open(x->pid, 0);
    if (x->pidfd == -1)
        return err_sys(e, ERR_RETRY, "cannot watch the converting process");
    return 0;
}

int jobs_start(struct keeper *k, struct route *route, const struct receipt *r,
               size_t n, struct err *e)
{
    struct running *x = xcalloc(1, sizeof(*x));

    x->pidfd = -1;
    x->conf = k->conf;
    x->route = route;
    x->files = arena_alloc(&x->arena, n * sizeof(*x->files));
    for (x->n = 0; x->n < n; x->n++)
        x->files[x->n] =
            (struct job_file){ .receipt = copy_of(&x->arena, &r[x->n]) };
    x->seconds = time_of(k->conf, route, LIMIT_WALL) +
                 (k->patience ? k->patience : PATIENCE);
    if (x->seconds > MAX_WAIT)
        x->seconds = MAX_WAIT;
    x->end_ms = clock_ms() + (int64_t)x->seconds * 1000;
    if (start(k, x, e) == -1) {
        end_child(x);
        for (size_t i = 0; i < n; i++)
            remove_staging(k, &x->files[i]);
        release(x);
        return -1;
    }
    k->conf->users++;
    k->jobs.v[k->jobs.n++] = x;
    return 0;
}

/* ---- ending ------------------------------------------------------------- */

/* 0: it ended well and left a result; -1: e says how it died, which is a word
 * about its file if it had one only. */
static int verdict(const struct running *x, int status, struct err *e)
{
    const struct receipt *r = &x->files[0].receipt;

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (x->late)
        return err_set(e, ERR_HOLD,
                       "the conversion was not over after %llu s and was "
                       "stopped (limit wall of %llu s)",
                       (unsigned long long)x->seconds,
                       (unsigned long long)x->conf->limits.v[LIMIT_WALL]);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return err_set(
            e, ERR_HOLD,
            "the conversion needed more than %llu s of processor "
            "time and was stopped (limit cpu of %llu s)",
            (unsigned long long)time_of(x->conf, x->route, LIMIT_CPU),
            (unsigned long long)x->conf->limits.v[LIMIT_CPU]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == JOB_NO_MEMORY)
        return err_set(
            e, ERR_HOLD,
            "the conversion needed more memory than the limit job-memory of "
            "%llu bytes",
            (unsigned long long)x->conf->limits.v[LIMIT_JOB_MEMORY]);
    /* Whoever ends a process from outside (a shutdown, a system short of
     * memory) seldom means this file, unless it happens again and again. */
    if (WIFSIGNALED(status))
        return err_set(
            e,
            job_ended_from_outside(status) && r->n_tries < MAX_TRIES ? ERR_RETRY
                                                                     : ERR_HOLD,
            "the converting process died (signal %d)", WTERMSIG(status));
    return err_set(e, ERR_RETRY, "the converting process failed (status %d)",
                   WEXITSTATUS(status));
}

static bool has_ended(struct running *x, int *status)
{
    pid_t pid;

    if (!x->late && clock_ms() >= x->end_ms) {
        x->late = true;
        kill(x->pid, SIGKILL);
    }
    do
        pid = waitpid(x->pid, status, x->late ? 0 : WNOHANG);
    while (pid == -1 && errno == EINTR);
    return pid == x->pid;
}

struct running *jobs_ended(struct keeper *k, int *rc, struct err *e)
{
    int status;

    for (size_t i = 0; i < k->jobs.n; i++) {
        struct running *x = k->jobs.v[i];

        if (!has_ended(x, &status))
            continue;
        k->jobs.v[i] = k->jobs.v[--k->jobs.n];
        *rc = verdict(x, status, e);
        return x;
    }
    return NULL;
}

void jobs_forget(struct keeper *k, struct running *x)
{
    for (size_t i = 0; i < x->n; i++)
        remove_staging(k, &x->files[i]);
    x->conf->users--;
    release(x);
}

size_t jobs_watch(const struct keeper *k, struct pollfd *fds)
{
    for (size_t i = 0; i < k->jobs.n; i++)
        fds[i] = (struct pollfd){ .fd = k->jobs.v[i]->pidfd, .events = POLLIN };
    return k->jobs.n;
}

int jobs_timeout(const struct keeper *k)
{
    int64_t now = clock_ms(), first = -1;

    for (size_t i = 0; i < k->jobs.n; i++) {
        int64_t left = k->jobs.v[i]->end_ms - now;

        if (left < 0)
            left = 0;
        if (first == -1 || left < first)
            first = left;
    }
    return (int)first;
}

void jobs_wait(const struct keeper *k)
{
    struct pollfd fds[MAX_JOBS];
    size_t n = jobs_watch(k, fds);

    if (n)
        (void)poll(fds, n, jobs_timeout(k));
}

void jobs_kill(struct keeper *k)
{
    while (k->jobs.n) {
        struct running *x = k->jobs.v[--k->jobs.n];

        end_child(x);
        jobs_forget(k, x);
    }
}
