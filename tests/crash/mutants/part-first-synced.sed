# spool/publish.c: of several parts only the first is synced
/^static void write_parts/,/^}/s/sync_part(&p\[i\])/sync_part(\&p[i], i == 0)/
/^static void sync_part(/,/^}/{
s/(struct publishing \*p)/(struct publishing *p, bool first)/
s/int rc = fsync(p->part_fd)/int rc = first ? fsync(p->part_fd) : 0/
}
