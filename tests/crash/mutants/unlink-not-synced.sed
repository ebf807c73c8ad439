# spool/archive.c: that the claimed files are gone is not synced
/^static void drop_all/,/^}/s/sync_used(inboxes, x, n);//
