#include "converters/document/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SEND_AT = 128 * 1024, READ_SIZE = 256 * 1024 };

struct head {
    uint8_t type, zero[3];
    uint32_t len;
};

void frame_out_init(struct frame_out *o, int fd)
{
    *o = (struct frame_out){ .fd = fd };
    buf_init(&o->buf, SIZE_MAX / 2);
}

size_t frame_begin(struct frame_out *o, enum frame_type type)
{
    struct head h = { .type = (uint8_t)type };
    size_t at = o->buf.len;

    (void)buf_add(&o->buf, (struct str){ (const char *)&h, sizeof(h) });
    return at;
}

void frame_end(struct frame_out *o, size_t at)
{
    uint32_t len = (uint32_t)(o->buf.len - at - sizeof(struct head));

    memcpy(o->buf.p + at + offsetof(struct head, len), &len, sizeof(len));
    if (o->buf.len >= SEND_AT)
        frame_flush(o);
}

void frame_flush(struct frame_out *o)
{
    size_t done = 0;

    while (done < o->buf.len && !o->broken) {
        ssize_t n = write(o->fd, o->buf.p + done, o->buf.len - done);

        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            o->broken = true;
    }
    o->buf.len = 0;
}

void frame_forbidden(int fd, uint32_t call)
{
    const struct {
        struct head head;
        uint32_t call;
    } f = { { .type = FRAME_FORBIDDEN, .len = sizeof(call) }, call };

    if (write(fd, &f, sizeof(f)) != (ssize_t)sizeof(f))
        return; /* the job will see how we ended */
}

void frame_in_init(struct frame_in *i, int fd, size_t max, int64_t wait_ms)
{
    *i = (struct frame_in){ .fd = fd,
                            .wait_ms = wait_ms,
                            .p = xrealloc(NULL, READ_SIZE),
                            .cap = READ_SIZE,
                            .max = max };
}

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for something to read, as long as there is time for it. */
static bool wait_readable(struct frame_in *i)
{
    struct pollfd p = { .fd = i->fd, .events = POLLIN };
    int64_t since = now_ms();
    int rc;

    do {
        rc = poll(&p, 1, i->wait_ms < 3600000 ? (int)i->wait_ms : 3600000);
        i->wait_ms -= now_ms() - since;
        since = now_ms();
    } while (rc == -1 && errno == EINTR && i->wait_ms > 0);
    if (rc == 0)
        errno = ETIMEDOUT;
    return rc > 0;
}

/* Makes at least n bytes available from `from` on. 1, 0 at the end, -1. */
static int fill(struct frame_in *i, size_t n)
{
    if (i->to - i->from >= n)
        return 1;
    memmove(i->p, i->p + i->from, i->to - i->from);
    i->to -= i->from;
    i->from = 0;
    if (n > i->cap) {
        i->p = xrealloc(i->p, n);
        i->cap = n;
    }
    while (i->to < n) {
        ssize_t got;

        if (!wait_readable(i))
            return -1;
        got = read(i->fd, i->p + i->to, i->cap - i->to);
        if (got > 0)
            i->to += (size_t)got;
        else if (got == 0)
            return 0;
        else if (errno != EINTR)
            return -1;
    }
    return 1;
}

int frame_next(struct frame_in *i, enum frame_type *type, struct str *payload)
{
    struct head h;
    int rc = fill(i, sizeof(h));

    if (rc != 1)
        return rc;
    memcpy(&h, i->p + i->from, sizeof(h));
    if (h.type < FRAME_MEMBER || h.type > FRAME_ATTACHED || h.len > i->max)
        return -1;
    rc = fill(i, sizeof(h) + h.len);
    if (rc != 1)
        return rc;
    *type = (enum frame_type)h.type;
    *payload = (struct str){ i->p + i->from + sizeof(h), h.len };
    i->from += sizeof(h) + h.len;
    return 1;
}

void frame_in_release(struct frame_in *i)
{
    free(i->p);
    *i = (struct frame_in){ .fd = -1 };
}
