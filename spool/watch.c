#include "spool/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "spool/files.h"
#include "spool/keeper.h"
#include "spool/partner.h"
#include "spool/scan.h"

/* By descriptor: a name could lead elsewhere by the time it is used. */
static int add(struct watch *w, int fd, uint32_t mask)
{
    char path[40];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return inotify_add_watch(w->fd, path, mask);
}

void watch_open(struct watch *w, struct keeper *k)
{
    int fd;

    w->wake = -1;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd == -1)
        return;
    fd = openat(k->spool_fd, WAKE_FILE,
                O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd == -1)
        return;
    w->wake = add(w, fd, IN_ATTRIB);
    close(fd);
}

void watch_inboxes(struct watch *w, const struct conf *c, struct arena *a)
{
    if (w->fd == -1)
        return;
    for (const struct inbox *in = scan_inboxes(c, a); in; in = in->next) {
        struct err ignored; /* the look tells it */
        int fd = partner_open(in->partner, in->folder, &ignored);

        if (fd == -1)
            continue;
        add(w, fd, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
        close(fd);
    }
}

void watch_drain(struct watch *w, bool *inbox, bool *wake)
{
    _Alignas(struct inotify_event) char bytes[16384];
    ssize_t n;

    while (w->fd != -1 && (n = read(w->fd, bytes, sizeof(bytes))) > 0)
        for (char *p = bytes; p < bytes + n;) {
            const struct inotify_event *ev = (const struct inotify_event *)p;

            if (ev->wd == w->wake)
                *wake = true;
            else
                *inbox = true; /* an overflow as well */
            p += sizeof(*ev) + ev->len;
        }
}

void watch_close(struct watch *w)
{
    if (w->fd != -1)
        close(w->fd);
    w->fd = -1;
}
