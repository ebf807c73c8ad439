/*
 * t_jail.c - spool/jail.c, and what a job says of a reader that went wrong.
 *
 * First the walls themselves: what is tried in a process that entered the
 * jail. Then whole conversions with the real reader, whose format (a table of
 * functions, here a changed copy of csv's) does what its input tells it to.
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
#include "spool/job.h"
#include "spool/reader.h"

/* ---- kernels ------------------------------------------------------------- */

static enum { AS_IT_IS, WITHOUT_SECCOMP, SECCOMP_LEAKS } kernel;

/* In the place of the C library's: the other walls must stand alone, too. */
int prctl(int option, ...)
{
    unsigned long a[4];
    va_list ap;

    va_start(ap, option);
    for (size_t i = 0; i < COUNT(a); i++)
        a[i] = va_arg(ap, unsigned long);
    va_end(ap);
    if (option == PR_SET_SECCOMP && kernel == SECCOMP_LEAKS)
        return 0;
    if (option == PR_SET_SECCOMP && kernel == WITHOUT_SECCOMP) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_prctl, option, a[0], a[1], a[2], a[3]);
}

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
    const struct jail j = { &(int){ 3 }, 1, 4, 5, frame_forbidden };
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

/* ---- readers that go wrong ------------------------------------------------
 */

static struct format bad_csv;
static struct map *bad_read, *csv_write;
static struct limits limits;

static void eat(void)
{
    for (;;)
        memset(xrealloc(NULL, 1 << 20), 1, 1 << 20);
}

/* In the reader, instead of parsing. */
static int obey(struct reader *r)
{
    const struct format *csv = format_find(STR("csv"));
    char head[64] = "";
    struct str word = { head, 0 };
    volatile int zero = 0;
    uint32_t never = 0;

    (void)!pread(*(int *)r->in->ctx, head, sizeof(head) - 1, 0);
    word.len = strcspn(head, "\n;");
    if (str_is(word, "open"))
        (void)open("/dev/null", O_RDONLY);
    else if (str_is(word, "fork"))
        (void)fork();
    else if (str_is(word, "exec"))
        (void)execl("/bin/true", "true", (char *)NULL);
    else if (str_is(word, "socket"))
        (void)socket(AF_INET, SOCK_STREAM, 0);
    else if (str_is(word, "crash"))
        *(volatile int *)(intptr_t)zero = 1;
    else if (str_is(word, "abort"))
        abort();
    else if (str_is(word, "quit"))
        _exit(0);
    else if (str_is(word, "lie"))
        _exit(READER_NO_JAIL);
    else if (str_is(word, "eat"))
        eat();
    else if (str_is(word, "hang"))
        (void)syscall(SYS_futex, &never, FUTEX_WAIT, 0, NULL);
    while (str_is(word, "spin"))
        continue;
    return csv->read(r);
}

static struct misdeed {
    const char *name, *word;
    enum diag_id id;
    const char *want;
} misdeeds[] = {
    { "a reader that opens a file", "open", DIAG_READER_JAILED,
      "x.csv: error: the process that read the file was stopped: it did what "
      "its jail forbids (system call openat)" },
    { "a reader that forks", "fork", DIAG_READER_JAILED,
      "(system call clone)" },
    { "a reader that starts a program", "exec", DIAG_READER_JAILED,
      "(system call execve)" },
    { "a reader that makes a socket", "socket", DIAG_READER_JAILED,
      "(system call socket)" },
    { "a reader that crashes", "crash", DIAG_READER_DIED,
      "x.csv: error: the process that read the file died (signal 11, "
      "Segmentation fault)" },
    { "a reader that gives up", "abort", DIAG_READER_DIED,
      "(signal 6, Aborted)" },
    { "a reader that just ends", "quit", DIAG_READER_DIED,
      "(it stopped without a word)" },
    { "a reader that blames the kernel", "lie", DIAG_READER_DIED,
      "(it stopped without a word)" },
    { "a reader that spins", "spin", DIAG_LIMIT,
      "x.csv: error: the processor time to read the file is over the limit of "
      "1 s (change it with --limit cpu)" },
    { "a reader that hangs", "hang", DIAG_LIMIT,
      "x.csv: error: the time to read the file is over the limit of 1 s "
      "(change it with --limit wall)" },
    { "a reader that eats memory", "eat", DIAG_LIMIT,
      "x.csv: error: the memory to read the file is over the limit of "
      "134217728 bytes (change it with --limit memory)" },
};

