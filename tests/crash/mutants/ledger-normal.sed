# spool/ledger_sqlite.c: a commit is not synced at once
s/synchronous=FULL/synchronous=NORMAL/
