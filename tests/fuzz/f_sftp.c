/*
 * f_sftp.c - a server that answers whatever it likes, to a session in which one
 * of each thing that a keeper can ask is under way.
 *
 * Input: a first byte, odd: an answer, read as it is; even: frames of
 *
 *   kind(1) which(1) length(2) payload
 *
 * `which` picks a question that is open, whose number the answer gets, so that
 * inputs go deep; kinds are those of answer(). What must hold: the session
 * keeps to its limits, every task ends at most once, and when the server has
 * answered all, at least once; a FETCH never writes past the size that was
 * asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "courier/task.h"
#include "tests/fuzz/fuzz.h"

enum { N_TASKS = 9, SIZE = 10, MAX_OPEN = 4096 };

static struct sftp sftp;
static struct tasks tasks;
static struct answers answers;
static struct stream stream;
static struct wire wire;
static int keeper = -1, courier = -1;
static uint8_t n_done[N_TASKS + 1];

/* ---- the line ------------------------------------------------------------ */

struct open_question {
    uint32_t id;
    uint8_t type;
};

static struct open_question open_questions[MAX_OPEN];
static size_t n_open;
static struct buf to_courier, from_courier;

static uint32_t u32_at(const char *p)
{
    return (uint32_t)(uint8_t)p[0] << 24 | (uint32_t)(uint8_t)p[1] << 16 |
           (uint32_t)(uint8_t)p[2] << 8 | (uint8_t)p[3];
}

static ssize_t line_read(struct stream *s, void *to, size_t len)
{
    struct str bytes = buf_str(&to_courier);

    (void)s;
    if (bytes.len == 0) {
        errno = EAGAIN;
        return -1;
    }
    bytes = str_first(bytes, len);
    str_copy(to, bytes);
    to_courier.len -= bytes.len;
    memmove(to_courier.p, to_courier.p + bytes.len, to_courier.len);
    return (ssize_t)bytes.len;
}

/* What the courier asks must be whole packets; their numbers are kept. */
static ssize_t line_write(struct stream *s, const void *bytes, size_t len)
{
    size_t at = 0;

    (void)s;
    (void)buf_add(&from_courier, (struct str){ bytes, len });
    while (from_courier.len - at >= 9) {
        const char *p = from_courier.p + at;

        FUZZ_CHECK(u32_at(p) <= PACKET_MAX && u32_at(p) >= 5);
        if (from_courier.len - at < 4 + u32_at(p))
            break;
        if (p[4] != FXP_INIT) {
            FUZZ_CHECK(n_open < MAX_OPEN);
            open_questions[n_open++] =
                (struct open_question){ u32_at(p + 5), (uint8_t)p[4] };
        }
        at += 4 + u32_at(p);
    }
    from_courier.len -= at;
    memmove(from_courier.p, from_courier.p + at, from_courier.len);
    return (ssize_t)len;
}

static short line_events(const struct stream *s, bool wants_write)
{
    (void)s;
    return wants_write ? POLLOUT : 0;
}

static const struct stream_kind line_kind = {
    .name = "fuzz",
    .read = line_read,
    .write = line_write,
    .events = line_events,
};

/* ---- answers ------------------------------------------------------------- */

static unsigned char room[2 * PACKET_MAX];

static void put_attrs(struct packet *k)
{
    packet_u32(k, ATTR_SIZE | ATTR_MODE | ATTR_TIMES);
    packet_u64(k, SIZE);
    packet_u32(k, S_IFREG | 0644);
    packet_u32(k, 5);
    packet_u32(k, 5);
}

static void put_honest(struct packet *k, uint8_t type, uint32_t id)
{
    enum fxp answer =
        type == FXP_OPEN || type == FXP_OPENDIR ? FXP_HANDLE
        : type == FXP_READ                      ? FXP_DATA
        : type == FXP_LSTAT || type == FXP_FSTAT || type == FXP_STAT ? FXP_ATTRS
        : type == FXP_READDIR                                        ? FXP_NAME
                              : FXP_STATUS;

    packet_begin(k, room, sizeof(room), answer);
    packet_u32(k, id);
    if (answer == FXP_HANDLE) {
        packet_str(k, STR("h"));
    } else if (answer == FXP_DATA) {
        packet_str(k, STR("0123456789"));
    } else if (answer == FXP_ATTRS) {
        put_attrs(k);
    } else if (answer == FXP_NAME) {
        packet_u32(k, 1);
        packet_str(k, STR("name"));
        packet_str(k, STR(""));
        put_attrs(k);
    } else {
        packet_u32(k, 0);
    }
}

