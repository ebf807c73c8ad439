/*
 * ledger_facts.c - what jobs ask of the trade; ledger_learn.c learns it.
 * converters/trade/facts.h over the ledger's tables.
 *
 *   doc       a document that happens once, for one output
 *   story     its history
 *   reserved  what it orders, until it is invoiced or cancelled
 *   card      what a partner has in his books or his shop
 *   got       what a receiver has of stock, prices, products
 *   scope     counts the changes of what jobs decide by, see facts.h
 */
#include "spool/docs.h"
#include "spool/facts.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

/* ---- asking ----------------------------------------------------------------
 */

int ledger_scope(struct ledger *l, struct str name, uint64_t *version,
                 struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r, "SELECT version FROM scope WHERE name=?", "s",
               name) == -1)
        return -1;
    rc = db_next(&r, e);
    *version = rc == 1 ? db_u(&r, 0) : 0;
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_place(struct ledger *l, uint64_t job, uint64_t *place, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r, "SELECT ifnull(" SEQ_OF_JOB("?") ",0)", "u",
               job) == -1)
        return -1;
    rc = db_next(&r, e);
    *place = rc == 1 ? db_u(&r, 0) : 0;
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

#define SENT_PLACE "ifnull(" SEQ_OF_JOB("sent_job") ",0)"
#define CAME_PLACE "ifnull(" SEQ_OF_JOB("last_job") ",0)"
/* Though refused, the receiver has spoken of it as of one that he has. */
#define IS_KNOWN                                                    \
    "refused<>0 AND EXISTS(SELECT 1 FROM story WHERE doc=doc.n AND" \
    " what='answer' AND substr(text,1,7)<>'refused')"
#define DOC_COLUMNS                                                         \
    "SELECT " KNOWN_DOC ",content,hash,reported,came_hash,passed,"          \
    "ifnull((SELECT route FROM receipt WHERE job=sent_job),'')," SENT_PLACE \
    "," CAME_PLACE "," IS_KNOWN " FROM doc"

static struct known_doc doc_row(const struct rows *r, struct arena *a)
{
    enum { REST = N_KNOWN_DOC };
    struct known_doc d = ledger_known_doc(r, 0, a);

    d.values = db_str(r, REST, a);
    d.hash = db_str(r, REST + 1, a);
    d.reported = db_str(r, REST + 2, a);
    d.came_hash = db_str(r, REST + 3, a);
    d.passed = db_str(r, REST + 4, a);
    d.sent_route = db_str(r, REST + 5, a);
    d.sent_place = db_u(r, REST + 6);
    d.came_place = db_u(r, REST + 7);
    d.known = db_u(r, REST + 8) != 0;
    return d;
}

static int one_doc(struct rows *r, struct arena *a, struct known_doc *out,
                   struct err *e)
{
    int rc = db_next(r, e);

    *out = rc == 1 ? doc_row(r, a) : (struct known_doc){ 0 };
    db_end(r);
    return rc == -1 ? -1 : 0;
}

int ledger_doc(struct ledger *l, const struct doc_key *key, struct arena *a,
               struct known_doc *out, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r, DOC_COLUMNS THE_DOC, "ssss", key->output,
               key->sender, key->document, key->number) == -1)
        return -1;
    return one_doc(&r, a, out, e);
}

int ledger_doc_as(struct ledger *l, struct str unit, struct str document,
                  struct str as_number, struct arena *a, struct known_doc *out,
                  struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               DOC_COLUMNS " WHERE unit=? AND document=? AND as_number=? AND"
                           " as_number<>'' ORDER BY sent_job DESC LIMIT 1",
               "sss", unit, document, as_number) == -1 ||
        one_doc(&r, a, out, e) == -1)
        return -1;
    if (!out->found)
        return 0;
    if (db_ask(l->db, e, &r,
               "SELECT sender FROM doc WHERE unit=? AND document=? AND"
               " as_number=? AND as_number<>'' AND sender<>? LIMIT 1",
               "ssss", unit, document, as_number, out->key.sender) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        out->rival = db_str(&r, 0, a);
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_doc_of(struct ledger *l, struct str unit, struct str sender,
                  struct str document, struct str number, struct arena *a,
                  struct known_doc *out, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               DOC_COLUMNS " WHERE number=? AND sender=? AND document=? AND"
                           " unit=? AND sent_job<>0"
                           " ORDER BY sent_job DESC LIMIT 1",
               "ssss", number, sender, document, unit) == -1)
        return -1;
    return one_doc(&r, a, out, e);
}

