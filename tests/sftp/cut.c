/*
 * cut.c - a line to an SFTP server that breaks where a test wants it to.
 *
 *   cut PLAN SERVER ARGUMENT ...   relays between its standard input and output
 *                                  and a server that it starts: a partner's
 *                                  `through`
 *   cut -t FILE PORT PLAN          relays connections to 127.0.0.1:PORT; writes
 *                                  the port that it listens on into FILE
 *
 * PLAN is read at every start of a line. Without such a file all is passed; a
 * line of it is
 *
 *   strike DIRECTION BYTES HOW     after so many bytes `up` (to the server) or
 *                                  `down` (from it)
 *   take FOLDER TAKEN [ENDING]     a receiver looks into FOLDER before each
 *                                  answer of the server is passed, and moves
 *                                  what he sees to TAKEN; with an ending, only
 *                                  files that have a trigger file
 *
 * HOW is
 *   cut       no byte more in either direction; but answers to what went up
 *             before a cut of that direction still come down
 *   courier   killed, then cut
 *   keeper    killed, then cut
 *   stall     the line stays open, and nothing passes any more
 *   refuse    there is no server at all
 *
 * What was sent before the cut is passed, the server finishes and ends, and
 * only then we do: so a run is determined, and nothing goes on behind it.
 * PLAN.seen tells how many bytes passed, and whether the line was struck.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_S = 300, PATH_SIZE = 512 };

enum how { CUT, COURIER, KEEPER, STALL, REFUSE, N_HOW };
static const char *const hows[N_HOW] = { "cut", "courier", "keeper", "stall",
                                         "refuse" };

/* Bytes on their way in one direction. */
struct way {
    int from, to;
    uint64_t passed, limit; /* at the limit the line is struck */
    bool is_over;           /* nothing more is read */
    bool is_dropped;        /* what is read goes nowhere */
    size_t at, len;
    unsigned char bytes[64 * 1024];
};

static struct way up, down;
static enum how how;
static bool is_struck, is_last; /* what has come up by now is passed */
static char folder[PATH_SIZE], taken[PATH_SIZE], ending[32];
static const char *plan;

static void die(const char *what)
{
    fprintf(stderr, "cut: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- the plan ------------------------------------------------------------ */

static void read_strike(const char *line)
{
    char direction[8], word[16];
    unsigned long long bytes;

    if (sscanf(line, "strike %7s %llu %15s", direction, &bytes, word) != 3)
        return;
    for (how = CUT; how < N_HOW - 1 && strcmp(word, hows[how]) != 0; how++)
        ;
    (strcmp(direction, "up") == 0 ? &up : &down)->limit = bytes;
}

static void read_plan(void)
{
    char line[2048];
    FILE *in = fopen(plan, "r");

    up.limit = down.limit = UINT64_MAX;
    while (in && fgets(line, sizeof(line), in)) {
        read_strike(line);
        (void)sscanf(line, "take %511s %511s %31s", folder, taken, ending);
    }
    if (in)
        (void)fclose(in);
}

static void tell_seen(void)
{
    char path[PATH_SIZE + 8];
    FILE *out;

    snprintf(path, sizeof(path), "%s.seen", plan);
    out = fopen(path, "w");
    if (!out)
        die(path);
    fprintf(out, "%llu %llu %d\n", (unsigned long long)up.passed,
            (unsigned long long)down.passed, is_struck);
    (void)fclose(out);
}

/* ---- the receiver -------------------------------------------------------- */

static void take_file(int from, int to, const char *name)
{
    char as[PATH_SIZE + 64];
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    snprintf(as, sizeof(as), "%012lld%09ld %s", (long long)t.tv_sec, t.tv_nsec,
             name);
    if (renameat(from, name, to, as) == -1 && errno != ENOENT)
        die(as);
}

/* A file that he is to see; what begins with a dot is none. */
static bool is_for_him(int from, const char *name)
{
    char signal_name[PATH_SIZE];
    size_t len = strlen(name), end = strlen(ending);

    if (name[0] == '.')
        return false;
    if (!end)
        return true;
    if (len > end && strcmp(name + len - end, ending) == 0)
        return false; /* it goes with its file */
    snprintf(signal_name, sizeof(signal_name), "%s%s", name, ending);
    return faccessat(from, signal_name, F_OK, 0) == 0;
}

static void take_files(void)
{
    DIR *d = *folder ? opendir(folder) : NULL;
    const struct dirent *x;
    int to;

    if (!d)
        return;
    to = open(taken, O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (to != -1 && (x = readdir(d))) {
        char signal_name[PATH_SIZE];

        if (!is_for_him(dirfd(d), x->d_name))
            continue;
        take_file(dirfd(d), to, x->d_name);
        snprintf(signal_name, sizeof(signal_name), "%s%s", x->d_name, ending);
        if (*ending)
            take_file(dirfd(d), to, signal_name);
    }
    if (to != -1)
        close(to);
    closedir(d);
}

/* ---- striking ------------------------------------------------------------ */

/* The keeper is the parent of the courier, who is ours. */
static pid_t keeper_of(pid_t courier)
{
    char path[64];
    int keeper = 0;
    FILE *in;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)courier);
    in = fopen(path, "r");
    if (!in || fscanf(in, "%*d (%*[^)]) %*c %d", &keeper) != 1 || keeper < 2)
        die(path);
    (void)fclose(in);
    return keeper;
}

/* Whoever speaks at the other end loses patience. */
static void wait_until_gone(int fd)
{
    struct pollfd gone = { fd, POLLRDHUP, 0 };

    while (poll(&gone, 1, -1) == -1 && errno == EINTR)
        ;
}

static void strike(bool is_up)
{
    is_struck = true;
    if (how == STALL)
        wait_until_gone(up.from);
    if (how == COURIER)
        (void)kill(getppid(), SIGKILL);
    if (how == KEEPER)
        (void)kill(keeper_of(getppid()), SIGKILL);
    if (is_up)
        up.is_over = true;
    is_last = true;
    down.is_dropped = !is_up || how != CUT;
}

/* ---- relaying ------------------------------------------------------------ */

static bool wants_input(const struct way *w)
{
    return !w->is_over && w->at == w->len;
}

static void take_in(struct way *w)
{
    uint64_t room = w->is_dropped ? sizeof(w->bytes) : w->limit - w->passed;
    ssize_t n;

    if (room > sizeof(w->bytes))
        room = sizeof(w->bytes);
    n = read(w->from, w->bytes, room);
    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    w->is_over = n <= 0;
    w->at = 0;
    w->len = n > 0 && !w->is_dropped ? (size_t)n : 0;
}

static void give_out(struct way *w)
{
    ssize_t n = write(w->to, w->bytes + w->at, w->len - w->at);

    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n == -1) { /* nobody listens there any more */
        w->is_dropped = true;
        w->at = w->len = 0;
        return;
    }
    w->at += (size_t)n;
    w->passed += (uint64_t)n;
}

