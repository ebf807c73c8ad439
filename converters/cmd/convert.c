/*
 * convert.c - `kervan convert`: one conversion in the foreground, without
 * spool and ledger. The same job and reader as the daemon's.
 *
 * The result becomes visible only when it is complete: -o FILE is written
 * aside and renamed, -o FOLDER/ likewise file by file, and a pipe gets its
 * first byte after the last one of the input was checked.
 *
 * A child does the work. Whatever ends it, a signal or the lack of memory, the
 * parent is left to remove what was not complete.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "converters/base/date.h"
#include "converters/cmd/cmd.h"
#include "spool/docfile.h"
#include "spool/job.h"

struct convert {
    struct arena arena;
    struct limits limits;
    struct diags diags;
    struct setting_pair *pairs;
    size_t n_pairs;
    const char *read, *write, *out, *country;
    char **in;
    int n_in;
    struct map *read_map, *write_map;
    struct str *read_settings, *write_settings;
    struct job_input *inputs;
    char *staging; /* a folder of our own, or NULL */
    char *aside;   /* -o FILE: written here first */
    int out_fd;
    bool is_direct; /* out_fd is the user's own and can be begun again */
    int user_fd;    /* standard output, or a device or pipe of -o */
    off_t out_start;
    bool job_failed;
};

extern const struct cmd cmd_convert;

/* ---- arguments ---------------------------------------------------------- */

static bool take_pair(char *arg, struct str *name, struct str *value)
{
    char *eq = strchr(arg, '=');

    if (!eq || eq == arg)
        return false;
    *name = (struct str){ arg, (size_t)(eq - arg) };
    *value = str_of(eq + 1);
    return true;
}

static int take_limit(struct convert *c, char *arg)
{
    const char *wants;
    struct str name, value;

    if (!take_pair(arg, &name, &value))
        return cmd_usage(&cmd_convert, "--limit wants NAME=VALUE");
    switch (limits_set(&c->limits, name, value, &wants)) {
    case -1:
        return cmd_usage(&cmd_convert, "no limit is called %.*s",
                         STR_ARGS(name));
    case -2:
        return cmd_usage(&cmd_convert, "limit %.*s %s, not %.*s",
                         STR_ARGS(name), wants, STR_ARGS(value));
    default:
        return 0;
    }
}

static int take_set(struct convert *c, char *arg)
{
    struct setting_pair *p = &c->pairs[c->n_pairs];

    *p = (struct setting_pair){ 0 };
    if (!take_pair(arg, &p->name, &p->value))
        return cmd_usage(&cmd_convert, "--set wants NAME=VALUE");
    c->n_pairs++;
    return 0;
}

static const struct option {
    const char *name;
    int (*take)(struct convert *c, char *value); /* NULL: a text... */
    size_t at;                                   /* ... that is kept here */
} options[] = {
    { "--read", NULL, offsetof(struct convert, read) },
    { "--write", NULL, offsetof(struct convert, write) },
    { "-o", NULL, offsetof(struct convert, out) },
    { "--country", NULL, offsetof(struct convert, country) },
    { "--set", take_set, 0 },
    { "--limit", take_limit, 0 },
};

static int take_option(struct convert *c, const char *name, char *value)
{
    const struct option *o = options;
    const char **text;

    while (o < options + COUNT(options) && strcmp(o->name, name) != 0)
        o++;
    if (o == options + COUNT(options))
        return cmd_usage(&cmd_convert, "unknown option %s", name);
    if (!value)
        return cmd_usage(&cmd_convert, "%s wants a value", name);
    if (o->take)
        return o->take(c, value);
    text = (const char **)((char *)c + o->at);
    if (*text)
        return cmd_usage(&cmd_convert, "%s stands twice", name);
    *text = value;
    return EXIT_DONE;
}

