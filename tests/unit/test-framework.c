/* The tables of NIST SP 800-190 and ATT&CK, and what the tags of rules mean. */
#include "flow/framework-coverage.h"
#include "intel/framework.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void test_techniques(void **state)
{
        static const struct {
                const char *asked, *id, *name, *parent;
        } cases[] = {
                { "T1059", "T1059", "Command and Scripting Interpreter", NULL },
                { "T1059.004", "T1059.004", "Unix Shell", "T1059" },
                { "t1059.013", "T1059.013", "Container CLI/API", "T1059" },
                { "T1086", "T1059.001", "PowerShell", "T1059" },
                { "T1002", "T1560", "Archive Collected Data", NULL },
                { "T1034", "T1034", "Path Interception", NULL },
                { "T9999", NULL, NULL, NULL },
                { "T1059.999", NULL, NULL, NULL },
                { "", NULL, NULL, NULL },
                { "T1059.004.004.004.004.004", NULL, NULL, NULL },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct technique *t = technique_find(str_of(cases[i].asked));
                if (!t || !cases[i].id) {
                        if (t || cases[i].id)
                                fail_msg("%s", cases[i].asked);
                        continue;
                }
                assert_string_equal(t->id, cases[i].id);
                assert_string_equal(t->name, cases[i].name);
                const struct technique *parent = technique_parent(t);
                assert_true(parent ? cases[i].parent && strcmp(parent->id, cases[i].parent) == 0 : !cases[i].parent);
        }
        assert_true(technique_is(technique_find(STR("T1611")), "privilege-escalation"));
        assert_false(technique_is(technique_find(STR("T1611")), "escalation"));
        assert_true(technique_runs_on(technique_find(STR("T1611")), "Containers"));
}

/* Sorted, every replacement leads to a row, no chain of them goes round, every tactic is one. */
static void test_attack_is_sound(void **state)
{
        size_t n, for_containers = 0;
        const struct technique *all = technique_all(&n);
        assert_true(n > 800);
        for (size_t i = 0; i < n; i++) {
                assert_true(i == 0 || strcmp(all[i - 1].id, all[i].id) < 0);
                const struct technique *t = technique_find(str_of(all[i].id));
                assert_non_null(t);
                assert_true(!*t->replaced_by);
                struct str rest = str_of(all[i].tactics);
                while (rest.p) {
                        struct str tactic = str_cut(&rest, ',');
                        if (!tactic_find(tactic))
                                fail_msg("%s: tactic %.*s", all[i].id, STR_FMT(tactic));
                }
                for_containers += strcmp(all[i].status, "active") == 0 && technique_runs_on(&all[i], "Containers");
        }
        assert_int_equal(for_containers, 48);
}

static void test_nist(void **state)
{
        size_t n, countermeasures = 0;
        const struct nist_section *all = nist_all(&n);
        assert_int_equal(n, 47);
        for (size_t i = 0; i < n; i++) {
                assert_ptr_equal(nist_find(str_of(all[i].id)), &all[i]);
                assert_true(*all[i].title);
                if (!*all[i].answers)
                        continue;
                const struct nist_section *risk = nist_find(str_of(all[i].answers));
                assert_non_null(risk);
                assert_string_equal(risk->id + 1, all[i].id + 1);
                countermeasures++;
        }
        assert_int_equal(countermeasures, 23);
        assert_null(nist_find(STR("4.1")));
        assert_null(nist_find(STR("")));
}

