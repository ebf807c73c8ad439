#include "spool/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/again.h"
#include "spool/closed.h"
#include "spool/fetch.h"
#include "spool/files.h"
#include "spool/fsck.h"
#include "spool/gates.h"
#include "spool/generation.h"
#include "spool/request.h"
#include "spool/retire.h"
#include "spool/ship.h"

/* Files of a round: each round converts, delivers and archives them. */
enum { BATCH = 256, RETIRE_MS = 2000, WAIT_MS = 1000, MOST_FILES = 16384 };

void keeper_trouble(struct keeper *k, const char *fmt, ...)
{
    struct trouble *t = arena_alloc(&k->told, sizeof(*t));
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (const struct trouble *x = k->troubles; x; x = x->next)
        if (str_is(x->text, text))
            return;
    t->text = arena_str(&k->told, str_of(text));
    if (!k->last_trouble)
        k->last_trouble = &k->troubles;
    *k->last_trouble = t;
    k->last_trouble = &t->next;
}

bool keeper_together(size_t n, uint64_t *bytes, uint64_t size)
{
    *bytes += size;
    return n == 0 || (n < TOGETHER_FILES && *bytes <= TOGETHER_BYTES);
}

char *keeper_ledger_path(struct arena *a, const struct conf *conf)
{
    return arena_cstr(a, arena_fmt(a, "%s/state/ledger.db", conf->spool));
}

/* ---- opening ------------------------------------------------------------ */

/*
 * Its own name, made a moment ago or by a run that died then, is as durable as
 * what it holds. A folder above it that we may not read is somebody's who has
 * made the spool for us.
 */
static int sync_name(const struct keeper *k)
{
    int fd = openat(k->spool_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd == -1 ? 0 : dir_sync(fd);

    if (fd != -1)
        close(fd);
    return rc;
}

/* The spool's own folders; only its last part is made. */
static int make_spool(struct keeper *k, struct err *e)
{
    static const char *const folders[] = { "state", "tmp", "in", "out",
                                           "archive" };
    const char *spool = k->conf->spool;

    if (mkdir(spool, 0700) == -1 && errno != EEXIST)
        return err_sys(e, ERR_HOLD, "cannot make the spool %s", spool);
    k->spool_fd = dir_open(spool, STR(""));
    if (k->spool_fd == -1)
        return err_sys(e, ERR_HOLD, "cannot open the spool %s", spool);
    if (sync_name(k) == -1)
        return err_sys(e, ERR_HOLD, "cannot sync the folder of %s", spool);
    for (size_t i = 0; i < COUNT(folders); i++)
        if (dir_make(k->spool_fd, folders[i], 0700) == -1)
            return err_sys(e, ERR_HOLD, "cannot make %s/%s", spool, folders[i]);
    return 0;
}

/*
 * One keeper at a time. The lock is the process's: children do not inherit
 * it, and it ends with us however we end. The file is opened once only, for
 * closing any descriptor of it would give the lock away.
 */
static int lock_spool(struct keeper *k, struct err *e)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    k->lock_fd = openat(k->spool_fd, "lock",
                        O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (k->lock_fd == -1)
        return err_sys(e, ERR_HOLD, "cannot open %s/lock", k->conf->spool);
    if (fcntl(k->lock_fd, F_SETLK, &whole) == 0)
        return 0;
    if (errno != EAGAIN && errno != EACCES)
        return err_sys(e, ERR_HOLD, "cannot lock %s/lock", k->conf->spool);
    k->is_busy = true;
    return 0;
}

int keeper_last_job(struct keeper *k, uint64_t *job, struct err *e)
{
    const struct ledger_find newest = { .last = 1 };
    struct receipt *r;
    size_t n;

    if (ledger_receipts(k->ledger, &newest, &k->arena, &r, &n, e) == -1)
        return -1;
    *job = n ? r[0].job : 0;
    return 0;
}

static int first_open(struct keeper *k, uint64_t next_job, struct err *e)
{
    const struct ledger_find open = { .states = 1u << RECEIPT_TAKEN |
                                                1u << RECEIPT_CONVERTED |
                                                1u << RECEIPT_HELD };
    struct receipt *r;
    size_t n;

    if (ledger_receipts(k->ledger, &open, &k->arena, &r, &n, e) == -1)
        return -1;
    k->began_at = clock_now();
    k->first_job = next_job;
    k->first_open = n ? r[0].job : next_job;
    return 0;
}

static int check_ledger(struct keeper *k, struct err *e)
{
    uint64_t job;

    if (keeper_last_job(k, &job, e) == -1 || first_open(k, job + 1, e) == -1 ||
        generation_check(k->spool_fd, k->ledger, e) == -1)
        return -1;
    if (faccessat(k->spool_fd, GENERATION_FILE, F_OK, 0) == 0)
        return 0;
    return keeper_mark(k, e);
}

/* A new ledger is only made for a spool that never had one. */
static int open_ledger(struct keeper *k, struct err *e)
{
    const char *path = keeper_ledger_path(&k->arena, k->conf);

    if (ledger_is_missing(path) &&
        faccessat(k->spool_fd, GENERATION_FILE, F_OK, 0) == 0)
        return err_set(e, ERR_STOP, GENERATION_GONE);
    return ledger_open(&k->ledger, path, LEDGER_WRITE, e);
}

/* What was begun and never committed: nobody has seen it. */
static int sweep_tmp(struct keeper *k, struct err *e)
{
    int fd = dir_open_at(k->spool_fd, STR("tmp"));
    DIR *dir = fd == -1 ? NULL : fdopendir(fd);
    struct dirent *d;
    int rc = 0;

    if (!dir)
        return err_sys(e, ERR_HOLD, "cannot read %s/tmp", k->conf->spool);
    while (rc == 0 && (d = readdir(dir)))
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            rc = tree_remove(dirfd(dir), d->d_name);
    if (rc == -1)
        err_sys(e, ERR_HOLD, "cannot sweep %s/tmp", k->conf->spool);
    closedir(dir);
    return rc;
}

int keeper_reserve(struct keeper *k, struct err *e)
{
    k->lock_fd = -1;
    k->spool_fd = dir_open(k->conf->spool, STR(""));
    if (k->spool_fd == -1)
        return err_sys(e, ERR_HOLD, "cannot open the spool %s", k->conf->spool);
    return lock_spool(k, e);
}

/* Files that are on their way to servers are open: 64 of a shipment, with many
 * shipments at once. */
static void allow_files(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_cur >= MOST_FILES)
        return;
    r.rlim_cur = r.rlim_max < MOST_FILES ? r.rlim_max : MOST_FILES;
    (void)setrlimit(RLIMIT_NOFILE, &r);
}

