/* ledger_ask.c - questions to the ledger; nothing in here changes it. */
#include <stdio.h>

#include "spool/ledger.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"
#include "spool/retire.h"

void *ledger_room(struct arena *a, void *rows, size_t n, size_t size)
{
    void *grown;

    if (n & (n - 1) || n == 1)
        return rows;
    grown = arena_alloc(a, (n ? n * 2 : 2) * size);
    if (n)
        memcpy(grown, rows, n * size);
    return grown;
}

static int state_of(const struct rows *r, int col, const char *const *names,
                    int n)
{
    char z[16];

    db_z(r, col, z, sizeof(z));
    for (int i = 0; i < n; i++)
        if (strcmp(z, names[i]) == 0)
            return i;
    return 0;
}

/* ---- claims ------------------------------------------------------------- */

static const char *const claim_state_names[] = { "CLAIMED", "TAKEN",
                                                 "ARCHIVED" };

#define CLAIM_COLUMNS                                                  \
    "SELECT id,partner,folder,name,state,dev,ino,size,mtime_ns,"       \
    "ctime_ns,sha256,claimed_at,taken_at,archive,seq,expired_at,there" \
    " FROM claim c"

static struct claim claim_row(const struct rows *r, struct arena *a)
{
    struct claim c = {
        .partner = db_str(r, 1, a),
        .folder = db_str(r, 2, a),
        .name = db_str(r, 3, a),
        .state = (enum claim_state)state_of(r, 4, claim_state_names, 3),
        .seen = { db_u(r, 5), db_u(r, 6), db_u(r, 7), db_i(r, 8), db_i(r, 9) },
        .claimed_at = db_time(r, 11),
        .taken_at = db_time(r, 12),
        .archive = db_str(r, 13, a),
        .seq = db_u(r, 14),
        .expired_at = db_time(r, 15),
        .there = db_str(r, 16, a),
    };

    db_z(r, 0, c.id, sizeof(c.id));
    db_z(r, 10, c.sha256, sizeof(c.sha256));
    return c;
}

static int claim_list(struct rows *r, struct arena *a, struct claim **out,
                      size_t *n, struct err *e)
{
    int rc;

    *out = NULL;
    *n = 0;
    while ((rc = db_next(r, e)) == 1) {
        *out = ledger_room(a, *out, *n, sizeof(**out));
        (*out)[(*n)++] = claim_row(r, a);
    }
    db_end(r);
    return rc;
}

int ledger_claims(struct ledger *l, enum claim_state state, struct arena *a,
                  struct claim **out, size_t *n, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               CLAIM_COLUMNS " WHERE state=?1 AND state<>'ARCHIVED'"
                             " AND (state<>'CLAIMED' OR there IS NULL)"
                             " ORDER BY seq",
               "z", claim_state_names[state]) == -1)
        return -1;
    return claim_list(&r, a, out, n, e);
}

int ledger_next_remote(struct ledger *l, struct str after, struct arena *a,
                       struct str *out, struct err *e)
{
    struct rows r;
    int rc;

    *out = STR("");
    if (db_ask(l->db, e, &r,
               "SELECT partner FROM claim WHERE there IS NOT NULL AND"
               " partner>? ORDER BY partner LIMIT 1",
               "s", after) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        *out = db_str(&r, 0, a);
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_to_archive(struct ledger *l, struct arena *a, struct claim **out,
                      size_t *n, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               CLAIM_COLUMNS
               " WHERE state='TAKEN' AND state<>'ARCHIVED' AND"
               " there IS NULL AND NOT EXISTS("
               "SELECT 1 FROM receipt WHERE claim=c.id AND ended_at IS NULL)"
               " AND NOT EXISTS(SELECT 1 FROM receipt x JOIN delivery d"
               " ON d.job=x.job WHERE x.claim=c.id AND d.state NOT IN"
               " ('DELIVERED','SUPERSEDED')) ORDER BY seq",
               "") == -1)
        return -1;
    return claim_list(&r, a, out, n, e);
}

int ledger_expired(struct ledger *l, unsigned max, struct arena *a,
                   struct claim **out, size_t *n, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               CLAIM_COLUMNS " WHERE expired_at IS NOT NULL ORDER BY archive"
                             " LIMIT ?",
               "u", (uint64_t)max) == -1)
        return -1;
    return claim_list(&r, a, out, n, e);
}

