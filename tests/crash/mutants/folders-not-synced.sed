# spool/files.c: new folders are not synced
/^int dir_make/,/^}/s/dir_sync(fd) == 0/1/
