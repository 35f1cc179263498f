/* See strpool.h. Linear probing over powers of two, at most 3/4 full; slot value 0 is free. */
#include "intel/strpool.h"

#include "base/arena.h"
#include "base/cursor.h"
#include "base/map.h"

#include <stdlib.h>

void strpool_init(struct strpool *p)
{
        *p = (struct strpool){ .bytes = BUF_INIT(UINT32_MAX) };
        buf_u8(&p->bytes, 0);
}

void strpool_done(struct strpool *p)
{
        buf_done(&p->bytes);
        free(p->slots);
        *p = (struct strpool){ 0 };
}

struct str strpool_text(const struct strpool *p, uint32_t at)
{
        uint8_t first = (uint8_t)p->bytes.p[at];
        if (first < 0x80)
                return str_span(p->bytes.p + at + 1, first);
        struct cursor c = cursor_from(buf_str(&p->bytes));
        cursor_seek(&c, at);
        uint64_t n = cursor_varint(&c);
        return cursor_bytes(&c, (size_t)n);
}

static uint32_t *slot_of(const struct strpool *p, struct str s)
{
        size_t i = (size_t)hash_str(s) & (p->size - 1);
        while (p->slots[i] && !str_eq(strpool_text(p, p->slots[i]), s))
                i = (i + 1) & (p->size - 1);
        return &p->slots[i];
}

static void grow(struct strpool *p)
{
        size_t old_size = p->size;
        uint32_t *old = p->slots;
        p->size = old_size ? old_size * 2 : 1024;
        p->slots = xcalloc(p->size, sizeof(*p->slots));
        for (size_t i = 0; i < old_size; i++)
                if (old[i])
                        *slot_of(p, strpool_text(p, old[i])) = old[i];
        free(old);
}

uint32_t strpool_add(struct strpool *p, struct str s)
{
        if (s.n == 0)
                return 0;
        if (p->n + 1 > p->size / 4 * 3)
                grow(p);
        uint32_t *slot = slot_of(p, s);
        if (*slot)
                return *slot;
        size_t at = p->bytes.n;
        buf_varint(&p->bytes, s.n);
        buf_add_str(&p->bytes, s);
        if (buf_is_full(&p->bytes))
                return 0;
        p->n++;
        return *slot = (uint32_t)at;
}
