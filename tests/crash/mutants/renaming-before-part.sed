# spool/publish.c: RENAMING is committed before the part is written
/^int publish_begin(/,/^}/s/? SETTLED : TO_WRITE;/? SETTLED : TO_WRITE; if (p->step == TO_WRITE \&\& ledger_renaming(l, d, folder_id, e) == -1) return -1;/
/^int publish_commit_written/,/^}/s/if (ledger_renaming(l, p\[i\].d, p\[i\].folder_id, e) == -1)/if (0)/
