# spool/retire.c: rows go before the folder's move is durable
/^static int sync_day/,/^}/s/ || sync_if_there(k, "tmp") == -1//
