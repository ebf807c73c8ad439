# spool/publish.c: the part is not synced
/^static int fill_part/,/^}/s/fsync(fd) == -1/0/
