#include "spool/closed.h"

#include <stdlib.h>

#include "converters/base/date.h"

/* Seconds after which a place that nobody has tried is nobody's. */
enum { FORGOTTEN = 3600 };

struct closed {
    struct str partner, place; /* behind the row itself */
    uint64_t n_tries;
    int64_t until; /* no try before, by clock_up() */
    struct closed *next;
};

static struct closed *new_closed(struct str partner, struct str place)
{
    struct closed *c = xcalloc(1, sizeof(*c) + partner.len + place.len + 1);
    char *text = (char *)(c + 1);

    memcpy(text, partner.p, partner.len);
    if (place.len)
        memcpy(text + partner.len, place.p, place.len);
    c->partner = (struct str){ text, partner.len };
    c->place = (struct str){ text + partner.len, place.len };
    return c;
}

/* All that were to be tried before that time, and c. */
static void drop(struct keeper *k, const struct closed *c, int64_t before)
{
    for (struct closed **p = &k->closed; *p;) {
        struct closed *x = *p;

        if (x == c || x->until < before) {
            *p = x->next;
            free(x);
        } else {
            p = &x->next;
        }
    }
}

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
        drop(k, NULL, clock_up() - FORGOTTEN);
        c = new_closed(partner, place);
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
        drop(k, c, INT64_MIN);
}

void places_open(struct keeper *k)
{
    for (struct closed *c = k->closed; c; c = c->next)
        c->until = clock_up();
}

void places_forget(struct keeper *k)
{
    drop(k, NULL, INT64_MAX);
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
