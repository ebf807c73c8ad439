#include "spool/ledger.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "converters/base/utf8.h"
#include "spool/facts.h"
#include "spool/job.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"
#include "spool/ledger_schema.h"

const char *const receipt_state_names[N_RECEIPT_STATES] = {
    "TAKEN", "CONVERTED", "DONE", "HELD", "REJECTED", "SUPPRESSED",
};

const char *const delivery_state_names[N_DELIVERY_STATES] = {
    "READY", "RENAMING", "DELIVERED", "UNCONFIRMED", "HELD", "SUPERSEDED",
};

const char *const out_kind_names[N_OUT_KINDS] = { "file", "report", "original",
                                                  "faulty" };

#define SAME_CONTENT "the same content as job %llu"

/* ---- opening ------------------------------------------------------------ */

static int version_of(struct ledger *l, uint64_t *version, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r, "PRAGMA user_version", "") == -1)
        return -1;
    rc = db_next(&r, e);
    *version = rc == 1 ? db_u(&r, 0) : 0;
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

/* One step of the schema, with its line in the table of migrations. */
static int migrate(struct ledger *l, uint64_t step, struct err *e)
{
    char sql[64];

    snprintf(sql, sizeof(sql), "PRAGMA user_version=%llu",
             (unsigned long long)step + 1);
    if (db_begin(l->db, e) == -1)
        return -1;
    if (db_script(l->db, ledger_steps[step].sql, e) == -1 ||
        db_script(l->db, sql, e) == -1 ||
        db_change(l->db, e, 1, "INSERT INTO migration VALUES(?,?,?)", "utz",
                  step + 1, clock_now(), ledger_steps[step].what) == -1) {
        db_rollback(l->db);
        return -1;
    }
    return db_commit(l->db, e);
}

static int bring_up_to_date(struct ledger *l, uint64_t version, struct err *e)
{
    char generation[ID_HEX + 1];

    if (db_script(l->db,
                  "CREATE TABLE IF NOT EXISTS migration(version INTEGER"
                  " PRIMARY KEY, at TEXT NOT NULL, what TEXT NOT NULL)",
                  e) == -1)
        return -1;
    for (; ledger_steps[version].what; version++)
        if (migrate(l, version, e) == -1)
            return -1;
    id_new(generation);
    return db_change(l->db, e, ANY_ROWS,
                     "INSERT OR IGNORE INTO meta VALUES('generation',?)", "z",
                     generation);
}

static int read_generation(struct ledger *l, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r, "SELECT value FROM meta WHERE name='generation'",
               "") == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        db_z(&r, 0, l->generation, sizeof(l->generation));
    db_end(&r);
    if (rc == 0)
        return err_set(e, ERR_STOP, "the ledger has no generation");
    return rc == -1 ? -1 : 0;
}

static uint64_t newest_version(void)
{
    uint64_t n = 0;

    while (ledger_steps[n].what)
        n++;
    return n;
}

static int open_inside(struct ledger *l, enum ledger_mode mode, struct err *e)
{
    uint64_t version;

    if (version_of(l, &version, e) == -1)
        return -1;
    if (version > newest_version())
        return err_set(e, ERR_STOP,
                       "the ledger was made by a newer kervan (version %llu)",
                       (unsigned long long)version);
    if (mode == LEDGER_WRITE && bring_up_to_date(l, version, e) == -1)
        return -1;
    if (mode != LEDGER_WRITE && version < newest_version())
        return err_set(e, ERR_RETRY,
                       "the ledger is of an older kervan; `kervan once` "
                       "brings it up to date");
    return read_generation(l, e);
}

bool ledger_is_missing(const char *path)
{
    return access(path, F_OK) == -1 && errno == ENOENT;
}

int ledger_open(struct ledger **out, const char *path, enum ledger_mode mode,
                struct err *e)
{
    struct ledger *l;

    *out = NULL;
    if (mode != LEDGER_WRITE && ledger_is_missing(path))
        return 0;
    if (mode != LEDGER_WRITE && access(path, F_OK) == -1)
        return err_sys(e, ERR_RETRY, "cannot open the ledger %s", path);
    l = xcalloc(1, sizeof(*l));
    if (db_open(&l->db, path, mode != LEDGER_READ, e) == -1 ||
        open_inside(l, mode, e) == -1) {
        ledger_close(l);
        return -1;
    }
    *out = l;
    return 0;
}

