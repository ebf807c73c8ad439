/* compile_read.c - the body of a read map becomes statements. */
#include "converters/base/text.h"
#include "converters/lang/compile.h"

#include <stdlib.h>

/* A block that is being compiled: one level of the document. */
struct block {
    struct shape *shape;
    struct block *outer;
    struct stmt *last_set[MAX_FIELDS]; /* the line before of each field */
    bool guarded;                      /* inside a `when` */
    bool made_documents;               /* an `each DOCUMENT` stands above */
    struct str prefix;                 /* of `use address with billing` */
};

struct reading {
    struct loader *ld;
    struct resolver r;
};

static struct stmt *compile_lines(struct reading *c, struct block *b,
                                  const struct oline *l);

static struct stmt *new_stmt(struct reading *c, enum stmt_kind kind,
                             const struct oline *l)
{
    struct stmt *s = arena_alloc(&c->ld->map->arena, sizeof(*s));

    s->kind = kind;
    s->at = oline_whole(l);
    s->decided = s->field = s->slot = -1;
    return s;
}

static void no_block(struct reading *c, const struct oline *l)
{
    outline_no_block(l, c->ld->diags);
}

/* ---- field = expression ------------------------------------------------- */

static void unknown_field(struct reading *c, const struct block *b,
                          struct place at, struct str name)
{
    const struct field_spec *f = b->shape->level->fields;
    const char *names[MAX_FIELDS];
    size_t n = 0;

    for (; f[n].name && n < COUNT(names); n++)
        names[n] = f[n].name;
    DIAG(c->ld->diags, UNKNOWN_FIELD, at, name,
         did_you_mean(&c->ld->map->arena, name, names, n));
}

static void check_word(struct reading *c, const struct field_spec *f,
                       struct str word, struct place at)
{
    const char *choices = f->type == FT_BOOL ? "yes|no" : f->choices;

    if (choices && word.len && !choices_has(choices, word))
        DIAG(c->ld->diags, CONSTANT_VALUE, at, word, str_of(f->name),
             choices_list(&c->ld->map->arena, choices));
}

/* Constants and table values that can never be a value of the field. */
static void check_values(struct reading *c, const struct field_spec *f,
                         const struct rule *rule)
{
    const struct clause *via = NULL;

    for (const struct clause *k = rule->clauses; k; k = k->next) {
        if (k->kind == C_VIA)
            via = k;
        if ((k->kind == C_CUT || k->kind == C_CUT_BYTES) && f->key)
            DIAG(c->ld->diags, CUT_KEY, k->at, str_of(f->name));
        if (k->kind == C_DEFAULT && k->e->kind == E_CONST)
            check_word(c, f, k->e->value.s, k->e->at);
    }
    if (!via && rule->e->kind == E_CONST)
        check_word(c, f, rule->e->value.s, rule->e->at);
    for (size_t i = 0; via && i < via->table->n; i++)
        if (via->table->entries[i].action == TA_VALUE)
            check_word(c, f, via->table->entries[i].value,
                       via->table->entries[i].at);
}

/* A field may have several lines with `when`: they share a "decided" slot. */
static void join_lines(struct reading *c, struct block *b, struct stmt *s,
                       struct str name)
{
    struct stmt *before = s->field < MAX_FIELDS ? b->last_set[s->field] : NULL;

    s->guarded = b->guarded;

    if (s->field < MAX_FIELDS)
        b->last_set[s->field] = s;
    if (!before)
        return;
    if (!before->rule->when && !before->guarded) {
        DIAG(c->ld->diags, SET_TWICE, s->at, name);
        return;
    }
    if (before->decided < 0)
        before->decided = c->ld->map->n_decided++;
    s->decided = before->decided;
}

