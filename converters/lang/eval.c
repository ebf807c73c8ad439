/*
 * eval.c - expressions at work: one small function per kind of node. Values
 * out of the file are fetched in eval_source.c, clauses applied in eval_rule.c.
 *
 * Every function returns false when a fault was raised; the caller only hands
 * that on. Source values are slices of the record, fields slices of the
 * document: nothing is copied until something is computed.
 */
#include <stdlib.h>

#include "converters/base/text.h"
#include "converters/lang/eval.h"
#include "converters/lang/func.h"
#include "converters/lang/regex.h"

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

/*
 * x.* fields exist where a read map sets them: `x.colour` is the line's, or if
 * the line has none the order's.
 */
static bool eval_x(struct run *r, const struct expr *e, struct val *out)
{
    struct str name = e->shape->x[e->index - e->shape->n_fixed];

    *out = val_empty();
    for (int d = e->depth; d >= 0 && out->kind == V_EMPTY; d--) {
        const struct doc *doc = r->scope[d];
        const struct shape *s = doc->shape;

        for (int i = 0; i < s->n_x; i++)
            if (str_eq(s->x[i], name))
                typed_val(FT_TEXT, doc->f[s->n_fixed + i], out);
        if (e->bracket) /* order.x.colour: this scope's and no other's */
            break;
    }
    return true;
}

static bool eval_field(struct run *r, const struct expr *e, struct val *out)
{
    const struct doc *d = r->scope[e->depth];
    int i = e->index;

    if (i >= d->shape->n_fixed)
        return eval_x(r, e, out);
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

/* Both texts as numbers, else both as dates: for < and >, where 9 < 10. */
static bool compare_texts(struct run *r, const struct val *a,
                          const struct val *b, int *out)
{
    struct dec x, y;
    struct date s, t;

    if (val_is_dec(r, a, &x) && val_is_dec(r, b, &y))
        *out = dec_cmp(x, y);
    else if (val_is_date(r, a, &s) && val_is_date(r, b, &t))
        *out = val_date_cmp(r, s, t);
    else
        *out = str_cmp(a->s, b->s);
    return true;
}

/*
 * -1, 0, 1. If either side is a number, the other is read as one; the same
 * for dates and yes/no. Two texts are equal when their characters are: codes
 * 7 and 007 differ; which one is larger is decided by value.
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
        *out = val_date_cmp(r, s, t);
    } else if (a->kind == V_BOOL || b->kind == V_BOOL) {
        if (!val_to_bool(r, e, a, &p) || !val_to_bool(r, e, b, &q))
            return false;
        *out = p - q;
    } else if (e->kind == E_EQ || e->kind == E_NE || e->kind == E_IN) {
        *out = str_cmp(a->s, b->s);
    } else {
        return compare_texts(r, a, b, out);
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

static bool is_empty_const(const struct expr *e)
{
    return e->kind == E_CONST && e->value.kind == V_EMPTY;
}

/*
 * `kind = item`, `currency <> "CZK"`: a text of the document and a fixed one,
 * as most conditions are. False: it is not that.
 */
static bool compare_field(const struct run *r, const struct expr *e, bool *yes)
{
    const struct expr *left = e->args, *right = left->next;
    const struct doc *d;
    enum field_type type;

    if (left->kind != E_FIELD || right->kind != E_CONST ||
        right->value.kind != V_TEXT || (e->kind != E_EQ && e->kind != E_NE))
        return false;
    d = r->scope[left->depth];
    if (left->index >= d->shape->n_fixed)
        return false;
    type = shape_type(d->shape, left->index);
    if (type != FT_TEXT && type != FT_CHOICE)
        return false;
    *yes = d->f[left->index].len &&
           str_eq(d->f[left->index], right->value.s) == (e->kind == E_EQ);
    return true;
}

/* Comparing with empty is false but for = "" and <> "", on either side. */
static bool eval_comparison(struct run *r, const struct expr *e,
                            struct val *out)
{
    const struct expr *right = e->args->next;
    struct val a, b;
    bool yes;
    int c = 0;

    if (compare_field(r, e, &yes)) {
        *out = val_bool(yes);
        return true;
    }
    if (!eval(r, e->args, &a) || !eval(r, right, &b))
        return false;
    if (is_empty_const(e->args) || is_empty_const(right)) {
        bool empty = val_is_empty(&a) && val_is_empty(&b);

        *out =
            val_bool((e->kind == E_EQ && empty) || (e->kind == E_NE && !empty));
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

static bool eval_matches(struct run *r, const struct expr *e, struct val *out)
{
    const struct limits *limits = r->info->limits;
    enum limit_id hit;
    struct val a;
    struct str s;
    int rc;

    if (!eval(r, e->args, &a))
        return false;
    s = val_str(r, &a);
    rc = regex_match(e->regex, s, limits, &hit);
    if (rc == -1)
        return RUN_FAULT(r, REGEX_LIMIT, e->at, &a, s,
                         limit_text(r->a, limits, hit),
                         str_of(limit_table[hit].name));
    *out = val_bool(rc > 0 && !val_is_empty(&a));
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

bool eval_overflow(struct run *r, const struct expr *e, const struct val *v)
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
    if (!dec_add_near(x, e->kind == E_ADD ? y : dec_neg(y), &x))
        return eval_overflow(r, e, &a);
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
    if (!(e->kind == E_MUL ? dec_mul_near(x, y, &x) : dec_div(x, y, &x)))
        return eval_overflow(r, e, &a);
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
