# spool/publish.c: there is no state RENAMING: renamed, then committed
/^int publish_commit_written/,/^}/s/if (ledger_renaming(l, p\[i\].d, p\[i\].folder_id, e) == -1)/if (0)/
/^int publish_commit_renamed/,/^}/s/if (ledger_delivered(/struct err ignored; ledger_renaming(l, p[i].d, STR(""), \&ignored); if (ledger_delivered(/
