# spool/archive.c: archiving cannot be done again
/^static int move(/,/^}/s/errno == ENOENT/0/
