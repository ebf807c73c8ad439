/*
 * t_jail.c - the walls of spool/jail.c: what is tried in a process that
 * entered the jail. What a job makes of it is in t_reader.c.
 */
#include "tests/unit/keeper_run.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "converters/document/frame.h"
#include "formats/input.h"
#include "spool/jail.h"
#include "tests/unit/kernels.h"

/* ---- what is tried ------------------------------------------------------- */

static int input_fd, spill_fd, pipe_fds[2];
static pid_t tester; /* the process above */
static char page[4096];

enum { WORKS = 0, REFUSED = 1, KILLED = 256 }; /* exit statuses, but KILLED */

/* A call of the kernel. -1 among the arguments: the tester's process id. */
struct attempt {
    const char *name;
    long call, args[6];
    int want, landlock; /* needs that version of it, or 0 */
    int (*act)(void);   /* instead of a call */
};

/*
 * All attempts aim at a folder of the test's own, at nothing, or at the child
 * itself: should a wall be missing, and the tester be root, nobody else must
 * come to harm. So a file of its own, a name that is free there, the folder,
 * and a process id that no process has.
 */
static char own_file[96], own_free[96], own_folder[64];
#define PATH   ((long)own_file)
#define FREE   ((long)own_free)
#define FOLDER ((long)own_folder)
#define NOBODY 0x3fffffff
#define PAGE   ((long)page)
#define CALL(name_, call_, ...)                               \
    {                                                         \
        .name = name_, .call = call_, .args = { __VA_ARGS__ } \
    }
#define HELD(name_, want_, landlock_, call_, ...)                             \
    {                                                                         \
        .name = name_, .call = call_, .args = { __VA_ARGS__ }, .want = want_, \
        .landlock = landlock_                                                 \
    }

