#include "spool/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "spool/files.h"

enum { MAX_LISTED = 1000 };

static void fault(struct audit *x, uint64_t job, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fault(struct audit *x, uint64_t job, const char *fmt, ...)
{
    struct audit_fault *f;
    char text[512];
    va_list ap;

    if (x->n_faults++ >= MAX_LISTED)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    f = arena_alloc(x->arena, sizeof(*f));
    f->job = job;
    f->text = arena_str(x->arena, str_of(text));
    *x->last = f;
    x->last = &f->next;
}

/* ---- files and records -------------------------------------------------- */

static void add_up(struct audit *x, const struct audit_route *r)
{
    uint64_t sum = 0;

    for (int i = 0; i < N_RECEIPT_STATES; i++)
        sum += r->n[i];
    if (r->n_received != sum)
        fault(x, 0,
              "route %.*s: %llu files were received by the history, "
              "%llu by their states",
              STR_ARGS(r->route), (unsigned long long)r->n_received,
              (unsigned long long)sum);
    if (r->n_uneven)
        fault(x, r->uneven,
              "route %.*s: the records of %llu jobs do not add "
              "up; this is the first",
              STR_ARGS(r->route), (unsigned long long)r->n_uneven);
}

static int count(struct audit *x, struct err *e)
{
    uint64_t n_lost, first;

    if (ledger_audit(x->ledger, x->since, x->arena, &x->routes, &x->n_routes,
                     e) == -1 ||
        ledger_lost_jobs(x->ledger, x->since, &n_lost, &first, e) == -1)
        return -1;
    for (size_t i = 0; i < x->n_routes; i++)
        add_up(x, &x->routes[i]);
    if (n_lost)
        fault(x, first,
              "%llu jobs were received and are not in the ledger "
              "any more; this is the first",
              (unsigned long long)n_lost);
    return 0;
}

/* ---- the archive -------------------------------------------------------- */

/* Is the file what its row says? Else why not. */
static const char *wrong(struct audit *x, const struct archived *f)
{
    char path[1024];
    struct content got;
    int fd, rc;

    snprintf(path, sizeof(path), "archive/%.*s", STR_ARGS(f->path));
    fd = openat(x->spool_fd, path,
                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1)
        return errno == ENOENT ? "is not there" : "cannot be read";
    rc = content_copy(fd, -1, UINT64_MAX, &got);
    close(fd);
    if (rc == -1)
        return "cannot be read";
    return strcmp(got.sha256, f->sha256) == 0 ? NULL : "has another content";
}

static int look(void *ctx, const struct archived *f, struct err *e)
{
    struct audit *x = ctx;
    const char *why = wrong(x, f);
    bool still;

    if (!why)
        return 0;
    if (archive_still(x->ledger, f->claim, &still, e) == -1)
        return -1;
    if (still)
        fault(x, f->job, "archive/%.*s %s", STR_ARGS(f->path), why);
    return 0;
}

int audit(struct audit *x, struct err *e)
{
    int rc;

    x->last = &x->faults;
    if (ledger_freeze(x->ledger, e) == -1)
        return -1;
    rc = count(x, e);
    ledger_thaw(x->ledger);
    if (rc == -1)
        return -1;
    return archive_walk(x->ledger, x->spool_fd, x->since, look, x, &x->archive,
                        e);
}
