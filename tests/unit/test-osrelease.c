/* Assignments as a shell reads them, one line at a time. The oracle is sh itself, where it agrees by specification. */
#include "base/buf.h"
#include "base/fs.h"
#include "read/osrelease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

/* Reads one line; returns the outcome, and the value as text in `value`. */
static int read_one(const char *line, char value[static 256])
{
        struct arena arena = ARENA_INIT;
        struct osrelease r = osrelease_from(str_of(line));
        struct str n, v = STR_NONE;
        int k = osrelease_next(&r, &arena, &n, &v);
        assert_true(v.n < 256);
        if (v.n)
                memcpy(value, v.p, v.n);
        value[v.n] = 0;
        arena_done(&arena);
        return k;
}

static void test_values(void **state)
{
        static const struct {
                const char *line, *value;
        } cases[] = {
                { "A=b", "b" },
                { "  A=b  ", "b" },
                { "A=", "" },
                { "A=\"\"", "" },
                { "A=\"a b\"", "a b" },
                { "A='a b'", "a b" },
                { "A='a \"b\" \\n'", "a \"b\" \\n" },
                { "A=\"a \\\"b\\\" \\$ \\` \\\\ \\n\"", "a \"b\" $ ` \\ \\n" },
                { "A=a\\ b", "a b" },
                { "A=a\"b c\"'d e'", "ab cd e" },
                { "A=b # comment", "b" },
                { "A=b#c", "b#c" },
                { "A=\"it's\"", "it's" },
                { "a_1=x=y", "x=y" },
                { "A=b\r\n", "b" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char value[256];
                assert_int_equal(read_one(cases[i].line, value), OSRELEASE_FIELD);
                assert_string_equal(value, cases[i].value);
        }
}

static void test_malformed(void **state)
{
        static const char *const cases[] = { "A",    "=b",    "1A=b",  "A B=c", "A=\"b",
                                             "A='b", "A=b c", "A=b\\", "A =b",  "\xff=1" };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char value[256];
                assert_int_equal(read_one(cases[i], value), OSRELEASE_MALFORMED);
        }
}

static void test_lines(void **state)
{
        struct arena arena = ARENA_INIT;
        struct osrelease r = osrelease_from(STR("# first\n\nID=debian\nNAME=\"open\nVERSION_ID=\"12\""));
        struct str name, value;
        assert_int_equal(osrelease_next(&r, &arena, &name, &value), OSRELEASE_FIELD);
        assert_true(str_is(name, "ID") && str_is(value, "debian"));
        assert_int_equal(r.line, 3);
        assert_int_equal(osrelease_next(&r, &arena, &name, &value), OSRELEASE_MALFORMED);
        assert_int_equal(r.line, 4);
        assert_int_equal(osrelease_next(&r, &arena, &name, &value), OSRELEASE_FIELD);
        assert_true(str_is(name, "VERSION_ID") && str_is(value, "12"));
        assert_int_equal(osrelease_next(&r, &arena, &name, &value), OSRELEASE_END);
        arena_done(&arena);
}

/* This machine's own file, value by value against sh. */
static void test_shell(void **state)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(64 << 10);
        if (access("/etc/os-release", R_OK) < 0 || read_file("/etc/os-release", &text, NULL) < 0)
                skip();
        struct arena arena = ARENA_INIT;
        struct osrelease r = osrelease_from(buf_str(&text));
        struct str name, value;
        unsigned n = 0;
        while (osrelease_next(&r, &arena, &name, &value) == OSRELEASE_FIELD) {
                struct str command = arena_printf(&arena, ". /etc/os-release; printf %%s \"$%.*s\"", STR_FMT(name));
                FILE *sh = popen(command.p, "r");
                char said[4096];
                assert_non_null(sh);
                size_t got = fread(said, 1, sizeof(said), sh);
                pclose(sh);
                assert_true(str_eq(value, str_span(said, got)));
                n++;
        }
        assert_true(n > 3);
        arena_done(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_shell),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
