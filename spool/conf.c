#include "spool/conf.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/base/text.h"
#include "spool/conf_inside.h"
#include "spool/files.h"

enum { MAX_INCLUDES = 8, MAX_WORDS = 64 };

/* ---- lines -------------------------------------------------------------- */

void conf_value(struct conf_parser *p, const struct oline *l, struct str at,
                const char *what, const char *wrong)
{
    DIAG(p->diags, CONF_VALUE, oline_place(l, at), str_of(what), str_of(wrong));
}

bool conf_need(struct conf_parser *p, const struct oline *l, struct str *rest,
               const char *what, const char *needed, struct str *word)
{
    uint64_t errors = p->diags->n_errors;

    if (oline_word(&p->conf->arena, l, rest, word, p->diags))
        return true;
    if (p->diags->n_errors == errors)
        conf_value(p, l, l->text, what, needed);
    return false;
}

void conf_end(struct conf_parser *p, const struct oline *l, struct str rest)
{
    rest = str_trim(rest);
    if (rest.len)
        DIAG(p->diags, SYNTAX, oline_place(l, rest),
             arena_fmt(&p->conf->arena,
                       "unexpected \"%.*s\"; put a text with spaces into "
                       "quotes",
                       STR_ARGS(str_first(rest, 60))));
}

/* Does the line begin with the word (which may be two: "on error")? */
bool conf_begins(struct str text, const char *name, struct str *rest)
{
    size_t n = strlen(name);

    if (!str_starts(text, str_of(name)) ||
        (text.len > n && text.p[n] != ' ' && text.p[n] != '\t'))
        return false;
    *rest = str_from(text, n);
    return true;
}

/* "look evry" of "look evry 5 minutes". */
static struct str two_words(struct str text)
{
    ptrdiff_t blank = str_find_char(text, ' ');
    size_t second = blank < 0 ? text.len : (size_t)blank + 1;
    ptrdiff_t end = str_find_char(str_from(text, second), ' ');

    return end < 0 ? text : str_first(text, second + (size_t)end);
}

/* "send changes" means the line "changes", "vat keys" the line "vat map". */
static const char *meant(struct str word, struct str rest,
                         const char *const *names, size_t n)
{
    struct str value;

    for (size_t i = 0; i < n; i++)
        for (struct str name = str_of(names[i]); name.len;) {
            ptrdiff_t blank = str_find_char(name, ' ');
            size_t len = blank < 0 ? name.len : (size_t)blank;

            if (len < strlen(names[i]) && str_eq(str_first(name, len), word))
                return names[i];
            name = str_from(name, len + (blank >= 0));
        }
    for (size_t i = 0; i < n; i++)
        if (conf_begins(str_trim(rest), names[i], &value))
            return names[i];
    return NULL;
}

static void unknown_word(struct conf_parser *p, const struct oline *l,
                         const struct conf_word *words)
{
    const char *names[MAX_WORDS];
    struct str rest = l->text, word = { NULL, 0 }, hint;
    const char *other;
    size_t n = 0;

    for (; words[n].name && n < COUNT(names); n++)
        names[n] = words[n].name;
    if (p->route)
        n += trade_word_names(names + n, COUNT(names) - n);
    if (!oline_word(&p->conf->arena, l, &rest, &word, p->diags))
        return;
    other = meant(word, rest, names, n);
    hint = other ? arena_fmt(&p->conf->arena, "; did you mean %s?", other)
                 : did_you_mean(&p->conf->arena, word, names, n);
    if (!hint.len)
        hint = did_you_mean(&p->conf->arena, two_words(l->text), names, n);
    DIAG(p->diags, CONF_UNKNOWN, oline_place(l, word), word, hint);
}

void conf_line(struct conf_parser *p, const struct oline *l,
               const struct conf_word *words)
{
    struct str rest;

    for (const struct conf_word *w = words; w->name; w++) {
        if (!conf_begins(l->text, w->name, &rest))
            continue;
        if (w->not_built)
            DIAG(p->diags, NOT_BUILT,
                 oline_place(l, str_first(l->text, strlen(w->name))),
                 arena_fmt(&p->conf->arena, "\"%s\"", w->name));
        if (w->parse)
            w->parse(p, l, rest);
        if (!w->has_block && !w->not_built)
            outline_no_block(l, p->diags);
        return;
    }
    unknown_word(p, l, words);
}

void conf_block(struct conf_parser *p, const struct oline *first,
                const struct conf_word *words)
{
    for (const struct oline *l = first; l; l = l->next)
        conf_line(p, l, words);
}