/* Nothing goes up any more: the server sees its end of file. */
static void close_up(int server)
{
    static bool is_closed;

    if (up.is_over && up.at == up.len && !is_closed) {
        is_closed = true;
        (void)shutdown(server, SHUT_WR);
    }
}

static void relay(int in, int out, int server)
{
    enum { IN, OUT, SERVER, N };

    up.from = in;
    up.to = down.from = server;
    down.to = out;
    for (int i = 0; i < N; i++)
        (void)fcntl(i == IN    ? in
                    : i == OUT ? out
                               : server,
                    F_SETFL, O_NONBLOCK);
    while (!down.is_over || down.at < down.len) {
        struct pollfd fds[N] = {
            [IN] = { wants_input(&up) ? in : -1, POLLIN, 0 },
            [OUT] = { down.at < down.len ? out : -1, POLLOUT, 0 },
            [SERVER] = { server, 0, 0 },
        };

        if (!is_struck && up.passed >= up.limit)
            strike(true);
        if (!is_struck && down.passed >= down.limit)
            strike(false);
        if (up.is_over)
            fds[IN].fd = -1;
        close_up(server);
        fds[SERVER].events = (short)((wants_input(&down) ? POLLIN : 0) |
                                     (up.at < up.len ? POLLOUT : 0));
        if (poll(fds, N, is_last && !up.is_over ? 0 : -1) == -1 &&
            errno != EINTR)
            die("poll");
        if (fds[IN].revents)
            take_in(&up);
        else if (is_last && up.at == up.len)
            up.is_over = true;
        if (up.at < up.len &&
            fds[SERVER].revents & (POLLOUT | POLLERR | POLLHUP))
            give_out(&up);
        if (wants_input(&down) && fds[SERVER].revents) {
            take_in(&down);
            take_files();
        }
        if (down.at < down.len && fds[OUT].revents)
            give_out(&down);
    }
}

/* ---- a server that we start ---------------------------------------------- */

static int start_server(char **words, pid_t *pid)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
        die("socketpair");
    *pid = fork();
    if (*pid == 0) {
        (void)dup2(ends[1], STDIN_FILENO);
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execv(words[0], words);
        _exit(127);
    }
    close(ends[1]);
    return ends[0];
}

static int run_through(char **words)
{
    pid_t pid;
    int server;

    (void)prctl(PR_SET_PDEATHSIG, 0); /* the server finishes first */
    read_plan();
    if (how == REFUSE)
        return 1;
    server = start_server(words, &pid);
    relay(STDIN_FILENO, STDOUT_FILENO, server);
    (void)waitpid(pid, NULL, 0);
    take_files();
    tell_seen();
    return 0;
}

/* ---- a server on a port -------------------------------------------------- */

static int on_loopback(uint16_t port, bool listens)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (s == -1 ||
        (listens ? bind(s, (struct sockaddr *)&a, sizeof(a)) == -1 ||
                       listen(s, 16) == -1
                 : connect(s, (struct sockaddr *)&a, sizeof(a)) == -1))
        die("a socket");
    return s;
}

static void tell_port(const char *path, int listener)
{
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    FILE *out = fopen(path, "w");

    if (!out || getsockname(listener, (struct sockaddr *)&a, &len) == -1)
        die(path);
    fprintf(out, "%d\n", ntohs(a.sin_port));
    (void)fclose(out);
}

static void run_proxy(const char *file, const char *port)
{
    int listener = on_loopback(0, true);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGCHLD, SIG_IGN);
    tell_port(file, listener);
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (client == -1)
            die("accept");
        if (fork() == 0) {
            (void)alarm(LONGEST_S);
            read_plan();
            if (how == REFUSE)
                _exit(1);
            relay(client, client,
                  on_loopback((uint16_t)strtoul(port, NULL, 10), false));
            take_files();
            tell_seen();
            _exit(0);
        }
        close(client);
    }
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc == 5 && strcmp(argv[1], "-t") == 0) {
        plan = argv[4];
        run_proxy(argv[2], argv[3]);
    }
    if (argc < 3) {
        fprintf(stderr, "usage: cut PLAN SERVER ARGUMENT ...\n"
                        "       cut -t FILE PORT PLAN\n");
        return 2;
    }
    (void)alarm(LONGEST_S);
    plan = argv[1];
    return run_through(argv + 2);
}
