/*
 * eval.c - expressions at work: one small function per kind of node.
 *
 * Every function returns false when a fault was raised; the caller only hands
 * that on. Source values are slices of the record, fields slices of the
 * document: nothing is copied until something is computed.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "converters/base/text.h"
#include "converters/base/utf8.h"
#include "converters/lang/func.h"
#include "converters/lang/run.h"
#include "converters/lang/table.h"

/* ---- the source of a read map ------------------------------------------- */

/* Walks every value of a path; stops when visit() returns false. */
struct walk {
    struct run *r;
    bool (*visit)(struct walk *w, const struct item *item, int32_t cell);
    void *ctx;
    const struct expr *e; /* the path, for faults */
    bool failed;
    struct val value; /* of single values */
    bool found;
    bool (*each)(void *, struct val *);
    void *each_ctx;
    const struct expr *where;
    bool elements; /* count(): elements count though they have no text */
};

static bool walk_item(struct walk *w, const struct item *item,
                      const struct step *s);

static bool filter_holds(struct walk *w, const struct step *s,
                         const struct item *item, bool *holds)
{
    struct ctx outer = w->r->ctx;
    bool ok;

    *holds = true;
    if (!s->filter)
        return true;
    w->r->ctx = (struct ctx){ .item = item, .cell = -1 };
    ok = eval_cond(w->r, s->filter, holds);
    w->r->ctx = outer;
    return ok;
}

/* Goes from `item`, which step s has found, on to the step behind it. */
static bool walk_on(struct walk *w, const struct item *item,
                    const struct step *s)
{
    bool holds;

    if (!filter_holds(w, s, item, &holds)) {
        w->failed = true;
        return false;
    }
    if (!holds)
        return true;
    if (s->next)
        return walk_item(w, item, s->next);
    return w->visit(w, item, -1);
}

static bool walk_cells(struct walk *w, const struct item *row,
                       const struct want *want)
{
    for (uint32_t i = 0; i < want->n_cells; i++)
        if (!w->visit(w, row, (int32_t)want->cells[i]))
            return false;
    return true;
}

static bool walk_item(struct walk *w, const struct item *item,
                      const struct step *s)
{
    if (s->kind == WANT_SELF)
        return walk_on(w, item, s);
    if (item->cells)
        return walk_cells(w, item, s->want);
    for (const struct item *c = item->child; c; c = c->next)
        if (c->want == s->want && !walk_on(w, c, s))
            return false;
    return true;
}

static bool walk_steps(struct walk *w, const struct expr *e,
                       const struct step *steps)
{
    const struct ctx *c = &w->r->ctx;

    if (e->absolute)
        return !w->r->reader->root || walk_item(w, w->r->reader->root, steps);
    if (c->cell >= 0 && steps->kind == WANT_SELF)
        return w->visit(w, c->item, c->cell);
    if (c->item)
        return walk_item(w, c->item, steps);
    for (uint32_t i = 0; i < c->n_rows; i++)
        if (!walk_item(w, c->rows[i], steps))
            return false;
    return true;
}

static void val_of(const struct run *r, const struct item *item, int32_t cell,
                   struct val *out)
{
    struct str s = cell >= 0 ? item->cells[cell] : item->text;

    if (r->map->trim && cell >= 0)
        s = text_trim(s);
    *out = (struct val){
        .kind = s.len ? V_TEXT : V_EMPTY, .s = s, .item = item, .cell = cell
    };
}

/* Single value: empty ones do not count, different ones are a fault. */
static bool visit_single(struct walk *w, const struct item *item, int32_t cell)
{
    struct val v;

    val_of(w->r, item, cell, &v);
    if (v.kind == V_EMPTY) {
        if (!w->value.item)
            w->value = v; /* remembers the place of what is empty */
        return true;
    }
    if (w->found && !str_eq(w->value.s, v.s)) {
        (void)RUN_FAULT(w->r, SEVERAL_VALUES, w->e->at, &v, w->value.s, v.s,
                        where_of(w->r, &v));
        w->failed = true;
        return false;
    }
    if (!w->found)
        w->value = v;
    w->found = true;
    return true;
}

