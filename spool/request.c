#include "spool/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "converters/trade/rules.h"
#include "spool/again.h"
#include "spool/backup.h"
#include "spool/closed.h"
#include "spool/fsck.h"
#include "spool/gates.h"
#include "spool/ship.h"
#include "spool/stamp.h"
#include "spool/watch.h"

/* How long a command waits for the daemon, in tenths of a second. */
enum { PATIENCE = 300 };

/* What a handler answers; ok false: it was not done, and the text says why. */
struct answer {
    bool ok;
    struct str text;
};

static int say(struct keeper *k, struct answer *a, bool ok, const char *fmt,
               ...) __attribute__((format(printf, 4, 5)));

static int say(struct keeper *k, struct answer *a, bool ok, const char *fmt,
               ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    a->ok = ok;
    a->text = arena_str(&k->arena, str_of(text));
    return 0;
}

/* ---- about a job -------------------------------------------------------- */

static bool is_running(const struct keeper *k, uint64_t job)
{
    const struct job_file *x;

    for (size_t i = 0; (x = jobs_file(&k->jobs, i)); i++)
        if (x->receipt.job == job)
            return true;
    return false;
}

/* Its route's slot may not have come yet: a person does not wait for it. */
static void let_start(struct keeper *k, const struct receipt *r)
{
    struct route *x = conf_route(k->conf, r->route);

    if (x && x->upto < r->job)
        x->upto = r->job;
}

static int do_retry(struct keeper *k, const struct request *q,
                    struct receipt *r, struct answer *a, struct err *e)
{
    struct claim *c;

    (void)q;
    switch (r->state) {
    case RECEIPT_DONE:
        return say(k, a, false,
                   "it is done; kervan resend %llu sends its "
                   "results once more",
                   (unsigned long long)r->job);
    case RECEIPT_TAKEN:
    case RECEIPT_CONVERTED:
    case RECEIPT_HELD:
        if (ledger_retry(k->ledger, r, e) == -1)
            return -1;
        let_start(k, r);
        places_open(k);
        couriers_wake(k);
        return say(k, a, true, "it is tried again");
    case RECEIPT_REJECTED:
    case RECEIPT_SUPPRESSED:
    case N_RECEIPT_STATES:
        break;
    }
    if (ledger_find_claim(k->ledger, r->claim, &k->item, &c, e) == -1)
        return -1;
    if (!c || c->state != CLAIM_ARCHIVED)
        return say(k, a, false,
                   "its file is not archived yet: try again in a "
                   "moment");
    if (archive_take_back(k, c, r->job, e) == -1)
        return e->next == ERR_STOP ? -1 : say(k, a, false, "%s", e->text);
    if (ledger_take_again(k->ledger, r, e) == -1)
        return -1;
    let_start(k, r);
    return say(k, a, true, "it is converted again");
}

/* Have newer snapshots come to all the places where its results would go? */
static int is_out_of_date(struct keeper *k, const struct receipt *r,
                          uint64_t *newer, struct err *e)
{
    struct delivery *d;
    uint64_t job;
    size_t n;

    *newer = 0;
    if (ledger_deliveries(k->ledger, r->id, 0, &k->item, &d, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (d[i].kind != OUT_FILE)
            continue;
        job = 0;
        if (d[i].replace && ledger_newer(k->ledger, &d[i], &job, e) == -1)
            return -1;
        *newer = job;
        if (!job)
            break;
    }
    return 0;
}

/* Where an output should lie that somebody removed, or an empty text. */
static int find_missing(struct keeper *k, const struct receipt *r,
                        struct str *missing, struct err *e)
{
    struct delivery *d;
    struct claim *c;
    char day[11];
    size_t n;

    *missing = STR("");
    if (ledger_find_claim(k->ledger, r->claim, &k->item, &c, e) == -1 ||
        ledger_deliveries(k->ledger, r->id, 0, &k->item, &d, &n, e) == -1)
        return -1;
    stamp_folder(c ? c->taken_at : r->taken_at, day);
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        struct str out, archived;

        if (d[i].kind != OUT_FILE)
            continue;
        out = arena_fmt(&k->item, "out/%s/%.*s", r->id, STR_ARGS(d[i].path));
        archived = arena_fmt(&k->item, "archive/%s/%llu/%.*s", day,
                             (unsigned long long)r->job, STR_ARGS(d[i].path));
        if (fstatat(k->spool_fd, out.p, &st, 0) == -1 && errno == ENOENT &&
            fstatat(k->spool_fd, archived.p, &st, 0) == -1 && errno == ENOENT)
            *missing = archived;
    }
    return 0;
}

