#include "spool/job_counts.h"

#include <stdlib.h>

static void grow(struct job_counts *c)
{
    c->cap = c->cap ? 2 * c->cap : 8;
    c->now = xrealloc(c->now, c->cap * sizeof(*c->now));
    c->before = xrealloc(c->before, c->cap * sizeof(*c->before));
}

static struct job_counter *find(struct job_counts *c, struct arena *a,
                                struct str name)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->now[i].name, name))
            return &c->now[i];
    if (c->n == c->cap)
        grow(c);
    c->now[c->n] = (struct job_counter){ arena_str(a, name), 0 };
    return &c->now[c->n++];
}

int64_t job_counts_next(struct job_counts *c, struct arena *a, struct str name)
{
    return ++find(c, a, name)->value;
}

void job_counts_mark(struct job_counts *c)
{
    if (c->n)
        memcpy(c->before, c->now, c->n * sizeof(*c->now));
    c->n_before = c->n;
}

void job_counts_back(struct job_counts *c)
{
    if (c->n_before)
        memcpy(c->now, c->before, c->n_before * sizeof(*c->now));
    c->n = c->n_before;
}

void job_counts_reset(struct job_counts *c, struct arena *a,
                      const struct job_counter *from, size_t n)
{
    c->n = 0;
    for (size_t i = 0; i < n; i++)
        find(c, a, from[i].name)->value = from[i].value;
}

void job_counts_collect(const struct job_counts *c, struct job_result *out)
{
    out->counters = arena_alloc(&out->arena, (c->n + 1) * sizeof(*c->now));
    out->n_counters = c->n;
    if (c->n)
        memcpy(out->counters, c->now, c->n * sizeof(*c->now));
}

void job_counts_release(struct job_counts *c)
{
    free(c->now);
    free(c->before);
    *c = (struct job_counts){ 0 };
}