/* The commonest case by far: one column of one row, or of a group's rows. */
static bool eval_column(struct run *r, const struct expr *e, struct val *out)
{
    uint32_t cell = e->steps->want->cells[0];
    const struct ctx *c = &r->ctx;
    struct val v;

    if (c->item) {
        val_of(r, c->item, (int32_t)cell, out);
        return true;
    }
    val_of(r, c->rows[0], (int32_t)cell, out);
    for (uint32_t i = 1; i < c->n_rows; i++) {
        struct str s = c->rows[i]->cells[cell];

        if (str_eq(s, out->s))
            continue;
        val_of(r, c->rows[i], (int32_t)cell, &v);
        if (v.kind == V_EMPTY || str_eq(v.s, out->s))
            continue;
        if (out->kind != V_EMPTY)
            return RUN_FAULT(r, SEVERAL_VALUES, e->at, &v, out->s, v.s,
                             where_of(r, &v));
        *out = v;
    }
    return true;
}

static bool eval_source(struct run *r, const struct expr *e, struct val *out)
{
    const struct want *want = e->steps->want;
    struct walk w;

    if (e->steps->kind != WANT_SELF && want->n_cells == 1 &&
        (r->ctx.item ? r->ctx.item->cells != NULL : r->ctx.n_rows > 0) &&
        !e->steps->next)
        return eval_column(r, e, out);
    w = (struct walk){ .r = r, .visit = visit_single, .e = e };
    w.value = val_empty();
    (void)walk_steps(&w, e, e->steps);
    *out = w.value;
    return !w.failed;
}

/* ---- several values ----------------------------------------------------- */

/* Names in `where` are read beside the value. */
static bool where_holds(struct walk *w, struct ctx beside, bool *holds)
{
    struct ctx outer = w->r->ctx;
    bool ok = true;

    *holds = true;
    if (w->where) {
        w->r->ctx = beside;
        ok = eval_cond(w->r, w->where, holds);
        w->r->ctx = outer;
    }
    return ok;
}

static bool visit_several(struct walk *w, const struct item *item, int32_t cell)
{
    const struct item *around =
        cell >= 0 || !item->parent ? item : item->parent;
    struct val v;
    bool holds;

    if (!where_holds(w, (struct ctx){ .item = around, .cell = -1 }, &holds)) {
        w->failed = true;
        return false;
    }
    if (!holds)
        return true;
    val_of(w->r, item, cell, &v);
    if (w->elements && cell < 0 && v.kind == V_EMPTY)
        v = (struct val){
            .kind = V_TEXT, .s = STR("1"), .item = item, .cell = -1
        };
    return w->each(w->each_ctx, &v);
}

/* An expression computed once per element that the driver finds. */
static bool visit_driver(struct walk *w, const struct item *item, int32_t cell)
{
    struct ctx outer = w->r->ctx;
    struct val v;
    bool holds, ok;

    (void)cell;
    w->r->ctx = (struct ctx){ .item = item, .cell = -1 };
    ok = where_holds(w, w->r->ctx, &holds) && (!holds || eval(w->r, w->e, &v));
    w->r->ctx = outer;
    if (!ok) {
        w->failed = true;
        return false;
    }
    return !holds || w->each(w->each_ctx, &v);
}

static bool several_rows(struct walk *w)
{
    struct ctx outer = w->r->ctx;
    bool go_on = true;

    for (uint32_t i = 0; go_on && !w->failed && i < outer.n_rows; i++) {
        struct val v;
        bool holds;

        w->r->ctx = (struct ctx){ .item = outer.rows[i], .cell = -1 };
        if (!where_holds(w, w->r->ctx, &holds) ||
            (holds && !eval(w->r, w->e, &v)))
            w->failed = true;
        else if (holds)
            go_on = w->each(w->each_ctx, &v);
    }
    w->r->ctx = outer;
    return !w->failed;
}

static bool has_source(const struct expr *e)
{
    if (e->kind == E_SOURCE)
        return true;
    for (const struct expr *x = e->args; x; x = x->next)
        if (has_source(x))
            return true;
    return false;
}

