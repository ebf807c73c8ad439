/*
 * ledger_learn.c - what jobs have learnt of the trade: a function for each kind
 * of fact of facts_file.h. The tables are in ledger_facts.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "converters/base/date.h"
#include "spool/facts.h"
#include "spool/facts_file.h"
#include "spool/ledger_db.h"
#include "spool/ledger_inside.h"

struct learning {
    struct ledger *l;
    const struct receipt *r;
    const struct str *c; /* columns of the row */
    int64_t now;
    struct arena names;  /* of scopes */
    struct str *changed; /* those that have a new version by now */
    size_t n_changed;
    /* Of the last row of its kind: most rows are of the scope of the last. */
    struct str scoped[N_FACTS][2];
    uint64_t *aside; /* documents that do not count, in order */
    size_t n_aside;
};

#define KEY x->c[0], x->c[1], x->c[2], x->c[3]

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
 * The same, and in which files; unless it says just this already, since it was
 * sent or answered the last time: programs tell how an order stands as long as
 * they have it.
 */
static int story_once(const struct learning *x, const char *what,
                      struct str text, struct str files, struct err *e)
{
    return db_change(x->l->db, e, ANY_ROWS,
                     "INSERT INTO story(doc,at,job,what,text) SELECT"
                     " n,?5,?6,?7,?8||?9 FROM doc" THE_DOC " AND NOT EXISTS("
                     "SELECT 1 FROM story s WHERE s.doc=doc.n AND s.what=?7 AND"
                     " substr(s.text||char(9),1,length(?8)+1)=?8||char(9) AND"
                     " s.n>=(SELECT ifnull(max(n),0) FROM story WHERE"
                     " doc=doc.n AND what IN ('answer','sent','settled')))",
                     "sssstuzss", KEY, x->now, x->r->job, what, text, files);
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

    /* That it was sent counts whatever is known besides. */
    if (db_change(
            x->l->db, e, 1,
            "INSERT INTO doc(output,sender,document,number,state,as_number,"
            "action,content,hash,sent_job,unit,route,customer,email,date,"
            "first_job,last_job,last_at,line,member,came_hash) VALUES(?,?,?,?,"
            "?,?,?,?,?,?10,substr(?1,1,instr(?1,'/')-1),'','','','',?10,?10,"
            "?11,0,'','') ON CONFLICT(output,sender,document,number) DO UPDATE"
            " SET state=excluded.state,as_number=excluded.as_number,"
            "action=excluded.action,content=excluded.content,"
            "hash=excluded.hash,sent_job=excluded.sent_job,reported='',"
            "unsent='',refused=0,answer=''",
            "sssszssssut", KEY, cancels ? "CANCELLED" : "SENT", x->c[4],
            x->c[5], x->c[6], x->c[7], x->r->job, x->now) == -1 ||
        db_change(x->l->db, e, ANY_ROWS,
                  "DELETE FROM reserved WHERE doc=(SELECT n FROM doc" THE_DOC
                  ")",
                  "ssss", KEY) == -1)
        return -1;
    return db_change(x->l->db, e, ANY_ROWS,
                     "INSERT INTO story(doc,at,job,what,text) SELECT"
                     " n,?5,?6,'sent',?7||?8 FROM doc" THE_DOC,
                     "sssstuss", KEY, x->now, x->r->job, x->c[5], x->c[8]);
}

static int learn_reported(const struct learning *x, struct err *e)
{
    struct arena a = { 0 };
    struct str text;
    int rc;

    if (db_change(x->l->db, e, ANY_ROWS,
                  "UPDATE doc SET reported=?5,unsent=?6" THE_DOC, "ssssss", KEY,
                  x->c[4], x->c[5]) == -1 ||
        story(x, "changed", x->c[5], e) == -1)
        return -1;
    text = arena_fmt(&a,
                     "%.*s %.*s of %.*s has changed, and was not sent again: "
                     "%.*s",
                     STR_ARGS(x->c[2]), STR_ARGS(x->c[3]), STR_ARGS(x->c[1]),
                     STR_ARGS(x->c[5]));
    rc = ledger_note(x->l, x->r->job, "changed", text, e);
    arena_release(&a);
    return rc;
}

/* Its goods are not reserved any more, or again. */
static int let_reserve(const struct learning *x, bool counts, struct err *e)
{
    return db_change(x->l->db, e, ANY_ROWS,
                     "UPDATE reserved SET counts=?5 WHERE doc=(SELECT n FROM"
                     " doc" THE_DOC ")",
                     "ssssu", KEY, (uint64_t)counts);
}

/* "invoice FCT 123" */
static struct str invoice_text(const struct learning *x, struct arena *a)
{
    return arena_fmt(a, "invoice %.*s%s%.*s", STR_ARGS(x->c[12]),
                     x->c[12].len ? " " : "", STR_ARGS(x->c[13]));
}

static struct str answer_text(const struct learning *x, struct arena *a)
{
    static const struct {
        int column;
        const char *name;
    } parts[] = {
        { 7, "number" }, { 9, "status" }, { 10, "carrier" }, { 11, "tracking" }
    };
    struct str s = !yes(x->c[4])  ? STR("")
                   : yes(x->c[5]) ? STR("accepted")
                                  : STR("refused");

