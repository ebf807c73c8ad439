#include "converters/lang/read_run.h"

#include <stdlib.h>

#include "converters/lang/eval.h"
#include "converters/lang/group.h"

/* A fault waits until the record is done: then the record's name is known. */
struct pending {
    struct pending *next;
    struct fault fault;
    uint32_t line, col;
    const struct doc *member; /* the member it concerns, or NULL */
    uint32_t index;           /* of that member in its list, from 1 */
};

/* ---- faults ------------------------------------------------------------- */

static void locate(const struct read_run *rr, const struct fault *f,
                   uint32_t *line, uint32_t *col)
{
    *line = f->item ? f->item->line : 0;
    *col = f->item ? f->item->col : 0;
    if (f->item && f->cell >= 0 && rr->map->format->locate)
        rr->map->format->locate(rr->reader, f->item, (uint32_t)f->cell, line,
                                col);
}

static void raise_fault(void *ctx, const struct fault *f)
{
    struct read_run *rr = ctx;
    struct pending *p = arena_alloc(&rr->faults, sizeof(*p));

    p->fault = *f;
    for (int i = 0; i < DIAG_ARGS; i++)
        p->fault.args[i] = arena_str(&rr->faults, f->args[i]);
    locate(rr, f, &p->line, &p->col);
    if (!p->line && rr->member)
        p->line = rr->member->line;
    else if (!p->line && rr->doc)
        p->line = rr->doc->line;
    p->member = rr->member;
    p->index = rr->member_index;
    *rr->pending_tail = p;
    rr->pending_tail = &p->next;
}

/* Their memory goes when the next record begins. */
static void forget_pending(struct read_run *rr)
{
    rr->pending = NULL;
    rr->pending_tail = &rr->pending;
}

/* What is skipped may be as faulty as it likes. */
static void forget_since(struct read_run *rr, struct pending **tail,
                         bool failed)
{
    *tail = NULL;
    rr->pending_tail = tail;
    rr->run.failed = failed;
}

static void report_pending(struct read_run *rr, const struct doc *d)
{
    struct str name = { 0 };

    if (rr->pending && d)
        name = doc_label(&rr->faults, d);
    for (struct pending *p = rr->pending; p; p = p->next) {
        struct str record = name;

        if (p->member)
            record = arena_fmt(&rr->faults, "%.*s, %s %u", STR_ARGS(name),
                               p->member->shape->level->name, p->index);
        rr->fault(rr->ctx, &p->fault, p->line, p->col, record);
    }
    forget_pending(rr);
}

/* ---- values into fields: where a column becomes a document's field ------ */

/* A text as the map writes numbers; of a percentage without its sign. */
static bool read_decimal(struct read_run *rr, const struct stmt *s,
                         struct val *v, bool percent, struct str *out)
{
    struct run *r = &rr->run;
    struct str text = v->s;

    if (percent && str_ends(str_trim(text), STR("%"))) {
        text = str_trim(text);
        text.len--;
    }
    switch (dec_canon(r->a, text, &rr->map->num, out)) {
    case DEC_OK:
        return true;
    case DEC_SYNTAX:
        return RUN_FAULT(r, NUMBER_SYNTAX, s->rule->at, v, v->s,
                         where_of_number(r, v, v->s));
    case DEC_OVERFLOW:
        break;
    }
    return RUN_FAULT(r, NUMBER_OVERFLOW, s->rule->at, v, v->s, where_of(r, v));
}

static bool put_decimal(struct read_run *rr, const struct stmt *s,
                        struct val *v, bool percent, struct str *out)
{
    struct run *r = &rr->run;
    struct dec d;

    if (v->kind == V_DEC) {
        *out = v->s.p ? v->s : dec_text(r->a, v->d);
    } else if (v->kind == V_TEXT) {
        if (!read_decimal(rr, s, v, percent, out))
            return false;
    } else {
        if (!val_to_dec(r, s->rule->e, v, &d))
            return false;
        *out = dec_text(r->a, d);
    }
    if (percent && dec_from_canon(*out, &d))
        *out = dec_text(r->a, dec_strip(d));
    return true;
}

static bool put_date(struct read_run *rr, const struct stmt *s, struct val *v,
                     bool date_only, struct str *out)
{
    struct date t;

    if (!val_to_date(&rr->run, s->rule->e, v, &t))
        return false;
    if (date_only) {
        /* The day is the one of the map's zone: 23:30Z is tomorrow here. */
        if (rr->map->zone && t.has_offset)
            t = zone_convert(rr->map->zone, t);
        t.has_time = t.has_offset = false;
        t.hour = t.minute = t.second = 0;
    }
    *out = date_canon(rr->run.a, t);
    return true;
}

