# spool/files.c: small files are not synced
/^static int write_at/,/^}/s/(!sync || fsync(fd) == 0)/true/
