/* ledger_docs.c - documents that happen once, as people ask for them. */
#include "spool/docs.h"

#include <stdio.h>

#include "converters/base/date.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

#define COLUMNS                                                             \
    "SELECT " KNOWN_DOC ",n,unit,route,customer,email,date,status,carrier," \
    "tracking,first_job,last_job,line,member,unsent FROM doc"

struct known_doc ledger_known_doc(const struct rows *r, int first,
                                  struct arena *a)
{
    struct str state = db_str(r, first + 4, a);

    return (struct known_doc){
        .found = true,
        .key = { db_str(r, first, a), db_str(r, first + 1, a),
                 db_str(r, first + 2, a), db_str(r, first + 3, a) },
        .state = str_is(state, "SENT")        ? DOC_SENT
                 : str_is(state, "CANCELLED") ? DOC_CANCELLED
                                              : DOC_CAME,
        .as_number = db_str(r, first + 5, a),
        .action = db_str(r, first + 6, a),
        .sent_job = db_u(r, first + 7),
        .refused = db_u(r, first + 8) != 0,
        .answer = db_str(r, first + 9, a),
        .receiver_number = db_str(r, first + 10, a),
        .receiver_id = db_str(r, first + 11, a),
        .series = db_str(r, first + 12, a),
        .invoice = db_str(r, first + 13, a),
        .last_at = db_time(r, first + 14),
    };
}

static struct found_doc doc_row(const struct rows *r, struct arena *a)
{
    enum { REST = N_KNOWN_DOC };

    return (struct found_doc){
        .is = ledger_known_doc(r, 0, a),
        .n = db_u(r, REST),
        .unit = db_str(r, REST + 1, a),
        .route = db_str(r, REST + 2, a),
        .customer = db_str(r, REST + 3, a),
        .email = db_str(r, REST + 4, a),
        .date = db_str(r, REST + 5, a),
        .status = db_str(r, REST + 6, a),
        .carrier = db_str(r, REST + 7, a),
        .tracking = db_str(r, REST + 8, a),
        .first_job = db_u(r, REST + 9),
        .last_job = db_u(r, REST + 10),
        .line = (uint32_t)db_u(r, REST + 11),
        .member = db_str(r, REST + 12, a),
        .unsent = db_str(r, REST + 13, a),
    };
}

static int list(struct rows *r, struct arena *a, struct found_doc **out,
                size_t *n, struct err *e)
{
    int rc;

    *out = NULL;
    *n = 0;
    while ((rc = db_next(r, e)) == 1) {
        *out = ledger_room(a, *out, *n, sizeof(**out));
        (*out)[(*n)++] = doc_row(r, a);
    }
    db_end(r);
    return rc;
}

static int waiting_docs(struct ledger *l, uint64_t last, struct arena *a,
                        struct found_doc **out, size_t *n, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               COLUMNS " WHERE refused<>0 OR unsent<>'' ORDER BY last_job "
                       "DESC,n DESC LIMIT ?",
               "u", last) == -1)
        return -1;
    return list(&r, a, out, n, e);
}

/* What was said of a number before its order came, or of another order of that
 * number, is not what is asked for. */
static void drop_answers(struct found_doc *d, size_t *n)
{
    size_t kept = 0;

    for (size_t i = 0; i < *n; i++)
        if (d[i].is.key.output.len)
            d[kept++] = d[i];
    if (kept)
        *n = kept;
}

int ledger_docs(struct ledger *l, const struct doc_search *q, struct arena *a,
                struct found_doc **out, size_t *n, struct err *e)
{
    uint64_t last = q->last ? q->last : INT64_MAX;
    struct rows r;

    if (q->waits)
        return waiting_docs(l, last, a, out, n, e);
    if (db_ask(l->db, e, &r,
               COLUMNS " WHERE n IN (SELECT n FROM doc WHERE number=?2 UNION"
                       " SELECT n FROM doc WHERE document=?1 AND as_number=?2"
                       " AND as_number<>'') AND document=?1 AND"
                       " (?3='' OR ?3 IN (route,sender,unit)) ORDER BY "
                       "first_job,n LIMIT ?4",
               "sssu", q->document, q->number, q->place, last) == -1 ||
        list(&r, a, out, n, e) == -1)
        return -1;
    drop_answers(*out, n);
    return 0;
}

