/* task_answers.c - answers wait here for a keeper who is slow. */
#include "courier/task.h"

#include <errno.h>
#include <string.h>

void answers_init(struct answers *a, int sock)
{
    *a = (struct answers){ .sock = sock };
    buf_init(&a->buf, ANSWERS_MAX);
}

/* What was sent makes room once it is the larger part. */
static void compact(struct answers *a)
{
    size_t left = a->buf.len - a->at;

    if (a->at <= left)
        return;
    if (left)
        memmove(a->buf.p, a->buf.p + a->at, left);
    a->buf.len = left;
    a->at = 0;
}

static void keep(struct answers *a, const struct wire *w)
{
    size_t len = w->len;

    compact(a);
    if (ANSWERS_MAX - a->buf.len < sizeof(len) + len) {
        a->is_gone = true; /* nobody listens */
        return;
    }
    (void)buf_add(&a->buf, (struct str){ (const char *)&len, sizeof(len) });
    (void)buf_add(&a->buf, (struct str){ (const char *)w->bytes, len });
}

static int try_to_send(struct answers *a, const struct wire *w)
{
    int sent = wire_send(a->sock, w);

    if (sent == -1)
        a->is_gone = true;
    return sent;
}

void answers_put(struct answers *a, const struct wire *w)
{
    if (a->is_gone || (!answers_wait(a) && try_to_send(a, w) != 0))
        return;
    keep(a, w);
}

void answers_send(struct answers *a)
{
    static struct wire w;

    w.fd = -1;
    w.bad = false;
    while (!a->is_gone && answers_wait(a)) {
        memcpy(&w.len, a->buf.p + a->at, sizeof(w.len));
        memcpy(w.bytes, a->buf.p + a->at + sizeof(w.len), w.len);
        if (try_to_send(a, &w) != 1)
            return;
        a->at += sizeof(w.len) + w.len;
    }
    compact(a);
}

bool answers_wait(const struct answers *a)
{
    return a->at < a->buf.len;
}

bool answers_are_full(const struct answers *a)
{
    return a->buf.len - a->at >= ANSWERS_FULL;
}

void answers_release(struct answers *a)
{
    buf_release(&a->buf);
}
