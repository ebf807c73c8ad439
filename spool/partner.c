#include "spool/partner.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/files.h"

/* For kernels before 5.8: another device than the folder above. */
static bool is_other_device(const char *folder)
{
    struct stat here, above;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool yes = fd != -1 && fstat(fd, &here) == 0 &&
               fstatat(fd, "..", &above, 0) == 0 &&
               (here.st_dev != above.st_dev || here.st_ino == above.st_ino);

    if (fd != -1)
        close(fd);
    return yes;
}

bool is_mounted(const char *folder)
{
    struct statx x;

    if (statx(AT_FDCWD, folder, 0, STATX_TYPE, &x) == -1)
        return false;
    if (x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
        return x.stx_attributes & STATX_ATTR_MOUNT_ROOT;
    return is_other_device(folder);
}

int partner_open(const struct partner *p, struct str below, struct err *e)
{
    int fd;

    if (!p->folder)
        return err_set(e, ERR_RETRY,
                       "partner %.*s has no folder in the configuration",
                       STR_ARGS(p->name));
    if (p->mounted && !is_mounted(p->mounted))
        return err_set(e, ERR_RETRY, "nothing is mounted at %s", p->mounted);
    fd = dir_open(p->folder, below);
    if (fd == -1)
        return err_sys(e, ERR_RETRY, "folder %s%s%.*s", p->folder,
                       below.len ? "/" : "", STR_ARGS(below));
    return fd;
}
