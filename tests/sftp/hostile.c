/*
 * hostile.c - a server that lies.
 *
 *   hostile SCRIPT[:MORE]    speaks SFTP on its standard input and output
 *
 * It has one file of 10 bytes under every name and one folder, and says yes to
 * everything; but a question of the type in the script's row is answered by the
 * row's function. What has to come of it is in tests/unit/t_sftp_hostile.c.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "courier/packet.h"

struct question {
    enum fxp type;
    uint32_t id;
    uint64_t offset; /* of READ */
    uint32_t len;
};

enum { SIZE = 10 };

/* ---- bytes --------------------------------------------------------------- */

static unsigned char in[PACKET_MAX + 4], out[PACKET_MAX * 2];
static struct packet k;
static bool drips;

static void send_bytes(const void *p, size_t len)
{
    const char *at = p;

    while (len) {
        ssize_t n = write(STDOUT_FILENO, at, drips ? 1 : len);

        if (n <= 0)
            exit(0);
        at += n;
        len -= (size_t)n;
    }
}

static void begin(enum fxp type, uint32_t id)
{
    packet_begin(&k, out, sizeof(out), type);
    packet_u32(&k, id);
}

static void end(void)
{
    send_bytes(out, packet_end(&k));
}

static bool get_bytes(void *p, size_t len)
{
    char *at = p;

    while (len) {
        ssize_t n = read(STDIN_FILENO, at, len);

        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static uint32_t u32_at(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static bool get_question(struct question *q)
{
    uint32_t len, handle;

    if (!get_bytes(in, 4))
        return false;
    len = u32_at(in);
    if (len > PACKET_MAX || len < 5 || !get_bytes(in, len))
        return false;
    *q = (struct question){ .type = (enum fxp)in[0], .id = u32_at(in + 1) };
    if (q->type == FXP_READ) {
        handle = u32_at(in + 5);
        q->offset = u32_at(in + 9 + handle + 4);
        q->len = u32_at(in + 9 + handle + 8);
    }
    return true;
}

/* ---- the truth ----------------------------------------------------------- */

static int n_readdir;
static uint64_t size = SIZE;

static void status(uint32_t id, uint32_t code, const char *words)
{
    begin(FXP_STATUS, id);
    packet_u32(&k, code);
    packet_str(&k, str_of(words));
    packet_str(&k, STR(""));
    end();
}

static void put_attrs(uint64_t bytes, uint32_t mode)
{
    packet_u32(&k, ATTR_SIZE | ATTR_MODE | ATTR_TIMES);
    packet_u64(&k, bytes);
    packet_u32(&k, mode);
    packet_u32(&k, 1000000000);
    packet_u32(&k, 1000000000);
}

static void put_name(struct str name, uint32_t mode)
{
    packet_str(&k, name);
    packet_str(&k, STR(""));
    put_attrs(SIZE, mode);
}

static void data(const struct question *q, uint64_t offset, size_t len)
{
    begin(FXP_DATA, q->id);
    packet_str(&k, str_first(str_from(STR("0123456789"), offset), len));
    end();
}

static void honest(const struct question *q)
{
    switch (q->type) {
    case FXP_INIT:
        packet_begin(&k, out, sizeof(out), FXP_VERSION);
        packet_u32(&k, 3);
        packet_str(&k, STR("fsync@openssh.com"));
        packet_str(&k, STR("1"));
        packet_str(&k, STR("unheard-of@example.com"));
        packet_str(&k, (struct str){ "\0\1\2", 3 });
        end();
        break;
    case FXP_OPEN:
    case FXP_OPENDIR:
        begin(FXP_HANDLE, q->id);
        packet_str(&k, STR("handle"));
        end();
        break;
    case FXP_LSTAT:
    case FXP_STAT:
    case FXP_FSTAT:
        begin(FXP_ATTRS, q->id);
        put_attrs(size, S_IFREG | 0644);
        end();
        break;
    case FXP_READ:
        if (q->offset < SIZE)
            data(q, q->offset, q->len);
        else
            status(q->id, FX_EOF, "end");
        break;
    case FXP_READDIR:
        if (n_readdir++) {
            status(q->id, FX_EOF, "end");
            break;
        }
        begin(FXP_NAME, q->id);
        packet_u32(&k, 1);
        put_name(STR("a.csv"), S_IFREG | 0644);
        end();
        break;
    case FXP_REALPATH:
        begin(FXP_NAME, q->id);
        packet_u32(&k, 1);
        put_name(STR("/"), S_IFDIR | 0755);
        end();
        break;
    default:
        status(q->id, FX_OK, "");
    }
}

/* ---- lies ---------------------------------------------------------------- */

static void unasked(const struct question *q)
{
    struct question other = *q;

    other.id += 7;
    honest(&other);
}

static void old(const struct question *q)
{
    struct question other = *q;

    other.id += 1024; /* kept at the same place */
    honest(&other);
}

static void twice(const struct question *q)
{
    honest(q);
    honest(q);
}

static void ok_alone(const struct question *q)
{
    status(q->id, FX_OK, "");
}

static void as_name(const struct question *q)
{
    begin(FXP_NAME, q->id);
    packet_u32(&k, 1);
    put_name(STR("x"), S_IFREG);
    end();
}

static void as_data(const struct question *q)
{
    data(q, 0, 5);
}

static void as_open(const struct question *q)
{
    begin(FXP_OPEN, q->id);
    end();
}

static void raw(const struct question *q, size_t len)
{
    (void)q;
    memset(out, 0, sizeof(out));
    out[0] = (unsigned char)(len >> 24);
    out[1] = (unsigned char)(len >> 16);
    out[2] = (unsigned char)(len >> 8);
    out[3] = (unsigned char)len;
    send_bytes(out, len < PACKET_MAX + 10 ? len + 4 : PACKET_MAX + 10);
}

static void length_0(const struct question *q)
{
    raw(q, 0);
}

static void length_1(const struct question *q)
{
    raw(q, 1);
}

static void length_300000(const struct question *q)
{
    raw(q, 300000);
}

static void length_4g(const struct question *q)
{
    raw(q, 0xffffffff);
}

static void cut_and_gone(const struct question *q)
{
    begin(FXP_STATUS, q->id);
    packet_u32(&k, 0);
    packet_str(&k, STR("words"));
    send_bytes(out, packet_end(&k) - 3);
    exit(0);
}

static void gone(const struct question *q)
{
    (void)q;
    exit(0);
}

static void cut_field(const struct question *q)
{
    begin(FXP_HANDLE, q->id);
    packet_u32(&k, 100);
    packet_u32(&k, 0);
    end();
}

static void trailing(const struct question *q)
{
    begin(FXP_STATUS, q->id);
    packet_u32(&k, 0);
    packet_str(&k, STR(""));
    packet_str(&k, STR(""));
    packet_u32(&k, 0);
    end();
}

static void handle_of(const struct question *q, size_t len)
{
    static char bytes[300];

    begin(FXP_HANDLE, q->id);
    packet_str(&k, (struct str){ bytes, len });
    end();
}

static void handle_0(const struct question *q)
{
    handle_of(q, 0);
}

static void handle_257(const struct question *q)
{
    handle_of(q, 257);
}

static void data_more(const struct question *q)
{
    begin(FXP_DATA, q->id);
    packet_str(&k, STR("0123456789+"));
    end();
}

static void data_none(const struct question *q)
{
    begin(FXP_DATA, q->id);
    packet_str(&k, STR(""));
    end();
}

static void data_byte(const struct question *q)
{
    data(q, q->offset, 1);
}

static void data_eof(const struct question *q)
{
    if (q->offset >= 5)
        status(q->id, FX_EOF, "end");
    else
        data(q, q->offset, 5);
}

static void size_grows(const struct question *q)
{
    honest(q);
    size++;
}

static void size_huge(const struct question *q)
{
    size = UINT64_MAX - 1;
    honest(q);
}

static void no_attrs(const struct question *q)
{
    begin(FXP_ATTRS, q->id);
    packet_u32(&k, 0);
    end();
}

static void pairs_lie(const struct question *q)
{
    begin(FXP_ATTRS, q->id);
    packet_u32(&k, 0x80000000u);
    packet_u32(&k, 0xffffffff);
    packet_str(&k, STR("a"));
    packet_str(&k, STR("b"));
    end();
}

static void pairs(const struct question *q)
{
    begin(FXP_ATTRS, q->id);
    packet_u32(&k, 0x80000000u | ATTR_SIZE | ATTR_MODE | ATTR_OWNER);
    packet_u64(&k, SIZE);
    packet_u64(&k, 0);
    packet_u32(&k, S_IFREG | 0600);
    packet_u32(&k, 1);
    packet_str(&k, STR("a@example.com"));
    packet_str(&k, STR("b"));
    end();
}

static void failure_quota(const struct question *q)
{
    status(q->id, FX_FAILURE, "Disk Quota exceeded\r\n\033[2J");
}

static void failure(const struct question *q)
{
    status(q->id, FX_FAILURE, "Failure");
}

static void denied(const struct question *q)
{
    status(q->id, FX_PERMISSION_DENIED, "Permission denied");
}

/* Shows that a file that failed at its end is removed. */
static void quota_then_dies(const struct question *q)
{
    if (q->type == FXP_CLOSE)
        failure_quota(q);
    else if (q->type == FXP_REMOVE)
        exit(0);
    else
        honest(q);
}

static void unsupported(const struct question *q)
{
    status(q->id, FX_OP_UNSUPPORTED, "Unsupported");
}

static void absent(const struct question *q)
{
    status(q->id, FX_NO_SUCH_FILE, "");
}

static void code_alone(const struct question *q)
{
    begin(FXP_STATUS, q->id);
    packet_u32(&k, 0);
    end();
}

/* ---- lies of a folder ---------------------------------------------------- */

static void names_bad(const struct question *q)
{
    static char large[100 * 1024];
    static const struct str names[] = {
        { "..", 2 },
        { ".", 1 },
        { "", 0 },
        { "../x", 4 },
        { "/etc/passwd", 11 },
        { "a\0b", 3 },
        { "a\033[2J\n", 6 },
        { "\xff\xfe", 2 },
        { "b.csv", 5 },
    };

    if (n_readdir++) {
        status(q->id, FX_EOF, "");
        return;
    }
    memset(large, 'n', sizeof(large));
    begin(FXP_NAME, q->id);
    packet_u32(&k, COUNT(names) + 5);
    for (size_t i = 0; i < COUNT(names); i++)
        put_name(names[i], S_IFREG | 0644);
    put_name(STR("link"), S_IFLNK | 0777);
    put_name(STR("folder"), S_IFDIR | 0777);
    put_name(STR("../folder"), S_IFDIR | 0777);
    put_name((struct str){ large, sizeof(large) }, S_IFREG | 0644);
    put_name((struct str){ large, 255 }, S_IFREG | 0644);
    end();
}

static void names_endless(const struct question *q)
{
    char name[32];

    begin(FXP_NAME, q->id);
    packet_u32(&k, 1000);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "%d", n_readdir++);
        put_name(str_of(name), S_IFREG | 0644);
    }
    end();
}

/* "names-exactly:N", the two that do not count among them. */
static const char *more;

static void names_exactly(const struct question *q)
{
    int left = (int)strtol(more, NULL, 10) - n_readdir;
    int n = left < 1000 ? left : 1000;
    char name[32];

    if (n <= 0) {
        status(q->id, FX_EOF, "");
        return;
    }
    begin(FXP_NAME, q->id);
    packet_u32(&k, (uint32_t)n);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "%d", n_readdir);
        put_name(n_readdir == 0   ? STR(".")
                 : n_readdir == 1 ? STR("..")
                                  : str_of(name),
                 S_IFREG | 0644);
        n_readdir++;
    }
    end();
}

