# spool/publish.c: there is no state RENAMING: renamed, then committed
/^static int prepare/,/^}/s/ledger_renaming(l, d, folder_id, e) == -1/0/
/^static int settle_delivered/,/^}/s/if (ledger_delivered(/struct err ignored; ledger_renaming(l, d, "", \&ignored); if (ledger_delivered(/
