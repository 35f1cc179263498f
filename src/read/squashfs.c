/*
 * See squashfs.h. The tables of inodes and of directories are inflated whole, block by block (8 KiB each); a reference
 * into one is the place of a block as stored, and an offset in what that inflates to. All numbers are little-endian.
 */
#include "read/squashfs.h"

#include "base/cursor.h"
#include "base/vec.h"
#include "read/inflate-block.h"

#define MAGIC              0x73717368u
#define SUPERBLOCK_BYTES   96u
#define META_BLOCK         8192u
#define META_PLAIN         0x8000u
#define META_LENGTH        0x7fffu
#define BLOCK_PLAIN        (1u << 24)
#define NO_FRAGMENT        UINT32_MAX
#define FRAGMENT_BYTES     16u
#define FRAGMENTS_A_BLOCK  (META_BLOCK / FRAGMENT_BYTES)
#define LISTING_EXTRA      3u   /* a directory's size counts "." and "..", which are not stored */
#define LISTING_HEADER_MAX 256u /* entries behind one header */

enum { INODE_DIRECTORY = 1, INODE_FILE = 2, INODE_LONG_DIRECTORY = 8, INODE_LONG_FILE = 9 };

struct table { /* inflated */
        struct buf bytes;
        VEC(uint64_t) stored; /* of each block: its place relative to the table's start */
        VEC(size_t) inflated; /* and where it begins in bytes */
};

struct directory { /* that is being listed */
        struct str path;
        struct cursor listing;
        uint32_t left;         /* entries behind the last header */
        uint32_t inodes_block; /* of that header */
};

struct squashfs {
        struct str image;
        size_t used; /* bytes of it */
        enum block_codec codec;
        uint32_t block_size, n_fragments;
        uint64_t fragments_at;
        struct table inodes, directories;
        struct directory open[SQUASHFS_DEPTH_MAX];
        size_t n_open;
        uint32_t entries;
        struct arena arena; /* of paths */
        uint8_t *block;     /* of block_size: the one that was inflated last */
        uint8_t *fragment;
        uint32_t fragment_index; /* in `fragment`; NO_FRAGMENT: none */
        size_t fragment_bytes;
};

bool squashfs_is(struct str first) { return str_starts(first, STR("hsqs")); }

/* The part [at, at + n) of the image, shorter where it ends. */
static struct str part(const struct squashfs *q, uint64_t at, uint64_t n)
{
        if (at >= q->image.n)
                return STR_NONE;
        return str_upto(str_from(q->image, (size_t)at), n > SIZE_MAX ? SIZE_MAX : (size_t)n);
}

/* Inflates one metadata block at `at` into to[META_BLOCK]; its bytes, and the place of the next one. < 0: damaged. */
static ptrdiff_t read_meta(const struct squashfs *q, uint64_t at, uint8_t *to, uint64_t *ret_next)
{
        struct cursor c = cursor_from(part(q, at, 2 + META_BLOCK));
        uint16_t header = cursor_le16(&c);
        size_t n = header & META_LENGTH;
        struct str stored = cursor_bytes(&c, n);
        *ret_next = at + 2 + n;
        if (!cursor_ok(&c) || !n)
                return -1;
        if (!(header & META_PLAIN))
                return inflate_block(q->codec, stored, to, META_BLOCK);
        memcpy(to, stored.p, MIN(n, META_BLOCK));
        return (ptrdiff_t)MIN(n, META_BLOCK);
}

/* Inflates the table from..to. False where nothing could be read; a damaged block ends it early. */
static bool table_read(struct squashfs *q, struct table *t, uint64_t from, uint64_t to)
{
        uint8_t block[META_BLOCK];
        t->bytes = BUF_INIT(SQUASHFS_TABLE_MAX);
        for (uint64_t at = from, next; at < to && at < q->image.n; at = next) {
                ptrdiff_t n = read_meta(q, at, block, &next);
                if (n <= 0)
                        break;
                *vec_push(&t->stored) = at - from;
                *vec_push(&t->inflated) = t->bytes.n;
                buf_add(&t->bytes, block, (size_t)n);
        }
        return t->bytes.n > 0 && !buf_is_full(&t->bytes);
}

static void table_done(struct table *t)
{
        buf_done(&t->bytes);
        vec_done(&t->stored);
        vec_done(&t->inflated);
}

