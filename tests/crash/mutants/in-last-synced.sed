# spool/take.c: only the last copy of several is synced before TAKEN
/^static void copy_all/,/^}/s/sync_copy(&t\[i\])/sync_copy(\&t[i], i == n - 1)/
s/^static void sync_copy(struct taking \*t)/static void sync_copy(struct taking *t, bool last)/
/^static void sync_copy/,/^}/s/rc = fsync(t->to)/rc = last ? fsync(t->to) : 0/
