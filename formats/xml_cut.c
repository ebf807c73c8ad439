#include "formats/xml_cut.h"

#include <stdlib.h>

static void push(struct xml_cut *c, uint64_t lead, uint64_t start)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 16;
        c->open = xrealloc(c->open, c->cap * sizeof(*c->open));
    }
    c->open[c->n++] = (struct xml_cut_open){ .lead = lead, .start = start };
}

void xml_cut_begin(struct xml_cut *c, const struct cut *to)
{
    *c = (struct xml_cut){ .to = to };
    if (to)
        push(c, 0, 0);
}

void xml_cut_open(struct xml_cut *c, uint64_t start, uint64_t behind)
{
    push(c, c->mark, start);
    c->mark = behind;
}

void xml_cut_pass(struct xml_cut *c, uint64_t behind)
{
    /* What follows the outermost element stays with it. */
    if (c->n > 1 || !c->open[0].kept)
        c->mark = behind;
}

static void note_heads(struct xml_cut *c, uint64_t record)
{
    for (size_t i = c->n; i-- > 0 && !c->open[i].has_record;) {
        c->open[i].has_record = true;
        c->open[i].head = i + 1 < c->n ? c->open[i + 1].start : record;
    }
}

void xml_cut_record(struct xml_cut *c, uint64_t start, uint64_t len)
{
    bool is_first = false; /* the blanks before it are kept already */

    note_heads(c, start);
    if (c->to->wants(c->to->ctx, start)) {
        for (size_t i = 0; i < c->n; i++) {
            struct xml_cut_open *o = &c->open[i];

            if (o->kept)
                continue;
            c->to->add(c->to->ctx, is_first ? o->start : o->lead, o->head);
            o->kept = is_first = true;
        }
        c->to->add(c->to->ctx, is_first ? start : c->mark, start + len);
    }
    c->mark = start + len;
}

void xml_cut_close(struct xml_cut *c, uint64_t behind)
{
    if (c->open[--c->n].kept)
        c->to->add(c->to->ctx, c->mark, behind);
    c->mark = behind;
}

/* The line end, and what else may stand behind the outermost element. */
void xml_cut_end(struct xml_cut *c)
{
    if (c->open[0].kept)
        c->to->add(c->to->ctx, c->mark, UINT64_MAX);
}

void xml_cut_release(struct xml_cut *c)
{
    free(c->open);
}
