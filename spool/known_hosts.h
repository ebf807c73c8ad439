/*
 * known_hosts.h - the file of host keys that a person has accepted.
 *
 * A line is that of sshd(8), or has the key's fingerprint in place of the key:
 *
 *   [erp.example]:22 ssh-ed25519 SHA256:...
 *
 * Only lines that name the server as it stands in the configuration count
 * here: they are for showing and replacing. The courier, which decides whom to
 * trust (courier/hostkey.h), also knows patterns and hashed names.
 */
#ifndef SPOOL_KNOWN_HOSTS_H
#define SPOOL_KNOWN_HOSTS_H

#include "converters/base/err.h"
#include "converters/base/mem.h"
#include "courier/stream.h"

enum { MAX_HOST_KEYS = 64 };

/* A line that names the server. */
struct host_key {
    struct str type; /* "ssh-ed25519" */
    struct str key;  /* "SHA256:...", or the key itself */
    size_t line;     /* from 1 */
    bool is_alone;   /* no other host stands in the line */
};

struct known_hosts {
    struct str text;
    struct host_key keys[MAX_HOST_KEYS];
    size_t n;
    bool has_hashed; /* lines of which nobody sees whose they are */
};

/* The lines of the login's server; a file that is not there has none. Texts
 * live in a. */
int known_hosts_read(const struct login *l, struct arena *a,
                     struct known_hosts *k, struct err *e);
/*
 * Appends the key, "TYPE SHA256:...", in place of others of that type of the
 * same server. *left: such lines that also name other servers, and stay.
 * Durable when it returns 0; -1: the file is as it was.
 */
int known_hosts_put(const struct login *l, struct str key, struct arena *a,
                    size_t *left, struct err *e);

#endif
