#include "spool/courier_process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "courier/wire.h"

/* Beside the program that runs, or where `make install` puts it: both move
 * with it. */
static int program_path(char *out, size_t size)
{
    static const char *const places[] = {
        "kervan-courier",
        "../libexec/kervan/kervan-courier",
    };
    ssize_t n = readlink("/proc/self/exe", out, size);

    while (n > 0 && out[n - 1] != '/')
        n--;
    if (n < 1)
        return -1;
    for (size_t i = 0; i < COUNT(places); i++)
        if ((size_t)n + strlen(places[i]) < size) {
            memcpy(out + n, places[i], strlen(places[i]) + 1);
            if (access(out, X_OK) == 0)
                return 0;
        }
    return -1;
}

/* In the child. */
static void become(const char *program, const char *partner, int fd,
                   pid_t keeper)
{
    static const char *const kept[] = { "SSH_AUTH_SOCK",
                                        "CREDENTIALS_DIRECTORY" };
    char *argv[] = { (char *)(uintptr_t) "kervan-courier",
                     (char *)(uintptr_t)partner, NULL };
    char *env[COUNT(kept) + 1];
    size_t n = 0;
    sigset_t none;
    int null = open("/dev/null", O_RDWR);

    for (size_t i = 0; i < COUNT(kept); i++) {
        const char *value = getenv(kept[i]);

        if (value && asprintf(&env[n], "%s=%s", kept[i], value) != -1)
            n++;
    }
    env[n] = NULL;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper || null == -1 || dup2(null, 0) == -1 ||
        dup2(null, 1) == -1 || dup2(fd, WIRE_FD) == -1)
        _exit(127);
    (void)close_range(WIRE_FD + 1, ~0U, 0);
    execve(program, argv, env);
    _exit(127);
}

int courier_spawn(const char *partner, pid_t *pid, int *fd, struct failure *f)
{
    char program[4096];
    int pair[2];
    pid_t keeper = getpid();

    if (program_path(program, sizeof(program)) == -1)
        return failed_sys(f, OUTCOME_SETUP, "the program %s", program);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
        return failed_sys(f, OUTCOME_LOCAL, "a pair of sockets");
    (void)fflush(NULL);
    *pid = fork();
    if (*pid == 0)
        become(program, partner, pair[1], keeper);
    close(pair[1]);
    if (*pid == -1) {
        close(pair[0]);
        return failed_sys(f, OUTCOME_LOCAL, "fork");
    }
    *fd = pair[0];
    return 0;
}
