# spool/take.c: the claim is not synced before TAKEN
/^static void sync_inboxes/,/^}/s/(dir_sync(o->claim_fd) == 0 && dir_sync(o->fd) == 0)/1/
