/* See cfb.h. Numbers in brackets are sections of [MS-CFB]. All integers are little-endian. */
#include "read/cfb.h"

#include "base/cursor.h"

#include <stdlib.h>

#define HEADER_BYTES       512u
#define HEADER_DIFAT       109u /* entries of the DIFAT in the header */
#define SECTOR_REGULAR_MAX 0xfffffffau
#define ENTRY_BYTES        128u

enum { ENTRY_STREAM = 2, ENTRY_ROOT = 5 };

bool cfb_is(struct str first) { return str_starts(first, STR("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")); }

static int bad(struct cfb *c, int outcome, const char *why)
{
        c->why = why;
        return outcome;
}

/* Sector number i; what lies past the end of the file is missing, and the last sector may be short. */
static struct str sector(const struct cfb *c, uint32_t i)
{
        uint64_t at = ((uint64_t)i + 1) << c->sector_bits; /* the header takes the place of one */
        return at < c->file.n ? str_upto(str_from(c->file, (size_t)at), (size_t)1 << c->sector_bits) : STR_NONE;
}

/* The sectors of the FAT, as the header's DIFAT and the chain of DIFAT sectors name them [2.5]. */
static void read_fat(struct cfb *c, struct cursor *difat, uint32_t next, size_t n_sectors)
{
        size_t per_sector = ((size_t)1 << c->sector_bits) / 4, left_here = HEADER_DIFAT;
        n_sectors = MIN(n_sectors, (c->file.n >> c->sector_bits) + 1);
        c->fat = arena_array(&c->arena, n_sectors * per_sector, sizeof(*c->fat));
        for (size_t i = 0; i < n_sectors; i++) {
                if (!left_here) {
                        if (next > SECTOR_REGULAR_MAX)
                                return;
                        *difat = cursor_from(sector(c, next));
                        struct cursor last = *difat;
                        cursor_skip(&last, (per_sector - 1) * 4);
                        next = cursor_le32(&last);
                        left_here = per_sector - 1;
                }
                left_here--;
                struct cursor from = cursor_from(sector(c, cursor_le32(difat)));
                for (size_t k = 0; k < per_sector; k++)
                        c->fat[c->n_fat++] = cursor_left(&from) >= 4 ? cursor_le32(&from) : UINT32_MAX;
        }
}

/*
 * The stream that begins at a sector, up to n bytes of it. A chain that ends early, leaves the file, or runs in a
 * circle gives what came before.
 */
static struct str read_chain(struct cfb *c, uint32_t first, uint64_t n)
{
        uint64_t most = MIN(n, c->file.n);
        char *to = arena_alloc(&c->arena, (size_t)most + 1);
        size_t used = 0, steps = 0;
        for (uint32_t i = first; i < c->n_fat && used < most && steps <= c->n_fat; i = c->fat[i], steps++) {
                struct str s = sector(c, i);
                size_t take = MIN(s.n, (size_t)most - used);
                if (!take)
                        break;
                memcpy(to + used, s.p, take);
                used += take;
        }
        return str_span(to, used);
}

static struct str read_mini_chain(struct cfb *c, uint32_t first, uint64_t n)
{
        char *to = arena_alloc(&c->arena, (size_t)n + 1); /* n is below the cutoff */
        size_t used = 0, steps = 0;
        for (uint32_t i = first; i < c->n_mini_fat && used < n && steps <= c->n_mini_fat; i = c->mini_fat[i], steps++) {
                struct str s = str_upto(str_from(c->mini, (size_t)i << c->mini_bits), (size_t)1 << c->mini_bits);
                size_t take = MIN(s.n, (size_t)n - used);
                if (!take)
                        break;
                memcpy(to + used, s.p, take);
                used += take;
        }
        return str_span(to, used);
}

struct entry {
        struct str name; /* UTF-16LE */
        uint8_t type;
        uint32_t first;
        uint64_t size;
};

