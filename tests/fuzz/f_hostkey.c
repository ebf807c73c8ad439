/*
 * f_hostkey.c - lines of known_hosts, the host key of a server, private keys.
 *
 * Input: the name of a host, lines, a key on the wire; "%%" between them.
 */
#include "courier/hostkey.h"
#include "courier/secret.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

/* Only a key that is among the lines, and is not revoked there, is accepted. */
static void check_accepted(const struct hostkeys *k, const char *host,
                           struct str blob)
{
    const struct login l = { .host = host, .port = 22 };
    struct line line = { .why = "" };
    struct failure f;
    int rc = hostkeys_check(k, &l, blob, &line, &f);
    bool is_usable = false;

    for (size_t i = 0; i < k->n; i++)
        if (!k->keys[i].revoked)
            is_usable = true;
    FUZZ_CHECK(rc == 0 || rc == -1);
    FUZZ_CHECK(rc == -1 || (is_usable && line.host_key[0]));
    FUZZ_CHECK(rc == 0 || f.how == OUTCOME_HOST_KEY ||
               f.how == OUTCOME_REFUSED);
}

void fuzz_one(struct str data)
{
    static const char methods[] = "ssh-ed25519,ecdsa-sha2-nistp256,"
                                  "rsa-sha2-512,ssh-rsa";
    struct hostkeys k = { .n = 0 };
    struct str name = fuzz_part(&data), lines = fuzz_part(&data);
    char host[200], list[sizeof(methods)];

    snprintf(host, sizeof(host), "%.*s", STR_ARGS(str_first(name, 199)));
    (void)hostkeys_parse(&k, lines, host, 22);
    FUZZ_CHECK(k.n <= MAX_HOSTKEYS);
    for (size_t i = 0; i < k.n; i++)
        FUZZ_CHECK(memchr(k.keys[i].type, '\0', HOSTKEY_TYPE));
    check_accepted(&k, host, data);
    hostkeys_prefer(&k, methods, list, sizeof(list));
    FUZZ_CHECK(strlen(list) == strlen(methods));
    (void)hostkeys_are_rsa(&k);
    (void)key_kind(lines);
}
