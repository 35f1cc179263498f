/* source/registry-name: the grammar, the short names and the limits. */
#include "source/registry-name.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_good(void **state)
{
        static const struct {
                const char *text, *printed;
        } rows[] = {
                { "nginx", "docker.io/library/nginx:latest" },
                { "nginx:1.25", "docker.io/library/nginx:1.25" },
                { "docker.io/nginx", "docker.io/library/nginx:latest" },
                { "index.docker.io/a/b", "docker.io/a/b:latest" },
                { "user/app", "docker.io/user/app:latest" },
                { "localhost:5000", "docker.io/library/localhost:5000" },
                { "localhost/app", "localhost/app:latest" },
                { "localhost:5000/app:1", "localhost:5000/app:1" },
                { "127.0.0.1:5000/a/b/c:v1.0-rc_1", "127.0.0.1:5000/a/b/c:v1.0-rc_1" },
                { "[::1]:5000/app", "[::1]:5000/app:latest" },
                { "[fe80::1]/app:2", "[fe80::1]/app:2" },
                { "ghcr.io/a__b/c--d/e.f_g:X", "ghcr.io/a__b/c--d/e.f_g:X" },
                { "r.example/app@sha256:" HEX64, "r.example/app@sha256:" HEX64 },
                { "r.example/app:1@sha256:" HEX64, "r.example/app:1@sha256:" HEX64 },
                { "r.example:65535/app", "r.example:65535/app:latest" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct registry_name ref;
                char text[REGISTRY_TEXT_MAX];
                struct error err = ERROR_NONE;
                int r = registry_name_parse(str_of(rows[i].text), &ref, &err);
                if (r < 0)
                        fail_msg("%s: %s", rows[i].text, err.text);
                assert_string_equal(registry_name_print(&ref, text), rows[i].printed);
        }
        (void)state;
}

static void test_bad(void **state)
{
        static const char *const rows[] = {
                "",
                "/",
                "/app",
                "app/",
                "a//b",
                "App",
                "a.b/App",
                "app:",
                "app:.x",
                "app:a b",
                "app@",
                "app@sha256:" HEX64 "0",
                "app@sha256:abc",
                "app@sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
                "r.example:0/app",
                "r.example:65536/app",
                "r.example:x/app",
                "r..example/app",
                "-r.example/app",
                "r.example-/app",
                "r.example/a___b",
                "r.example/a..b",
                "r.example/a._b",
                "r.example/-a",
                "r.example/a-",
                "user:pw@r.example/app",
                "https://r.example/app",
                "[::1/app",
                "[::zz]:5000/app",
                "r.example/a\nb",
                "r.example/../../etc",
                "r.example/a?b=c",
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct registry_name ref;
                struct error err = ERROR_NONE;
                if (registry_name_parse(str_of(rows[i]), &ref, &err) != -EINVAL)
                        fail_msg("%s was taken", rows[i]);
                assert_true(err.text[0]);
        }
        struct registry_name ref;
        assert_int_equal(registry_name_parse(STR("[6::\0]/ap"), &ref, NULL), -EINVAL);
        assert_int_equal(registry_name_parse(STR("r.example/a\0b"), &ref, NULL), -EINVAL);
        assert_int_equal(registry_name_parse(STR("a:1\0"), &ref, NULL), -EINVAL);
        (void)state;
}

static void test_limits(void **state)
{
        char text[1024] = "r.example/";
        struct registry_name ref;
        memset(text + 10, 'a', 245);
        assert_int_equal(registry_name_parse(str_of(text), &ref, NULL), 0);
        text[255] = 'a';
        assert_int_equal(registry_name_parse(str_of(text), &ref, NULL), -EINVAL);
        memset(text, 'a', 1000);
        assert_int_equal(registry_name_parse(str_of(text), &ref, NULL), -EINVAL);
        snprintf(text, sizeof(text), "a:");
        memset(text + 2, 'b', 128);
        text[130] = 0;
        assert_int_equal(registry_name_parse(str_of(text), &ref, NULL), 0);
        text[130] = 'b';
        text[131] = 0;
        assert_int_equal(registry_name_parse(str_of(text), &ref, NULL), -EINVAL);
        (void)state;
}

static void test_hosts(void **state)
{
        assert_true(registry_name_has_host(STR("localhost/a")));
        assert_true(registry_name_has_host(STR("r.example/a")));
        assert_true(registry_name_has_host(STR("host:5000/a")));
        assert_false(registry_name_has_host(STR("user/app")));
        assert_false(registry_name_has_host(STR("localhost:5000")));
        assert_false(registry_name_has_host(STR("./dir/image.tar")));
        assert_false(registry_name_has_host(STR("../image.tar")));

        static const char *const loopback[] = { "localhost",   "LOCALHOST:80", "a.localhost", "127.0.0.1",
                                                "127.9.9.9:1", "[::1]",        "[::1]:5000" };
        static const char *const other[] = {
                "localhost.example", "128.0.0.1", "127.0.0.1.example", "[::2]", "::1", "xlocalhost", "", "0.0.0.0"
        };
        for (size_t i = 0; i < ARRAY_SIZE(loopback); i++)
                assert_true(host_is_loopback(str_of(loopback[i])));
        for (size_t i = 0; i < ARRAY_SIZE(other); i++)
                assert_false(host_is_loopback(str_of(other[i])));
        (void)state;
}

int main(void)
{
        cmocka_set_message_output(CM_OUTPUT_TAP);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_hosts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
