/* decide: rules, --fail-on, and the property that another finding never turns deny into allow. */
#include "decide/decide.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static bool denies(const struct policy *p, struct judged j)
{
        size_t i = decide(p, &j);
        return i != SIZE_MAX && p->rules[i].denies;
}

static void the_default_policy(void **state)
{
        const struct policy *p = &policy_default;
        assert_true(denies(p, (struct judged){ SUBJECT_VULNERABILITY, SEVERITY_HIGH, .has_fix = true }));
        assert_false(denies(p, (struct judged){ SUBJECT_VULNERABILITY, SEVERITY_HIGH }));
        assert_false(denies(p, (struct judged){ SUBJECT_VULNERABILITY, SEVERITY_MEDIUM, .has_fix = true }));
        assert_true(denies(p, (struct judged){ SUBJECT_VULNERABILITY, SEVERITY_LOW, .is_exploited = true }));
        assert_true(denies(p, (struct judged){ SUBJECT_END_OF_LIFE, SEVERITY_HIGH, .is_over = true }));
        assert_false(denies(p, (struct judged){ SUBJECT_END_OF_LIFE, SEVERITY_LOW }));
        assert_true(denies(p, (struct judged){ SUBJECT_BLIND, SEVERITY_HIGH }));
        assert_true(denies(p, (struct judged){ SUBJECT_MISMATCH, SEVERITY_CRITICAL }));
        assert_false(denies(p, (struct judged){ SUBJECT_UNREAD, SEVERITY_LOW }));
        assert_int_not_equal(decide(p, &(struct judged){ SUBJECT_UNREAD, SEVERITY_LOW }), SIZE_MAX);
}

static void each_word_of_fail_on_narrows(void **state)
{
        struct policy p = { 0 };
        struct error err = ERROR_NONE;
        assert_int_equal(policy_add_fail_on(&p, "high,fixable", &err), 0);
        assert_true(denies(&p, (struct judged){ SUBJECT_VULNERABILITY, SEVERITY_CRITICAL, .has_fix = true }));
        assert_false(denies(&p, (struct judged){ SUBJECT_VULNERABILITY, SEVERITY_CRITICAL }));
        assert_false(denies(&p, (struct judged){ SUBJECT_VULNERABILITY, SEVERITY_MEDIUM, .has_fix = true }));
        assert_int_equal(policy_add_fail_on(&p, "kev", &err), 0);
        assert_true(denies(&p, (struct judged){ SUBJECT_VULNERABILITY, SEVERITY_UNKNOWN, .is_exploited = true }));
        assert_false(denies(&p, (struct judged){ SUBJECT_END_OF_LIFE, SEVERITY_HIGH, .is_over = true }));
        assert_string_equal(p.words, "--fail-on high,fixable --fail-on kev");
}

static void unknown_severity_is_only_any(void **state)
{
        struct policy low = { 0 }, any = { 0 };
        assert_int_equal(policy_add_fail_on(&low, "low", NULL), 0);
        assert_int_equal(policy_add_fail_on(&any, "any", NULL), 0);
        assert_false(denies(&low, (struct judged){ SUBJECT_VULNERABILITY, SEVERITY_UNKNOWN }));
        assert_true(denies(&any, (struct judged){ SUBJECT_VULNERABILITY, SEVERITY_UNKNOWN }));
}

static void odd_words_are_refused(void **state)
{
        static const char *const words[] = { "", "hihg", "high,low", "high,", "unknown", "fixable kev" };
        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                struct policy p = { 0 };
                struct error err = ERROR_NONE;
                assert_int_equal(policy_add_fail_on(&p, words[i], &err), -EINVAL);
                assert_true(err.text[0]);
                assert_int_equal(p.n_rules, 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_default_policy),
                cmocka_unit_test(each_word_of_fail_on_narrows),
                cmocka_unit_test(unknown_severity_is_only_any),
                cmocka_unit_test(odd_words_are_refused),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
