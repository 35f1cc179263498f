/* Bytes as one column of a line, and back. */
#include "base/octal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void any_bytes_come_back(void **state)
{
        (void)state;
        struct arena arena = ARENA_INIT;
        char every[256], *text = NULL;
        size_t n = 0;
        for (size_t i = 0; i < sizeof(every); i++)
                every[i] = (char)i;
        FILE *to = open_memstream(&text, &n);
        octal_print(to, str_span(every, sizeof(every)));
        fclose(to);
        assert_null(memchr(text, '\t', n));
        assert_null(memchr(text, '\n', n));
        assert_null(memchr(text, 0, n));
        struct str back;
        assert_true(octal_read(str_span(text, n), &arena, &back));
        assert_int_equal(back.n, sizeof(every));
        assert_memory_equal(back.p, every, sizeof(every));
        free(text);
        arena_done(&arena);
}

static void what_is_no_byte_is_refused(void **state)
{
        (void)state;
        static const char *const bad[] = { "\\", "a\\1", "\\12", "\\189", "\\400", "\\777", "\\x41", "\\\\" };
        struct arena arena = ARENA_INIT;
        struct str back;
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(octal_read(str_of(bad[i]), &arena, &back));
        assert_true(octal_read(STR("\\377\\134n"), &arena, &back));
        assert_true(str_eq(back, STR("\xff\\n")));
        assert_true(octal_read(STR(""), &arena, &back));
        assert_int_equal(back.n, 0);
        arena_done(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(any_bytes_come_back),
                cmocka_unit_test(what_is_no_byte_is_refused),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
