/*
 * rpm's own database format ndb (Packages.db, SUSE), version 0, as rpm's lib/backend/ndb/rpmpkg.c writes it. All
 * numbers are little-endian.
 *
 * A header of 32 bytes; slots of 16 bytes up to the end of the slot pages, each with a package's number and the place
 * and length, in blocks of 16 bytes, of its blob; a blob has a head, the package's header, zeros, and a tail with
 * Adler-32 of all before it. A blob whose checksum is wrong is told of and still given: its header is checked by
 * itself.
 */
#include "base/cursor.h"
#include "read/rpmdb-internal.h"

enum {
        SLOT_PAGE = 4096,
        SLOT_BYTES = 16,
        SLOTS_FROM = 32,
        BLOCK_BYTES = 16,
        HEAD_BYTES = 16,
        TAIL_BYTES = 12,
        SLOT_MAGIC = 0x746f6c53, /* "Slot" */
        HEAD_MAGIC = 0x53626c42, /* "BlbS" */
        TAIL_MAGIC = 0x45626c42, /* "BlbE" */
};

struct slot {
        uint32_t magic, package, block, blocks;
};

/* RFC 1950, section 8.2. */
static uint32_t adler32(struct str s)
{
        enum { BASE = 65521, RUN = 5552 /* the longest for which 32 bits do not overflow */ };
        uint32_t a = 1, b = 0;
        for (size_t i = 0; i < s.n;) {
                for (size_t end = MIN(s.n, i + RUN); i < end; i++) {
                        a += (uint8_t)s.p[i];
                        b += a;
                }
                a %= BASE;
                b %= BASE;
        }
        return b << 16 | a;
}

/* False: the walk must end. */
static bool read_blob(struct rpmdb_walk *w, const struct slot *slot)
{
        uint64_t offset = (uint64_t)slot->block * BLOCK_BYTES, size = (uint64_t)slot->blocks * BLOCK_BYTES;
        if (offset > w->bytes.n || size > w->bytes.n - offset) {
                rpmdb_defect(w, "truncated", "a package's record lies behind the end of the file", offset);
                return true;
        }
        struct cursor c = cursor_from(str_upto(str_from(w->bytes, (size_t)offset), (size_t)size));
        uint32_t magic = cursor_le32(&c), package = cursor_le32(&c);
        cursor_skip(&c, 4);
        uint32_t length = cursor_le32(&c);
        struct str header = cursor_bytes(&c, length);
        if (!cursor_ok(&c) || magic != HEAD_MAGIC || package != slot->package || length > RPMDB_HEADER_MAX ||
            size != (HEAD_BYTES + (uint64_t)length + TAIL_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES) {
                rpmdb_defect(w, "corrupt", "a package's record does not begin as its slot says", offset);
                return true;
        }
        if (length <= w->budget.bytes) { /* else the record is refused below, and no time is spent on its sum */
                uint32_t sum = adler32(str_upto(str_from(w->bytes, (size_t)offset), (size_t)size - TAIL_BYTES));
                cursor_seek(&c, (size_t)size - TAIL_BYTES);
                uint32_t stored = cursor_le32(&c), tail_length = cursor_le32(&c), tail_magic = cursor_le32(&c);
                if (sum != stored || tail_length != length || tail_magic != TAIL_MAGIC)
                        rpmdb_defect(w, "corrupt", "a package's record has a wrong checksum", offset);
        }
        return rpmdb_give(w, header, offset);
}

size_t rpmdb_read_ndb(struct str bytes, struct rpmdb_visitor *v)
{
        struct rpmdb_walk w = rpmdb_walk_from(bytes, v);
        struct cursor c = cursor_from(bytes);
        cursor_skip(&c, 4);
        uint32_t version = cursor_le32(&c);
        cursor_skip(&c, 4);
        uint64_t end = (uint64_t)cursor_le32(&c) * SLOT_PAGE;
        if (!cursor_ok(&c) || version != 0) {
                rpmdb_defect(&w, cursor_ok(&c) ? "unsupported" : "truncated", "not version 0 of an ndb database", 0);
                return 0;
        }
        if (end > bytes.n) {
                rpmdb_defect(&w, "truncated", "the file ends inside its table of packages", bytes.n);
                end = bytes.n;
        }
        cursor_seek(&c, SLOTS_FROM);
        while (cursor_ok(&c) && cursor_where(&c) + SLOT_BYTES <= end) {
                uint64_t at = cursor_where(&c);
                struct slot slot;
                slot.magic = cursor_le32(&c);
                slot.package = cursor_le32(&c);
                slot.block = cursor_le32(&c);
                slot.blocks = cursor_le32(&c);
                if (slot.magic != SLOT_MAGIC) {
                        rpmdb_defect(&w, "corrupt", "an entry of the table of packages is damaged", at);
                        continue;
                }
                if (slot.package != 0 && slot.block != 0 && !read_blob(&w, &slot))
                        break;
        }
        return w.given;
}
