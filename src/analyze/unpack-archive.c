/*
 * Unpacking through libarchive: the long tail of formats. Its filters are off (compressed archives are unpacked a layer
 * at a time, so that each depth is counted), and so is everything that would run a program. See unpack-private.h.
 *
 * Zip is read by its central directory where the file is small enough to be seen whole, else from front to end.
 */
#include "analyze/unpack-private.h"

#include "base/cursor.h"
#include "base/vec.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

#define BLOCK_BYTES (64u << 10)

/* What samples are traditionally encrypted with, and what people try first. */
static const char *const passphrases[] = { "infected", "virus", "malware", "password" };

static la_ssize_t on_read(struct archive *a, void *from, const void **ret) { return feeder_pull(from, ret); }

static struct archive *archive_new(int (*const *formats)(struct archive *))
{
        struct archive *a = archive_read_new();
        for (size_t i = 0; a && formats[i]; i++)
                formats[i](a);
        for (size_t i = 0; a && i < ARRAY_SIZE(passphrases); i++)
                archive_read_add_passphrase(a, passphrases[i]);
        return a;
}

static bool is_about_secrets(struct archive *a)
{
        const char *words = archive_error_string(a);
        return words && (strstr(words, "assphrase") || strstr(words, "ncrypt"));
}

static void say_failure(struct unpacking *u, const struct feeder *from, struct archive *a)
{
        const char *words = archive_error_string(a);
        bool is_unsupported = words && (strstr(words, "nsupported") || strstr(words, "not supported"));
        unpack_incomplete(u, from,
                          is_about_secrets(a) ? "encrypted"
                          : is_unsupported    ? "unsupported"
                                              : "corrupt",
                          "%s: %s", u->format->name, words ? words : "it cannot be read");
}

/* The content of one entry. False where the archive cannot be read on. */
static bool read_entry(struct unpacking *u, const struct feeder *from, struct archive *a, struct archive_entry *e)
{
        const char *name = archive_entry_pathname(e);
        struct str text = name ? str_of(name) : STR("?");
        if (archive_entry_filetype(e) != AE_IFREG && archive_entry_filetype(e) != 0) {
                /* Java finds the class a/B.class under the name "a/B.class/", too; libarchive gives no content of it.
                 */
                if (archive_entry_filetype(e) == AE_IFDIR && archive_entry_size(e) > 0)
                        unpack_incomplete(u, from, "unsupported", "%s: the directory %.*s has content", u->format->name,
                                          (int)MIN(text.n, (size_t)CONTENT_NAME_MAX), text.p);
                return true;
        }
        if (!member_begin(u, text, archive_entry_size_is_set(e) ? (uint64_t)archive_entry_size(e) : UINT64_MAX,
                          archive_entry_perm(e)))
                return !u->worker->is_over;
        bool wants_more = true;
        for (;;) {
                const void *p;
                size_t n;
                la_int64_t offset;
                int r = archive_read_data_block(a, &p, &n, &offset);
                if (r == ARCHIVE_EOF)
                        break;
                if (r < ARCHIVE_WARN) {
                        member_end(u, false);
                        say_failure(u, from, a);
                        return r != ARCHIVE_FATAL;
                }
                wants_more = member_add(u, str_span(p, n));
                if (!wants_more)
                        break;
        }
        member_end(u, wants_more);
        return wants_more;
}

static void read_entries(struct unpacking *u, const struct feeder *from, struct archive *a)
{
        for (;;) {
                struct archive_entry *e;
                int r = archive_read_next_header(a, &e);
                if (r == ARCHIVE_EOF)
                        return;
                if (r < ARCHIVE_WARN) {
                        say_failure(u, from, a);
                        if (r == ARCHIVE_FATAL)
                                return;
                        continue;
                }
                if (!read_entry(u, from, a, e))
                        return;
        }
}

