# spool/adopt.c: numbers of jobs jump again when it is repeated
# in: adopt-backup
s/x->restored && adopted != backup/x->restored/
