# spool/ship.c: both names are gone: delivered once more
# in: deliver
/^static int on_looked/,/^}/s/^    if (part == OUTCOME_ABSENT && final_known) {/    if (part == OUTCOME_ABSENT \&\& final == OUTCOME_ABSENT) { x->p->step = SETTLED; return ledger_delivery_again(k->ledger, \&x->d, e); }\n&/
