/*
 * partner_trust.c - `kervan partner trust`: shows the key of a partner's
 * server, and accepts it when a person says so.
 *
 * Nobody is trusted because he is met for the first time: without a person at
 * a terminal and without --fingerprint the key is only shown.
 */
#include <stdio.h>
#include <unistd.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/partner.h"
#include "spool/couriers.h"
#include "spool/known_hosts.h"
#include "spool/request.h"

/* "SHA256:..." of "TYPE SHA256:...". */
static struct str hash_of(struct str key)
{
    return str_from(key, (size_t)(str_find_char(key, ' ') + 1));
}

static bool is_asked(struct str key, const char *fingerprint)
{
    return str_eq(hash_of(key), str_of(fingerprint));
}

/* It comes from a process that has spoken to a stranger, and goes into a file
 * made of lines. */
static bool is_sound(struct str key)
{
    ptrdiff_t blank = str_find_char(key, ' ');

    for (ptrdiff_t i = 0; i < blank; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789@.-", key.p[i]))
            return false;
    return blank > 0 && conf_is_fingerprint(hash_of(key));
}

/* What is accepted now: from the configuration, and from known_hosts. */
static void show_accepted(const struct login *l, const struct known_hosts *k)
{
    printf("  accepted  ");
    if (!k->n && !l->n_pins)
        printf("%s\n", k->has_hashed ? "cannot be told: names are hashed"
                                     : "no key yet");
    for (size_t i = 0; i < l->n_pins; i++)
        printf("%s%s, in the configuration\n", i ? "            " : "",
               l->pins[i]);
    for (size_t i = 0; i < k->n; i++) {
        struct str key = k->keys[i].key;

        if (!str_starts(key, STR("SHA256:")))
            key = STR("(a whole key)");
        printf("%s%.*s %.*s, %s line %zu\n",
               i || l->n_pins ? "            " : "", STR_ARGS(k->keys[i].type),
               STR_ARGS(key), l->known_hosts, k->keys[i].line);
    }
}

/* Where OpenSSH keeps a key of that type. */
static const char *file_of(struct str type)
{
    if (str_is(type, "ssh-ed25519"))
        return "ssh_host_ed25519_key.pub";
    if (str_starts(type, STR("ecdsa-")))
        return "ssh_host_ecdsa_key.pub";
    if (str_is(type, "ssh-rsa") || str_starts(type, STR("rsa-")))
        return "ssh_host_rsa_key.pub";
    return "ssh_host_*_key.pub";
}

static void show_key(const struct partner *p, struct str key,
                     const struct known_hosts *k)
{
    const struct login *l = &p->remote->login;
    ptrdiff_t blank = str_find_char(key, ' ');

    printf("%.*s: the server at %s port %u shows\n\n"
           "  host key  %.*s\n",
           STR_ARGS(p->name), l->host, (unsigned)l->port, STR_ARGS(key));
    show_accepted(l, k);
    if (k->n || l->n_pins)
        printf("\nIt is NOT what was accepted: the server was set up anew, or "
               "another one\nanswers in its place.\n");
    printf("\nCompare it with what the partner's people say, or with what "
           "this prints there:\n\n"
           "  ssh-keygen -lf /etc/ssh/%s\n\n",
           file_of(str_first(key, blank < 0 ? 0 : (size_t)blank)));
}

/* A word in full: a key is not accepted by leaning on the keyboard. */
static bool says_yes(void)
{
    char answer[16];

    printf("Accept it? (yes or no) ");
    (void)fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) &&
           str_is(str_trim(str_of(answer)), "yes");
}

static int accept_key(struct view *v, const struct partner *p, struct str key)
{
    const struct login *l = &p->remote->login;
    size_t left = 0;
    struct err e;

    if (known_hosts_put(l, key, &v->arena, &left, &e) == -1)
        return view_failed(&e);
    if (request_reach(&v->conf, p->name, &v->arena, &e) == -1)
        return view_failed(&e);
    printf("Accepted, in %s. What is held for him goes on by itself.\n",
           l->known_hosts);
    if (left)
        printf("Other keys of that type stay: their lines name other servers, "
               "too.\n");
    return EXIT_DONE;
}

static int decide(struct view *v, const struct partner *p, struct str key,
                  const char *fingerprint)
{
    if (fingerprint && !is_asked(key, fingerprint))
        printf("Not accepted: it is not %s.\n", fingerprint);
    else if (!p->remote->login.known_hosts)
        printf("His keys stand in the configuration. To accept it, add to "
               "partner %.*s:\n\n  fingerprint %.*s\n",
               STR_ARGS(p->name), STR_ARGS(hash_of(key)));
    else if (fingerprint)
        return accept_key(v, p, key);
    else if (!isatty(STDIN_FILENO))
        printf("Not accepted. To accept it:\n\n"
               "  kervan partner trust %.*s --fingerprint %.*s\n",
               STR_ARGS(p->name), STR_ARGS(hash_of(key)));
    else if (says_yes())
        return accept_key(v, p, key);
    else
        puts("Not accepted.");
    return EXIT_ASIDE;
}

/* The key was accepted before. */
static int is_trusted(const struct partner *p, struct str key,
                      const char *fingerprint)
{
    printf("%.*s: the key of the server is accepted already%s%.*s\n",
           STR_ARGS(p->name), key.len ? ": " : "", STR_ARGS(key));
    if (!fingerprint || is_asked(key, fingerprint))
        return EXIT_DONE;
    printf(key.len ? "It is not %s.\n"
                   : "Whether it is %s cannot be told: the login was refused\n",
           fingerprint);
    return EXIT_ASIDE;
}

int partner_trust(struct view *v, const struct partner *p,
                  const char *fingerprint)
{
    struct known_hosts known;
    struct courier *c;
    struct line line = { 0 };
    struct failure f;
    struct err e;

    if (p->remote->login.through[0])
        return cmd_usage(&cmd_partner,
                         "%.*s is reached through a program, which knows "
                         "itself whom to trust",
                         STR_ARGS(p->name));
    if (known_hosts_read(&p->remote->login, &v->arena, &known, &e) == -1)
        return view_failed(&e);
    if (courier_open(&c, p, &line, &f) == 0) {
        int rc = is_trusted(p, str_of(line.host_key), fingerprint);

        courier_close(c);
        return rc;
    }
    /* Who is asked to log in has shown a key that is accepted. */
    if (f.how == OUTCOME_LOGIN)
        return is_trusted(p, str_of(f.fingerprint), fingerprint);
    if (f.how != OUTCOME_HOST_KEY || !is_sound(str_of(f.fingerprint))) {
        fprintf(stderr, "kervan: %.*s: %s\n", STR_ARGS(p->name), f.text);
        return EXIT_MACHINE;
    }
    show_key(p, str_of(f.fingerprint), &known);
    return decide(v, p, str_of(f.fingerprint), fingerprint);
}
