/* compile_write.c - the body of a write map becomes a tree of nodes. */
#include "converters/lang/compile.h"
#include "converters/lang/func.h"

#include <stdlib.h>

struct writing {
    struct loader *ld;
    struct resolver r;
    bool in_row, saw_row;
    size_t cap_cells;
};

static struct node *compile_lines(struct writing *c, struct node *parent,
                                  const struct oline *l);

static struct node *new_node(struct writing *c, enum node_kind kind,
                             struct node *parent, struct place at)
{
    struct node *n = arena_alloc(&c->ld->map->arena, sizeof(*n));

    n->kind = kind;
    n->parent = parent;
    n->at = at;
    n->list = n->slot = n->key_field = -1;
    return n;
}

static void no_block(struct writing *c, const struct oline *l)
{
    outline_no_block(l, c->ld->diags);
}

/* ---- values ------------------------------------------------------------- */

static const struct field_spec *key_in(struct writing *c, const struct expr *e);

/* Functions whose result is a value, or a part of a value, that they take. */
static const struct field_spec *key_of_call(struct writing *c,
                                            const struct expr *e)
{
    static const char *const parts[] = { "first", "last",   "trim",  "squeeze",
                                         "upper", "lower",  "left",  "right",
                                         "mid",   "before", "after", "piece" };
    const struct field_spec *f = NULL;
    size_t i = 0;

    if (strcmp(e->func->name, "if") == 0) {
        for (const struct expr *x = e->args->next; x && !f; x = x->next)
            f = key_in(c, x);
        return f;
    }
    while (i < COUNT(parts) && strcmp(e->func->name, parts[i]) != 0)
        i++;
    if (i == COUNT(parts))
        return NULL;
    for (const struct expr *x = e->args; x && !f; x = x->next)
        f = key_in(c, x);
    return f;
}

/* The key that a value is. One that is joined with other texts is a text. */
static const struct field_spec *key_in(struct writing *c, const struct expr *e)
{
    const struct field_spec *f;

    switch (e->kind) {
    case E_FIELD:
        f = shape_spec(e->shape, e->index);
        return f && f->key ? f : NULL;
    case E_NAME:
        for (const struct name *n = c->r.names; n; n = n->outer)
            if (n->slot == e->index)
                return n->key;
        return NULL;
    case E_CALL:
        return key_of_call(c, e);
    default:
        return NULL;
    }
}

/* Does this rule write a key as it is? Then its characters are sacred. */
static void mark_key(struct writing *c, struct node *n)
{
    const struct field_spec *f = key_in(c, n->rule->e);

    if (!f)
        return;
    n->is_key = true;
    for (const struct clause *k = n->rule->clauses; k; k = k->next) {
        if (k->kind == C_CUT || k->kind == C_CUT_BYTES)
            DIAG(c->ld->diags, CUT_KEY, k->at, str_of(f->name));
        if (k->kind == C_VIA)
            n->is_key = false;
    }
}

/*
 * Most values of most maps are fields as they stand, or fixed texts, cut at
 * most: written without being evaluated (write_run.c).
 */
static bool rule_is_direct(const struct map *m, const struct rule *rule)
{
    const struct expr *e = rule->e;
    enum field_type type = FT_TEXT;

    for (const struct clause *c = rule->clauses; c; c = c->next)
        if (c->kind != C_CUT && c->kind != C_MAX)
            return false;
    if (rule->when)
        return false;
    if (e->kind == E_CONST)
        return e->value.kind == V_TEXT || e->value.kind == V_EMPTY;
    if (e->kind == E_SETTING)
        return true;
    if (e->kind != E_FIELD || e->index >= e->shape->n_fixed)
        return false;
    type = shape_type(e->shape, e->index);
    if (type == FT_DECIMAL || type == FT_PERCENT)
        return m->num.point != ',' && !m->num.thousands.len;
    return type == FT_TEXT || type == FT_CHOICE;
}

static bool compile_value(struct writing *c, struct node *n, struct parser *p)
{
    n->rule = parse_rule(p);
    if (!n->rule || !resolve_rule(&c->r, n->rule))
        return false;
    n->keep = n->rule->keep;
    n->rule->direct = rule_is_direct(c->ld->map, n->rule);
    mark_key(c, n);
    return true;
}

