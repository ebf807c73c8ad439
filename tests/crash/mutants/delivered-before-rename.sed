# spool/publish.c: DELIVERED is committed before the rename
/^static int rename_part(/,/^}/s/if (rename_once(/if (ledger_delivered(l, p->d, false, e) == -1) return -1; p->d->state = DELIVERY_DELIVERED; if (rename_once(/
/^int publish_commit_renamed/,/^}/s/if (ledger_delivered(/if (p[i].d->state != DELIVERY_DELIVERED \&\& ledger_delivered(/
