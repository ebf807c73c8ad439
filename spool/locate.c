#include "spool/locate.h"

#include <stdlib.h>

struct seen {
    struct seen *next;
    const struct doc *doc;
    int field;
    uint32_t line, col;
};

static void down_to(struct locate_query *q, const struct doc *d)
{
    const struct doc *parent = d->parent;

    if (!parent)
        return;
    down_to(q, parent);
    for (int i = 0; i < parent->shape->n_lists; i++) {
        uint32_t n = 0;

        for (const struct doc *m = parent->lists[i].first; m; m = m->next, n++)
            if (m == d && q->depth < LOCATE_DEPTH) {
                q->path[q->depth].list = i;
                q->path[q->depth++].index = n;
                return;
            }
    }
}

void locate_add(struct locate_list *l, const struct doc *d, int field,
                struct diag *diag)
{
    struct locate_query q = { .field = field, .diag = diag };
    const struct doc *top = d;

    if (l->n == LOCATE_MAX || field < 0)
        return;
    while (top->parent)
        top = top->parent;
    q.seq = top->seq;
    down_to(&q, d);
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->v = xrealloc(l->v, l->cap * sizeof(*l->v));
    }
    l->v[l->n++] = q;
}

static int by_document(const void *a, const void *b)
{
    const struct locate_query *x = a, *y = b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void locate_sort(struct locate_list *l)
{
    if (l->n)
        qsort(l->v, l->n, sizeof(*l->v), by_document);
}

void locate_release(struct locate_list *l)
{
    free(l->v);
    *l = (struct locate_list){ 0 };
}

/* ---- in the reader ------------------------------------------------------ */

void locate_watch(struct locate_run *l, struct read_run *rr,
                  const struct doc *d, int field, const struct val *v)
{
    struct seen *s;

    if (l->next == l->queries->n ||
        l->queries->v[l->next].seq != rr->n_documents + 1 || !v->item)
        return;
    s = arena_alloc(&l->arena, sizeof(*s));
    *s = (struct seen){ l->seen, d, field, v->item->line, v->item->col };
    if (v->cell >= 0 && rr->map->format->locate)
        rr->map->format->locate(rr->reader, v->item, (uint32_t)v->cell,
                                &s->line, &s->col);
    l->seen = s;
}

static const struct doc *follow(const struct locate_query *q,
                                const struct doc *d)
{
    for (int i = 0; d && i < q->depth; i++) {
        if (q->path[i].list >= d->shape->n_lists)
            return NULL;
        d = d->lists[q->path[i].list].first;
        for (uint32_t n = q->path[i].index; d && n; n--)
            d = d->next;
    }
    return d;
}

bool locate_document(struct locate_run *l, const struct doc *d)
{
    while (l->next < l->queries->n && l->queries->v[l->next].seq <= d->seq) {
        const struct locate_query *q = &l->queries->v[l->next];
        const struct doc *at = q->seq == d->seq ? follow(q, d) : NULL;

        for (const struct seen *s = l->seen; at && s; s = s->next)
            if (s->doc == at && s->field == q->field) {
                l->answer(l->ctx, l->next, s->line, s->col);
                break;
            }
        l->next++;
    }
    l->seen = NULL;
    arena_reset(&l->arena);
    return l->next < l->queries->n;
}
