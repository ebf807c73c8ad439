/*
 * stream_libssh.c - the line over libssh, for what libssh2 1.10 cannot do:
 * signatures with rsa-sha2, MACs over what is encrypted, AES-GCM.
 *
 * libssh reads files of its own accord. Its configuration is turned off; it
 * looks for known_hosts whatever it is told, and does without (walls.c): host
 * keys are our own matter (hostkey.h). It takes any amount to be written and
 * keeps it; so it only gets what the window allows and no more while some of
 * it waits for the socket.
 */
#include "courier/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libssh/libssh.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "courier/dial.h"
#include "courier/ssh.h"

struct state {
    struct ssh ssh;
    ssh_session session;
    ssh_channel channel;
    ssh_key key;
};

static const struct {
    enum ssh_options_e what;
    const char *strong, *weak;
} methods[] = {
    { SSH_OPTIONS_KEY_EXCHANGE,
      "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
      "ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group16-sha512,"
      "diffie-hellman-group18-sha512,diffie-hellman-group-exchange-sha256,"
      "diffie-hellman-group14-sha256",
      "diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,"
      "diffie-hellman-group1-sha1" },
    { SSH_OPTIONS_HOSTKEYS,
      "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
      "ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256",
      "ssh-rsa" },
    { SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES,
      "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
      "ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256",
      "ssh-rsa" },
    { SSH_OPTIONS_CIPHERS_C_S,
      "aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
      "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr",
      "aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc" },
    { SSH_OPTIONS_CIPHERS_S_C,
      "aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
      "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr",
      "aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc" },
    { SSH_OPTIONS_HMAC_C_S,
      "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
      "hmac-sha2-256,hmac-sha2-512",
      "hmac-sha1-etm@openssh.com,hmac-sha1" },
    { SSH_OPTIONS_HMAC_S_C,
      "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
      "hmac-sha2-256,hmac-sha2-512",
      "hmac-sha1-etm@openssh.com,hmac-sha1" },
};

/* ---- prepare ------------------------------------------------------------- */

static int set_methods(struct state *st, const struct login *l,
                       struct failure *f)
{
    char list[800], preferred[800];

    for (size_t i = 0; i < COUNT(methods); i++) {
        ssh_methods(list, sizeof(list), methods[i].strong, methods[i].weak, l);
        if (methods[i].what == SSH_OPTIONS_HOSTKEYS)
            hostkeys_prefer(&st->ssh.known, list, preferred, sizeof(preferred));
        else
            snprintf(preferred, sizeof(preferred), "%s", list);
        if (ssh_options_set(st->session, methods[i].what, preferred) != 0)
            return failed(f, OUTCOME_SETUP, "libssh: %s",
                          ssh_get_error(st->session));
    }
    return 0;
}

