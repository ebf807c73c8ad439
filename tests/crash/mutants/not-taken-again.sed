# spool/claim.c: recovery forgets what was claimed and not taken
/^int keeper_take/,/^}/s/rc = take_one(k, &claims\[i\], &o, e);/rc = k->n_taken == 0 \&\& !k->waiting ? 0 : take_one(k, \&claims[i], \&o, e);/
