/*
 * main.c - finds the command, runs it, and sees that its output got out.
 *
 * The process never calls setlocale(): a file is converted the same way on
 * every machine.
 */
#include "converters/base/date.h"
#include "converters/base/text.h"
#include "converters/cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* In the order of `kervan --help`. */
/* clang-format off */
#define COMMANDS(X) \
    X(convert)      \
    X(check)        \
    X(fields)       \
    X(once)         \
    X(run)          \
    X(status)       \
    X(log)          \
    X(show)         \
    X(find)         \
    X(start)        \
    X(send)         \
    X(retry)        \
    X(resend)       \
    X(settle)       \
    X(hold)         \
    X(release)      \
    X(partner)      \
    X(fsck)         \
    X(audit)        \
    X(backup)       \
    X(adopt)
/* clang-format on */
/* Those that only the build asks for have no help, so no list shows them. */
#define BUILD_COMMANDS(X) X(manual)

#define X(name) extern const struct cmd cmd_##name;
COMMANDS(X)
BUILD_COMMANDS(X)
#undef X

static const struct cmd *const commands[] = {
#define X(name) &cmd_##name,
    COMMANDS(X) BUILD_COMMANDS(X)
#undef X
};

struct cmd_globals cmd_globals;

const struct cmd *cmd_number(size_t i)
{
    return i < COUNT(commands) ? commands[i] : NULL;
}

int cmd_usage(const struct cmd *c, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, c ? "kervan %s: " : "kervan: ", c ? c->name : "");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n`kervan %s%s--help` tells more\n", c ? c->name : "",
            c ? " " : "");
    return EXIT_USAGE;
}

/* ---- help --------------------------------------------------------------- */

static void help_all(FILE *to)
{
    fputs("usage: kervan [-c FILE] [--json] COMMAND ...\n\n"
          "Carries orders, stock and prices between web shops and accounting "
          "programs.\n\n",
          to);
    for (size_t i = 0; i < COUNT(commands); i++)
        if (commands[i]->help)
            fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->help);
    fputs("\nBefore or after the command:\n"
          "  -c FILE    the configuration; else ./kervan.conf,\n"
          "             else /etc/kervan/kervan.conf\n"
          "  --json     output for programs\n\n"
          "  kervan help COMMAND    tells more of one command\n"
          "  kervan --version       the version\n\n"
          "Exit status: 0 all done; 1 something was set aside or waits;\n"
          "2 wrong usage, configuration or map; 3 the machine failed.\n",
          to);
}

static int help_one(const struct cmd *c)
{
    printf("usage: kervan %s%s%s\n", c->name, c->args[0] ? " " : "", c->args);
    if (c->help)
        printf("\n%s\n", c->help);
    if (c->more && c->more[0])
        printf("\n%s%s", c->more,
               c->more[strlen(c->more) - 1] == '\n' ? "" : "\n");
    return EXIT_DONE;
}

static const struct cmd *find(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown(const char *what, const char *typed,
                   const char *const *names, size_t n)
{
    const char *near = nearest(str_of(typed), names, n);

    if (near)
        return cmd_usage(NULL, "unknown %s: %s; did you mean %s?", what, typed,
                         near);
    return cmd_usage(NULL, "unknown %s: %s", what, typed);
}

static int unknown_command(const char *typed)
{
    const char *names[COUNT(commands) + 1] = { "help" };
    size_t n = 1;

    for (size_t i = 0; i < COUNT(commands); i++)
        if (commands[i]->help)
            names[n++] = commands[i]->name;
    return unknown("command", typed, names, n);
}

static int unknown_option(const char *typed)
{
    static const char *const names[] = { "--help", "--json", "--version" };

    return unknown("option", typed, names, COUNT(names));
}

static int help(int argc, char **argv)
{
    const struct cmd *c;

    if (argc > 2)
        return cmd_usage(NULL, "help takes the name of one command");
    if (argc < 2 || strcmp(argv[1], "help") == 0) {
        help_all(stdout);
        return EXIT_DONE;
    }
    c = find(argv[1]);
    return c ? help_one(c) : unknown_command(argv[1]);
}

/* ---- arguments ---------------------------------------------------------- */

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* Whether help is asked for before "--", behind which only names stand. */
static bool wants_help(char **args)
{
    for (; *args && strcmp(*args, "--") != 0; args++)
        if (is_help(*args))
            return true;
    return false;
}

/* Takes -c FILE and --json out of the arguments, so that no command has to
 * know them; what follows "--" is left alone. */
static int take_globals(int *argc, char **argv)
{
    bool ended = false;
    int n = 1;

    for (int i = 1; i < *argc; i++) {
        ended = ended || strcmp(argv[i], "--") == 0;
        if (!ended && strcmp(argv[i], "--json") == 0) {
            cmd_globals.json = true;
        } else if (!ended && strcmp(argv[i], "-c") == 0) {
            if (i + 1 == *argc)
                return cmd_usage(NULL, "-c needs the name of a configuration");
            if (cmd_globals.conf)
                return cmd_usage(NULL, "-c stands twice");
            cmd_globals.conf = argv[++i];
        } else {
            argv[n++] = argv[i];
        }
    }
    argv[n] = NULL;
    *argc = n;
    return EXIT_DONE;
}

static int dispatch(int argc, char **argv)
{
    const struct cmd *c;

    if (argc <= 0) {
        help_all(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[0], "help") == 0 || is_help(argv[0]))
        return help(argc, argv);
    if (strcmp(argv[0], "--version") == 0) {
        printf("kervan %s\n", kervan_version);
        return EXIT_DONE;
    }
    c = find(argv[0]);
    if (!c && argv[0][0] == '-')
        return unknown_option(argv[0]);
    if (!c)
        return unknown_command(argv[0]);
    return wants_help(argv + 1) ? help_one(c) : c->run(argc, argv);
}

/* ---- the process -------------------------------------------------------- */

/*
 * A file that is opened as number 0, 1 or 2 because the caller closed that
 * would receive our messages or be read as input. The stand-ins fail when
 * they are used, so that lost output is an error and no surprise.
 */
static bool fill_std_fds(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

/* Tests need the same times in every run: KERVAN_FROZEN is a Unix time. */
static int freeze(void)
{
    static const uint64_t end_of_2199 = 7258118399;
    const char *text = getenv("KERVAN_FROZEN");
    uint64_t seconds;

    if (!text)
        return EXIT_DONE;
    if (!str_to_uint(str_of(text), end_of_2199, &seconds))
        return cmd_usage(NULL, "KERVAN_FROZEN is no time: %s", text);
    clock_freeze((int64_t)seconds);
    return EXIT_DONE;
}

static int close_stdout(int status)
{
    bool failed = ferror(stdout);

    errno = 0;
    if (fclose(stdout) == 0 && !failed)
        return status;
    /* A reader that has seen enough knows that it closed the pipe. */
    if (errno != EPIPE)
        fprintf(stderr, "kervan: cannot write the output%s%s\n",
                errno ? ": " : "", errno ? strerror(errno) : "");
    return EXIT_MACHINE;
}

int main(int argc, char **argv)
{
    /* A dump would hold the orders of someone's customers. */
    static const struct rlimit no_core = { 0, 0 };
    int status;

    if (!fill_std_fds())
        return EXIT_MACHINE;
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGPIPE, SIG_IGN);
    status = freeze();
    if (!status && argc > 0)
        status = take_globals(&argc, argv);
    if (!status)
        status = dispatch(argc - 1, argv + 1);
    return close_stdout(status);
}