static struct node *compile_name(struct writing *c, struct node *parent,
                                 const struct oline *l, struct parser *p)
{
    struct node *n = new_node(c, N_NAME, parent, oline_whole(l));
    struct str name;

    p->p++;
    name = parse_name(p);
    parse_blanks(p);
    if (!name.len || p->p == p->end || *p->p != '=')
        return parse_fail(p, p->p, "$name = expression is expected here");
    p->p++;
    no_block(c, l);
    if (!compile_value(c, n, p))
        return NULL;
    n->slot = resolve_declare(&c->r, name, n->at);
    if (n->slot < 0)
        return NULL;
    if (n->is_key)
        c->r.names->key = key_in(c, n->rule->e);
    return n;
}

/* ---- XML: elements, attributes, text ------------------------------------ */

static struct node *element_around(struct node *n)
{
    while (n && n->kind != N_ELEMENT)
        n = n->parent;
    return n;
}

static uint32_t element_depth(struct node *n)
{
    uint32_t d = 0;

    for (n = element_around(n); n; n = element_around(n->parent))
        d++;
    return d;
}

static void check_prefix(struct writing *c, struct str name, struct place at)
{
    ptrdiff_t colon = str_find_char(name, ':');
    const struct map *m = c->ld->map;

    if (colon < 0)
        return;
    name = str_first(name, (size_t)colon);
    if (str_is(name, "xml"))
        return;
    for (size_t i = 0; i < m->n_ns; i++)
        if (str_eq(m->ns[i].prefix, name))
            return;
    DIAG(c->ld->diags, UNKNOWN_PREFIX, at, name);
}

static struct node *new_element(struct writing *c, struct node *parent,
                                struct str name, struct place at)
{
    struct node *n = new_node(c, N_ELEMENT, parent, at);

    n->part = (struct part){ .kind = PART_ELEMENT,
                             .name = name,
                             .depth = element_depth(parent) };
    check_prefix(c, name, at);
    return n;
}

static struct node *compile_attribute(struct writing *c, struct node *parent,
                                      const struct oline *l, struct parser *p)
{
    struct node *n, *element = element_around(parent);
    const char *from = p->p++;
    struct str name = parse_name(p);
    struct place at = parse_place(p, from, p->p);

    n = new_node(c, N_ATTRIBUTE, parent, oline_whole(l));
    n->part = (struct part){ .kind = PART_ATTRIBUTE, .name = name };
    parse_blanks(p);
    if (!name.len || p->p == p->end || *p->p != '=')
        return parse_fail(p, p->p, "@name = expression is expected here");
    p->p++;
    if (!element) {
        DIAG(c->ld->diags, NOT_HERE, at, STR("an attribute"),
             STR("it belongs into an element's block"));
        return NULL;
    }
    check_prefix(c, name, at);
    no_block(c, l);
    return compile_value(c, n, p) ? n : NULL;
}

static struct node *compile_text(struct writing *c, struct node *parent,
                                 const struct oline *l, struct parser *p)
{
    struct node *n = new_node(c, N_TEXT, parent, oline_whole(l));
    const struct node *element = element_around(parent);

    p->p++;
    parse_blanks(p);
    if (p->p == p->end || *p->p != '=')
        return parse_fail(p, p->p, ". = expression is expected here");
    p->p++;
    if (!element) {
        DIAG(c->ld->diags, NOT_HERE, oline_whole(l), STR("text"),
             STR("it belongs into an element's block"));
        return NULL;
    }
    no_block(c, l);
    n->part = element->part;
    return compile_value(c, n, p) ? n : NULL;
}

/* `keep` and `when EXPR` behind an element that opens a block. */
static bool element_clauses(struct writing *c, struct node *n, struct parser *p)
{
    while (!parse_at_end(p)) {
        if (parse_word(p, "keep")) {
            n->keep = true;
        } else if (parse_word(p, "when")) {
            n->cond = parse_expr(p);
            if (!n->cond || !resolve_expr(&c->r, n->cond))
                return false;
        } else {
            return parse_end(p);
        }
    }
    return true;
}

