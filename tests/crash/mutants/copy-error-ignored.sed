# spool/take.c: an error of the copy is not seen
/^static void copy(/,/^}/s/if (fill_copy(k, t) == -1)/if (fill_copy(k, t) == -1 \&\& t->to == -1)/
