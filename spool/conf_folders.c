/* conf_folders.c - do the folders that the configuration names exist? */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/conf.h"
#include "spool/files.h"

static void check(struct conf *c, struct diags *diags, struct place at,
                  const struct partner *p, struct str below, int how)
{
    int fd = dir_open(p->folder, below);
    const char *wrong = NULL;

    if (fd == -1)
        wrong = errno == ENOENT ? "does not exist" : strerror(errno);
    else if (faccessat(fd, ".", how, AT_EACCESS) == -1)
        wrong = "we may not read and write in it";
    if (wrong)
        DIAG(diags, CONF_FOLDER, at,
             arena_fmt(&c->arena, "%s%s%.*s", p->folder, below.len ? "/" : "",
                       STR_ARGS(below)),
             str_of(wrong));
    if (fd != -1)
        close(fd);
}

void conf_check_folders(struct conf *c, struct diags *diags)
{
    const int how = R_OK | W_OK | X_OK;

    for (const struct route *r = c->routes; r; r = r->next) {
        const struct conf_to *seen = NULL;

        for (const struct conf_from *f = r->from; f; f = f->next)
            if (f->partner->folder)
                check(c, diags, f->at, f->partner, f->folder, how);
        for (const struct conf_write *w = r->writes; w; w = w->next) {
            if (w->to == seen)
                continue;
            seen = w->to;
            for (const struct conf_to *to = w->to; to; to = to->next)
                if (to->partner->folder)
                    check(c, diags, to->at, to->partner, to->folder, how);
        }
    }
}
