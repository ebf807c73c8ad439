#include "courier/sftp.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    QUESTION = 2 * SFTP_PATH + 128, /* the longest one without data */
    HEAD_OF_WRITE = PACKET_HANDLE + 64,
    READ_COST = 60,         /* about what a READ and its DATA take of a line */
    SLOTS = SFTP_ASKED - 1, /* bits of an id that say where it is kept */
    SECOND = 1000
};

/* What the session asks for itself. */
enum { ASKS_LIMITS, ASKS_FOR_LIFE };

void sftp_lose(struct sftp *s, const char *fmt, ...)
{
    char text[sizeof(s->lost.text)];
    va_list ap;

    if (s->is_lost)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    failed(&s->lost, OUTCOME_LOST, "%s", text);
    s->is_lost = true;
}

/* ---- questions ----------------------------------------------------------- */

static bool fits(const struct sftp *s, size_t n, size_t bytes)
{
    return !s->is_lost && SFTP_ASKED - s->n_asked >= n &&
           SFTP_OUT - SFTP_RESERVE - s->out_len >= bytes &&
           SFTP_OUT - SFTP_RESERVE >= s->out_len;
}

bool sftp_has_room(const struct sftp *s, size_t n)
{
    return fits(s, n, n * QUESTION);
}

bool sftp_has_room_to_read(const struct sftp *s, size_t len)
{
    return fits(s, 1, QUESTION) && SFTP_FLIGHT - s->flight >= len;
}

bool sftp_has_room_to_write(const struct sftp *s, size_t len)
{
    return fits(s, 1, HEAD_OF_WRITE + len) && SFTP_FLIGHT - s->flight >= len;
}

/* Remembers who asks; the id says where it is remembered. */
static struct asked *remember(struct sftp *s, struct asker by, enum fxp type,
                              enum fxp answer)
{
    uint32_t slot = s->free;
    struct asked *a = &s->asked[slot];

    assert(s->n_asked < SFTP_ASKED && by.owner);
    s->free = a->next_free;
    *a = (struct asked){ .by = by,
                         .id = s->serial++ * SFTP_ASKED + slot,
                         .type = type,
                         .answer = answer };
    if (s->n_asked++ == 0)
        s->moved_at = s->now; /* until now nobody waited for anything */
    return a;
}

static void forget(struct sftp *s, struct asked *a)
{
    a->by.owner = NULL;
    a->next_free = s->free;
    s->free = (uint32_t)(a - s->asked);
    s->n_asked--;
    s->flight -= a->len;
}

static unsigned char *tail(struct sftp *s)
{
    return s->out + s->out_at + s->out_len;
}

/* A packet is built behind what waits to be sent, which only moves to the front
 * when the longest one would not fit behind it. */
static void begin(struct sftp *s, struct packet *k, enum fxp type)
{
    if (s->out_at &&
        SFTP_OUT - s->out_at - s->out_len < QUESTION + SFTP_CHUNK_MAX) {
        memmove(s->out, s->out + s->out_at, s->out_len);
        s->out_at = 0;
    }
    packet_begin(k, tail(s), SFTP_OUT - s->out_at - s->out_len, type);
}

static void end(struct sftp *s, struct packet *k)
{
    size_t len = packet_end(k);

    assert(len);
    s->out_len += len;
}

static struct asked *begin_question(struct sftp *s, struct packet *k,
                                    struct asker by, enum fxp type,
                                    enum fxp answer)
{
    struct asked *a = remember(s, by, type, answer);

    begin(s, k, type);
    packet_u32(k, a->id);
    return a;
}

/* The type that an answer has when it is no STATUS. */
static enum fxp answer_of(enum fxp type)
{
    switch (type) {
    case FXP_OPEN:
    case FXP_OPENDIR:
        return FXP_HANDLE;
    case FXP_READ:
        return FXP_DATA;
    case FXP_LSTAT:
    case FXP_STAT:
    case FXP_FSTAT:
        return FXP_ATTRS;
    case FXP_READDIR:
    case FXP_REALPATH:
        return FXP_NAME;
    default:
        return FXP_STATUS;
    }
}

void sftp_ask_path(struct sftp *s, struct asker by, enum fxp type,
                   struct str path)
{
    struct packet k;

    begin_question(s, &k, by, type, answer_of(type));
    packet_str(&k, path);
    if (type == FXP_MKDIR)
        packet_u32(&k, 0); /* no attributes: the server's own mode */
    end(s, &k);
}

void sftp_ask_open(struct sftp *s, struct asker by, struct str path,
                   uint32_t flags)
{
    struct packet k;

    begin_question(s, &k, by, FXP_OPEN, FXP_HANDLE);
    packet_str(&k, path);
    packet_u32(&k, flags);
    packet_u32(&k, 0);
    end(s, &k);
}

