/*
 * partner.c - `kervan partner`: who there is, and how he is reached.
 *
 * The list looks at what lies here: folders, which keys are accepted, and how
 * the daemon fared. Only `test` and `trust` call a server.
 */
#include <stdio.h>
#include <unistd.h>

#include "converters/base/text.h"
#include "converters/cmd/cmd.h"
#include "converters/cmd/partner.h"
#include "spool/known_hosts.h"
#include "spool/partner.h"

/* ---- the list ----------------------------------------------------------- */

static struct str folder_state(struct view *v, const struct partner *p)
{
    struct err e;
    int fd = partner_open(p, STR(""), &e);

    if (fd == -1)
        return arena_str(&v->arena, str_of(e.text));
    close(fd);
    return STR("ok");
}

/* What the daemon found; `else_text` if it never called him. */
static struct str last_state(struct view *v, const struct partner *p,
                             const char *else_text)
{
    struct arena *a = &v->arena;
    struct line_state *all;
    struct err e;
    size_t n;

    if (!v->ledger || ledger_lines(v->ledger, a, &all, &n, &e) == -1)
        return str_of(else_text);
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(all[i].partner, p->name))
            continue;
        if (all[i].ok)
            return STR("ok");
        return arena_fmt(a, "not reached since %.*s: %.*s",
                         STR_ARGS(time_text(a, all[i].at)),
                         STR_ARGS(all[i].why));
    }
    return str_of(else_text);
}

/* Is there anything to know his server by? */
static struct str trust_state(struct view *v, const struct partner *p)
{
    const struct login *l = &p->remote->login;
    struct known_hosts known;
    struct err e;

    if (l->through[0])
        return last_state(v, p, "the program knows whom to trust");
    if (l->n_pins)
        return last_state(v, p, "host key accepted");
    if (known_hosts_read(l, &v->arena, &known, &e) == -1)
        return arena_str(&v->arena, str_of(e.text));
    if (known.n)
        return last_state(v, p, "host key accepted");
    if (known.has_hashed)
        return last_state(v, p, "host keys in a hashed file");
    return arena_fmt(&v->arena,
                     "no host key accepted: kervan partner trust %.*s",
                     STR_ARGS(p->name));
}

static struct str state_of(struct view *v, const struct partner *p)
{
    return p->remote ? trust_state(v, p) : folder_state(v, p);
}

static const char *way_of(const struct partner *p)
{
    return p->remote ? "sftp" : "folder";
}

static struct str address_of(const struct partner *p)
{
    return p->remote ? p->remote->address : str_of(p->folder);
}

static void print_list(struct view *v)
{
    struct text_table t = { .arena = &v->arena, .n_columns = 4 };

    TABLE_ROW(&t, STR("PARTNER"), STR("BY"), STR("WHERE"), STR("STATE"));
    for (const struct partner *p = v->conf.partners; p; p = p->next)
        TABLE_ROW(&t, p->name, str_of(way_of(p)), address_of(p),
                  state_of(v, p));
    table_print(&t);
}

static void print_json(struct view *v)
{
    struct json j;

    json_init(&j);
    json_open(&j, NULL, '[');
    for (const struct partner *p = v->conf.partners; p; p = p->next) {
        json_open(&j, NULL, '{');
        json_str(&j, "partner", p->name);
        json_str(&j, "by", str_of(way_of(p)));
        json_str(&j, "where", address_of(p));
        json_str(&j, "state", state_of(v, p));
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_end(&j);
}

static int list(struct view *v)
{
    if (cmd_globals.json)
        print_json(v);
    else
        print_list(v);
    return EXIT_DONE;
}

/* ---- arguments ---------------------------------------------------------- */

struct asked {
    const char *verb, *name, *fingerprint;
};

static int take_arguments(struct asked *x, int argc, char **argv)
{
    if (argc == 1)
        return EXIT_DONE;
    x->verb = argv[1];
    if (strcmp(x->verb, "test") != 0 && strcmp(x->verb, "trust") != 0)
        return cmd_usage(&cmd_partner, "wants test or trust, not %s", x->verb);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--fingerprint") == 0 &&
            strcmp(x->verb, "trust") == 0) {
            if (++i == argc || !conf_is_fingerprint(str_of(argv[i])))
                return cmd_usage(&cmd_partner,
                                 "--fingerprint wants SHA256: and 43 "
                                 "characters");
            x->fingerprint = argv[i];
        } else if (argv[i][0] == '-') {
            return cmd_usage(&cmd_partner, "unknown option %s", argv[i]);
        } else if (x->name) {
            return cmd_usage(&cmd_partner, "%s takes one partner", x->verb);
        } else {
            x->name = argv[i];
        }
    }
    if (!x->name)
        return cmd_usage(&cmd_partner, "%s wants the name of a partner",
                         x->verb);
    return EXIT_DONE;
}

static int unknown_partner(struct view *v, const char *name)
{
    const char *names[64], *near;
    size_t n = 0;

    for (const struct partner *p = v->conf.partners; p && n < COUNT(names);
         p = p->next)
        names[n++] = arena_cstr(&v->arena, p->name);
    near = nearest(str_of(name), names, n);
    return cmd_usage(&cmd_partner, "no partner is called %s%s%s%s", name,
                     near ? "; did you mean " : "", near ? near : "",
                     near ? "?" : "");
}

static int act(struct view *v, const struct asked *x)
{
    const struct partner *p;
    int rc;

    if (!x->verb) {
        rc = view_any_ledger(v);
        return rc == EXIT_DONE ? list(v) : rc;
    }
    p = conf_partner(&v->conf, str_of(x->name));
    if (!p)
        return unknown_partner(v, x->name);
    if (!p->remote)
        return cmd_usage(&cmd_partner,
                         "%s has a folder; kervan check looks at it", x->name);
    if (strcmp(x->verb, "test") == 0)
        return partner_test(v, p);
    return partner_trust(v, p, x->fingerprint);
}

static int run(int argc, char **argv)
{
    struct asked x = { 0 };
    struct view v = { 0 };
    int rc = take_arguments(&x, argc, argv);

    if (rc != EXIT_DONE)
        return rc;
    rc = view_conf(&v, false);
    if (rc == EXIT_DONE)
        rc = act(&v, &x);
    view_close(&v);
    return rc;
}

const struct cmd cmd_partner = {
    .name = "partner",
    .args = "[test NAME | trust NAME [--fingerprint SHA256:...]]",
    .help = "list partners; test and trust a server by SFTP",
    .more =
        "  kervan partner              who there is, where, and in which "
        "state\n"
        "  kervan partner test NAME    connects, logs in, lists the folders "
        "that routes use,\n"
        "                              and writes, renames and deletes a "
        "small file\n"
        "                              (.kervan-test-...) where routes "
        "deliver\n"
        "  kervan partner trust NAME   shows the key of the server and asks "
        "whether to\n"
        "                              accept it, into his known_hosts file\n"
        "\n"
        "  --fingerprint SHA256:...    accepts exactly this key, and asks "
        "nobody\n"
        "\n"
        "What is held because of a key goes on by itself when it is "
        "accepted. Run them as\n"
        "the user that the daemon runs as, so that they may read his "
        "secrets.\n"
        "\n"
        "Exit status: 0 all is well; 1 a step of the test failed, or the key "
        "was not\naccepted; 2 wrong usage or configuration; 3 the server was "
        "not reached.\n",
    .run = run,
};
