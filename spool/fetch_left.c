/*
 * fetch_left.c - what is left on partners' servers of files that are ours.
 *
 *   BEHIND   of claims that are TAKEN: LOOK whether the next file of that name
 *            has come, if a route has trigger files: then the trigger is its
 *   DISPOSE  REMOVE the trigger; REMOVE, or RENAME into the partner's folder of
 *            fetched files; commit that nothing is left
 *
 * With `after fetch keep` there is something left only of files that were
 * claimed before the configuration said so: they go back under their names, and
 * are remembered before, so that no listing in between takes them again.
 */
#include <stdio.h>

#include "spool/closed.h"
#include "spool/fetch_inside.h"
#include "spool/scan.h"
#include "spool/ship.h"

/* Is what was fetched out of the way, in .claim/? */
static bool is_claimed(const struct hauled *x)
{
    return str_starts(x->c.there, STR(CLAIM_FOLDER "/"));
}

static bool keeps(const struct haul *h)
{
    return h->partner->remote->after == AFTER_KEEP;
}

static bool has_trigger(const struct haul *h, const struct claim *c)
{
    for (const struct route *r = h->conf->routes; r; r = r->next)
        if (r->trigger.len && route_takes(r, c->partner, c->folder, c->name))
            return true;
    return false;
}

void left_look(struct haul *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (is_claimed(&h->v[i]) && (keeps(h) || has_trigger(h, &h->v[i].c)))
            haul_look(h, haul_path(h, &h->v[i].c, h->v[i].c.name),
                      &h->v[i].asked);
    h->next_step = DISPOSE;
}

/* It has done its duty, and must not speak for the next file of that name. */
static void drop_triggers(struct haul *h, const struct hauled *x)
{
    const struct claim *c = &x->c;
    char other[SCAN_NAME];

    if (is_claimed(x) && x->asked.f.how != OUTCOME_ABSENT)
        return;
    for (const struct route *r = h->conf->routes; r; r = r->next)
        for (int instead = 0; r->trigger.len && instead <= 1; instead++)
            if (route_takes(r, c->partner, c->folder, c->name) &&
                scan_trigger_name(c->name, r->trigger, instead, other))
                haul_remove(h, haul_path(h, c, str_of(other)), UINT64_MAX,
                            UINT64_MAX,
                            arena_alloc(&h->arena, sizeof(struct errand)));
}

/* Files of one name may be fetched every night. */
static struct str moved_path(struct haul *h, const struct hauled *x)
{
    const struct remote *r = h->partner->remote;
    char part[16];

    snprintf(part, sizeof(part), "%.8s-", x->c.id);
    return remote_path(
        &h->arena, r, r->moved_to,
        x->asked.f.how == OUTCOME_TAKEN
            ? arena_fmt(&h->arena, "%s%.*s", part, STR_ARGS(x->c.name))
            : x->c.name);
}

static void dispose(struct haul *h, struct hauled *x)
{
    if (h->partner->remote->after == AFTER_MOVE)
        haul_rename(h, haul_path(h, &x->c, x->c.there), moved_path(h, x),
                    &x->asked);
    else
        haul_remove(h, haul_path(h, &x->c, x->c.there),
                    is_claimed(x) ? UINT64_MAX : x->c.seen.size,
                    is_claimed(x) ? UINT64_MAX : (uint64_t)x->c.seen.mtime_ns,
                    &x->asked);
}

/* Its name was looked at, unless it lies there still. */
static int give_back(struct keeper *k, struct haul *h, struct hauled *x,
                     struct err *e)
{
    struct failure *f = &x->asked.f;

    if (!is_claimed(x) || (f->how != OUTCOME_ABSENT && f->how != OUTCOME_OK))
        return 0;
    if (f->how == OUTCOME_OK) {
        failed(f, OUTCOME_TAKEN, "its name is in use again");
        return 0;
    }
    if (haul_remember(k, &x->c, e) == -1)
        return -1;
    haul_rename(h, haul_path(h, &x->c, x->c.there),
                haul_path(h, &x->c, x->c.name), &x->asked);
    return 0;
}

