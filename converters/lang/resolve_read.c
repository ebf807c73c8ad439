/*
 * resolve_read.c - names of a read map: what the format is to keep.
 *
 * Each path adds its steps to the tree of wants, so the format keeps exactly
 * what the map names and nothing else.
 */
#include "converters/lang/resolve.h"

#include "converters/base/text.h"
#include "converters/lang/func.h"

struct want *want_new(struct map *m, enum want_kind kind)
{
    struct want *w = arena_alloc(&m->arena, sizeof(*w));

    w->kind = kind;
    w->id = m->plan.n_wants++;
    return w;
}

/* Splits "stk:code" and finds the namespace of its prefix. */
static bool qualify(struct resolver *r, const struct step *s, struct str *name,
                    struct str *uri, bool *any_uri)
{
    ptrdiff_t colon = s->literal ? -1 : str_find_char(s->name, ':');
    struct str prefix = str_first(s->name, colon < 0 ? 0 : (size_t)colon);
    const struct map *m = r->map;

    *name = str_from(s->name, (size_t)(colon + 1));
    *uri = (struct str){ 0 };
    *any_uri = false;
    for (size_t i = 0; m->format->read_opts && m->format->read_opts[i].name;
         i++)
        if (strcmp(m->format->read_opts[i].name, "namespaces") == 0 &&
            str_is(m->opts[i].text, "ignore")) {
            *any_uri = true;
            return true;
        }
    *any_uri = str_is(s->name, "*") && !s->literal; /* any child */
    if (*any_uri || (colon < 0 && s->kind == WANT_ATTRIBUTE))
        return true; /* attributes without prefix are of no namespace */
    for (size_t i = 0; i < m->n_ns; i++)
        if (str_eq(m->ns[i].prefix, prefix)) {
            *uri = m->ns[i].uri;
            return true;
        }
    if (colon < 0)
        return true;
    DIAG(r->diags, UNKNOWN_PREFIX, s->at, prefix);
    return false;
}

static bool same_want(const struct want *w, enum want_kind kind,
                      struct str name, struct str uri, const struct step *s)
{
    return w->kind == kind && w->nth == s->nth && str_eq(w->name, name) &&
           str_eq(w->uri, uri) && w->is_glob == (glob_is(name) && !s->literal);
}

struct want *want_child(struct resolver *r, struct want *parent,
                        const struct step *s)
{
    struct map *m = r->map;
    struct want *w, **tail = &parent->child;
    struct str name, uri = { 0 };
    bool any_uri = false;

    if (m->format->rows || s->kind == WANT_NTH)
        name = text_nfc(&m->arena, s->name);
    else if (!qualify(r, s, &name, &uri, &any_uri))
        return NULL;
    else if (s->literal)
        name = text_nfc(&m->arena, name);
    for (w = parent->child; w; w = w->next) {
        if (same_want(w, s->kind, name, uri, s))
            return w;
        tail = &w->next;
    }
    w = want_new(m, s->kind);
    w->name = name;
    w->uri = uri;
    w->any_uri = any_uri;
    w->is_glob = glob_is(name) && !s->literal && s->kind != WANT_NTH;
    w->nth = s->nth;
    w->at = s->at;
    w->parent = parent;
    *tail = w;
    return w;
}

static bool rows_allow(struct resolver *r, const struct expr *e)
{
    const struct step *s = e->steps;
    struct str what = STR("a path"), why;

    if (!r->map->format->rows)
        return true;
    if (!e->absolute && !s->next && !s->filter && s->kind != WANT_ATTRIBUTE)
        return true;
    why = arena_fmt(&r->map->arena,
                    "in %s a name is a column; write [Header text] for one "
                    "with unusual characters",
                    r->map->format->name);
    DIAG(r->diags, NOT_HERE, e->at, what, why);
    return false;
}

/* Wants of all steps; the last one's text is needed. */
static bool resolve_steps(struct resolver *r, struct want *from,
                          struct step *steps, bool needs_text)
{
    struct want *w = from;

    for (struct step *s = steps; s; s = s->next) {
        if (s->kind == WANT_SELF) {
            s->want = w;
        } else {
            unsigned before = r->map->plan.n_wants;

            s->want = want_child(r, w, s);
            if (!s->want)
                return false;
            s->want->maybe =
                r->own && (s->want->maybe || s->want->id >= before);
        }
        if (s->filter) {
            struct want *outer = r->ctx;
            bool ok;

            r->ctx = s->want;
            ok = resolve_expr(r, s->filter);
            r->ctx = outer;
            if (!ok)
                return false;
        }
        w = s->want;
        if (!s->next && needs_text)
            w->needs_text = true;
    }
    return true;
}

/*
 * sum(price where @currency = "EUR"): a name in a `where` is one of the chosen
 * element itself, or if that has none, one beside it.
 */
static bool resolve_own(struct resolver *r, struct expr *e)
{
    struct step **tail = &e->own;

    for (const struct step *s = e->steps; s; s = s->next)
        if (s->filter)
            return true;
    for (const struct step *s = e->steps; s; s = s->next) {
        *tail = arena_alloc(&r->map->arena, sizeof(**tail));
        **tail = *s;
        (*tail)->next = NULL;
        tail = &(*tail)->next;
    }
    return resolve_steps(r, r->own, e->own, true);
}

