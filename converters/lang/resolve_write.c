/*
 * resolve_write.c - names of a write map: fields of the documents in scope.
 *
 * Names are looked up inside out: a line's `name` before the order's;
 * `order.name` says which. In a part that is used "with billing", `city` is
 * first looked up as billing.city.
 */
#include "converters/lang/resolve.h"

#include "converters/base/text.h"
#include "converters/lang/func.h"

/* Field `name` of the scope at `depth`; makes x.* fields. */
static bool find_in(struct resolver *r, struct expr *e, int depth,
                    struct str name)
{
    int i = shape_field(r->scopes[depth].shape, name, true);

    if (i < 0)
        return false;
    e->kind = E_FIELD;
    e->depth = depth;
    e->index = i;
    e->shape = r->scopes[depth].shape;
    r->scopes[depth].shape->named[i] = true;
    return true;
}

static bool find_prefixed(struct resolver *r, struct expr *e, struct str name)
{
    struct str full;

    if (!r->has_prefix)
        return false;
    full = arena_fmt(&r->map->arena, "%.*s.%.*s", STR_ARGS(r->prefix),
                     STR_ARGS(name));
    for (int d = r->n_scopes - 1; d >= 0; d--)
        if (find_in(r, e, d, full))
            return true;
    return false;
}

/* "order.currency", "line.index": the first part names a scope. */
static bool find_qualified(struct resolver *r, struct expr *e, struct str name)
{
    ptrdiff_t dot = str_find_char(name, '.');
    struct str first = str_first(name, dot < 0 ? 0 : (size_t)dot);
    struct str rest = str_from(name, (size_t)(dot + 1));

    if (dot <= 0 || !first.p)
        return false;
    for (int d = r->n_scopes - 1; d >= 0; d--) {
        if (!str_is(first, r->scopes[d].shape->level->name))
            continue;
        if (str_is(rest, "index")) {
            e->kind = E_INDEX;
            e->depth = d;
            return true;
        }
        if (find_in(r, e, d, rest)) {
            e->bracket = true;
            return true;
        }
    }
    return false;
}

bool names_field(const struct resolver *r, struct str name)
{
    ptrdiff_t dot = str_find_char(name, '.');

    for (int d = r->n_scopes - 1; d >= 0; d--) {
        struct shape *s = r->scopes[d].shape;

        if (shape_field(s, name, false) >= 0)
            return true;
        if (dot > 0 && str_is(str_first(name, (size_t)dot), s->level->name))
            return true;
    }
    return false;
}

/* "; it is one of line: ..." when a list in scope has the field. */
static struct str list_that_has(struct resolver *r, struct str name)
{
    ptrdiff_t dot = str_find_char(name, '.');

    for (int d = r->n_scopes - 1; d >= 0; d--) {
        const struct shape *s = r->scopes[d].shape;

        for (int i = 0; i < s->n_lists; i++) {
            const char *list = s->lists[i]->level->name;
            struct str field = name;

            if (dot > 0 && str_is(str_first(name, (size_t)dot), list))
                field = str_from(name, (size_t)dot + 1); /* line.sku */
            if (shape_field(s->lists[i], field, false) >= 0)
                return arena_fmt(&r->map->arena,
                                 "; it is one of %s: use it inside \"each "
                                 "%s\"",
                                 list, list);
        }
    }
    return STR("");
}

/* "order.nam", "line.total.gros": the nearest of what the first part has. */
static struct str near_qualified(struct resolver *r, struct str name)
{
    ptrdiff_t dot = str_find_char(name, '.');
    const struct level *level = NULL;
    const char *names[256], *near;
    struct str first;
    size_t n = 0;

    if (dot <= 0)
        return STR("");
    first = str_first(name, (size_t)dot);
    for (int d = 0; d < r->n_scopes; d++) {
        const struct shape *s = r->scopes[d].shape;
        int list = shape_list(s, first);

        if (str_is(first, s->level->name))
            level = s->level;
        else if (list >= 0)
            level = s->lists[list]->level;
    }
    for (int i = 0; level && level->fields[i].name && n < COUNT(names); i++)
        names[n++] = level->fields[i].name;
    near = nearest(str_from(name, (size_t)dot + 1), names, n);
    return near ? arena_fmt(&r->map->arena, "; did you mean %.*s.%s?",
                            STR_ARGS(first), near)
                : STR("");
}

/* In a part that is used "with billing": what billing. has like it. */
static struct str near_prefixed(struct resolver *r, struct str name)
{
    const char *names[256], *near;
    size_t n = 0;