static bool several_once(struct walk *w)
{
    struct val v;
    bool holds;

    if (!where_holds(w, w->r->ctx, &holds) || (holds && !eval(w->r, w->e, &v)))
        return false;
    if (holds)
        (void)w->each(w->each_ctx, &v);
    return true;
}

static bool read_several(struct run *r, const struct expr *x,
                         const struct expr *call,
                         bool (*each)(void *, struct val *), void *ctx)
{
    struct walk w = {
        .r = r, .e = x, .each = each, .each_ctx = ctx, .where = call->where
    };

    if (x->kind == E_SOURCE) {
        w.visit = visit_several;
        w.elements = strcmp(call->func->name, "count") == 0;
        (void)walk_steps(&w, x, x->steps);
        return !w.failed;
    }
    if (x->driver_steps) {
        w.visit = visit_driver;
        (void)walk_steps(&w, x, x->driver_steps);
        return !w.failed;
    }
    if (!r->ctx.item && r->ctx.n_rows && has_source(x))
        return several_rows(&w);
    return several_once(&w);
}

/* One member of the driver: true to go on. */
static bool several_member(struct walk *w, int at, struct doc *m)
{
    struct val v;
    bool holds;

    w->r->scope[at] = m;
    if (!where_holds(w, w->r->ctx, &holds) ||
        (holds && !eval(w->r, w->e, &v))) {
        w->failed = true;
        return false;
    }
    return !holds || w->each(w->each_ctx, &v);
}

static bool write_several(struct run *r, const struct expr *x,
                          const struct expr *call,
                          bool (*each)(void *, struct val *), void *ctx)
{
    struct walk w = {
        .r = r, .e = x, .each = each, .each_ctx = ctx, .where = call->where
    };
    const struct driver *d = &call->driver;
    int at = call->index;
    struct doc *outer, *m;

    if (!d->is_on)
        return several_once(&w);
    outer = r->scope[at];
    if (d->depth == -1) {
        for (m = r->all_docs(r->ctx_of, true); m && several_member(&w, at, m);)
            m = r->all_docs(r->ctx_of, false);
    } else {
        m = r->scope[d->depth]->lists[d->list].first;
        while (m && several_member(&w, at, m))
            m = m->next;
    }
    r->scope[at] = outer;
    return !w.failed;
}

bool eval_several(struct run *r, const struct expr *x, const struct expr *call,
                  bool (*each)(void *, struct val *), void *ctx)
{
    if (r->map->is_write || !r->reader)
        return write_several(r, x, call, each, ctx);
    return read_several(r, x, call, each, ctx);
}

struct items {
    bool (*visit)(void *, const struct item *, int32_t cell);
    void *ctx;
};

static bool visit_items(struct walk *w, const struct item *item, int32_t cell)
{
    const struct items *i = w->ctx;

    return i->visit(i->ctx, item, cell);
}

bool eval_items(struct run *r, const struct expr *path,
                bool (*visit)(void *, const struct item *, int32_t cell),
                void *ctx)
{
    struct items i = { visit, ctx };
    struct walk w = { .r = r, .visit = visit_items, .ctx = &i, .e = path };

    (void)walk_steps(&w, path, path->steps);
    return !w.failed;
}

/* ---- operands ----------------------------------------------------------- */

static bool eval_const(struct run *r, const struct expr *e, struct val *out)
{
    (void)r;
    *out = e->value;
    return true;
}

static void typed_val(enum field_type type, struct str s, struct val *out)
{
    *out = (struct val){ .kind = V_TEXT, .s = s, .cell = -1 };
    if (!s.len)
        out->kind = V_EMPTY;
    else if (type == FT_DECIMAL || type == FT_PERCENT)
        out->kind = V_DEC;
    else if (type == FT_DATE || type == FT_DATETIME)
        out->kind = V_DATE;
    else if (type == FT_BOOL)
        *out = (struct val){
            .kind = V_BOOL, .yes = str_is(s, "yes"), .s = s, .cell = -1
        };
}

static bool eval_field(struct run *r, const struct expr *e, struct val *out)
{
    const struct doc *d = r->scope[e->depth];
    int i = e->index;

    if (i >= d->shape->n_fixed)
        i = d->shape->n_fixed + e->shape->x_to[i - e->shape->n_fixed];
    typed_val(shape_type(d->shape, i), d->f[i], out);
    return true;
}

