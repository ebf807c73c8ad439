/* parse.c - expressions: recursive descent over one line, a function a level.
 */
#include "converters/lang/parse.h"

#include <stdio.h>

#include "converters/base/utf8.h"
#include "converters/lang/func.h"

/* The evaluator goes down an expression as deep as the parser did. */
enum { MAX_NESTING = 64, MAX_OPERATORS = 1000 };

void parser_init(struct parser *p, struct map *m, const struct oline *l,
                 struct str text, struct diags *diags)
{
    *p = (struct parser){ .a = &m->arena,
                          .line = l,
                          .p = text.p,
                          .end = text.p + text.len,
                          .map = m,
                          .diags = diags };
}

struct place parse_place(const struct parser *p, const char *from,
                         const char *to)
{
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    return oline_place(p->line, (struct str){ from, (size_t)(to - from) });
}

void *parse_fail(struct parser *p, const char *from, const char *text)
{
    DIAG(p->diags, SYNTAX, parse_place(p, from, from + (from < p->end)),
         str_of(text));
    return NULL;
}

void parse_blanks(struct parser *p)
{
    while (p->p < p->end && (*p->p == ' ' || *p->p == '\t'))
        p->p++;
}

bool parse_at_end(struct parser *p)
{
    parse_blanks(p);
    return p->p == p->end;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Inside a name: letters, digits, and - . : * between them. */
static bool is_name_char(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == ':' ||
           c == '*';
}

struct str parse_name(struct parser *p)
{
    const char *from = p->p;

    while (p->p < p->end && is_name_char(*p->p))
        p->p++;
    /* "a.b." or "a-" does not end a name: the sign belongs to what follows. */
    while (p->p > from + 1 && (p->p[-1] == '.' || p->p[-1] == ':'))
        p->p--;
    return (struct str){ from, (size_t)(p->p - from) };
}

bool parse_word(struct parser *p, const char *word)
{
    size_t n = strlen(word);

    parse_blanks(p);
    if ((size_t)(p->end - p->p) < n || memcmp(p->p, word, n) != 0)
        return false;
    if (p->p + n < p->end && is_name_char(p->p[n]))
        return false;
    p->p += n;
    return true;
}

bool parse_end(struct parser *p)
{
    static const char *const words[] = { "where", "when", "with",
                                         "keep",  "and",  "or",
                                         "in",    "like", "required" };

    if (parse_at_end(p))
        return true;
    parse_unexpected(p, words, COUNT(words));
    return false;
}

bool parse_string(struct parser *p, struct str *out)
{
    const char *from = p->p++;
    char *to = arena_text(p->a, (size_t)(p->end - from) + 1);
    size_t n = 0;

    for (; p->p < p->end; p->p++) {
        if (*p->p == '"') {
            p->p++;
            if (p->p == p->end || *p->p != '"') {
                *out = (struct str){ to, n };
                return true;
            }
        }
        to[n++] = *p->p;
    }
    DIAG0(p->diags, OPEN_STRING, parse_place(p, from, p->end));
    return false;
}

static struct expr *new_expr(struct parser *p, enum expr_kind kind,
                             const char *from)
{
    struct expr *e = arena_alloc(p->a, sizeof(*e));

    e->kind = kind;
    e->at = parse_place(p, from, p->p);
    e->index = e->depth = e->slot = -1;
    return e;
}

static struct expr *binary(struct parser *p, enum expr_kind kind,
                           const char *from, struct expr *l, struct expr *r)
{
    struct expr *e;

    if (!l || !r)
        return NULL;
    if (++p->n_operators > MAX_OPERATORS)
        return parse_fail(p, p->p, "more than 1,000 operators in one line");
    e = new_expr(p, kind, from);
    e->args = l;
    l->next = r;
    e->n_args = 2;
    return e;
}

static struct expr *parse_or(struct parser *p);

/* ---- paths -------------------------------------------------------------- */

static struct step *new_step(struct parser *p, enum want_kind kind,
                             const char *from)
{
    struct step *s = arena_alloc(p->a, sizeof(*s));

    s->kind = kind;
    s->at = parse_place(p, from, p->p);
    s->name = (struct str){ from, (size_t)(p->p - from) };
    return s;
}

/* [Header text], ["literal"], [3] - the parser stands at the bracket. */
static struct step *parse_bracket(struct parser *p)
{
    const char *from = p->p++;
    struct step *s;
    struct str text;
    bool literal = p->p < p->end && *p->p == '"';
    uint64_t n;

    if (literal) {
        if (!parse_string(p, &text))
            return NULL;
    } else {
        text.p = p->p;
        while (p->p < p->end && *p->p != ']')
            p->p++;
        text.len = (size_t)(p->p - text.p);
        text = str_trim(text);
    }
    if (p->p == p->end || *p->p != ']')
        return parse_fail(p, from, "\"]\" is missing");
    p->p++;
    if (!text.len)
        return parse_fail(p, from, "a name is missing in the brackets");
    s = new_step(p, WANT_ELEMENT, from);
    s->name = text;
    s->literal = literal;
    if (!literal && str_to_uint(text, 100000, &n)) {
        s->kind = WANT_NTH;
        s->nth = (uint32_t)n;
    }
    return s;
}

static struct step *parse_step(struct parser *p)
{
    const char *from = p->p;
    struct step *s;

    if (p->p < p->end && *p->p == '[')
        return parse_bracket(p);
    if (p->p < p->end && *p->p == '@') {
        p->p++;
        if (!parse_name(p).len)
            return parse_fail(p, from, "an attribute's name is missing");
        s = new_step(p, WANT_ATTRIBUTE, from);
        s->name = str_from(s->name, 1);
    } else if (p->p < p->end && *p->p == '.' &&
               (p->p + 1 == p->end || !is_name_char(p->p[1]))) {
        p->p++;
        s = new_step(p, WANT_SELF, from);
    } else {
        if (!parse_name(p).len)
            return parse_fail(p, from, "a name is missing here");
        s = new_step(p, WANT_ELEMENT, from);
    }
    if (p->p < p->end && *p->p == '[') { /* a filter */
        p->p++;
        s->filter = parse_or(p);
        parse_blanks(p);
        if (!s->filter)
            return NULL;
        if (p->p == p->end || *p->p != ']')
            return parse_fail(p, p->p, "\"]\" is missing after the filter");
        p->p++;
        s->at = parse_place(p, from, p->p);
    }
    return s;
}

struct expr *parse_path(struct parser *p)
{
    struct expr *e;
    struct step **tail;
    const char *from;

    parse_blanks(p);
    from = p->p;
    e = new_expr(p, E_PATH, from);
    tail = &e->steps;
    if (p->p < p->end && *p->p == '/') {
        e->absolute = true;
        p->p++;
        if (p->p < p->end && *p->p == '/') {
            e->anywhere = true;
            p->p++;
        }
    }
    e->bracket = p->p < p->end && *p->p == '[';
    for (;;) {
        *tail = parse_step(p);
        if (!*tail)
            return NULL;
        tail = &(*tail)->next;
        if (p->p == p->end || *p->p != '/')
            break;
        p->p++;
    }
    p->column = (struct str){ from, e->bracket ? 0 : (size_t)(p->p - from) };
    e->at = parse_place(p, from, p->p);
    return e;
}

/* ---- operands ----------------------------------------------------------- */

static struct expr *parse_number(struct parser *p)
{
    const char *from = p->p;
    struct expr *e;
    struct str s;

    while (p->p < p->end && is_digit(*p->p))
        p->p++;
    if (p->p + 1 < p->end && *p->p == '.' && is_digit(p->p[1]))
        for (p->p++; p->p < p->end && is_digit(*p->p);)
            p->p++;
    if (p->p < p->end && is_letter(*p->p))
        return parse_fail(p, from,
                          "a number ends here; names that begin with a digit "
                          "need brackets: [3rd]");
    s = (struct str){ from, (size_t)(p->p - from) };
    e = new_expr(p, E_CONST, from);
    e->value = (struct val){ .kind = V_DEC, .has_d = true, .cell = -1 };
    if (!dec_from_canon(s, &e->value.d))
        return parse_fail(p, from, "a number has at most 18 digits");
    e->value.s = s;
    return e;
}

static struct expr *parse_args(struct parser *p, struct expr *call)
{
    struct expr **tail = &call->args;

    parse_blanks(p);
    if (p->p < p->end && *p->p == ')') {
        p->p++;
        return call;
    }
    for (;;) {
        *tail = parse_or(p);
        if (!*tail)
            return NULL;
        tail = &(*tail)->next;
        call->n_args++;
        if (parse_word(p, "where")) {
            call->where = parse_or(p);
            if (!call->where)
                return NULL;
        }
        parse_blanks(p);
        if (p->p < p->end && *p->p == ')')
            break;
        if (p->p == p->end || *p->p != ',')
            return parse_missing(p, p->p, "\",\" or \")\" is missing");
        p->p++;
    }
    p->p++;
    return call;
}

static struct str count_words(struct parser *p, const struct func *f)
{
    if (f->max == -1)
        return arena_fmt(p->a, "at least %d argument%s", f->min,
                         f->min == 1 ? "" : "s");
    if (f->min == f->max)
        return arena_fmt(p->a, "%d argument%s", f->min, f->min == 1 ? "" : "s");
    return arena_fmt(p->a, "%d to %d arguments", f->min, f->max);
}

static struct expr *check_call(struct parser *p, struct expr *e)
{
    const struct func *f = e->func;

    if (e->n_args < f->min || (f->max >= 0 && e->n_args > f->max)) {
        DIAG(p->diags, ARGUMENTS, e->at, str_of(f->name), count_words(p, f),
             arena_fmt(p->a, "%d", e->n_args));
        return NULL;
    }
    if (e->where && !(f->flags & FN_SEVERAL)) {
        DIAG(p->diags, NOT_HERE, e->where->at, STR("where"),
             STR("only functions that take several values choose among them"));
        return NULL;
    }
    return e;
}

static void unknown_function(struct parser *p, const char *from,
                             struct str name)
{
    const char *names[128];
    size_t n = func_names(names, COUNT(names));
    struct str hint = did_you_mean(p->a, name, names, n);

    /* lowercase, trimmed: the beginning of a name may have been meant. */
    for (size_t i = 0; i < n && !hint.len && name.len > 2; i++)
        if (str_starts(name, str_of(names[i])) ||
            str_starts(str_of(names[i]), name))
            hint = arena_fmt(p->a, "; did you mean %s?", names[i]);
    DIAG(p->diags, UNKNOWN_FUNCTION, parse_place(p, from, from + name.len),
         name, hint);
}

static struct expr *parse_call(struct parser *p, const char *from,
                               struct str name)
{
    struct expr *e = new_expr(p, E_CALL, from);

    e->func = func_find(name);
    p->p++; /* the parenthesis */
    if (!parse_args(p, e))
        return NULL;
    e->at = parse_place(p, from, p->p);
    if (e->func)
        return check_call(p, e);
    unknown_function(p, from, name);
    /* An empty value in its place: the rest of the line is looked at, too. */
    e->kind = E_CONST;
    e->args = NULL;
    e->value = (struct val){ .kind = V_EMPTY, .cell = -1 };
    return e;
}

static struct expr *parse_variable(struct parser *p)
{
    const char *from = p->p++;
    struct expr *e;

    while (p->p < p->end && (is_letter(*p->p) || is_digit(*p->p)))
        p->p++;
    if (p->p == from + 1)
        return parse_fail(p, from, "a name is missing after \"$\"");
    e = new_expr(p, E_NAME, from);
    e->value.s = (struct str){ from + 1, (size_t)(p->p - from) - 1 };
    return e;
}

/* A bare word: a path, a function call, or "not". */
static struct expr *parse_word_operand(struct parser *p)
{
    const char *from = p->p;
    struct str name = parse_name(p);

    if (name.len && p->p < p->end && *p->p == '(')
        return parse_call(p, from, name);
    p->p = from;
    return parse_path(p);
}

/* Of another language, of a word processor, or of print. */
static bool is_other_quote(const struct parser *p)
{
    static const char *const quotes[] = { "'",
                                          "\xE2\x80\x98",
                                          "\xE2\x80\x99",
                                          "\xE2\x80\x9A",
                                          "\xE2\x80\x9C",
                                          "\xE2\x80\x9D",
                                          "\xE2\x80\x9E",
                                          "\xC2\xAB",
                                          "\xC2\xBB" };
    struct str left = { p->p, (size_t)(p->end - p->p) };

    for (size_t i = 0; i < COUNT(quotes); i++)
        if (str_starts(left, str_of(quotes[i])))
            return true;
    return false;
}

static struct expr *parse_operand(struct parser *p)
{
    const char *from;
    struct expr *e;
    struct str s;

    parse_blanks(p);
    from = p->p;
    if (p->p == p->end)
        return parse_fail(p, p->p, "an expression is missing here");
    if (*p->p == '"') {
        if (!parse_string(p, &s))
            return NULL;
        e = new_expr(p, E_CONST, from);
        e->value = (struct val){ .kind = s.len ? V_TEXT : V_EMPTY,
                                 .s = s,
                                 .cell = -1 };
        return e;
    }
    if (is_digit(*p->p))
        return parse_number(p);
    if (*p->p == '$')
        return parse_variable(p);
    if (*p->p == '(') {
        p->p++;
        e = parse_or(p);
        parse_blanks(p);
        if (!e)
            return NULL;
        if (p->p == p->end || *p->p != ')')
            return parse_missing(p, p->p < p->end ? p->p : from,
                                 "\")\" is missing");
        p->p++;
        return e;
    }
    if (is_other_quote(p))
        return parse_fail(p, from,
                          "a text stands in plain double quotes: \"text\"");
    if (is_letter(*p->p) || strchr("[/.@*", *p->p))
        return parse_word_operand(p);
    return parse_fail(p, from, "an expression is missing here");
}

/* ---- operators, weakest last -------------------------------------------- */

static struct expr *parse_unary(struct parser *p)
{
    const char *from;
    struct expr *e, *inner;

    parse_blanks(p);
    from = p->p;
    if (p->p == p->end || *p->p != '-')
        return parse_operand(p);
    p->p++;
    inner = parse_operand(p);
    if (!inner)
        return NULL;
    e = new_expr(p, E_NEG, from);
    e->args = inner;
    e->n_args = 1;
    return e;
}

static bool take_char(struct parser *p, char c)
{
    parse_blanks(p);
    if (p->p == p->end || *p->p != c)
        return false;
    p->p++;
    return true;
}

static struct expr *parse_product(struct parser *p)
{
    const char *from = p->p;
    struct expr *e = parse_unary(p);

    while (e) {
        if (take_char(p, '*'))
            e = binary(p, E_MUL, from, e, parse_unary(p));
        else if (parse_word(p, "div"))
            e = binary(p, E_DIV, from, e, parse_unary(p));
        else
            break;
    }
    return e;
}

static struct expr *parse_sum(struct parser *p)
{
    const char *from = p->p;
    struct expr *e = parse_product(p);

    while (e) {
        if (take_char(p, '+'))
            e = binary(p, E_ADD, from, e, parse_product(p));
        else if (take_char(p, '-'))
            e = binary(p, E_SUB, from, e, parse_product(p));
        else
            break;
    }
    return e;
}

struct expr *parse_operation(struct parser *p)
{
    const char *from = p->p;
    struct expr *e = parse_sum(p);

    while (e && take_char(p, '&'))
        e = binary(p, E_JOIN, from, e, parse_sum(p));
    return e;
}

static struct expr *parse_in(struct parser *p, const char *from,
                             struct expr *left)
{
    struct expr *e = new_expr(p, E_IN, from);

    if (!take_char(p, '('))
        return parse_fail(p, p->p, "\"in\" is followed by (value, value, ...)");
    e->args = left;
    e->n_args = 1;
    {
        struct expr *list = new_expr(p, E_IN, from);

        if (!parse_args(p, list))
            return NULL;
        left->next = list->args;
        e->n_args += list->n_args;
        if (list->where)
            return parse_fail(p, from, "\"where\" cannot stand in this list");
    }
    e->at = parse_place(p, from, p->p);
    return e;
}

static enum expr_kind comparison(struct parser *p)
{
    static const struct {
        const char *sign;
        enum expr_kind kind;
    } signs[] = { { "<>", E_NE }, { "<=", E_LE }, { ">=", E_GE },
                  { "<", E_LT },  { ">", E_GT },  { "=", E_EQ } };

    parse_blanks(p);
    for (size_t i = 0; i < COUNT(signs); i++) {
        size_t n = strlen(signs[i].sign);

        if ((size_t)(p->end - p->p) >= n &&
            memcmp(p->p, signs[i].sign, n) == 0) {
            p->p += n;
            return signs[i].kind;
        }
    }
    return parse_word(p, "like")      ? E_LIKE
           : parse_word(p, "matches") ? E_MATCHES
           : parse_word(p, "in")      ? E_IN
                                      : E_CONST;
}

/* A* where "A*" was meant: a name with an asterisk is no text to compare. */
static bool is_bare_pattern(const struct expr *e)
{
    return e->kind == E_PATH && !e->bracket && !e->absolute &&
           !e->steps->next && e->steps->kind == WANT_ELEMENT &&
           str_find_char(e->steps->name, '*') >= 0;
}

static struct expr *parse_comparison(struct parser *p)
{
    const char *from = p->p;
    struct expr *e = parse_operation(p), *right;
    enum expr_kind kind = e ? comparison(p) : E_CONST;

    if (kind == E_CONST)
        return e;
    if (kind == E_IN)
        return parse_in(p, from, e);
    right = parse_operation(p);
    if (right && kind == E_LIKE && is_bare_pattern(right)) {
        DIAG(p->diags, SYNTAX, right->at,
             arena_fmt(p->a, "a pattern stands in quotes: like \"%.*s\"",
                       STR_ARGS(right->steps->name)));
        return NULL;
    }
    return binary(p, kind, from, e, right);
}

/* False: reported. Either way the caller takes p->nesting back. */
static bool goes_deeper(struct parser *p)
{
    if (++p->nesting <= MAX_NESTING)
        return true;
    parse_fail(p, p->p, "the expression is nested too deep");
    return false;
}

static struct expr *parse_not(struct parser *p)
{
    const char *from;
    struct expr *e, *inner;

    parse_blanks(p);
    from = p->p;
    if (!parse_word(p, "not"))
        return parse_comparison(p);
    inner = goes_deeper(p) ? parse_not(p) : NULL;
    p->nesting--;
    if (!inner)
        return NULL;
    e = new_expr(p, E_NOT, from);
    e->args = inner;
    e->n_args = 1;
    return e;
}

static struct expr *parse_and(struct parser *p)
{
    const char *from = p->p;
    struct expr *e = parse_not(p);

    while (e && parse_word(p, "and"))
        e = binary(p, E_AND, from, e, parse_not(p));
    return e;
}

static struct expr *parse_or(struct parser *p)
{
    const char *from;
    struct expr *e;

    parse_blanks(p);
    from = p->p;
    e = goes_deeper(p) ? parse_and(p) : NULL;
    while (e && parse_word(p, "or"))
        e = binary(p, E_OR, from, e, parse_and(p));
    p->nesting--;
    return e;
}

struct expr *parse_expr(struct parser *p)
{
    parse_blanks(p);
    return parse_or(p);
}

struct expr *parse_exprs(struct parser *p)
{
    struct expr *first = NULL, **tail = &first;

    do {
        *tail = parse_expr(p);
        if (!*tail)
            return NULL;
        tail = &(*tail)->next;
    } while (take_char(p, ','));
    return first;
}
