/* apk's database into packages and the files that they claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collect.h"

extern const struct analyzer analyzer_apk_installed;

#define DB "lib/apk/db/installed"

static struct collect run(const char *text)
{
        struct collect c = { 0 };
        collect_run(&c, &analyzer_apk_installed, DB, str_of(text));
        return c;
}

static const char small[] = "C:Q1mB95LdEqWjvLJ1sV4KPlx0wYW8E=\n"
                            "P:libcrypto3\n"
                            "V:3.1.4-r5\n"
                            "A:x86_64\n"
                            "S:1710000\n"
                            "T:Crypto library from openssl\n"
                            "L:Apache-2.0\n"
                            "o:openssl\n"
                            "m:Somebody <somebody@example.org>\n"
                            "D:so:libc.musl-x86_64.so.1\n"
                            "F:etc\n"
                            "F:etc/ssl\n"
                            "R:openssl.cnf\n"
                            "Z:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=\n"
                            "R:ct_log_list.cnf\n"
                            "F:lib\n"
                            "R:libcrypto.so.3\n"
                            "a:0:0:755\n"
                            "Z:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=\n"
                            "\n"
                            "P:base\n"
                            "V:1-r0\n"
                            "A:noarch\n"
                            "F:\n"
                            "R:top\n"
                            "\n";

static void test_packages(void **state)
{
        struct collect c = run(small);
        assert_int_equal(c.unread.n, 0);
        assert_int_equal(c.packages.n, 2);
        const struct fact_package *p = c.packages.v;
        assert_str(p[0].type, "apk");
        assert_str(p[0].name, "libcrypto3");
        assert_str(p[0].version, "3.1.4-r5");
        assert_str(p[0].arch, "x86_64");
        assert_str(p[0].source, "openssl");
        assert_str(p[0].source_version, "3.1.4-r5");
        assert_str(p[0].licence, "Apache-2.0");
        assert_str(p[0].database, DB);
        assert_int_equal(p[0].line, 1);
        assert_int_equal(p[0].offset, 0);
        assert_str(p[1].source, "base");
        assert_int_equal(p[1].line, 21);
        assert_int_equal(p[1].offset, strstr(small, "P:base") - small);
        collect_done(&c);
}

static void test_files(void **state)
{
        static const struct {
                const char *package, *path, *algorithm;
        } files[] = {
                { "libcrypto3", "etc/ssl/openssl.cnf", "sha1" },
                { "libcrypto3", "etc/ssl/ct_log_list.cnf", "" },
                { "libcrypto3", "lib/libcrypto.so.3", "sha1" },
                { "base", "top", "" },
        };
        struct collect c = run(small);
        assert_int_equal(c.owned.n, ARRAY_SIZE(files));
        for (size_t i = 0; i < c.owned.n; i++) {
                assert_str(c.owned.v[i].package, files[i].package);
                assert_str(c.owned.v[i].path, files[i].path);
                assert_str(c.owned.v[i].algorithm, files[i].algorithm);
                assert_int_equal(c.owned.v[i].digest.n, files[i].algorithm[0] ? 20 : 0);
        }
        assert_memory_equal(c.owned.v[2].digest.p, "\xda\x39\xa3\xee", 4);
        collect_done(&c);
}

static void test_defects(void **state)
{
        static const struct {
                const char *text, *code, *detail;
                size_t packages, owned;
        } cases[] = {
                { "P:a\nV:1\nrubbish\n\nP:b\nV:1\n\n", "corrupt", "line 3: not a letter, a colon and a value", 2, 0 },
                { "P:a\n\nP:b\nV:1\n\n", "corrupt", "line 2: a package without a valid name (P) and version (V)", 1,
                  0 },
                { "P:a\nV:1\nF:x\nR:../y\nR:z\n\n", "corrupt", "line 5: a file whose name is not a path", 1, 1 },
                { "P:a\nV:1\nF:x\nR:y\nZ:Q1rubbish\n\n", "corrupt", "line 5: a checksum (Z) that cannot be read", 1,
                  1 },
                { "P:a\nV:1\nF:x\nR:y", "truncated", "line 4: the file ends inside a line", 1, 1 },
                { "", "truncated", "no package is listed", 0, 0 },
                { "\n", "corrupt", "no package is listed", 0, 0 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct collect c = run(cases[i].text);
                assert_int_equal(c.packages.n, cases[i].packages);
                assert_int_equal(c.owned.n, cases[i].owned);
                assert_int_equal(c.unread.n, 1);
                assert_str(c.unread.v[0].code, cases[i].code);
                assert_str(c.unread.v[0].detail, cases[i].detail);
                collect_done(&c);
        }
}

/* A file before its package's name claims nothing for the package before, and neither package is lost. */
static void test_order(void **state)
{
        struct collect c = run("P:a\nV:1\n\nF:x\nR:y\nZ:Q1\nP:b\nV:2\nR:z\n\n");
        assert_int_equal(c.packages.n, 2);
        assert_int_equal(c.owned.n, 1);
        assert_str(c.owned.v[0].package, "b");
        assert_str(c.owned.v[0].path, "x/z");
        assert_int_equal(c.unread.n, 1);
        assert_str(c.unread.v[0].detail, "line 6: a file before the name (P) and version (V) of its package");
        collect_done(&c);
}

static void test_torture(void **state) { collect_torture(&analyzer_apk_installed, DB, str_of(small)); }

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_packages), cmocka_unit_test(test_files),   cmocka_unit_test(test_defects),
                cmocka_unit_test(test_order),    cmocka_unit_test(test_torture),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
