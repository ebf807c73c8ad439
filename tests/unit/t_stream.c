/*
 * t_stream.c - lines to real servers: which transport is taken, who is let in,
 * whom we trust; and that a line carries what is put into it.
 *
 * Every try is a process of its own, as the courier is, behind its walls.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>

#include "tests/unit/servers.h"
#include "tests/unit/sftp_speak.h"
#include "tests/unit/stream_try.h"

static const char *const kinds[] = {
    "openssh",      "openssh-rsa",   "openssh-etm",    "openssh-gcm",
    "openssh-weak", "openssh-rekey", "openssh-chroot", "proftpd",
};
static struct server servers[COUNT(kinds)];
static char root[64], keys[80];

static struct server *server(const char *kind)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(kinds[i], kind) == 0)
            return &servers[i];
    return NULL;
}

/* ---- one try ------------------------------------------------------------- */

enum known {
    KNOWN,      /* its known_hosts */
    NOBODY,     /* no key is accepted */
    OTHER_HOST, /* another key than it has */
    PIN,        /* by a fingerprint, without its type */
    PIN_ECDSA,  /* one of three keys, with its type */
    REVOKED
};

struct row {
    const char *name, *server, *key, *passphrase, *password;
    enum known known;
    const char *transport; /* asked for */
    const char *weak;      /* one of "a b c" more */
    const char *agent;     /* the key that is in it */
    enum outcome want;
    const char *by;   /* the transport that is taken, with a `/` before it
                         when another one gave up first */
    const char *says; /* in the failure, or in why and algorithms */
    bool bulk;        /* carries some megabytes, both ways */
};

