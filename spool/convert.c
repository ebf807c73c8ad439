/*
 * convert.c - TAKEN -> CONVERTED, REJECTED or HELD: jobs for receipts.
 *
 *   1  tmp/<id>.<try>/ is made; a child converts into it and writes `result`
 *   2  the keeper looks at every output again: name, size, hash; it leaves the
 *      manifest there
 *   3  the folder is renamed to out/<id>/, and all of it is synced
 *   4  commit CONVERTED with all deliveries, or REJECTED with the report
 *
 * A job has one receipt, or several small files of a route and partner that
 * come after each other and were never tried: each step is done for all of
 * them, with one sync (syncfs) and one commit. Whatever goes wrong on the way
 * is then nobody's: what the job, its reader or the disk could not do is done
 * again for each file alone, and only what happens there is a verdict. A
 * receipt that was tried before is alone.
 *
 * If we die before 4, the file is converted again; its result may then be
 * another one (the map was mended), for nothing of the first was seen by
 * anybody. tmp/ is swept at the start; a left out/<id>/ is replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/facts.h"
#include "spool/facts_file.h"
#include "spool/files.h"
#include "spool/keeper.h"
#include "spool/manifest.h"
#include "spool/plan.h"
#include "spool/result.h"
#include "spool/sync.h"

/* "NAME SHA256" of every map that takes part. */
static struct str maps_text(struct conf *conf, struct route *route)
{
    struct buf b;

    if (route->maps.len)
        return route->maps;
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
    route->maps = arena_str(&conf->arena, buf_str(&b));
    buf_release(&b);
    return route->maps;
}

/* What a ledger could be made of again. */
static int leave_manifest(struct keeper *k, const struct receipt *r, int dir,
                          bool rejected, const struct deliveries *ds,
                          struct err *e)
{
    struct receipt as = *r;

    as.state = rejected ? RECEIPT_REJECTED : RECEIPT_CONVERTED;
    as.why = rejected ? r->why : STR("");
    as.converted_at = clock_now();
    return manifest_leave(k->ledger, dir, &as, ds->list, ds->n, e);
}

/* ---- tries ------------------------------------------------------------- */

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
    if (k->stays)
        return; /* the daemon goes by retry_at */
    if (k->n_tried == k->cap_tried) {
        k->cap_tried = k->cap_tried ? k->cap_tried * 2 : 16;
        k->tried = xrealloc(k->tried, k->cap_tried * sizeof(*k->tried));
    }
    k->tried[k->n_tried++] = job;
}

int64_t keeper_back_off(uint64_t n_tries)
{
    enum { FIRST = 5, LONGEST = 900 };
    int64_t seconds = FIRST;
    uint32_t chance;

    while (n_tries-- > 1 && seconds < LONGEST)
        seconds *= 2;
    if (seconds > LONGEST)
        seconds = LONGEST;
    /* A fifth more or less: not all at the same moment. */
    if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) == -1)
        chance = 200;
    return seconds * (800 + chance % 401) / 1000;
}

/* A try that did not get through: wait for better days, or for a person. */
static int give_up(struct keeper *k, const struct receipt *r, struct err *e)
{
    const int64_t day = 86400;
    char why[256];

    snprintf(why, sizeof(why), "%s", e->text);
    if (e->next == ERR_STOP)
        return -1;
    if (e->next != ERR_RETRY || clock_now() - r->taken_at > 5 * day)
        return ledger_held(k->ledger, r, why, e);
    k->machine_failed = true;
    remember_try(k, r->job);
    if (!k->stays) /* the daemon's log has it as an event */
        keeper_trouble(k, "job %llu: %s", (unsigned long long)r->job, why);
    return ledger_waits(k->ledger, r, why,
                        clock_now() + keeper_back_off(r->n_tries), e);
}

/* ---- starting ----------------------------------------------------------- */

/* Receipts of a route that go into one job. */
struct batch {
    struct receipt v[JOB_FILES];
    size_t n;
    uint64_t bytes;
    bool full; /* or its only receipt is to be alone */
};

