# spool/files.c: a short write counts as a whole one
/^int file_put/,/^}/s/data = str_from(data, (size_t)n);/return 0;/
