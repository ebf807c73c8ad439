/*
 * wire.h - what keeper and courier say to each other.
 *
 * A pair of SOCK_SEQPACKET sockets; a message is one packet of at most
 * WIRE_MAX bytes, with at most one descriptor. It begins with its kind and the
 * tag that the keeper gave; answers bear the tag of what they answer. Several
 * may be under way; answers come in any order. The end of the socket is the
 * end of the courier: for all that was not answered, OUTCOME_LOST.
 *
 * The keeper does not believe the courier, which has spoken to a stranger:
 * every number and length is checked where it is read. A message that cannot
 * be read sets `bad`, gives zeros and "" from then on, and ends the courier.
 *
 *   asked        with                                  answered
 *   HELLO        struct login, word by word            READY or DONE
 *   LIST         folder                                NAMES ..., then DONE
 *   FETCH        path, size, mtime, descriptor         DONE: bytes
 *   WRITE        path, size, flags, descriptor         DONE
 *   LOOK         path, size, descriptor of ours        DONE: OK ABSENT OTHER
 *   RENAME       from, to, size, flags                 DONE
 *   REMOVE       path, size, mtime                     DONE, also ABSENT
 *   MAKE_FOLDER  path                                  DONE, also if it is
 * there
 *
 *   READY  transport, why, server, address, host key, algorithms, extensions,
 *          ms to connect, for the handshake, the login, and to open
 *   NAMES  n, then n times: name, size, mtime, kind
 *   DONE   outcome, text, fingerprint, number
 *
 * Paths are the server's, complete. `mtime` is what the server says, and only
 * compared with itself.
 *
 *   LIST   all names or an error; what cannot be a file of ours (a folder, a
 *          link) is among them and says so. The order is the server's.
 *   FETCH  opens, compares size and mtime, reads into the descriptor, which is
 *          empty, looks again. CHANGED: it is not that file, or not any more.
 *          Size and mtime of UINT64_MAX: whatever it is.
 *   WRITE  the descriptor's `size` bytes from its beginning into a new file:
 *          EXCL, then data, fsync@openssh.com, size, close; every answer is
 *          checked. A file of that name is a leftover of ours: removed first.
 *          DONE with OK: it is complete, and as durable as the server can.
 *   LOOK   what is there: ABSENT; OTHER, of another size or content; OK: the
 *          same bytes as the descriptor's. Without one, and with a size of
 *          UINT64_MAX: OK, there is something.
 *   REMOVE with a size and mtime that are not UINT64_MAX: only if it is that
 *          file; else CHANGED.
 *   RENAME without WIRE_REPLACE a name that is there is TAKEN, and the file
 *          stays under its first one. With `size`, the file is looked at under
 *          its new name; UINT64_MAX: it is not.
 */
#ifndef COURIER_WIRE_H
#define COURIER_WIRE_H

#include "converters/base/str.h"
#include "courier/outcome.h"
#include "courier/stream.h"

enum { WIRE_MAX = 64 * 1024, WIRE_FD = 3 /* the courier's end */ };

enum wire_kind {
    WIRE_HELLO = 1,
    WIRE_LIST,
    WIRE_FETCH,
    WIRE_WRITE,
    WIRE_LOOK,
    WIRE_RENAME,
    WIRE_REMOVE,
    WIRE_MAKE_FOLDER,
    WIRE_READY,
    WIRE_NAMES,
    WIRE_DONE,
    N_WIRE_KINDS
};

enum { WIRE_REPLACE = 1 }; /* flags of RENAME */

enum { WIRE_ODD, WIRE_PLAIN, WIRE_FOLDER }; /* kinds of what is listed */

/* A message at hand: being written, or being read. */
struct wire {
    enum wire_kind kind;
    uint64_t tag;
    int fd; /* -1: none; a received one is the reader's to close */
    bool bad;
    size_t len, at;
    unsigned char bytes[WIRE_MAX];
};

void wire_begin(struct wire *w, enum wire_kind kind, uint64_t tag);
void wire_put(struct wire *w, uint64_t number);
void wire_put_str(struct wire *w, struct str text);
/* Would one more text of that length still fit? Else it becomes bad. */
bool wire_has_room(const struct wire *w, size_t text_len);
/* 1: sent; 0: the socket is full, later; -1: errno, or EMSGSIZE: it is bad. */
int wire_send(int sock, const struct wire *w);

/* 1: w is filled; 0: nothing is there now, or a non-blocking socket would
 * block; -1: the other end is gone or sent what is no message (EPROTO). */
int wire_receive(int sock, struct wire *w);
uint64_t wire_get(struct wire *w);
/* Points into w. */
struct str wire_get_str(struct wire *w);
/* All was read, and nothing was wrong. */
bool wire_is_whole(const struct wire *w);

/* HELLO, there and back; texts live in w, NUL-terminated on the wire. */
void wire_put_login(struct wire *w, const struct login *l);
int wire_get_login(struct wire *w, struct login *l);

#endif