static void fingerprint(const char *of, char *to, size_t size, bool type)
{
    char command[200], text[200] = "", *blank;
    int fds[2];
    pid_t pid;
    ssize_t n;

    snprintf(command, sizeof(command), "%s/%s.pub", keys, of);
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        (void)dup2(fds[1], 1);
        execlp("ssh-keygen", "ssh-keygen", "-lf", command, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    n = read(fds[0], text, sizeof(text) - 1);
    close(fds[0]);
    (void)waitpid(pid, NULL, 0);
    assert_true(n > 20);
    blank = strchr(text, ' ');
    assert_non_null(blank);
    snprintf(to, size, "%s%.*s", type ? "ecdsa-sha2-nistp256 " : "",
             (int)strcspn(blank + 1, " "), blank + 1);
}

static char texts[16][200];

static const char *text(int slot, const char *folder, const char *name)
{
    if (!name)
        return NULL;
    snprintf(texts[slot], sizeof(texts[slot]), "%s/%s", folder, name);
    return texts[slot];
}

static void set_known(struct login *l, const struct row *r,
                      const struct server *s)
{
    const char *host =
        strcmp(r->server, "openssh-rsa") == 0 ? "host-rsa" : "host-ed25519";

    if (r->known == KNOWN) {
        l->known_hosts = s->known_hosts;
    } else if (r->known == REVOKED) {
        l->known_hosts = text(8, s->dir, "revoked");
    } else if (r->known != NOBODY) {
        fingerprint(r->known == OTHER_HOST  ? "host-other"
                    : r->known == PIN_ECDSA ? "host-ecdsa"
                                            : host,
                    texts[9], sizeof(texts[9]), r->known == PIN_ECDSA);
        l->pins[l->n_pins++] = texts[9];
    }
}

static void make_login(struct login *l, const struct row *r, char *weak,
                       const char *transport)
{
    const struct server *s = server(r->server);

    *l = (struct login){ .partner = "p",
                         .transport = transport ? transport : "",
                         .host = "127.0.0.1",
                         .port = s->port,
                         .user = s->user,
                         .key = text(0, keys, r->key),
                         .passphrase = text(1, keys, r->passphrase),
                         .password = text(2, keys, r->password),
                         .agent = r->agent != NULL,
                         .connect_s = 20,
                         .handshake_s = 20,
                         .login_s = 20 };
    if (r->agent)
        (void)setenv("SSH_AUTH_SOCK", text(3, root, r->agent), 1);
    set_known(l, r, s);
    for (char *w = strtok_r(weak, " ", &weak); w;
         w = strtok_r(NULL, " ", &weak))
        l->weak[l->n_weak++] = w;
}

/* ---- secrets ------------------------------------------------------------- */

static bool holds(const void *p, size_t len, const char *what)
{
    return memmem(p, len, what, strlen(what)) != NULL;
}

static void look_for_secrets(const struct tried *r, pid_t pid)
{
    static const char *const secrets[] = { "swordfish", "open sesame" };
    static const char *const places[] = { "cmdline", "environ" };
    char path[64], bytes[65536];

    for (size_t i = 0; i < COUNT(secrets); i++)
        assert_false(holds(r, sizeof(*r), secrets[i]));
    for (size_t at = 0; at < COUNT(places); at++) {
        ssize_t n;
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/%s", pid, places[at]);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd == -1 ? 0 : read(fd, bytes, sizeof(bytes));
        for (size_t i = 0; n > 0 && i < COUNT(secrets); i++)
            assert_false(holds(bytes, (size_t)n, secrets[i]));
        if (fd != -1)
            close(fd);
    }
}

/* ---- a row --------------------------------------------------------------- */

static void try_once(const struct row *r, const char *transport,
                     struct tried *result)
{
    char weak[200];
    struct login l;
    struct trying t;

    snprintf(weak, sizeof(weak), "%s", r->weak ? r->weak : "");
    make_login(&l, r, weak, transport);
    t = try_begin(&l, r->bulk ? speak_bulk : speak_version);
    try_result(&t, result);
    look_for_secrets(result, t.pid);
    try_end(&t);
}

/* A server with which nothing is agreed hangs up: at times before we have read
 * its last words. The keeper calls again then, and so does this. */
static void try(const struct row *r, const char *transport,
                struct tried *result)
{
    for (int i = 0; i < 5; i++) {
        try_once(r, transport, result);
        if (result->rc == 0 || r->want == OUTCOME_NO_ANSWER ||
            result->f.how != OUTCOME_NO_ANSWER)
            return;
    }
}

static void test_row(void **state)
{
    const struct row *r = *state;
    const struct server *s = server(r->server);
    struct tried result;
    const char *by = r->by ? r->by : "";
    bool first = true;

    if (s->status == 77)
        skip();
    assert_true(s->port);
    try(r, r->transport, &result);
    if (*by == '/') {
        assert_int_equal(result.f.how, OUTCOME_OTHER_TRANSPORT);
        assert_string_equal(result.f.text, "libssh");
        assert_true(strlen(result.f.fingerprint) > 10);
        try(r, result.f.text, &result);
        by++;
        first = false;
    }
    if (result.rc == -1 && result.f.how != r->want)
        print_error("%s\n", result.f.text);
    assert_int_equal(result.rc, r->want == OUTCOME_OK ? 0 : -1);
    if (result.rc == -1) {
        assert_int_equal(result.f.how, r->want);
        if (r->says && !strstr(result.f.text, r->says))
            print_error("%s\n", result.f.text);
        assert_true(!r->says || strstr(result.f.text, r->says));
        assert_int_equal(result.f.how == OUTCOME_HOST_KEY,
                         strstr(result.f.fingerprint, " SHA256:") != NULL);
        return;
    }
    assert_true(result.speaks);
    result.line.transport[strcspn(result.line.transport, " ")] = '\0';
    assert_string_equal(result.line.transport, by);
    if (first && strcmp(by, "libssh2") == 0 && !r->transport && !r->weak)
        assert_string_equal(result.line.why, "");
    assert_true(!r->says || strstr(result.line.why, r->says) ||
                strstr(result.line.algorithms, r->says));
}

#define OK OUTCOME_OK
static struct row rows[] = {
    { "ed25519", "openssh", "ed25519", .by = "libssh2" },
    { "ECDSA", "openssh", "ecdsa", .by = "libssh2" },
    { "RSA takes libssh", "openssh", "rsa", .by = "libssh",
      .says = "rsa-sha2" },
    { "RSA as PEM takes libssh", "openssh", "rsa-pem", .by = "libssh" },
    { "key with a passphrase", "openssh", "locked", "passphrase",
      .by = "libssh2" },
    { "the same over libssh", "openssh", "locked", "passphrase",
      .transport = "libssh", .by = "libssh" },
    { "wrong passphrase", "openssh", "locked", "password",
      .want = OUTCOME_SETUP, .says = "locked cannot be used" },
    { "no passphrase", "openssh", "locked", .want = OUTCOME_SETUP,
      .says = "locked cannot be used" },
    { "no passphrase, libssh", "openssh", "locked", .transport = "libssh",
      .want = OUTCOME_SETUP, .says = "locked cannot be used" },
    { "a key that is not there", "openssh", "nothing", .want = OUTCOME_SETUP,
      .says = "nothing" },
    { "refused", "openssh", "stranger", .want = OUTCOME_LOGIN,
      .says = "tried: key; it would take: publickey" },
    { "refused, libssh", "openssh", "stranger", .transport = "libssh",
      .want = OUTCOME_LOGIN, .says = "tried: key; it would take: publickey" },
    { "password where none is taken", "openssh", .password = "password",
      .want = OUTCOME_LOGIN, .says = "tried: nothing" },
    { "nothing to log in with", "openssh", .want = OUTCOME_SETUP,
      .says = "no key" },
    { "no such transport", "openssh", "ed25519", .transport = "telnet",
      .want = OUTCOME_SETUP, .says = "telnet" },
    { "an agent with an ed25519 key", "openssh", .agent = "ed25519",
      .by = "libssh2" },
    { "the same agent over libssh", "openssh", .agent = "ed25519",
      .transport = "libssh", .by = "libssh" },
    { "an agent with an RSA key takes libssh", "openssh", .agent = "rsa",
      .by = "/libssh" },
    { "an agent with a key that is refused", "openssh", .agent = "stranger",
      .want = OUTCOME_LOGIN, .says = "tried: agent" },
    { "a key refused, then the agent", "openssh", "stranger",
      .agent = "ed25519", .by = "libssh2" },
    { "the same over libssh", "openssh", "stranger", .agent = "ed25519",
      .transport = "libssh", .by = "libssh" },
    { "no agent", "openssh", .agent = "nowhere", .want = OUTCOME_SETUP,
      .says = "agent (SSH_AUTH_SOCK)" },
    { "no agent, libssh", "openssh", .agent = "nowhere", .transport = "libssh",
      .want = OUTCOME_SETUP, .says = "agent (SSH_AUTH_SOCK)" },

    { "RSA host key, known", "openssh-rsa", "ed25519", .by = "libssh",
      .says = "the accepted host key is an RSA key" },
    { "RSA host key, a bare fingerprint", "openssh-rsa", "ed25519",
      .known = PIN, .by = "/libssh" },
    { "RSA host key, libssh2 by name", "openssh-rsa", "ed25519",
      .transport = "libssh2", .want = OUTCOME_SETUP, .says = "in common" },
    { "EtM alone takes libssh", "openssh-etm", "ed25519", .by = "/libssh",
      .says = "hmac-sha2-256-etm" },
    { "GCM alone takes libssh", "openssh-gcm", "ecdsa", .by = "/libssh",
      .says = "gcm" },
    { "chroot", "openssh-chroot", "ed25519", .by = "libssh2" },

    { "weak algorithms are off", "openssh-weak", "ed25519", .known = PIN,
      .want = OUTCOME_SETUP, .by = "/", .says = "no match for method" },
    { "weak algorithms turned on", "openssh-weak", "ed25519",
      .transport = "libssh2",
      .weak = "diffie-hellman-group14-sha1 ssh-rsa aes128-cbc hmac-sha1",
      .by = "libssh2", .says = "weak: hmac-sha1" },
    { "weak algorithms turned on, libssh", "openssh-weak", "ed25519",
      .transport = "libssh",
      .weak = "diffie-hellman-group14-sha1 ssh-rsa aes128-cbc hmac-sha1",
      .by = "libssh", .says = "weak: ssh-rsa" },
    { "one of them is not enough", "openssh-weak", "ed25519",
      .transport = "libssh", .weak = "ssh-rsa aes128-cbc hmac-sha1",
      .want = OUTCOME_SETUP, .says = "no match for method kex" },

    { "unknown host", "openssh", "ed25519", .known = NOBODY,
      .want = OUTCOME_HOST_KEY, .says = "is unknown" },
    { "unknown host, libssh", "openssh", "rsa", .known = NOBODY,
      .want = OUTCOME_HOST_KEY, .says = "is unknown" },
    { "changed host", "openssh", "ed25519", .known = OTHER_HOST,
      .want = OUTCOME_HOST_KEY, .says = "CHANGED: expected SHA256:" },
    { "changed host, libssh", "openssh", "rsa", .known = OTHER_HOST,
      .want = OUTCOME_HOST_KEY, .says = "CHANGED: expected SHA256:" },
    { "revoked host", "openssh", "ed25519", .known = REVOKED,
      .want = OUTCOME_HOST_KEY, .says = "REVOKED" },
    { "a fingerprint", "openssh", "ed25519", .known = PIN, .by = "libssh2" },
    { "the type that is known is asked for", "openssh", "ed25519",
      .known = PIN_ECDSA, .by = "libssh2", .says = "ecdsa-sha2-nistp256" },
    { "the same over libssh", "openssh", "rsa", .known = PIN_ECDSA,
      .by = "libssh", .says = "ecdsa-sha2-nistp256" },

    { "ProFTPD, ed25519", "proftpd", "ed25519", .by = "libssh2" },
    { "ProFTPD, ECDSA", "proftpd", "ecdsa", .by = "libssh2" },
    { "ProFTPD, RSA", "proftpd", "rsa", .by = "libssh" },
    { "ProFTPD, password", "proftpd", .password = "password", .by = "libssh2" },
    { "ProFTPD, password over libssh", "proftpd", .password = "password",
      .transport = "libssh", .by = "libssh" },
    { "ProFTPD, a key refused, then the password", "proftpd", "stranger",
      .password = "password", .by = "libssh2" },
    { "ProFTPD, wrong password", "proftpd", .password = "passphrase",
      .want = OUTCOME_LOGIN, .says = "tried: password" },
    { "ProFTPD, wrong password, libssh", "proftpd", .password = "passphrase",
      .transport = "libssh", .want = OUTCOME_LOGIN, .says = "tried: password" },

    { "megabytes", "openssh", "ed25519", .by = "libssh2", .bulk = true },
    { "megabytes over libssh", "openssh", "ed25519", .transport = "libssh",
      .by = "libssh", .bulk = true },
    { "megabytes and new keys", "openssh-rekey", "ed25519", .by = "libssh2",
      .bulk = true },
    { "megabytes and new keys over libssh", "openssh-rekey", "ed25519",
      .transport = "libssh", .by = "libssh", .bulk = true },
    { "megabytes to ProFTPD", "proftpd", "ed25519", .by = "libssh2",
      .bulk = true },
    { "megabytes to ProFTPD over libssh", "proftpd", "ed25519",
      .transport = "libssh", .by = "libssh", .bulk = true },
};

/* ---- all of them --------------------------------------------------------- */

/* The same keys, with a mark before each line. */
static void revoke_all(const struct server *s)
{
    char path[200], line[2000];
    FILE *in = fopen(s->known_hosts, "r"), *out;

    snprintf(path, sizeof(path), "%s/revoked", s->dir);
    out = fopen(path, "w");
    assert_true(in && out);
    while (fgets(line, sizeof(line), in))
        fprintf(out, "%s@revoked %s", line, line);
    fclose(in);
    fclose(out);
}

static const char *const agent_keys[] = { "ed25519", "rsa", "stranger" };
static pid_t agents[COUNT(agent_keys)];

/* 0, when the agent listens and has taken it. */
static int add_key(const char *key)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        execlp("ssh-add", "ssh-add", "-q", key, (char *)NULL);
        _exit(127);
    }
    (void)waitpid(pid, &status, 0);
    return status;
}

