/*
 * stream_libssh2.c - the line over libssh2, the usual one.
 *
 * libssh2 wants a call that came back with EAGAIN to be repeated as it was,
 * with the same bytes at the same address, and refuses any other that sends
 * until then (BAD_USE); reading sends, too, when the window has to grow. Who
 * calls us should not have to know: what is written goes through `out`, and
 * what has to be read so that writing can go on waits in `in`.
 */
#include "courier/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libssh2.h>
#include <openssl/crypto.h>

#include "courier/dial.h"
#include "courier/ssh.h"

enum { PIECE = 32000 /* what libssh2 puts into one packet */ };

struct state {
    struct ssh ssh;
    LIBSSH2_SESSION *session;
    LIBSSH2_AGENT *agent;
    LIBSSH2_CHANNEL *channel;
    bool rsa_in_agent;
    char methods[256]; /* that the server would take */
    size_t out_len, in_at, in_len;
    char out[PIECE], in[PIECE];
};

/* What is good enough, and what a partner's configuration can turn on. */
static const struct {
    int what;
    const char *strong, *weak;
} methods[] = {
    { LIBSSH2_METHOD_KEX,
      "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
      "ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
      "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,"
      "diffie-hellman-group18-sha512,diffie-hellman-group14-sha256",
      "diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,"
      "diffie-hellman-group1-sha1" },
    { LIBSSH2_METHOD_HOSTKEY,
      "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
      "ecdsa-sha2-nistp521",
      "ssh-rsa,ssh-dss" },
    { LIBSSH2_METHOD_CRYPT_CS, "aes128-ctr,aes192-ctr,aes256-ctr",
      "aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc" },
    { LIBSSH2_METHOD_CRYPT_SC, "aes128-ctr,aes192-ctr,aes256-ctr",
      "aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc" },
    { LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256,hmac-sha2-512",
      "hmac-sha1,hmac-sha1-96" },
    { LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256,hmac-sha2-512",
      "hmac-sha1,hmac-sha1-96" },
};

static const char *last_words(struct state *st)
{
    char *words = NULL;

    (void)libssh2_session_last_error(st->session, &words, NULL, 0);
    return words ? words : "";
}

static bool is_named(const struct login *l)
{
    return l->transport && *l->transport;
}

static bool is_lost(int rc)
{
    return rc == LIBSSH2_ERROR_SOCKET_DISCONNECT ||
           rc == LIBSSH2_ERROR_SOCKET_SEND || rc == LIBSSH2_ERROR_SOCKET_RECV ||
           rc == LIBSSH2_ERROR_BANNER_RECV || rc == LIBSSH2_ERROR_TIMEOUT;
}

/* What it says of a private key that it could not read. */
static bool is_about_key(int rc)
{
    return rc == LIBSSH2_ERROR_FILE || rc == LIBSSH2_ERROR_PROTO ||
           rc == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED;
}

static int other_transport(const char *why, struct failure *f)
{
    failed(f, OUTCOME_OTHER_TRANSPORT, "libssh");
    snprintf(f->fingerprint, sizeof(f->fingerprint), "%s", why);
    return -1;
}

/* ---- prepare ------------------------------------------------------------- */

static int set_methods(struct state *st, const struct login *l,
                       struct failure *f)
{
    char list[800], preferred[800];

    for (size_t i = 0; i < COUNT(methods); i++) {
        ssh_methods(list, sizeof(list), methods[i].strong, methods[i].weak, l);
        if (methods[i].what == LIBSSH2_METHOD_HOSTKEY)
            hostkeys_prefer(&st->ssh.known, list, preferred, sizeof(preferred));
        else
            snprintf(preferred, sizeof(preferred), "%s", list);
        if (libssh2_session_method_pref(st->session, methods[i].what,
                                        preferred) != 0)
            return failed(f, OUTCOME_SETUP, "libssh2: %s", last_words(st));
    }
    return 0;
}

/* libssh2 does not show its descriptor: it is the lowest one that is free. */
static int open_agent(struct stream *s, struct failure *f)
{
    struct state *st = s->state;
    int next = dup(s->fd);

    close(next);
    st->agent = libssh2_agent_init(st->session);
    if (!st->agent || libssh2_agent_connect(st->agent) != 0)
        return failed(f, OUTCOME_SETUP,
                      "the agent (SSH_AUTH_SOCK) does not answer");
    s->agent_fd = next;
    return 0;
}

