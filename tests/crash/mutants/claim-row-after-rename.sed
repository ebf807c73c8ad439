# spool/claim.c: files are claimed before the ledger knows
/^static int claim_files/,/^}/{
/ledger_commit(k->ledger, e) == -1/,+1d
s/^    return 0;/    return ledger_commit(k->ledger, e);/
}
