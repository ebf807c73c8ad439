#include "converters/lang/options.h"

#include "converters/base/text.h"
#include "converters/base/utf8.h"
#include "converters/lang/parse.h"

bool option_fail(struct loader *ld, struct parser *p, const char *name,
                 struct str why)
{
    parse_blanks(p);
    DIAG(ld->diags, OPTION_VALUE,
         parse_place(p, p->p < p->end ? p->p : p->line->text.p, p->end),
         str_of(name), why);
    return false;
}

/* The rest of the line: one word or quoted text; nothing may follow. */
static bool take_value(struct parser *p, struct str *out)
{
    parse_blanks(p);
    if (p->p < p->end && *p->p == '"')
        return parse_string(p, out);
    *out = str_trim((struct str){ p->p, (size_t)(p->end - p->p) });
    p->p = p->end;
    return true;
}

static bool yes_no(struct loader *ld, struct parser *p, const char *name,
                   bool *out)
{
    struct parser at = *p;
    struct str v;

    if (!take_value(p, &v))
        return false;
    *out = str_is(v, "yes");
    if (*out || str_is(v, "no"))
        return true;
    return option_fail(ld, &at, name, STR("yes or no"));
}

/* All of them; last the one that may have been meant. */
static struct str list_charsets(struct arena *a, struct str typed)
{
    const char *names[64];
    size_t n = 0;
    struct buf b;
    struct str out;

    for (; charsets[n] && n < COUNT(names); n++)
        names[n] = charsets[n]->name;
    buf_init(&b, KB(4));
    charset_names(&b);
    buf_add(&b, did_you_mean(a, typed, names, n));
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}

static bool set_charset(struct loader *ld, struct parser *p)
{
    struct parser at = *p;
    struct str v;

    if (!take_value(p, &v))
        return false;
    ld->map->charset = charset_find(v);
    if (ld->map->charset)
        return true;
    parse_blanks(&at);
    DIAG(ld->diags, CHARSET_UNKNOWN, parse_place(&at, at.p, at.end), v,
         list_charsets(&ld->map->arena, v));
    return false;
}

static bool set_decimal(struct loader *ld, struct parser *p)
{
    struct parser at = *p;
    struct str v;

    if (!take_value(p, &v))
        return false;
    if (!str_is(v, ".") && !str_is(v, ","))
        return option_fail(ld, &at, "decimal", STR("a dot or a comma"));
    ld->map->num.point = v.p[0];
    return true;
}

static bool set_thousands(struct loader *ld, struct parser *p)
{
    struct parser at = *p;
    struct str v;

    if (!take_value(p, &v))
        return false;
    if (str_is(v, "space"))
        v = STR(" ");
    if (utf8_count(v) != 1)
        return option_fail(ld, &at, "thousands",
                           STR("one character, or the word space"));
    ld->map->num.thousands = v;
    return true;
}

static bool set_dates(struct loader *ld, struct parser *p)
{
    struct map *m = ld->map;

    m->n_dates = 0;
    for (;;) {
        const char *from, *wrong;
        struct str v;

        parse_blanks(p);
        from = p->p;
        while (p->p < p->end && *p->p != ',')
            p->p++;
        v = str_trim((struct str){ from, (size_t)(p->p - from) });
        if (v.len > 1 && v.p[0] == '"' && v.p[v.len - 1] == '"')
            v = str_first(str_from(v, 1), v.len - 2);
        wrong = m->is_write ? date_pattern_ok(v) : date_pattern_read_ok(v);
        if (wrong || m->n_dates == MAX_DATES) {
            DIAG(ld->diags, PATTERN, parse_place(p, from, p->p), v,
                 str_of(wrong ? wrong : "there are too many patterns"));
            return false;
        }
        m->dates[m->n_dates++] = v;
        if (p->p == p->end)
            return true;
        p->p++;
    }
}

