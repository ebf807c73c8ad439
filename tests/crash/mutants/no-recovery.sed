# spool/keeper.c: recovery waits for another file to come
/^int keeper_once/,/^}/s/ || work(k, e) == -1)/)/
/^int keeper_work/,/^}/s/if (work(k, e) == -1)/if (0)/
