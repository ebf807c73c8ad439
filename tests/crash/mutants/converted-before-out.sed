# spool/convert.c: CONVERTED is committed before the results are in place
/^static int settle_all/,/^}/s/make_durable(k, x, v, n, e) == 0 && commit_all(k, v, n, e) == 0/commit_all(k, v, n, e) == 0 \&\& make_durable(k, x, v, n, e) == 0/
