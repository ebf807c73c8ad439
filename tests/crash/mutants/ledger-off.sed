# spool/ledger_sqlite.c: the ledger is never synced
s/synchronous=FULL/synchronous=OFF/