/* Limits are the watchdog's: libssh's own only has to be longer. */
static int set_options(struct stream *s, const struct login *l,
                       struct failure *f)
{
    struct state *st = s->state;
    const struct {
        enum ssh_options_e what;
        const void *value;
    } options[] = {
        { SSH_OPTIONS_PROCESS_CONFIG, &(bool){ false } },
        { SSH_OPTIONS_SSH_DIR, "/nonexistent" },
        { SSH_OPTIONS_KNOWNHOSTS, "/nonexistent" },
        { SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/nonexistent" },
        { SSH_OPTIONS_HOST, l->host },
        { SSH_OPTIONS_PORT, &l->port },
        { SSH_OPTIONS_USER, l->user },
        { SSH_OPTIONS_FD, &s->fd },
        { SSH_OPTIONS_TIMEOUT,
          &(long){ (long)l->handshake_s + l->login_s + 60 } },
        { SSH_OPTIONS_COMPRESSION, "no" },
        { SSH_OPTIONS_GSSAPI_AUTH, &(int){ 0 } },
    };

    for (size_t i = 0; i < COUNT(options); i++)
        if (ssh_options_set(st->session, options[i].what, options[i].value) !=
            0)
            return failed(f, OUTCOME_SETUP, "libssh: %s",
                          ssh_get_error(st->session));
    return set_methods(st, l, f);
}

static int open_agent(struct stream *s, struct failure *f)
{
    struct state *st = s->state;
    const char *path = getenv("SSH_AUTH_SOCK");

    if (!path)
        return failed(f, OUTCOME_SETUP, "there is no agent: SSH_AUTH_SOCK");
    s->agent_fd = dial_local(path);
    if (s->agent_fd == -1 ||
        ssh_set_agent_socket(st->session, s->agent_fd) != SSH_OK)
        return failed_sys(f, OUTCOME_SETUP, "the agent (SSH_AUTH_SOCK)");
    return 0;
}

/* Instead of a question on a terminal. */
static int no_passphrase(const char *prompt, char *buf, size_t len, int echo,
                         int verify, void *data)
{
    (void)prompt;
    (void)buf;
    (void)len;
    (void)echo;
    (void)verify;
    (void)data;
    return -1;
}

static int load_key(struct state *st, const struct login *l, struct failure *f)
{
    if (!l->key)
        return 0;
    if (ssh_pki_import_privkey_base64(st->ssh.key.p, st->ssh.passphrase.p,
                                      no_passphrase, NULL, &st->key) != SSH_OK)
        return failed(f, OUTCOME_SETUP,
                      "key: %s cannot be used: its passphrase is wrong or "
                      "missing, or libssh does not know that kind",
                      l->key);
    if (ssh_key_type(st->key) == SSH_KEYTYPE_DSS)
        return failed(f, OUTCOME_SETUP, "key: %s is a DSA key: too weak",
                      l->key);
    return 0;
}

static int prepare(struct stream *s, const struct login *l, struct failure *f)
{
    struct state *st = calloc(1, sizeof(*st));

    s->state = st;
    if (!st)
        return failed_sys(f, OUTCOME_LOCAL, "libssh");
    (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG |
                                  OPENSSL_INIT_ADD_ALL_CIPHERS |
                                  OPENSSL_INIT_ADD_ALL_DIGESTS,
                              NULL);
    if (ssh_init() != SSH_OK || !(st->session = ssh_new()))
        return failed(f, OUTCOME_LOCAL, "libssh does not start");
    (void)ssh_set_log_level(SSH_LOG_NONE);
    if (ssh_prepare(&st->ssh, s, l, f) == -1 || load_key(st, l, f) == -1)
        return -1;
    /* "0.10.6/openssl/zlib" */
    snprintf(s->line.transport, sizeof(s->line.transport), "libssh %.*s",
             (int)strcspn(ssh_version(0), "/"), ssh_version(0));
    if (set_options(s, l, f) == -1)
        return -1;
    return l->agent ? open_agent(s, f) : 0;
}

/* ---- handshake ----------------------------------------------------------- */

static int check_host(struct stream *s, const struct login *l,
                      struct failure *f)
{
    struct state *st = s->state;
    unsigned char blob[8192];
    ssh_key key = NULL;
    char *text = NULL;
    int len = -1;

