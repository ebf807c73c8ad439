/*
 * main.c - the courier: the process that speaks to one partner's server.
 *
 *   kervan-courier NAME        started by the keeper, who talks on WIRE_FD;
 *                              NAME is only for ps
 *
 *   HELLO --> prepare (files, names, sockets) --> the walls go up --> open
 *         (host key, login) --> SFTP --> READY --> serves until one end closes
 *
 * One line, one process: when the line is lost, or the keeper is, it ends. Why
 * the line was lost is told in a DONE with tag 0; who had asked for something
 * is answered by the end of the socket. Without a line HELLO is answered with
 * DONE, and the process ends, too.
 *
 * Everything has its limit: messages that wait (task.h), bytes that wait
 * (sftp.h, task.h), time (sftp.h; the login's own are the stream's).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "converters/base/mem.h"
#include "courier/task.h"
#include "courier/walls.h"

enum {
    HELLO_MS = 30000,
    LAST_WORDS_MS = 5000,
    DEFAULT_HANDSHAKE_S = 30,
    SECOND = 1000
};

/* How much is done of one thing before the others have their turn. */
enum { MESSAGES_OF_TURN = 64, READS_OF_TURN = 16 };

static struct wire hello, message;
static struct stream stream;
static struct sftp sftp;
static struct tasks tasks;
static struct answers answers;

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- HELLO, READY -------------------------------------------------------- */

static int take_hello(struct login *l)
{
    struct pollfd fd = { .fd = WIRE_FD, .events = POLLIN };
    int taken;

    if (poll(&fd, 1, HELLO_MS) != 1)
        return -1;
    taken = wire_receive(WIRE_FD, &hello);
    if (taken == 1 && hello.fd != -1)
        close(hello.fd);
    return taken == 1 && hello.kind == WIRE_HELLO ? wire_get_login(&hello, l)
                                                  : -1;
}

static void say_done(uint64_t tag, const struct failure *f)
{
    struct wire *w = &message;

    wire_begin(w, WIRE_DONE, tag);
    wire_put(w, f->how);
    wire_put_str(w, str_of(f->text));
    wire_put_str(w, str_of(f->fingerprint));
    wire_put(w, 0);
    answers_put(&answers, w);
}

static void say_ready(void)
{
    const struct line *line = &stream.line;
    const char *const words[] = { line->transport, line->why,
                                  line->server,    line->address,
                                  line->host_key,  line->algorithms };
    struct wire *w = &message;
    char extensions[160];
    size_t len = version_text(&sftp.version, extensions, sizeof(extensions));

    wire_begin(w, WIRE_READY, hello.tag);
    for (size_t i = 0; i < COUNT(words); i++)
        wire_put_str(w, str_of(words[i]));
    wire_put_str(w, (struct str){ extensions, len });
    wire_put(w, line->connect_ms);
    wire_put(w, line->handshake_ms);
    wire_put(w, line->login_ms);
    wire_put(w, line->open_ms);
    answers_put(&answers, w);
}

/* ---- turns --------------------------------------------------------------- */

/* -1: the keeper is gone, or does not speak our language. */
static int take_messages(void)
{
    for (int i = 0; i < MESSAGES_OF_TURN && tasks_have_room(&tasks); i++) {
        int taken = wire_receive(WIRE_FD, &message);

        if (taken != 1)
            return taken;
        if (tasks_take(&tasks, &message) == -1)
            return -1;
    }
    return 0;
}

/* What the line brought, what there is to ask, what the line takes: as long as
 * one of them goes on. true: there may be more at once. */
static bool turn(void)
{
    bool more = true;

    sftp_clock(&sftp, now_ms());
    /* First: a keeper who caught up makes room for more to be asked. */
    answers_send(&answers);
    for (int i = 0; more && i < READS_OF_TURN; i++) {
        more = sftp_receive(&sftp);
        if (!more)
            sftp_check_time(&sftp);
        if (sftp.is_ready)
            (void)tasks_ask(&tasks);
        while (sftp_send(&sftp) && sftp.is_ready && tasks_ask(&tasks))
            ;
    }
    return more;
}

