/*
 * rpm's database in Berkeley DB's hash format (Packages, up to rpm 4.16), versions 8 to 10, in either byte order.
 *
 * Page 0 says the size of pages. Hash pages hold pairs of key and value, growing from the page's end towards a table of
 * offsets behind its header; a value is there itself, or a reference to a chain of overflow pages, each with its share.
 * The hash is of no interest here: every page is looked at once, in order, so that a damaged bucket hides no other.
 * An overflow page that is used twice, or a chain that is shorter than its value, is a defect.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "read/rpmdb-internal.h"

#include <stdlib.h>

enum { PAGE_HASH_UNSORTED = 2, PAGE_OVERFLOW = 7, PAGE_HASH_META = 8, PAGE_HASH = 13 };
enum { ITEM_DATA = 1, ITEM_OFF_PAGE = 3 };
enum { PAGE_HEADER = 26, META_HAS_CHECKSUMS = 1 };

struct bdb {
        struct rpmdb_walk walk;
        bool is_big;
        size_t page_size;
        uint32_t pages;
        uint8_t *used; /* one for each page that a value took */
        struct buf value;
};

struct page {
        struct str bytes;
        uint32_t next;
        uint16_t entries, used; /* used: of overflow pages, how much of the value it has */
        uint8_t type;
};

static uint16_t u16(const struct bdb *b, struct cursor *c) { return b->is_big ? cursor_be16(c) : cursor_le16(c); }
static uint32_t u32(const struct bdb *b, struct cursor *c) { return b->is_big ? cursor_be32(c) : cursor_le32(c); }

/* False if the page is not all there. */
static bool page_at(const struct bdb *b, uint32_t number, struct page *ret)
{
        struct cursor c = cursor_from(b->walk.bytes);
        cursor_seek(&c, (size_t)number * b->page_size);
        struct str bytes = cursor_bytes(&c, b->page_size);
        if (!cursor_ok(&c))
                return false;
        struct cursor p = cursor_from(bytes);
        cursor_seek(&p, 16);
        *ret = (struct page){ .bytes = bytes, .next = u32(b, &p) };
        ret->entries = u16(b, &p);
        ret->used = u16(b, &p);
        cursor_skip(&p, 1);
        ret->type = cursor_u8(&p);
        return true;
}

/* Collects the value of a chain. NULL, or what is wrong with it. */
static const char *read_chain(struct bdb *b, uint32_t first, uint32_t length)
{
        buf_clear(&b->value);
        if (length > RPMDB_HEADER_MAX)
                return "a value is longer than a package's header may be";
        for (uint32_t number = first; b->value.n < length;) {
                struct page page;
                if (number == 0 || number >= b->pages)
                        return "a chain of overflow pages leads out of the database";
                if (b->used[number])
                        return "chains of overflow pages meet";
                b->used[number] = 1;
                if (!page_at(b, number, &page))
                        return "an overflow page is cut off";
                if (page.type != PAGE_OVERFLOW || page.used == 0 || page.used > b->page_size - PAGE_HEADER)
                        return "a chain leads to what is no overflow page";
                buf_add_str(&b->value,
                            str_upto(str_upto(str_from(page.bytes, PAGE_HEADER), page.used), length - b->value.n));
                number = page.next;
        }
        return NULL;
}

/* One value of a hash page. False: the walk must end. */
static bool read_item(struct bdb *b, struct str item, uint64_t offset)
{
        struct cursor c = cursor_from(item);
        uint8_t type = cursor_u8(&c);
        if (type == ITEM_DATA) {
                /* The record that holds the highest number of a package is too short for a header. */
                struct str value = cursor_bytes(&c, cursor_left(&c));
                return value.n < 16 || rpmdb_give(&b->walk, value, offset);
        }
        if (type != ITEM_OFF_PAGE) {
                rpmdb_defect(&b->walk, "corrupt", "a value of an unknown kind", offset);
                return true;
        }
        cursor_skip(&c, 3);
        uint32_t first = u32(b, &c), length = u32(b, &c);
        const char *why = cursor_ok(&c) ? read_chain(b, first, length) : "a reference to a value is cut off";
        if (why) {
                rpmdb_defect(&b->walk, "corrupt", why, offset);
                return true;
        }
        return rpmdb_give(&b->walk, buf_str(&b->value), (uint64_t)first * b->page_size);
}

static bool read_hash_page(struct bdb *b, const struct page *page, uint64_t at)
{
        struct cursor table = cursor_from(page->bytes);
        cursor_seek(&table, PAGE_HEADER);
        size_t end = b->page_size; /* where the item before this one starts */
        for (uint32_t i = 0; i < page->entries; i++) {
                size_t start = u16(b, &table);
                if (!cursor_ok(&table) || start < cursor_where(&table) || start > end) {
                        rpmdb_defect(&b->walk, "corrupt", "a hash page's table of values is damaged", at);
                        return true;
                }
                if (i % 2 == 1 && !read_item(b, str_upto(str_from(page->bytes, start), end - start), at + start))
                        return false;
                end = start;
        }
        return true;
}

/* Reads page 0. NULL, or what is wrong with it. */
static const char *read_meta(struct bdb *b, const char **ret_code)
{
        struct cursor c = cursor_from(b->walk.bytes);
        b->is_big = str_starts(str_from(b->walk.bytes, 12), STR("\0\x06\x15\x61"));
        cursor_seek(&c, 16);
        uint32_t version = u32(b, &c);
        b->page_size = u32(b, &c);
        uint8_t encrypted = cursor_u8(&c), type = cursor_u8(&c), flags = cursor_u8(&c);
        cursor_skip(&c, 5);
        uint32_t last = u32(b, &c);
        *ret_code = "corrupt";
        if (!cursor_ok(&c) || type != PAGE_HASH_META)
                return "the first page is not that of a hash";
        if (b->page_size < 512 || b->page_size > 65536 || (b->page_size & (b->page_size - 1)))
                return "the size of pages is none that exists";
        *ret_code = "unsupported";
        if (encrypted || (flags & META_HAS_CHECKSUMS))
                return "the pages are encrypted or have checksums, which rpm never does";
        if (version < 8 || version > 10)
                return "a version of Berkeley DB's hash that rpm never used";
        size_t there = (b->walk.bytes.n + b->page_size - 1) / b->page_size;
        b->pages = (uint32_t)MIN((uint64_t)last + 1, (uint64_t)there);
        if ((uint64_t)last + 1 > there || b->walk.bytes.n % b->page_size != 0)
                rpmdb_defect(&b->walk, "truncated", "the file ends before the last page that it names",
                             b->walk.bytes.n);
        return NULL;
}

size_t rpmdb_read_bdb(struct str bytes, struct rpmdb_visitor *v)
{
        struct bdb b = { .walk = rpmdb_walk_from(bytes, v), .value = BUF_INIT(RPMDB_HEADER_MAX) };
        const char *code, *why = read_meta(&b, &code);
        if (why) {
                rpmdb_defect(&b.walk, code, why, 0);
                return 0;
        }
        b.used = xcalloc(b.pages, 1);
        for (uint32_t i = 1; i < b.pages; i++) {
                struct page page;
                if (!page_at(&b, i, &page) || (page.type != PAGE_HASH && page.type != PAGE_HASH_UNSORTED))
                        continue;
                if (!read_hash_page(&b, &page, (uint64_t)i * b.page_size))
                        break;
        }
        free(b.used);
        buf_done(&b.value);
        return b.walk.given;
}
