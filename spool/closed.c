#include "spool/closed.h"

#include "converters/base/date.h"

struct closed {
    struct str partner, place;
    uint64_t n_tries;
    int64_t until; /* no try before, by clock_up() */
    struct closed *next;
};

static struct closed *find(const struct keeper *k, struct str partner,
                           struct str place)
{
    for (struct closed *c = k->closed; c; c = c->next)
        if (str_eq(c->partner, partner) && str_eq(c->place, place))
            return c;
    return NULL;
}

bool place_is_closed(const struct keeper *k, struct str partner,
                     struct str place)
{
    const struct closed *c = find(k, partner, place);

    return c && clock_up() < c->until;
}

uint64_t place_close(struct keeper *k, struct str partner, struct str place)
{
    struct closed *c = find(k, partner, place);

    if (!c) {
        c = arena_alloc(&k->kept, sizeof(*c));
        c->partner = arena_str(&k->kept, partner);
        c->place = arena_str(&k->kept, place);
        c->next = k->closed;
        k->closed = c;
    }
    c->n_tries++;
    c->until = clock_up() + keeper_back_off(c->n_tries);
    return c->n_tries;
}

void place_reopen(struct keeper *k, struct str partner, struct str place)
{
    struct closed *c = find(k, partner, place);

    if (c)
        c->n_tries = 0;
}

void places_open(struct keeper *k)
{
    for (struct closed *c = k->closed; c; c = c->next)
        c->until = 0;
}

int64_t places_timeout(const struct keeper *k)
{
    int64_t now = clock_up(), ms = -1;

    for (const struct closed *c = k->closed; c; c = c->next)
        if (c->n_tries && c->until > now &&
            (ms == -1 || (c->until - now) * 1000 < ms))
            ms = (c->until - now) * 1000;
    return ms;
}
