# spool/convert.c: the results' folder is not synced before CONVERTED
/^static int sync_out/,/^}/s/folder_sync(k->spool_fd, STR("out")) == 0/1/
