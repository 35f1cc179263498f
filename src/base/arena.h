/*
 * An arena: memory of one unit of work (a layer, an image, a report), freed in one call.
 *
 * An allocation that fails ends the process with a message: there is no useful way to go on without memory, a worker
 * is expendable, and callers stay simple. What input controls must be bounded by a struct budget before it gets here.
 */
#ifndef SEKISHO_BASE_ARENA_H
#define SEKISHO_BASE_ARENA_H

#include "base/str.h"

struct arena {
        struct arena_block *head;
        size_t used_bytes; /* handed out in total */
};

#define ARENA_INIT ((struct arena){ 0 })

void arena_done(struct arena *a); /* frees everything; the arena can be used again */

void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned to 16; never NULL */
void *arena_array(struct arena *a, size_t n, size_t size);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))

struct str arena_str(struct arena *a, struct str s); /* a copy, with a NUL after it that is not counted */
char *arena_cstr(struct arena *a, struct str s);     /* the same as a C string */
struct str arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);

/* malloc and friends that end the process when memory is out, for what does not live in an arena. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);

#endif
