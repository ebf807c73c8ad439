#include "spool/facts_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const columns_of[N_FACTS] = {
#define X(id, columns) [FACT_##id] = columns,
    FACTS(X)
#undef X
};

struct head {
    uint8_t fact, n_columns;
    uint16_t zero16;
    uint32_t zero32;
    uint64_t seq;
};

size_t fact_columns(enum fact f)
{
    size_t n = 0;
    bool in = false;

    for (const char *z = columns_of[f]; *z; z++) {
        n += !in && *z != ' ';
        in = *z != ' ';
    }
    return n;
}

int fact_write(struct buf *out, enum fact f, uint64_t seq,
               const struct str *columns)
{
    size_t n = fact_columns(f), size = sizeof(struct head), len = out->len;
    struct head h = { .fact = (uint8_t)f, .n_columns = (uint8_t)n, .seq = seq };

    for (size_t i = 0; i < n; i++)
        size += sizeof(uint32_t) + columns[i].len;
    if (!buf_room(out, size))
        return -1;
    memcpy(out->p + len, &h, sizeof(h));
    len += sizeof(h);
    for (size_t i = 0; i < n; i++) {
        uint32_t bytes = (uint32_t)columns[i].len;

        memcpy(out->p + len, &bytes, sizeof(bytes));
        str_copy(out->p + len + sizeof(bytes), columns[i]);
        len += sizeof(bytes) + bytes;
    }
    out->len = len;
    return 0;
}

static bool take(struct str *rest, void *to, size_t n)
{
    if (rest->len < n)
        return false;
    memcpy(to, rest->p, n);
    *rest = str_from(*rest, n);
    return true;
}

bool fact_read(struct str *rest, struct fact_row *out)
{
    struct head h;

    if (!take(rest, &h, sizeof(h)) || h.fact >= N_FACTS || h.zero16 ||
        h.zero32 || h.n_columns != fact_columns((enum fact)h.fact))
        return false;
    out->fact = (enum fact)h.fact;
    out->seq = h.seq;
    for (size_t i = 0; i < h.n_columns; i++) {
        uint32_t bytes;

        if (!take(rest, &bytes, sizeof(bytes)) || rest->len < bytes)
            return false;
        out->column[i] = str_first(*rest, bytes);
        *rest = str_from(*rest, bytes);
    }
    return true;
}

bool facts_whole(struct str file, struct str *aside)
{
    struct fact_row row;

    while (fact_read(&file, &row))
        if (row.fact == FACT_END) {
            *aside = row.column[0];
            return !file.len && aside->len % sizeof(uint64_t) == 0;
        }
    return false;
}

static int map_file(int fd, struct str *out, struct err *e)
{
    struct stat st;
    void *p = MAP_FAILED;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_sys(e, ERR_RETRY, "cannot read the result of the job");
    *out = (struct str){ p, (size_t)st.st_size };
    return 0;
}

/* false: there are rows, and no END of them. */
static bool split(struct facts_map *m)
{
    struct fact_row row;

    m->text = m->whole;
    if ((unsigned char)m->whole.p[0] >= N_FACTS)
        return true;
    while (fact_read(&m->text, &row))
        if (row.fact == FACT_END) {
            m->facts = str_between(m->whole.p, m->text.p);
            return row.column[0].len % sizeof(uint64_t) == 0;
        }
    return false;
}

int facts_map(int dir_fd, struct facts_map *m, struct err *e)
{
    int fd = openat(dir_fd, RESULT_FILE,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int rc;

    *m = (struct facts_map){ 0 };
    if (fd == -1 && errno == ENOENT)
        return 0;
    if (fd == -1)
        return err_sys(e, ERR_RETRY, "cannot read the result of the job");
    rc = map_file(fd, &m->whole, e);
    close(fd);
    if (rc == -1 || split(m))
        return rc;
    facts_unmap(m);
    return err_set(e, ERR_HOLD, "what the job has learnt does not end");
}

void facts_unmap(struct facts_map *m)
{
    if (m->whole.len)
        (void)munmap((void *)(uintptr_t)m->whole.p, m->whole.len);
    *m = (struct facts_map){ 0 };
}
