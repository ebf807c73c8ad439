/*
 * unclaimed.c - files in .claim/ that no row of the ledger stands for.
 *
 * No crash of ours leaves such a file: a row goes only after its file has
 * gone. The ledger was exchanged, or a disk forgot a rename. The file may have
 * been delivered or not, and its name is lost; so it goes back to the inbox
 * under a name that no run takes. A person sees it and gives it a name.
 *
 * If we die in here: the next start finds what is left.
 */
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "spool/files.h"
#include "spool/keeper.h"
#include "spool/partner.h"
#include "spool/scan.h"

static int give_back(struct keeper *k, const struct inbox *in, int inbox_fd,
                     int claim_fd, const char *id, struct err *e)
{
    struct claim *c;
    const char *name;

    if (ledger_find_claim(k->ledger, id, &k->item, &c, e) == -1)
        return -1;
    if (c)
        return 0;
    name = arena_fmt(&k->item, "unclaimed-%s.part", id).p;
    if (rename_fresh(claim_fd, id, inbox_fd, name) == -1 ||
        dir_sync(inbox_fd) == -1 || dir_sync(claim_fd) == -1) {
        err_sys(e, ERR_RETRY, "cannot move %s/%s to %s", CLAIM_FOLDER, id,
                name);
        keeper_trouble(k, "%s", e->text);
        return 0;
    }
    keeper_trouble(k,
                   "the ledger does not know the claimed file %s; it lies in "
                   "%.*s %.*s/ as %s now: was it delivered? If not, rename it",
                   id, STR_ARGS(in->partner->name), STR_ARGS(in->folder), name);
    return ledger_note(k->ledger, 0, "unclaimed", str_of(name), e);
}

static bool is_id(const char *name)
{
    return strlen(name) == ID_HEX && strspn(name, "0123456789abcdef") == ID_HEX;
}

/* A folder that cannot be read is told of when we look for new files. */
static int sweep(struct keeper *k, const struct inbox *in, int inbox_fd,
                 struct err *e)
{
    int fd = dir_open_at(inbox_fd, STR(CLAIM_FOLDER));
    DIR *dir = fd == -1 ? NULL : fdopendir(fd);
    struct dirent *d;
    int rc = 0;

    if (!dir) {
        if (fd != -1)
            close(fd);
        return 0;
    }
    while (rc == 0 && (d = readdir(dir)))
        if (is_id(d->d_name))
            rc = give_back(k, in, inbox_fd, fd, d->d_name, e);
    closedir(dir);
    return rc;
}

int keeper_sweep_claimed(struct keeper *k, struct err *e)
{
    int rc = 0;

    for (const struct inbox *in = scan_inboxes(k->conf, &k->arena);
         rc == 0 && in; in = in->next) {
        struct err ignored; /* the look tells it */
        int fd = partner_open(in->partner, in->folder, &ignored);

        if (fd == -1)
            continue;
        rc = sweep(k, in, fd, e);
        close(fd);
        arena_reset(&k->item);
    }
    return rc;
}