static bool put_choice(struct read_run *rr, const struct stmt *s,
                       const struct doc *d, struct val *v, struct str *out)
{
    const struct field_spec *f = shape_spec(d->shape, s->field);

    *out = val_str(&rr->run, v);
    return choices_has(f->choices, *out) ||
           RUN_FAULT(&rr->run, CHOICE_VALUE, s->rule->at, v, *out,
                     str_of(f->name), choices_list(rr->run.a, f->choices));
}

static bool set_field(struct read_run *rr, const struct stmt *s, struct doc *d,
                      struct val *v)
{
    struct str *out = &d->f[s->field];
    enum field_type type = shape_type(d->shape, s->field);
    bool yes;

    if (rr->watch)
        rr->watch(rr->ctx, d, s->field, v);
    if (val_is_empty(v))
        return true;
    switch (type) {
    case FT_TEXT:
        *out = val_str(&rr->run, v);
        return true;
    case FT_DECIMAL:
    case FT_PERCENT:
        return put_decimal(rr, s, v, type == FT_PERCENT, out);
    case FT_DATE:
    case FT_DATETIME:
        return put_date(rr, s, v, type == FT_DATE, out);
    case FT_BOOL:
        if (!val_to_bool(&rr->run, s->rule->e, v, &yes))
            return false;
        *out = yes ? STR("yes") : STR("no");
        return true;
    case FT_CHOICE:
        return put_choice(rr, s, d, v, out);
    }
    return false;
}

/* ---- statements --------------------------------------------------------- */

enum outcome { GO_ON, DROP };

static enum outcome exec(struct read_run *rr, const struct stmt *s,
                         struct doc *d);

/* The commonest line of a map by far, `name = column`. False: evaluate it. */
static bool set_column(struct read_run *rr, const struct stmt *s, struct doc *d)
{
    struct str text;

    if (s->rule->clauses || rr->watch ||
        shape_type(d->shape, s->field) != FT_TEXT ||
        !eval_column_text(&rr->run, s->rule->e, &text))
        return false;
    if (text.len)
        d->f[s->field] = text;
    return true;
}

/* A fault in one statement does not hide those of the others. */
static void exec_set(struct read_run *rr, const struct stmt *s, struct doc *d)
{
    struct val v;

    if (s->decided >= 0 && rr->decided[s->decided] == d)
        return;
    if (s->rule->when) {
        bool holds;

        if (!eval_cond(&rr->run, s->rule->when, &holds) || !holds)
            return;
    }
    if (s->decided >= 0)
        rr->decided[s->decided] = d;
    if (!set_column(rr, s, d) && eval_rule(&rr->run, s->rule, &v))
        (void)set_field(rr, s, d, &v);
}

static void exec_name(struct read_run *rr, const struct stmt *s)
{
    struct val v = val_empty();
    bool holds = true;

    rr->run.names[s->slot] = v; /* never the record's before */
    if (s->rule->when && !eval_cond(&rr->run, s->rule->when, &holds))
        return;
    if (holds && !eval_rule(&rr->run, s->rule, &v))
        v = val_empty();
    rr->run.names[s->slot] = v;
}

static enum outcome exec_verdict(struct read_run *rr, const struct stmt *s)
{
    struct run *r = &rr->run;
    struct str text;
    bool holds;

    if (!eval_cond(r, s->cond, &holds) || !holds)
        return GO_ON;
    if (s->kind == S_SKIP) {
        rr->skips[s->reason]++;
        rr->n_skipped++;
        return DROP;
    }
    if (!eval_pieces(r, s->message, &text))
        return GO_ON;
    if (s->kind == S_REJECT)
        (void)RUN_FAULT(r, REJECTED, s->at, NULL, text);
    else
        (void)RUN_FAULT(r, WARNED, s->at, NULL, text);
    return GO_ON;
}

/* ---- each --------------------------------------------------------------- */

struct each {
    struct read_run *rr;
    const struct stmt *s;
    struct doc *d;
    uint32_t n;
};

static void append_member(struct doc *d, int list, struct doc *m)
{
    struct doc_list *l = &d->lists[list];

    m->parent = d;
    if (l->last)
        l->last->next = m;
    else
        l->first = m;
    l->last = m;
    l->n++;
}

