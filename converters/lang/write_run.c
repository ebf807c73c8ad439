#include "converters/lang/write_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/base/text.h"
#include "converters/base/utf8.h"
#include "converters/lang/eval.h"
#include "converters/lang/table.h"

/* One document may become this many times larger than it was. */
enum { FLUSH_AT = 256 * 1024, OUT_PER_IN = 16 };

/* ---- faults and replacements -------------------------------------------- */

/* The field that an expression is about: the first one in it. */
static const struct expr *first_field(const struct expr *e)
{
    if (e->kind == E_FIELD)
        return e;
    if (e->driver.is_on)
        return NULL;
    for (const struct expr *x = e->args; x; x = x->next) {
        const struct expr *f = first_field(x);

        if (f)
            return f;
    }
    return NULL;
}

static void raise_fault(void *ctx, const struct fault *f)
{
    struct write_run *w = ctx;
    const struct expr *e = w->node ? first_field(w->node->rule->e) : NULL;
    struct fault g = *f;

    g.doc = w->innermost;
    g.field = -1;
    if (e && w->innermost && w->run.scope[e->depth]) {
        g.doc = w->run.scope[e->depth];
        g.field = e->index < e->shape->n_fixed ? e->index : -1;
    }
    w->fault(w->ctx, &g);
}

/* Counted per character, and noted until the document is kept or undone. */
static void count_replaced(void *ctx, uint32_t cp)
{
    struct write_run *w = ctx;
    size_t i = 0;

    w->n_replaced++;
    while (i < w->n_distinct && w->replaced[i].cp != cp)
        i++;
    if (i == MAX_REPLACED)
        return;
    if (i == w->n_distinct)
        w->replaced[w->n_distinct++] = (struct replaced){ .cp = cp };
    w->replaced[i].n++;
    if (w->n_tried < COUNT(w->tried))
        w->tried[w->n_tried++] = (uint8_t)i;
}

static void undo_replaced(struct write_run *w)
{
    w->n_replaced = w->replaced_before;
    while (w->n_tried)
        w->replaced[w->tried[--w->n_tried]].n--;
}

/* The map's table, then the country's, then that for all. */
static bool find_fallback(void *ctx, uint32_t cp, struct str *text)
{
    struct write_run *w = ctx;
    const struct map *m = w->map;
    const struct fallback *f;

    if (m->unmappable == UNMAPPABLE_TABLE) {
        char bytes[4];
        struct val v = val_text((struct str){ bytes, utf8_put(bytes, cp) });
        const struct table_entry *e =
            table_find(&w->run, m->unmappable_table, &v);

        if (e && (e->action == TA_VALUE || e->action == TA_EMPTY)) {
            *text = e->action == TA_VALUE ? e->value : STR("");
            return true;
        }
    }
    if (m->unmappable == UNMAPPABLE_FAIL)
        return false;
    f = fallback_find(m->country.len ? m->country : w->country, cp);
    if (!f)
        f = fallback_find(STR(""), cp);
    if (f) {
        *text = str_of(f->text);
        return true;
    }
    if (m->unmappable == UNMAPPABLE_REPLACE) {
        *text = m->unmappable_text;
        return true;
    }
    return false;
}

static struct str char_name(struct write_run *w, uint32_t cp)
{
    char bytes[4];
    unsigned n = utf8_put(bytes, cp);

    if (cp < 0x20 || cp == 0x7f)
        return arena_fmt(&w->values, "U+%04X", cp);
    return arena_fmt(&w->values, "\"%.*s\" (U+%04X)", (int)n, bytes, cp);
}

