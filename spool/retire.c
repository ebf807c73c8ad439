#include "spool/retire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "spool/files.h"

enum {
    DAY = 86400,
    PAGE = 64,  /* jobs */
    PAGES = 16, /* of a step that finds nothing to remove */
    ORDER_DAYS = 400,
    SNAPSHOT_DAYS = 7,
    SNAPSHOT_FILES = 10,
};

/* ---- how long ----------------------------------------------------------- */

/* A route that is gone from the configuration is taken for the careful one. */
static struct keep keep_of(const struct keeper *k, const struct receipt *r)
{
    const struct route *x = conf_route(k->conf, r->route);
    struct keep keep = { .days = ORDER_DAYS };

    if (x && x->keep.given)
        return x->keep;
    if (k->conf->keep.given)
        return k->conf->keep;
    if (x && !r->once && !conf_happens_once(x))
        keep = (struct keep){ .days = SNAPSHOT_DAYS, .files = SNAPSHOT_FILES };
    return keep;
}

static bool is_old(const struct keeper *k, const struct receipt *r)
{
    struct keep keep = keep_of(k, r);

    return !keep.for_ever &&
           r->taken_at <= clock_now() - (int64_t)keep.days * DAY;
}

static int is_over(struct keeper *k, const struct receipt *r, bool *over,
                   struct err *e)
{
    struct keep keep = keep_of(k, r);
    uint64_t job;

    *over = false;
    if (!is_old(k, r) || !r->ended_at || r->job == k->last_job)
        return 0;
    if (ledger_nth_done(k->ledger, r->route, keep.files ? keep.files : 1, &job,
                        e) == -1)
        return -1;
    *over = r->state != RECEIPT_DONE || r->job < job;
    return 0;
}

/* On all its routes. */
static int claim_is_over(struct keeper *k, const struct claim *c, bool *over,
                         struct err *e)
{
    const struct ledger_find mine = { .claim = c->id };
    struct receipt *r;
    size_t n;

    *over = c->state == CLAIM_ARCHIVED && !c->expired_at;
    if (ledger_receipts(k->ledger, &mine, &k->item, &r, &n, e) == -1)
        return -1;
    for (size_t i = 0; *over && i < n; i++)
        if (is_over(k, &r[i], over, e) == -1)
            return -1;
    return 0;
}

/* ---- step 1 ------------------------------------------------------------- */

static int expire_page(struct keeper *k, const struct receipt *r, size_t n,
                       size_t *n_expired, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct claim *c;
        bool over;

        arena_reset(&k->item);
        if (ledger_find_claim(k->ledger, r[i].claim, &k->item, &c, e) == -1)
            return -1;
        if (!c)
            continue;
        if (claim_is_over(k, c, &over, e) == -1 ||
            (over && ledger_expire(k->ledger, c->id, e) == -1))
            return -1;
        *n_expired += over;
    }
    return 0;
}

/* The next page; *looked false: all routes were looked at. */
static int look_on(struct keeper *k, size_t *n_expired, bool *looked,
                   struct err *e)
{
    struct retiring *x = &k->retiring;
    struct receipt *r;
    struct str next;
    size_t n;

    *looked = true;
    if (!x->route.p)
        x->route = STR("");
    if (ledger_ended(k->ledger, x->route, x->after, PAGE, &k->arena, &r, &n,
                     e) == -1)
        return -1;
    if (n && expire_page(k, r, n, n_expired, e) == -1)
        return -1;
    if (n == PAGE && is_old(k, &r[n - 1])) {
        x->after = r[n - 1].job;
        return 0;
    }
    if (ledger_next_route(k->ledger, x->route, &k->arena, &next, e) == -1)
        return -1;
    *looked = next.p != NULL;
    arena_reset(&x->arena);
    x->route = next.p ? arena_str(&x->arena, next) : STR("");
    x->after = 0;
    return 0;
}

static int expire(struct keeper *k, bool *more, struct err *e)
{
    size_t n_expired = 0;

    *more = true;
    if (keeper_last_job(k, &k->last_job, e) == -1 ||
        ledger_begin(k->ledger, e) == -1)
        return -1;
    for (int i = 0; i < PAGES && n_expired == 0 && *more; i++)
        if (look_on(k, &n_expired, more, e) == -1) {
            ledger_rollback(k->ledger);
            return -1;
        }
    if (!*more &&
        ledger_forget_old(k->ledger, clock_now() - ORDER_DAYS * (int64_t)DAY,
                          PAGE, e) == -1) {
        ledger_rollback(k->ledger);
        return -1;
    }
    return ledger_commit(k->ledger, e);
}

/* ---- steps 2 and 3 ------------------------------------------------------ */