/* A cursor on what a reference names; failed if there is no such block. */
static struct cursor table_at(const struct table *t, uint64_t stored, uint32_t offset)
{
        struct cursor c = cursor_from(buf_str(&t->bytes));
        size_t low = 0, high = t->stored.n;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (t->stored.v[middle] < stored)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == t->stored.n || t->stored.v[low] != stored)
                c.failed = true;
        else
                cursor_seek(&c, t->inflated.v[low] + offset);
        return c;
}

static bool codec_of(uint16_t id, enum block_codec *ret)
{
        static const struct {
                uint16_t id;
                enum block_codec codec;
        } codecs[] = { { 1, BLOCK_ZLIB }, { 4, BLOCK_XZ }, { 5, BLOCK_LZ4 }, { 6, BLOCK_ZSTD } };
        for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
                if (codecs[i].id == id) {
                        *ret = codecs[i].codec;
                        return true;
                }
        return false;
}

/* An inode that is a directory is opened for listing. False: it cannot be. */
static bool open_directory(struct squashfs *q, struct cursor *inode, uint16_t type, struct str path)
{
        uint32_t block, offset, n;
        if (type == INODE_DIRECTORY) {
                block = cursor_le32(inode);
                (void)cursor_le32(inode); /* links */
                n = cursor_le16(inode);
                offset = cursor_le16(inode);
        } else {
                (void)cursor_le32(inode);
                n = cursor_le32(inode);
                block = cursor_le32(inode);
                (void)cursor_le32(inode); /* parent */
                (void)cursor_le16(inode); /* index entries */
                offset = cursor_le16(inode);
        }
        if (!cursor_ok(inode) || q->n_open == SQUASHFS_DEPTH_MAX)
                return false;
        struct directory d = { .path = path };
        if (n > LISTING_EXTRA) {
                struct cursor all = table_at(&q->directories, block, offset);
                d.listing = cursor_sub(&all, n - LISTING_EXTRA);
                if (!cursor_ok(&d.listing))
                        return false;
        } else {
                d.listing = cursor_from(STR_NONE);
        }
        q->open[q->n_open++] = d;
        return true;
}

static bool open_root(struct squashfs *q, uint64_t reference)
{
        struct cursor c = table_at(&q->inodes, reference >> 16, reference & 0xffff);
        uint16_t type = cursor_le16(&c);
        cursor_skip(&c, 14);
        return (type == INODE_DIRECTORY || type == INODE_LONG_DIRECTORY) && open_directory(q, &c, type, STR_NONE);
}

static int open_tables(struct squashfs *q, struct cursor *c, const char **ret_why)
{
        uint64_t root = cursor_le64(c), used = cursor_le64(c);
        q->used = (size_t)MIN(used, (uint64_t)q->image.n);
        (void)cursor_le64(c); /* ids */
        (void)cursor_le64(c); /* extended attributes */
        uint64_t inodes = cursor_le64(c), directories = cursor_le64(c);
        q->fragments_at = cursor_le64(c);
        /* The table of directories ends where the blocks of the next one begin: no length is stored. */
        if (!cursor_ok(c) || !table_read(q, &q->inodes, inodes, directories) ||
            !table_read(q, &q->directories, directories, q->image.n)) {
                *ret_why = "its tables cannot be read";
                return SQUASHFS_MALFORMED;
        }
        q->block = xmalloc(q->block_size);
        q->fragment = xmalloc(q->block_size);
        if (!open_root(q, root)) {
                *ret_why = "its root directory cannot be read";
                return SQUASHFS_MALFORMED;
        }
        return SQUASHFS_ENTRY;
}

