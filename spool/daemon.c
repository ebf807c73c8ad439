#include "spool/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/again.h"
#include "spool/closed.h"
#include "spool/fetch.h"
#include "spool/gates.h"
#include "spool/notify.h"
#include "spool/request.h"
#include "spool/retire.h"

/* Milliseconds. */
enum {
    LOOK_EVERY = 30000, /* whatever the doorbell says */
    LOOK_AGAIN = 2000,  /* when a file is about to be complete */
    LOOK_APART = 10,    /* a burst of files is few looks */
    FAILED_WAIT = 5000, /* a disk that is full, a file that was put back */
    MARK_EVERY = 10000,
    CHECK_EVERY = 60000,
    STOP_WAIT = 5000,
    RETIRE_APART = 1000, /* steps of one round, */
    RETIRE_EVERY = 3600000,
    RETIRE_LATE = 600000, /* and when it is never idle */
};

enum { BATCH = 256, LATE_SECONDS = 3600 };

/* ---- a new configuration ------------------------------------------------ */

static void free_old(struct daemon *d)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n_old; i++)
        if (d->old[i]->users)
            d->old[n++] = d->old[i];
        else
            d->release(d->old[i]);
    d->n_old = n;
}

/* Checked first; one with a mistake, or another spool, replaces nothing. */
static int reload(struct daemon *d, struct err *e)
{
    struct keeper *k = &d->k;
    struct conf *c;

    free_old(d);
    if (d->n_old == COUNT(d->old))
        return 0; /* again when the jobs of the oldest have ended */
    d->reload = false;
    notify("RELOADING=1");
    c = d->load(d->ctx);
    if (c && strcmp(c->spool, k->conf->spool) != 0) {
        tell_line(STR("the spool cannot be changed while the program runs"));
        d->release(c);
        c = NULL;
    }
    notify("READY=1");
    if (!c) {
        tell_line(STR("the configuration was not reloaded; the old one stays"));
        return 0;
    }
    k->waiting = NULL;
    d->old[d->n_old++] = k->conf;
    k->conf = c;
    d->rung = true;
    tell_line(STR("the configuration was reloaded"));
    if (gates_begin(k, e) == -1)
        return -1;
    return keeper_step(k, keeper_orphans, e);
}

/* ---- silence ------------------------------------------------------------ */

/* A route that expects files and got none for too long. */
static int check_silence(struct keeper *k, struct err *e)
{
    for (struct route *r = k->conf->routes; r; r = r->next) {
        struct route_counts c;
        struct str limit;
        bool late;

        if (!r->expect_minutes)
            continue;
        if (ledger_route_counts(k->ledger, arena_cstr(&k->item, r->name), &c,
                                e) == -1)
            return -1;
        late = clock_now() - (c.last_at ? c.last_at : k->began_at) >
               (int64_t)r->expect_minutes * 60;
        limit = interval_text(&k->item, r->expect_minutes);
        if (late && !r->told_late &&
            ledger_note(k->ledger, 0, "overdue",
                        arena_fmt(&k->item,
                                  "route %.*s took no file for more than %.*s",
                                  STR_ARGS(r->name), STR_ARGS(limit)),
                        e) == -1)
            return -1;
        r->told_late = late;
    }
    return 0;
}

static int check(struct daemon *d, struct err *e)
{
    struct keeper *k = &d->k;

    if (clock_ms() - d->checked_ms < CHECK_EVERY && d->checked_ms)
        return 0;
    d->checked_ms = clock_ms();
    if (check_silence(k, e) == -1)
        return -1;
    return ledger_note_late(k->ledger, clock_now() - LATE_SECONDS, e);
}

/* ---- a pass ------------------------------------------------------------- */

static int64_t look_in(const struct daemon *d)
{
    int64_t after = LOOK_EVERY;

    if (d->k.machine_failed || d->k.n_put_back)
        after = FAILED_WAIT;
    else if (d->rung) /* a full inbox takes its time: not all of ours */
        after = LOOK_APART + 4 * d->look_took_ms;
    else if (d->k.unready_soon)
        after = LOOK_AGAIN;
    after += d->looked_ms - clock_ms();
    return after > 0 ? after : 0;
}

static int look(struct daemon *d, struct err *e)
{
    int rc;

    d->rung = false;
    d->k.machine_failed = false;
    d->k.n_put_back = 0;
    d->looked_ms = clock_ms();
    watch_inboxes(&d->bell, d->k.conf, &d->k.item);
    arena_reset(&d->k.item);
    rc = keeper_look(&d->k, e);
    d->look_took_ms = clock_ms() - d->looked_ms;
    return rc;
}

