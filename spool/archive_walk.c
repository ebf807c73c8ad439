#include "spool/archive_walk.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "spool/files.h"
#include "spool/stamp.h"

enum { PAGE = 256 };

struct walk {
    struct ledger *l;
    int spool_fd;
    int (*look)(void *ctx, const struct archived *x, struct err *e);
    void *ctx;
    struct walk_counts *n;
    struct arena arena; /* of the claim at hand */
};

/* Two destinations of one output, or one that was sent again. */
static bool seen_before(const struct delivery *d, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (d[j].kind != OUT_ORIGINAL && str_eq(d[j].path, d[i].path))
            return true;
    return false;
}

static int walk_results(struct walk *w, const struct claim *c, const char *day,
                        const struct receipt *r, struct err *e)
{
    struct delivery *d;
    size_t n;

    if (ledger_deliveries(w->l, r->id, 0, &w->arena, &d, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct archived x = { .claim = c, .job = r->job, .is_result = true };

        if (d[i].kind == OUT_ORIGINAL || !d[i].path.len || seen_before(d, i))
            continue;
        x.path = arena_fmt(&w->arena, "%s/%llu/%.*s", day,
                           (unsigned long long)r->job, STR_ARGS(d[i].path));
        x.bytes = d[i].bytes;
        x.sha256 = d[i].sha256;
        w->n->n_results++;
        if (w->look(w->ctx, &x, e) == -1)
            return -1;
    }
    return 0;
}

static bool day_is_there(struct walk *w, const char *day)
{
    struct stat st;

    return fstatat(w->spool_fd, arena_fmt(&w->arena, "archive/%s", day).p, &st,
                   0) == 0;
}

/* The original goes with the first job of its claim, whose number it has. */
static int walk_job(struct walk *w, const struct receipt *r, struct err *e)
{
    struct archived x = { .job = r->job };
    struct claim *c;
    char day[11];
    bool first;

    if (ledger_find_claim(w->l, r->claim, &w->arena, &c, e) == -1)
        return -1;
    if (!c || c->state != CLAIM_ARCHIVED || c->expired_at)
        return 0;
    stamp_folder(c->taken_at, day);
    first = str_starts(c->archive, arena_fmt(&w->arena, "%s/%llu-", day,
                                             (unsigned long long)r->job));
    if (!day_is_there(w, day)) {
        w->n->n_removed += first;
        return 0;
    }
    if (first) {
        x.claim = c;
        x.path = c->archive;
        x.bytes = c->seen.size;
        x.sha256 = c->sha256;
        w->n->n_originals++;
        if (w->look(w->ctx, &x, e) == -1)
            return -1;
    }
    return walk_results(w, c, day, r, e);
}

static int last_job(struct ledger *l, struct arena *a, uint64_t *job,
                    struct err *e)
{
    const struct ledger_find newest = { .last = 1 };
    struct receipt *r;
    size_t n;

    if (ledger_receipts(l, &newest, a, &r, &n, e) == -1)
        return -1;
    *job = n ? r[0].job : 0;
    return 0;
}

int archive_walk(struct ledger *l, int spool_fd, int64_t since,
                 int (*look)(void *ctx, const struct archived *x,
                             struct err *e),
                 void *ctx, struct walk_counts *n, struct err *e)
{
    struct walk w = {
        .l = l, .spool_fd = spool_fd, .look = look, .ctx = ctx, .n = n
    };
    struct arena page = { 0 };
    uint64_t last = 0;
    int rc = last_job(l, &page, &last, e);

    *n = (struct walk_counts){ 0 };
    for (uint64_t job = 1; rc == 0 && job <= last; job += PAGE) {
        const struct ledger_find f = { .since = job, .until = job + PAGE - 1 };
        struct receipt *r;
        size_t n_page;

        arena_reset(&page);
        rc = ledger_receipts(l, &f, &page, &r, &n_page, e);
        for (size_t i = 0; rc == 0 && i < n_page; i++) {
            if (r[i].taken_at >= since)
                rc = walk_job(&w, &r[i], e);
            arena_reset(&w.arena);
        }
    }
    arena_release(&page);
    arena_release(&w.arena);
    return rc;
}

int archive_still(struct ledger *l, const struct claim *c, bool *yes,
                  struct err *e)
{
    struct arena a = { 0 };
    struct claim *now;
    int rc = ledger_find_claim(l, c->id, &a, &now, e);

    *yes = rc == 0 && now && now->state == CLAIM_ARCHIVED && !now->expired_at;
    arena_release(&a);
    return rc;
}
