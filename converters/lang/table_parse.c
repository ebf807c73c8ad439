/* table_parse.c - tables as a map writes them, with those of CSV files. */
#include "converters/lang/table_parse.h"

#include "converters/base/text.h"
#include "converters/lang/parse.h"

struct table_parser {
    struct parser p; /* of the line at work */
    struct map *m;
    struct table *t;
    struct diags *diags;
    bool failed;
};

/* "21.50" is 21.5; nothing for 021, which is a code, and for other texts. */
static struct str number_of(struct arena *a, struct str s)
{
    struct str digits = str_starts(s, STR("-")) ? str_from(s, 1) : s;
    struct dec d;

    if (!dec_from_canon(s, &d) ||
        (digits.len > 1 && digits.p[0] == '0' && digits.p[1] != '.'))
        return (struct str){ 0 };
    return dec_text(a, dec_strip(d));
}

void table_entry_init(struct table_entry *e, struct arena *a, struct str key,
                      struct place at)
{
    *e = (struct table_entry){ .key = key, .setting = -1, .at = at };
    e->number = number_of(a, key);
}

/* ---- one line: key = value ---------------------------------------------- */

static struct str rest_of(const struct parser *p)
{
    return str_trim((struct str){ p->p, (size_t)(p->end - p->p) });
}

/* Up to and with the "=". */
static bool parse_key(struct parser *p, struct table_entry *e)
{
    const char *from = p->p, *eq;
    struct str key;

    if (from < p->end && *from == '"') {
        if (!parse_string(p, &key))
            return false;
        *e = (struct table_entry){ .key = key, .setting = -1 };
        parse_blanks(p);
        eq = p->p < p->end && *p->p == '=' ? p->p : NULL;
    } else {
        eq = memchr(from, '=', (size_t)(p->end - from));
        key = str_trim((struct str){ from, eq ? (size_t)(eq - from) : 0 });
        table_entry_init(e, p->a, key, (struct place){ 0 });
        e->glob = glob_is(key);
    }
    e->at = parse_place(p, from, eq ? eq : p->end);
    if (!eq)
        return parse_fail(p, from, "a line of a table is: key = value");
    if (!key.len && *from != '"')
        return parse_fail(p, from,
                          "a key is missing before \"=\"; that of empty values "
                          "is \"\"");
    p->p = eq + 1;
    parse_blanks(p);
    return true;
}

static bool value_setting(struct table_parser *tp, struct table_entry *e)
{
    struct parser *p = &tp->p;
    struct str name = str_from(rest_of(p), 1);
    const char *names[64];
    size_t n = 0;

    for (struct setting *s = tp->m->settings; s; s = s->next) {
        if (str_eq(s->name, name)) {
            s->used = true;
            e->action = TA_SETTING;
            e->setting = s->slot;
            return true;
        }
        if (n < COUNT(names))
            names[n++] = arena_cstr(p->a, s->name);
    }
    DIAG(p->diags, UNKNOWN_SETTING, parse_place(p, p->p, p->end), name,
         did_you_mean(p->a, name, names, n));
    return false;
}

static bool value_error(struct table_parser *tp, struct table_entry *e)
{
    struct parser *p = &tp->p;

    parse_blanks(p);
    if (p->p == p->end || *p->p != '"')
        return parse_fail(p, p->p,
                          "\"error\" is followed by a \"text in quotes\"");
    e->action = TA_ERROR;
    return parse_string(p, &e->value) && parse_end(p);
}

static bool parse_value(struct table_parser *tp, struct table_entry *e)
{
    struct parser *p = &tp->p;
    struct str rest = rest_of(p);

    e->action = TA_VALUE;
    if (!rest.len)
        return parse_fail(p, p->p,
                          "a value is missing after \"=\"; for none write: "
                          "empty");
    if (rest.p[0] == '"')
        return parse_string(p, &e->value) && parse_end(p);
    if (rest.p[0] == '$')
        return value_setting(tp, e);
    if (parse_word(p, "error"))
        return value_error(tp, e);
    if (str_is(rest, "pass"))
        e->action = TA_PASS;
    else if (str_is(rest, "empty"))
        e->action = TA_EMPTY;
    e->value = rest;
    e->is_number = number_of(p->a, rest).p != NULL;
    return true;
}

static void parse_entry(struct table_parser *tp, const struct oline *l)
{
    struct table_entry e;

    parser_init(&tp->p, tp->m, l, l->text, tp->diags);
    if (!parse_key(&tp->p, &e) || !parse_value(tp, &e)) {
        tp->failed = true;
        return;
    }
    table_add(tp->t, &tp->m->arena, &e);
    if (l->child) {
        outline_no_block(l, tp->diags);
        tp->failed = true;
    }
}

/* ---- the first line ----------------------------------------------------- */

static bool parse_column(struct parser *p, const char *word, uint32_t *column)
{
    const char *from;
    uint64_t n;

    parse_blanks(p);
    from = p->p;
    if (parse_word(p, word)) {
        parse_blanks(p);
        from = p->p;
        if (str_to_uint(parse_name(p), 4096, &n) && n) {
            *column = (uint32_t)n;
            return true;
        }
    }
    return parse_fail(p, from,
                      "a table of a file is: table NAME from \"FILE.csv\" "
                      "key COLUMN value COLUMN, by numbers");
}

static bool parse_from(struct table_parser *tp, struct table_file *f)
{
    struct parser *p = &tp->p;
    const char *from;

    parse_blanks(p);
    from = p->p;
    if (p->p == p->end || *p->p != '"')
        return parse_fail(p, from, "the file is named by a \"text in quotes\"");
    if (!parse_string(p, &f->name))
        return false;
    f->at = parse_place(p, from, p->p);
    return parse_column(p, "key", &f->key) &&
           parse_column(p, "value", &f->value) && parse_end(p) &&
           table_load(tp->m, tp->t, f);
}

/* The line itself; the caller read its name and needs it no more. */
static bool parse_head(struct table_parser *tp, const struct oline *line,
                       struct table_file *f)
{
    struct parser *p = &tp->p;

    parser_init(p, tp->m, line, line->text, tp->diags);
    (void)parse_word(p, "table");
    parse_blanks(p);
    (void)parse_name(p);
    if (parse_word(p, "from"))
        return parse_from(tp, f);
    if (!parse_end(p))
        return false;
    if (line->child)
        return true;
    DIAG0(tp->diags, EMPTY_BLOCK, oline_whole(line));
    return false;
}

static void key_twice(void *ctx, const struct table_entry *e)
{
    DIAG((struct diags *)ctx, TABLE_KEY_TWICE, e->at,
         e->key.len ? e->key : STR("\"\""));
}

bool table_parse(struct map *m, const struct oline *block, struct str folder,
                 const struct limits *limits, struct table *t,
                 struct diags *diags)
{
    struct table_file file = { .folder = folder,
                               .limits = limits,
                               .diags = diags };
    struct table_parser tp = { .m = m, .t = t, .diags = diags };

    tp.failed = !parse_head(&tp, block, &file);
    for (const struct oline *l = block->child; l; l = l->next)
        parse_entry(&tp, l);
    table_ready(t, &m->arena, key_twice, diags);
    return !tp.failed;
}