void sftp_ask_handle(struct sftp *s, struct asker by, enum fxp type,
                     struct str handle, uint64_t number)
{
    struct packet k;

    begin_question(s, &k, by, type, answer_of(type))->offset = number;
    packet_str(&k, handle);
    end(s, &k);
}

void sftp_ask_fsync(struct sftp *s, struct asker by, struct str handle)
{
    struct packet k;

    begin_question(s, &k, by, FXP_EXTENDED, FXP_STATUS);
    packet_str(&k, STR("fsync@openssh.com"));
    packet_str(&k, handle);
    end(s, &k);
}

void sftp_ask_space(struct sftp *s, struct asker by, struct str path)
{
    struct packet k;

    begin_question(s, &k, by, FXP_EXTENDED, FXP_EXTENDED_REPLY);
    packet_str(&k, STR("statvfs@openssh.com"));
    packet_str(&k, path);
    end(s, &k);
}

void sftp_ask_rename(struct sftp *s, struct asker by, struct str from,
                     struct str to, bool posix)
{
    struct packet k;

    begin_question(s, &k, by, posix ? FXP_EXTENDED : FXP_RENAME, FXP_STATUS);
    if (posix)
        packet_str(&k, STR("posix-rename@openssh.com"));
    packet_str(&k, from);
    packet_str(&k, to);
    end(s, &k);
}

void sftp_ask_read(struct sftp *s, struct asker by, struct str handle,
                   uint64_t offset, uint32_t len)
{
    struct packet k;
    struct asked *a = begin_question(s, &k, by, FXP_READ, FXP_DATA);

    a->offset = offset;
    a->len = len;
    s->flight += len;
    packet_str(&k, handle);
    packet_u64(&k, offset);
    packet_u32(&k, len);
    end(s, &k);
}

void sftp_ask_rest(struct sftp *s, const struct asked *a, struct str handle,
                   uint32_t got)
{
    sftp_ask_read(s, a->by, handle, a->offset + got, a->len - got);
}

/* A WRITE is remembered at its end: its data may not come. */
unsigned char *sftp_write_begin(struct sftp *s, struct str handle,
                                uint64_t offset, uint32_t len)
{
    struct packet k;
    unsigned char *data;

    begin(s, &k, FXP_WRITE);
    packet_u32(&k, 0);
    packet_str(&k, handle);
    packet_u64(&k, offset);
    data = packet_room(&k, len);
    assert(data);
    s->writing = (size_t)(data - tail(s));
    return data;
}

void sftp_write_end(struct sftp *s, struct asker by, uint64_t offset,
                    uint32_t len)
{
    struct asked *a = remember(s, by, FXP_WRITE, FXP_STATUS);
    struct packet k = { .p = tail(s), .cap = SFTP_OUT };

    a->offset = offset;
    a->len = len;
    s->flight += len;
    k.len = 5;
    packet_u32(&k, a->id);
    k.len = s->writing - 4;
    packet_u32(&k, len);
    k.len += len;
    end(s, &k);
}

void sftp_write_drop(struct sftp *s)
{
    s->writing = 0;
}

static void ask_for_life(struct sftp *s)
{
    sftp_ask_path(s, (struct asker){ s, ASKS_FOR_LIFE }, FXP_REALPATH,
                  STR("."));
}

/* ---- answers ------------------------------------------------------------- */

/* What a server says in words, in versions that have no number for it. */
static bool tells_of_space(struct str text)
{
    static const char *const words[] = { "space", "quota", "full" };

    for (size_t i = 0; i < COUNT(words); i++)
        for (struct str at = text; at.len; at = str_from(at, 1))
            if (str_eq_nocase(str_first(at, strlen(words[i])),
                              str_of(words[i])))
                return true;
    return false;
}

enum outcome sftp_outcome(const struct reply *r)
{
    switch (r->code) {
    case FX_OK:
        return OUTCOME_OK;
    case FX_NO_SUCH_FILE:
        return OUTCOME_ABSENT;
    case FX_PERMISSION_DENIED:
    case FX_WRITE_PROTECT:
        return OUTCOME_DENIED;
    case FX_NO_SPACE:
    case FX_QUOTA_EXCEEDED:
        return OUTCOME_FULL;
    default:
        return tells_of_space(str_first(r->text, 1000)) ? OUTCOME_FULL
                                                        : OUTCOME_REFUSED;
    }
}

