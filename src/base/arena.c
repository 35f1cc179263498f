/* See arena.h. Blocks grow from 4 KiB to 1 MiB; larger requests get a block of their own behind the head. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK_MIN ((size_t)4 << 10)
#define BLOCK_MAX ((size_t)1 << 20)

struct arena_block {
        struct arena_block *next;
        size_t size, used;
        _Alignas(16) unsigned char data[];
};

static _noreturn_ void out_of_memory(size_t size)
{
        char line[96];
        int n = snprintf(line, sizeof(line), "sekisho: out of memory (%zu bytes asked)\n", size);
        if (n > 0)
                (void)!write(STDERR_FILENO, line, (size_t)n);
        abort();
}

void *xmalloc(size_t size)
{
        void *p = malloc(size ? size : 1);
        if (!p)
                out_of_memory(size);
        return p;
}

void *xcalloc(size_t n, size_t size)
{
        void *p = calloc(n ? n : 1, size ? size : 1);
        if (!p)
                out_of_memory(size);
        return p;
}

void *xrealloc(void *p, size_t size)
{
        p = realloc(p, size ? size : 1);
        if (!p)
                out_of_memory(size);
        return p;
}

void *xreallocarray(void *p, size_t n, size_t size)
{
        size_t total;
        if (!mul_size(n, size, &total))
                out_of_memory(SIZE_MAX);
        return xrealloc(p, total);
}

char *xstrdup(const char *s)
{
        char *d = str_dup(str_of(s));
        if (!d)
                out_of_memory(strlen(s));
        return d;
}

static struct arena_block *block_new(size_t size)
{
        size_t total;
        if (!add_size(sizeof(struct arena_block), size, &total))
                out_of_memory(SIZE_MAX);
        struct arena_block *b = xmalloc(total);
        *b = (struct arena_block){ .size = size };
        return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
        size_t rounded;
        if (!add_size(size, 15, &rounded))
                out_of_memory(SIZE_MAX);
        rounded &= ~(size_t)15;
        struct arena_block *b = a->head;
        if (!b || b->size - b->used < rounded) {
                if (b && rounded > BLOCK_MAX / 4) { /* large: keep filling the current head */
                        struct arena_block *own = block_new(rounded);
                        own->used = rounded;
                        own->next = b->next;
                        b->next = own;
                        a->used_bytes += rounded;
                        return memset(own->data, 0, rounded);
                }
                size_t want = b ? MIN(b->size * 2, BLOCK_MAX) : BLOCK_MIN;
                b = block_new(MAX(want, rounded));
                b->next = a->head;
                a->head = b;
        }
        void *p = b->data + b->used;
        b->used += rounded;
        a->used_bytes += rounded;
        return memset(p, 0, rounded);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
        size_t total;
        if (!mul_size(n, size, &total))
                out_of_memory(SIZE_MAX);
        return arena_alloc(a, total);
}

struct str arena_str(struct arena *a, struct str s)
{
        char *d = arena_alloc(a, s.n + 1);
        if (s.n)
                memcpy(d, s.p, s.n);
        return str_span(d, s.n);
}

char *arena_cstr(struct arena *a, struct str s) { return (char *)arena_str(a, s).p; }

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        char *text = NULL;
        int n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n < 0)
                out_of_memory(0);
        struct str s = arena_str(a, str_span(text, (size_t)n));
        free(text);
        return s;
}

void arena_done(struct arena *a)
{
        for (struct arena_block *b = a->head, *next; b; b = next) {
                next = b->next;
                free(b);
        }
        *a = ARENA_INIT;
}
