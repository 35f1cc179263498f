/* dpkg's status into packages: states, sources, conffiles, defects; and every package of this machine against dpkg. */
#include "base/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect.h"

extern const struct analyzer analyzer_dpkg_status;

#define STATUS "var/lib/dpkg/status"

static struct collect run(const char *path, const char *text)
{
        struct collect c = { 0 };
        collect_run(&c, &analyzer_dpkg_status, path, str_of(text));
        return c;
}

static const char small[] = "Package: libssl3\n"
                            "Status: install ok installed\n"
                            "Architecture: amd64\n"
                            "Source: openssl\n"
                            "Version: 3.0.11-1~deb12u2\n"
                            "Description: a library\n"
                            " with: a colon\n"
                            "\n"
                            "Package: bash\n"
                            "Essential: yes\n"
                            "Status: hold ok installed\n"
                            "Architecture: amd64\n"
                            "Origin: Somebody\n"
                            "Version: 5.2.15-2+b2\n"
                            "Source: bash (5.2.15-2)\n"
                            "Conffiles:\n"
                            " /etc/bash.bashrc 89269e1298235f1b12b4c16e4065ad0d\n"
                            " /etc/with blank/x y 22bfb8c1dd94b5f3813a2b25da67463f obsolete\n"
                            " /etc/new newconffile\n"
                            " /etc/old 22bfb8c1dd94b5f3813a2b25da67463f obsolete remove-on-upgrade\n"
                            "\n";

static void test_packages(void **state)
{
        struct collect c = run(STATUS, small);
        assert_int_equal(c.unread.n, 0);
        assert_int_equal(c.packages.n, 2);
        const struct fact_package *p = c.packages.v;
        assert_str(p[0].type, "deb");
        assert_str(p[0].name, "libssl3");
        assert_str(p[0].version, "3.0.11-1~deb12u2");
        assert_str(p[0].arch, "amd64");
        assert_str(p[0].source, "openssl");
        assert_str(p[0].source_version, "3.0.11-1~deb12u2");
        assert_str(p[0].vendor, "");
        assert_str(p[0].database, STATUS);
        assert_int_equal(p[0].line, 1);
        assert_int_equal(p[0].offset, 0);
        assert_str(p[1].source, "bash");
        assert_str(p[1].source_version, "5.2.15-2");
        assert_str(p[1].vendor, "Somebody");
        assert_int_equal(p[1].line, 9);
        assert_int_equal(p[1].offset, strstr(small, "Package: bash") - small);
        collect_done(&c);
}

static void test_conffiles(void **state)
{
        struct collect c = run(STATUS, small);
        static const char *const paths[] = { "etc/bash.bashrc", "etc/with blank/x y", "etc/new", "etc/old" };
        assert_int_equal(c.owned.n, ARRAY_SIZE(paths));
        for (size_t i = 0; i < c.owned.n; i++) {
                assert_str(c.owned.v[i].path, paths[i]);
                assert_str(c.owned.v[i].package, "bash");
                assert_true(c.owned.v[i].config);
                assert_str(c.owned.v[i].algorithm, i == 2 ? "" : "md5");
                assert_int_equal(c.owned.v[i].digest.n, i == 2 ? 0 : 16);
        }
        assert_memory_equal(c.owned.v[0].digest.p, "\x89\x26\x9e\x12", 4);
        collect_done(&c);
}

static void test_states(void **state)
{
        static const struct {
                const char *status;
                size_t packages, unread;
        } cases[] = {
                { "install ok installed", 1, 0 },
                { "install reinstreq installed", 1, 0 },
                { "install ok unpacked", 1, 0 },
                { "install ok half-configured", 1, 0 },
                { "install ok triggers-awaited", 1, 0 },
                { "install ok triggers-pending", 1, 0 },
                { "deinstall ok config-files", 0, 0 },
                { "purge ok not-installed", 0, 0 },
                { "install reinstreq half-installed", 0, 0 },
                { "install ok Installed", 1, 1 }, /* nobody hides behind a state that dpkg does not know */
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[256];
                snprintf(text, sizeof(text), "Package: a\nStatus: %s\nVersion: 1\n\n", cases[i].status);
                struct collect c = run(STATUS, text);
                assert_int_equal(c.packages.n, cases[i].packages);
                assert_int_equal(c.unread.n, cases[i].unread);
                collect_done(&c);
        }
}

static void test_distroless(void **state)
{
        struct collect c = run(STATUS ".d/tzdata", "Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all");
        assert_int_equal(c.packages.n, 1);
        assert_int_equal(c.unread.n, 0);
        assert_str(c.packages.v[0].source, "tzdata");
        assert_str(c.packages.v[0].database, STATUS ".d/tzdata");
        collect_done(&c);
        c = run(STATUS ".d/tzdata.md5sums", "00000000000000000000000000000000  a\n");
        assert_int_equal(c.packages.n + c.unread.n + c.owned.n, 0);
        collect_done(&c);
}

