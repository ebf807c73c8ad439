# spool/archive.c: the archive's folder is not synced
/^static int move_all/,/^}/s/sync_folder(k, folder, e) == -1/0/