static struct entry entry_at(const struct cfb *c, size_t i)
{
        struct cursor from = cursor_from(str_upto(str_from(c->directory, i * ENTRY_BYTES), ENTRY_BYTES));
        struct entry e = { .name = cursor_bytes(&from, 2 * CFB_NAME_MAX) };
        e.name = str_upto(e.name, cursor_le16(&from));
        e.type = cursor_u8(&from);
        cursor_seek(&from, 116);
        e.first = cursor_le32(&from);
        e.size = cursor_le64(&from);
        if (c->sector_bits == 9) /* version 3 leaves the upper half undefined [2.6.1] */
                e.size &= UINT32_MAX;
        return e;
}

static void read_mini_fat(struct cfb *c)
{
        struct str bytes = read_chain(c, c->first_mini_fat, c->file.n);
        struct cursor from = cursor_from(bytes);
        c->n_mini_fat = bytes.n / 4;
        c->mini_fat = arena_array(&c->arena, c->n_mini_fat, sizeof(*c->mini_fat));
        for (size_t i = 0; i < c->n_mini_fat; i++)
                c->mini_fat[i] = cursor_le32(&from);
}

int cfb_init(struct cfb *c, struct str file)
{
        struct cursor h = cursor_from(file);
        *c = (struct cfb){ .file = file, .arena = ARENA_INIT };
        cursor_seek(&h, 30);
        c->sector_bits = cursor_le16(&h);
        c->mini_bits = cursor_le16(&h);
        cursor_seek(&h, 44);
        uint32_t n_fat = cursor_le32(&h);
        c->first_directory = cursor_le32(&h);
        (void)cursor_le32(&h); /* transaction signature */
        c->mini_cutoff = cursor_le32(&h);
        c->first_mini_fat = cursor_le32(&h);
        (void)cursor_le32(&h); /* sectors of the mini FAT */
        uint32_t difat = cursor_le32(&h);
        (void)cursor_le32(&h); /* sectors of the DIFAT */
        if (!cfb_is(file) || file.n < HEADER_BYTES)
                return bad(c, CFB_MALFORMED, "the header is cut off");
        if ((c->sector_bits != 9 && c->sector_bits != 12) || c->mini_bits != 6 || c->mini_cutoff != 4096)
                return bad(c, CFB_MALFORMED, "its sectors have an impossible size");
        if (file.n >> c->sector_bits > CFB_SECTORS_MAX)
                return bad(c, CFB_MALFORMED, "it has too many sectors");
        read_fat(c, &h, difat, n_fat);
        c->directory = read_chain(c, c->first_directory, c->file.n);
        if (c->directory.n < ENTRY_BYTES)
                return bad(c, CFB_MALFORMED, "its directory cannot be read");
        read_mini_fat(c);
        struct entry root = entry_at(c, 0);
        if (root.type == ENTRY_ROOT)
                c->mini = read_chain(c, root.first, root.size);
        return CFB_STREAM;
}

void cfb_done(struct cfb *c) { arena_done(&c->arena); }

static void copy_name(const struct entry *e, char to[static CFB_NAME_MAX + 1])
{
        size_t n = e->name.n / 2;
        for (size_t i = 0; i < n; i++) {
                unsigned char low = (unsigned char)e->name.p[2 * i], high = (unsigned char)e->name.p[2 * i + 1];
                to[i] = high || low < 0x20 || low > 0x7e ? '.' : (char)low;
        }
        while (n && to[n - 1] == '.') /* the NUL that ends it is counted */
                n--;
        to[n] = '\0';
}

int cfb_next(struct cfb *c, struct cfb_stream *ret)
{
        while (c->at < c->directory.n / ENTRY_BYTES) {
                struct entry e = entry_at(c, c->at++);
                if (e.type != ENTRY_STREAM || !e.size)
                        continue;
                copy_name(&e, ret->name);
                if (e.size > CFB_STREAM_MAX)
                        return bad(c, CFB_TOO_LARGE, "a stream is too large");
                if (c->arena.used_bytes > 4 * c->file.n + CFB_STREAM_MAX) { /* streams may share sectors */
                        c->at = c->directory.n;
                        return bad(c, CFB_TOO_LARGE, "its streams hold more than the file");
                }
                ret->bytes =
                        e.size < c->mini_cutoff ? read_mini_chain(c, e.first, e.size) : read_chain(c, e.first, e.size);
                return ret->bytes.n == e.size ? CFB_STREAM : bad(c, CFB_MALFORMED, "a stream is cut off");
        }
        return CFB_END;
}
