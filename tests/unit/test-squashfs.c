/* squashfs: what mksquashfs wrote comes back, with every codec; damage is told and does no harm. */
#include "read/squashfs.h"

#include "base/fs.h"
#include "base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#define BIG_BYTES  300000u
#define HOLE_BYTES 1000000u

static char directory[256];

static char *path_of(const char *name)
{
        static char path[512];
        snprintf(path, sizeof(path), "%s/%s", directory, name);
        return path;
}

static int run(const char *command)
{
        char line[1024];
        snprintf(line, sizeof(line), "cd '%s' && %s", directory, command);
        return system(line);
}

static void write_file(const char *name, const void *p, size_t n)
{
        FILE *f = fopen(path_of(name), "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(p, 1, n, f), n);
        fclose(f);
}

/* Hardly compressible, always the same. */
static uint8_t *big_content(void)
{
        uint8_t *p = xmalloc(BIG_BYTES);
        uint32_t x = 1;
        for (size_t i = 0; i < BIG_BYTES; i++)
                p[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> (i % 3 ? 29 : 24));
        return p;
}

static int set_up(void **state)
{
        const char *t = getenv("TMPDIR");
        snprintf(directory, sizeof(directory), "%s/squashfs.XXXXXX", t ? t : "/tmp");
        if (!mkdtemp(directory))
                return -1;
        mkdir(path_of("d"), 0755);
        mkdir(path_of("d/sub"), 0755);
        mkdir(path_of("d/sub/deep"), 0755);
        uint8_t *big = big_content(), *hole = xcalloc(1, HOLE_BYTES);
        hole[HOLE_BYTES - 1] = 'x';
        write_file("d/big", big, BIG_BYTES);
        write_file("d/hole", hole, HOLE_BYTES);
        write_file("d/sub/small", "small", 5);
        write_file("d/sub/deep/empty", "", 0);
        free(big);
        free(hole);
        return 0;
}

static int tear_down(void **state) { return run("rm -rf \"$PWD\""); }

static bool make(const char *codec)
{
        char command[512];
        snprintf(command, sizeof(command),
                 "mksquashfs d %s.sqfs -comp %s -noappend -quiet -no-progress -all-root >log 2>&1", codec, codec);
        return run(command) == 0;
}

static bool collect(void *arg, struct str bytes)
{
        buf_add_str(arg, bytes);
        return true;
}

struct seen {
        bool big, hole, small, empty;
        size_t files, bad;
};

static void look(struct str image, struct seen *ret)
{
        struct squashfs *q;
        struct squashfs_file f;
        const char *why;
        uint8_t *big = big_content();
        *ret = (struct seen){ 0 };
        int r = squashfs_open(image, &q, &why);
        if (r != SQUASHFS_ENTRY) {
                ret->bad++;
                free(big);
                return;
        }
        while ((r = squashfs_next(q, &f, &why)) != SQUASHFS_END) {
                _cleanup_(buf_done) struct buf content = BUF_INIT(16u << 20);
                if (r == SQUASHFS_MALFORMED || squashfs_read(q, &f, collect, &content, &why) != SQUASHFS_END) {
                        ret->bad++;
                        continue;
                }
                struct str c = buf_str(&content);
                ret->files++;
                ret->big |= str_is(f.path, "big") && str_eq(c, str_span(big, BIG_BYTES)) && f.size == BIG_BYTES;
                ret->hole |= str_is(f.path, "hole") && c.n == HOLE_BYTES && c.p[0] == 0 && c.p[HOLE_BYTES - 1] == 'x';
                ret->small |= str_is(f.path, "sub/small") && str_is(c, "small");
                ret->empty |= str_is(f.path, "sub/deep/empty") && c.n == 0;
        }
        squashfs_free(q);
        free(big);
}

static void read_image(const char *name, struct buf *to)
{
        *to = BUF_INIT(16u << 20);
        assert_int_equal(read_file(path_of(name), to, NULL), 0);
}

static void test_codecs(void **state)
{
        static const char *const codecs[] = { "gzip", "xz", "zstd", "lz4" };
        for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
                _cleanup_(buf_done) struct buf image = BUF_INIT(0);
                char name[32];
                if (!make(codecs[i])) {
                        print_message("# mksquashfs is missing, or has no %s\n", codecs[i]);
                        skip();
                }
                snprintf(name, sizeof(name), "%s.sqfs", codecs[i]);
                read_image(name, &image);
                struct seen s;
                look(buf_str(&image), &s);
                assert_true(s.big && s.hole && s.small && s.empty);
                assert_int_equal(s.files, 4);
                assert_int_equal(s.bad, 0);
        }
}

static void test_unsupported(void **state)
{
        _cleanup_(buf_done) struct buf image = BUF_INIT(0);
        struct squashfs *q;
        const char *why;
        if (!make("lzo"))
                skip();
        read_image("lzo.sqfs", &image);
        assert_int_equal(squashfs_open(buf_str(&image), &q, &why), SQUASHFS_UNSUPPORTED);
        assert_string_equal(why, "its blocks are lzo");
}

static void test_damage(void **state)
{
        _cleanup_(buf_done) struct buf image = BUF_INIT(0);
        struct seen s;
        if (!make("gzip"))
                skip();
        read_image("gzip.sqfs", &image);
        for (size_t n = 0; n < image.n; n += image.n / 97 + 1) { /* cut: never all of it, never a crash */
                look(str_span(image.p, n), &s);
                assert_true(s.bad > 0 || n > image.n - 4096);
        }
        for (size_t i = 0; i < image.n; i += i < 96 || i > image.n - 2048 ? 1 : 1499) {
                image.p[i] ^= 0x55;
                look(buf_str(&image), &s);
                image.p[i] ^= 0x55;
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_codecs),
                cmocka_unit_test(test_unsupported),
                cmocka_unit_test(test_damage),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("squashfs", tests, set_up, tear_down);
}