/* The sink refused a value: says which character and why. */
bool write_sink_fault(struct write_run *w, struct sink *s, const struct node *n)
{
    struct place at = n->rule ? n->rule->at : n->at;
    struct str cp = char_name(w, s->bad_cp), cs = str_of(w->map->charset->name);

    switch (s->fault) {
    case DIAG_UNMAPPABLE:
        return RUN_FAULT(&w->run, UNMAPPABLE, at, NULL, cp, cs,
                         STR("; a table can say what stands for it: "
                             "unmappable via TABLE"));
    case DIAG_UNMAPPABLE_KEY:
        return RUN_FAULT(&w->run, UNMAPPABLE_KEY, at, NULL, cp, cs,
                         n->part.name);
    case DIAG_FORMULA_KEY:
        return RUN_FAULT(&w->run, FORMULA_KEY, at, NULL, cp, n->part.name);
    case DIAG_CONTROL_CHAR:
        return RUN_FAULT(&w->run, CONTROL_CHAR, at, NULL, cp,
                         str_of(w->map->format->name));
    case DIAG_ATTRIBUTE_TWICE:
        return RUN_FAULT(&w->run, ATTRIBUTE_TWICE, at, NULL, n->part.name);
    case DIAG_CSV_NO_QUOTE:
        return RUN_FAULT(&w->run, CSV_NO_QUOTE, at, NULL, cp);
    default:
        return RUN_FAULT(
            &w->run, LIMIT, at, NULL, STR("what is made of one document"),
            arena_fmt(&w->values, "%llu bytes, %d times that of document",
                      (unsigned long long)OUT_PER_IN *
                          w->limits->v[LIMIT_DOCUMENT],
                      OUT_PER_IN),
            STR("document"));
    }
}

/*
 * Writes a value through one of the format's operations. What does not fit
 * into the charset is tried once more composed: macOS and some shops send "e"
 * and an accent as two characters.
 */
static bool put_value(struct write_run *w, struct sink *s, const struct node *n,
                      int (*put)(struct sink *, const struct part *,
                                 struct str),
                      struct str v)
{
    struct sink_mark before = sink_mark(s);
    struct str composed;

    s->is_key = n->is_key;
    if (put(s, &n->part, v) == 0)
        return true;
    if (s->fault == DIAG_UNMAPPABLE || s->fault == DIAG_UNMAPPABLE_KEY) {
        composed = text_nfc(&w->values, v);
        sink_rewind(s, before);
        if (!str_eq(composed, v) && put(s, &n->part, composed) == 0)
            return true;
    }
    return write_sink_fault(w, s, n);
}

/* An element is opened; at the outermost level there may be only one. */
static bool open_element(struct write_run *w, struct sink *s,
                         const struct node *n)
{
    if (n->part.depth == 0) {
        if (s->state.has_root)
            return RUN_FAULT(&w->run, ONE_ROOT, n->at, NULL,
                             STR("this would be a second one"));
        s->state.has_root = true;
    }
    return w->ops->open(s, &n->part) == 0 || write_sink_fault(w, s, n);
}

bool write_has_root(struct write_run *w, const struct sink *s)
{
    if (w->map->format->rows || s->state.has_root)
        return true;
    return run_fault(&w->run, DIAG_NO_ROOT, w->map->root->at, NULL, NULL, 0);
}

static int64_t next_count(void *ctx, struct str name)
{
    struct write_run *w = ctx;

    return w->counter(w->ctx, name);
}

/* ---- nodes -------------------------------------------------------------- */

static bool exec(struct write_run *w, struct sink *s, const struct node *n,
                 bool *content);

/* A field as it stands, or a text that is fixed for the run: see
 * rule_is_direct(). false: it must be evaluated after all. */
static bool direct_value(const struct run *r, const struct rule *rule,
                         struct str *out)
{
    const struct expr *e = rule->e;

    *out = e->kind == E_FIELD   ? r->scope[e->depth]->f[e->index]
           : e->kind == E_CONST ? e->value.s
                                : r->info->settings[e->index];
    for (const struct clause *c = rule->clauses; c; c = c->next)
        if (!eval_surely_fits(r, *out, c->n))
            return false;
    return true;
}

/* The node's value as text. *there: it is written. False: a fault. */
static bool node_value(struct write_run *w, const struct node *n,
                       struct str *out, bool *there)
{
    struct run *r = &w->run;
    struct val v;
    bool holds;

