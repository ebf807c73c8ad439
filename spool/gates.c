#include "spool/gates.h"

#include "converters/base/date.h"
#include "spool/fetch.h"

/* Files that somebody still writes are waited for so long. */
enum { SLOT_SECONDS = 3600 };

static bool has_slots(const struct route *r)
{
    return r->schedule.kind != SCHEDULE_FILE;
}

/* Since when a route waits for its first time of the day; without that each
 * start would wait for the next one again, and those in between be lost. */
static int note_begin(struct keeper *k, const struct route *r, struct slot *s,
                      struct err *e)
{
    if (r->schedule.kind != SCHEDULE_AT || s->at || s->started)
        return 0;
    s->at = clock_now();
    return ledger_slot_ran(k->ledger, r->name, s, e);
}

int gates_begin(struct keeper *k, struct err *e)
{
    for (struct route *r = k->conf->routes; r; r = r->next) {
        struct slot s;

        if (ledger_slot(k->ledger, r->name, &s, e) == -1 ||
            note_begin(k, r, &s, e) == -1)
            return -1;
        r->open = !has_slots(r);
        r->upto = r->open ? INT64_MAX : s.upto;
        r->seen = s.seen;
        r->full = s.full;
        r->slot_at = 0;
        r->times = (struct schedule_state){ .last = s.at };
        schedule_begin(&r->schedule, &r->times, clock_now(), clock_up());
        if (s.started)
            gates_ask(r);
    }
    return 0;
}

void gates_ask(struct route *r)
{
    r->n_asked++;
    if (!has_slots(r))
        return;
    r->open = true;
    r->slot_at = clock_up();
}

/* The other route has brought something through since, and rests now. */
static int after_is_due(struct keeper *k, struct route *r, bool *due,
                        struct err *e)
{
    const struct route *x = conf_route(k->conf, r->schedule.after);
    uint64_t done;
    bool busy;

    *due = false;
    if (!x || x->slot_at ||
        ledger_last_done(k->ledger, x->name, &done, e) == -1)
        return x && !x->slot_at ? -1 : 0;
    if (done <= r->seen)
        return 0;
    if (ledger_is_busy(k->ledger, x->name, x->upto, &busy, e) == -1)
        return -1;
    if (busy)
        return 0;
    *due = true;
    r->seen = done;
    return 0;
}

int gates_started(struct keeper *k, struct err *e)
{
    for (struct route *r = k->conf->routes; r; r = r->next) {
        struct slot s;

        if (ledger_slot(k->ledger, r->name, &s, e) == -1)
            return -1;
        if (!s.started)
            continue;
        r->open = true;
        r->full = s.full;
        r->upto = INT64_MAX;
        k->started = true;
    }
    return 0;
}

int gates_open(struct keeper *k, bool *opened, struct err *e)
{
    for (struct route *r = k->conf->routes; r; r = r->next) {
        bool due;

        if (!has_slots(r) || r->open)
            continue;
        due = schedule_due(&r->schedule, &r->times, clock_now(), clock_up());
        if (r->schedule.kind == SCHEDULE_AFTER &&
            after_is_due(k, r, &due, e) == -1)
            return -1;
        if (!due)
            continue;
        gates_ask(r);
        *opened = true;
    }
    return 0;
}

/* What it claimed on a server is its own when it was fetched. */
static int fetches(struct keeper *k, const struct route *r, bool *yes,
                   struct err *e)
{
    *yes = false;
    for (const struct conf_from *f = r->from; f && !*yes; f = f->next)
        if (f->partner->remote &&
            fetch_any_claimed(k, f->partner, r, yes, e) == -1)
            return -1;
    return 0;
}

/* For a slot not for ever. */
int gates_wait_for_files(struct keeper *k, const struct route *r, bool *yes,
                         struct err *e)
{
    *yes = false;
    if (r->slot_at && clock_up() - r->slot_at >= SLOT_SECONDS)
        return 0;
    *yes = r->unready;
    return *yes ? 0 : fetches(k, r, yes, e);
}

int gates_close(struct keeper *k, struct err *e)
{
    struct slot s;
    bool waits;

    for (struct route *r = k->conf->routes; r; r = r->next) {
        if (!has_slots(r) || !r->open)
            continue;
        if (gates_wait_for_files(k, r, &waits, e) == -1)
            return -1;
        if (waits)
            continue;
        if (keeper_last_job(k, &r->upto, e) == -1)
            return -1;
        if (r->held_back)
            continue; /* those that were taken run; then come the others */
        s = (struct slot){ clock_now(), r->upto, r->seen, false, false };
        if (ledger_slot_ran(k->ledger, r->name, &s, e) == -1)
            return -1;
        schedule_ran(&r->times, s.at, clock_up());
        r->open = false;
        r->slot_at = 0;
    }
    return 0;
}

int64_t gates_wait(const struct keeper *k)
{
    int64_t first = -1;

    for (const struct route *r = k->conf->routes; r; r = r->next) {
        int64_t wait = r->open ? -1
                               : schedule_wait(&r->schedule, &r->times,
                                               clock_now(), clock_up());

        if (wait >= 0 && (first < 0 || wait < first))
            first = wait;
    }
    return first;
}