int ledger_each_doc(struct ledger *l,
                    bool (*fn)(void *ctx, const struct found_doc *d), void *ctx,
                    struct err *e)
{
    struct arena a = { 0 };
    struct rows r;
    bool more = true;
    int rc = 0;

    if (db_ask(l->db, e, &r, COLUMNS " ORDER BY last_job DESC,n DESC", "") ==
        -1)
        return -1;
    while (more && (rc = db_next(&r, e)) == 1) {
        struct found_doc d = doc_row(&r, &a);

        more = fn(ctx, &d);
        arena_reset(&a);
    }
    db_end(&r);
    arena_release(&a);
    return more ? rc : 0;
}

int ledger_doc_story(struct ledger *l, uint64_t doc, struct arena *a,
                     struct doc_event **out, size_t *n, struct err *e)
{
    struct rows r;
    int rc;

    *out = NULL;
    *n = 0;
    if (db_ask(l->db, e, &r,
               "SELECT at,job,what,text FROM story WHERE doc=? ORDER BY n", "u",
               doc) == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1) {
        *out = ledger_room(a, *out, *n, sizeof(**out));
        (*out)[(*n)++] =
            (struct doc_event){ db_time(&r, 0), db_u(&r, 1), db_str(&r, 2, a),
                                db_str(&r, 3, a) };
    }
    db_end(&r);
    return rc;
}

static int one_number(struct rows *r, uint64_t *out, struct err *e)
{
    int rc = db_next(r, e);

    *out = rc == 1 ? db_u(r, 0) : 0;
    db_end(r);
    return rc == -1 ? -1 : 0;
}

int ledger_count_waiting_docs(struct ledger *l, uint64_t *n, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               "SELECT count(*) FROM (SELECT n FROM doc WHERE refused<>0 UNION"
               " SELECT n FROM doc WHERE unsent<>'')",
               "") == -1)
        return -1;
    return one_number(&r, n, e);
}

/* ---- changes by hand ------------------------------------------------------
 */

int ledger_settle_doc(struct ledger *l, const struct found_doc *d,
                      struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, 1, "UPDATE doc SET refused=0,unsent='' WHERE n=?",
                   "u", d->n);
    if (rc == 0)
        rc = db_change(l->db, e, 1,
                       "INSERT INTO story(doc,at,job,what,text) VALUES(?,?,0,"
                       "'settled','by hand')",
                       "ut", d->n, clock_now());
    return ledger_settle(l, rc, e);
}

int ledger_more_open(struct ledger *l, const struct receipt *r, uint64_t *job,
                     struct err *e)
{
    struct rows rows;

    if (db_ask(l->db, e, &rows,
               "SELECT job FROM receipt WHERE claim=? AND route=? AND only=?"
               " AND full=? AND ended_at IS NULL LIMIT 1",
               "zssu", r->claim, r->route, r->only, (uint64_t)r->full) == -1)
        return -1;
    return one_number(&rows, job, e);
}

int ledger_take_more(struct ledger *l, const struct claim *c, struct receipt *r,
                     struct err *e)
{
    int rc;

    if (db_begin(l->db, e) == -1)
        return -1;
    rc = db_change(l->db, e, ANY_ROWS,
                   "UPDATE claim SET state='TAKEN',archived_at=NULL,"
                   "archive=NULL WHERE id=? AND state='ARCHIVED'",
                   "z", c->id);
    if (rc == 0)
        rc = ledger_add_receipt(l, c, r, e);
    if (rc == 0)
        rc = ledger_note(l, r->job, "again",
                         r->only.len ? r->only : STR("all of it"), e);
    return ledger_settle(l, rc, e);
}
