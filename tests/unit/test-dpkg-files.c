/* Lists and digests of Debian's packages; and those of this machine. */
#include "base/fs.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collect.h"

extern const struct analyzer analyzer_dpkg_files;

#define INFO "var/lib/dpkg/info/"

static struct collect run(const char *path, const char *text)
{
        struct collect c = { 0 };
        collect_run(&c, &analyzer_dpkg_files, path, str_of(text));
        return c;
}

static void test_list(void **state)
{
        struct collect c = run(INFO "libc6:amd64.list", "/.\n/lib\n/lib/x y\n");
        assert_int_equal(c.unread.n, 0);
        assert_int_equal(c.owned.n, 2);
        assert_str(c.owned.v[1].path, "lib/x y");
        assert_str(c.owned.v[1].package, "libc6");
        assert_str(c.owned.v[1].algorithm, "");
        assert_str(c.owned.v[1].database, INFO "libc6:amd64.list");
        assert_int_equal(c.owned.v[1].digest.n, 0);
        collect_done(&c);
}

static void test_md5sums(void **state)
{
        static const char *const paths[] = { INFO "bash.md5sums", "var/lib/dpkg/status.d/bash.md5sums" };
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                struct collect c = run(paths[i], "D41d8cd98f00b204e9800998ecf8427e  bin/bash\n"
                                                 "d41d8cd98f00b204e9800998ecf8427e *./usr/x y\n");
                assert_int_equal(c.unread.n, 0);
                assert_int_equal(c.owned.n, 2);
                assert_str(c.owned.v[0].path, "bin/bash");
                assert_str(c.owned.v[0].package, "bash");
                assert_str(c.owned.v[0].algorithm, "md5");
                assert_memory_equal(c.owned.v[0].digest.p,
                                    "\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e", 16);
                assert_str(c.owned.v[1].path, "usr/x y");
                collect_done(&c);
        }
}

static void test_defects(void **state)
{
        struct collect c = run(INFO "a.md5sums", "d41d8cd98f00b204e9800998ecf8427e  ok\nrubbish\n"
                                                 "d41d8cd98f00b204e9800998ecf8427e  ../etc/passwd\n"
                                                 "d41d8cd98f00b204e9800998ecf8427e  \n"
                                                 "d41d8cd98f00b204e9800998ecf8427e\tx\n");
        assert_int_equal(c.owned.n, 1);
        assert_int_equal(c.unread.n, 1);
        assert_str(c.unread.v[0].code, "corrupt");
        assert_str(c.unread.v[0].detail, "line 2: not a digest and a path; 4 such lines");
        collect_done(&c);
        c = run(INFO "a.list", "/a/../b\n/ok\n/a/..\n/../a\n/a/.b/..\n/a..b/...\n/..a/b..\n/a./.\n");
        assert_int_equal(c.owned.n, 4);
        assert_str(c.unread.v[0].detail, "line 1: not a path; 4 such lines");
        collect_done(&c);
}

static void test_torture(void **state)
{
        collect_torture(&analyzer_dpkg_files, INFO "a.md5sums", STR("d41d8cd98f00b204e9800998ecf8427e  bin/a\n"));
        collect_torture(&analyzer_dpkg_files, INFO "a.list", STR("/.\n/bin\n/bin/a\n"));
}

/* As many claims as lines, for every package of this machine. */
static void test_machine(void **state)
{
        DIR *d = opendir("/" INFO);
        size_t files = 0, lines = 0, claims = 0;
        if (!d)
                skip();
        for (struct dirent *e; (e = readdir(d));) {
                struct str name = str_of(e->d_name);
                if (!str_ends(name, STR(".md5sums")))
                        continue;
                _cleanup_(buf_done) struct buf text = BUF_INIT(32 << 20);
                char path[512];
                snprintf(path, sizeof(path), "/" INFO "%s", e->d_name);
                assert_int_equal(read_file(path, &text, NULL), 0);
                for (struct str rest = buf_str(&text); rest.n; (void)str_line(&rest))
                        lines++;
                struct collect c = { 0 };
                collect_run(&c, &analyzer_dpkg_files, path + 1, buf_str(&text));
                assert_int_equal(c.unread.n, 0);
                claims += c.owned.n;
                files++;
                collect_done(&c);
        }
        closedir(d);
        assert_true(files > 20);
        assert_int_equal(claims, lines);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list),    cmocka_unit_test(test_md5sums), cmocka_unit_test(test_defects),
                cmocka_unit_test(test_torture), cmocka_unit_test(test_machine),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
