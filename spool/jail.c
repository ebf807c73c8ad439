#include "spool/jail.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "converters/base/str.h"

/* Those that code which breaks in, or a new version of a library, comes with.
 */
#define NAMED(call)       \
    {                     \
        SYS_##call, #call \
    }
static const struct {
    unsigned call;
    const char *name;
} names[] = {
    NAMED(openat),     NAMED(execve),  NAMED(clone),        NAMED(clone3),
    NAMED(socket),     NAMED(connect), NAMED(ptrace),       NAMED(kill),
    NAMED(tgkill),     NAMED(write),   NAMED(mmap),         NAMED(mprotect),
    NAMED(newfstatat), NAMED(statx),   NAMED(rt_sigaction), NAMED(ioctl),
    NAMED(fcntl),      NAMED(close),   NAMED(prctl),        NAMED(unlinkat),
};

const char *jail_call_name(uint32_t call, char to[JAIL_CALL_NAME])
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].call == call)
            return names[i].name;
    snprintf(to, JAIL_CALL_NAME, "%u", call);
    return to;
}

/* ---- landlock ------------------------------------------------------------ */

/* Of <linux/landlock.h>, whose older editions lack the later members. */
struct ruleset {
    uint64_t fs, net, scoped;
};

enum { ASK_VERSION = 1 };

/* Every right there is, by the version that brought it; no rule grants any. */
static const struct {
    int version;
    struct ruleset rights;
} history[] = {
    { 1, { .fs = (1 << 13) - 1 } }, /* execute, read, write, make, remove */
    { 2, { .fs = 1 << 13 } },       /* move between folders */
    { 3, { .fs = 1 << 14 } },       /* cut */
    { 4, { .net = 3 } },            /* bind, connect */
    { 5, { .fs = 1 << 15 } },       /* ioctl of devices */
    { 6, { .scoped = 3 } },         /* abstract sockets, signals */
};

int jail_landlock(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

    return version > 0 ? (int)version : 0;
}

/* Where the kernel has no landlock, the other walls have to do; one that has
 * it and fails is another matter. */
static int lock_land(void)
{
    struct ruleset all = { 0 };
    int version = jail_landlock();
    long fd, rc;

    for (size_t i = 0; i < COUNT(history); i++)
        if (history[i].version <= version) {
            all.fs |= history[i].rights.fs;
            all.net |= history[i].rights.net;
            all.scoped |= history[i].rights.scoped;
        }
    if (version == 0)
        return 0;
    fd = syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
    if (fd == -1)
        return -1;
    rc = syscall(SYS_landlock_restrict_self, fd, 0);
    close((int)fd);
    return rc == 0 ? 0 : -1;
}

/* ---- seccomp ------------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#else
#error "the jail has to know the AUDIT_ARCH_ of this machine"
#endif

/* Numbers of x32 calls, which come through the door of x86-64, begin here. */
enum { X32_CALLS = 0x40000000 };

/* Nothing here reaches beyond the process and its descriptors. */
static const unsigned allowed[] = {
    /* All that the readers with libcsv, libxml2, libzip and PCRE did in any
     * test case; see `narrow` for the rest. */
    SYS_pread64,
    SYS_read,
    SYS_lseek,
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_futex,
    SYS_exit_group,
    /* What qsort() asks before it sorts much: how large is the memory? */
    SYS_sysinfo,
    /* What another C library, or one short of memory, may do instead. */
    SYS_exit,
    SYS_madvise,
    SYS_getrandom,
    /* The time, where the vdso has no clock. */
    SYS_clock_gettime,
    SYS_gettimeofday,
#ifdef SYS_time
    SYS_time,
#endif
    /* abort(), with `narrow` and `refused`. */
    SYS_getpid,
    SYS_gettid,
    /* The kernel's own, after SIGSTOP and SIGCONT. */
    SYS_restart_syscall,
};

/* What the C library tries on its way to abort(), or when memory is short, and
 * does without when it may not. */
static const unsigned refused[] = {
    SYS_rt_sigprocmask,
    SYS_writev,
    SYS_sched_getaffinity,
};

struct program {
    struct sock_filter code[256];
    unsigned short n;
};

static void put(struct program *p, uint16_t op, uint32_t value, uint8_t no)
{
    if (p->n == COUNT(p->code))
        abort(); /* the tables above have grown */
    p->code[p->n++] =
        (struct sock_filter){ .code = op, .jt = 0, .jf = no, .k = value };
}

/* Loads a word of struct seccomp_data. */
static void put_load(struct program *p, size_t offset)
{
    put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0);
}

/* If the word is `value`: what follows, else `no` instructions further. */
static void put_if(struct program *p, uint32_t value, uint8_t no)
{
    put(p, BPF_JMP | BPF_JEQ | BPF_K, value, no);
}

static void put_return(struct program *p, uint32_t action)
{
    put(p, BPF_RET | BPF_K, action, 0);
}

/* Where its lower half is; none of our machines has the upper one first. */
static size_t argument(unsigned n)
{
    return offsetof(struct seccomp_data, args) + n * sizeof(uint64_t);
}

static void put_narrow(struct program *p, const struct jail_narrow *w)
{
    put_if(p, w->call, 5);
    put_load(p, argument(w->arg));
    put(p, BPF_ALU | BPF_AND | BPF_K, w->mask, 0);
    put_if(p, w->value, 1);
    put_return(p, SECCOMP_RET_ALLOW);
    put_load(p, offsetof(struct seccomp_data, nr));
}

/* To nobody else, and no other signal: the job would think that somebody ended
 * the reader, and try again. */
