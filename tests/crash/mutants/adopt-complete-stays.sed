# spool/adopt.c: what was killed late leaves a spool that looks like a backup
# in: adopt-backup
/was_fine = true/{n;s/return forget_backup(k, e)/return 0/;}
