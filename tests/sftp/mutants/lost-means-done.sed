# spool/ship.c: a rename without an answer counts as done
# in: deliver
/^static void renamed_all/,/^}/s/if (is_ok(&x->at_final))/if (is_ok(\&x->at_final) || x->at_final.f.how == OUTCOME_LOST)/
