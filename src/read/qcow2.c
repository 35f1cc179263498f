/* See qcow2.h. Guest offset -> L1 entry -> L2 entry -> cluster; all numbers are big-endian. */
#include "read/qcow2.h"

#include "base/cursor.h"
#include "read/inflate-block.h"

#define MAGIC             0x514649fbu
#define OFFSET_MASK       UINT64_C(0x00fffffffffffe00)
#define COMPRESSED        (UINT64_C(1) << 62)
#define L2_ZERO           UINT64_C(1)
#define INCOMPATIBLE_DATA (UINT64_C(1) << 2) /* the clusters are in another file */
#define INCOMPATIBLE_TYPE (UINT64_C(1) << 3) /* the header names a compression type */
#define INCOMPATIBLE_L2   (UINT64_C(1) << 4) /* extended L2 entries */
#define INCOMPATIBLE_ALL  UINT64_C(0x1f)
#define HEADER_V2_BYTES   72u
#define HEADER_TYPE_AT    104u
#define SECTOR            512u

static uint64_t be64(struct cursor *c)
{
        uint64_t high = cursor_be32(c);
        return high << 32 | cursor_be32(c);
}

/* Entry number i of a table at that offset. False past the end of the image. */
static bool entry_at(const struct qcow2 *q, uint64_t table, uint64_t i, uint64_t *ret)
{
        uint64_t at;
        if (__builtin_mul_overflow(i, UINT64_C(8), &at) || __builtin_add_overflow(at, table, &at) || at > q->image.n)
                return false;
        struct cursor c = cursor_from(str_from(q->image, (size_t)at));
        *ret = be64(&c);
        return cursor_ok(&c);
}

bool qcow2_is(struct str first) { return str_starts(first, STR("QFI\xfb")); }

static void reaches(struct qcow2 *q, uint64_t at, uint64_t n)
{
        uint64_t end = MIN(at, (uint64_t)q->image.n) + MIN(n, (uint64_t)q->image.n);
        q->end = MAX(q->end, MIN(end, (uint64_t)q->image.n));
}

static int bad(struct qcow2 *q, int outcome, const char *why)
{
        q->why = why;
        return outcome;
}

/* What version 3 adds: features that a reader must know, and how clusters are compressed. */
static int read_features(struct qcow2 *q, struct cursor *c)
{
        uint64_t incompatible = be64(c);
        (void)be64(c); /* compatible and automatically cleared features do not change what is read */
        (void)be64(c);
        (void)cursor_be32(c); /* refcount_order */
        uint32_t header_bytes = cursor_be32(c);
        uint8_t type = header_bytes > HEADER_TYPE_AT ? cursor_u8(c) : 0;
        if (!cursor_ok(c))
                return bad(q, QCOW2_MALFORMED, "the header is cut off");
        if (incompatible & INCOMPATIBLE_DATA)
                return bad(q, QCOW2_UNSUPPORTED, "its clusters are in another file");
        if (incompatible & (INCOMPATIBLE_L2 | ~INCOMPATIBLE_ALL))
                return bad(q, QCOW2_UNSUPPORTED, "it uses features that are not known here");
        if (type > 1 || (type == 1) != ((incompatible & INCOMPATIBLE_TYPE) != 0))
                return bad(q, QCOW2_UNSUPPORTED, "its compression is not known here");
        q->is_zstd = type == 1;
        return QCOW2_CLUSTER;
}

int qcow2_init(struct qcow2 *q, struct str image)
{
        struct cursor c = cursor_from(image);
        *q = (struct qcow2){ .image = image };
        uint32_t magic = cursor_be32(&c);
        q->version = cursor_be32(&c);
        q->has_backing_file = be64(&c) != 0;
        (void)cursor_be32(&c); /* length of the backing file's name */
        q->cluster_bits = cursor_be32(&c);
        q->size = be64(&c);
        uint32_t crypt = cursor_be32(&c);
        q->l1_entries = cursor_be32(&c);
        q->l1_offset = be64(&c);
        cursor_seek(&c, HEADER_V2_BYTES);
        if (!cursor_ok(&c) || magic != MAGIC)
                return bad(q, QCOW2_MALFORMED, "the header is cut off");
        if (q->version != 2 && q->version != 3)
                return bad(q, QCOW2_UNSUPPORTED, "its version is not known here");
        if (crypt)
                return bad(q, QCOW2_ENCRYPTED, "its clusters are encrypted");
        if (q->cluster_bits < 9 || q->cluster_bits > QCOW2_CLUSTER_BITS_MAX)
                return bad(q, QCOW2_MALFORMED, "its clusters have an impossible size");
        if (q->l1_entries > QCOW2_L1_ENTRIES_MAX || q->l1_entries * 8 > image.n)
                return bad(q, QCOW2_MALFORMED, "its first table is longer than the image");
        reaches(q, q->l1_offset, q->l1_entries * 8);
        q->inflated = BUF_INIT((size_t)2 << q->cluster_bits);
        return q->version == 3 ? read_features(q, &c) : QCOW2_CLUSTER;
}