    for (size_t i = 0; i < COUNT(parts); i++)
        if (x->c[parts[i].column].len)
            s = arena_fmt(a, "%.*s%s%s %.*s", STR_ARGS(s), s.len ? ", " : "",
                          parts[i].name, STR_ARGS(x->c[parts[i].column]));
    if (x->c[13].len)
        s = arena_fmt(a, "%.*s%s%.*s%s", STR_ARGS(s), s.len ? ", " : "",
                      STR_ARGS(invoice_text(x, a)),
                      yes(x->c[14]) ? " cancelled" : "");
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
            arena_fmt(&a, "%.*s refused %.*s %.*s%s%.*s%s%.*s",
                      STR_ARGS(db_str(&r, 0, &a)), STR_ARGS(db_str(&r, 1, &a)),
                      STR_ARGS(db_str(&r, 2, &a)),
                      x->c[0].len ? " of " : ", which nobody has sent",
                      STR_ARGS(str_first(x->c[1], x->c[0].len ? 64 : 0)),
                      x->c[6].len ? ": " : "", STR_ARGS(x->c[6]));
    db_end(&r);
    if (rc == 1)
        rc = ledger_note(x->l, x->r->job, "refused", text, e);
    arena_release(&a);
    return rc;
}

/* A list may still have an invoice that was cancelled here: it is cancelled;
 * and what cancels an invoice that is not the order's any more was told before.
 */
static int is_moot(const struct learning *x, bool *is, struct err *e)
{
    struct arena a = { 0 };
    struct rows r;
    int rc;

    *is = false;
    if (!x->c[13].len)
        return 0;
    if (yes(x->c[14])
            ? db_ask(x->l->db, e, &r,
                     "SELECT 1 FROM doc" THE_DOC
                     " AND NOT (series=?5 AND invoice=?6)",
                     "ssssss", KEY, x->c[12], x->c[13]) == -1
            : db_ask(x->l->db, e, &r,
                     "SELECT 1 FROM story WHERE doc=(SELECT n FROM doc" THE_DOC
                     ") AND what='answer' AND substr(text,1,length(?5))=?5 "
                     "LIMIT 1",
                     "sssss", KEY,
                     arena_fmt(&a, "%.*s cancelled",
                               STR_ARGS(invoice_text(x, &a)))) == -1) {
        arena_release(&a);
        return -1;
    }
    rc = db_next(&r, e);
    db_end(&r);
    arena_release(&a);
    *is = rc == 1;
    return rc == -1 ? -1 : 0;
}

static bool says_nothing(const struct learning *x)
{
    bool nothing = !yes(x->c[4]);

    for (size_t i = 6; i <= 13; i++)
        nothing = nothing && !x->c[i].len;
    return nothing;
}

static int learn_answer(const struct learning *x, struct err *e)
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
        rc = story_once(x, "answer", answer_text(x, &a), STR(""), e);
    arena_release(&a);
    return rc;
}

/* Empty columns say nothing new. */
static int learn_answered(const struct learning *x, struct err *e)
{
    struct str columns[MAX_FACT_COLUMNS];
    struct learning y = *x;
    bool moot;

    if (is_moot(x, &moot, e) == -1)
        return -1;
    memcpy(columns, x->c, sizeof(columns));
    if (moot)
        columns[12] = columns[13] = STR("");
    y.c = columns;
    return moot && (yes(x->c[14]) || says_nothing(&y)) ? 0
                                                       : learn_answer(&y, e);
}

static int learn_passed(const struct learning *x, struct err *e)
{
    return db_change(x->l->db, e, ANY_ROWS, "UPDATE doc SET passed=?5" THE_DOC,
                     "sssss", KEY, x->c[4]);
}

static int learn_story(const struct learning *x, struct err *e)
{
    struct arena a = { 0 };
    int rc = story_once(x, arena_cstr(&a, x->c[4]), x->c[5], x->c[6], e);

    arena_release(&a);
    return rc;
}

static int learn_withdrawn(const struct learning *x, struct err *e)
{
    if (db_change(x->l->db, e, ANY_ROWS,
                  "UPDATE doc SET refused=0,unsent='',"
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
    [FACT_WITHDRAWN] = learn_withdrawn, [FACT_PASSED] = learn_passed,
};

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void sort_aside(struct learning *x, struct str aside)
{
    x->n_aside = aside.len / sizeof(*x->aside);
    if (!x->n_aside)
        return;
    x->aside = arena_alloc(&x->names, aside.len);
    memcpy(x->aside, aside.p, aside.len);
    qsort(x->aside, x->n_aside, sizeof(*x->aside), by_number);
}

static bool is_aside(const struct learning *x, uint64_t seq)
{
    return x->n_aside && bsearch(&seq, x->aside, x->n_aside, sizeof(*x->aside),
                                 by_number) != NULL;
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
    case FACT_PASSED:
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
    struct str *last = x->scoped[row->fact], name;
    struct arena a = { 0 };
    size_t i = 0;
    int rc = 0;

    if (last[0].p && str_eq(last[0], row->column[0]) &&
        str_eq(last[1], row->column[1]))
        return 0;
    name = scope_of(&a, row);
    if (!name.len)
        return 0;
    last[0] = row->column[0];
    last[1] = row->column[1];
    while (i < x->n_changed && !str_eq(x->changed[i], name))
        i++;
    if (i == x->n_changed) {
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

static int learn_rows(struct learning *x, struct str file, struct err *e)
{
    struct fact_row row;

    while (fact_read(&file, &row) && row.fact != FACT_END) {
        x->c = row.column;
        if (is_aside(x, row.seq))
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
    sort_aside(&x, aside);
    rc = learn_rows(&x, file, e);
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