int ledger_remote_claims(struct ledger *l, struct str partner, bool taken,
                         uint64_t max, struct arena *a, struct claim **out,
                         size_t *n, struct err *e)
{
    struct rows r;
    int rc;

    if (taken)
        rc = db_ask(l->db, e, &r,
                    CLAIM_COLUMNS " WHERE there IS NOT NULL AND partner=? AND"
                                  " state='TAKEN' ORDER BY seq LIMIT ?",
                    "su", partner, max);
    else
        rc = db_ask(l->db, e, &r,
                    CLAIM_COLUMNS " WHERE there IS NOT NULL AND partner=? AND"
                                  " state='CLAIMED' ORDER BY seq LIMIT ?",
                    "su", partner, max);
    return rc == -1 ? -1 : claim_list(&r, a, out, n, e);
}

int ledger_find_claim(struct ledger *l, const char *id, struct arena *a,
                      struct claim **out, struct err *e)
{
    struct rows r;
    size_t n;

    if (db_ask(l->db, e, &r, CLAIM_COLUMNS " WHERE id=?", "z", id) == -1)
        return -1;
    return claim_list(&r, a, out, &n, e);
}

int ledger_claim_of(struct ledger *l, const char *receipt,
                    char claim[ID_HEX + 1], struct err *e)
{
    struct rows r;
    int rc;

    claim[0] = '\0';
    if (db_ask(l->db, e, &r, "SELECT claim FROM receipt WHERE id=?", "z",
               receipt) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        db_z(&r, 0, claim, ID_HEX + 1);
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_freeze(struct ledger *l, struct err *e)
{
    return db_script(l->db, "BEGIN", e);
}

void ledger_thaw(struct ledger *l)
{
    struct err ignored;

    db_script(l->db, "ROLLBACK", &ignored);
}

/* ---- receipts ----------------------------------------------------------- */

#define RECEIPT_COLUMNS                                                    \
    "SELECT job,id,claim,route,partner,name,size,sha256,once,test,state,"  \
    "run_id,run_time,taken_at,converted_at,ended_at,n_tries,same_as,"      \
    "n_read,n_written,n_aside,n_skipped,n_filtered,n_warnings,n_replaced," \
    "maps,summary,why,retry_at,by_hand,only,full FROM receipt"

static struct receipt receipt_row(const struct rows *r, struct arena *a)
{
    struct receipt x = {
        .job = db_u(r, 0),
        .route = db_str(r, 3, a),
        .partner = db_str(r, 4, a),
        .name = db_str(r, 5, a),
        .size = db_u(r, 6),
        .once = db_u(r, 8) != 0,
        .test = db_u(r, 9) != 0,
        .state = (enum receipt_state)state_of(r, 10, receipt_state_names,
                                              N_RECEIPT_STATES),
        .run_id = db_str(r, 11, a),
        .run_time = db_time(r, 12),
        .taken_at = db_time(r, 13),
        .converted_at = db_time(r, 14),
        .ended_at = db_time(r, 15),
        .n_tries = db_u(r, 16),
        .same_as = db_u(r, 17),
        .n = { db_u(r, 18), db_u(r, 19), db_u(r, 20), db_u(r, 21), db_u(r, 22),
               db_u(r, 23), db_u(r, 24) },
        .maps = db_str(r, 25, a),
        .summary = db_str(r, 26, a),
        .why = db_str(r, 27, a),
        .retry_at = db_time(r, 28),
        .by_hand = db_u(r, 29) != 0,
        .only = db_str(r, 30, a),
        .full = db_u(r, 31) != 0,
    };

    db_z(r, 1, x.id, sizeof(x.id));
    db_z(r, 2, x.claim, sizeof(x.claim));
    db_z(r, 7, x.sha256, sizeof(x.sha256));
    return x;
}

static int receipt_list(struct rows *r, struct arena *a, struct receipt **out,
                        size_t *n, struct err *e)
{
    int rc;

    *out = NULL;
    *n = 0;
    while ((rc = db_next(r, e)) == 1) {
        *out = ledger_room(a, *out, *n, sizeof(**out));
        (*out)[(*n)++] = receipt_row(r, a);
    }
    db_end(r);
    return rc;
}

/* ",TAKEN,HELD," for a set of states; "" for any. */
static void state_list(unsigned states, const char *const *names, int n,
                       char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (int i = 0; i < n; i++)
        if (states & (1u << i))
            len += (size_t)snprintf(out + len, size - len, "%s%s,",
                                    len ? "" : ",", names[i]);
}

enum {
    OPEN_RECEIPTS =
        1u << RECEIPT_TAKEN | 1u << RECEIPT_CONVERTED | 1u << RECEIPT_HELD
};

#define RECEIPT_WHERE                                                   \
    " (?1='' OR route=?1) AND (?2='' OR claim=?2) AND (?3=0 OR job=?3)" \
    " AND (?4='' OR instr(?4,','||state||',')) AND job>=?5"             \
    " AND job<=?7"                                                      \
    " ORDER BY job DESC LIMIT ?6"

int ledger_receipts(struct ledger *l, const struct ledger_find *f,
                    struct arena *a, struct receipt **out, size_t *n,
                    struct err *e)
{
    bool open = f->states && !(f->states & ~(unsigned)OPEN_RECEIPTS);
    const char *sql = RECEIPT_COLUMNS " WHERE" RECEIPT_WHERE;
    char states[128];
    struct rows r;
    int rc;

    state_list(f->states, receipt_state_names, N_RECEIPT_STATES, states,
               sizeof(states));
    /* Each has an index: all receipts may be millions. */
    if (f->claim)
        sql = RECEIPT_COLUMNS " WHERE claim=?2 AND" RECEIPT_WHERE;
    else if (open)
        sql = RECEIPT_COLUMNS " WHERE ended_at IS NULL AND" RECEIPT_WHERE;
    if (db_ask(l->db, e, &r, sql, "zzuzuiu", f->route ? f->route : "",
               f->claim ? f->claim : "", f->job, states,
               f->job ? f->job : f->since,
               f->last ? (int64_t)f->last : (int64_t)-1,
               f->job     ? f->job
               : f->until ? f->until
                          : (uint64_t)INT64_MAX) == -1)
        return -1;
    rc = receipt_list(&r, a, out, n, e);
    for (size_t i = 0; i < *n / 2; i++) {
        struct receipt x = (*out)[i];

        (*out)[i] = (*out)[*n - 1 - i];
        (*out)[*n - 1 - i] = x;
    }
    return rc;
}

int ledger_to_finish(struct ledger *l, struct arena *a, struct receipt **out,
                     size_t *n, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               RECEIPT_COLUMNS " WHERE ended_at IS NULL AND state='CONVERTED'"
                               " AND NOT EXISTS(SELECT 1 FROM delivery d WHERE"
                               " d.job=receipt.job AND d.state NOT IN"
                               " ('DELIVERED','SUPERSEDED')) ORDER BY job",
               "") == -1)
        return -1;
    return receipt_list(&r, a, out, n, e);
}

