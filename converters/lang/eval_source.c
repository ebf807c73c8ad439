/*
 * eval_source.c - values out of the file: a column, a path, several of them.
 *
 * A path is walked over the items that the format kept. A single value is
 * what all of a group's rows agree on; functions that take several values get
 * them one by one.
 */
#include "converters/base/text.h"
#include "converters/lang/eval.h"
#include "converters/lang/func.h"

/* ---- the source of a read map ------------------------------------------- */

/* Walks every value of a path; stops when visit() returns false. */
struct walk {
    struct run *r;
    bool (*visit)(struct walk *w, const struct item *item, int32_t cell);
    void *ctx;
    const struct expr *e; /* the path, for faults */
    bool failed;
    struct val value; /* of single values */
    bool found, visited;
    bool (*each)(void *, struct val *);
    void *each_ctx;
    const struct expr *where;
    bool elements; /* count(): elements count though they have no text */
};

/*
 * A walk in a walk is quadratic: a map may ask more of a long document than
 * anybody waits for. Counted from the outermost one on.
 */
static void walk_begin(struct run *r)
{
    if (r->n_walks++ == 0)
        r->n_steps = 0;
}

static bool walk_end(struct run *r, bool ok)
{
    r->n_walks--;
    return ok;
}

static bool walk_step(struct walk *w)
{
    const struct limits *l = w->r->info->limits;

    if (++w->r->n_steps <= l->v[LIMIT_STEPS])
        return true;
    w->failed = true;
    return RUN_FAULT(w->r, LIMIT, w->e->at, NULL,
                     STR("what this value looks at"),
                     limit_text(w->r->a, l, LIMIT_STEPS),
                     str_of(limit_table[LIMIT_STEPS].name));
}

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
    w->visited = true;
    return w->visit(w, item, -1);
}

static bool walk_cells(struct walk *w, const struct item *row,
                       const struct want *want)
{
    for (uint32_t i = 0; i < want->n_cells; i++)
        if (!walk_step(w) || !w->visit(w, row, (int32_t)want->cells[i]))
            return false;
    return true;
}

/* Which children of an item may have come of `want`? */
static struct item_span span_of(const struct item *item,
                                const struct want *want)
{
    if (item->found && want->parent == item->want)
        return item->found[want->index];
    return (struct item_span){ item->child, item->last };
}

static bool walk_item(struct walk *w, const struct item *item,
                      const struct step *s)
{
    struct item_span span;

    if (s->kind == WANT_SELF)
        return walk_on(w, item, s);
    if (item->cells)
        return walk_cells(w, item, s->want);
    span = span_of(item, s->want);
    for (const struct item *c = span.first; c; c = c->next) {
        if (!walk_step(w) || (c->want == s->want && !walk_on(w, c, s)))
            return false;
        if (c == span.last)
            break;
    }
    return true;
}

/* Open ancestors as they stood when the record came: its own copy, if it has
 * waited for its group, else the reader's. */
static const struct item *root_of(const struct run *r,
                                  const struct item *record)
{
    while (record && record->parent)
        record = record->parent;
    return record && record->context ? record->context : r->reader->root;
}

static bool walk_root(struct walk *w, const struct item *record,
                      const struct step *steps)
{
    const struct item *root = root_of(w->r, record);

    return !root || walk_item(w, root, steps);
}

static bool walk_absolute(struct walk *w, const struct step *steps)
{
    const struct ctx *c = &w->r->ctx;

    if (c->item || !c->n_rows)
        return walk_root(w, c->item, steps);
    for (uint32_t i = 0; i < c->n_rows; i++)
        if (!walk_root(w, c->rows[i], steps))
            return false;
    return true;
}

