# spool/backup.c: copies are not synced
# in: backup backup-again
/^static int fill(/,/^}/s/rc == 0 ? fsync(to) : rc/rc/
