/* qcow2: what qemu-img wrote comes back, plain and compressed; damage is told and does no harm. */
#include "read/qcow2.h"

#include "base/arena.h"
#include "base/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DISK_BYTES (4u << 20)

static char directory[256];
static uint8_t *disk;

static int run(const char *options)
{
        char command[1024];
        snprintf(command, sizeof(command), "cd '%s' && qemu-img convert %s -f raw -O qcow2 disk image >log 2>&1",
                 directory, options);
        return system(command);
}

static int set_up(void **state)
{
        char path[512];
        const char *t = getenv("TMPDIR");
        snprintf(directory, sizeof(directory), "%s/qcow2.XXXXXX", t ? t : "/tmp");
        if (!mkdtemp(directory))
                return -1;
        disk = xcalloc(1, DISK_BYTES);
        for (size_t i = 0; i < 100000; i++) /* some at the beginning, some beyond a gap */
                disk[i] = disk[3000000 + i] = (uint8_t)(i * i >> 7);
        snprintf(path, sizeof(path), "%s/disk", directory);
        FILE *f = fopen(path, "wb");
        bool is_good = f && fwrite(disk, 1, DISK_BYTES, f) == DISK_BYTES;
        return f && fclose(f) == 0 && is_good ? 0 : -1;
}

static int tear_down(void **state)
{
        char command[512];
        free(disk);
        snprintf(command, sizeof(command), "rm -rf '%s'", directory);
        return system(command);
}

/* The guest's disk, rebuilt; how many bad outcomes there were. */
static size_t rebuild(struct str image, uint8_t *to)
{
        struct qcow2 q;
        struct qcow2_cluster c;
        size_t bad = 0;
        int r = qcow2_init(&q, image);
        memset(to, 0, DISK_BYTES);
        bad += r != QCOW2_CLUSTER;
        for (uint64_t bytes = 0; r == QCOW2_CLUSTER && bytes < (64u << 20) && (r = qcow2_next(&q, &c)) != QCOW2_END;) {
                if (r != QCOW2_CLUSTER) {
                        bad++;
                        r = QCOW2_CLUSTER;
                        continue;
                }
                bytes += c.bytes.n;
                if (c.offset < DISK_BYTES)
                        memcpy(to + c.offset, c.bytes.p, MIN(c.bytes.n, DISK_BYTES - (size_t)c.offset));
        }
        qcow2_done(&q);
        return bad;
}

static void read_image(struct buf *to)
{
        char path[512];
        snprintf(path, sizeof(path), "%s/image", directory);
        *to = BUF_INIT(32u << 20);
        assert_int_equal(read_file(path, to, NULL), 0);
}

static void test_images(void **state)
{
        static const char *const options[] = { "",
                                               "-o compat=0.10",
                                               "-c",
                                               "-c -o cluster_size=4096",
                                               "-c -o compression_type=zstd",
                                               "-o cluster_size=2M" };
        uint8_t *again = xmalloc(DISK_BYTES);
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                _cleanup_(buf_done) struct buf image = BUF_INIT(0);
                if (run(options[i]) != 0) {
                        free(again);
                        print_message("# qemu-img is missing\n");
                        skip();
                }
                read_image(&image);
                assert_true(qcow2_is(buf_str(&image)));
                assert_int_equal(rebuild(buf_str(&image), again), 0);
                assert_memory_equal(again, disk, DISK_BYTES);
        }
        free(again);
}

static void test_encrypted(void **state)
{
        _cleanup_(buf_done) struct buf image = BUF_INIT(0);
        struct qcow2 q;
        if (run("") != 0)
                skip();
        read_image(&image);
        image.p[35] = 2; /* crypt_method: LUKS */
        assert_int_equal(qcow2_init(&q, buf_str(&image)), QCOW2_ENCRYPTED);
        qcow2_done(&q);
}

static void test_damage(void **state)
{
        _cleanup_(buf_done) struct buf image = BUF_INIT(0);
        uint8_t *again = xmalloc(DISK_BYTES);
        if (run("-c -o cluster_size=4096") != 0) {
                free(again);
                skip();
        }
        read_image(&image);
        for (size_t n = 0; n < image.n; n += image.n / 53 + 1)
                assert_true(rebuild(str_span(image.p, n), again) > 0 || n > image.n - 4096);
        for (size_t i = 0; i < image.n; i += i < 112 ? 1 : 997) {
                image.p[i] ^= 0x81;
                (void)rebuild(buf_str(&image), again);
                image.p[i] ^= 0x81;
        }
        free(again);
}

/* Every entry of the first table names one second table, and every entry of that the same cluster. */
static void test_tables_used_again(void **state)
{
        static char image[8 << 9];
        static const uint8_t header[] = { 'Q',      'F', 'I', 0xfb, 0,        0, 0, 2, [20] = 0, 0, 0, 9, [24] = 0x7f,
                                          [36] = 0, 0,   0,   64,   [40] = 0, 0, 0, 0, 0,        0, 2, 0 };
        struct qcow2 q;
        struct qcow2_cluster c;
        size_t steps = 0;
        int r;
        memcpy(image, header, sizeof(header));
        for (size_t i = 0; i < 64; i++) {
                image[512 + 8 * i + 6] = 4;  /* the first table, in sector 1: each entry says offset 1024 */
                image[1024 + 8 * i + 6] = 6; /* the second, in sector 2: offset 1536 */
        }
        assert_int_equal(qcow2_init(&q, str_span(image, sizeof(image))), QCOW2_CLUSTER);
        while ((r = qcow2_next(&q, &c)) == QCOW2_CLUSTER)
                steps++;
        assert_int_equal(r, QCOW2_MALFORMED);
        assert_string_equal(q.why, "a table is used more than once");
        assert_int_equal(steps, sizeof(image) / 8);
        assert_int_equal(qcow2_next(&q, &c), QCOW2_END);
        qcow2_done(&q);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_images),
                cmocka_unit_test(test_encrypted),
                cmocka_unit_test(test_damage),
                cmocka_unit_test(test_tables_used_again),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("qcow2", tests, set_up, tear_down);
}
