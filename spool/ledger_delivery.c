/*
 * ledger_delivery.c - changes of deliveries. A change names the epoch that it
 * was made under: whoever acts for an older one hits no row and stops.
 */
#include <stdio.h>

#include "converters/base/date.h"
#include "spool/ledger.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

/* "pohoda xml/in/orders.xml", and what else there is to say. */
static int note(struct ledger *l, const struct delivery *d, const char *what,
                const char *more, struct err *e)
{
    struct buf b;
    int rc;

    buf_init(&b, 4096);
    if (d->partner.len)
        buf_addf(&b, "%.*s ", STR_ARGS(d->partner));
    buf_addf(&b, "%.*s/%.*s%s%s", STR_ARGS(d->folder), STR_ARGS(d->name),
             *more ? ": " : "", more);
    rc = ledger_note(l, d->job, what, buf_str(&b), e);
    buf_release(&b);
    return rc;
}

int ledger_renaming(struct ledger *l, const struct delivery *d,
                    struct str folder_id, struct err *e)
{
    return db_change(l->db, e, 1,
                     "UPDATE delivery SET state='RENAMING',folder_id=?,why=''"
                     " WHERE id=? AND state='READY' AND epoch=?",
                     "szu", folder_id, d->id, d->epoch);
}

int ledger_delivered(struct ledger *l, const struct delivery *d,
                     bool by_absence, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE delivery SET state='DELIVERED',delivered_at=?,"
                   "by_absence=?,why='' WHERE id=? AND state='RENAMING'"
                   " AND epoch=?",
                   "tuzu", clock_now(), (uint64_t)by_absence, d->id, d->epoch);
    if (rc == 0)
        rc = note(l, d, "delivered",
                  by_absence ? "the receiver has taken it already" : "", e);
    return ledger_settle(l, rc, e);
}

static int hold_receipt(struct ledger *l, const struct delivery *d,
                        const char *why, struct err *e)
{
    return db_change(l->db, e, ANY_ROWS,
                     "UPDATE receipt SET state='HELD',why=?"
                     " WHERE job=? AND state='CONVERTED'",
                     "zu", why, d->job);
}

int ledger_unconfirmed(struct ledger *l, const struct delivery *d,
                       const char *why, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE delivery SET state='UNCONFIRMED',why=?"
                   " WHERE id=? AND state='RENAMING' AND epoch=?",
                   "zzu", why, d->id, d->epoch);
    if (rc == 0)
        rc = hold_receipt(l, d, why, e);
    if (rc == 0)
        rc = note(l, d, "unconfirmed", why, e);
    return ledger_settle(l, rc, e);
}

int ledger_delivery_held(struct ledger *l, const struct delivery *d,
                         bool name_taken, const char *why, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE delivery SET state='HELD',why=?,name_taken=?"
                   " WHERE id=? AND state IN ('READY','RENAMING') AND epoch=?",
                   "zuzu", why, (uint64_t)name_taken, d->id, d->epoch);
    if (rc == 0)
        rc = hold_receipt(l, d, why, e);
    if (rc == 0)
        rc = note(l, d, "held", why, e);
    return ledger_settle(l, rc, e);
}

int ledger_delivery_again(struct ledger *l, struct delivery *d, struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE delivery SET state='READY',epoch=epoch+1,why='',"
                   "name_taken=0 WHERE id=? AND state IN ('HELD','RENAMING')"
                   " AND epoch=?",
                   "zu", d->id, d->epoch);
    if (rc == 0)
        rc = db_change(l->db, e, ANY_ROWS,
                       "UPDATE receipt SET state='CONVERTED',why=''"
                       " WHERE job=?1 AND state='HELD' AND converted_at"
                       " IS NOT NULL AND NOT EXISTS(SELECT 1 FROM delivery"
                       " WHERE job=?1 AND state IN ('HELD','UNCONFIRMED'))",
                       "u", d->job);
    if (ledger_settle(l, rc, e) == -1)
        return -1;
    d->state = DELIVERY_READY;
    d->epoch++;
    d->name_taken = false;
    return 0;
}

int ledger_delivery_named(struct ledger *l, struct delivery *d, struct str name,
                          struct err *e)
{
    char more[300];
    int rc;

    snprintf(more, sizeof(more), "there is one; this one is called %.*s",
             STR_ARGS(name));
    if (db_begin(l->db, e) == -1)
        return -1;
    rc = note(l, d, "renamed", more, e);
    if (rc == 0)
        rc = db_change(l->db, e, 1, "UPDATE delivery SET name=? WHERE id=?",
                       "sz", name, d->id);
    if (rc == 0)
        rc = ledger_delivery_again(l, d, e);
    if (ledger_settle(l, rc, e) == -1)
        return -1;
    d->name = name;
    return 0;
}

int ledger_superseded(struct ledger *l, const struct delivery *d, uint64_t job,
                      struct err *e)
{
    char why[64];
    int rc;

    snprintf(why, sizeof(why), "a newer one was delivered before: job %llu",
             (unsigned long long)job);
    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1,
                   "UPDATE delivery SET state='SUPERSEDED',why=''"
                   " WHERE id=? AND state IN ('READY','RENAMING') AND epoch=?",
                   "zu", d->id, d->epoch);
    if (rc == 0)
        rc = note(l, d, "superseded", why, e);
    return ledger_settle(l, rc, e);
}

int ledger_delivery_waits(struct ledger *l, const struct delivery *d,
                          const char *why, struct err *e)
{
    int rc;

    if (str_is(d->why, why))
        return 0;
    if (db_begin(l->db, e) == -1)
        return -1;
    /* Nobody tries the others while this one waits. */
    rc = db_change(l->db, e, ANY_ROWS,
                   "UPDATE delivery SET why=? WHERE +partner=? AND folder=?"
                   " AND state IN ('READY','RENAMING') AND state NOT IN"
                   " ('DELIVERED','SUPERSEDED')",
                   "zss", why, d->partner, d->folder);
    if (rc == 0)
        rc = note(l, d, "waits", why, e);
    return ledger_settle(l, rc, e);
}

int ledger_newer(struct ledger *l, const struct delivery *d, uint64_t *job,
                 struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               "SELECT job FROM delivery WHERE partner=? AND folder=? AND"
               " name=? AND seq>=?4 AND (seq>?4 OR job>?5) AND state IN"
               " ('RENAMING','DELIVERED') ORDER BY seq DESC LIMIT 1",
               "sssuu", d->partner, d->folder, d->name, d->seq, d->job) == -1)
        return -1;
    rc = db_next(&r, e);
    *job = rc == 1 ? db_u(&r, 0) : 0;
    db_end(&r);
    return rc == -1 ? -1 : 0;
}
