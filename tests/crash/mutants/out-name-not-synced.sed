# spool/convert.c: the results' folder is not synced before CONVERTED
/^static int sync_out/,/^}/s/sync_folder(k, "out") == -1/0/