static bool set_timezone(struct loader *ld, struct parser *p)
{
    struct parser at = *p;
    struct err e;
    struct str v;

    if (!take_value(p, &v))
        return false;
    ld->map->zone = zone_load(&ld->map->arena, v, &e);
    return ld->map->zone ||
           option_fail(ld, &at, "timezone",
                       arena_str(&ld->map->arena, str_of(e.text)));
}

static bool set_booleans(struct loader *ld, struct parser *p)
{
    struct parser at = *p;
    struct str v;
    ptrdiff_t slash;

    if (!take_value(p, &v))
        return false;
    slash = str_find_char(v, '/');
    if (slash <= 0 || (size_t)slash + 1 == v.len)
        return option_fail(ld, &at, "booleans",
                           STR("the words for yes and no, as in true/false"));
    ld->map->yes = str_trim(str_first(v, (size_t)slash));
    ld->map->no = str_trim(str_from(v, (size_t)slash + 1));
    return true;
}

static bool set_trim(struct loader *ld, struct parser *p)
{
    return yes_no(ld, p, "trim", &ld->map->trim);
}

static bool set_members(struct loader *ld, struct parser *p)
{
    return take_value(p, &ld->map->members);
}

static bool set_group(struct loader *ld, struct parser *p)
{
    struct resolver r;
    bool ok = true;

    ld->map->group = parse_exprs(p);
    if (!ld->map->group || !parse_end(p))
        return false;
    resolver_init(&r, ld->map, ld->diags);
    for (struct expr *e = ld->map->group; e; e = e->next)
        ok = resolve_expr(&r, e) && ok;
    return ok;
}

static bool set_newline(struct loader *ld, struct parser *p)
{
    struct parser at = *p;
    struct str v;

    if (!take_value(p, &v))
        return false;
    if (!str_is(v, "crlf") && !str_is(v, "lf"))
        return option_fail(ld, &at, "newline", STR("crlf or lf"));
    ld->map->newline = str_is(v, "crlf") ? "\r\n" : "\n";
    return true;
}

static bool set_bom(struct loader *ld, struct parser *p)
{
    bool yes;

    if (!yes_no(ld, p, "bom", &yes))
        return false;
    ld->map->bom = yes ? BOM_YES : BOM_NO;
    return true;
}

static bool set_country(struct loader *ld, struct parser *p)
{
    struct parser at = *p;

    if (!take_value(p, &ld->map->country))
        return false;
    return ld->map->country.len == 2 ||
           option_fail(ld, &at, "country",
                       STR("two letters: cz, sk, hu, ro, tr"));
}

/* Names in `file`: of the first document when not all go into one file. */
static bool set_name_pieces(struct loader *ld, struct parser *p,
                            struct piece **out)
{
    struct resolver r;

    *out = parse_pieces(p);
    if (!*out || !parse_end(p))
        return false;
    resolver_init(&r, ld->map, ld->diags);
    if (ld->map->per || ld->map->per_n) {
        r.scopes[0] = (struct scope){ .shape = ld->map->shape, .list = -1 };
        r.n_scopes = 1;
    }
    return resolve_pieces(&r, *out);
}

static bool set_file(struct loader *ld, struct parser *p)
{
    return set_name_pieces(ld, p, &ld->map->file);
}

static bool set_zip(struct loader *ld, struct parser *p)
{
    return set_name_pieces(ld, p, &ld->map->zip);
}

static bool set_attachments(struct loader *ld, struct parser *p)
{
    struct map *m = ld->map;
    const char *begin;

    parse_blanks(p);
    begin = p->p;
    for (; p->p < p->end; parse_blanks(p)) {
        const char *from = p->p;

        while (p->p < p->end && *p->p != ' ')
            p->p++;
        if (m->n_attachments == MAX_ATTACHMENTS)
            return option_fail(ld, p, "attachments",
                               STR("fewer patterns, such as *.jpg"));
        m->attachments[m->n_attachments++] =
            (struct str){ from, (size_t)(p->p - from) };
    }
    m->attachments_at = parse_place(p, begin, p->end);
    return true;
}

