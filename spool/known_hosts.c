/*
 * known_hosts.c - replaced as a whole: temporary name, fsync, rename, fsync of
 * the folder. Of two that change the file at once, one gives up.
 */
#include "spool/known_hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/base/limits.h"
#include "spool/files.h"

enum { SSH_PORT = 22, MODE = 0644 /* keys of servers are no secret */ };

static const char temporary[] = ".kervan-known_hosts.new";

static struct str server_name(const struct login *l, struct arena *a)
{
    return arena_fmt(a, "[%s]:%u", l->host, (unsigned)l->port);
}

/* ---- reading ------------------------------------------------------------ */

static struct str take_line(struct str *rest)
{
    ptrdiff_t end = str_find_char(*rest, '\n');
    size_t len = end < 0 ? rest->len : (size_t)end;
    struct str line = str_first(*rest, len);

    *rest = str_from(*rest, len + 1);
    return line;
}

static struct str take_field(struct str *rest, const char *ends)
{
    size_t n = 0;
    struct str field;

    *rest = str_trim(*rest);
    while (n < rest->len && !strchr(ends, rest->p[n]))
        n++;
    field = str_first(*rest, n);
    *rest = str_from(*rest, n < rest->len ? n + 1 : n);
    return field;
}

/* Does the list of hosts name the server? `erp` is `[erp]:22`. */
static bool names_server(struct str hosts, const struct login *l,
                         struct arena *a)
{
    struct str full = server_name(l, a), host;

    while (hosts.len) {
        host = take_field(&hosts, ",");
        if (str_eq_nocase(host, full) ||
            (l->port == SSH_PORT && str_eq_nocase(host, str_of(l->host))))
            return true;
    }
    return false;
}

/* False: the line is of no use here. */
static bool read_line(struct str line, const struct login *l, struct arena *a,
                      struct host_key *key)
{
    struct str hosts = take_field(&line, " \t");

    if (!hosts.len || hosts.p[0] == '#' || hosts.p[0] == '@' ||
        !names_server(hosts, l, a))
        return false;
    key->is_alone = str_find_char(hosts, ',') < 0;
    key->type = take_field(&line, " \t");
    key->key = take_field(&line, " \t\r");
    return key->key.len > 0;
}

static void read_lines(const struct login *l, struct arena *a,
                       struct known_hosts *k)
{
    struct str rest = k->text;

    for (size_t n = 1; rest.len; n++) {
        struct str line = take_line(&rest);
        struct host_key key = { .line = n };

        k->has_hashed = k->has_hashed || str_starts(line, STR("|1|"));
        if (k->n < COUNT(k->keys) && read_line(line, l, a, &key))
            k->keys[k->n++] = key;
    }
}

/* Of a link, the file that it names. */
static const char *real_path(const struct login *l, struct arena *a)
{
    char *real = realpath(l->known_hosts, NULL);
    const char *path = arena_cstr(a, str_of(real ? real : l->known_hosts));

    free(real);
    return path;
}

static int read_text(const char *path, struct arena *a, struct str *text,
                     struct err *e)
{
    struct buf b;
    int rc;

    buf_init(&b, MB(1));
    rc = file_read(AT_FDCWD, path, &b);
    if (rc == 0)
        *text = arena_str(a, buf_str(&b));
    else if (errno == ENOENT)
        rc = 0;
    else
        err_sys(e, ERR_HOLD, "cannot read %s", path);
    buf_release(&b);
    return rc;
}

int known_hosts_read(const struct login *l, struct arena *a,
                     struct known_hosts *k, struct err *e)
{
    *k = (struct known_hosts){ .text = STR("") };
    if (!l->known_hosts)
        return 0;
    if (read_text(real_path(l, a), a, &k->text, e) == -1)
        return -1;
    read_lines(l, a, k);
    return 0;
}

/* ---- writing ------------------------------------------------------------ */

/* The old text without the server's other keys of that type, and the key. */
static size_t new_text(const struct login *l, struct str key, struct arena *a,
                       const struct known_hosts *k, struct buf *out)
{
    struct str rest = k->text, fields = key, name = server_name(l, a);
    struct str type = take_field(&fields, " ");
    size_t left = 0, i = 0;

    for (size_t n = 1; rest.len; n++) {
        struct str line = take_line(&rest);
        const struct host_key *old = NULL;

        if (i < k->n && k->keys[i].line == n)
            old = &k->keys[i++];
        if (old && str_eq(old->type, type) && old->is_alone)
            continue;
        left += old && str_eq(old->type, type);
        buf_add(out, line);
        buf_addc(out, '\n');
    }
    buf_addf(out, "%.*s %.*s\n", STR_ARGS(name), STR_ARGS(key));
    return left;
}

/* A leftover of one that was killed is in the way: we hold the lock. */
static int replace(int dir, const char *name, struct str text)
{
    if (unlinkat(dir, temporary, 0) == -1 && errno != ENOENT)
        return -1;
    if (file_write(dir, temporary, text, MODE) == -1)
        return -1;
    /* Whatever our umask is: the daemon may be another user. */
    if (fchmodat(dir, temporary, MODE, 0) == -1 ||
        renameat(dir, temporary, dir, name) == -1)
        return -1;
    return dir_sync(dir);
}

int known_hosts_put(const struct login *l, struct str key, struct arena *a,
                    size_t *left, struct err *e)
{
    const char *path = real_path(l, a);
    const char *slash = strrchr(path, '/');
    struct known_hosts k;
    struct buf text;
    int dir, rc = -1;

    dir = open(arena_cstr(a, str_between(path, slash + 1)),
               O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir == -1 || flock(dir, LOCK_EX | LOCK_NB) == -1) {
        err_sys(e, ERR_HOLD, "cannot open the folder of %s", path);
    } else if (known_hosts_read(l, a, &k, e) == 0) {
        buf_init(&text, MB(2));
        *left = new_text(l, key, a, &k, &text);
        rc = replace(dir, slash + 1, buf_str(&text));
        if (rc == -1)
            err_sys(e, ERR_HOLD, "cannot write %s", path);
        buf_release(&text);
    }
    if (dir != -1)
        close(dir);
    return rc;
}
