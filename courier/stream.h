/*
 * stream.h - the line to a partner's SFTP server: bytes in both directions.
 *
 *   login --stream_prepare()--> names resolved, secrets read, connected
 *         --(the walls go up)-->
 *         --stream_open()-----> host key compared, logged in, subsystem "sftp"
 *         --read, write------> packets of SFTP, for courier/sftp.c
 *
 * Everything that needs a file, a name server or a new socket happens in
 * prepare, before the first byte of the server is parsed; what comes after it
 * works behind walls that allow none of that (courier/walls.h). A stream is
 * for one connection, and a process for one stream: when the line is lost, the
 * process ends, and the keeper starts another one when it is time.
 *
 * Three kinds of line, one file each, one row in stream.c:
 *
 *   libssh2   stream_libssh2.c   the usual one
 *   libssh    stream_libssh.c    for servers and keys that libssh2 1.10 does
 *                                not speak to: rsa-sha2, EtM, GCM
 *   program   stream_program.c   a program that speaks SFTP on its standard
 *                                input and output: `through` in kervan.conf(5)
 *
 * Time: each step of stream_open() has its limit, and none is left to the
 * library, for libssh2 and libssh read an endless banner for ever: an alarm
 * shuts the socket down (courier/watchdog.h), and the step fails.
 */
#ifndef COURIER_STREAM_H
#define COURIER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "courier/outcome.h"

enum { MAX_PINS = 16, MAX_WEAK = 16, MAX_THROUGH = 32 };

/* How to reach a partner, as his configuration says. Texts live as long as the
 * process. Secrets are not here: only the files that they are in. */
struct login {
    const char *partner;
    const char *transport; /* "": chosen by us; else a name of the three */
    const char *host;
    uint32_t port;
    const char *user;
    const char *key;            /* private key; NULL: none */
    const char *passphrase;     /* a file with the key's; NULL: it has none */
    const char *password;       /* a file; also for keyboard-interactive */
    bool agent;                 /* keys of SSH_AUTH_SOCK's agent */
    const char *known_hosts;    /* NULL: none */
    const char *pins[MAX_PINS]; /* "SHA256:..." of host keys */
    size_t n_pins;
    const char *weak[MAX_WEAK]; /* algorithms that are off, for him on */
    size_t n_weak;
    const char *through[MAX_THROUGH]; /* the program and its words; [0] NULL */
    uint32_t connect_s, handshake_s, login_s; /* limits */
    uint32_t operation_s;                     /* for the next answer */
    uint64_t rate; /* bytes of a file in a second, at least */
};

/* What there is to tell of an open line; texts live as long as the stream. */
struct line {
    char transport[64]; /* "libssh2 1.10.0" */
    char why[160];      /* this one and no other; "": it is the usual one */
    char server[128];   /* "SSH-2.0-OpenSSH_9.2p1", cleaned */
    char address[64];   /* "192.0.2.1 port 22" */
    char host_key[96];  /* "ssh-ed25519 SHA256:..." */
    char algorithms[256];
    uint32_t connect_ms, handshake_ms, login_ms, open_ms;
};

struct stream;

struct stream_kind {
    const char *name;
    int (*prepare)(struct stream *s, const struct login *l, struct failure *f);
    int (*open)(struct stream *s, const struct login *l, struct failure *f);
    /* > 0: so many bytes; 0: the server closed it; -1: errno, EAGAIN: poll. */
    ssize_t (*read)(struct stream *s, void *buf, size_t len);
    ssize_t (*write)(struct stream *s, const void *buf, size_t len);
    /* What to poll s->fd for: POLLIN, and POLLOUT if something is to be
     * written or the library has to. */
    short (*events)(const struct stream *s, bool wants_write);
    void (*close)(struct stream *s); /* does not wait for the server */
};

struct stream {
    const struct stream_kind *kind;
    int fd;       /* -1: none */
    int agent_fd; /* of the agent that has the keys; -1: none */
    void *state;
    struct line line;
};

/* The kind that the login asks for or needs; prepared, not opened. */
int stream_prepare(struct stream *s, const struct login *l, struct failure *f);
/* -1 with f->how OTHER_TRANSPORT: another process shall try f->text's;
 * f->fingerprint says why. */
int stream_open(struct stream *s, const struct login *l, struct failure *f);
void stream_close(struct stream *s);

extern const struct stream_kind stream_libssh2, stream_libssh, stream_program;

#endif
