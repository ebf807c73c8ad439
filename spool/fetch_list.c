/*
 * fetch_list.c - what lies in the folders of partners' servers.
 *
 * A folder is listed every `look` seconds while a route that takes from it is
 * open; sooner when a file is about to be complete. The listing waits for the
 * next look into the inboxes (keeper_look), which it rings for. Then it is
 * forgotten: what was complete in it is claimed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "converters/base/date.h"
#include "spool/fetch.h"
#include "spool/scan.h"
#include "spool/ship.h"

enum { REMEMBERED = 30 * 86400, AGAIN = 5 /* seconds after a refused one */ };

enum { SLACK_MS = 3000 }; /* for a listing to come in */

/* A listing of more names than this would not end. */
enum { MOST_NAMES = 100000 };

struct remote_inbox {
    struct arena arena; /* of the listing */
    char *partner, *folder;
    struct errand errand;
    enum { IDLE, ASKED, LISTED } state;
    struct listing listing;
    size_t cap;
    bool is_too_long;    /* it has more than MOST_NAMES: it does not count */
    int64_t due_ms;      /* of the next listing */
    bool is_due_soon;    /* something is about to be complete */
    int64_t soon_end_ms; /* whose end a run waits for until then; 0: nothing */
    bool waits_for_line; /* nothing can be asked now */
    bool is_open;        /* a route wants its files */
    bool is_used;        /* a route takes from it, by the configuration */
    uint64_t n_asked;    /* by its routes, when the listing was asked for */
    bool is_looked_at;   /* it, or a later one */
    uint64_t n_tries;
    struct remote_inbox *next;
};

/* ---- the list of them ---------------------------------------------------- */

static char *text(struct str s)
{
    char *t = xcalloc(1, s.len + 1);

    if (s.len)
        memcpy(t, s.p, s.len);
    return t;
}

static struct remote_inbox *inbox_of(struct keeper *k, const struct inbox *in)
{
    struct remote_inbox *x = k->remote_inboxes;

    while (x && (!str_is(in->partner->name, x->partner) ||
                 !str_is(in->folder, x->folder)))
        x = x->next;
    if (!x) {
        x = xcalloc(1, sizeof(*x));
        x->partner = text(in->partner->name);
        x->folder = text(in->folder);
        x->next = k->remote_inboxes;
        k->remote_inboxes = x;
    }
    return x;
}

static bool takes_from(const struct route *r, const struct inbox *in)
{
    for (const struct conf_from *f = r->from; f; f = f->next)
        if (f->partner == in->partner && str_eq(f->folder, in->folder))
            return true;
    return false;
}

static bool is_open(const struct keeper *k, const struct inbox *in)
{
    for (const struct route *r = k->conf->routes; r; r = r->next)
        if (r->open && takes_from(r, in))
            return true;
    return false;
}

/* It grows when a slot of one of its routes begins, or a person starts one. */
static uint64_t times_asked(const struct keeper *k, const struct inbox *in)
{
    uint64_t n = 0;

    for (const struct route *r = k->conf->routes; r; r = r->next)
        if (takes_from(r, in))
            n += r->n_asked;
    return n;
}

/* ---- asking -------------------------------------------------------------- */

static void on_name(void *ctx, struct str name, uint64_t size, uint64_t mtime,
                    unsigned kind)
{
    struct remote_inbox *x = ctx;
    struct listing *l = &x->listing;

    if (name.len == 0 || name.len > SCAN_NAME || size > INT64_MAX ||
        mtime > INT64_MAX)
        return; /* no file of ours; and memory has a limit */
    if (l->n == MOST_NAMES) {
        x->is_too_long = true;
        return;
    }
    if (l->n == x->cap) {
        struct listed *grown;

        x->cap = x->cap ? x->cap * 2 : 64;
        grown = arena_alloc(&x->arena, x->cap * sizeof(*grown));
        if (l->n)
            memcpy(grown, l->v, l->n * sizeof(*grown));
        l->v = grown;
    }
    l->v[l->n++] = (struct listed){ .name = arena_str(&x->arena, name),
                                    .size = size,
                                    .mtime = mtime,
                                    .is_plain = kind == WIRE_PLAIN,
                                    .is_folder = kind == WIRE_FOLDER };
}

static void ask(struct keeper *k, struct courier *c, const struct inbox *in,
                struct remote_inbox *x)
{
    static struct wire w;

    arena_reset(&x->arena);
    x->listing = (struct listing){ 0 };
    x->cap = 0;
    x->is_too_long = false;
    x->errand = (struct errand){ .named = on_name, .ctx = x };
    x->state = ASKED;
    x->n_asked = times_asked(k, in);
    courier_begin(c, &w, WIRE_LIST);
    wire_put_str(
        &w, remote_path(&k->item, in->partner->remote, in->folder, STR("")));
    courier_send(c, &w, &x->errand, 0);
}