static void test_defects(void **state)
{
        static const struct {
                const char *text, *code, *detail;
                size_t packages;
        } cases[] = {
                { "Package: a\nStatus: install ok installed\nVersion: 1\nrubbish\n\n", "corrupt",
                  "line 4: a line without a colon", 1 },
                { "Package: a\nStatus: install ok installed\n\n", "corrupt",
                  "line 1: a stanza without a valid Package and Version", 0 },
                { "Package: a b\nStatus: install ok installed\nVersion: 1\n\n", "corrupt",
                  "line 1: a stanza without a valid Package and Version", 0 },
                { "\nPackage: a\nVersion: 1\n\n", "corrupt",
                  "line 2: a package without a Status that dpkg knows; taken as installed", 1 },
                { "Package: a\nStatus: install ok installed\nVersion: 9\nVersion: 1\n\n", "corrupt",
                  "line 1: a field stands twice; the first was taken", 1 },
                { "Package: a\nStatus: install ok installed\nVersion: 9", "truncated",
                  "line 1: the file ends inside a stanza", 1 },
                { "Package: a\nStatus: install ok installed\nVersion: 1\nConffiles:\n /etc/x nomd5\n\n", "corrupt",
                  "line 1: an entry of Conffiles without an MD5 digest", 1 },
                { "Package: a\nStatus: install ok installed\nVersion: 1\nConffiles:\n /etc/x\n\n", "corrupt",
                  "line 1: an entry of Conffiles that is not a path and a digest", 1 },
                { "", "truncated", "no package is listed", 0 },
                { "\n\n", "corrupt", "no package is listed", 0 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct collect c = run(STATUS, cases[i].text);
                assert_int_equal(c.packages.n, cases[i].packages);
                assert_int_equal(c.unread.n, 1);
                assert_str(c.unread.v[0].code, cases[i].code);
                assert_str(c.unread.v[0].detail, cases[i].detail);
                assert_str(c.unread.v[0].path, STATUS);
                collect_done(&c);
        }
}

/* A thousand bad stanzas are not a thousand facts, and the good one after them is found. */
static void test_many_defects(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
        for (int i = 0; i < 1000; i++)
                buf_puts(&b, "rubbish\n\n");
        buf_puts(&b, small);
        struct collect c = run(STATUS, b.p);
        assert_int_equal(c.packages.n, 2);
        assert_int_equal(c.unread.n, 101);
        assert_str(c.unread.v[100].detail, "900 more defects");
        collect_done(&c);
}

static void test_torture(void **state) { collect_torture(&analyzer_dpkg_status, STATUS, str_of(small)); }

static int compare_lines(const void *a, const void *b)
{
        return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Every package of this machine: name, version, architecture, source, source version; dpkg-query is the oracle. */
static void test_dpkg_query(void **state)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(64 << 20);
        if (access("/usr/bin/dpkg-query", X_OK) < 0 || read_file("/var/lib/dpkg/status", &text, NULL) < 0)
                skip();
        FILE *pipe = popen("dpkg-query -W -f '${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\t"
                           "${source:Package}\\t${source:Version}\\n'",
                           "r");
        assert_non_null(pipe);
        struct arena arena = ARENA_INIT;
        VEC(struct str) expected = { 0 }, got = { 0 };
        char line[1024];
        while (fgets(line, sizeof(line), pipe))
                if (strncmp(line, "installed\t", 10) == 0)
                        *vec_push(&expected) = arena_str(&arena, str_trim(str_of(line + 10)));
        assert_int_equal(pclose(pipe), 0);
        struct collect c = { 0 };
        collect_run(&c, &analyzer_dpkg_status, STATUS, buf_str(&text));
        for (size_t i = 0; i < c.packages.n; i++) {
                const struct fact_package *p = &c.packages.v[i];
                *vec_push(&got) =
                        arena_printf(&arena, "%.*s\t%.*s\t%.*s\t%.*s\t%.*s", STR_FMT(p->name), STR_FMT(p->version),
                                     STR_FMT(p->arch), STR_FMT(p->source), STR_FMT(p->source_version));
        }
        assert_int_equal(c.unread.n, 0);
        assert_true(expected.n > 50);
        assert_int_equal(got.n, expected.n);
        qsort(got.v, got.n, sizeof(*got.v), compare_lines);
        qsort(expected.v, expected.n, sizeof(*expected.v), compare_lines);
        for (size_t i = 0; i < got.n; i++)
                if (!str_eq(got.v[i], expected.v[i]))
                        fail_msg("%.*s, but dpkg says %.*s", STR_FMT(got.v[i]), STR_FMT(expected.v[i]));
        collect_done(&c);
        vec_done(&expected);
        vec_done(&got);
        arena_done(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_packages), cmocka_unit_test(test_conffiles),
                cmocka_unit_test(test_states),   cmocka_unit_test(test_distroless),
                cmocka_unit_test(test_defects),  cmocka_unit_test(test_many_defects),
                cmocka_unit_test(test_torture),  cmocka_unit_test(test_dpkg_query),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