static int do_resend(struct keeper *k, const struct request *q,
                     struct receipt *r, struct answer *a, struct err *e)
{
    struct str missing;
    uint64_t newer;

    (void)q;
    if (r->state != RECEIPT_DONE)
        return say(k, a, false, "it is %s, not DONE: kervan retry %llu",
                   receipt_state_names[r->state], (unsigned long long)r->job);
    if (is_out_of_date(k, r, &newer, e) == -1)
        return -1;
    if (newer)
        return say(k, a, false,
                   "a newer one was delivered since, and stays: job %llu; drop "
                   "the file again if this one is to take its place",
                   (unsigned long long)newer);
    if (find_missing(k, r, &missing, e) == -1)
        return -1;
    if (missing.len)
        return say(k, a, false,
                   "its results were removed: there is no %.*s; drop the file "
                   "again, and kervan retry the job that it becomes",
                   STR_ARGS(missing));
    if (ledger_resend(k->ledger, r, e) == -1)
        return -1;
    return say(k, a, true, "its results are sent once more");
}

static int do_settle(struct keeper *k, const struct request *q,
                     struct receipt *r, struct answer *a, struct err *e)
{
    bool delivered = str_is(q->arg, "delivered");
    struct delivery *d;
    size_t n;

    if (!delivered && !str_is(q->arg, "resend"))
        return say(k, a, false, "say delivered or resend");
    if (ledger_deliveries(k->ledger, r->id, 1u << DELIVERY_UNCONFIRMED,
                          &k->item, &d, &n, e) == -1)
        return -1;
    if (n == 0 && delivered && r->state == RECEIPT_HELD && !r->converted_at) {
        if (ledger_done_by_hand(k->ledger, r, e) == -1)
            return -1;
        return say(k, a, true, "it counts as delivered, and is not converted");
    }
    if (n == 0)
        return say(k, a, false, "none of its deliveries is UNCONFIRMED");
    if (ledger_settle_by_hand(k->ledger, r, delivered, e) == -1)
        return -1;
    return say(k, a, true,
               delivered ? "it counts as delivered" : "it is sent again");
}

static int do_hold(struct keeper *k, const struct request *q, struct receipt *r,
                   struct answer *a, struct err *e)
{
    (void)q;
    if (r->state != RECEIPT_TAKEN && r->state != RECEIPT_CONVERTED)
        return say(k, a, false, "it is %s: there is nothing to hold",
                   receipt_state_names[r->state]);
    if (is_running(k, r->job))
        return say(k, a, false, "it is being converted: try again in a moment");
    if (ship_has_job(k, r->job))
        return say(k, a, false, "it is being delivered: try again in a moment");
    if (ledger_hold(k->ledger, r, e) == -1)
        return -1;
    return say(k, a, true, "it is held until kervan release %llu",
               (unsigned long long)r->job);
}

static int do_release(struct keeper *k, const struct request *q,
                      struct receipt *r, struct answer *a, struct err *e)
{
    (void)q;
    if (r->state != RECEIPT_HELD)
        return say(k, a, false, "it is %s, not HELD",
                   receipt_state_names[r->state]);
    if (!r->by_hand)
        return say(k, a, false,
                   "no person holds it, but: %.*s; kervan retry "
                   "%llu tries again",
                   STR_ARGS(str_first(r->why, 200)),
                   (unsigned long long)r->job);
    if (ledger_release(k->ledger, r, e) == -1)
        return -1;
    let_start(k, r);
    return say(k, a, true, "it goes on");
}

/* ---- about a route ------------------------------------------------------ */

static int do_start(struct keeper *k, const struct request *q,
                    struct receipt *r, struct answer *a, struct err *e)
{
    struct route *x = conf_route(k->conf, q->arg);

    (void)r;
    if (!x)
        return say(k, a, false, "%.*s",
                   STR_ARGS(conf_no_route(k->conf, &k->item, q->arg)));
    if ((!k->stays || x->schedule.kind != SCHEDULE_FILE) &&
        ledger_slot_start(k->ledger, x->name, e) == -1)
        return -1;
    gates_ask(x);
    couriers_wake(k);
    k->started = true;
    return say(k, a, true, "route %.*s takes what waits for it",
               STR_ARGS(q->arg));
}

