/* diag.c - collecting and sorting messages, and their text; diag_print.c
 * shows them. */
#include "converters/base/diag.h"

#include "converters/base/utf8.h"

/* Data in a message is cut after SHOW_MAX, other arguments after ARG_MAX. */
enum { SHOW_MAX = 200, ARG_MAX = 1000 };

#define LEVEL_NOTE    DIAG_NOTE
#define LEVEL_WARNING DIAG_WARNING
#define LEVEL_ERROR   DIAG_ERROR

const struct diag_info diag_table[N_DIAGS] = {
#define X(id, name, level, text) [DIAG_##id] = { name, text, LEVEL_##level },
    DIAGS(X)
#undef X
};

void diags_init(struct diags *d, struct arena *arena, uint64_t max)
{
    *d = (struct diags){ .arena = arena, .max = max };
    d->last = &d->first;
}

static bool has_room(struct diags *d, enum diag_level level)
{
    uint64_t others = d->n_listed - d->n_listed_errors;

    if (d->max == 0)
        return true;
    return (level == DIAG_ERROR ? d->n_listed_errors : others) < d->max;
}

struct diag *diag_add(struct diags *d, enum diag_id id, struct place at,
                      const struct str *args, size_t n_args)
{
    enum diag_level level = diag_table[id].level;
    struct diag *new;

    if (level == DIAG_ERROR)
        d->n_errors++;
    else if (level == DIAG_WARNING)
        d->n_warnings++;
    if (!has_room(d, level))
        return NULL;

    new = arena_alloc(d->arena, sizeof(*new));
    new->id = id;
    new->at = at;
    /* A few bytes past the cut are kept: they tell that there is a cut. */
    for (size_t i = 0; i < n_args && i < DIAG_ARGS; i++)
        new->args[i] = arena_str(d->arena, str_first(args[i], ARG_MAX + 4));
    *d->last = new;
    d->last = &new->next;
    d->n_listed++;
    d->n_listed_errors += level == DIAG_ERROR;
    return new;
}

bool diag_is_enough(struct diags *d, enum diag_id id, struct place map)
{
    struct alike *a = d->alike;

    if (diag_table[id].level != DIAG_WARNING)
        return false;
    while (a &&
           (a->id != id || a->map.src != map.src || a->map.line != map.line))
        a = a->next;
    if (!a) {
        if (!has_room(d, DIAG_WARNING))
            return false; /* it is not listed either: only counted */
        a = arena_alloc(d->arena, sizeof(*a));
        a->id = id;
        a->map = map;
        a->next = d->alike;
        d->alike = a;
    }
    if (++a->n <= DIAG_ALIKE)
        return false;
    d->n_warnings++;
    d->n_alike++;
    return true;
}

struct diags_mark diags_mark(const struct diags *d)
{
    struct diags_mark m = { .then = *d };

    for (const struct alike *a = d->alike; a; a = a->next) {
        struct alike *copy = arena_alloc(d->arena, sizeof(*copy));

        *copy = *a;
        copy->next = m.alike;
        m.alike = copy;
    }
    return m;
}

void diags_keep_errors(struct diags *d, const struct diags_mark *m)
{
    struct diag *since = *m->then.last;
    uint64_t n_errors = d->n_errors;

    *d = m->then;
    d->alike = m->alike;
    d->n_errors = n_errors;
    *d->last = NULL;
    while (since) {
        struct diag *next = since->next;

        if (diag_table[since->id].level == DIAG_ERROR) {
            since->next = NULL;
            *d->last = since;
            d->last = &since->next;
            d->n_listed++;
            d->n_listed_errors++;
        }
        since = next;
    }
}

static int place_cmp(const struct place *a, const struct place *b)
{
    static const struct str none = { NULL, 0 };
    int c = str_cmp(a->src ? a->src->name : none, b->src ? b->src->name : none);

    if (c)
        return c;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->col != b->col)
        return a->col < b->col ? -1 : 1;
    return 0;
}

