/* Where a file was copied up from: as the kernel writes it, and as nobody does. */
#include "sense/overlay-origin.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#define ORIGIN "trusted.overlay.origin"
#define HEAD   21 /* struct ovl_fb without its handle */

static char dir[256], below[300], copy[300];

static void write_file(const char *path, const char *text)
{
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
}

/* The attribute for a handle of `below`. How long it is; 0: this file system, or this user, cannot. */
static size_t make_origin(uint8_t ret[static 256])
{
        uint64_t space[32] = { 0 };
        void *start = space;
        struct file_handle *h = start;
        int mount;
        h->handle_bytes = 128;
        if (name_to_handle_at(AT_FDCWD, below, h, &mount, 0) < 0)
                return 0;
        size_t n = HEAD + h->handle_bytes;
        memset(ret, 0, HEAD);
        ret[1] = 0xfb;
        ret[2] = (uint8_t)n;
        ret[4] = (uint8_t)h->handle_type;
        memcpy(ret + HEAD, h->f_handle, h->handle_bytes);
        return lsetxattr(copy, ORIGIN, ret, n, 0) < 0 ? 0 : n;
}

static int set_up(void **state)
{
        (void)state;
        snprintf(dir, sizeof(dir), "%s/sekisho-origin-XXXXXX", env_or("TMPDIR", "/tmp"));
        assert_non_null(mkdtemp(dir));
        snprintf(below, sizeof(below), "%s/below", dir);
        snprintf(copy, sizeof(copy), "%s/copy", dir);
        write_file(below, "twelve bytes");
        write_file(copy, "");
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        unlink(below);
        unlink(copy);
        return rmdir(dir);
}

static void what_is_below_is_found(void **state)
{
        (void)state;
        uint8_t origin[256];
        struct stat st, wanted;
        assert_false(overlay_is_copy(copy));
        assert_int_equal(overlay_origin_stat(dir, copy, &st), -ENODATA);
        if (!make_origin(origin))
                skip();
        assert_true(overlay_is_copy(copy));
        assert_int_equal(overlay_origin_stat(dir, copy, &st), 0);
        assert_int_equal(stat(below, &wanted), 0);
        assert_int_equal(st.st_ino, wanted.st_ino);
        assert_int_equal(st.st_size, 12);
}

static void what_is_no_origin_is_refused(void **state)
{
        (void)state;
        uint8_t origin[256];
        struct stat st;
        size_t n = make_origin(origin);
        if (!n)
                skip();
        for (size_t cut = 1; cut < n; cut++) { /* also with a length that says so */
                uint8_t bad[256];
                memcpy(bad, origin, n);
                assert_int_equal(lsetxattr(copy, ORIGIN, bad, cut, 0), 0);
                assert_true(overlay_origin_stat(dir, copy, &st) < 0);
                bad[2] = (uint8_t)cut;
                assert_int_equal(lsetxattr(copy, ORIGIN, bad, cut, 0), 0);
                assert_true(overlay_origin_stat(dir, copy, &st) < 0);
        }
        for (size_t at = 0; at < 3; at++) { /* version, magic, length */
                uint8_t bad[256];
                memcpy(bad, origin, n);
                bad[at] ^= 1;
                assert_int_equal(lsetxattr(copy, ORIGIN, bad, n, 0), 0);
                assert_int_equal(overlay_origin_stat(dir, copy, &st), -EINVAL);
        }
        unlink(below);
        assert_int_equal(lsetxattr(copy, ORIGIN, origin, n, 0), 0);
        assert_true(overlay_origin_stat(dir, copy, &st) < 0); /* it is gone */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_is_below_is_found, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_no_origin_is_refused, set_up, tear_down),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
