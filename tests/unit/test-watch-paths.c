/* serve/watch-paths.c: what is watched, what is above it, and what is refused. */
#include "serve/watch-paths.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_places(void **state)
{
        static const struct {
                const char *path;
                bool in_container, has, may;
        } cases[] = {
                { "/var/log", true, true, true },
                { "/var/log/a/b", true, true, true },
                { "/var", true, false, true },
                { "/", true, false, true },
                { "/var/lo", true, false, false },
                { "/var/logs", true, false, false },
                { "/var/log", false, false, false },
                { "/srv/x", false, true, true },
                { "/srv", false, true, true },
                { "/home/al/.ssh/authorized_keys", true, true, true },
                { "/home/al/.sshd", true, false, false },
                { "/home/al", true, false, true },
                { "/etc/cron.d/x", true, true, true },
                { "/etc/crontab", true, true, true },
                { "/etc/cro", true, false, false },
                { "/etc", true, false, true },
                { "/opt/abXcYd", true, true, true },
                { "/opt/abXc", true, false, false },
                { "/opt/abcd", true, true, true },
        };
        struct watch_paths w = { 0 };
        static const char *const added[] = { "container:/var/log/",    "/srv",
                                             "container:/home/*/.ssh", "container:/etc/cron*",
                                             "container:/opt/ab*c*d",  "container:/var/log" };
        for (size_t i = 0; i < ARRAY_SIZE(added); i++)
                assert_int_equal(watch_paths_add(&w, added[i], NULL), 0);
        assert_int_equal(w.v.n, 5);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                bool has = watch_paths_has(&w, str_of(cases[i].path), cases[i].in_container);
                bool may = watch_paths_may_be_in(&w, str_of(cases[i].path), cases[i].in_container);
                if (has != cases[i].has || may != cases[i].may)
                        fail_msg("%s: %d %d", cases[i].path, has, may);
        }
        assert_true(watch_paths_any(&w, true) && watch_paths_any(&w, false));
        watch_paths_done(&w);
        assert_false(watch_paths_any(&w, true));
}

static void test_all(void **state)
{
        struct watch_paths w = { 0 };
        assert_int_equal(watch_paths_add(&w, "/", NULL), 0);
        assert_true(watch_paths_has(&w, STR("/any/thing"), false));
        assert_true(watch_paths_has(&w, STR("/"), false));
        assert_false(watch_paths_has(&w, STR("/"), true));
        assert_int_equal(watch_paths_add(&w, "default", NULL), 0);
        assert_true(watch_paths_has(&w, STR("/root/.bashrc"), true));
        assert_false(watch_paths_has(&w, STR("/root/notes"), true));
        watch_paths_done(&w);
}

static void test_refusals(void **state)
{
        static const char *const bad[] = { "", "var/log", "container:", "container:var", "/a/../b", "/a/./b", "/a//b" };
        struct watch_paths w = { 0 };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct error err = ERROR_NONE;
                assert_int_equal(watch_paths_add(&w, bad[i], &err), -EINVAL);
                assert_non_null(strstr(err.text, "no absolute path"));
        }
        for (unsigned i = 0; i <= WATCH_PATHS_MAX; i++) {
                char path[16];
                snprintf(path, sizeof(path), "/%u", i);
                assert_int_equal(watch_paths_add(&w, path, NULL), i < WATCH_PATHS_MAX ? 0 : -E2BIG);
        }
        watch_paths_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_refusals),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
