/* The reader of the-sample: records, malformed lines, and every truncation and bit flip of a small input. */
#include "read/the-sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void reads_records(void **state)
{
        struct sample r = sample_from(STR("a=1\n\nb=\n"));
        struct sample_record record;
        assert_int_equal(sample_next(&r, &record), SAMPLE_RECORD);
        assert_true(str_is(record.name, "a") && str_is(record.value, "1"));
        assert_int_equal(sample_next(&r, &record), SAMPLE_RECORD);
        assert_true(str_is(record.name, "b") && str_is(record.value, ""));
        assert_int_equal(r.line, 3);
        assert_int_equal(sample_next(&r, &record), SAMPLE_END);
}

static void tells_malformed_lines(void **state)
{
        struct sample r = sample_from(STR("=1\nnothing\na=1\n"));
        struct sample_record record;
        assert_int_equal(sample_next(&r, &record), SAMPLE_MALFORMED);
        assert_int_equal(sample_next(&r, &record), SAMPLE_MALFORMED);
        assert_int_equal(r.line, 2);
        assert_int_equal(sample_next(&r, &record), SAMPLE_RECORD);
}

static void read_all(struct str bytes)
{
        char *copy = malloc(bytes.n ? bytes.n : 1); /* of the exact size, so that a sanitizer sees a read past it */
        assert_non_null(copy);
        if (bytes.n)
                memcpy(copy, bytes.p, bytes.n);
        struct sample r = sample_from(str_span(copy, bytes.n));
        struct sample_record record;
        size_t calls = 0;
        while (sample_next(&r, &record) != SAMPLE_END)
                assert_true(++calls <= bytes.n);
        free(copy);
}

static void survives_damage(void **state)
{
        char bytes[] = "a=1\n\nb=two words\n=x\ny\n";
        size_t n = sizeof(bytes) - 1;
        for (size_t i = 0; i <= n; i++)
                read_all(str_span(bytes, i));
        for (size_t bit = 0; bit < n * 8; bit++) {
                bytes[bit / 8] ^= (char)(1 << bit % 8);
                read_all(str_span(bytes, n));
                bytes[bit / 8] ^= (char)(1 << bit % 8);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_records),
                cmocka_unit_test(tells_malformed_lines),
                cmocka_unit_test(survives_damage),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("the-sample", tests, NULL, NULL);
}
