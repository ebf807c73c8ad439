/* ledger_audit.c - the ledger's side of the balance; it only asks. */
#include "spool/audit.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

static void audit_row(const struct rows *r, struct arena *a,
                      struct audit_route *x)
{
    *x = (struct audit_route){ .route = db_str(r, 0, a),
                               .n_received = db_u(r, 1),
                               .n_records = db_u(r, 8),
                               .n_written = db_u(r, 9),
                               .n_aside = db_u(r, 10),
                               .n_skipped = db_u(r, 11),
                               .n_filtered = db_u(r, 12),
                               .n_uneven = db_u(r, 13),
                               .uneven = db_u(r, 14) };
    for (int i = 0; i < N_RECEIPT_STATES; i++)
        x->n[i] = db_u(r, 2 + i);
}

/* Columns 2 to 7 are the states in the order of their enum. */
#define AUDIT                                                                  \
    "SELECT route,sum(EXISTS(SELECT 1 FROM event v WHERE v.job=x.job AND "     \
    "v.what IN ('taken','adopted'))),sum(state='TAKEN'),"                      \
    "sum(state='CONVERTED'),sum(state='DONE'),sum(state='HELD'),"              \
    "sum(state='REJECTED'),sum(state='SUPPRESSED'),"                           \
    "sum(whole*(n_read+n_skipped)),sum(whole*n_written),sum(whole*n_aside),"   \
    "sum(whole*n_skipped),sum(whole*n_filtered),"                              \
    "sum(whole AND n_read<>n_written+n_aside+n_filtered),"                     \
    "min(CASE WHEN whole AND n_read<>n_written+n_aside+n_filtered THEN job "   \
    "END) FROM (SELECT *,converted_at IS NOT NULL AND state<>'REJECTED' AS "   \
    "whole FROM receipt) x WHERE (?1 IS NULL OR taken_at>=?1) GROUP BY route " \
    "ORDER BY route"

int ledger_audit(struct ledger *l, int64_t since, struct arena *a,
                 struct audit_route **out, size_t *n, struct err *e)
{
    struct audit_route *grown;
    size_t cap = 0;
    struct rows r;
    int rc;

    *out = NULL;
    *n = 0;
    if (db_ask(l->db, e, &r, AUDIT, "t", since) == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1) {
        if (*n == cap) {
            cap = cap ? 2 * cap : 16;
            grown = arena_alloc(a, cap * sizeof(*grown));
            if (*n)
                memcpy(grown, *out, *n * sizeof(*grown));
            *out = grown;
        }
        audit_row(&r, a, &(*out)[(*n)++]);
    }
    db_end(&r);
    return rc;
}

int ledger_lost_jobs(struct ledger *l, int64_t since, uint64_t *n,
                     uint64_t *first, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               "SELECT count(DISTINCT job),min(job) FROM event v WHERE what IN "
               "('taken','adopted') AND (?1 IS NULL OR at>=?1) AND NOT EXISTS("
               "SELECT 1 FROM receipt x WHERE x.job=v.job)",
               "t", since) == -1)
        return -1;
    rc = db_next(&r, e);
    *n = rc == 1 ? db_u(&r, 0) : 0;
    *first = rc == 1 ? db_u(&r, 1) : 0;
    db_end(&r);
    return rc == -1 ? -1 : 0;
}
