#include "courier/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

/* ---- read ---------------------------------------------------------------- */

static int name_credential(char path[PATH_MAX], const char *name,
                           const char *what, struct failure *f)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    if (!folder)
        return failed(f, OUTCOME_SETUP,
                      "%s: credential:%s: the service has no credentials "
                      "(LoadCredential=)",
                      what, name);
    if (!*name || strchr(name, '/') || strcmp(name, "..") == 0 ||
        strcmp(name, ".") == 0)
        return failed(f, OUTCOME_SETUP,
                      "%s: credential:%s is no name of a credential", what,
                      name);
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        return failed(f, OUTCOME_SETUP, "%s: its name is too long", what);
    return 0;
}

static bool is_trusted(uid_t owner)
{
    return owner == 0 || owner == geteuid();
}

/* A link of somebody else's may point to another secret of ours tomorrow. */
static int open_it(const char *path, const char *what, struct failure *f)
{
    struct stat st;
    int fd;

    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && !is_trusted(st.st_uid))
        return failed(f, OUTCOME_SETUP, "%s: %s is a link of somebody else's",
                      what, path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd == -1)
        return failed_sys(f, OUTCOME_SETUP, "%s: %s", what, path);
    return fd;
}

/* systemd shows the right of the service's user, which is in an access list,
 * as one of the group; nobody else comes into the folder. */
static int check(int fd, const char *path, bool is_credential, const char *what,
                 struct failure *f)
{
    struct stat st;
    mode_t others = is_credential ? 0037 : 0077;

    if (fstat(fd, &st) == -1)
        return failed_sys(f, OUTCOME_SETUP, "%s: %s", what, path);
    if (!S_ISREG(st.st_mode))
        return failed(f, OUTCOME_SETUP, "%s: %s is not a plain file", what,
                      path);
    if (!is_trusted(st.st_uid))
        return failed(f, OUTCOME_SETUP, "%s: %s belongs to somebody else", what,
                      path);
    if (st.st_mode & others)
        return failed(f, OUTCOME_SETUP,
                      "%s: others may read or change %s: chmod 600", what,
                      path);
    if (st.st_size > SECRET_MAX)
        return failed(f, OUTCOME_SETUP, "%s: %s is longer than %d bytes", what,
                      path, SECRET_MAX);
    return 0;
}

static int fill(struct secret *s, int fd, const char *path, const char *what,
                struct failure *f)
{
    s->p = calloc(1, SECRET_MAX + 2);
    if (!s->p)
        return failed_sys(f, OUTCOME_LOCAL, "%s", what);
    (void)mlock(s->p, SECRET_MAX + 2);
    while (s->len <= SECRET_MAX) {
        ssize_t n = read(fd, s->p + s->len, SECRET_MAX + 1 - s->len);

        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return failed_sys(f, OUTCOME_SETUP, "%s: %s", what, path);
        if (n == 0)
            break;
        s->len += (size_t)n;
    }
    if (s->len > SECRET_MAX)
        return failed(f, OUTCOME_SETUP, "%s: %s is longer than %d bytes", what,
                      path, SECRET_MAX);
    if (s->len && s->p[s->len - 1] == '\n')
        s->len--;
    if (s->len && s->p[s->len - 1] == '\r')
        s->len--;
    s->p[s->len] = '\0';
    if (s->len == 0 || memchr(s->p, '\0', s->len))
        return failed(f, OUTCOME_SETUP, "%s: %s is empty, or no text", what,
                      path);
    return 0;
}

int secret_read(struct secret *s, const char *file, const char *what,
                struct failure *f)
{
    const char scheme[] = "credential:";
    bool is_credential = strncmp(file, scheme, sizeof(scheme) - 1) == 0;
    char named[PATH_MAX];
    const char *path = file;
    int fd, rc;

    *s = (struct secret){ 0 };
    if (is_credential) {
        if (name_credential(named, file + sizeof(scheme) - 1, what, f) == -1)
            return -1;
        path = named;
    }
    fd = open_it(path, what, f);
    if (fd == -1)
        return -1;
    rc = check(fd, path, is_credential, what, f);
    if (rc == 0)
        rc = fill(s, fd, path, what, f);
    close(fd);
    if (rc == -1)
        secret_release(s);
    return rc;
}

void secret_release(struct secret *s)
{
    if (s->p) {
        explicit_bzero(s->p, SECRET_MAX + 2);
        (void)munlock(s->p, SECRET_MAX + 2);
        free(s->p);
    }
    *s = (struct secret){ 0 };
}

/* ---- kinds of keys ------------------------------------------------------- */

static bool contains(struct str text, const char *what)
{
    return str_find(text, str_of(what)) >= 0;
}

/* The public half stands before what is encrypted, within the first bytes. */
static enum key_kind kind_of_openssh(struct str text)
{
    unsigned char raw[400];
    char body[512];
    size_t n = 0;
    int len;
    struct str head;

    for (size_t i = 0; i < text.len && n < sizeof(body); i++)
        if (text.p[i] == '-')
            break;
        else if (text.p[i] != '\n' && text.p[i] != '\r')
            body[n++] = text.p[i];
    len = EVP_DecodeBlock(raw, (unsigned char *)body, (int)(n / 4 * 4));
    if (len <= 0)
        return KEY_UNTOLD;
    head = (struct str){ (char *)raw, (size_t)len };
    if (!str_starts(head, STR("openssh-key-v1\0")))
        return KEY_UNTOLD;
    return contains(head, "ssh-ed25519")   ? KEY_ED25519
           : contains(head, "ecdsa-sha2-") ? KEY_ECDSA
           : contains(head, "ssh-rsa")     ? KEY_RSA
                                           : KEY_UNTOLD;
}

enum key_kind key_kind(struct str text)
{
    const struct str openssh = STR("-----BEGIN OPENSSH PRIVATE KEY-----");
    ptrdiff_t at = str_find(text, openssh);

    if (at >= 0)
        return kind_of_openssh(str_from(text, (size_t)at + openssh.len));
    if (contains(text, "-----BEGIN RSA PRIVATE KEY-----"))
        return KEY_RSA;
    if (contains(text, "-----BEGIN EC PRIVATE KEY-----"))
        return KEY_ECDSA;
    return KEY_UNTOLD;
}