static void put_abort(struct program *p)
{
    put_if(p, SYS_tgkill, 5);
    put_load(p, argument(0));
    put_if(p, (uint32_t)getpid(), 3);
    put_load(p, argument(2));
    put_if(p, SIGABRT, 1);
    put_return(p, SECCOMP_RET_ALLOW);
}

/* Those calls, and nothing of their arguments. */
static void put_calls(struct program *p, const unsigned *calls, size_t n,
                      uint32_t action)
{
    for (size_t i = 0; i < n; i++) {
        put_if(p, calls[i], 1);
        put_return(p, action);
    }
}

static void put_more(struct program *p, const struct jail_more *m)
{
    put_calls(p, m->allowed, m->n_allowed, SECCOMP_RET_ALLOW);
    put_calls(p, m->refused, m->n_refused, SECCOMP_RET_ERRNO | EPERM);
    for (size_t i = 0; i < m->n_narrow; i++)
        put_narrow(p, &m->narrow[i]);
}

static void make_program(struct program *p, const struct jail *j)
{
    const struct jail_narrow narrow[] = {
        { SYS_write, 0, UINT32_MAX, (uint32_t)j->pipe_fd },
        { SYS_write, 0, UINT32_MAX, (uint32_t)j->spill_fd },
        { SYS_ftruncate, 0, UINT32_MAX, (uint32_t)j->spill_fd },
        { SYS_mmap, 2, PROT_EXEC, 0 },
        { SYS_mprotect, 2, PROT_EXEC, 0 },
    };

    put_load(p, offsetof(struct seccomp_data, arch));
    put_if(p, ARCHITECTURE, 1);
    put(p, BPF_JMP | BPF_JA, 1, 0);
    put_return(p, SECCOMP_RET_KILL_PROCESS);
    put_load(p, offsetof(struct seccomp_data, nr));
    put(p, BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 1);
    put_return(p, SECCOMP_RET_KILL_PROCESS);
    put_calls(p, allowed, COUNT(allowed), SECCOMP_RET_ALLOW);
    if (j->more)
        put_more(p, j->more);
    put_calls(p, refused, COUNT(refused), SECCOMP_RET_ERRNO | EPERM);
    for (size_t i = 0; i < COUNT(narrow); i++)
        put_narrow(p, &narrow[i]);
    put_abort(p);
    put_return(p, SECCOMP_RET_TRAP);
}

/* For the handler, which has no other way to know. */
static void (*tell)(int pipe_fd, uint32_t call);
static int tell_fd;

static void on_forbidden_call(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    tell(tell_fd, (uint32_t)info->si_syscall);
    _exit(JAIL_BROKEN);
}

/* The call is not carried out; nothing in there can change the handler. */
static int lock_calls(const struct jail *j)
{
    struct sigaction act = { .sa_sigaction = on_forbidden_call,
                             .sa_flags = SA_SIGINFO };
    struct program p = { .n = 0 };
    struct sock_fprog filter = { .filter = p.code };

    tell = j->broken;
    tell_fd = j->pipe_fd;
    make_program(&p, j);
    filter.len = p.n;
    if (sigaction(SIGSYS, &act, NULL) == -1)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* ---- the rest ------------------------------------------------------------ */

static int by_number(const void *a, const void *b)
{
    const int *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Standard error, too: it may be a terminal, or a file of somebody's. */
static int close_others(const struct jail *j)
{
    size_t n = 0;
    int *keep = calloc(j->n_inputs + 2, sizeof(*keep)), from = 0, rc = 0;

    if (!keep)
        return -1;
    for (; n < j->n_inputs; n++)
        keep[n] = j->inputs[n];
    keep[n++] = j->spill_fd;
    keep[n++] = j->pipe_fd;
    qsort(keep, n, sizeof(*keep), by_number);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (keep[i] > from)
            rc = close_range((unsigned)from, (unsigned)keep[i] - 1, 0);
        from = keep[i] + 1;
    }
    free(keep);
    return rc == 0 ? close_range((unsigned)from, ~0u, 0) : -1;
}

/*
 * Passwords are sometimes there. libzip makes times of what stands in a ZIP,
 * which nobody reads, and the C library would open a file for that; once it
 * knows a time zone it does not look again.
 */
static void forget_environment(void)
{
    for (char **e = environ; e && *e; e++)
        explicit_bzero(*e, strlen(*e));
    (void)clearenv();
    (void)setenv("TZ", "UTC0", 1);
    tzset();
}

/* Handlers of whoever forked us would run in here. What is ignored stays so,
 * but for the signal of the limit of processor time. */
static void forget_handlers(bool but_alarm)
{
    struct sigaction act;
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        if (!(but_alarm && sig == SIGALRM) && sigaction(sig, NULL, &act) == 0 &&
            act.sa_handler != SIG_DFL &&
            (act.sa_handler != SIG_IGN || sig == SIGXCPU))
            (void)signal(sig, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_limit(int resource, rlim_t to)
{
    (void)setrlimit(resource, &(struct rlimit){ to, to });
}

int jail_enter(const struct jail *j)
{
    if (JAIL_IS_OPEN)
        return 0;
    forget_environment();
    forget_handlers(j->more && j->more->keeps_alarm);
    if (close_others(j) == -1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 || lock_land() == -1)
        return -1;
    set_limit(RLIMIT_CORE, 0);
    set_limit(RLIMIT_NPROC, 0);
    set_limit(RLIMIT_NOFILE, j->more ? j->more->n_files : 0);
    return lock_calls(j);
}