int ledger_doc_moved(struct ledger *l, struct str unit, struct str route,
                     const struct doc_key *key, struct arena *a,
                     struct known_doc *out, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               DOC_COLUMNS " WHERE number=?1 AND sender=?2 AND document=?3 AND"
                           " unit=?4 AND sent_job<>0 AND output<>?5 AND"
                           " (SELECT route FROM receipt WHERE job=sent_job)=?6"
                           " ORDER BY sent_job DESC LIMIT 1",
               "ssssss", key->number, key->sender, key->document, unit,
               key->output, route) == -1)
        return -1;
    return one_doc(&r, a, out, e);
}

int ledger_doc_invoiced(struct ledger *l, struct str unit, struct str series,
                        struct str invoice, struct arena *a,
                        struct known_doc *out, struct err *e)
{
    struct rows r;
    bool exact;
    int rc;

    *out = (struct known_doc){ 0 };
    if (db_ask(l->db, e, &r,
               DOC_COLUMNS " WHERE unit=?1 AND invoice=?2 AND invoice<>''"
                           " AND (?3='' OR series='' OR series=?3)"
                           " ORDER BY series=?3 DESC,sent_job DESC LIMIT 2",
               "sss", unit, invoice, series) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        *out = doc_row(&r, a);
    exact = rc == 1 && str_eq(out->series, series);
    /* Of several that may be meant it is none. */
    if (rc == 1 && !exact && (rc = db_next(&r, e)) == 1)
        *out = (struct known_doc){ 0 };
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_docs_of_file(struct ledger *l, struct str unit, struct str file,
                        struct arena *a, struct known_doc **out, size_t *n,
                        struct err *e)
{
    struct rows r;
    int rc;

    *out = NULL;
    *n = 0;
    /* The newest file of that name: names come again. */
    if (db_ask(l->db, e, &r,
               DOC_COLUMNS " WHERE sent_job<>0 AND sent_job=(SELECT max(job)"
                           " FROM delivery WHERE partner=? AND name=? AND"
                           " kind='file')",
               "ss", unit, file) == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1) {
        *out = ledger_room(a, *out, *n, sizeof(**out));
        (*out)[(*n)++] = doc_row(&r, a);
    }
    db_end(&r);
    return rc;
}

int ledger_reserved(struct ledger *l, struct str unit,
                    void (*fn)(void *ctx, struct str sku, struct str warehouse,
                               struct str quantity),
                    void *ctx, struct err *e)
{
    struct arena a = { 0 };
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               "SELECT sku,warehouse,quantity FROM reserved WHERE unit=? AND"
               " counts<>0",
               "s", unit) == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1) {
        arena_reset(&a);
        fn(ctx, db_str(&r, 0, &a), db_str(&r, 1, &a), db_str(&r, 2, &a));
    }
    db_end(&r);
    arena_release(&a);
    return rc;
}

/* by_job counts as long as what it sends is on its way. */
#define CARD_COLUMNS                                                         \
    "SELECT key,code,name,hidden,CASE WHEN EXISTS(SELECT 1 FROM delivery d"  \
    " WHERE d.job=by_job AND d.kind='file' AND d.stage=0 AND d.state NOT IN" \
    " ('DELIVERED','SUPERSEDED')) THEN by_job ELSE 0 END FROM card"

static struct card card_row(const struct rows *r, struct arena *a)
{
    return (struct card){ .found = true,
                          .code = db_str(r, 1, a),
                          .name = db_str(r, 2, a),
                          .hidden = db_u(r, 3) != 0,
                          .wait_job = db_u(r, 4) };
}

int ledger_card(struct ledger *l, struct str unit, enum card_kind kind,
                struct str key, struct arena *a, struct card *out,
                struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r, CARD_COLUMNS " WHERE unit=? AND kind=? AND key=?",
               "szs", unit, card_kind_names[kind], key) == -1)
        return -1;
    rc = db_next(&r, e);
    *out = rc == 1 ? card_row(&r, a) : (struct card){ 0 };
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_many_cards(struct ledger *l, struct str unit, enum card_kind kind,
                      uint64_t max, bool *more, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               "SELECT count(*)>?3 FROM (SELECT 1 FROM card WHERE unit=?1 AND"
               " kind=?2 LIMIT ?3+1)",
               "szu", unit, card_kind_names[kind], max) == -1)
        return -1;
    rc = db_next(&r, e);
    *more = rc == 1 && db_u(&r, 0);
    db_end(&r);
    return rc == -1 ? -1 : 0;
}

