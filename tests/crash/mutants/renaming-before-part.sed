# spool/publish.c: RENAMING is committed before the part is written
/^static int prepare/,/^}/{
s/write_part(d, part, from_fd, to, e) == -1/SWAP/
s/ledger_renaming(l, d, folder_id, e) == -1/write_part(d, part, from_fd, to, e) == -1/
s/SWAP/ledger_renaming(l, d, folder_id, e) == -1/
}
