# spool/convert.c: what a job learnt is kept before the job is CONVERTED
# in: changes cards reserve
/^static int settle_all/,/^}/s/^    if (make_durable(/    for (size_t q = 0; q < n; q++)\n        if (v[q].dir != -1)\n            (void)ledger_learn(k->ledger, \&v[q].f->receipt, v[q].facts.facts, e);\n    if (make_durable(/
