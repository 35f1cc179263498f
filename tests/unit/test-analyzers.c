/* Patterns, and the dispatcher against the patterns tried one by one. */
#include "analyze/analyzer.h"
#include "analyze/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_patterns(void **state)
{
        static const struct {
                const char *pattern, *path;
                bool matches;
        } cases[] = {
                { "etc/os-release", "etc/os-release", true },
                { "etc/os-release", "etc/os-release2", false },
                { "etc/os-release", "x/etc/os-release", false },
                { "etc/os-release", "etc", false },
                { "info/*.list", "info/a.list", true },
                { "info/*.list", "info/.list", true },
                { "info/*.list", "info/a.b.list", true },
                { "info/*.list", "info/a/b.list", false },
                { "info/*.list", "info/a.list/b", false },
                { "info/*.list", "info/a.lists", false },
                { "d/*", "d/x", true },
                { "d/*", "d", false },
                { "d/*", "d/x/y", false },
                { "*/x", "a/x", true },
                { "*/x", "x", false },
                { "a*b*c/d", "axxbxbxc/d", true },
                { "a*b*c/d", "axxbxbx/d", false },
                { "a*b*c", "aaabbbbccc", true },
                { "**/package.json", "package.json", true },
                { "**/package.json", "a/b/package.json", true },
                { "**/package.json", "a/bpackage.json", false },
                { "**/package.json", "package.json/a", false },
                { "**/*.dist-info/METADATA", "usr/lib/x.dist-info/METADATA", true },
                { "**/*.dist-info/METADATA", "x.dist-info/METADATA", true },
                { "**/*.dist-info/METADATA", "METADATA", false },
                { "**/*.dist-info/METADATA", "x.dist-info/y/METADATA", false },
                { "**/*.jar", ".jar", true },
                { "**/*", "a/b/c", true },
                { "*", "a", true },
                { "*", "a/b", false },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (pattern_matches(str_of(cases[i].pattern), str_of(cases[i].path)) != cases[i].matches)
                        fail_msg("%s and %s", cases[i].pattern, cases[i].path);
}

static void test_tails(void **state)
{
        assert_true(str_is(pattern_tail(STR("a/b")), "a/b"));
        assert_true(str_is(pattern_tail(STR("a/*.b")), ".b"));
        assert_true(str_is(pattern_tail(STR("a/*")), ""));
        assert_true(str_is(pattern_tail(STR("**/a/b")), "a/b"));
        assert_true(str_is(pattern_tail(STR("**/*.d/b")), ".d/b"));
}

static uint64_t one_by_one(struct str path)
{
        uint64_t bits = 0;
        for (size_t i = 0; analyzers[i]; i++)
                for (const char *const *w = analyzers[i]->wants; *w; w++)
                        if (pattern_matches(str_of(*w), path))
                                bits |= UINT64_C(1) << i;
        return bits;
}

static uint64_t named(const char *name)
{
        for (size_t i = 0; analyzers[i]; i++)
                if (strcmp(analyzers[i]->name, name) == 0)
                        return UINT64_C(1) << i;
        return 0;
}

static void test_dispatch(void **state)
{
        static const struct {
                const char *path, *who, *also;
        } cases[] = {
                { "etc/os-release", "os-release", "" },
                { "usr/lib/os-release", "os-release", "" },
                { "var/lib/dpkg/status", "dpkg-status", "" },
                { "var/lib/dpkg/status.d/base-files", "dpkg-status", "" },
                { "var/lib/dpkg/status.d/base-files.md5sums", "dpkg-status", "dpkg-files" },
                { "var/lib/dpkg/info/libc6:amd64.list", "dpkg-files", "" },
                { "lib/apk/db/installed", "apk-installed", "" },
                { "usr/lib/apk/db/installed", "apk-installed", "" },
                { "var/lib/dpkg/status-old", "", "" },
                { "x/var/lib/dpkg/status", "", "" },
                { "usr/bin/ls", "", "" },
                { "e", "", "" },
                { "", "", "" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(analyzers_for(str_of(cases[i].path)), named(cases[i].who) | named(cases[i].also));
}

/* Every pattern with its stars filled in, cut, lengthened, and put below another directory. */
static void test_dispatch_agrees(void **state)
{
        static const char *const fill[] = { "", "x", "libc6:amd64", "a.b", "a/b" };
        struct arena arena = ARENA_INIT;
        for (size_t i = 0; analyzers[i]; i++)
                for (const char *const *w = analyzers[i]->wants; *w; w++)
                        for (size_t k = 0; k < ARRAY_SIZE(fill); k++) {
                                struct str path = STR_NONE, rest = str_of(*w);
                                while (rest.p) {
                                        struct str part = str_cut(&rest, '*');
                                        path = arena_printf(&arena, "%.*s%.*s%s", STR_FMT(path), STR_FMT(part),
                                                            rest.p ? fill[k] : "");
                                }
                                struct str deeper = arena_printf(&arena, "usr/%.*s", STR_FMT(path));
                                struct str longer = arena_printf(&arena, "%.*sx", STR_FMT(path));
                                for (size_t n = 0; n <= path.n; n++) {
                                        struct str cut = str_upto(path, n);
                                        assert_int_equal(analyzers_for(cut), one_by_one(cut));
                                }
                                assert_int_equal(analyzers_for(deeper), one_by_one(deeper));
                                assert_int_equal(analyzers_for(longer), one_by_one(longer));
                        }
        arena_done(&arena);
}

static void test_table(void **state)
{
        for (size_t i = 0; analyzers[i]; i++) {
                assert_true(analyzers[i]->name && analyzers[i]->summary && analyzers[i]->wants && analyzers[i]->run);
                assert_true(analyzers[i]->max_bytes > 0);
                assert_int_equal(named(analyzers[i]->name), UINT64_C(1) << i);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_patterns),        cmocka_unit_test(test_tails), cmocka_unit_test(test_dispatch),
                cmocka_unit_test(test_dispatch_agrees), cmocka_unit_test(test_table),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