void ledger_pause(struct ledger *l)
{
    db_pause(l->db);
}

int ledger_resume(struct ledger *l, struct err *e)
{
    return db_resume(l->db, e);
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    db_close(l->db);
    free(l);
}

const char *ledger_generation(const struct ledger *l)
{
    return l->generation;
}

int ledger_copy(struct ledger *l, const char *path, struct err *e)
{
    return db_copy(l->db, path, e);
}

int ledger_begin(struct ledger *l, struct err *e)
{
    return db_begin(l->db, e);
}

int ledger_commit(struct ledger *l, struct err *e)
{
    return db_commit(l->db, e);
}

void ledger_rollback(struct ledger *l)
{
    db_rollback(l->db);
}

/* ---- changes ------------------------------------------------------------ */

int ledger_note(struct ledger *l, uint64_t job, const char *what,
                struct str text, struct err *e)
{
    return db_change(l->db, e, 1,
                     "INSERT INTO event(at,job,what,text) VALUES(?,?,?,?)",
                     "tuzs", clock_now(), job, what, text);
}

static int notef(struct ledger *l, struct err *e, uint64_t job,
                 const char *what, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

static int notef(struct ledger *l, struct err *e, uint64_t job,
                 const char *what, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return ledger_note(l, job, what, str_of(text), e);
}

/* Ends what db_begin() began: all of it happened, or nothing. */
int ledger_settle(struct ledger *l, int rc, struct err *e)
{
    if (rc == 0)
        return db_commit(l->db, e);
    db_rollback(l->db);
    return -1;
}

int ledger_reserve(struct ledger *l, uint64_t n, uint64_t *first, struct err *e)
{
    struct rows rows;
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "INSERT INTO counter VALUES('claim',?) ON CONFLICT(name) DO"
                   " UPDATE SET value=value+excluded.value",
                   "u", n);
    if (rc == 0)
        rc = db_ask(l->db, e, &rows,
                    "SELECT value FROM counter WHERE name='claim'", "");
    if (rc == 0) {
        rc = db_next(&rows, e) == 1 ? 0 : -1;
        *first = rc == 0 ? db_u(&rows, 0) - n + 1 : 0;
        db_end(&rows);
    }
    return ledger_settle(l, rc, e);
}

int ledger_claim(struct ledger *l, const struct claim *c, struct err *e)
{
    return db_change(l->db, e, 1,
                     "INSERT INTO claim(id,partner,folder,name,state,seq,size,"
                     "mtime_ns,claimed_at,there)"
                     " VALUES(?,?,?,?,'CLAIMED',?,?,?,?,nullif(?,x''))",
                     "zssbuuitb", c->id, c->partner, c->folder, c->name, c->seq,
                     c->seen.size, c->seen.mtime_ns, clock_now(), c->there);
}

int ledger_unclaim(struct ledger *l, const struct claim *c, struct err *e)
{
    return db_change(l->db, e, 1,
                     "DELETE FROM claim WHERE id=? AND state='CLAIMED'", "z",
                     c->id);
}

/* The job that has brought all of this content through before, or 0. */
static int same_content(struct ledger *l, const struct receipt *r,
                        uint64_t *job, struct err *e)
{
    struct rows rows;
    int rc;

    *job = 0;
    if (!r->once || r->test)
        return 0;
    /* The `+` keeps to the index of contents: DONE are nearly all. */
    if (db_ask(l->db, e, &rows,
               "SELECT job FROM receipt WHERE route=? AND sha256=? AND"
               " test=0 AND only='' AND n_aside=0 AND +state='DONE'"
               " ORDER BY job LIMIT 1",
               "sz", r->route, r->sha256) == -1)
        return -1;
    rc = db_next(&rows, e);
    if (rc == 1)
        *job = db_u(&rows, 0);
    db_end(&rows);
    return rc == -1 ? -1 : 0;
}

static int next_job(struct ledger *l, uint64_t *job, struct err *e)
{
    struct rows rows;
    int rc;

    if (db_change(l->db, e, 1,
                  "UPDATE counter SET value=value+1 WHERE name='job'",
                  "") == -1 ||
        db_ask(l->db, e, &rows, "SELECT value FROM counter WHERE name='job'",
               "") == -1)
        return -1;
    rc = db_next(&rows, e);
    if (rc == 1)
        *job = db_u(&rows, 0);
    db_end(&rows);
    return rc == 1 ? 0 : -1;
}