    if (ssh_get_server_publickey(st->session, &key) == SSH_OK &&
        ssh_pki_export_pubkey_base64(key, &text) == SSH_OK) {
        size_t n = strlen(text);

        if (n / 4 * 3 <= sizeof(blob))
            len = EVP_DecodeBlock(blob, (unsigned char *)text, (int)n);
        while (len > 0 && n && text[--n] == '=')
            len--;
    }
    ssh_key_free(key);
    ssh_string_free_char(text);
    if (len < 0)
        len = 0;
    return hostkeys_check(&st->ssh.known, l,
                          (struct str){ (char *)blob, (size_t)len }, &s->line,
                          f);
}

/* libssh does not tell with which hash an RSA key has signed. */
static void tell_line(struct stream *s, const struct login *l)
{
    struct state *st = s->state;
    struct line *line = &s->line;
    struct str type = str_of(line->host_key);
    char allowed[200];

    type = str_first(type, (size_t)(strcspn(line->host_key, " ")));
    ssh_methods(allowed, sizeof(allowed), "", "ssh-rsa", l);
    if (str_is(type, "ssh-rsa") && !*allowed)
        type = STR("rsa-sha2");
    ssh_clean(line->server, sizeof(line->server),
              ssh_get_serverbanner(st->session));
    snprintf(line->algorithms, sizeof(line->algorithms),
             "%.60s %.*s %.60s %.60s", ssh_get_kex_algo(st->session),
             STR_ARGS(type), ssh_get_cipher_out(st->session),
             ssh_get_hmac_out(st->session));
    ssh_tell_weak(line, l);
}

static int handshake(struct stream *s, const struct login *l, struct failure *f)
{
    struct state *st = s->state;
    char words[300];
    int rc;

    rc = ssh_connect(st->session);
    if (rc == SSH_OK) {
        rc = check_host(s, l, f);
        tell_line(s, l);
        return rc;
    }
    ssh_clean(words, sizeof(words), ssh_get_error(st->session));
    return failed(f,
                  strstr(words, "no match for method") ? OUTCOME_SETUP
                                                       : OUTCOME_NO_ANSWER,
                  "the handshake failed: %s", words);
}

/* ---- login --------------------------------------------------------------- */

static int by_key(struct state *st)
{
    return ssh_userauth_publickey(st->session, NULL, st->key);
}

static int by_agent(struct state *st)
{
    return ssh_userauth_agent(st->session, NULL);
}

static int by_password(struct state *st)
{
    return ssh_userauth_password(st->session, NULL, st->ssh.password.p);
}

static int by_keyboard(struct state *st)
{
    int rc = ssh_userauth_kbdint(st->session, NULL, NULL);

    while (rc == SSH_AUTH_INFO) {
        int n = ssh_userauth_kbdint_getnprompts(st->session);

        if (n > 0)
            st->ssh.rounds++;
        for (int i = 0; i < n; i++) {
            char echo = 0;
            bool with;

            (void)ssh_userauth_kbdint_getprompt(st->session, (unsigned)i,
                                                &echo);
            with = ssh_answers(&st->ssh, n, echo);
            if (ssh_userauth_kbdint_setanswer(st->session, (unsigned)i,
                                              with ? st->ssh.password.p : "") <
                0)
                return SSH_AUTH_ERROR;
        }
        rc = ssh_userauth_kbdint(st->session, NULL, NULL);
    }
    return rc;
}

static const struct {
    unsigned way;
    int method;
    const char *name;
    int (*log_in)(struct state *st);
} ways[] = {
    { BY_KEY, SSH_AUTH_METHOD_PUBLICKEY, "publickey", by_key },
    { BY_AGENT, SSH_AUTH_METHOD_PUBLICKEY, NULL, by_agent },
    { BY_PASSWORD, SSH_AUTH_METHOD_PASSWORD, "password", by_password },
    { BY_KEYBOARD, SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive",
      by_keyboard },
};

static bool has(const struct stream *s, unsigned way)
{
    const struct state *st = s->state;

    return way == BY_KEY     ? st->key != NULL
           : way == BY_AGENT ? s->agent_fd != -1
                             : st->ssh.password.p != NULL;
}

static int refused(struct state *st, const struct login *l, struct failure *f)
{
    int list = ssh_userauth_list(st->session, NULL);
    char names[120] = "";
    size_t len = 0;

    for (size_t i = 0; i < COUNT(ways); i++)
        if (ways[i].name && (list & ways[i].method))
            len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
                                    len ? "," : "", ways[i].name);
    return ssh_refused(&st->ssh, l, names, f);
}

