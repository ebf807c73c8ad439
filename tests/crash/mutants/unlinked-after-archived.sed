# spool/archive.c: ARCHIVED is committed before the claimed file is gone
/^static int archive_one/,/^}/{
s/ || drop_claimed(k, c, r, e) == -1/ || 0/
s/return ledger_archived(k->ledger, c, path.p, e);/return ledger_archived(k->ledger, c, path.p, e) == -1 ? -1 : drop_claimed(k, c, r, e);/
}