static uint32_t chunk(uint64_t most)
{
    return most < SFTP_CHUNK_MIN   ? SFTP_CHUNK_MIN
           : most > SFTP_CHUNK_MAX ? SFTP_CHUNK_MAX
                                   : (uint32_t)most;
}

/* Zero is "no limit that I know of". */
static void take_limits(struct sftp *s, const struct reply *r)
{
    enum { PACKET, READ, WRITE, HANDLES, N };
    uint64_t limits[N];

    if (r->type == FXP_EXTENDED_REPLY && reply_numbers(r, limits, N)) {
        if (limits[READ])
            s->read_max = chunk(limits[READ]);
        if (limits[WRITE])
            s->write_max = chunk(limits[WRITE]);
        if (limits[HANDLES] && limits[HANDLES] < s->n_handles)
            s->n_handles = (uint32_t)limits[HANDLES];
    }
    s->is_ready = true;
}

static void take_version(struct sftp *s, struct str body)
{
    const char *wrong;
    struct packet k;
    struct asker by = { s, ASKS_LIMITS };

    if (version_read(body, &s->version, &wrong) == -1) {
        sftp_lose(s, "the server's first packet %s", wrong);
        return;
    }
    if (s->version.number < 3) {
        sftp_lose(s, "the server speaks version %u of SFTP only; 3 is needed",
                  s->version.number);
        return;
    }
    if (!(s->version.extensions & EXT_LIMITS)) {
        s->is_ready = true;
        return;
    }
    begin_question(s, &k, by, FXP_EXTENDED, FXP_EXTENDED_REPLY);
    packet_str(&k, STR("limits@openssh.com"));
    end(s, &k);
}

/* Is it an answer to a question of ours? */
static struct asked *question_of(struct sftp *s, const struct reply *r)
{
    struct asked *a = &s->asked[r->id & SLOTS];

    if (!a->by.owner || a->id != r->id) {
        sftp_lose(s, "the server sent %s that nobody asked for (number %u)",
                  fxp_name(r->type), r->id);
        return NULL;
    }
    if (r->type == FXP_STATUS ? a->answer != FXP_STATUS && r->code == FX_OK
                              : r->type != a->answer) {
        sftp_lose(s, "the server answered %s with %s%s", fxp_name(a->type),
                  fxp_name(r->type), r->type == FXP_STATUS ? " OK" : "");
        return NULL;
    }
    if (r->type == FXP_DATA && (r->bytes.len == 0 || r->bytes.len > a->len)) {
        sftp_lose(s, "the server answered READ of %u bytes with %zu", a->len,
                  r->bytes.len);
        return NULL;
    }
    return a;
}

/* A server that gives a byte at a time keeps the line busy, but not with the
 * file: what the packets take beside it does not count. */
static void charge_read(struct sftp *s)
{
    s->rate_moved -= s->rate_moved < READ_COST ? s->rate_moved : READ_COST;
}

static void take_packet(struct sftp *s, struct str body)
{
    struct reply r;
    struct asked *a, question;
    const char *wrong;

    if (s->version.number == 0) {
        take_version(s, body);
        return;
    }
    if (reply_read(body, &r, &wrong) == -1) {
        sftp_lose(s, "an answer of the server %s (%s, %zu bytes)", wrong,
                  fxp_name(r.type), body.len);
        return;
    }
    a = question_of(s, &r);
    if (!a)
        return;
    question = *a;
    forget(s, a);
    if (r.type == FXP_DATA)
        charge_read(s);
    if (question.by.owner != s)
        s->on_reply(&question, &r);
    else if (question.by.what == ASKS_LIMITS)
        take_limits(s, &r);
}

static uint32_t load_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* A login script that prints something is the usual reason for it, so the
 * beginning is shown, in so far as it is text. */
static void lose_for_length(struct sftp *s, const unsigned char *p,
                            uint32_t len)
{
    bool is_text = true;
    int n = s->in_len - (size_t)(p - s->in) < 40
                ? (int)(s->in_len - (size_t)(p - s->in))
                : 40;

    for (int i = 0; i < 4; i++)
        is_text = is_text && ((p[i] >= ' ' && p[i] < 127) || p[i] == '\n' ||
                              p[i] == '\r' || p[i] == '\t');
    if (s->version.number == 0 && is_text)
        sftp_lose(s,
                  "the server does not begin with SFTP but with the text: "
                  "%.*s",
                  n, (const char *)p);
    else
        sftp_lose(s, "the server sent a packet of %u bytes; %d is the limit",
                  len, PACKET_MAX);
}