/*
 * The second and the job's number; but always more than the last one. So an
 * id never comes again, also when the clock is set back or a second has more
 * jobs than its letters can count.
 */
static int next_run_id(struct ledger *l, const struct receipt *r,
                       char id[JOB_ID_LEN + 1], struct err *e)
{
    const uint64_t mask = (UINT64_C(1) << JOB_ID_BITS) - 1;
    uint64_t now = (uint64_t)r->taken_at << JOB_ID_BITS | (r->job & mask);
    struct rows rows;
    int rc;

    if (db_change(l->db, e, 1,
                  "INSERT INTO counter VALUES('run',?) ON CONFLICT(name) DO"
                  " UPDATE SET value=max(value+1,excluded.value)",
                  "u", now) == -1 ||
        db_ask(l->db, e, &rows, "SELECT value FROM counter WHERE name='run'",
               "") == -1)
        return -1;
    rc = db_next(&rows, e);
    if (rc == 1)
        job_id_text(db_u(&rows, 0), id);
    id[JOB_ID_LEN] = '\0';
    db_end(&rows);
    return rc == 1 ? 0 : -1;
}

int ledger_add_receipt(struct ledger *l, const struct claim *c,
                       struct receipt *r, struct err *e)
{
    char why[64] = "", run_id[JOB_ID_LEN + 1];

    if (next_job(l, &r->job, e) == -1 || next_run_id(l, r, run_id, e) == -1 ||
        same_content(l, r, &r->same_as, e) == -1)
        return -1;
    r->state = r->same_as ? RECEIPT_SUPPRESSED : RECEIPT_TAKEN;
    if (r->same_as)
        snprintf(why, sizeof(why), SAME_CONTENT,
                 (unsigned long long)r->same_as);
    if (db_change(l->db, e, 1,
                  "INSERT INTO receipt(job,id,claim,route,partner,name,size,"
                  "sha256,once,test,state,run_id,run_time,taken_at,ended_at,"
                  "same_as,why,only,full) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
                  "?,?,?,?)",
                  "uzzsssuzuuzztttuzsu", r->job, r->id, c->id, r->route,
                  r->partner, r->name, r->size, r->sha256, (uint64_t)r->once,
                  (uint64_t)r->test, receipt_state_names[r->state], run_id,
                  r->run_time, r->taken_at, r->same_as ? r->taken_at : 0,
                  r->same_as, why, r->only, (uint64_t)r->full) == -1)
        return -1;
    if (notef(l, e, r->job, "taken", "%.*s from %.*s, %llu bytes, route %.*s",
              STR_ARGS(r->name), STR_ARGS(r->partner),
              (unsigned long long)r->size, STR_ARGS(r->route)) == -1)
        return -1;
    return r->same_as ? notef(l, e, r->job, "suppressed", "%s", why) : 0;
}

int ledger_taken(struct ledger *l, const struct claim *c, struct receipt *r,
                 size_t n, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE claim SET state='TAKEN',dev=?,ino=?,size=?,"
                   "mtime_ns=?,ctime_ns=?,sha256=?,taken_at=?"
                   " WHERE id=? AND state='CLAIMED'",
                   "uuuiiztz", c->seen.dev, c->seen.ino, c->seen.size,
                   c->seen.mtime_ns, c->seen.ctime_ns, c->sha256, c->taken_at,
                   c->id);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = ledger_add_receipt(l, c, &r[i], e);
    return ledger_settle(l, rc, e);
}

int ledger_taken_rest(struct ledger *l, const struct claim *c, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE claim SET dev=?,ino=?,size=?,mtime_ns=?,ctime_ns=?,"
                   "sha256=? WHERE id=? AND state='TAKEN'",
                   "uuuiizz", c->seen.dev, c->seen.ino, c->seen.size,
                   c->seen.mtime_ns, c->seen.ctime_ns, c->sha256, c->id);
    if (rc == 0)
        rc = db_change(l->db, e, ANY_ROWS,
                       "UPDATE receipt SET size=?,sha256=? WHERE claim=? AND"
                       " state='TAKEN'",
                       "uzz", c->seen.size, c->sha256, c->id);
    if (rc == 0)
        rc = db_change(l->db, e, ANY_ROWS,
                       "INSERT INTO event(at,job,what,text) SELECT ?,job,"
                       "'rest','the sender wrote on: '||size||' bytes now'"
                       " FROM receipt WHERE claim=? AND state='TAKEN'",
                       "tz", clock_now(), c->id);
    return ledger_settle(l, rc, e);
}