bool conf_interval(struct conf_parser *p, const struct oline *l,
                   const char *what, struct str *rest, uint32_t *minutes)
{
    static const char usage[] = "wants a number of minutes, hours or days";
    static const struct {
        const char *name;
        uint32_t minutes;
    } units[] = { { "minutes", 1 }, { "minute", 1 },  { "hours", 60 },
                  { "hour", 60 },   { "days", 1440 }, { "day", 1440 } };
    struct str n, unit;
    uint64_t value;

    if (!conf_need(p, l, rest, what, usage, &n) ||
        !conf_need(p, l, rest, what, usage, &unit))
        return false;
    for (size_t i = 0; i < COUNT(units); i++)
        if (str_is(unit, units[i].name)) {
            /* No other bound than that of the number: who wants a run every
             * hundred years may have it. */
            if (!str_to_uint(n, UINT32_MAX / units[i].minutes, &value) ||
                value == 0) {
                conf_value(p, l, n, what, "wants a whole number, 1 at least");
                return false;
            }
            *minutes = (uint32_t)value * units[i].minutes;
            return true;
        }
    conf_value(p, l, unit, what, usage);
    return false;
}

/* "10 files" or "7 days" of a `keep` line. */
static bool keep_part(struct conf_parser *p, const struct oline *l,
                      struct str *rest, const char *usage, struct keep *keep)
{
    struct str number, unit;
    uint64_t n;

    if (!conf_need(p, l, rest, "keep", usage, &number))
        return false;
    if (!number.len || number.p[0] < '0' || number.p[0] > '9') {
        conf_value(p, l, number, "keep", usage);
        return false;
    }
    if (!conf_need(p, l, rest, "keep", usage, &unit))
        return false;
    if (!str_to_uint(number, 100000, &n) || n == 0) {
        conf_value(p, l, number, "keep", "wants a number from 1 to 100000");
        return false;
    }
    if (str_is(unit, "days") || str_is(unit, "day"))
        keep->days = (uint32_t)n;
    else if (str_is(unit, "files") || str_is(unit, "file"))
        keep->files = (uint32_t)n;
    else
        conf_value(p, l, unit, "keep", "wants days or files");
    return keep->days || keep->files;
}

void conf_keep(struct conf_parser *p, const struct oline *l, struct str rest,
               struct keep *keep)
{
    static const char usage[] = "wants N days, N days and N files, or for ever";
    struct str word;

    if (keep->given)
        DIAG(p->diags, CONF_TWICE, oline_whole(l), STR("keep"));
    *keep =
        (struct keep){ .given = true, .at = oline_place(l, str_trim(rest)) };
    if (str_is(str_trim(rest), "for ever")) {
        keep->for_ever = true;
        return;
    }
    if (!keep_part(p, l, &rest, usage, keep))
        return;
    if (str_trim(rest).len) {
        if (!conf_need(p, l, &rest, "keep", usage, &word))
            return;
        if (!str_is(word, "and")) {
            conf_value(p, l, word, "keep", usage);
            return;
        }
        if (!keep_part(p, l, &rest, usage, keep)) {
            keep->files = 0; /* one mistake is enough */
            return;
        }
        conf_end(p, l, rest);
    }
}

static void top_keep(struct conf_parser *p, const struct oline *l,
                     struct str rest)
{
    struct keep *keep = &p->conf->keep;

    conf_keep(p, l, rest, keep);
    if (keep->files && !keep->days)
        DIAG(p->diags, CONF_VALUE, keep->at, STR("keep"),
             STR("wants days here; N files alone are for a route of stock, "
                 "prices, products or customers"));
}

/* An absolute path from one relative to the configuration. */
const char *conf_path(struct conf_parser *p, struct str s)
{
    struct arena *a = &p->conf->arena;

    while (s.len > 1 && s.p[s.len - 1] == '/')
        s.len--;
    if (str_starts(s, STR("/")))
        return arena_cstr(a, s);
    return arena_cstr(a, arena_fmt(a, "%s/%.*s", p->conf->folder, STR_ARGS(s)));
}

/* ---- the outermost lines ------------------------------------------------ */

static void top_spool(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    struct str word;

    if (!conf_need(p, l, &rest, "spool", "needs a path", &word))
        return;
    if (p->spool_given)
        DIAG(p->diags, CONF_TWICE, oline_whole(l), STR("spool"));
    p->spool_given = true;
    p->conf->spool = conf_path(p, word);
    p->conf->spool_at = oline_place(l, word);
    conf_end(p, l, rest);
}

static void top_ledger(struct conf_parser *p, const struct oline *l,
                       struct str rest)
{
    struct str word;

    if (!conf_need(p, l, &rest, "ledger", "needs sqlite", &word))
        return;
    if (str_starts(word, STR("postgresql")))
        DIAG(p->diags, NOT_BUILT, oline_place(l, word),
             STR("a ledger in PostgreSQL"));
    else if (!str_is(word, "sqlite"))
        conf_value(p, l, word, "ledger", "wants sqlite");
    conf_end(p, l, rest);
}