static void read_stream(struct unpacking *u, struct feeder *from, int (*const *formats)(struct archive *))
{
        struct archive *a = archive_new(formats);
        if (a && archive_read_open(a, from, NULL, on_read, NULL) == ARCHIVE_OK)
                read_entries(u, from, a);
        else if (a)
                say_failure(u, from, a);
        archive_read_free(a);
}

static void read_memory(struct unpacking *u, const struct feeder *from, struct str all,
                        int (*const *formats)(struct archive *))
{
        struct archive *a = archive_new(formats);
        if (a && archive_read_open_memory2(a, all.p, all.n, BLOCK_BYTES) == ARCHIVE_OK)
                read_entries(u, from, a);
        else if (a)
                say_failure(u, from, a);
        archive_read_free(a);
}

/* For what need not be all there. */
static void read_silently(struct unpacking *u, const struct feeder *from, struct str all,
                          int (*const *formats)(struct archive *))
{
        bool was_silent = u->is_silent;
        u->is_silent = true;
        read_memory(u, from, all, formats);
        u->is_silent = was_silent;
}

void unpack_archive(struct unpacking *u, struct feeder *from)
{
        read_stream(u, from, (int (*const[])(struct archive *)){ u->format->reader, NULL });
}

/* A compressed file that only libarchive reads: one member. */
void unpack_filtered(struct unpacking *u, struct feeder *from)
{
        read_stream(u, from,
                    (int (*const[])(struct archive *)){ u->format->reader, archive_read_support_format_raw, NULL });
}

void unpack_7zip(struct unpacking *u, struct feeder *from)
{
        struct whole w;
        if (whole_gather(u, from, &w))
                read_memory(u, from, w.bytes,
                            (int (*const[])(struct archive *)){ archive_read_support_format_7zip, NULL });
        else
                unpack_incomplete(u, from, "too-large", "%s: its table is at its end, and it is larger than %u bytes",
                                  u->format->name, UNPACK_WHOLE_MAX);
        whole_release(u, &w);
}

/* The beginning that was gathered, then the rest. */
struct replay {
        struct str beginning;
        struct feeder *from;
};

static la_ssize_t on_replay(struct archive *a, void *arg, const void **ret)
{
        struct replay *r = arg;
        struct str beginning = r->beginning;
        if (!beginning.n)
                return feeder_pull(r->from, ret);
        r->beginning = STR_NONE;
        *ret = beginning.p;
        return (la_ssize_t)beginning.n;
}

/* --- zip: what its directory leaves out (APPNOTE 4.3) --- */

#define LOCAL_BYTES     30u
#define DIRECTORY_BYTES 46u
#define END_BYTES       22u
#define END_SEARCH      (65535u + END_BYTES)
#define RANGES_MAX      200000u

struct range {
        uint64_t from, to;
};
VEC_TYPE(range_vec, struct range);

static int by_from(const void *a, const void *b)
{
        const struct range *x = a, *y = b;
        return x->from < y->from ? -1 : x->from > y->from;
}

/* Where the end record stands, which names the directory; SIZE_MAX if there is none. */
static size_t find_end(struct str all)
{
        size_t low = all.n > END_SEARCH ? all.n - END_SEARCH : 0;
        for (size_t at = all.n >= END_BYTES ? all.n - END_BYTES + 1 : 0; at-- > low;)
                if (memcmp(all.p + at, "PK\5\6", 4) == 0)
                        return at;
        return SIZE_MAX;
}

/*
 * The bytes that the directory's entries take, and its own. False where it is of a kind that is not understood here.
 * ret_differs: it names another method than an entry does itself, so that readers see different content.
 */
