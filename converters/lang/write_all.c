/*
 * write_all.c - two passes: a map that looks over all documents, or goes over
 * them more than once, gets them from disk as often as it needs.
 */
#include "converters/lang/func.h"
#include "converters/lang/write_inside.h"

enum { FLUSH_AT = 256 * 1024 };

/* All documents through the each at which the output stands. */
static bool write_each(struct write_run *w, struct output *o, bool first)
{
    const struct node *each = write_each_node(w, o);
    struct doc *d = w->next_doc(w->ctx, true);
    bool ok = true;

    w->run.index[0] = 0;
    for (; d && !w->io_failed; d = w->next_doc(w->ctx, false)) {
        struct sink *s = output_sink(w, o);
        bool content = false, holds;

        if (!s)
            return false;
        write_begin_document(w, d);
        w->before = sink_mark(s);
        if (!write_lets_through(w, each, &holds) ||
            (holds &&
             (w->run.index[0]++, !write_children(w, s, each, &content)))) {
            sink_rewind(s, w->before);
            ok = false;
        } else if (holds && first) {
            o->n_documents++;
            w->n_written++;
        }
        if (s->out.len >= FLUSH_AT && !output_flush(w, o))
            return false;
    }
    return ok && !w->io_failed;
}

/* One file per document or key: each document runs through all steps. */
static bool write_each_own(struct write_run *w)
{
    struct doc *d = w->next_doc(w->ctx, true);
    bool ok = true;

    for (; d && !w->io_failed; d = w->next_doc(w->ctx, false)) {
        if (!write_try(w, d))
            ok = false;
        else if (!write_keep(w))
            return false;
    }
    return ok && !w->io_failed && write_finish(w);
}

static struct doc *all_docs(void *ctx, bool rewind)
{
    struct write_run *w = ctx;

    return w->next_doc(w->ctx, rewind);
}

/* count(order), sum(order.total.gross): known before anything is written. */
static bool compute_aggregates(struct write_run *w)
{
    w->run.all_docs = all_docs;
    w->innermost = NULL;
    arena_reset(&w->values);
    for (int i = 0; i < w->map->n_aggregates; i++) {
        const struct expr *e = w->map->aggregates[i];
        struct val v;

        if (!e->func->eval(&w->run, e, &v))
            return false;
        if (v.s.p)
            v.s = arena_str(&w->own, v.s);
        w->run.aggregates[i] = v;
    }
    return true;
}

bool write_all(struct write_run *w)
{
    struct output *o;
    struct sink *s;
    bool is_new, ok = true, first = true;
    struct doc *d;

    if (!compute_aggregates(w))
        return false;
    if (w->map->per || w->map->per_n)
        return write_each_own(w);
    d = w->next_doc(w->ctx, true);
    if (!d)
        return true;
    write_begin_document(w, d);
    o = output_for(w, &is_new);
    s = o ? output_sink(w, o) : NULL;
    if (!s)
        return false;
    w->innermost = NULL;
    if (!write_begin_file(w, s, o))
        return false;
    while (ok && o->step < w->steps->n) {
        ok = write_each(w, o, first);
        first = false;
        o->step++;
        if (ok && output_sink(w, o))
            ok = write_steps(w, &o->slot->sink, o);
    }
    if (!ok)
        return false;
    if (!o->n_documents && !o->bytes) { /* the map's `where` wanted none */
        output_drop_last(w);
        return true;
    }
    if (!write_has_root(w, &o->slot->sink))
        return false;
    if (w->ops->end(&o->slot->sink) == -1)
        return write_sink_fault(w, &o->slot->sink, w->map->root);
    o->is_done = true;
    return outputs_close(w);
}
