/*
 * calls.c - the keeper dies, or its disk fails, at a call of a test's choice.
 *
 * Loaded with LD_PRELOAD. Counts the calls of one process, not of its children,
 * that change a disk or ask something of a courier. In the environment:
 *
 *   CALLS_SEEN=FILE    how many there were, written when it ends
 *   CALLS_STRIKE=N:HOW what happens to call N: `before`, `after`: killed;
 *                      `eio`, `enospc`: it fails, once
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static pid_t counted;
static unsigned long n_calls, strike_at;
static char how[16];

__attribute__((constructor)) static void start(void)
{
    const char *strike = getenv("CALLS_STRIKE");

    counted = getpid();
    if (strike)
        (void)sscanf(strike, "%lu:%15s", &strike_at, how);
}

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("CALLS_SEEN");
    FILE *out = path && getpid() == counted ? fopen(path, "w") : NULL;

    if (!out)
        return;
    fprintf(out, "%lu\n", n_calls);
    (void)fclose(out);
}

static bool is_now(const char *word)
{
    return getpid() == counted && n_calls == strike_at &&
           strcmp(how, word) == 0;
}

/* false: it fails, errno is set. */
static bool begin(void)
{
    if (getpid() == counted)
        n_calls++;
    if (is_now("before"))
        (void)kill(getpid(), SIGKILL);
    errno = is_now("eio") ? EIO : is_now("enospc") ? ENOSPC : 0;
    return !errno;
}

static void end(void)
{
    int saved = errno;

    if (is_now("after"))
        (void)kill(getpid(), SIGKILL);
    errno = saved;
}

/* ---- the calls ----------------------------------------------------------- */

#define CALL(type, name, params, args)                 \
    type name params;                                  \
    type name params                                   \
    {                                                  \
        static type(*real) params;                     \
        type rc;                                       \
                                                       \
        if (!real)                                     \
            *(void **)&real = dlsym(RTLD_NEXT, #name); \
        if (!begin())                                  \
            return -1;                                 \
        rc = real args;                                \
        end();                                         \
        return rc;                                     \
    }

CALL(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
CALL(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t o), (fd, p, n, o))
CALL(ssize_t, pwrite64, (int fd, const void *p, size_t n, off_t o),
     (fd, p, n, o))
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f))
CALL(int, fsync, (int fd), (fd))
CALL(int, fdatasync, (int fd), (fd))
CALL(int, syncfs, (int fd), (fd))
CALL(int, ftruncate, (int fd, off_t n), (fd, n))
CALL(int, ftruncate64, (int fd, off_t n), (fd, n))
CALL(int, rename, (const char *a, const char *b), (a, b))
CALL(int, renameat, (int d, const char *a, int e, const char *b), (d, a, e, b))
CALL(int, renameat2,
     (int d, const char *a, int e, const char *b, unsigned int f),
     (d, a, e, b, f))
CALL(int, linkat, (int d, const char *a, int e, const char *b, int f),
     (d, a, e, b, f))
CALL(int, unlink, (const char *a), (a))
CALL(int, unlinkat, (int d, const char *a, int f), (d, a, f))
CALL(int, mkdir, (const char *a, mode_t m), (a, m))
CALL(int, mkdirat, (int d, const char *a, mode_t m), (d, a, m))
CALL(int, fchmod, (int fd, mode_t m), (fd, m))

/* Only those that make a file count. */
#define OPEN(name, first, pass)                            \
    int name(first const char *path, int flags, ...);      \
    int name(first const char *path, int flags, ...)       \
    {                                                      \
        static __typeof__(&name) real;                     \
        va_list ap;                                        \
        unsigned mode;                                     \
        int rc;                                            \
                                                           \
        va_start(ap, flags);                               \
        mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0; \
        va_end(ap);                                        \
        if (!real)                                         \
            *(void **)&real = dlsym(RTLD_NEXT, #name);     \
        if (flags & O_CREAT && !begin())                   \
            return -1;                                     \
        rc = real(pass path, flags, mode);                 \
        if (flags & O_CREAT)                               \
            end();                                         \
        return rc;                                         \
    }
#define NOTHING
#define FOLDER int d,
#define D      d,

OPEN(open, NOTHING, NOTHING)
OPEN(open64, NOTHING, NOTHING)
OPEN(openat, FOLDER, D)
OPEN(openat64, FOLDER, D)
