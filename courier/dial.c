#include "courier/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "courier/watchdog.h"

uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* 0: connected; -1: errno. */
static int wait_connected(int fd, uint64_t until)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    socklen_t len = sizeof(int);
    int error = 0, n;

    do {
        uint64_t now = now_ms();

        n = poll(&p, 1, now < until ? (int)(until - now) : 0);
    } while (n == -1 && errno == EINTR);
    if (n == 0)
        errno = ETIMEDOUT;
    if (n != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
        return -1;
    errno = error;
    return error ? -1 : 0;
}

static int dial_one(const struct addrinfo *a, uint64_t until)
{
    int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd == -1)
        return -1;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == -1 &&
        (errno != EINPROGRESS || wait_connected(fd, until) == -1)) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
    return fd;
}

static void print_address(const struct addrinfo *a, char *to, size_t size)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(to, size, "%.45s port %.5s", host, port);
}

static int resolve(const struct login *l, struct addrinfo **list,
                   struct failure *f)
{
    const struct addrinfo wanted = { .ai_socktype = SOCK_STREAM,
                                     .ai_flags = AI_ADDRCONFIG };
    char port[16];
    int rc;

    snprintf(port, sizeof(port), "%u", l->port);
    /* Instead of 5 seconds for each of two attempts, and each server. */
    (void)setenv("RES_OPTIONS", "timeout:3 attempts:2", 0);
    watchdog_start(-1, l->connect_s); /* ends the process, if need be */
    rc = getaddrinfo(l->host, port, &wanted, list);
    if (rc == EAI_ADDRFAMILY || rc == EAI_NONAME) {
        /* A machine with no address but that of itself. */
        struct addrinfo any = { .ai_socktype = SOCK_STREAM };

        rc = getaddrinfo(l->host, port, &any, list);
    }
    (void)watchdog_stop();
    if (rc != 0)
        return failed(f, OUTCOME_NO_ANSWER, "%s: %s", l->host,
                      rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
    return 0;
}

int dial(struct stream *s, const struct login *l, struct failure *f)
{
    uint64_t begin = now_ms(), until;
    struct addrinfo *list, *a;
    uint64_t n_left = 0;

    if (resolve(l, &list, f) == -1)
        return -1;
    until = begin + (uint64_t)l->connect_s * 1000;
    for (a = list; a; a = a->ai_next)
        n_left++;
    errno = ETIMEDOUT;
    for (a = list; a && s->fd == -1; a = a->ai_next, n_left--) {
        uint64_t now = now_ms();

        /* A dead first address leaves time for the others. */
        s->fd = dial_one(a, now < until ? now + (until - now) / n_left : now);
        if (s->fd != -1)
            print_address(a, s->line.address, sizeof(s->line.address));
    }
    freeaddrinfo(list);
    if (s->fd == -1)
        return failed_sys(f, OUTCOME_NO_ANSWER, "%s port %u", l->host, l->port);
    s->line.connect_ms = (uint32_t)(now_ms() - begin);
    return 0;
}

int dial_local(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    size_t len = strlen(path);
    int fd;

    if (len >= sizeof(a.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(a.sun_path, path, len);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd != -1 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == -1) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}
