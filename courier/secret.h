/*
 * secret.h - a key, passphrase or password, read from a file.
 *
 * "credential:NAME" is the file NAME of systemd's LoadCredential=, any other
 * text a path. The file is a plain one of ours or root's, at most SECRET_MAX
 * bytes, and nobody else may read it: what has been readable is no secret, and
 * whoever made it so should know. A link is followed if we or root made it.
 *
 * In memory it is locked as far as the system allows, and wiped when it is
 * released. It goes to the library alone: never into a text.
 */
#ifndef COURIER_SECRET_H
#define COURIER_SECRET_H

#include <stddef.h>

#include "converters/base/str.h"
#include "courier/outcome.h"

enum { SECRET_MAX = 64 * 1024 };

struct secret {
    char *p; /* a NUL stands behind its last byte; NULL: none */
    size_t len;
};

/* `what` names it in a failure: "the key". -1: SETUP, naming the file. A line
 * break at its end does not belong to it. */
int secret_read(struct secret *s, const char *file, const char *what,
                struct failure *f);
/* Also of one that is all zero. */
void secret_release(struct secret *s);

/* What a private key is for, as far as its text says without a passphrase. */
enum key_kind {
    KEY_NONE,
    KEY_ED25519,
    KEY_ECDSA,
    KEY_RSA,
    KEY_UNTOLD /* PKCS #8, or something else */
};
enum key_kind key_kind(struct str text);

#endif
