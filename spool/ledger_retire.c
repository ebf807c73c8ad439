/* ledger_retire.c - rows whose keep time is over (spool/retire.h). */
#include "converters/base/date.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"
#include "spool/retire.h"

int ledger_next_route(struct ledger *l, struct str after, struct arena *a,
                      struct str *out, struct err *e)
{
    struct rows r;
    int rc;

    *out = (struct str){ NULL, 0 };
    if (db_ask(l->db, e, &r,
               "SELECT route FROM receipt WHERE route>? ORDER BY route LIMIT 1",
               "s", after) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        *out = db_str(&r, 0, a);
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_nth_done(struct ledger *l, struct str route, uint32_t n,
                    uint64_t *job, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               "SELECT job FROM receipt WHERE route=? AND state='DONE'"
               " AND only='' ORDER BY job DESC LIMIT 1 OFFSET ?",
               "su", route, (uint64_t)n - 1) == -1)
        return -1;
    rc = db_next(&r, e);
    *job = rc == 1 ? db_u(&r, 0) : 0;
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_expire(struct ledger *l, const char *claim, struct err *e)
{
    return db_change(l->db, e, 1,
                     "UPDATE claim SET expired_at=? WHERE id=? AND"
                     " state='ARCHIVED' AND expired_at IS NULL AND NOT EXISTS("
                     "SELECT 1 FROM receipt WHERE claim=claim.id AND"
                     " ended_at IS NULL)",
                     "tz", clock_now(), claim);
}

/* Documents that were last seen in this file, and nowhere since. */
static int forget_documents(struct ledger *l, const char *claim, struct err *e)
{
#define OLD                                                     \
    " IN (SELECT n FROM doc WHERE last_job IN (SELECT job FROM" \
    " receipt WHERE claim=?))"
    if (db_change(l->db, e, ANY_ROWS, "DELETE FROM story WHERE doc" OLD, "z",
                  claim) == -1 ||
        db_change(l->db, e, ANY_ROWS, "DELETE FROM reserved WHERE doc" OLD, "z",
                  claim) == -1 ||
        db_change(l->db, e, ANY_ROWS, "DELETE FROM doc WHERE n" OLD, "z",
                  claim) == -1)
        return -1;
#undef OLD
    return db_change(l->db, e, ANY_ROWS,
                     "DELETE FROM awaits WHERE job IN (SELECT job FROM receipt"
                     " WHERE claim=?)",
                     "z", claim);
}

int ledger_forget(struct ledger *l, const char *claim, struct err *e)
{
#define MINE " WHERE job IN (SELECT job FROM receipt WHERE claim=?)"
    if (db_change(l->db, e, ANY_ROWS, "DELETE FROM event" MINE, "z", claim) ==
            -1 ||
        db_change(l->db, e, ANY_ROWS, "DELETE FROM delivery" MINE, "z",
                  claim) == -1 ||
        forget_documents(l, claim, e) == -1 ||
        db_change(l->db, e, ANY_ROWS, "DELETE FROM receipt WHERE claim=?", "z",
                  claim) == -1)
        return -1;
#undef MINE
    return db_change(l->db, e, 1,
                     "DELETE FROM claim WHERE id=? AND expired_at IS NOT NULL",
                     "z", claim);
}

int ledger_forget_old(struct ledger *l, int64_t before, unsigned max,
                      struct err *e)
{
    /* The newest of each stays: its number must not be given again. */
    if (db_change(l->db, e, ANY_ROWS,
                  "DELETE FROM event WHERE n IN (SELECT n FROM event WHERE"
                  " job=0 AND at<? AND n<(SELECT max(n) FROM event) ORDER BY n"
                  " LIMIT ?)",
                  "tu", before, (uint64_t)max) == -1)
        return -1;
    return db_change(l->db, e, ANY_ROWS,
                     "DELETE FROM request WHERE n IN (SELECT n FROM request"
                     " WHERE done_at<? AND n<(SELECT max(n) FROM request)"
                     " ORDER BY n LIMIT ?)",
                     "tu", before, (uint64_t)max);
}
