# spool/convert.c: the results' folder is not synced before CONVERTED
/^static int move_to_out/,/^}/s/dir_sync(out_dir) == 0/1/
