/*
 * Streams against libarchive's encoders (zlib, libzstd, liblzma, libbz2): whole, in several members, cut at every byte,
 * with every bit flipped, with padding and with garbage behind.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "read/stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static const enum compression kinds[] = { COMPRESSION_GZIP, COMPRESSION_ZSTD, COMPRESSION_XZ, COMPRESSION_BZIP2 };

static struct buf new_buf(void) { return BUF_INIT(64u << 20); }

static ssize_t collect(struct archive *a, void *arg, const void *p, size_t n)
{
        buf_add(arg, p, n);
        return (ssize_t)n;
}

/* One member. */
static struct buf compress(enum compression kind, struct str content)
{
        struct buf out = new_buf();
        struct archive *a = archive_write_new();
        struct archive_entry *e = archive_entry_new();
        archive_write_set_format_raw(a);
        assert_int_equal(archive_write_add_filter_by_name(a, compression_name(kind)), ARCHIVE_OK);
        if (kind == COMPRESSION_XZ) /* a small dictionary: it is allocated for each member */
                assert_int_equal(archive_write_set_filter_option(a, "xz", "compression-level", "0"), ARCHIVE_OK);
        archive_write_set_bytes_in_last_block(a, 1);
        assert_int_equal(archive_write_open(a, &out, NULL, collect, NULL), ARCHIVE_OK);
        archive_entry_set_filetype(e, 0100000);
        archive_entry_set_pathname(e, "x");
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, content.p, content.n), (int)content.n);
        assert_int_equal(archive_write_close(a), ARCHIVE_OK);
        archive_entry_free(e);
        archive_write_free(a);
        return out;
}

/* Text that compresses, with some noise in it. */
static struct buf sample(size_t n, unsigned seed)
{
        struct buf b = new_buf();
        for (unsigned i = seed; b.n < n; i = i * 1103515245 + 12345)
                if (i >> 28 == 0)
                        buf_printf(&b, "%08x", i);
                else
                        buf_printf(&b, "line %u of the sample\n", i >> 24);
        b.n = n;
        return b;
}

struct outcome {
        struct buf content, stored;
        int r;
        struct error err;
        enum compression compression;
};

static void outcome_done(struct outcome *o)
{
        buf_done(&o->content);
        buf_done(&o->stored);
}

static void on_stored(void *arg, const void *p, size_t n) { buf_add(arg, p, n); }

static struct outcome drink(struct stream_source *from, size_t step)
{
        struct outcome o = { .content = new_buf(), .stored = new_buf() };
        from->on_stored = on_stored;
        from->arg = &o.stored;
        _cleanup_(stream_freep) struct stream *s = stream_new(from);
        uint8_t *p = malloc(step);
        for (;;) {
                ssize_t r = stream_read(s, p, step, &o.err);
                o.r = (int)r;
                if (r <= 0)
                        break;
                buf_add(&o.content, p, (size_t)r);
        }
        assert_int_equal(stream_read(s, p, step, NULL), o.r); /* the end and errors are final */
        o.compression = stream_compression(s);
        assert_int_equal(stream_stored_bytes(s), o.stored.n);
        free(p);
        return o;
}

struct pieces {
        struct str rest;
        size_t size;
};

static ssize_t next_piece(void *arg, const void **ret_p)
{
        struct pieces *p = arg;
        size_t n = MIN(p->rest.n, p->size);
        *ret_p = p->rest.p;
        p->rest = str_from(p->rest, n);
        return (ssize_t)n;
}

static struct outcome drink_bytes(struct str stored, size_t piece, size_t step)
{
        struct pieces p = { stored, piece };
        struct stream_source from = { .fd = -1, .size = UINT64_MAX, .pull = next_piece, .pull_arg = &p };
        return drink(&from, step);
}

static void check(struct str stored, struct str content, int r)
{
        static const size_t sizes[][2] = { { 1u << 20, 1u << 20 }, { 1, 4096 }, { 7, 1000 }, { 100000, 1 } };
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                if (sizes[i][1] == 1 && content.n > 10000)
                        continue;
                _cleanup_(outcome_done) struct outcome o = drink_bytes(stored, sizes[i][0], sizes[i][1]);
                assert_int_equal(o.r, r);
                assert_true(str_eq(buf_str(&o.content), content));
                assert_true(str_eq(buf_str(&o.stored), stored));
        }
}

