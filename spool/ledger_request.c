/*
 * ledger_request.c - what commands ask of the keeper, and where schedules
 * stand. A command writes a row; whoever is keeper answers it.
 */
#include "converters/base/date.h"
#include "spool/ledger.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

int ledger_ask(struct ledger *l, const char *what, uint64_t job, struct str arg,
               uint64_t *n, struct err *e)
{
    struct rows r;
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "INSERT INTO request(at,what,job,arg) VALUES(?,?,?,?)",
                   "tzus", clock_now(), what, job, arg);
    if (rc == 0)
        rc = db_ask(l->db, e, &r, "SELECT last_insert_rowid()", "");
    if (rc == 0) {
        rc = db_next(&r, e) == 1 ? 0 : -1;
        *n = rc == 0 ? db_u(&r, 0) : 0;
        db_end(&r);
    }
    return ledger_settle(l, rc, e);
}

static struct request request_row(const struct rows *r, struct arena *a)
{
    return (struct request){
        .n = db_u(r, 0),
        .what = db_str(r, 1, a),
        .job = db_u(r, 2),
        .arg = db_str(r, 3, a),
        .is_done = db_time(r, 4) != 0,
        .ok = db_u(r, 5) != 0,
        .answer = db_str(r, 6, a),
    };
}

#define REQUEST_COLUMNS "SELECT n,what,job,arg,done_at,ok,answer FROM request"

static int one_request(struct rows *r, struct arena *a, struct request **out,
                       struct err *e)
{
    int rc = db_next(r, e);

    *out = NULL;
    if (rc == 1) {
        *out = arena_alloc(a, sizeof(**out));
        **out = request_row(r, a);
    }
    db_end(r);
    return rc == -1 ? -1 : 0;
}

int ledger_next_request(struct ledger *l, struct arena *a, struct request **out,
                        struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               REQUEST_COLUMNS " WHERE done_at IS NULL ORDER BY n LIMIT 1",
               "") == -1)
        return -1;
    return one_request(&r, a, out, e);
}

int ledger_find_request(struct ledger *l, uint64_t n, struct arena *a,
                        struct request **out, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r, REQUEST_COLUMNS " WHERE n=?", "u", n) == -1)
        return -1;
    return one_request(&r, a, out, e);
}

int ledger_answer(struct ledger *l, uint64_t n, bool ok, struct str text,
                  struct err *e)
{
    return db_change(l->db, e, 1,
                     "UPDATE request SET done_at=?,ok=?,answer=?"
                     " WHERE n=? AND done_at IS NULL",
                     "tusu", clock_now(), (uint64_t)ok, text, n);
}

int ledger_withdraw(struct ledger *l, uint64_t n, struct err *e)
{
    return db_change(l->db, e, ANY_ROWS,
                     "UPDATE request SET done_at=?,ok=0,answer='withdrawn'"
                     " WHERE n=? AND done_at IS NULL",
                     "tu", clock_now(), n);
}

/* ---- schedules ---------------------------------------------------------- */

int ledger_slot(struct ledger *l, struct str route, struct slot *out,
                struct err *e)
{
    struct rows r;
    int rc;

