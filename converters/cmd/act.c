/*
 * act.c - what a person asks of the keeper: retry, resend, settle, hold,
 * release, start. All of them become a request (spool/request.h).
 */
#include <stdio.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/view.h"
#include "spool/request.h"

static int tell(const struct view *v, const struct cmd *c, bool ok,
                struct str answer)
{
    struct json j;

    (void)v;
    if (cmd_globals.json) {
        json_init(&j);
        json_open(&j, NULL, '{');
        json_str(&j, "command", str_of(c->name));
        json_bool(&j, "done", ok);
        json_str(&j, "answer", answer);
        json_close(&j, '}');
        json_end(&j);
    } else {
        fprintf(ok ? stdout : stderr, "%s%.*s\n",
                ok ? "" : "kervan: ", STR_ARGS(answer));
    }
    return ok ? EXIT_DONE : EXIT_ASIDE;
}

static int ask(const struct cmd *c, uint64_t job, struct str arg)
{
    struct view v = { 0 };
    struct str answer;
    struct err e;
    bool ok;
    int rc = view_conf(&v, true);

    if (rc == EXIT_DONE)
        rc = request_make(&v.conf, job_run, c->name, job, arg, &v.arena, &ok,
                          &answer, &e) == -1
                 ? view_failed(&e)
                 : tell(&v, c, ok, answer);
    view_close(&v);
    return rc;
}

/* JOB, and with `words` one of these behind it. */
static int ask_about_job(const struct cmd *c, int argc, char **argv,
                         const char *const *words, size_t n_words)
{
    uint64_t job;
    size_t i = 0;

    if (argc != (n_words ? 3 : 2))
        return cmd_usage(c, "wants %s", c->args);
    if (!str_to_uint(str_of(argv[1]), INT64_MAX, &job) || job == 0)
        return cmd_usage(c, "%s is no number of a job; kervan log lists them",
                         argv[1]);
    while (i < n_words && strcmp(argv[2], words[i]) != 0)
        i++;
    if (n_words && i == n_words)
        return cmd_usage(c, "wants %s", c->args);
    return ask(c, job, str_of(n_words ? words[i] : ""));
}

#define JOB_COMMAND(id, what, text)                           \
    extern const struct cmd cmd_##id;                         \
    static int run_##id(int argc, char **argv)                \
    {                                                         \
        return ask_about_job(&cmd_##id, argc, argv, NULL, 0); \
    }                                                         \
    const struct cmd cmd_##id = {                             \
        .name = #id,                                          \
        .args = "JOB",                                        \
        .help = what,                                         \
        .more = text,                                         \
        .run = run_##id,                                      \
    }

JOB_COMMAND(retry, "try a job again that is held, waits or was rejected",
            "A job that is held or waits goes on at once. One that was "
            "rejected is converted\nagain, for example after its map was "
            "mended; so is one that was suppressed\nbecause the same content "
            "was there before.\n");
JOB_COMMAND(resend, "send the results of a job that is done once more",
            "The same bytes, from the archive. A stock or price file that is "
            "older than the\none that was delivered last is not sent.\n");
JOB_COMMAND(hold, "hold a job until it is released",
            "Nothing of it is converted or delivered until then.\n");
JOB_COMMAND(release, "let a job go on that was held by hand", "");

extern const struct cmd cmd_settle;

static int run_settle(int argc, char **argv)
{
    static const char *const words[] = { "delivered", "resend" };

    return ask_about_job(&cmd_settle, argc, argv, words, COUNT(words));
}

const struct cmd cmd_settle = {
    .name = "settle",
    .args = "JOB delivered|resend",
    .help = "say whether an unconfirmed delivery arrived",
    .more = "Of a delivery that is UNCONFIRMED nobody but you can know whether "
            "the receiver\nhas it: look there. \"delivered\" counts it as "
            "arrived, \"resend\" sends it again.\n",
    .run = run_settle,
};

extern const struct cmd cmd_start;

static int run_start(int argc, char **argv)
{
    if (argc != 2)
        return cmd_usage(&cmd_start, "wants the name of a route");
    return ask(&cmd_start, 0, str_of(argv[1]));
}

const struct cmd cmd_start = {
    .name = "start",
    .args = "ROUTE",
    .help = "run a route now, whatever its schedule says",
    .more = "Takes what waits for it, also if it runs \"by hand\".\n",
    .run = run_start,
};
