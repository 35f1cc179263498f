/* The pump: content, ends and errors come in order; a tar is walked through it; stopping early; in the sandbox. */
#include "base/buf.h"
#include "proc/worker.h"
#include "read/pump.h"
#include "read/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HAS_SANITIZER
#endif

#define FILES 3000

static ssize_t collect(struct archive *a, void *arg, const void *p, size_t n)
{
        buf_add(arg, p, n);
        return (ssize_t)n;
}

static size_t size_of(unsigned i) { return i % 17 * 200 + (i % 500 == 0) * 700000; }

/* A tar.gz of FILES files with content that its place tells. */
static struct buf make_archive(void)
{
        struct buf b = BUF_INIT(64u << 20);
        struct archive *a = archive_write_new();
        char *content = malloc(1u << 20);
        archive_write_set_format_ustar(a);
        assert_int_equal(archive_write_add_filter_gzip(a), ARCHIVE_OK);
        assert_int_equal(archive_write_open(a, &b, NULL, collect, NULL), ARCHIVE_OK);
        for (unsigned i = 0; i < FILES; i++) {
                struct archive_entry *e = archive_entry_new();
                char name[32];
                snprintf(name, sizeof(name), "dir/%u", i);
                memset(content, (int)i, size_of(i));
                archive_entry_set_pathname(e, name);
                archive_entry_set_filetype(e, 0100000);
                archive_entry_set_size(e, (int64_t)size_of(i));
                assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
                archive_write_data(a, content, size_of(i));
                archive_entry_free(e);
        }
        assert_int_equal(archive_write_close(a), ARCHIVE_OK);
        archive_write_free(a);
        free(content);
        return b;
}

static struct stream *open_bytes(struct str bytes)
{
        struct stream_source from = { .fd = -1, .size = bytes.n, .ahead = bytes };
        return stream_new(&from);
}

/* Walks the archive; the number of files that are as they should be, or < 0. */
static int walk(struct pump *p)
{
        _cleanup_(tar_freep) struct tar *t = tar_new_pieces(pump_pull, p);
        struct tar_entry e;
        int n = 0, r;
        while ((r = tar_next(t, &e)) == TAR_ENTRY) {
                char name[32];
                const void *content;
                ssize_t size, sum = 0;
                snprintf(name, sizeof(name), "dir/%d", n);
                if (!str_is(e.name, name) || e.size != size_of((unsigned)n))
                        return -EILSEQ;
                for (; (size = tar_peek(t, &content)) > 0; sum += size)
                        if (*(const uint8_t *)content != (uint8_t)n ||
                            memcmp(content, (const char *)content + 1, (size_t)size - 1) != 0)
                                return -EILSEQ;
                if ((uint64_t)sum != e.size)
                        return -EILSEQ;
                n++;
        }
        return r < 0 ? r : r == TAR_END ? n : -EBADMSG;
}

static void test_walk(void **state)
{
        _cleanup_(buf_done) struct buf b = make_archive();
        _cleanup_(stream_freep) struct stream *s = open_bytes(buf_str(&b));
        _cleanup_(pump_stopp) struct pump *p = pump_start(s);
        assert_int_equal(walk(p), FILES);
        const void *piece;
        while (pump_pull(p, &piece) > 0)
                ;
        assert_int_equal(pump_pull(p, &piece), 0);
        assert_int_equal(pump_error(p, NULL), 0);
        assert_int_equal(stream_stored_bytes(s), b.n);
}

static void test_error_in_order(void **state)
{
        _cleanup_(buf_done) struct buf b = make_archive(), good = BUF_INIT(64u << 20), got = BUF_INIT(64u << 20);
        for (int cut = 0; cut < 2; cut++) {
                _cleanup_(stream_freep) struct stream *s = open_bytes(str_upto(buf_str(&b), cut ? b.n * 2 / 3 : b.n));
                _cleanup_(pump_stopp) struct pump *p = pump_start(s);
                struct buf *to = cut ? &got : &good;
                struct error err = ERROR_NONE;
                const void *piece;
                ssize_t r;
                while ((r = pump_pull(p, &piece)) > 0)
                        buf_add(to, piece, (size_t)r);
                assert_int_equal(r, cut ? -EBADMSG : 0);
                assert_int_equal(pump_pull(p, &piece), r);
                assert_int_equal(pump_error(p, &err), r);
                assert_int_equal(err.text[0] != 0, cut);
        }
        assert_true(got.n > good.n / 3 && got.n < good.n);
        assert_true(str_starts(buf_str(&good), buf_str(&got)));
}

static void test_stopped_early(void **state)
{
        _cleanup_(buf_done) struct buf b = make_archive();
        for (int pulls = 0; pulls < 20; pulls++) {
                _cleanup_(stream_freep) struct stream *s = open_bytes(buf_str(&b));
                _cleanup_(pump_stopp) struct pump *p = pump_start(s);
                const void *piece;
                for (int i = 0; i < pulls; i++)
                        (void)pump_pull(p, &piece);
        }
}

/* What a pump gives, another stream can take: here the stored bytes are read by one thread and inflated by a second. */
static void test_two_pumps(void **state)
{
        _cleanup_(buf_done) struct buf b = make_archive();
        struct stream_source outer = { .fd = -1, .size = b.n, .ahead = buf_str(&b), .is_raw = true };
        _cleanup_(stream_freep) struct stream *stored = stream_new(&outer);
        _cleanup_(pump_stopp) struct pump *first = pump_start(stored);
        struct stream_source inner = { .fd = -1, .size = UINT64_MAX, .pull = pump_pull, .pull_arg = first };
        _cleanup_(stream_freep) struct stream *inflated = stream_new(&inner);
        _cleanup_(pump_stopp) struct pump *second = pump_start(inflated);
        assert_int_equal(walk(second), FILES);
}

static int walk_in_sandbox(struct str bytes)
{
        char missing[64];
        struct error err = ERROR_NONE;
        _cleanup_(closep) int fd = memfd_create("archive", MFD_CLOEXEC);
        if (fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n)
                return 2;
        if (sandbox_enter(256u << 20, missing, &err) < 0)
                return 3;
        struct stream_source from = { .fd = fd, .is_seekable = true, .size = bytes.n };
        _cleanup_(stream_freep) struct stream *s = stream_new(&from);
        _cleanup_(pump_stopp) struct pump *p = pump_start(s);
        return walk(p) == FILES ? 0 : 4;
}

static void test_in_sandbox(void **state)
{
#ifdef HAS_SANITIZER
        skip(); /* AddressSanitizer needs more memory and calls than the sandbox gives */
#endif
        _cleanup_(buf_done) struct buf b = make_archive();
        int status = -1;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(walk_in_sandbox(buf_str(&b)));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_walk),          cmocka_unit_test(test_error_in_order),
                cmocka_unit_test(test_stopped_early), cmocka_unit_test(test_two_pumps),
                cmocka_unit_test(test_in_sandbox),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