static bool eval_index(struct run *r, const struct expr *e, struct val *out)
{
    *out = val_dec((struct dec){ r->index[e->depth], 0 });
    return true;
}

static bool eval_name(struct run *r, const struct expr *e, struct val *out)
{
    *out = r->names[e->index];
    return true;
}

static bool eval_setting(struct run *r, const struct expr *e, struct val *out)
{
    *out = val_text(r->info->settings[e->index]);
    return true;
}

static bool eval_meta(struct run *r, const struct expr *e, struct val *out)
{
    const struct run_info *i = r->info;

    switch ((enum meta)e->index) {
    case META_FILE_NAME:
        *out = val_text(i->file_name);
        return true;
    case META_FILE_BASE:
        *out = val_text(i->file_base);
        return true;
    case META_FILE_MEMBER:
        *out = val_text(i->file_member);
        return true;
    case META_RUN_ID:
        *out = val_text(i->run_id);
        return true;
    case META_RUN_TIME:
        *out = val_date(i->run_time);
        return true;
    case META_RECORD_INDEX:
        *out = val_dec((struct dec){ (int64_t)r->record_index, 0 });
        return true;
    case N_METAS:
        break;
    }
    *out = val_empty();
    return true;
}

static bool eval_call(struct run *r, const struct expr *e, struct val *out)
{
    if (e->driver.is_on && e->driver.depth == -1) {
        *out = r->aggregates[e->driver.slot];
        return true;
    }
    return e->func->eval(r, e, out);
}

/* ---- truth -------------------------------------------------------------- */

static bool eval_or(struct run *r, const struct expr *e, struct val *out)
{
    bool yes;

    if (!eval_cond(r, e->args, &yes) ||
        (!yes && !eval_cond(r, e->args->next, &yes)))
        return false;
    *out = val_bool(yes);
    return true;
}

static bool eval_and(struct run *r, const struct expr *e, struct val *out)
{
    bool yes;

    if (!eval_cond(r, e->args, &yes) ||
        (yes && !eval_cond(r, e->args->next, &yes)))
        return false;
    *out = val_bool(yes);
    return true;
}

static bool eval_not(struct run *r, const struct expr *e, struct val *out)
{
    bool yes;

    if (!eval_cond(r, e->args, &yes))
        return false;
    *out = val_bool(!yes);
    return true;
}

/*
 * -1, 0, 1. If either side is a number, the other is read as one; the same
 * for dates and yes/no; two source texts compare as texts.
 */
static bool compare(struct run *r, const struct expr *e, const struct val *a,
                    const struct val *b, int *out)
{
    struct dec x, y;
    struct date s, t;
    bool p, q;

    if (a->kind == V_DEC || b->kind == V_DEC) {
        if (!val_to_dec(r, e, a, &x) || !val_to_dec(r, e, b, &y))
            return false;
        *out = dec_cmp(x, y);
    } else if (a->kind == V_DATE || b->kind == V_DATE) {
        if (!val_to_date(r, e, a, &s) || !val_to_date(r, e, b, &t))
            return false;
        *out = date_cmp(s, t);
    } else if (a->kind == V_BOOL || b->kind == V_BOOL) {
        if (!val_to_bool(r, e, a, &p) || !val_to_bool(r, e, b, &q))
            return false;
        *out = p - q;
    } else {
        *out = str_cmp(a->s, b->s);
    }
    return true;
}

static bool holds(enum expr_kind kind, int c)
{
    switch (kind) {
    case E_EQ:
        return c == 0;
    case E_NE:
        return c != 0;
    case E_LT:
        return c < 0;
    case E_LE:
        return c <= 0;
    case E_GT:
        return c > 0;
    default:
        return c >= 0;
    }
}

/* Comparing with empty is false but for = "" and <> "". */
static bool eval_comparison(struct run *r, const struct expr *e,
                            struct val *out)
{
    const struct expr *right = e->args->next;
    bool to_empty = right->kind == E_CONST && right->value.kind == V_EMPTY;
    struct val a, b;
    int c = 0;

