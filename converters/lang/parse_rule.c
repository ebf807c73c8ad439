/* parse_rule.c - clauses behind an expression; texts with {expressions}. */
#include "converters/lang/parse.h"

#include "converters/base/utf8.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- what is left behind an expression ---------------------------------- */

/* Does a word begin here that ends a name of several words? */
static bool ends_name(const struct parser *p, const char *at)
{
    static const char *const words[] = { "via",   "default", "required", "max",
                                         "cut",   "as",      "check",    "when",
                                         "where", "keep",    "and",      "or",
                                         "in",    "like",    "div" };
    struct parser here = *p;

    here.p = at;
    for (size_t i = 0; at > p->p && i < COUNT(words); i++)
        if (at[-1] == ' ' && parse_word(&here, words[i]))
            return true;
    return false;
}

/*
 * A column called "Net price (EUR)", written without brackets, seems to end
 * behind its first word. Returns all of it, or nothing if that is no column.
 */
static struct str whole_column(const struct parser *p)
{
    const char *c;
    int depth = 0;

    if (!p->column.len || p->map->is_write || !p->map->format->rows)
        return (struct str){ 0 };
    c = p->column.p + p->column.len;
    for (; c < p->p; c++)
        if (*c != ' ' && *c != '.' && *c != ':')
            return (struct str){ 0 };
    for (; c < p->end && !strchr("=<>\"&,+*", *c) && !ends_name(p, c); c++) {
        depth += (*c == '(') - (*c == ')');
        if (depth < 0)
            break;
    }
    if (c == p->p)
        return (struct str){ 0 };
    return str_trim((struct str){ p->column.p, (size_t)(c - p->column.p) });
}

static bool bracket_hint(const struct parser *p, struct str *hint)
{
    struct str column = whole_column(p);

    if (!column.len)
        return false;
    *hint = arena_fmt(p->a,
                      "; a column's name that is more than one plain word "
                      "stands in brackets: [%.*s]",
                      STR_ARGS(column));
    return true;
}

/* Of a short word nearly everything is near. */
enum { SHORT_WORD = 3 };

void parse_unexpected(struct parser *p, const char *const *words, size_t n)
{
    const char *from = p->p;
    struct parser at = *p;
    struct str word = parse_name(&at), hint;

    if (!word.len)
        word = (struct str){ from, (size_t)(p->end - from) };
    hint = did_you_mean(p->a, word, words, n);
    if (!hint.len || word.len <= SHORT_WORD)
        (void)bracket_hint(p, &hint);
    p->p = from + word.len;
    DIAG(p->diags, UNKNOWN_CLAUSE, parse_place(p, from, p->p), word, hint);
}

/* ---- clauses ------------------------------------------------------------ */

static struct clause *new_clause(struct parser *p, enum clause_kind kind,
                                 const char *from)
{
    struct clause *c = arena_alloc(p->a, sizeof(*c));

    c->kind = kind;
    c->at = parse_place(p, from, p->p);
    return c;
}

static struct clause *clause_via(struct parser *p, const char *from)
{
    const char *at;
    struct str name;
    struct clause *c;

    parse_blanks(p);
    at = p->p;
    name = parse_name(p);
    if (!name.len)
        return parse_fail(p, at, "\"via\" is followed by a table's name");
    c = new_clause(p, C_VIA, from);
    for (struct table *t = p->map->tables; t; t = t->next)
        if (str_eq(t->name, name)) {
            t->used = true;
            c->table = t;
            return c;
        }
    {
        const char *names[64];
        size_t n = 0;

        for (struct table *t = p->map->tables; t && n < COUNT(names);
             t = t->next)
            names[n++] = arena_cstr(p->a, t->name);
        DIAG(p->diags, UNKNOWN_TABLE, parse_place(p, at, p->p), name,
             did_you_mean(p->a, name, names, n));
    }
    return NULL;
}

static struct clause *clause_default(struct parser *p, const char *from)
{
    struct expr *e = parse_operation(p);
    struct clause *c;