/* Files that had to wait in an inbox have their turn when half of what was
 * before them is through. */
static int ring_for_turns(struct daemon *d, struct err *e)
{
    const struct route *r = d->k.conf->routes;

    while (r && !r->held_back)
        r = r->next;
    if (!r || d->k.waiting)
        return 0;
    if (keeper_count(&d->k, e) == -1)
        return -1;
    for (; r; r = r->next)
        if (r->held_back && r->backlog <= BACKLOG / 2)
            d->rung = true;
    return 0;
}

/* What waits is taken in batches; a gate closes behind the last one. */
static int take(struct daemon *d, struct err *e)
{
    struct keeper *k = &d->k;
    bool looked = false;
    size_t n = 0;

    if (gates_open(k, &d->rung, e) == -1 || ring_for_turns(d, e) == -1 ||
        keeper_step(k, keeper_fetch, e) == -1)
        return -1;
    d->rung = d->rung || k->ring;
    k->ring = false;
    if (!k->waiting && look_in(d) == 0) {
        if (look(d, e) == -1)
            return -1;
        looked = true;
    }
    if (k->waiting && keeper_claim(k, BATCH, &n, e) == -1)
        return -1;
    if (keeper_step(k, keeper_take, e) == -1)
        return -1;
    d->more = k->waiting && !k->machine_failed;
    if (k->machine_failed)
        k->waiting = NULL; /* look again when it is better */
    if ((looked || n) && !k->waiting && !k->machine_failed)
        return keeper_step(k, keeper_full, e) == -1 ? -1 : gates_close(k, e);
    return 0;
}

static int mark(struct daemon *d, bool now, struct err *e)
{
    if (!now && clock_ms() - d->marked_ms < MARK_EVERY)
        return 0;
    d->marked_ms = clock_ms();
    return keeper_mark(&d->k, e);
}

/* What was kept long enough goes in small steps, when nothing else is to do. */
static int retire(struct daemon *d, struct err *e)
{
    struct keeper *k = &d->k;
    int64_t late = clock_ms() - d->retire_ms;
    bool busy = d->more || k->waiting || k->jobs.n, more;
    int rc;

    if (late < 0 || (busy && late < RETIRE_LATE))
        return 0;
    rc = keeper_retire(k, &more, e);
    arena_reset(&k->arena);
    arena_reset(&k->item);
    d->retire_ms = clock_ms() + (more ? RETIRE_APART : RETIRE_EVERY);
    return rc;
}

static int pass(struct daemon *d, struct err *e)
{
    struct keeper *k = &d->k;
    uint64_t done = k->n_done;

    d->more = false;
    k->again = false;
    if (keeper_step(k, keeper_requests, e) == -1)
        return -1;
    d->rung = d->rung || k->started;
    k->started = false;
    if ((d->reload && reload(d, e) == -1) || take(d, e) == -1 ||
        keeper_step(k, keeper_settle, e) == -1 ||
        keeper_step(k, keeper_start, e) == -1 ||
        keeper_step(k, keeper_deliver, e) == -1 ||
        keeper_step(k, keeper_archive, e) == -1 || check(d, e) == -1 ||
        mark(d, false, e) == -1)
        return -1;
    /* Another route may run after the one that has just ended. */
    d->more = d->more || k->again || k->n_done > done;
    if (retire(d, e) == -1)
        return -1;
    return tell_pass(&d->tell, k, e);
}

/* ---- waiting ------------------------------------------------------------ */

static void sooner(int64_t *ms, int64_t other)
{
    if (other >= 0 && other < *ms)
        *ms = other;
}

/* Milliseconds until there is something to do that nobody rings for. */
static int time_to_wait(struct daemon *d, struct err *e)
{
    struct keeper *k = &d->k;
    int64_t ms = look_in(d), wait = gates_wait(k), retry;

    if (d->more)
        return 0;
    sooner(&ms, jobs_timeout(k));
    if (!k->jobs.n && !k->waiting)
        sooner(&ms, d->retire_ms > clock_ms() ? d->retire_ms - clock_ms() : 0);
    sooner(&ms, wait < 0 ? -1 : wait * 1000);
    sooner(&ms, d->watchdog_ms ? d->watchdog_ms : -1);
    if (d->tell.pid)
        sooner(&ms, 1000);
    sooner(&ms, places_timeout(k));
    sooner(&ms, couriers_timeout(k));
    sooner(&ms, fetch_timeout(k));
    if (ledger_next_retry(k->ledger, &retry, e) == -1)
        return -1;
    if (retry)
        sooner(&ms, retry > clock_now() ? (retry - clock_now()) * 1000 : 1000);
    return (int)ms;
}

