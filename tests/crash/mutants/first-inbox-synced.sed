# spool/archive.c: of several inboxes only the first is synced
# in: several
/^static void sync_used/,/^}/s/if (!u->changed)/if (!u->changed || u->next)/
