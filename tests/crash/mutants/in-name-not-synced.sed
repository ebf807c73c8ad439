# spool/take.c: the names of the copies are not synced
/^static void sync_in(/,/^}/s/folder_sync(k->spool_fd, STR("in")) == 0/1/