static void put_raw(struct packet *k, struct str bytes)
{
    for (size_t i = 0; i < bytes.len && k->len < k->cap; i++)
        k->p[k->len++] = (unsigned char)bytes.p[i];
}

static void send_packet(struct packet *k)
{
    size_t len = packet_end(k);

    (void)buf_add(&to_courier, (struct str){ (const char *)room, len });
}

/* Takes the question from those that are open, unless it is to be answered
 * twice. Kinds: 0 to 2 are whole, 3 to 7 are what the payload says, from 8 on
 * the truth, from 12 on the truth at the end of a folder. */
enum { TRUTH = 8, THE_END = 12, A_VERSION = 14, ANYTHING = 15, KEEP = 128 };

static struct open_question take_question(uint8_t kind, uint8_t which)
{
    struct open_question q = { 0 };

    if (n_open == 0)
        return q;
    which = (uint8_t)(which % n_open);
    q = open_questions[which];
    if (kind < KEEP) {
        n_open--;
        memmove(&open_questions[which], &open_questions[which + 1],
                (n_open - which) * sizeof(open_questions[0]));
    }
    return q;
}

static void put_lie(struct packet *k, uint8_t kind, uint32_t id,
                    struct str payload)
{
    static const enum fxp types[] = { FXP_STATUS, FXP_HANDLE,
                                      FXP_DATA,   FXP_NAME,
                                      FXP_ATTRS,  FXP_EXTENDED_REPLY,
                                      FXP_STATUS, FXP_DATA };

    packet_begin(k, room, sizeof(room), types[kind]);
    packet_u32(k, id);
    if (kind == 0)
        packet_u32(k, fuzz_byte(&payload) % 16);
    if (kind <= 2)
        packet_str(k, payload);
    else
        put_raw(k, payload);
}

static void answer(uint8_t kind, uint8_t which, struct str payload)
{
    bool is_needed = n_open || kind >= KEEP;
    struct open_question q = take_question(kind, which);
    struct packet k;

    kind &= 15;
    if (!is_needed && kind < A_VERSION)
        return;
    if (kind == ANYTHING) {
        (void)buf_add(&to_courier, payload);
        return;
    }
    if (kind == A_VERSION) {
        packet_begin(&k, room, sizeof(room), FXP_VERSION);
        put_raw(&k, payload);
    } else if (kind >= THE_END && q.type == FXP_READDIR) {
        put_lie(&k, 0, q.id, STR("\1"));
    } else if (kind >= TRUTH) {
        put_honest(&k, q.type, q.id);
    } else {
        put_lie(&k, kind, q.id, payload);
    }
    send_packet(&k);
}

/* ---- the keeper ---------------------------------------------------------- */

static void ask(enum wire_kind kind, uint64_t tag, unsigned flags)
{
    bool has_fd = kind == WIRE_WRITE || kind == WIRE_FETCH || kind == WIRE_LOOK;

    wire_begin(&wire, kind, tag);
    wire_put_str(&wire, STR("in/file"));
    if (kind == WIRE_RENAME)
        wire_put_str(&wire, STR("in/other"));
    if (has_fd || kind == WIRE_RENAME || kind == WIRE_REMOVE)
        wire_put(&wire, SIZE);
    if (kind == WIRE_FETCH || kind == WIRE_REMOVE)
        wire_put(&wire, 5);
    if (kind == WIRE_WRITE || kind == WIRE_RENAME)
        wire_put(&wire, flags);
    if (has_fd)
        wire.fd =
            dup(fuzz_file(kind == WIRE_FETCH,
                          kind == WIRE_FETCH ? STR("") : STR("0123456789")));
    (void)wire_get(&wire);
    (void)wire_get(&wire);
    FUZZ_CHECK(tasks_take(&tasks, &wire) == 0);
}

static void ask_all(void)
{
    uint64_t tag = 1;

    for (enum wire_kind kind = WIRE_LIST; kind <= WIRE_MAKE_FOLDER; kind++)
        ask(kind, tag++, 0);
    ask(WIRE_RENAME, tag++, WIRE_REPLACE);
    ask(WIRE_FETCH, tag++, 0);
}