    if (!eval(r, e->args, &a) || !eval(r, right, &b))
        return false;
    if (to_empty) {
        *out = val_bool(val_is_empty(&a) == (e->kind == E_EQ) &&
                        (e->kind == E_EQ || e->kind == E_NE));
        return true;
    }
    if (val_is_empty(&a) || val_is_empty(&b)) {
        *out = val_bool(false);
        return true;
    }
    if (!compare(r, e, &a, &b, &c))
        return false;
    *out = val_bool(holds(e->kind, c));
    return true;
}

static bool eval_in(struct run *r, const struct expr *e, struct val *out)
{
    struct val a, b;

    if (!eval(r, e->args, &a))
        return false;
    for (const struct expr *x = e->args->next; x; x = x->next) {
        int c = 1;

        if (!eval(r, x, &b))
            return false;
        if (val_is_empty(&a) || val_is_empty(&b))
            c = !(val_is_empty(&a) && x->kind == E_CONST && val_is_empty(&b));
        else if (!compare(r, e, &a, &b, &c))
            return false;
        if (c == 0) {
            *out = val_bool(true);
            return true;
        }
    }
    *out = val_bool(false);
    return true;
}

static bool eval_like(struct run *r, const struct expr *e, struct val *out)
{
    struct val a, b;

    if (!eval(r, e->args, &a) || !eval(r, e->args->next, &b))
        return false;
    *out = val_bool(!val_is_empty(&a) &&
                    glob_match(val_str(r, &b), val_str(r, &a)));
    return true;
}

enum { MATCH_STEPS = 100000, MATCH_DEPTH = 1000 };

static bool eval_matches(struct run *r, const struct expr *e, struct val *out)
{
    pcre2_match_context *limits;
    pcre2_match_data *data;
    struct val a;
    struct str s;
    int rc;

    if (!eval(r, e->args, &a))
        return false;
    s = val_str(r, &a);
    limits = pcre2_match_context_create(NULL);
    data = pcre2_match_data_create(1, NULL);
    if (!limits || !data)
        abort(); /* out of memory */
    pcre2_set_match_limit(limits, MATCH_STEPS);
    pcre2_set_depth_limit(limits, MATCH_DEPTH);
    rc = pcre2_match(e->regex, (PCRE2_SPTR)(s.p ? s.p : ""), s.len, 0,
                     PCRE2_NO_UTF_CHECK, data, limits);
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        return RUN_FAULT(r, REGEX_LIMIT, e->at, &a, s);
    *out = val_bool(rc >= 0 && !val_is_empty(&a));
    return true;
}

/* ---- texts and numbers -------------------------------------------------- */

static bool eval_join(struct run *r, const struct expr *e, struct val *out)
{
    struct val a, b;
    struct str x, y;
    char *p;

    if (!eval(r, e->args, &a) || !eval(r, e->args->next, &b))
        return false;
    x = val_str(r, &a);
    y = val_str(r, &b);
    p = arena_text(r->a, x.len + y.len);
    str_copy(p, x);
    str_copy(p + x.len, y);
    *out = val_text((struct str){ p, x.len + y.len });
    out->item = a.item ? a.item : b.item;
    out->cell = a.item ? a.cell : b.cell;
    return true;
}

static bool overflow(struct run *r, const struct expr *e, const struct val *v)
{
    return RUN_FAULT(r, NUMBER_OVERFLOW, e->at, v, STR("the result"), STR(""));
}

/* In + - an empty side counts as 0 unless both are empty. */
static bool eval_sum(struct run *r, const struct expr *e, struct val *out)
{
    struct val a, b;
    struct dec x = { 0 }, y = { 0 };

    if (!eval(r, e->args, &a) || !eval(r, e->args->next, &b))
        return false;
    if (val_is_empty(&a) && val_is_empty(&b)) {
        *out = val_empty();
        return true;
    }
    if ((!val_is_empty(&a) && !val_to_dec(r, e->args, &a, &x)) ||
        (!val_is_empty(&b) && !val_to_dec(r, e->args->next, &b, &y)))
        return false;
    if (!(e->kind == E_ADD ? dec_add(x, y, &x) : dec_sub(x, y, &x)))
        return overflow(r, e, &a);
    *out = val_dec(x);
    out->item = a.item ? a.item : b.item;
    out->cell = a.item ? a.cell : b.cell;
    return true;
}

