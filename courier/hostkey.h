/*
 * hostkey.h - whose server it is: the host keys that somebody has accepted.
 *
 * Two sources, which add up: fingerprints of the configuration, and a
 * known_hosts file. Nobody is trusted because he came first: without a key for
 * that host nobody is. A key is compared as a whole, by the SHA-256 of its
 * bytes, before anything is said of who we are.
 *
 * Lines of known_hosts, as in sshd(8):
 *
 *   names type key      names: a,b  *.example  !not.example  [host]:port
 *                       or one hashed name |1|salt|hash
 *   names type SHA256:fingerprint      ours: what `kervan partner trust` writes
 *   @revoked ...        refused, whatever else says yes
 *   @cert-authority ... skipped, like a line that cannot be read: libraries of
 *                       ours know no certificates, and one bad line must not
 *                       take the others with it
 *
 * A host at port 22 is `host` or `[host]:22`, at any other port `[host]:port`.
 */
#ifndef COURIER_HOSTKEY_H
#define COURIER_HOSTKEY_H

#include "converters/base/str.h"
#include "courier/stream.h"

enum { MAX_HOSTKEYS = 64, HOSTKEY_TYPE = 40, FINGERPRINT = 52 };

struct hostkey {
    char type[HOSTKEY_TYPE]; /* "": a fingerprint without it */
    unsigned char sha256[32];
    bool revoked;
};

struct hostkeys {
    struct hostkey keys[MAX_HOSTKEYS];
    size_t n;
};

/* -1: SETUP, a pin that is none, or a file that cannot be read. None for that
 * host is no failure yet. */
int hostkeys_load(struct hostkeys *k, const struct login *l, struct failure *f);
/* Those of such a file; split off for tests and the fuzzer. -1: too many. */
int hostkeys_parse(struct hostkeys *k, struct str known_hosts, const char *host,
                   uint32_t port);

/* Is that key (its bytes on the wire) accepted? -1: HOST_KEY, with the
 * fingerprint. line->host_key is set either way. */
int hostkeys_check(const struct hostkeys *k, const struct login *l,
                   struct str blob, struct line *line, struct failure *f);

/* `methods` is a list "a,b,c": those with keys that are known first, so that a
 * server that has several shows one of these. */
void hostkeys_prefer(const struct hostkeys *k, const char *methods, char *to,
                     size_t size);
/* All that are known are RSA keys. */
bool hostkeys_are_rsa(const struct hostkeys *k);

#endif
