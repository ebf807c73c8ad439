/*
 * xml_run.h - one run of the XML reader over a text in memory, for t_xml.c and
 * t_xml_hostile.c. What comes out is one line of text: see show_item().
 *
 * Plans are written in a line, too:
 *
 *   "x y/z @id y/@k a/. I* p:q flag?"
 *
 * are the wants below a record: children, paths, attributes, an element's own
 * text, a glob, a name of namespace "urn:p", one whose text is not read. A
 * leading "!" on the whole line ignores namespaces. Items come back as
 *
 *   x=text y(z=text) @id=text .=text
 */
#ifndef TESTS_UNIT_XML_RUN_H
#define TESTS_UNIT_XML_RUN_H

#include "formats/format.h"
#include "formats/input.h"
#include "tests/unit/unit.h"

extern const struct format format_xml;

static inline struct want *want_child(struct arena *a, struct want *parent,
                                      struct str step, bool any_uri)
{
    struct want w = { .kind = WANT_ELEMENT, .parent = parent }, *made;
    struct want **link = &parent->child;

    w.any_uri = any_uri;
    if (str_starts(step, STR("@"))) {
        w.kind = WANT_ATTRIBUTE;
        step = str_from(step, 1);
    }
    if (str_is(step, "."))
        w.kind = WANT_SELF;
    if (step.len > 2 && step.p[1] == ':') {
        w.uri = arena_fmt(a, "urn:%c", step.p[0]);
        step = str_from(step, 2);
    }
    w.name = step;
    w.is_glob = str_find_char(step, '*') >= 0;
    for (; *link; link = &(*link)->next)
        if ((*link)->kind == w.kind && str_eq((*link)->name, w.name) &&
            str_eq((*link)->uri, w.uri))
            return *link;
    made = arena_alloc(a, sizeof(*made));
    *made = w;
    return *link = made;
}

/* Adds what `line` names below `top`. */
static inline void want_parse(struct arena *a, struct want *top,
                              const char *line)
{
    struct str rest = str_of(line);
    bool any_uri = str_starts(rest, STR("!"));

    if (any_uri)
        rest = str_from(rest, 1);
    while (rest.len) {
        ptrdiff_t end = str_find_char(rest, ' ');
        struct str path = str_first(rest, end < 0 ? rest.len : (size_t)end);
        bool reads = !str_ends(path, STR("?"));
        struct want *w = top;

        rest = str_from(rest, path.len + 1);
        if (!reads)
            path.len--;
        while (path.len) {
            ptrdiff_t slash = str_find_char(path, '/');
            size_t n = slash < 0 ? path.len : (size_t)slash;

            w = want_child(a, w, str_first(path, n), any_uri);
            path = str_from(path, n + 1);
        }
        w->needs_text |= reads;
    }
}

static inline void show_item(struct buf *out, const struct item *it,
                             bool places, uint32_t lines_before)
{
    if (it->want->kind == WANT_SELF) {
        buf_addc(out, '.');
    } else {
        buf_addz(out, it->want->kind == WANT_ATTRIBUTE ? "@" : "");
        buf_add(out, it->name);
    }
    if (places)
        buf_addf(out, "@%u:%u", it->line - lines_before, it->col);
    if (it->text.p) {
        buf_addc(out, '=');
        buf_add(out, it->text);
    }
    if (!it->child)
        return;
    buf_addc(out, '(');
    for (const struct item *c = it->child; c; c = c->next) {
        show_item(out, c, places, lines_before);
        if (c->next)
            buf_addc(out, ' ');
    }
    buf_addc(out, ')');
}

/* ---- one run of the reader ------------------------------------------------
 */

