/*
 * ledger_facts.c - what jobs have learnt of the trade, and what they ask:
 * converters/trade/facts.h over the ledger's tables.
 *
 *   doc       a document that happens once, for one output
 *   story     its history
 *   reserved  what it orders, until it is invoiced or cancelled
 *   card      what a partner has in his books or his shop
 *   got       what a receiver has of stock, prices, products
 *   scope     counts the changes of what jobs decide by, see facts.h
 */
#include <stdio.h>

#include "converters/base/date.h"
#include "spool/facts.h"
#include "spool/facts_file.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

/* ---- learning --------------------------------------------------------------
 */

struct learning {
    struct ledger *l;
    const struct receipt *r;
    const struct str *c; /* columns of the row */
    int64_t now;
    struct arena names;  /* of scopes */
    struct str *changed; /* those that have a new version by now */
    size_t n_changed;
};

#define THE_DOC " WHERE output=?1 AND sender=?2 AND document=?3 AND number=?4"
#define KEY     x->c[0], x->c[1], x->c[2], x->c[3]

static bool yes(struct str s)
{
    return str_is(s, "1");
}

static uint64_t number(struct str s)
{
    uint64_t n = 0;

    (void)str_to_uint(s, INT64_MAX, &n);
    return n;
}

static int story(const struct learning *x, const char *what, struct str text,
                 struct err *e)
{
    return db_change(x->l->db, e, ANY_ROWS,
                     "INSERT INTO story(doc,at,job,what,text) SELECT"
                     " n,?5,?6,?7,?8 FROM doc" THE_DOC,
                     "sssstuzs", KEY, x->now, x->r->job, what, text);
}

/*
 * The same, unless the newest line of its kind says just this: programs tell
 * how an order stands as long as they have it.
 */
static int story_once(const struct learning *x, const char *what,
                      struct str text, struct err *e)
{
    return db_change(x->l->db, e, ANY_ROWS,
                     "INSERT INTO story(doc,at,job,what,text) SELECT"
                     " n,?5,?6,?7,?8 FROM doc" THE_DOC " AND NOT EXISTS("
                     "SELECT 1 FROM story s WHERE s.n=(SELECT max(n) FROM story"
                     " WHERE doc=doc.n AND what IN (?7,'sent')) AND s.what=?7"
                     " AND s.text=?8)",
                     "sssstuzs", KEY, x->now, x->r->job, what, text);
}

/* Only the keeper asks: see ledger_facts_stand(). */
static int learn_scope(const struct learning *x, struct err *e)
{
    (void)x, (void)e;
    return 0;
}

static int learn_came(const struct learning *x, struct err *e)
{
    char text[64];

    if (db_change(x->l->db, e, 1,
                  "INSERT INTO doc(output,sender,document,number,unit,route,"
                  "customer,email,date,line,member,came_hash,first_job,"
                  "last_job,last_at) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?13,?13,?)"
                  " ON CONFLICT(output,sender,document,number) DO UPDATE SET"
                  " unit=excluded.unit,route=excluded.route,"
                  "customer=excluded.customer,email=excluded.email,"
                  "date=excluded.date,line=excluded.line,"
                  "member=excluded.member,came_hash=excluded.came_hash,"
                  "last_job=excluded.last_job,last_at=excluded.last_at",
                  "sssssssssussut", KEY, x->c[4], x->c[5], x->c[6], x->c[7],
                  x->c[8], number(x->c[9]), x->c[10], x->c[11], x->r->job,
                  x->now) == -1)
        return -1;
    snprintf(text, sizeof(text), ", line %llu",
             (unsigned long long)number(x->c[9]));
    /* Only the first time: shops export an order as long as it is open. */
    return db_change(x->l->db, e, ANY_ROWS,
                     "INSERT INTO story(doc,at,job,what,text) SELECT"
                     " n,?5,?6,'came',member||?7 FROM doc" THE_DOC
                     " AND first_job=?6 AND NOT EXISTS(SELECT 1 FROM story"
                     " WHERE doc=doc.n)",
                     "sssstuz", KEY, x->now, x->r->job,
                     number(x->c[9]) ? text : "");
}

static int learn_sent(const struct learning *x, struct err *e)
{
    bool cancels = str_is(x->c[5], "cancel");

    if (db_change(
            x->l->db, e, 1,
            "UPDATE doc SET state=?5,as_number=?6,action=?7,content=?8,"
            "hash=?9,sent_job=?10,reported='',refused=0,answer=''" THE_DOC,
            "sssszssssu", KEY, cancels ? "CANCELLED" : "SENT", x->c[4], x->c[5],
            x->c[6], x->c[7], x->r->job) == -1 ||
        db_change(x->l->db, e, ANY_ROWS,
                  "DELETE FROM reserved WHERE doc=(SELECT n FROM doc" THE_DOC
                  ")",
                  "ssss", KEY) == -1)
        return -1;
    return story(x, "sent", x->c[5], e);
}

