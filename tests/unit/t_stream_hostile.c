/*
 * t_stream_hostile.c - servers that never come to an end: each step of a line
 * has its limit, whatever the library would do.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "courier/watchdog.h"
#include "tests/unit/stream_try.h"

/* ---- servers ------------------------------------------------------------- */

#define BANNER "SSH-2.0-OpenSSH_9.2p1\r\n"

static void say(int fd, const void *bytes, size_t len)
{
    if (send(fd, bytes, len, MSG_NOSIGNAL) < 0)
        _exit(0);
}

static void be_mute(int fd)
{
    char byte;

    while (read(fd, &byte, 1) > 0)
        ;
}

static void greet_and_be_mute(int fd)
{
    say(fd, BANNER, strlen(BANNER));
    be_mute(fd);
}

static void say_lines_for_ever(int fd)
{
    static char lines[8192];

    for (size_t i = 0; i < sizeof(lines); i++)
        lines[i] = "wait a moment\r\n"[i % 15];
    for (;;)
        say(fd, lines, sizeof(lines));
}

static void say_a_line_for_ever(int fd)
{
    static char line[8192];

    memset(line, 'x', sizeof(line));
    for (;;)
        say(fd, line, sizeof(line));
}

static void drip(int fd, const char *bytes, size_t len)
{
    for (size_t i = 0;; i = (i + 1) % len) {
        say(fd, bytes + i, 1);
        (void)usleep(50000);
    }
}

static void drip_banner(int fd)
{
    drip(fd, "wait\r\n", 6);
}

/* A packet of 32 KB is announced and comes a byte at a time. */
static void drip_packet(int fd)
{
    static const char packet[] = "\0\0\200\0\4\24";

    say(fd, BANNER, strlen(BANNER));
    say(fd, packet, 6);
    drip(fd, "x", 1);
}

static void announce_4_gb(int fd)
{
    say(fd, BANNER, strlen(BANNER));
    say(fd, "\377\377\377\377\4\24", 6);
    be_mute(fd);
}

static void say_nonsense(int fd)
{
    static char noise[65536];

    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)(i * 7919 >> 3);
    say(fd, BANNER, strlen(BANNER));
    for (;;)
        say(fd, noise, sizeof(noise));
}

/* Messages that may be ignored, without end, instead of the handshake. */
static void say_ignore_for_ever(int fd)
{
    static char packets[16 * 256];

    for (size_t i = 0; i < sizeof(packets); i += 16)
        memcpy(packets + i, "\0\0\0\014\6\2\0\0\0\1x\0\0\0\0\0", 16);
    say(fd, BANNER, strlen(BANNER));
    for (;;)
        say(fd, packets, sizeof(packets));
}

static void hang_up(int fd)
{
    shutdown(fd, SHUT_RDWR);
}

static void greet_and_hang_up(int fd)
{
    say(fd, BANNER, strlen(BANNER));
    shutdown(fd, SHUT_RDWR);
}

static void speak_http(int fd)
{
    static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

    say(fd, text, strlen(text));
    shutdown(fd, SHUT_WR);
    be_mute(fd);
}

static void speak_ssh_1(int fd)
{
    say(fd, "SSH-1.5-old\r\n", 13);
    be_mute(fd);
}

struct row {
    const char *name;
    void (*serve)(int fd);
    const char *says;
};

#define LIMIT "did not finish the handshake within 1 s"
static struct row rows[] = {
    { "mute", be_mute, LIMIT },
    { "mute after its banner", greet_and_be_mute, LIMIT },
    { "endless banner of lines", say_lines_for_ever, "" },
    { "endless banner in a line", say_a_line_for_ever, "" },
    { "dripping banner", drip_banner, LIMIT },
    { "dripping packet", drip_packet, LIMIT },
    { "4 GB announced", announce_4_gb, "" },
    { "nonsense", say_nonsense, "" },
    { "ignore, for ever", say_ignore_for_ever, "" },
    { "hangs up", hang_up, "" },
    { "greets and hangs up", greet_and_hang_up, "" },
    { "another protocol", speak_http, "" },
    { "version 1", speak_ssh_1, "" },
};

/* ---- a try --------------------------------------------------------------- */

/* For each connection a process; all end with us. */
static pid_t start(void (*serve)(int fd), uint32_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t pid;

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, serve ? 10 : 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!serve)
            (void)pause(); /* nobody accepts */
        serve(accept(fd, NULL, NULL));
        _exit(0);
    }
    close(fd);
    return pid;
}

static char password[] = "/tmp/t_stream_hostile-XXXXXX";