/* * and div with an empty side are empty. */
static bool eval_product(struct run *r, const struct expr *e, struct val *out)
{
    struct val a, b;
    struct dec x, y;

    if (!eval(r, e->args, &a) || !eval(r, e->args->next, &b))
        return false;
    if (val_is_empty(&a) || val_is_empty(&b)) {
        *out = val_empty();
        return true;
    }
    if (!val_to_dec(r, e->args, &a, &x) ||
        !val_to_dec(r, e->args->next, &b, &y))
        return false;
    if (e->kind == E_DIV && dec_is_zero(y))
        return run_fault(r, DIAG_DIVIDE_ZERO, e->at, &b, NULL, 0);
    if (!(e->kind == E_MUL ? dec_mul(x, y, &x) : dec_div(x, y, &x)))
        return overflow(r, e, &a);
    *out = val_dec(x);
    out->item = a.item ? a.item : b.item;
    out->cell = a.item ? a.cell : b.cell;
    return true;
}

static bool eval_neg(struct run *r, const struct expr *e, struct val *out)
{
    struct dec x;

    if (!eval(r, e->args, out))
        return false;
    if (val_is_empty(out))
        return true;
    if (!val_to_dec(r, e->args, out, &x))
        return false;
    x = dec_neg(x);
    *out = (struct val){ .kind = V_DEC,
                         .has_d = true,
                         .d = x,
                         .item = out->item,
                         .cell = out->cell };
    return true;
}

/* ---- dispatch ----------------------------------------------------------- */

static bool eval_unresolved(struct run *r, const struct expr *e,
                            struct val *out)
{
    (void)r;
    (void)e;
    (void)out;
    abort(); /* a map with mistakes was run */
}

static bool (*const evals[])(struct run *, const struct expr *,
                             struct val *) = {
    [E_CONST] = eval_const,     [E_PATH] = eval_unresolved,
    [E_SOURCE] = eval_source,   [E_FIELD] = eval_field,
    [E_INDEX] = eval_index,     [E_NAME] = eval_name,
    [E_SETTING] = eval_setting, [E_META] = eval_meta,
    [E_CALL] = eval_call,       [E_OR] = eval_or,
    [E_AND] = eval_and,         [E_NOT] = eval_not,
    [E_EQ] = eval_comparison,   [E_NE] = eval_comparison,
    [E_LT] = eval_comparison,   [E_LE] = eval_comparison,
    [E_GT] = eval_comparison,   [E_GE] = eval_comparison,
    [E_IN] = eval_in,           [E_LIKE] = eval_like,
    [E_MATCHES] = eval_matches, [E_JOIN] = eval_join,
    [E_ADD] = eval_sum,         [E_SUB] = eval_sum,
    [E_MUL] = eval_product,     [E_DIV] = eval_product,
    [E_NEG] = eval_neg,
};

bool eval(struct run *r, const struct expr *e, struct val *out)
{
    return evals[e->kind](r, e, out);
}

bool eval_cond(struct run *r, const struct expr *e, bool *out)
{
    struct val v;

    if (!eval(r, e, &v))
        return false;
    if (val_is_empty(&v)) {
        *out = false;
        return true;
    }
    if (v.kind == V_BOOL) {
        *out = v.yes;
        return true;
    }
    return val_to_bool(r, e, &v, out);
}

/* ---- clauses ------------------------------------------------------------ */

static bool apply_cut(struct run *r, const struct clause *c, struct val *v,
                      bool bytes)
{
    struct str s = val_str(r, v);
    const struct charset *cs = r->map->charset;
    size_t at = 0, n = 0;

    while (at < s.len) {
        size_t before = at;
        int32_t cp = utf8_next(s, &at);
        unsigned width = bytes && cs ? charset_width(cs, (uint32_t)cp) : 1;

        if (bytes && !width)
            width = 1; /* what stands for it is decided later */
        n += width;
        if (n > c->n) {
            struct str kept = str_first(s, before);

            (void)RUN_FAULT(
                r, CUT, c->at, v, s,
                arena_fmt(r->a, "%u %s", c->n, bytes ? "bytes" : "characters"));
            v->kind = kept.len ? V_TEXT : V_EMPTY;
            v->s = kept;
            return true;
        }
    }
    return true;
}

