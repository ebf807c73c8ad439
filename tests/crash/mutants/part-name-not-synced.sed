# spool/publish.c: the part's folder is not synced before RENAMING
/^static int write_part/,/^}/s/dir_sync(to->dir_fd) == -1/0/
