#include "converters/lang/resolve.h"

#include <stdio.h>

#include "converters/base/text.h"
#include "converters/lang/func.h"
#include "converters/lang/parse.h"
#include "converters/lang/regex.h"

const char *const meta_names[N_METAS] = {
    [META_FILE_NAME] = "file.name",     [META_FILE_BASE] = "file.base",
    [META_FILE_MEMBER] = "file.member", [META_RUN_ID] = "run.id",
    [META_RUN_TIME] = "run.time",       [META_RECORD_INDEX] = "record.index",
};

void resolver_init(struct resolver *r, struct map *m, struct diags *diags)
{
    *r = (struct resolver){ .map = m, .diags = diags, .ctx = m->plan.record };
}

struct str did_you_mean(struct arena *a, struct str typed,
                        const char *const *names, size_t n)
{
    const char *best = nearest(typed, names, n);

    /* A word that is known, but not here, is none that was misspelt. */
    if (!best || str_is(typed, best))
        return STR("");
    return arena_fmt(a, "; did you mean %s?", best);
}

/* ---- $names and $settings ----------------------------------------------- */

const struct setting *map_setting(const struct map *m, struct str name)
{
    for (const struct setting *s = m->settings; s; s = s->next)
        if (str_eq(s->name, name))
            return s;
    return NULL;
}

int resolve_declare(struct resolver *r, struct str name, struct place at)
{
    struct name *n;

    if (map_setting(r->map, name)) {
        DIAG(r->diags, NAME_TWICE, at,
             arena_fmt(&r->map->arena, "$%.*s", STR_ARGS(name)));
        return -1;
    }
    for (n = r->names; n; n = n->outer)
        if (str_eq(n->name, name)) {
            DIAG(r->diags, NAME_TWICE, at,
                 arena_fmt(&r->map->arena, "$%.*s", STR_ARGS(name)));
            return -1;
        }
    n = arena_alloc(&r->map->arena, sizeof(*n));
    *n = (struct name){ name, r->map->n_names++, r->names, NULL };
    r->names = n;
    return n->slot;
}

static bool resolve_name(struct resolver *r, struct expr *e)
{
    const char *known[64];
    size_t n_known = 0;
    struct str name = e->value.s;

    for (struct name *n = r->names; n; n = n->outer) {
        if (str_eq(n->name, name)) {
            e->index = n->slot;
            return true;
        }
        if (n_known < COUNT(known))
            known[n_known++] = arena_cstr(&r->map->arena, n->name);
    }
    for (struct setting *s = r->map->settings; s; s = s->next) {
        if (str_eq(s->name, name)) {
            s->used = true;
            e->kind = E_SETTING;
            e->index = s->slot;
            return true;
        }
        if (n_known < COUNT(known))
            known[n_known++] = arena_cstr(&r->map->arena, s->name);
    }
    DIAG(r->diags, UNKNOWN_SETTING, e->at, name,
         did_you_mean(&r->map->arena, name, known, n_known));
    return false;
}

/* ---- choices ------------------------------------------------------------ */

/* What a field compared with a bare word may be; NULL: no choice. */
static const char *field_choices(const struct resolver *r,
                                 const struct expr *field)
{
    const struct shape *s;
    const struct field_spec *f;

    if (field->kind != E_FIELD || field->depth >= r->n_scopes)
        return NULL;
    s = r->scopes[field->depth].shape;
    f = shape_spec(s, field->index);
    if (!f)
        return NULL;
    return f->type == FT_BOOL ? "yes|no" : f->choices;
}

static bool is_bare_word(const struct expr *e)
{
    return e->kind == E_PATH && !e->absolute && !e->bracket && e->steps &&
           !e->steps->next && e->steps->kind == WANT_ELEMENT &&
           !e->steps->filter;
}

/* Turns `word`, compared with a choice field, into its constant. */
bool resolve_choice(struct resolver *r, const struct expr *field,
                    struct expr *word)
{
    const char *choices = field_choices(r, field);
    struct str value;