    if (!r->has_prefix)
        return STR("");
    for (int d = 0; d < r->n_scopes; d++) {
        const struct field_spec *f = r->scopes[d].shape->level->fields;

        for (; f->name && n < COUNT(names); f++)
            if (str_starts(str_of(f->name), r->prefix) &&
                f->name[r->prefix.len] == '.')
                names[n++] = f->name + r->prefix.len + 1;
    }
    near = nearest(name, names, n);
    if (near)
        return arena_fmt(&r->map->arena, "; did you mean %s?", near);
    return arena_fmt(&r->map->arena, "; nor is there %.*s.%.*s",
                     STR_ARGS(r->prefix), STR_ARGS(name));
}

/* Fields, lists and other names that may stand here. */
static struct str near_name(struct resolver *r, struct str name)
{
    const char *names[256 + N_METAS];
    size_t n = 0;

    for (int i = 0; i < N_METAS; i++)
        names[n++] = meta_names[i];
    for (int d = r->n_scopes - 1; d >= 0; d--) {
        const struct shape *s = r->scopes[d].shape;
        const struct field_spec *f = s->level->fields;

        for (; f->name && n < COUNT(names) - MAX_LISTS; f++)
            names[n++] = f->name;
        for (int i = 0; i < s->n_lists && n < COUNT(names); i++)
            names[n++] = s->lists[i]->level->name;
    }
    return did_you_mean(&r->map->arena, name, names, n);
}

static void unknown_field(struct resolver *r, const struct expr *e,
                          struct str name)
{
    struct str hint;

    if (r->n_scopes == 0) {
        DIAG(r->diags, UNKNOWN_NAME, e->at, name,
             STR("; fields of a document are known inside its \"each\""));
        return;
    }
    hint = list_that_has(r, name);
    if (!hint.len)
        hint = near_qualified(r, name);
    if (!hint.len)
        hint = near_name(r, name);
    if (!hint.len)
        hint = near_prefixed(r, name);
    DIAG(r->diags, UNKNOWN_FIELD, e->at, name, hint);
}

bool resolve_field(struct resolver *r, struct expr *e)
{
    const struct func *f;
    struct str name;

    if (e->absolute || e->steps->next || e->bracket || e->steps->filter ||
        e->steps->kind != WANT_ELEMENT) {
        DIAG(r->diags, NOT_HERE, e->at, STR("a path"),
             STR("a write map names fields of the document: billing.city"));
        return false;
    }
    name = e->steps->name;
    if (find_prefixed(r, e, name))
        return true;
    for (int d = r->n_scopes - 1; d >= 0; d--)
        if (find_in(r, e, d, name))
            return true;
    if (find_qualified(r, e, name))
        return true;
    f = func_find(name);
    if (f && (f->flags & FN_BARE))
        return false; /* today: see resolve_path() */
    unknown_field(r, e, name);
    return false;
}

/* ---- aggregates --------------------------------------------------------- */

/* The first part of a dotted name. */
static struct str head_of(struct str name)
{
    ptrdiff_t dot = str_find_char(name, '.');

    return str_first(name, dot < 0 ? name.len : (size_t)dot);
}

/* count(order), sum(order.total.gross) look over all documents, wherever they
 * stand; first(order.date) is the current one's. */
static bool looks_over_all(const struct resolver *r, const struct func *f)
{
    if (r->one_document)
        return false;
    return r->n_scopes == 0 || strcmp(f->name, "count") == 0 ||
           strcmp(f->name, "sum") == 0;
}

/* Which list, or all documents, does this name speak of? */
static bool names_driver(const struct resolver *r, const struct expr *e,
                         const struct func *f, struct driver *out)
{
    struct str head;

    if (e->kind != E_PATH || e->absolute || e->bracket ||
        e->steps->kind != WANT_ELEMENT)
        return false;
    head = head_of(e->steps->name);
    if (looks_over_all(r, f) && str_is(head, r->map->document->name)) {
        *out = (struct driver){ .is_on = true, .depth = -1, .list = -1 };
        return true;
    }
    for (int d = r->n_scopes - 1; d >= 0; d--) {
        int list;

        /* line.x inside each line is the line's own; count(line) is not. */
        if (str_is(head, r->scopes[d].shape->level->name) &&
            head.len < e->steps->name.len)
            return false;
        list = shape_list(r->scopes[d].shape, head);
        if (list >= 0) {
            *out = (struct driver){ .is_on = true, .depth = d, .list = list };
            return true;
        }
    }
    return false;
}

static bool find_driver(const struct resolver *r, const struct expr *e,
                        const struct func *f, struct driver *out)
{
    if (names_driver(r, e, f, out))
        return true;
    if (e->kind == E_CALL && (e->func->flags & FN_SEVERAL))
        return false; /* it has its own */
    for (const struct expr *x = e->args; x; x = x->next)
        if (find_driver(r, x, f, out))
            return true;
    return false;
}

