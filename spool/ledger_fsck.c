/*
 * ledger_fsck.c - the rules of the ledger as questions: a row is a job (or 0)
 * and a text, and breaks the rule. `open` asks about what is open only, over
 * the indexes of open rows; NULL: it is not asked at a start.
 */
#include "spool/fsck.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

#define JOB_OF_NOBODY                                             \
    "SELECT job,'claim '||claim FROM receipt x WHERE NOT EXISTS(" \
    "SELECT 1 FROM claim c WHERE c.id=x.claim AND c.state<>'CLAIMED')"

#define DELIVERY_OF_NOBODY                                   \
    " UNION ALL SELECT job,'delivery '||id FROM delivery d " \
    "WHERE NOT EXISTS(SELECT 1 FROM receipt x WHERE x.job=d.job)"

#define CLAIM_WITHOUT_JOB                                        \
    "SELECT 0,'claim '||id||' is '||state FROM claim c WHERE "   \
    "c.state<>'CLAIMED' AND NOT EXISTS(SELECT 1 FROM receipt x " \
    "WHERE x.claim=c.id)"

#define DELIVERY_OPEN " d.state NOT IN ('DELIVERED','SUPERSEDED')"

#define ABOVE_COUNTER                                                       \
    "SELECT x.job,'the counter stands at '||c.value FROM (SELECT max(job) " \
    "AS job FROM receipt) x JOIN counter c ON c.name='job' WHERE "          \
    "x.job>c.value"

#define ON_ITS_WAY                                                        \
    "SELECT d.job,'it is '||x.state||', '||d.name||' is '||d.state FROM " \
    "delivery d JOIN receipt x ON x.job=d.job WHERE" DELIVERY_OPEN " AND "

#define OUT_OF_ORDER                                                      \
    "SELECT 0,'claim '||id||' has the place '||c.seq FROM claim c"        \
    " WHERE NOT EXISTS(SELECT 1 FROM counter k WHERE k.name='claim' AND " \
    "c.seq BETWEEN 1 AND k.value)"

#define OTHER_PLACE                                                         \
    " UNION ALL SELECT d.job,d.name||' has the place '||d.seq FROM "        \
    "delivery d JOIN receipt x ON x.job=d.job JOIN claim c ON c.id=x.claim" \
    " WHERE d.seq<>c.seq"

/* What a receiver got counts from the commit on that ends its job. */
#define WAITS_FOR_NOBODY                                                      \
    "SELECT g.job,'what it has sent to '||g.output||' waits' FROM got g "     \
    "WHERE g.job<>0 AND NOT EXISTS(SELECT 1 FROM receipt x WHERE x.job=g.job" \
    " AND x.ended_at IS NULL)"

#define OF_NO_DOCUMENT                                                      \
    " UNION ALL SELECT job,'a story of document '||doc FROM story s WHERE " \
    "NOT EXISTS(SELECT 1 FROM doc d WHERE d.n=s.doc) UNION ALL SELECT 0,"   \
    "'a reservation of document '||doc FROM reserved r WHERE NOT EXISTS("   \
    "SELECT 1 FROM doc d WHERE d.n=r.doc)"

