/*
 * sftp.h - a session of SFTP version 3 over a stream: many requests under way,
 * each answer given to who asked.
 *
 *   sftp_begin() --VERSION--> --limits@openssh.com, where offered--> is_ready
 *   is_ready: sftp_ask_...() as long as there is room; each answer comes to
 *             on_reply(), in the order of the server
 *   is_lost:  for ever; `lost` says why
 *
 * Nothing here waits. The caller polls, and in each turn calls sftp_clock(),
 * sftp_receive(), sftp_check_time(), asks what there is to ask, and calls
 * sftp_send().
 *
 * The server is a stranger. An answer to no question, of a type that the
 * question cannot have, of more data than was asked for, one that is cut or
 * has bytes behind its end: after any of these nobody knows where the next one
 * begins or what it means, and the session is lost.
 *
 * Limits. Data under way, in both directions together: SFTP_FLIGHT. Bytes that
 * wait to be sent: SFTP_OUT; of these SFTP_RESERVE are for asking again for
 * what a READ left out, which is always possible. Bytes of the server that wait
 * for the rest of their packet: one packet. All of it is in struct sftp;
 * nothing is allocated.
 *
 * Time. Questions are open and not a byte moves for mute_s: lost. Data is
 * under way, and less than `slowest` bytes a second move during rate_s: lost.
 * Nothing moves for idle_s: a question is asked to keep the line alive.
 */
#ifndef COURIER_SFTP_H
#define COURIER_SFTP_H

#include "courier/packet.h"
#include "courier/stream.h"

#define SFTP_FLIGHT ((size_t)2 * 1024 * 1024)

enum {
    SFTP_ASKED = 1024, /* questions that are open; a power of two */
    SFTP_PATH = 4096,  /* a path is no longer */
    SFTP_SLOWEST = 1024,
    SFTP_CHUNK_MIN = 4 * 1024,
    SFTP_CHUNK =
        32 * 1024, /* data of one READ or WRITE, if limits@ is silent */
    SFTP_CHUNK_MAX = 64 * 1024,
    SFTP_RESERVE = 160 * 1024, /* 512 READs with the longest handle */
    SFTP_OUT = 1024 * 1024,
    SFTP_IN = 2 * (PACKET_MAX + 4)
};

/* Who asked, and what it was: his own numbers, given back with the answer. */
struct asker {
    void *owner;
    unsigned what;
};

/* A question that is open. */
struct asked {
    struct asker by;
    uint64_t offset;       /* READ, WRITE, or the asker's own number */
    uint32_t id, len;      /* len: of a READ or WRITE */
    enum fxp type, answer; /* answer: its type, if it is no STATUS */
    uint32_t next_free;
};

struct sftp {
    struct stream *stream;
    void (*on_reply)(const struct asked *a, struct reply *r);
    struct version version;
    bool is_ready, is_lost;
    struct failure lost;
    uint32_t read_max, write_max; /* data of one READ, WRITE */
    uint32_t n_handles;           /* that the server keeps open at once */

    uint32_t mute_s, rate_s, idle_s;
    uint32_t slowest;       /* bytes a second */
    uint64_t now, moved_at; /* ms of CLOCK_MONOTONIC */
    uint64_t rate_since, rate_moved;

    struct asked asked[SFTP_ASKED];
    uint32_t free, serial;
    size_t n_asked, flight; /* flight: bytes of data that are under way */

    size_t in_len, out_at, out_len;
    size_t writing; /* where in its WRITE the data begins */
    unsigned char in[SFTP_IN], out[SFTP_OUT];
};

void sftp_begin(struct sftp *s, struct stream *stream, uint64_t now_ms,
                void (*on_reply)(const struct asked *a, struct reply *r));

/* ---- a turn -------------------------------------------------------------- */

/* What time it is. First in a turn: what has come while we did something else
 * came in time. */
static inline void sftp_clock(struct sftp *s, uint64_t now_ms)
{
    s->now = now_ms;
}

/* Takes what has come. true: there may be more at once. */
bool sftp_receive(struct sftp *s);
/* Ends a session that is too slow, keeps an idle one up. */
void sftp_check_time(struct sftp *s);
/* Sends what the stream takes. true: something was sent. */
bool sftp_send(struct sftp *s);
short sftp_events(const struct sftp *s);
/* After so many ms the next turn has to be, whatever happens. */
int sftp_timeout_ms(const struct sftp *s);
void sftp_lose(struct sftp *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- ask ----------------------------------------------------------------- */

/* For so many questions with paths and handles? Who asks without room has a
 * mistake (assert). */
bool sftp_has_room(const struct sftp *s, size_t n);
bool sftp_has_room_to_read(const struct sftp *s, size_t len);
bool sftp_has_room_to_write(const struct sftp *s, size_t len);

/* LSTAT, STAT, OPENDIR, REMOVE, MKDIR. */
void sftp_ask_path(struct sftp *s, struct asker by, enum fxp type,
                   struct str path);
void sftp_ask_open(struct sftp *s, struct asker by, struct str path,
                   uint32_t flags);
/* CLOSE, FSTAT, READDIR; `number` comes back as offset. */
void sftp_ask_handle(struct sftp *s, struct asker by, enum fxp type,
                     struct str handle, uint64_t number);
void sftp_ask_fsync(struct sftp *s, struct asker by, struct str handle);
/* statvfs@openssh.com: 11 numbers, see statvfs(3). */
void sftp_ask_space(struct sftp *s, struct asker by, struct str path);
/* `posix`: posix-rename@openssh.com, one rename(2), over what is there. */
void sftp_ask_rename(struct sftp *s, struct asker by, struct str from,
                     struct str to, bool posix);
void sftp_ask_read(struct sftp *s, struct asker by, struct str handle,
                   uint64_t offset, uint32_t len);
/* Of an answer to a READ: for what it left out, without asking for room. */
void sftp_ask_rest(struct sftp *s, const struct asked *a, struct str handle,
                   uint32_t got);
/* Where `len` bytes of data are to be put; then one of the other two. */
unsigned char *sftp_write_begin(struct sftp *s, struct str handle,
                                uint64_t offset, uint32_t len);
void sftp_write_end(struct sftp *s, struct asker by, uint64_t offset,
                    uint32_t len);
void sftp_write_drop(struct sftp *s);

/* What a STATUS that is not OK means. Only NO_SUCH_FILE is ABSENT. */
enum outcome sftp_outcome(const struct reply *r);

#endif