static void convert(const char *text, struct job_result *res)
{
    const struct job_write write = { .map = csv_write };
    struct job_input input = { .name = STR("x.csv") };
    struct job_spec spec = { .read = bad_read,
                             .writes = &write,
                             .n_writes = 1,
                             .inputs = &input,
                             .n_inputs = 1,
                             .run_id = STR("1"),
                             .limits = &limits };

    put("x.csv", text);
    input.fd = open(at("x.csv"), O_RDONLY | O_CLOEXEC);
    spec.out_fd = open(at("out.csv"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(job_run(&spec, res), 0);
    close(input.fd);
    close(spec.out_fd);
}

static void expect_said(const struct job_result *res, const char *want)
{
    struct buf b;

    buf_init(&b, MB(1));
    diags_print(&res->diags, false, &b);
    buf_addc(&b, '\0');
    if (!strstr(b.p, want))
        fail_msg("%s", b.p);
    buf_release(&b);
}

/* One file is rejected, and the report says why; the next one goes on. */
static void test_misdeed(void **state)
{
    const struct misdeed *m = *state;
    struct job_result res;

    kernel = AS_IT_IS;
    limits_default(&limits);
    limits.v[LIMIT_CPU] = 1;
    if (strcmp(m->word, "hang") == 0)
        limits.v[LIMIT_WALL] = 1;
    limits.v[LIMIT_MEMORY] = MB(128);
    convert(m->word, &res);
    assert_int_equal(res.verdict, JOB_REJECTED);
    assert_int_equal(res.diags.n_errors, 1);
    assert_int_equal(res.n_outputs, 0);
    assert_int_equal(res.diags.first->id, m->id);
    expect_said(&res, m->want);
    job_result_release(&res);
    convert("good;1\n", &res);
    assert_int_equal(res.verdict, JOB_DONE);
    assert_int_equal(res.n_written, 1);
    assert_string_equal(text_of("out.csv"), "sku\ngood\n");
    job_result_release(&res);
}

/* Nothing is parsed without the main wall; that is no fault of the file. */
static void without_seccomp_the_machine_failed(void **state)
{
    struct job_result res;

    (void)state;
    kernel = WITHOUT_SECCOMP;
    limits_default(&limits);
    convert("good;1\n", &res);
    assert_int_equal(res.verdict, JOB_FAILED);
    assert_int_equal(res.err.next, ERR_RETRY);
    assert_non_null(strstr(res.err.text, "seccomp"));
    job_result_release(&res);
}

static int run_bad(const struct job_spec *spec, struct job_result *out)
{
    const struct job_write write = { .map = csv_write };
    struct job_spec s = *spec;

    s.read = bad_read;
    s.writes = &write;
    s.n_writes = 1;
    s.read_settings = NULL;
    return job_run(&s, out);
}

static void the_keeper_goes_on(void **state)
{
    (void)state;
    kernel = AS_IT_IS;
    put("eshop/inbox/orders-1.csv", "exec");
    put("eshop/inbox/orders-2.csv", "good;1\n");
    put("eshop/inbox/orders-3.csv", "crash");
    k = (struct keeper){ .conf = &conf, .run = run_bad };
    if (keeper_once(&k, &e) == -1)
        fail_msg("%s", e.text);
    expect_job(1, RECEIPT_REJECTED);
    expect_job(2, RECEIPT_DONE);
    expect_job(3, RECEIPT_REJECTED);
    assert_non_null(strstr(text_of("eshop/rejected/1-orders-1.csv.report.txt"),
                           "(system call execve)"));
    assert_int_equal(n_names("pohoda/in"), 1);
    keeper_close(&k);
}

/* ---- all of them ----------------------------------------------------------
 */

static int load_maps(void **state)
{
    struct arena *a = xcalloc(1, sizeof(*a));
    struct diags diags;

    if (setup(state))
        return -1;
    limits_default(&limits);
    diags_init(&diags, a, 0);
    put("bad.map", "read stock from csv\n"
                   "  header no\n"
                   "sku = [1]\n");
    put("csv.map", "write stock to csv\n"
                   "row\n"
                   "  sku = sku\n");
    bad_read = map_load(at("bad.map"), STR("bad"), &limits, &diags);
    csv_write = map_load(at("csv.map"), STR("csv"), &limits, &diags);
    assert_int_equal(diags.n_errors, 0);
    assert_true(maps_join(bad_read, csv_write));
    bad_csv = *bad_read->format;
    bad_csv.read = obey;
    bad_read->format = &bad_csv;
    arena_release(a);
    free(a);
    return 0;
}

static int drop_maps(void **state)
{
    map_free(bad_read);
    map_free(csv_write);
    return teardown(state);
}

#define WHOLE(fn) cmocka_unit_test_setup_teardown(fn, load_maps, drop_maps)

static const struct CMUnitTest whole[] = {
    WHOLE(without_seccomp_the_machine_failed),
    WHOLE(the_keeper_goes_on),
};

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
    static struct CMUnitTest tests[COUNT(forbidden) + COUNT(held_by_others) +
                                   COUNT(possible) + COUNT(misdeeds) +
                                   COUNT(whole)];
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
    for (size_t i = 0; i < COUNT(misdeeds); i++) {
        tests[n] = (struct CMUnitTest)ROW(test_misdeed, &misdeeds[i]);
        tests[n].setup_func = load_maps;
        tests[n++].teardown_func = drop_maps;
    }
    for (size_t i = 0; i < COUNT(whole); i++)
        tests[n++] = whole[i];
    return cmocka_run_group_tests_name("jail", tests, NULL, NULL);
}
