/*
 * outcome.h - how a thing that was asked of a partner's server came out.
 *
 * The keeper decides by these, never by a server's words: servers say
 * SSH_FX_FAILURE for a name that is taken, a full disk and a rename across
 * file systems alike. `unknown` is what the keeper has to assume of the file.
 */
#ifndef COURIER_OUTCOME_H
#define COURIER_OUTCOME_H

/*     id               what it means, and what the keeper does */
#define OUTCOMES(X)                                                           \
    X(OK, "done")                                                             \
    X(ABSENT, "no such file or folder: SSH_FX_NO_SUCH_FILE and nothing else") \
    X(TAKEN, "another file has that name")                                    \
    X(OTHER, "there is a file, and it is not ours")                           \
    X(CHANGED, "the file is not the one that was listed any more")            \
    X(DENIED, "not allowed: the partner's people have to change something")   \
    X(FULL, "no space or quota: later")                                       \
    X(REFUSED, "the server would not, and does not say why: later")           \
    X(LIMIT, "more, or longer, than a limit allows")                          \
    X(UNSAFE, "a name that cannot be used")                                   \
    X(LOCAL, "our own disk or file: later")                                   \
    X(LOST, "the line was lost: nobody knows whether it was done")            \
    X(NO_ANSWER, "the server was not reached: later")                         \
    X(HOST_KEY, "a host key that nobody has accepted: held")                  \
    X(LOGIN, "the login was refused: a pause, then held")                     \
    X(LEFT, "the server hung up at the login: a pause, the second time")      \
    X(SETUP, "key, secret or configuration of ours cannot be used: held")     \
    X(OTHER_TRANSPORT, "this line cannot speak to the server; text: which "   \
                       "can")

enum outcome {
#define X(id, what) OUTCOME_##id,
    OUTCOMES(X)
#undef X
        N_OUTCOMES
};

extern const char *const outcome_names[N_OUTCOMES]; /* "OK" */

/* text: for people, one line, cleaned of control characters; never a secret. */
struct failure {
    enum outcome how;
    char text[400];
    char fingerprint[96]; /* HOST_KEY: "ssh-ed25519 SHA256:..."
                             OTHER_TRANSPORT: why, for people */
};

/* Always returns -1. */
int failed(struct failure *f, enum outcome how, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, with ": " and errno's text. */
int failed_sys(struct failure *f, enum outcome how, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
