/*
 * mem.h - arenas, and malloc that cannot fail.
 *
 * Who frees? Nobody frees single things. Memory belongs to an arena, and the
 * arena's owner empties it in one call:
 *
 *   arena            emptied by                 what lives there
 *   map, conf        map_free(), conf_free()    parsed maps, settings
 *   the run's        the process's end          faults, tables of one file
 *   reader->arena    group.c, oldest first      records as the file has them
 *   a document's     before each document       fields, values
 *
 * A pointer may point from a shorter life to a longer one, never back. To
 * keep a value longer, copy it with arena_str() into the longer arena.
 *
 * Records leave in the order in which they came, so an arena can also drop
 * its oldest part: arena_mark() before a record, arena_drop_before() when
 * that record has become the oldest that is still needed. Whole chunks are
 * reused; nothing moves.
 *
 * Out of memory ends the process: every step is safe to repeat
 * (spool/job.h), so dying is the simplest correct answer. Sizes that come
 * from a file are checked against a limit before they reach these functions.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "converters/base/str.h"

/*
 * Under the address sanitizer each piece stands alone, and what an arena has
 * not handed out, or has taken back, must not be touched.
 */
#if defined(__SANITIZE_ADDRESS__)
#define MEM_GUARDED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_GUARDED 1
#endif
#endif
#ifndef MEM_GUARDED
#define MEM_GUARDED 0
#endif

struct chunk;

struct arena {
    struct chunk *oldest, *newest, *spare;
    char *next, *end; /* free room in `newest` */
    size_t used;      /* bytes handed out since the last reset */
};

/* Where an arena stood; see arena_drop_before(). */
struct arena_mark {
    struct chunk *chunk;
};

void *arena_alloc(struct arena *a, size_t size); /* zeroed, 16-byte aligned */
char *arena_text_slow(struct arena *a, size_t size);

/* Room for text: not zeroed, not aligned, never NULL. */
static inline char *arena_text(struct arena *a, size_t size)
{
    char *p = a->next;

    if (MEM_GUARDED || (size_t)(a->end - p) < size || !p)
        return arena_text_slow(a, size);
    a->next = p + size;
    a->used += size;
    return p;
}

/* A copy of s. An empty s gives an empty text that is "there" (p != NULL). */
struct str arena_str(struct arena *a, struct str s);
/* The same with a NUL behind it, for the system's calls. */
char *arena_cstr(struct arena *a, struct str s);
/* The texts one behind the other: what is done for every record, for
 * arena_fmt() costs five times as much. */
struct str arena_join(struct arena *a, const struct str *parts, size_t n);
struct str arena_fmt(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

struct arena_mark arena_mark(const struct arena *a);
void arena_drop_before(struct arena *a, struct arena_mark mark);
void arena_reset(struct arena *a);   /* everything in it is gone; keeps room */
void arena_release(struct arena *a); /* as reset, and gives the memory back */

/* What a process does then instead of a message and exit status 3; f ends it.
 */
void mem_on_failure(void (*f)(void));

void *xrealloc(void *p, size_t size);
void *xcalloc(size_t n, size_t size);

#endif
