#include "converters/cmd/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "formats/input.h"
#include "formats/zip.h"

struct sample {
    struct map *map;
    struct diags *diags;
    const struct limits *limits;
    const struct source *src;
    struct arena names;
    struct reader reader;
    uint64_t n_records;
    bool *seen; /* [plan.n_wants] */
};

static void see(struct sample *s, const struct item *i)
{
    for (; i; i = i->next) {
        if (i->want && i->want->id < s->map->plan.n_wants)
            s->seen[i->want->id] = true;
        see(s, i->child);
    }
}

static int on_record(void *ctx, struct item *record)
{
    struct sample *s = ctx;

    see(s, record->child);
    see(s, s->reader.root ? s->reader.root->child : NULL);
    arena_reset(&s->reader.arena);
    return 0;
}

static void on_fault(void *ctx, enum diag_id id, bool fatal, uint32_t line,
                     uint32_t col, const struct str *args, size_t n_args)
{
    struct sample *s = ctx;
    const struct want *want = s->reader.fault_want;
    struct diag *g = diag_add(
        s->diags, id, (struct place){ .src = s->src, .line = line, .col = col },
        args, n_args);

    (void)fatal;
    if (g && want)
        g->map = want->at;
}

/* ---- reading ------------------------------------------------------------ */

/* One file, or one member of a ZIP. What comes after a fault may have what is
 * not seen yet, so a file that is not read to its end is an error. */
static int read_one(struct sample *s, struct str name,
                    ptrdiff_t (*pull)(void *, char *, size_t), void *from)
{
    struct map *m = s->map;
    uint64_t n_errors = s->diags->n_errors;
    struct source *src = arena_alloc(s->diags->arena, sizeof(*src));
    struct input *in = xcalloc(1, sizeof(*in));
    int rc;

    src->name = name;
    s->src = src;
    s->reader = (struct reader){ .format = m->format,
                                 .opts = m->opts,
                                 .plan = &m->plan,
                                 .in = in,
                                 .limits = s->limits,
                                 .names = &s->names,
                                 .sink = on_record,
                                 .fault = on_fault,
                                 .ctx = s };
    input_init(in, pull, from, m->charset, s->limits->v[LIMIT_INPUT],
               m->format->title);
    rc = m->format->read(&s->reader);
    if (rc == -1 && s->diags->n_errors == n_errors)
        on_fault(s, in->fault, true, in->fault_line, in->fault_col,
                 in->fault_args, in->n_fault_args);
    s->n_records += s->reader.n_records;
    arena_release(&s->reader.arena);
    input_release(in);
    free(in);
    return rc;
}

/* The members that a conversion would read. */
static int read_zip(struct sample *s, struct str name, int fd)
{
    struct arena *a = s->diags->arena;
    struct str pattern =
        s->map->members.len ? s->map->members
                            : arena_fmt(a, "*.%s", s->map->format->suffixes[0]);
    struct zip_in z;
    int rc = zipin_open(&z, fd, s->limits, a) == 0 ? 1 : -1;

    while (rc == 1 && (rc = zipin_next(&z, pattern)) == 1)
        if (read_one(s,
                     arena_fmt(a, "%.*s/%.*s", STR_ARGS(name),
                               STR_ARGS(z.member->name)),
                     zipin_pull, &z) == -1)
            rc = -2; /* reported */
    if (rc == -1) {
        struct source *src = arena_alloc(a, sizeof(*src));

        src->name = name;
        diag_add(s->diags, z.fault.id, (struct place){ .src = src },
                 z.fault.args, z.fault.n_args);
    }
    zipin_close(&z);
    return rc;
}

static int read_sample(struct sample *s, const char *path, int fd)
{
    char head[4];
    ssize_t n = pread(fd, head, sizeof(head), 0);

    if (n > 0 && zipin_is((struct str){ head, (size_t)n }))
        return read_zip(s, str_of(path), fd);
    return read_one(s, str_of(path), input_pull_fd, &fd);
}

/* ---- what fits nothing -------------------------------------------------- */

static void report_below(struct sample *s, const struct want *w)
{
    for (w = w ? w->child : NULL; w; w = w->next) {
        bool fits = w->n_cells > 0 || s->seen[w->id];

        if (!fits && !w->maybe && w->kind != WANT_SELF)
            DIAG(s->diags, SAMPLE_NO_MATCH, w->at, w->name);
        if (fits)
            report_below(s, w);
    }
}

/* Without a record nothing else can fit: one warning says it. */
static void report(struct sample *s)
{
    const struct want *record = s->map->plan.path;

    if (record && !s->n_records) {
        while (record->child)
            record = record->child;
        DIAG(s->diags, SAMPLE_NO_MATCH, record->at, record->name);
        return;
    }
    report_below(s, s->map->plan.record);
    report_below(s, s->map->plan.root);
}

void sample_check(struct map *m, const char *path, const struct limits *limits,
                  struct diags *diags)
{
    struct sample s = { .map = m, .diags = diags, .limits = limits };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd == -1) {
        DIAG(diags, FILE_OPEN, ((struct place){ 0 }), str_of(path),
             arena_str(diags->arena, str_of(strerror(errno))));
        return;
    }
    s.seen = xcalloc(m->plan.n_wants + 1, sizeof(*s.seen));
    if (read_sample(&s, path, fd) >= 0)
        report(&s);
    close(fd);
    arena_release(&s.names);
    free(s.seen);
}