bool resolve_source(struct resolver *r, struct expr *e)
{
    struct want *from = r->ctx;

    if (!rows_allow(r, e))
        return false;
    if (e->anywhere) {
        DIAG(r->diags, NOT_HERE, e->at, STR("//"),
             STR("only \"record\" looks anywhere"));
        return false;
    }
    if (e->absolute) {
        if (!r->map->plan.root)
            r->map->plan.root = want_new(r->map, WANT_ELEMENT);
        from = r->map->plan.root;
    }
    if (!resolve_steps(r, from, e->steps, true))
        return false;
    e->kind = E_SOURCE;
    return !r->own || e->absolute || resolve_own(r, e);
}

/* How many leading element steps two paths share, last steps not counted. */
static int shared_steps(const struct step *a, const struct step *b)
{
    int n = 0;

    for (; a && b && a->next && b->next && a->kind == WANT_ELEMENT &&
           b->kind == WANT_ELEMENT && !a->filter && !b->filter &&
           str_eq(a->name, b->name);
         a = a->next, b = b->next)
        n++;
    return n;
}

static void common_prefix(const struct expr *e, const struct step **first,
                          int *n)
{
    if (e->kind == E_PATH && !e->absolute) {
        int len = 0;

        if (!*first) {
            *first = e->steps;
            for (const struct step *s = e->steps; s->next; s = s->next)
                len++;
            *n = len;
        } else {
            len = shared_steps(*first, e->steps);
            if (len < *n)
                *n = len;
        }
    }
    for (const struct expr *x = e->args; x; x = x->next)
        common_prefix(x, first, n);
}

static void strip_prefix(struct expr *e, int n)
{
    if (e->kind == E_PATH && !e->absolute)
        for (int i = 0; i < n; i++)
            e->steps = e->steps->next;
    for (struct expr *x = e->args; x; x = x->next)
        strip_prefix(x, n);
}

/*
 * sum(Items/Item/Qty * Items/Item/Price) walks Items/Item and computes for
 * each; what all paths of the argument share is the driver.
 */
static bool resolve_driver(struct resolver *r, struct expr *x)
{
    const struct step *first = NULL;
    struct step **tail = &x->driver_steps;
    struct want *outer = r->ctx;
    int n = 0;
    bool ok;

    common_prefix(x, &first, &n);
    if (n == 0)
        return resolve_expr(r, x);
    for (int i = 0; i < n; i++, first = first->next) {
        *tail = arena_alloc(&r->map->arena, sizeof(**tail));
        **tail = *first;
        (*tail)->next = NULL;
        tail = &(*tail)->next;
    }
    strip_prefix(x, n);
    if (!resolve_steps(r, outer, x->driver_steps, false))
        return false;
    for (const struct step *s = x->driver_steps; s; s = s->next)
        r->ctx = s->want;
    ok = resolve_expr(r, x);
    r->ctx = outer;
    return ok;
}

/* Where an argument's values stand: the want above them. NULL: no path. */
static struct want *place_of(const struct resolver *r, const struct expr *x,
                             struct want **own)
{
    struct want *ctx = x->absolute ? r->map->plan.root : r->ctx;

    *own = NULL;
    if (x->kind == E_SOURCE) {
        for (const struct step *s = x->steps; s; s = s->next) {
            if (!s->next)
                *own = s->want;
            else
                ctx = s->want;
        }
        return ctx;
    }
    for (const struct step *s = x->driver_steps; s; s = s->next)
        ctx = s->want;
    return x->driver_steps ? ctx : NULL;
}

/* `where` looks at the value and beside it: same row, same parent element. */
static bool resolve_where(struct resolver *r, struct expr *call)
{
    struct want *outer = r->ctx, *beside = NULL, *own = NULL;
    bool ok;

    for (const struct expr *x = call->args; x && !r->map->format->rows;
         x = x->next) {
        struct want *x_own, *at = place_of(r, x, &x_own);

        if (at && beside && at != beside) {
            DIAG(r->diags, NOT_HERE, call->where->at, STR("where"),
                 STR("the values stand in different elements; give each its "
                     "own function"));
            return false;
        }
        own = beside ? NULL : x_own;
        beside = at ? at : beside;
    }
    r->ctx = beside ? beside : outer;
    r->own = own;
    ok = resolve_expr(r, call->where);
    r->ctx = outer;
    r->own = NULL;
    return ok;
}

bool resolve_read_call(struct resolver *r, struct expr *call)
{
    bool ok = true;

    if (call->func->flags & FN_MEMBER) {
        DIAG(r->diags, NOT_HERE, call->at, str_of(call->func->name),
             STR("it belongs into an each of a write map"));
        return false;
    }
    for (struct expr *x = call->args; x; x = x->next) {
        if (x->kind == E_PATH || r->map->format->rows)
            ok = resolve_expr(r, x) && ok;
        else
            ok = resolve_driver(r, x) && ok;
    }
    if (ok && call->where)
        ok = resolve_where(r, call);
    return ok;
}