void qcow2_done(struct qcow2 *q) { buf_done(&q->inflated); }

static int read_compressed(struct qcow2 *q, uint64_t entry, struct str *ret)
{
        unsigned x = 62 - (q->cluster_bits - 8); /* width of the offset in the entry */
        uint64_t at = entry & ((UINT64_C(1) << x) - 1);
        uint64_t sectors = ((entry & (COMPRESSED - 1)) >> x) + 1;
        size_t n = (size_t)1 << q->cluster_bits;
        if (at >= q->image.n)
                return bad(q, QCOW2_MALFORMED, "a compressed cluster lies outside the image");
        struct str stored = str_upto(str_from(q->image, (size_t)at), (size_t)(sectors * SECTOR - (at & (SECTOR - 1))));
        reaches(q, at, stored.n);
        buf_clear(&q->inflated);
        static const char zeros[4096];
        while (q->inflated.n < n && !buf_is_full(&q->inflated))
                buf_add(&q->inflated, zeros, MIN(sizeof(zeros), n - q->inflated.n));
        /* The stored length is rounded up to sectors: what follows the compressed data is not part of it. */
        if (inflate_block(q->is_zstd ? BLOCK_ZSTD : BLOCK_DEFLATE, stored, q->inflated.p, n) != (ptrdiff_t)n)
                return bad(q, QCOW2_MALFORMED, "a compressed cluster is damaged");
        *ret = buf_str(&q->inflated);
        return QCOW2_CLUSTER;
}

/* The cluster that an L2 entry names; QCOW2_END: none, it reads as zeros or as the backing file. */
static int read_cluster(struct qcow2 *q, uint64_t entry, struct str *ret)
{
        if (entry & COMPRESSED)
                return read_compressed(q, entry, ret);
        uint64_t at = entry & OFFSET_MASK;
        if (!at || (q->version == 3 && (entry & L2_ZERO)))
                return QCOW2_END;
        if (at >= q->image.n)
                return bad(q, QCOW2_MALFORMED, "a cluster lies outside the image");
        reaches(q, at, UINT64_C(1) << q->cluster_bits);
        *ret = str_upto(str_from(q->image, (size_t)at), (size_t)1 << q->cluster_bits);
        return QCOW2_CLUSTER;
}

int qcow2_next(struct qcow2 *q, struct qcow2_cluster *ret)
{
        uint64_t per_table = UINT64_C(1) << (q->cluster_bits - 3);
        uint64_t clusters = (q->size >> q->cluster_bits) + ((q->size & ((UINT64_C(1) << q->cluster_bits) - 1)) != 0);
        while (q->at < clusters && q->at / per_table < q->l1_entries) {
                uint64_t l1, l2, guest = q->at;
                if (!entry_at(q, q->l1_offset, guest / per_table, &l1)) {
                        q->at = clusters;
                        return bad(q, QCOW2_MALFORMED, "its first table lies outside the image");
                }
                uint64_t table = l1 & OFFSET_MASK;
                if (table && guest % per_table == 0)
                        reaches(q, table, per_table * 8);
                if (!table || !entry_at(q, table, guest % per_table, &l2)) {
                        q->at = (guest / per_table + 1) * per_table;
                        if (table)
                                return bad(q, QCOW2_MALFORMED, "a second table lies outside the image");
                        continue;
                }
                q->at++;
                if (++q->looked_at > q->image.n / 8) { /* no table serves twice, so there cannot be more entries */
                        q->at = clusters;
                        return bad(q, QCOW2_MALFORMED, "a table is used more than once");
                }
                int r = read_cluster(q, l2, &ret->bytes);
                if (r == QCOW2_END)
                        continue;
                ret->offset = guest << q->cluster_bits;
                return r;
        }
        return QCOW2_END;
}
