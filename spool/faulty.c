/* faulty.c - the reader's end of faulty.h. */
#include "spool/faulty.h"

#include <stdlib.h>
#include <unistd.h>

#include "formats/input.h"
#include "spool/reader.h"

enum { COPY = 64 * 1024 };

void aside_add(struct aside *a, uint64_t seq)
{
    a->too_many = a->too_many || a->n == FAULTY_DOCUMENTS;
    if (a->too_many)
        return;
    if (a->n == a->cap) {
        a->cap = a->cap ? 2 * a->cap : 64;
        a->seqs = xrealloc(a->seqs, a->cap * sizeof(*a->seqs));
    }
    a->seqs[a->n++] = seq;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

void aside_sort(struct aside *a)
{
    if (a->n)
        qsort(a->seqs, a->n, sizeof(*a->seqs), by_number);
}

void aside_release(struct aside *a)
{
    free(a->seqs);
    *a = (struct aside){ 0 };
}

/* ---- which records ------------------------------------------------------ */

static void count_mixed(struct faulty_run *f, uint64_t record)
{
    if (f->aside_in != record || f->good_in != record || f->mixed_in == record)
        return;
    f->mixed_in = record;
    f->n_mixed++;
}

void faulty_add(struct faulty_run *f, const struct read_run *rr,
                uint32_t source)
{
    if (!f->aside)
        return;
    f->n_documents++;
    f->aside_in = (uint64_t)rr->run.record_index;
    count_mixed(f, f->aside_in);
    f->too_many = f->too_many || f->n + rr->n_rows > FAULTY_RECORDS;
    if (f->too_many)
        return;
    if (f->n + rr->n_rows > f->cap) {
        f->cap = 2 * (f->n + rr->n_rows);
        f->records = xrealloc(f->records, f->cap * sizeof(*f->records));
    }
    for (uint32_t i = 0; i < rr->n_rows; i++)
        f->records[f->n++] =
            (struct faulty_record){ source, rr->rows[i]->raw_offset };
}

void faulty_document(struct faulty_run *f, const struct read_run *rr,
                     const struct doc *d, uint32_t source)
{
    if (!f->aside)
        return;
    if (f->next < f->aside->n && f->aside->seqs[f->next] == d->seq) {
        f->next++;
        faulty_add(f, rr, source);
        return;
    }
    f->good_in = (uint64_t)rr->run.record_index;
    count_mixed(f, f->good_in);
}

void faulty_release(struct faulty_run *f)
{
    free(f->records);
}

/* ---- which bytes of a file ---------------------------------------------- */

struct range {
    uint64_t from, to;
};

/* A file, or a member of a ZIP, that some records are copied out of. */
struct cutting {
    const struct job_spec *spec;
    struct frame_out *out;
    uint32_t source;
    const struct faulty_record *next, *last; /* records of this source */
    const struct faulty_record *end;         /* and of all */
    struct range *ranges;
    size_t n, cap;
    struct reader *reader;
    struct arena names;
    bool failed;
};

static bool wants(void *ctx, uint64_t offset)
{
    struct cutting *c = ctx;

    while (c->next < c->last && c->next->offset < offset)
        c->next++;
    return c->next < c->last && c->next->offset == offset;
}

static void add_range(void *ctx, uint64_t from, uint64_t to)
{
    struct cutting *c = ctx;

    if (from == to)
        return;
    if (c->n && c->ranges[c->n - 1].to == from) {
        c->ranges[c->n - 1].to = to;
        return;
    }
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 64;
        c->ranges = xrealloc(c->ranges, c->cap * sizeof(*c->ranges));
    }
    c->ranges[c->n++] = (struct range){ from, to };
}

static int drop_record(void *ctx, struct item *record)
{
    struct cutting *c = ctx;

    (void)record;
    arena_reset(&c->reader->arena);
    return 0;
}

/* What is to be said of the file was said when it was read first. */
static void no_fault(void *ctx, enum diag_id id, bool fatal, uint32_t line,
                     uint32_t col, const struct str *args, size_t n_args)
{
    (void)ctx;
    (void)id;
    (void)fatal;
    (void)line;
    (void)col;
    (void)args;
    (void)n_args;
}