/* "ordr": no field, and nearly the document's name. */
static bool is_near_document(const struct map *m, const struct expr *e,
                             struct str *word)
{
    if (e->kind != E_PATH || e->steps->next)
        return false;
    *word = e->steps->name;
    return shape_field(m->shape, *word, false) < 0 &&
           nearest(*word, &m->document->name, 1) != NULL;
}

/* one file per order | one file per 100 order | one file per customer.code */
static bool set_per(struct loader *ld, struct parser *p)
{
    struct map *m = ld->map;
    struct resolver r;
    struct parser at;
    struct str digits = { 0 }, word;
    uint64_t n = 1;

    parse_blanks(p);
    at = *p;
    digits.p = p->p;
    while (p->p < p->end && *p->p >= '0' && *p->p <= '9')
        p->p++;
    digits.len = (size_t)(p->p - digits.p);
    if (digits.len && (!str_to_uint(digits, 10000000, &n) || n == 0))
        return option_fail(ld, &at, "one file per", STR("a number above 0"));
    if (parse_word(p, m->document->name)) {
        m->per_n = n;
        return parse_end(p);
    }
    if (digits.len)
        return option_fail(
            ld, &at, "one file per",
            arena_fmt(&m->arena, "N %s, or a field", m->document->name));
    m->per = parse_expr(p);
    if (!m->per || !parse_end(p))
        return false;
    if (is_near_document(m, m->per, &word)) {
        DIAG(ld->diags, UNKNOWN_FIELD, m->per->at, word,
             arena_fmt(&m->arena, "; did you mean %s?", m->document->name));
        return false;
    }
    resolver_init(&r, m, ld->diags);
    r.scopes[0] = (struct scope){ .shape = m->shape, .list = -1 };
    r.n_scopes = 1;
    return resolve_expr(&r, m->per);
}

/* What stands for characters that the charset lacks must not lack itself. */
static bool set_replacement(struct loader *ld, struct parser *p)
{
    struct map *m = ld->map;
    struct parser at = *p;
    struct str text;
    int32_t cp;

    if (!take_value(p, &text))
        return false;
    m->unmappable = UNMAPPABLE_REPLACE;
    m->unmappable_text = text;
    for (size_t pos = 0; m->charset && pos < text.len;) {
        cp = utf8_next(text, &pos);
        if (cp < 0 || charset_width(m->charset, (uint32_t)cp) == 0)
            return option_fail(ld, &at, "unmappable",
                               arena_fmt(&m->arena,
                                         "the replacement is not in charset %s "
                                         "either",
                                         m->charset->name));
    }
    return true;
}

static bool set_unmappable(struct loader *ld, struct parser *p)
{
    struct map *m = ld->map;
    struct parser at = *p;

    if (parse_word(p, "fail")) {
        m->unmappable = UNMAPPABLE_FAIL;
        return parse_end(p);
    }
    if (parse_word(p, "replace"))
        return set_replacement(ld, p);
    if (parse_word(p, "via")) {
        struct str name;

        parse_blanks(p);
        at = *p;
        name = parse_name(p);
        m->unmappable = UNMAPPABLE_TABLE;
        for (struct table *t = m->tables; t; t = t->next)
            if (str_eq(t->name, name)) {
                m->unmappable_table = t;
                t->used = true;
                return parse_end(p);
            }
        DIAG(ld->diags, UNKNOWN_TABLE, parse_place(&at, at.p, at.end), name,
             STR(""));
        return false;
    }
    return option_fail(ld, &at, "unmappable",
                       STR("fail, replace \"?\" or via TABLE"));
}

