# spool/archive.c: that the claimed file is gone is not synced
/^static int drop_claimed/,/^}/s/dir_sync(fd) == -1/0/