int ledger_twin(struct ledger *l, const struct receipt *r, uint64_t *job,
                bool *open, struct err *e)
{
    struct rows rows;
    int rc;

    *job = 0;
    *open = false;
    if (!r->once || r->test)
        return 0;
    if (db_ask(l->db, e, &rows,
               "SELECT job,state<>'DONE' FROM receipt WHERE route=? AND"
               " sha256=? AND job<? AND test=0 AND only='' AND (state IN"
               " ('TAKEN','CONVERTED') OR (state='DONE' AND n_aside=0))"
               " ORDER BY state<>'DONE',job LIMIT 1",
               "szu", r->route, r->sha256, r->job) == -1)
        return -1;
    rc = db_next(&rows, e);
    if (rc == 1) {
        *job = db_u(&rows, 0);
        *open = db_u(&rows, 1) != 0;
    }
    db_end(&rows);
    return rc == -1 ? -1 : 0;
}

int ledger_suppressed(struct ledger *l, const struct receipt *r, uint64_t job,
                      struct err *e)
{
    char why[64];
    int rc;

    snprintf(why, sizeof(why), SAME_CONTENT, (unsigned long long)job);
    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE receipt SET state='SUPPRESSED',same_as=?,why=?,"
                   "ended_at=? WHERE job=? AND state='TAKEN'",
                   "uztu", job, why, clock_now(), r->job);
    if (rc == 0)
        rc = notef(l, e, r->job, "suppressed", "%s", why);
    return ledger_settle(l, rc, e);
}

int ledger_trying(struct ledger *l, struct receipt *r, struct err *e)
{
    if (db_change(l->db, e, 1,
                  "UPDATE receipt SET n_tries=n_tries+1"
                  " WHERE job=? AND state='TAKEN'",
                  "u", r->job) == -1)
        return -1;
    r->n_tries++;
    return 0;
}

int ledger_waits(struct ledger *l, const struct receipt *r, const char *why,
                 int64_t retry_at, struct err *e)
{
    int rc = 0;

    if (db_begin(l->db, e) == -1)
        return -1;
    if (!str_is(r->why, why))
        rc = notef(l, e, r->job, "waits", "%s", why);
    if (rc == 0)
        rc = db_change(l->db, e, 1,
                       "UPDATE receipt SET why=?,retry_at=?"
                       " WHERE job=? AND state='TAKEN'",
                       "ztu", why, retry_at, r->job);
    return ledger_settle(l, rc, e);
}

int ledger_add_delivery(struct ledger *l, uint64_t job,
                        const struct delivery *d, struct err *e)
{
    return db_change(
        l->db, e, 1,
        "INSERT INTO delivery(id,job,kind,path,partner,folder,"
        "name,replace,state,bytes,n_documents,sha256,ready_at,stage,seq)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,'READY',?9,?10,?11,?12,?"
        "13," SEQ_OF_JOB("?2") ")",
        "zuzssssuuuztu", d->id, job, out_kind_names[d->kind], d->path,
        d->partner, d->folder, d->name, (uint64_t)d->replace, d->bytes,
        d->n_documents, d->sha256, clock_now(), (uint64_t)d->stage);
}

/* Names of counters are the route's own: two companies count apart. */
static struct str counter_name(struct arena *a, struct str route,
                               struct str name)
{
    return arena_fmt(a, "map/%.*s/%.*s", STR_ARGS(route), STR_ARGS(name));
}

int ledger_counters(struct ledger *l, struct str route, struct arena *a,
                    struct job_counter **out, size_t *n, struct err *e)
{
    struct str prefix = counter_name(a, route, STR(""));
    size_t cap = 0;
    struct rows rows;
    int rc;

    *out = NULL;
    *n = 0;
    if (db_ask(l->db, e, &rows,
               "SELECT name,value FROM counter WHERE substr(name,1,?)=?", "us",
               (uint64_t)utf8_count(prefix), prefix) == -1)
        return -1;
    while ((rc = db_next(&rows, e)) == 1) {
        if (*n == cap) {
            struct job_counter *wider;

            cap = cap ? 2 * cap : 8;
            wider = arena_alloc(a, cap * sizeof(*wider));
            if (*n)
                memcpy(wider, *out, *n * sizeof(*wider));
            *out = wider;
        }
        (*out)[(*n)++] =
            (struct job_counter){ str_from(db_str(&rows, 0, a), prefix.len),
                                  db_i(&rows, 1) };
    }
    db_end(&rows);
    return rc;
}