int ledger_cards(struct ledger *l, struct str unit, enum card_kind kind,
                 void (*fn)(void *ctx, struct str key, const struct card *c),
                 void *ctx, struct arena *a, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r, CARD_COLUMNS " WHERE unit=? AND kind=?", "sz",
               unit, card_kind_names[kind]) == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1) {
        struct card c;

        arena_reset(a);
        c = card_row(&r, a);
        fn(ctx, db_str(&r, 0, a), &c);
    }
    db_end(&r);
    return rc;
}

/* ---- what a receiver got ----------------------------------------------------
 */

int ledger_got_tables(struct ledger *l, struct str output, struct str document,
                      struct arena *a, struct got_tables *out, struct err *e)
{
    struct rows r;
    int rc;

    *out = (struct got_tables){ 0 };
    if (db_ask(l->db, e, &r,
               "SELECT job,content FROM got WHERE output=? AND document=?"
               " ORDER BY job",
               "ss", output, document) == -1)
        return -1;
    while ((rc = db_next(&r, e)) == 1) {
        struct str table = db_str(&r, 1, a);

        if (!db_u(&r, 0)) {
            out->delivered = table;
            continue;
        }
        out->waiting =
            ledger_room(a, out->waiting, out->n_waiting, sizeof(*out->waiting));
        out->waiting[out->n_waiting++] = table;
    }
    db_end(&r);
    return rc;
}

struct merge {
    struct str output, document, older, newer;
};

/* The next table of the job, with the one that it joins. 0: none is left. */
static int next_merge(struct ledger *l, uint64_t job, struct arena *a,
                      struct merge *m, struct err *e)
{
    struct rows r;
    int rc;

    if (db_ask(l->db, e, &r,
               "SELECT output,document,content,ifnull((SELECT content FROM got"
               " WHERE output=g.output AND document=g.document AND job=0),x'')"
               " FROM got g WHERE job=? LIMIT 1",
               "u", job) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        *m = (struct merge){ db_str(&r, 0, a), db_str(&r, 1, a),
                             db_str(&r, 3, a), db_str(&r, 2, a) };
    db_end(&r);
    return rc;
}

static int forget_delivered(struct ledger *l, const struct merge *m,
                            struct err *e)
{
    return db_change(l->db, e, ANY_ROWS,
                     "DELETE FROM got WHERE output=? AND document=? AND job=0",
                     "ss", m->output, m->document);
}

static int keep_delivered(struct ledger *l, const struct merge *m,
                          struct str table, struct err *e)
{
    return db_change(l->db, e, 1,
                     "INSERT INTO got VALUES(?,?,0,?) ON CONFLICT(output,"
                     "document,job) DO UPDATE SET content=excluded.content",
                     "ssb", m->output, m->document, table);
}

/* A job that leaves a damaged table does not stop the keeper: what its receiver
 * has is not known, and all is sent the next time. */
static int merge_one(struct ledger *l, const struct receipt *r,
                     const struct merge *m, struct err *e)
{
    struct buf b;
    int rc = 0;

    buf_init(&b, m->older.len + m->newer.len + GOT_EMPTY);
    if (m->newer.len != GOT_EMPTY)
        rc = got_merge(m->older, m->newer, &b) == -1
                 ? forget_delivered(l, m, e)
                 : keep_delivered(l, m, buf_str(&b), e);
    buf_release(&b);
    if (rc == -1)
        return -1;
    return db_change(l->db, e, 1,
                     "DELETE FROM got WHERE output=? AND document=? AND job=?",
                     "ssu", m->output, m->document, r->job);
}

int ledger_got(struct ledger *l, const struct receipt *r, struct err *e)
{
    struct arena a = { 0 };
    struct merge m;
    int rc;

    while ((rc = next_merge(l, r->job, &a, &m, e)) == 1) {
        rc = merge_one(l, r, &m, e);
        arena_reset(&a);
        if (rc == -1)
            break;
    }
    arena_release(&a);
    return rc;
}

int ledger_forget_got(struct ledger *l, const struct receipt *r, struct err *e)
{
    return db_change(l->db, e, ANY_ROWS,
                     "DELETE FROM got WHERE job=0 AND output IN (SELECT"
                     " partner||'/'||folder FROM delivery WHERE job=? AND"
                     " kind='file')",
                     "u", r->job);
}
