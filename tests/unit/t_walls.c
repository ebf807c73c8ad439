/*
 * t_walls.c - what the courier can and cannot do behind its walls. The walls
 * themselves are in t_jail.c: here is what is more than there, and that no
 * more is.
 */
#include "tests/unit/tree.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "courier/walls.h"
#include "courier/watchdog.h"
#include "courier/wire.h"
#include "spool/jail.h"

static int wire_fd; /* the courier's end */
static struct stream line;
static char path[100];

/* ---- what is tried ------------------------------------------------------- */

static int open_a_file(void)
{
    return open(path, O_RDONLY) == -1;
}

static int make_a_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) == -1;
}

static int start_a_process(void)
{
    return fork() == -1;
}

static int start_a_program(void)
{
    return execl("/bin/true", "true", (char *)NULL);
}

static int connect_elsewhere(void)
{
    const struct sockaddr s = { .sa_family = AF_UNSPEC };

    return connect(line.fd, &s, sizeof(s));
}

static int change_a_handler(void)
{
    return signal(SIGSYS, SIG_DFL) == SIG_ERR;
}

static int remove_a_file(void)
{
    return unlink(path);
}

static int look_for_a_file(void)
{
    struct stat st;

    return stat(path, &st);
}

static int send_a_signal(void)
{
    return kill(getppid(), 0);
}

static int make_code(void)
{
    return mprotect(path, 1, PROT_READ | PROT_EXEC);
}

static int copy_a_descriptor(void)
{
    return fcntl(line.fd, F_DUPFD, 100);
}

struct attempt {
    const char *name;
    int (*act)(void);
    long call; /* that is named; 0: it is possible */
};

/* A file comes down the wire; what a fetch and an upload do with one. */
static int use_a_file_of_the_keeper(void)
{
    static struct wire w;
    struct pollfd p = { .fd = wire_fd, .events = POLLIN };
    struct stat st;
    char text[5];

    if (poll(&p, 1, 5000) != 1 || wire_receive(wire_fd, &w) != 1)
        return 1;
    if (w.kind != WIRE_FETCH || w.fd == -1)
        return 2;
    if (pwrite(w.fd, "hello", 5, 100) != 5 || fsync(w.fd) == -1 ||
        fstat(w.fd, &st) == -1 || st.st_size != 105 ||
        pread(w.fd, text, 5, 100) != 5 || lseek(w.fd, 0, SEEK_SET) != 0 ||
        write(w.fd, text, 5) != 5 || ftruncate(w.fd, 5) == -1)
        return 3;
    return close(w.fd);
}

static int answer_the_keeper(void)
{
    static struct wire w;

    wire_begin(&w, WIRE_READY, 7);
    return wire_send(wire_fd, &w) != 1;
}

static int use_the_line(void)
{
    struct pollfd p = { .fd = line.fd, .events = POLLIN };
    int flags = fcntl(line.fd, F_GETFL);
    char byte;

    return poll(&p, 1, 5000) != 1 || recv(line.fd, &byte, 1, 0) != 1 ||
           send(line.fd, "x", 1, MSG_NOSIGNAL) != 1 ||
           fcntl(line.fd, F_SETFL, flags | O_NONBLOCK) == -1;
}

static int be_watched(void)
{
    char byte;

    watchdog_start(line.fd, 1);
    while (read(line.fd, &byte, 1) > 0)
        ;
    return !watchdog_stop();
}

static int find_no_other_descriptor(void)
{
    for (int fd = 0; fd < 1024; fd++)
        if (fd != line.fd && fd != wire_fd &&
            (fcntl(fd, F_GETFD) != -1 || errno != EBADF))
            return 1;
    return 0;
}

static int find_no_environment(void)
{
    return getenv("SECRET") != NULL || getenv("HOME") != NULL;
}

static int be_refused_memory(void)
{
    char *volatile p = malloc((size_t)600 << 20);

    return p != NULL;
}