static struct stmt *compile_set(struct reading *c, struct block *b,
                                const struct oline *l, struct parser *p)
{
    struct map *m = c->ld->map;
    struct stmt *s = new_stmt(c, S_SET, l);
    const char *from = p->p;
    struct str name = parse_name(p), full = name;
    struct place at = parse_place(p, from, p->p);

    if (b->prefix.len)
        full = arena_fmt(&m->arena, "%.*s.%.*s", STR_ARGS(b->prefix),
                         STR_ARGS(name));
    parse_blanks(p);
    if (!name.len || p->p == p->end || *p->p != '=') {
        if (!name.len)
            return parse_fail(p, from,
                              "a field, each, when, skip, reject or warn is "
                              "expected here");
        return statement_fail(p, name,
                              "\"=\" is missing after the field's name");
    }
    p->p++;
    s->rule = parse_rule(p);
    s->field = shape_field(b->shape, full, true);
    if (s->field < 0)
        unknown_field(c, b, at, full);
    if (!s->rule || !resolve_rule(&c->r, s->rule) || s->field < 0)
        return NULL;
    no_block(c, l);
    if (shape_spec(b->shape, s->field))
        check_values(c, shape_spec(b->shape, s->field), s->rule);
    join_lines(c, b, s, full);
    return s;
}

static struct stmt *compile_name(struct reading *c, const struct oline *l,
                                 struct parser *p)
{
    struct stmt *s = new_stmt(c, S_NAME, l);
    struct str name;

    p->p++;
    name = parse_name(p);
    parse_blanks(p);
    if (!name.len || p->p == p->end || *p->p != '=')
        return parse_fail(p, p->p, "$name = expression is expected here");
    p->p++;
    s->rule = parse_rule(p);
    no_block(c, l);
    if (!s->rule || !resolve_rule(&c->r, s->rule))
        return NULL;
    s->slot = resolve_declare(&c->r, name, s->at);
    return s->slot < 0 ? NULL : s;
}

/* ---- skip, reject, warn, when ------------------------------------------- */

static int add_reason(struct map *m, struct str text)
{
    if (m->n_reasons == m->cap_reasons) {
        m->cap_reasons = m->cap_reasons ? 2 * m->cap_reasons : 8;
        m->reasons =
            xrealloc(m->reasons, (size_t)m->cap_reasons * sizeof(*m->reasons));
    }
    m->reasons[m->n_reasons] = text;
    return m->n_reasons++;
}

static struct stmt *compile_verdict(struct reading *c, const struct oline *l,
                                    struct parser *p, enum stmt_kind kind)
{
    struct stmt *s = new_stmt(c, kind, l);
    const char *from;

    if (!parse_word(p, "when"))
        return parse_fail(p, p->p, "\"when\" and a condition are missing");
    s->cond = parse_expr(p);
    if (!s->cond)
        return NULL;
    parse_blanks(p);
    from = p->p;
    s->message = parse_pieces(p);
    no_block(c, l);
    if (!s->message || !parse_end(p) || !resolve_expr(&c->r, s->cond) ||
        !resolve_pieces(&c->r, s->message))
        return NULL;
    /* Counted, so the same for all: braces in it are braces. */
    if (kind == S_SKIP)
        s->reason = add_reason(
            c->ld->map,
            text_replace(&c->ld->map->arena,
                         (struct str){ from + 1, (size_t)(p->p - from) - 2 },
                         STR("\"\""), STR("\"")));
    return s;
}

static struct stmt *compile_when(struct reading *c, struct block *b,
                                 const struct oline *l, struct parser *p)
{
    struct stmt *s = new_stmt(c, S_WHEN, l);
    struct name *names = c->r.names;
    bool outer = b->guarded;

    s->cond = parse_expr(p);
    if (!l->child)
        DIAG0(c->ld->diags, EMPTY_BLOCK, oline_whole(l));
    if (!s->cond || !parse_end(p) || !resolve_expr(&c->r, s->cond))
        return NULL;
    b->guarded = true;
    s->body = compile_lines(c, b, l->child);
    b->guarded = outer;
    c->r.names = names; /* a $name lives to the end of its block */
    return s;
}

