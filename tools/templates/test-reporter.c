/* The format the-sample, over the reports of report-fixture.h: what it says, and that it says it twice alike. */
#include "report-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

extern const struct reporter reporter_sample;

static char *written(const struct report *r, size_t *ret_n)
{
        char *text = NULL;
        FILE *to = open_memstream(&text, ret_n);
        assert_non_null(to);
        assert_int_equal(reporter_sample.write(r, &(struct report_options){ 0 }, to), 0);
        assert_int_equal(fclose(to), 0);
        return text;
}

static void writes_every_finding(void **state)
{
        size_t n, lines = 0;
        char *text = written(&fixture_full, &n);
        for (size_t i = 0; i < n; i++)
                lines += text[i] == '\n';
        assert_int_equal(lines, 1 + fixture_full.n_findings);
        assert_null(memchr(text, '\033', n)); /* what an image says is hostile */
        free(text);
}

static void writes_the_same_twice(void **state)
{
        size_t n, m;
        char *a = written(&fixture_full, &n), *b = written(&fixture_full, &m);
        assert_int_equal(n, m);
        assert_memory_equal(a, b, n);
        free(a);
        free(b);
        free(written(&fixture_empty, &n));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_every_finding),
                cmocka_unit_test(writes_the_same_twice),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("report-the-sample", tests, NULL, NULL);
}