const struct zone *conf_zone(struct conf_parser *p, const struct oline *l,
                             struct str name)
{
    struct err e;
    const struct zone *z = zone_load(&p->conf->arena, name, &e);

    if (!z)
        conf_value(p, l, name, "timezone", e.text);
    return z;
}

static void top_timezone(struct conf_parser *p, const struct oline *l,
                         struct str rest)
{
    struct str word;

    if (!conf_need(p, l, &rest, "timezone",
                   "needs a name such as Europe/Prague", &word))
        return;
    if (p->conf->zone)
        DIAG(p->diags, CONF_TWICE, oline_whole(l), STR("timezone"));
    p->conf->zone = conf_zone(p, l, word);
    conf_end(p, l, rest);
}

const char *conf_program(struct conf_parser *p, const struct oline *l,
                         struct str rest)
{
    const char *path;
    struct str run, word;

    if (!conf_need(p, l, &rest, "on trouble", "needs run and a program", &run))
        return NULL;
    if (!str_is(run, "run")) {
        conf_value(p, l, run, "on trouble", "wants run and a program");
        return NULL;
    }
    if (!conf_need(p, l, &rest, "on trouble run", "needs a program", &word))
        return NULL;
    conf_end(p, l, rest);
    path = conf_path(p, word);
    if (access(path, X_OK) == -1)
        conf_value(p, l, word, "on trouble run",
                   "there is no such program, or we may not run it");
    return path;
}

static void top_trouble(struct conf_parser *p, const struct oline *l,
                        struct str rest)
{
    if (p->conf->on_trouble)
        DIAG(p->diags, CONF_TWICE, oline_whole(l), STR("on trouble"));
    p->conf->on_trouble = conf_program(p, l, rest);
}

static void top_limit(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    const char *names[N_LIMITS], *wants;
    struct str name, value;

    if (!conf_need(p, l, &rest, "limit", "needs a name and a value", &name) ||
        !conf_need(p, l, &rest, "limit", "needs a value", &value))
        return;
    conf_end(p, l, rest);
    for (size_t i = 0; i < N_LIMITS; i++)
        names[i] = limit_table[i].name;
    switch (limits_set(&p->conf->limits, name, value, &wants)) {
    case -1:
        DIAG(p->diags, CONF_UNKNOWN, oline_place(l, name), name,
             did_you_mean(&p->conf->arena, name, names, N_LIMITS));
        break;
    case -2:
        conf_value(p, l, value, "limit", wants);
        break;
    default:
        break;
    }
}

static int parse_file(struct conf_parser *p, const char *path, struct err *e);

static void include_one(struct conf_parser *p, const struct oline *l,
                        const char *path)
{
    struct err e;

    if (p->depth == MAX_INCLUDES) {
        DIAG(p->diags, INCLUDE, oline_whole(l), str_of(path),
             STR("files include each other"));
        return;
    }
    p->depth++;
    if (parse_file(p, path, &e) == -1)
        DIAG(p->diags, INCLUDE, oline_whole(l), str_of(path), str_of(e.text));
    p->depth--;
}

static void top_include(struct conf_parser *p, const struct oline *l,
                        struct str rest)
{
    struct str word;
    const char *path;
    glob_t found;

