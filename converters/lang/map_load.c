/*
 * map_load.c - a map file: header, options, settings, tables, parts, body.
 *
 * In passes, because names may be used before they stand: the header, plain
 * options, settings and parts, tables, options with expressions, the body.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "converters/lang/compile.h"
#include "converters/lang/table.h"

/* Does the line begin with this word, as a whole word? */
bool is_statement_line(struct str text, const char *word)
{
    size_t n = strlen(word);

    if (!str_starts(text, str_of(word)))
        return false;
    if (text.len == n)
        return true;
    if (text.p[n] != ' ' && text.p[n] != '\t')
        return false;
    /* "each = x" sets an element or column of that name. */
    return !str_starts(str_trim(str_from(text, n)), STR("="));
}

struct str near_statement(const struct parser *p, struct str word)
{
    static const char *const read[] = { "each",   "when", "use",   "skip",
                                        "reject", "warn", "table", "setting" };
    static const char *const write[] = { "each", "when",  "use",
                                         "row",  "table", "setting" };
    bool is_write = p->map->is_write;

    return did_you_mean(p->a, word, is_write ? write : read,
                        is_write ? COUNT(write) : COUNT(read));
}

void *statement_fail(struct parser *p, struct str word, const char *text)
{
    struct str near = near_statement(p, word);

    return parse_fail(
        p, p->p < p->end ? p->p : word.p,
        arena_cstr(p->a, arena_fmt(p->a, "%s%.*s", text, STR_ARGS(near))));
}

/* ---- header ------------------------------------------------------------- */

static void unknown_document(struct loader *ld, const struct oline *l,
                             struct str name)
{
    const char *names[32];
    size_t n = 0;

    for (; documents[n] && n < COUNT(names); n++)
        names[n] = documents[n]->name;
    DIAG(ld->diags, UNKNOWN_DOCUMENT, oline_place(l, name), name,
         did_you_mean(&ld->map->arena, name, names, n));
}

/* Formats that the language knows of, but this program does not have yet. */
static bool is_planned_format(struct str name)
{
    static const char *const planned[] = { "text", "fixed", "edifact",
                                           "json", "xlsx",  "dbf" };

    for (size_t i = 0; i < COUNT(planned); i++)
        if (str_is(name, planned[i]))
            return true;
    return false;
}

static void unknown_format(struct loader *ld, const struct oline *l,
                           struct str name)
{
    const char *names[32];
    size_t n = 0;

    if (is_planned_format(name)) {
        DIAG(ld->diags, NOT_BUILT, oline_place(l, name),
             arena_fmt(&ld->map->arena, "format %.*s", STR_ARGS(name)));
        return;
    }
    for (; formats[n] && n < COUNT(names); n++)
        names[n] = formats[n]->name;
    DIAG(ld->diags, UNKNOWN_FORMAT, oline_place(l, name), name,
         did_you_mean(&ld->map->arena, name, names, n));
}

static bool load_header(struct loader *ld)
{
    struct map *m = ld->map;
    const struct oline *l = ld->header;
    struct str rest, word[4] = { { 0 } };
    int n = 0;

    if (l)
        for (rest = l->text;
             n < 4 && oline_word(&m->arena, l, &rest, &word[n], ld->diags);)
            n++;
    m->is_write = str_is(word[0], "write");
    if (n != 4 || str_trim(rest).len ||
        !(m->is_write || str_is(word[0], "read")) ||
        !str_is(word[2], m->is_write ? "to" : "from")) {
        struct place top = { .src = m->src, .line = 1, .col = 1 };

        DIAG0(ld->diags, NO_HEADER, l ? oline_whole(l) : top);
        return false;
    }
    m->document = document_find(word[1]);
    m->format = format_find(word[3]);
    if (!m->document)
        unknown_document(ld, l, word[1]);
    if (!m->format)
        unknown_format(ld, l, word[3]);
    return m->document && m->format;
}

/* ---- settings, tables, parts, includes ---------------------------------- */