static void test_one_member(void **state)
{
        static const size_t sizes[] = { 0, 1, 100, 65536, 1000003 };
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
                for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                        _cleanup_(buf_done) struct buf content = sample(sizes[i], 1);
                        _cleanup_(buf_done) struct buf stored = compress(kinds[k], buf_str(&content));
                        check(buf_str(&stored), buf_str(&content), 0);
                        assert_int_equal(compression_sniff(buf_str(&stored)), kinds[k]);
                }
}

static void test_plain(void **state)
{
        _cleanup_(buf_done) struct buf content = sample(300001, 3);
        check(buf_str(&content), buf_str(&content), 0);
        check(STR_NONE, STR_NONE, 0);
        check(STR("\x1f\x8b"), STR("\x1f\x8b"), 0);
        check(STR("BZh9 is a name"), STR("BZh9 is a name"), 0);
}

static void test_many_members(void **state)
{
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
                _cleanup_(buf_done) struct buf content = new_buf(), stored = new_buf();
                for (unsigned i = 0; i < 60; i++) {
                        _cleanup_(buf_done) struct buf c = sample(i % 7 * 50, i);
                        _cleanup_(buf_done) struct buf s = compress(kinds[k], buf_str(&c));
                        buf_add_str(&content, buf_str(&c));
                        buf_add_str(&stored, buf_str(&s));
                }
                check(buf_str(&stored), buf_str(&content), 0);
        }
}

static void test_padding_and_garbage(void **state)
{
        static const char zeros[100000];
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
                _cleanup_(buf_done) struct buf content = sample(5000, 9);
                _cleanup_(buf_done) struct buf member = compress(kinds[k], buf_str(&content));
                _cleanup_(buf_done) struct buf stored = new_buf();
                buf_add_str(&stored, buf_str(&member));
                buf_add(&stored, zeros, sizeof(zeros));
                check(buf_str(&stored), buf_str(&content), 0);

                /* After zeros only xz allows another stream. */
                size_t before = stored.n;
                buf_add_str(&stored, buf_str(&member));
                if (kinds[k] == COMPRESSION_XZ) {
                        _cleanup_(buf_done) struct buf twice = sample(5000, 9);
                        buf_add_str(&twice, buf_str(&content));
                        check(buf_str(&stored), buf_str(&twice), 0);
                } else {
                        check(buf_str(&stored), buf_str(&content), -EBADMSG);
                }

                stored.n = before;
                buf_puts(&stored, "x");
                check(buf_str(&stored), buf_str(&content), -EBADMSG);
                stored.n = member.n;
                buf_puts(&stored, "garbage");
                _cleanup_(outcome_done) struct outcome o = drink_bytes(buf_str(&stored), 1000, 1000);
                assert_int_equal(o.r, -EBADMSG);
                assert_non_null(strstr(o.err.text, "trailing garbage"));
                assert_int_equal(o.stored.n, stored.n);
                check(buf_str(&stored), buf_str(&content), -EBADMSG);
        }
}

/* Who is not shown what is stored can ask for what is behind the last member, whatever the pieces; or read one alone.
 */
static void test_rest(void **state)
{
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
                for (size_t size = 1; size < 200000; size = size * 7 + 3) {
                        _cleanup_(buf_done) struct buf content = sample(5000, 9), behind = sample(90000, 3);
                        _cleanup_(buf_done) struct buf stored = compress(kinds[k], buf_str(&content));
                        _cleanup_(buf_done) struct buf seen = new_buf();
                        buf_add_str(&stored, buf_str(&behind));
                        for (int is_one = 0; is_one < 2; is_one++) {
                                struct pieces pieces = { buf_str(&stored), size };
                                struct stream_source from = { .fd = -1, .is_one_member = is_one, .size = UINT64_MAX };
                                char got[5001];
                                const void *p;
                                ssize_t n;
                                from.pull = next_piece;
                                from.pull_arg = &pieces;
                                _cleanup_(stream_freep) struct stream *s = stream_new(&from);
                                assert_int_equal(stream_read(s, got, sizeof(got), NULL), 5000);
                                assert_int_equal(stream_read(s, got, sizeof(got), NULL), is_one ? 0 : -EBADMSG);
                                assert_true(stream_is_whole(s) == !is_one);
                                buf_clear(&seen);
                                while ((n = stream_rest(s, &p)) > 0)
                                        buf_add(&seen, p, (size_t)n);
                                assert_true(str_eq(buf_str(&seen), buf_str(&behind)));
                        }
                }
}

