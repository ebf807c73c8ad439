/*
 * ledger_remote.c - what lies on partners' servers: files that were seen there
 * and not taken yet, files that stay there, and claimed ones that are ours and
 * have to go.
 */
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

int ledger_seen(struct ledger *l, struct str partner, struct str folder,
                struct arena *a, struct seen **out, size_t *n, struct err *e)
{
    struct rows r;
    size_t cap = 0;
    int rc;

    *out = NULL;
    *n = 0;
    if (db_ask(l->db, e, &r,
               "SELECT name,size,mtime,since,taken,gone_at FROM seen WHERE"
               " partner=? AND folder=? ORDER BY name",
               "ss", partner, folder) == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1) {
        if (*n == cap) {
            struct seen *grown;

            cap = cap ? cap * 2 : 64;
            grown = arena_alloc(a, cap * sizeof(*grown));
            if (*n)
                memcpy(grown, *out, *n * sizeof(*grown));
            *out = grown;
        }
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