static const struct {
    const char *open, *all;
} questions[N_FSCK_RULES] = {
    [FSCK_CLAIM_RECEIPT] = { CLAIM_WITHOUT_JOB " AND c.state<>'ARCHIVED'",
                             CLAIM_WITHOUT_JOB },
    [FSCK_NO_ORPHANS] = { JOB_OF_NOBODY
                          " AND ended_at IS NULL" DELIVERY_OF_NOBODY
                          " AND" DELIVERY_OPEN,
                          JOB_OF_NOBODY DELIVERY_OF_NOBODY },
    [FSCK_JOB_NUMBERS] = { ABOVE_COUNTER, ABOVE_COUNTER },
    [FSCK_STATES] = { NULL,
                      "SELECT 0,'claim '||id||': '||state FROM claim WHERE "
                      "state NOT IN ('CLAIMED','TAKEN','ARCHIVED') UNION ALL "
                      "SELECT job,state FROM receipt WHERE state NOT IN "
                      "('TAKEN','CONVERTED','DONE','HELD','REJECTED',"
                      "'SUPPRESSED') UNION ALL SELECT job,kind||' '||state "
                      "FROM delivery WHERE state NOT IN ('READY','RENAMING',"
                      "'DELIVERED','UNCONFIRMED','HELD','SUPERSEDED') OR kind "
                      "NOT IN ('file','report','original','faulty')" },
    [FSCK_ENDED] = { "SELECT job,'it is '||state FROM receipt WHERE ended_at "
                     "IS NULL AND state IN ('DONE','REJECTED','SUPPRESSED')",
                     "SELECT job,'it is '||state FROM receipt WHERE (ended_at "
                     "IS NULL)=(state IN ('DONE','REJECTED','SUPPRESSED'))" },
    [FSCK_SETTLED] = { ON_ITS_WAY "x.state IN ('TAKEN','DONE','SUPPRESSED')",
                       ON_ITS_WAY "x.state IN ('TAKEN','DONE','SUPPRESSED')" },
    [FSCK_HOLDS] = { ON_ITS_WAY "d.state IN ('HELD','UNCONFIRMED') AND x.state "
                                "NOT IN ('HELD','REJECTED')",
                     ON_ITS_WAY "d.state IN ('HELD','UNCONFIRMED') AND x.state "
                                "NOT IN ('HELD','REJECTED')" },
    [FSCK_DELIVERED] = { "SELECT d.job,d.name||' is '||d.state FROM delivery d "
                         "WHERE" DELIVERY_OPEN " AND d.delivered_at IS NOT "
                         "NULL",
                         "SELECT d.job,d.name||' is '||d.state FROM delivery d "
                         "WHERE (d.delivered_at IS NULL)="
                         "(d.state='DELIVERED')" },
    [FSCK_CONVERTED] = { "SELECT job,'it is '||state FROM receipt WHERE "
                         "ended_at IS NULL AND ((state='CONVERTED' AND "
                         "converted_at IS NULL) OR (state='TAKEN' AND "
                         "converted_at IS NOT NULL))",
                         "SELECT job,'it is '||state FROM receipt WHERE (state "
                         "IN ('CONVERTED','DONE','REJECTED') AND converted_at "
                         "IS NULL) OR (state='TAKEN' AND converted_at IS NOT "
                         "NULL)" },
    [FSCK_ARCHIVED] = { "SELECT x.job,'it is '||x.state FROM receipt x JOIN "
                        "claim c ON c.id=x.claim WHERE x.ended_at IS NULL AND "
                        "x.state='TAKEN' AND c.state='ARCHIVED'",
                        "SELECT x.job,'it is '||x.state FROM receipt x JOIN "
                        "claim c ON c.id=x.claim WHERE c.state='ARCHIVED' AND "
                        "(x.state='TAKEN' OR coalesce(c.archive,'')='' OR "
                        "c.archived_at IS NULL)" },
    /* By the order of history, for clocks can be set. */
    [FSCK_ONCE] = { NULL,
                    "SELECT x.job,'job '||y.job||' had the same content' FROM "
                    "receipt x JOIN receipt y ON y.route=x.route AND "
                    "y.sha256=x.sha256 AND y.job<x.job WHERE x.state='DONE' "
                    "AND x.once=1 AND x.test=0 AND +y.state='DONE' AND "
                    "y.test=0 AND y.only='' AND y.n_aside=0 AND NOT "
                    "EXISTS(SELECT 1 FROM "
                    "event v WHERE v.job=y.job AND v.what='resend') AND "
                    "(SELECT min(n) FROM event v WHERE v.job=y.job AND "
                    "v.what='done')<(SELECT min(n) FROM event v WHERE "
                    "v.job=x.job AND v.what='taken')" },
    [FSCK_ORDER] = { OUT_OF_ORDER " AND c.state<>'ARCHIVED'" OTHER_PLACE
                                  " AND" DELIVERY_OPEN,
                     OUT_OF_ORDER OTHER_PLACE },
    [FSCK_FACTS] = { WAITS_FOR_NOBODY, WAITS_FOR_NOBODY OF_NO_DOCUMENT },
};

static int ask(struct fsck *f, enum fsck_rule rule, const char *sql,
               struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(f->ledger->db, e, &r, sql, "") == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1)
        fsck_found(f, rule, db_u(&r, 0), "%.*s",
                   STR_ARGS(db_str(&r, 1, f->arena)));
    db_end(&r);
    return rc;
}

int fsck_ledger(struct fsck *f, struct err *e)
{
    for (enum fsck_rule i = 0; i < N_FSCK_RULES; i++) {
        const char *sql = f->at_start ? questions[i].open : questions[i].all;

        if (sql && ask(f, i, sql, e) == -1)
            return -1;
    }
    return 0;
}