/* name, a/b/name: each on its own line opens its elements for that line. */
static struct node *compile_element(struct writing *c, struct node *parent,
                                    const struct oline *l, struct parser *p)
{
    struct node *first = NULL, *n = NULL;
    struct node *up = parent;

    for (;;) {
        const char *from = p->p;
        struct str name = parse_name(p);

        if (!name.len || (name.p[0] >= '0' && name.p[0] <= '9') ||
            str_find_char(name, '*') >= 0)
            return parse_fail(p, from, "an element's name is expected here");
        n = new_element(c, up, name, parse_place(p, from, p->p));
        if (first)
            up->child = n;
        else
            first = n;
        up = n;
        if (p->p == p->end || *p->p != '/')
            break;
        p->p++;
    }
    parse_blanks(p);
    n->at = first->at = oline_whole(l);
    if (p->p < p->end && *p->p == '=') {
        p->p++;
        if (!compile_value(c, n, p))
            return NULL;
    } else {
        if (!element_clauses(c, n, p))
            return NULL;
        if (!l->child && !n->keep)
            DIAG0(c->ld->diags, EMPTY_BLOCK, oline_whole(l));
    }
    if (first != n && n->keep)
        for (struct node *x = first; x != n; x = x->child)
            x->keep = true;
    n->child = compile_lines(c, n, l->child);
    return first;
}

/* ---- CSV: row and cells ------------------------------------------------- */

static struct node *compile_cell(struct writing *c, struct node *parent,
                                 const struct oline *l, struct parser *p)
{
    struct map *m = c->ld->map;
    struct node *n = new_node(c, N_CELL, parent, oline_whole(l));
    const char *from = p->p;
    struct str name;

    if (p->p < p->end && *p->p == '[') {
        while (p->p < p->end && *p->p != ']')
            p->p++;
        name = (struct str){ from + 1, (size_t)(p->p - from - 1) };
        if (name.len > 1 && name.p[0] == '"' && name.p[name.len - 1] == '"')
            name = str_first(str_from(name, 1), name.len - 2);
        if (p->p < p->end)
            p->p++;
    } else {
        name = parse_name(p);
    }
    parse_blanks(p);
    if (!name.len || p->p == p->end || *p->p != '=')
        return statement_fail(p, name, "column = expression is expected here");
    p->p++;
    no_block(c, l);
    for (size_t i = 0; i < m->n_cells; i++)
        if (str_eq(m->cells[i]->name, name) && !c->saw_row)
            DIAG(c->ld->diags, NAME_TWICE, parse_place(p, from, p->p), name);
    n->part = (struct part){ .kind = PART_CELL, .name = name };
    if (!compile_value(c, n, p))
        return NULL;
    if (n->rule->when)
        n->keep = true; /* a column always has its place */
    if (!c->saw_row) {
        if (m->n_cells == c->cap_cells) {
            struct part **wider;

            c->cap_cells = c->cap_cells ? 2 * c->cap_cells : 64;
            wider = arena_alloc(&m->arena, c->cap_cells * sizeof(*wider));
            if (m->n_cells)
                memcpy(wider, m->cells, m->n_cells * sizeof(*wider));
            m->cells = wider;
        }
        m->cells[m->n_cells++] = &n->part;
    }
    return n;
}

static struct node *compile_row(struct writing *c, struct node *parent,
                                const struct oline *l, struct parser *p)
{
    struct node *n = new_node(c, N_ROW, parent, oline_whole(l));

    if (c->in_row) {
        DIAG(c->ld->diags, NOT_HERE, n->at, STR("row"),
             STR("rows do not nest"));
        return NULL;
    }
    n->part.kind = PART_ROW;
    if (!element_clauses(c, n, p))
        return NULL;
    if (!l->child)
        DIAG0(c->ld->diags, EMPTY_BLOCK, oline_whole(l));
    c->in_row = true;
    n->child = compile_lines(c, n, l->child);
    c->in_row = false;
    c->saw_row = true; /* the first row's columns are the header */
    return n;
}

/* ---- each, when, use ---------------------------------------------------- */

static bool push_scope(struct writing *c, struct node *n, struct shape *shape,
                       int list)
{
    struct resolver *r = &c->r;

    if (r->n_scopes == MAX_SCOPES) {
        DIAG(c->ld->diags, NOT_HERE, n->at, STR("each"),
             STR("blocks are nested too deep"));
        return false;
    }
    n->depth = r->n_scopes;
    n->list = list;
    r->scopes[r->n_scopes++] = (struct scope){ .shape = shape, .list = list };
    c->ld->map->scopes[n->depth] = shape;
    return true;
}