/* Of two entries at one place, the one from `a` comes first. */
static struct diag *merge(struct diag *a, struct diag *b)
{
    struct diag *first = NULL, **last = &first;

    while (a && b) {
        struct diag **from = place_cmp(&b->at, &a->at) < 0 ? &b : &a;

        *last = *from;
        last = &(*from)->next;
        *from = *last;
    }
    *last = a ? a : b;
    return first;
}

static struct diag *merge_sort(struct diag *list)
{
    struct diag *mid = list, *second;

    if (!list || !list->next)
        return list;
    for (struct diag *end = list->next; end && end->next; end = end->next->next)
        mid = mid->next;
    second = mid->next;
    mid->next = NULL;
    return merge(merge_sort(list), merge_sort(second));
}

static bool same_diag(const struct diag *a, const struct diag *b)
{
    if (a->id != b->id)
        return false;
    for (size_t i = 0; i < DIAG_ARGS; i++)
        if (!str_eq(a->args[i], b->args[i]))
            return false;
    return true;
}

/* Was it said of this very place before? */
static bool is_repeated(const struct diag *first, const struct diag *x)
{
    for (; first != x; first = first->next)
        if (place_cmp(&first->at, &x->at) == 0 && same_diag(first, x))
            return true;
    return false;
}

/* A line that is read twice, as those of a part are, has its mistakes once. */
static void drop_repeated(struct diags *d)
{
    struct diag *run = d->first; /* the first one at the place at hand */

    d->last = &d->first;
    while (*d->last) {
        struct diag *x = *d->last;
        bool is_error = diag_table[x->id].level == DIAG_ERROR;

        if (place_cmp(&run->at, &x->at) != 0)
            run = x;
        if (x->at.line == 0 || !is_repeated(run, x)) {
            d->last = &x->next;
            continue;
        }
        *d->last = x->next;
        d->n_listed--;
        d->n_listed_errors -= is_error;
        d->n_errors -= is_error;
        d->n_warnings -= diag_table[x->id].level == DIAG_WARNING;
    }
}

void diags_sort(struct diags *d)
{
    d->first = merge_sort(d->first);
    drop_repeated(d);
}

static void show_char(struct buf *out, struct str c, int32_t cp)
{
    if (cp == '\n')
        buf_addz(out, "\\n");
    else if (cp == '\t')
        buf_addz(out, "\\t");
    else if (cp == '\r')
        buf_addz(out, "\\r");
    else if (cp < 0)
        buf_addf(out, "\\x%02x", (unsigned char)c.p[0]);
    else if (cp < ' ' || (cp >= 0x7F && cp < 0xA0))
        buf_addf(out, "\\x%02x", (unsigned)cp);
    else if (utf8_is_invisible(cp))
        buf_addf(out, "\\u%04x", (unsigned)cp);
    else
        buf_add(out, c);
}

void show_text_max(struct buf *out, struct str s, size_t max)
{
    size_t pos = 0, from, end = s.len;

    if (s.len > max) {
        end = max;
        while (end && ((unsigned char)s.p[end] & 0xC0) == 0x80)
            end--;
    }
    while (pos < end) {
        int32_t cp;

        from = pos;
        cp = utf8_next(s, &pos);
        if (cp < 0)
            pos++;
        show_char(out, (struct str){ s.p + from, pos - from }, cp);
    }
    if (end < s.len)
        buf_addz(out, "...");
}

void show_text(struct buf *out, struct str s)
{
    show_text_max(out, s, SHOW_MAX);
}

void diag_text(enum diag_id id, const struct str *args, struct buf *out)
{
    const char *p = diag_table[id].text, *from = p;

    for (; *p; p++) {
        if (p[0] != '%' || p[1] < '1' || p[1] > '0' + DIAG_ARGS)
            continue;
        buf_add(out, (struct str){ from, (size_t)(p - from) });
        if (args)
            show_text_max(out, args[p[1] - '1'],
                          p > from && p[-1] == '"' ? SHOW_MAX : ARG_MAX);
        p++;
        from = p + 1;
    }
    buf_addz(out, from);
}
