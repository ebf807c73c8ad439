#include "spool/docfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRITE_AT = 1 << 20 };

int docfile_temporary(const char *folder)
{
    const char *const folders[] = { folder, getenv("TMPDIR"), "/var/tmp",
                                    "/tmp" };
    int fd = -1;

    for (size_t i = 0; fd == -1 && i < COUNT(folders); i++)
        if (folders[i])
            fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd;
}

static void fail(struct docfile *f, const char *what)
{
    f->failed = true;
    err_sys(&f->err, ERR_RETRY, "%s", what);
}

void docfile_init(struct docfile *f, const struct shape *shape,
                  struct run *filter, const char *folder, bool is_used)
{
    *f = (struct docfile){ .fd = -1, .shape = shape, .filter = filter };
    buf_init(&f->out, SIZE_MAX / 2);
    buf_init(&f->in, SIZE_MAX / 2);
    if (!is_used)
        return;
    f->fd = docfile_temporary(folder);
    if (f->fd == -1)
        fail(f, "cannot make a temporary file");
}

static void flush(struct docfile *f)
{
    size_t done = 0;

    while (done < f->out.len && !f->failed) {
        ssize_t n = write(f->fd, f->out.p + done, f->out.len - done);

        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            fail(f, "cannot write a temporary file");
    }
    f->size += done;
    f->out.len = 0;
}

/* Stored as u32 length, packed document. */
void docfile_add(struct docfile *f, const struct doc *d)
{
    size_t at = f->out.len;
    uint32_t len = 0;

    (void)buf_add(&f->out, (struct str){ (const char *)&len, sizeof(len) });
    (void)doc_pack(d, &f->out);
    len = (uint32_t)(f->out.len - at - sizeof(len));
    memcpy(f->out.p + at, &len, sizeof(len));
    f->n++;
    if (f->out.len >= WRITE_AT)
        flush(f);
}

void docfile_clear(struct docfile *f)
{
    if (f->fd == -1)
        return;
    f->out.len = 0;
    f->size = f->at = f->n = f->n_excluded = 0;
    if (ftruncate(f->fd, 0) == -1 || lseek(f->fd, 0, SEEK_SET) == -1)
        fail(f, "cannot empty a temporary file");
}

/* n bytes from where the last read ended, through a buffer of a megabyte. */
static bool take(struct docfile *f, size_t n, struct str *out)
{
    size_t have = f->in.len - (size_t)f->at;

    if (have < n) {
        if (have)
            memmove(f->in.p, f->in.p + f->at, have);
        f->in.len = have;
        f->at = 0;
        while (f->in.len < n) {
            size_t want = n - f->in.len > WRITE_AT ? n - f->in.len : WRITE_AT;
            char *to = buf_room(&f->in, want);
            ssize_t got = read(f->fd, to, want);

            if (got == 0)
                return false;
            if (got > 0)
                f->in.len += (size_t)got;
            else if (errno != EINTR) {
                fail(f, "cannot read a temporary file");
                return false;
            }
        }
    }
    *out = (struct str){ f->in.p + f->at, n };
    f->at += n;
    return true;
}

static bool is_excluded(const struct docfile *f, uint64_t seq)
{
    return seq / 64 < f->n_words && (f->excluded[seq / 64] >> seq % 64 & 1);
}

static struct doc *read_one(struct docfile *f)
{
    struct str bytes;
    struct doc *d;
    uint32_t len;

    if (!take(f, sizeof(len), &bytes))
        return NULL;
    memcpy(&len, bytes.p, sizeof(len));
    if (!take(f, len, &bytes))
        return NULL;
    arena_reset(&f->arena);
    return doc_unpack(&f->arena, f->shape, bytes, UINT64_MAX, &d) ? d : NULL;
}

static bool passes(struct docfile *f, struct doc *d)
{
    bool holds = true;

    if (is_excluded(f, d->seq))
        return false;
    if (!f->when)
        return true;
    f->filter->scope[0] = d;
    return eval_cond(f->filter, f->when, &holds) && holds;
}

const struct doc *docfile_next(struct docfile *f, bool rewind)
{
    struct doc *d;

    f->current = NULL;
    if (rewind) {
        flush(f);
        f->in.len = 0;
        f->at = 0;
        if (lseek(f->fd, 0, SEEK_SET) == -1)
            fail(f, "cannot read a temporary file");
    }
    if (f->failed)
        return NULL;
    do
        d = read_one(f);
    while (d && !passes(f, d));
    f->current = d;
    return d;
}

struct doc *docfile_current(struct docfile *f)
{
    return f->current;
}

bool docfile_exclude(struct docfile *f, uint64_t seq)
{
    size_t word = (size_t)(seq / 64);

    if (is_excluded(f, seq))
        return false;
    if (word >= f->n_words) {
        size_t n = word + 1 + f->n_words;

        f->excluded = xrealloc(f->excluded, n * sizeof(*f->excluded));
        memset(f->excluded + f->n_words, 0,
               (n - f->n_words) * sizeof(*f->excluded));
        f->n_words = n;
    }
    f->excluded[word] |= (uint64_t)1 << seq % 64;
    f->n_excluded++;
    return true;
}

void docfile_release(struct docfile *f)
{
    if (f->fd != -1)
        close(f->fd);
    buf_release(&f->out);
    buf_release(&f->in);
    free(f->excluded);
    arena_release(&f->arena);
}