    w->node = n;
    if (n->rule->direct && direct_value(r, n->rule, out)) {
        *there = out->len > 0 || n->keep;
        return true;
    }
    *there = false;
    *out = STR("");
    if (n->rule->when) {
        if (!eval_cond(r, n->rule->when, &holds))
            return false;
        if (!holds)
            return true;
    }
    if (!eval_rule(r, n->rule, &v))
        return false;
    if (!val_is_empty(&v))
        *out = val_str(r, &v);
    *there = out->len > 0 || n->keep;
    return true;
}

/* A condition: a fault in it is not one of the value written last. */
static bool node_holds(struct write_run *w, const struct node *n, bool *holds)
{
    *holds = true;
    w->node = NULL;
    return !n->cond || eval_cond(&w->run, n->cond, holds);
}

bool write_children(struct write_run *w, struct sink *s, const struct node *n,
                    bool *content)
{
    for (n = n->child; n; n = n->next)
        if (!exec(w, s, n, content))
            return false;
    return true;
}

static bool exec_value_element(struct write_run *w, struct sink *s,
                               const struct node *n, bool *content)
{
    struct str v;
    bool there, inner = false;

    if (!node_value(w, n, &v, &there))
        return false;
    if (!there)
        return true;
    *content = true;
    if (!n->child && n->part.depth > 0)
        return put_value(w, s, n, w->ops->leaf, v);
    if (!open_element(w, s, n))
        return false;
    if (!write_children(w, s, n, &inner))
        return false;
    if (v.len && !put_value(w, s, n, w->ops->text, v))
        return false;
    return w->ops->close(s, &n->part) == 0 || write_sink_fault(w, s, n);
}

/* One without content is left out: written first, taken back then. */
static bool exec_outer_element(struct write_run *w, struct sink *s,
                               const struct node *n, bool *content)
{
    struct sink_mark before = sink_mark(s);
    bool inner = false;

    w->node = NULL;
    if (!open_element(w, s, n))
        return false;
    if (!write_children(w, s, n, &inner))
        return false;
    if (!inner && !n->keep && n->part.depth > 0) {
        sink_rewind(s, before);
        return true;
    }
    *content = true;
    return w->ops->close(s, &n->part) == 0 || write_sink_fault(w, s, n);
}

static bool exec_element(struct write_run *w, struct sink *s,
                         const struct node *n, bool *content)
{
    bool holds = true;

    if (n->cond && !node_holds(w, n, &holds))
        return false;
    if (!holds)
        return true;
    return n->rule ? exec_value_element(w, s, n, content)
                   : exec_outer_element(w, s, n, content);
}

static bool exec_attribute(struct write_run *w, struct sink *s,
                           const struct node *n, bool *content)
{
    struct str v;
    bool there;

    if (!node_value(w, n, &v, &there))
        return false;
    if (!there)
        return true;
    *content = true;
    return put_value(w, s, n, w->ops->value, v);
}

static bool exec_text(struct write_run *w, struct sink *s, const struct node *n,
                      bool *content)
{
    struct str v;
    bool there;

    if (!node_value(w, n, &v, &there))
        return false;
    if (!there)
        return true;
    *content = true;
    return put_value(w, s, n, w->ops->text, v);
}

static bool exec_list(struct write_run *w, struct sink *s, const struct node *n,
                      bool *content)
{
    struct run *r = &w->run;
    const struct doc *outer = w->innermost;
    struct doc *m = r->scope[n->depth - 1]->lists[n->list].first;
    bool ok = true, holds;

    r->index[n->depth] = 0;
    for (; ok && m; m = m->next) {
        r->scope[n->depth] = m;
        w->innermost = m;
        r->index[n->depth]++;
        ok = node_holds(w, n, &holds);
        if (ok && holds)
            ok = write_children(w, s, n, content);
        if (!holds)
            r->index[n->depth]--;
    }
    w->innermost = outer;
    return ok;
}