static void unknown_list(struct writing *c, struct place at, struct str name)
{
    const char *names[MAX_LISTS + 1];
    const struct resolver *r = &c->r;
    size_t n = 0;

    for (int d = r->n_scopes - 2; d >= 0; d--)
        if (shape_list(r->scopes[d].shape, name) >= 0) {
            DIAG(c->ld->diags, UNKNOWN_LIST, at,
                 str_of(r->scopes[r->n_scopes - 1].shape->level->name), name,
                 arena_fmt(&c->ld->map->arena,
                           "; %s has: it cannot stand inside this each",
                           r->scopes[d].shape->level->name));
            return;
        }
    if (r->n_scopes) {
        const struct shape *s = r->scopes[r->n_scopes - 1].shape;

        for (int i = 0; i < s->n_lists; i++)
            names[n++] = s->lists[i]->level->name;
    }
    if (!r->n_scopes)
        names[n++] = c->ld->map->document->name;
    DIAG(c->ld->diags, UNKNOWN_LIST, at,
         str_of(r->n_scopes ? r->scopes[r->n_scopes - 1].shape->level->name
                            : "the file"),
         name, did_you_mean(&c->ld->map->arena, name, names, n));
}

/* Opens the scope that `each NAME` speaks of. */
static bool each_scope(struct writing *c, struct node *n, struct parser *p)
{
    struct resolver *r = &c->r;
    const char *from;
    struct str name;

    parse_blanks(p);
    from = p->p;
    name = parse_name(p);
    if (!r->n_scopes && str_is(name, c->ld->map->document->name)) {
        n->kind = N_EACH_DOC;
        return push_scope(c, n, c->ld->map->shape, -1);
    }
    if (r->n_scopes) {
        struct shape *around = r->scopes[r->n_scopes - 1].shape;
        int list = shape_list(around, name);

        if (list >= 0)
            return push_scope(c, n, around->lists[list], list);
    }
    unknown_list(c, parse_place(p, from, p->p), name);
    return false;
}

static struct node *compile_each(struct writing *c, struct node *parent,
                                 const struct oline *l, struct parser *p)
{
    struct node *n = new_node(c, N_EACH_LIST, parent, oline_whole(l));
    struct name *names = c->r.names;
    struct str prefix = c->r.prefix;
    bool has_prefix = c->r.has_prefix;
    int outer = c->r.n_scopes;

    if (c->in_row) {
        DIAG(c->ld->diags, NOT_HERE, n->at, STR("each"),
             STR("a row has a fixed number of columns"));
        return NULL;
    }
    if (!each_scope(c, n, p))
        return NULL;
    c->r.has_prefix = false;
    if (parse_word(p, "where")) {
        n->cond = parse_expr(p);
        if (n->cond && resolve_expr(&c->r, n->cond))
            c->r.scopes[outer].where = n->cond;
    }
    (void)parse_end(p);
    if (!l->child)
        DIAG0(c->ld->diags, EMPTY_BLOCK, oline_whole(l));
    n->child = compile_lines(c, n, l->child);
    c->r.n_scopes = outer;
    c->r.names = names;
    c->r.prefix = prefix;
    c->r.has_prefix = has_prefix;
    if (n->kind == N_EACH_DOC)
        for (struct node *x = n; x; x = x->parent)
            x->has_doc_inside = true;
    return n;
}

static struct node *compile_when(struct writing *c, struct node *parent,
                                 const struct oline *l, struct parser *p)
{
    struct node *n = new_node(c, N_WHEN, parent, oline_whole(l));
    struct name *names = c->r.names;

    n->cond = parse_expr(p);
    if (!l->child)
        DIAG0(c->ld->diags, EMPTY_BLOCK, oline_whole(l));
    if (!n->cond || !parse_end(p) || !resolve_expr(&c->r, n->cond))
        return NULL;
    n->child = compile_lines(c, n, l->child);
    c->r.names = names;
    return n;
}

/* A part's lines, compiled anew where it is used: names differ by prefix. */
static struct node *compile_use(struct writing *c, struct node *parent,
                                struct parser *p)
{
    struct str prefix = c->r.prefix, name;
    bool has_prefix = c->r.has_prefix;
    struct name *names = c->r.names;
    struct part_def *d;
    struct node *first;
    const char *from;

    parse_blanks(p);
    from = p->p;
    name = parse_name(p);
    if (!name.len)
        return parse_fail(p, from, "\"use\" is followed by a part's name");
    d = find_part(c->ld, p, from, name);
    if (!d)
        return NULL;
    if (parse_word(p, "with")) {
        parse_blanks(p);
        c->r.prefix = parse_name(p);
        c->r.has_prefix = c->r.prefix.len > 0;
    }
    if (!parse_end(p))
        return NULL;
    d->used = d->open = true;
    first = compile_lines(c, parent, d->line->child);
    d->open = false;
    c->r.names = names;
    c->r.prefix = prefix;
    c->r.has_prefix = has_prefix;
    return first;
}