/* The block of an each for one member; rr->run.ctx is the member's. */
static void exec_member(struct each *e)
{
    struct read_run *rr = e->rr;
    struct doc *outer = rr->member;
    uint32_t outer_index = rr->member_index;
    struct pending **before = rr->pending_tail;
    bool failed = rr->run.failed;
    struct doc *m;
    bool holds = true;

    if (e->s->cond && (!eval_cond(&rr->run, e->s->cond, &holds) || !holds))
        return;
    if (++rr->n_members > rr->limits->v[LIMIT_LINES]) {
        if (rr->n_members == rr->limits->v[LIMIT_LINES] + 1)
            (void)RUN_FAULT(
                &rr->run, LIMIT, e->s->at, NULL,
                STR("the number of lines of one document"),
                arena_fmt(rr->run.a, "%llu",
                          (unsigned long long)rr->limits->v[LIMIT_LINES]),
                str_of(limit_table[LIMIT_LINES].name));
        return;
    }
    m = doc_new(rr->run.a, e->d->shape->lists[e->s->list]);
    m->line = rr->run.ctx.item ? rr->run.ctx.item->line : e->d->line;
    rr->member = m;
    rr->member_index = e->d->lists[e->s->list].n + 1;
    if (exec(rr, e->s->body, m) == GO_ON)
        append_member(e->d, e->s->list, m);
    else
        forget_since(rr, before, failed);
    rr->member = outer;
    rr->member_index = outer_index;
}

static struct doc *copy_doc(struct arena *a, const struct doc *d)
{
    struct doc *c = doc_new(a, d->shape);

    memcpy(c->f, d->f, (size_t)d->shape->n_fields * sizeof(*c->f));
    c->line = d->line;
    for (int i = 0; i < d->shape->n_lists; i++)
        for (const struct doc *m = d->lists[i].first; m; m = m->next)
            append_member(c, i, copy_doc(a, m));
    return c;
}

static void finish(struct read_run *rr, struct doc *d, enum outcome outcome);

/* One of several documents of a record: what stands above is inherited. */
static void exec_document(struct each *e)
{
    struct read_run *rr = e->rr;
    struct pending *header = rr->pending, **tail = rr->pending_tail;
    bool holds = true;
    struct doc *d;

    if (e->s->cond && (!eval_cond(&rr->run, e->s->cond, &holds) || !holds))
        return;
    d = copy_doc(rr->run.a, e->d);
    if (rr->run.ctx.item)
        d->line = rr->run.ctx.item->line;
    /* Faults of what stands above are told once, by read_group(). */
    rr->header_failed = rr->header_failed || rr->run.failed;
    rr->run.failed = rr->header_failed;
    forget_pending(rr);
    rr->doc = d;
    rr->n_members = 0;
    finish(rr, d, exec(rr, e->s->body, d));
    rr->doc = e->d;
    rr->pending = header;
    rr->pending_tail = header ? tail : &rr->pending;
}

static bool visit_member(void *ctx, const struct item *item, int32_t cell)
{
    struct each *e = ctx;
    struct ctx outer = e->rr->run.ctx;

    e->rr->run.ctx = (struct ctx){ .item = item, .cell = cell };
    if (e->s->kind == S_EACH)
        exec_member(e);
    else
        exec_document(e);
    e->rr->run.ctx = outer;
    return !e->rr->stop;
}

static void exec_each(struct read_run *rr, const struct stmt *s, struct doc *d)
{
    struct each e = { .rr = rr, .s = s, .d = d };
    struct ctx outer = rr->run.ctx;

    if (s->paths && s->paths->steps->kind == WANT_SELF &&
        !s->paths->steps->next) {
        if (s->kind == S_EACH)
            exec_member(&e);
        else
            exec_document(&e);
    } else if (s->paths) {
        (void)eval_items(&rr->run, s->paths, visit_member, &e);
    } else if (outer.item) {
        (void)visit_member(&e, outer.item, outer.cell);
    } else {
        for (uint32_t i = 0; i < outer.n_rows; i++)
            if (!visit_member(&e, outer.rows[i], -1))
                break;
    }
}

static enum outcome exec_when(struct read_run *rr, const struct stmt *s,
                              struct doc *d)
{
    bool holds;

    if (!eval_cond(&rr->run, s->cond, &holds) || !holds)
        return GO_ON;
    return exec(rr, s->body, d);
}

static enum outcome exec(struct read_run *rr, const struct stmt *s,
                         struct doc *d)
{
    for (; s; s = s->next) {
        enum outcome o = GO_ON;

        switch (s->kind) {
        case S_SET:
            exec_set(rr, s, d);
            break;
        case S_NAME:
            exec_name(rr, s);
            break;
        case S_EACH:
        case S_EACH_DOC:
            exec_each(rr, s, d);
            break;
        case S_SKIP:
        case S_REJECT:
        case S_WARN:
            o = exec_verdict(rr, s);
            break;
        case S_WHEN:
            o = exec_when(rr, s, d);
            break;
        }
        if (o == DROP)
            return DROP;
    }
    return GO_ON;
}

/* ---- documents ---------------------------------------------------------- */

static void set_aside(struct read_run *rr)
{
    rr->n_faulty++;
    if (rr->aside)
        rr->aside(rr->ctx);
}

