/*
 * ship.c - deliveries to partners' servers: what deliver.c and publish.c do
 * with folders, by a courier.
 *
 *   begin     each file's source is checked, and WRITE sent under its
 *             temporary name; of one that was RENAMING, both names are looked
 *             at
 *   written   all answers are there: commit RENAMING, of all at once; then
 *             RENAME, each
 *   renamed   all answers are there: names that are taken are looked at
 *   looked    whose they are; the trigger files, if the partner wants some
 *   settled   commit DELIVERED, of all at once
 *
 * A shipment is up to 64 files for one partner; its steps are taken when all
 * answers of the last one are in, and the keeper never waits for them. A name
 * in a folder is in one shipment at a time. The states, and what follows if we
 * die, are those of publish.h. A line that is lost is to a file what the end of
 * the keeper would be: READY is written again, RENAMING is looked at on both
 * names. A shipment ends over the connection, and by the configuration, that it
 * began with.
 *
 * `folder_id` is the partner's address: a file whose partner has moved since
 * it was written is UNCONFIRMED, as in publish.h.
 */
#include "spool/ship.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/closed.h"
#include "spool/couriers.h"
#include "spool/deliver.h"
#include "spool/files.h"
#include "spool/publish.h"

/*
 * Milliseconds between two looks at names that were taken; rows that are read
 * to find a shipment: some are under way, some for folders that are closed;
 * shipments on a line: while the names of one are changed, the other is
 * written.
 */
enum { HELD_APART = 30000, MOST_ROWS = 512, AT_ONCE = 2 };

struct shipped {
    struct publishing *p;
    struct delivery d;
    enum outcome how;               /* it failed: whose fault it is */
    struct str part, final, signal; /* on the server */
    int from_fd;
    bool is_taken; /* its name was, when it was to be renamed */
    /* LOOK; at_final is of the others, too. at_temp: the folder of temporary
     * names, if it is another one. */
    struct errand at_part, at_final, at_folder, at_temp;
};

struct shipment {
    struct arena arena;
    const struct partner *partner; /* of `conf`, which is kept meanwhile */
    struct conf *conf;
    struct talk talk;
    struct shipped *v;
    struct publishing *p; /* of each */
    size_t n;
    enum { BEGIN, WRITTEN_ALL, RENAMED_ALL, LOOKED_ALL, SETTLE } next_step;
    struct shipment *next;
};

/* ---- names on the server ------------------------------------------------- */

static struct str join(struct arena *a, struct str folder, struct str name)
{
    if (!folder.len)
        return arena_str(a, name);
    return arena_fmt(a, "%.*s%s%.*s", STR_ARGS(folder),
                     folder.p[folder.len - 1] == '/' ? "" : "/",
                     STR_ARGS(name));
}

struct str remote_path(struct arena *a, const struct remote *r,
                       struct str folder, struct str name)
{
    struct str at = folder.len ? join(a, r->base, folder) : r->base;

    return name.len ? join(a, at, name) : at.len ? at : STR(".");
}

static struct str id_of(struct arena *a, const struct remote *r)
{
    return r->temp.len ? arena_fmt(a, "%.*s %.*s", STR_ARGS(r->address),
                                   STR_ARGS(r->temp))
                       : r->address;
}

static struct delivery copy_of(struct arena *a, const struct delivery *d)
{
    struct delivery out = *d;

    out.path = arena_str(a, d->path);
    out.partner = arena_str(a, d->partner);
    out.folder = arena_str(a, d->folder);
    out.name = arena_str(a, d->name);
    out.folder_id = arena_str(a, d->folder_id);
    out.why = arena_str(a, d->why);
    return out;
}

static void name_all(struct shipment *s, struct shipped *x)
{
    const struct remote *r = s->partner->remote;
    struct arena *a = &s->arena;
    char part[PART_NAME];

    publish_part_name(&x->d, part);
    x->part =
        remote_path(a, r, r->temp.len ? r->temp : x->d.folder, str_of(part));
    x->final = remote_path(a, r, x->d.folder, x->d.name);
    if (s->partner->trigger.len && x->d.kind == OUT_FILE)
        x->signal = arena_fmt(a, "%.*s%.*s", STR_ARGS(x->final),
                              STR_ARGS(s->partner->trigger));
}