int squashfs_open(struct str image, struct squashfs **ret, const char **ret_why)
{
        struct cursor c = cursor_from(image);
        uint32_t magic = cursor_le32(&c);
        (void)cursor_le64(&c); /* inodes, time */
        uint32_t block_size = cursor_le32(&c), n_fragments = cursor_le32(&c);
        uint16_t codec = cursor_le16(&c), block_log = cursor_le16(&c);
        (void)cursor_le32(&c); /* flags, ids */
        uint16_t major = cursor_le16(&c), minor = cursor_le16(&c);
        enum block_codec known;
        *ret_why = "the superblock is damaged";
        if (!cursor_ok(&c) || magic != MAGIC || block_log > 20 || block_size != 1u << block_log || block_size < 4096)
                return SQUASHFS_MALFORMED;
        *ret_why = "its version is not 4.0";
        if (major != 4 || minor != 0)
                return SQUASHFS_UNSUPPORTED;
        *ret_why = codec == 2 ? "its blocks are lzma1" : codec == 3 ? "its blocks are lzo" : "its codec is not known";
        if (!codec_of(codec, &known))
                return SQUASHFS_UNSUPPORTED;
        struct squashfs *q = xcalloc(1, sizeof(*q));
        *q = (struct squashfs){ .image = image,
                                .codec = known,
                                .block_size = block_size,
                                .n_fragments = n_fragments,
                                .fragment_index = NO_FRAGMENT,
                                .arena = ARENA_INIT };
        int r = open_tables(q, &c, ret_why);
        if (r == SQUASHFS_ENTRY)
                *ret = q;
        else
                squashfs_free(q);
        return r;
}

size_t squashfs_bytes(const struct squashfs *q) { return q->used; }

void squashfs_free(struct squashfs *q)
{
        if (!q)
                return;
        table_done(&q->inodes);
        table_done(&q->directories);
        free(q->block);
        free(q->fragment);
        arena_done(&q->arena);
        free(q);
}

static int read_file_inode(struct squashfs *q, struct cursor *c, uint16_t type, struct squashfs_file *ret)
{
        if (type == INODE_FILE) {
                ret->blocks_at = cursor_le32(c);
                ret->fragment = cursor_le32(c);
                ret->fragment_offset = cursor_le32(c);
                ret->size = cursor_le32(c);
        } else {
                ret->blocks_at = cursor_le64(c);
                ret->size = cursor_le64(c);
                (void)cursor_le64(c); /* sparse bytes */
                (void)cursor_le32(c); /* links */
                ret->fragment = cursor_le32(c);
                ret->fragment_offset = cursor_le32(c);
                (void)cursor_le32(c); /* extended attributes */
        }
        uint64_t whole = ret->size / q->block_size, rest = ret->size % q->block_size;
        uint64_t n = whole + (rest && ret->fragment == NO_FRAGMENT);
        ret->sizes_at = cursor_where(c);
        if (!cursor_ok(c) || n > cursor_left(c) / 4)
                return SQUASHFS_MALFORMED;
        ret->n_blocks = (uint32_t)n;
        return SQUASHFS_ENTRY;
}

/* One entry of the innermost directory: SQUASHFS_ENTRY for a regular file, SQUASHFS_END for anything else. */
static int read_entry(struct squashfs *q, struct squashfs_file *ret, const char **ret_why)
{
        struct directory *d = &q->open[q->n_open - 1];
        uint16_t offset = cursor_le16(&d->listing);
        (void)cursor_le32(&d->listing); /* inode number, type: the inode says both */
        struct str name = cursor_bytes(&d->listing, cursor_le16(&d->listing) + (size_t)1);
        d->left--;
        if (!cursor_ok(&d->listing)) {
                q->n_open--;
                *ret_why = "a directory is cut off";
                return SQUASHFS_MALFORMED;
        }
        struct cursor inode = table_at(&q->inodes, d->inodes_block, offset);
        uint16_t type = cursor_le16(&inode);
        *ret = (struct squashfs_file){ .mode = cursor_le16(&inode) & 07777u };
        cursor_skip(&inode, 12);
        ret->path = d->path.n ? arena_printf(&q->arena, "%.*s/%.*s", STR_FMT(d->path), STR_FMT(name))
                              : arena_str(&q->arena, name);
        if (type == INODE_DIRECTORY || type == INODE_LONG_DIRECTORY) {
                *ret_why = "a directory cannot be read, or lies too deep";
                return open_directory(q, &inode, type, ret->path) ? SQUASHFS_END : SQUASHFS_MALFORMED;
        }
        *ret_why = "a file's inode cannot be read";
        if (type == INODE_FILE || type == INODE_LONG_FILE)
                return read_file_inode(q, &inode, type, ret);
        return cursor_ok(&inode) ? SQUASHFS_END : SQUASHFS_MALFORMED;
}

