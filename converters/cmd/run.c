/*
 * run.c - `kervan run`: the daemon. Its log goes to stderr, where systemd or a
 * terminal shows it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/view.h"
#include "spool/daemon.h"

extern const struct cmd cmd_run;

/* Of its own memory, and free of mistakes; NULL: they were printed. */
static struct conf *load(void *ctx)
{
    struct conf *c = xcalloc(1, sizeof(*c));

    (void)ctx;
    if (conf_print(c, true) == EXIT_DONE)
        return c;
    conf_free(c);
    free(c);
    return NULL;
}

static void release(struct conf *c)
{
    conf_free(c);
    free(c);
}

static int run(int argc, char **argv)
{
    struct daemon d = { .load = load, .release = release };
    struct err e;
    int rc;

    if (argc > 1)
        return cmd_usage(&cmd_run, "unknown argument %s", argv[1]);
    d.k.conf = load(NULL);
    if (!d.k.conf)
        return EXIT_USAGE;
    d.k.run = job_run;
    rc = daemon_run(&d, &e) == -1 ? view_failed(&e) : EXIT_DONE;
    if (d.k.is_busy) {
        fputs("kervan: another kervan is at work on this spool\n", stderr);
        rc = EXIT_ASIDE;
    }
    keeper_close(&d.k);
    release(d.k.conf);
    return rc;
}

const struct cmd cmd_run = {
    .name = "run",
    .args = "",
    .help = "the daemon: works until it is told to stop",
    .more = "Takes files as soon as they are complete, or when the schedule of "
            "their route\nsays so. SIGHUP reads the configuration and the maps "
            "anew, if they have no\nmistake; SIGTERM stops. It may be killed "
            "at any moment: the next start goes on.\n\nThe log goes to "
            "stderr. Under systemd: Type=notify, WatchdogSec= is obeyed.\n",
    .run = run,
};
