/*
 * csv_columns.c - which columns the map wants, found in the header.
 *
 * Every wanted column gets one slot in item->cells, however many names of the
 * map mean it. A name means a column whose header is exactly that; if there
 * is none, one that is the same without outer blanks and in NFC.
 */
#include "converters/base/text.h"
#include "formats/csv.h"

struct resolver {
    struct reader *r;
    struct csv_columns *k;
    const struct str *titles; /* NULL: no header */
    struct str *keys;         /* the titles trimmed and in NFC */
    uint32_t *found;          /* slots of the want at hand */
    uint32_t n_found;
    uint32_t line;
    bool failed;
    bool gave_up; /* one fault explains all the others */
};

static void fault(struct resolver *v, const struct want *w, enum diag_id id,
                  struct str a, struct str b)
{
    struct str args[] = { a, b };

    v->failed = true;
    v->r->fault_want = w;
    reader_fail(v->r, id, v->line, 1, args, COUNT(args));
    v->r->fault_want = NULL;
}

static void take(struct resolver *v, uint32_t column)
{
    struct csv_columns *k = v->k;

    if (k->slot_of[column] == CSV_UNWANTED) {
        k->slot_of[column] = k->n_slots;
        k->column_of[k->n_slots++] = column;
    }
    v->found[v->n_found++] = k->slot_of[column];
}

/* "; did you mean X?", or why no name could be found at all. */
static struct str hint(struct resolver *v, struct str name)
{
    struct arena *a = v->r->names;
    uint32_t n = v->k->n;
    const char **names, *near;

    if (!v->titles)
        return STR("; the map says header no: name columns by their place, "
                   "like [3]");
    names = arena_alloc(a, n * sizeof(*names));
    for (uint32_t i = 0; i < n; i++)
        names[i] = arena_cstr(a, v->keys[i]);
    near = nearest(name, names, n);
    if (near)
        return arena_fmt(a, "; did you mean %s?", near);
    if (n > 1)
        return STR("");
    v->gave_up = true;
    return arena_fmt(a,
                     "; all of it is one column, perhaps its "
                     "delimiter is not %c",
                     v->k->dialect.delimiter);
}

static void find_name(struct resolver *v, const struct want *w)
{
    const struct str *names = v->titles;
    struct str name = w->name;
    uint32_t first = CSV_UNWANTED, second = CSV_UNWANTED;

    for (int pass = 0; names && pass < 2 && first == CSV_UNWANTED; pass++) {
        for (uint32_t i = 0; i < v->k->n; i++) {
            if (!str_eq(names[i], name))
                continue;
            if (first == CSV_UNWANTED)
                first = i;
            else if (second == CSV_UNWANTED)
                second = i;
        }
        names = v->keys;
        name = text_trim(name);
    }
    if (first == CSV_UNWANTED)
        fault(v, w, DIAG_CSV_NO_COLUMN, w->name, hint(v, w->name));
    else if (second != CSV_UNWANTED)
        fault(v, w, DIAG_CSV_TWICE, w->name,
              arena_fmt(v->r->names, "[%u] or [%u]", first + 1, second + 1));
    else
        take(v, first);
}

static void find_glob(struct resolver *v, const struct want *w)
{
    if (!v->titles)
        fault(v, w, DIAG_CSV_NO_COLUMN, w->name, hint(v, w->name));
    for (uint32_t i = 0; v->titles && i < v->k->n; i++)
        if (glob_match(w->name, v->titles[i]) ||
            glob_match(w->name, v->keys[i]))
            take(v, i);
}

static void no_place(struct resolver *v, const struct want *w, uint32_t n)
{
    fault(v, w, DIAG_CSV_NO_PLACE, arena_fmt(v->r->names, "%u", w->nth),
          arena_fmt(v->r->names, "%u", n));
}

static void find_place(struct resolver *v, const struct want *w)
{
    if (w->nth >= 1 && w->nth <= v->k->n)
        take(v, w->nth - 1);
    else if (v->titles)
        no_place(v, w, v->k->n);
}

static void find_want(struct resolver *v, struct want *w)
{
    v->n_found = 0;
    if (w->kind == WANT_NTH)
        find_place(v, w);
    else if (w->kind == WANT_ELEMENT && w->is_glob)
        find_glob(v, w);
    else if (w->kind == WANT_ELEMENT)
        find_name(v, w);
    w->n_cells = v->n_found;
    w->cells = arena_alloc(v->r->names, v->n_found * sizeof(*w->cells));
    if (v->n_found)
        memcpy(w->cells, v->found, v->n_found * sizeof(*w->cells));
}

static void set_titles(struct resolver *v)
{
    struct csv_columns *k = v->k;

    v->r->n_cells = k->n_slots;
    v->r->titles = arena_alloc(v->r->names, k->n_slots * sizeof(struct str));
    for (uint32_t i = 0; i < k->n_slots; i++)
        v->r->titles[i] = v->titles ? v->titles[k->column_of[i]] : STR("");
}

int csv_resolve(struct reader *r, struct csv_columns *k,
                const struct str *titles, uint32_t n, uint32_t line)
{
    struct arena *a = r->names;
    struct resolver v = { r, k, titles, .line = line };

    k->n = n;
    k->n_slots = 0;
    k->n_slot_of = n;
    k->slot_of = arena_alloc(a, n * sizeof(*k->slot_of));
    k->column_of = arena_alloc(a, n * sizeof(*k->column_of));
    memset(k->slot_of, 0xff, n * sizeof(*k->slot_of)); /* CSV_UNWANTED */
    v.found = arena_alloc(a, n * sizeof(*v.found));
    v.keys = arena_alloc(a, n * sizeof(*v.keys));
    for (uint32_t i = 0; titles && i < n; i++)
        v.keys[i] = text_nfc(a, text_trim(titles[i]));
    for (struct want *w = r->plan->record->child; w && !v.gave_up; w = w->next)
        find_want(&v, w);
    set_titles(&v);
    return v.failed ? -1 : 0;
}

int csv_check_places(struct reader *r, uint32_t n, uint32_t line)
{
    struct resolver v = { r, NULL, NULL, .line = line };

    for (const struct want *w = r->plan->record->child; w; w = w->next)
        if (w->kind == WANT_NTH && (w->nth < 1 || w->nth > n))
            no_place(&v, w, n);
    return v.failed ? -1 : 0;
}
