# spool/sync.c: several files of a file system are not synced
/^static bool sync_all/,/^}/s/sync_whole(fd) != 1/false/