static void hear(void)
{
    static struct wire in;

    answers_send(&answers);
    while (wire_receive(keeper, &in) == 1) {
        FUZZ_CHECK(in.tag >= 1 && in.tag <= N_TASKS);
        FUZZ_CHECK(in.kind == WIRE_DONE ||
                   (in.kind == WIRE_NAMES && in.tag == 1 && !n_done[1]));
        if (in.kind == WIRE_DONE)
            FUZZ_CHECK(++n_done[in.tag] == 1);
        answers_send(&answers);
    }
}

static void check(void)
{
    struct stat st;

    FUZZ_CHECK(sftp.in_len <= PACKET_MAX + 4 || sftp.is_lost);
    FUZZ_CHECK(sftp.flight <= SFTP_FLIGHT && sftp.n_asked <= SFTP_ASKED);
    FUZZ_CHECK(sftp.out_at + sftp.out_len <= SFTP_OUT);
    FUZZ_CHECK(stat(fuzz_path(1), &st) == 0 && st.st_size <= SIZE);
    if (sftp.is_ready && !sftp.is_lost && sftp.n_asked == 0)
        for (size_t i = 1; i <= N_TASKS; i++)
            FUZZ_CHECK(n_done[i] == 1);
}

static void turn(void)
{
    while (sftp_receive(&sftp))
        ;
    if (sftp.is_ready)
        while (tasks_ask(&tasks) && sftp_send(&sftp))
            ;
    (void)sftp_send(&sftp);
    hear();
}

/* ---- one ----------------------------------------------------------------- */

static void begin(void)
{
    if (keeper == -1) {
        int ends[2];

        FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
        keeper = fcntl(ends[0], F_DUPFD, 200);
        courier = fcntl(ends[1], F_DUPFD, 200);
        close(ends[0]);
        close(ends[1]);
    }
    buf_init(&to_courier, MB(8));
    buf_init(&from_courier, MB(8));
    n_open = 0;
    memset(n_done, 0, sizeof(n_done));
    stream = (struct stream){ .kind = &line_kind };
    sftp_begin(&sftp, &stream, 0, tasks_on_reply);
    answers_init(&answers, courier);
    tasks_init(&tasks, &sftp, &answers);
    (void)sftp_send(&sftp);
}

static void run_session(struct str data)
{
    static const char version[] = "\0\0\0\3\0\0\0\x11"
                                  "fsync@openssh.com\0\0\0\1"
                                  "1\0\0\0\x13"
                                  "statvfs@openssh.com\0\0\0\1"
                                  "2";

    begin();
    if (fuzz_byte(&data) < 240)
        answer(A_VERSION, 0, (struct str){ version, sizeof(version) - 1 });
    turn();
    ask_all();
    turn();
    for (uint64_t now = 1000; data.len && !sftp.is_lost; now += 1000) {
        uint8_t kind = fuzz_byte(&data), which = fuzz_byte(&data);
        size_t len = (size_t)fuzz_byte(&data) | (size_t)fuzz_byte(&data) << 8;
        struct str payload = str_first(data, len);

        data = str_from(data, len);
        answer(kind, which, payload);
        sftp_clock(&sftp, now);
        turn();
        sftp_check_time(&sftp);
        check();
    }
    tasks_close(&tasks);
    answers_release(&answers);
    buf_release(&to_courier);
    buf_release(&from_courier);
}

static void read_answer(struct str data)
{
    struct reply r;
    struct version v;
    struct entry e;
    const char *wrong = NULL;
    uint64_t numbers[4];
    size_t bytes = 0;

    if (version_read(data, &v, &wrong) == -1)
        FUZZ_CHECK(wrong != NULL);
    if (reply_read(data, &r, &wrong) == -1)
        return;
    (void)reply_numbers(&r, numbers, COUNT(numbers));
    (void)sftp_outcome(&r);
    while (reply_name(&r, &e)) {
        FUZZ_CHECK(!r.names.bad);
        bytes += e.name.len + e.longname.len + 12;
        FUZZ_CHECK(bytes <= data.len);
    }
    FUZZ_CHECK(r.names.len == 0);
}

void fuzz_one(struct str data)
{
    if (fuzz_byte(&data) & 1)
        read_answer(data);
    else
        run_session(data);
}