struct run {
    struct str text;
    size_t head, at; /* `head` bytes at once, then one by one */
    struct buf out;
    bool places, raw, shows_root;
    uint32_t lines_before;
    struct reader r;
    int stop_after;
    int (*sink)(void *ctx, struct item *record); /* NULL: on_record */
    void *sink_data;
    const struct cut *cut; /* NULL: nothing is copied */
    size_t names_used;     /* of reader->names at the end */
    enum diag_id fault;
    uint32_t fault_line, fault_col;
};

static inline ptrdiff_t pull(void *ctx, char *to, size_t n)
{
    struct run *run = ctx;
    size_t left = run->text.len - run->at;

    if (run->at < run->head && n > run->head - run->at)
        n = run->head - run->at;
    else if (run->at >= run->head)
        n = 1;
    if (n > left)
        n = left;
    memcpy(to, run->text.p + run->at, n);
    run->at += n;
    return (ptrdiff_t)n;
}

static inline int on_record(void *ctx, struct item *record)
{
    struct run *run = ctx;

    if (run->shows_root) {
        buf_addc(&run->out, '[');
        for (const struct item *c = run->r.root->child; c; c = c->next) {
            show_item(&run->out, c, run->places, run->lines_before);
            if (c->next)
                buf_addc(&run->out, ' ');
        }
        buf_addc(&run->out, ']');
    }
    if (run->raw)
        buf_add(&run->out, (struct str){ run->text.p + record->raw_offset,
                                         record->raw_len });
    else
        show_item(&run->out, record, run->places, run->lines_before);
    buf_addc(&run->out, '|');
    arena_reset(&run->r.arena);
    return run->stop_after && --run->stop_after == 0 ? 7 : 0;
}

static inline void on_fault(void *ctx, enum diag_id id, bool fatal,
                            uint32_t line, uint32_t col, const struct str *args,
                            size_t n_args)
{
    struct run *run = ctx;

    assert_true(fatal);
    run->fault = id;
    run->fault_line = line - run->lines_before;
    run->fault_col = col;
    buf_addf(&run->out, "!%s %u:%u", diag_table[id].name, run->fault_line, col);
    for (size_t i = 0; i < n_args; i++)
        buf_addf(&run->out, " %.*s", STR_ARGS(args[i]));
}

struct setup {
    const char *record, *wants, *root;
    const struct charset *cs;
    bool trim;
    struct limits limits;
};

static inline void plan_make(struct arena *a, struct plan *plan,
                             const struct setup *set)
{
    struct want *top = arena_alloc(a, sizeof(*top));
    bool any = set->record[1] == '/';

    want_parse(a, top, set->record + (any ? 2 : 1));
    if (set->wants && set->wants[0] == '!')
        for (struct want *w = top->child; w; w = w->child)
            w->any_uri = true;
    plan->path = top->child;
    plan->anywhere = any;
    plan->record = arena_alloc(a, sizeof(*plan->record));
    if (set->wants && strcmp(set->wants, ".") == 0)
        plan->record->needs_text = true;
    else
        want_parse(a, plan->record, set->wants ? set->wants : "");
    if (!set->root)
        return;
    plan->root = arena_alloc(a, sizeof(*plan->root));
    want_parse(a, plan->root, set->root);
}

static inline int run_reader(struct run *run, const struct setup *set)
{
    struct arena names = { 0 };
    struct plan plan = { 0 };
    static struct input in;
    int rc;

    plan_make(&names, &plan, set);
    input_init(&in, pull, run, set->cs, MB(512), "XML");
    run->r = (struct reader){
        .plan = &plan,
        .in = &in,
        .limits = &set->limits,
        .names = &names,
        .trim = set->trim,
        .cut = run->cut,
        .sink = run->sink ? run->sink : on_record,
        .fault = on_fault,
        .ctx = run,
    };
    run->shows_root = set->root != NULL;
    rc = format_xml.read(&run->r);
    input_release(&in);
    arena_release(&run->r.arena);
    run->names_used = names.used;
    arena_release(&names);
    return rc;
}

static inline void repeat(struct buf *b, const char *z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addz(b, z);
}

#endif
