/*
 * ledger_operator.c - what a person changes: tries again, holds, releases,
 * sends once more, settles what nobody can know. Each is one transaction, and
 * the history says that a person did it.
 */
#include <stdio.h>

#include "converters/base/date.h"
#include "spool/facts.h"
#include "spool/ledger.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

/* HELD, and nothing holds it any more: goes on where it was. */
static int go_on(struct ledger *l, uint64_t job, struct err *e)
{
    return db_change(l->db, e, ANY_ROWS,
                     "UPDATE receipt SET why='',by_hand=0,retry_at=NULL,"
                     "state=CASE WHEN converted_at IS NULL THEN 'TAKEN'"
                     " ELSE 'CONVERTED' END WHERE job=?1 AND state='HELD'"
                     " AND NOT EXISTS(SELECT 1 FROM delivery WHERE job=?1 AND"
                     " state IN ('HELD','UNCONFIRMED'))",
                     "u", job);
}

static int note_by_hand(struct ledger *l, uint64_t job, const char *what,
                        struct err *e)
{
    return ledger_note(l, job, what, STR("by hand"), e);
}

int ledger_take_again(struct ledger *l, const struct receipt *r, struct err *e)
{
    /* Who wants content once more that was suppressed wants it sent. */
    bool full = r->full || r->state == RECEIPT_SUPPRESSED;
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE receipt SET state='TAKEN',why='',retry_at=NULL,"
                   "n_tries=0,once=0,by_hand=0,converted_at=NULL,ended_at=NULL,"
                   "same_as=NULL,full=? WHERE job=? AND state IN"
                   " ('REJECTED','SUPPRESSED')",
                   "uu", (uint64_t)full, r->job);
    if (rc == 0)
        rc = db_change(l->db, e, 1,
                       "UPDATE claim SET state='TAKEN',archived_at=NULL,"
                       "archive=NULL WHERE id=? AND state='ARCHIVED'",
                       "z", r->claim);
    /* What was delivered then is not kept: the archive has the new results. */
    if (rc == 0)
        rc = db_change(l->db, e, ANY_ROWS,
                       "UPDATE delivery SET path='' WHERE job=?", "u", r->job);
    if (rc == 0)
        rc = note_by_hand(l, r->job, "retry", e);
    return ledger_settle(l, rc, e);
}

int ledger_retry(struct ledger *l, const struct receipt *r, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, ANY_ROWS,
                   "UPDATE delivery SET state='READY',epoch=epoch+1,why='',"
                   "name_taken=0 WHERE job=? AND state='HELD'",
                   "u", r->job);
    if (rc == 0)
        rc = db_change(l->db, e, ANY_ROWS,
                       "UPDATE receipt SET retry_at=NULL,n_tries=0"
                       " WHERE job=?",
                       "u", r->job);
    if (rc == 0)
        rc = go_on(l, r->job, e);
    if (rc == 0)
        rc = note_by_hand(l, r->job, "retry", e);
    return ledger_settle(l, rc, e);
}

int ledger_hold(struct ledger *l, const struct receipt *r, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE receipt SET state='HELD',by_hand=1,"
                   "why='held by hand' WHERE job=? AND state IN"
                   " ('TAKEN','CONVERTED')",
                   "u", r->job);
    if (rc == 0)
        rc = note_by_hand(l, r->job, "hold", e);
    return ledger_settle(l, rc, e);
}

int ledger_release(struct ledger *l, const struct receipt *r, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE receipt SET by_hand=0,why='a delivery is held'"
                   " WHERE job=? AND state='HELD' AND by_hand=1",
                   "u", r->job);
    if (rc == 0)
        rc = go_on(l, r->job, e);
    if (rc == 0)
        rc = note_by_hand(l, r->job, "release", e);
    return ledger_settle(l, rc, e);
}