/* Waits until something can be done. -1: the keeper is gone. */
static int wait_for_work(bool at_once)
{
    enum { WIRE, LINE, N };
    bool listens = sftp.is_ready && tasks_have_room(&tasks);
    struct pollfd fds[N] = {
        [WIRE] = { .fd = WIRE_FD,
                   .events = (short)((listens ? POLLIN : 0) |
                                     (answers_wait(&answers) ? POLLOUT : 0)) },
        [LINE] = { .fd = stream.fd, .events = sftp_events(&sftp) },
    };

    if (poll(fds, N, at_once ? 0 : sftp_timeout_ms(&sftp)) == -1 &&
        errno != EINTR)
        return -1;
    if (fds[WIRE].revents & (POLLHUP | POLLERR | POLLNVAL) || answers.is_gone)
        return -1;
    return listens && fds[WIRE].revents & POLLIN ? take_messages() : 0;
}

/* Until the session is ready, or lost. -1: the keeper is gone. */
static int begin_session(const struct login *l)
{
    uint64_t begun = now_ms();
    uint32_t limit_s = l->handshake_s ? l->handshake_s : DEFAULT_HANDSHAKE_S;

    sftp_begin(&sftp, &stream, begun, tasks_on_reply);
    for (;;) {
        bool more = turn();

        if (sftp.is_ready || sftp.is_lost)
            break;
        if (now_ms() - begun >= (uint64_t)limit_s * SECOND)
            sftp_lose(&sftp, "the server took %u s and did not begin with SFTP",
                      limit_s);
        else if (wait_for_work(more) == -1)
            return -1;
    }
    if (l->rate)
        sftp.slowest = l->rate < UINT32_MAX ? (uint32_t)l->rate : UINT32_MAX;
    if (l->operation_s)
        sftp.mute_s = l->operation_s;
    stream.line.open_ms += (uint32_t)(now_ms() - begun);
    return 0;
}

static void serve(void)
{
    for (;;) {
        bool more = turn();

        if (sftp.is_lost) {
            say_done(0, &sftp.lost);
            return;
        }
        if (wait_for_work(more) == -1)
            return;
    }
}

static void run(const struct login *l)
{
    struct failure f = { 0 };

    /* The walls stand before a byte of the server is read. */
    if (stream_prepare(&stream, l, &f) == -1 ||
        walls_up(&stream, WIRE_FD, &f) == -1 ||
        stream_open(&stream, l, &f) == -1) {
        say_done(hello.tag, &f);
        return;
    }
    if (begin_session(l) == -1)
        return;
    if (sftp.is_lost) {
        sftp.lost.how = OUTCOME_NO_ANSWER; /* nothing was asked for yet */
        say_done(hello.tag, &sftp.lost);
        return;
    }
    say_ready();
    serve();
}

/* What was done is told, even when the line was lost after it. */
static void tell_the_rest(void)
{
    struct pollfd fd = { .fd = WIRE_FD, .events = POLLOUT };
    uint64_t until = now_ms() + LAST_WORDS_MS;

    while (answers_wait(&answers) && !answers.is_gone && now_ms() < until &&
           poll(&fd, 1, SECOND) != -1 && !(fd.revents & POLLHUP))
        answers_send(&answers);
}

#define BY_HAND \
    "kervan-courier is started by kervan; try kervan partner test NAME\n"

/* Secrets are read before the walls stand: no core may have them, and nobody
 * looks into this process. */
static int hide(void)
{
    const struct rlimit none = { 0, 0 };

    return setrlimit(RLIMIT_CORE, &none) == 0 &&
                   prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
               ? 0
               : -1;
}

int main(void)
{
    struct login l;

    (void)signal(SIGPIPE, SIG_IGN);
    if (fcntl(WIRE_FD, F_GETFD) == -1) {
        (void)!write(STDERR_FILENO, BY_HAND, strlen(BY_HAND));
        return 2;
    }
    if (hide() == -1)
        return 2;
    answers_init(&answers, WIRE_FD);
    tasks_init(&tasks, &sftp, &answers);
    if (take_hello(&l) == -1)
        return 2;
    run(&l);
    tell_the_rest();
    tasks_close(&tasks);
    stream_close(&stream);
    return 0;
}