/* ---- lines -------------------------------------------------------------- */

static struct node *compile_line(struct writing *c, struct node *parent,
                                 const struct oline *l)
{
    bool rows = c->ld->map->format->rows;
    struct parser p;

    parser_init(&p, c->ld->map, l, l->text, c->ld->diags);
    if (l->text.p[0] == '$')
        return compile_name(c, parent, l, &p);
    if (is_statement_line(l->text, "each") && parse_word(&p, "each"))
        return compile_each(c, parent, l, &p);
    if (is_statement_line(l->text, "when") && parse_word(&p, "when"))
        return compile_when(c, parent, l, &p);
    if (is_statement_line(l->text, "use") && parse_word(&p, "use"))
        return compile_use(c, parent, &p);
    if (str_starts(l->text, STR("> ")) || str_is(l->text, ">")) {
        DIAG(c->ld->diags, NOT_HERE, oline_whole(l), STR("a template line"),
             STR("templates belong to text and edifact maps"));
        return NULL;
    }
    if (rows && is_statement_line(l->text, "row") && parse_word(&p, "row"))
        return compile_row(c, parent, l, &p);
    if (rows && c->in_row)
        return compile_cell(c, parent, l, &p);
    if (rows) {
        struct str near = near_statement(&p, parse_name(&p));

        DIAG(c->ld->diags, NOT_HERE, oline_whole(l), STR("this line"),
             arena_fmt(&c->ld->map->arena,
                       "columns stand in the block of a \"row\"%.*s",
                       STR_ARGS(near)));
        return NULL;
    }
    if (l->text.p[0] == '@')
        return compile_attribute(c, parent, l, &p);
    if (l->text.p[0] == '.')
        return compile_text(c, parent, l, &p);
    return compile_element(c, parent, l, &p);
}

static struct node *compile_lines(struct writing *c, struct node *parent,
                                  const struct oline *l)
{
    struct node *first = NULL, **tail = &first;
    struct name *names = c->r.names;

    for (; l; l = l->next) {
        *tail = compile_line(c, parent, l);
        while (*tail)
            tail = &(*tail)->next;
    }
    c->r.names = names; /* a $name lives to the end of its block */
    return first;
}

/* ---- what only the whole tree shows ------------------------------------- */

/* Of attributes with conditions one may be meant. */
static void check_twice(struct writing *c, const struct node *n)
{
    for (const struct node *x = n->next; x; x = x->next)
        if (x->kind == N_ATTRIBUTE && !x->rule->when && !n->rule->when &&
            str_eq(x->part.name, n->part.name))
            DIAG(c->ld->diags, NAME_TWICE, x->at, x->part.name);
}

/* An attribute must come before what makes its element's content. */
static void check_attributes(struct writing *c, const struct node *n,
                             bool *content)
{
    for (; n; n = n->next) {
        bool inner = false;

        switch (n->kind) {
        case N_ATTRIBUTE:
            check_twice(c, n);
            if (*content)
                DIAG(c->ld->diags, ATTRIBUTE_LATE, n->at, n->part.name);
            break;
        case N_TEXT:
            *content = true;
            break;
        case N_ELEMENT:
            check_attributes(c, n->child, &inner);
            *content = true;
            break;
        default:
            check_attributes(c, n->child, content);
            break;
        }
    }
}

/* Does the element of these nodes get another attribute of x's name? Below an
 * each, x itself is another one. */
static bool may_repeat(const struct node *n, const struct node *x, bool in_each)
{
    for (; n; n = n->next) {
        bool each = in_each || n->kind == N_EACH_LIST || n->kind == N_EACH_DOC;

        if (n->kind == N_ATTRIBUTE && (n != x || in_each) &&
            str_eq(n->part.name, x->part.name))
            return true;
        if (n->kind != N_ELEMENT && may_repeat(n->child, x, each))
            return true;
    }
    return false;
}

/* first: of what stands in the element around n. */
static void mark_repeated(struct node *n, const struct node *first)
{
    for (; n; n = n->next) {
        if (n->kind == N_ATTRIBUTE)
            n->part.may_repeat = may_repeat(first, n, false);
        mark_repeated(n->child, n->kind == N_ELEMENT ? n->child : first);
    }
}

