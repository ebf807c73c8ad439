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

        if (d[i].kind == OUT_ORIGINAL || seen_before(d, i))
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

static int walk_claim(struct walk *w, const struct claim *c, struct err *e)
{
    const struct ledger_find mine = { .claim = c->id };
    struct archived x = { .claim = c,
                          .path = c->archive,
                          .bytes = c->seen.size,
                          .sha256 = c->sha256 };
    struct receipt *r;
    struct stat st;
    char day[11];
    size_t n;

    stamp_folder(c->taken_at, day);
    if (fstatat(w->spool_fd, arena_fmt(&w->arena, "archive/%s", day).p, &st,
                0) == -1) {
        w->n->n_removed++;
        return 0;
    }
    if (ledger_receipts(w->l, &mine, &w->arena, &r, &n, e) == -1)
        return -1;
    x.job = n ? r[0].job : 0;
    w->n->n_originals++;
    if (w->look(w->ctx, &x, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (walk_results(w, c, day, &r[i], e) == -1)
            return -1;
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
    char after[ID_HEX + 1] = "";
    struct claim *c;
    size_t n_page;
    int rc = 0;

    *n = (struct walk_counts){ 0 };
    do {
        arena_reset(&page);
        rc =
            ledger_archived_after(l, after, since, PAGE, &page, &c, &n_page, e);
        for (size_t i = 0; rc == 0 && i < n_page; i++) {
            rc = walk_claim(&w, &c[i], e);
            arena_reset(&w.arena);
            memcpy(after, c[i].id, sizeof(after));
        }
    } while (rc == 0 && n_page == PAGE);
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

    *yes = rc == 0 && now && now->state == CLAIM_ARCHIVED;
    arena_release(&a);
    return rc;
}
