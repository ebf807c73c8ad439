#include "formats/xml_match.h"

#include <stdlib.h>

#include "converters/base/text.h"

/* ---- the plan, with interned names --------------------------------------- */

struct compiler {
    struct xml_match *m;
    xml_intern *intern;
    void *ctx;
};

static void compile_children(const struct compiler *c, struct xml_step *s);

/* One of 64 bits, by the address of an interned name. */
static uint64_t name_bit(const char *local)
{
    uint64_t address = (uintptr_t)local;

    return (uint64_t)1 << (address * 0x9E3779B97F4A7C15 >> 58);
}

static void compile_step(const struct compiler *c, struct xml_step *s,
                         const struct want *w)
{
    s->want = w;
    s->any_uri = w->any_uri;
    s->is_glob = w->is_glob;
    s->needs_text = w->needs_text;
    s->any_name = w->is_glob && str_is(w->name, "*");
    if (w->any_uri)
        c->m->ignores_uris = true;
    if (w->name.len && !w->is_glob)
        s->local = c->intern(c->ctx, w->name);
    if (w->uri.p && w->uri.len)
        s->uri = c->intern(c->ctx, w->uri);
    compile_children(c, s);
}

static uint32_t count_children(const struct want *w, enum want_kind kind)
{
    uint32_t n = 0;

    for (const struct want *k = w->child; k; k = k->next)
        n += k->kind == kind;
    return n;
}

static struct xml_step *compile_kind(const struct compiler *c,
                                     const struct want *w, enum want_kind kind,
                                     uint32_t *n)
{
    struct xml_step *steps;
    uint32_t i = 0;

    *n = count_children(w, kind);
    if (*n == 0)
        return NULL;
    steps = arena_alloc(c->m->r->names, *n * sizeof(*steps));
    for (const struct want *k = w->child; k; k = k->next)
        if (k->kind == kind)
            compile_step(c, &steps[i++], k);
    return steps;
}

static void compile_children(const struct compiler *c, struct xml_step *s)
{
    const struct want *w = s->want;

    for (struct want *k = w->child; k; k = k->next)
        k->index = s->n_children++;
    s->elements = compile_kind(c, w, WANT_ELEMENT, &s->n_elements);
    s->attributes = compile_kind(c, w, WANT_ATTRIBUTE, &s->n_attributes);
    s->selves = compile_kind(c, w, WANT_SELF, &s->n_selves);
    for (uint32_t i = 0; i < s->n_elements; i++) {
        struct xml_step *e = &s->elements[i];

        s->name_bits |= e->is_glob ? UINT64_MAX : name_bit(e->local);
        e->is_alone = !e->is_glob;
        for (uint32_t k = 0; k < s->n_elements; k++)
            if (k != i &&
                (s->elements[k].is_glob || s->elements[k].local == e->local))
                e->is_alone = false;
    }
}

static void compile_path(const struct compiler *c)
{
    struct xml_match *m = c->m;
    uint32_t i = 0;

    for (const struct want *w = m->r->plan->path; w; w = w->child)
        m->n_path++;
    m->path = arena_alloc(m->r->names, (m->n_path + 1) * sizeof(*m->path));
    for (const struct want *w = m->r->plan->path; w; w = w->child)
        compile_step(c, &m->path[i++], w);
}

static bool fits(const struct xml_step *s, const struct xml_name *name)
{
    if (s->local != name->local && !s->is_glob)
        return false;
    if (!s->any_uri && (s->uri != name->uri || name->unbound))
        return false;
    return !s->is_glob || s->any_name ||
           glob_match(s->want->name, str_of(name->local));
}

/* ---- items --------------------------------------------------------------- */

/* Inside a record: so that nobody searches all of parent's children. */
static inline void note_child(struct xml_match *m, const struct xml_step *up,
                              struct item *parent, struct item *child)
{
    struct item_span *span;

    if (!parent->found)
        parent->found =
            arena_alloc(&m->r->arena, up->n_children * sizeof(*parent->found));
    span = &parent->found[child->want->index];
    if (!span->first)
        span->first = child;
    span->last = child;
}

/* Inside a record: a name of the parser's, which is gone before the last group
 * is read. */
static struct str keep_name(struct xml_match *m, const char *name)
{
    return arena_str(&m->r->arena, str_of(name));
}

/*
 * A child of `parent`, which came of `up`. Items inside a record go with the
 * arena, those of r->root one by one.
 */
