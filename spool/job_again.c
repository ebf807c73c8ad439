/*
 * job_again.c - the second reading: where refused fields stand in the input
 * (locate.h), and the records that were set aside (faulty.h).
 */
#include "spool/job_inside.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "formats/zip.h"
#include "spool/files.h"

/* The copied records: a file for each file or member that they stand in. */
struct copies {
    struct job *j;
    int fd;            /* of the last one, or -1 */
    uint32_t *sources; /* which those are */
    size_t n, cap;
    uint64_t bytes;
    bool complete;
};

static struct str copy_path(const struct copies *c, size_t i)
{
    return arena_fmt(&c->j->out->arena, "%s/faulty-%zu", c->j->spec->staging,
                     i);
}

/* Nothing is wrong with the file: another try makes the copy. */
static bool disk_failed(struct copies *c)
{
    c->j->out->verdict = JOB_FAILED;
    err_sys(&c->j->out->err, ERR_RETRY,
            "cannot copy the records that were set aside");
    return false;
}

static bool next_copy(struct copies *c, uint32_t source)
{
    if (source >= c->j->n_sources || (c->n && source <= c->sources[c->n - 1]))
        return false;
    if (c->fd != -1 && close(c->fd) == -1)
        return disk_failed(c);
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 8;
        c->sources = xrealloc(c->sources, c->cap * sizeof(*c->sources));
    }
    c->sources[c->n] = source;
    c->fd = open(copy_path(c, c->n++).p,
                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return c->fd != -1 || disk_failed(c);
}

/* u32 source, bytes; the reader's word. */
static bool on_cut(struct copies *c, struct str payload)
{
    uint32_t source;

    if (payload.len < sizeof(source))
        return false;
    memcpy(&source, payload.p, sizeof(source));
    payload = str_from(payload, sizeof(source));
    c->bytes += payload.len;
    if (c->bytes > c->j->spec->limits->v[LIMIT_OUTPUT])
        return false;
    if ((!c->n || c->sources[c->n - 1] != source) && !next_copy(c, source))
        return false;
    return file_put(c->fd, payload) == 0 || disk_failed(c);
}

static bool on_cut_end(struct copies *c, struct str payload)
{
    struct cut_end_frame end;

    if (payload.len != sizeof(end))
        return false;
    memcpy(&end, payload.p, sizeof(end));
    c->j->out->faulty.n_mixed = end.n_mixed;
    c->complete = end.complete && end.n_documents == c->j->out->n_aside;
    return true;
}

static bool on_place(struct job *j, struct str payload)
{
    struct place_frame p;

    if (payload.len != sizeof(p))
        return false;
    memcpy(&p, payload.p, sizeof(p));
    if (p.query >= j->places.n)
        return false;
    j->places.v[p.query].diag->at.line = p.line;
    j->places.v[p.query].diag->at.col = p.col;
    return true;
}

static bool on_answer(struct copies *c, enum frame_type type,
                      struct str payload)
{
    switch (type) {
    case FRAME_PLACE:
        return on_place(c->j, payload);
    case FRAME_CUT:
        return on_cut(c, payload);
    case FRAME_CUT_END:
        return on_cut_end(c, payload);
    default:
        return false;
    }
}

/* Members of a ZIP go back in one. */
static const char *pack(struct copies *c)
{
    struct arena *a = &c->j->out->arena;
    const char *path = arena_fmt(a, "%s/faulty.zip", c->j->spec->staging).p;
    struct zip_part *parts = xcalloc(c->n, sizeof(*parts));
    struct err e;
    int rc;

    for (size_t i = 0; i < c->n; i++)
        parts[i] = (struct zip_part){
            .name = arena_cstr(a, c->j->sources[c->sources[i]].member),
            .path = copy_path(c, i).p,
            .fd = -1,
        };
    rc = zipout_write(path, parts, c->n, &e);
    for (size_t i = 0; i < c->n; i++)
        (void)unlink(parts[i].path);
    free(parts);
    if (rc == -1 && e.next == ERR_RETRY) {
        c->j->out->verdict = JOB_FAILED;
        c->j->out->err = e;
    }
    return rc == 0 ? path : NULL;
}

/* Without a complete copy the sender will get his whole file. */
static void finish(struct copies *c)
{
    struct job_faulty *f = &c->j->out->faulty;
    const char *path = NULL;
    struct content got;
    int fd;

    if (c->fd != -1 && close(c->fd) == -1)
        c->complete = disk_failed(c);
    if (!c->complete || !c->n)
        for (size_t i = 0; i < c->n; i++)
            (void)unlink(copy_path(c, i).p);
    else if (c->j->sources[c->sources[0]].member.len)
        path = pack(c);
    else
        path = copy_path(c, 0).p;
    fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd != -1 && content_copy(fd, -1, UINT64_MAX, &got) == 0) {
        f->bytes = got.bytes;
        f->path =
            arena_cstr(&c->j->out->arena,
                       str_from(str_of(path), strlen(c->j->spec->staging) + 1));
    }
    if (fd != -1)
        close(fd);
    free(c->sources);
}

static bool wants_copies(const struct job *j)
{
    return j->spec->keep_faulty && j->spec->staging &&
           j->out->verdict == JOB_DONE && j->out->n_aside;
}

static void take_answers(struct copies *c, int fd)
{
    enum frame_type type;
    struct str payload;
    struct frame_in in;

    frame_in_init(&in, fd, MB(1),
                  (int64_t)c->j->spec->limits->v[LIMIT_WALL] * 1000);
    while (!c->complete && frame_next(&in, &type, &payload) == 1 &&
           on_answer(c, type, payload))
        continue;
    frame_in_release(&in);
}

void job_take_answers(struct job *j, int fd)
{
    struct copies c = { .j = j, .fd = -1 };

    take_answers(&c, fd);
    finish(&c);
}

void job_ask_again(struct job *j)
{
    struct copies c = { .j = j, .fd = -1 };
    struct questions ask = { .places = &j->places };
    int fd, spill_fd;
    pid_t pid;

    j->out->faulty.asked = wants_copies(j);
    locate_sort(&j->places);
    aside_sort(&j->aside);
    if (j->out->faulty.asked && !j->aside.too_many)
        ask.aside = &j->aside;
    if ((!j->places.n && !ask.aside) || (spill_fd = job_spill(j)) == -1)
        return;
    if (job_start_reader(j, j->spec, 1, spill_fd, &ask, &pid, &fd) == 0) {
        take_answers(&c, fd);
        close(fd);
        (void)kill(pid, SIGKILL);
        (void)job_wait_for(pid);
        finish(&c);
    }
    close(spill_fd);
}