/* ---- asking -------------------------------------------------------------- */

/* What it does, no later step relies on. */
static void post_and_forget(struct shipment *s, struct wire *w)
{
    talk_send(&s->talk, w, arena_alloc(&s->arena, sizeof(struct errand)), 0);
}

static void ask_write(struct shipment *s, struct str path, uint64_t size,
                      int fd, struct errand *x)
{
    struct wire *w = talk_begin(&s->talk, WIRE_WRITE);

    wire_put_str(w, path);
    wire_put(w, size);
    wire_put(w, 0);
    w->fd = fd;
    talk_send(&s->talk, w, x, size);
}

static void ask_look(struct shipment *s, struct str path, uint64_t size, int fd,
                     struct errand *x)
{
    struct wire *w = talk_begin(&s->talk, WIRE_LOOK);

    wire_put_str(w, path);
    wire_put(w, size);
    w->fd = fd;
    talk_send(&s->talk, w, x, size == UINT64_MAX ? 0 : size);
}

static void ask_rename(struct shipment *s, struct shipped *x, bool replace)
{
    struct wire *w = talk_begin(&s->talk, WIRE_RENAME);

    wire_put_str(w, x->part);
    wire_put_str(w, x->final);
    wire_put(w, x->d.bytes);
    wire_put(w, replace ? WIRE_REPLACE : 0);
    talk_send(&s->talk, w, &x->at_final, 0);
}

/* A leftover of ours: nobody else uses that name. */
static void ask_remove(struct shipment *s, struct str path)
{
    struct wire *w = talk_begin(&s->talk, WIRE_REMOVE);

    wire_put_str(w, path);
    wire_put(w, UINT64_MAX);
    wire_put(w, UINT64_MAX);
    post_and_forget(s, w);
}

/* ---- how a file stands --------------------------------------------------- */

static void fail(struct shipped *x, const struct failure *f, const char *doing)
{
    x->p->rc = err_set(&x->p->e, ERR_RETRY, "%s%s%s", doing, *doing ? ": " : "",
                       f->text);
    x->p->step = SETTLED;
    x->how = f->how;
}

static bool is_ok(const struct errand *x)
{
    return x->f.how == OUTCOME_OK;
}

/* The staged file is what was committed, and open; nothing else travels. */
static int open_source(struct keeper *k, struct shipped *x)
{
    struct content got;
    struct err e;

    x->from_fd = deliver_open_source(k, &x->d, &e);
    if (x->from_fd == -1) {
        x->p->rc = -1;
        x->p->e = e;
        return -1;
    }
    if (content_copy(x->from_fd, -1, UINT64_MAX, &got) == -1)
        return x->p->rc = err_sys(&x->p->e, ERR_RETRY, "cannot read");
    if (got.bytes != x->d.bytes || strcmp(got.sha256, x->d.sha256) != 0)
        return x->p->rc = err_set(&x->p->e, ERR_HOLD,
                                  "the converted file in the spool is damaged");
    return 0;
}

/* ---- begin --------------------------------------------------------------- */

/* Folders of ours on his server, made once for each connection. */
static void make_folders(struct shipment *s)
{
    static const char *const ours[] = { "rejected", "reports" };

    for (size_t i = 0; i < COUNT(ours); i++)
        for (size_t j = 0; j < s->n; j++)
            if (s->v[j].d.kind != OUT_FILE &&
                str_is(s->v[j].d.folder, ours[i])) {
                struct wire *w = talk_begin(&s->talk, WIRE_MAKE_FOLDER);

                wire_put_str(w, remote_path(&s->arena, s->partner->remote,
                                            s->v[j].d.folder, STR("")));
                post_and_forget(s, w);
                break;
            }
}