static bool has_room(const struct batch *b, const struct receipt *r)
{
    return b->n == 0 ||
           (!b->full && b->n < JOB_FILES && r->n_tries == 0 &&
            r->size <= JOB_FILE_SIZE && b->bytes + r->size <= JOB_SIZE &&
            str_eq(b->v[0].partner, r->partner));
}

static int add_to(struct keeper *k, struct batch *b, struct receipt *r,
                  struct err *e)
{
    bool alone = r->n_tries || r->size > JOB_FILE_SIZE;

    if (r->n_tries) {
        int rc;

        /* That may take its time: nobody is to wait for the ledger. */
        if (ledger_commit(k->ledger, e) == -1)
            return -1;
        rc = keeper_take_rest(k, r, e);
        if (rc == -1 && e->next == ERR_STOP)
            return -1;
        if (rc == -1)
            rc = give_up(k, r, e) == -1 ? -1 : 1;
        if (rc == -1 || ledger_begin(k->ledger, e) == -1)
            return -1;
        if (rc == 1)
            return 0;
    }
    if (ledger_trying(k->ledger, r, e) == -1)
        return -1;
    b->v[b->n++] = *r;
    b->bytes += r->size;
    b->full = alone;
    return 0;
}

/* Until it is looked at again whether the other one is through; a success of
 * that one rings for those who wait. */
enum { TWIN_SECONDS = 15 };

/* Of two equal files that came together, the second waits for the first. */
static int add_or_suppress(struct keeper *k, struct batch *b, struct receipt *r,
                           struct err *e)
{
    char why[64];
    uint64_t twin;
    bool open;

    if (ledger_twin(k->ledger, r, &twin, &open, e) == -1)
        return -1;
    if (twin && !open)
        return ledger_suppressed(k->ledger, r, twin, e);
    if (twin) {
        k->twins = true;
        snprintf(why, sizeof(why), "job %llu has the same content",
                 (unsigned long long)twin);
        return ledger_waits(k->ledger, r, why, clock_now() + TWIN_SECONDS, e);
    }
    return add_to(k, b, r, e);
}

static int next_of(struct keeper *k, const struct route *route, uint64_t after,
                   struct receipt **r, struct err *e)
{
    return ledger_next(k->ledger, route->name, after, route->upto,
                       k->stays ? clock_now() : 0, &k->item, r, e);
}

/* The next receipts of the route, in order: none is left out. */
static int gather(struct keeper *k, struct route *route, struct batch *b,
                  struct err *e)
{
    uint64_t after = route->started;

    while (!b->full) {
        struct receipt *r;

        if (next_of(k, route, after, &r, e) == -1)
            return -1;
        if (!r || !has_room(b, r))
            return 0;
        after = r->job;
        if (!k->stays)
            route->started = after;
        if (!was_tried(k, r->job) && add_or_suppress(k, b, r, e) == -1)
            return -1;
    }
    return 0;
}

/* A run passes over every job once, but those of a job that failed. */
static void start_again_at(struct keeper *k, struct route *route, uint64_t job)
{
    if (!k->stays && route->started >= job)
        route->started = job - 1;
}

static int start_batch(struct keeper *k, struct route *route,
                       const struct batch *b, struct err *e)
{
    if (jobs_start(k, route, b->v, b->n, e) == 0)
        return 0;
    if (b->n == 1 || e->next == ERR_STOP)
        return give_up(k, &b->v[0], e);
    start_again_at(k, route, b->v[0].job);
    return 0;
}

/* One commit for all of them. */
static int gather_at_once(struct keeper *k, struct route *route,
                          struct batch *b, struct err *e)
{
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    if (gather(k, route, b, e) == 0)
        return ledger_commit(k->ledger, e);
    ledger_rollback(k->ledger);
    return -1;
}

static int start_route(struct keeper *k, struct route *route, struct err *e)
{
    while (jobs_room(k, route)) {
        struct batch b = { .n = 0 };
        struct receipt *next;

        arena_reset(&k->item);
        if (next_of(k, route, route->started, &next, e) == -1)
            return -1;
        if (!next)
            return 0;
        if (gather_at_once(k, route, &b, e) == -1 ||
            (b.n && start_batch(k, route, &b, e) == -1))
            return -1;
    }
    return 0;
}

