#include "converters/lang/outline.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/utf8.h"

int source_read(struct arena *a, const char *path, struct str name,
                const struct limits *limits, struct source **out, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    uint64_t max = limits->v[LIMIT_MAP_SIZE];
    struct buf b;
    ssize_t n = 1;

    if (fd == -1)
        return err_sys(e, ERR_HOLD, "cannot open %s", path);
    buf_init(&b, max + 1);
    while (n > 0) {
        char *to = buf_room(&b, 16384 < b.max - b.len ? 16384 : b.max - b.len);

        n = b.len < b.max
                ? read(fd, to, 16384 < b.max - b.len ? 16384 : b.max - b.len)
                : 0;
        if (n > 0)
            b.len += (size_t)n;
    }
    close(fd);
    if (n == -1) {
        buf_release(&b);
        return err_sys(e, ERR_HOLD, "cannot read %s", path);
    }
    if (b.len > max) {
        buf_release(&b);
        return err_set(e, ERR_HOLD, "%s: over the limit map-size of %llu bytes",
                       path, (unsigned long long)max);
    }
    *out = arena_alloc(a, sizeof(**out));
    (*out)->name = arena_str(a, name);
    (*out)->text = arena_str(a, buf_str(&b));
    if (str_starts((*out)->text, STR("\xef\xbb\xbf")))
        (*out)->text = str_from((*out)->text, 3);
    buf_release(&b);
    return 0;
}

struct place oline_place(const struct oline *l, struct str at)
{
    size_t before = at.p && at.p >= l->text.p ? (size_t)(at.p - l->text.p) : 0;

    if (before > l->text.len)
        before = l->text.len;
    if (at.len > l->text.len - before)
        at.len = l->text.len - before;
    return (struct place){
        .src = l->src,
        .line = l->line,
        .col = l->before + 1 + (uint32_t)utf8_count(str_first(l->text, before)),
        .len = (uint32_t)utf8_count(at),
    };
}

struct place oline_whole(const struct oline *l)
{
    return oline_place(l, l->text);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The line without its comment and closing blanks. */
static struct str cut_comment(struct str s)
{
    bool quoted = false;

    if (str_starts(s, STR("> ")) || str_is(s, ">"))
        return s;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"')
            quoted = !quoted;
        else if (s.p[i] == '#' && !quoted && (i == 0 || is_blank(s.p[i - 1])))
            s.len = i;
    }
    while (s.len && (is_blank(s.p[s.len - 1]) || s.p[s.len - 1] == '\r'))
        s.len--;
    return s;
}

/* A guess, for the message: which 8-bit charset was the file saved in? */
static const char *likely_charset(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.p[i] == 0xfd ||
            (unsigned char)text.p[i] == 0xf0 ||
            (unsigned char)text.p[i] == 0xdd)
            return "windows-1254 or windows-1250";
    return "windows-1250";
}

/* Reports the first byte that is not UTF-8. True when there is one. */
static bool report_not_utf8(struct arena *a, const struct source *src,
                            struct diags *diags)
{
    size_t bad = utf8_valid_len(src->text);
    struct place at = { .src = src, .line = 1, .col = 1 };
    const char *charset;
    size_t start = 0;

    if (bad == src->text.len)
        return false;
    charset = str_starts(src->text, STR("\xFF\xFE")) ||
                      str_starts(src->text, STR("\xFE\xFF"))
                  ? "UTF-16"
                  : likely_charset(str_from(src->text, bad));
    for (size_t i = 0; i < bad; i++)
        if (src->text.p[i] == '\n') {
            at.line++;
            start = i + 1;
        }
    at.col +=
        (uint32_t)utf8_count((struct str){ src->text.p + start, bad - start });
    DIAG(diags, NOT_UTF8, at,
         arena_fmt(a, "0x%02X", (unsigned char)src->text.p[bad]),
         str_of(charset));
    return true;
}

struct outline {
    struct arena *a;
    struct diags *diags;
    uint64_t max_depth;
    struct oline *first, *last; /* outermost lines */
    struct oline *prev;         /* the line before */
};

/*
 * How wide a tab is, only its editor knows. It was reported; the lines around
 * it, which are in order, say which column it stands for.
 */
static void place_tabbed(const struct outline *o, struct oline *l)
{
    struct oline *last = NULL;

    for (struct oline *x = o->prev; x && x->indent > l->indent; x = x->parent)
        last = x;
    if (last && last->tabbed &&
        (!last->parent || last->parent->indent < l->indent))
        last->indent = l->indent;
}

/* The open line whose block `indent` belongs to; false: no such column. */
static bool find_parent(const struct outline *o, uint32_t indent,
                        struct oline **parent)
{
    struct oline *l = o->prev;