int left_dispose(struct keeper *k, struct haul *h, struct err *e)
{
    h->next_step = DISPOSED;
    for (size_t i = 0; i < h->n; i++) {
        struct hauled *x = &h->v[i];

        if (keeps(h)) {
            if (give_back(k, h, x, e) == -1)
                return -1;
            continue;
        }
        if (has_trigger(h, &x->c))
            drop_triggers(h, x);
        dispose(h, x);
    }
    return 0;
}

/* It cannot go; it is remembered, and not taken again. */
static int leave(struct keeper *k, struct haul *h, const struct hauled *x,
                 struct err *e)
{
    keeper_trouble(k, "%.*s %.*s was fetched and cannot %s: %s",
                   STR_ARGS(h->partner->name), STR_ARGS(x->c.name),
                   keeps(h) ? "go back under its name" : "be removed",
                   x->asked.f.text);
    place_reopen(k, h->partner->name, str_of(x->c.id));
    return ledger_there(k->ledger, &x->c, STR(""), e);
}

static int is_disposed(struct keeper *k, const struct haul *h,
                       const struct hauled *x, struct err *e)
{
    k->again = true;
    if (!keeps(h) && str_eq(x->c.there, x->c.name) &&
        haul_forget(k, &x->c, e) == -1)
        return -1;
    place_reopen(k, h->partner->name, str_of(x->c.id));
    return ledger_there(k->ledger, &x->c, STR(""), e);
}

static void not_yet(struct keeper *k, const struct haul *h,
                    const struct hauled *x, const char *why)
{
    keeper_trouble(k, "%.*s %.*s was fetched and is not %s yet: %s",
                   STR_ARGS(h->partner->name), STR_ARGS(x->c.name),
                   keeps(h) ? "back under its name"
                   : h->partner->remote->after == AFTER_MOVE ? "moved"
                                                             : "removed",
                   why);
    place_close(k, h->partner->name, str_of(x->c.id));
}

/* "No such file" of a rename: the file is gone, or the folder is not there. */
static int on_looked_for(struct keeper *k, struct haul *h, struct hauled *x,
                         struct err *e)
{
    x->how = WAITS;
    if (x->asked.f.how == OUTCOME_ABSENT)
        return is_disposed(k, h, x, e);
    if (x->asked.f.how != OUTCOME_LOST)
        not_yet(k, h, x,
                arena_fmt(&h->arena, "there is no folder %.*s",
                          STR_ARGS(h->partner->remote->moved_to))
                    .p);
    return 0;
}

static int disposed_one(struct keeper *k, struct haul *h, struct hauled *x,
                        struct err *e)
{
    if (x->how == IS_LOOKED_FOR)
        return on_looked_for(k, h, x, e);
    switch (x->asked.f.how) {
    case OUTCOME_ABSENT:
        if (h->partner->remote->after == AFTER_MOVE) {
            x->how = IS_LOOKED_FOR;
            return 0;
        }
        return is_disposed(k, h, x, e);
    case OUTCOME_OK:
    case OUTCOME_CHANGED: /* another file has the name: ours is gone */
        return is_disposed(k, h, x, e);
    case OUTCOME_DENIED:
        k->again = true;
        return leave(k, h, x, e);
    case OUTCOME_TAKEN:
        if (keeps(h)) {
            k->again = true;
            return leave(k, h, x, e);
        }
        x->how = GOES_BACK; /* once more, under another name */
        return 0;
    case OUTCOME_LOST:
        return 0;
    default:
        not_yet(k, h, x, x->asked.f.text);
        return 0;
    }
}

int left_disposed(struct keeper *k, struct haul *h, bool *over, struct err *e)
{
    *over = true;
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    for (size_t i = 0; i < h->n; i++)
        if (disposed_one(k, h, &h->v[i], e) == -1) {
            ledger_rollback(k->ledger);
            return -1;
        }
    if (ledger_commit(k->ledger, e) == -1)
        return -1;
    for (size_t i = 0; i < h->n; i++) {
        struct hauled *x = &h->v[i];

        if (x->how == GOES_BACK) {
            x->how = WAITS;
            *over = false;
            dispose(h, x);
        } else if (x->how == IS_LOOKED_FOR && x->asked.f.how != OUTCOME_LOST) {
            *over = false;
            haul_look(h, haul_path(h, &x->c, x->c.there), &x->asked);
        } else {
            x->asked.f.how = OUTCOME_LOST; /* done: not looked at again */
        }
    }
    return 0;
}