static int remove_folder(struct keeper *k, const char *day, uint64_t job)
{
    char from[64], to[48];

    snprintf(from, sizeof(from), "%s/%llu", day, (unsigned long long)job);
    snprintf(to, sizeof(to), "tmp/expired-%llu", (unsigned long long)job);
    if (tree_remove(k->spool_fd, to) == -1)
        return -1;
    if (renameat(k->spool_fd, from, k->spool_fd, to) == -1)
        return errno == ENOENT ? 0 : -1;
    return tree_remove(k->spool_fd, to);
}

static int remove_files(struct keeper *k, const struct claim *c,
                        const char *day, struct err *e)
{
    const struct ledger_find mine = { .claim = c->id };
    struct str path = arena_fmt(&k->item, "archive/%.*s", STR_ARGS(c->archive));
    struct receipt *r;
    size_t n;

    if (ledger_receipts(k->ledger, &mine, &k->item, &r, &n, e) == -1)
        return -1;
    if (unlinkat(k->spool_fd, path.p, 0) == -1 && errno != ENOENT)
        return err_sys(e, ERR_RETRY, "cannot remove %s", path.p);
    for (size_t i = 0; i < n; i++)
        if (remove_folder(k, day, r[i].job) == -1)
            return err_sys(e, ERR_RETRY, "cannot remove %s/%llu", day,
                           (unsigned long long)r[i].job);
    return 0;
}

static int sync_if_there(struct keeper *k, const char *folder)
{
    return folder_sync(k->spool_fd, str_of(folder)) == 0 || errno == ENOENT
               ? 0
               : -1;
}

/* A folder has moved when both ends of its move are durable. A day, a month
 * and a year that are empty go, too. */
static int sync_day(struct keeper *k, char *day, struct err *e)
{
    if (sync_if_there(k, day) == -1 || sync_if_there(k, "tmp") == -1)
        return err_sys(e, ERR_RETRY, "cannot sync %s", day);
    for (int i = 0; i < 3; i++) {
        if (unlinkat(k->spool_fd, day, AT_REMOVEDIR) == -1)
            break;
        *strrchr(day, '/') = '\0';
    }
    return 0;
}

/* ---- all of it ---------------------------------------------------------- */

/* Step 4. The line of history has the newest number: that must not go. */
static int forget(struct keeper *k, const struct claim *c, const bool *gone,
                  size_t n, struct err *e)
{
    uint64_t n_gone = 0;
    int rc;

    for (size_t i = 0; i < n; i++)
        n_gone += gone[i];
    if (n_gone == 0)
        return 0;
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    rc = ledger_note(k->ledger, 0, "removed",
                     arena_fmt(&k->item,
                               "%llu %s had been kept long enough, and went "
                               "from the archive",
                               (unsigned long long)n_gone,
                               n_gone == 1 ? "file" : "files"),
                     e);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (gone[i])
            rc = ledger_forget(k->ledger, c[i].id, e);
    if (rc == -1) {
        ledger_rollback(k->ledger);
        return -1;
    }
    return ledger_commit(k->ledger, e);
}

/* Steps 2 and 3; gone[i] says which have nothing left. In order of days. */
static int remove_all(struct keeper *k, const struct claim *c, bool *gone,
                      size_t n, struct err *e)
{
    size_t first = 0; /* of the day at hand */
    int rc = 0;

    for (size_t i = 0; i < n; i++) {
        struct str day = archive_day(&c[i]);
        char folder[32];

        snprintf(folder, sizeof(folder), "archive/%.*s", STR_ARGS(day));
        arena_reset(&k->item);
        gone[i] = remove_files(k, &c[i], folder, e) == 0;
        if (!gone[i])
            rc = -1;
        if (!gone[i] && e->next == ERR_STOP)
            return -1;
        if (i + 1 < n && str_eq(archive_day(&c[i + 1]), day))
            continue;
        if (sync_day(k, folder, e) == -1) {
            rc = -1;
            memset(gone + first, 0, (i + 1 - first) * sizeof(*gone));
        }
        first = i + 1;
    }
    return rc;
}

int keeper_retire(struct keeper *k, bool *more, struct err *e)
{
    bool gone[PAGE] = { false };
    struct claim *c;
    size_t n;

    *more = true;
    if (ledger_expired(k->ledger, PAGE, &k->arena, &c, &n, e) == -1)
        return -1;
    if (n == 0 && (expire(k, more, e) == -1 ||
                   ledger_expired(k->ledger, PAGE, &k->arena, &c, &n, e) == -1))
        return -1;
    if (remove_all(k, c, gone, n, e) == -1) {
        if (e->next == ERR_STOP)
            return -1;
        keeper_trouble(k, "archive: %s", e->text);
        *more = false; /* the disk has a while to get better */
    }
    return forget(k, c, gone, n, e);
}
