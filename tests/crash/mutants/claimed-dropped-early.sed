# spool/claim.c: the sender's file goes before TAKEN
/^static int take_one/,/^}/s/return commit_taken(k, c, e);/unlinkat(o->claim_fd, c->id, 0); return commit_taken(k, c, e);/
