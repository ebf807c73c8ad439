# spool/keeper.c: recovery waits for another file to come
/^int keeper_once/,/^}/s/ || work(k, e) == -1)/)/
