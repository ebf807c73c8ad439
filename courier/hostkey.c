#include "courier/hostkey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

enum { MAX_FILE = 16 << 20, MAX_BLOB = 8192, MAX_NAME = 300 };

/* ---- texts of bytes ------------------------------------------------------ */

/* Base64, with its padding or without it. -1: it is none, or too long. */
static int decode(struct str text, unsigned char *to, size_t size)
{
    unsigned char quads[(MAX_BLOB + 2) / 3 * 4 + 4];
    size_t pad = 0;
    int n;

    while (text.len && text.p[text.len - 1] == '=') {
        text.len--;
        pad++;
    }
    if (text.len == 0 || pad > 2 || text.len % 4 == 1 ||
        text.len + 4 > sizeof(quads) || text.len * 3 / 4 > size)
        return -1;
    memcpy(quads, text.p, text.len);
    for (pad = text.len; pad % 4; pad++)
        quads[pad] = 'A';
    if (pad > text.len && pad * 3 / 4 > size)
        return -1; /* see the callers: they have three bytes to spare */
    n = EVP_DecodeBlock(to, quads, (int)pad);
    return n < 0 ? -1 : (int)(text.len * 3 / 4);
}

static void print_fingerprint(const unsigned char sha256[32],
                              char to[FINGERPRINT])
{
    unsigned char text[48];
    int n = EVP_EncodeBlock(text, sha256, 32);

    while (n > 0 && text[n - 1] == '=')
        n--;
    snprintf(to, FINGERPRINT, "SHA256:%.*s", n, (char *)text);
}

/* "SHA256:..." */
static int read_fingerprint(struct str text, unsigned char sha256[32])
{
    const struct str head = STR("SHA256:");
    unsigned char raw[36];

    if (!str_starts(text, head) ||
        decode(str_from(text, head.len), raw, sizeof(raw)) != 32)
        return -1;
    memcpy(sha256, raw, 32);
    return 0;
}

/* The type stands at the beginning of a key; {NULL}: it is no key. */
static struct str type_of(struct str blob)
{
    struct str type = { NULL, 0 };
    uint32_t len;

    if (blob.len < 4)
        return type;
    len = (uint32_t)(unsigned char)blob.p[0] << 24 |
          (uint32_t)(unsigned char)blob.p[1] << 16 |
          (uint32_t)(unsigned char)blob.p[2] << 8 |
          (uint32_t)(unsigned char)blob.p[3];
    if (len == 0 || len >= HOSTKEY_TYPE || len > blob.len - 4)
        return type;
    for (size_t i = 0; i < len; i++)
        if (blob.p[4 + i] <= ' ' || blob.p[4 + i] == 127)
            return type;
    return (struct str){ blob.p + 4, len };
}

/* ---- lines --------------------------------------------------------------- */