static void load_setting(struct loader *ld, const struct oline *l)
{
    struct map *m = ld->map;
    struct setting *s = arena_alloc(&m->arena, sizeof(*s)), **tail;
    struct parser p;

    parser_init(&p, m, l, str_from(l->text, strlen("setting")), ld->diags);
    parse_blanks(&p);
    s->at = oline_whole(l);
    s->name = parse_name(&p);
    if (!s->name.len) {
        parse_fail(&p, p.p, "the setting's name is missing");
        return;
    }
    s->required = parse_word(&p, "required");
    parse_blanks(&p);
    if (p.p < p.end && *p.p == '"' && !parse_string(&p, &s->help))
        return;
    if (!parse_end(&p))
        return;
    if (map_setting(m, s->name)) {
        DIAG(ld->diags, NAME_TWICE, s->at,
             arena_fmt(&m->arena, "setting %.*s", STR_ARGS(s->name)));
        return;
    }
    s->slot = m->n_settings++;
    for (tail = &m->settings; *tail; tail = &(*tail)->next)
        continue;
    *tail = s;
    outline_no_block(l, ld->diags);
}

static void load_part(struct loader *ld, const struct oline *l)
{
    struct map *m = ld->map;
    struct part_def *d = arena_alloc(&m->arena, sizeof(*d));
    struct parser p;

    parser_init(&p, m, l, str_from(l->text, strlen("part")), ld->diags);
    parse_blanks(&p);
    d->name = parse_name(&p);
    d->line = l;
    if (!d->name.len) {
        parse_fail(&p, p.p, "the part's name is missing");
        return;
    }
    (void)parse_end(&p);
    if (!l->child)
        DIAG0(ld->diags, EMPTY_BLOCK, oline_whole(l));
    for (struct part_def *x = m->parts; x; x = x->next)
        if (str_eq(x->name, d->name))
            DIAG(ld->diags, NAME_TWICE, oline_whole(l),
                 arena_fmt(&m->arena, "part %.*s", STR_ARGS(d->name)));
    d->next = m->parts;
    m->parts = d;
}

void map_add_table(struct map *m, const struct oline *l, struct str folder,
                   const struct limits *limits, struct diags *diags)
{
    struct table *t = arena_alloc(&m->arena, sizeof(*t));
    struct parser p;

    parser_init(&p, m, l, str_from(l->text, strlen("table")), diags);
    parse_blanks(&p);
    t->at = oline_whole(l);
    t->name = parse_name(&p);
    if (!t->name.len) {
        parse_fail(&p, p.p, "the table's name is missing");
        return;
    }
    for (struct table *x = m->tables; x; x = x->next)
        if (str_eq(x->name, t->name))
            DIAG(diags, NAME_TWICE, t->at,
                 arena_fmt(&m->arena, "table %.*s", STR_ARGS(t->name)));
    (void)table_parse(m, l, folder, limits, t, diags);
    t->next = m->tables;
    m->tables = t;
}

static void load_table(struct loader *ld, const struct oline *l)
{
    map_add_table(ld->map, l, ld->folder, ld->limits, ld->diags);
}

struct part_def *find_part(struct loader *ld, const struct parser *p,
                           const char *from, struct str name)
{
    const char *names[64];
    size_t n = 0;

    for (struct part_def *d = ld->map->parts; d; d = d->next) {
        if (str_eq(d->name, name)) {
            if (!d->open)
                return d;
            DIAG(ld->diags, NOT_HERE, parse_place(p, from, p->p),
                 arena_fmt(&ld->map->arena, "part %.*s", STR_ARGS(name)),
                 STR("a part cannot use itself"));
            return NULL;
        }
        if (n < COUNT(names))
            names[n++] = arena_cstr(&ld->map->arena, d->name);
    }
    DIAG(ld->diags, UNKNOWN_PART, parse_place(p, from, p->p), name,
         did_you_mean(&ld->map->arena, name, names, n));
    return NULL;
}

/* A name without folders, so that a map reads only what lies beside it. */
static bool is_plain_name(struct str s)
{
    return s.len && s.p[0] != '.' && str_find_char(s, '/') < 0 &&
           str_find_char(s, '\\') < 0;
}