/* count(line): the list itself. Counts every member that `where` lets pass. */
static void bare_list_to_one(const struct resolver *r, const struct func *f,
                             struct expr *x)
{
    struct driver d;

    if (!names_driver(r, x, f, &d) || x->steps->next ||
        str_find_char(x->steps->name, '.') >= 0)
        return;
    x->kind = E_CONST;
    x->value = (struct val){
        .kind = V_DEC, .has_d = true, .d = { 1, 0 }, .s = STR("1"), .cell = -1
    };
}

/* share(amount, weight): a part of the each that is running. */
static bool resolve_member(struct resolver *r, struct expr *call)
{
    bool ok = true;
    int d = r->n_scopes - 1;

    for (struct expr *x = call->args; x; x = x->next)
        ok = resolve_expr(r, x) && ok;
    if (d < 1) {
        DIAG(r->diags, NOT_HERE, call->at, str_of(call->func->name),
             STR("it belongs into an each over a list"));
        return false;
    }
    call->depth = d;
    call->index = r->scopes[d].list;
    call->where = r->scopes[d].where;
    call->slot = r->map->n_shares++;
    return ok;
}

static bool resolve_args(struct resolver *r, struct expr *call)
{
    bool ok = true;

    for (struct expr *x = call->args; x; x = x->next)
        if (x->kind != E_CONST)
            ok = resolve_expr(r, x) && ok;
    if (call->where)
        ok = resolve_expr(r, call->where) && ok;
    return ok;
}

/* Is the value another one for each member, whose scope is `depth`? */
static bool speaks_of(const struct expr *e, int depth)
{
    if (((e->kind == E_FIELD || e->kind == E_INDEX) && e->depth >= depth) ||
        (e->kind == E_CALL && e->driver.is_on && e->driver.depth >= depth) ||
        (e->where && speaks_of(e->where, depth)))
        return true;
    for (const struct expr *x = e->args; x; x = x->next)
        if (speaks_of(x, depth))
            return true;
    return false;
}

/* Over a list: its members come one level below the scopes that are open. */
static bool resolve_over_list(struct resolver *r, struct expr *call)
{
    const struct driver *d = &call->driver;
    bool ok;

    if (r->n_scopes == MAX_SCOPES) {
        DIAG(r->diags, NOT_HERE, call->at, str_of(call->func->name),
             STR("blocks are nested too deep"));
        return false;
    }
    call->index = r->n_scopes;
    r->scopes[r->n_scopes++] =
        (struct scope){ .shape = r->scopes[d->depth].shape->lists[d->list],
                        .list = d->list };
    ok = resolve_args(r, call);
    r->n_scopes--;
    for (struct expr *x = call->args; x; x = x->next)
        x->once |= x->kind != E_CONST && !speaks_of(x, call->index);
    return ok;
}

/*
 * Over all documents: computed once, before anything is written, so nothing
 * of where it stands can be meant by its names.
 */
static bool resolve_over_all(struct resolver *r, struct expr *call)
{
    struct resolver apart = { .map = r->map, .diags = r->diags };
    struct map *m = r->map;

    if (m->n_aggregates == COUNT(m->aggregates)) {
        DIAG(r->diags, NOT_HERE, call->at, str_of(call->func->name),
             STR("there are too many sums over all documents"));
        return false;
    }
    call->driver.slot = m->n_aggregates++;
    m->aggregates[call->driver.slot] = call;
    m->two_passes = true;
    call->index = 0;
    apart.scopes[0] = (struct scope){ .shape = m->shape, .list = -1 };
    apart.n_scopes = 1;
    apart.one_document = true;
    return resolve_args(&apart, call);
}

bool resolve_write_call(struct resolver *r, struct expr *call)
{
    struct driver d = { 0 };

    if (call->func->flags & FN_MEMBER)
        return resolve_member(r, call);
    for (struct expr *x = call->args; x && !d.is_on; x = x->next)
        (void)find_driver(r, x, call->func, &d);
    if (d.is_on) {
        call->driver = d;
        for (struct expr *x = call->args; x; x = x->next) {
            x->once = x->kind == E_CONST;
            bare_list_to_one(r, call->func, x);
        }
        return d.depth == -1 ? resolve_over_all(r, call)
                             : resolve_over_list(r, call);
    }
    if (call->where) {
        DIAG(r->diags, NOT_HERE, call->where->at, STR("where"),
             STR("there is no list to choose from"));
        return false;
    }
    return resolve_args(r, call);
}
