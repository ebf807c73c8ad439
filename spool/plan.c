#include "spool/plan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/files.h"
#include "spool/report.h"

/* The write that an output is of, or NULL: the job lied. */
static const struct conf_write *write_of(const struct route *route,
                                         const struct result_output *o,
                                         const struct conf_read **read)
{
    uint64_t i = 0;

    for (const struct conf_read *x = route->reads; x; x = x->next, i++)
        if (i == o->read) {
            *read = x;
            if (o->write < x->n_writes)
                return x->write_confs[o->write];
            /* Cards go where the orders go. */
            return o->write < x->n_writes + x->n_cards ? x->write_confs[0]
                                                       : NULL;
        }
    return NULL;
}

/* Looks at an output in the staging folder; its hash and size are ours. */
static int look_at_output(int dir, const struct result_output *o,
                          uint64_t max_name, struct content *got,
                          struct arena *a, struct err *e)
{
    struct stat st;
    int fd, rc;

    if (!path_is_safe(o->path) || !name_is_safe(o->name) ||
        o->name.len > max_name)
        return err_set(e, ERR_HOLD, "unusable output name %.*s",
                       STR_ARGS(str_first(o->name, 100)));
    fd = openat(dir, arena_cstr(a, o->path),
                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1)
        return err_sys(e, ERR_HOLD, "output %.*s", STR_ARGS(o->name));
    rc = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1
             ? content_copy(fd, -1, UINT64_MAX, got)
             : -1;
    close(fd);
    if (rc == -1 || got->bytes != o->bytes)
        return err_set(e, ERR_HOLD, "output %.*s is not what the job said",
                       STR_ARGS(o->name));
    return 0;
}

static struct delivery *add_delivery(struct deliveries *ds)
{
    if (ds->n == ds->cap) {
        ds->cap = ds->cap ? ds->cap * 2 : 16;
        ds->list = xrealloc(ds->list, ds->cap * sizeof(*ds->list));
    }
    ds->list[ds->n] = (struct delivery){ 0 };
    id_new(ds->list[ds->n].id);
    return &ds->list[ds->n++];
}

/* Apart for every destination, as they would be in earnest. */
static struct str test_folder(struct keeper *k, const struct route *route,
                              const struct conf_to *to)
{
    return arena_fmt(&k->item, "test/%.*s/%.*s%s%.*s", STR_ARGS(route->name),
                     STR_ARGS(to->partner->name), to->folder.len ? "/" : "",
                     STR_ARGS(to->folder));
}

int plan_output(struct keeper *k, const struct route *route, int dir,
                const struct result_output *o, struct deliveries *ds,
                struct err *e)
{
    const struct conf_read *read;
    const struct conf_write *w = write_of(route, o, &read);
    struct content got = { 0 };

    if (!w)
        return err_set(e, ERR_HOLD, "the job names a write that is not there");
    if (look_at_output(dir, o, k->conf->limits.v[LIMIT_NAME], &got, &k->item,
                       e) == -1)
        return -1;
    for (const struct conf_to *to = w->to; to; to = to->next) {
        struct delivery *d = add_delivery(ds);

        d->kind = OUT_FILE;
        d->path = o->path;
        d->name = o->name;
        d->partner = route->test ? STR("") : to->partner->name;
        d->folder = route->test ? test_folder(k, route, to) : to->folder;
        /* Without documents: a picture, of which the newest counts. */
        d->replace = conf_is_snapshot(read) || route->test || !o->n_documents;
        d->stage = read->n_cards && o->write < read->n_writes;
        d->bytes = got.bytes;
        d->n_documents = o->n_documents;
        memcpy(d->sha256, got.sha256, sizeof(d->sha256));
    }
    return 0;
}

/* ---- what goes back to the sender --------------------------------------- */

/* A file of the staging folder. */
static int plan_copy(struct keeper *k, const struct receipt *r, int dir,
                     enum delivery_kind kind, struct str path,
                     struct deliveries *ds, struct err *e)
{
    int fd = openat(dir, arena_cstr(&k->item, path),
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct delivery *d;
    struct content got;
    struct stat st;

    if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
        content_copy(fd, -1, UINT64_MAX, &got) == -1) {
        err_sys(e, ERR_HOLD, "%.*s of the job", STR_ARGS(path));
        if (fd != -1)
            close(fd);
        return -1;
    }
    close(fd);
    d = add_delivery(ds);
    d->kind = kind;
    d->path = path;
    d->partner = r->partner;
    d->folder = STR("rejected");
    d->replace = true; /* after a retry, the newest is true */
    d->bytes = got.bytes;
    memcpy(d->sha256, got.sha256, sizeof(d->sha256));
    return 0;
}

static int plan_report(struct keeper *k, const struct receipt *r, int dir,
                       bool is_clean, struct deliveries *ds, struct err *e)
{
    struct delivery *d;

    if (plan_copy(k, r, dir, OUT_REPORT, STR(REPORT_FILE), ds, e) == -1)
        return -1;
    d = &ds->list[ds->n - 1];
    d->name = report_name(&k->item, r);
    if (is_clean)
        d->folder = STR("reports");
    return 0;
}

static int plan_faulty(struct keeper *k, const struct receipt *r, int dir,
                       const struct result *res, struct deliveries *ds,
                       struct err *e)
{
    for (size_t i = 0; i < res->n_faulty; i++) {
        struct delivery *d;

        if (!path_is_safe(res->faulty[i].path))
            return err_set(e, ERR_HOLD, "unusable path of faulty records");
        if (plan_copy(k, r, dir, OUT_FAULTY, res->faulty[i].path, ds, e) == -1)
            return -1;
        d = &ds->list[ds->n - 1];
        d->name = report_faulty_name(&k->item, r, i);
        d->n_documents = res->faulty[i].n_documents;
    }
    return 0;
}

static void plan_original(struct keeper *k, const struct receipt *r,
                          struct deliveries *ds)
{
    struct delivery *d = add_delivery(ds);

    d->kind = OUT_ORIGINAL;
    d->partner = r->partner;
    d->folder = STR("rejected");
    d->name = report_original_name(&k->item, r);
    d->bytes = r->size;
    memcpy(d->sha256, r->sha256, sizeof(d->sha256));
}

int plan_return(struct keeper *k, const struct route *route,
                const struct receipt *r, int dir, const struct result *res,
                struct deliveries *ds, struct err *e)
{
    bool rejected = res->verdict == JOB_REJECTED;
    bool is_clean = !rejected && !res->n.n_aside;

    /* Who has asked for one document of it wants no report of the others. */
    if (route->test || r->only.len ||
        (is_clean && route->report != REPORT_ALWAYS))
        return 0;
    if (route->report != REPORT_NEVER &&
        plan_report(k, r, dir, is_clean, ds, e) == -1)
        return -1;
    if (rejected || res->returns_file)
        plan_original(k, r, ds);
    return rejected ? 0 : plan_faulty(k, r, dir, res, ds, e);
}