static int begin_one(struct keeper *k, struct shipment *s, struct shipped *x,
                     struct err *e)
{
    const struct remote *r = s->partner->remote;

    if (x->d.state == DELIVERY_HELD) {
        ask_look(s, x->final, UINT64_MAX, -1, &x->at_final);
        return 0;
    }
    if (publish_begin(k->ledger, s->partner, x->p,
                      id_of(&s->arena, s->partner->remote), e) == -1)
        return -1;
    if (x->p->step == SETTLED)
        return 0;
    if (open_source(k, x) == -1) {
        x->p->step = SETTLED;
    } else if (x->p->step == TO_WRITE) {
        ask_write(s, x->part, x->d.bytes, x->from_fd, &x->at_final);
    } else {
        ask_look(s, x->part, UINT64_MAX, -1, &x->at_part);
        ask_look(s, x->final, x->d.bytes, x->from_fd, &x->at_final);
        ask_look(s, remote_path(&s->arena, r, x->d.folder, STR("")), UINT64_MAX,
                 -1, &x->at_folder);
        if (r->temp.len)
            ask_look(s, remote_path(&s->arena, r, r->temp, STR("")), UINT64_MAX,
                     -1, &x->at_temp);
    }
    return 0;
}

static int begin(struct keeper *k, struct shipment *s, struct err *e)
{
    make_folders(s);
    for (size_t i = 0; i < s->n; i++)
        if (begin_one(k, s, &s->v[i], e) == -1)
            return -1;
    s->next_step = WRITTEN_ALL;
    return 0;
}

/* ---- written ------------------------------------------------------------- */

static bool replaces(const struct shipment *s, const struct delivery *d)
{
    return publish_replaces(s->partner, d);
}

/* The name is taken: it waits, or takes another one. */
static int on_taken(struct keeper *k, struct shipment *s, struct shipped *x,
                    struct err *e)
{
    x->p->step = SETTLED;
    if (publish_taken(k->ledger, s->partner, &x->d, &s->arena, e) == -1)
        return -1;
    ask_remove(s, x->part);
    return 0;
}

/* It was RENAMING, and both names were looked at: the table of publish.h. */
static int on_looked(struct keeper *k, struct shipment *s, struct shipped *x,
                     struct err *e)
{
    enum outcome part = x->at_part.f.how, final = x->at_final.f.how;
    bool final_known = final == OUTCOME_OK || final == OUTCOME_OTHER ||
                       final == OUTCOME_ABSENT;

    /* That nothing is there proves something where there is a folder. */
    if (part == OUTCOME_ABSENT && final != OUTCOME_OK && final_known) {
        const struct errand *at =
            is_ok(&x->at_temp) ? &x->at_folder : &x->at_temp;

        if (at->f.how == OUTCOME_ABSENT) {
            x->p->step = SETTLED;
            return publish_unconfirmed(k->ledger, s->partner, &x->d,
                                       "the folder is not there any more; look "
                                       "there, then settle it",
                                       e);
        }
        if (!is_ok(at)) {
            fail(x, &at->f, "look");
            return 0;
        }
    }
    if (part == OUTCOME_ABSENT && final_known) {
        x->p->by_absence = final != OUTCOME_OK;
        x->p->step = RENAMED;
        return 0;
    }
    if ((part != OUTCOME_OK && part != OUTCOME_OTHER) || !final_known) {
        fail(x, final_known ? &x->at_part.f : &x->at_final.f, "look");
        return 0;
    }
    if (final == OUTCOME_OTHER && !replaces(s, &x->d))
        return on_taken(k, s, x, e);
    if (final == OUTCOME_OK && !replaces(s, &x->d)) {
        ask_remove(s, x->part);
        x->p->step = RENAMED;
        return 0;
    }
    x->p->step = TO_RENAME;
    return 0;
}

/* Its name is free; a person may have tried it again meanwhile. */
static int on_free(struct keeper *k, struct shipped *x, struct err *e)
{
    bool same;

    if (ledger_delivery_stands(k->ledger, &x->d, &same, e) == -1)
        return -1;
    return same ? ledger_delivery_again(k->ledger, &x->d, e) : 0;
}

