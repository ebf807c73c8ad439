# spool/deliver.c: the new folder rejected/ is not synced
/^static int make_folder/,/^}/s/dir_sync(root) == -1/0/
