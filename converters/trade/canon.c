#include "converters/trade/canon.h"

#include <stdio.h>

/* ---- making -------------------------------------------------------------- */

static bool is_left_out(const char *const *without, struct str name)
{
    for (; without && *without; without++)
        if (str_is(name, *without))
            return true;
    return false;
}

static bool counts(const struct shape *s, int i, const char *const *without)
{
    return s->written[i] && !is_left_out(without, shape_field_name(s, i));
}

/* The text that is made; `full`: something did not fit. */
struct text {
    struct buf *out;
    const char *const *without;
    bool full;
};

static void put(struct text *t, struct str s)
{
    t->full = buf_add(t->out, s) == -1 || t->full;
}

static void put_char(struct text *t, char c)
{
    t->full = buf_addc(t->out, c) == -1 || t->full;
}

/* "line:sku", below a list; x.* fields with their prefix. */
static void put_name(struct text *t, const struct shape *s, int i,
                     const char *prefix)
{
    put(t, str_of(prefix));
    put(t, i < s->n_fixed ? STR("") : STR("x."));
    put(t, shape_field_name(s, i));
}

static void put_head(struct text *t, const struct shape *s, const char *prefix)
{
    for (int i = 0; i < s->n_fields; i++)
        if (counts(s, i, s->parent ? NULL : t->without)) {
            put_name(t, s, i, prefix);
            put_char(t, ' ');
        }
    for (int i = 0; i < s->n_lists; i++) {
        const char *name = s->lists[i]->level->name;
        char below[128];

        if (!s->lists[i]->is_written)
            continue;
        snprintf(below, sizeof(below), "%s%s# ", prefix, name);
        put(t, str_of(below));
        snprintf(below, sizeof(below), "%s%s:", prefix, name);
        put_head(t, s->lists[i], below);
    }
}

static void put_escaped(struct text *t, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        switch (s.p[i]) {
        case '\t':
            put(t, STR("\\t"));
            break;
        case '\n':
            put(t, STR("\\n"));
            break;
        case '\\':
            put(t, STR("\\\\"));
            break;
        default:
            put_char(t, s.p[i]);
        }
}

/* 399.90 and 399.9 are the same number, and one text. */
static struct str plain_number(struct str s)
{
    size_t n = s.len;

    if (str_find_char(s, '.') < 0)
        return s;
    while (s.p[n - 1] == '0')
        n--;
    return str_first(s, n - (s.p[n - 1] == '.'));
}

static void put_value(struct text *t, enum field_type type, struct str s)
{
    if (type == FT_DECIMAL || type == FT_PERCENT)
        put(t, plain_number(s));
    else
        put_escaped(t, s);
}

static void put_values(struct text *t, const struct doc *d, const char *prefix)
{
    const struct shape *s = d->shape;

    for (int i = 0; i < s->n_fields; i++)
        if (d->f[i].len && counts(s, i, s->parent ? NULL : t->without)) {
            put_name(t, s, i, prefix);
            put_char(t, '\t');
            put_value(t, shape_type(s, i), d->f[i]);
            put_char(t, '\n');
        }
    for (int i = 0; i < s->n_lists; i++) {
        const char *name = s->lists[i]->level->name;
        char text[160];
        unsigned n = 1;

        if (!s->lists[i]->is_written)
            continue;
        snprintf(text, sizeof(text), "%s%s#\t%u\n", prefix, name,
                 d->lists[i].n);
        put(t, str_of(text));
        for (const struct doc *m = d->lists[i].first; m; m = m->next, n++) {
            snprintf(text, sizeof(text), "%s%s.%u.", prefix, name, n);
            put_values(t, m, text);
        }
    }
}

int canon_text(const struct doc *d, const char *const *without, struct buf *out)
{
    struct text t = { .out = out, .without = without };

    put_head(&t, d->shape, "");
    put_char(&t, '\n');
    put_values(&t, d, "");
    return t.full ? -1 : 0;
}

static void put_counted(struct text *t, struct str s)
{
    uint32_t len = (uint32_t)s.len;

    put(t, (struct str){ (const char *)&len, sizeof(len) });
    put(t, s);
}

static void put_bytes(struct text *t, const struct doc *d)
{
    const struct shape *s = d->shape;

    for (int i = 0; i < s->n_fields; i++) {
        enum field_type type = shape_type(s, i);

        if (!d->f[i].len || !counts(s, i, s->parent ? NULL : t->without))
            continue;
        put_char(t, i < s->n_fixed ? 'f' : 'x');
        put_counted(t, shape_field_name(s, i));
        put_counted(t, type == FT_DECIMAL || type == FT_PERCENT
                           ? plain_number(d->f[i])
                           : d->f[i]);
    }
    for (int i = 0; i < s->n_lists; i++)
        for (const struct doc *m = d->lists[i].first;
             m && s->lists[i]->is_written; m = m->next) {
            put_char(t, '(');
            put_counted(t, str_of(s->lists[i]->level->name));
            put_bytes(t, m);
            put_char(t, ')');
        }
}