static void on_listed(struct keeper *k, const struct inbox *in,
                      struct remote_inbox *x)
{
    struct failure *f = &x->errand.f;

    if (x->is_too_long && f->how == OUTCOME_OK)
        failed(f, OUTCOME_LIMIT, "there are more than %d names", MOST_NAMES);
    if (f->how == OUTCOME_OK) {
        x->state = LISTED;
        x->n_tries = 0;
        x->is_due_soon = false;
        x->due_ms = clock_ms() + (int64_t)in->partner->remote->look_s * 1000;
        scan_sort(&x->listing);
        k->ring = true;
        return;
    }
    x->state = IDLE;
    x->due_ms = clock_ms() + 1000 * keeper_back_off(++x->n_tries);
    if (f->how != OUTCOME_LOST)
        keeper_trouble(k, "%.*s %.*s cannot be listed: %s",
                       STR_ARGS(in->partner->name), STR_ARGS(in->folder),
                       f->text);
}

static void free_inbox(struct remote_inbox *x)
{
    arena_release(&x->arena);
    free(x->partner);
    free(x->folder);
    free(x);
}

/* Those of a configuration before; not while an answer may still come in. */
static void drop_unused(struct keeper *k)
{
    for (struct remote_inbox **p = &k->remote_inboxes; *p;) {
        struct remote_inbox *x = *p;

        if (x->is_used || (x->state == ASKED && !x->errand.is_done)) {
            x->is_open = x->is_open && x->is_used;
            x->is_used = false;
            p = &x->next;
        } else {
            *p = x->next;
            free_inbox(x);
        }
    }
}

static void step(struct keeper *k, const struct inbox *in,
                 struct remote_inbox *x)
{
    struct courier *c;
    const char *why;

    if (x->state == ASKED && x->errand.is_done)
        on_listed(k, in, x);
    x->is_used = true;
    x->is_open = is_open(k, in);
    if (times_asked(k, in) != x->n_asked) {
        x->is_looked_at = false;
        x->due_ms = 0;
    }
    x->waits_for_line = false;
    if (x->state != IDLE || clock_ms() < x->due_ms || !x->is_open)
        return;
    c = courier_up(k, in->partner, &why);
    x->waits_for_line = !c;
    if (c)
        ask(k, c, in, x);
    else if (why && !k->stays)
        keeper_trouble(k, "%.*s: %s", STR_ARGS(in->partner->name), why);
}

void fetch_lists(struct keeper *k)
{
    for (const struct inbox *in = scan_inboxes(k->conf, &k->arena); in;
         in = in->next)
        if (in->partner->remote)
            step(k, in, inbox_of(k, in));
    drop_unused(k);
}

/* ---- what was seen before ------------------------------------------------ */

/* A row of what is listed, and what the ledger has of it; both are in order. */
struct pair {
    const struct listed *now;  /* NULL: not listed any more */
    const struct seen *before; /* NULL: new */
};

static bool next_pair(const struct listing *l, size_t *i,
                      const struct seen *seen, size_t n_seen, size_t *j,
                      struct pair *p)
{
    int order;

    if (*i == l->n && *j == n_seen)
        return false;
    order = *i == l->n     ? 1
            : *j == n_seen ? -1
                           : str_cmp(l->v[*i].name, seen[*j].name);
    p->now = order <= 0 ? &l->v[(*i)++] : NULL;
    p->before = order >= 0 ? &seen[(*j)++] : NULL;
    return true;
}

/* What the ledger shall have of it; false: nothing to change. */
static bool row_of(const struct pair *p, bool wanted, struct seen *s)
{
    bool same = p->now && p->before && p->before->size == p->now->size &&
                p->before->mtime == p->now->mtime;
    int64_t now = clock_now();

    if (same) {
        *s = *p->before;
        s->gone_at = 0;
        if (s->since > now)
            s->since = now; /* the clock was set back */
        return s->gone_at != p->before->gone_at || s->since != p->before->since;
    }
    if (p->now && wanted) {
        *s = (struct seen){ .name = p->now->name,
                            .size = p->now->size,
                            .mtime = p->now->mtime,
                            .since = now };
        return true;
    }
    if (!p->now && p->before->taken && !p->before->gone_at) {
        *s = *p->before;
        s->gone_at = now;
        return true;
    }
    return false;
}

static bool is_forgotten(const struct pair *p)
{
    return !p->now && (!p->before->taken ||
                       (p->before->gone_at &&
                        clock_now() - p->before->gone_at > REMEMBERED));
}

/* ---- the look ------------------------------------------------------------ */

static struct found *found_of(struct found **all, size_t n, struct str name)
{
    size_t from = 0;