/* Takes the whole packets out of what has come. */
static void take_packets(struct sftp *s)
{
    size_t at = 0;

    while (!s->is_lost && s->in_len - at >= 4) {
        uint32_t len = load_u32(s->in + at);

        if (len == 0 || len > PACKET_MAX) {
            lose_for_length(s, s->in + at, len);
            break;
        }
        if (s->in_len - at - 4 < len)
            break;
        take_packet(s, (struct str){ (const char *)s->in + at + 4, len });
        at += 4 + len;
    }
    s->in_len -= at;
    if (at && s->in_len)
        memmove(s->in, s->in + at, s->in_len);
}

/* ---- a turn -------------------------------------------------------------- */

static void moved(struct sftp *s, size_t n)
{
    s->moved_at = s->now;
    s->rate_moved += n;
}

bool sftp_receive(struct sftp *s)
{
    ssize_t n;

    if (s->is_lost)
        return false;
    n = s->stream->kind->read(s->stream, s->in + s->in_len,
                              sizeof(s->in) - s->in_len);
    if (n == 0)
        sftp_lose(s, s->in_len ? "the server closed the line within a packet"
                               : "the server closed the line");
    if (n == -1 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        sftp_lose(s, "the line broke while reading: %s", /* the library's EIO */
                  errno == EIO ? "the server, or what lies between, ended it"
                               : strerror(errno));
    if (n <= 0)
        return false;
    s->in_len += (size_t)n;
    moved(s, (size_t)n);
    take_packets(s);
    return !s->is_lost;
}

bool sftp_send(struct sftp *s)
{
    size_t before = s->out_len;

    while (!s->is_lost && s->out_len) {
        ssize_t n =
            s->stream->kind->write(s->stream, s->out + s->out_at, s->out_len);

        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n <= 0) {
            sftp_lose(s, "the line broke while writing: %s",
                      n ? strerror(errno) : "closed");
            break;
        }
        s->out_at += (size_t)n;
        s->out_len -= (size_t)n;
        moved(s, (size_t)n);
    }
    if (s->out_len == 0)
        s->out_at = 0;
    return s->out_len < before;
}

short sftp_events(const struct sftp *s)
{
    return s->stream->kind->events(s->stream, s->out_len > 0);
}

/* What is measured begins anew whenever nothing is under way, so that many
 * small files over a long line are not taken for a slow one. */
static void look_at_rate(struct sftp *s)
{
    uint64_t ms = s->now - s->rate_since;

    if (s->flight == 0 && s->in_len == 0) {
        s->rate_since = s->now;
        s->rate_moved = 0;
    } else if (ms >= (uint64_t)s->rate_s * SECOND) {
        if (s->rate_moved < ms / SECOND * s->slowest)
            sftp_lose(s, "the line is too slow: %llu bytes in %llu s",
                      (unsigned long long)s->rate_moved,
                      (unsigned long long)(ms / SECOND));
        s->rate_since = s->now;
        s->rate_moved = 0;
    }
}

void sftp_check_time(struct sftp *s)
{
    bool waits =
        s->n_asked || s->out_len || s->in_len || s->version.number == 0;
    uint64_t still = s->now - s->moved_at;

    if (s->is_lost)
        return;
    if (waits && still >= (uint64_t)s->mute_s * SECOND)
        sftp_lose(s, "the server is mute: nothing in %u s", s->mute_s);
    else if (!waits && still >= (uint64_t)s->idle_s * SECOND)
        ask_for_life(s);
    look_at_rate(s);
}

int sftp_timeout_ms(const struct sftp *s)
{
    uint64_t still = s->now - s->moved_at;
    uint64_t idle = (uint64_t)s->idle_s * SECOND;

    /* Limits are kept to a second; only a line at rest is left alone. */
    if (s->n_asked || s->out_len || s->in_len || s->version.number == 0)
        return SECOND;
    return still < idle ? (int)(idle - still) : 0;
}

void sftp_begin(struct sftp *s, struct stream *stream, uint64_t now_ms,
                void (*on_reply)(const struct asked *a, struct reply *r))
{
    struct packet k;

    /* Not the buffers: pages that nobody touches are no memory. */
    memset(s, 0, offsetof(struct sftp, in));
    s->stream = stream;
    s->now = s->moved_at = s->rate_since = now_ms;
    s->on_reply = on_reply;
    s->read_max = s->write_max = SFTP_CHUNK;
    s->n_handles = SFTP_ASKED;
    s->mute_s = 60;
    s->rate_s = 120;
    s->slowest = SFTP_SLOWEST;
    s->idle_s = 60;
    for (uint32_t i = 0; i < SFTP_ASKED; i++)
        s->asked[i].next_free = i + 1;
    begin(s, &k, FXP_INIT);
    packet_u32(&k, 3);
    end(s, &k);
}
