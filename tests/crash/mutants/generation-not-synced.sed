# spool/files.c: small files are not synced
/^static int write_new/,/^}/s/(!sync || fsync(fd) == 0)/true/