#define CHARSET_HELP "the file's charset"
const struct common_option read_options[] = {
    { "charset", "NAME", "UTF-8; XML: as its declaration says", CHARSET_HELP,
      false, set_charset },
    { "decimal", ". or ,", ".", "sign between whole and fraction", false,
      set_decimal },
    { "thousands", "CHARACTER", NULL,
      "sign between groups of three digits; \" \" stands for no-break blanks "
      "too",
      false, set_thousands },
    { "dates", "PATTERN, ...", "YYYY-MM-DD; with a time after a blank or T",
      "how dates are written; the first pattern that fits counts", false,
      set_dates },
    { "timezone", "ZONE", NULL, "where the file's clock stands: Europe/Prague",
      false, set_timezone },
    { "booleans", "YES/NO", "true/false", "the words for yes and no", false,
      set_booleans },
    { "trim", "yes or no", "no", "blanks around values are taken off", false,
      set_trim },
    { "members", "PATTERN", "by the format's suffix",
      "which members of a ZIP are read", false, set_members },
    { "group", "EXPR, ...", NULL,
      "rows or records with the same key are one document, wherever they stand",
      true, set_group },
    { 0 },
};

const struct common_option write_options[] = {
    { "charset", "NAME", "UTF-8", CHARSET_HELP, false, set_charset },
    { "decimal", ". or ,", ".", "sign between whole and fraction", false,
      set_decimal },
    { "thousands", "CHARACTER", NULL, "sign between groups of three digits",
      false, set_thousands },
    { "dates", "PATTERN", "YYYY-MM-DD; with a time YYYY-MM-DDThh:mm:ss",
      "how dates are written", false, set_dates },
    { "timezone", "ZONE", "UTC", "the clock that the file shows", false,
      set_timezone },
    { "booleans", "YES/NO", "true/false", "the words for yes and no", false,
      set_booleans },
    { "newline", "crlf or lf", "lf", "how lines end", false, set_newline },
    { "bom", "yes or no", "no; UTF-16: yes", "begin with a byte-order mark",
      false, set_bom },
    { "country", "CC", "that of the receiver",
      "whose table of replacements for characters that the charset lacks",
      false, set_country },
    { "unmappable", "fail | replace \"?\" | via TABLE",
      "the country's table, then fail",
      "what stands for a character that the charset lacks; counted", true,
      set_unmappable },
    { "one file per", "[N] DOCUMENT or FIELD", "one file per run",
      "when to begin a new file", true, set_per },
    { "file", "\"NAME\"", "DOCUMENT-{run.time}-{run.id}.SUFFIX",
      "name of the file, with {expressions}", true, set_file },
    { "zip", "\"NAME\"", NULL, "pack the run's files into one ZIP", true,
      set_zip },
    { "attachments", "PATTERN ...", NULL,
      "which other files of the ZIP that is read go along, such as *.jpg *.png",
      false, set_attachments },
    { 0 },
};

/* ---- the format's own options ------------------------------------------- */

static bool set_namespace(struct loader *ld, struct parser *p)
{
    struct map *m = ld->map;
    struct parser at = *p;
    struct str text, prefix, uri;
    ptrdiff_t eq;

    if (!take_value(p, &text))
        return false;
    eq = str_find_char(text, '=');
    if (eq < 0)
        return option_fail(ld, &at, "namespace", STR("PREFIX = URI"));
    prefix = str_trim(str_first(text, (size_t)eq));
    uri = str_trim(str_from(text, (size_t)eq + 1));
    if (uri.len > 1 && uri.p[0] == '"')
        uri = str_first(str_from(uri, 1), uri.len - 2);
    for (size_t i = 0; i < m->n_ns; i++)
        if (str_eq(m->ns[i].prefix, prefix))
            return option_fail(ld, &at, "namespace",
                               STR("this prefix is declared already"));
    if (m->n_ns == 64)
        return option_fail(ld, &at, "namespace", STR("at most 64"));
    if (!m->ns)
        m->ns = arena_alloc(&m->arena, 64 * sizeof(*m->ns));
    m->ns[m->n_ns++] = (struct ns){ prefix, uri };
    return true;
}