    if (!choices)
        return true;
    if (is_bare_word(word))
        value = word->steps->name;
    else if (word->kind == E_CONST && word->value.kind == V_TEXT)
        value = word->value.s;
    else
        return true;
    if (!choices_has(choices, value)) {
        /* A field after all? Then it is resolved as such. */
        if (word->kind == E_PATH && names_field(r, value))
            return true;
        DIAG(r->diags, CONSTANT_VALUE, word->at, value,
             shape_field_name(r->scopes[field->depth].shape, field->index),
             choices_list(&r->map->arena, choices));
        return false;
    }
    word->kind = E_CONST;
    word->value = (struct val){ .kind = V_TEXT, .s = value, .cell = -1 };
    return true;
}

/* ---- the walk ----------------------------------------------------------- */

static bool resolve_args(struct resolver *r, struct expr *e)
{
    bool ok = true;

    for (struct expr *x = e->args; x; x = x->next)
        ok = resolve_expr(r, x) && ok;
    return ok;
}

static bool resolve_comparison(struct resolver *r, struct expr *e)
{
    struct expr *left = e->args;
    bool ok;

    /* A choice field may stand on either side: look for it first. */
    if (is_bare_word(left) && e->kind != E_IN && left->next &&
        !is_bare_word(left->next)) {
        ok = resolve_expr(r, left->next) && resolve_choice(r, left->next, left);
        return (left->kind == E_CONST || resolve_expr(r, left)) && ok;
    }
    ok = resolve_expr(r, left);
    for (struct expr *x = left->next; x; x = x->next) {
        if (ok)
            ok = resolve_choice(r, left, x) && ok;
        /* A bare word beside an unknown name may well be its choice. */
        if (x->kind != E_CONST && (ok || !is_bare_word(x)))
            ok = resolve_expr(r, x) && ok;
    }
    return ok;
}

static bool resolve_matches(struct resolver *r, struct expr *e)
{
    struct expr *pattern = e->args->next;
    struct str why;

    if (!resolve_expr(r, e->args))
        return false;
    if (pattern->kind != E_CONST) {
        DIAG(r->diags, NOT_HERE, pattern->at, STR("this"),
             STR("\"matches\" takes a constant pattern in quotes"));
        return false;
    }
    e->regex = regex_compile(&r->map->arena, pattern->value.s, &why);
    if (e->regex)
        return true;
    DIAG(r->diags, PATTERN, pattern->at, pattern->value.s, why);
    return false;
}

/* A misspelt one would be no language, and capitals of "i" silently wrong. */
#define LANGUAGES "tr|cs|hu|ro|sk|pl|bg|hr|sl|sr|de|en|el|uk|az"

/* Constants that can only be one of some words. */
static bool check_word_arg(struct resolver *r, const struct func *f,
                           const struct expr *x)
{
    static const struct {
        const char *func, *words;
    } known[] = {
        { "number", ".|," },
        { "split_name", "first|last" },
        { "split_street", "street|number" },
        { "upper", LANGUAGES },
        { "lower", LANGUAGES },
        { "title", LANGUAGES },
    };

    for (size_t i = 0; i < COUNT(known); i++) {
        if (strcmp(f->name, known[i].func) != 0 ||
            choices_has(known[i].words, x->value.s))
            continue;
        DIAG(r->diags, CONSTANT_VALUE, x->at, x->value.s,
             arena_fmt(&r->map->arena, "argument of %s", f->name),
             choices_list(&r->map->arena, known[i].words));
        return false;
    }
    return true;
}

static bool check_const_arg(struct resolver *r, const struct expr *e)
{
    const struct func *f = e->func;
    const struct expr *x = e->args;
    const char *wrong = NULL;

    if (f->const_arg < 0)
        return true;
    for (int i = 0; x && i < f->const_arg; i++)
        x = x->next;
    if (!x)
        return true;
    if (x->kind != E_CONST) {
        DIAG(r->diags, NOT_HERE, x->at, STR("this"),
             STR("a constant in quotes is needed"));
        return false;
    }
    if (!check_word_arg(r, f, x))
        return false;
    if (f->flags & FN_DATE)
        wrong = date_pattern_read_ok(x->value.s);
    else if (f->flags & FN_FORMAT)
        wrong = format_wrong(x->value.s);
    if (!wrong)
        return true;
    DIAG(r->diags, PATTERN, x->at, x->value.s, str_of(wrong));
    return false;
}

