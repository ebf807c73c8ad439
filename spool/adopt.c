#include "spool/adopt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/facts.h"
#include "spool/facts_file.h"
#include "spool/files.h"
#include "spool/generation.h"
#include "spool/manifest.h"
#include "spool/stamp.h"

#define MAY_HAVE_ARRIVED                                                     \
    "it may have been delivered in the time that the ledger does not know: " \
    "look there, then settle it"

#define MAY_HAVE_BEEN_DONE                                                 \
    "it may have been delivered since the backup: look there, then retry " \
    "it, or settle it as delivered"

/* What a job has learnt, and the ledger does not know. */
struct adopted_facts {
    struct receipt receipt; /* its job, its times */
    const char *folder;     /* below the spool */
    bool known;             /* in the ledger already; */
    bool done;              /* what its receiver got counts */
};

struct adoption {
    struct adopted_facts *facts;
    size_t n_facts, cap_facts;
    struct keeper *k;
    struct adopted *out;
    bool restored;     /* the spool is a backup */
    uint64_t last_job; /* the highest number that was seen anywhere */
};

static void tell(struct adoption *x, uint64_t job, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* In the order of jobs: folders of out/ have names by chance. What is of no job
 * stands where it comes. */
static void put_line(struct adopted *out, struct adopt_line *line)
{
    struct adopt_line **at = out->last;

    if (line->job < out->last_job && line->job)
        for (at = &out->lines; *at && (*at)->job < line->job;)
            at = &(*at)->next;
    line->next = *at;
    *at = line;
    if (!line->next)
        out->last = &line->next;
    if (line->job > out->last_job)
        out->last_job = line->job;
}

static void tell(struct adoption *x, uint64_t job, const char *fmt, ...)
{
    struct adopt_line *line = arena_alloc(&x->k->kept, sizeof(*line));
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    line->job = job;
    line->text = arena_str(&x->k->kept, str_of(text));
    put_line(x->out, line);
}

static void saw_job(struct adoption *x, uint64_t job)
{
    if (job > x->last_job)
        x->last_job = job;
}

/* ---- folders ------------------------------------------------------------ */

static bool is_number(const char *name)
{
    return *name && name[strspn(name, "0123456789")] == '\0';
}

/* By number, so that jobs come in their order; others behind, by name. */
static int by_number(const struct dirent **a, const struct dirent **b)
{
    uint64_t x = UINT64_MAX, y = UINT64_MAX;

    (void)str_to_uint(str_of((*a)->d_name), INT64_MAX, &x);
    (void)str_to_uint(str_of((*b)->d_name), INT64_MAX, &y);
    if (x != y)
        return x < y ? -1 : 1;
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Calls `each` for every name in a folder below the spool, in order. */
static int each_name(struct adoption *x, const char *folder,
                     int (*each)(struct adoption *x, const char *folder,
                                 const char *name, struct err *e),
                     struct err *e)
{
    int fd = dir_open_at(x->k->spool_fd, str_of(folder));
    struct dirent **names;
    int n, rc = 0;

    if (fd == -1)
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : err_sys(e, ERR_HOLD, "cannot read %s", folder);
    n = scandirat(fd, ".", &names, NULL, by_number);
    close(fd);
    if (n == -1)
        return err_sys(e, ERR_HOLD, "cannot read %s", folder);
    for (int i = 0; i < n; i++) {
        if (rc == 0 && names[i]->d_name[0] != '.')
            rc = each(x, folder, names[i]->d_name, e);
        free(names[i]);
    }
    free(names);
    return rc;
}

static bool read_manifest(struct adoption *x, const char *folder,
                          struct manifest *m)
{
    int fd = dir_open_at(x->k->spool_fd, str_of(folder));
    bool ok = fd != -1 && manifest_read(fd, &x->k->item, m);

    if (fd != -1)
        close(fd);
    return ok;
}

static bool is_there(struct adoption *x, const char *folder, const char *name)
{
    return faccessat(x->k->spool_fd,
                     arena_fmt(&x->k->item, "%s/%s", folder, name).p, F_OK,
                     AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- a job that left a manifest ----------------------------------------- */

/* Its row, or NULL. Another job under that number: the wrong ledger. */
static int find_row(struct adoption *x, const struct manifest *m,
                    struct receipt **row, struct err *e)
{
    const struct ledger_find f = { .job = m->receipt.job };
    size_t n;

    saw_job(x, m->receipt.job);
    if (ledger_receipts(x->k->ledger, &f, &x->k->item, row, &n, e) == -1)
        return -1;
    if (n == 0)
        *row = NULL;
    else if (strcmp((*row)->id, m->receipt.id) != 0)
        return err_set(e, ERR_STOP,
                       "the ledger is that of another spool, or a new one was "
                       "begun: its job %llu is %.*s, that of the archive is "
                       "%.*s. Take state/ledger.db away, or bring back the "
                       "right one",
                       (unsigned long long)m->receipt.job,
                       STR_ARGS(str_first((*row)->name, 40)),
                       STR_ARGS(str_first(m->receipt.name, 40)));
    return 0;
}

static int keep_counters(struct adoption *x, const struct manifest *m,
                         struct err *e)
{
    const struct receipt *r = &m->receipt;

    for (size_t i = 0; !r->test && i < r->n_counters; i++)
        if (ledger_adopt_counter(x->k->ledger,
                                 arena_fmt(&x->k->item, "map/%.*s/%.*s",
                                           STR_ARGS(r->route),
                                           STR_ARGS(r->counters[i].name)),
                                 (uint64_t)r->counters[i].value, e) == -1)
            return -1;
    return 0;
}

static int add_deliveries(struct adoption *x, const struct manifest *m,
                          enum delivery_state state, const char *why,
                          struct err *e)
{
    for (size_t i = 0; i < m->n; i++)
        if (ledger_adopt_delivery(x->k->ledger, m->receipt.job,
                                  &m->deliveries[i], state,
                                  m->receipt.converted_at, why, e) == -1)
            return -1;
    return 0;
}

static int put_row(struct adoption *x, struct manifest *m, const char *path,
                   const char *note, struct err *e)
{
    if (ledger_adopt_claim(x->k->ledger, &m->claim, path, e) == -1 ||
        ledger_adopt_job(x->k->ledger, &m->receipt, note, e) == -1)
        return -1;
    if (ledger_adopt_counter(x->k->ledger, STR("claim"), m->claim.seq, e) == -1)
        return -1;
    return keep_counters(x, m, e);
}

/* ---- what jobs have learnt ------------------------------------------------
 */

/* Kept until all jobs are known: facts are learnt in the order of commits. */
static void note_facts(struct adoption *x, const struct receipt *r,
                       const struct receipt *row, const char *folder, bool done)
{
    if (r->state == RECEIPT_REJECTED || r->state == RECEIPT_SUPPRESSED)
        return;
    if (x->n_facts == x->cap_facts) {
        x->cap_facts = x->cap_facts ? 2 * x->cap_facts : 64;
        x->facts = xrealloc(x->facts, x->cap_facts * sizeof(*x->facts));
    }
    x->facts[x->n_facts++] = (struct adopted_facts){
        .receipt = { .job = r->job,
                     .test = r->test,
                     .converted_at = r->converted_at },
        .folder = arena_cstr(&x->k->kept, str_of(folder)),
        .known = row && row->converted_at,
        .done = done,
    };
}

static int by_commit(const void *a, const void *b)
{
    const struct receipt *x = &((const struct adopted_facts *)a)->receipt,
                         *y = &((const struct adopted_facts *)b)->receipt;

    if (x->converted_at != y->converted_at)
        return x->converted_at < y->converted_at ? -1 : 1;
    return x->job < y->job ? -1 : x->job > y->job;
}

static int learn(struct adoption *x, const struct adopted_facts *f,
                 struct err *e)
{
    int rc = 0,
        dir = f->known ? -1 : dir_open_at(x->k->spool_fd, str_of(f->folder));
    struct facts_map m = { 0 };
    bool failed = false;
    struct err bad;

    if (dir != -1) {
        rc = facts_map(dir, &m, &bad);
        close(dir);
        if (rc == -1)
            tell(x, f->receipt.job, "%s: %s", f->folder, bad.text);
        else if (ledger_learn(x->k->ledger, &f->receipt, m.facts, e) == -1)
            failed = true;
        facts_unmap(&m);
        if (failed)
            return -1;
    }
    return f->done ? ledger_got(x->k->ledger, &f->receipt, e) : 0;
}

static int learn_all(struct adoption *x, struct err *e)
{
    int rc = 0;

    if (x->n_facts)
        qsort(x->facts, x->n_facts, sizeof(*x->facts), by_commit);
    for (size_t i = 0; rc == 0 && i < x->n_facts; i++)
        rc = learn(x, &x->facts[i], e);
    free(x->facts);
    x->facts = NULL;
    return rc;
}

/* ---- the archive -------------------------------------------------------- */

/* All of it had ended when it was put there. */
static int adopt_archived(struct adoption *x, const char *day,
                          struct manifest *m, struct err *e)
{
    struct receipt *r = &m->receipt, *row;
    struct claim *c;

    if (find_row(x, m, &row, e) == -1 ||
        ledger_find_claim(x->k->ledger, m->claim.id, &x->k->item, &c, e) == -1)
        return -1;
    if (row && c && c->state == CLAIM_ARCHIVED)
        return 0; /* known; if it is open, it was being sent once more */
    if (r->state == RECEIPT_CONVERTED)
        r->state = RECEIPT_DONE;
    r->ended_at = r->converted_at ? r->converted_at : r->taken_at;
    note_facts(x, r, row,
               arena_fmt(&x->k->item, "archive/%s/%llu", day,
                         (unsigned long long)r->job)
                   .p,
               true);
    x->out->n_archived++;
    tell(x, r->job, "%s, as the archive has it: %.*s (route %.*s)",
         receipt_state_names[r->state], STR_ARGS(str_first(r->name, 200)),
         STR_ARGS(r->route));
    if (put_row(x, m,
                arena_fmt(&x->k->item, "%s/%llu-%.*s", day,
                          (unsigned long long)m->first_job, STR_ARGS(r->name))
                    .p,
                "as the archive has it", e) == -1)
        return -1;
    return add_deliveries(x, m, DELIVERY_DELIVERED, "", e);
}

static int job_folder(struct adoption *x, const char *folder, const char *name,
                      struct err *e)
{
    const char *path = arena_fmt(&x->k->item, "%s/%s", folder, name).p;
    const char *day = folder + strlen("archive/");
    struct manifest m;
    uint64_t job;
    int rc = 0;

    if (is_number(name) && read_manifest(x, path, &m))
        rc = adopt_archived(x, day, &m, e);
    else if (str_to_uint(str_first(str_of(name), strspn(name, "0123456789")),
                         INT64_MAX, &job))
        saw_job(x, job); /* an original; its job's folder has come before */
    arena_reset(&x->k->item);
    return rc;
}

static int day_folder(struct adoption *x, const char *folder, const char *name,
                      struct err *e)
{
    char path[64];

    if (!is_number(name) || strlen(folder) + strlen(name) > 20)
        return 0;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return each_name(x, path, job_folder, e);
}

static int month_folder(struct adoption *x, const char *folder,
                        const char *name, struct err *e)
{
    char path[64];

    if (!is_number(name) || strlen(folder) + strlen(name) > 20)
        return 0;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return each_name(x, path, day_folder, e);
}

static int year_folder(struct adoption *x, const char *folder, const char *name,
                       struct err *e)
{
    char path[64];

    if (!is_number(name) || strlen(name) > 4)
        return 0;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return each_name(x, path, month_folder, e);
}

/* ---- results that were not archived ------------------------------------- */

static int adopt_result(struct adoption *x, struct manifest *m, struct err *e)
{
    struct receipt *r = &m->receipt, *row;

    if (find_row(x, m, &row, e) == -1)
        return -1;
    if (row && row->ended_at)
        return 0; /* nothing but the archive is left to do */
    note_facts(x, r, row, arena_fmt(&x->k->item, "out/%s", r->id).p, false);
    if (r->state == RECEIPT_CONVERTED && m->n) {
        r->state = RECEIPT_HELD;
        r->why = STR(MAY_HAVE_ARRIVED);
    } else if (r->state != RECEIPT_CONVERTED) {
        r->ended_at = r->converted_at ? r->converted_at : r->taken_at;
    }
    if (put_row(x, m, NULL, "as out/ has it", e) == -1)
        return -1;
    if (r->state != RECEIPT_HELD) {
        x->out->n_others++;
        tell(x, r->job, "%s, and not archived: %.*s (route %.*s)",
             receipt_state_names[r->state], STR_ARGS(str_first(r->name, 200)),
             STR_ARGS(r->route));
        /* A report that comes twice does no harm. */
        return add_deliveries(x, m, DELIVERY_READY, "", e);
    }
    x->out->n_held++;
    tell(x, r->job,
         "HELD, it may have been delivered: %.*s (route %.*s); kervan settle "
         "%llu delivered|resend",
         STR_ARGS(str_first(r->name, 200)), STR_ARGS(r->route),
         (unsigned long long)r->job);
    if (ledger_note(x->k->ledger, r->job, "held", r->why, e) == -1)
        return -1;
    return add_deliveries(x, m, DELIVERY_UNCONFIRMED, MAY_HAVE_ARRIVED, e);
}

static int result_folder(struct adoption *x, const char *folder,
                         const char *name, struct err *e)
{
    struct manifest m;
    int rc = 0;

    if (read_manifest(x, arena_fmt(&x->k->item, "%s/%s", folder, name).p, &m))
        rc = adopt_result(x, &m, e);
    else
        tell(x, 0, "out/%s says nothing of its job; it stays where it is",
             name);
    arena_reset(&x->k->item);
    return rc;
}

/* ---- rows of the ledger that nothing was found for ----------------------- */

static bool has_result(struct adoption *x, const struct receipt *r)
{
    return is_there(x, "out",
                    arena_fmt(&x->k->item, "%s/" MANIFEST_FILE, r->id).p);
}

static int adopt_row(struct adoption *x, const struct receipt *r, struct err *e)
{
    const unsigned on_its_way =
        1u << DELIVERY_READY | 1u << DELIVERY_RENAMING | 1u << DELIVERY_HELD;
    const char *why = MAY_HAVE_ARRIVED;
    struct delivery *d;
    size_t n;

    saw_job(x, r->job);
    if (has_result(x, r))
        return 0;
    if (r->converted_at) {
        if (ledger_deliveries(x->k->ledger, r->id, on_its_way, &x->k->item, &d,
                              &n, e) == -1)
            return -1;
        if (n == 0)
            return 0;
    } else if (x->restored) {
        why = MAY_HAVE_BEEN_DONE;
    } else if (is_there(x, "in", r->claim)) {
        return 0;
    } else {
        why = "its original is neither in the spool nor in the archive";
    }
    x->out->n_held++;
    tell(x, r->job, "HELD: %.*s (route %.*s): %s",
         STR_ARGS(str_first(r->name, 200)), STR_ARGS(r->route), why);
    return ledger_adopt_unknown(x->k->ledger, r->job, why, e);
}

static int adopt_rows(struct adoption *x, struct err *e)
{
    const struct ledger_find open = { .states = 1u << RECEIPT_TAKEN |
                                                1u << RECEIPT_CONVERTED |
                                                1u << RECEIPT_HELD };
    struct receipt *r;
    size_t n;

    if (ledger_receipts(x->k->ledger, &open, &x->k->arena, &r, &n, e) == -1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (adopt_row(x, &r[i], e) == -1)
            return -1;
        arena_reset(&x->k->item);
    }
    return 0;
}

/* ---- originals that no row stands for ------------------------------------ */

/* It was taken out once more, for a job that is lost. */
static int put_away(struct adoption *x, const struct claim *c, const char *from,
                    struct err *e)
{
    const char *to =
        arena_fmt(&x->k->item, "archive/%.*s", STR_ARGS(c->archive)).p;

    if (renameat2(x->k->spool_fd, from, x->k->spool_fd, to, RENAME_NOREPLACE) ==
        -1)
        return errno == EEXIST
                   ? 0
                   : err_sys(e, ERR_HOLD, "cannot move %s to %s", from, to);
    tell(x, 0,
         "%s, which was at work once more: what was asked for is lost, ask "
         "again",
         to);
    return 0;
}

static int original(struct adoption *x, const char *folder, const char *name,
                    struct err *e)
{
    struct arena *a = &x->k->item;
    const char *from = arena_fmt(a, "%s/%s", folder, name).p;
    const char *to = arena_fmt(a, "archive/lost/%s", name).p;
    struct claim *c;

    if (ledger_find_claim(x->k->ledger, name, a, &c, e) == -1)
        return -1;
    if (c)
        return c->state == CLAIM_ARCHIVED ? put_away(x, c, from, e) : 0;
    if (dir_make(x->k->spool_fd, "archive/lost", 0700) == -1 ||
        renameat(x->k->spool_fd, from, x->k->spool_fd, to) == -1)
        return err_sys(e, ERR_HOLD, "cannot move %s to %s", from, to);
    tell(x, 0,
         "an original that was not converted yet, and whose name is lost: %s; "
         "the sender's own file goes back to his inbox at the next start",
         to);
    return 0;
}

/* ---- all of it ---------------------------------------------------------- */

/*
 * People may have seen numbers that nobody here knows of. Who was killed after
 * this was committed comes here again: numbers do not jump twice for one
 * backup.
 */
static int number_jobs(struct adoption *x, const struct generation *was,
                       struct err *e)
{
    enum { APART = 1000 };
    struct ledger *l = x->k->ledger;
    uint64_t next, adopted, backup = (uint64_t)was->backup_at;

    if (ledger_counter(l, STR("job"), &next, e) == -1 ||
        ledger_counter(l, STR("adopted"), &adopted, e) == -1)
        return -1;
    saw_job(x, next);
    saw_job(x, was->job);
    if (x->restored && adopted != backup) {
        x->last_job = (x->last_job / APART + 1) * APART;
        if (ledger_adopt_counter(l, STR("adopted"), backup, e) == -1)
            return -1;
    }
    tell(x, 0, "the next job has the number %llu",
         (unsigned long long)x->last_job + 1);
    return ledger_adopt_counter(l, STR("job"), x->last_job, e);
}

static int match(struct adoption *x, const struct generation *was,
                 struct err *e)
{
    if (ledger_adopt_clean(x->k->ledger, x->restored, e) == -1 ||
        each_name(x, "archive", year_folder, e) == -1 ||
        each_name(x, "out", result_folder, e) == -1 || learn_all(x, e) == -1 ||
        adopt_rows(x, e) == -1)
        return -1;
    return number_jobs(x, was, e);
}

static int open_ledger(struct keeper *k, struct err *e)
{
    static const char *const folders[] = { "state", "tmp", "in", "out",
                                           "archive" };

    for (size_t i = 0; i < COUNT(folders); i++)
        if (dir_make(k->spool_fd, folders[i], 0700) == -1)
            return err_sys(e, ERR_HOLD, "cannot make %s/%s", k->conf->spool,
                           folders[i]);
    return ledger_open(&k->ledger, keeper_ledger_path(&k->kept, k->conf),
                       LEDGER_WRITE, e);
}

static int check_backup(struct adoption *x, struct err *e)
{
    if (!x->restored || faccessat(x->k->spool_fd, COMPLETE_FILE, F_OK, 0) == 0)
        return 0;
    return err_set(e, ERR_STOP,
                   "this backup was interrupted: there is no file `complete` "
                   "in it");
}

/* A spool at work is no backup; nor is it when we were killed before this. */
static int forget_backup(struct keeper *k, struct err *e)
{
    if (unlinkat(k->spool_fd, COMPLETE_FILE, 0) == -1)
        return errno == ENOENT ? 0
                               : err_sys(e, ERR_HOLD, "cannot remove %s/%s",
                                         k->conf->spool, COMPLETE_FILE);
    return dir_sync(k->spool_fd) == 0
               ? 0
               : err_sys(e, ERR_HOLD, "cannot sync %s", k->conf->spool);
}

int adopt(struct keeper *k, struct adopted *out, struct err *e)
{
    struct adoption x = { .k = k, .out = out };
    struct generation was, now;

    *out = (struct adopted){ 0 };
    out->last = &out->lines;
    if (generation_read(k->spool_fd, &was, e) == -1)
        return -1;
    x.restored = was.backup_at != 0;
    if (check_backup(&x, e) == -1 || open_ledger(k, e) == -1)
        return -1;
    if (generation_check(k->spool_fd, k->ledger, e) == 0) {
        out->was_fine = true;
        return forget_backup(k, e);
    }
    if (ledger_begin(k->ledger, e) == -1)
        return -1;
    if (match(&x, &was, e) == -1) {
        ledger_rollback(k->ledger);
        return -1;
    }
    if (ledger_commit(k->ledger, e) == -1 ||
        each_name(&x, "in", original, e) == -1 ||
        generation_of(k->ledger, &now, e) == -1 ||
        generation_write(k->spool_fd, &now, e) == -1)
        return -1;
    return forget_backup(k, e);
}
