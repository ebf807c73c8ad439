# spool/publish.c: RENAMING is committed before the part is written
/^static int begin_one(/,/^}/s/? SETTLED : TO_WRITE;/? SETTLED : TO_WRITE; if (p->step == TO_WRITE \&\& ledger_renaming(l, d, p->folder_id, e) == -1) return -1;/
/^static int commit_renaming/,/^}/s/if (ledger_renaming(l, p\[i\].d, p\[i\].folder_id, e) == -1)/if (0)/