static inline struct item *item_new(struct xml_match *m,
                                    const struct xml_step *up,
                                    struct item *parent,
                                    const struct xml_step *step,
                                    const char *name)
{
    struct item *it;

    if (m->item) {
        it = arena_alloc(&m->r->arena, sizeof(*it));
    } else {
        it = xcalloc(1, sizeof(*it));
        m->root_bytes += sizeof(*it);
    }
    it->want = step->want;
    it->name = step->want->name;
    if (step->is_glob)
        it->name = m->item ? keep_name(m, name) : str_of(name);
    it->parent = parent;
    if (parent->last)
        parent->last->next = it;
    else
        parent->child = it;
    parent->last = it;
    if (m->item)
        note_child(m, up, parent, it);
    return it;
}

static void item_set_text(struct xml_match *m, struct item *it, struct str s)
{
    char *p;

    if (m->r->trim)
        s = str_trim(s);
    if (m->item) {
        it->text = arena_str(&m->r->arena, s);
        return;
    }
    p = xrealloc(NULL, s.len + 1);
    str_copy(p, s);
    m->root_bytes += s.len;
    m->root_bytes -= it->text.len;
    /* Memory of ours, const only because struct str lends it to others. */
    free((void *)(uintptr_t)it->text.p);
    it->text = (struct str){ p, s.len };
}

static void root_item_free(struct xml_match *m, struct item *it)
{
    for (struct item *c = it->child, *next; c; c = next) {
        next = c->next;
        root_item_free(m, c);
    }
    m->root_bytes -= sizeof(*it) + it->text.len;
    free((void *)(uintptr_t)it->text.p);
    free(it);
}

/* Frees the children of `parent` that came of `want`; but for `keep`. */
static void root_drop(struct xml_match *m, struct item *parent,
                      const struct want *want, const struct item *keep)
{
    struct item **link = &parent->child;

    parent->last = NULL;
    while (*link) {
        struct item *it = *link;

        if (it->want == want && it != keep) {
            *link = it->next;
            root_item_free(m, it);
        } else {
            parent->last = it;
            link = &it->next;
        }
    }
}

static void root_drop_one(struct xml_match *m, struct item *gone)
{
    struct item *parent = gone->parent, **link = &parent->child;

    parent->last = NULL;
    while (*link) {
        if (*link == gone) {
            *link = gone->next;
        } else {
            parent->last = *link;
            link = &(*link)->next;
        }
    }
    root_item_free(m, gone);
}

/* ---- frames and pairs ------------------------------------------------------
 */

static inline struct xml_frame *frame_push(struct xml_match *m)
{
    struct xml_frame *f;

    if (m->n_frames == m->cap_frames) {
        m->cap_frames = m->cap_frames ? m->cap_frames * 2 : 32;
        m->frames = xrealloc(m->frames, m->cap_frames * sizeof(m->frames[0]));
    }
    f = &m->frames[m->n_frames++];
    f->first_pair = m->n_pairs;
    f->text = m->text.len;
    f->on_path = 0;
    f->keeps_text = f->has_record = m->keeps_text = false;
    return f;
}

static void frame_pop(struct xml_match *m)
{
    const struct xml_frame *f = &m->frames[--m->n_frames];

    m->n_pairs = f->first_pair;
    m->text.len = f->text;
    m->keeps_text = m->frames[m->n_frames - 1].keeps_text;
}

static void add_selves(struct xml_match *m, struct xml_step *step,
                       struct item *item);

/* The element of the innermost frame is `item`, by `step`. */
static inline void pair_push(struct xml_match *m, struct xml_step *step,
                             struct item *item)
{
    if (m->n_pairs == m->cap_pairs) {
        m->cap_pairs = m->cap_pairs ? m->cap_pairs * 2 : 32;
        m->pairs = xrealloc(m->pairs, m->cap_pairs * sizeof(m->pairs[0]));
    }
    m->pairs[m->n_pairs++] = (struct xml_pair){ step, item };
    if (step->needs_text)
        m->keeps_text = m->frames[m->n_frames - 1].keeps_text = true;
    if (step->n_selves)
        add_selves(m, step, item);
}

/* `.` is an item beside the children, with the element's own text. */
static void add_selves(struct xml_match *m, struct xml_step *step,
                       struct item *item)
{
    for (uint32_t i = 0; i < step->n_selves; i++) {
        struct xml_step *self = &step->selves[i];
        struct item *it = item_new(m, step, item, self, NULL);

        it->name = item->name;
        pair_push(m, self, it);
    }
}