static const struct oline *load_include(struct loader *ld,
                                        const struct oline *l)
{
    struct map *m = ld->map;
    struct str rest = str_from(l->text, strlen("include"));
    struct str name = STR("FILE");
    struct source *src;
    struct oline *top;
    struct str path;
    struct err e;

    if (!oline_word(&m->arena, l, &rest, &name, ld->diags) ||
        !is_plain_name(name)) {
        DIAG(ld->diags, INCLUDE, oline_whole(l), name,
             STR("the name of a file beside the map is needed"));
        return NULL;
    }
    path =
        arena_fmt(&m->arena, "%.*s%.*s", STR_ARGS(ld->folder), STR_ARGS(name));
    if (source_read(&m->arena, path.p, name, ld->limits, &src, &e) == -1) {
        DIAG(ld->diags, INCLUDE, oline_whole(l), name,
             arena_str(&m->arena, str_of(e.text)));
        return NULL;
    }
    m->sources[m->n_sources++] = src;
    outline_parse(&m->arena, src, ld->limits, ld->diags, &top);
    for (const struct oline *x = top; x; x = x->next)
        if (!is_statement_line(x->text, "table") &&
            !is_statement_line(x->text, "part"))
            DIAG(ld->diags, NOT_HERE, oline_whole(x), STR("this line"),
                 STR("an included file holds tables and parts"));
    return top;
}

/* Calls load for every top line that begins with the word. */
static void load_lines(struct loader *ld, const struct oline *top,
                       const char *word,
                       void (*load)(struct loader *, const struct oline *))
{
    for (; top; top = top->next)
        if (is_statement_line(top->text, word))
            load(ld, top);
}

/* ---- warnings about what is never used ---------------------------------- */

static void report_unused(struct loader *ld)
{
    struct map *m = ld->map;

    for (struct setting *s = m->settings; s; s = s->next)
        if (!s->used)
            DIAG(ld->diags, UNUSED, s->at,
                 arena_fmt(&m->arena, "setting %.*s", STR_ARGS(s->name)));
    for (struct table *t = m->tables; t; t = t->next)
        if (!t->used && t->at.src == m->src)
            DIAG(ld->diags, UNUSED, t->at,
                 arena_fmt(&m->arena, "table %.*s", STR_ARGS(t->name)));
    for (struct part_def *d = m->parts; d; d = d->next)
        if (!d->used && d->line->src == m->src)
            DIAG(ld->diags, UNUSED, oline_whole(d->line),
                 arena_fmt(&m->arena, "part %.*s", STR_ARGS(d->name)));
}

/* ---- loading ------------------------------------------------------------ */

enum { MAX_INCLUDES = 16 };

static void load_rest(struct loader *ld, const struct oline *top)
{
    const struct oline *files[MAX_INCLUDES + 1] = { top };
    size_t n_files = 1, n_lines = 0;
    struct body body = { 0 };

    for (const struct oline *l = top; l; l = l->next) {
        n_lines++;
        if (is_statement_line(l->text, "include") && n_files <= MAX_INCLUDES)
            files[n_files++] = load_include(ld, l);
    }
    load_lines(ld, top, "setting", load_setting);
    for (size_t i = 0; i < n_files; i++)
        load_lines(ld, files[i], "part", load_part);
    for (size_t i = 0; i < n_files; i++)
        load_lines(ld, files[i], "table", load_table);
    options_load(ld, true);

    body.lines = arena_alloc(&ld->map->arena, (n_lines + 1) * sizeof(void *));
    for (const struct oline *l = top; l; l = l->next)
        if (!is_statement_line(l->text, "setting") &&
            !is_statement_line(l->text, "part") &&
            !is_statement_line(l->text, "table") &&
            !is_statement_line(l->text, "include"))
            body.lines[body.n++] = l;
    if (!body.n)
        DIAG(ld->diags, NO_BODY, oline_whole(ld->header),
             ld->map->is_write ? STR("written") : STR("read"));
    else if (ld->map->is_write)
        compile_write(ld, &body);
    else
        compile_read(ld, &body);
}

static struct str folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return STR("");
    return arena_str(a, (struct str){ path, (size_t)(slash - path) + 1 });
}

