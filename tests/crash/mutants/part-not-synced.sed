# spool/publish.c: the parts are not synced
/^static void sync_parts/,/^}/s/sync_files(f, n_files);//