    *parent = NULL;
    if (!l)
        return indent == 0;
    if (indent > l->indent) {
        *parent = l;
        return true;
    }
    while (l && l->indent > indent)
        l = l->parent;
    if (!l || l->indent != indent)
        return false;
    *parent = l->parent;
    return true;
}

static void append(struct outline *o, struct oline *parent, struct oline *l)
{
    struct oline **first = parent ? &parent->child : &o->first;
    struct oline **last = parent ? &parent->last : &o->last;

    l->parent = parent;
    if (*last)
        (*last)->next = l;
    else
        *first = l;
    *last = l;
    o->prev = l;
}

static uint64_t depth_of(const struct oline *l)
{
    uint64_t n = 0;

    for (; l; l = l->parent)
        n++;
    return n;
}

static void add_line(struct outline *o, const struct source *src,
                     struct str raw, uint32_t number)
{
    struct oline *l, *parent;
    size_t indent = 0, before = 0, tab = 0;
    struct str text;

    while (before < raw.len && is_blank(raw.p[before])) {
        bool is_tab = raw.p[before] == '\t';

        tab = is_tab && !tab ? before + 1 : tab;
        indent = is_tab ? indent / 8 * 8 + 8 : indent + 1;
        before++;
    }
    text = cut_comment(str_from(raw, before));
    if (text.len == 0)
        return;
    l = arena_alloc(o->a, sizeof(*l));
    *l = (struct oline){ .src = src,
                         .text = text,
                         .line = number,
                         .before = (uint32_t)before,
                         .indent = (uint32_t)indent,
                         .tabbed = tab > 0 };
    place_tabbed(o, l);
    /* The line keeps its place in the tree, lest it causes more messages. */
    if (tab) {
        struct place at = oline_place(l, str_first(text, 1));

        at.col = (uint32_t)tab;
        DIAG0(o->diags, TAB_INDENT, at);
    }
    if (!find_parent(o, l->indent, &parent)) {
        DIAG0(o->diags, BAD_INDENT, oline_place(l, str_first(text, 1)));
        return;
    }
    if (depth_of(parent) >= o->max_depth) {
        DIAG(o->diags, SYNTAX, oline_whole(l),
             arena_fmt(o->a,
                       "blocks are nested deeper than the limit map-depth "
                       "of %llu",
                       (unsigned long long)o->max_depth));
        return;
    }
    append(o, parent, l);
}

void outline_no_block(const struct oline *l, struct diags *diags)
{
    if (l->child && !l->child->tabbed)
        DIAG0(diags, NO_BLOCK, oline_whole(l->child));
}

void outline_parse(struct arena *a, const struct source *src,
                   const struct limits *limits, struct diags *diags,
                   struct oline **top)
{
    struct outline o = { .a = a,
                         .diags = diags,
                         .max_depth = limits->v[LIMIT_MAP_DEPTH] };
    struct str rest = src->text;
    uint32_t number = 0;

    *top = NULL;
    if (report_not_utf8(a, src, diags))
        return;
    while (rest.len) {
        ptrdiff_t nl = str_find_char(rest, '\n');
        struct str raw = str_first(rest, nl < 0 ? rest.len : (size_t)nl);

        add_line(&o, src, raw, ++number);
        rest = str_from(rest, nl < 0 ? rest.len : (size_t)nl + 1);
    }
    *top = o.first;
}

/* A part of the line, which a message can point at, unless a doubled quote
 * stands in it. */
static bool quoted_word(struct arena *a, const struct oline *l,
                        struct str *rest, struct str *word, struct diags *diags)
{
    char *out = arena_text(a, rest->len);
    size_t n = 0;

    for (size_t i = 1; i < rest->len; i++) {
        if (rest->p[i] == '"') {
            if (i + 1 < rest->len && rest->p[i + 1] == '"') {
                i++;
            } else {
                *word = n + 1 == i ? (struct str){ rest->p + 1, n }
                                   : (struct str){ out, n };
                *rest = str_from(*rest, i + 1);
                return true;
            }
        }
        out[n++] = rest->p[i];
    }
    DIAG0(diags, OPEN_STRING, oline_place(l, *rest));
    *rest = str_from(*rest, rest->len);
    return false;
}

bool oline_word(struct arena *a, const struct oline *l, struct str *rest,
                struct str *word, struct diags *diags)
{
    size_t n = 0;

    while (rest->len && is_blank(rest->p[0]))
        *rest = str_from(*rest, 1);
    if (!rest->len)
        return false;
    if (rest->p[0] == '"')
        return quoted_word(a, l, rest, word, diags);
    while (n < rest->len && !is_blank(rest->p[n]))
        n++;
    *word = str_first(*rest, n);
    *rest = str_from(*rest, n);
    return true;
}