    if (!e)
        return NULL;
    c = new_clause(p, C_DEFAULT, from);
    c->e = e;
    return c;
}

static struct clause *clause_required(struct parser *p, const char *from)
{
    return new_clause(p, C_REQUIRED, from);
}

static bool parse_count(struct parser *p, const char *clause, uint32_t *n)
{
    const char *at;
    struct str digits;
    uint64_t v;

    parse_blanks(p);
    at = p->p;
    while (p->p < p->end && is_digit(*p->p))
        p->p++;
    digits = (struct str){ at, (size_t)(p->p - at) };
    if (!str_to_uint(digits, 1000000, &v) || v == 0) {
        parse_fail(p, at, clause);
        return false;
    }
    *n = (uint32_t)v;
    return true;
}

static struct clause *clause_max(struct parser *p, const char *from)
{
    struct clause *c;
    uint32_t n;

    if (!parse_count(p, "\"max\" is followed by a number of characters", &n))
        return NULL;
    c = new_clause(p, C_MAX, from);
    c->n = n;
    return c;
}

static struct clause *clause_cut(struct parser *p, const char *from)
{
    struct clause *c;
    uint32_t n;

    if (!parse_count(p, "\"cut\" is followed by a number of characters", &n))
        return NULL;
    c = new_clause(p, parse_word(p, "bytes") ? C_CUT_BYTES : C_CUT, from);
    c->n = n;
    return c;
}

const char *format_wrong(struct str f)
{
    const char *wrong = date_pattern_ok(f);

    if (!wrong || !dec_pattern_ok(f))
        return NULL;
    /* What has a place for a digit was meant for a number. */
    if (str_find_char(f, '0') >= 0 || str_find_char(f, '#') >= 0)
        return dec_pattern_ok(f);
    return wrong;
}

static struct clause *clause_as(struct parser *p, const char *from)
{
    struct clause *c;
    struct str f;

    parse_blanks(p);
    if (p->p < p->end && *p->p == '"') {
        if (!parse_string(p, &f))
            return NULL;
    } else {
        f.p = p->p;
        while (p->p < p->end && *p->p != ' ' && *p->p != '\t')
            p->p++;
        f.len = (size_t)(p->p - f.p);
    }
    if (format_wrong(f)) {
        DIAG(p->diags, PATTERN, parse_place(p, from, p->p), f,
             str_of(format_wrong(f)));
        return NULL;
    }
    c = new_clause(p, C_AS, from);
    c->format = f;
    c->n = dec_pattern_ok(f) == NULL; /* a number's format, else a date's */
    return c;
}

static struct clause *clause_check(struct parser *p, const char *from)
{
    const char *at, *names[32];
    struct clause *c;
    struct str name;
    size_t n = 0;

    parse_blanks(p);
    at = p->p;
    name = parse_name(p);
    c = new_clause(p, C_CHECK, from);
    c->check = idcheck_find(name);
    if (!c->check) {
        for (; idchecks[n].name && n < COUNT(names); n++)
            names[n] = idchecks[n].name;
        DIAG(p->diags, UNKNOWN_CHECK, parse_place(p, at, p->p), name,
             did_you_mean(p->a, name, names, n));
        return NULL;
    }
    if (parse_word(p, "reject"))
        c->reject = true;
    else
        (void)parse_word(p, "warn");
    return c;
}

static const struct {
    const char *word;
    struct clause *(*parse)(struct parser *p, const char *from);
} clauses[] = {
    { "via", clause_via },           { "default", clause_default },
    { "required", clause_required }, { "max", clause_max },
    { "cut", clause_cut },           { "as", clause_as },
    { "check", clause_check },
};

static void unknown_clause(struct parser *p)
{
    static const char *const words[] = { "via",  "default", "required", "max",
                                         "cut",  "as",      "check",    "when",
                                         "keep", "where",   "and",      "or",
                                         "div" };

    parse_unexpected(p, words, COUNT(words));
}

