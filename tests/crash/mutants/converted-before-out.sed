# spool/convert.c: CONVERTED is committed before the results are in place
/^static int settle/,/^}/{
s/rc = move_to_out(k, staging, r->id, e);/;/
s/: ledger_converted(k->ledger, r, ds.list, ds.n, e);/: ledger_converted(k->ledger, r, ds.list, ds.n, e); if (rc == 0) rc = move_to_out(k, staging, r->id, e);/
}