enum { PATIENT = 3 };

/*
 * A long job would run again for ever if shorter ones always change meanwhile
 * what it has asked for: after some times nobody starts beside it who might.
 */
static bool somebody_runs_again(const struct keeper *k)
{
    for (size_t i = 0; i < k->jobs.n; i++)
        if (k->jobs.v[i]->route->n_again >= PATIENT)
            return true;
    return false;
}

/* Lists that the rules of other routes ask for what somebody has. */
static bool somebody_learns(const struct keeper *k)
{
    for (size_t i = 0; i < k->jobs.n; i++)
        if (k->jobs.v[i]->route->learns)
            return true;
    return false;
}

static bool has_to_wait(const struct keeper *k, const struct route *x)
{
    return (conf_has_rules(x) && somebody_runs_again(k)) ||
           (trade_asks(&x->trade) && somebody_learns(k));
}

/* Lists come first: of a new exchange they lie there beside the files that are
 * held against them. */
int keeper_start(struct keeper *k, struct err *e)
{
    for (int learns = 1; learns >= 0; learns--)
        for (struct route *x = k->conf->routes; x; x = x->next) {
            if (x->learns != learns || has_to_wait(k, x))
                continue;
            if (start_route(k, x, e) == -1)
                return -1;
        }
    return 0;
}

/* ---- ending ------------------------------------------------------------- */

/* What the child left of a file. */
struct left {
    struct job_file *f;
    int dir; /* its staging folder; -1: it is not to be settled */
    struct result res;
    struct deliveries ds;
    struct facts_map facts; /* what its job has learnt */
};

/* -1: nothing to settle, e says why. */
static int read_result(struct keeper *k, struct running *x, struct left *l,
                       struct err *e)
{
    struct result *res = &l->res;

    l->dir =
        openat(k->spool_fd, arena_fmt(&x->arena, "tmp/%s", l->f->staging).p,
               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (l->dir == -1)
        return err_set(e, ERR_HOLD, "the converting process left no result");
    if (facts_map(l->dir, &l->facts, e) == -1)
        return -1;
    if (!result_read(l->facts.text, x->conf->limits.v[LIMIT_OUTPUTS], &x->arena,
                     res))
        return err_set(e, ERR_HOLD, "the converting process left no result");
    if (res->verdict != JOB_FAILED)
        return 0;
    *e = res->err;
    /* A job cannot stop the keeper: it speaks of its own file only. */
    if (e->next == ERR_STOP ||
        (e->next == ERR_HOLD && l->f->receipt.n_tries < MAX_TRIES))
        e->next = ERR_RETRY;
    return -1;
}

/*
 * The file ends in the middle. While its sender may still be writing, it
 * waits; the next try takes what has come since (keeper_take_rest()).
 */
static int wait_for_rest(struct keeper *k, const struct receipt *r, bool *waits,
                         struct err *e)
{
    enum { LONGEST = 600, AGAIN = 5 };
    struct claim *c;
    int64_t changed, now = clock_now();

    *waits = false;
    if (ledger_find_claim(k->ledger, r->claim, &k->item, &c, e) == -1)
        return -1;
    changed = c ? c->seen.mtime_ns / 1000000000 : 0;
    if (now - changed >= LONGEST || now - r->taken_at >= LONGEST)
        return 0;
    *waits = true;
    remember_try(k, r->job);
    return ledger_waits(k->ledger, r,
                        "it ends in the middle; it waits for the rest",
                        now + AGAIN, e);
}

/* Step 2. */
static int look_at(struct keeper *k, struct running *x, struct left *l,
                   struct err *e)
{
    bool rejected = l->res.verdict == JOB_REJECTED;
    struct receipt *r = &l->f->receipt;
    int rc = 0;