/* record //a/b: kept as a chain of wants. */
static bool set_record(struct loader *ld, struct parser *p)
{
    struct parser at = *p;
    struct expr *e = parse_path(p);
    struct resolver r;
    struct want *w;

    if (!e || !parse_end(p))
        return false;
    if (!e->absolute)
        return option_fail(ld, &at, "record",
                           STR("a path from the root: /orders/order, or "
                               "//order for anywhere"));
    resolver_init(&r, ld->map, ld->diags);
    w = want_new(ld->map, WANT_ELEMENT);
    for (struct step *s = e->steps; s; s = s->next) {
        if (s->filter || s->kind != WANT_ELEMENT)
            return option_fail(ld, &at, "record",
                               STR("element names only, no filters"));
        w = want_child(&r, w, s);
        if (!w)
            return false;
        if (s == e->steps)
            ld->map->plan.path = w;
    }
    ld->map->plan.anywhere = e->anywhere;
    return true;
}

static bool set_char(struct loader *ld, struct parser *p,
                     const struct opt_spec *o, struct opt_value *v)
{
    struct parser at = *p;
    struct str s;

    if (!take_value(p, &s))
        return false;
    if (str_is(s, "tab"))
        s = STR("\t");
    if (str_is(s, "space"))
        s = STR(" ");
    if (s.len != 1 && !(o->choices && str_is(s, o->choices)))
        return option_fail(ld, &at, o->name,
                           arena_fmt(&ld->map->arena,
                                     "one character, or the word tab%s%s or "
                                     "space",
                                     o->choices ? ", " : "",
                                     o->choices ? o->choices : ""));
    v->text = s;
    return true;
}

static bool set_own(struct loader *ld, struct parser *p,
                    const struct opt_spec *o, struct opt_value *v)
{
    struct parser at = *p;

    v->given = true;
    switch (o->kind) {
    case OPT_CHAR:
        return set_char(ld, p, o, v);
    case OPT_YESNO:
        if (!yes_no(ld, p, o->name, &v->yes))
            return false;
        v->text = v->yes ? STR("yes") : STR("no");
        return true;
    case OPT_CHOICE:
        if (!take_value(p, &v->text))
            return false;
        return choices_has(o->choices, v->text) ||
               option_fail(ld, &at, o->name,
                           choices_list(&ld->map->arena, o->choices));
    case OPT_NAMESPACE:
        return set_namespace(ld, p);
    case OPT_PATH:
        return set_record(ld, p);
    case OPT_WORD:
    case OPT_TEXT:
    case OPT_EXPRS:
        return take_value(p, &v->text);
    }
    return false;
}

/* ---- finding an option by the words that a line begins with ------------- */

/* Does the line begin with this name? `name` may be several words. */
static bool begins_with(struct str line, const char *name, size_t *len)
{
    size_t n = strlen(name);

    if (!str_starts(line, str_of(name)))
        return false;
    if (line.len > n && line.p[n] != ' ' && line.p[n] != '\t')
        return false;
    *len = n;
    return true;
}

static void unknown_option(struct loader *ld, const struct oline *l)
{
    const struct common_option *c =
        ld->map->is_write ? write_options : read_options;
    const struct opt_spec *o = ld->map->is_write ? ld->map->format->write_opts
                                                 : ld->map->format->read_opts;
    const char *names[64];
    struct str word = l->text;
    ptrdiff_t blank = str_find_char(word, ' ');
    size_t n = 0;

    for (; c->name; c++)
        names[n++] = c->name;
    for (; o && o->name && n < COUNT(names); o++)
        names[n++] = o->name;
    word = str_first(word, blank < 0 ? word.len : (size_t)blank);
    if (ld->map->format->rows && !ld->map->is_write &&
        (str_is(word, "type") || str_is(word, "record"))) {
        DIAG(ld->diags, NOT_BUILT, oline_place(l, word), STR("row types"));
        return;
    }
    c = ld->map->is_write ? read_options : write_options;
    for (; c->name; c++)
        if (str_is(word, c->name)) {
            DIAG(ld->diags, UNKNOWN_OPTION, oline_place(l, word), word,
                 arena_fmt(&ld->map->arena, "; only %s maps have it",
                           ld->map->is_write ? "read" : "write"));
            return;
        }
    DIAG(ld->diags, UNKNOWN_OPTION, oline_place(l, word), word,
         did_you_mean(&ld->map->arena, word, names, n));
}

