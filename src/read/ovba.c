/*
 * VBA source, inflated ([MS-OVBA] 2.4.1): a container is the byte 1 and chunks; a chunk is a header (length, flag) and
 * tokens: a literal byte, or a copy from what this chunk has given already. See cfb.h.
 */
#include "base/cursor.h"
#include "read/cfb.h"

#define CONTAINER      1
#define CHUNK_BYTES    4096u
#define CHUNK_SIGN     3u /* bits 12 to 14 of a header */
#define CONTAINERS_MAX 64u

/* A copy token's split between offset and length depends on how far the chunk has come [2.4.1.3.19.1]. */
static unsigned length_bits(size_t done)
{
        unsigned offset_bits = 4;
        while (((size_t)1 << offset_bits) < done)
                offset_bits++;
        return 16 - offset_bits;
}

/* False where the tokens make no sense. */
static bool inflate_chunk(struct cursor *c, char *out, size_t *ret_n)
{
        size_t n = 0;
        while (!cursor_at_end(c)) {
                uint8_t flags = cursor_u8(c);
                for (unsigned bit = 0; bit < 8 && !cursor_at_end(c); bit++) {
                        if (!(flags >> bit & 1)) {
                                if (n == CHUNK_BYTES)
                                        return false;
                                out[n++] = (char)cursor_u8(c);
                                continue;
                        }
                        uint16_t token = cursor_le16(c);
                        unsigned bits = n ? length_bits(n) : 12;
                        size_t length = (token & ((1u << bits) - 1)) + 3, back = (size_t)(token >> bits) + 1;
                        if (!cursor_ok(c) || back > n || length > CHUNK_BYTES - n)
                                return false;
                        for (; length; length--, n++) /* source and destination may overlap: byte by byte */
                                out[n] = out[n - back];
                }
        }
        *ret_n = n;
        return true;
}

static size_t inflate_container(struct cursor c, struct buf *to)
{
        char out[CHUNK_BYTES];
        size_t before = to->n;
        while (cursor_left(&c) > 2) {
                uint16_t header = cursor_le16(&c);
                size_t n = (header & 0xfffu) + 1, made = 0;
                struct cursor chunk = cursor_sub(&c, MIN(n, cursor_left(&c)));
                if ((header >> 12 & 7u) != CHUNK_SIGN)
                        break;
                if (header & 0x8000u) {
                        if (!inflate_chunk(&chunk, out, &made))
                                break;
                        buf_add(to, out, made);
                } else {
                        struct str plain = cursor_bytes(&chunk, cursor_left(&chunk));
                        buf_add_str(to, plain);
                }
        }
        return to->n - before;
}

size_t ovba_inflate(struct str stream, struct buf *to)
{
        /* Every module's source begins with "Attribute VB_Name"; its first 8 bytes stand behind the first flag byte. */
        static const char begins[] = "\0Attribut";
        size_t made = 0, found = 0;
        for (size_t at = 0; found < CONTAINERS_MAX && at < stream.n;) {
                ptrdiff_t next = str_find(str_from(stream, at), str_span(begins, sizeof(begins) - 1));
                if (next < 0)
                        break;
                size_t flags_at = at + (size_t)next;
                at = flags_at + 1;
                if (flags_at < 3 || stream.p[flags_at - 3] != CONTAINER)
                        continue;
                made += inflate_container(cursor_from(str_from(stream, flags_at - 2)), to);
                found++;
        }
        return made;
}
