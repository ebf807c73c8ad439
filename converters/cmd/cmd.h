/*
 * cmd.h - a sub-command: one file, one struct, one line in main.c's list.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses of every command, see kervan(1). */
enum {
    EXIT_DONE = 0,
    EXIT_ASIDE = 1,   /* records or files were set aside, deliveries wait */
    EXIT_USAGE = 2,   /* wrong usage, configuration or map */
    EXIT_MACHINE = 3, /* disk, network */
};

struct cmd {
    const char *name;
    const char *args; /* "--read MAP --write MAP IN... [-o OUT]" */
    const char *help; /* one line, for `kervan --help`; NULL: not shown there */
    const char *more; /* for `kervan NAME --help`: options, an example */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* Options that stand before or after any command. */
struct cmd_globals {
    const char *conf; /* -c FILE, or NULL */
    bool json;        /* --json */
};
extern struct cmd_globals cmd_globals;

extern const char kervan_version[]; /* "0.1.0" */
extern const char kervan_share[];   /* "/usr/local/share/kervan", by PREFIX */

/* The commands in the order of `kervan --help`, from 0; NULL: no more. */
const struct cmd *cmd_number(size_t i);

/* "kervan NAME: TEXT" and how to get help, on stderr. Returns EXIT_USAGE.
 * Without a command (NULL): "kervan: TEXT". */
int cmd_usage(const struct cmd *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
