#include "spool/inbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/files.h"
#include "spool/keeper.h"
#include "spool/partner.h"

void inbox_close(struct open_inbox *o)
{
    if (o->fd != -1)
        close(o->fd);
    if (o->claim_fd != -1)
        close(o->claim_fd);
    *o = (struct open_inbox){ -1, -1 };
}

int inbox_open(const struct partner *p, struct str folder, struct open_inbox *o,
               struct err *e)
{
    *o = (struct open_inbox){ -1, -1 };
    o->fd = partner_open(p, folder, e);
    if (o->fd == -1)
        return -1;
    if (dir_make(o->fd, CLAIM_FOLDER, 0700) == 0)
        o->claim_fd = dir_open_at(o->fd, STR(CLAIM_FOLDER));
    if (o->claim_fd != -1)
        return 0;
    err_sys(e, ERR_RETRY, "folder %s/%.*s/" CLAIM_FOLDER, p->folder,
            STR_ARGS(folder));
    inbox_close(o);
    return -1;
}

bool inbox_has(int dir_fd, const char *name, uint64_t size, int64_t mtime_ns)
{
    struct stat st;

    return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (uint64_t)st.st_size == size &&
           (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec ==
               mtime_ns;
}