/* Every prefix is truncated: never the whole content with a good end, and never other content. */
static void test_truncated(void **state)
{
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
                _cleanup_(buf_done) struct buf content = sample(3000, 5);
                _cleanup_(buf_done) struct buf stored = compress(kinds[k], buf_str(&content));
                for (size_t n = 10; n < stored.n; n++) {
                        _cleanup_(outcome_done) struct outcome o = drink_bytes(str_upto(buf_str(&stored), n), 64, 512);
                        assert_int_equal(o.r, -EBADMSG);
                        assert_true(str_starts(buf_str(&content), buf_str(&o.content)));
                        assert_int_equal(o.stored.n, n);
                }
        }
}

/* A flipped bit is found, or changes nothing that matters (time, name, operating system of the gzip header). */
static void test_bit_flips(void **state)
{
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
                _cleanup_(buf_done) struct buf content = sample(600, 5);
                _cleanup_(buf_done) struct buf stored = compress(kinds[k], buf_str(&content));
                bool has_checksum = true;
                if (kinds[k] == COMPRESSION_ZSTD)
                        has_checksum = stored.p[4] & 4;
                for (size_t bit = 0; bit < stored.n * 8; bit++) {
                        stored.p[bit / 8] ^= (char)(1 << bit % 8);
                        _cleanup_(outcome_done) struct outcome o = drink_bytes(buf_str(&stored), 64, 512);
                        if (o.r == 0 && o.compression == kinds[k] && has_checksum)
                                assert_true(str_eq(buf_str(&o.content), buf_str(&content)) || o.content.n == 0);
                        assert_int_equal(o.stored.n, stored.n);
                        stored.p[bit / 8] ^= (char)(1 << bit % 8);
                }
        }
}

static void test_gzip_header_fields(void **state)
{
        _cleanup_(buf_done) struct buf content = sample(5000, 2);
        _cleanup_(buf_done) struct buf plain = compress(COMPRESSION_GZIP, buf_str(&content));
        struct str deflate = str_from(buf_str(&plain), 10);
        _cleanup_(buf_done) struct buf name = new_buf();
        while (name.n < 100000)
                buf_puts(&name, "long name ");
        _cleanup_(buf_done) struct buf b = new_buf();
        buf_add(&b, "\x1f\x8b\x08\x1c\0\0\0\0\0\3", 10); /* extra, name and comment */
        buf_add(&b, "\5\0extra", 7);
        buf_add_str(&b, buf_str(&name));
        buf_add(&b, "\0comment\0", 9);
        size_t header = b.n;
        buf_add_str(&b, deflate);
        check(buf_str(&b), buf_str(&content), 0);
        assert_true(header > 100000);

        /* An empty extra field, and a header checksum that is right, then wrong. */
        static const uint8_t with_crc[] = { 0x1f, 0x8b, 8, 6, 0, 0, 0, 0, 0, 3, 0, 0 };
        uint32_t crc = ~0u;
        for (size_t i = 0; i < sizeof(with_crc); i++) {
                crc ^= with_crc[i];
                for (int bit = 0; bit < 8; bit++)
                        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
        crc = ~crc;
        buf_clear(&b);
        buf_add(&b, with_crc, sizeof(with_crc));
        buf_u8(&b, (uint8_t)crc);
        buf_u8(&b, (uint8_t)(crc >> 8));
        buf_add_str(&b, deflate);
        check(buf_str(&b), buf_str(&content), 0);
        b.p[sizeof(with_crc)] ^= 1;
        check(buf_str(&b), STR_NONE, -EBADMSG);

        buf_clear(&b);
        buf_add(&b, "\x1f\x8b\x08\x20\0\0\0\0\0\3", 10); /* a reserved flag */
        buf_add_str(&b, deflate);
        check(buf_str(&b), STR_NONE, -EBADMSG);
}

static void test_gzip_trailer(void **state)
{
        _cleanup_(buf_done) struct buf content = sample(5000, 2);
        _cleanup_(buf_done) struct buf b = compress(COMPRESSION_GZIP, buf_str(&content));
        for (size_t i = 1; i <= 8; i++) {
                b.p[b.n - i] ^= 0x10;
                _cleanup_(outcome_done) struct outcome o = drink_bytes(buf_str(&b), 100, 100);
                assert_int_equal(o.r, -EBADMSG);
                assert_true(str_eq(buf_str(&o.content), buf_str(&content)));
                b.p[b.n - i] ^= 0x10;
        }
}

static void test_zstd_skippable(void **state)
{
        _cleanup_(buf_done) struct buf content = sample(5000, 2);
        _cleanup_(buf_done) struct buf frame = compress(COMPRESSION_ZSTD, buf_str(&content));
        _cleanup_(buf_done) struct buf b = new_buf();
        for (int i = 0; i < 3; i++)
                buf_add(&b, "\x5e\x2a\x4d\x18\x05\0\0\0hello", 13);
        buf_add_str(&b, buf_str(&frame));
        buf_add(&b, "\x50\x2a\x4d\x18\x00\0\0\0", 8);
        check(buf_str(&b), buf_str(&content), 0);
        buf_add(&b, "\x50\x2a\x4d\x18\xff\xff\xff\xff only these", 19);
        check(buf_str(&b), buf_str(&content), -EBADMSG);
}

static void test_zstd_window(void **state)
{
        /* A frame header with a window of 2^28 bytes, then an empty raw last block. */
        check(STR("\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00"), STR_NONE, -EBADMSG);
        check(STR("\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00"), STR_NONE, 0);
}

static int memory_file(struct str bytes)
{
        int fd = memfd_create("test", MFD_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes.p, bytes.n), (ssize_t)bytes.n);
        return fd;
}

