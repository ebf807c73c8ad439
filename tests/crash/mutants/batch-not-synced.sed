# spool/convert.c: results of several files are not synced before CONVERTED
/^static int sync_out/,/^}/s/sync_system(k->spool_fd)/1/
