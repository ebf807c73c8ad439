# spool/ship.c: a rename without an answer counts as done
# in: deliver
/^static int renamed_all/,/^}/s/x->p->step == TO_RENAME && is_ok(&x->at_final))/x->p->step == TO_RENAME \&\& (is_ok(\&x->at_final) || x->at_final.f.how == OUTCOME_LOST))/