    while (from < n) {
        size_t middle = from + (n - from) / 2;
        int order = str_cmp(all[middle]->name, name);

        if (order == 0)
            return all[middle];
        if (order < 0)
            from = middle + 1;
        else
            n = middle;
    }
    return NULL;
}

/* A trigger file says that it is complete. One that stays there, beside a file
 * that is kept, may be that of an earlier one of the same name. */
static bool has_trigger(const struct keeper *k, const struct inbox *in,
                        const struct found *f)
{
    for (const struct route *r = k->conf->routes; r; r = r->next)
        if (r->trigger.len && in->partner->remote->after != AFTER_KEEP &&
            route_takes(r, in->partner->name, in->folder, f->name))
            return true;
    return false;
}

/* Is it complete? The row says since when it looks like this. */
static void judge(const struct keeper *k, const struct inbox *in,
                  struct remote_inbox *x, const struct seen *s, struct found *f)
{
    uint32_t rest_s = in->partner->remote->rest_s;
    int64_t rest = has_trigger(k, in, f) ? 0 : s->since + rest_s - clock_now();

    if (s->taken) {
        f->why = "it was taken, and stays where it is";
        f->soon = f->stays = false;
    } else if (!f->why && rest > 0) {
        f->why = "it has not looked the same for long enough";
        f->soon = true;
        x->is_due_soon = true;
        if (!x->soon_end_ms)
            x->soon_end_ms = clock_ms() + SLACK_MS + (int64_t)rest_s * 1000;
        if (x->due_ms > clock_ms() + rest * 1000)
            x->due_ms = clock_ms() + rest * 1000;
    }
}

static int compare(struct keeper *k, const struct inbox *in,
                   struct remote_inbox *x, struct found **all, size_t n,
                   struct err *e)
{
    struct seen *seen;
    size_t n_seen, i = 0, j = 0;
    struct pair p;

    if (ledger_seen(k->ledger, in->partner->name, in->folder, &k->looked, &seen,
                    &n_seen, e) == -1)
        return -1;
    while (next_pair(&x->listing, &i, seen, n_seen, &j, &p)) {
        struct found *f = p.now ? found_of(all, n, p.now->name) : NULL;
        struct seen s = { 0 };
        int rc = 0;

        if (row_of(&p, f && !f->why, &s))
            rc = ledger_see(k->ledger, in->partner->name, in->folder, &s, e);
        else if (is_forgotten(&p))
            rc = ledger_unsee(k->ledger, in->partner->name, in->folder,
                              p.before, e);
        else if (p.before)
            s = *p.before;
        if (rc == -1)
            return -1;
        if (f && s.name.len)
            judge(k, in, x, &s, f);
    }
    return 0;
}

int fetch_look(struct keeper *k, const struct inbox *in, struct found **out,
               size_t *n, bool *listed, struct err *e)
{
    struct remote_inbox *x = inbox_of(k, in);
    struct found **all;
    int rc;

    *n = 0;
    if (x->state == LISTED && x->n_asked == times_asked(k, in))
        x->is_looked_at = true;
    *listed = x->is_looked_at;
    if (x->state != LISTED)
        return 0;
    x->state = IDLE;
    scan_listing(k->conf, in, &x->listing, &k->looked, out, n);
    all = arena_alloc(&k->looked, (*n + 1) * sizeof(struct found *));
    for (size_t i = 0; i < *n; i++) {
        (*out)[i].name = arena_str(&k->looked, (*out)[i].name);
        all[i] = &(*out)[i];
    }
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    rc = compare(k, in, x, all, *n, e);
    if (rc == -1)
        ledger_rollback(k->ledger);
    return rc == 0 ? ledger_commit(k->ledger, e) : -1;
}

/* ---- waiting ------------------------------------------------------------- */

int64_t fetch_timeout(const struct keeper *k)
{
    int64_t at = INT64_MAX, now = clock_ms();

    for (const struct remote_inbox *x = k->remote_inboxes; x; x = x->next)
        if (x->state == IDLE && x->is_open && !x->waits_for_line &&
            x->due_ms < at)
            at = x->due_ms;
    return at == INT64_MAX ? -1 : at > now ? at - now : 0;
}

/* A file that grows and grows is left for the next run. */
static bool waits_for_end(const struct remote_inbox *x)
{
    return x->is_due_soon && !x->waits_for_line && clock_ms() < x->soon_end_ms;
}

bool fetch_busy(const struct keeper *k)
{
    for (const struct remote_inbox *x = k->remote_inboxes; x; x = x->next)
        if (x->state != IDLE || waits_for_end(x))
            return true;
    return fetch_hauls(k);
}

void fetch_end(struct keeper *k)
{
    while (k->remote_inboxes) {
        struct remote_inbox *x = k->remote_inboxes;

        k->remote_inboxes = x->next;
        free_inbox(x);
    }
    fetch_drop_hauls(k);
}