static void test_tags(void **state)
{
        static const struct {
                const char *tag;
                enum tag_kind kind;
                const char *id; /* of what it means */
        } cases[] = {
                { "NIST-800-190:4.1.1", TAG_NIST, "4.1.1" },
                { "NIST_800-190_3.5.5", TAG_NIST, "3.5.5" },
                { "nist-sp-800-190:4.6", TAG_NIST, "4.6" },
                { "NIST_800-190", TAG_NIST_ALL, NULL },
                { "NIST-800-190:9.9", TAG_UNKNOWN, NULL },
                { "NIST-800-190:", TAG_UNKNOWN, NULL },
                { "NIST_800-1900", TAG_OTHER, NULL },
                { "NIST_800-53_AC-2", TAG_OTHER, NULL },
                { "T1059", TAG_TECHNIQUE, "T1059" },
                { "T1059.004", TAG_TECHNIQUE, "T1059.004" },
                { "T1086", TAG_TECHNIQUE, "T1059.001" },
                { "MITRE_T1059.004", TAG_TECHNIQUE, "T1059.004" },
                { "MITRE_T1190_exploit_public_facing_application", TAG_TECHNIQUE, "T1190" },
                { "T1059.998", TAG_UNKNOWN, NULL },
                { "T0001", TAG_UNKNOWN, NULL },
                { "T10590", TAG_OTHER, NULL },
                { "T1059_x", TAG_OTHER, NULL },
                { "mitre_execution", TAG_TACTIC, "TA0002" },
                { "mitre_command_and_control", TAG_TACTIC, "TA0011" },
                { "MITRE_TA0002", TAG_TACTIC, "TA0002" },
                { "MITRE_TA0005_defense_evasion", TAG_TACTIC, "TA0005" },
                { "TA0010", TAG_TACTIC, "TA0010" },
                { "TA9999", TAG_UNKNOWN, NULL },
                { "mitre_mischief", TAG_UNKNOWN, NULL },
                { "mitre_", TAG_UNKNOWN, NULL },
                { "maturity_stable", TAG_OTHER, NULL },
                { "PCI_DSS_10.2.5", TAG_OTHER, NULL },
                { "container", TAG_OTHER, NULL },
                { "TCP", TAG_OTHER, NULL },
                { "", TAG_OTHER, NULL },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct framework_tag t = framework_tag_parse(str_of(cases[i].tag));
                const char *id = t.nist ? t.nist->id : t.technique ? t.technique->id : t.tactic ? t.tactic->id : NULL;
                if (t.kind != cases[i].kind ||
                    (id ? !cases[i].id || strcmp(id, cases[i].id) != 0 : cases[i].id != NULL))
                        fail_msg("%s: %d %s", cases[i].tag, t.kind, id ? id : "nothing");
                assert_int_equal(t.is_renumbered, strcmp(cases[i].tag, "T1086") == 0);
        }
}

static const struct coverage_row *row_of(const struct framework_coverage *c, const char *id)
{
        for (size_t i = 0; i < c->n_rows; i++)
                if (str_is(c->rows[i].id, id))
                        return &c->rows[i];
        return NULL;
}

static void test_coverage(void **state)
{
        struct arena arena = ARENA_INIT;
        struct str one[] = { STR("NIST-800-190:4.1.1"), STR("T1053.007"), STR("T1086"), STR("mitre_execution") };
        struct str two[] = { STR("NIST-800-190:3.1.1"), STR("NIST-800-190:7"), STR("T1611"), STR("T1611"),
                             STR("T9999") };
        const struct coverage_rule rules[] = { { STR("one"), STR("a:1"), { one, ARRAY_SIZE(one) } },
                                               { STR("two"), STR("a:2"), { two, ARRAY_SIZE(two) } },
                                               { STR("three"), STR("a:3"), { 0 } } };
        struct framework_coverage c;
        frameworks[0]->cover(rules, 3, &arena, &c);
        assert_int_equal(c.n_rows, 24);
        assert_int_equal(row_of(&c, "4.1.1")->n_rules, 2); /* by itself, and by the risk that it answers */
        assert_int_equal(row_of(&c, "4.1.2")->state, COVERAGE_OPEN);
        assert_int_equal(row_of(&c, "4.6")->state, COVERAGE_OPEN);
        assert_int_equal(c.n_remarks, 1);
        assert_true(str_is(c.remarks[0].tag, "NIST-800-190:7") && c.remarks[0].rule == 1);

        frameworks[1]->cover(rules, 3, &arena, &c);
        assert_int_equal(row_of(&c, "T1611")->state, COVERAGE_COVERED);
        assert_int_equal(row_of(&c, "T1611")->n_rules, 1);
        assert_int_equal(row_of(&c, "T1053")->state, COVERAGE_IN_PART);
        assert_int_equal(row_of(&c, "T1053.007")->state, COVERAGE_COVERED);
        assert_int_equal(row_of(&c, "T1612")->state, COVERAGE_OPEN);
        assert_false(row_of(&c, "T1059.001")->is_counted); /* beyond containers, but a rule names it */
        assert_false(row_of(&c, "TA0002")->is_counted);
        assert_null(row_of(&c, "T1059.003"));
        assert_int_equal(c.n_remarks, 2);
        assert_true(str_is(c.remarks[0].words, "is now T1059.001 (PowerShell)"));
        assert_true(str_is(c.remarks[1].tag, "T9999"));

        frameworks[1]->cover(NULL, 0, &arena, &c);
        assert_int_equal(c.n_rows, 48);
        arena_done(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_techniques), cmocka_unit_test(test_attack_is_sound), cmocka_unit_test(test_nist),
                cmocka_unit_test(test_tags),       cmocka_unit_test(test_coverage),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
