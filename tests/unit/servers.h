/*
 * servers.h - real SFTP servers for a test: tests/sftp/server.
 */
#ifndef TESTS_UNIT_SERVERS_H
#define TESTS_UNIT_SERVERS_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "converters/base/str.h"

struct server {
    const char *kind;
    char dir[128];
    char user[64], known_hosts[160];
    unsigned port; /* 0: it could not be started */
    pid_t starter;
    int status; /* of the script: 77, it cannot be had here */
};

/* The first line of a file, without its end. */
static inline void server_line(const char *dir, const char *name, char *to,
                               size_t size)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%.120s/%.60s", dir, name);
    f = fopen(path, "r");
    if (!f || !fgets(to, (int)size, f))
        to[0] = '\0';
    to[strcspn(to, "\n")] = '\0';
    if (f)
        fclose(f);
}

/* `dir` need not be there; several may be starting at once. */
static inline void server_begin(struct server *s, const char *kind,
                                const char *dir, const char *keys)
{
    *s = (struct server){ .kind = kind };
    snprintf(s->dir, sizeof(s->dir), "%s", dir);
    (void)!mkdir(dir, 0700);
    s->starter = fork();
    if (s->starter == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        execl("tests/sftp/server", "server", kind, dir, keys, (char *)NULL);
        _exit(127);
    }
}

static inline void server_await(struct server *s)
{
    char port[16], dir[sizeof(s->dir)];

    memcpy(dir, s->dir, sizeof(dir));
    (void)waitpid(s->starter, &s->status, 0);
    s->status = WIFEXITED(s->status) ? WEXITSTATUS(s->status) : -1;
    server_line(s->dir, "port", port, sizeof(port));
    server_line(s->dir, "user", s->user, sizeof(s->user));
    snprintf(s->known_hosts, sizeof(s->known_hosts), "%.120s/known_hosts", dir);
    s->port = s->status == 0 ? (unsigned)strtoul(port, NULL, 10) : 0;
}

static inline void server_end(struct server *s)
{
    char pid[16];

    server_line(s->dir, "pid", pid, sizeof(pid));
    if (strtol(pid, NULL, 10) > 1)
        (void)kill((pid_t)strtol(pid, NULL, 10), SIGTERM);
    s->port = 0;
}

#endif