static bool find_ranges(struct cutting *c, const struct source_bytes *from)
{
    const struct map *m = c->spec->read;
    const struct cut cut = { wants, add_range, c };
    struct input *in = xcalloc(1, sizeof(*in));
    struct reader r = { .format = m->format,
                        .opts = m->opts,
                        .plan = &c->spec->read->plan,
                        .in = in,
                        .limits = c->spec->limits,
                        .names = &c->names,
                        .keeps_ragged = true,
                        .cut = &cut,
                        .sink = drop_record,
                        .fault = no_fault,
                        .ctx = c };
    int rc;

    c->reader = &r;
    input_init(in, from->pull, from->ctx, m->charset,
               c->spec->limits->v[LIMIT_INPUT], m->format->name);
    rc = m->format->read(&r);
    arena_release(&r.arena);
    input_release(in);
    free(in);
    return rc == 0;
}

/* ---- the bytes ---------------------------------------------------------- */

static void send(struct cutting *c, struct str bytes)
{
    size_t at = frame_begin(c->out, FRAME_CUT);

    (void)buf_add(&c->out->buf,
                  (struct str){ (const char *)&c->source, sizeof(c->source) });
    (void)buf_add(&c->out->buf, bytes);
    frame_end(c->out, at);
}

/* The ranges of a piece of the file that begins at `at`. */
static size_t send_piece(struct cutting *c, size_t i, uint64_t at,
                         struct str piece)
{
    uint64_t end = at + piece.len;

    while (i < c->n && c->ranges[i].from < end) {
        uint64_t from = c->ranges[i].from > at ? c->ranges[i].from : at;
        uint64_t to = c->ranges[i].to < end ? c->ranges[i].to : end;

        if (to > from)
            send(c, str_first(str_from(piece, (size_t)(from - at)),
                              (size_t)(to - from)));
        if (c->ranges[i].to > end)
            break;
        i++;
    }
    return i;
}

static bool copy_ranges(struct cutting *c, const struct source_bytes *from)
{
    char *piece = xcalloc(1, COPY);
    uint64_t at = 0;
    ptrdiff_t n;
    size_t i = 0;

    while ((n = from->pull(from->ctx, piece, COPY)) > 0) {
        i = send_piece(c, i, at, (struct str){ piece, (size_t)n });
        at += (uint64_t)n;
    }
    free(piece);
    return n == 0;
}

/* ---- all files ---------------------------------------------------------- */

static bool begins_again(const struct source_bytes *from)
{
    const int *fd = from->ctx;

    return from->zip ? zipin_again(from->zip) == 1
                     : lseek(*fd, 0, SEEK_SET) == 0;
}

static void cut_source(struct cutting *c, const struct source_bytes *from)
{
    for (c->last = c->next; c->last < c->end; c->last++)
        if (c->last->source != c->source)
            break;
    c->n = 0;
    if (c->next < c->last)
        c->failed = !find_ranges(c, from) || !begins_again(from) ||
                    !copy_ranges(c, from);
    c->next = c->last;
    c->source++;
}

static void cut_zip(struct cutting *c, int fd)
{
    struct zip_in z;
    struct source_bytes from = { zipin_pull, &z, &z };
    struct str pattern = reader_members(c->spec->read, &c->names);
    int more = zipin_open(&z, fd, c->spec->limits, &c->names);

    c->source++; /* the ZIP itself is counted before its members */
    while (more != -1 && !c->failed && (more = zipin_next(&z, pattern)) == 1)
        cut_source(c, &from);
    c->failed = c->failed || more == -1;
    zipin_close(&z);
}

static void cut_input(struct cutting *c, int fd)
{
    struct source_bytes from = { input_pull_fd, &fd, NULL };

    if (reader_is_zip(fd))
        cut_zip(c, fd);
    else if (lseek(fd, 0, SEEK_SET) == 0)
        cut_source(c, &from);
    else
        c->failed = true;
}

static int by_place(const void *a, const void *b)
{
    const struct faulty_record *x = a, *y = b;

    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

void faulty_send(struct faulty_run *f, const struct job_spec *spec,
                 struct frame_out *out)
{
    struct cut_end_frame end = { .n_documents = f->n_documents,
                                 .n_mixed = f->n_mixed };
    struct cutting c = { .spec = spec,
                         .out = out,
                         .failed = f->too_many || f->next < f->aside->n };
    size_t at;

    if (f->n)
        qsort(f->records, f->n, sizeof(*f->records), by_place);
    c.next = f->records;
    c.end = f->records + f->n;
    for (size_t i = 0; i < spec->n_inputs && !c.failed; i++)
        cut_input(&c, spec->inputs[i].fd);
    end.complete = !c.failed;
    at = frame_begin(out, FRAME_CUT_END);
    (void)buf_add(&out->buf, (struct str){ (const char *)&end, sizeof(end) });
    frame_end(out, at);
    free(c.ranges);
    arena_release(&c.names);
}
