/*
 * ssh.h - what the two libraries that speak SSH have in common: what is read
 * before the walls go up, which algorithms are good enough, and what is said
 * when a server refuses.
 */
#ifndef COURIER_SSH_H
#define COURIER_SSH_H

#include "courier/hostkey.h"
#include "courier/secret.h"
#include "courier/stream.h"

enum { SFTP_WINDOW = 4 << 20, SFTP_PACKET = 32 * 1024 };

/* The ways of logging in, in the order in which they are tried. */
enum { BY_KEY = 1, BY_AGENT = 2, BY_PASSWORD = 4, BY_KEYBOARD = 8 };

struct ssh {
    struct secret key, passphrase, password;
    enum key_kind kind;
    struct hostkeys known;
    unsigned tried;   /* BY_... */
    bool was_refused; /* the server said so, or ended the line with a reason */
    unsigned rounds;
};

/* Secrets, known host keys, a connection. */
int ssh_prepare(struct ssh *c, struct stream *s, const struct login *l,
                struct failure *f);
void ssh_release(struct ssh *c);
/* Has the login a key, or a known host key, that libssh2 1.10 cannot use? Then
 * `why` says which. */
bool ssh_wants_libssh(const struct login *l, char *why, size_t size);

/* `strong`, and those of `weak` that the partner's configuration turns on. */
void ssh_methods(char *to, size_t size, const char *strong, const char *weak,
                 const struct login *l);
/* Ends the list of what is in use, and says so if one of it is weak. */
void ssh_tell_weak(struct line *line, const struct login *l);

/* What stream_open() does with a library, one behind the other; each under the
 * watchdog, and f says so if it barked. Secrets go when the login is over. */
struct ssh_steps {
    /* As far as the host key is known. */
    int (*handshake)(struct stream *s, const struct login *l,
                     struct failure *f);
    int (*log_in)(struct stream *s, const struct login *l, struct failure *f);
    int (*open_channel)(struct stream *s, const struct login *l,
                        struct failure *f);
};

int ssh_open(struct ssh *c, struct stream *s, const struct login *l,
             const struct ssh_steps *steps, struct failure *f);

/* Answers a prompt of keyboard-interactive with the password, or not: one
 * round of at most three prompts that do not show what is typed. */
bool ssh_answers(struct ssh *c, int n_prompts, bool echo);

/* LOGIN: what was tried, and what the server would take; methods NULL: it hung
 * up, with a reason or after a refusal. LEFT, if it refused nothing: a server
 * that stops in the middle is no reason for a person to look at keys; but some
 * say no in that way. */
int ssh_refused(const struct ssh *c, const struct login *l, const char *methods,
                struct failure *f);

/* The server's words, for a text: printable ASCII, cut. */
void ssh_clean(char *to, size_t size, const char *words);

#endif
