/*
 * carry.c - files to and from an SFTP server by a courier, for the benchmarks.
 *
 *   carry PORT USER KEY KNOWN_HOSTS up FILE REMOTE
 *   carry PORT USER KEY KNOWN_HOSTS down REMOTE FILE
 *   carry PORT USER KEY KNOWN_HOSTS small N BYTES FOLDER
 *
 * Asks it as the keeper does, without ledger and spool. `small` writes N files
 * under temporary names, 64 at a time, then renames them, as ship.c does.
 * Prints the seconds, with and without connecting.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "spool/couriers.h"

enum { TOGETHER = 64 };

static struct courier *courier;

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what, const struct failure *f)
{
    fprintf(stderr, "carry: %s: %s\n", what, f ? f->text : "");
    exit(1);
}

static void connect_to(char **argv)
{
    struct remote remote = { 0 };
    struct partner p = { .name = STR("bench"), .remote = &remote };
    struct login *l = &remote.login;
    struct failure f;
    struct line line;
    uint64_t port;

    if (!str_to_uint(str_of(argv[1]), 65535, &port))
        die("port", NULL);
    *l = (struct login){ .partner = "bench",
                         .transport = getenv("CARRY_TRANSPORT"),
                         .host = "127.0.0.1",
                         .port = (uint32_t)port,
                         .user = argv[2],
                         .key = argv[3],
                         .known_hosts = argv[4],
                         .connect_s = 15,
                         .handshake_s = 30,
                         .login_s = 30 };
    if (!l->transport)
        l->transport = "";
    if (courier_open(&courier, &p, &line, &f) == -1)
        die("connect", &f);
    fprintf(stderr, "%s; %s\n", line.transport, line.algorithms);
}

static void ask(struct wire *w, const char *what)
{
    struct failure f;

    if (courier_ask(courier, w, NULL, NULL, &f) == -1)
        die(what, &f);
}

static void up(const char *file, const char *remote)
{
    static struct wire w;
    struct stat st;
    int fd = open(file, O_RDONLY);

    if (fd == -1 || fstat(fd, &st) == -1)
        die(file, NULL);
    courier_begin(courier, &w, WIRE_WRITE);
    wire_put_str(&w, str_of(remote));
    wire_put(&w, (uint64_t)st.st_size);
    wire_put(&w, 0);
    w.fd = fd;
    ask(&w, "write");
}

static void down(const char *remote, const char *file)
{
    static struct wire w;
    int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);

    courier_begin(courier, &w, WIRE_FETCH);
    wire_put_str(&w, str_of(remote));
    wire_put(&w, UINT64_MAX);
    wire_put(&w, UINT64_MAX);
    w.fd = fd;
    ask(&w, "fetch");
}

/* ---- many small ones ----------------------------------------------------- */

static void wait_all(struct errand *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while (!x[i].is_done)
            if (courier_turn(courier) == -1)
                die("the line", NULL);
        if (x[i].f.how != OUTCOME_OK)
            die("a small file", &x[i].f);
    }
}

static void small(uint64_t n, uint64_t bytes, const char *folder)
{
    static struct errand x[TOGETHER];
    static struct wire w;
    char a[300], b[300];
    int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

    if (fd == -1 || ftruncate(fd, (off_t)bytes) == -1)
        die("a file", NULL);
    for (uint64_t at = 0; at < n; at += TOGETHER) {
        size_t m = n - at < TOGETHER ? n - at : TOGETHER;

        for (size_t i = 0; i < m; i++) {
            snprintf(a, sizeof(a), "%s/.k%llu.part", folder,
                     (unsigned long long)(at + i));
            courier_begin(courier, &w, WIRE_WRITE);
            wire_put_str(&w, str_of(a));
            wire_put(&w, bytes);
            wire_put(&w, 0);
            w.fd = fd;
            x[i] = (struct errand){ 0 };
            courier_send(courier, &w, &x[i], bytes);
        }
        wait_all(x, m);
        for (size_t i = 0; i < m; i++) {
            snprintf(a, sizeof(a), "%s/.k%llu.part", folder,
                     (unsigned long long)(at + i));
            snprintf(b, sizeof(b), "%s/%llu.xml", folder,
                     (unsigned long long)(at + i));
            courier_begin(courier, &w, WIRE_RENAME);
            wire_put_str(&w, str_of(a));
            wire_put_str(&w, str_of(b));
            wire_put(&w, bytes);
            wire_put(&w, 0);
            x[i] = (struct errand){ 0 };
            courier_send(courier, &w, &x[i], 0);
        }
        wait_all(x, m);
    }
}

int main(int argc, char **argv)
{
    int64_t begun = now_us(), connected, end;
    uint64_t n, bytes;

    if (argc < 8)
        return 2;
    connect_to(argv);
    connected = now_us();
    if (strcmp(argv[5], "up") == 0)
        up(argv[6], argv[7]);
    else if (strcmp(argv[5], "down") == 0)
        down(argv[6], argv[7]);
    else if (str_to_uint(str_of(argv[6]), 1000000, &n) &&
             str_to_uint(str_of(argv[7]), 1000000, &bytes) && argc == 9)
        small(n, bytes, argv[8]);
    else
        return 2;
    end = now_us();
    courier_close(courier);
    printf("%lld.%06lld %lld.%06lld\n", (long long)(end - begun) / 1000000,
           (long long)(end - begun) % 1000000,
           (long long)(end - connected) / 1000000,
           (long long)(end - connected) % 1000000);
    return 0;
}
