# spool/publish.c: a leftover part is in the way
/^static int create_part/,/^}/s/ && unlinkat(dir_fd, part, 0) == 0/ \&\& 0/