int squashfs_next(struct squashfs *q, struct squashfs_file *ret, const char **ret_why)
{
        while (q->n_open) {
                struct directory *d = &q->open[q->n_open - 1];
                if (!d->left && cursor_at_end(&d->listing)) {
                        q->n_open--;
                        continue;
                }
                if (++q->entries > SQUASHFS_ENTRIES_MAX) {
                        q->n_open = 0;
                        *ret_why = "it has too many entries";
                        return SQUASHFS_MALFORMED;
                }
                if (!d->left) {
                        d->left = cursor_le32(&d->listing) + 1;
                        d->inodes_block = cursor_le32(&d->listing);
                        (void)cursor_le32(&d->listing);
                        if (!cursor_ok(&d->listing) || !d->left || d->left > LISTING_HEADER_MAX) {
                                q->n_open--;
                                *ret_why = "a directory is damaged";
                                return SQUASHFS_MALFORMED;
                        }
                }
                int r = read_entry(q, ret, ret_why);
                if (r != SQUASHFS_END)
                        return r;
        }
        return SQUASHFS_END;
}

/* A block of content, inflated into to; its bytes or < 0. */
static ptrdiff_t read_block(const struct squashfs *q, uint64_t at, uint32_t size, uint8_t *to)
{
        size_t n = size & (BLOCK_PLAIN - 1);
        struct str stored = part(q, at, n);
        if (stored.n != n || n > q->block_size)
                return -1;
        if (!(size & BLOCK_PLAIN))
                return inflate_block(q->codec, stored, to, q->block_size);
        memcpy(to, stored.p, n);
        return (ptrdiff_t)n;
}

static bool load_fragment(struct squashfs *q, uint32_t index)
{
        uint8_t meta[META_BLOCK];
        uint64_t next;
        if (index == q->fragment_index)
                return true;
        if (index >= q->n_fragments)
                return false;
        struct cursor pointers = cursor_from(part(q, q->fragments_at + index / FRAGMENTS_A_BLOCK * UINT64_C(8), 8));
        uint64_t at = cursor_le64(&pointers);
        ptrdiff_t n = cursor_ok(&pointers) ? read_meta(q, at, meta, &next) : -1;
        if (n <= 0)
                return false;
        struct cursor c = cursor_from(str_span(meta, (size_t)n));
        cursor_seek(&c, index % FRAGMENTS_A_BLOCK * FRAGMENT_BYTES);
        uint64_t start = cursor_le64(&c);
        uint32_t size = cursor_le32(&c);
        n = cursor_ok(&c) ? read_block(q, start, size, q->fragment) : -1;
        q->fragment_index = n < 0 ? NO_FRAGMENT : index;
        q->fragment_bytes = n < 0 ? 0 : (size_t)n;
        return n >= 0;
}

static int read_tail(struct squashfs *q, const struct squashfs_file *f, uint64_t left,
                     bool (*each)(void *arg, struct str bytes), void *arg, const char **ret_why)
{
        *ret_why = "the end of a file cannot be read";
        if (!load_fragment(q, f->fragment) || f->fragment_offset > q->fragment_bytes ||
            left > q->fragment_bytes - f->fragment_offset)
                return SQUASHFS_MALFORMED;
        (void)each(arg, str_span(q->fragment + f->fragment_offset, (size_t)left));
        return SQUASHFS_END;
}

int squashfs_read(struct squashfs *q, const struct squashfs_file *f, bool (*each)(void *arg, struct str bytes),
                  void *arg, const char **ret_why)
{
        struct cursor sizes = cursor_from(buf_str(&q->inodes.bytes));
        uint64_t at = f->blocks_at, left = f->size;
        cursor_seek(&sizes, f->sizes_at);
        for (uint32_t i = 0; i < f->n_blocks; i++) {
                uint32_t size = cursor_le32(&sizes);
                size_t want = (size_t)MIN(left, (uint64_t)q->block_size);
                ptrdiff_t n = 0;
                if (size & (BLOCK_PLAIN - 1))
                        n = read_block(q, at, size, q->block);
                else /* a hole */
                        memset(q->block, 0, (size_t)(n = (ptrdiff_t)want));
                *ret_why = "a block of a file is damaged";
                if (!cursor_ok(&sizes) || n != (ptrdiff_t)want)
                        return SQUASHFS_MALFORMED;
                if (!each(arg, str_span(q->block, want)))
                        return SQUASHFS_END;
                at += size & (BLOCK_PLAIN - 1);
                left -= want;
        }
        return left ? read_tail(q, f, left, each, arg, ret_why) : SQUASHFS_END;
}
