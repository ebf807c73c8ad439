/*
 * xml_want.h - plans in one line of text, and items back into one.
 *
 *   "x y/z @id y/@k a/. I* p:q flag?"
 *
 * are the wants below a record: children, paths, attributes, an element's own
 * text, a glob, a name of namespace "urn:p", one whose text is not read. A
 * leading "!" on the whole line ignores namespaces. Items come back as
 *
 *   x=text y(z=text) @id=text .=text
 */
#ifndef TESTS_UNIT_XML_WANT_H
#define TESTS_UNIT_XML_WANT_H

#include "formats/format.h"

static inline struct want *want_child(struct arena *a, struct want *parent,
                                      struct str step, bool any_uri)
{
    struct want w = { .kind = WANT_ELEMENT, .parent = parent }, *made;
    struct want **link = &parent->child;

    w.any_uri = any_uri;
    if (str_starts(step, STR("@"))) {
        w.kind = WANT_ATTRIBUTE;
        step = str_from(step, 1);
    }
    if (str_is(step, "."))
        w.kind = WANT_SELF;
    if (step.len > 2 && step.p[1] == ':') {
        w.uri = arena_fmt(a, "urn:%c", step.p[0]);
        step = str_from(step, 2);
    }
    w.name = step;
    w.is_glob = str_find_char(step, '*') >= 0;
    for (; *link; link = &(*link)->next)
        if ((*link)->kind == w.kind && str_eq((*link)->name, w.name) &&
            str_eq((*link)->uri, w.uri))
            return *link;
    made = arena_alloc(a, sizeof(*made));
    *made = w;
    return *link = made;
}

/* Adds what `line` names below `top`. */
static inline void want_parse(struct arena *a, struct want *top,
                              const char *line)
{
    struct str rest = str_of(line);
    bool any_uri = str_starts(rest, STR("!"));

    if (any_uri)
        rest = str_from(rest, 1);
    while (rest.len) {
        ptrdiff_t end = str_find_char(rest, ' ');
        struct str path = str_first(rest, end < 0 ? rest.len : (size_t)end);
        bool reads = !str_ends(path, STR("?"));
        struct want *w = top;

        rest = str_from(rest, path.len + 1);
        if (!reads)
            path.len--;
        while (path.len) {
            ptrdiff_t slash = str_find_char(path, '/');
            size_t n = slash < 0 ? path.len : (size_t)slash;

            w = want_child(a, w, str_first(path, n), any_uri);
            path = str_from(path, n + 1);
        }
        w->needs_text |= reads;
    }
}

static inline void show_item(struct buf *out, const struct item *it,
                             bool places, uint32_t lines_before)
{
    if (it->want->kind == WANT_SELF) {
        buf_addc(out, '.');
    } else {
        buf_addz(out, it->want->kind == WANT_ATTRIBUTE ? "@" : "");
        buf_add(out, it->name);
    }
    if (places)
        buf_addf(out, "@%u:%u", it->line - lines_before, it->col);
    if (it->text.p) {
        buf_addc(out, '=');
        buf_add(out, it->text);
    }
    if (!it->child)
        return;
    buf_addc(out, '(');
    for (const struct item *c = it->child; c; c = c->next) {
        show_item(out, c, places, lines_before);
        if (c->next)
            buf_addc(out, ' ');
    }
    buf_addc(out, ')');
}

#endif
