# spool/archive.c: the days' folders are not synced
/^static void move_all/,/^}/s/sync_used(days, x, n);//
