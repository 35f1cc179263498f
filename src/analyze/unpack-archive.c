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

#define BLOCK_BYTES            (64u << 10)
#define LZ4_MAGIC_BYTES        4u
#define AR_HEADER_BYTES        60u
#define SEVEN_ZIP_NEXT_AT      12u /* place and length of its last header, behind the first */
#define SEVEN_ZIP_HEADER_BYTES 32u

/* What samples are traditionally encrypted with, and what people try first. */
static const char *const passphrases[] = { "infected", "virus", "malware", "password" };

#define BEFORE_BYTES 64u /* of the piece before, which libarchive may not have used yet */

/* What libarchive reads from; afterwards `all` is what it left. */
struct source {
        struct pieces all;
        struct str piece; /* given last */
        char before[BEFORE_BYTES];
        size_t n_before;
        uint64_t given;
};

static la_ssize_t on_read(struct archive *a, void *arg, const void **ret)
{
        struct source *s = arg;
        struct str end = str_from(s->piece, s->piece.n - MIN(s->piece.n, (size_t)BEFORE_BYTES));
        char before[BEFORE_BYTES];
        memcpy(before, end.p ? end.p : "", end.n); /* a piece ends with the next pull */
        ssize_t n = pieces_pull(&s->all, ret);
        if (n <= 0)
                return n;
        s->n_before = end.n;
        memcpy(s->before, before, end.n);
        s->piece = str_span(*ret, (size_t)n);
        s->given += s->piece.n;
        return n;
}

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
                if (u->format->run == unpack_zip && archive_entry_filetype(e) == AE_IFDIR && archive_entry_size(e) > 0)
                        unpack_incomplete(u, from, "unsupported", "%s: the directory %.*s has content", u->format->name,
                                          (int)MIN(text.n, (size_t)CONTENT_NAME_MAX), text.p);
                return true;
        }
        if (!member_begin(u, text, archive_entry_size_is_set(e) ? (uint64_t)archive_entry_size(e) : UINT64_MAX,
                          archive_entry_perm(e)))
                return !u->worker->is_over;
        bool wants_more = true, is_said = false;
        for (;;) {
                const void *p = NULL;
                size_t n = 0;
                la_int64_t offset;
                int r = archive_read_data_block(a, &p, &n, &offset);
                if (r == ARCHIVE_EOF)
                        break;
                /* With the last of it: its size or its digest is another. Something may stand behind it. */
                if (r == ARCHIVE_WARN && !is_said) {
                        is_said = true;
                        say_failure(u, from, a);
                }
                if (r == ARCHIVE_WARN && n == 0)
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

static void read_entries(struct unpacking *u, const struct feeder *from, struct archive *a, size_t most)
{
        while (most--) {
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
                archive_read_data_skip(a); /* so that what it has used is known */
        }
}

static void read_source(struct unpacking *u, const struct feeder *from, struct source *s,
                        int (*const *formats)(struct archive *), size_t most)
{
        struct archive *a = archive_new(formats);
        if (a && archive_read_open(a, s, NULL, on_read, NULL) == ARCHIVE_OK)
                read_entries(u, from, a, most);
        else if (a)
                say_failure(u, from, a);
        uint64_t used = a ? (uint64_t)MAX(archive_filter_bytes(a, -1), 0) : 0;
        /* They take so many bytes to see whether another frame, or member, follows. */
        if (used < s->given && u->format->reader == archive_read_support_filter_lz4)
                used -= MIN(used, LZ4_MAGIC_BYTES);
        if (used < s->given && u->format->reader == archive_read_support_format_ar)
                used -= MIN(used, AR_HEADER_BYTES);
        uint64_t left = s->given - MIN(used, s->given);
        size_t of_piece = (size_t)MIN(left, (uint64_t)s->piece.n);
        size_t of_before = (size_t)MIN(left - of_piece, (uint64_t)s->n_before);
        s->all.piece = str_from(str_span(s->before, s->n_before), s->n_before - of_before);
        s->all.next = str_from(s->piece, s->piece.n - of_piece);
        archive_read_free(a);
}

static void read_stream(struct unpacking *u, struct feeder *from, int (*const *formats)(struct archive *))
{
        struct source s = { .all.from = from };
        read_source(u, from, &s, formats, SIZE_MAX);
        unpack_behind(u, pieces_pull, &s.all);
}

static void read_memory(struct unpacking *u, const struct feeder *from, struct str all,
                        int (*const *formats)(struct archive *))
{
        struct archive *a = archive_new(formats);
        if (a && archive_read_open_memory2(a, all.p, all.n, BLOCK_BYTES) == ARCHIVE_OK)
                read_entries(u, from, a, SIZE_MAX);
        else if (a)
                say_failure(u, from, a);
        archive_read_free(a);
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

/* Where its last header ends, as its first says (7zFormat.txt). */
static size_t end_of_7zip(struct str all)
{
        struct cursor c = cursor_from(str_from(all, SEVEN_ZIP_NEXT_AT));
        uint64_t end, next = cursor_le64(&c), bytes = cursor_le64(&c);
        bool is_known = cursor_ok(&c) && !__builtin_add_overflow(next, bytes, &end) &&
                        !__builtin_add_overflow(end, SEVEN_ZIP_HEADER_BYTES, &end);
        return is_known && end < all.n ? (size_t)end : all.n;
}

void unpack_7zip(struct unpacking *u, struct feeder *from)
{
        struct whole w;
        if (whole_gather(u, from, &w)) {
                read_memory(u, from, w.bytes,
                            (int (*const[])(struct archive *)){ archive_read_support_format_7zip, NULL });
                unpack_behind_bytes(u, str_from(w.bytes, end_of_7zip(w.bytes)));
        } else {
                unpack_incomplete(u, from, "too-large", "%s: its table is at its end, and it is larger than %u bytes",
                                  u->format->name, UNPACK_WHOLE_MAX);
        }
        whole_release(u, &w);
}

/* --- zip: what its directory leaves out (APPNOTE 4.3) --- */

#define LOCAL_BYTES     30u
#define DIRECTORY_BYTES 46u
#define END_BYTES       22u
#define LOCATOR_BYTES   20u
#define DESCRIPTOR_MAX  24u /* behind an entry */
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

static int (*const in_order[])(struct archive *) = { archive_read_support_format_zip_streamable, NULL };

static bool is_other_than_record(struct str s)
{
        static const struct str records[] = { STR("PK\1\2"), STR("PK\5\6"), STR("PK\6\6"), STR("PK\6\7") };
        for (size_t i = 0; i < ARRAY_SIZE(records); i++)
                if (str_starts(s, records[i]))
                        return false;
        return s.n >= records[0].n; /* else it cannot be told yet */
}

/*
 * The directory and the records that end it (4.3.12 to 4.3.16), where readers from front to end stop. The comment of
 * the last one is left: it may hold anything.
 */
static void skip_directory(struct unpacking *u, const struct feeder *from, struct pieces *s)
{
        char magic[4], record[DIRECTORY_BYTES];
        while (!is_other_than_record(s->piece) && pieces_take(s, magic, sizeof(magic))) {
                struct cursor c = cursor_from(str_span(record, sizeof(record)));
                uint64_t more = 0;
                bool is_there = true;
                if (memcmp(magic, "PK\1\2", 4) == 0) {
                        is_there = pieces_take(s, record, DIRECTORY_BYTES - sizeof(magic));
                        cursor_skip(&c, 24);
                        more = cursor_le16(&c);
                        more += cursor_le16(&c);
                        more += cursor_le16(&c);
                } else if (memcmp(magic, "PK\6\6", 4) == 0) {
                        is_there = pieces_take(s, record, sizeof(more));
                        more = cursor_le64(&c);
                } else if (memcmp(magic, "PK\6\7", 4) == 0) {
                        more = LOCATOR_BYTES - sizeof(magic);
                } else if (memcmp(magic, "PK\5\6", 4) == 0) {
                        pieces_take(s, NULL, END_BYTES - sizeof(magic));
                        return;
                } else {
                        unpack_incomplete(u, from, "corrupt", "%s: its directory does not end as it should",
                                          u->format->name);
                        return;
                }
                if (!is_there || !pieces_take(s, NULL, (size_t)MIN(more, (uint64_t)SIZE_MAX)))
                        return;
        }
}

/* The entry that bytes begin with, from front to end. Returns what is behind it. */
static struct str read_first(struct unpacking *u, const struct feeder *from, struct str bytes)
{
        struct source s = { .all.piece = bytes };
        read_source(u, from, &s, in_order, 1);
        return s.all.next.n < bytes.n ? s.all.next : str_from(bytes, 4);
}

static void give_between(struct unpacking *u, struct str bytes, uint64_t at)
{
        char name[64];
        for (; bytes.n && !*bytes.p; at++)
                bytes = str_from(bytes, 1);
        snprintf(name, sizeof(name), "between@%llu", (unsigned long long)at);
        if (bytes.n > DESCRIPTOR_MAX)
                member_whole(u, str_of(name), bytes);
}

/*
 * What no reader by the directory sees: entries, and between them anything. What guesses stand in is looked through in
 * any case, so of them only entries.
 */
static void read_unlisted(struct unpacking *u, const struct feeder *from, struct str bytes, uint64_t at)
{
        bool was_silent = u->is_silent;
        u->is_silent = true; /* the end of such an entry need not be there */
        for (size_t i = 0, done = 0; !u->worker->is_over;) {
                ptrdiff_t next = str_find(str_from(bytes, i), STR("PK"));
                size_t record = next < 0 ? bytes.n : i + (size_t)next;
                struct pieces rest = { .piece = str_from(bytes, record) };
                bool is_entry = str_starts(rest.piece, STR("PK\3\4")) && u->format->is_inside(rest.piece);
                if (next >= 0 && !is_entry && !str_starts(rest.piece, STR("PK\1\2"))) {
                        i = record + 2;
                        continue;
                }
                if (!u->is_guess)
                        give_between(u, str_upto(str_from(bytes, done), record - done), at + done);
                if (next < 0)
                        break;
                if (is_entry)
                        rest.piece = read_first(u, from, rest.piece);
                else
                        skip_directory(u, from, &rest);
                i = done = bytes.n - rest.piece.n;
        }
        u->is_silent = was_silent;
}

/*
 * Readers that go from front to end (Java's) find entries that the directory does not name. They stand between those
 * that it does.
 */
static void read_gaps(struct unpacking *u, struct feeder *from, struct str all)
{
        struct range_vec ranges = { 0 };
        uint64_t at = 0;
        bool differs = false, is_listed = list_ranges(all, &ranges, &differs);
        if (differs)
                unpack_incomplete(u, from, "corrupt", "%s: its directory and its entries differ in their methods",
                                  u->format->name);
        if (is_listed)
                for (size_t i = 0; i < ranges.n; i++) {
                        uint64_t end = MIN(ranges.v[i].from, (uint64_t)all.n);
                        if (at < end)
                                read_unlisted(u, from, str_upto(str_from(all, (size_t)at), (size_t)(end - at)), at);
                        at = MAX(at, ranges.v[i].to);
                }
        else /* it is of zip64: some entries are read twice */
                read_unlisted(u, from, all, 0);
        vec_done(&ranges);
}

/* What follows the record that ends the directory, its comment too, which may be anything. */
static void read_tail(struct unpacking *u, struct feeder *from, struct str all)
{
        size_t end = find_end(all), at = end < all.n ? end + END_BYTES : all.n;
        unpack_behind_bytes(u, str_from(all, at));
        if (u->is_guess)
                read_unlisted(u, from, str_from(all, at), at);
}

/* All of it is there: by its directory, then what that leaves out. */
static void read_zip(struct unpacking *u, struct feeder *from, struct str all)
{
        size_t before = u->n_members;
        read_memory(u, from, all, (int (*const[])(struct archive *)){ archive_read_support_format_zip_seekable, NULL });
        if (u->n_members == before) { /* none that fits: it is cut off, or counts from another place */
                read_unlisted(u, from, all, 0);
        } else {
                read_gaps(u, from, all);
                read_tail(u, from, all);
        }
}

void unpack_zip(struct unpacking *u, struct feeder *from)
{
        struct whole w;
        u->used = UINT64_MAX;
        if (whole_gather(u, from, &w)) {
                read_zip(u, from, w.bytes);
        } else {
                struct source s = { .all = { .piece = w.bytes, .from = from } };
                read_source(u, from, &s, in_order, SIZE_MAX);
                u->used = s.given - s.all.piece.n - s.all.next.n;
                skip_directory(u, from, &s.all);
                unpack_behind(u, pieces_pull, &s.all);
                /* Where a guess gives up, hits are followed again, but for those of its beginning. */
                if (u->is_guess && s.given <= w.bytes.n)
                        read_unlisted(u, from, s.all.piece.n ? s.all.piece : s.all.next, 0);
        }
        whole_release(u, &w);
}