int ledger_next(struct ledger *l, struct str route, uint64_t after,
                uint64_t upto, int64_t now, struct arena *a,
                struct receipt **out, struct err *e)
{
    enum { HOUR = 3600 };
    struct rows r;
    int rc;

    *out = NULL;
    if (db_ask(l->db, e, &r,
               RECEIPT_COLUMNS " WHERE route=? AND state='TAKEN' AND job>?"
                               " AND job<=? AND (retry_at IS NULL OR"
                               " retry_at<=? OR retry_at>? OR ?) ORDER BY job"
                               " LIMIT 1",
               "suuttu", route, after, upto, now, now ? now + HOUR : 0,
               (uint64_t)(now == 0)) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1) {
        *out = arena_alloc(a, sizeof(**out));
        **out = receipt_row(&r, a);
    }
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_ended(struct ledger *l, struct str route, uint64_t after,
                 unsigned max, struct arena *a, struct receipt **out, size_t *n,
                 struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               RECEIPT_COLUMNS " INDEXED BY receipt_in_order WHERE route=?"
                               " AND job>? AND ended_at IS NOT NULL"
                               " ORDER BY job LIMIT ?",
               "suu", route, after, (uint64_t)max) == -1)
        return -1;
    return receipt_list(&r, a, out, n, e);
}

/* ---- deliveries --------------------------------------------------------- */

/* What a delivery of stage 1 waits for, see struct delivery. */
#define AWAITED                                                            \
    " FROM delivery b WHERE b.job IN (SELECT d.job UNION ALL SELECT other" \
    " FROM awaits WHERE job=d.job) AND b.stage=0 AND b.kind='file' AND"    \
    " b.state NOT IN ('DELIVERED','SUPERSEDED')"
