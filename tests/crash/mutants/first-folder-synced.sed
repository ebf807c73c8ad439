# spool/publish.c: of several folders only the first is synced
# in: two
/^static void sync_folders/,/^}/s/if ((int)p\[i\].step != step ||/if ((int)p[i].step != step || i > 0 ||/