static bool exec_when(struct write_run *w, struct sink *s, const struct node *n,
                      bool *content)
{
    bool holds;

    if (!node_holds(w, n, &holds))
        return false;
    return !holds || write_children(w, s, n, content);
}

static bool exec_name(struct write_run *w, struct sink *s, const struct node *n,
                      bool *content)
{
    struct val *v = &w->run.names[n->slot];
    bool holds = true;

    (void)s;
    (void)content;
    *v = val_empty(); /* never the document's before */
    if (n->rule->when && !eval_cond(&w->run, n->rule->when, &holds))
        return false;
    return !holds || eval_rule(&w->run, n->rule, v);
}

static bool exec_row(struct write_run *w, struct sink *s, const struct node *n,
                     bool *content)
{
    bool holds;

    if (!node_holds(w, n, &holds))
        return false;
    if (!holds)
        return true;
    if (w->ops->open(s, &n->part) == -1)
        return write_sink_fault(w, s, n);
    if (!write_children(w, s, n, content))
        return false;
    *content = true;
    return w->ops->close(s, &n->part) == 0 || write_sink_fault(w, s, n);
}

/* A column has its place in every row, empty or not. */
static bool exec_cell(struct write_run *w, struct sink *s, const struct node *n,
                      bool *content)
{
    struct str v;
    bool there;

    (void)content;
    if (!node_value(w, n, &v, &there))
        return false;
    return put_value(w, s, n, w->ops->value, v);
}

static bool exec_each_doc(struct write_run *w, struct sink *s,
                          const struct node *n, bool *content)
{
    (void)w;
    (void)s;
    (void)n;
    (void)content;
    abort(); /* a step of its own */
}

static bool (*const execs[])(struct write_run *, struct sink *,
                             const struct node *, bool *) = {
    [N_ELEMENT] = exec_element, [N_ATTRIBUTE] = exec_attribute,
    [N_TEXT] = exec_text,       [N_EACH_DOC] = exec_each_doc,
    [N_EACH_LIST] = exec_list,  [N_WHEN] = exec_when,
    [N_NAME] = exec_name,       [N_ROW] = exec_row,
    [N_CELL] = exec_cell,
};

static bool exec(struct write_run *w, struct sink *s, const struct node *n,
                 bool *content)
{
    return execs[n->kind](w, s, n, content);
}

/* ---- the body around the documents -------------------------------------- */

static size_t add_step(struct step_list *l, enum step_kind kind,
                       const struct node *n)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->v = xrealloc(l->v, l->cap * sizeof(*l->v));
    }
    l->v[l->n] = (struct wstep){ .kind = kind, .node = n };
    return l->n++;
}

static void flatten(struct step_list *l, const struct node *n)
{
    for (; n; n = n->next) {
        size_t at;

        if (!n->has_doc_inside) {
            add_step(l, ST_NODE, n);
        } else if (n->kind == N_EACH_DOC) {
            add_step(l, ST_EACH, n);
            l->n_each++;
        } else if (n->kind == N_WHEN) {
            at = add_step(l, ST_WHEN, n);
            flatten(l, n->child);
            l->v[at].jump = l->n;
        } else {
            at = add_step(l, ST_OPEN, n);
            flatten(l, n->child);
            add_step(l, ST_CLOSE, n);
            l->v[at].jump = l->n;
        }
    }
}

/* A $name of the whole file outlives the document that began it. */
static bool keep_name(struct write_run *w, const struct node *n)
{
    struct val *v = n->kind == N_NAME ? &w->run.names[n->slot] : NULL;

    if (v && v->s.p)
        v->s = arena_str(&w->own, v->s);
    return true;
}