#define ITS_TURN "(d.stage=0 OR NOT EXISTS(SELECT 1" AWAITED "))"
/* Why it waits, if nothing else is the matter. */
#define WHY                                                                 \
    "CASE WHEN d.stage=0 OR d.state<>'READY' OR d.why<>'' THEN d.why ELSE"  \
    " ifnull((SELECT 'waits for the cards in '||b.name||CASE b.job WHEN"    \
    " d.job THEN '' ELSE ', job '||b.job END" AWAITED " ORDER BY b.n LIMIT" \
    " 1),'') END"

#define DELIVERY_COLUMNS                                                     \
    "SELECT d.id,x.id,x.claim,d.job,kind,path,d.partner,folder,d.name,"      \
    "replace,d.state,epoch,bytes,n_documents,d.sha256,folder_id,name_taken," \
    "by_absence," WHY ",ready_at,delivered_at,d.seq,d.stage"                 \
    " FROM delivery d JOIN receipt x ON x.job=d.job"

static struct delivery delivery_row(const struct rows *r, struct arena *a)
{
    struct delivery d = {
        .job = db_u(r, 3),
        .kind = (enum delivery_kind)state_of(r, 4, out_kind_names, N_OUT_KINDS),
        .path = db_str(r, 5, a),
        .partner = db_str(r, 6, a),
        .folder = db_str(r, 7, a),
        .name = db_str(r, 8, a),
        .replace = db_u(r, 9) != 0,
        .state = (enum delivery_state)state_of(r, 10, delivery_state_names,
                                               N_DELIVERY_STATES),
        .epoch = db_u(r, 11),
        .bytes = db_u(r, 12),
        .n_documents = db_u(r, 13),
        .folder_id = db_str(r, 15, a),
        .name_taken = db_u(r, 16) != 0,
        .by_absence = db_u(r, 17) != 0,
        .why = db_str(r, 18, a),
        .ready_at = db_time(r, 19),
        .delivered_at = db_time(r, 20),
        .stage = (unsigned)db_u(r, 22),
        .seq = db_u(r, 21),
    };

    db_z(r, 0, d.id, sizeof(d.id));
    db_z(r, 1, d.receipt, sizeof(d.receipt));
    db_z(r, 2, d.claim, sizeof(d.claim));
    db_z(r, 14, d.sha256, sizeof(d.sha256));
    return d;
}

static int delivery_list(struct rows *r, struct arena *a, struct delivery **out,
                         size_t *n, struct err *e)
{
    int rc;

    *out = NULL;
    *n = 0;
    while ((rc = db_next(r, e)) == 1) {
        *out = ledger_room(a, *out, *n, sizeof(**out));
        (*out)[(*n)++] = delivery_row(r, a);
    }
    db_end(r);
    return rc;
}

int ledger_deliveries(struct ledger *l, const char *receipt, unsigned states,
                      struct arena *a, struct delivery **out, size_t *n,
                      struct err *e)
{
    char list[128];
    struct rows r;
    int rc;

    state_list(states, delivery_state_names, N_DELIVERY_STATES, list,
               sizeof(list));
    if (receipt)
        rc = db_ask(l->db, e, &r,
                    DELIVERY_COLUMNS " WHERE x.id=? AND (?2='' OR"
                                     " instr(?2,','||d.state||','))"
                                     " ORDER BY d.n",
                    "zz", receipt, list);
    else
        /* The + keeps SQLite from walking all jobs in their order. */
        rc = db_ask(l->db, e, &r,
                    DELIVERY_COLUMNS
                    " WHERE d.state NOT IN ('DELIVERED','SUPERSEDED') AND"
                    " x.by_hand=0 AND instr(?,','||d.state||',') ORDER BY "
                    "d.seq,d.job,d.n",
                    "z", list);
    return rc == -1 ? -1 : delivery_list(&r, a, out, n, e);
}

int ledger_waiting(struct ledger *l, struct str partners, struct arena *a,
                   struct delivery **out, size_t *n, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               DELIVERY_COLUMNS
               " WHERE d.state NOT IN ('DELIVERED','SUPERSEDED') AND"
               " x.by_hand=0 AND (d.state IN ('READY','RENAMING') OR"
               " (d.state='HELD' AND name_taken)) AND"
               " instr(?,','||d.partner||',')=0 AND " ITS_TURN
               " ORDER BY d.seq,d.job,d.n",
               "s", partners) == -1)
        return -1;
    return delivery_list(&r, a, out, n, e);
}