/* What came of the first step. */
static int after_begin(struct keeper *k, struct shipment *s, struct shipped *x,
                       struct err *e)
{
    if (x->d.state == DELIVERY_HELD) {
        x->p->step = SETTLED;
        return x->at_final.f.how == OUTCOME_ABSENT ? on_free(k, x, e) : 0;
    }
    if (x->p->step == TO_RENAME)
        return on_looked(k, s, x, e);
    if (x->p->step != TO_WRITE)
        return 0;
    if (is_ok(&x->at_final))
        x->p->step = WRITTEN;
    else
        fail(x, &x->at_final.f, "");
    return 0;
}

/* The newer snapshot may have been there first. */
static int rename_one(struct keeper *k, struct shipment *s, struct shipped *x,
                      struct err *e)
{
    if (publish_give_way(k->ledger, &x->d, e) == -1)
        return -1;
    if (x->d.state != DELIVERY_SUPERSEDED) {
        ask_rename(s, x, replaces(s, &x->d));
        return 0;
    }
    x->p->step = SETTLED;
    ask_remove(s, x->part);
    return 0;
}

static int written_all(struct keeper *k, struct shipment *s, struct err *e)
{
    for (size_t i = 0; i < s->n; i++)
        if (after_begin(k, s, &s->v[i], e) == -1)
            return -1;
    if (publish_commit_written(k->ledger, s->p, s->n, e) == -1)
        return -1;
    for (size_t i = 0; i < s->n; i++)
        if (s->p[i].step == TO_RENAME && rename_one(k, s, &s->v[i], e) == -1)
            return -1;
    s->next_step = RENAMED_ALL;
    return 0;
}

/* ---- renamed ------------------------------------------------------------- */

/* It may be ours: a rename whose answer was lost can be done late, by a server
 * that did not know yet that the line was. */
static void look_whose_it_is(struct shipment *s, struct shipped *x)
{
    x->is_taken = true;
    ask_look(s, x->part, UINT64_MAX, -1, &x->at_part);
    ask_look(s, x->final, x->d.bytes, x->from_fd, &x->at_final);
}

static void renamed_all(struct shipment *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct shipped *x = &s->v[i];

        if (x->p->step != TO_RENAME)
            continue;
        if (is_ok(&x->at_final))
            x->p->step = RENAMED;
        else if (x->at_final.f.how == OUTCOME_TAKEN)
            look_whose_it_is(s, x);
        else
            fail(x, &x->at_final.f, "rename");
    }
    s->next_step = LOOKED_ALL;
}

static int on_taken_looked(struct keeper *k, struct shipment *s,
                           struct shipped *x, struct err *e)
{
    static const struct failure free_again = {
        .how = OUTCOME_TAKEN, .text = "the name was taken for a moment"
    };

    if (on_looked(k, s, x, e) == -1)
        return -1;
    if (x->p->step == TO_RENAME)
        fail(x, &free_again, "rename");
    return 0;
}

static int looked_all(struct keeper *k, struct shipment *s, struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        struct shipped *x = &s->v[i];

        if (x->p->step == TO_RENAME && x->is_taken &&
            on_taken_looked(k, s, x, e) == -1)
            return -1;
        if (x->p->step == RENAMED && x->signal.len && !x->p->by_absence)
            ask_write(s, x->signal, 0, x->from_fd, &x->at_part);
    }
    s->next_step = SETTLE;
    return 0;
}

/* ---- settled ------------------------------------------------------------- */