static int add(struct hostkeys *k, struct str type,
               const unsigned char sha256[32], bool revoked)
{
    struct hostkey *key;

    if (type.len >= HOSTKEY_TYPE)
        return 0;
    if (k->n == MAX_HOSTKEYS)
        return -1;
    key = &k->keys[k->n++];
    *key = (struct hostkey){ .revoked = revoked };
    str_copy(key->type, type);
    memcpy(key->sha256, sha256, 32);
    return 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* `*` and `?`; goes back to the last star only, so its time has an end. */
static bool matches(struct str pattern, struct str name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;

    while (n < name.len) {
        if (p < pattern.len && pattern.p[p] == '*') {
            star = p++;
            mark = n;
        } else if (p < pattern.len &&
                   (pattern.p[p] == '?' || lower(pattern.p[p]) == name.p[n])) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.p[p] == '*')
        p++;
    return p == pattern.len;
}

/* |1|salt|HMAC-SHA1 of the name, keyed with the salt */
static bool matches_hashed(struct str field, struct str name)
{
    struct str rest = str_from(field, 3);
    ptrdiff_t bar = str_find_char(rest, '|');
    unsigned char salt[64], want[24], got[EVP_MAX_MD_SIZE];
    unsigned got_len = 0;
    int salt_len;

    if (bar < 0)
        return false;
    salt_len = decode(str_first(rest, (size_t)bar), salt, sizeof(salt));
    if (salt_len <= 0 ||
        decode(str_from(rest, (size_t)bar + 1), want, sizeof(want)) != 20)
        return false;
    return HMAC(EVP_sha1(), salt, salt_len, (const unsigned char *)name.p,
                name.len, got, &got_len) &&
           got_len == 20 && memcmp(got, want, 20) == 0;
}

static bool names_it(struct str field, struct str name)
{
    bool found = false;

    if (str_starts(field, STR("|1|")))
        return matches_hashed(field, name);
    while (field.len) {
        ptrdiff_t comma = str_find_char(field, ',');
        struct str one = comma < 0 ? field : str_first(field, (size_t)comma);

        field = comma < 0 ? STR("") : str_from(field, (size_t)comma + 1);
        if (one.len && one.p[0] == '!') {
            if (matches(str_from(one, 1), name))
                return false;
        } else if (matches(one, name)) {
            found = true;
        }
    }
    return found;
}

static struct str next_field(struct str *line)
{
    struct str field;
    size_t n = 0;

    *line = str_trim(*line);
    while (n < line->len && line->p[n] != ' ' && line->p[n] != '\t')
        n++;
    field = str_first(*line, n);
    *line = str_from(*line, n);
    return field;
}

static int parse_line(struct hostkeys *k, struct str line,
                      const struct str names[2])
{
    struct str field = next_field(&line), type, key;
    bool revoked = str_is(field, "@revoked");
    unsigned char blob[MAX_BLOB], sha256[32];
    int len;

    if (revoked)
        field = next_field(&line);
    type = next_field(&line);
    key = next_field(&line);
    if (!field.len || field.p[0] == '#' || field.p[0] == '@' || !key.len)
        return 0;
    if (!names_it(field, names[0]) && !names_it(field, names[1]))
        return 0;
    if (read_fingerprint(key, sha256) == 0)
        return add(k, type, sha256, revoked);
    len = decode(key, blob, sizeof(blob));
    if (len <= 0 ||
        !str_eq(type_of((struct str){ (char *)blob, (size_t)len }), type))
        return 0;
    SHA256(blob, (size_t)len, sha256);
    return add(k, type, sha256, revoked);
}

int hostkeys_parse(struct hostkeys *k, struct str known_hosts, const char *host,
                   uint32_t port)
{
    char plain[MAX_NAME], with_port[MAX_NAME];
    struct str names[2];

    snprintf(plain, sizeof(plain), "%s", host);
    for (char *c = plain; *c; c++)
        *c = lower(*c);
    snprintf(with_port, sizeof(with_port), "[%.280s]:%u", plain, port);
    names[0] = str_of(with_port);
    names[1] = port == 22 ? str_of(plain) : names[0];
    while (known_hosts.len) {
        ptrdiff_t end = str_find_char(known_hosts, '\n');
        size_t len = end < 0 ? known_hosts.len : (size_t)end;

        if (parse_line(k, str_first(known_hosts, len), names) == -1)
            return -1;
        known_hosts = str_from(known_hosts, len + 1);
    }
    return 0;
}

/* ---- load ---------------------------------------------------------------- */

static int read_all(int fd, struct buf *b)
{
    for (;;) {
        char *to = buf_room(b, 4096);
        ssize_t n = to ? read(fd, to, 4096) : -1;

        if (!to)
            errno = EFBIG;
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        b->len += (size_t)n;
    }
}

/* Not there yet: nobody has accepted anything so far. */
static int load_file(struct hostkeys *k, const struct login *l,
                     struct failure *f)
{
    int fd = open(l->known_hosts, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct buf b;
    int rc;

    if (fd == -1 && errno == ENOENT)
        return 0;
    if (fd == -1)
        return failed_sys(f, OUTCOME_SETUP, "known hosts: %s", l->known_hosts);
    buf_init(&b, MAX_FILE);
    rc = read_all(fd, &b);
    if (rc == -1)
        failed_sys(f, OUTCOME_SETUP, "known hosts: %s", l->known_hosts);
    else if ((rc = hostkeys_parse(k, buf_str(&b), l->host, l->port)) == -1)
        failed(f, OUTCOME_SETUP, "known hosts: %s has more than %d keys of %s",
               l->known_hosts, MAX_HOSTKEYS, l->host);
    buf_release(&b);
    close(fd);
    return rc;
}

/* "SHA256:..." or "ssh-ed25519 SHA256:..." */
static int load_pin(struct hostkeys *k, const char *pin, struct failure *f)
{
    struct str rest = str_of(pin), type = { "", 0 };
    unsigned char sha256[32];

    if (!str_starts(rest, STR("SHA256:"))) {
        type = next_field(&rest);
        rest = str_trim(rest);
    }
    if (read_fingerprint(rest, sha256) == -1)
        return failed(f, OUTCOME_SETUP,
                      "%.80s is no fingerprint: SHA256:, and 43 characters",
                      pin);
    if (add(k, type, sha256, false) == -1)
        return failed(f, OUTCOME_SETUP, "more than %d host keys", MAX_HOSTKEYS);
    return 0;
}

int hostkeys_load(struct hostkeys *k, const struct login *l, struct failure *f)
{
    k->n = 0;
    for (size_t i = 0; i < l->n_pins; i++)
        if (load_pin(k, l->pins[i], f) == -1)
            return -1;
    return l->known_hosts ? load_file(k, l, f) : 0;
}

/* ---- compare ------------------------------------------------------------- */

static int refuse(const struct hostkeys *k, const struct login *l,
                  struct str type, const char *shown, struct failure *f)
{
    const struct hostkey *same = NULL, *any = NULL;
    char expected[FINGERPRINT] = "";

    for (size_t i = 0; i < k->n; i++)
        if (!k->keys[i].revoked) {
            any = &k->keys[i];
            if (!any->type[0] || str_is(type, any->type))
                same = any;
        }
    if (same)
        any = same;
    if (any)
        print_fingerprint(any->sha256, expected);
    if (!any)
        failed(f, OUTCOME_HOST_KEY,
               "the host key of %s port %u is unknown: %s; accept it only "
               "if the partner confirms it",
               l->host, l->port, shown);
    else if (same)
        failed(f, OUTCOME_HOST_KEY,
               "the host key of %s port %u has CHANGED: expected %s, it shows "
               "%s; ask the partner before it is accepted",
               l->host, l->port, expected, shown);
    else
        failed(f, OUTCOME_HOST_KEY,
               "the host key of %s port %u is unknown, one of another type is "
               "known: expected %s %s, it shows %s",
               l->host, l->port, any->type, expected, shown);
    snprintf(f->fingerprint, sizeof(f->fingerprint), "%s", shown);
    return -1;
}

int hostkeys_check(const struct hostkeys *k, const struct login *l,
                   struct str blob, struct line *line, struct failure *f)
{
    struct str type = type_of(blob);
    unsigned char sha256[32];
    char print[FINGERPRINT];
    bool accepted = false;

    if (!type.p)
        return failed(f, OUTCOME_REFUSED, "the server's host key is none");
    SHA256((const unsigned char *)blob.p, blob.len, sha256);
    print_fingerprint(sha256, print);
    snprintf(line->host_key, sizeof(line->host_key), "%.*s %s", STR_ARGS(type),
             print);
    for (size_t i = 0; i < k->n; i++) {
        const struct hostkey *key = &k->keys[i];

        if (memcmp(key->sha256, sha256, sizeof(sha256)) != 0)
            continue;
        if (key->revoked) {
            failed(f, OUTCOME_HOST_KEY,
                   "the host key of %s port %u is REVOKED: %s", l->host,
                   l->port, line->host_key);
            snprintf(f->fingerprint, sizeof(f->fingerprint), "%s",
                     line->host_key);
            return -1;
        }
        accepted = true;
    }
    return accepted ? 0 : refuse(k, l, type, line->host_key, f);
}

/* ---- prefer -------------------------------------------------------------- */

static bool is_known(const struct hostkeys *k, struct str method)
{
    struct str type =
        str_starts(method, STR("rsa-sha2-")) ? STR("ssh-rsa") : method;

    for (size_t i = 0; i < k->n; i++)
        if (!k->keys[i].revoked && str_is(type, k->keys[i].type))
            return true;
    return false;
}

void hostkeys_prefer(const struct hostkeys *k, const char *methods, char *to,
                     size_t size)
{
    size_t len = 0;

    to[0] = '\0';
    for (int known = 1; known >= 0; known--) {
        struct str rest = str_of(methods);

        while (rest.len) {
            ptrdiff_t comma = str_find_char(rest, ',');
            struct str one = comma < 0 ? rest : str_first(rest, (size_t)comma);

            rest = str_from(rest, one.len + 1);
            if (is_known(k, one) != known || len + one.len + 2 > size)
                continue;
            len += (size_t)snprintf(to + len, size - len, "%s%.*s",
                                    len ? "," : "", STR_ARGS(one));
        }
    }
}

bool hostkeys_are_rsa(const struct hostkeys *k)
{
    bool some = false;

    for (size_t i = 0; i < k->n; i++)
        if (!k->keys[i].revoked) {
            if (strcmp(k->keys[i].type, "ssh-rsa") != 0)
                return false;
            some = true;
        }
    return some;
}
