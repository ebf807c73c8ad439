# spool/publish.c: the parts' folders are not synced before RENAMING
/^static void write_parts/,/^}/s/sync_folders(p, n, WRITTEN);//
