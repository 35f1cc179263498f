/* sense/mapped.c: maps files of all sorts, and the file that the agent keeps. sense/mapped-file.c: what is written is
 * read again. */
#include "base/fs.h"
#include "sense/mapped-file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct mapped_file who = { .pid = 7, .comm = { "nginx", 5 } };

static void test_maps(void **state)
{
        static const char maps[] =
                "55d0-55d1 r--p 00000000 08:01 131 /usr/sbin/nginx\n"
                "55d1-55d2 r-xp 00001000 08:01 131 /usr/sbin/nginx\n"
                "55d2-55d3 rw-p 00000000 00:00 0 [heap]\n"
                "7f00-7f01 r--p 00000000 00:2a 99                         /usr/lib/lib a.so.1 (deleted)\n"
                "7f01-7f02 rw-s 00000000 00:01 5 /memfd:x (deleted)\n"
                "7f02-7f03 rw-s 00000000 00:05 5 /dev/zero (deleted)\n"
                "7f03-7f04 rw-p 00000000 00:00 0 \n"
                "7f04-7f05 rw-p 00000000 00:00 0 anon_inode:[io_uring]\n"
                "short\n"
                "7f05-7f06 r--p 00000000 08:01 131 /\n"
                "7f06-7f07 r--p 00000000 08:01 132 /opt/z";
        struct mapped m;
        mapped_init(&m);
        mapped_parse(&m, str_of(maps), &who);
        assert_int_equal(m.files.n, 3);
        assert_false(mapped_find(&m, STR("usr/sbin/nginx"))->is_replaced);
        assert_true(mapped_find(&m, STR("usr/lib/lib a.so.1"))->is_replaced);
        assert_non_null(mapped_find(&m, STR("opt/z")));
        assert_null(mapped_find(&m, STR("memfd:x")));
        mapped_done(&m);
}

static void test_ways(void **state)
{
        struct mapped m;
        mapped_init(&m);
        struct mapped_file f = { .path = STR("a"), .how = MAPPED_OPEN, .pid = 1, .comm = STR("first") };
        mapped_add(&m, &f);
        f = (struct mapped_file){ .path = STR("a"), .how = MAPPED_RUN, .pid = 2, .comm = STR("second") };
        mapped_add(&m, &f);
        f = (struct mapped_file){
                .path = STR("a"), .how = MAPPED_SCRIPT, .is_replaced = true, .pid = 3, .comm = STR("third")
        };
        mapped_add(&m, &f);
        const struct mapped_file *a = mapped_find(&m, STR("a"));
        assert_int_equal(m.files.n, 1);
        assert_int_equal(a->how, MAPPED_RUN);
        assert_int_equal(a->pid, 2);
        assert_true(str_is(a->comm, "second"));
        assert_true(a->is_replaced);
        mapped_done(&m);
}

static void test_limit(void **state)
{
        struct mapped m;
        mapped_init(&m);
        for (unsigned i = 0; i < MAPPED_FILES_MAX + 5; i++) {
                char path[16];
                snprintf(path, sizeof(path), "f%u", i);
                struct mapped_file f = { .path = str_of(path), .how = MAPPED_OPEN };
                mapped_add(&m, &f);
        }
        assert_int_equal(m.files.n, MAPPED_FILES_MAX);
        assert_int_equal(m.dropped, 5);
        mapped_done(&m);
}

/* The process of this test itself. */
static void test_process(void **state)
{
        struct mapped m;
        mapped_init(&m);
        assert_int_equal(mapped_read_process(&m, "/proc", (uint32_t)getpid()), 0);
        char exe[4096];
        ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe));
        const struct mapped_file *f = mapped_find(&m, str_from(str_span(exe, (size_t)n), 1));
        assert_non_null(f);
        assert_int_equal(f->how, MAPPED_RUN);
        assert_int_equal(mapped_read_process(&m, "/proc", INT32_MAX), -ENOENT);
        assert_int_equal(mapped_read_process(&m, "/nonexistent", 1), -ENOENT);
        mapped_done(&m);
}

static void test_round_trip(void **state)
{
        char path[] = "/tmp/test-mapped-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        close(fd);
        struct mapped m, back;
        mapped_init(&m);
        mapped_init(&back);
        struct mapped_file f = { .path = STR("odd\tname\n\\012 x"),
                                 .how = MAPPED_LIBRARY,
                                 .is_replaced = true,
                                 .pid = 9,
                                 .comm = STR("a\\b\tc\n") };
        mapped_add(&m, &f);
        struct mapped_file g = { .path = STR("usr/bin/x"), .how = MAPPED_OPEN, .pid = UINT32_MAX };
        mapped_add(&m, &g);
        assert_int_equal(mapped_write(&m, 1234, path, NULL), 0);
        _cleanup_(buf_done) struct buf text = BUF_INIT(4096);
        assert_int_equal(read_file(path, &text, NULL), 0);
        int64_t since = 0;
        assert_true(mapped_parse_file(&back, buf_str(&text), &since));
        assert_int_equal(since, 1234);
        assert_int_equal(back.files.n, 2);
        const struct mapped_file *odd = mapped_find(&back, f.path);
        assert_non_null(odd);
        assert_true(odd->is_replaced && odd->how == MAPPED_LIBRARY && odd->pid == 9 && str_eq(odd->comm, f.comm));
        /* Cut anywhere it does no harm, and never tells more than the whole. */
        for (size_t n = 0; n < text.n; n++) {
                struct mapped cut;
                mapped_init(&cut);
                (void)mapped_parse_file(&cut, str_upto(buf_str(&text), n), &since);
                assert_true(cut.files.n <= back.files.n);
                mapped_done(&cut);
        }
        unlink(path);
        mapped_done(&m);
        mapped_done(&back);
}

static void test_refusals(void **state)
{
        static const char *const texts[] = { "",
                                             "sekisho.loaded/2\nsince 1\n",
                                             "sekisho.loaded/1\n",
                                             "sekisho.loaded/1\nsince -1\n",
                                             "sekisho.loaded/1\nsince 99999999999999\n",
                                             "sekisho.loaded/1\nsince 1\nruns 2 1 a\tb\n",
                                             "sekisho.loaded/1\nsince 1\nruns 0 x a\tb\n",
                                             "sekisho.loaded/1\nsince 1\nruns 0 99999999999 a\tb\n",
                                             "sekisho.loaded/1\nsince 1\nruns 0 1 a\t/b\n",
                                             "sekisho.loaded/1\nsince 1\nruns 0 1 a\t\n",
                                             "sekisho.loaded/1\nsince 1\nruns 0 1 a\tb\\477\n",
                                             "sekisho.loaded/1\nsince 1\nhas open 0 1 a\tb\n" };
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct mapped m;
                int64_t since;
                mapped_init(&m);
                assert_false(mapped_parse_file(&m, str_of(texts[i]), &since));
                mapped_done(&m);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_maps),    cmocka_unit_test(test_ways),       cmocka_unit_test(test_limit),
                cmocka_unit_test(test_process), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refusals),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
