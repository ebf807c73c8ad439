# spool/sync.c: of a few files only the first is synced
# in: two
/^static void sync_each/,/^}/s/f\[i\].error = fsync/if (i == 0) f[i].error = fsync/