static const struct attempt attempts[] = {
    { "open", open_a_file, SYS_openat },
    { "socket", make_a_socket, SYS_socket },
    { "fork", start_a_process, SYS_clone },
    { "exec", start_a_program, SYS_execve },
    { "connect", connect_elsewhere, SYS_connect },
    { "handler", change_a_handler, SYS_rt_sigaction },
#ifdef SYS_unlink
    { "unlink", remove_a_file, SYS_unlink },
#else
    { "unlink", remove_a_file, SYS_unlinkat },
#endif
    { "stat", look_for_a_file, SYS_newfstatat },
#ifdef SYS_getppid
    { "kill", send_a_signal, SYS_getppid },
#endif
    { "code", make_code, SYS_mprotect },
    { "another descriptor", copy_a_descriptor, SYS_fcntl },
    { "a file of the keeper's", use_a_file_of_the_keeper, 0 },
    { "an answer to the keeper", answer_the_keeper, 0 },
    { "the line", use_the_line, 0 },
    { "the watchdog", be_watched, 0 },
    { "no other descriptor", find_no_other_descriptor, 0 },
    { "no environment", find_no_environment, 0 },
    { "memory has an end", be_refused_memory, 0 },
};

/* ---- in a process of its own --------------------------------------------- */

static _Noreturn void child(const struct attempt *a,
                            const struct stream_kind *kind)
{
    struct failure f;

    (void)setenv("SECRET", "sesame", 1);
    line.kind = kind;
    if (walls_up(&line, wire_fd, &f) == -1)
        _exit(99);
    _exit(a->act());
}

/* The exit status; *w is the courier's last word, if it has any. */
static int try(const struct attempt *a, const struct stream_kind *kind,
               struct wire *w, bool *heard)
{
    int ends[2], lines[2], status;
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, lines), 0);
    wire_fd = ends[1];
    line = (struct stream){ .fd = lines[1], .agent_fd = -1 };
    wire_begin(w, WIRE_FETCH, 1);
    w->fd = open(at("fetched"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(wire_send(ends[0], w), 1);
    close(w->fd);
    assert_int_equal(write(lines[0], "y", 1), 1);
    pid = fork();
    if (pid == 0)
        child(a, kind);
    close(ends[1]);
    close(lines[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    *heard = wire_receive(ends[0], w) == 1;
    close(ends[0]);
    close(lines[0]);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_attempt(void **state)
{
    const struct attempt *a = *state;
    static struct wire w;
    struct str text;
    char name[JAIL_CALL_NAME];
    bool heard;

    assert_int_equal(try(a, &stream_libssh2, &w, &heard),
                     a->call ? JAIL_BROKEN : 0);
    if (!a->call)
        return;
    assert_true(heard);
    assert_int_equal(w.kind, WIRE_DONE);
    assert_int_equal(w.tag, 0);
    assert_int_equal(wire_get(&w), OUTCOME_LOST);
    text = wire_get_str(&w);
    assert_true(
        str_ends(text, str_of(jail_call_name((uint32_t)a->call, name))));
    assert_int_equal(wire_get_str(&w).len, 0);
    assert_int_equal(wire_get(&w), a->call);
    assert_true(wire_is_whole(&w));
}

/* libssh looks for files, and has to do without. */
static void test_libssh(void **state)
{
    static struct wire w;
    bool heard;

    (void)state;
    assert_int_equal(try(&attempts[0], &stream_libssh, &w, &heard), 1);
    assert_false(heard);
    assert_int_equal(try(&attempts[2], &stream_libssh, &w, &heard),
                     JAIL_BROKEN);
    assert_true(heard);
}

static int set_up(void **state)
{
    (void)state;
    tree_make();
    put("file", "text");
    snprintf(path, sizeof(path), "%s", at("file"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tree_drop();
    return 0;
}

int main(void)
{
    static struct CMUnitTest tests[COUNT(attempts) + 1];
    size_t n = 0;

    if (JAIL_IS_OPEN) {
        puts("1..0 # SKIP the sanitizers cannot run behind the walls");
        return 0;
    }
    for (; n < COUNT(attempts); n++)
        tests[n] = (struct CMUnitTest){
            .name = attempts[n].name,
            .test_func = test_attempt,
            .initial_state = (void *)(uintptr_t)&attempts[n],
        };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_libssh);
    return cmocka_run_group_tests_name("walls", tests, set_up, tear_down);
}