/* Arguments are such that the call would succeed, where that is possible. */
static struct attempt forbidden[] = {
#ifdef __x86_64__
    CALL("open", SYS_open, PATH, O_RDONLY),
    CALL("creat", SYS_creat, FREE, 0600),
    CALL("fork", SYS_fork, 0),
    CALL("vfork", SYS_vfork, 0),
    CALL("unlink", SYS_unlink, PATH),
    CALL("rename", SYS_rename, PATH, FREE),
    CALL("stat", SYS_stat, PATH, PAGE),
    CALL("access", SYS_access, PATH, R_OK),
    CALL("pipe", SYS_pipe, PAGE),
    CALL("poll", SYS_poll, PAGE, 0, 0),
    CALL("arch_prctl", SYS_arch_prctl, 0x1001, PAGE),
#endif
    CALL("openat", SYS_openat, AT_FDCWD, PATH, O_RDONLY),
    CALL("openat2", SYS_openat2, AT_FDCWD, PATH, PAGE, 24),
    CALL("execve", SYS_execve, (long)"/bin/true", PAGE, PAGE),
    CALL("execveat", SYS_execveat, 3, (long)"", PAGE, PAGE, AT_EMPTY_PATH),
    CALL("clone", SYS_clone, SIGCHLD),
    CALL("clone3", SYS_clone3, PAGE, 88),
    CALL("socket", SYS_socket, AF_INET, SOCK_STREAM),
    CALL("socket unix", SYS_socket, AF_UNIX, SOCK_DGRAM),
    CALL("socketpair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, PAGE),
    CALL("connect", SYS_connect, 3, PAGE, 16),
    CALL("bind", SYS_bind, 3, PAGE, 16),
    CALL("sendto", SYS_sendto, 3, PAGE, 1),
    CALL("sendmsg", SYS_sendmsg, 3, PAGE),
    CALL("ptrace the parent", SYS_ptrace, 0x4206 /* SEIZE */, -1),
    CALL("ptrace me", SYS_ptrace, 0),
    CALL("process_vm_readv", SYS_process_vm_readv, -1, PAGE, 1, PAGE, 1),
    CALL("process_vm_writev", SYS_process_vm_writev, -1, PAGE, 1, PAGE, 1),
    CALL("kill the parent", SYS_kill, -1, 0),
    CALL("kill everybody", SYS_kill, 0, 0),
    CALL("tkill", SYS_tkill, NOBODY, SIGTERM),
    CALL("tgkill another one", SYS_tgkill, NOBODY, NOBODY, SIGABRT),
    CALL("pidfd_open", SYS_pidfd_open, -1, 0),
    CALL("mount", SYS_mount, (long)"none", FOLDER, (long)"tmpfs"),
    CALL("umount", SYS_umount2, FOLDER, 2),
    CALL("chroot", SYS_chroot, FOLDER),
    CALL("pivot_root", SYS_pivot_root, PATH, PATH),
    CALL("chdir", SYS_chdir, FOLDER),
    CALL("unlinkat", SYS_unlinkat, AT_FDCWD, FREE),
    CALL("renameat2", SYS_renameat2, AT_FDCWD, PATH, AT_FDCWD, FREE),
    CALL("linkat", SYS_linkat, AT_FDCWD, PATH, AT_FDCWD, FREE),
    CALL("symlinkat", SYS_symlinkat, PATH, AT_FDCWD, FREE),
    CALL("mkdirat", SYS_mkdirat, AT_FDCWD, FREE, 0700),
    CALL("mknodat", SYS_mknodat, AT_FDCWD, FREE, 0600),
    CALL("fchmodat", SYS_fchmodat, AT_FDCWD, PATH, 0644),
    CALL("fchownat", SYS_fchownat, AT_FDCWD, PATH, -2, -2),
    CALL("fchmod the input", SYS_fchmod, 3, 0777),
    CALL("truncate", SYS_truncate, PATH, 0),
    CALL("utimensat", SYS_utimensat, AT_FDCWD, PATH),
    CALL("newfstatat", SYS_newfstatat, AT_FDCWD, PATH, PAGE),
    CALL("fstat", SYS_newfstatat, 3, (long)"", PAGE, AT_EMPTY_PATH),
    CALL("statx", SYS_statx, AT_FDCWD, PATH, 0, 0xfff, PAGE),
    CALL("faccessat", SYS_faccessat, AT_FDCWD, PATH, R_OK),
    CALL("readlinkat", SYS_readlinkat, AT_FDCWD, PATH, PAGE, 99),
    CALL("getdents64", SYS_getdents64, 3, PAGE, 99),
    CALL("getcwd", SYS_getcwd, PAGE, 99),
    CALL("inotify_init1", SYS_inotify_init1, 0),
    CALL("fanotify_init", SYS_fanotify_init, 0),
    CALL("dup", SYS_dup, 3),
    CALL("dup3", SYS_dup3, 3, 9),
    CALL("fcntl", SYS_fcntl, 3, F_GETFL),
    CALL("ioctl", SYS_ioctl, 3, 0x5412 /* TIOCSTI */, PAGE),
    CALL("pipe2", SYS_pipe2, PAGE),
    CALL("close", SYS_close, 3),
    CALL("memfd_create", SYS_memfd_create, PATH),
    CALL("io_uring_setup", SYS_io_uring_setup, 1, PAGE),
    CALL("bpf", SYS_bpf, 0, PAGE, 8),
    CALL("perf_event_open", SYS_perf_event_open, PAGE, 0, -1, -1),
    CALL("userfaultfd", SYS_userfaultfd, 1),
    CALL("keyctl", SYS_keyctl, 0, -3, 0),
    CALL("add_key", SYS_add_key, PATH, PATH, PAGE, 1, -3),
    CALL("shmget", SYS_shmget, 0, 0, 0600),
    CALL("msgget", SYS_msgget, NOBODY, 0),
    CALL("mq_open", SYS_mq_open, (long)"/k", O_RDONLY),
    CALL("unshare", SYS_unshare, 0x10000000 /* CLONE_NEWUSER */),
    CALL("setns", SYS_setns, 3),
    CALL("setuid", SYS_setuid, 0),
    CALL("capset", SYS_capset, PAGE, PAGE),
    CALL("prctl", SYS_prctl, 4 /* SET_DUMPABLE */, 1),
    CALL("seccomp", SYS_seccomp, 1, 0, PAGE),
    CALL("personality", SYS_personality, 0x0400000),
    CALL("prlimit64", SYS_prlimit64, 0, RLIMIT_NOFILE, PAGE),
    CALL("setpriority", SYS_setpriority, 0, 0, 0),
    CALL("sched_setaffinity", SYS_sched_setaffinity, 0, 8, PAGE),
    CALL("nanosleep", SYS_nanosleep, PAGE),
    CALL("timer_create", SYS_timer_create, 0, 0, PAGE),
    CALL("rt_sigaction", SYS_rt_sigaction, SIGSYS, PAGE, 0, 8),
    CALL("sigaltstack", SYS_sigaltstack, PAGE),
    CALL("uname", SYS_uname, PAGE),
    CALL("getuid", SYS_getuid, 0),
    CALL("syslog", SYS_syslog, 3, PAGE, 99),
    CALL("reboot", SYS_reboot, 0),
    CALL("no call at all", 4711, 0),
    CALL("write the input", SYS_write, 3, PAGE, 1),
    CALL("write stdout", SYS_write, 1, PAGE, 1),
    CALL("write stderr", SYS_write, 2, PAGE, 1),
    CALL("pwrite64", SYS_pwrite64, 4, PAGE, 1),
    CALL("ftruncate the input", SYS_ftruncate, 3, 0),
    CALL("mmap executable", SYS_mmap, 0, 4096, 5, 0x22, -1),
    CALL("mmap a file executable", SYS_mmap, 0, 4096, 4, 2, 3),
    CALL("mprotect executable", SYS_mprotect, PAGE, 4096, 7),
    CALL("pkey_mprotect", SYS_pkey_mprotect, PAGE, 4096, 4, 0),
};

/* Where seccomp has a hole: what the other walls hold. */
static struct attempt held_by_others[] = {
    HELD("openat: no descriptors", EMFILE, 0, SYS_openat, AT_FDCWD, PATH),
    HELD("socket: no descriptors", EMFILE, 0, SYS_socket, AF_INET, 1),
    HELD("dup: no descriptors", EMFILE, 0, SYS_dup, 3),
    HELD("unlinkat: landlock", EACCES, 1, SYS_unlinkat, AT_FDCWD, PATH),
    HELD("renameat2: landlock", EACCES, 2, SYS_renameat2, AT_FDCWD, PATH,
         AT_FDCWD, FREE),
    HELD("mkdirat: landlock", EACCES, 1, SYS_mkdirat, AT_FDCWD, FREE),
    HELD("truncate: landlock", EACCES, 3, SYS_truncate, PATH),
    HELD("execve: landlock", EACCES, 1, SYS_execve, (long)"/bin/true", PAGE,
         PAGE),
    HELD("kill the parent: landlock", EPERM, 6, SYS_kill, -1, 0),
    HELD("mount: landlock", EPERM, 1, SYS_mount, PATH, FOLDER, (long)"tmpfs"),
};

/* ---- what works -----------------------------------------------------------
 */

static int by_byte(const void *a, const void *b)
{
    const unsigned char *x = a, *y = b;

    return *x - *y;
}

static int use_memory(void)
{
    enum { N = 32 << 20 };
    unsigned char *p = malloc(N / 2);

    memset(p, 7, N / 2);
    p = realloc(p, N);
    qsort(p, 1 << 20, 1, by_byte);
    free(p);
    for (size_t i = 0; i < 100000; i++)
        if (!malloc(i % 500))
            return REFUSED;
    return mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

/* glibc then tries a second arena, and wants to know how many processors. */
static int run_out_of_memory(void)
{
    while (malloc(4000))
        continue;
    return malloc(100 << 20) != NULL;
}

static int use_descriptors(void)
{
    char bytes[8];

    return read(input_fd, bytes, 2) != 2 || pread(input_fd, bytes, 2, 1) != 2 ||
           lseek(input_fd, 0, SEEK_SET) != 0 ||
           write(spill_fd, "abcdefgh", 8) != 8 ||
           mmap(NULL, 8, PROT_READ, MAP_PRIVATE, spill_fd, 0) == MAP_FAILED ||
           pread(spill_fd, bytes, 8, 0) != 8 || ftruncate(spill_fd, 0) != 0 ||
           write(pipe_fds[1], "", 0) != 0;
}

static int find_no_other_descriptor(void)
{
    for (int fd = 0; fd < 1024; fd++)
        if (fd != input_fd && fd != spill_fd && fd != pipe_fds[1] &&
            (lseek(fd, 0, SEEK_CUR) != -1 || errno != EBADF))
            return REFUSED;
    return WORKS;
}

static const char *secret;

static int find_no_secret(void)
{
    return getenv("SECRET") || secret[0];
}

static void never(int sig)
{
    (void)sig;
    _exit(REFUSED);
}

/* A handler of the keeper's has no business here. */
static int send_a_signal(void)
{
    raise(SIGABRT);
    return WORKS;
}

static int ask_the_clock(void)
{
    struct timespec t;

    return clock_gettime(CLOCK_MONOTONIC, &t) || time(NULL) == -1;
}

static int abort_by_name(void)
{
    abort();
}

/* The C library notices, and wants to print it. */
static int free_twice(void)
{
    void *volatile p = malloc(4000);

    (void)!malloc(1);
    free(p);
    free(p);
    return 0;
}

#ifdef __x86_64__
/* getpid() by the call gate of 32-bit programs, and by that of x32. */
static int call_as_i386(void)
{
    int pid;

    __asm__ volatile("int $0x80" : "=a"(pid) : "a"(20) : "memory");
    return pid <= 0;
}

static int call_as_x32(void)
{
    return syscall(0x40000000 | SYS_getpid) <= 0;
}
#endif

static struct attempt possible[] = {
    { "memory", .act = use_memory },
    { "all of the memory", .act = run_out_of_memory },
    { "its descriptors", .act = use_descriptors },
    { "the clock", .act = ask_the_clock },
    { "no other descriptor", .act = find_no_other_descriptor },
    { "no secret of the environment", .act = find_no_secret },
    { "abort", .act = abort_by_name, .want = KILLED + SIGABRT },
    { "no foreign handler", .act = send_a_signal, .want = KILLED + SIGABRT },
    { "broken heap", .act = free_twice, .want = KILLED + SIGABRT },
#ifdef __x86_64__
    { "i386 call", .act = call_as_i386, .want = KILLED + SIGSYS },
    { "x32 call", .act = call_as_x32, .want = KILLED + SIGSYS },
#endif
};

/* ---- in a process of its own ----------------------------------------------
 */

static void set_up_child(void)
{
    static const int places[] = { 3, 4, 5 };
    int from[] = { open(own_file, O_RDONLY),
                   open(own_folder, O_TMPFILE | O_RDWR, 0600), pipe_fds[1] };

    for (size_t i = 0; i < COUNT(places); i++)
        if (dup2(from[i], 100 + places[i]) == -1)
            _exit(9);
    for (size_t i = 0; i < COUNT(places); i++)
        if (dup2(100 + places[i], places[i]) == -1)
            _exit(9);
    input_fd = 3;
    spill_fd = 4;
    pipe_fds[1] = 5;
    signal(SIGABRT, never);
    setenv("SECRET", "sesame", 1);
    secret = getenv("SECRET");
}

static _Noreturn void child(const struct attempt *t)
{
    const struct jail j = { .inputs = &(int){ 3 },
                            .n_inputs = 1,
                            .spill_fd = 4,
                            .pipe_fd = 5,
                            .broken = frame_forbidden };
    const long *a = t->args;
    long args[6];

    set_up_child();
    setrlimit(RLIMIT_AS, &(struct rlimit){ 256 << 20, 256 << 20 });
    if (jail_enter(&j) == -1)
        _exit(9);
    if (t->act)
        _exit(t->act());
    for (int i = 0; i < 6; i++)
        args[i] = a[i] == -1 ? tester : a[i];
    if (syscall(t->call, args[0], args[1], args[2], args[3], args[4],
                args[5]) != -1)
        _exit(WORKS);
    _exit(kernel == SECCOMP_LEAKS ? errno : REFUSED);
}

/* The exit status of the child, or KILLED + signal; *call: of its frame. */
static int try(const struct attempt *t, uint32_t *call)
{
    struct frame_in in;
    enum frame_type type;
    struct str payload;
    int status;
    pid_t pid;

    *call = 0;
    tester = getpid();
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0)
        child(t);
    close(pipe_fds[1]);
    frame_in_init(&in, pipe_fds[0], 100, 60000);
    if (frame_next(&in, &type, &payload) == 1) {
        assert_int_equal(type, FRAME_FORBIDDEN);
        assert_int_equal(payload.len, sizeof(*call));
        memcpy(call, payload.p, sizeof(*call));
    }
    frame_in_release(&in);
    close(pipe_fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? KILLED + WTERMSIG(status)
                               : WEXITSTATUS(status);
}

static int make_targets(void **state)
{
    (void)state;
    tree_make();
    put("file", "some text");
    snprintf(own_file, sizeof(own_file), "%s/file", tree_root);
    snprintf(own_free, sizeof(own_free), "%s/free", tree_root);
    snprintf(own_folder, sizeof(own_folder), "%s", tree_root);
    return 0;
}

static int drop_targets(void **state)
{
    (void)state;
    (void)umount2(own_folder, MNT_DETACH); /* should mount() have worked */
    tree_drop();
    return 0;
}

static void test_forbidden(void **state)
{
    const struct attempt *t = *state;
    uint32_t call;

    kernel = AS_IT_IS;
    assert_int_equal(try(t, &call), JAIL_BROKEN);
    assert_int_equal(call, t->call);
}

static void test_held_by_others(void **state)
{
    const struct attempt *t = *state;
    uint32_t call;

    if (t->landlock > jail_landlock())
        skip();
    kernel = SECCOMP_LEAKS;
    assert_int_equal(try(t, &call), t->want);
}

static void test_possible(void **state)
{
    const struct attempt *t = *state;
    uint32_t call;

    kernel = AS_IT_IS;
    assert_int_equal(try(t, &call), t->want);
    assert_int_equal(call, 0);
}

static struct CMUnitTest attempt(CMUnitTestFunction test, struct attempt *t)
{
    return (struct CMUnitTest){ .name = t->name,
                                .test_func = test,
                                .setup_func = make_targets,
                                .teardown_func = drop_targets,
                                .initial_state = t };
}

int main(void)
{
    static struct CMUnitTest
        tests[COUNT(forbidden) + COUNT(held_by_others) + COUNT(possible)];
    size_t n = 0;

    if (JAIL_IS_OPEN) {
        puts("1..0 # SKIP the sanitizers cannot run in the jail");
        return 0;
    }
    for (size_t i = 0; i < COUNT(forbidden); i++)
        tests[n++] = attempt(test_forbidden, &forbidden[i]);
    for (size_t i = 0; i < COUNT(held_by_others); i++)
        tests[n++] = attempt(test_held_by_others, &held_by_others[i]);
    for (size_t i = 0; i < COUNT(possible); i++)
        tests[n++] = attempt(test_possible, &possible[i]);
    return cmocka_run_group_tests_name("jail", tests, NULL, NULL);
}
