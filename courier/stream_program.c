/*
 * stream_program.c - a line through a program that speaks SFTP on its standard
 * input and output, such as sftp-server, or an ssh of the operator's.
 *
 * It is started without a shell, on one end of a socket pair, and ends with us:
 * by the end of its input, by a signal when we close the line, and by the
 * kernel when we die. What it says on its standard error nobody reads.
 */
#include "courier/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: what goes wrong is told through `tell`, which closes itself
 * when the program starts. */
static void become(const struct login *l, int end, int tell, pid_t parent)
{
    char *words[MAX_THROUGH];
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int error;
    sigset_t none;

    for (size_t i = 0; i < MAX_THROUGH; i++)
        words[i] = (char *)(uintptr_t)l->through[i];
    words[MAX_THROUGH - 1] = NULL;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    errno = 0;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
        nowhere != -1 && dup2(end, STDIN_FILENO) != -1 &&
        dup2(end, STDOUT_FILENO) != -1 && dup2(nowhere, STDERR_FILENO) != -1 &&
        close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
        execvp(words[0], words);
    error = errno;
    (void)!write(tell, &error, sizeof(error));
    _exit(127);
}

static int start(const struct login *l, int ends[2], int tell[2],
                 struct failure *f)
{
    pid_t us = getpid(), program = fork();
    int error = 0;

    if (program == 0)
        become(l, ends[1], tell[1], us);
    close(ends[1]);
    close(tell[1]);
    if (program == -1)
        return failed_sys(f, OUTCOME_NO_ANSWER, "fork");
    if (read(tell[0], &error, sizeof(error)) > 0) {
        (void)waitpid(program, NULL, 0);
        errno = error;
        return failed_sys(f, OUTCOME_SETUP, "%s does not start", l->through[0]);
    }
    return 0;
}

static int program_prepare(struct stream *s, const struct login *l,
                           struct failure *f)
{
    int ends[2], tell[2], started;

    s->fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
        return failed_sys(f, OUTCOME_NO_ANSWER, "socketpair");
    if (pipe2(tell, O_CLOEXEC) == -1) {
        failed_sys(f, OUTCOME_NO_ANSWER, "pipe");
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    started = start(l, ends, tell, f);
    close(tell[0]);
    /* Ours alone: the program may wait for its input. */
    if (started == -1 || fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1) {
        close(ends[0]);
        return -1;
    }
    s->fd = ends[0];
    return 0;
}

static int program_open(struct stream *s, const struct login *l,
                        struct failure *f)
{
    (void)f;
    snprintf(s->line.transport, sizeof(s->line.transport), "program");
    snprintf(s->line.why, sizeof(s->line.why), "through %s", l->through[0]);
    return 0;
}

static ssize_t program_read(struct stream *s, void *buf, size_t len)
{
    ssize_t n = recv(s->fd, buf, len, 0);

    /* It ended and had not read all: an end like any other. */
    return n == -1 && errno == ECONNRESET ? 0 : n;
}

static ssize_t program_write(struct stream *s, const void *buf, size_t len)
{
    return send(s->fd, buf, len, MSG_NOSIGNAL);
}

static short program_events(const struct stream *s, bool wants_write)
{
    (void)s;
    return wants_write ? POLLIN | POLLOUT : POLLIN;
}

static void program_close(struct stream *s)
{
    if (s->fd != -1)
        close(s->fd);
    s->fd = -1; /* its end of input; and it ends with us in any case */
}

const struct stream_kind stream_program = {
    .name = "program",
    .prepare = program_prepare,
    .open = program_open,
    .read = program_read,
    .write = program_write,
    .events = program_events,
    .close = program_close,
};
