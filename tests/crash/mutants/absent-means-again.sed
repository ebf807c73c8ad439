# spool/publish.c: both names are gone: delivered once more
/^static int finish(/,/^}/s/if (found == UNKNOWN)/if (found == ABSENT) return ledger_delivery_again(l, d, e); if (found == UNKNOWN)/
