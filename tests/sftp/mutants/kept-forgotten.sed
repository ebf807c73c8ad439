# spool/claim.c: a file that stays on the server is not remembered
# in: fetch-keep
s/return remote ? ledger_see(k->ledger, c->partner, c->folder, &seen, e) : 0;/(void)remote; (void)seen; return 0;/
