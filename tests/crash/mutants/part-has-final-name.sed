# spool/publish.c: written under the final name
/^void publish_part_name/,/^}/s/snprintf(/if (!d->replace) { snprintf(out, PART_NAME, "%.*s", STR_ARGS(d->name)); return; } snprintf(/
/^static int rename_once/,/^}/s/if (replace)/if (!strcmp(part, name)) return 0; if (replace)/
