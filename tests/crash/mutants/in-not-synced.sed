# spool/take.c: TAKEN is committed before the copies are synced
/^static void sync_copies/,/^}/s/sync_files(f, n_files);//
