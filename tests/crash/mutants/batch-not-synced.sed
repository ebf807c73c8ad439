# spool/convert.c: results of several files are not synced before CONVERTED
/^static int sync_out/,/^}/s/rc = syncfs(k->spool_fd)/rc = 0/
