# spool/claim.c: TAKEN is committed before the copy is synced
/^static int copy_into_spool/,/^}/s/rc = fsync(to)/rc = 0/
