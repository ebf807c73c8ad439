#include "spool/again.h"

#include "converters/base/date.h"
#include "spool/gates.h"

/* The claim of that job, if its file is still kept. */
static int find_claim(struct keeper *k, const struct receipt *old,
                      struct claim **c, struct err *e)
{
    if (ledger_find_claim(k->ledger, old->claim, &k->item, c, e) == -1)
        return -1;
    if (*c && !(*c)->expired_at && (*c)->state != CLAIM_CLAIMED)
        return 0;
    return err_set(e, ERR_HOLD, "its file is not kept any more");
}

int again_take(struct keeper *k, const struct receipt *old, struct str only,
               bool full, uint64_t *job, struct err *e)
{
    const struct route *x = conf_route(k->conf, old->route);
    struct receipt r = *old;
    struct claim *c;

    if (!x)
        return err_set(e, ERR_HOLD,
                       "its route %.*s is not in the configuration",
                       STR_ARGS(old->route));
    if (find_claim(k, old, &c, e) == -1)
        return -1;
    r.only = only;
    r.full = full;
    if (ledger_more_open(k->ledger, &r, job, e) == -1 || *job)
        return *job ? 0 : -1;
    if (c->state == CLAIM_ARCHIVED && archive_take_back(k, c, 0, e) == -1)
        return -1;
    r.run_time = r.taken_at = clock_now();
    r.once = false;
    r.test = x->test;
    r.size = c->seen.size;
    memcpy(r.sha256, c->sha256, sizeof(r.sha256));
    id_new(r.id);
    if (ledger_take_more(k->ledger, c, &r, e) == -1)
        return -1;
    *job = r.job;
    return 0;
}

/* ---- which document -------------------------------------------------------
 */

static struct str next_part(struct str *rest)
{
    ptrdiff_t tab = str_find_char(*rest, '\t');
    struct str part = str_first(*rest, tab < 0 ? rest->len : (size_t)tab);

    *rest = str_from(*rest, part.len + (tab >= 0));
    return part;
}

struct str again_name(struct arena *a, const struct found_doc *d)
{
    return arena_fmt(a, "%.*s %.*s", STR_ARGS(d->is.key.document),
                     STR_ARGS(d->is.key.number));
}

/* "route orders (eshop to pohoda/xml)" */
static struct str places_of(struct arena *a, const struct found_doc *d,
                            size_t n)
{
    struct str all = STR("");

    for (size_t i = 0; i < n && i < 5; i++)
        all = arena_fmt(a, "%.*s%sroute %.*s (%.*s to %.*s)", STR_ARGS(all),
                        i ? ", " : "", STR_ARGS(d[i].route),
                        STR_ARGS(d[i].is.key.sender),
                        STR_ARGS(d[i].is.key.output));
    return n > 5 ? arena_fmt(a, "%.*s, ...", STR_ARGS(all)) : all;
}

int again_find(struct keeper *k, struct str arg, const char *command,
               struct found_doc **out, struct str *why, struct err *e)
{
    struct doc_search q = { .document = next_part(&arg),
                            .number = next_part(&arg),
                            .place = next_part(&arg) };
    struct arena *a = &k->arena;
    size_t n;

    if (ledger_docs(k->ledger, &q, a, out, &n, e) == -1)
        return -1;
    if (n == 1)
        return 0;
    if (n == 0)
        *why = arena_fmt(a, DOC_IS_UNKNOWN, STR_ARGS(q.document),
                         STR_ARGS(q.number), q.place.len ? " of " : "",
                         STR_ARGS(q.place));
    else
        *why = arena_fmt(a,
                         "there are several: %.*s; say which: kervan %s %.*s "
                         "%.*s ROUTE, or one of its partners",
                         STR_ARGS(places_of(a, *out, n)), command,
                         STR_ARGS(q.document), STR_ARGS(q.number));
    *out = NULL;
    return 0;
}

/* ---- everything -----------------------------------------------------------
 */

static int send_last(struct keeper *k, struct route *x, struct err *e)
{
    struct ledger_find f = { 0 };
    struct receipt *r;
    uint64_t job;
    size_t n;

    if (ledger_last_done(k->ledger, x->name, &f.job, e) == -1)
        return -1;
    if (f.job && ledger_receipts(k->ledger, &f, &k->item, &r, &n, e) == -1)
        return -1;
    if (f.job && n) {
        if (again_take(k, r, STR(""), true, &job, e) == -1) {
            if (e->next == ERR_STOP)
                return -1;
            keeper_trouble(k, "route %.*s cannot send everything: job %llu: %s",
                           STR_ARGS(x->name), (unsigned long long)f.job,
                           e->text);
        } else if (x->upto < job) {
            x->upto = job;
        }
    }
    x->full = false;
    return ledger_full_begun(k->ledger, x->name,
                             x->schedule.kind != SCHEDULE_FILE, e);
}

int keeper_full(struct keeper *k, struct err *e)
{
    bool waits;

    for (struct route *x = k->conf->routes; x; x = x->next) {
        if (!x->full)
            continue;
        if (gates_wait_for_files(k, x, &waits, e) == -1)
            return -1;
        if (waits || x->held_back)
            continue;
        if (send_last(k, x, e) == -1)
            return -1;
        k->again = true;
    }
    return 0;
}