/*
 * An item for each want below the pairs first..end that the new element fits.
 * If it has no frame, the first item makes one.
 */
static void match_children(struct xml_match *m, const struct xml_name *name,
                           size_t first, size_t end, bool has_frame)
{
    uint64_t bit = name_bit(name->local);

    for (size_t i = first; i < end; i++) {
        struct xml_step *up = m->pairs[i].step, *s, *stop;

        if (!(up->name_bits & bit))
            continue;
        s = up->elements;
        stop = s + up->n_elements;
        if (up->latest && up->latest->then &&
            up->latest->then->local == name->local) {
            s = up->latest->then;
            stop = s + 1;
        }
        for (; s < stop; s++) {
            if (!fits(s, name))
                continue;
            if (up->latest && s->is_alone)
                up->latest->then = s;
            up->latest = s;
            if (!has_frame)
                frame_push(m);
            has_frame = true;
            pair_push(m, s, item_new(m, up, m->pairs[i].item, s, name->local));
        }
    }
}

/* ---- elements -------------------------------------------------------------
 */

static bool is_record(const struct xml_match *m)
{
    size_t depth = m->n_frames - 1;

    if (m->n_path == 0)
        return false;
    if (!m->r->plan->anywhere)
        return depth == m->n_path && m->frames[depth].on_path == m->n_path;
    if (depth < m->n_path)
        return false;
    for (size_t i = 0; i < m->n_path; i++)
        if (!fits(&m->path[m->n_path - 1 - i], &m->frames[depth - i].name))
            return false;
    return true;
}

/*
 * The elements around a record are ancestors now. An earlier sibling that
 * fits the same want is not: `/shops/shop/@name` means the open shop.
 */
static void mark_ancestors(struct xml_match *m)
{
    for (size_t i = m->n_frames - 1; i-- > 0;) {
        struct xml_frame *f = &m->frames[i];

        if (f->has_record)
            break;
        f->has_record = true;
        for (size_t k = f->first_pair; k < f[1].first_pair; k++) {
            struct xml_pair p = m->pairs[k];

            p.step->holds_records = true;
            if (p.item->parent)
                root_drop(m, p.item->parent, p.step->want, p.item);
        }
    }
}

/* Own text of open ancestors, as far as it was read. */
static void update_ancestor_texts(struct xml_match *m)
{
    for (size_t i = 1; i + 1 < m->n_frames; i++) {
        const struct xml_frame *f = &m->frames[i];
        struct str text = { m->text.p + f->text, f[1].text - f->text };

        for (size_t k = f->first_pair; k < f[1].first_pair; k++) {
            struct item *it = m->pairs[k].item;

            if (f->keeps_text && it->want->needs_text)
                item_set_text(m, it, text);
        }
    }
}

static void record_begin(struct xml_match *m, const struct xml_name *name)
{
    struct reader *r = m->r;
    struct arena_mark mark = arena_mark(&r->arena);

    mark_ancestors(m);
    update_ancestor_texts(m);
    m->record_frame = m->n_frames - 1;
    m->used_before = r->arena.used;
    m->item = arena_alloc(&r->arena, sizeof(*m->item));
    m->item->mark = mark;
    m->item->want = r->plan->record;
    m->item->name = keep_name(m, name->local);
    pair_push(m, &m->record, m->item);
}

/* How far along plan->path does an element inside the innermost one lead? */
static uint32_t path_to(const struct xml_match *m, const struct xml_name *name)
{
    size_t depth = m->n_frames - 1;

    if (m->frames[depth].on_path != depth || depth >= m->n_path ||
        !fits(&m->path[depth], name))
        return 0;
    return (uint32_t)depth + 1;
}

/* Opens a frame. True: the element is a record. */
static bool open_outside(struct xml_match *m, const struct xml_name *name)
{
    uint32_t on_path = path_to(m, name);
    struct xml_frame *f = frame_push(m);

    f->name = *name;
    f->on_path = on_path;
    if (!is_record(m))
        return false;
    record_begin(m, name);
    return true;
}

enum xml_started xml_match_start(struct xml_match *m,
                                 const struct xml_name *name)
{
    size_t first = m->frames[m->n_frames - 1].first_pair;
    size_t end = m->n_pairs, n_frames = m->n_frames;
    bool outside = !m->item;

    if (outside && open_outside(m, name))
        return XML_RECORD;
    match_children(m, name, first, end, outside);
    if (m->n_frames > n_frames)
        return XML_OPENED;
    m->keeps_text = false;
    m->skipped = 1;
    return XML_SKIPPED;
}

