# spool/ledger_delivery.c: which snapshot is newer is asked of the jobs' numbers
s/AND seq>=?4 AND (seq>?4 OR job>?5)/AND ?4 AND job>?5/