    for (size_t i = 0; rc == 0 && !rejected && i < l->res.n_outputs; i++)
        rc = plan_output(k, x->route, l->dir, &l->res.outputs[i], &l->ds, e);
    if (rc == 0 && rejected && r->only.len)
        return err_set(e, ERR_HOLD, "its file is rejected now: %.*s",
                       STR_ARGS(str_first(l->res.first_error, 200)));
    if (rc == -1 ||
        plan_return(k, x->route, r, l->dir, &l->res, &l->ds, e) == -1)
        return -1;
    r->n = l->res.n;
    r->facts = l->facts.facts;
    r->counters = l->res.counters;
    r->n_counters = l->res.n_counters;
    r->summary = l->res.summary;
    r->maps = maps_text(x->conf, x->route);
    r->why = l->res.first_error.len ? l->res.first_error : l->res.summary;
    return leave_manifest(k, r, l->dir, rejected, &l->ds, e);
}

static void drop(struct left *l)
{
    facts_unmap(&l->facts);
    if (l->dir != -1)
        close(l->dir);
    l->dir = -1;
    free(l->ds.list);
    l->ds = (struct deliveries){ 0 };
}

/* Its outputs are planned, or it waits, and nothing is to be settled. */
static int look_or_wait(struct keeper *k, struct running *x, struct left *l,
                        struct err *e)
{
    bool waits = false;

    if (read_result(k, x, l, e) == -1 ||
        (l->res.verdict == JOB_REJECTED && l->res.truncated &&
         wait_for_rest(k, &l->f->receipt, &waits, e) == -1))
        return -1;
    if (!waits)
        return look_at(k, x, l, e);
    drop(l);
    return 0;
}

/* The first part of step 3. */
static int move_to_out(struct keeper *k, struct job_file *f, struct err *e)
{
    char tmp[96], out[64];

    snprintf(tmp, sizeof(tmp), "tmp/%s", f->staging);
    snprintf(out, sizeof(out), "out/%s", f->receipt.id);
    if (renameat(k->spool_fd, tmp, k->spool_fd, out) == -1 &&
        ((errno != ENOTEMPTY && errno != EEXIST) ||
         tree_remove(k->spool_fd, out) == -1 ||
         renameat(k->spool_fd, tmp, k->spool_fd, out) == -1))
        return err_sys(e, ERR_RETRY, "cannot move the result to %s", out);
    f->moved = true;
    return 0;
}

/* The second part. Nothing is synced twice: a sync that has failed once would
 * not say so again. */
static int sync_out(struct keeper *k, const struct running *x, struct err *e)
{
    int rc = x->n > 1 ? sync_system(k->spool_fd) : 0;
    char out[64];

    if (rc == 1)
        return 0;
    for (size_t i = 0; rc == 0 && i < x->n; i++) {
        snprintf(out, sizeof(out), "out/%s", x->files[i].receipt.id);
        if (x->files[i].moved)
            rc = tree_sync(k->spool_fd, out);
    }
    if (rc == 0 && folder_sync(k->spool_fd, STR("out")) == 0 &&
        folder_sync(k->spool_fd, STR("tmp")) == 0)
        return 0;
    return err_sys(e, ERR_RETRY, "cannot sync the spool");
}

/* Step 3 for the first n. */
static int make_durable(struct keeper *k, struct running *x, struct left *v,
                        size_t n, struct err *e)
{
    bool moved = false;

    for (size_t i = 0; i < n; i++) {
        if (v[i].dir == -1)
            continue;
        if (move_to_out(k, v[i].f, e) == -1)
            return -1;
        moved = true;
    }
    return moved ? sync_out(k, x, e) : 0;
}

/* Nobody has seen it; should it stay, the next try replaces it. */
static void take_back(struct keeper *k, const struct running *x)
{
    char out[64];

    for (size_t i = 0; i < x->n; i++) {
        snprintf(out, sizeof(out), "out/%s", x->files[i].receipt.id);
        if (x->files[i].moved)
            (void)tree_remove(k->spool_fd, out);
    }
}

/* Step 4. */
static int commit_all(struct keeper *k, struct left *v, size_t n, struct err *e)
{
    int rc = ledger_begin(k->ledger, e);

    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct left *l = &v[i];

        if (l->dir == -1)
            continue;
        rc = l->res.verdict == JOB_REJECTED
                 ? ledger_rejected(k->ledger, &l->f->receipt, l->ds.list,
                                   l->ds.n, e)
                 : ledger_converted(k->ledger, &l->f->receipt, l->ds.list,
                                    l->ds.n, e);
    }
    if (rc == -1)
        ledger_rollback(k->ledger);
    else if (ledger_commit(k->ledger, e) == -1)
        rc = -1;
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (v[i].dir != -1 && !v[i].f->receipt.only.len)
            k->n_aside_records += v[i].res.n.n_aside;
    return rc;
}