static void names_long(const struct question *q)
{
    static char large[PACKET_MAX - 100];

    begin(FXP_NAME, q->id);
    packet_u32(&k, 1);
    put_name((struct str){ large, sizeof(large) }, S_IFREG | 0644);
    end();
}

static void names_none(const struct question *q)
{
    begin(FXP_NAME, q->id);
    packet_u32(&k, 0);
    end();
}

static void names_lie(const struct question *q)
{
    begin(FXP_NAME, q->id);
    packet_u32(&k, 0xffffffff);
    put_name(STR("a"), S_IFREG | 0644);
    end();
}

static void names_then_error(const struct question *q)
{
    if (n_readdir == 0)
        honest(q);
    else
        status(q->id, FX_FAILURE, "I/O error");
}

static void names_then_end_then_error(const struct question *q)
{
    if (n_readdir < 2)
        honest(q);
    else
        status(q->id, FX_FAILURE, "no more");
}

static void names_by_longname(const struct question *q)
{
    if (n_readdir++) {
        status(q->id, FX_EOF, "");
        return;
    }
    begin(FXP_NAME, q->id);
    packet_u32(&k, 2);
    for (int i = 0; i < 2; i++) {
        packet_str(&k, i ? STR("file") : STR("folder"));
        packet_str(&k, i ? STR("-rw------- 1 a b 10 file") : STR("drwx"));
        packet_u32(&k, ATTR_SIZE);
        packet_u64(&k, SIZE);
    }
    end();
}

