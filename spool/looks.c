#include "spool/looks.h"

#include "converters/base/date.h"

enum { APART = 10 }; /* seconds */

struct look {
    struct str partner, folder, name;
    uint64_t size;
    int64_t mtime_ns;
    int64_t since; /* it looks like this, by clock_up() */
    struct look *next;
};

void looks_begin(struct looks *l)
{
    l->turn = !l->turn;
    arena_reset(&l->arenas[l->turn]);
    l->last = l->now;
    l->now = NULL;
}

static const struct look *find(const struct looks *l, const struct inbox *in,
                               const struct found *f)
{
    for (const struct look *x = l->last; x; x = x->next)
        if (str_eq(x->name, f->name) && str_eq(x->folder, in->folder) &&
            str_eq(x->partner, in->partner->name))
            return x->size == f->size && x->mtime_ns == f->mtime_ns ? x : NULL;
    return NULL;
}

bool looks_are_same(struct looks *l, const struct inbox *in,
                    const struct found *f)
{
    struct arena *a = &l->arenas[l->turn];
    const struct look *before = find(l, in, f);
    struct look *x = arena_alloc(a, sizeof(*x));

    *x = (struct look){
        .partner = arena_str(a, in->partner->name),
        .folder = arena_str(a, in->folder),
        .name = arena_str(a, f->name),
        .size = f->size,
        .mtime_ns = f->mtime_ns,
        .since = before ? before->since : clock_up(),
        .next = l->now,
    };
    l->now = x;
    return clock_up() - x->since >= APART;
}

void looks_release(struct looks *l)
{
    arena_release(&l->arenas[0]);
    arena_release(&l->arenas[1]);
    *l = (struct looks){ 0 };
}
