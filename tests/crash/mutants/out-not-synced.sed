# spool/convert.c: results are not synced before CONVERTED
/^static int move_to_out/,/^}/s/tree_sync(k->spool_fd, tmp) == -1/0/