/* ---- beginnings ---------------------------------------------------------- */

static void version_2(const struct question *q)
{
    (void)q;
    packet_begin(&k, out, sizeof(out), FXP_VERSION);
    packet_u32(&k, 2);
    end();
}

static void version_cut(const struct question *q)
{
    (void)q;
    packet_begin(&k, out, sizeof(out), FXP_VERSION);
    packet_u32(&k, 3);
    packet_u32(&k, 1000);
    end();
}

static void version_again(const struct question *q)
{
    const struct question init = { .type = FXP_INIT };

    (void)q;
    honest(&init);
}

static void limits(uint64_t read_, uint64_t write_)
{
    struct question q;

    packet_begin(&k, out, sizeof(out), FXP_VERSION);
    packet_u32(&k, 3);
    packet_str(&k, STR("limits@openssh.com"));
    packet_str(&k, STR("1"));
    end();
    if (!get_question(&q))
        exit(0);
    begin(FXP_EXTENDED_REPLY, q.id);
    packet_u64(&k, 0);
    packet_u64(&k, read_);
    packet_u64(&k, write_);
    packet_u64(&k, 1);
    end();
}

static void limits_small(const struct question *q)
{
    (void)q;
    limits(1, 1);
}

static void limits_large(const struct question *q)
{
    (void)q;
    limits(UINT64_MAX, UINT64_MAX);
}

