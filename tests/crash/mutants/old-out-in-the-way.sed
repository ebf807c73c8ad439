# spool/convert.c: results of a try that died are in the way
/^static int move_to_out/,/^}/s/tree_remove(k->spool_fd, out) == -1/0/
