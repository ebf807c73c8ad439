# spool/publish.c: DELIVERED is committed before the final name is durable
/^static int settle_delivered/,/^}/s/dir_sync(dir_fd) == -1/0/