/* "rename:...": RENAME fails, and each LSTAT is answered by a letter. */
static void rename_fails(const struct question *q)
{
    if (q->type == FXP_RENAME) {
        failure(q);
        return;
    }
    if (q->type != FXP_LSTAT || !*more) {
        honest(q);
        return;
    }
    switch (*more++) {
    case 'a':
        absent(q);
        break;
    case 'd':
        denied(q);
        break;
    case 'n': /* another file, of the same size, of no owner */
        pairs(q);
        break;
    case 's': /* another size */
        size = SIZE + 1;
        honest(q);
        size = SIZE;
        break;
    default:
        honest(q);
    }
}

static void mute(const struct question *q)
{
    (void)q;
}

/* Answers wait until no more is asked; then the last one comes first. */
static void backwards(const struct question *q)
{
    static struct question kept[64];
    static size_t n;
    struct pollfd next = { .fd = STDIN_FILENO, .events = POLLIN };

    kept[n++] = *q;
    if (n < COUNT(kept) && poll(&next, 1, 100) == 1)
        return;
    while (n)
        honest(&kept[--n]);
}

static void slowly(const struct question *q)
{
    drips = true;
    honest(q);
}

enum { ANY = 0 };

static const struct script {
    const char *name;
    unsigned at; /* the type of question */
    void (*answer)(const struct question *q);
} scripts[] = {
    { "honest", ANY, honest },
    { "unasked", FXP_LSTAT, unasked },
    { "old", FXP_LSTAT, old },
    { "twice", FXP_REMOVE, twice },
    { "ok-to-open", FXP_OPEN, ok_alone },
    { "ok-to-stat", FXP_LSTAT, ok_alone },
    { "ok-to-read", FXP_READ, ok_alone },
    { "ok-to-readdir", FXP_READDIR, ok_alone },
    { "name-to-read", FXP_READ, as_name },
    { "data-to-open", FXP_OPEN, as_data },
    { "data-to-remove", FXP_REMOVE, as_data },
    { "open-to-remove", FXP_REMOVE, as_open },
    { "length-0", FXP_REMOVE, length_0 },
    { "length-1", FXP_REMOVE, length_1 },
    { "length-300000", FXP_REMOVE, length_300000 },
    { "length-4g", FXP_REMOVE, length_4g },
    { "cut-and-gone", FXP_REMOVE, cut_and_gone },
    { "gone", FXP_WRITE, gone },
    { "cut-field", FXP_OPEN, cut_field },
    { "trailing", FXP_REMOVE, trailing },
    { "handle-0", FXP_OPEN, handle_0 },
    { "handle-257", FXP_OPENDIR, handle_257 },
    { "data-more", FXP_READ, data_more },
    { "data-none", FXP_READ, data_none },
    { "data-byte", FXP_READ, data_byte },
    { "data-eof", FXP_READ, data_eof },
    { "size-grows", FXP_FSTAT, size_grows },
    { "size-huge", FXP_FSTAT, size_huge },
    { "no-attrs", FXP_FSTAT, no_attrs },
    { "pairs-lie", FXP_FSTAT, pairs_lie },
    { "pairs", FXP_LSTAT, pairs },
    { "quota-at-close", FXP_CLOSE, failure_quota },
    { "quota-then-dies", ANY, quota_then_dies },
    { "fsync-fails", FXP_EXTENDED, failure },
    { "fsync-unsupported", FXP_EXTENDED, unsupported },
    { "write-denied", FXP_WRITE, denied },
    { "stat-denied", FXP_LSTAT, denied },
    { "stat-absent", FXP_LSTAT, absent },
    { "open-fails", FXP_OPEN, failure },
    { "code-alone", FXP_REMOVE, code_alone },
    { "names-bad", FXP_READDIR, names_bad },
    { "names-endless", FXP_READDIR, names_endless },
    { "names-exactly", FXP_READDIR, names_exactly },
    { "names-long", FXP_READDIR, names_long },
    { "names-none", FXP_READDIR, names_none },
    { "names-lie", FXP_READDIR, names_lie },
    { "names-then-error", FXP_READDIR, names_then_error },
    { "names-end-error", FXP_READDIR, names_then_end_then_error },
    { "names-by-longname", FXP_READDIR, names_by_longname },
    { "version-2", FXP_INIT, version_2 },
    { "version-cut", FXP_INIT, version_cut },
    { "version-none", FXP_INIT, ok_alone },
    { "version-again", FXP_REMOVE, version_again },
    { "version-mute", FXP_INIT, mute },
    { "limits-small", FXP_INIT, limits_small },
    { "limits-large", FXP_INIT, limits_large },
    { "backwards", ANY, backwards },
    { "slowly", ANY, slowly },
    { "rename", ANY, rename_fails },
};

int main(int argc, char **argv)
{
    const struct script *s = NULL;
    struct question q;

    more = argc == 2 ? strchr(argv[1], ':') : NULL;
    more = more ? more + 1 : "";
    for (size_t i = 0; argc == 2 && i < COUNT(scripts); i++)
        if (strncmp(scripts[i].name, argv[1], strcspn(argv[1], ":")) == 0 &&
            scripts[i].name[strcspn(argv[1], ":")] == '\0')
            s = &scripts[i];
    if (!s)
        return 2;
    while (get_question(&q))
        if (q.type != FXP_INIT ? s->at == ANY || s->at == q.type
                               : s->at == FXP_INIT)
            s->answer(&q);
        else
            honest(&q);
    return 0;
}