static int log_in(struct stream *s, const struct login *l, struct failure *f)
{
    struct state *st = s->state;
    int rc = ssh_userauth_none(st->session, NULL);

    for (size_t i = 0; i < COUNT(ways); i++) {
        if (rc == SSH_AUTH_SUCCESS || rc == SSH_AUTH_ERROR)
            break;
        if (!has(s, ways[i].way) ||
            !(ssh_userauth_list(st->session, NULL) & ways[i].method))
            continue;
        st->ssh.tried |= ways[i].way;
        rc = ways[i].log_in(st);
        st->ssh.was_refused =
            st->ssh.was_refused || rc != SSH_AUTH_ERROR ||
            strstr(ssh_get_error(st->session), "SSH_MSG_DISCONNECT");
    }
    if (rc == SSH_AUTH_SUCCESS)
        return 0;
    if (rc == SSH_AUTH_ERROR && !st->ssh.tried)
        return failed(f, OUTCOME_NO_ANSWER,
                      "the line was lost during the login");
    return rc == SSH_AUTH_ERROR ? ssh_refused(&st->ssh, l, NULL, f)
                                : refused(st, l, f);
}

/* ---- the channel --------------------------------------------------------- */

static int open_channel(struct stream *s, const struct login *l,
                        struct failure *f)
{
    struct state *st = s->state;
    char words[200];

    (void)l;
    st->channel = ssh_channel_new(st->session);
    if (st->channel && ssh_channel_open_session(st->channel) == SSH_OK &&
        ssh_channel_request_sftp(st->channel) == SSH_OK) {
        ssh_set_blocking(st->session, 0);
        return 0;
    }
    ssh_clean(words, sizeof(words), ssh_get_error(st->session));
    return failed(
        f, ssh_is_connected(st->session) ? OUTCOME_DENIED : OUTCOME_NO_ANSWER,
        "the server does not open SFTP: %s", words);
}

static int open_line(struct stream *s, const struct login *l, struct failure *f)
{
    static const struct ssh_steps steps = { handshake, log_in, open_channel };
    struct state *st = s->state;

    return ssh_open(&st->ssh, s, l, &steps, f);
}

/* ---- read, write --------------------------------------------------------- */

static ssize_t read_line(struct stream *s, void *buf, size_t len)
{
    struct state *st = s->state;
    int n = ssh_channel_read_nonblocking(
        st->channel, buf, (uint32_t)(len < INT32_MAX ? len : INT32_MAX), 0);

    if (n > 0)
        return n;
    if (ssh_channel_is_eof(st->channel) || ssh_channel_is_closed(st->channel) ||
        !ssh_is_connected(st->session))
        return 0;
    errno = n == 0 || n == SSH_AGAIN ? EAGAIN : EIO;
    return -1;
}

static bool is_waiting(const struct state *st)
{
    return ssh_get_poll_flags(st->session) & SSH_WRITE_PENDING;
}

static ssize_t write_line(struct stream *s, const void *buf, size_t len)
{
    struct state *st = s->state;
    uint32_t window;
    int n;

    if (is_waiting(st))
        (void)ssh_blocking_flush(st->session, 0);
    window = ssh_channel_window_size(st->channel);
    if (len > SFTP_PACKET)
        len = SFTP_PACKET;
    if (len > window)
        len = window;
    if (len == 0 || is_waiting(st)) {
        errno = EAGAIN;
        return -1;
    }
    n = ssh_channel_write(st->channel, buf, (uint32_t)len);
    if (n > 0)
        return n;
    errno = n == 0 || n == SSH_AGAIN ? EAGAIN : EPIPE;
    return -1;
}

/* While the window is closed, only the server can go on. */
static short events(const struct stream *s, bool wants_write)
{
    struct state *st = s->state;
    bool out = is_waiting(st) ||
               (wants_write && ssh_channel_window_size(st->channel) > 0);

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
    ssh_key_free(st->key);
    if (st->session) {
        ssh_set_blocking(st->session, 0);
        ssh_free(st->session); /* and its channel, agent and socket */
    }
    free(st);
    s->fd = s->agent_fd = -1;
    s->state = NULL;
}

const struct stream_kind stream_libssh = {
    .name = "libssh",
    .prepare = prepare,
    .open = open_line,
    .read = read_line,
    .write = write_line,
    .events = events,
    .close = close_line,
};