static bool apply_max(struct run *r, const struct clause *c, struct val *v)
{
    struct str s = val_str(r, v);
    size_t n;

    if (s.len <= c->n)
        return true;
    n = utf8_count(s);
    if (n <= c->n)
        return true;
    return RUN_FAULT(r, TOO_LONG, c->at, v, s, arena_fmt(r->a, "%zu", n),
                     arena_fmt(r->a, "%u", c->n));
}

static bool apply_as(struct run *r, const struct clause *c, struct val *v)
{
    struct dec d;
    struct date t;
    struct str s;
    struct expr e = { .at = c->at };

    if (!c->n) {
        if (!val_to_date(r, &e, v, &t))
            return false;
        if (r->map->zone)
            t = zone_convert(r->map->zone, t);
        s = date_format(r->a, t, c->format);
    } else {
        if (!val_to_dec(r, &e, v, &d))
            return false;
        if (!dec_format(r->a, d, c->format, &s))
            return overflow(r, &e, v);
    }
    v->kind = V_TEXT;
    v->s = s;
    return true;
}

static bool apply_check(struct run *r, const struct clause *c,
                        const struct val *v)
{
    struct str s = val_str(r, v), shown;

    if (c->check->ok(s))
        return true;
    shown = idcheck_shown(c->check, r->a, s);
    if (c->reject)
        return RUN_FAULT(r, CHECK_REJECT, c->at, v, shown,
                         str_of(c->check->name));
    (void)RUN_FAULT(r, CHECK_FAILED, c->at, v, shown, str_of(c->check->name));
    return true;
}

static struct str what_is_required(struct run *r, const struct rule *rule)
{
    const struct place *at = &rule->e->at;
    struct str text = at->src->text;
    uint32_t line = 1;

    while (line < at->line && text.len) {
        ptrdiff_t nl = str_find_char(text, '\n');

        text = str_from(text, nl < 0 ? text.len : (size_t)nl + 1);
        line++;
    }
    text = str_from(text, utf8_offset(text, at->col - 1));
    return arena_str(r->a, str_first(text, utf8_offset(text, at->len)));
}

static bool apply(struct run *r, const struct rule *rule,
                  const struct clause *c, struct val *v)
{
    struct val in = *v;

    switch (c->kind) {
    case C_VIA:
        return table_apply(r, c->at, c->table, &in, v);
    case C_DEFAULT:
        return !val_is_empty(v) || eval(r, c->e, v);
    case C_REQUIRED:
        return !val_is_empty(v) ||
               RUN_FAULT(r, REQUIRED, rule->at, v, what_is_required(r, rule));
    default:
        break;
    }
    if (val_is_empty(v))
        return true;
    switch (c->kind) {
    case C_MAX:
        return apply_max(r, c, v);
    case C_CUT:
    case C_CUT_BYTES:
        return apply_cut(r, c, v, c->kind == C_CUT_BYTES);
    case C_AS:
        return apply_as(r, c, v);
    default:
        return apply_check(r, c, v);
    }
}

bool eval_rule(struct run *r, const struct rule *rule, struct val *out)
{
    if (!eval(r, rule->e, out))
        return false;
    for (const struct clause *c = rule->clauses; c; c = c->next) {
        const struct item *item = out->item;
        int32_t cell = out->cell;

        if (!apply(r, rule, c, out))
            return false;
        if (!out->item) {
            out->item = item;
            out->cell = cell;
        }
    }
    return true;
}

bool eval_pieces(struct run *r, const struct piece *p, struct str *out)
{
    struct buf b;
    bool ok = true;

    buf_init(&b, MB(1));
    for (; ok && p; p = p->next) {
        struct val v;

        if (!p->rule) {
            ok = buf_add(&b, p->text) == 0;
            continue;
        }
        ok = eval_rule(r, p->rule, &v) && buf_add(&b, val_str(r, &v)) == 0;
    }
    *out = arena_str(r->a, buf_str(&b));
    buf_release(&b);
    return ok;
}