static struct login login(const char *transport, uint32_t port)
{
    return (struct login){ .partner = "p",
                           .transport = transport,
                           .host = "127.0.0.1",
                           .port = port,
                           .user = "u",
                           .password = password,
                           .connect_s = 1,
                           .handshake_s = 1,
                           .login_s = 1 };
}

static uint64_t now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool never(struct stream *s)
{
    (void)s;
    return false;
}

static void try_both(const struct row *r, enum outcome want)
{
    static const char *const transports[] = { "libssh2", "libssh" };
    pid_t servers[COUNT(transports)];
    struct trying t[COUNT(transports)];
    uint64_t begin = now();

    for (size_t i = 0; i < COUNT(transports); i++) {
        uint32_t port;
        struct login l;

        servers[i] = start(r->serve, &port);
        l = login(transports[i], port);
        t[i] = try_begin(&l, never);
    }
    for (size_t i = 0; i < COUNT(transports); i++) {
        struct tried result;

        try_result(&t[i], &result);
        try_end(&t[i]);
        (void)kill(servers[i], SIGKILL);
        (void)waitpid(servers[i], NULL, 0);
        assert_int_equal(result.rc, -1);
        if (result.f.how != want || !strstr(result.f.text, r->says))
            print_error("%s: %s\n", transports[i], result.f.text);
        assert_int_equal(result.f.how, want);
        assert_true(strstr(result.f.text, r->says));
    }
    assert_true(now() - begin < 4000);
}

static void test_row(void **state)
{
    try_both(*state, OUTCOME_NO_ANSWER);
}

static void test_nobody_listens(void **state)
{
    struct login l = login("libssh2", 1);
    struct trying t = try_begin(&l, never);
    struct tried result;

    (void)state;
    try_result(&t, &result);
    try_end(&t);
    assert_int_equal(result.f.how, OUTCOME_NO_ANSWER);
    assert_non_null(strstr(result.f.text, "127.0.0.1 port 1: Connection refu"));
}

/* The kernel drops what does not fit into the queue of a full server. */
static void test_nobody_accepts(void **state)
{
    uint32_t port;
    pid_t server = start(NULL, &port);
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct login l = login("libssh", port);
    uint64_t begin = now();
    struct tried result;
    struct trying t;
    int fds[8];

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fds[i], (struct sockaddr *)&a, sizeof(a));
    }
    t = try_begin(&l, never);
    try_result(&t, &result);
    try_end(&t);
    for (size_t i = 0; i < COUNT(fds); i++)
        close(fds[i]);
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    assert_int_equal(result.f.how, OUTCOME_NO_ANSWER);
    assert_non_null(strstr(result.f.text, "timed out"));
    assert_in_range(now() - begin, 900, 3000);
}

static void test_no_such_host(void **state)
{
    struct login l = login("libssh2", 22);
    struct tried result;
    struct trying t;

    (void)state;
    l.host = "no such host";
    t = try_begin(&l, never);
    try_result(&t, &result);
    try_end(&t);
    assert_int_equal(result.f.how, OUTCOME_NO_ANSWER);
    assert_non_null(strstr(result.f.text, "no such host: "));
}

/* ---- the watchdog alone -------------------------------------------------- */

static void test_bark(void **state)
{
    int fds[2];
    char byte;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    watchdog_start(fds[0], 1);
    assert_int_equal(read(fds[0], &byte, 1), 0);
    assert_true(watchdog_stop());
    watchdog_start(fds[0], 100);
    assert_false(watchdog_stop());
    close(fds[0]);
    close(fds[1]);
}

/* What does not come back even then takes the process with it. */
static void test_stuck(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        watchdog_start(-1, 100);
        (void)raise(SIGALRM);
        (void)raise(SIGALRM);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), WATCHDOG_STUCK);
}

static int make_password(void **state)
{
    int fd = mkstemp(password);

    (void)state;
    return fd == -1 || write(fd, "swordfish\n", 10) != 10 ? -1 : close(fd);
}

static int drop_password(void **state)
{
    (void)state;
    return unlink(password);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_nobody_accepts),
        cmocka_unit_test(test_no_such_host),
        cmocka_unit_test(test_bark),
        cmocka_unit_test(test_stuck),
    };
    static struct CMUnitTest tests[COUNT(others) + COUNT(rows)];

    memcpy(tests, others, sizeof(others));
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[COUNT(others) + i] = (struct CMUnitTest)ROW(test_row, &rows[i]);
    return cmocka_run_group_tests_name("stream_hostile", tests, make_password,
                                       drop_password);
}