/* Does an option of this name stand above the line already? */
static void check_twice(struct loader *ld, const struct oline *l,
                        const char *name)
{
    size_t n;

    for (const struct oline *x = ld->header->child; x != l; x = x->next)
        if (begins_with(x->text, name, &n)) {
            DIAG(ld->diags, OPTION_TWICE, oline_whole(l), str_of(name));
            return;
        }
}

static bool load_common(struct loader *ld, const struct oline *l, bool late)
{
    const struct common_option *o =
        ld->map->is_write ? write_options : read_options;
    struct parser p;
    size_t n;

    for (; o->name; o++) {
        if (!begins_with(l->text, o->name, &n))
            continue;
        if (o->late == late) {
            check_twice(ld, l, o->name);
            parser_init(&p, ld->map, l, str_from(l->text, n), ld->diags);
            (void)o->set(ld, &p);
        }
        return true;
    }
    return false;
}

static bool load_own(struct loader *ld, const struct oline *l, bool late)
{
    const struct opt_spec *o = ld->map->is_write ? ld->map->format->write_opts
                                                 : ld->map->format->read_opts;
    struct parser p;
    size_t n;

    for (size_t i = 0; o && o[i].name; i++) {
        if (!begins_with(l->text, o[i].name, &n))
            continue;
        if ((o[i].kind == OPT_PATH) == late) {
            struct opt_value *v = &ld->map->opts[i];

            parser_init(&p, ld->map, l, str_from(l->text, n), ld->diags);
            if (v->given && o[i].kind != OPT_NAMESPACE)
                DIAG(ld->diags, OPTION_TWICE, oline_whole(l),
                     str_of(o[i].name));
            else
                (void)set_own(ld, &p, &o[i], v);
        }
        return true;
    }
    return false;
}

/* `one file per` is read before `file`, which depends on it. */
static void load_per_first(struct loader *ld)
{
    for (const struct oline *l = ld->header->child; l; l = l->next)
        if (str_starts(l->text, STR("one file per")))
            (void)load_common(ld, l, true);
}

void options_load(struct loader *ld, bool late)
{
    if (late && ld->map->is_write)
        load_per_first(ld);
    for (const struct oline *l = ld->header->child; l; l = l->next) {
        if (!late)
            outline_no_block(l, ld->diags);
        if (late && str_starts(l->text, STR("one file per")))
            continue;
        if (load_common(ld, l, late) || load_own(ld, l, late))
            continue;
        if (!late)
            unknown_option(ld, l);
    }
}

void options_defaults(struct loader *ld)
{
    struct map *m = ld->map;
    const struct opt_spec *o =
        m->is_write ? m->format->write_opts : m->format->read_opts;

    m->num.point = '.';
    m->newline = "\n";
    if (m->is_write)
        m->charset = charset_find(STR("UTF-8"));
    for (size_t i = 0; o && o[i].name; i++) {
        if (!o[i].fallback)
            continue;
        m->opts[i].text = str_of(o[i].fallback);
        m->opts[i].yes = strcmp(o[i].fallback, "yes") == 0;
        if (o[i].kind == OPT_CHAR && str_is(m->opts[i].text, "tab"))
            m->opts[i].text = STR("\t");
    }
}
