#include "spool/tell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "converters/base/hash.h"

enum { PAGE = 256, PROGRAM_SECONDS = 60, AGAIN_SECONDS = 3600 };

/* Events that reach a person. */
static const char *const troubles[] = {
    "held", "rejected", "unconfirmed", "aside",  "overdue",
    "late", "changed",  "unclaimed",   "denied", "refused",
};

static bool is_trouble(const struct event *ev)
{
    for (size_t i = 0; i < COUNT(troubles); i++)
        if (str_is(ev->what, troubles[i]))
            return true;
    return false;
}

/* ---- the log ------------------------------------------------------------ */

void tell_line(struct str text)
{
    struct buf b;

    buf_init(&b, 8192);
    show_text_max(&b, text, SHOW_SENTENCE);
    fprintf(stderr, "kervan: %.*s\n", STR_ARGS(buf_str(&b)));
    buf_release(&b);
}

static int log_events(struct tell *t, struct keeper *k, struct err *e)
{
    struct event *ev;
    size_t n;

    do {
        arena_reset(&k->item);
        if (ledger_events_since(k->ledger, t->logged, PAGE, &k->item, &ev, &n,
                                e) == -1)
            return -1;
        for (size_t i = 0; i < n; i++) {
            t->logged = ev[i].n;
            tell_line(
                ev[i].job
                    ? arena_fmt(&k->item, "job %llu %.*s: %.*s",
                                (unsigned long long)ev[i].job,
                                STR_ARGS(ev[i].what), STR_ARGS(ev[i].text))
                    : arena_fmt(&k->item, "%.*s: %.*s", STR_ARGS(ev[i].what),
                                STR_ARGS(ev[i].text)));
        }
    } while (n == PAGE);
    return 0;
}

static bool told_lately(struct tell *t, struct str text)
{
    uint64_t hash = hash64(text);
    int64_t now = clock_up();

    for (size_t i = 0; i < TELL_REMEMBERED; i++)
        if (t->troubles[i].at && t->troubles[i].hash == hash &&
            now - t->troubles[i].at < AGAIN_SECONDS)
            return true;
    t->troubles[t->next_trouble].hash = hash;
    t->troubles[t->next_trouble].at = now ? now : 1;
    t->next_trouble = (t->next_trouble + 1) % TELL_REMEMBERED;
    return false;
}

static void log_troubles(struct tell *t, struct keeper *k)
{
    for (const struct trouble *x = k->troubles; x; x = x->next)
        if (!told_lately(t, x->text))
            tell_line(x->text);
    k->troubles = NULL;
    k->last_trouble = NULL;
    arena_reset(&k->told);
}

/* ---- the program -------------------------------------------------------- */

static _Noreturn void become_program(const char *program, char **argv)
{
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                  "/sbin:/bin";
    char *const environment[] = { path, NULL };
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (null != -1)
        dup2(null, 0);
    close_range(3, ~0u, 0);
    execve(program, argv, environment);
    _exit(127);
}

/* The program of the event's route, else the general one. */
static const char *program_for(struct keeper *k, const struct event *ev,
                               struct str *route, struct err *e)
{
    const struct ledger_find job = { .job = ev->job };
    const struct route *r = NULL;
    struct receipt *x;
    size_t n = 0;

    *route = STR("");
    if (ev->job && ledger_receipts(k->ledger, &job, &k->item, &x, &n, e) == -1)
        return NULL;
    if (n) {
        *route = x[0].route;
        r = conf_route(k->conf, x[0].route);
    }
    return r && r->on_trouble ? r->on_trouble : k->conf->on_trouble;
}

static void start_program(struct tell *t, struct keeper *k, const char *program,
                          const struct event *ev, struct str route)
{
    char *argv[] = {
        arena_cstr(&k->item, str_of(program)),
        arena_cstr(&k->item, ev->what),
        arena_cstr(&k->item,
                   arena_fmt(&k->item, "%llu", (unsigned long long)ev->job)),
        arena_cstr(&k->item, route),
        arena_cstr(&k->item, ev->text),
        NULL,
    };

    (void)fflush(NULL);
    t->pid = fork();
    if (t->pid == 0)
        become_program(program, argv);
    if (t->pid == -1) {
        t->pid = 0;
        return; /* the next pass tries again */
    }
    t->telling = ev->n;
    t->pidfd = pidfd_open(t->pid, 0);
    t->end = clock_up() + PROGRAM_SECONDS;
}

/* The next event that somebody has to know of. */
static int start_next(struct tell *t, struct keeper *k, struct err *e)
{
    struct event *ev;
    size_t n;

    do {
        arena_reset(&k->item);
        if (ledger_events_since(k->ledger, t->done, PAGE, &k->item, &ev, &n,
                                e) == -1)
            return -1;
        for (size_t i = 0; i < n; i++) {
            const char *program = NULL;
            struct str route;

            e->text[0] = '\0';
            if (is_trouble(&ev[i]))
                program = program_for(k, &ev[i], &route, e);
            if (program) {
                start_program(t, k, program, &ev[i], route);
                return 0;
            }
            t->done = ev[i].n;
        }
    } while (n == PAGE);
    return 0;
}

static int end_program(struct tell *t, struct keeper *k, struct err *e)
{
    bool late = clock_up() >= t->end;
    int status = 0;

    if (late)
        kill(t->pid, SIGKILL);
    if (waitpid(t->pid, &status, late ? 0 : WNOHANG) != t->pid)
        return 0;
    if (t->pidfd != -1)
        close(t->pidfd);
    t->pidfd = -1;
    t->pid = 0;
    t->done = t->telling;
    if (status)
        tell_line(late ? STR("the program of `on trouble` took too long and "
                             "was stopped")
                       : STR("the program of `on trouble` failed"));
    return ledger_tell(k->ledger, t->done, e);
}

/* ---- both --------------------------------------------------------------- */

static bool has_programs(const struct conf *c)
{
    for (const struct route *r = c->routes; r; r = r->next)
        if (r->on_trouble)
            return true;
    return c->on_trouble != NULL;
}

int tell_begin(struct tell *t, struct keeper *k, struct err *e)
{
    struct event *ev;
    size_t n;

    *t = (struct tell){ .pidfd = -1 };
    if (ledger_events(k->ledger, 0, 1, &k->item, &ev, &n, e) == -1 ||
        ledger_told(k->ledger, &t->done, e) == -1)
        return -1;
    t->logged = n ? ev[0].n : 0;
    if (t->done && has_programs(k->conf))
        return 0;
    t->done = t->logged; /* nobody was told before: history is no news */
    return ledger_tell(k->ledger, t->done, e);
}

int tell_pass(struct tell *t, struct keeper *k, struct err *e)
{
    int rc = log_events(t, k, e);

    log_troubles(t, k);
    if (rc == 0 && t->pid)
        rc = end_program(t, k, e);
    if (rc == 0 && !t->pid)
        rc = start_next(t, k, e);
    arena_reset(&k->item);
    return rc;
}

void tell_end(struct tell *t)
{
    if (!t->pid)
        return;
    kill(t->pid, SIGKILL);
    while (waitpid(t->pid, NULL, 0) == -1 && errno == EINTR)
        continue;
    if (t->pidfd != -1)
        close(t->pidfd);
    t->pid = 0;
}