bool xml_match_wants_attributes(const struct xml_match *m)
{
    for (size_t i = m->frames[m->n_frames - 1].first_pair; i < m->n_pairs; i++)
        if (m->pairs[i].step->n_attributes)
            return true;
    return false;
}

void xml_match_attribute(struct xml_match *m, const struct xml_name *name,
                         struct str value, uint32_t line, uint32_t col)
{
    for (size_t i = m->frames[m->n_frames - 1].first_pair; i < m->n_pairs;
         i++) {
        struct xml_pair p = m->pairs[i];

        for (uint32_t k = 0; k < p.step->n_attributes; k++) {
            const struct xml_step *s = &p.step->attributes[k];
            struct item *it;

            if (!fits(s, name))
                continue;
            it = item_new(m, p.step, p.item, s, name->local);
            it->line = line;
            it->col = col;
            if (s->want->needs_text)
                item_set_text(m, it, value);
        }
    }
}

void xml_match_place(struct xml_match *m, uint32_t line, uint32_t col)
{
    for (size_t i = m->frames[m->n_frames - 1].first_pair; i < m->n_pairs;
         i++) {
        struct item *it = m->pairs[i].item;

        if (it == m->item)
            continue; /* a record's place is its start tag */
        it->line = line;
        it->col = col;
    }
}

/* The items of the innermost frame get their text. */
static void finish_texts(struct xml_match *m)
{
    const struct xml_frame *f = &m->frames[m->n_frames - 1];
    struct str text = { m->text.p + f->text, m->text.len - f->text };

    if (!f->keeps_text)
        return;
    for (size_t i = f->first_pair; i < m->n_pairs; i++)
        if (m->pairs[i].step->needs_text)
            item_set_text(m, m->pairs[i].item, text);
}

/* Does the map get anything from it, or was it only on the way? */
static bool yields(const struct item *it)
{
    return it->child || it->want->needs_text || !it->want->child;
}

/*
 * An element outside records closes. Ancestors of records are forgotten;
 * what else plan->root wants stays, unless a record has gone without it.
 */
static enum xml_ended close_outside(struct xml_match *m,
                                    const struct item **late)
{
    const struct xml_frame *f = &m->frames[m->n_frames - 1];
    bool path = f->on_path && !m->r->plan->anywhere;
    enum xml_ended result = XML_GOES_ON;

    for (size_t i = f->first_pair; i < m->n_pairs; i++) {
        struct xml_pair p = m->pairs[i];

        if (p.step->want->kind == WANT_SELF)
            continue; /* goes or stays with its element */
        if (f->has_record || path || p.step->holds_records) {
            /* Its `.` items are pairs too, and go with it. */
            root_drop_one(m, p.item);
        } else if (f[-1].has_record && yields(p.item)) {
            *late = p.item;
            result = XML_IS_LATE;
        }
    }
    return result;
}

enum xml_ended xml_match_end(struct xml_match *m, const struct item **late)
{
    enum xml_ended result = XML_GOES_ON;

    finish_texts(m);
    if (!m->item)
        result = close_outside(m, late);
    else if (m->n_frames - 1 == m->record_frame)
        result = XML_RECORD_ENDS;
    frame_pop(m);
    return result;
}

/* ---- life -----------------------------------------------------------------
 */

void xml_match_init(struct xml_match *m, struct reader *r, xml_intern *intern,
                    void *ctx)
{
    struct compiler c = { m, intern, ctx };

    *m = (struct xml_match){ .r = r };
    m->max_text = r->limits->v[LIMIT_XML_TEXT];
    buf_init(&m->text, SIZE_MAX / 4);
    buf_room(&m->text, 1); /* m->text.p is never NULL */
    compile_step(&c, &m->record, r->plan->record);
    if (r->plan->root)
        compile_step(&c, &m->root, r->plan->root);
    compile_path(&c);
    m->root_item.want = r->plan->root;
    r->root = &m->root_item;
    frame_push(m)->name = (struct xml_name){ 0 };
    pair_push(m, &m->root, &m->root_item);
}

void xml_match_release(struct xml_match *m)
{
    for (struct item *c = m->root_item.child, *next; c; c = next) {
        next = c->next;
        root_item_free(m, c);
    }
    m->r->root = NULL;
    free(m->frames);
    free(m->pairs);
    buf_release(&m->text);
}
