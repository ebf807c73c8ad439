/*
 * sftp_speak.h - just enough SFTP to see that a line carries bytes: far less
 * than courier/sftp.c, and independent of it.
 */
#ifndef TESTS_UNIT_SFTP_SPEAK_H
#define TESTS_UNIT_SFTP_SPEAK_H

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "courier/stream.h"

enum {
    SPEAK_PIECE = 32000,
    SPEAK_PIECES = 300, /* 9.6 MB: more than any window */
    SPEAK_BUFFER = SPEAK_PIECES * (SPEAK_PIECE + 64)
};

struct speaker {
    struct stream *s;
    unsigned char *out, *in;
    size_t out_at, out_len, in_len;
    size_t in_at; /* packets before it were taken */
};

/* Moves what can be moved; false: the line is broken, or 20 s went by. */
static inline bool speak_move(struct speaker *p)
{
    struct pollfd fd = { .fd = p->s->fd };
    bool moved = false;
    ssize_t n;

    if (p->out_at < p->out_len) {
        n = p->s->kind->write(p->s, p->out + p->out_at, p->out_len - p->out_at);
        if (n > 0)
            p->out_at += (size_t)n;
        else if (n == 0 || errno != EAGAIN)
            return false;
        moved = n > 0;
    }
    n = p->s->kind->read(p->s, p->in + p->in_len, SPEAK_BUFFER - p->in_len);
    if (n > 0)
        p->in_len += (size_t)n;
    else if (n == 0 || errno != EAGAIN)
        return false;
    if (moved || n > 0)
        return true;
    fd.events = p->s->kind->events(p->s, p->out_at < p->out_len);
    return poll(&fd, 1, 20000) == 1;
}

static inline uint32_t speak_number(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
}

/* The next packet of the server's: its length and type; NULL: none comes. */
static inline const unsigned char *speak_next(struct speaker *p)
{
    for (;;) {
        const unsigned char *b = p->in + p->in_at;

        if (p->in_len - p->in_at >= 4 &&
            p->in_len - p->in_at - 4 >= speak_number(b)) {
            p->in_at += 4 + speak_number(b);
            return b;
        }
        if (!speak_move(p))
            return NULL;
    }
}

static inline void speak_put(struct speaker *p, uint32_t n)
{
    p->out[p->out_len++] = (unsigned char)(n >> 24);
    p->out[p->out_len++] = (unsigned char)(n >> 16);
    p->out[p->out_len++] = (unsigned char)(n >> 8);
    p->out[p->out_len++] = (unsigned char)n;
}

static inline void speak_text(struct speaker *p, const char *text, size_t len)
{
    speak_put(p, (uint32_t)len);
    memcpy(p->out + p->out_len, text, len);
    p->out_len += len;
}

/* len: of what follows the type and the request's number. */
static inline void speak_head(struct speaker *p, size_t len, unsigned char type,
                              uint32_t id)
{
    speak_put(p, (uint32_t)len + 5);
    p->out[p->out_len++] = type;
    speak_put(p, id);
}

static inline bool speak_hello(struct speaker *p)
{
    const unsigned char *b;

    speak_head(p, 0, 1, 3); /* INIT, version 3 */
    b = speak_next(p);
    return b && b[4] == 2 && speak_number(b + 5) == 3;
}

static inline bool speak_start(struct speaker *p, struct stream *s)
{
    *p = (struct speaker){ .s = s,
                           .out = calloc(1, SPEAK_BUFFER),
                           .in = calloc(1, SPEAK_BUFFER) };
    return p->out && p->in && speak_hello(p);
}

static inline void speak_end(struct speaker *p)
{
    free(p->out);
    free(p->in);
}

static inline bool speak_version(struct stream *s)
{
    struct speaker p;
    bool fine = speak_start(&p, s);

    speak_end(&p);
    return fine;
}

/* Opens "big", writes all pieces without waiting; every status is OK. */
static inline bool speak_write(struct speaker *p, char *handle, size_t *len)
{
    static char piece[SPEAK_PIECE];
    const unsigned char *b;

    p->out_at = p->out_len = p->in_at = p->in_len = 0;
    speak_head(p, 4 + 3 + 4 + 4, 3, 1); /* OPEN, READ WRITE CREAT TRUNC */
    speak_text(p, "big", 3);
    speak_put(p, 0x1b);
    speak_put(p, 0);
    b = speak_next(p);
    if (!b || b[4] != 102 || speak_number(b + 9) > 256)
        return false;
    *len = speak_number(b + 9);
    memcpy(handle, b + 13, *len);
    for (uint32_t i = 0; i < SPEAK_PIECES; i++) {
        memset(piece, (int)(i % 251), sizeof(piece));
        speak_head(p, 4 + *len + 8 + 4 + sizeof(piece), 6, i);
        speak_text(p, handle, *len);
        speak_put(p, 0);
        speak_put(p, i * SPEAK_PIECE);
        speak_text(p, piece, sizeof(piece));
    }
    for (int i = 0; i < SPEAK_PIECES; i++)
        if (!(b = speak_next(p)) || b[4] != 101 || speak_number(b + 9) != 0)
            return false;
    return true;
}

static inline bool speak_read(struct speaker *p, const char *handle, size_t len)
{
    p->out_at = p->out_len = p->in_at = p->in_len = 0;
    for (uint32_t i = 0; i < SPEAK_PIECES; i++) {
        speak_head(p, 4 + len + 8 + 4, 5, i);
        speak_text(p, handle, len);
        speak_put(p, 0);
        speak_put(p, i * SPEAK_PIECE);
        speak_put(p, SPEAK_PIECE);
    }
    for (int i = 0; i < SPEAK_PIECES; i++) {
        const unsigned char *b = speak_next(p);

        if (!b || b[4] != 103 || speak_number(b + 9) != SPEAK_PIECE)
            return false;
        for (size_t at = 0; at < SPEAK_PIECE; at++)
            if (b[13 + at] != speak_number(b + 5) % 251)
                return false;
    }
    return true;
}

static inline bool speak_bulk(struct stream *s)
{
    struct speaker p;
    char handle[256];
    size_t len = 0;
    bool fine = speak_start(&p, s) && speak_write(&p, handle, &len) &&
                speak_read(&p, handle, len);

    speak_end(&p);
    return fine;
}

#endif
