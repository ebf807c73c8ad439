# spool/fetch.c: a claimed file is looked for where it lay, and nowhere else
# in: fetch
/case OUTCOME_TAKEN:  \/\* it was moved/d
/^static void on_fetched/,/^}/s/on_absent(h, x);/(void)on_absent; x->how = IS_GONE;/