int keeper_open(struct keeper *k, struct err *e)
{
    k->spool_fd = k->lock_fd = -1;
    allow_files();
    if (make_spool(k, e) == -1 || lock_spool(k, e) == -1)
        return -1;
    if (k->is_busy)
        return 0;
    if (open_ledger(k, e) == -1 || check_ledger(k, e) == -1)
        return -1;
    if (keeper_step(k, fsck_start, e) == -1 || sweep_tmp(k, e) == -1 ||
        keeper_step(k, keeper_sweep_claimed, e) == -1)
        return -1;
    /* What is on its way to the archive gets there before anybody asks for it.
     */
    if (keeper_step(k, keeper_archive, e) == -1)
        return -1;
    return keeper_step(k, keeper_orphans, e);
}

int keeper_mark(struct keeper *k, struct err *e)
{
    struct generation now;

    if (generation_of(k->ledger, &now, e) == -1)
        return -1;
    k->last_job = now.job;
    if (k->marked == now.event + 1)
        return 0;
    if (generation_write(k->spool_fd, &now, e) == -1)
        return -1;
    k->marked = now.event + 1;
    return 0;
}

/* ---- a run -------------------------------------------------------------- */

/* A step's rows are gone with it: the next one asks the ledger. */
int keeper_step(struct keeper *k, int (*run)(struct keeper *k, struct err *e),
                struct err *e)
{
    int rc = run(k, e);

    arena_reset(&k->arena);
    arena_reset(&k->item);
    return rc;
}

static int pass_on(struct keeper *k, struct err *e)
{
    if (keeper_step(k, keeper_deliver, e) == -1)
        return -1;
    return keeper_step(k, keeper_archive, e);
}

static void sooner(int64_t *ms, int64_t other)
{
    if (other >= 0 && other < *ms)
        *ms = other;
}

void keeper_wait(struct keeper *k, int64_t ms)
{
    int64_t end;
    bool job_ended = false;

    sooner(&ms, couriers_timeout(k));
    sooner(&ms, fetch_timeout(k));
    sooner(&ms, jobs_timeout(k));
    end = clock_ms() + ms;
    do {
        struct pollfd fds[MAX_JOBS + MAX_COURIERS];
        size_t n = jobs_watch(k, fds);

        (void)poll(fds, n + couriers_watch(k, fds + n), (int)ms);
        while (n-- > 0)
            job_ended = job_ended || fds[n].revents;
        k->again = couriers_read(k) || k->again;
        ms = end - clock_ms();
    } while (!k->again && !job_ended && ms > 0);
}

/* Until one of them ends. What is on its way to and from partners' servers
 * goes on meanwhile. */
static int wait_for_jobs(struct keeper *k, struct err *e)
{
    bool again = k->again;

    for (;;) {
        k->again = false;
        keeper_wait(k, WAIT_MS);
        if (!k->again)
            break;
        again = true;
        if (keeper_step(k, keeper_fetch, e) == -1 || pass_on(k, e) == -1)
            return -1;
    }
    k->again = again;
    return 0;
}

/* Until every job that may run has run. While the next one converts, the
 * results of the last go their way. */
static int convert_all(struct keeper *k, struct err *e)
{
    bool settled = false;

    for (struct route *x = k->conf->routes; x; x = x->next)
        x->started = 0;
    for (;; settled = true) {
        size_t n = k->jobs.n;

        if (keeper_step(k, keeper_start, e) == -1)
            return -1;
        if (!k->jobs.n)
            return 0;
        if (settled && k->jobs.n > n && pass_on(k, e) == -1)
            return -1;
        if (wait_for_jobs(k, e) == -1 || keeper_step(k, keeper_settle, e) == -1)
            return -1;
    }
}

