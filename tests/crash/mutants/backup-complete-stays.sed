# spool/backup.c: the old backup counts as whole while the new one comes
# in: backup-again
/^static int put_in_place/,/^}/s/unlinkat(dir_fd, COMPLETE_FILE, 0) == -1/0/
