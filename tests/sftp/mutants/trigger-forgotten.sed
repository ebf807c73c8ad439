# spool/ship.c: no trigger file after a line that was lost
# in: deliver-trigger
/^static int on_looked/,/^}/s/x->p->by_absence = final != OUTCOME_OK;/x->p->by_absence = true;/