/* A document is done: sent, dropped, or set aside with its faults. */
static void finish(struct read_run *rr, struct doc *d, enum outcome outcome)
{
    bool failed = rr->run.failed;

    if (outcome == DROP) {
        forget_since(rr, &rr->pending, false);
        return;
    }
    report_pending(rr, d);
    rr->run.failed = false;
    if (failed) {
        set_aside(rr);
        return;
    }
    d->seq = ++rr->n_documents;
    if (!rr->emit(rr->ctx, d))
        rr->stop = true;
}

static bool makes_documents(const struct stmt *s)
{
    for (; s; s = s->next)
        if (s->kind == S_EACH_DOC ||
            (s->kind == S_WHEN && makes_documents(s->body)))
            return true;
    return false;
}

/*
 * The rows of a document without the ragged ones, which have faults now. What
 * stands in those is not known, so none of their cells is looked at; but a
 * document that lacks one of its rows must not travel.
 */
static struct item *const *without_ragged(struct read_run *rr,
                                          struct item *const *rows, uint32_t *n)
{
    struct item **good = NULL;
    uint32_t n_good = 0, i = 0;

    while (i < *n && !rows[i]->n_fields)
        i++;
    if (i == *n)
        return rows;
    good = arena_alloc(&rr->docs, *n * sizeof(struct item *));
    for (i = 0; i < *n; i++) {
        const struct val row = { .item = rows[i], .cell = -1 };

        if (rows[i]->n_fields)
            (void)run_fault(
                &rr->run, rr->reader->ragged, (struct place){ 0 }, &row,
                (const struct str[]){
                    arena_fmt(&rr->docs, "%u", rows[i]->n_fields),
                    arena_fmt(&rr->docs, "%u", rr->reader->n_fields) },
                2);
        else
            good[n_good++] = rows[i];
    }
    *n = n_good;
    return good;
}

void read_group(struct read_run *rr, struct item *const *rows, uint32_t n)
{
    struct doc *d;
    enum outcome o;

    arena_reset(&rr->docs);
    arena_reset(&rr->faults);
    rr->header_failed = false;
    rr->n_members = 0;
    /* The next document may stand where the last one stood. */
    for (int i = 0; i < rr->map->n_decided; i++)
        rr->decided[i] = NULL;
    rr->run.record_index++;
    rr->run.failed = false;
    d = doc_new(&rr->docs, rr->map->shape);
    d->line = rows[0]->line;
    rr->doc = d;
    rr->member = NULL;
    rr->rows = rows;
    rr->n_rows = n;
    rows = without_ragged(rr, rows, &n);
    if (n == 1)
        rr->run.ctx = (struct ctx){ .item = rows[0], .cell = -1 };
    else
        rr->run.ctx = (struct ctx){ .rows = rows, .n_rows = n, .cell = -1 };
    o = n ? exec(rr, rr->map->body, d) : GO_ON;
    if (o == GO_ON && makes_documents(rr->map->body)) {
        /* Documents of a faulty header have counted themselves. */
        if (rr->run.failed && !rr->header_failed)
            set_aside(rr);
        report_pending(rr, d);
        rr->run.failed = false;
    } else {
        finish(rr, d, o);
    }
    rr->doc = NULL;
}

void read_faulty_row(struct read_run *rr, struct item *row)
{
    rr->run.record_index++;
    rr->rows = &row;
    rr->n_rows = 1;
    set_aside(rr);
    rr->rows = NULL;
    report_pending(rr, NULL);
    arena_reset(&rr->faults);
    rr->run.failed = false;
}

/* ---- the run ------------------------------------------------------------ */

void read_run_init(struct read_run *rr, const struct map *map,
                   const struct limits *limits, const struct run_info *info)
{
    *rr = (struct read_run){ .map = map, .limits = limits, .spill_fd = -1 };
    rr->run = (struct run){ .map = map,
                            .a = &rr->docs,
                            .info = info,
                            .raise = raise_fault,
                            .ctx_of = rr };
    rr->run.names = xcalloc((size_t)map->n_names, sizeof(struct val));
    rr->decided = xcalloc((size_t)map->n_decided, sizeof(struct doc *));
    rr->skips = xcalloc((size_t)map->n_reasons, sizeof(uint64_t));
    rr->pending_tail = &rr->pending;
}

int read_file(struct read_run *rr, struct reader *reader)
{
    int rc;

    rr->reader = reader;
    rr->run.reader = reader;
    reader->sink = group_record;
    reader->trim = rr->map->trim;
    reader->keeps_ragged = true;
    group_begin(rr);
    rc = rr->map->format->read(reader);
    if (rc == READ_OK)
        rc = group_end(rr);
    group_free(rr);
    return rc;
}

void read_run_release(struct read_run *rr)
{
    free(rr->run.names);
    free(rr->decided);
    free(rr->skips);
    arena_release(&rr->docs);
    arena_release(&rr->faults);
}
