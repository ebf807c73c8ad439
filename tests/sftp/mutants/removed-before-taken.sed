# spool/fetch.c: the server's file goes before ours is committed
# in: fetch
/^static int take_all/,/^}/s/^    if (commit_taken(k, h, e) == -1)/    for (size_t i = 0; i < h->n; i++) { struct wire *w = message(h, WIRE_REMOVE); wire_put_str(w, path_of(h, \&h->v[i].c, h->v[i].there)); wire_put(w, UINT64_MAX); wire_put(w, UINT64_MAX); post(h, w, arena_alloc(\&h->arena, sizeof(struct errand)), 0); }\n&/
