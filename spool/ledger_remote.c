/*
 * ledger_remote.c - what lies on partners' servers: files that were seen there
 * and not taken yet, files that stay there, and claimed ones that are ours and
 * have to go.
 */
#include "converters/base/date.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

int ledger_seen(struct ledger *l, struct str partner, struct str folder,
                struct arena *a, struct seen **out, size_t *n, struct err *e)
{
    struct rows r;
    int rc;

    *out = NULL;
    *n = 0;
    if (db_ask(l->db, e, &r,
               "SELECT name,size,mtime,since,taken,gone_at FROM seen WHERE"
               " partner=? AND folder=? ORDER BY name",
               "ss", partner, folder) == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1) {
        *out = ledger_room(a, *out, *n, sizeof(**out));
        (*out)[(*n)++] = (struct seen){
            .name = db_str(&r, 0, a),
            .size = db_u(&r, 1),
            .mtime = db_u(&r, 2),
            .since = db_i(&r, 3),
            .taken = db_u(&r, 4) != 0,
            .gone_at = db_i(&r, 5),
        };
    }
    db_end(&r);
    return rc;
}

int ledger_see(struct ledger *l, struct str partner, struct str folder,
               const struct seen *s, struct err *e)
{
    return db_change(l->db, e, 1,
                     "INSERT INTO seen VALUES(?,?,?,?,?,?,?,?) ON CONFLICT DO"
                     " UPDATE SET size=excluded.size,mtime=excluded.mtime,"
                     "since=excluded.since,taken=excluded.taken,"
                     "gone_at=excluded.gone_at",
                     "ssbuuiui", partner, folder, s->name, s->size, s->mtime,
                     s->since, (uint64_t)s->taken, s->gone_at);
}

int ledger_unsee(struct ledger *l, struct str partner, struct str folder,
                 const struct seen *s, struct err *e)
{
    return db_change(l->db, e, ANY_ROWS,
                     "DELETE FROM seen WHERE partner=? AND folder=? AND name=?"
                     " AND size=? AND mtime=?",
                     "ssbuu", partner, folder, s->name, s->size, s->mtime);
}

int ledger_there(struct ledger *l, const struct claim *c, struct str name,
                 struct err *e)
{
    return db_change(l->db, e, 1,
                     "UPDATE claim SET there=nullif(?,x'') WHERE id=? AND"
                     " state='TAKEN'",
                     "bz", name, c->id);
}

/* ---- lines --------------------------------------------------------------- */

static int line_of(struct ledger *l, struct str partner, struct arena *a,
                   struct line_state *out, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r, "SELECT ok,why FROM line WHERE partner=?", "s",
               partner) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1) {
        out->ok = db_u(&r, 0) != 0;
        out->why = db_str(&r, 1, a);
    }
    db_end(&r);
    return rc;
}

/* Another reason does not change since when it is down. */
static int change_line(struct ledger *l, struct str partner, bool ok, bool held,
                       const char *why, struct err *e)
{
    struct buf b;
    int rc =
        db_change(l->db, e, 1,
                  "INSERT INTO line VALUES(?,?,?,?,?) ON CONFLICT DO UPDATE"
                  " SET at=iif(ok=excluded.ok,at,excluded.at),"
                  "ok=excluded.ok,held=excluded.held,why=excluded.why",
                  "stuuz", partner, clock_now(), (uint64_t)ok,
                  (uint64_t)(!ok && held), ok ? "" : why);

    if (rc == -1)
        return -1;
    buf_init(&b, 4096);
    buf_addf(&b, "partner %.*s%s%s", STR_ARGS(partner), ok ? "" : ": ",
             ok ? "" : why);
    rc = ledger_note(l, 0,
                     ok     ? "reached"
                     : held ? "held"
                            : "unreached",
                     buf_str(&b), e);
    buf_release(&b);
    return rc;
}

int ledger_line(struct ledger *l, struct str partner, bool ok, bool held,
                const char *why, struct err *e)
{
    struct arena a = { 0 };
    struct line_state before = { .ok = true };
    int rc = line_of(l, partner, &a, &before, e);
    bool same = before.ok == ok && (ok || str_is(before.why, why));

    arena_release(&a);
    if (rc == -1 || (same && (rc == 1 || ok)))
        return rc == -1 ? -1 : 0;
    if (db_begin(l->db, e) == -1)
        return -1;
    return ledger_settle(l, change_line(l, partner, ok, held, why, e), e);
}

int ledger_lines(struct ledger *l, struct arena *a, struct line_state **out,
                 size_t *n, struct err *e)
{
    struct rows r;
    int rc;

    *out = NULL;
    *n = 0;
    if (db_ask(l->db, e, &r,
               "SELECT partner,at,ok,held,why FROM line ORDER BY partner",
               "") == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1) {
        *out = ledger_room(a, *out, *n, sizeof(**out));
        (*out)[(*n)++] = (struct line_state){ .partner = db_str(&r, 0, a),
                                              .at = db_time(&r, 1),
                                              .ok = db_u(&r, 2) != 0,
                                              .held = db_u(&r, 3) != 0,
                                              .why = db_str(&r, 4, a) };
    }
    db_end(&r);
    return rc;
}