static int learn_reported(const struct learning *x, struct err *e)
{
    if (db_change(x->l->db, e, 1, "UPDATE doc SET reported=?5" THE_DOC, "sssss",
                  KEY, x->c[4]) == -1)
        return -1;
    return story(x, "changed", x->c[5], e);
}

/* Its goods are not reserved any more, or again. */
static int let_reserve(const struct learning *x, bool counts, struct err *e)
{
    return db_change(x->l->db, e, ANY_ROWS,
                     "UPDATE reserved SET counts=?5 WHERE doc=(SELECT n FROM"
                     " doc" THE_DOC ")",
                     "ssssu", KEY, (uint64_t)counts);
}

static struct str answer_text(const struct learning *x, struct arena *a)
{
    static const struct {
        int column;
        const char *name;
    } parts[] = { { 7, "number" },    { 9, "status" },  { 10, "carrier" },
                  { 11, "tracking" }, { 12, "series" }, { 13, "invoice" } };
    struct str s = !yes(x->c[4])  ? STR("")
                   : yes(x->c[5]) ? STR("accepted")
                                  : STR("refused");

    for (size_t i = 0; i < COUNT(parts); i++)
        if (x->c[parts[i].column].len)
            s = arena_fmt(a, "%.*s%s%s %.*s", STR_ARGS(s), s.len ? ", " : "",
                          parts[i].name, STR_ARGS(x->c[parts[i].column]));
    if (yes(x->c[14]))
        s = arena_fmt(a, "%.*s%sinvoice cancelled", STR_ARGS(s),
                      s.len ? ", " : "");
    if (x->c[6].len)
        s = arena_fmt(a, "%.*s%s%.*s", STR_ARGS(s), s.len ? ": " : "",
                      STR_ARGS(x->c[6]));
    return s;
}