/* A test leaves no numbers behind. */
static int keep_counters(struct ledger *l, const struct receipt *r,
                         struct err *e)
{
    struct arena a = { 0 };
    int rc = 0;

    for (size_t i = 0; rc == 0 && !r->test && i < r->n_counters; i++)
        rc = db_change(l->db, e, 1,
                       "INSERT INTO counter VALUES(?,?) ON CONFLICT(name)"
                       " DO UPDATE SET value=excluded.value",
                       "si", counter_name(&a, r->route, r->counters[i].name),
                       r->counters[i].value);
    arena_release(&a);
    return rc;
}

/* The verdict of a job, with all that it made, in one transaction. */
static int converted_to(struct ledger *l, const struct receipt *r,
                        enum receipt_state state, const struct delivery *d,
                        size_t n, struct err *e)
{
    bool ends = state == RECEIPT_REJECTED;
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(
        l->db, e, 1,
        "UPDATE receipt SET state=?,why=?,converted_at=?,"
        "ended_at=?,n_read=?,n_written=?,n_aside=?,n_skipped=?,"
        "n_filtered=?,n_warnings=?,n_replaced=?,maps=?,summary=?"
        " WHERE job=? AND state='TAKEN'",
        "zsttuuuuuuussu", receipt_state_names[state], ends ? r->why : STR(""),
        clock_now(), ends ? clock_now() : (int64_t)0, r->n.n_read,
        r->n.n_written, r->n.n_aside, r->n.n_skipped, r->n.n_filtered,
        r->n.n_warnings, r->n.n_replaced, r->maps, r->summary, r->job);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = ledger_add_delivery(l, r->job, &d[i], e);
    if (rc == 0 && !ends)
        rc = keep_counters(l, r, e);
    if (rc == 0 && !ends)
        rc = ledger_learn(l, r, r->facts, e);
    if (rc == 0)
        rc = ledger_note(l, r->job, ends ? "rejected" : "converted",
                         ends ? r->why : r->summary, e);
    if (rc == 0 && !ends && r->n.n_aside && !r->only.len)
        rc = ledger_note(l, r->job, "aside", r->why, e);
    return ledger_settle(l, rc, e);
}

int ledger_converted(struct ledger *l, const struct receipt *r,
                     const struct delivery *d, size_t n, struct err *e)
{
    return converted_to(l, r, RECEIPT_CONVERTED, d, n, e);
}

int ledger_rejected(struct ledger *l, const struct receipt *r,
                    const struct delivery *d, size_t n, struct err *e)
{
    return converted_to(l, r, RECEIPT_REJECTED, d, n, e);
}

int ledger_held(struct ledger *l, const struct receipt *r, const char *why,
                struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE receipt SET state='HELD',why=?"
                   " WHERE job=? AND state='TAKEN'",
                   "zu", why, r->job);
    if (rc == 0)
        rc = notef(l, e, r->job, "held", "%s", why);
    return ledger_settle(l, rc, e);
}

int ledger_done(struct ledger *l, const struct receipt *r, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE receipt SET state='DONE',ended_at=?1,why=''"
                   " WHERE job=?2 AND state='CONVERTED' AND NOT EXISTS("
                   "SELECT 1 FROM delivery WHERE job=?2 AND state NOT IN"
                   " ('DELIVERED','SUPERSEDED'))",
                   "tu", clock_now(), r->job);
    /* Those of the same content have waited for it. */
    if (rc == 0 && r->once)
        rc = db_change(l->db, e, ANY_ROWS,
                       "UPDATE receipt SET retry_at=NULL WHERE route=? AND"
                       " sha256=? AND +state='TAKEN'",
                       "sz", r->route, r->sha256);
    if (rc == 0)
        rc = ledger_got(l, r, e);
    if (rc == 0)
        rc = ledger_note(l, r->job, "done", r->summary, e);
    return ledger_settle(l, rc, e);
}

int ledger_archived(struct ledger *l, const struct claim *c, const char *path,
                    struct err *e)
{
    return db_change(l->db, e, 1,
                     "UPDATE claim SET state='ARCHIVED',archived_at=?,"
                     "archive=? WHERE id=? AND state='TAKEN'",
                     "tzz", clock_now(), path, c->id);
}