static pid_t start_agent(const char *name)
{
    const char *path = text(4, root, name), *key = text(5, keys, name);
    pid_t agent = fork();

    if (agent == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        execlp("ssh-agent", "ssh-agent", "-D", "-a", path, (char *)NULL);
        _exit(127);
    }
    (void)setenv("SSH_AUTH_SOCK", path, 1);
    for (int i = 0; i < 500 && add_key(key) != 0; i++)
        (void)usleep(20000);
    return agent;
}

static int start_all(void **state)
{
    char dir[128];
    const char *tmp = getenv("TMPDIR");

    (void)state;
    /* The path of the agent's socket has to be short. */
    snprintf(root, sizeof(root), "%.30s/t_stream-XXXXXX",
             tmp && strlen(tmp) < 30 ? tmp : "/tmp");
    if (!mkdtemp(root))
        return -1;
    snprintf(keys, sizeof(keys), "%s/keys", root);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        snprintf(dir, sizeof(dir), "%s/%s", root, kinds[i]);
        server_begin(&servers[i], kinds[i], dir, keys);
        if (i == 0) /* it makes the keys */
            server_await(&servers[i]);
    }
    for (size_t i = 1; i < COUNT(kinds); i++)
        server_await(&servers[i]);
    revoke_all(&servers[0]);
    for (size_t i = 0; i < COUNT(agents); i++)
        agents[i] = start_agent(agent_keys[i]);
    return 0;
}

static int end_all(void **state)
{
    pid_t pid;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++)
        server_end(&servers[i]);
    for (size_t i = 0; i < COUNT(agents); i++)
        if (agents[i] > 1)
            (void)kill(agents[i], SIGTERM);
    pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", root, (char *)NULL);
        _exit(127);
    }
    (void)waitpid(pid, NULL, 0);
    return 0;
}

int main(void)
{
    static struct CMUnitTest tests[COUNT(rows)];

    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i] = (struct CMUnitTest)ROW(test_row, &rows[i]);
    return cmocka_run_group_tests_name("stream", tests, start_all, end_all);
}
