# spool/archive.c: a file cannot be taken back again
# in: retry
/^static int move(/,/^}/s/errno == ENOENT/0/