static bool list_ranges(struct str all, struct range_vec *ret, bool *ret_differs)
{
        size_t end = find_end(all);
        if (end == SIZE_MAX)
                return false;
        struct cursor c = cursor_from(str_from(all, end + 12));
        uint64_t size = cursor_le32(&c), offset = cursor_le32(&c);
        if (!cursor_ok(&c) || size > end || size == UINT32_MAX || offset == UINT32_MAX || offset > end - size)
                return false;
        uint64_t shift = end - size - offset; /* bytes before the archive that its offsets do not count */
        *vec_push(ret) = (struct range){ end - size, all.n };
        for (size_t at = end - (size_t)size; at + DIRECTORY_BYTES <= end && ret->n < RANGES_MAX;) {
                struct cursor d = cursor_from(str_from(all, at));
                uint32_t magic = cursor_le32(&d);
                cursor_skip(&d, 6);
                uint16_t method = cursor_le16(&d);
                cursor_skip(&d, 8);
                uint64_t stored = cursor_le32(&d);
                cursor_skip(&d, 4);
                size_t name = cursor_le16(&d), extra = cursor_le16(&d), comment = cursor_le16(&d);
                cursor_skip(&d, 8);
                uint64_t local = cursor_le32(&d) + shift;
                if (magic != 0x02014b50 || local >= all.n)
                        return false;
                struct cursor l = cursor_from(str_from(all, (size_t)local));
                cursor_skip(&l, 8);
                *ret_differs |= cursor_le16(&l) != method && cursor_ok(&l);
                cursor_skip(&l, 16);
                uint64_t before = LOCAL_BYTES + (uint64_t)cursor_le16(&l);
                before += cursor_le16(&l);
                if (!cursor_ok(&l) || stored == UINT32_MAX)
                        return false;
                *vec_push(ret) = (struct range){ local, local + before + stored };
                at += DIRECTORY_BYTES + name + extra + comment;
        }
        qsort(ret->v, ret->n, sizeof(*ret->v), by_from);
        return true;
}

/*
 * Readers that go from front to end (Java's) find entries that the directory does not name. They are looked for between
 * those that it does, and nowhere else, so that nothing is read twice.
 */
static void read_gaps(struct unpacking *u, const struct feeder *from, struct str all,
                      int (*const *formats)(struct archive *))
{
        struct range_vec ranges = { 0 };
        uint64_t at = 0;
        bool differs = false, is_listed = list_ranges(all, &ranges, &differs);
        if (differs)
                unpack_incomplete(u, from, "corrupt", "%s: its directory and its entries differ in their methods",
                                  u->format->name);
        if (is_listed)
                for (size_t i = 0; i < ranges.n && !u->worker->is_over; i++) {
                        uint64_t end = MIN(ranges.v[i].from, (uint64_t)all.n);
                        struct str gap = at < end ? str_upto(str_from(all, (size_t)at), (size_t)(end - at)) : STR_NONE;
                        ptrdiff_t header = str_find(gap, STR("PK\x03\x04"));
                        if (header >= 0) /* the end of such an entry need not be there */
                                read_silently(u, from, str_from(gap, (size_t)header), formats);
                        at = MAX(at, ranges.v[i].to);
                }
        vec_done(&ranges);
}

void unpack_zip(struct unpacking *u, struct feeder *from)
{
        int (*const by_directory[])(struct archive *) = { archive_read_support_format_zip_seekable, NULL };
        int (*const in_order[])(struct archive *) = { archive_read_support_format_zip_streamable, NULL };
        struct whole w;
        if (whole_gather(u, from, &w)) {
                size_t before = u->n_members;
                read_memory(u, from, w.bytes, by_directory);
                if (u->n_members == before) /* none that fits: it is cut off, or counts from another place */
                        read_silently(u, from, w.bytes, in_order);
                else
                        read_gaps(u, from, w.bytes, in_order);
        } else {
                struct replay r = { w.bytes, from };
                struct archive *a = archive_new(in_order);
                if (a && archive_read_open(a, &r, NULL, on_replay, NULL) == ARCHIVE_OK)
                        read_entries(u, from, a);
                else if (a)
                        say_failure(u, from, a);
                archive_read_free(a);
        }
        whole_release(u, &w);
}