/* A job that is taken, and waits. */
static int find_waiting(struct keeper *k, const char *route,
                        struct receipt **out, struct err *e)
{
    const struct ledger_find f = { .route = route,
                                   .states = 1u << RECEIPT_TAKEN };
    struct receipt *r;
    size_t n;

    *out = NULL;
    if (ledger_receipts(k->ledger, &f, &k->item, &r, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n && !*out; i++)
        if (!r[i].only.len && !is_running(k, r[i].job))
            *out = &r[i];
    return 0;
}

/* Its documents are sent once, but for a person who wants it otherwise. */
static bool sends_once(const struct route *x)
{
    bool once = false;

    for (const struct conf_read *r = x->reads; r; r = r->next)
        once = once || trade_serves(&r->site, &rule_once);
    return once;
}

static int do_full(struct keeper *k, const struct request *q, struct receipt *r,
                   struct answer *a, struct err *e)
{
    struct route *x = conf_route(k->conf, q->arg);
    struct receipt *waits = NULL;

    if (x && find_waiting(k, arena_cstr(&k->item, x->name), &waits, e) == -1)
        return -1;
    if (!waits && x && ledger_full_start(k->ledger, x->name, e) == -1)
        return -1;
    if (waits && ledger_make_full(k->ledger, waits, e) == -1)
        return -1;
    if (do_start(k, q, r, a, e) == -1)
        return -1;
    if (!a->ok)
        return 0;
    if (waits)
        return say(k, a, true, "job %llu of route %.*s sends everything",
                   (unsigned long long)waits->job, STR_ARGS(q->arg));
    x->full = true;
    return say(k, a, true,
               "route %.*s sends everything: of the file that waits for it, or "
               "of its last one%s",
               STR_ARGS(q->arg),
               sends_once(x) ? ", also what was sent before" : "");
}

/* ---- about a document ---------------------------------------------------- */

static int do_send(struct keeper *k, const struct request *q, struct receipt *r,
                   struct answer *a, struct err *e)
{
    struct ledger_find last = { 0 };
    struct found_doc *d;
    struct str name;
    uint64_t job;
    size_t n;

    (void)r;
    if (again_find(k, q->arg, "send", &d, &a->text, e) == -1)
        return -1;
    if (!d)
        return 0;
    name = again_name(&k->arena, d);
    if (!d->is.key.output.len)
        return say(k, a, false, "nobody has sent %.*s: %.*s only speaks of it",
                   STR_ARGS(name), STR_ARGS(d->is.key.sender));
    last.job = d->last_job;
    if (ledger_receipts(k->ledger, &last, &k->item, &r, &n, e) == -1)
        return -1;
    if (n == 0)
        return say(k, a, false, "%.*s: its file is not kept any more",
                   STR_ARGS(name));
    if (again_take(k, r, d->is.key.number, false, &job, e) == -1)
        return e->next == ERR_STOP
                   ? -1
                   : say(k, a, false, "%.*s: %s", STR_ARGS(name), e->text);
    last.job = job;
    if (ledger_receipts(k->ledger, &last, &k->item, &r, &n, e) == -1)
        return -1;
    if (n)
        let_start(k, r);
    return say(k, a, true, "job %llu sends %.*s on route %.*s%s%.*s%s%.*s",
               (unsigned long long)job, STR_ARGS(name), STR_ARGS(d->route),
               d->is.invoice.len ? ", though it has the invoice " : "",
               STR_ARGS(d->is.series), d->is.series.len ? " " : "",
               STR_ARGS(d->is.invoice));
}

static int do_settle_doc(struct keeper *k, const struct request *q,
                         struct receipt *r, struct answer *a, struct err *e)
{
    struct found_doc *d;
    struct str name;

