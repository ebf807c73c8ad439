/*
 * backup.c - `kervan backup DIR`: ledger and files at work by the keeper, or
 * with its lock; then the archive, while others go on (spool/backup.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/view.h"
#include "spool/backup.h"
#include "spool/files.h"
#include "spool/request.h"

extern const struct cmd cmd_backup;

struct job_of_backup {
    struct view v;
    char dir[PATH_MAX]; /* absolute */
    bool with_archive;
    int dir_fd, lock_fd;
    struct backup_counts n;
};

/* Two of them into one folder would mix; and nobody is to start on it. */
static int lock_dir(struct job_of_backup *b, struct err *e)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    b->lock_fd = openat(b->dir_fd, "lock",
                        O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (b->lock_fd == -1)
        return err_sys(e, ERR_RETRY, "cannot write to %s", b->dir);
    if (fcntl(b->lock_fd, F_SETLK, &whole) == -1)
        return err_sys(e, ERR_RETRY, "%s is in use", b->dir);
    return 0;
}

static int open_dir(struct job_of_backup *b, const char *dir, struct err *e)
{
    bool made = mkdir(dir, 0700) == 0;

    if (!made && errno != EEXIST)
        return err_sys(e, ERR_RETRY, "cannot make %s", dir);
    if (!realpath(dir, b->dir))
        return err_sys(e, ERR_RETRY, "cannot use %s", dir);
    if (backup_check(&b->v.conf, b->dir, e) == -1) {
        if (made)
            rmdir(b->dir);
        return -1;
    }
    b->dir_fd = dir_open(b->dir, STR(""));
    if (b->dir_fd == -1)
        return err_sys(e, ERR_RETRY, "cannot open %s", b->dir);
    return lock_dir(b, e);
}

/* Step 1, by whoever is the keeper. */
static int stage(struct job_of_backup *b, struct err *e)
{
    struct keeper k = { .conf = &b->v.conf, .spool_fd = -1, .lock_fd = -1 };
    struct str answer;
    bool ok = true;
    int rc = keeper_reserve(&k, e);

    if (rc == 0 && k.is_busy) {
        rc = request_ask(&b->v.conf, "backup", 0, str_of(b->dir), true,
                         &b->v.arena, &ok, &answer, e);
        if (rc == 0 && !ok)
            rc = err_set(e, ERR_RETRY, "%.*s", STR_ARGS(answer));
    } else if (rc == 0) {
        rc = ledger_open(&k.ledger, keeper_ledger_path(&b->v.arena, k.conf),
                         LEDGER_ASK, e);
        if (rc == 0 && !k.ledger)
            rc = err_set(e, ERR_RETRY, "there is no ledger to make a copy of");
        if (rc == 0)
            rc = backup_stage(k.ledger, k.spool_fd, b->dir, e);
    }
    keeper_close(&k);
    return rc;
}

static int copy_archive(struct job_of_backup *b, struct err *e)
{
    int fd, rc;

    if (!b->with_archive)
        return 0;
    fd = dir_open(b->v.conf.spool, STR(""));
    if (fd == -1)
        return err_sys(e, ERR_RETRY, "cannot open the spool");
    rc = backup_archive(fd, b->dir_fd, &b->n, e);
    close(fd);
    return rc;
}

static void print(const struct job_of_backup *b)
{
    struct json j;

    if (!cmd_globals.json) {
        printf("%s is a whole backup", b->dir);
        if (b->with_archive)
            printf("; of the archive, %llu files were copied and %llu were "
                   "there",
                   (unsigned long long)b->n.n_copied,
                   (unsigned long long)b->n.n_kept);
        putchar('\n');
        return;
    }
    json_init(&j);
    json_open(&j, NULL, '{');
    json_str(&j, "folder", str_of(b->dir));
    json_bool(&j, "complete", true);
    json_bool(&j, "archive", b->with_archive);
    json_num(&j, "copied", b->n.n_copied);
    json_num(&j, "kept", b->n.n_kept);
    json_num(&j, "bytes", b->n.bytes);
    json_close(&j, '}');
    json_end(&j);
}

static int backup(struct job_of_backup *b, const char *dir)
{
    struct err e;
    int rc = EXIT_DONE;

    if (open_dir(b, dir, &e) == -1) {
        rc = view_failed(&e);
        if (e.next == ERR_REJECT)
            rc = EXIT_USAGE;
    } else if (stage(b, &e) == -1 || copy_archive(b, &e) == -1 ||
               backup_finish(b->dir_fd, b->with_archive, &b->n, &e) == -1) {
        rc = view_failed(&e);
    } else {
        print(b);
    }
    if (b->dir_fd != -1)
        close(b->dir_fd);
    if (b->lock_fd != -1)
        close(b->lock_fd);
    return rc;
}

static int run(int argc, char **argv)
{
    struct job_of_backup b = { .with_archive = true,
                               .dir_fd = -1,
                               .lock_fd = -1 };
    const char *dir = NULL;
    int rc;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--no-archive") == 0)
            b.with_archive = false;
        else if (argv[i][0] == '-' || dir)
            return cmd_usage(&cmd_backup, "unknown argument %s", argv[i]);
        else
            dir = argv[i];
    }
    if (!dir)
        return cmd_usage(&cmd_backup, "wants the folder of the backup");
    rc = view_conf(&b.v, false);
    if (rc == EXIT_DONE)
        rc = backup(&b, dir);
    view_close(&b.v);
    return rc;
}

const struct cmd cmd_backup = {
    .name = "backup",
    .args = "DIR [--no-archive]",
    .help = "copy ledger, files at work and archive",
    .more =
        "  --no-archive    only the ledger and the files at work\n\n"
        "Works beside the daemon. DIR is made if it is not there; a backup "
        "that lies in\nit is brought up to date: files of the archive that it "
        "has are not copied again.\nIt is whole when there is a file "
        "\"complete\" in it. The daemon's user must be able\nto write there.\n"
        "\nTo bring it back: copy DIR to where the spool was, then `kervan "
        "adopt`.\n\n  30 1 * * *  kervan -c /etc/kervan/kervan.conf backup "
        "/mnt/backup/kervan\n",
    .run = run,
};
