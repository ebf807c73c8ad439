/*
 * packet.h - the packets of SFTP version 3 (draft-ietf-secsh-filexfer-02),
 * built and read: bytes and nothing else, no stream, no memory.
 *
 *   length(4) type(1) id(4) ...            the length counts what follows it
 *
 * What is read came from a stranger. Every length is checked against the bytes
 * that are there; what is read points into them. A packet is read as a whole
 * before any of it is used: a cut one and one with bytes behind its end are
 * refused.
 */
#ifndef COURIER_PACKET_H
#define COURIER_PACKET_H

#include "converters/base/str.h"

enum {
    PACKET_MAX = 256 * 1024, /* without its length; OpenSSH's limit, too */
    PACKET_HANDLE = 256      /* a handle is no longer: the draft */
};

/* name, number */
#define FXPS(X)      \
    X(INIT, 1)       \
    X(VERSION, 2)    \
    X(OPEN, 3)       \
    X(CLOSE, 4)      \
    X(READ, 5)       \
    X(WRITE, 6)      \
    X(LSTAT, 7)      \
    X(FSTAT, 8)      \
    X(OPENDIR, 11)   \
    X(READDIR, 12)   \
    X(REMOVE, 13)    \
    X(MKDIR, 14)     \
    X(REALPATH, 16)  \
    X(STAT, 17)      \
    X(RENAME, 18)    \
    X(STATUS, 101)   \
    X(HANDLE, 102)   \
    X(DATA, 103)     \
    X(NAME, 104)     \
    X(ATTRS, 105)    \
    X(EXTENDED, 200) \
    X(EXTENDED_REPLY, 201)

enum fxp {
#define X(name, number) FXP_##name = (number),
    FXPS(X)
#undef X
};

/* "OPEN"; "" for a number that is none of them. */
const char *fxp_name(unsigned type);

/* Codes of STATUS. Those from 9 on belong to later versions, but there are
 * servers that say them in version 3. */
#define FX_CODES(X)            \
    X(OK, 0)                   \
    X(EOF, 1)                  \
    X(NO_SUCH_FILE, 2)         \
    X(PERMISSION_DENIED, 3)    \
    X(FAILURE, 4)              \
    X(BAD_MESSAGE, 5)          \
    X(NO_CONNECTION, 6)        \
    X(CONNECTION_LOST, 7)      \
    X(OP_UNSUPPORTED, 8)       \
    X(NO_SUCH_PATH, 10)        \
    X(FILE_ALREADY_EXISTS, 11) \
    X(WRITE_PROTECT, 12)       \
    X(NO_SPACE, 14)            \
    X(QUOTA_EXCEEDED, 15)

enum fx {
#define X(name, number) FX_##name = (number),
    FX_CODES(X)
#undef X
};

/* "FAILURE"; "" for a number that is none of them. */
const char *fx_name(uint32_t code);

/* Flags of OPEN. */
enum { FXF_READ = 1, FXF_WRITE = 2, FXF_CREAT = 8, FXF_EXCL = 0x20 };

/* ---- build --------------------------------------------------------------- */

/* A packet that is being built in somebody's bytes. Past their end it is bad,
 * and stays as long as it was. */
struct packet {
    unsigned char *p;
    size_t len, cap;
    bool bad;
};

void packet_begin(struct packet *k, void *room, size_t cap, enum fxp type);
void packet_u32(struct packet *k, uint32_t number);
void packet_u64(struct packet *k, uint64_t number);
void packet_str(struct packet *k, struct str text);
/* Room for n bytes, whose length is written before them; NULL: bad. */
unsigned char *packet_room(struct packet *k, size_t n);
/* Writes its length; how long it is with it, or 0: it did not fit. */
size_t packet_end(struct packet *k);

/* ---- read ---------------------------------------------------------------- */

enum { ATTR_SIZE = 1, ATTR_OWNER = 2, ATTR_MODE = 4, ATTR_TIMES = 8 };

/* What a server says of a file; zero is what it does not say (`has`). */
struct attrs {
    uint32_t has;
    uint32_t uid, gid, mode, atime, mtime;
    uint64_t size;
};

bool attrs_is_file(const struct attrs *a);   /* for sure */
bool attrs_is_folder(const struct attrs *a); /* for sure */

struct entry {
    struct str name, longname;
    struct attrs attrs;
};

/* What is left to be read. */
struct cursor {
    const unsigned char *p;
    size_t len;
    bool bad;
};

/* A server's answer. Which members are filled depends on its type. */
struct reply {
    enum fxp type;
    uint32_t id;
    uint32_t code;       /* STATUS */
    struct str text;     /* STATUS; EXTENDED_REPLY: all of it */
    struct str bytes;    /* HANDLE, DATA */
    struct attrs attrs;  /* ATTRS */
    uint32_t n_names;    /* NAME: how many are still to be taken */
    struct cursor names; /* NAME: for reply_name() */
};

/* `body` is a packet without its length. -1: *wrong says what is wrong. */
int reply_read(struct str body, struct reply *r, const char **wrong);
/* The next entry of a NAME; false: it was the last one. */
bool reply_name(struct reply *r, struct entry *e);

enum {
    EXT_POSIX_RENAME = 1, /* posix-rename@openssh.com "1" */
    EXT_FSYNC = 2,        /* fsync@openssh.com "1" */
    EXT_HARDLINK = 4,     /* hardlink@openssh.com "1" */
    EXT_STATVFS = 8,      /* statvfs@openssh.com "2" */
    EXT_LIMITS = 16       /* limits@openssh.com "1" */
};

struct version {
    uint32_t number;
    unsigned extensions;
};

/* Extensions that nobody here knows, or in another version, are none. */
int version_read(struct str body, struct version *v, const char **wrong);
/* "posix-rename fsync limits"; the number of bytes written, at most cap - 1. */
size_t version_text(const struct version *v, char *to, size_t cap);

/* The numbers of an EXTENDED_REPLY; false: they are not there. */
bool reply_numbers(const struct reply *r, uint64_t *numbers, size_t n);

#endif