/* Every row one step on, as far as it gets. */
static int work(struct keeper *k, struct err *e)
{
    uint64_t done = k->n_done;

    k->twins = false;
    if (keeper_step(k, keeper_fetch, e) == -1 ||
        keeper_step(k, keeper_take, e) == -1 || convert_all(k, e) == -1 ||
        pass_on(k, e) == -1)
        return -1;
    k->again = k->again || (k->twins && k->n_done > done);
    return 0;
}

/* Round by round, until nothing waits or nothing comes in any more. */
static int work_rounds(struct keeper *k, struct err *e)
{
    uint64_t before;
    size_t n;

    do {
        before = k->n_taken;
        if (keeper_claim(k, k->batch ? k->batch : BATCH, &n, e) == -1 ||
            (n && work(k, e) == -1))
            return -1;
    } while (n && k->n_taken > before);
    return 0;
}

static bool is_named(const struct keeper *k, const struct route *r)
{
    for (size_t i = 0; i < k->n_only; i++)
        if (str_is(r->name, k->only[i]))
            return true;
    return k->n_only == 0 && r->schedule.kind != SCHEDULE_HAND;
}

/* It does not wait for schedules: who starts it has one. */
static void open_routes(struct keeper *k)
{
    for (struct route *r = k->conf->routes; r; r = r->next) {
        r->open = is_named(k, r);
        r->upto = r->open ? INT64_MAX : 0;
    }
}

int keeper_once(struct keeper *k, struct err *e)
{
    open_routes(k);
    if (keeper_open(k, e) == -1)
        return -1;
    if (k->is_busy)
        return 0;
    if (keeper_step(k, keeper_requests, e) == -1 || gates_started(k, e) == -1)
        return -1;
    return keeper_work(k, true, e);
}

/* What was kept long enough; the rest of a long list is the next run's. */
static int retire(struct keeper *k, struct err *e)
{
    int64_t end = clock_ms() + RETIRE_MS;
    bool more = true;

    while (more && clock_ms() < end) {
        int rc = keeper_retire(k, &more, e);

        arena_reset(&k->arena);
        arena_reset(&k->item);
        if (rc == -1)
            return -1;
    }
    return 0;
}

static int look(struct keeper *k, struct err *e)
{
    k->ring = false;
    return keeper_look(k, e);
}

static bool is_remote_busy(const struct keeper *k)
{
    return k->again || k->ring || couriers_busy(k) || ship_busy(k) ||
           fetch_busy(k);
}

/* What partners' servers have to do with it, until they have nothing to say
 * any more. A server that does not answer is left for the next run. */
static int work_remotely(struct keeper *k, struct err *e)
{
    while (is_remote_busy(k)) {
        k->again = false;
        if (work(k, e) == -1)
            return -1;
        /* A look forgets what the last one found. */
        if (k->ring && (!k->waiting || k->machine_failed) && look(k, e) == -1)
            return -1;
        if (k->waiting && !k->machine_failed && work_rounds(k, e) == -1)
            return -1;
        if (is_remote_busy(k))
            keeper_wait(k, k->again || k->ring ? 0 : WAIT_MS);
    }
    return 0;
}

/* Routes that were to send everything, and for which nothing has come. */
static int send_all(struct keeper *k, struct err *e)
{
    k->again = false;
    if (keeper_step(k, keeper_full, e) == -1)
        return -1;
    if (!k->again)
        return 0;
    return work(k, e) == -1 ? -1 : work_remotely(k, e);
}

int keeper_work(struct keeper *k, bool looks, struct err *e)
{
    if (work(k, e) == -1)
        return -1;
    if (looks) {
        if (look(k, e) == -1 || work_rounds(k, e) == -1)
            return -1;
    }
    if (work_remotely(k, e) == -1 || send_all(k, e) == -1)
        return -1;
    if ((k->started && ledger_slots_started(k->ledger, e) == -1) ||
        (looks && retire(k, e) == -1))
        return -1;
    return keeper_mark(k, e);
}

void keeper_close(struct keeper *k)
{
    jobs_kill(k);
    couriers_end(k);
    ship_end(k);
    fetch_end(k);
    couriers_free(k);
    places_forget(k);
    ledger_close(k->ledger);
    k->ledger = NULL;
    if (k->lock_fd != -1)
        close(k->lock_fd);
    if (k->spool_fd != -1)
        close(k->spool_fd);
    k->lock_fd = k->spool_fd = -1;
    free(k->tried);
    k->tried = NULL;
    k->n_tried = k->cap_tried = 0;
    arena_release(&k->arena);
    arena_release(&k->item);
    arena_release(&k->looked);
    looks_release(&k->looks);
    arena_release(&k->kept);
    arena_release(&k->retiring.arena);
    k->retiring = (struct retiring){ 0 };
    arena_release(&k->told);
    k->waiting = NULL;
}
