/*
 * table_file.c - the rows of a CSV file as entries of a table. The file is
 * read when the map is loaded, through the CSV format itself. It has no
 * header; its delimiter is the one of ; , tab that its first line has most.
 */
#include "converters/lang/table_parse.h"

#include "formats/format.h"
#include "formats/input.h"

enum { KEY, VALUE, N_COLUMNS };

struct loader {
    struct map *m;
    struct table *t;
    const struct table_file *file;
    const struct source *src;
    struct str rest; /* what the input did not read yet */
    struct want record, columns[N_COLUMNS];
    bool failed;
};

static bool load_fail(const struct loader *l, struct str text)
{
    DIAG(l->file->diags, TABLE_FILE, l->file->at, l->t->name, text);
    return false;
}

/* A name of a file in that folder: no way out of it, nothing hidden. */
static bool is_plain_name(struct str s)
{
    if (!s.len || s.p[0] == '.' || s.len > 255)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '/' || s.p[i] == '\\' || (unsigned char)s.p[i] < 0x20)
            return false;
    return true;
}

static bool open_file(struct loader *l)
{
    struct arena *a = &l->m->arena;
    struct str name = l->file->name, path;
    struct source *src;
    struct err e;

    if (!is_plain_name(name))
        return load_fail(l, STR("the file stands beside the map and is named "
                                "without a folder"));
    path = arena_fmt(a, "%.*s%.*s", STR_ARGS(l->file->folder), STR_ARGS(name));
    if (source_read(a, arena_cstr(a, path), name, l->file->limits, &src, &e) ==
        -1)
        return load_fail(l, str_of(e.text));
    l->src = src;
    l->rest = src->text;
    return true;
}

static ptrdiff_t pull(void *ctx, char *buf, size_t n)
{
    struct loader *l = ctx;
    struct str head = str_first(l->rest, n);

    str_copy(buf, head);
    l->rest = str_from(l->rest, head.len);
    return (ptrdiff_t)head.len;
}

static struct str delimiter_of(struct str text)
{
    static const struct str signs[] = { { ";", 1 }, { ",", 1 }, { "\t", 1 } };
    ptrdiff_t end = str_find_char(text, '\n');
    size_t n[COUNT(signs)] = { 0 }, most = 0;
    bool quoted = false;

    if (end >= 0)
        text.len = (size_t)end;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '"')
            quoted = !quoted;
        for (size_t k = 0; k < COUNT(signs); k++)
            n[k] += !quoted && text.p[i] == signs[k].p[0];
    }
    for (size_t k = 1; k < COUNT(signs); k++)
        if (n[k] > n[most])
            most = k;
    return signs[most];
}

static int add_row(void *ctx, struct item *row)
{
    struct loader *l = ctx;
    struct arena *a = &l->m->arena;
    struct str text[N_COLUMNS];
    struct table_entry e;

    for (size_t i = 0; i < N_COLUMNS; i++)
        text[i] = l->columns[i].n_cells ? row->cells[l->columns[i].cells[0]]
                                        : STR("");
    if (!text[KEY].len && !text[VALUE].len)
        return 0;
    table_entry_init(&e, a, arena_str(a, text[KEY]),
                     (struct place){ .src = l->src, .line = row->line });
    e.action = text[VALUE].len ? TA_VALUE : TA_EMPTY;
    e.value = arena_str(a, text[VALUE]);
    table_add(l->t, a, &e);
    return 0;
}

static void row_fault(void *ctx, enum diag_id id, bool fatal, uint32_t line,
                      uint32_t col, const struct str *args, size_t n_args)
{
    struct str all[DIAG_ARGS] = { 0 };
    struct loader *l = ctx;
    struct buf text;

    (void)fatal;
    (void)col;
    for (size_t i = 0; i < n_args && i < DIAG_ARGS; i++)
        all[i] = args[i];
    buf_init(&text, 2000);
    diag_text(id, all, &text);
    (void)load_fail(l, arena_fmt(&l->m->arena, "%.*s, line %u: %.*s",
                                 STR_ARGS(l->file->name), (unsigned)line,
                                 STR_ARGS(buf_str(&text))));
    buf_release(&text);
    l->failed = true;
}

/* The options of the CSV format: its own defaults but for two. */
static struct opt_value *options(struct loader *l, const struct format *csv)
{
    struct opt_value *o;
    size_t n = 0;

    while (csv->read_opts[n].name)
        n++;
    o = arena_alloc(&l->m->arena, (n + 1) * sizeof(*o));
    for (size_t i = 0; i < n; i++) {
        const char *name = csv->read_opts[i].name;

        o[i].text = str_of(csv->read_opts[i].fallback);
        if (strcmp(name, "delimiter") == 0)
            o[i].text = delimiter_of(l->src->text);
        if (strcmp(name, "header") == 0)
            o[i].text = STR("no");
        o[i].yes = str_is(o[i].text, "yes");
    }
    return o;
}

static void want_columns(struct loader *l, struct plan *plan)
{
    const uint32_t nth[N_COLUMNS] = { l->file->key, l->file->value };

    l->record = (struct want){ .kind = WANT_SELF, .child = l->columns };
    for (unsigned i = 0; i < N_COLUMNS; i++)
        l->columns[i] = (struct want){
            .kind = WANT_NTH,
            .nth = nth[i],
            .id = i + 1,
            .needs_text = true,
            .at = l->file->at,
            .parent = &l->record,
            .next = i + 1 < N_COLUMNS ? &l->columns[i + 1] : NULL,
        };
    *plan = (struct plan){ .record = &l->record, .n_wants = N_COLUMNS + 1 };
}

bool table_load(struct map *m, struct table *t, const struct table_file *f)
{
    struct loader l = { .m = m, .t = t, .file = f };
    const struct format *csv = format_find(STR("csv"));
    struct arena names = { 0 };
    struct reader r = { .format = csv };
    struct plan plan;
    struct input in;

    if (!open_file(&l))
        return false;
    want_columns(&l, &plan);
    input_init(&in, pull, &l, charset_find(STR("UTF-8")),
               f->limits->v[LIMIT_MAP_SIZE], csv->name);
    r.opts = options(&l, csv);
    r.plan = &plan;
    r.in = &in;
    r.limits = f->limits;
    r.names = &names;
    r.sink = add_row;
    r.fault = row_fault;
    r.ctx = &l;
    if (csv->read(&r) == -1)
        l.failed = true;
    input_release(&in);
    arena_release(&r.arena);
    arena_release(&names);
    return !l.failed;
}
