# spool/files.c: small files are not synced
/^int file_write/,/^}/s/fsync(fd) == 0/1/