    (void)r;
    if (again_find(k, q->arg, "settle", &d, &a->text, e) == -1)
        return -1;
    if (!d)
        return 0;
    name = again_name(&k->arena, d);
    if (!d->is.refused && !d->unsent.len)
        return say(k, a, false, "%.*s waits for nobody", STR_ARGS(name));
    if (ledger_settle_doc(k->ledger, d, e) == -1)
        return -1;
    return say(k, a, true, "%.*s counts as seen to", STR_ARGS(name));
}

/* A person has seen to his server: what rests because of it goes on. */
static int do_reach(struct keeper *k, const struct request *q,
                    struct receipt *r, struct answer *a, struct err *e)
{
    (void)r;
    (void)e;
    for (struct route *x = k->conf->routes; x; x = x->next)
        for (const struct conf_from *f = x->from; f; f = f->next)
            if (str_eq(f->partner->name, q->arg)) {
                x->n_asked++;
                break;
            }
    places_open(k);
    courier_wake(k, q->arg);
    return say(k, a, true, "partner %.*s is called now", STR_ARGS(q->arg));
}

/* ---- about the spool ---------------------------------------------------- */

/* What only the keeper can look at; the rest is the command's. */
static int do_fsck(struct keeper *k, const struct request *q, struct receipt *r,
                   struct answer *a, struct err *e)
{
    struct fsck f = { .ledger = k->ledger,
                      .spool_fd = k->spool_fd,
                      .arena = &k->arena,
                      .jobs = &k->jobs };

    (void)q;
    (void)r;
    if (fsck_spool(&f, e) == -1)
        return -1;
    *a = (struct answer){ true, fsck_pack(&f, &k->arena) };
    return 0;
}

static int do_backup(struct keeper *k, const struct request *q,
                     struct receipt *r, struct answer *a, struct err *e)
{
    const char *dir = arena_cstr(&k->arena, q->arg);

    (void)r;
    if (backup_check(k->conf, dir, e) == 0 &&
        backup_stage(k->ledger, k->spool_fd, dir, e) == 0)
        return say(k, a, true, "copied");
    return e->next == ERR_STOP ? -1 : say(k, a, false, "%s", e->text);
}

/* ---- the table ---------------------------------------------------------- */

static const struct handler {
    const char *what;
    bool of_job;
    int (*run)(struct keeper *k, const struct request *q, struct receipt *r,
               struct answer *a, struct err *e);
} handlers[] = {
    { "retry", true, do_retry },
    { "resend", true, do_resend },
    { "settle", true, do_settle },
    { "hold", true, do_hold },
    { "release", true, do_release },
    { "start", false, do_start },
    { "reach", false, do_reach },
    { "fsck", false, do_fsck },
    { "backup", false, do_backup },
    { "full", false, do_full },
    { "send", false, do_send },
    { "settle-document", false, do_settle_doc },
};

/* Its row may be there for a moment yet, when its files go already. */
static int has_expired(struct keeper *k, const struct receipt *r, bool *yes,
                       struct err *e)
{
    struct claim *c;

    if (ledger_find_claim(k->ledger, r->claim, &k->item, &c, e) == -1)
        return -1;
    *yes = c && c->expired_at;
    return 0;
}

static int no_job(struct keeper *k, uint64_t job, struct answer *a,
                  struct err *e)
{
    uint64_t last;

    if (ledger_counter(k->ledger, STR("job"), &last, e) == -1)
        return -1;
    return say(k, a, false, job <= last ? JOB_IS_GONE : "there is no job %llu",
               (unsigned long long)job);
}

static int handle(struct keeper *k, const struct request *q, struct answer *a,
                  struct err *e)
{
    const struct ledger_find job = { .job = q->job };
    struct receipt *r = NULL;
    bool expired = false;
    size_t n = 0;

    for (size_t i = 0; i < COUNT(handlers); i++) {
        if (!str_is(q->what, handlers[i].what))
            continue;
        if (handlers[i].of_job &&
            ledger_receipts(k->ledger, &job, &k->item, &r, &n, e) == -1)
            return -1;
        if (n && has_expired(k, r, &expired, e) == -1)
            return -1;
        if (handlers[i].of_job && (n == 0 || expired))
            return no_job(k, q->job, a, e);
        return handlers[i].run(k, q, r, a, e);
    }
    return say(k, a, false, "this kervan does not know \"%.*s\"",
               STR_ARGS(str_first(q->what, 60)));
}

int keeper_requests(struct keeper *k, struct err *e)
{
    struct request *q;

    for (;;) {
        struct answer a = { 0 };

        arena_reset(&k->item);
        if (ledger_next_request(k->ledger, &k->arena, &q, e) == -1)
            return -1;
        if (!q)
            return 0;
        /* What was done is durable before it is told: if we die in between, it
         * is asked once more, and done twice it is done. */
        if (handle(k, q, &a, e) == -1 ||
            ledger_answer(k->ledger, q->n, a.ok, a.text, e) == -1)
            return -1;
        k->n_requests++;
    }
}

/* ---- the command's side ------------------------------------------------- */

static int read_answer(struct ledger *l, uint64_t n, struct arena *a,
                       bool *done, bool *ok, struct str *answer, struct err *e)
{
    struct request *q;

    if (ledger_find_request(l, n, a, &q, e) == -1)
        return -1;
    *done = q && q->is_done;
    if (*done) {
        *ok = q->ok;
        *answer = arena_str(a, q->answer);
    }
    return 0;
}

static void wake(const struct conf *c, struct arena *a)
{
    /* If it cannot be touched, the keeper looks within half a minute. */
    (void)utimensat(AT_FDCWD, arena_fmt(a, "%s/" WAKE_FILE, c->spool).p, NULL,
                    0);
}

/* Is the asked one still there? Its lock ends with it. */
static bool has_keeper(const struct conf *c, struct arena *a)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(arena_fmt(a, "%s/lock", c->spool).p, O_RDWR | O_CLOEXEC);
    bool yes =
        fd != -1 && fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;

