# spool/retire.c: rows go before the folder's move is durable
/^static int sync_day/,/^}/s/ || sync_folder(k, "tmp") == -1//