static void read_signals(struct daemon *d)
{
    struct signalfd_siginfo s;

    while (read(d->signal_fd, &s, sizeof(s)) == sizeof(s))
        if (s.ssi_signo == SIGHUP)
            d->reload = true;
        else
            d->stopping = true;
}

enum { SIGNALS, BELL, TELL, N_OURS };

/* fds: what is ours and the jobs', and after that the couriers'. */
static int wait_once(struct daemon *d, struct pollfd *fds, int64_t ms,
                     bool *over, struct err *e)
{
    size_t n_couriers, n = N_OURS + jobs_watch(&d->k, fds + N_OURS);
    bool wake = false;
    int ready;

    n_couriers = couriers_watch(&d->k, fds + n);
    ready = poll(fds, n + n_couriers, (int)ms);
    if (ready == -1 && errno != EINTR)
        return err_sys(e, ERR_STOP, "poll");
    for (size_t i = 0; ready > 0 && i < n; i++)
        *over = *over || fds[i].revents;
    read_signals(d);
    watch_drain(&d->bell, &d->rung, &wake);
    *over = couriers_read(&d->k) || *over;
    if (d->watchdog_ms)
        notify("WATCHDOG=1");
    return 0;
}

/* What a courier says is heard at once, and mostly is but one of many answers
 * that a step waits for: nothing to look around for. */
static int wait_for_work(struct daemon *d, struct err *e)
{
    struct pollfd fds[N_OURS + MAX_JOBS + MAX_COURIERS] = {
        [SIGNALS] = { .fd = d->signal_fd, .events = POLLIN },
        [BELL] = { .fd = d->bell.fd, .events = POLLIN },
        [TELL] = { .fd = d->tell.pid ? d->tell.pidfd : -1, .events = POLLIN },
    };
    int64_t ms = time_to_wait(d, e), end = clock_ms() + ms;
    bool over = false;

    if (ms == -1)
        return -1;
    do {
        if (wait_once(d, fds, ms, &over, e) == -1)
            return -1;
        ms = end - clock_ms();
    } while (!over && ms > 0);
    return 0;
}

/* ---- life --------------------------------------------------------------- */

static int open_signals(struct daemon *d, struct err *e)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
        return err_sys(e, ERR_STOP, "signals");
    d->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return d->signal_fd == -1 ? err_sys(e, ERR_STOP, "signals") : 0;
}

/* Jobs that are nearly through may end; the others are taken up again. */
static int finish(struct daemon *d, struct err *e)
{
    struct keeper *k = &d->k;
    int64_t end = clock_ms() + STOP_WAIT;

    notify("STOPPING=1");
    while (k->jobs.n && clock_ms() < end) {
        struct pollfd fds[MAX_JOBS];

        (void)poll(fds, jobs_watch(k, fds), (int)(end - clock_ms()));
        if (keeper_step(k, keeper_settle, e) == -1)
            return -1;
    }
    jobs_kill(k);
    if (keeper_step(k, keeper_deliver, e) == -1 ||
        keeper_step(k, keeper_archive, e) == -1 || mark(d, true, e) == -1)
        return -1;
    return tell_pass(&d->tell, k, e);
}

static int work(struct daemon *d, struct err *e)
{
    if (gates_begin(&d->k, e) == -1 || tell_begin(&d->tell, &d->k, e) == -1)
        return -1;
    watch_open(&d->bell, &d->k);
    d->watchdog_ms = notify_watchdog_ms();
    d->rung = true;
    d->looked_ms = clock_ms() - LOOK_EVERY;
    d->retire_ms = clock_ms();
    notify("READY=1");
    tell_line(STR("at work"));
    while (!d->stopping)
        if (pass(d, e) == -1 || wait_for_work(d, e) == -1)
            return -1;
    return finish(d, e);
}

int daemon_run(struct daemon *d, struct err *e)
{
    int rc;

    d->k.stays = true;
    d->bell.fd = -1;
    d->signal_fd = -1;
    if (open_signals(d, e) == -1)
        return -1;
    if (keeper_open(&d->k, e) == -1)
        return -1;
    if (d->k.is_busy)
        return 0;
    rc = work(d, e);
    tell_end(&d->tell);
    watch_close(&d->bell);
    jobs_kill(&d->k);
    close(d->signal_fd);
    free_old(d);
    return rc;
}
