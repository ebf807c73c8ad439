# spool/deliver.c: a folder rejected/ that was begun is in the way
/^static int make_folder/,/^}/s/ && errno != EEXIST//
