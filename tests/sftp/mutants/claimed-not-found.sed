# spool/fetch.c: a claimed file is looked for where it lay
# in: fetch
/case OUTCOME_TAKEN:  \/\* it was moved/d
