#include "converters/cmd/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "formats/input.h"

struct sample {
    struct map *map;
    struct diags *diags;
    const struct source *src;
    struct reader reader;
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

static void report(struct sample *s, const struct want *w)
{
    for (w = w ? w->child : NULL; w; w = w->next) {
        bool fits = w->n_cells > 0 || s->seen[w->id];

        if (!fits && !w->maybe && w->kind != WANT_SELF)
            DIAG(s->diags, SAMPLE_NO_MATCH, w->at, w->name);
        if (fits)
            report(s, w);
    }
}

void sample_check(struct map *m, const char *path, const struct limits *limits,
                  struct diags *diags)
{
    struct sample s = { .map = m, .diags = diags };
    struct source *src = arena_alloc(diags->arena, sizeof(*src));
    struct input *in = xcalloc(1, sizeof(*in));
    struct arena names = { 0 };
    uint64_t n_errors = diags->n_errors;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    src->name = str_of(path);
    s.src = src;
    if (fd == -1) {
        DIAG(diags, FILE_OPEN, ((struct place){ 0 }), str_of(path),
             arena_str(diags->arena, str_of(strerror(errno))));
    } else {
        s.seen = xcalloc(m->plan.n_wants + 1, sizeof(*s.seen));
        s.reader = (struct reader){ .format = m->format,
                                    .opts = m->opts,
                                    .plan = &m->plan,
                                    .in = in,
                                    .limits = limits,
                                    .names = &names,
                                    .sink = on_record,
                                    .fault = on_fault,
                                    .ctx = &s };
        input_init(in, input_pull_fd, &fd, m->charset, limits->v[LIMIT_INPUT],
                   m->format->name);
        if (m->format->read(&s.reader) == -1) {
            /* What comes after the fault may have what is not seen yet. */
            if (diags->n_errors == n_errors)
                on_fault(&s, in->fault, true, in->fault_line, in->fault_col,
                         in->fault_args, in->n_fault_args);
        } else {
            report(&s, m->plan.record);
            report(&s, m->plan.root);
        }
        close(fd);
        arena_release(&s.reader.arena);
        input_release(in);
        free(s.seen);
    }
    arena_release(&names);
    free(in);
}