static struct map *map_new(struct str name)
{
    struct map *m = xcalloc(1, sizeof(*m));

    m->name = arena_str(&m->arena, name);
    m->plan.record = want_new(m, WANT_ELEMENT);
    return m;
}

struct map *map_load(const char *path, struct str name,
                     const struct limits *limits, struct diags *diags)
{
    struct map *m = map_new(name);
    struct loader ld = { .map = m, .diags = diags, .limits = limits };
    struct source *src;
    struct oline *top;
    struct err e;
    uint64_t n_errors = diags->n_errors;
    size_t n_opts = 0;

    if (source_read(&m->arena, path, str_of(path), limits, &src, &e) == -1) {
        const char *why = strrchr(e.text, ':');

        src = arena_alloc(diags->arena, sizeof(*src));
        src->name = arena_str(diags->arena, str_of(path));
        DIAG(diags, FILE_READ, ((struct place){ .src = src }),
             arena_str(diags->arena, str_of(why ? why + 2 : e.text)));
        map_free(m);
        return NULL;
    }
    m->src = m->sources[m->n_sources++] = src;
    outline_parse(&m->arena, src, limits, diags, &top);
    ld.header = top;
    ld.folder = folder_of(&m->arena, path);
    if (!top && diags->n_errors > n_errors) {
        /* Not UTF-8: there are no lines to look at. */
    } else if (load_header(&ld) && ld.header) {
        const struct opt_spec *o =
            m->is_write ? m->format->write_opts : m->format->read_opts;

        while (o && o[n_opts].name)
            n_opts++;
        m->opts = arena_alloc(&m->arena, (n_opts + 1) * sizeof(*m->opts));
        m->shape = shape_new(&m->arena, m->document);
        options_defaults(&ld);
        options_load(&ld, false);
        load_rest(&ld, ld.header->next);
        /* A line with a mistake may be the one that uses it. */
        if (diags->n_errors == n_errors)
            report_unused(&ld);
    }
    diags_sort(diags);
    return m;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    arena_release(&m->arena);
    free(m->reasons);
    free(m);
}

bool maps_join(struct map *read, struct map *write)
{
    return shape_join(read->shape, write->shape) == 0;
}

struct expr *map_compile_when(struct map *read, const struct oline *l,
                              struct str text, struct diags *diags)
{
    struct resolver r;
    struct parser p;
    struct expr *e;

    resolver_init(&r, read, diags);
    r.scopes[0] = (struct scope){ .shape = read->shape, .list = -1 };
    r.n_scopes = 1;
    r.one_document = true;
    /* A condition speaks of documents, as a write map does. */
    read->is_write = true;
    parser_init(&p, read, l, text, diags);
    e = parse_expr(&p);
    if (!e || !parse_end(&p) || !resolve_expr(&r, e))
        e = NULL;
    read->is_write = false;
    return e;
}

/* ---- finding a map ------------------------------------------------------ */

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static char *try_path(struct arena *a, const char *folder, struct str name,
                      struct buf *looked)
{
    static const char *const endings[] = { "", ".map" };

    for (size_t i = 0; i < COUNT(endings); i++) {
        struct str path = arena_fmt(a, "%s%s%.*s%s", folder, *folder ? "/" : "",
                                    STR_ARGS(name), endings[i]);

        if (is_file(path.p))
            return arena_cstr(a, path);
    }
    (void)buf_addf(looked, "%s%s", looked->len ? ", " : "",
                   *folder ? folder : ".");
    return NULL;
}

char *map_find(struct arena *a, struct str name, const char *beside,
               struct buf *looked)
{
    static const char installed[] = KERVAN_SHARE "/mappings";
    const char *from_env = getenv("KERVAN_MAPPINGS");
    const char *const folders[] = { beside, "", from_env, "mappings",
                                    installed };

    if (name.len && name.p[0] == '/')
        return try_path(a, "", name, looked);
    for (size_t i = 0; i < COUNT(folders); i++) {
        char *path = folders[i] ? try_path(a, folders[i], name, looked) : NULL;

        if (path)
            return path;
    }
    return NULL;
}
