/* serve/guard-journal.c: what is written is read again, whatever bytes names have; what is none is refused. */
#include "base/fs.h"
#include "serve/log-guard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void test_round_trip(void **state)
{
        char path[] = "/tmp/test-journal-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        close(fd);
        struct guard_journal j, back;
        assert_int_equal(guard_journal_read(&j, path, NULL), 0);
        guard_journal_add(&j, STR("id"), STR("/up\tper"), STR("/var/log/a\\b\nc\x01\xff"));
        guard_journal_add(&j, STR("id"), STR("/up"), STR("/x"));
        guard_journal_add(&j, STR("id"), STR("/up"), STR("/x"));
        assert_int_equal(j.v.n, 2);
        assert_int_equal(guard_journal_write(&j, NULL), 0);
        assert_int_equal(guard_journal_read(&back, path, NULL), 0);
        assert_int_equal(back.v.n, 2);
        for (size_t i = 0; i < 2; i++)
                assert_true(str_eq(back.v.v[i].id, j.v.v[i].id) && str_eq(back.v.v[i].upper, j.v.v[i].upper) &&
                            str_eq(back.v.v[i].inside, j.v.v[i].inside));
        guard_journal_done(&back);
        guard_journal_done(&j);
        unlink(path);
        assert_int_equal(guard_journal_read(&j, path, NULL), 0); /* none is an empty one */
        assert_int_equal(j.v.n, 0);
        guard_journal_done(&j);
}

static void test_refusals(void **state)
{
        static const char *const bad[] = {
                "\n",        "a\n",           "a\t/b\n",       "\t/b\t/c\n",      "a\tb\t/c\n",      "a\t/b\tc\n",
                "a\t/b\t\n", "a\t/b\t/c\\\n", "a\t/b\t/\\9\n", "a\t/b\t/\\000\n", "a\t/b\t/\\777\n", "a\t/b\t/c\nx\n"
        };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct guard_journal j = { .arena = ARENA_INIT };
                struct error err = ERROR_NONE;
                assert_int_equal(guard_journal_parse(&j, str_of(bad[i]), &err), -EINVAL);
                assert_non_null(strstr(err.text, "line"));
                guard_journal_done(&j);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_refusals),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