static int prepare(struct stream *s, const struct login *l, struct failure *f)
{
    struct state *st = calloc(1, sizeof(*st));

    s->state = st;
    if (!st)
        return failed_sys(f, OUTCOME_LOCAL, "libssh2");
    if (ssh_prepare(&st->ssh, s, l, f) == -1)
        return -1;
    /* Now, for it reads its configuration. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG |
                                  OPENSSL_INIT_ADD_ALL_CIPHERS |
                                  OPENSSL_INIT_ADD_ALL_DIGESTS,
                              NULL);
    if (libssh2_init(0) != 0 ||
        !(st->session = libssh2_session_init_ex(NULL, NULL, NULL, st)))
        return failed(f, OUTCOME_LOCAL, "libssh2 does not start");
    snprintf(s->line.transport, sizeof(s->line.transport), "libssh2 %s",
             libssh2_version(0));
    if (set_methods(st, l, f) == -1)
        return -1;
    return l->agent ? open_agent(s, f) : 0;
}

/* ---- handshake ----------------------------------------------------------- */

static int tell_handshake(struct state *st, int rc, const struct login *l,
                          struct failure *f)
{
    char words[120];

    ssh_clean(words, sizeof(words), last_words(st));
    if (rc != LIBSSH2_ERROR_KEX_FAILURE && rc != LIBSSH2_ERROR_METHOD_NONE)
        return failed(f, OUTCOME_NO_ANSWER, "the handshake failed: %s (%d)",
                      words, rc);
    if (!is_named(l))
        return other_transport("libssh2 and the server have no algorithms in "
                               "common",
                               f);
    return failed(f, OUTCOME_SETUP,
                  "libssh2 and the server have no algorithms in common: %s",
                  words);
}

static void tell_line(struct stream *s, const struct login *l)
{
    static const int told[] = { LIBSSH2_METHOD_KEX, LIBSSH2_METHOD_HOSTKEY,
                                LIBSSH2_METHOD_CRYPT_CS,
                                LIBSSH2_METHOD_MAC_CS };
    struct state *st = s->state;
    struct line *line = &s->line;
    size_t len = 0;

    ssh_clean(line->server, sizeof(line->server),
              libssh2_session_banner_get(st->session));
    for (size_t i = 0; i < COUNT(told); i++) {
        const char *name = libssh2_session_methods(st->session, told[i]);

        len += (size_t)snprintf(line->algorithms + len,
                                sizeof(line->algorithms) - len, "%s%.60s",
                                len ? " " : "", name ? name : "none");
    }
    ssh_tell_weak(line, l);
}

static int handshake(struct stream *s, const struct login *l, struct failure *f)
{
    struct state *st = s->state;
    const char *blob;
    size_t len = 0;
    int rc, type;

    rc = libssh2_session_handshake(st->session, s->fd);
    if (rc != 0)
        return tell_handshake(st, rc, l, f);
    tell_line(s, l);
    blob = libssh2_session_hostkey(st->session, &len, &type);
    return hostkeys_check(&st->ssh.known, l,
                          (struct str){ blob, blob ? len : 0 }, &s->line, f);
}

/* ---- login --------------------------------------------------------------- */

/* 0: logged in, or the list of what would be taken; -1: the line is lost. */
static int ask_methods(struct state *st, const struct login *l)
{
    char *list =
        libssh2_userauth_list(st->session, l->user, (unsigned)strlen(l->user));

    st->methods[0] = '\0';
    if (list)
        snprintf(st->methods, sizeof(st->methods), "%s", list);
    return list || libssh2_userauth_authenticated(st->session) ? 0 : -1;
}

static bool takes(const struct state *st, const char *method)
{
    struct str rest = str_of(st->methods);

    while (rest.len) {
        ptrdiff_t comma = str_find_char(rest, ',');
        struct str one = comma < 0 ? rest : str_first(rest, (size_t)comma);

        if (str_is(one, method))
            return true;
        rest = str_from(rest, one.len + 1);
    }
    return false;
}

static int by_key(struct state *st, const struct login *l)
{
    const struct ssh *c = &st->ssh;

    return libssh2_userauth_publickey_frommemory(
        st->session, l->user, strlen(l->user), NULL, 0, c->key.p, c->key.len,
        c->passphrase.p ? c->passphrase.p : "");
}

static int by_agent(struct state *st, const struct login *l)
{
    struct libssh2_agent_publickey *key = NULL;
    int rc = libssh2_agent_list_identities(st->agent);

    if (rc != 0)
        return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
    while (libssh2_agent_get_identity(st->agent, &key, key) == 0) {
        struct str blob = { (char *)key->blob, key->blob_len };

        if (str_starts(str_from(blob, 4), STR("ssh-rsa")))
            st->rsa_in_agent = true; /* it cannot sign with it as it should */
        else if ((rc = libssh2_agent_userauth(st->agent, l->user, key)) == 0)
            return 0;
        if (is_lost(rc))
            return rc;
    }
    return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
}

static int by_password(struct state *st, const struct login *l)
{
    return libssh2_userauth_password_ex(
        st->session, l->user, (unsigned)strlen(l->user), st->ssh.password.p,
        (unsigned)st->ssh.password.len, NULL);
}

/* "Too many authentication failures", and the like. */
static void on_disconnect(LIBSSH2_SESSION *session, int reason,
                          const char *message, int message_len,
                          const char *language, int language_len,
                          void **abstract)
{
    struct state *st = *abstract;

    (void)session;
    (void)reason;
    (void)message;
    (void)message_len;
    (void)language;
    (void)language_len;
    st->ssh.was_refused = true;
}

/* libssh2 frees the answers. */
static void answer(const char *name, int name_len, const char *instruction,
                   int instruction_len, int n_prompts,
                   const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts,
                   LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract)
{
    struct state *st = *abstract;

    (void)name;
    (void)name_len;
    (void)instruction;
    (void)instruction_len;
    if (n_prompts > 0)
        st->ssh.rounds++;
    for (int i = 0; i < n_prompts; i++) {
        bool with = ssh_answers(&st->ssh, n_prompts, prompts[i].echo);

        responses[i].text = strdup(with ? st->ssh.password.p : "");
        responses[i].length = with ? (unsigned)st->ssh.password.len : 0;
    }
}

static int by_keyboard(struct state *st, const struct login *l)
{
    return libssh2_userauth_keyboard_interactive_ex(
        st->session, l->user, (unsigned)strlen(l->user), answer);
}

static const struct {
    unsigned way;
    const char *method;
    int (*log_in)(struct state *st, const struct login *l);
} ways[] = {
    { BY_KEY, "publickey", by_key },
    { BY_AGENT, "publickey", by_agent },
    { BY_PASSWORD, "password", by_password },
    { BY_KEYBOARD, "keyboard-interactive", by_keyboard },
};

static bool has(const struct state *st, unsigned way)
{
    return way == BY_KEY     ? st->ssh.key.p != NULL
           : way == BY_AGENT ? st->agent != NULL
                             : st->ssh.password.p != NULL;
}

/* A key that does not open is our mistake, whatever else could be tried. */
static int log_in(struct stream *s, const struct login *l, struct failure *f)
{
    struct state *st = s->state;
    /* The library takes a function for a pointer to data, as POSIX does. */
    union {
        LIBSSH2_DISCONNECT_FUNC((*function));
        void *any;
    } callback = { on_disconnect };
    int rc = ask_methods(st, l);

    (void)libssh2_session_callback_set(st->session, LIBSSH2_CALLBACK_DISCONNECT,
                                       callback.any);
    for (size_t i = 0; rc == 0 && i < COUNT(ways); i++) {
        if (libssh2_userauth_authenticated(st->session))
            return 0;
        if (!has(st, ways[i].way) || !takes(st, ways[i].method))
            continue;
        st->ssh.tried |= ways[i].way;
        rc = ways[i].log_in(st, l);
        if (rc == 0)
            return 0;
        if (ways[i].way == BY_KEY && is_about_key(rc))
            return failed(f, OUTCOME_SETUP,
                          "key: %s cannot be used: its passphrase is wrong or "
                          "missing, or libssh2 does not know that kind",
                          l->key);
        if (ways[i].way == BY_KEYBOARD && rc == -1 && !is_named(l))
            return other_transport("libssh2 does not understand what the "
                                   "server asks at the login",
                                   f);
        rc = is_lost(rc) ? rc : ask_methods(st, l);
        st->ssh.was_refused = st->ssh.was_refused || rc == 0;
    }
    if (libssh2_userauth_authenticated(st->session))
        return 0;
    if (rc != 0 && !st->ssh.tried)
        return failed(f, OUTCOME_NO_ANSWER,
                      "the line was lost during the login");
    if ((st->rsa_in_agent || st->ssh.kind == KEY_RSA) && !is_named(l))
        return other_transport("an RSA key: libssh2 cannot sign with rsa-sha2",
                               f);
    return ssh_refused(&st->ssh, l, rc == 0 ? st->methods : NULL, f);
}

/* ---- the channel --------------------------------------------------------- */

static int open_channel(struct stream *s, const struct login *l,
                        struct failure *f)
{
    struct state *st = s->state;
    char words[120];

    (void)l;
    st->channel = libssh2_channel_open_ex(st->session, "session", 7,
                                          SFTP_WINDOW, SFTP_PACKET, NULL, 0);
    if (st->channel && libssh2_channel_subsystem(st->channel, "sftp") == 0) {
        (void)libssh2_channel_handle_extended_data2(
            st->channel, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
        libssh2_session_set_blocking(st->session, 0);
        return 0;
    }
    ssh_clean(words, sizeof(words), last_words(st));
    return failed(f,
                  is_lost(libssh2_session_last_errno(st->session))
                      ? OUTCOME_NO_ANSWER
                      : OUTCOME_DENIED,
                  "the server does not open SFTP: %s", words);
}

static int open_line(struct stream *s, const struct login *l, struct failure *f)
{
    static const struct ssh_steps steps = { handshake, log_in, open_channel };
    struct state *st = s->state;

    return ssh_open(&st->ssh, s, l, &steps, f);
}

/* ---- read, write --------------------------------------------------------- */

/* > 0, 0 at the end, -1 with errno. */
static ssize_t take(struct state *st, void *buf, size_t len)
{
    ssize_t n = libssh2_channel_read(st->channel, buf, len);

    if (n > 0)
        return n;
    if (n == LIBSSH2_ERROR_EAGAIN || n == LIBSSH2_ERROR_BAD_USE)
        errno = EAGAIN;
    else if (n == LIBSSH2_ERROR_SOCKET_DISCONNECT ||
             (n == 0 && libssh2_channel_eof(st->channel)))
        return 0;
    else
        errno = n == 0 ? EAGAIN : EIO;
    return -1;
}

/* 0: all is out, or with the library; -1: errno. */
static int flush(struct state *st)
{
    while (st->out_len) {
        ssize_t n = libssh2_channel_write(st->channel, st->out, st->out_len);

        if (n > 0 && (size_t)n < st->out_len)
            memmove(st->out, st->out + n, st->out_len - (size_t)n);
        if (n > 0) {
            st->out_len -= (size_t)n;
            continue;
        }
        /* Reading has something to send, and must come first. */
        if (n == LIBSSH2_ERROR_BAD_USE && st->in_len == 0) {
            ssize_t got = take(st, st->in, sizeof(st->in));

            st->in_at = 0;
            st->in_len = got > 0 ? (size_t)got : 0;
        }
        errno =
            n == LIBSSH2_ERROR_EAGAIN || n == LIBSSH2_ERROR_BAD_USE || n == 0
                ? EAGAIN
                : EPIPE;
        return -1;
    }
    return 0;
}

static ssize_t read_line(struct stream *s, void *buf, size_t len)
{
    struct state *st = s->state;

    if (st->in_len) {
        size_t n = st->in_len < len ? st->in_len : len;

        memcpy(buf, st->in + st->in_at, n);
        st->in_at += n;
        st->in_len -= n;
        return (ssize_t)n;
    }
    if (flush(st) == -1 && errno != EAGAIN)
        return -1;
    if (st->in_len)
        return read_line(s, buf, len);
    return take(st, buf, len);
}

static ssize_t write_line(struct stream *s, const void *buf, size_t len)
{
    struct state *st = s->state;
    size_t n = len < sizeof(st->out) ? len : sizeof(st->out);

    if (flush(st) == -1)
        return -1;
    memcpy(st->out, buf, n);
    st->out_len = n;
    if (flush(st) == -1 && errno != EAGAIN)
        return -1;
    return (ssize_t)n;
}

/* While the window is closed, only the server can go on. */
static short events(const struct stream *s, bool wants_write)
{
    struct state *st = s->state;
    bool out = (libssh2_session_block_directions(st->session) &
                LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;

    if ((wants_write || st->out_len) &&
        libssh2_channel_window_write(st->channel) > 0)
        out = true;
    return (short)(out ? POLLIN | POLLOUT : POLLIN);
}

static void close_line(struct stream *s)
{
    struct state *st = s->state;

    if (s->fd != -1)
        (void)shutdown(s->fd, SHUT_RDWR);
    if (!st)
        return;
    ssh_release(&st->ssh);
    if (st->session)
        libssh2_session_set_blocking(st->session, 0);
    if (st->agent) {
        (void)libssh2_agent_disconnect(st->agent);
        libssh2_agent_free(st->agent);
    }
    if (st->channel)
        (void)libssh2_channel_free(st->channel);
    if (st->session)
        (void)libssh2_session_free(st->session);
    if (s->fd != -1)
        close(s->fd);
    free(st);
    s->fd = -1;
    s->state = NULL;
}

const struct stream_kind stream_libssh2 = {
    .name = "libssh2",
    .prepare = prepare,
    .open = open_line,
    .read = read_line,
    .write = write_line,
    .events = events,
    .close = close_line,
};
