# spool/publish.c: the old snapshot goes before the new one comes
/^static int rename_once/,/^}/s/if (replace)/if (replace) unlinkat(dir_fd, name, 0); if (replace)/
