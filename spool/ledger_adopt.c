/* ledger_adopt.c - rows as the archive has them (spool/adopt.h). */
#include "converters/base/date.h"
#include "spool/adopt.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

int ledger_adopt_claim(struct ledger *l, const struct claim *c,
                       const char *path, struct err *e)
{
    return db_change(
        l->db, e, 1,
        "INSERT INTO claim(id,partner,folder,name,state,dev,ino,size,mtime_ns,"
        "ctime_ns,sha256,claimed_at,taken_at,archived_at,archive,seq) VALUES"
        "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,nullif(?,''),?) ON CONFLICT(id) DO "
        "UPDATE "
        "SET state=excluded.state,dev=excluded.dev,ino=excluded.ino,"
        "size=excluded.size,mtime_ns=excluded.mtime_ns,"
        "ctime_ns=excluded.ctime_ns,sha256=excluded.sha256,"
        "taken_at=min(ifnull(claim.taken_at,excluded.taken_at),"
        "excluded.taken_at),archived_at=excluded.archived_at,"
        "archive=excluded.archive",
        "zssbzuuuiiztttzu", c->id, c->partner, c->folder, c->name,
        path ? "ARCHIVED" : "TAKEN", c->seen.dev, c->seen.ino, c->seen.size,
        c->seen.mtime_ns, c->seen.ctime_ns, c->sha256, c->claimed_at,
        c->taken_at, path ? clock_now() : (int64_t)0, path ? path : "", c->seq);
}

int ledger_adopt_job(struct ledger *l, const struct receipt *r,
                     const char *note, struct err *e)
{
    if (db_change(
            l->db, e, 1,
            "INSERT INTO receipt(job,id,claim,route,partner,name,size,sha256,"
            "once,test,state,run_id,run_time,taken_at,converted_at,ended_at,"
            "same_as,n_read,n_written,n_aside,n_skipped,n_filtered,n_warnings,"
            "n_replaced,maps,summary,why,only,full) VALUES(?,?,?,?,?,?,?,?,?,?,"
            "?,?,?,?,?,?,nullif(?,0),?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(job) "
            "DO UPDATE SET "
            "once=excluded.once,state=excluded.state,"
            "converted_at=excluded.converted_at,ended_at=excluded.ended_at,"
            "same_as=excluded.same_as,n_read=excluded.n_read,"
            "n_written=excluded.n_written,n_aside=excluded.n_aside,"
            "n_skipped=excluded.n_skipped,n_filtered=excluded.n_filtered,"
            "n_warnings=excluded.n_warnings,n_replaced=excluded.n_replaced,"
            "maps=excluded.maps,summary=excluded.summary,why=excluded.why,"
            "only=excluded.only,full=excluded.full,retry_at=NULL,by_hand=0",
            "uzzsssuzuuzsttttuuuuuuuussssu", r->job, r->id, r->claim, r->route,
            r->partner, r->name, r->size, r->sha256, (uint64_t)r->once,
            (uint64_t)r->test, receipt_state_names[r->state], r->run_id,
            r->run_time, r->taken_at, r->converted_at, r->ended_at, r->same_as,
            r->n.n_read, r->n.n_written, r->n.n_aside, r->n.n_skipped,
            r->n.n_filtered, r->n.n_warnings, r->n.n_replaced, r->maps,
            r->summary, r->why, r->only, (uint64_t)r->full) == -1)
        return -1;
    return ledger_note(l, r->job, "adopted", str_of(note), e);
}

int ledger_adopt_delivery(struct ledger *l, uint64_t job,
                          const struct delivery *d, enum delivery_state state,
                          int64_t at, const char *why, struct err *e)
{
    return db_change(
        l->db, e, ANY_ROWS,
        "INSERT INTO delivery(id,job,kind,path,partner,folder,name,replace,"
        "state,bytes,n_documents,sha256,ready_at,delivered_at,why,stage,"
        "seq) VALUES"
        "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16," SEQ_OF_JOB(
            "?2") ") ON CONFLICT(id) DO UPDATE SET "
                  "state=excluded.state,delivered_at=excluded.delivered_at,"
                  "why=excluded.why WHERE delivery.state NOT IN"
                  " ('DELIVERED','SUPERSEDED')",
        "zuzssssuzuuzttzu", d->id, job, out_kind_names[d->kind], d->path,
        d->partner, d->folder, d->name, (uint64_t)d->replace,
        delivery_state_names[state], d->bytes, d->n_documents, d->sha256, at,
        state == DELIVERY_DELIVERED ? at : (int64_t)0, why, (uint64_t)d->stage);
}

int ledger_adopt_unknown(struct ledger *l, uint64_t job, const char *why,
                         struct err *e)
{
    if (db_change(l->db, e, ANY_ROWS,
                  "UPDATE delivery SET state='UNCONFIRMED',why=? WHERE job=?"
                  " AND state IN ('READY','RENAMING','HELD')",
                  "zu", why, job) == -1 ||
        db_change(l->db, e, 1,
                  "UPDATE receipt SET state='HELD',by_hand=0,retry_at=NULL,"
                  "why=? WHERE job=? AND ended_at IS NULL",
                  "zu", why, job) == -1)
        return -1;
    return ledger_note(l, job, "held", str_of(why), e);
}

int ledger_adopt_counter(struct ledger *l, struct str name, uint64_t value,
                         struct err *e)
{
    return db_change(l->db, e, ANY_ROWS,
                     "INSERT INTO counter VALUES(?,?) ON CONFLICT(name) DO "
                     "UPDATE SET value=max(value,excluded.value)",
                     "su", name, value);
}

int ledger_counter(struct ledger *l, struct str name, uint64_t *value,
                   struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r, "SELECT value FROM counter WHERE name=?", "s",
               name) == -1)
        return -1;
    rc = db_next(&r, e);
    *value = rc == 1 ? db_u(&r, 0) : 0;
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_adopt_clean(struct ledger *l, bool claims, struct err *e)
{
    if (db_change(l->db, e, ANY_ROWS,
                  "UPDATE request SET done_at=?,ok=0,answer='the ledger was"
                  " adopted; ask again' WHERE done_at IS NULL",
                  "t", clock_now()) == -1 ||
        ledger_slots_started(l, e) == -1)
        return -1;
    if (!claims)
        return 0;
    return db_change(l->db, e, ANY_ROWS,
                     "DELETE FROM claim WHERE state='CLAIMED'", "");
}
