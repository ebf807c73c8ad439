/*
 * courier_run.h - a real courier, with a real program at the other end of its
 * line, and the test as its keeper.
 */
#ifndef TESTS_UNIT_COURIER_RUN_H
#define TESTS_UNIT_COURIER_RUN_H

#include "tests/unit/tree.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "courier/wire.h"

enum { ANSWER_MS = 60000 };

/* A test, and one of a row that has a name; each with begin() and end(). */
#define COURIER_TEST(f)                                                       \
    {                                                                         \
        .name = #f, .test_func = f, .setup_func = begin, .teardown_func = end \
    }
#define COURIER_ROW(f, row)                                             \
    (struct CMUnitTest)                                                 \
    {                                                                   \
        .name = (row)->name, .test_func = (f), .setup_func = begin,     \
        .teardown_func = end, .initial_state = (void *)(uintptr_t)(row) \
    }

/* A courier, and what it said at last. */
struct courier {
    int sock;
    pid_t pid;
    size_t memory; /* address space it gets; 0: any */
    uint32_t handshake_s;
    struct wire in, out;
    /* of the last DONE or READY */
    uint64_t tag, number;
    enum outcome how;
    char text[1000];
};

static inline const char *sftp_server(void)
{
    static const char *const places[] = { "/usr/lib/openssh/sftp-server",
                                          "/usr/lib/sftp-server",
                                          "/usr/libexec/sftp-server" };

    for (size_t i = 0; i < COUNT(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

/* A program of this build: it lies two folders above the test. */
static inline const char *built(const char *name)
{
    static char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    assert_true(n > 0);
    path[n] = '\0';
    for (int i = 0; i < 3; i++)
        *strrchr(path, '/') = '\0';
    assert_true(strlen(path) + strlen(name) + 2 < sizeof(path));
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", name);
    return path;
}

static inline bool courier_hears(struct courier *c)
{
    struct pollfd fd = { .fd = c->sock, .events = POLLIN };

    return poll(&fd, 1, ANSWER_MS) == 1 && wire_receive(c->sock, &c->in) == 1;
}

/* Takes the next answer apart. false: the courier has ended. */
static inline bool courier_answers(struct courier *c)
{
    struct wire *w = &c->in;
    struct str text;

    if (!courier_hears(c))
        return false;
    c->tag = w->tag;
    if (w->kind != WIRE_DONE)
        return true;
    c->how = (enum outcome)wire_get(w);
    assert_true(c->how < N_OUTCOMES);
    text = wire_get_str(w);
    snprintf(c->text, sizeof(c->text), "%.*s", STR_ARGS(text));
    (void)wire_get_str(w);
    c->number = wire_get(w);
    assert_true(wire_is_whole(w));
    return true;
}

static inline void courier_send(struct courier *c)
{
    struct pollfd fd = { .fd = c->sock, .events = POLLOUT };
    int sent;

    while ((sent = wire_send(c->sock, &c->out)) == 0)
        assert_int_equal(poll(&fd, 1, ANSWER_MS), 1);
    assert_int_equal(sent, 1);
}

static inline void courier_fork(struct courier *c)
{
    int ends[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    c->pid = fork();
    assert_true(c->pid != -1);
    if (c->pid == 0) {
        struct rlimit memory = { c->memory, c->memory };

        if (ends[1] == WIRE_FD)
            (void)fcntl(WIRE_FD, F_SETFD, 0);
        else
            (void)dup2(ends[1], WIRE_FD);
        if (c->memory)
            (void)setrlimit(RLIMIT_AS, &memory);
        execl(built("kervan-courier"), "kervan-courier", "test", NULL);
        _exit(126);
    }
    close(ends[1]);
    c->sock = ends[0];
}

/* Starts one and says HELLO. READY or DONE is in c->in.kind. */
static inline void courier_start(struct courier *c, const char *const *through)
{
    struct login l = { .partner = "test", .transport = "" };

    l.handshake_s = c->handshake_s ? c->handshake_s : 20;
    for (size_t i = 0; through[i]; i++)
        l.through[i] = through[i];
    courier_fork(c);
    wire_begin(&c->out, WIRE_HELLO, 1);
    wire_put_login(&c->out, &l);
    courier_send(c);
    assert_true(courier_answers(c));
    assert_int_equal(c->tag, 1);
}

/* Its exit status, or -1 if it was killed, after the keeper has gone. */
static inline int courier_end(struct courier *c)
{
    int status;

    close(c->sock);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- messages ------------------------------------------------------------ */

static inline void begin_message(struct courier *c, enum wire_kind kind,
                                 uint64_t tag, const char *path)
{
    wire_begin(&c->out, kind, tag);
    wire_put_str(&c->out, str_of(path));
}

static inline void ask_path(struct courier *c, enum wire_kind kind,
                            uint64_t tag, const char *path)
{
    begin_message(c, kind, tag, path);
    courier_send(c);
}

static inline void ask_remove(struct courier *c, uint64_t tag, const char *path,
                              uint64_t size, uint64_t mtime)
{
    begin_message(c, WIRE_REMOVE, tag, path);
    wire_put(&c->out, size);
    wire_put(&c->out, mtime);
    courier_send(c);
}

static inline void ask_write(struct courier *c, uint64_t tag, const char *path,
                             int fd, uint64_t size)
{
    begin_message(c, WIRE_WRITE, tag, path);
    wire_put(&c->out, size);
    wire_put(&c->out, 0);
    c->out.fd = fd;
    courier_send(c);
}

static inline void ask_look(struct courier *c, uint64_t tag, const char *path,
                            int fd, uint64_t size)
{
    begin_message(c, WIRE_LOOK, tag, path);
    wire_put(&c->out, size);
    c->out.fd = fd;
    courier_send(c);
}

static inline void ask_fetch(struct courier *c, uint64_t tag, const char *path,
                             int fd, uint64_t size, uint64_t mtime)
{
    begin_message(c, WIRE_FETCH, tag, path);
    wire_put(&c->out, size);
    wire_put(&c->out, mtime);
    c->out.fd = fd;
    courier_send(c);
}

static inline void ask_rename(struct courier *c, uint64_t tag, const char *from,
                              const char *to, uint64_t size, unsigned flags)
{
    begin_message(c, WIRE_RENAME, tag, from);
    wire_put_str(&c->out, str_of(to));
    wire_put(&c->out, size);
    wire_put(&c->out, flags);
    courier_send(c);
}

/* The outcome of a question that is alone. LOST if the courier ended. */
static inline const char *outcome(struct courier *c)
{
    do
        if (!courier_answers(c)) {
            c->text[0] = '\0';
            return "ended";
        }
    while (c->in.kind != WIRE_DONE);
    return outcome_names[c->how];
}

/* A file in memory with this text. */
static inline int memory_file(struct str text)
{
    int fd = memfd_create("ours", MFD_CLOEXEC);

    assert_true(fd != -1);
    assert_int_equal(write(fd, text.p, text.len), text.len);
    return fd;
}

#endif