int ledger_waiting_for(struct ledger *l, struct str partner,
                       uint64_t held_after, uint64_t max, struct arena *a,
                       struct delivery **out, size_t *n, struct err *e)
{
    struct rows r;

    /* The index has their order: of a long list only its beginning is read. */
    if (db_ask(l->db, e, &r,
               DELIVERY_COLUMNS
               " WHERE d.state NOT IN ('DELIVERED','SUPERSEDED') AND"
               " x.by_hand=0 AND (d.state IN ('READY','RENAMING') OR"
               " (d.state='HELD' AND name_taken AND d.seq>?1)) AND d.partner=?2"
               " AND " ITS_TURN " ORDER BY d.seq,d.job,d.n LIMIT ?3",
               "usu", held_after, partner, max) == -1)
        return -1;
    return delivery_list(&r, a, out, n, e);
}

int ledger_staged(struct ledger *l, bool *yes, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               "SELECT 1 FROM delivery d WHERE stage>0 AND state='READY' AND"
               " " ITS_TURN " LIMIT 1",
               "") == -1)
        return -1;
    rc = db_next(&r, e);
    *yes = rc == 1;
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_delivery_stands(struct ledger *l, const struct delivery *d,
                           bool *yes, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               "SELECT 1 FROM delivery WHERE id=? AND state=? AND epoch=?",
               "zzu", d->id, delivery_state_names[d->state], d->epoch) == -1)
        return -1;
    rc = db_next(&r, e);
    *yes = rc == 1;
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

/* ---- history and numbers ------------------------------------------------ */

static int event_list(struct rows *r, struct arena *a, struct event **out,
                      size_t *n, struct err *e)
{
    int rc;

    *out = NULL;
    *n = 0;
    while ((rc = db_next(r, e)) == 1) {
        *out = ledger_room(a, *out, *n, sizeof(**out));
        (*out)[(*n)++] = (struct event){
            .n = db_u(r, 0),
            .at = db_time(r, 1),
            .job = db_u(r, 2),
            .what = db_str(r, 3, a),
            .text = db_str(r, 4, a),
        };
    }
    db_end(r);
    return rc;
}

int ledger_events(struct ledger *l, uint64_t job, unsigned last,
                  struct arena *a, struct event **out, size_t *n, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               job ? "SELECT n,at,job,what,text FROM (SELECT * FROM event"
                     " WHERE job=?1 ORDER BY n DESC LIMIT ?2) ORDER BY n"
                   : "SELECT n,at,job,what,text FROM (SELECT * FROM event"
                     " WHERE ?1=0 ORDER BY n DESC LIMIT ?2) ORDER BY n",
               "ui", job, last ? (int64_t)last : (int64_t)-1) == -1)
        return -1;
    return event_list(&r, a, out, n, e);
}

int ledger_events_since(struct ledger *l, uint64_t after, unsigned max,
                        struct arena *a, struct event **out, size_t *n,
                        struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               "SELECT n,at,job,what,text FROM event WHERE n>? ORDER BY n"
               " LIMIT ?",
               "uu", after, (uint64_t)max) == -1)
        return -1;
    return event_list(&r, a, out, n, e);
}

static int waiting_deliveries(struct ledger *l, const char *route,
                              struct route_counts *out, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               "SELECT count(*) FROM delivery d CROSS JOIN receipt x ON"
               " x.job=d.job WHERE d.state NOT IN ('DELIVERED','SUPERSEDED')"
               " AND x.route=?",
               "z", route) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        out->n_deliveries_waiting = db_u(&r, 0);
    db_end(&r);
    return rc == 1 ? 0 : -1;
}

int ledger_route_counts(struct ledger *l, const char *route,
                        struct route_counts *out, struct err *e)
{
    struct rows r;
    int rc;

    *out = (struct route_counts){ 0 };
    if (db_ask(l->db, e, &r,
               "SELECT state,count(*),max(taken_at),max(job) FROM receipt"
               " WHERE route=? GROUP BY state",
               "z", route) == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1) {
        int64_t at = db_time(&r, 2);

        out->n[state_of(&r, 0, receipt_state_names, N_RECEIPT_STATES)] =
            db_u(&r, 1);
        if (at > out->last_at)
            out->last_at = at;
        if (db_u(&r, 3) > out->last_job)
            out->last_job = db_u(&r, 3);
    }
    db_end(&r);
    return rc == -1 ? -1 : waiting_deliveries(l, route, out, e);
}
