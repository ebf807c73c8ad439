# spool/publish.c: DELIVERED is committed before the final names are durable
/^int publish(/,/^}/s/sync_folders(p, n, RENAMED);//