/* ---- each --------------------------------------------------------------- */

/* The block of an each, over one path or over rows (path NULL). */
static struct stmt *compile_each_body(struct reading *c, struct block *outer,
                                      const struct oline *l, struct stmt *s,
                                      struct shape *shape, struct parser where)
{
    struct block b = { .shape = shape, .outer = outer };
    struct want *ctx = c->r.ctx;
    struct name *names = c->r.names;
    bool ok = true;

    if (s->paths) {
        ok = resolve_expr(&c->r, s->paths);
        if (ok && !c->ld->map->format->rows)
            for (struct step *t = s->paths->steps; t; t = t->next)
                c->r.ctx = t->want;
    }
    if (ok && where.p) {
        s->cond = parse_expr(&where);
        ok = s->cond && parse_end(&where) && resolve_expr(&c->r, s->cond);
    }
    if (ok)
        s->body = compile_lines(c, &b, l->child);
    c->r.ctx = ctx;
    c->r.names = names;
    return ok ? s : NULL;
}

static bool each_target(struct reading *c, struct block *b, struct parser *p,
                        struct stmt *s, struct shape **shape)
{
    const char *from, *names[MAX_LISTS + 1];
    struct str name;
    size_t n = 0;

    parse_blanks(p);
    from = p->p;
    name = parse_name(p);
    s->list = shape_list(b->shape, name);
    if (s->list >= 0) {
        *shape = b->shape->lists[s->list];
        return true;
    }
    if (!b->outer && str_is(name, b->shape->level->name)) {
        s->kind = S_EACH_DOC;
        *shape = b->shape;
        return true;
    }
    for (const struct block *x = b->outer; x; x = x->outer)
        if (shape_list(x->shape, name) >= 0) {
            DIAG(c->ld->diags, UNKNOWN_LIST, parse_place(p, from, p->p),
                 str_of(b->shape->level->name), name,
                 arena_fmt(&c->ld->map->arena,
                           "; %s has: it cannot stand inside this each",
                           x->shape->level->name));
            return false;
        }
    for (int i = 0; i < b->shape->n_lists; i++)
        names[n++] = b->shape->lists[i]->level->name;
    if (!b->outer)
        names[n++] = b->shape->level->name;
    DIAG(c->ld->diags, UNKNOWN_LIST, parse_place(p, from, p->p),
         str_of(b->shape->level->name), name,
         did_you_mean(&c->ld->map->arena, name, names, n));
    return false;
}

/* One statement per path: the members come in map order. */
static struct stmt *compile_each(struct reading *c, struct block *b,
                                 const struct oline *l, struct parser *p)
{
    struct stmt *first = NULL, **tail = &first, *s = new_stmt(c, S_EACH, l);
    struct expr *paths = NULL, **path_tail = &paths;
    struct parser where = { 0 };
    struct shape *shape;

    if (!each_target(c, b, p, s, &shape))
        return NULL;
    if (parse_word(p, "in")) {
        do {
            *path_tail = parse_path(p);
            if (!*path_tail)
                return NULL;
            path_tail = &(*path_tail)->next;
            parse_blanks(p);
        } while (p->p < p->end && *p->p == ',' && p->p++);
    }
    if (parse_word(p, "where"))
        where = *p;
    else if (!parse_end(p))
        return NULL;
    if (!l->child) {
        DIAG0(c->ld->diags, EMPTY_BLOCK, oline_whole(l));
        return NULL;
    }
    do {
        struct stmt *one = new_stmt(c, s->kind, l);
        struct expr *next = paths ? paths->next : NULL;

        one->list = s->list;
        one->paths = paths;
        if (paths)
            paths->next = NULL;
        paths = next;
        *tail = compile_each_body(c, b, l, one, shape, where);
        if (!*tail)
            return first;
        tail = &(*tail)->next;
    } while (paths);
    return first;
}

