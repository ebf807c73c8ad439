/*
 * delay.c - a line with a round trip, for the benchmarks.
 *
 *   delay PORT MS
 *
 * Prints its own port, on 127.0.0.1; who connects there is connected with PORT,
 * and every byte takes MS milliseconds, both ways. Nothing else is slower: what
 * is on its way is kept, up to 16 MB for each direction, as a line of 13 Gbit/s
 * and 10 ms has room for. A process for each connection; all of them end with
 * the one that started the first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "converters/base/str.h"

enum { ROOM = 16 << 20, PIECES = 1 << 16, MOST_MS = 10000, BACKLOG = 16 };

/* Bytes that were read at one time. */
struct piece {
    int64_t due_us;
    size_t len;
};

/* One direction: a ring of bytes, and a ring of the pieces that they are. */
struct way {
    int from, to;
    size_t at, n; /* bytes */
    size_t first, n_pieces;
    bool is_ended; /* `from` will say nothing more */
    bool is_shut;  /* and `to` was told so */
    bool is_full;  /* `to` takes nothing now */
    struct piece pieces[PIECES];
    unsigned char bytes[ROOM];
};

static int64_t delay_us;

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static bool has_room(const struct way *w)
{
    return w->n < ROOM && w->n_pieces < PIECES;
}

/* Everything that is there to read, as far as there is room. */
static void take_in(struct way *w)
{
    while (!w->is_ended && has_room(w)) {
        size_t end = (w->at + w->n) % ROOM;
        size_t room = end < w->at ? w->at - end : ROOM - end;
        ssize_t got = read(w->from, w->bytes + end, room);

        if (got == -1 && errno == EAGAIN)
            return;
        if (got <= 0) {
            w->is_ended = true;
            return;
        }
        w->pieces[(w->first + w->n_pieces++) % PIECES] =
            (struct piece){ now_us() + delay_us, (size_t)got };
        w->n += (size_t)got;
    }
}

/* What is due, as far as it is taken. */
static void give_out(struct way *w)
{
    w->is_full = false;
    while (w->n_pieces && w->pieces[w->first].due_us <= now_us()) {
        struct piece *p = &w->pieces[w->first];
        size_t len = p->len < ROOM - w->at ? p->len : ROOM - w->at;
        ssize_t gone = write(w->to, w->bytes + w->at, len);

        if (gone == -1) {
            if (errno != EAGAIN)
                exit(0); /* nobody reads any more */
            w->is_full = true;
            return;
        }
        w->at = (w->at + (size_t)gone) % ROOM;
        w->n -= (size_t)gone;
        p->len -= (size_t)gone;
        if (p->len)
            continue;
        w->first = (w->first + 1) % PIECES;
        w->n_pieces--;
    }
    if (w->is_ended && !w->n_pieces && !w->is_shut) {
        (void)shutdown(w->to, SHUT_WR);
        w->is_shut = true;
    }
}

/* Until something can be read or written, or a piece is due. */
static void wait_for(const struct way *there, const struct way *back)
{
    const struct way *ways[] = { there, back };
    struct pollfd fds[2];
    int64_t due_us = INT64_MAX;
    struct timespec t, *until = NULL;

    for (int i = 0; i < 2; i++) {
        const struct way *w = ways[i], *other = ways[1 - i];
        bool reads = !w->is_ended && has_room(w);

        /* A socket that has nothing to say would wake us all the time. */
        fds[i].fd = reads || other->is_full ? w->from : -1;
        fds[i].events =
            (short)((reads ? POLLIN : 0) | (other->is_full ? POLLOUT : 0));
        if (w->n_pieces && !w->is_full && w->pieces[w->first].due_us < due_us)
            due_us = w->pieces[w->first].due_us;
    }
    if (due_us != INT64_MAX) {
        int64_t us = due_us - now_us();

        us = us > 0 ? us : 0;
        t = (struct timespec){ us / 1000000, us % 1000000 * 1000 };
        until = &t;
    }
    (void)ppoll(fds, 2, until, NULL);
}

static void relay(int a, int b)
{
    static struct way there, back;

    there.from = back.to = a;
    there.to = back.from = b;
    while (!there.is_shut || !back.is_shut) {
        take_in(&there);
        take_in(&back);
        give_out(&there);
        give_out(&back);
        wait_for(&there, &back);
    }
}

/* ---- sockets ------------------------------------------------------------- */

static struct sockaddr_in local(uint64_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int listen_anywhere(void)
{
    struct sockaddr_in at = local(0);
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd == -1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
        listen(fd, BACKLOG) == -1 ||
        getsockname(fd, (struct sockaddr *)&at, &len) == -1)
        die("delay: a socket");
    printf("%u\n", ntohs(at.sin_port));
    (void)fflush(stdout);
    return fd;
}

/* A small message shall not wait for the next. */
static void make_prompt(int fd)
{
    int on = 1;

    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        die("delay: a socket");
}

static void end_with_parent(void)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
        prctl(PR_SET_TIMERSLACK, 1) == -1)
        die("delay: prctl");
}

static void serve(int a, uint64_t port)
{
    struct sockaddr_in to = local(port);
    int b = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    end_with_parent();
    if (b == -1 || connect(b, (struct sockaddr *)&to, sizeof(to)) == -1)
        die("delay: connect");
    make_prompt(a);
    make_prompt(b);
    relay(a, b);
}

int main(int argc, char **argv)
{
    uint64_t port, ms;
    int fd;

    if (argc != 3 || !str_to_uint(str_of(argv[1]), 65535, &port) ||
        !str_to_uint(str_of(argv[2]), MOST_MS, &ms)) {
        fprintf(stderr, "usage: delay PORT MS\n");
        return 2;
    }
    delay_us = (int64_t)ms * 1000;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGCHLD, SIG_IGN);
    end_with_parent();
    fd = listen_anywhere();
    for (;;) {
        int a = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

        if (a == -1)
            continue;
        if (fork() == 0) {
            close(fd);
            serve(a, port);
            return 0;
        }
        close(a);
    }
}
