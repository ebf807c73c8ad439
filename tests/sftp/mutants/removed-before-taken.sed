# spool/fetch.c: the server's file goes before ours is committed
# in: fetch
/^static int take_all/,/^}/s/^    if (commit_taken(k, h, e) == -1)/    for (size_t i = 0; i < h->n; i++) haul_remove(h, haul_path(h, \&h->v[i].c, h->v[i].there), UINT64_MAX, UINT64_MAX, arena_alloc(\&h->arena, sizeof(struct errand)));\n&/