static bool run_step(struct write_run *w, struct sink *s, struct output *o)
{
    const struct wstep *t = &w->steps->v[o->step++];
    const struct expr *cond = t->node->cond;
    bool content = false, holds = true;

    switch (t->kind) {
    case ST_NODE:
        return exec(w, s, t->node, &content) && keep_name(w, t->node);
    case ST_CLOSE:
        return w->ops->close(s, &t->node->part) == 0 ||
               write_sink_fault(w, s, t->node);
    case ST_WHEN:
    case ST_OPEN:
        if (cond && !eval_cond(&w->run, cond, &holds))
            return false;
        if (!holds)
            o->step = t->jump;
        if (!holds || t->kind == ST_WHEN)
            return true;
        return open_element(w, s, t->node);
    case ST_EACH:
        break;
    }
    return true;
}

/* Runs the output's body up to the next `each DOCUMENT`, or to its end. */
bool write_steps(struct write_run *w, struct sink *s, struct output *o)
{
    while (o->step < w->steps->n && w->steps->v[o->step].kind != ST_EACH)
        if (!run_step(w, s, o))
            return false;
    return true;
}

const struct node *write_each_node(const struct write_run *w,
                                   const struct output *o)
{
    return o->step < w->steps->n ? w->steps->v[o->step].node : NULL;
}

/* UTF-16 without a mark is a guess for most programs, and no XML at all. */
static bool has_bom(const struct map *m)
{
    return m->bom == BOM_BY_CHARSET ? m->charset->kind == CS_UTF16
                                    : m->bom == BOM_YES;
}

bool write_begin_file(struct write_run *w, struct sink *s, struct output *o)
{
    if (has_bom(w->map) && sink_bytes(s, charset_bom(w->map->charset)) == -1)
        return write_sink_fault(w, s, w->map->root);
    if (w->ops->begin(s, &w->map->plan_out) == -1)
        return write_sink_fault(w, s, w->map->root);
    return write_steps(w, s, o);
}

/* ---- one document ------------------------------------------------------- */

/* Is the document for this map at all? `each order where ...` */
bool write_lets_through(struct write_run *w, const struct node *each,
                        bool *holds)
{
    *holds = true;
    return !each || !each->cond || eval_cond(&w->run, each->cond, holds);
}

/* The first each of the body: what decides before there is an output. */
static const struct node *first_each(const struct write_run *w)
{
    for (size_t i = 0; i < w->steps->n; i++)
        if (w->steps->v[i].kind == ST_EACH)
            return w->steps->v[i].node;
    return NULL;
}

void write_begin_document(struct write_run *w, struct doc *d)
{
    arena_reset(&w->values);
    w->node = NULL;
    w->run.scope[0] = d;
    w->innermost = d;
    w->run.failed = false;
    w->run.record_index = d->seq;
    w->skipped = false;
    w->target_is_new = false;
    w->index_before = w->run.index[0];
    w->replaced_before = w->n_replaced;
    w->n_tried = 0;
}

bool write_try(struct write_run *w, struct doc *d)
{
    bool holds, content = false, ok;
    struct sink *s;

    write_begin_document(w, d);
    w->target = NULL;
    if (!write_lets_through(w, first_each(w), &holds))
        return false;
    if (!holds) {
        w->skipped = true;
        return true;
    }
    w->run.index[0]++; /* the file's name may tell it */
    w->target = output_for(w, &w->target_is_new);
    s = w->target ? output_sink(w, w->target) : NULL;
    if (!s) { /* there is nothing to undo in a file that is not open */
        w->run.index[0] = w->index_before;
        if (w->target && w->target_is_new)
            output_drop_last(w);
        w->target = NULL;
        return false;
    }
    w->before = sink_mark(s);
    ok = !w->target_is_new || write_begin_file(w, s, w->target);
    if (ok && write_each_node(w, w->target))
        ok = write_children(w, s, write_each_node(w, w->target), &content);
    if (ok && w->map->per_n == 1)
        ok = write_has_root(w, s);
    if (!ok || w->run.failed) {
        write_undo(w);
        return false;
    }
    return true;
}

void write_undo(struct write_run *w)
{
    if (w->skipped || !w->target)
        return;
    sink_rewind(&w->target->slot->sink, w->before);
    w->run.index[0] = w->index_before;
    undo_replaced(w);
    if (w->target_is_new)
        output_drop_last(w);
    w->target = NULL;
}