/* A person must act: that is news, once. */
static int note_refused(const struct learning *x, struct err *e)
{
    struct arena a = { 0 };
    struct rows r;
    struct str text;
    int rc;

    if (!yes(x->c[4]) || yes(x->c[5]))
        return 0;
    if (db_ask(x->l->db, e, &r,
               "SELECT unit,document,number FROM doc" THE_DOC
               " AND NOT (refused<>0 AND answer=?5)",
               "sssss", KEY, x->c[6]) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        text =
            arena_fmt(&a, "%.*s refused %.*s %.*s of %.*s%s%.*s",
                      STR_ARGS(db_str(&r, 0, &a)), STR_ARGS(db_str(&r, 1, &a)),
                      STR_ARGS(db_str(&r, 2, &a)), STR_ARGS(x->c[1]),
                      x->c[6].len ? ": " : "", STR_ARGS(x->c[6]));
    db_end(&r);
    if (rc == 1)
        rc = ledger_note(x->l, x->r->job, "refused", text, e);
    arena_release(&a);
    return rc;
}

/* Empty columns say nothing new. */
static int learn_answered(const struct learning *x, struct err *e)
{
    bool given = yes(x->c[4]), ok = yes(x->c[5]), cancelled = yes(x->c[14]);
    struct arena a = { 0 };
    int rc;

    if (note_refused(x, e) == -1)
        return -1;
    rc = db_change(
        x->l->db, e, ANY_ROWS,
        "UPDATE doc SET refused=CASE ?5 WHEN 0 THEN refused ELSE ?6 END,"
        "answer=CASE ?5 WHEN 0 THEN answer ELSE ?7 END,"
        "receiver_number=ifnull(nullif(?8,''),receiver_number),"
        "receiver_id=ifnull(nullif(?9,''),receiver_id),"
        "status=ifnull(nullif(?10,''),status),"
        "carrier=ifnull(nullif(?11,''),carrier),"
        "tracking=ifnull(nullif(?12,''),tracking),"
        "series=CASE WHEN ?15 THEN '' WHEN ?14<>'' THEN ?13 ELSE series END,"
        "invoice=CASE WHEN ?15 THEN '' WHEN ?14<>'' THEN ?14 ELSE invoice"
        " END" THE_DOC,
        "ssssuussssssssu", KEY, (uint64_t)given, (uint64_t)!ok, x->c[6],
        x->c[7], x->c[8], x->c[9], x->c[10], x->c[11], x->c[12], x->c[13],
        (uint64_t)cancelled);
    if (rc == 0 && (cancelled || x->c[13].len))
        rc = let_reserve(x, cancelled, e);
    if (rc == 0)
        rc = story_once(x, "answer", answer_text(x, &a), e);
    arena_release(&a);
    return rc;
}

static int learn_story(const struct learning *x, struct err *e)
{
    struct arena a = { 0 };
    int rc = story_once(x, arena_cstr(&a, x->c[4]), x->c[5], e);

    arena_release(&a);
    return rc;
}

static int learn_withdrawn(const struct learning *x, struct err *e)
{
    if (db_change(x->l->db, e, ANY_ROWS,
                  "UPDATE doc SET refused=0,"
                  "state='CANCELLED'" THE_DOC,
                  "ssss", KEY) == -1 ||
        let_reserve(x, false, e) == -1)
        return -1;
    return story(x, "settled", x->c[4], e);
}

static int learn_reserve(const struct learning *x, struct err *e)
{
    return db_change(x->l->db, e, ANY_ROWS,
                     "INSERT INTO reserved SELECT n,?5,?6,?7,?8,"
                     "state='SENT' AND invoice='' FROM doc" THE_DOC,
                     "ssssssss", KEY, x->c[4], x->c[5], x->c[6], x->c[7]);
}

static int learn_card(const struct learning *x, struct err *e)
{
    return db_change(x->l->db, e, 1,
                     "INSERT INTO card VALUES(?,?,?,?,?,?,?)"
                     " ON CONFLICT(unit,kind,key) DO UPDATE SET"
                     " code=excluded.code,name=excluded.name,"
                     "hidden=excluded.hidden,by_job=excluded.by_job",
                     "sssssuu", x->c[0], x->c[1], x->c[2], x->c[3], x->c[4],
                     (uint64_t)yes(x->c[5]),
                     yes(x->c[6]) ? x->r->job : (uint64_t)0);
}

static int learn_wait(const struct learning *x, struct err *e)
{
    return db_change(x->l->db, e, ANY_ROWS,
                     "INSERT OR IGNORE INTO awaits VALUES(?,?)", "uu",
                     x->r->job, number(x->c[0]));
}

/* Two read maps of a route may make such documents: both count. */
static int learn_got(const struct learning *x, struct err *e)
{
    struct arena a = { 0 };
    struct rows r;
    struct str older = { "", 0 };
    struct buf b;
    int rc;

    if (db_ask(x->l->db, e, &r,
               "SELECT content FROM got WHERE output=? AND document=? AND"
               " job=?",
               "ssu", x->c[0], x->c[1], x->r->job) == -1)
        return -1;
    rc = db_next(&r, e);
    if (rc == 1)
        older = db_str(&r, 0, &a);
    db_end(&r);
    buf_init(&b, older.len + x->c[2].len + GOT_EMPTY);
    if (rc == 1 && got_merge(older, x->c[2], &b) == -1)
        rc = 0; /* see merge_one() */
    if (rc != -1)
        rc = db_change(x->l->db, e, 1,
                       "INSERT INTO got VALUES(?1,?2,?3,?4)"
                       " ON CONFLICT(output,document,job) DO UPDATE SET"
                       " content=excluded.content",
                       "ssub", x->c[0], x->c[1], x->r->job,
                       rc == 1 ? buf_str(&b) : x->c[2]);
    buf_release(&b);
    arena_release(&a);
    return rc;
}

static int (*const learners[N_FACTS])(const struct learning *x,
                                      struct err *e) = {
    [FACT_SCOPE] = learn_scope,         [FACT_CAME] = learn_came,
    [FACT_SENT] = learn_sent,           [FACT_REPORTED] = learn_reported,
    [FACT_ANSWERED] = learn_answered,   [FACT_STORY] = learn_story,
    [FACT_RESERVE] = learn_reserve,     [FACT_CARD] = learn_card,
    [FACT_WAIT] = learn_wait,           [FACT_GOT] = learn_got,
    [FACT_WITHDRAWN] = learn_withdrawn,
};

static bool is_aside(struct str aside, uint64_t seq)
{
    for (; aside.len; aside = str_from(aside, sizeof(seq)))
        if (memcmp(aside.p, &seq, sizeof(seq)) == 0)
            return true;
    return false;
}

/* The scope that a row changes; "": none that anybody decides by. */
static struct str scope_of(struct arena *a, const struct fact_row *row)
{
    switch (row->fact) {
    case FACT_SENT:
    case FACT_ANSWERED:
    case FACT_WITHDRAWN:
        return scope_of_docs(a, row->column[0], row->column[1]);
    case FACT_CARD:
        return scope_of_cards(a, row->column[0], row->column[1]);
    case FACT_GOT:
        if (row->column[2].len != GOT_EMPTY)
            return scope_of_got(a, row->column[0], row->column[1]);
        break;
    case FACT_SCOPE:
    case FACT_CAME:
    case FACT_REPORTED:
    case FACT_STORY:
    case FACT_RESERVE:
    case FACT_WAIT:
    case FACT_END:
    case N_FACTS:
        break;
    }
    return STR("");
}

/* Once for each scope. */
static int change_scope(struct learning *x, const struct fact_row *row,
                        struct err *e)
{
    struct arena a = { 0 };
    struct str name = scope_of(&a, row);
    size_t i = 0;
    int rc = 0;

    while (i < x->n_changed && !str_eq(x->changed[i], name))
        i++;
    if (name.len && i == x->n_changed) {
        x->changed = ledger_room(&x->names, x->changed, i, sizeof(name));
        x->changed[x->n_changed++] = arena_str(&x->names, name);
        rc = db_change(x->l->db, e, 1,
                       "INSERT INTO scope VALUES(?,1) ON CONFLICT(name) DO"
                       " UPDATE SET version=version+1",
                       "s", name);
    }
    arena_release(&a);
    return rc;
}

static int learn_rows(struct learning *x, struct str file, struct str aside,
                      struct err *e)
{
    struct fact_row row;

    while (fact_read(&file, &row) && row.fact != FACT_END) {
        x->c = row.column;
        if (aside.len && is_aside(aside, row.seq))
            continue;
        if (learners[row.fact](x, e) == -1 || change_scope(x, &row, e) == -1)
            return -1;
    }
    return 0;
}

int ledger_learn(struct ledger *l, const struct receipt *r, struct str file,
                 struct err *e)
{
    /* Of an adopted job: when it was converted. */
    struct learning x = {
        .l = l, .r = r, .now = r->converted_at ? r->converted_at : clock_now()
    };
    struct str aside;
    int rc;

    if (!file.len || r->test)
        return 0;
    if (!facts_whole(file, &aside))
        return err_set(e, ERR_STOP, "the facts of job %llu are damaged",
                       (unsigned long long)r->job);
    rc = learn_rows(&x, file, aside, e);
    arena_release(&x.names);
    return rc;
}

int ledger_facts_stand(struct ledger *l, struct str file, bool *stand,
                       struct err *e)
{
    struct fact_row row;
    uint64_t version;

    *stand = true;
    while (*stand && fact_read(&file, &row)) {
        if (row.fact != FACT_SCOPE)
            continue;
        if (ledger_scope(l, row.column[0], &version, e) == -1)
            return -1;
        *stand = version == number(row.column[1]);
    }
    return 0;
}

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

#define DOC_COLUMNS                                                         \
    "SELECT output,sender,document,number,state,as_number,action,sent_job," \
    "content,hash,reported,refused,answer,receiver_number,receiver_id,"     \
    "series,invoice,came_hash,last_at,"                                     \
    "ifnull((SELECT route FROM receipt WHERE job=sent_job),'') FROM doc"

static struct known_doc doc_row(const struct rows *r, struct arena *a)
{
    struct str state = db_str(r, 4, a);

    return (struct known_doc){
        .found = true,
        .key = { db_str(r, 0, a), db_str(r, 1, a), db_str(r, 2, a),
                 db_str(r, 3, a) },
        .state = str_is(state, "SENT")        ? DOC_SENT
                 : str_is(state, "CANCELLED") ? DOC_CANCELLED
                                              : DOC_CAME,
        .as_number = db_str(r, 5, a),
        .action = db_str(r, 6, a),
        .sent_job = db_u(r, 7),
        .values = db_str(r, 8, a),
        .hash = db_str(r, 9, a),
        .reported = db_str(r, 10, a),
        .refused = db_u(r, 11) != 0,
        .answer = db_str(r, 12, a),
        .receiver_number = db_str(r, 13, a),
        .receiver_id = db_str(r, 14, a),
        .series = db_str(r, 15, a),
        .invoice = db_str(r, 16, a),
        .came_hash = db_str(r, 17, a),
        .last_at = db_time(r, 18),
        .sent_route = db_str(r, 19, a),
    };
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

    if (db_ask(l->db, e, &r,
               DOC_COLUMNS " WHERE unit=? AND document=? AND as_number=? AND"
                           " as_number<>'' ORDER BY sent_job DESC LIMIT 1",
               "sss", unit, document, as_number) == -1)
        return -1;
    return one_doc(&r, a, out, e);
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

int ledger_doc_invoiced(struct ledger *l, struct str unit, struct str series,
                        struct str invoice, struct arena *a,
                        struct known_doc *out, struct err *e)
{
    struct rows r;

    if (db_ask(l->db, e, &r,
               DOC_COLUMNS " WHERE unit=?1 AND invoice=?2 AND invoice<>''"
                           " AND (?3='' OR series='' OR series=?3)"
                           " ORDER BY sent_job DESC LIMIT 1",
               "sss", unit, invoice, series) == -1)
        return -1;
    return one_doc(&r, a, out, e);
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