static struct stmt *compile_use(struct reading *c, struct block *b,
                                struct parser *p)
{
    struct str outer = b->prefix, name;
    struct name *names = c->r.names;
    struct part_def *d;
    struct stmt *s;
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
        b->prefix = parse_name(p);
    }
    if (!parse_end(p))
        return NULL;
    d->used = d->open = true;
    s = compile_lines(c, b, d->line->child);
    d->open = false;
    b->prefix = outer;
    c->r.names = names;
    return s;
}

/* ---- lines -------------------------------------------------------------- */

/* Documents have what stands above their each, and are gone when it ends. */
static void check_late(struct reading *c, const struct block *b,
                       const struct stmt *s)
{
    if (!b->made_documents || !s || s->kind == S_EACH_DOC ||
        s->kind == S_NAME || s->kind == S_WHEN)
        return;
    DIAG(c->ld->diags, NOT_HERE, s->at, STR("this"),
         arena_fmt(&c->ld->map->arena,
                   "the documents of \"each %s\" above would not have it; put "
                   "it before them",
                   b->shape->level->name));
}

static struct stmt *compile_statement(struct reading *c, struct block *b,
                                      const struct oline *l)
{
    struct parser p;

    parser_init(&p, c->ld->map, l, l->text, c->ld->diags);
    if (l->text.p[0] == '$')
        return compile_name(c, l, &p);
    if (is_statement_line(l->text, "each") && parse_word(&p, "each"))
        return compile_each(c, b, l, &p);
    if (is_statement_line(l->text, "when") && parse_word(&p, "when"))
        return compile_when(c, b, l, &p);
    if (is_statement_line(l->text, "skip") && parse_word(&p, "skip"))
        return compile_verdict(c, l, &p, S_SKIP);
    if (is_statement_line(l->text, "reject") && parse_word(&p, "reject"))
        return compile_verdict(c, l, &p, S_REJECT);
    if (is_statement_line(l->text, "warn") && parse_word(&p, "warn"))
        return compile_verdict(c, l, &p, S_WARN);
    if (is_statement_line(l->text, "use") && parse_word(&p, "use"))
        return compile_use(c, b, &p);
    if (str_starts(l->text, STR("> ")) || str_is(l->text, ">")) {
        DIAG(c->ld->diags, NOT_HERE, oline_whole(l), STR("a template line"),
             STR("templates belong to text and edifact maps"));
        return NULL;
    }
    return compile_set(c, b, l, &p);
}

static struct stmt *compile_line(struct reading *c, struct block *b,
                                 const struct oline *l)
{
    struct stmt *s = compile_statement(c, b, l);

    if (!is_statement_line(l->text, "use"))
        check_late(c, b, s);
    b->made_documents |= s && s->kind == S_EACH_DOC;
    return s;
}

static struct stmt *compile_lines(struct reading *c, struct block *b,
                                  const struct oline *l)
{
    struct stmt *first = NULL, **tail = &first;

    for (; l; l = l->next) {
        *tail = compile_line(c, b, l);
        while (*tail)
            tail = &(*tail)->next;
    }
    return first;
}

/* One with a mistake was reported as such. */
static bool has_record_line(const struct oline *header)
{
    for (const struct oline *l = header->child; l; l = l->next)
        if (is_statement_line(l->text, "record"))
            return true;
    return false;
}

void compile_read(struct loader *ld, const struct body *body)
{
    struct reading c = { .ld = ld };
    struct block b = { .shape = ld->map->shape };
    struct stmt **tail = &ld->map->body;

    resolver_init(&c.r, ld->map, ld->diags);
    if (!ld->map->format->rows && !ld->map->plan.path &&
        !has_record_line(ld->header))
        DIAG(ld->diags, OPTION_VALUE, oline_whole(ld->header), STR("record"),
             STR("is missing: which elements are documents?"));
    for (size_t i = 0; i < body->n; i++) {
        *tail = compile_line(&c, &b, body->lines[i]);
        while (*tail)
            tail = &(*tail)->next;
    }
}