static int settle_one(struct keeper *k, const struct shipped *x, struct err *e)
{
    const struct delivery *d = &x->d;

    k->n_delivered += x->p->rc == 0 && d->state == DELIVERY_DELIVERED;
    /* It has got another name, or its name is free again. */
    k->again = k->again || (x->p->rc == 0 && d->state == DELIVERY_READY);
    if (x->p->rc == 0)
        return 0;
    if (x->p->e.next == ERR_HOLD && d->state == DELIVERY_READY)
        return ledger_delivery_held(k->ledger, d, false, x->p->e.text, e);
    if (place_is_closed(k, d->partner, d->folder))
        return 0;
    if (x->how != OUTCOME_LOST && place_close(k, d->partner, d->folder) == 1 &&
        x->how == OUTCOME_DENIED &&
        ledger_note(k->ledger, d->job, "denied", str_of(x->p->e.text), e) == -1)
        return -1;
    return deliver_waits(k, d, x->p->e.text, e);
}

static int settle(struct keeper *k, struct shipment *s, struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        struct shipped *x = &s->v[i];

        if (x->p->step == RENAMED && x->signal.len && !x->p->by_absence &&
            !is_ok(&x->at_part))
            fail(x, &x->at_part.f, "trigger");
        if (x->p->step == RENAMED)
            place_reopen(k, x->d.partner, x->d.folder);
    }
    if (publish_commit_renamed(k->ledger, s->p, s->n, e) == -1)
        return -1;
    for (size_t i = 0; i < s->n; i++)
        if (settle_one(k, &s->v[i], e) == -1)
            return -1;
    return 0;
}

/* ---- shipments ----------------------------------------------------------- */

static void release(struct shipment *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].from_fd != -1)
            close(s->v[i].from_fd);
    talk_end(&s->talk);
    s->conf->users--;
    arena_release(&s->arena);
    free(s);
}

/* As far as the answers allow. *over: it is settled. */
static int advance(struct keeper *k, struct shipment *s, bool *over,
                   struct err *e)
{
    *over = false;
    while (s->talk.n_open == 0 && !*over) {
        int rc = 0;

        switch (s->next_step) {
        case BEGIN:
            rc = begin(k, s, e);
            break;
        case WRITTEN_ALL:
            rc = written_all(k, s, e);
            break;
        case RENAMED_ALL:
            renamed_all(s);
            break;
        case LOOKED_ALL:
            rc = looked_all(k, s, e);
            break;
        case SETTLE:
            rc = settle(k, s, e);
            *over = true;
            break;
        }
        if (rc == -1)
            return -1;
    }
    return 0;
}

static int advance_all(struct keeper *k, struct err *e)
{
    for (struct shipment **p = &k->shipments; *p;) {
        struct shipment *s = *p;
        bool over;

        if (advance(k, s, &over, e) == -1)
            return -1;
        if (over) {
            *p = s->next;
            release(s);
        } else {
            p = &s->next;
        }
    }
    return 0;
}

static size_t n_shipped_to(const struct keeper *k, struct str partner)
{
    size_t n = 0;

    for (const struct shipment *s = k->shipments; s; s = s->next)
        n += str_eq(s->partner->name, partner);
    return n;
}

static bool any_of_that_name(const struct shipment *s, const struct delivery *d)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(s->v[i].d.name, d->name) &&
            str_eq(s->v[i].d.folder, d->folder))
            return true;
    return false;
}

bool ship_has(const struct keeper *k, const struct delivery *d)
{
    for (const struct shipment *s = k->shipments; s; s = s->next)
        for (size_t i = 0; i < s->n; i++)
            if (strcmp(s->v[i].d.id, d->id) == 0)
                return true;
    return false;
}

bool ship_has_job(const struct keeper *k, uint64_t job)
{
    for (const struct shipment *s = k->shipments; s; s = s->next)
        for (size_t i = 0; i < s->n; i++)
            if (s->v[i].d.job == job && s->v[i].p->step != SETTLED)
                return true;
    return false;
}

/* It is on its way, or one that has its name is. */
static bool is_under_way(const struct keeper *k, const struct delivery *d)
{
    for (const struct shipment *s = k->shipments; s; s = s->next)
        if (str_eq(s->partner->name, d->partner) && any_of_that_name(s, d))
            return true;
    return false;
}