static void test_descriptor(void **state)
{
        _cleanup_(buf_done) struct buf content = sample(700000, 2);
        _cleanup_(buf_done) struct buf stored = compress(COMPRESSION_GZIP, buf_str(&content)), file = new_buf();
        buf_puts(&file, "before");
        buf_add_str(&file, buf_str(&stored));
        buf_puts(&file, "after");
        _cleanup_(closep) int fd = memory_file(buf_str(&file));

        struct stream_source from = { .fd = fd, .is_seekable = true, .offset = 6, .size = stored.n };
        _cleanup_(outcome_done) struct outcome o = drink(&from, 4096);
        assert_int_equal(o.r, 0);
        assert_true(str_eq(buf_str(&o.content), buf_str(&content)));
        assert_true(str_eq(buf_str(&o.stored), buf_str(&stored)));

        /* The first bytes were taken off before; then from the position, to the end of the file. */
        from.ahead = str_upto(buf_str(&stored), 10);
        _cleanup_(outcome_done) struct outcome ahead = drink(&from, 4096);
        assert_int_equal(ahead.r, 0);
        assert_true(str_eq(buf_str(&ahead.stored), buf_str(&stored)));
        assert_int_equal(lseek(fd, 16, SEEK_SET), 16);
        struct stream_source position = { .fd = fd, .size = UINT64_MAX, .ahead = str_upto(buf_str(&stored), 10) };
        _cleanup_(outcome_done) struct outcome garbage = drink(&position, 4096);
        assert_int_equal(garbage.r, -EBADMSG);
        assert_true(str_eq(buf_str(&garbage.content), buf_str(&content)));
        assert_int_equal(garbage.stored.n, stored.n + 5);

        /* Fewer bytes than promised. */
        struct stream_source plain = { .fd = fd, .is_seekable = true, .size = file.n + 1 };
        _cleanup_(outcome_done) struct outcome cut = drink(&plain, 4096);
        assert_int_equal(cut.r, -EBADMSG);
        assert_true(str_eq(buf_str(&cut.content), buf_str(&file)));

        /* As it is stored. */
        struct stream_source raw = { .fd = fd, .is_seekable = true, .is_raw = true, .offset = 6, .size = stored.n };
        _cleanup_(outcome_done) struct outcome same = drink(&raw, 4096);
        assert_int_equal(same.r, 0);
        assert_int_equal(same.compression, COMPRESSION_NONE);
        assert_true(str_eq(buf_str(&same.content), buf_str(&stored)));

        struct stream_source closed = { .fd = -1, .size = UINT64_MAX };
        _cleanup_(outcome_done) struct outcome bad = drink(&closed, 4096);
        assert_int_equal(bad.r, -EBADF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_member),   cmocka_unit_test(test_plain),
                cmocka_unit_test(test_many_members), cmocka_unit_test(test_padding_and_garbage),
                cmocka_unit_test(test_rest),         cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_bit_flips),    cmocka_unit_test(test_gzip_header_fields),
                cmocka_unit_test(test_gzip_trailer), cmocka_unit_test(test_zstd_skippable),
                cmocka_unit_test(test_zstd_window),  cmocka_unit_test(test_descriptor),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
