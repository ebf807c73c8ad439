/*
 * output.h - the files of one write run: names, buffers, descriptors.
 */
#ifndef LANG_OUTPUT_H
#define LANG_OUTPUT_H

#include "converters/lang/write_run.h"

/* A buffer and a descriptor that an output holds for a while. */
struct slot {
    struct sink sink;
    struct output *owner; /* NULL: free */
    int fd;
    uint64_t used_at;
};

/* The output that the document in scope belongs to: found, or made (*is_new).
 * NULL: a fault. */
struct output *output_for(struct write_run *w, bool *is_new);
/* Its sink, with a buffer. NULL: w->err. */
struct sink *output_sink(struct write_run *w, struct output *o);
/*
 * A name for an output, made safe; pieces NULL: the default. `option` is for
 * the message. False: a fault was raised.
 */
bool output_name(struct write_run *w, const char *option,
                 const struct piece *pieces, struct str *out);
/* A name for a file that every file system takes; empty: nothing is left. */
struct str output_safe_name(struct arena *a, struct str s);
/* May n more bytes be written, and counts them. False: w->err, and a fault. */
bool output_room(struct write_run *w, uint64_t n);
/* The file as a whole is refused. Returns false. */
bool output_over_limit(struct write_run *w, enum limit_id id, struct str what);
/* Empties the buffer into the file. */
bool output_flush(struct write_run *w, struct output *o);
/* The last one again, before anything of it was flushed. */
void output_drop_last(struct write_run *w);
bool outputs_close(struct write_run *w);
void outputs_forget(struct write_run *w);

#endif
