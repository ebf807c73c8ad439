/*
 * convert.c - TAKEN -> CONVERTED, REJECTED or HELD: a job for every receipt.
 *
 *   1  tmp/<id>.<try>/ is made; a child converts into it and writes `result`
 *   2  the keeper looks at every output again: name, size, hash
 *   3  everything in it is synced, the folder renamed to out/<id>/, synced
 *   4  commit CONVERTED with all deliveries, or REJECTED with the report
 *
 * If we die before 4, the file is converted again; its result may then be
 * another one (the map was mended), for nothing of the first was seen by
 * anybody. tmp/ is swept at the start; a left out/<id>/ is replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spool/convert_child.h"
#include "spool/files.h"
#include "spool/keeper.h"
#include "spool/report.h"
#include "spool/result.h"

/* Whoever ends a process from outside (a shutdown, a system short of memory)
 * seldom means this file, unless it happens with it again and again. */
enum { MAX_TRIES = 5 };

/* Seconds: for what a job does beside reading; the longest that poll() can. */
enum { PATIENCE = 60, MAX_WAIT = 400000 };

static int64_t monotonic_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Is it over within so many seconds? It is watched in a way that needs no
 * signal. */
static bool ends_within(pid_t pid, uint64_t seconds)
{
    int64_t now = monotonic_ms(), end;
    struct pollfd p = { .fd = pidfd_open(pid, 0), .events = POLLIN };
    int rc = 0;

    end = now + (int64_t)(seconds < MAX_WAIT ? seconds : MAX_WAIT) * 1000;
    if (p.fd == -1)
        return true; /* an old kernel: wait without an end */
    for (; rc <= 0 && now < end; now = monotonic_ms()) {
        rc = poll(&p, 1, (int)(end - now));
        if (rc == -1 && errno != EINTR)
            break;
    }
    close(p.fd);
    return rc != 0;
}

static uint64_t time_of(const struct keeper *k, const struct route *route,
                        enum limit_id limit)
{
    uint64_t value = k->conf->limits.v[limit];

    return child_times(route) * (value < MAX_WAIT ? value : MAX_WAIT);
}

/* 0: it ended well and left a result; -1: e says how it died. */
static int wait_for(const struct keeper *k, const struct route *route,
                    const struct receipt *r, pid_t pid, struct err *e)
{
    uint64_t seconds =
        time_of(k, route, LIMIT_WALL) + (k->patience ? k->patience : PATIENCE);
    bool late = !ends_within(pid, seconds);
    int status;

    if (late)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) == -1)
        if (errno != EINTR)
            return err_sys(e, ERR_RETRY, "wait for the job");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (late)
        return err_set(e, ERR_HOLD,
                       "the conversion was not over after %llu s and was "
                       "stopped (limit wall)",
                       (unsigned long long)seconds);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return err_set(e, ERR_HOLD,
                       "the conversion needed more than %llu s of processor "
                       "time and was stopped (limit cpu)",
                       (unsigned long long)time_of(k, route, LIMIT_CPU));
    if (WIFSIGNALED(status))
        return err_set(
            e,
            job_ended_from_outside(status) && r->n_tries < MAX_TRIES ? ERR_RETRY
                                                                     : ERR_HOLD,
            "the converting process died (signal %d)", WTERMSIG(status));
    return err_set(e, ERR_RETRY, "the converting process failed (status %d)",
                   WEXITSTATUS(status));
}

/* As wait_for(). */
static int run_child(struct keeper *k, const struct route *route,
                     const struct receipt *r, const char *staging,
                     struct err *e)
{
    struct child c = {
        .k = k, .route = route, .receipt = r, .staging = staging, .in_fd = -1
    };
    pid_t keeper = getpid(), pid;
    char in[48];