/* lookup(table, key): its first argument is a table's name. */
static bool resolve_table_arg(struct resolver *r, struct expr *e)
{
    struct expr *t = e->args;
    const char *names[64];
    size_t n = 0;

    if (!is_bare_word(t)) {
        DIAG(r->diags, ARGUMENTS, t->at, str_of(e->func->name),
             STR("the name of a table first"), STR("this"));
        return false;
    }
    for (struct table *x = r->map->tables; x; x = x->next) {
        if (str_eq(x->name, t->steps->name)) {
            x->used = true;
            e->table = x;
            t->kind = E_CONST;
            t->value = (struct val){ .kind = V_TEXT, .s = x->name, .cell = -1 };
            return true;
        }
        if (n < COUNT(names))
            names[n++] = arena_cstr(&r->map->arena, x->name);
    }
    DIAG(r->diags, UNKNOWN_TABLE, t->at, t->steps->name,
         did_you_mean(&r->map->arena, t->steps->name, names, n));
    return false;
}

static bool resolve_call(struct resolver *r, struct expr *e)
{
    bool ok = true;

    if ((e->func->flags & FN_WRITE) && (!r->map->is_write || r->one_document)) {
        DIAG(r->diags, NOT_HERE, e->at, str_of(e->func->name),
             STR("it belongs into a write map: it counts what is written"));
        return false;
    }
    if (e->func->flags & FN_TABLE) {
        ok = resolve_table_arg(r, e);
        for (struct expr *x = e->args->next; x; x = x->next)
            ok = resolve_expr(r, x) && ok;
        return ok;
    }
    if (e->func->flags & (FN_SEVERAL | FN_MEMBER))
        ok = r->map->is_write ? resolve_write_call(r, e)
                              : resolve_read_call(r, e);
    else
        ok = resolve_args(r, e);
    return ok && check_const_arg(r, e);
}

/*
 * A bare word may be a function without parentheses: today. A column of that
 * name is [today].
 */
static bool resolve_bare_function(struct expr *e)
{
    const struct func *f;

    if (!is_bare_word(e))
        return false;
    f = func_find(e->steps->name);
    if (!f || !(f->flags & FN_BARE))
        return false;
    e->kind = E_CALL;
    e->func = f;
    return true;
}

static bool resolve_meta(struct expr *e)
{
    if (!is_bare_word(e))
        return false;
    for (int i = 0; i < N_METAS; i++)
        if (str_is(e->steps->name, meta_names[i])) {
            e->kind = E_META;
            e->index = i;
            return true;
        }
    return false;
}

static bool resolve_path(struct resolver *r, struct expr *e)
{
    if (resolve_meta(e))
        return true;
    if (!r->map->is_write)
        return resolve_bare_function(e) || resolve_source(r, e);
    return resolve_field(r, e) || resolve_bare_function(e);
}

bool resolve_expr(struct resolver *r, struct expr *e)
{
    switch (e->kind) {
    case E_PATH:
        return resolve_path(r, e);
    case E_NAME:
        return resolve_name(r, e);
    case E_CALL:
        return resolve_call(r, e);
    case E_EQ:
    case E_NE:
    case E_IN:
        return resolve_comparison(r, e);
    case E_MATCHES:
        return resolve_matches(r, e);
    default:
        return resolve_args(r, e);
    }
}

bool resolve_rule(struct resolver *r, struct rule *rule)
{
    bool ok = resolve_expr(r, rule->e);

    if (rule->when)
        ok = resolve_expr(r, rule->when) && ok;
    for (struct clause *c = rule->clauses; c; c = c->next)
        if (c->kind == C_DEFAULT)
            ok = resolve_expr(r, c->e) && ok;
    return ok;
}

bool resolve_pieces(struct resolver *r, struct piece *p)
{
    bool ok = true;

    for (; p; p = p->next)
        if (p->rule)
            ok = resolve_rule(r, p->rule) && ok;
    return ok;
}