/* From its i-th file on nothing is settled. What stands behind a file that
 * failed has counted on from it. */
static int fail_from(struct keeper *k, struct running *x, size_t i,
                     struct err *e)
{
    if (x->n == 1 || e->next == ERR_STOP)
        return give_up(k, &x->files[i].receipt, e);
    start_again_at(k, x->route, x->files[i].receipt.job);
    return 0;
}

/* Another job has changed meanwhile what these asked for: they run again. */
static int facts_stand(struct keeper *k, struct running *x,
                       const struct left *v, size_t n, bool *stand,
                       struct err *e)
{
    unsigned n_again = x->route->n_again;

    x->route->n_again = 0;
    *stand = true;
    for (size_t i = 0; *stand && i < n; i++)
        if (ledger_facts_stand(k->ledger, v[i].facts.facts, stand, e) == -1)
            return -1;
    if (*stand)
        return 0;
    x->route->n_again = n_again + 1;
    start_again_at(k, x->route, x->files[0].receipt.job);
    k->again = true;
    return 0;
}

static int settle_all(struct keeper *k, struct running *x, struct left *v,
                      struct err *e)
{
    bool stand;
    size_t n = 0;

    while (n < x->n && look_or_wait(k, x, &v[n], e) == 0)
        n++;
    if (facts_stand(k, x, v, n, &stand, e) == -1)
        return -1;
    if (!stand)
        return 0;
    if (n < x->n && fail_from(k, x, n, e) == -1)
        return -1;
    if (make_durable(k, x, v, n, e) == 0 && commit_all(k, v, n, e) == 0)
        return 0;
    /* A commit that failed may be in the ledger all the same. */
    if (e->next != ERR_STOP)
        take_back(k, x);
    return fail_from(k, x, 0, e);
}

static int settle(struct keeper *k, struct running *x, struct err *e)
{
    struct left *v = arena_alloc(&x->arena, x->n * sizeof(*v));
    int rc;

    for (size_t i = 0; i < x->n; i++)
        v[i] = (struct left){ .f = &x->files[i], .dir = -1 };
    rc = settle_all(k, x, v, e);
    for (size_t i = 0; i < x->n; i++)
        drop(&v[i]);
    return rc;
}

int keeper_settle(struct keeper *k, struct err *e)
{
    struct running *x;
    int rc;

    while ((x = jobs_ended(k, &rc, e))) {
        struct route *again = NULL;

        arena_reset(&k->item);
        if (rc == -1)
            x->route->n_again = 0;
        rc = rc == 0 ? settle(k, x, e) : fail_from(k, x, 0, e);
        /* Before others start, unless the configuration is a new one. */
        if (rc == 0 && x->conf == k->conf && x->route->n_again >= PATIENT)
            again = x->route;
        jobs_forget(k, x);
        if (rc == -1 || (again && start_route(k, again, e) == -1))
            return -1;
    }
    return 0;
}

/* Jobs of routes that nobody knows any more; they wait for their return. */
int keeper_orphans(struct keeper *k, struct err *e)
{
    const struct ledger_find open = { .states = 1u << RECEIPT_TAKEN };
    struct receipt *r;
    size_t n;

    if (ledger_receipts(k->ledger, &open, &k->arena, &r, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (!conf_route(k->conf, r[i].route) &&
            ledger_waits(k->ledger, &r[i],
                         "its route is not in the configuration", 0, e) == -1)
            return -1;
    return 0;
}
