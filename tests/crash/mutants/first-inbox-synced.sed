# spool/archive.c: of several inboxes only the first is synced
/^static void sync_used/,/^}/s/if (!u->changed)/if (!u->changed || u->next)/
