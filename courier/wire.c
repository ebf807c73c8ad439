#include "courier/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NUMBER = 8, HEAD = 2 * NUMBER /* kind, tag */ };

/* ---- write --------------------------------------------------------------- */

void wire_begin(struct wire *w, enum wire_kind kind, uint64_t tag)
{
    w->kind = kind;
    w->tag = tag;
    w->fd = -1;
    w->bad = false;
    w->len = w->at = 0;
    wire_put(w, kind);
    wire_put(w, tag);
}

static void put(struct wire *w, const void *p, size_t len)
{
    if (w->bad || len > WIRE_MAX - w->len) {
        w->bad = true;
        return;
    }
    if (len)
        memcpy(w->bytes + w->len, p, len);
    w->len += len;
}

void wire_put(struct wire *w, uint64_t number)
{
    put(w, &number, sizeof(number));
}

void wire_put_str(struct wire *w, struct str text)
{
    wire_put(w, text.len);
    put(w, text.p, text.len);
}

bool wire_has_room(const struct wire *w, size_t text_len)
{
    return !w->bad && text_len < WIRE_MAX &&
           WIRE_MAX - w->len >= NUMBER + text_len;
}

int wire_send(int sock, const struct wire *w)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec bytes = { (void *)(uintptr_t)w->bytes, w->len };
    struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1 };

    if (w->bad) {
        errno = EMSGSIZE;
        return -1;
    }
    if (w->fd != -1) {
        memset(&control, 0, sizeof(control));
        m.msg_control = &control;
        m.msg_controllen = sizeof(control.space);
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.head), &w->fd, sizeof(int));
    }
    for (;;) {
        if (sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return 1;
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
            return 0;
        if (errno != EINTR)
            return -1;
    }
}

/* ---- read ---------------------------------------------------------------- */

uint64_t wire_get(struct wire *w)
{
    uint64_t number = 0;

    if (w->bad || w->len - w->at < sizeof(number)) {
        w->bad = true;
        return 0;
    }
    memcpy(&number, w->bytes + w->at, sizeof(number));
    w->at += sizeof(number);
    return number;
}

struct str wire_get_str(struct wire *w)
{
    uint64_t len = wire_get(w);
    struct str text = { "", 0 };

    if (w->bad || len > w->len - w->at) {
        w->bad = true;
        return text;
    }
    text = (struct str){ (const char *)w->bytes + w->at, (size_t)len };
    w->at += len;
    return text;
}

bool wire_is_whole(const struct wire *w)
{
    return !w->bad && w->at == w->len;
}

/* One descriptor is kept, others are closed: nobody sends more. */
static void take_descriptors(struct wire *w, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        size_t n;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (w->fd == -1)
                w->fd = fd;
            else
                close(fd);
        }
    }
}

int wire_receive(int sock, struct wire *w)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec bytes = { w->bytes, sizeof(w->bytes) };
    struct msghdr m = { .msg_iov = &bytes,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof(control.space) };
    ssize_t n;

    w->fd = -1;
    w->bad = false;
    w->len = w->at = 0;
    do
        n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (n == -1 && errno == EINTR);
    if (n == -1)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    take_descriptors(w, &m);
    w->len = (size_t)n;
    if (n >= HEAD && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        uint64_t kind = wire_get(w);

        w->tag = wire_get(w);
        w->kind = (enum wire_kind)(kind < N_WIRE_KINDS ? kind : 0);
        if (w->kind)
            return 1;
    }
    if (w->fd != -1)
        close(w->fd);
    w->fd = -1;
    errno = n ? EPROTO : ECONNRESET;
    return -1;
}

/* ---- HELLO --------------------------------------------------------------- */

/* NULL travels as nothing, a text with its NUL: it is used where it lies. */
static void put_text(struct wire *w, const char *text)
{
    wire_put_str(w, text ? (struct str){ text, strlen(text) + 1 } : STR(""));
}

static const char *get_text(struct wire *w)
{
    struct str text = wire_get_str(w);

    if (text.len == 0)
        return NULL;
    if (memchr(text.p, '\0', text.len) != text.p + text.len - 1) {
        w->bad = true;
        return NULL;
    }
    return text.p;
}

static void put_list(struct wire *w, const char *const *texts, size_t n)
{
    wire_put(w, n);
    for (size_t i = 0; i < n; i++)
        put_text(w, texts[i]);
}

static size_t get_list(struct wire *w, const char **texts, size_t max)
{
    uint64_t n = wire_get(w);

    if (n > max)
        w->bad = true;
    for (size_t i = 0; !w->bad && i < n; i++) {
        texts[i] = get_text(w);
        if (!texts[i])
            w->bad = true;
    }
    return w->bad ? 0 : (size_t)n;
}

void wire_put_login(struct wire *w, const struct login *l)
{
    size_t n_words = 0;

    while (n_words < MAX_THROUGH && l->through[n_words])
        n_words++;
    put_text(w, l->partner);
    put_text(w, l->transport);
    put_text(w, l->host);
    wire_put(w, l->port);
    put_text(w, l->user);
    put_text(w, l->key);
    put_text(w, l->passphrase);
    put_text(w, l->password);
    wire_put(w, l->agent);
    put_text(w, l->known_hosts);
    put_list(w, l->pins, l->n_pins);
    put_list(w, l->weak, l->n_weak);
    put_list(w, l->through, n_words);
    wire_put(w, l->connect_s);
    wire_put(w, l->handshake_s);
    wire_put(w, l->login_s);
    wire_put(w, l->operation_s);
    wire_put(w, l->rate);
}

int wire_get_login(struct wire *w, struct login *l)
{
    *l = (struct login){ .partner = get_text(w) };
    l->transport = get_text(w);
    l->host = get_text(w);
    l->port = (uint32_t)wire_get(w);
    l->user = get_text(w);
    l->key = get_text(w);
    l->passphrase = get_text(w);
    l->password = get_text(w);
    l->agent = wire_get(w);
    l->known_hosts = get_text(w);
    l->n_pins = get_list(w, l->pins, MAX_PINS);
    l->n_weak = get_list(w, l->weak, MAX_WEAK);
    (void)get_list(w, l->through, MAX_THROUGH - 1);
    l->connect_s = (uint32_t)wire_get(w);
    l->handshake_s = (uint32_t)wire_get(w);
    l->login_s = (uint32_t)wire_get(w);
    l->operation_s = (uint32_t)wire_get(w);
    l->rate = wire_get(w);
    return wire_is_whole(w) && l->partner && l->transport ? 0 : -1;
}
