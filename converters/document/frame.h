/*
 * frame.h - what the reader tells the job, through a pipe.
 *
 *   frame = u8 type, u8[3] zero, u32 length, payload
 *
 *   MEMBER   a file, or a member of a ZIP, begins: u32 length of the member's
 *            name, the whole name, which ends in it
 *   SIZE     u64: to so many bytes that member unpacks
 *   RECORD   a packed document (document.h)
 *   FAULT    a message: struct fault_frame, then its texts
 *   RESTART  forget all records so far: groups are scattered, reading begins
 *            anew
 *   PLACE    struct place_frame: the answer to a query (spool/locate.h)
 *   CUT      u32 number of a file or member, from 0, and bytes of it: more of
 *            the records that were set aside (spool/faulty.h)
 *   CUT_END  struct cut_end_frame: that was all of them
 *   ATTACHMENT  u64 size, then the name of a member of the ZIP that goes along
 *            with the data; its BYTES follow, then ATTACHED
 *   FORBIDDEN  u32: the reader tried this system call, and is dead
 *            (spool/jail.h)
 *   END      struct end_frame, then one u64 per skip reason of the map. A
 *            reader of several files goes on with the next file's frames
 *
 * The reader parses hostile bytes, so the job checks every length and index.
 * An end of the pipe without END is a dead reader, never a short file.
 */
#ifndef DOCUMENT_FRAME_H
#define DOCUMENT_FRAME_H

#include "converters/base/diag.h"

enum frame_type {
    FRAME_MEMBER = 1,
    FRAME_RECORD,
    FRAME_FAULT,
    FRAME_RESTART,
    FRAME_PLACE,
    FRAME_FORBIDDEN,
    FRAME_CUT,
    FRAME_CUT_END,
    FRAME_END,
    FRAME_SIZE,
    FRAME_ATTACHMENT,
    FRAME_BYTES,
    FRAME_ATTACHED,
};

struct fault_frame {
    uint16_t id;     /* enum diag_id */
    uint8_t fatal;   /* the file is given up */
    uint8_t source;  /* of the map's place: 0 none, else map->sources[n-1] */
    uint32_t member; /* which file; see MEMBER */
    uint32_t line, col;
    uint32_t map_line, map_col, map_len;
    uint32_t args[DIAG_ARGS]; /* lengths of the texts that follow */
    uint32_t record;          /* likewise: "order 100482, line 3" */
};

struct place_frame {
    uint32_t query, line, col;
};

struct cut_end_frame {
    uint64_t n_documents; /* that were set aside */
    uint64_t n_mixed;     /* records copied that hold good documents, too */
    uint8_t complete;
};

struct end_frame {
    uint64_t n_records;   /* rows or elements seen */
    uint64_t n_documents; /* sent */
    uint64_t n_skipped;   /* documents and members, all reasons */
    uint64_t n_faulty;    /* documents with errors, not sent */
    uint8_t failed;       /* a fatal fault was sent */
};

/* ---- the reader's end --------------------------------------------------- */

struct frame_out {
    int fd;
    struct buf buf;
    bool broken; /* the job went away: nothing is sent any more */
};

void frame_out_init(struct frame_out *o, int fd);
/* Begins a frame; append its payload to o->buf, then frame_end(). */
size_t frame_begin(struct frame_out *o, enum frame_type type);
void frame_end(struct frame_out *o, size_t at);
void frame_flush(struct frame_out *o);
/* One FORBIDDEN frame, straight to the pipe; safe in a signal handler. */
void frame_forbidden(int fd, uint32_t call);

/* ---- the job's end ------------------------------------------------------ */

struct frame_in {
    int fd;
    char *p;
    size_t from, to, cap;
    size_t max; /* longest frame */
    /* Time that may still be spent waiting for the reader; what the reader
     * waits for us does not count. -1 with errno ETIMEDOUT when it is over. */
    int64_t wait_ms;
};

void frame_in_init(struct frame_in *i, int fd, size_t max, int64_t wait_ms);
/*
 * 1: a frame; its payload borrows until the next call. 0: the pipe ended,
 * within a frame perhaps: only END says that nothing is missing.
 * -1: not a frame (too long, unknown type) or the read failed.
 */
int frame_next(struct frame_in *i, enum frame_type *type, struct str *payload);
void frame_in_release(struct frame_in *i);

#endif
