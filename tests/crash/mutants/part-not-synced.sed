# spool/publish.c: the parts are not synced
/^static void sync_part(/,/^}/s/int rc = fsync(p->part_fd)/int rc = 0/
