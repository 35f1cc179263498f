/* Files that come into being whole, and what must never be replaced by one. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/sekisho-fs-XXXXXX";

static int make_directory(void **state)
{
        (void)state;
        return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int remove_directory(void **state)
{
        (void)state;
        return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1; /* fails if a test left something behind */
}

static void test_file(void **state)
{
        (void)state;
        struct error err = ERROR_NONE;
        struct output o;
        _cleanup_(buf_done) struct buf text = BUF_INIT(100);
        assert_int_equal(output_open(&o, "f", &err), 0);
        assert_int_equal(access("f", F_OK), -1); /* not before it is whole */
        fputs("one", o.stream);
        assert_int_equal(output_commit(&o, &err), 0);
        assert_int_equal(output_open(&o, "f", &err), 0);
        fputs("two", o.stream);
        output_abort(&o);
        assert_int_equal(read_file("f", &text, &err), 0);
        assert_true(str_is(buf_str(&text), "one"));
        assert_int_equal(unlink("f"), 0);
        assert_int_equal(output_open(&o, "none/f", &err), -ENOENT);
}

static void test_devices_and_pipes(void **state)
{
        (void)state;
        struct error err = ERROR_NONE;
        struct output o;
        struct stat st;
        char text[8] = "";
        assert_int_equal(mkfifo("pipe", 0600), 0);
        int reader = open("pipe", O_RDONLY | O_NONBLOCK);
        assert_true(reader >= 0);
        assert_int_equal(output_open(&o, "pipe", &err), 0);
        fputs("one", o.stream);
        assert_int_equal(output_commit(&o, &err), 0);
        assert_int_equal(read(reader, text, sizeof(text)), 3);
        assert_string_equal(text, "one");
        close(reader);
        assert_true(stat("pipe", &st) == 0 && S_ISFIFO(st.st_mode));
        assert_int_equal(unlink("pipe"), 0);

        /* A device node of our own, so that a failure harms nobody; where none can be made, a link to /dev/full. */
        if (mknod("full", S_IFCHR | 0666, (dev_t)((1 << 8) | 7)) < 0)
                assert_int_equal(symlink("/dev/full", "full"), 0);
        int r = output_open(&o, "full", &err);
        if (r == 0) { /* not where the file system has no devices */
                fputs("one", o.stream);
                assert_int_equal(output_commit(&o, &err), -ENOSPC);
        }
        assert_true(stat("full", &st) == 0 && S_ISCHR(st.st_mode));
        assert_int_equal(unlink("full"), 0);
}

int main(void)
{
        cmocka_set_message_output(CM_OUTPUT_TAP);
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_file), cmocka_unit_test(test_devices_and_pipes) };
        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
