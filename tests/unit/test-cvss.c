/* CVSS: scores that FIRST's documents and NVD give for known vectors, and vectors that are none. */
#include "intel/cvss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

static void test_scores(void **state)
{
        (void)state;
        static const struct {
                const char *vector;
                unsigned score;
                enum severity severity;
        } cases[] = {
                /* 2.0: the three examples of the specification, section 3.3, and extremes. */
                { "AV:N/AC:L/Au:N/C:N/I:N/A:C", 78, SEVERITY_HIGH },
                { "AV:N/AC:L/Au:N/C:C/I:C/A:C", 100, SEVERITY_HIGH },
                { "AV:L/AC:H/Au:N/C:C/I:C/A:C", 62, SEVERITY_MEDIUM },
                { "AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", 78, SEVERITY_HIGH },
                { "AV:N/AC:M/Au:N/C:P/I:N/A:N", 43, SEVERITY_MEDIUM },
                { "AV:N/AC:L/Au:N/C:N/I:N/A:N", 0, SEVERITY_LOW },
                /* 3.x: FIRST's examples. */
                { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98, SEVERITY_CRITICAL },
                { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100, SEVERITY_CRITICAL },
                { "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61, SEVERITY_MEDIUM },
                { "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64, SEVERITY_MEDIUM },
                { "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31, SEVERITY_LOW },
                { "CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 42, SEVERITY_MEDIUM },
                { "CVSS:3.0/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O/MAV:N", 68, SEVERITY_MEDIUM },
                { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0, SEVERITY_NONE },
                { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:N", 0, SEVERITY_NONE },
                { "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", 59, SEVERITY_MEDIUM },
                /* 4.0: FIRST's examples. */
                { "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 73, SEVERITY_HIGH },
                { "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 77, SEVERITY_HIGH },
                { "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", 83, SEVERITY_HIGH },
                { "CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", 46, SEVERITY_MEDIUM },
                { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 51, SEVERITY_MEDIUM },
                { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:A", 87, SEVERITY_HIGH },
                { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H/E:A", 100, SEVERITY_CRITICAL },
                { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 93, SEVERITY_CRITICAL },
                /* Threat, environmental and supplemental metrics do not count. */
                { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U/CR:L/MAV:P/MSI:S/S:P/U:Amber",
                  93, SEVERITY_CRITICAL },
                { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0, SEVERITY_NONE },
                { "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:N/VI:N/VA:N/SC:N/SI:N/SA:L", 10, SEVERITY_LOW },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct cvss c;
                if (!cvss_parse(str_of(cases[i].vector), &c))
                        fail_msg("refused: %s", cases[i].vector);
                if (c.score != cases[i].score || c.severity != cases[i].severity)
                        fail_msg("%s: %u %s", cases[i].vector, c.score, severity_name(c.severity));
                assert_int_equal(c.major, strncmp(cases[i].vector, "CVSS:", 5) == 0 ? cases[i].vector[5] - '0' : 2);
        }
}

static void test_refused(void **state)
{
        (void)state;
        static const char *const cases[] = {
                "",
                "CVSS:3.1/",
                "CVSS:3.1",
                "x",
                "/",
                "7.5",
                "CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/",
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/A:H",
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X",
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:",
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/Q:H",
                "AV:N/AC:L/Au:N/C:N/I:N",
                "(AV:N/AC:L/Au:N/C:N/I:N/A:C)",
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:R/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:S/SA:N",
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/U:amber",
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct cvss c;
                if (cvss_parse(str_of(cases[i]), &c))
                        fail_msg("taken: %s", cases[i]);
        }
}

/* A worse metric never lowers a score. */
static void test_4_is_monotone(void **state)
{
        (void)state;
        static const char *const levels[11] = { "NALP", "LH",  "NP",  "NLH", "NPA", "HLN",
                                                "HLN",  "HLN", "HLN", "HLN", "HLN" };
        static const char *const names[11] = { "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA" };
        static unsigned scores[4 * 2 * 2 * 3 * 3 * 729];
        size_t strides[11], total = 1;
        for (size_t m = 0; m < 11; m++) {
                strides[m] = total;
                total *= strlen(levels[m]);
        }
        assert_int_equal(total, ARRAY_SIZE(scores));
        for (size_t i = 0; i < total; i++) {
                char vector[128] = "CVSS:4.0";
                size_t n = strlen(vector);
                for (size_t m = 0; m < 11; m++)
                        n += (size_t)snprintf(vector + n, sizeof(vector) - n, "/%s:%c", names[m],
                                              levels[m][i / strides[m] % strlen(levels[m])]);
                struct cvss c;
                assert_true(cvss_parse(str_of(vector), &c));
                assert_true(c.score <= 100);
                scores[i] = c.score;
        }
        for (size_t i = 0; i < total; i++)
                for (size_t m = 0; m < 11; m++)
                        if (i / strides[m] % strlen(levels[m]) > 0 && scores[i] > scores[i - strides[m]])
                                fail_msg("vector %zu: a milder %s raises the score", i, names[m]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_scores),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_4_is_monotone),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