static bool may_go(const struct keeper *k, const struct delivery *d)
{
    return !place_is_closed(k, d->partner, d->folder) && !is_under_way(k, d);
}

/* The next ones, as many as go together. */
static void load(struct keeper *k, struct shipment *s, const struct delivery *d,
                 size_t n)
{
    uint64_t bytes = 0;

    s->v = arena_alloc(&s->arena, TOGETHER_FILES * sizeof(*s->v));
    s->p = arena_alloc(&s->arena, TOGETHER_FILES * sizeof(*s->p));
    for (size_t i = 0; i < n; i++) {
        struct shipped *x = &s->v[s->n];

        if (!may_go(k, &d[i]))
            continue;
        if (!keeper_together(s->n, &bytes, d[i].bytes) ||
            any_of_that_name(s, &d[i]))
            break;
        *x = (struct shipped){ .d = copy_of(&s->arena, &d[i]),
                               .p = &s->p[s->n],
                               .from_fd = -1 };
        *x->p = (struct publishing){ .d = &x->d };
        name_all(s, x);
        s->n++;
    }
}

static int start(struct keeper *k, const struct partner *p,
                 const struct delivery *d, size_t n, struct err *e)
{
    const char *why;
    struct courier *c;
    struct shipment *s;
    size_t open = 0;

    while (open < n && !may_go(k, &d[open]))
        open++;
    if (open == n)
        return 0;
    c = courier_up(k, p, &why);
    if (!c)
        return why ? deliver_waits(k, &d[open], why, e) : 0;
    s = xcalloc(1, sizeof(*s));
    s->partner = p;
    s->conf = k->conf;
    s->conf->users++;
    s->talk = talk_with(c);
    load(k, s, d, n);
    s->next = k->shipments;
    k->shipments = s;
    return 0;
}

/* What waits for him, in order; the rows end behind one that may go, for those
 * of a folder that is closed hold up no other. */
static int waiting_for(struct keeper *k, const struct partner *p, bool held,
                       struct delivery **d, size_t *n, struct err *e)
{
    uint64_t max = MOST_ROWS;

    for (;; max *= 4) {
        if (ledger_waiting_for(k->ledger, p->name,
                               held ? p->held_after : INT64_MAX, max, &k->arena,
                               d, n, e) == -1)
            return -1;
        if (*n < max)
            return 0;
        for (size_t i = 0; i < *n; i++)
            if (may_go(k, &(*d)[i]))
                return 0;
    }
}

/* Of the shipment that has just begun. They are looked at in turns: as many as
 * go together, and then the next. */
static void note_held(struct keeper *k, struct partner *p)
{
    const struct shipment *s = k->shipments;

    p->held_ms = clock_ms();
    p->held_after = 0;
    for (size_t i = 0; s->n == TOGETHER_FILES && i < s->n; i++)
        if (s->v[i].d.state == DELIVERY_HELD)
            p->held_after = s->v[i].d.seq;
}

int keeper_ship(struct keeper *k, struct err *e)
{
    if (advance_all(k, e) == -1)
        return -1;
    for (struct partner *p = k->conf->partners; p; p = p->next) {
        bool held = clock_ms() - p->held_ms >= HELD_APART || !p->held_ms ||
                    p->held_after;
        const struct shipment *before = k->shipments;
        struct delivery *d;
        size_t n;

        if (!p->remote ||
            n_shipped_to(k, p->name) >= AT_ONCE * p->remote->n_lines)
            continue;
        if (waiting_for(k, p, held, &d, &n, e) == -1 ||
            (n && start(k, p, d, n, e) == -1))
            return -1;
        if (held && k->shipments != before)
            note_held(k, p);
        else if (held && n == 0)
            p->held_after = 0;
    }
    return advance_all(k, e);
}

bool ship_busy(const struct keeper *k)
{
    return k->shipments != NULL;
}

void ship_end(struct keeper *k)
{
    while (k->shipments) {
        struct shipment *s = k->shipments;

        k->shipments = s->next;
        release(s);
    }
}