static bool finish_output(struct write_run *w, struct output *o)
{
    struct sink *s = output_sink(w, o);

    if (!s)
        return false;
    w->innermost = NULL;
    w->node = NULL;
    if (o->step < w->steps->n)
        o->step++; /* past the each */
    if (!write_steps(w, s, o) || !write_has_root(w, s))
        return false;
    if (w->ops->end(s) == -1)
        return write_sink_fault(w, s, w->map->root);
    o->is_done = true;
    return true;
}

bool write_keep(struct write_run *w)
{
    struct output *o = w->target;

    if (w->skipped || !o)
        return true;
    o->n_documents++;
    w->n_written++;
    if (w->map->per_n && o->n_documents == w->map->per_n)
        return finish_output(w, o) && outputs_close(w);
    if (o->slot->sink.out.len >= FLUSH_AT)
        return output_flush(w, o);
    return true;
}

bool write_finish(struct write_run *w)
{
    for (size_t i = 0; i < w->n_outputs; i++)
        if (!w->outputs[i]->is_done && !finish_output(w, w->outputs[i]))
            return false;
    return outputs_close(w);
}

/* ---- life --------------------------------------------------------------- */

void write_run_init(struct write_run *w, const struct map *map,
                    const struct limits *limits, const struct run_info *info)
{
    *w = (struct write_run){
        .map = map, .ops = map->format->write, .limits = limits, .out_fd = -1
    };
    w->run =
        (struct run){ .map = map,
                      .a = &w->values,
                      .info = info,
                      .raise = raise_fault,
                      .counter = next_count,
                      .fallback = find_fallback,
                      .long_stand_ins = map->unmappable != UNMAPPABLE_BUILTIN,
                      .ctx_of = w };
    w->run.names = xcalloc((size_t)map->n_names, sizeof(struct val));
    w->run.aggregates = xcalloc((size_t)map->n_aggregates, sizeof(struct val));
    w->run.shares = xcalloc((size_t)map->n_shares, sizeof(struct share));
    w->steps = xcalloc(1, sizeof(*w->steps));
    flatten(w->steps, map->root);
    w->n_slots = map->per ? limits->v[LIMIT_OPEN_FILES] : 1;
    w->slots = xcalloc(w->n_slots, sizeof(*w->slots));
    for (size_t i = 0; i < w->n_slots; i++) {
        struct sink *s = &w->slots[i].sink;

        sink_init(s, map->charset);
        s->out.max = FLUSH_AT + OUT_PER_IN * limits->v[LIMIT_DOCUMENT];
        s->newline = map->newline;
        s->fallback = find_fallback;
        s->replaced = count_replaced;
        s->ctx = w;
    }
}

bool write_needs_all(const struct write_run *w)
{
    return w->map->two_passes || w->steps->n_each > 1;
}

bool write_reset(struct write_run *w)
{
    outputs_forget(w);
    w->io_failed = false; /* it was over a limit at most */
    w->n_written = w->n_replaced = 0;
    w->n_distinct = 0;
    memset(w->run.index, 0, sizeof(w->run.index));
    if (w->staging || w->out_fd == -1)
        return true;
    /* The one descriptor: from its beginning again. A device is not cut. */
    if (ftruncate(w->out_fd, 0) == -1 && errno != EINVAL)
        w->io_failed = true;
    if (!w->io_failed && lseek(w->out_fd, 0, SEEK_SET) != -1)
        return true;
    w->io_failed = true;
    err_sys(&w->err, ERR_RETRY, "cannot begin the output again");
    return false;
}

void write_run_release(struct write_run *w)
{
    outputs_forget(w);
    for (size_t i = 0; i < w->n_slots; i++)
        sink_release(&w->slots[i].sink);
    free(w->slots);
    free(w->steps->v);
    free(w->steps);
    free(w->outputs);
    free(w->run.names);
    free(w->run.aggregates);
    free(w->run.shares);
    arena_release(&w->values);
    arena_release(&w->own);
}
