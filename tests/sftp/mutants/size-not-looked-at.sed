# spool/fetch.c: a file that came by half is a file
# in: fetch
/^static void on_fetched/,/^}/s/^    case OUTCOME_OK:/&\n    case OUTCOME_LOST:\n        x->c.seen.size = (uint64_t)lseek(x->fd, 0, SEEK_END);/