    if (fd != -1)
        close(fd);
    return yes;
}

static int wait_for_answer(struct ledger *l, struct conf *c, uint64_t n,
                           bool to_the_end, struct arena *a, bool *done,
                           bool *ok, struct str *answer, struct err *e)
{
    int rc = 0;

    *done = false;
    for (int i = 0; rc == 0 && !*done && (to_the_end || i < PATIENCE); i++) {
        const struct timespec tenth = { 0, 100000000 };

        if (i % 10 == 0)
            wake(c, a);
        if (i % 10 == 9 && to_the_end && !has_keeper(c, a))
            break;
        nanosleep(&tenth, NULL);
        rc = read_answer(l, n, a, done, ok, answer, e);
    }
    return rc;
}

int request_ask(struct conf *c, const char *what, uint64_t job, struct str arg,
                bool to_the_end, struct arena *a, bool *ok, struct str *answer,
                struct err *e)
{
    struct ledger *l;
    bool done = false;
    uint64_t n;
    int rc;

    if (ledger_open(&l, keeper_ledger_path(a, c), LEDGER_ASK, e) == -1)
        return -1;
    if (!l)
        return err_set(e, ERR_RETRY, "there is no ledger yet");
    rc = ledger_ask(l, what, job, arg, &n, e);
    if (rc == 0)
        rc = wait_for_answer(l, c, n, to_the_end, a, &done, ok, answer, e);
    if (rc == 0 && !done && to_the_end) {
        /* The next keeper is not to do it when nobody waits for it. */
        rc = ledger_withdraw(l, n, e);
        if (rc == 0)
            rc = err_set(e, ERR_RETRY,
                         "the program that was at work has ended; try again");
    } else if (rc == 0 && !done) {
        *ok = true;
        *answer = STR("asked; the program that is at work has not answered "
                      "yet");
    }
    ledger_close(l);
    return rc;
}

int request_reach(const struct conf *c, struct str partner, struct arena *a,
                  struct err *e)
{
    struct ledger *l;
    uint64_t n;
    int rc;

    if (!has_keeper(c, a))
        return 0;
    if (ledger_open(&l, keeper_ledger_path(a, c), LEDGER_ASK, e) == -1)
        return -1;
    rc = l ? ledger_ask(l, "reach", 0, partner, &n, e) : 0;
    ledger_close(l);
    wake(c, a);
    return rc;
}

/* Nobody is the keeper: be it. */
static int be_keeper(struct keeper *k, const char *what, uint64_t job,
                     struct str arg, struct arena *a, bool *ok,
                     struct str *answer, struct err *e)
{
    bool done;
    uint64_t n;

    if (ledger_ask(k->ledger, what, job, arg, &n, e) == -1 ||
        keeper_step(k, keeper_requests, e) == -1 || gates_started(k, e) == -1 ||
        keeper_work(k, k->started, e) == -1)
        return -1;
    return read_answer(k->ledger, n, a, &done, ok, answer, e);
}

int request_make(struct conf *c,
                 int (*run)(const struct job_spec *, struct job_result *),
                 const char *what, uint64_t job, struct str arg,
                 struct arena *a, bool *ok, struct str *answer, struct err *e)
{
    struct keeper k = { .conf = c, .run = run };
    int rc = keeper_open(&k, e);

    if (rc == 0 && k.is_busy)
        rc = request_ask(c, what, job, arg, false, a, ok, answer, e);
    else if (rc == 0)
        rc = be_keeper(&k, what, job, arg, a, ok, answer, e);
    keeper_close(&k);
    return rc;
}
