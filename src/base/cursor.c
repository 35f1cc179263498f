/* See cursor.h. */
#include "base/cursor.h"

struct cursor cursor_from(struct str bytes)
{
        static const uint8_t nothing[1];
        const uint8_t *p = bytes.p ? (const uint8_t *)bytes.p : nothing;
        return (struct cursor){ .start = p, .at = p, .end = p + bytes.n };
}

/* The only place that moves: n bytes, or NULL and a failed cursor that stays at its end. */
static const uint8_t *take(struct cursor *c, size_t n)
{
        if (c->failed || cursor_left(c) < n) {
                c->failed = true;
                c->at = c->end;
                return NULL;
        }
        const uint8_t *p = c->at;
        c->at += n;
        return p;
}

uint8_t cursor_u8(struct cursor *c)
{
        const uint8_t *p = take(c, 1);
        return p ? p[0] : 0;
}

static uint64_t little(struct cursor *c, size_t n)
{
        const uint8_t *p = take(c, n);
        uint64_t v = 0;
        for (size_t i = 0; p && i < n; i++)
                v |= (uint64_t)p[i] << (8 * i);
        return v;
}

static uint64_t big(struct cursor *c, size_t n)
{
        const uint8_t *p = take(c, n);
        uint64_t v = 0;
        for (size_t i = 0; p && i < n; i++)
                v = v << 8 | p[i];
        return v;
}

uint16_t cursor_le16(struct cursor *c) { return (uint16_t)little(c, 2); }
uint16_t cursor_be16(struct cursor *c) { return (uint16_t)big(c, 2); }
uint32_t cursor_le32(struct cursor *c) { return (uint32_t)little(c, 4); }
uint32_t cursor_be32(struct cursor *c) { return (uint32_t)big(c, 4); }
uint64_t cursor_le64(struct cursor *c) { return little(c, 8); }

uint64_t cursor_varint(struct cursor *c)
{
        uint64_t v = 0;
        if (!c->failed && c->at < c->end && *c->at < 0x80) /* nearly all are one byte */
                return *c->at++;
        for (unsigned shift = 0; shift < 64; shift += 7) {
                uint8_t b = cursor_u8(c);
                if (shift == 63 && b > 1)
                        break;
                v |= (uint64_t)(b & 0x7f) << shift;
                if (!(b & 0x80))
                        return v;
        }
        c->failed = true;
        c->at = c->end;
        return 0;
}

struct str cursor_bytes(struct cursor *c, size_t n)
{
        const uint8_t *p = take(c, n);
        return p ? str_span(p, n) : STR_NONE;
}

struct cursor cursor_sub(struct cursor *c, size_t n)
{
        struct cursor sub = cursor_from(cursor_bytes(c, n));
        sub.failed = c->failed;
        return sub;
}

void cursor_skip(struct cursor *c, size_t n) { (void)take(c, n); }

void cursor_seek(struct cursor *c, size_t offset)
{
        if (c->failed || offset > cursor_size(c)) {
                c->failed = true;
                c->at = c->end;
                return;
        }
        c->at = c->start + offset;
}
