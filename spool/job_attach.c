#include "spool/job_attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "converters/base/text.h"
#include "converters/lang/attach.h"
#include "converters/lang/output.h"
#include "spool/job_inside.h"

/* Windows does not tell A from a. Lives as long as the result. */
static struct str name_key(struct job *j, size_t write, struct str name)
{
    struct arena *a = &j->out->arena;

    name = text_lower(a, name, STR(""));
    return arena_fmt(a, "%zu/%.*s", write, STR_ARGS(name));
}

static void name_twice(struct job *j, size_t write, struct str name)
{
    struct place at = { .src = job_source_at(j, 0) }; /* the ZIP */
    struct diag *g = DIAG(&j->out->diags, FILE_NAME_TWICE, at, name);

    if (g)
        g->map = j->spec->writes[write].map->attachments_at;
    j->failed = true;
}

static void disk_failed(struct write_run *w, const char *what)
{
    w->io_failed = true;
    err_sys(&w->err, ERR_RETRY, "%s", what);
}

static void add(struct job *j, size_t write, struct str name)
{
    struct attachments *at = &j->attached;
    struct write_run *w = &j->writes[write];
    struct arena *a = &j->out->arena;
    struct attachment *x;

    if (at->n >= j->spec->limits->v[LIMIT_OUTPUTS]) {
        (void)output_over_limit(w, LIMIT_OUTPUTS,
                                STR("the number of attachments"));
        return;
    }
    if (at->n == at->cap) {
        at->cap = at->cap ? 2 * at->cap : 16;
        at->list = xrealloc(at->list, at->cap * sizeof(*at->list));
    }
    x = &at->list[at->n];
    *x = (struct attachment){ .name = name, .write = write };
    x->path = arena_fmt(a, "%s/%zu.a%zu", j->spec->staging, write, at->n);
    x->fd = open(x->path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (x->fd == -1) {
        disk_failed(w, "cannot make an attachment");
        return;
    }
    textmap_add(&at->names, name_key(j, write, name), 0);
    at->n++;
}

/* For every write that wants it; a fault ends the job. */
static void add_wanted(struct job *j, struct str member)
{
    struct str name = attachment_name(&j->out->arena, member);

    for (size_t i = 0; i < j->spec->n_writes; i++) {
        const struct map *m = j->spec->writes[i].map;

        if (j->failed || job_io_failed(j))
            return;
        if (!map_attaches(m, member))
            continue;
        if (!j->spec->staging) {
            DIAG0(&j->out->diags, SEVERAL_FILES, m->attachments_at);
            j->failed = true;
        } else if (!name.len || name.len > j->spec->limits->v[LIMIT_NAME]) {
            DIAG(&j->out->diags, ZIP_NAME, m->attachments_at, member);
            j->failed = true;
        } else if (textmap_find(&j->attached.names, name_key(j, i, name))) {
            name_twice(j, i, name);
        } else {
            add(j, i, name);
        }
    }
}

bool job_attach_begin(struct job *j, struct str payload)
{
    struct attachments *at = &j->attached;
    uint64_t size;

    if (at->receiving || payload.len < sizeof(size) ||
        payload.len > sizeof(size) + MAX_SOURCE_NAME)
        return false;
    memcpy(&size, payload.p, sizeof(size));
    if (size > j->spec->limits->v[LIMIT_ZIP_ENTRY])
        return false;
    at->receiving = true;
    at->left = size;
    at->open_from = at->n;
    j->total.input += size;
    add_wanted(j, str_from(payload, sizeof(size)));
    return true;
}

static bool write_whole(int fd, struct str s)
{
    while (s.len) {
        ssize_t n = write(fd, s.p, s.len);

        if (n > 0)
            s = str_from(s, (size_t)n);
        else if (errno != EINTR)
            return false;
    }
    return true;
}

bool job_attach_bytes(struct job *j, struct str payload)
{
    struct attachments *at = &j->attached;

    if (!at->receiving || payload.len > at->left)
        return false;
    at->left -= payload.len;
    for (size_t i = at->open_from; i < at->n && !job_io_failed(j); i++) {
        struct write_run *w = &j->writes[at->list[i].write];

        if (!output_room(w, payload.len))
            return true;
        at->n_bytes += payload.len;
        at->list[i].bytes += payload.len;
        if (!write_whole(at->list[i].fd, payload))
            disk_failed(w, "cannot write an attachment");
    }
    return true;
}

static void close_open(struct attachments *at)
{
    for (size_t i = at->open_from; i < at->n; i++) {
        if (at->list[i].fd != -1)
            close(at->list[i].fd);
        at->list[i].fd = -1;
    }
    at->open_from = at->n;
    at->receiving = false;
}

bool job_attach_end(struct job *j, struct str payload)
{
    struct attachments *at = &j->attached;

    if (!at->receiving || at->left || payload.len)
        return false;
    close_open(at);
    return true;
}

bool job_attach_fits(struct job *j, size_t write)
{
    const struct write_run *w = &j->writes[write];

    if (!j->attached.n)
        return true;
    for (size_t i = 0; i < w->n_outputs; i++) {
        struct str key = name_key(j, write, w->outputs[i]->name);

        if (textmap_find(&j->attached.names, key)) {
            name_twice(j, write, w->outputs[i]->name);
            return false;
        }
    }
    return true;
}

size_t job_attach_parts(struct job *j, size_t write, struct zip_part **out)
{
    struct attachments *at = &j->attached;
    struct zip_part *parts =
        arena_alloc(&j->out->arena, (at->n + 1) * sizeof(*parts));
    size_t n = 0;

    for (size_t i = 0; i < at->n; i++)
        if (at->list[i].write == write)
            parts[n++] = (struct zip_part){
                .name = arena_cstr(&j->out->arena, at->list[i].name),
                .path = at->list[i].path.p,
                .fd = -1,
            };
    *out = parts;
    return n;
}

void job_attach_forget(struct job *j)
{
    struct attachments *at = &j->attached;

    close_open(at);
    for (size_t i = 0; i < at->n; i++)
        if (!at->list[i].is_kept)
            (void)unlink(at->list[i].path.p);
    j->total.outputs -= at->n_bytes;
    textmap_release(&at->names);
    free(at->list);
    *at = (struct attachments){ 0 };
}
