# spool/take.c: only the first inbox of several is synced before TAKEN
# in: inboxes
/^static void sync_inboxes/,/^}/s/|| j < i ||/|| i > 0 ||/
