/* See buf.h. */
#include "base/buf.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_done(struct buf *b)
{
        free(b->p);
        *b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
        b->n = 0;
        b->full = false;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
        size_t need;
        if (b->full || !add_size(b->n, n, &need) || need > b->max) {
                b->full = true;
                return;
        }
        if (need + 1 > b->size) {
                size_t most = MAX(b->max, b->max + 1); /* without a bound, max + 1 is 0 */
                size_t size = MAX(need + 1, MIN(b->size * 2, most));
                b->p = xrealloc(b->p, MAX(size, 64u));
                b->size = MAX(size, 64u);
        }
        if (n)
                memcpy(b->p + b->n, p, n);
        b->n = need;
        b->p[need] = 0;
}

void buf_add_str(struct buf *b, struct str s) { buf_add(b, s.p, s.n); }

void buf_puts(struct buf *b, const char *s) { buf_add(b, s, strlen(s)); }

void buf_putc(struct buf *b, char c)
{
        if (b->full || b->n >= b->max || b->n + 2 > b->size) {
                buf_add(b, &c, 1);
                return;
        }
        b->p[b->n++] = c;
        b->p[b->n] = 0;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
        char small[512];
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(small, sizeof(small), fmt, ap);
        va_end(ap);
        if (n < 0) {
                b->full = true;
                return;
        }
        if ((size_t)n < sizeof(small)) {
                buf_add(b, small, (size_t)n);
                return;
        }
        char *large = xmalloc((size_t)n + 1);
        va_start(ap, fmt);
        vsnprintf(large, (size_t)n + 1, fmt, ap);
        va_end(ap);
        buf_add(b, large, (size_t)n);
        free(large);
}

void buf_hex(struct buf *b, struct str bytes)
{
        static const char digits[] = "0123456789abcdef";
        for (size_t i = 0; i < bytes.n; i++) {
                buf_putc(b, digits[(uint8_t)bytes.p[i] >> 4]);
                buf_putc(b, digits[(uint8_t)bytes.p[i] & 15]);
        }
}

void buf_u8(struct buf *b, uint8_t v) { buf_putc(b, (char)v); }

void buf_le32(struct buf *b, uint32_t v)
{
        uint8_t d[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
        buf_add(b, d, 4);
}

void buf_le64(struct buf *b, uint64_t v)
{
        buf_le32(b, (uint32_t)v);
        buf_le32(b, (uint32_t)(v >> 32));
}

void buf_varint(struct buf *b, uint64_t v)
{
        uint8_t bytes[10]; /* seven bits in each */
        size_t n = 0;
        for (; v >= 0x80; v >>= 7)
                bytes[n++] = (uint8_t)(v | 0x80);
        bytes[n++] = (uint8_t)v;
        if (n == 1)
                buf_u8(b, bytes[0]); /* as nearly all are */
        else
                buf_add(b, bytes, n);
}
