# spool/publish.c: there is no state RENAMING: renamed, then committed
/^static int commit_renaming/,/^}/s/if (ledger_renaming(l, p\[i\].d, p\[i\].folder_id, e) == -1)/if (0)/
/^static int commit_delivered/,/^}/s/if (ledger_delivered(/struct err ignored; ledger_renaming(l, p[i].d, "", \&ignored); if (ledger_delivered(/
