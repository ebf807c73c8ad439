/*
 * t_stream_login.c - ways of logging in that no server of the tests has
 * without PAM or another one's accounts: keyboard-interactive, two factors,
 * and servers that stop in the middle. The server is libssh's.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <libssh/libssh.h>
#include <libssh/server.h>

#include "tests/unit/stream_try.h"

#define PASSWORD "swordfish 93ab"

/* ---- the server ---------------------------------------------------------- */

enum manner {
    TAKES_PASSWORD,
    ASKS,           /* keyboard-interactive, one prompt */
    ASKS_TWICE,     /* two prompts in one round */
    ASKS_ECHO,      /* a prompt that shows what is typed */
    ASKS_FOUR,      /* four prompts */
    ASKS_AGAIN,     /* a second round with the same prompt */
    ASKS_NOTHING,   /* a round without a prompt, then one with */
    TWO_FACTORS,    /* a password, then keyboard-interactive */
    REFUSES,        /* whatever is said */
    MUTE_LOGIN,     /* takes the connection, and no login */
    LEAVES,         /* when a password comes */
    NO_SFTP,        /* no such subsystem */
    MUTE_CHANNEL,   /* opens none, and does not say so */
    LEAVES_CHANNEL, /* when the channel is asked for */
};

struct door {
    enum manner manner;
    int rounds;
    bool first_factor;
    ssh_channel channel;
};

static void ask(struct door *d, ssh_message m)
{
    static const char *prompts[] = { "Password: ", "Again: ", "3: ", "4: " };
    char echo[] = { d->manner == ASKS_ECHO, 0, 0, 0 };
    unsigned n = d->manner == ASKS_TWICE                      ? 2
                 : d->manner == ASKS_FOUR                     ? 4
                 : d->manner == ASKS_NOTHING && d->rounds < 1 ? 0
                                                              : 1;

    d->rounds++;
    ssh_message_auth_interactive_request(m, "Login", "", n, prompts, echo);
}

/* Are all answers right? */
static bool is_right(ssh_session session)
{
    int n = ssh_userauth_kbdint_getnanswers(session);

    for (int i = 0; i < n; i++)
        if (strcmp(ssh_userauth_kbdint_getanswer(session, (unsigned)i),
                   PASSWORD) != 0)
            return false;
    return n > 0;
}

static void hear_answers(struct door *d, ssh_session session, ssh_message m)
{
    if (d->manner == ASKS_NOTHING && d->rounds == 1)
        ask(d, m);
    else if (d->manner == ASKS_AGAIN && d->rounds == 1)
        ask(d, m);
    else if (is_right(session))
        ssh_message_auth_reply_success(m, 0);
    else
        ssh_message_reply_default(m);
}

static void offer(const struct door *d, ssh_message m)
{
    bool keyboard = (d->manner >= ASKS && d->manner <= ASKS_NOTHING) ||
                    (d->manner == TWO_FACTORS && d->first_factor);

    ssh_message_auth_set_methods(m, keyboard ? SSH_AUTH_METHOD_INTERACTIVE
                                             : SSH_AUTH_METHOD_PASSWORD);
}

static void hear_login(struct door *d, ssh_session session, ssh_message m)
{
    int way = ssh_message_subtype(m);

    offer(d, m);
    if (d->manner == MUTE_LOGIN)
        return;
    if (way == SSH_AUTH_METHOD_INTERACTIVE) {
        if (ssh_message_auth_kbdint_is_response(m))
            hear_answers(d, session, m);
        else
            ask(d, m);
    } else if (way == SSH_AUTH_METHOD_PASSWORD && d->manner == LEAVES) {
        _exit(0);
    } else if (way == SSH_AUTH_METHOD_PASSWORD && d->manner != REFUSES) {
        d->first_factor = true;
        offer(d, m);
        ssh_message_auth_reply_success(m, d->manner == TWO_FACTORS);
    } else {
        ssh_message_reply_default(m);
    }
}

static void hear(struct door *d, ssh_session session, ssh_message m)
{
    int type = ssh_message_type(m);

    if (type == SSH_REQUEST_AUTH) {
        hear_login(d, session, m);
    } else if (type == SSH_REQUEST_SERVICE) {
        ssh_message_service_reply_success(m);
    } else if (type == SSH_REQUEST_CHANNEL_OPEN) {
        if (d->manner == LEAVES_CHANNEL)
            _exit(0);
        if (d->manner != MUTE_CHANNEL)
            d->channel = ssh_message_channel_request_open_reply_accept(m);
    } else if (type == SSH_REQUEST_CHANNEL && d->manner != NO_SFTP) {
        ssh_message_channel_request_reply_success(m);
    } else {
        ssh_message_reply_default(m);
    }
}

static _Noreturn void serve(int listener, ssh_key key, enum manner manner)
{
    struct door d = { .manner = manner };
    ssh_bind bind = ssh_bind_new();
    ssh_session session = ssh_new();
    ssh_message m;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG,
                         &(bool){ false });
    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key);
    if (ssh_bind_accept_fd(bind, session, accept(listener, NULL, NULL)) !=
            SSH_OK ||
        ssh_handle_key_exchange(session) != SSH_OK)
        _exit(1);
    while ((m = ssh_message_get(session))) {
        hear(&d, session, m);
        ssh_message_free(m);
    }
    _exit(0);
}

