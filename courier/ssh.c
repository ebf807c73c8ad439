#include "courier/ssh.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "courier/dial.h"
#include "courier/watchdog.h"

/* ---- before the walls ---------------------------------------------------- */

static int read_secrets(struct ssh *c, const struct login *l, struct failure *f)
{
    if (l->key && secret_read(&c->key, l->key, "key", f) == -1)
        return -1;
    if (l->passphrase &&
        secret_read(&c->passphrase, l->passphrase, "passphrase", f) == -1)
        return -1;
    if (l->password &&
        secret_read(&c->password, l->password, "password", f) == -1)
        return -1;
    if (!l->key && !l->password && !l->agent)
        return failed(f, OUTCOME_SETUP,
                      "there is no key, agent or password to log in with");
    c->kind =
        c->key.p ? key_kind((struct str){ c->key.p, c->key.len }) : KEY_NONE;
    return 0;
}

int ssh_prepare(struct ssh *c, struct stream *s, const struct login *l,
                struct failure *f)
{
    /* The end of a line is an error to be read, not a signal. */
    (void)signal(SIGPIPE, SIG_IGN);
    watchdog_ready();
    if (read_secrets(c, l, f) == -1 || hostkeys_load(&c->known, l, f) == -1)
        return -1;
    return dial(s, l, f);
}

void ssh_release(struct ssh *c)
{
    secret_release(&c->key);
    secret_release(&c->passphrase);
    secret_release(&c->password);
}

/* What cannot be read says so later, in ssh_prepare(). */
bool ssh_wants_libssh(const struct login *l, char *why, size_t size)
{
    struct secret key = { 0 };
    struct hostkeys known;
    struct failure f;
    enum key_kind kind = KEY_NONE;

    if (l->key && secret_read(&key, l->key, "key", &f) == 0)
        kind = key_kind((struct str){ key.p, key.len });
    secret_release(&key);
    if (kind == KEY_RSA)
        snprintf(why, size, "an RSA key: libssh2 cannot sign with rsa-sha2");
    else if (kind == KEY_UNTOLD)
        snprintf(why, size, "a key whose kind its file does not tell");
    else if (hostkeys_load(&known, l, &f) == 0 && hostkeys_are_rsa(&known))
        snprintf(why, size,
                 "the accepted host key is an RSA key: libssh2 has "
                 "no rsa-sha2");
    else
        return false;
    return true;
}

/* ---- algorithms ---------------------------------------------------------- */

static bool is_listed(const struct login *l, struct str name)
{
    for (size_t i = 0; i < l->n_weak; i++)
        if (str_is(name, l->weak[i]))
            return true;
    return false;
}

void ssh_methods(char *to, size_t size, const char *strong, const char *weak,
                 const struct login *l)
{
    size_t len = (size_t)snprintf(to, size, "%s", strong);

    for (struct str rest = str_of(weak); rest.len;) {
        ptrdiff_t comma = str_find_char(rest, ',');
        struct str one = comma < 0 ? rest : str_first(rest, (size_t)comma);

        rest = str_from(rest, one.len + 1);
        if (is_listed(l, one) && len + one.len + 2 <= size)
            len +=
                (size_t)snprintf(to + len, size - len, ",%.*s", STR_ARGS(one));
    }
}

void ssh_tell_weak(struct line *line, const struct login *l)
{
    size_t len = strlen(line->why);

    for (struct str rest = str_of(line->algorithms); rest.len;) {
        ptrdiff_t blank = str_find_char(rest, ' ');
        struct str one = blank < 0 ? rest : str_first(rest, (size_t)blank);

        rest = str_from(rest, one.len + 1);
        if (is_listed(l, one) && len + one.len + 20 < sizeof(line->why))
            len += (size_t)snprintf(line->why + len, sizeof(line->why) - len,
                                    "%sweak: %.*s", len ? "; " : "",
                                    STR_ARGS(one));
    }
}

/* ---- steps --------------------------------------------------------------- */

/* -1: it failed, or the watchdog barked, which is the better reason. */
static int step(struct stream *s, const struct login *l,
                int (*run)(struct stream *s, const struct login *l,
                           struct failure *f),
                const char *name, uint32_t seconds, uint32_t *ms,
                struct failure *f)
{
    uint64_t began = now_ms();
    int rc;

    watchdog_start(s->fd, seconds);
    rc = run(s, l, f);
    if (watchdog_stop())
        rc = failed(f, OUTCOME_NO_ANSWER,
                    "the server did not finish %s within %u s", name,
                    seconds ? seconds : 1);
    *ms = (uint32_t)(now_ms() - began);
    return rc;
}

int ssh_open(struct ssh *c, struct stream *s, const struct login *l,
             const struct ssh_steps *steps, struct failure *f)
{
    int rc = step(s, l, steps->handshake, "the handshake", l->handshake_s,
                  &s->line.handshake_ms, f);

    if (rc == 0)
        rc = step(s, l, steps->log_in, "the login", l->login_s,
                  &s->line.login_ms, f);
    ssh_release(c);
    if (rc == 0)
        rc = step(s, l, steps->open_channel, "opening SFTP", l->handshake_s,
                  &s->line.open_ms, f);
    return rc;
}

bool ssh_answers(struct ssh *c, int n_prompts, bool echo)
{
    return c->rounds == 1 && n_prompts <= 3 && !echo && c->password.p;
}

int ssh_refused(const struct ssh *c, const struct login *l, const char *methods,
                struct failure *f)
{
    static const struct {
        unsigned by;
        const char *name;
    } ways[] = {
        { BY_KEY, "key" },
        { BY_AGENT, "agent" },
        { BY_PASSWORD, "password" },
        { BY_KEYBOARD, "keyboard-interactive" },
    };
    char tried[80] = "", allowed[120];
    size_t len = 0;

    if (c->tried && !c->was_refused)
        return failed(f, OUTCOME_LEFT, "the server hung up during the login");
    for (size_t i = 0; i < COUNT(ways); i++)
        if (c->tried & ways[i].by)
            len += (size_t)snprintf(tried + len, sizeof(tried) - len, "%s%s",
                                    len ? ", " : "", ways[i].name);
    if (!methods)
        return failed(f, OUTCOME_LOGIN, "the server hung up on %s; tried: %s",
                      l->user, tried);
    ssh_clean(allowed, sizeof(allowed), methods);
    return failed(
        f, OUTCOME_LOGIN,
        "the server refused the login of %s; tried: %s; it would take: %s",
        l->user, len ? tried : "nothing", *allowed ? allowed : "nothing");
}

void ssh_clean(char *to, size_t size, const char *words)
{
    size_t n = 0;

    for (; words && *words && n + 1 < size; words++)
        to[n++] = *words >= ' ' && *words < 127 ? *words : '?';
    to[n] = '\0';
}
