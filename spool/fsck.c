#include "spool/fsck.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/files.h"
#include "spool/generation.h"
#include "spool/keeper.h"
#include "spool/stamp.h"

const struct fsck_info fsck_table[N_FSCK_RULES] = {
#define X(number, id, where, act, text) \
    { number, FSCK_IN_##where, FSCK_##act, text },
    FSCK_RULES(X)
#undef X
};

enum { MAX_LISTED = 1000 };

/* Nobody reads more than that; all of them are counted. */
static struct finding *add(struct fsck *f, enum fsck_rule rule, uint64_t job,
                           struct str text)
{
    struct finding *x;

    if (!f->last)
        f->last = &f->findings;
    if (f->n++ >= MAX_LISTED)
        return NULL;
    x = arena_alloc(f->arena, sizeof(*x));
    x->rule = rule;
    x->job = job;
    x->text = arena_str(f->arena, text);
    *f->last = x;
    f->last = &x->next;
    return x;
}

static struct finding *vfound(struct fsck *f, enum fsck_rule rule, uint64_t job,
                              const char *fmt, va_list ap)
{
    char text[512];

    vsnprintf(text, sizeof(text), fmt, ap);
    return add(f, rule, job, str_of(text));
}

void fsck_found(struct fsck *f, enum fsck_rule rule, uint64_t job,
                const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfound(f, rule, job, fmt, ap);
    va_end(ap);
}

/* ---- files -------------------------------------------------------------- */

/* Is path a plain file of that size? Else why not. */
static const char *wrong(struct fsck *f, const char *path, uint64_t bytes)
{
    struct stat st;

    if (fstatat(f->spool_fd, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
        return errno == ENOENT ? "is not there" : "cannot be looked at";
    if (!S_ISREG(st.st_mode))
        return "is no plain file";
    return (uint64_t)st.st_size == bytes ? NULL : "has another size";
}

static struct str archived_at(struct fsck *f, const struct claim *c,
                              struct str below)
{
    char day[11];

    stamp_folder(c->taken_at, day);
    return arena_fmt(f->arena, "archive/%s/%.*s", day, STR_ARGS(below));
}

/* All of its jobs have ended: a crash may have left it half archived. */
static bool may_be_archived(struct fsck *f, const struct claim *c,
                            const struct receipt *r, size_t n)
{
    struct str name =
        arena_fmt(f->arena, "%llu-%.*s", (unsigned long long)r[0].job,
                  STR_ARGS(r[0].name));

    for (size_t i = 0; i < n; i++)
        if (!r[i].ended_at)
            return false;
    return !wrong(f, archived_at(f, c, name).p, c->seen.size);
}

static void look_at_original(struct fsck *f, const struct claim *c,
                             const struct receipt *r, size_t n)
{
    struct str path = arena_fmt(f->arena, "in/%s", c->id);
    const char *why = wrong(f, path.p, c->seen.size);

    if (!why || may_be_archived(f, c, r, n))
        return;
    for (size_t i = 0; i < n; i++) {
        struct finding *x;

        if (r[i].ended_at)
            continue;
        x = add(f, FSCK_ORIGINAL, r[i].job,
                arena_fmt(f->arena, "the original in the spool %s: %s", why,
                          path.p));
        if (x && r[i].state == RECEIPT_TAKEN)
            x->held = &r[i];
    }
}

static void look_at_result(struct fsck *f, const struct claim *c,
                           const struct receipt *r, const struct delivery *d)
{
    struct str path =
        arena_fmt(f->arena, "out/%s/%.*s", r->id, STR_ARGS(d->path));
    const char *why = wrong(f, path.p, d->bytes);
    struct finding *x;

    if (!why || !wrong(f,
                       archived_at(f, c,
                                   arena_fmt(f->arena, "%llu/%.*s",
                                             (unsigned long long)r->job,
                                             STR_ARGS(d->path)))
                           .p,
                       d->bytes))
        return;
    x = add(f, FSCK_RESULT, r->job,
            arena_fmt(f->arena, "the converted file %s: %s", why, path.p));
    if (x && d->state == DELIVERY_READY)
        x->held_output = d;
}

static int look_at_results(struct fsck *f, const struct receipt *r,
                           struct err *e)
{
    const unsigned may_be_sent =
        1u << DELIVERY_READY | 1u << DELIVERY_HELD | 1u << DELIVERY_UNCONFIRMED;
    struct delivery *d;
    struct claim *c;
    size_t n;

    if (ledger_deliveries(f->ledger, r->id, may_be_sent, f->arena, &d, &n, e) ==
            -1 ||
        ledger_find_claim(f->ledger, r->claim, f->arena, &c, e) == -1)
        return -1;
    for (size_t i = 0; c && i < n; i++)
        if (d[i].kind != OUT_ORIGINAL)
            look_at_result(f, c, r, &d[i]);
    return 0;
}

/* ---- what is at work ---------------------------------------------------- */

static int look_at_claims(struct fsck *f, struct err *e)
{
    struct claim *c;
    size_t n;

    if (ledger_claims(f->ledger, CLAIM_TAKEN, f->arena, &c, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct ledger_find mine = { .claim = c[i].id };
        struct receipt *r;
        size_t n_r;

        if (ledger_receipts(f->ledger, &mine, f->arena, &r, &n_r, e) == -1)
            return -1;
        if (n_r)
            look_at_original(f, &c[i], r, n_r);
    }
    return 0;
}

static int look_at_jobs(struct fsck *f, struct err *e)
{
    const struct ledger_find converted = { .states = 1u << RECEIPT_CONVERTED |
                                                     1u << RECEIPT_HELD };
    struct receipt *r;
    size_t n;

    if (ledger_receipts(f->ledger, &converted, f->arena, &r, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (look_at_results(f, &r[i], e) == -1)
            return -1;
    return 0;
}

/* ---- what belongs to nobody --------------------------------------------- */

static int claim_is_open(struct fsck *f, const char *id, bool *yes,
                         struct err *e)
{
    struct claim *c;

    if (ledger_find_claim(f->ledger, id, f->arena, &c, e) == -1)
        return -1;
    *yes = c && c->state != CLAIM_ARCHIVED;
    return 0;
}

static int receipt_is_open(struct fsck *f, const char *id, bool *yes,
                           struct err *e)
{
    char claim[ID_HEX + 1];

    if (ledger_claim_of(f->ledger, id, claim, e) == -1)
        return -1;
    return claim_is_open(f, claim, yes, e);
}

/* A folder of a job that is being converted; or a copy of a claimed file. */
static int is_at_work(struct fsck *f, const char *name, bool *yes,
                      struct err *e)
{
    const struct job_file *x;

    for (size_t i = 0; f->jobs && (x = jobs_file(f->jobs, i)); i++)
        if (strcmp(x->staging, name) == 0) {
            *yes = true;
            return 0;
        }
    return claim_is_open(f, name, yes, e);
}

static int look_for_litter(struct fsck *f, const char *folder,
                           int (*is_known)(struct fsck *f, const char *name,
                                           bool *yes, struct err *e),
                           struct err *e)
{
    int fd = dir_open_at(f->spool_fd, str_of(folder));
    DIR *dir = fd == -1 ? NULL : fdopendir(fd);
    struct dirent *d;
    int rc = 0;

    if (!dir) {
        fsck_found(f, FSCK_NO_LITTER, 0, "%s/ cannot be read", folder);
        return 0;
    }
    while (rc == 0 && (d = readdir(dir))) {
        bool known =
            strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0;

        if (!known)
            rc = is_known(f, d->d_name, &known, e);
        if (rc == 0 && !known)
            fsck_found(f, FSCK_NO_LITTER, 0, "%s/%s belongs to nobody", folder,
                       d->d_name);
    }
    closedir(dir);
    return rc;
}

int fsck_spool(struct fsck *f, struct err *e)
{
    if (look_at_claims(f, e) == -1 || look_at_jobs(f, e) == -1)
        return -1;
    if (f->at_start)
        return 0;
    if (generation_check(f->spool_fd, f->ledger, e) == -1)
        fsck_found(f, FSCK_GENERATION, 0, "%s", e->text);
    if (look_for_litter(f, "in", claim_is_open, e) == -1 ||
        look_for_litter(f, "out", receipt_is_open, e) == -1)
        return -1;
    /* Without a keeper at work, the next start sweeps it. */
    return f->jobs ? look_for_litter(f, "tmp", is_at_work, e) : 0;
}

/* ---- the archive -------------------------------------------------------- */

static int look_at_archived(void *ctx, const struct archived *x, struct err *e)
{
    struct fsck *f = ctx;
    char path[1024];
    const char *why;
    bool still;

    snprintf(path, sizeof(path), "archive/%.*s", STR_ARGS(x->path));
    why = wrong(f, path, x->bytes);
    if (!why)
        return 0;
    if (archive_still(f->ledger, x->claim, &still, e) == -1)
        return -1;
    if (still)
        fsck_found(f, FSCK_ARCHIVE, x->job, "%s %s", path, why);
    return 0;
}

int fsck_archive(struct fsck *f, struct err *e)
{
    return archive_walk(f->ledger, f->spool_fd, 0, look_at_archived, f,
                        &f->archive, e);
}

/* ---- as text ------------------------------------------------------------ */

struct str fsck_pack(const struct fsck *f, struct arena *a)
{
    struct buf b;
    struct str out;

    buf_init(&b, MB(4));
    for (const struct finding *x = f->findings; x; x = x->next) {
        buf_addf(&b, "%d %llu ", (int)x->rule, (unsigned long long)x->job);
        show_text(&b, x->text);
        buf_addc(&b, '\n');
    }
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}

static struct str cut(struct str *s, char at)
{
    ptrdiff_t end = str_find_char(*s, at);
    struct str out = str_first(*s, end < 0 ? s->len : (size_t)end);

    *s = str_from(*s, out.len + 1);
    return out;
}

void fsck_unpack(struct fsck *f, struct str text)
{
    while (text.len) {
        struct str line = cut(&text, '\n');
        uint64_t rule, job;

        if (str_to_uint(cut(&line, ' '), N_FSCK_RULES - 1, &rule) &&
            str_to_uint(cut(&line, ' '), INT64_MAX, &job))
            add(f, (enum fsck_rule)rule, job, line);
    }
}

/* ---- at a start --------------------------------------------------------- */

static int act(struct keeper *k, const struct finding *x, struct err *e)
{
    const struct fsck_info *i = &fsck_table[x->rule];
    char why[256];

    if (i->act == FSCK_STOP)
        return err_set(e, ERR_STOP,
                       "the ledger breaks rule I%d (job %llu: %.*s); `kervan "
                       "fsck` says more. Bring back state/ledger.db from a "
                       "backup, then `kervan adopt`",
                       i->number, (unsigned long long)x->job,
                       STR_ARGS(str_first(x->text, 80)));
    snprintf(why, sizeof(why), "%.*s", STR_ARGS(x->text));
    if (x->held && ledger_held(k->ledger, x->held, why, e) == -1)
        return -1;
    if (x->held_output &&
        ledger_delivery_held(k->ledger, x->held_output, false, why, e) == -1)
        return -1;
    keeper_trouble(k, "job %llu: %s", (unsigned long long)x->job, why);
    return 0;
}

int fsck_start(struct keeper *k, struct err *e)
{
    struct fsck f = { .ledger = k->ledger,
                      .spool_fd = k->spool_fd,
                      .arena = &k->arena,
                      .at_start = true };

    if (fsck_ledger(&f, e) == -1 || fsck_spool(&f, e) == -1)
        return -1;
    for (const struct finding *x = f.findings; x; x = x->next)
        if (fsck_table[x->rule].act != FSCK_TELL && act(k, x, e) == -1)
            return -1;
    return 0;
}