/* ---- a row --------------------------------------------------------------- */

static const struct row {
    const char *name;
    enum manner manner;
    enum outcome want;
    const char *says;
} rows[] = {
    { "a password", TAKES_PASSWORD, OUTCOME_OK, "" },
    { "asked for it", ASKS, OUTCOME_OK, "" },
    { "asked for it twice at once", ASKS_TWICE, OUTCOME_OK, "" },
    { "greeted before it is asked for", ASKS_NOTHING, OUTCOME_OK, "" },
    { "a password, and asked for it", TWO_FACTORS, OUTCOME_OK, "" },
    { "asked for something that is shown", ASKS_ECHO, OUTCOME_LOGIN,
      "tried: keyboard-interactive; it would take: keyboard-interactive" },
    { "asked for four things", ASKS_FOUR, OUTCOME_LOGIN,
      "tried: keyboard-interactive" },
    { "asked again", ASKS_AGAIN, OUTCOME_LOGIN, "tried: keyboard-interactive" },
    { "refused", REFUSES, OUTCOME_LOGIN,
      "tried: password; it would take: password" },
    { "left alone during the login", MUTE_LOGIN, OUTCOME_NO_ANSWER,
      "did not finish the login within 2 s" },
    { "left when the password comes", LEAVES, OUTCOME_LEFT,
      "the server hung up during the login" },
    { "no SFTP", NO_SFTP, OUTCOME_DENIED, "does not open SFTP" },
    { "left alone with the channel", MUTE_CHANNEL, OUTCOME_NO_ANSWER,
      "did not finish opening SFTP within 2 s" },
    { "left when the channel is opened", LEAVES_CHANNEL, OUTCOME_NO_ANSWER,
      "does not open SFTP" },
};

static char password[] = "/tmp/t_stream_login-XXXXXX";
static ssh_key host_key;
static char fingerprint[80];

static pid_t start(enum manner manner, uint32_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t pid;

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    pid = fork();
    if (pid == 0)
        serve(fd, host_key, manner);
    close(fd);
    return pid;
}

static bool always(struct stream *s)
{
    (void)s;
    return true;
}

static void try_once(const struct row *r, const char *transport,
                     struct tried *result)
{
    uint32_t limit_s = r->want == OUTCOME_NO_ANSWER ? 2 : 20;
    struct trying t;
    struct login l = { .partner = "p",
                       .transport = transport,
                       .host = "127.0.0.1",
                       .user = "u",
                       .password = password,
                       .pins = { fingerprint },
                       .n_pins = 1,
                       .connect_s = limit_s,
                       .handshake_s = limit_s,
                       .login_s = limit_s };
    pid_t server = start(r->manner, &l.port);

    t = try_begin(&l, always);
    try_result(&t, result);
    try_end(&t);
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
}

static void try(const struct row *r, const char *transport)
{
    struct tried result;

    try_once(r, transport, &result);
    if (result.rc == -1 && result.f.how == OUTCOME_OTHER_TRANSPORT)
        try_once(r, result.f.text, &result);
    if (result.rc == -1 &&
        (result.f.how != r->want || !strstr(result.f.text, r->says)))
        print_error("%s\n", result.f.text);
    assert_int_equal(result.rc, r->want == OUTCOME_OK ? 0 : -1);
    assert_null(memmem(&result, sizeof(result), "swordfish", 9));
    if (result.rc == 0)
        return;
    assert_int_equal(result.f.how, r->want);
    assert_non_null(strstr(result.f.text, r->says));
}

/* As it is picked; libssh2 1.10 fails at a round without prompts. */
static void test_usual(void **state)
{
    try(*state, "");
}

static void test_libssh(void **state)
{
    try(*state, "libssh");
}

static int set_up(void **state)
{
    int fd = mkstemp(password);
    unsigned char *hash = NULL;
    size_t len = 0;
    char *text;

    (void)state;
    if (fd == -1 || write(fd, PASSWORD "\n", sizeof(PASSWORD)) == -1 ||
        ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &host_key) != SSH_OK ||
        ssh_get_publickey_hash(host_key, SSH_PUBLICKEY_HASH_SHA256, &hash,
                               &len) != SSH_OK)
        return -1;
    text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, len);
    snprintf(fingerprint, sizeof(fingerprint), "%s", text);
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
    return close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    ssh_key_free(host_key);
    return unlink(password);
}

int main(void)
{
    static struct CMUnitTest tests[2 * COUNT(rows)];
    static char names[COUNT(rows)][80];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct CMUnitTest test = { .initial_state =
                                       (void *)(uintptr_t)&rows[i] };

        snprintf(names[i], sizeof(names[i]), "%s, libssh", rows[i].name);
        test.name = rows[i].name;
        test.test_func = test_usual;
        tests[n++] = test;
        test.name = names[i];
        test.test_func = test_libssh;
        tests[n++] = test;
    }
    return cmocka_run_group_tests_name("stream_login", tests, set_up,
                                       tear_down);
}