    if (!conf_need(p, l, &rest, "include", "needs a file", &word))
        return;
    conf_end(p, l, rest);
    path = conf_path(p, word);
    /* glob() sorts by bytes in the C locale, which is ours. */
    if (glob(path, 0, NULL, &found) != 0) {
        if (!glob_is(word))
            DIAG(p->diags, INCLUDE, oline_place(l, word), word,
                 STR("there is no such file"));
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        include_one(p, l,
                    arena_cstr(&p->conf->arena, str_of(found.gl_pathv[i])));
    globfree(&found);
}

static void top_table(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    struct conf *c = p->conf;

    (void)rest;
    map_add_table(&c->tables, l,
                  c->beside ? arena_fmt(&c->arena, "%s/", c->beside) : STR(""),
                  &c->limits, p->diags);
}

static void report_unused(struct conf *c, struct diags *diags)
{
    for (const struct table *t = c->tables.tables; t; t = t->next)
        if (!t->used)
            DIAG(diags, UNUSED, t->at,
                 arena_fmt(&c->arena, "table %.*s", STR_ARGS(t->name)));
}

static const struct conf_word top_words[] = {
    { .name = "spool", .parse = top_spool },
    { .name = "ledger", .parse = top_ledger },
    { .name = "console", .not_built = true },
    { .name = "limit", .parse = top_limit },
    { .name = "include", .parse = top_include },
    { .name = "timezone", .parse = top_timezone },
    { .name = "on trouble", .parse = top_trouble },
    { .name = "keep", .parse = top_keep },
    { .name = "table", .parse = top_table, .has_block = true },
    { .name = "partner", .parse = conf_parse_partner, .has_block = true },
    { .name = "route", .parse = conf_parse_route, .has_block = true },
    { .name = NULL },
};

static void parse_others(struct conf_parser *p, const struct oline *top)
{
    struct str rest;

    for (const struct oline *l = top; l; l = l->next)
        if (!conf_begins(l->text, "route", &rest))
            conf_line(p, l, top_words);
}

static int parse_file(struct conf_parser *p, const char *path, struct err *e)
{
    struct source *src;
    struct oline *top;

    if (p->n_files == MAX_FILES)
        return err_set(e, ERR_HOLD, "more than %d files", MAX_FILES);
    if (source_read(&p->conf->arena, path, str_of(path), &p->conf->limits, &src,
                    e) == -1)
        return -1;
    outline_parse(&p->conf->arena, src, &p->conf->limits, p->diags, &top);
    p->files[p->n_files++] = top;
    parse_others(p, top);
    return 0;
}

static void parse_routes(struct conf_parser *p)
{
    struct str rest;

    for (size_t i = 0; i < p->n_files; i++)
        for (const struct oline *l = p->files[i]; l; l = l->next)
            if (conf_begins(l->text, "route", &rest))
                conf_line(p, l, top_words);
    for (struct route *r = p->conf->routes; r; r = r->next)
        conf_check_route(p, r);
}

/* The folder of a path, absolute. */
static const char *folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *cwd;
    struct str dir =
        slash ? (struct str){ path, (size_t)(slash - path) } : STR("");
    const char *out;

    if (path[0] == '/')
        return dir.len ? arena_cstr(a, dir) : "/";
    cwd = getcwd(NULL, 0);
    out = arena_cstr(a, arena_fmt(a, "%s%s%.*s", cwd ? cwd : ".",
                                  dir.len ? "/" : "", STR_ARGS(dir)));
    free(cwd);
    return out;
}

int conf_load(struct conf *c, const char *path, struct diags *diags,
              struct err *e)
{
    struct conf_parser p = { .conf = c, .diags = diags };

    c->path = arena_cstr(&c->arena, str_of(path));
    c->folder = folder_of(&c->arena, path);
    c->beside = strchr(path, '/')
                    ? arena_cstr(&c->arena,
                                 str_first(str_of(path),
                                           (size_t)(strrchr(path, '/') - path)))
                    : NULL;
    c->spool = "/var/spool/kervan";
    limits_default(&c->limits);
    if (parse_file(&p, c->path, e) == -1)
        return -1;
    parse_routes(&p);
    report_unused(c, diags);
    conf_set_limits(c);
    diags_sort(diags);
    return 0;
}

void conf_free(struct conf *c)
{
    for (struct route *r = c->routes; r; r = r->next) {
        for (struct conf_read *x = r->reads; x; x = x->next) {
            for (size_t i = 0; i < x->n_writes; i++)
                map_free(x->writes[i].map);
            if (x->map)
                map_free(x->map);
        }
        for (struct trade_card *x = r->trade.creates; x; x = x->next)
            if (!x->shared)
                map_free(x->map);
    }
    for (struct conf_spare *s = c->spares; s; s = s->next)
        map_free(s->map);
    arena_release(&c->tables.arena);
    arena_release(&c->arena);
}

const char *conf_find(const char *asked)
{
    if (asked)
        return asked;
    if (access("kervan.conf", F_OK) == 0)
        return "kervan.conf";
    return "/etc/kervan/kervan.conf";
}

struct route *conf_route(const struct conf *c, struct str name)
{
    for (struct route *r = c->routes; r; r = r->next)
        if (str_eq(r->name, name))
            return r;
    return NULL;
}

struct str conf_no_route(const struct conf *c, struct arena *a, struct str name)
{
    const char **names, *near;
    size_t n = 0;

    for (const struct route *r = c->routes; r; r = r->next)
        n++;
    names = arena_alloc(a, (n + 1) * sizeof(*names));
    n = 0;
    for (const struct route *r = c->routes; r; r = r->next)
        names[n++] = arena_cstr(a, r->name);
    near = nearest(name, names, n);
    return arena_fmt(a, "no route is called %.*s%s%s%s", STR_ARGS(name),
                     near ? "; did you mean " : "", near ? near : "",
                     near ? "?" : "");
}

bool route_takes(const struct route *r, struct str partner, struct str folder,
                 struct str name)
{
    for (const struct conf_from *f = r->from; f; f = f->next)
        if (str_eq(f->partner->name, partner) && str_eq(f->folder, folder) &&
            glob_match_nocase(f->pattern, name))
            return true;
    return false;
}