static bool walk_steps(struct walk *w, const struct expr *e,
                       const struct step *steps)
{
    const struct ctx *c = &w->r->ctx;

    if (e->absolute)
        return walk_absolute(w, steps);
    if (e->own && c->self) {
        bool go_on = walk_item(w, c->self, e->own);

        if (w->visited || !go_on)
            return go_on;
    }
    if (c->item && c->cell >= 0 && steps->kind == WANT_SELF)
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

static inline bool is_column(const struct run *r, const struct expr *e)
{
    const struct step *s = e->steps;

    return s->kind != WANT_SELF && s->want->n_cells == 1 &&
           (r->ctx.item ? r->ctx.item->cells != NULL : r->ctx.n_rows > 0) &&
           !s->next;
}

bool eval_column_text(const struct run *r, const struct expr *e,
                      struct str *out)
{
    const struct ctx *c = &r->ctx;
    uint32_t cell;

    if (e->kind != E_SOURCE || !is_column(r, e))
        return false;
    cell = e->steps->want->cells[0];
    *out = (c->item ? c->item : c->rows[0])->cells[cell];
    for (uint32_t i = 1; !c->item && i < c->n_rows; i++)
        if (!str_eq(c->rows[i]->cells[cell], *out))
            return false;
    if (r->map->trim)
        *out = text_trim(*out);
    return true;
}

/* The only child that came of `want`, or NULL. False: there are several. */
static bool only_child(const struct item *item, const struct want *want,
                       const struct item **child)
{
    struct item_span span = span_of(item, want);

    *child = NULL;
    for (const struct item *c = span.first; c; c = c->next) {
        if (c->want == want) {
            if (*child)
                return false;
            *child = c;
        }
        if (c == span.last)
            break;
    }
    return true;
}

/*
 * The same for elements: a path in one record whose every step is there once,
 * or not at all (then out->item is NULL). False: it is another one.
 */
static bool eval_path(const struct run *r, const struct expr *e,
                      struct val *out)
{
    const struct ctx *c = &r->ctx;
    const struct item *item = c->item;

    if (!item && c->n_rows == 1)
        item = c->rows[0];
    if (!item || item->cells || e->own)
        return false;
    if (e->absolute)
        item = root_of(r, item);
    for (const struct step *s = e->steps; s && item; s = s->next) {
        if (s->filter)
            return false;
        if (s->kind != WANT_SELF && !only_child(item, s->want, &item))
            return false;
    }
    if (item)
        val_of(r, item, -1, out);
    else
        *out = val_empty();
    return true;
}

bool eval_source(struct run *r, const struct expr *e, struct val *out)
{
    struct walk w;

    if (is_column(r, e))
        return eval_column(r, e, out);
    if (eval_path(r, e, out))
        return true;
    w = (struct walk){ .r = r, .visit = visit_single, .e = e };
    w.value = val_empty();
    walk_begin(r);
    (void)walk_steps(&w, e, e->steps);
    *out = w.value;
    return walk_end(r, !w.failed);
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

/* An element counts though it has no text. */
static void count_element(struct val *v)
{
    if (v->cell < 0 && v->kind == V_EMPTY)
        *v = (struct val){
            .kind = V_TEXT, .s = STR("1"), .item = v->item, .cell = -1
        };
}

static bool visit_several(struct walk *w, const struct item *item, int32_t cell)
{
    const struct item *around =
        cell >= 0 || !item->parent ? item : item->parent;
    struct val v;
    bool holds;

    if (!where_holds(w,
                     (struct ctx){ .item = around, .cell = cell, .self = item },
                     &holds)) {
        w->failed = true;
        return false;
    }
    if (!holds)
        return true;
    val_of(w->r, item, cell, &v);
    if (w->elements)
        count_element(&v);
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
        if (!walk_step(w) || !where_holds(w, w->r->ctx, &holds) ||
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

/* An expression that has one value, whatever is walked. */
static bool several_once(struct run *r, const struct expr *x,
                         const struct expr *where,
                         bool (*each)(void *, struct val *), void *ctx)
{
    struct val v;
    bool holds = true;

    if ((where && !eval_cond(r, where, &holds)) || (holds && !eval(r, x, &v)))
        return false;
    if (holds)
        (void)each(ctx, &v);
    return true;
}

static bool read_several(struct run *r, const struct expr *x,
                         const struct expr *call,
                         bool (*each)(void *, struct val *), void *ctx)
{
    bool elements = call->func->flags & FN_ELEMENTS;
    struct walk w;
    struct val v;

    if (x->kind == E_SOURCE && !call->where && eval_path(r, x, &v)) {
        if (elements && v.item)
            count_element(&v);
        if (v.item)
            (void)each(ctx, &v);
        return true;
    }
    w = (struct walk){
        .r = r, .e = x, .each = each, .each_ctx = ctx, .where = call->where
    };
    if (x->kind == E_SOURCE) {
        w.visit = visit_several;
        w.elements = elements;
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
    return several_once(r, x, call->where, each, ctx);
}

/* One member of the driver: true to go on. */
static bool several_member(struct walk *w, int at, struct doc *m)
{
    struct val v;
    bool holds;

    w->r->scope[at] = m;
    if (!walk_step(w) || !where_holds(w, w->r->ctx, &holds) ||
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
    const struct driver *d = &call->driver;
    int at = call->index;
    struct doc *outer, *m;
    struct walk w;

    if (!d->is_on)
        return several_once(r, x, call->where, each, ctx);
    if (x->once)
        return several_once(r, x, NULL, each, ctx);
    w = (struct walk){
        .r = r, .e = x, .each = each, .each_ctx = ctx, .where = call->where
    };
    outer = r->scope[at];
    if (d->depth == -1) {
        /* Each document counts for itself: a file may have any number. */
        for (m = r->all_docs(r->ctx_of, true); m && several_member(&w, at, m);
             m = r->all_docs(r->ctx_of, false))
            r->n_steps = 0;
    } else {
        m = r->scope[d->depth]->lists[d->list].first;
        while (m && several_member(&w, at, m))
            m = m->next;
    }
    r->scope[at] = outer;
    return !w.failed;
}

/* Do all rows of the group agree on the value, empty ones not counted? */
struct agree {
    struct run *r;
    struct str s;
    struct val v;
    bool any, differ;
};

static bool agree_one(void *ctx, struct val *v)
{
    struct agree *a = ctx;
    struct str s;

    if (val_is_empty(v))
        return true;
    s = val_str(a->r, v);
    a->differ = a->any && !str_eq(s, a->s);
    if (!a->any) {
        a->s = s;
        a->v = *v;
    }
    a->any = true;
    return !a->differ;
}

/* Once, if all rows agree; else each value. */
static bool agreed_value(struct run *r, const struct expr *x,
                         const struct expr *call,
                         bool (*each)(void *, struct val *), void *ctx)
{
    struct agree a = { .r = r };

    if (!read_several(r, x, call, agree_one, &a))
        return false;
    if (a.differ)
        return read_several(r, x, call, each, ctx);
    if (a.any)
        (void)each(ctx, &a.v);
    return true;
}

static bool several(struct run *r, const struct expr *x,
                    const struct expr *call, bool (*each)(void *, struct val *),
                    void *ctx)
{
    if (r->map->is_write || !r->reader)
        return write_several(r, x, call, each, ctx);
    if (!(call->func->flags & FN_AGREE) || call->where || r->ctx.item)
        return read_several(r, x, call, each, ctx);
    return agreed_value(r, x, call, each, ctx);
}

bool eval_several(struct run *r, const struct expr *x, const struct expr *call,
                  bool (*each)(void *, struct val *), void *ctx)
{
    walk_begin(r);
    return walk_end(r, several(r, x, call, each, ctx));
}

struct items {
    bool (*visit)(void *, const struct item *, int32_t cell);
    void *ctx;
};

static bool visit_items(struct walk *w, const struct item *item, int32_t cell)
{
    const struct items *i = w->ctx;
    bool go_on = i->visit(i->ctx, item, cell);

    w->r->n_steps = 0; /* the values of its body count for themselves */
    return go_on;
}

bool eval_items(struct run *r, const struct expr *path,
                bool (*visit)(void *, const struct item *, int32_t cell),
                void *ctx)
{
    struct items i = { visit, ctx };
    struct walk w = { .r = r, .visit = visit_items, .ctx = &i, .e = path };

    r->n_steps = 0;
    (void)walk_steps(&w, path, path->steps);
    return !w.failed;
}
