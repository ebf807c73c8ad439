# spool/publish.c: DELIVERED is committed before the rename
/^static int rename_part/,/^}/s/if (rename_once(to->dir_fd, part, name, d->replace) == 0)/if (settle_delivered(l, d, to->dir_fd, false, e) == 0 \&\& rename_once(to->dir_fd, part, name, d->replace) == 0) return 0; if (d->state == DELIVERY_DELIVERED)/
/^static int settle_delivered/,/^}/s/if (ledger_delivered(/if (d->state == DELIVERY_DELIVERED) return 0; if (ledger_delivered(/
