#include "converters/base/mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if MEM_GUARDED
#include <sanitizer/asan_interface.h>
#define GUARD(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNGUARD(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define GUARD(p, n)   ((void)(p), (void)(n))
#define UNGUARD(p, n) ((void)(p), (void)(n))
#endif

#define CHUNK_SIZE ((size_t)64 * 1024)
enum { GAP = MEM_GUARDED ? 16 : 0 }; /* behind each piece */

struct chunk {
    struct chunk *next;
    size_t cap;
    alignas(16) char data[];
};

enum { MACHINE_FAILED = 3 }; /* the exit status for it (cmd/cmd.h) */

static void complain(void)
{
    fputs("kervan: out of memory\n", stderr);
    _exit(MACHINE_FAILED);
}

static void (*last_words)(void) = complain;

void mem_on_failure(void (*f)(void))
{
    last_words = f;
}

static void out_of_memory(void)
{
    last_words();
    abort();
}

void *xrealloc(void *p, size_t size)
{
    void *q = realloc(p, size);

    if (!q)
        out_of_memory();
    return q;
}

void *xcalloc(size_t n, size_t size)
{
    void *q = calloc(n ? n : 1, size ? size : 1);

    if (!q)
        out_of_memory();
    return q;
}

/* A new newest chunk with room for `size` bytes and their alignment. */
static void arena_grow(struct arena *a, size_t size)
{
    size_t cap = size + 16 > CHUNK_SIZE ? size + 16 : CHUNK_SIZE;
    struct chunk *c = a->spare;

    if (c && c->cap >= cap) {
        a->spare = c->next;
    } else {
        c = xrealloc(NULL, sizeof(*c) + cap);
        c->cap = cap;
    }
    GUARD(c->data, c->cap);
    c->next = NULL;
    if (a->newest)
        a->newest->next = c;
    else
        a->oldest = c;
    a->newest = c;
    a->next = c->data;
    a->end = c->data + c->cap;
}

char *arena_text_slow(struct arena *a, size_t size)
{
    size_t room = size;
    char *p;

    if (size > SIZE_MAX / 2)
        out_of_memory(); /* a size was not checked where it was read */
    if (MEM_GUARDED)
        room = (size + GAP + 7) / 8 * 8;
    if (!a->next || (size_t)(a->end - a->next) < room)
        arena_grow(a, room);
    p = a->next;
    a->next += room;
    a->used += size;
    UNGUARD(p, size);
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t pad = (size_t)(-(uintptr_t)a->next & 15);

    if (!a->next || (size_t)(a->end - a->next) < pad ||
        (size_t)(a->end - a->next) - pad < size) {
        if (size > SIZE_MAX / 2)
            out_of_memory();
        arena_grow(a, size);
        pad = 0;
    }
    a->next += pad;
    return memset(arena_text(a, size), 0, size);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_text(a, s.len);

    str_copy(p, s);
    return (struct str){ p, s.len };
}

struct str arena_join(struct arena *a, const struct str *parts, size_t n)
{
    size_t len = 0;
    char *p, *end;

    for (size_t i = 0; i < n; i++)
        len += parts[i].len;
    p = end = arena_text(a, len);
    for (size_t i = 0; i < n; i++) {
        str_copy(end, parts[i]);
        end += parts[i].len;
    }
    return (struct str){ p, len };
}

char *arena_cstr(struct arena *a, struct str s)
{
    char *p = arena_text(a, s.len + 1);

    str_copy(p, s);
    p[s.len] = '\0';
    return p;
}

struct str arena_fmt(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    char *p;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return STR("");
    p = arena_text(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return (struct str){ p, (size_t)n };
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){ a->newest };
}

static void chunks_free(struct chunk *c)
{
    while (c) {
        struct chunk *next = c->next;

        free(c);
        c = next;
    }
}

/* Keeps one chunk of usual size for the next arena_grow(), frees the rest. */
static void chunk_retire(struct arena *a, struct chunk *c)
{
    if (a->spare || c->cap != CHUNK_SIZE) {
        free(c);
        return;
    }
    GUARD(c->data, c->cap);
    c->next = NULL;
    a->spare = c;
}

void arena_drop_before(struct arena *a, struct arena_mark mark)
{
    while (mark.chunk && a->oldest != mark.chunk) {
        struct chunk *c = a->oldest;

        a->oldest = c->next;
        chunk_retire(a, c);
    }
}

void arena_reset(struct arena *a)
{
    if (a->newest)
        arena_drop_before(a, arena_mark(a));
    if (a->newest && a->newest->cap > 16 * CHUNK_SIZE) {
        free(a->newest);
        a->oldest = a->newest = NULL;
        a->next = a->end = NULL;
    }
    if (a->newest) {
        GUARD(a->newest->data, a->newest->cap);
        a->next = a->newest->data;
        a->end = a->newest->data + a->newest->cap;
    }
    a->used = 0;
}

void arena_release(struct arena *a)
{
    chunks_free(a->oldest);
    chunks_free(a->spare);
    *a = (struct arena){ 0 };
}