/* How many outermost elements the nodes would write into one file. */
static void check_roots(struct writing *c, const struct node *n, bool repeated,
                        int *roots)
{
    const struct map *m = c->ld->map;

    for (; n; n = n->next) {
        if (n->kind == N_ELEMENT) {
            if (++*roots > 1)
                DIAG(c->ld->diags, ONE_ROOT, n->at,
                     STR("this would be a second one"));
            else if (repeated)
                DIAG(c->ld->diags, ONE_ROOT, n->at,
                     arena_fmt(&c->ld->map->arena,
                               "this one would be written again and again: "
                               "put its \"each\" inside it, or make one file "
                               "per %s",
                               m->document->name));
        } else if (n->kind == N_EACH_DOC) {
            check_roots(c, n->child, m->per_n != 1, roots);
        } else if (n->kind == N_EACH_LIST) {
            check_roots(c, n->child, true, roots);
        } else if (n->kind == N_WHEN) {
            int inner = *roots;

            check_roots(c, n->child, repeated, &inner);
        }
    }
}

static void prepare_part(struct writing *c, struct node *n)
{
    struct map *m = c->ld->map;

    if (m->format->write->prepare(&m->arena, &n->part, &m->plan_out) == 0)
        return;
    DIAG(c->ld->diags, SYNTAX, n->at,
         arena_fmt(&m->arena, "\"%.*s\" cannot be a name in %s (charset %s)",
                   STR_ARGS(n->part.name), m->format->name, m->charset->name));
}

static void prepare_parts(struct writing *c, struct node *n)
{
    for (; n; n = n->next) {
        if (n->kind == N_ELEMENT || n->kind == N_ATTRIBUTE ||
            n->kind == N_CELL || n->kind == N_ROW)
            prepare_part(c, n);
        prepare_parts(c, n->child);
    }
}

static bool names_document(const struct oline *l, const struct level *doc)
{
    for (; l; l = l->next) {
        struct str rest = str_trim(str_from(l->text, 4));

        if (is_statement_line(l->text, "each") &&
            str_starts(rest, str_of(doc->name)) &&
            (rest.len == strlen(doc->name) || rest.p[strlen(doc->name)] == ' '))
            return true;
        if (names_document(l->child, doc))
            return true;
    }
    return false;
}

/* Without `each order` the whole body stands for one document. */
static struct node *implied_each(struct writing *c, const struct body *b)
{
    struct node *n;

    for (size_t i = 0; i < b->n; i++) {
        struct oline one = *b->lines[i];

        one.next = NULL;
        if (names_document(&one, c->ld->map->document))
            return NULL;
    }
    n = new_node(c, N_EACH_DOC, NULL, oline_whole(b->lines[0]));
    n->has_doc_inside = true;
    (void)push_scope(c, n, c->ld->map->shape, -1);
    return n;
}

/* They are computed once for the run, so there may be one file only. */
static void check_aggregates(struct writing *c)
{
    const struct map *m = c->ld->map;

    for (int i = 0; i < m->n_aggregates && (m->per || m->per_n); i++)
        DIAG(c->ld->diags, NOT_HERE, m->aggregates[i]->at,
             arena_fmt(&c->ld->map->arena, "%s over all documents",
                       m->aggregates[i]->func->name),
             STR("it would count those of every file; leave out \"one file "
                 "per\""));
}

void compile_write(struct loader *ld, const struct body *b)
{
    struct map *m = ld->map;
    struct writing c = { .ld = ld };
    struct node *each, **tail;
    bool content = false;
    int roots = 0;

    resolver_init(&c.r, m, ld->diags);
    each = implied_each(&c, b);
    m->root = each;
    tail = each ? &each->child : &m->root;
    for (size_t i = 0; i < b->n; i++) {
        *tail = compile_line(&c, each, b->lines[i]);
        while (*tail)
            tail = &(*tail)->next;
    }
    m->plan_out = (struct write_plan){
        .cs = m->charset,
        .opts = m->opts,
        .newline = m->newline,
        .ns = m->ns,
        .n_ns = m->n_ns,
        .cells = (const struct part *const *)m->cells,
        .n_cells = m->n_cells,
    };
    check_aggregates(&c);
    check_attributes(&c, m->root, &content);
    mark_repeated(m->root, m->root);
    if (!m->format->rows)
        check_roots(&c, m->root, false, &roots);
    if (m->charset)
        prepare_parts(&c, m->root);
}
