# spool/archive.c: ARCHIVED is committed before the claimed files are gone
/^static int archive_all/,/^}/{
s/^    drop_all(k, x, n, inboxes);//
s/commit_archived(k, x, n, e) == -1)/commit_archived(k, x, n, e) == -1 || (drop_all(k, x, n, inboxes), 0))/
}