/* So what stands before it ended too early, and is not half a column's name. */
static bool is_clause_next(struct parser p)
{
    if (parse_word(&p, "keep") || parse_word(&p, "when"))
        return true;
    for (size_t i = 0; i < COUNT(clauses); i++)
        if (parse_word(&p, clauses[i].word))
            return true;
    return false;
}

void *parse_missing(struct parser *p, const char *from, const char *text)
{
    struct str hint;

    parse_blanks(p);
    if (is_clause_next(*p) || !bracket_hint(p, &hint))
        return parse_fail(p, from, text);
    parse_unexpected(p, NULL, 0);
    return NULL;
}

/* One clause at p. 1: taken, 0: at the end, -1: reported. */
static int parse_clause(struct parser *p, struct rule *r, struct clause ***tail)
{
    const char *from;

    if (parse_at_end(p))
        return 0;
    from = p->p;
    if (parse_word(p, "keep")) {
        r->keep = true;
        return 1;
    }
    if (parse_word(p, "when")) {
        r->when = parse_expr(p);
        return r->when ? 1 : -1;
    }
    for (size_t i = 0; i < COUNT(clauses); i++) {
        if (!parse_word(p, clauses[i].word))
            continue;
        **tail = clauses[i].parse(p, from);
        if (!**tail)
            return -1;
        (**tail)->at = parse_place(p, from, p->p);
        *tail = &(**tail)->next;
        return 1;
    }
    unknown_clause(p);
    return -1;
}

struct rule *parse_rule(struct parser *p)
{
    struct rule *r = arena_alloc(p->a, sizeof(*r));
    struct clause **tail = &r->clauses;
    const char *from;
    int rc = 1;

    parse_blanks(p);
    from = p->p;
    r->e = parse_expr(p);
    if (!r->e)
        return NULL;
    while (rc == 1)
        rc = parse_clause(p, r, &tail);
    if (rc == -1)
        return NULL;
    r->at = parse_place(p, from, p->p);
    return r;
}

/* ---- texts with {expressions} ------------------------------------------- */

static struct piece *new_piece(struct parser *p, struct piece ***tail)
{
    struct piece *n = arena_alloc(p->a, sizeof(*n));

    **tail = n;
    *tail = &n->next;
    return n;
}

/* The rule between { and }: parsed by a parser that ends at the brace. */
static bool parse_braces(struct parser *p, struct piece ***tail)
{
    const char *from = p->p++, *close = p->p;
    struct parser inner = *p;
    struct piece *n;

    while (close < p->end && *close != '}')
        close++;
    if (close == p->end) {
        parse_fail(p, from, "\"}\" is missing");
        return false;
    }
    inner.end = close;
    n = new_piece(p, tail);
    n->rule = parse_rule(&inner);
    p->p = close + 1;
    return n->rule != NULL;
}

struct piece *parse_pieces(struct parser *p)
{
    struct piece *first = NULL, **tail = &first;
    const char *from;

    parse_blanks(p);
    from = p->p;
    if (p->p == p->end || *p->p != '"')
        return parse_missing(p, from, "a \"text in quotes\" is missing here");
    p->p++;
    for (;;) {
        const char *text = p->p;

        while (p->p < p->end && *p->p != '"' && *p->p != '{')
            p->p++;
        if (p->p > text)
            new_piece(p, &tail)->text =
                (struct str){ text, (size_t)(p->p - text) };
        if (p->p == p->end) {
            DIAG0(p->diags, OPEN_STRING, parse_place(p, from, p->end));
            return NULL;
        }
        if (*p->p == '{') {
            if (!parse_braces(p, &tail))
                return NULL;
            continue;
        }
        p->p++;
        if (p->p == p->end || *p->p != '"')
            break;
        new_piece(p, &tail)->text = STR("\"");
        p->p++;
    }
    if (!first)
        first = arena_alloc(p->a, sizeof(*first));
    return first;
}
