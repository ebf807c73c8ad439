/*
 * stream_try.h - a line in a process of its own, behind its walls, as the
 * courier's: what came of it, and how the process ended.
 */
#ifndef TESTS_UNIT_STREAM_TRY_H
#define TESTS_UNIT_STREAM_TRY_H

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "courier/stream.h"
#include "courier/walls.h"
#include "tests/unit/unit.h"

struct tried {
    int rc;
    struct failure f;
    struct line line;
    bool speaks;
};

struct trying {
    int wire;
    pid_t pid;
};

/* `speak` is asked when the line is open; the process stays until it is told
 * to go. */
static inline struct trying try_begin(const struct login *l,
                                      bool (*speak)(struct stream *s))
{
    struct trying t;
    struct tried out = { 0 };
    struct stream s;
    int fds[2];
    char go;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds),
                     0);
    t = (struct trying){ .wire = fds[0], .pid = fork() };
    if (t.pid != 0) {
        close(fds[1]);
        return t;
    }
    close(fds[0]);
    out.rc = stream_prepare(&s, l, &out.f);
    if (out.rc == 0)
        out.rc = walls_up(&s, fds[1], &out.f);
    if (out.rc == 0)
        out.rc = stream_open(&s, l, &out.f);
    if (out.rc == 0)
        out.speaks = speak(&s);
    out.line = s.line;
    (void)!write(fds[1], &out, sizeof(out));
    (void)!read(fds[1], &go, 1); /* somebody looks at us */
    stream_close(&s);
    _exit(0);
}

/* One that ran into its walls has said so: its last word is shown. */
static inline void try_result(struct trying *t, struct tried *result)
{
    ssize_t n = read(t->wire, result, sizeof(*result));
    int status;

    if (n == sizeof(*result))
        return;
    for (ssize_t i = 32; i < n; i++)
        print_error("%c", ((const char *)result)[i]);
    close(t->wire);
    (void)waitpid(t->pid, &status, 0);
    fail_msg("the courier ended: status %x", (unsigned)status);
}

static inline void try_end(struct trying *t)
{
    int status;

    (void)shutdown(t->wire, SHUT_RDWR); /* others may have it, too */
    close(t->wire);
    assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
    assert_int_equal(status, 0);
}

#endif