int ledger_settle_by_hand(struct ledger *l, const struct receipt *r,
                          bool delivered, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    if (delivered)
        rc = db_change(l->db, e, ANY_ROWS,
                       "UPDATE delivery SET state='DELIVERED',delivered_at=?,"
                       "why='' WHERE job=? AND state='UNCONFIRMED'",
                       "tu", clock_now(), r->job);
    else
        rc = db_change(l->db, e, ANY_ROWS,
                       "UPDATE delivery SET state='READY',epoch=epoch+1,"
                       "why='' WHERE job=? AND state='UNCONFIRMED'",
                       "u", r->job);
    if (rc == 0)
        rc = go_on(l, r->job, e);
    if (rc == 0)
        rc = ledger_note(l, r->job, "settle",
                         delivered ? STR("it was delivered, by hand")
                                   : STR("it is sent again, by hand"),
                         e);
    return ledger_settle(l, rc, e);
}

int ledger_done_by_hand(struct ledger *l, const struct receipt *r,
                        struct err *e)
{
    static const char why[] = "it was delivered another way, by hand";
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE receipt SET state='SUPPRESSED',why=?,by_hand=0,"
                   "ended_at=? WHERE job=? AND state='HELD' AND converted_at"
                   " IS NULL",
                   "ztu", why, clock_now(), r->job);
    if (rc == 0)
        rc = ledger_note(l, r->job, "settle", STR(why), e);
    return ledger_settle(l, rc, e);
}

/* Did an earlier row stand for the same output and place? It was sent again
 * before. */
static bool is_repeated(const struct delivery *d, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (str_eq(d[j].path, d[i].path) &&
            str_eq(d[j].partner, d[i].partner) &&
            str_eq(d[j].folder, d[i].folder) && str_eq(d[j].name, d[i].name))
            return true;
    return false;
}

int ledger_resend(struct ledger *l, const struct receipt *r, struct err *e)
{
    struct delivery *d;
    struct arena a = { 0 };
    size_t n;
    int rc;

    if (ledger_deliveries(l, r->id, 0, &a, &d, &n, e) == -1)
        return -1;
    rc = db_begin(l->db, e);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (d[i].kind == OUT_FILE && !is_repeated(d, i)) {
            id_new(d[i].id);
            rc = ledger_add_delivery(l, r->job, &d[i], e);
        }
    if (rc == 0)
        rc = db_change(l->db, e, 1,
                       "UPDATE receipt SET state='CONVERTED',ended_at=NULL"
                       " WHERE job=? AND state='DONE'",
                       "u", r->job);
    if (rc == 0)
        rc = ledger_forget_got(l, r, e);
    if (rc == 0)
        rc = note_by_hand(l, r->job, "resend", e);
    arena_release(&a);
    return ledger_settle(l, rc, e);
}

/* ---- who waits too long ------------------------------------------------- */

int ledger_note_late(struct ledger *l, int64_t before, struct err *e)
{
    if (db_change(l->db, e, ANY_ROWS,
                  "INSERT INTO event(at,job,what,text)"
                  " SELECT ?1,d.job,'late','a delivery has waited for more"
                  " than an hour: '||max(d.why) FROM delivery d WHERE d.state"
                  " NOT IN ('DELIVERED','SUPERSEDED') AND d.ready_at<?2 AND"
                  " NOT EXISTS(SELECT 1 FROM event v WHERE v.job=d.job AND"
                  " v.what='late') GROUP BY +d.job",
                  "tt", clock_now(), before) == -1)
        return -1;
    return db_change(l->db, e, ANY_ROWS,
                     "INSERT INTO event(at,job,what,text)"
                     " SELECT ?1,x.job,'late','it has waited for more than an"
                     " hour: '||x.why FROM receipt x WHERE x.ended_at IS NULL"
                     " AND x.state='TAKEN' AND x.retry_at IS NOT NULL AND"
                     " x.taken_at<?2 AND NOT EXISTS(SELECT 1 FROM event v"
                     " WHERE v.job=x.job AND v.what='late')",
                     "tt", clock_now(), before);
}
