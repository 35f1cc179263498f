/* The analyzer of the-sample: what it finds, what it cannot read, and that nothing makes it stumble. */
#include "collect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

extern const struct analyzer analyzer_sample;

static void finds_packages(void **state)
{
        struct collect c = { 0 };
        collect_run(&c, &analyzer_sample, "etc/the-sample.list", STR("one 1.0\n\ntwo 2.0\n"));
        assert_int_equal(c.packages.n, 2);
        assert_str(c.packages.v[1].name, "two");
        assert_str(c.packages.v[1].version, "2.0");
        assert_int_equal(c.packages.v[1].line, 3);
        assert_int_equal(c.unread.n, 0);
        collect_done(&c);
}

static void tells_what_it_cannot_read(void **state)
{
        struct collect c = { 0 };
        collect_run(&c, &analyzer_sample, "etc/the-sample.list", STR("one\ntwo 2.0\n"));
        assert_int_equal(c.packages.n, 1);
        assert_int_equal(c.unread.n, 1);
        assert_str(c.unread.v[0].code, "corrupt");
        collect_done(&c);
}

static void survives_damage(void **state)
{
        collect_torture(&analyzer_sample, "etc/the-sample.list", STR("one 1.0\n\ntwo 2.0\nthree\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds_packages),
                cmocka_unit_test(tells_what_it_cannot_read),
                cmocka_unit_test(survives_damage),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("the-sample", tests, NULL, NULL);
}