    *out = (struct slot){ 0 };
    if (db_ask(l->db, e, &r,
               "SELECT s.at,s.upto,s.seen,EXISTS(SELECT 1 FROM started WHERE"
               " route=?1),ifnull((SELECT full FROM started WHERE route=?1),0)"
               " FROM (SELECT 1) LEFT JOIN slot s ON s.route=?1",
               "s", route) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        *out = (struct slot){ db_time(&r, 0), db_u(&r, 1), db_u(&r, 2),
                              db_u(&r, 3) != 0, db_u(&r, 4) != 0 };
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_slot_ran(struct ledger *l, struct str route, const struct slot *s,
                    struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "INSERT INTO slot VALUES(?,?,?,?) ON CONFLICT(route) DO"
                   " UPDATE SET at=excluded.at,upto=excluded.upto,"
                   "seen=excluded.seen",
                   "stuu", route, s->at, s->upto, s->seen);
    if (rc == 0)
        rc = db_change(l->db, e, ANY_ROWS,
                       "DELETE FROM started WHERE route=? AND full=0", "s",
                       route);
    return ledger_settle(l, rc, e);
}

int ledger_slot_start(struct ledger *l, struct str route, struct err *e)
{
    return db_change(l->db, e, ANY_ROWS,
                     "INSERT OR IGNORE INTO started(route,at) VALUES(?,?)",
                     "st", route, clock_now());
}

int ledger_full_start(struct ledger *l, struct str route, struct err *e)
{
    return db_change(l->db, e, 1,
                     "INSERT INTO started(route,at,full) VALUES(?,?,1)"
                     " ON CONFLICT(route) DO UPDATE SET full=1",
                     "st", route, clock_now());
}

int ledger_full_begun(struct ledger *l, struct str route, bool has_slots,
                      struct err *e)
{
    if (!has_slots) /* nothing else would end it */
        return db_change(l->db, e, ANY_ROWS,
                         "DELETE FROM started WHERE route=?", "s", route);
    return db_change(l->db, e, ANY_ROWS,
                     "UPDATE started SET full=0 WHERE route=?", "s", route);
}

int ledger_make_full(struct ledger *l, const struct receipt *r, struct err *e)
{
    return db_change(l->db, e, 1,
                     "UPDATE receipt SET full=1 WHERE job=? AND state='TAKEN'",
                     "u", r->job);
}

int ledger_slots_started(struct ledger *l, struct err *e)
{
    return db_change(l->db, e, ANY_ROWS, "DELETE FROM started WHERE full=0",
                     "");
}

static int one_number(struct rows *r, uint64_t *out, struct err *e)
{
    int rc = db_next(r, e);

    *out = rc == 1 ? db_u(r, 0) : 0;
    db_end(r);
    return rc == -1 ? -1 : 0;
}

int ledger_last_done(struct ledger *l, struct str route, uint64_t *job,
                     struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               "SELECT max(job) FROM receipt WHERE route=? AND state='DONE'"
               " AND only=''",
               "s", route) == -1)
        return -1;
    return one_number(&r, job, e);
}

int ledger_backlog(struct ledger *l, struct str route, uint64_t *n,
                   struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               "SELECT count(*) FROM receipt WHERE route=? AND state='TAKEN'",
               "s", route) == -1)
        return -1;
    return one_number(&r, n, e);
}

int ledger_is_busy(struct ledger *l, struct str route, uint64_t upto, bool *yes,
                   struct err *e)
{
    struct rows r;
    uint64_t n;

    if (db_ask(l->db, e, &r,
               "SELECT count(*) FROM receipt WHERE route=? AND job<=? AND"
               " state IN ('TAKEN','CONVERTED')",
               "su", route, upto) == -1 ||
        one_number(&r, &n, e) == -1)
        return -1;
    *yes = n > 0;
    return 0;
}

int ledger_next_retry(struct ledger *l, int64_t *at, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               "SELECT min(retry_at) FROM receipt WHERE ended_at IS NULL"
               " AND state='TAKEN' AND retry_at IS NOT NULL",
               "") == -1)
        return -1;
    rc = db_next(&r, e);
    *at = rc == 1 ? db_time(&r, 0) : 0;
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

/* ---- what a person is told ---------------------------------------------- */

int ledger_told(struct ledger *l, uint64_t *n, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r, "SELECT value FROM counter WHERE name='told'",
               "") == -1)
        return -1;
    return one_number(&r, n, e);
}

int ledger_tell(struct ledger *l, uint64_t n, struct err *e)
{
    return db_change(l->db, e, 1,
                     "INSERT INTO counter VALUES('told',?) ON CONFLICT(name)"
                     " DO UPDATE SET value=excluded.value",
                     "u", n);
}