static int take_arguments(struct convert *c, int argc, char **argv)
{
    bool ended = false;
    int rc = EXIT_DONE;

    c->pairs = arena_alloc(&c->arena, (size_t)argc * sizeof(*c->pairs));
    c->in = arena_alloc(&c->arena, (size_t)argc * sizeof(*c->in));
    for (int i = 1; i < argc && rc == EXIT_DONE; i++) {
        if (ended || argv[i][0] != '-' || !argv[i][1]) {
            c->in[c->n_in++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            ended = true;
        } else {
            rc = take_option(c, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (rc != EXIT_DONE)
        return rc;
    if (!c->read || !c->write)
        return cmd_usage(&cmd_convert, "--read MAP and --write MAP are needed");
    if (!c->n_in)
        return cmd_usage(&cmd_convert, "which file? - is standard input");
    if (c->country && strlen(c->country) != 2)
        return cmd_usage(&cmd_convert, "--country wants two letters");
    return EXIT_DONE;
}

/* ---- maps --------------------------------------------------------------- */

static struct map *load(struct convert *c, const char *name, bool is_write)
{
    struct buf looked;
    struct map *m = NULL;
    char *path;

    buf_init(&looked, KB(16));
    path = map_find(&c->arena, str_of(name), NULL, &looked);
    if (!path) {
        DIAG(&c->diags, CONF_NO_MAP, ((struct place){ 0 }), str_of(name),
             arena_str(&c->arena, buf_str(&looked)));
    } else {
        m = map_load(path, str_of(name), &c->limits, &c->diags);
        if (m && m->document && m->is_write != is_write)
            DIAG(&c->diags, WRONG_HALF,
                 ((struct place){ .src = m->src, .line = 1, .col = 1 }),
                 m->is_write ? STR("write") : STR("read"),
                 is_write ? STR("write") : STR("read"));
    }
    buf_release(&looked);
    return m;
}

/* The two halves and the settings, which either may ask for. */
static void join(struct convert *c, struct map *r, struct map *w)
{
    if (r->document != w->document)
        DIAG(&c->diags, CONF_DOCUMENTS,
             ((struct place){ .src = w->src, .line = 1, .col = 1 }),
             str_of(r->document->name), str_of(w->document->name));
    else
        (void)maps_join(r, w);
    c->read_settings = job_settings(&c->arena, r, (struct place){ 0 }, c->pairs,
                                    c->n_pairs, &c->diags);
    c->write_settings = job_settings(&c->arena, w, (struct place){ 0 },
                                     c->pairs, c->n_pairs, &c->diags);
    job_settings_unused(&c->arena, (const struct map *const[]){ r, w, NULL },
                        c->pairs, c->n_pairs, &c->diags);
}

static void print_diags(const struct diags *d)
{
    struct buf b;

    buf_init(&b, MB(64));
    if (cmd_globals.json)
        diags_print_json(d, &b);
    else
        diags_print(d, isatty(STDERR_FILENO), &b);
    if (b.len)
        fwrite(b.p, 1, b.len, stderr);
    buf_release(&b);
}

static int load_maps(struct convert *c)
{
    struct map *r = c->read_map = load(c, c->read, false);
    struct map *w = c->write_map = load(c, c->write, true);

    if (r && w && !c->diags.n_errors)
        join(c, r, w);
    if (c->diags.n_errors)
        print_diags(&c->diags);
    return c->diags.n_errors ? EXIT_USAGE : EXIT_DONE;
}

/* ---- input and output --------------------------------------------------- */

/* A pipe is copied to a file without name: the reader may need it twice. */
static int copy_pipe(const struct convert *c, int from)
{
    int to = docfile_temporary(NULL);
    uint64_t total = 0;
    char buf[65536];
    ssize_t n;

    if (to == -1)
        return -1;
    while ((n = read(from, buf, sizeof(buf))) != 0) {
        if (n == -1 && errno == EINTR)
            continue;
        total += n > 0 ? (uint64_t)n : 0;
        if (n == -1 || write(to, buf, (size_t)n) != n) {
            close(to);
            return -1;
        }
        if (total > c->limits.v[LIMIT_INPUT])
            break; /* the reader will say so */
    }
    return to;
}

/* A name that is not there was mistyped; the rest is the machine's. */
static int status_of(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EISDIR
               ? EXIT_USAGE
               : EXIT_MACHINE;
}

static int open_input(struct convert *c, int i)
{
    const char *path = c->in[i];
    bool is_stdin = strcmp(path, "-") == 0;
    struct job_input *in = &c->inputs[i];
    struct stat st;
    int fd =
        is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct source *src = arena_alloc(&c->arena, sizeof(*src));
    int error;

    in->name = src->name = is_stdin ? STR("stdin") : str_of(path);
    if (fd != -1 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        fd = -1;
    }
    in->fd = fd;
    if (fd != -1 && lseek(fd, 0, SEEK_CUR) == -1)
        in->fd = copy_pipe(c, fd);
    if (in->fd != -1)
        return EXIT_DONE;
    error = errno;
    DIAG(&c->diags, FILE_OPEN, ((struct place){ 0 }), str_of(path),
         arena_str(&c->arena, str_of(strerror(error))));
    return status_of(error);
}

static int open_inputs(struct convert *c)
{
    int status = EXIT_DONE;

    c->inputs = arena_alloc(&c->arena, (size_t)c->n_in * sizeof(*c->inputs));
    for (int i = 0; i < c->n_in; i++) {
        int one = open_input(c, i);

        status = one > status ? one : status;
    }
    if (status != EXIT_DONE)
        print_diags(&c->diags);
    return status;
}

static bool is_folder(const char *path)
{
    size_t n = strlen(path);
    struct stat st;

    return (n && path[n - 1] == '/') ||
           (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/*
 * Where the bytes go while they are made. Standard output directly, if it can
 * be cut back when something is wrong (a file, /dev/null); else a temporary
 * file that is copied in the end. -o FOLDER/: a folder of our own in it.
 */
static int open_aside(struct convert *c)
{
    const char *slash = strrchr(c->out, '/');
    int folder = slash ? (int)(slash - c->out) + 1 : 0;
    struct str t = arena_fmt(&c->arena, "%.*s.%s.kervan-XXXXXX", folder, c->out,
                             c->out + folder);

    c->aside = arena_cstr(&c->arena, t);
    c->out_fd = mkostemp(c->aside, O_CLOEXEC);
    if (c->out_fd == -1)
        c->aside = NULL;
    return c->out_fd == -1 ? -1 : 0;
}

/* Messages go there, too: cutting it back would cut them off. */
static bool is_stderr(const struct stat *out)
{
    struct stat err;

    return S_ISREG(out->st_mode) && fstat(STDERR_FILENO, &err) == 0 &&
           err.st_dev == out->st_dev && err.st_ino == out->st_ino;
}

/*
 * What -o names is replaced by a rename, but not everything may be: a device
 * or pipe (/dev/null, /dev/stdout) is written to as it is, and a link stays
 * one: the file that it means is replaced. -1 with errno.
 */
static int look_at_out(struct convert *c)
{
    struct stat st, link;
    char *meant;

    c->user_fd = STDOUT_FILENO;
    if (!c->out || stat(c->out, &st) == -1 || S_ISDIR(st.st_mode))
        return 0;
    if (!S_ISREG(st.st_mode)) {
        c->user_fd = open(c->out, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (c->user_fd != -1)
            c->out = NULL;
        return c->user_fd == -1 ? -1 : 0;
    }
    if (lstat(c->out, &link) == -1 || !S_ISLNK(link.st_mode))
        return 0;
    meant = realpath(c->out, NULL);
    if (!meant)
        return -1;
    c->out = arena_cstr(&c->arena, str_of(meant));
    free(meant);
    return 0;
}

static int open_output(struct convert *c)
{
    struct stat st;

    c->out_fd = -1;
    if (look_at_out(c) == -1)
        return -1;
    if (c->out && is_folder(c->out)) {
        struct str t = arena_fmt(&c->arena, "%s/.kervan-XXXXXX", c->out);

        c->staging = arena_cstr(&c->arena, t);
        if (!mkdtemp(c->staging)) {
            c->staging = NULL;
            return -1;
        }
        return 0;
    }
    if (!c->out && fstat(c->user_fd, &st) == 0 && !is_stderr(&st)) {
        int flags = fcntl(c->user_fd, F_GETFL);

        c->out_start = lseek(c->user_fd, 0, SEEK_CUR);
        c->is_direct = (S_ISREG(st.st_mode) && !(flags & O_APPEND) &&
                        c->out_start == 0 && st.st_size == 0) ||
                       (S_ISCHR(st.st_mode) && !isatty(c->user_fd) &&
                        lseek(c->user_fd, 0, SEEK_SET) == 0);
        if (c->is_direct) {
            c->out_fd = c->user_fd;
            return 0;
        }
    }
    if (c->out)
        return open_aside(c);
    c->out_fd = docfile_temporary(NULL);
    return c->out_fd == -1 ? -1 : 0;
}

static int prepare_output(struct convert *c)
{
    int error;

    if (open_output(c) == 0)
        return EXIT_DONE;
    error = errno;
    if (c->out && status_of(error) == EXIT_USAGE)
        return cmd_usage(&cmd_convert, "-o %s: the folder is not there",
                         c->out);
    fprintf(stderr, "kervan: cannot write %s: %s\n",
            c->out ? c->out : "a temporary file", strerror(error));
    return EXIT_MACHINE;
}

/* ---- making the result visible ------------------------------------------ */

/* Complete and durable, then under its name. Returns an exit status. */
static int publish_as(int fd, const char *aside, const char *path)
{
    mode_t mask = umask(0);

    (void)umask(mask);
    if (fchmod(fd, 0666 & ~mask) == -1 || fsync(fd) == -1 ||
        rename(aside, path) == -1) {
        fprintf(stderr, "kervan: cannot write %s: %s\n", path, strerror(errno));
        return EXIT_MACHINE;
    }
    return EXIT_DONE;
}

static int publish_folder(struct convert *c, const struct job_result *r)
{
    int status = EXIT_DONE;

    for (size_t i = 0; i < r->n_outputs && status == EXIT_DONE; i++) {
        const struct job_output *o = &r->outputs[i];
        char *to = arena_cstr(&c->arena,
                              arena_fmt(&c->arena, "%s/%s", c->out, o->name));
        char *from = arena_cstr(
            &c->arena, arena_fmt(&c->arena, "%s/%s", c->staging, o->path));
        int fd = open(from, O_RDONLY | O_CLOEXEC);

        if (fd == -1)
            return EXIT_MACHINE;
        status = publish_as(fd, from, to);
        close(fd);
    }
    return status;
}

static int copy_to_user(const struct convert *c, int fd)
{
    char buf[65536];
    ssize_t n;

    if (lseek(fd, 0, SEEK_SET) == -1)
        return EXIT_MACHINE;
    while ((n = read(fd, buf, sizeof(buf))) > 0)
        for (ssize_t done = 0, w; done < n; done += w) {
            w = write(c->user_fd, buf + done, (size_t)(n - done));
            if (w == -1) {
                fprintf(stderr, "kervan: cannot write the output: %s\n",
                        strerror(errno));
                return EXIT_MACHINE;
            }
        }
    return n == 0 ? EXIT_DONE : EXIT_MACHINE;
}

static int publish_result(struct convert *c, const struct job_result *r)
{
    if (!r->n_outputs)
        return EXIT_DONE;
    if (c->out && !c->aside)
        return publish_folder(c, r);
    if (c->aside)
        return publish_as(c->out_fd, c->aside, c->out);
    return c->is_direct ? EXIT_DONE : copy_to_user(c, c->out_fd);
}

/* Our folder with what is left in it: files only. */
static void remove_staging(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;

    while (d && (e = readdir(d)))
        (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    (void)rmdir(path);
}

/* Leaves nothing of ours behind, whatever happened. */
static void clean_up(struct convert *c, bool failed)
{
    if (failed && c->is_direct)
        if (ftruncate(c->user_fd, 0) == -1 ||
            lseek(c->user_fd, 0, SEEK_SET) == -1)
            errno = 0; /* a device: nothing to cut */
    if (c->aside)
        (void)unlink(c->aside);
    if (c->staging)
        remove_staging(c->staging);
    map_free(c->read_map);
    map_free(c->write_map);
    arena_release(&c->arena);
}

/* ---- the conversion ----------------------------------------------------- */

static void report(const struct convert *c, const struct job_result *r)
{
    print_diags(&r->diags);
    if (cmd_globals.json)
        return;
    if (r->verdict == JOB_REJECTED)
        fprintf(stderr, "kervan: %s%snothing was written\n", r->err.text,
                r->err.text[0] ? "; " : "");
    else if (r->diags.n_listed || r->n_aside || r->n_skipped || !r->n_outputs)
        fprintf(stderr, "kervan: %.*s\n", STR_ARGS(r->summary));
    (void)c;
}

static int run_job(struct convert *c)
{
    const struct job_write write = { .map = c->write_map,
                                     .settings = c->write_settings };
    const struct job_spec spec = {
        .read = c->read_map,
        .read_settings = c->read_settings,
        .writes = &write,
        .n_writes = 1,
        .inputs = c->inputs,
        .n_inputs = (size_t)c->n_in,
        .country = str_of(c->country ? c->country : ""),
        .run_id = job_new_id(&c->arena),
        .run_time = clock_now(),
        .limits = &c->limits,
        .staging = c->staging,
        .out_fd = c->out_fd,
    };
    struct job_result r;
    int status = EXIT_DONE;

    (void)job_run(&spec, &r);
    report(c, &r);
    if (r.verdict == JOB_FAILED) {
        fprintf(stderr, "kervan: %s\n", r.err.text);
        status = EXIT_MACHINE;
    } else if (r.verdict == JOB_REJECTED) {
        status = EXIT_ASIDE;
    } else {
        status = publish_result(c, &r);
        if (status == EXIT_DONE && r.n_aside)
            status = EXIT_ASIDE;
    }
    c->job_failed = r.verdict != JOB_DONE;
    job_result_release(&r);
    return status;
}

/* ---- the child and its parent ------------------------------------------- */

static _Noreturn void child(struct convert *c, const sigset_t *mask,
                            pid_t parent)
{
    int status;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (getppid() != parent)
        _exit(EXIT_MACHINE);
    job_limit_memory(&c->limits);
    status = run_job(c);
    clean_up(c, c->job_failed);
    exit(status);
}

/* The signals by which people and the system end a command; one that the
 * caller ignores (nohup) stays ignored. They wait until we ask for them. */
static void hold_signals(sigset_t *ours, sigset_t *before)
{
    static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction now;

    signal(SIGCHLD, SIG_DFL);
    sigemptyset(ours);
    sigaddset(ours, SIGCHLD);
    for (size_t i = 0; i < COUNT(ending); i++)
        if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(ours, ending[i]);
    sigprocmask(SIG_BLOCK, ours, before);
}

/* Returns its wait status, and in *by the signal that we passed on, or 0. */
static int wait_for_child(pid_t pid, const sigset_t *ours, int *by)
{
    int status;

    *by = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        int signal = sigwaitinfo(ours, NULL);

        if (signal <= 0 || signal == SIGCHLD)
            continue;
        *by = signal;
        kill(pid, SIGKILL);
    }
    return status;
}

/* Ends as the signal would have ended us, so that a shell sees it. */
static int end_by(int number, const sigset_t *before)
{
    raise(number);
    sigprocmask(SIG_SETMASK, before, NULL);
    return EXIT_MACHINE;
}

static int exit_status(const struct convert *c, int status)
{
    if (status != JOB_NO_MEMORY)
        return status;
    fprintf(stderr,
            "kervan: the conversion needs more memory than the limit "
            "job-memory of %llu bytes; nothing was written\n",
            (unsigned long long)c->limits.v[LIMIT_JOB_MEMORY]);
    return EXIT_ASIDE;
}

static int run_watched(struct convert *c)
{
    pid_t self = getpid(), pid;
    sigset_t ours, before;
    int status, by;

    hold_signals(&ours, &before);
    status = prepare_output(c);
    if (status != EXIT_DONE) {
        clean_up(c, false);
        return status;
    }
    (void)fflush(NULL);
    pid = fork();
    if (pid == 0)
        child(c, &before, self);
    if (pid == -1) {
        fprintf(stderr, "kervan: fork: %s\n", strerror(errno));
        clean_up(c, true);
        return EXIT_MACHINE;
    }
    status = wait_for_child(pid, &ours, &by);
    /* A child that ran out of memory cleans nothing. */
    clean_up(c, by || !WIFEXITED(status) ||
                    WEXITSTATUS(status) == EXIT_MACHINE ||
                    WEXITSTATUS(status) == JOB_NO_MEMORY);
    if (WIFEXITED(status) && !by)
        return exit_status(c, WEXITSTATUS(status));
    if (by || WTERMSIG(status) == SIGINT)
        return end_by(by ? by : SIGINT, &before);
    fprintf(stderr, "kervan: the conversion ended by signal %d (%s)\n",
            WTERMSIG(status), strsignal(WTERMSIG(status)));
    return EXIT_MACHINE;
}

static int convert_main(int argc, char **argv)
{
    struct convert c = { .out_fd = -1 };
    int status;

    limits_default(&c.limits);
    diags_init(&c.diags, &c.arena, 0);
    status = take_arguments(&c, argc, argv);
    if (status == EXIT_DONE)
        status = load_maps(&c);
    if (status == EXIT_DONE)
        status = open_inputs(&c);
    if (status == EXIT_DONE)
        return run_watched(&c);
    clean_up(&c, false);
    return status;
}

const struct cmd cmd_convert = {
    .name = "convert",
    .args = "--read MAP --write MAP [--set NAME=VALUE] IN... [-o OUT]",
    .help = "convert files once, here and now",
    .more =
        "  --read MAP          how the files are read; a path, or a name that\n"
        "                      is looked up in $KERVAN_MAPPINGS, ./mappings\n"
        "                      and the installed ones: cz/shoptet-orders\n"
        "  --write MAP         how the result is written\n"
        "  --set NAME=VALUE    a setting of the maps; may stand several times\n"
        "  --country CC        whose replacements to take for characters that\n"
        "                      the output charset lacks: cz sk hu ro tr\n"
        "  --limit NAME=VALUE  change a limit: --limit input=2G\n"
        "  -o FILE             write there; complete or not at all\n"
        "  -o FOLDER/          write there under the map's own file name\n"
        "  IN                  files, or - for standard input; a ZIP is "
        "opened\n"
        "\n"
        "All files make one run. Without -o the result goes to standard "
        "output.\n"
        "Exit status: 0 all done, 1 something was set aside, 2 wrong usage or\n"
        "map, 3 the machine failed.\n"
        "\n"
        "  kervan convert --read cz/shoptet-orders --write cz/pohoda-orders "
        "\\\n"
        "    --set ico=12345678 orders.csv -o orders.xml\n",
    .run = convert_main,
};