int canon_bytes(const struct doc *d, const char *const *without,
                struct buf *out)
{
    struct text t = { .out = out, .without = without };

    put_bytes(&t, d);
    return t.full ? -1 : 0;
}

/* ---- comparing ----------------------------------------------------------- */

enum { TOLD = 4, SHOWN = 40 };

static struct str take_line(struct str *rest)
{
    ptrdiff_t nl = str_find_char(*rest, '\n');
    struct str line = str_first(*rest, nl < 0 ? rest->len : (size_t)nl);

    *rest = str_from(*rest, line.len + (nl >= 0));
    return line;
}

/* "line.12.attribute.1.name" is the field "line:attribute:name". */
static struct str field_of(struct arena *a, struct str name)
{
    char *p = arena_text(a, name.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < name.len; i++) {
        size_t digits = i + 1;

        while (name.p[i] == '.' && digits < name.len && name.p[digits] >= '0' &&
               name.p[digits] <= '9')
            digits++;
        if (digits > i + 1 && digits < name.len && name.p[digits] == '.') {
            p[n++] = ':';
            i = digits;
        } else {
            p[n++] = name.p[i];
        }
    }
    return (struct str){ p, n };
}

static bool head_has(struct str head, struct str field)
{
    while (head.len) {
        ptrdiff_t blank = str_find_char(head, ' ');
        struct str one = str_first(head, blank < 0 ? head.len : (size_t)blank);

        if (str_eq(one, field))
            return true;
        head = str_from(head, one.len + 1);
    }
    return false;
}

struct told {
    struct arena *a;
    struct buf b;
    unsigned n;
};

/* Cut between characters. */
static struct str shown(struct str value)
{
    size_t n = SHOWN;

    if (value.len > n)
        while (n && ((unsigned char)value.p[n] & 0xc0) == 0x80)
            n--;
    return value.len ? str_first(value, n) : STR("nothing");
}

static void tell(struct told *t, struct str name, struct str was,
                 struct str now)
{
    if (t->n < TOLD)
        (void)buf_addf(&t->b, "%s%.*s %.*s -> %.*s", t->n ? ", " : "",
                       STR_ARGS(name), STR_ARGS(shown(was)),
                       STR_ARGS(shown(now)));
    else if (t->n == TOLD)
        (void)buf_addz(&t->b, ", ...");
    t->n++;
}

static void split(struct str line, struct str *name, struct str *value)
{
    ptrdiff_t tab = str_find_char(line, '\t');

    *name = str_first(line, tab < 0 ? line.len : (size_t)tab);
    *value =
        tab < 0 ? (struct str){ NULL, 0 } : str_from(line, (size_t)tab + 1);
}

/* Where a name stands in the text behind its head: both are in the order of
 * the same table, so it is nearly always the next line. */
static bool find_value(struct str text, struct str *near, struct str name,
                       struct str *value)
{
    for (int turn = 0; turn < 2; turn++) {
        struct str rest = turn ? text : *near;

        while (rest.len) {
            struct str n, line = take_line(&rest);

            split(line, &n, value);
            if (!str_eq(n, name))
                continue;
            *near = rest;
            return true;
        }
    }
    *value = (struct str){ NULL, 0 };
    return false;
}

/*
 * Values of `one` that `other` knows as a field, and has differently; with
 * only_gone those that it has not at all. When more differ than are told, it is
 * over: the answer is known.
 */
static void compare(struct told *t, struct str one, struct str other,
                    struct str other_head, bool only_gone)
{
    struct str near = other;

    while (one.len && t->n <= TOLD) {
        struct str name, value, theirs, line = take_line(&one);
        bool has;

        split(line, &name, &value);
        if (!head_has(other_head, field_of(t->a, name)))
            continue;
        has = find_value(other, &near, name, &theirs);
        if (only_gone ? has : has && str_eq(value, theirs))
            continue;
        tell(t, name, only_gone ? value : theirs, only_gone ? theirs : value);
    }
}

bool canon_differ(struct str was, struct str now, struct arena *a,
                  struct str *what)
{
    struct told t = { .a = a };
    struct str was_head, now_head;

    *what = STR("");
    if (str_eq(was, now))
        return false;
    was_head = take_line(&was);
    now_head = take_line(&now);
    buf_init(&t.b, KB(4));
    compare(&t, now, was, was_head, false);
    compare(&t, was, now, now_head, true);
    *what = arena_str(a, buf_str(&t.b));
    buf_release(&t.b);
    return t.n > 0;
}