    snprintf(in, sizeof(in), "in/%s", r->claim);
    c.in_fd = openat(k->spool_fd, in, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (c.in_fd == -1)
        return err_sys(e, ERR_HOLD, "the original in the spool is gone");
    if (ledger_counters(k->ledger, r->route, &k->item, &c.counters,
                        &c.n_counters, e) == -1) {
        close(c.in_fd);
        return -1;
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        child_become(&c, keeper);
    close(c.in_fd);
    if (pid == -1)
        return err_sys(e, ERR_RETRY, "fork");
    return wait_for(k, route, r, pid, e);
}

/* The write that an output is of, or NULL: the job lied. */
static const struct conf_write *write_of(const struct route *route,
                                         const struct result_output *o,
                                         const struct conf_read **read)
{
    uint64_t i = 0;

    for (const struct conf_read *x = route->reads; x; x = x->next, i++)
        if (i == o->read) {
            *read = x;
            return o->write < x->n_writes ? x->write_confs[o->write] : NULL;
        }
    return NULL;
}

static bool is_snapshot(const struct conf_read *read)
{
    const char *name = read->map ? read->map->document->name : "";

    return strcmp(name, "stock") == 0 || strcmp(name, "price") == 0;
}

/* Looks at an output in the staging folder; its hash and size are ours. */
static int look_at_output(int dir, const struct result_output *o,
                          uint64_t max_name, struct content *got,
                          struct arena *a, struct err *e)
{
    struct stat st;
    int fd, rc;

    if (!path_is_safe(o->path) || !name_is_safe(o->name) ||
        o->name.len > max_name)
        return err_set(e, ERR_HOLD, "unusable output name %.*s",
                       STR_ARGS(str_first(o->name, 100)));
    fd = openat(dir, arena_cstr(a, o->path),
                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1)
        return err_sys(e, ERR_HOLD, "output %.*s", STR_ARGS(o->name));
    rc = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1
             ? content_copy(fd, -1, UINT64_MAX, got)
             : -1;
    close(fd);
    if (rc == -1 || got->bytes != o->bytes)
        return err_set(e, ERR_HOLD, "output %.*s is not what the job said",
                       STR_ARGS(o->name));
    return 0;
}

struct deliveries {
    struct delivery *list;
    size_t n, cap;
};

static struct delivery *add_delivery(struct deliveries *ds)
{
    if (ds->n == ds->cap) {
        ds->cap = ds->cap ? ds->cap * 2 : 16;
        ds->list = xrealloc(ds->list, ds->cap * sizeof(*ds->list));
    }
    ds->list[ds->n] = (struct delivery){ 0 };
    id_new(ds->list[ds->n].id);
    return &ds->list[ds->n++];
}

/* Apart for every destination, as they would be in earnest. */
static struct str test_folder(struct keeper *k, const struct route *route,
                              const struct conf_to *to)
{
    return arena_fmt(&k->item, "test/%.*s/%.*s%s%.*s", STR_ARGS(route->name),
                     STR_ARGS(to->partner->name), to->folder.len ? "/" : "",
                     STR_ARGS(to->folder));
}

static int plan_output(struct keeper *k, const struct route *route, int dir,
                       const struct result_output *o, struct deliveries *ds,
                       struct err *e)
{
    const struct conf_read *read;
    const struct conf_write *w = write_of(route, o, &read);
    struct content got;

    if (!w)
        return err_set(e, ERR_HOLD, "the job names a write that is not there");
    if (look_at_output(dir, o, k->conf->limits.v[LIMIT_NAME], &got, &k->item,
                       e) == -1)
        return -1;
    for (const struct conf_to *to = w->to; to; to = to->next) {
        struct delivery *d = add_delivery(ds);

        d->kind = OUT_FILE;
        d->path = o->path;
        d->name = o->name;
        d->partner = route->test ? STR("") : to->partner->name;
        d->folder = route->test ? test_folder(k, route, to) : to->folder;
        d->replace = is_snapshot(read) || route->test;
        d->bytes = got.bytes;
        d->n_documents = o->n_documents;
        memcpy(d->sha256, got.sha256, sizeof(d->sha256));
    }
    return 0;
}

/* "17-orders.csv": unique for ever, and told apart by people. */
static struct str rejected_name(struct keeper *k, const struct receipt *r,
                                const char *ending)
{
    return arena_fmt(&k->item, "%llu-%.*s%s", (unsigned long long)r->job,
                     STR_ARGS(r->name), ending);
}

/* The report, and the rejected original, go back to the sender. */
static int plan_return(struct keeper *k, const struct receipt *r, int dir,
                       bool original, struct deliveries *ds, struct err *e)
{
    struct content got;
    struct delivery *d;
    int fd = openat(dir, REPORT_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd != -1 && content_copy(fd, -1, UINT64_MAX, &got) == 0) {
        d = add_delivery(ds);
        d->kind = OUT_REPORT;
        d->path = STR(REPORT_FILE);
        d->partner = r->partner;
        d->folder = STR("rejected");
        d->name = rejected_name(k, r, ".report.txt");
        d->bytes = got.bytes;
        memcpy(d->sha256, got.sha256, sizeof(d->sha256));
    }
    if (fd == -1)
        return err_sys(e, ERR_HOLD, "the report of the job");
    close(fd);
    if (!original)
        return 0;
    d = add_delivery(ds);
    d->kind = OUT_ORIGINAL;
    d->partner = r->partner;
    d->folder = STR("rejected");
    d->name = rejected_name(k, r, "");
    d->bytes = r->size;
    memcpy(d->sha256, r->sha256, sizeof(d->sha256));
    return 0;
}

/* Step 3: durable, and under its place in out/. */
static int move_to_out(struct keeper *k, const char *staging, const char *id,
                       struct err *e)
{
    char tmp[96], out[64];
    int out_dir, tmp_dir, rc;

    snprintf(tmp, sizeof(tmp), "tmp/%s", staging);
    snprintf(out, sizeof(out), "out/%s", id);
    if (tree_sync(k->spool_fd, tmp) == -1 ||
        tree_remove(k->spool_fd, out) == -1 ||
        renameat(k->spool_fd, tmp, k->spool_fd, out) == -1)
        return err_sys(e, ERR_RETRY, "cannot move the result to %s", out);
    out_dir = dir_open_at(k->spool_fd, STR("out"));
    tmp_dir = dir_open_at(k->spool_fd, STR("tmp"));
    rc = out_dir != -1 && tmp_dir != -1 && dir_sync(out_dir) == 0 &&
                 dir_sync(tmp_dir) == 0
             ? 0
             : err_sys(e, ERR_RETRY, "cannot sync the spool");
    if (out_dir != -1)
        close(out_dir);
    if (tmp_dir != -1)
        close(tmp_dir);
    return rc;
}

/* "NAME SHA256" of every map that took part. */
static struct str maps_text(struct keeper *k, const struct route *route)
{
    struct buf b;
    struct str out;

    buf_init(&b, MB(1));
    for (const struct conf_read *x = route->reads; x; x = x->next)
        for (size_t i = 0; x->map && i <= x->n_writes; i++) {
            const struct map *m = i ? x->writes[i - 1].map : x->map;
            char hex[HASH_HEX + 1];
            struct sha256 h;

            sha256_init(&h);
            if (m->src)
                sha256_add(&h, m->src->text);
            sha256_end(&h, hex);
            buf_addf(&b, "%.*s %s\n", STR_ARGS(m->name), hex);
        }
    out = arena_str(&k->item, buf_str(&b));
    buf_release(&b);
    return out;
}

/* Steps 2 to 4. */
static int settle(struct keeper *k, const struct route *route,
                  struct receipt *r, const char *staging,
                  const struct result *res, struct err *e)
{
    int dir = dir_open_at(k->spool_fd, arena_fmt(&k->item, "tmp/%s", staging));
    bool rejected = res->verdict == JOB_REJECTED;
    struct deliveries ds = { 0 };
    int rc = dir == -1 ? err_sys(e, ERR_RETRY, "the staging folder") : 0;

    for (size_t i = 0; rc == 0 && !rejected && i < res->n_outputs; i++)
        rc = plan_output(k, route, dir, &res->outputs[i], &ds, e);
    if (rc == 0 && (rejected || res->n.n_aside) && !route->test)
        rc = plan_return(k, r, dir, rejected, &ds, e);
    if (rc == 0)
        rc = move_to_out(k, staging, r->id, e);
    if (rc == 0) {
        r->n = res->n;
        r->counters = res->counters;
        r->n_counters = res->n_counters;
        r->summary = res->summary;
        r->maps = maps_text(k, route);
        r->why = res->first_error.len ? res->first_error : res->summary;
        k->n_aside_records += res->n.n_aside;
        rc = rejected ? ledger_rejected(k->ledger, r, ds.list, ds.n, e)
                      : ledger_converted(k->ledger, r, ds.list, ds.n, e);
    }
    if (dir != -1)
        close(dir);
    free(ds.list);
    return rc;
}

/* One try a run: what failed now would fail again in a moment. */
static bool was_tried(const struct keeper *k, uint64_t job)
{
    for (size_t i = 0; i < k->n_tried; i++)
        if (k->tried[i] == job)
            return true;
    return false;
}

static void remember_try(struct keeper *k, uint64_t job)
{
    if (k->n_tried == k->cap_tried) {
        k->cap_tried = k->cap_tried ? k->cap_tried * 2 : 16;
        k->tried = xrealloc(k->tried, k->cap_tried * sizeof(*k->tried));
    }
    k->tried[k->n_tried++] = job;
}

/* A try that did not get through: wait for better days, or for a person. */
static int give_up(struct keeper *k, const struct receipt *r, struct err *e)
{
    char why[256];

    snprintf(why, sizeof(why), "%s", e->text);
    switch (e->next) {
    case ERR_STOP:
        return -1;
    case ERR_RETRY:
        k->machine_failed = true;
        remember_try(k, r->job);
        keeper_trouble(k, "job %llu: %s", (unsigned long long)r->job, why);
        return ledger_waits(k->ledger, r, why, e);
    case ERR_REJECT:
    case ERR_HOLD:
        break;
    }
    return ledger_held(k->ledger, r, why, e);
}

static int convert_one(struct keeper *k, const struct route *route,
                       struct receipt *r, struct err *e)
{
    char staging[64], below[72];
    struct result res = { 0 };
    struct str path;
    int dir, rc;

    if (ledger_trying(k->ledger, r, e) == -1)
        return -1;
    snprintf(staging, sizeof(staging), "%s.%llu", r->id,
             (unsigned long long)r->n_tries);
    snprintf(below, sizeof(below), "tmp/%s", staging);
    path = arena_fmt(&k->item, "%s/%s", k->conf->spool, below);
    if (tree_remove(k->spool_fd, below) == -1 ||
        mkdirat(k->spool_fd, below, 0700) == -1) {
        err_sys(e, ERR_RETRY, "cannot make %s", path.p);
        return give_up(k, r, e);
    }
    rc = run_child(k, route, r, path.p, e);
    dir = rc == 0 ? dir_open_at(k->spool_fd, str_of(below)) : -1;
    if (rc == 0 &&
        (dir == -1 ||
         !result_read(dir, k->conf->limits.v[LIMIT_OUTPUTS], &k->item, &res)))
        rc = err_set(e, ERR_HOLD, "the converting process left no result");
    if (dir != -1)
        close(dir);
    if (rc == 0 && res.verdict == JOB_FAILED) {
        *e = res.err;
        /* A job cannot stop the keeper: it speaks of its own file only. */
        if (e->next == ERR_STOP ||
            (e->next == ERR_HOLD && r->n_tries < MAX_TRIES))
            e->next = ERR_RETRY;
        rc = -1;
    }
    if (rc == 0)
        rc = settle(k, route, r, staging, &res, e);
    if (rc == -1)
        rc = give_up(k, r, e);
    tree_remove(k->spool_fd, below);
    return rc;
}

/* Of two equal files that came together, the second waits for the first. */
static int convert_or_suppress(struct keeper *k, const struct route *route,
                               struct receipt *r, struct err *e)
{
    char why[64];
    uint64_t twin;
    bool open;

    if (ledger_twin(k->ledger, r, &twin, &open, e) == -1)
        return -1;
    if (twin && !open)
        return ledger_suppressed(k->ledger, r, twin, e);
    if (twin) {
        k->again = true;
        snprintf(why, sizeof(why), "job %llu has the same content",
                 (unsigned long long)twin);
        return ledger_waits(k->ledger, r, why, e);
    }
    return convert_one(k, route, r, e);
}

int keeper_convert(struct keeper *k, struct err *e)
{
    const struct ledger_find open = { .states = 1u << RECEIPT_TAKEN };
    struct receipt *r;
    size_t n;

    if (ledger_receipts(k->ledger, &open, &k->arena, &r, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct route *route = conf_route(k->conf, r[i].route);

        if (!route) {
            if (ledger_waits(k->ledger, &r[i],
                             "its route is not in the configuration", e) == -1)
                return -1;
            continue;
        }
        if (!keeper_runs(k, route) || was_tried(k, r[i].job))
            continue;
        arena_reset(&k->item);
        if (convert_or_suppress(k, route, &r[i], e) == -1)
            return -1;
    }
    return 0;
}
