# spool/take.c: the sender's file goes before TAKEN
/^static int take_together(.*$/,/^}/s/^    if (commit_taken(/    for (size_t i = 0; i < n; i++) unlinkat(t[i].o->claim_fd, t[i].c->id, 0);\n    if (commit_taken(/
