/*
 * act.c - what a person asks of the keeper: retry, resend, settle, hold,
 * release, start, send. All of them become a request (spool/request.h).
 */
#include <stdio.h>
#include <string.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/docs.h"
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

static int ask_for(const struct cmd *c, const char *what, uint64_t job,
                   struct str arg)
{
    struct view v = { 0 };
    struct str answer;
    struct err e;
    bool ok;
    int rc = view_conf(&v, true);

    if (rc == EXIT_DONE)
        rc = request_make(&v.conf, job_run, what, job, arg, &v.arena, &ok,
                          &answer, &e) == -1
                 ? view_failed(&e)
                 : tell(&v, c, ok, answer);
    view_close(&v);
    return rc;
}

static int ask(const struct cmd *c, uint64_t job, struct str arg)
{
    return ask_for(c, c->name, job, arg);
}

/* DOCUMENT NUMBER [ROUTE|PARTNER] */
static int ask_about_document(const struct cmd *c, const char *what, int argc,
                              char **argv)
{
    struct arena a = { 0 };
    int rc;

    if ((argc != 3 && argc != 4) || !is_document_word(argv[1]))
        return cmd_usage(c, "wants %s", c->args);
    for (int i = 1; i < argc; i++)
        if (strpbrk(argv[i], "\t\n"))
            return cmd_usage(c, "%s: no number has a tab", argv[1]);
    rc = ask_for(c, what, 0,
                 arena_fmt(&a, "%s\t%.*s\t%s", argv[1],
                           STR_ARGS(str_trim(str_of(argv[2]))),
                           argc == 4 ? argv[3] : ""));
    arena_release(&a);
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

    if (argc > 1 && is_document_word(argv[1]))
        return ask_about_document(&cmd_settle, "settle-document", argc, argv);
    return ask_about_job(&cmd_settle, argc, argv, words, COUNT(words));
}

const struct cmd cmd_settle = {
    .name = "settle",
    .args = "JOB delivered|resend | order N [ROUTE|PARTNER]",
    .help = "say whether a delivery arrived; that a refused order is seen to",
    .more =
        "Of a delivery that is UNCONFIRMED nobody but you can know whether "
        "the receiver\nhas it: look there. \"delivered\" counts it as "
        "arrived, \"resend\" sends it again.\n\n"
        "An order that its receiver has refused waits for a person. Mended "
        "in the shop, it is\nsent as new when it comes again; `kervan send "
        "order N` sends it as it is; and\n`kervan settle order N` says that "
        "it was seen to another way.\n",
    .run = run_settle,
};

extern const struct cmd cmd_start;

static int run_start(int argc, char **argv)
{
    int full = argc == 3 && strcmp(argv[1], "--full") == 0   ? 1
               : argc == 3 && strcmp(argv[2], "--full") == 0 ? 2
                                                             : 0;

    for (int i = 1; i < argc; i++)
        if (argv[i][0] == '-' && i != full)
            return cmd_usage(&cmd_start, "unknown option %s", argv[i]);
    if (argc != 2 && !full)
        return cmd_usage(&cmd_start, "wants the name of a route");
    return ask_for(&cmd_start, full ? "full" : "start", 0,
                   str_of(argv[full == 1 ? 2 : 1]));
}

const struct cmd cmd_start = {
    .name = "start",
    .args = "ROUTE [--full]",
    .help = "run a route now, whatever its schedule says",
    .more = "Takes what waits for it, also if it runs \"by hand\".\n\n"
            "  --full    sends everything of the next file, whatever the "
            "receiver has got before;\n            if none waits, of the last "
            "one once more. Orders, too, are sent a second\n            time "
            "then, but for those that are invoiced: `kervan send order N`\n"
            "            sends one of them\n",
    .run = run_start,
};

extern const struct cmd cmd_send;

static int run_send(int argc, char **argv)
{
    return ask_about_document(&cmd_send, "send", argc, argv);
}

const struct cmd cmd_send = {
    .name = "send",
    .args = "order|invoice|shipment N [ROUTE|PARTNER]",
    .help = "send one document now, on its own",
    .more =
        "N is its number, as its sender or its receiver knows it. It is made "
        "again, of the file\nin which it came last, in a job of its own: "
        "for the first time if the route did not\nlet it pass, once more if "
        "it was sent, or refused. If there are several of that\nnumber, say "
        "of which route or partner. `kervan show order N` tells what "
        "became\nof it.\n",
    .run = run_send,
};
