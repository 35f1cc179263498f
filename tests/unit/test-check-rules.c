/* Checks that are rules: what conditions see of a part, where findings stand, and files of users. */
#include "analyze/check-rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static const struct yaml_node *yaml(const char *text)
{
        struct yaml y;
        struct error err = ERROR_NONE;
        assert_int_equal(yaml_read(str_of(text), &arena, &y, &err), 0);
        return y.documents[0];
}

static const struct fact_check *last;
static size_t n_found;

static void take(struct sink *s, enum fact_kind kind, const void *fact)
{
        if (kind != FACT_check)
                return;
        struct fact_check *f = arena_new(&arena, struct fact_check);
        fact_copy(FACT_check, &arena, fact, f);
        last = f;
        n_found++;
}

/* How many findings a condition makes of the part, with these rules alone. */
static size_t hits(const char *condition, const struct resource *r)
{
        static const char form[] = "- rule: X-1\n  desc: x\n  severity: low\n  output: \"%%resource.name "
                                   "%%resource.value[list]\"\n  condition: >\n    resource.name exists and (%s)\n";
        struct problems problems = { 0 };
        struct str text = arena_printf(&arena, form, condition);
        struct check_rule_file file = { STR("own.yaml"), text };
        if (check_rules_add(&file, 1, &problems) != 0)
                fail_msg("%s: %.*s", condition, STR_FMT(problems.v[0].words));
        problems_done(&problems);
        struct check_settings settings = { 0 };
        struct check_page page;
        struct sink sink = { .put = take };
        n_found = 0;
        check_page_begin(&page, STR("a.yaml"), &settings, &arena);
        check_rules_run(&page, r);
        check_page_end(&page, &sink);
        return n_found;
}

static void paths(void **state)
{
        static const struct {
                const char *condition;
                bool is_true;
        } cases[] = {
                { "resource.value[a.b] = c", true },
                { "resource.value.a.b = c", true },
                { "resource.value[a.b] = d", false },
                { "resource.value[a] exists", false }, /* an object has no text */
                { "resource.has[a] = true", true },
                { "resource.has[nothing] = true", false },
                { "resource.has[null] = true", false },
                { "resource.value[list] = 2", true },
                { "resource.value[list] = 3", false },
                { "resource.value[list] != 3", true },
                { "resource.value[list] != 2", false },
                { "resource.number[list] > 1", true },
                { "resource.number[list] > 2", false },
                { "resource.number[a.b] exists", false },
                { "resource.count[list] = 2", true },
                { "resource.count[a] = 1", true },
                { "resource.count[a.b] = 0", true },
                { "resource.value[objects.name] in (w, z)", true },
                { "resource.value[objects.name] = z", false },
                { "resource.value[objects.inner.deep] = 7", true },
                { "resource.value[yes] = true", true },
                { "resource.value[quoted] = true", false },
                { "resource.value[quoted] = yes", true },
                { "not resource.value[nothing] = true", true },
                { "resource.value[nothing] != true", false },
                { "resource.value[empty] = \"\"", true },
                { "resource.object[top] = t", true },
                { "resource.label[app.kubernetes.io/name] = web", true },
                { "resource.annotation[x] exists", false },
                { "resource.file = a.yaml", true },
                { "resource.text exists", false },
        };
        const struct yaml_node *object = yaml("top: t\n"
                                              "metadata: {labels: {app.kubernetes.io/name: web}}\n"
                                              "part:\n"
                                              "  a: {b: c}\n"
                                              "  'null': ~\n"
                                              "  list: [1, 2]\n"
                                              "  objects: [{name: v}, {name: w, inner: [{deep: 7}]}, 3]\n"
                                              "  'yes': on\n"
                                              "  quoted: 'yes'\n"
                                              "  empty: ''\n");
        struct resource r = { .format = "kubernetes", .part = "object", .name = STR("n"), .line = 1, .object = object };
        r.node = yaml_get(object, "part");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (hits(cases[i].condition, &r) != cases[i].is_true)
                        fail_msg("%s is %s", cases[i].condition, cases[i].is_true ? "false" : "true");
        assert_int_equal(hits("resource.value[list] exists", &r), 1);
        assert_int_equal(last->line, 6); /* there where the value of its output stands */
        assert_true(str_is(last->detail, "n (1,2)"));
        assert_true(str_is(last->id, "X-1"));
        struct str deep = STR("resource.value[a");
        for (size_t i = 0; i < CHECK_PATH_NAMES; i++)
                deep = arena_printf(&arena, "%.*s.a", STR_FMT(deep));
        assert_int_equal(hits(arena_cstr(&arena, arena_printf(&arena, "%.*s] exists", STR_FMT(deep))), &r), 0);
        arena_done(&arena);
}

static void every_field_is_answered(void **state)
{
        struct dockerfile d;
        dockerfile_read(STR("FROM --platform=linux/amd64 a AS b\nENV X=1 Y=2\n"), &arena, &d);
        const struct str commands[] = { STR_INIT("id") };
        struct resource parts[] = {
                { .format = "dockerfile",
                  .part = "instruction",
                  .kind = STR("FROM"),
                  .name = STR("n"),
                  .stage = STR("b"),
                  .instruction = &d.instructions[0],
                  .commands = commands,
                  .n_commands = 1 },
                { .format = "kubernetes",
                  .part = "object",
                  .kind = STR("Pod"),
                  .name = STR("n"),
                  .object_name = STR("Pod n"),
                  .namespace = STR("s"),
                  .api_version = STR("v1") },
        };
        parts[1].object = parts[1].node = yaml("x: 1\nmetadata: {labels: {x: l}, annotations: {x: a}}\n");
        for (size_t i = 0; i < FIELDS; i++) {
                if (!(fields[i].stages & STAGE_CHECK))
                        continue;
                const char *key = fields[i].argument == ARGUMENT_KEY_REQUIRED ? "[x]" : "";
                const char *condition = arena_cstr(&arena, arena_printf(&arena, "%s%s exists", fields[i].name, key));
                if (hits(condition, &parts[0]) + hits(condition, &parts[1]) == 0)
                        fail_msg("%s has no getter", fields[i].name);
        }
        assert_int_equal(hits("resource.value[flag.platform] = linux/amd64", &parts[0]), 1);
        assert_int_equal(hits("resource.value[word] contains a", &parts[0]), 1);
        assert_int_equal(hits("resource.value[command] = id and resource.count[command] = 1", &parts[0]), 1);
        parts[0].instruction = &d.instructions[1];
        assert_int_equal(hits("resource.number[pair.Y] > 1 and resource.has[pair.X] = true", &parts[0]), 1);
        arena_done(&arena);
}

static void shipped_checks_can_be_changed(void **state)
{
        struct problems problems = { 0 };
        struct check_rule_file file = { STR("own.yaml"), STR("- rule: SK-K8S-104\n"
                                                             "  severity: high\n"
                                                             "  override: { severity: replace }\n"
                                                             "- rule: OWN-1\n"
                                                             "  desc: own\n"
                                                             "  severity: low\n"
                                                             "  condition: resource.kind = x\n"
                                                             "  tags: [\"alias:O-1\", optional, T1000]\n") };
        assert_int_equal(check_rules_add(&file, 1, &problems), 0);
        problems_done(&problems);
        const struct check *changed = check_find(STR("SK-K8S-104")), *own = check_find(STR("o-1"));
        assert_int_equal(changed->severity, SEVERITY_HIGH);
        assert_string_equal(changed->aliases, "KSV-0018");
        assert_string_equal(own->id, "OWN-1");
        assert_string_equal(own->tags, "T1000");
        assert_true(own->is_quiet);
}

static void mistakes_change_nothing(void **state)
{
        static const char *const wrong[] = {
                "- rule: A\n  desc: x\n  condition: resource.kind = x\n",                    /* no severity */
                "- rule: A\n  desc: x\n  severity: grave\n  condition: resource.kind = x\n", /* no such one */
                "- rule: A\n  desc: x\n  severity: low\n  condition: vuln.id = x\n",         /* another stage's */
                "- rule: A\n  desc: x\n  severity: low\n  condition: resource.value = x\n",  /* no path */
                "- rule: A\n  desc: x\n  severity: low\n  condition: resource.kin = x\n",    /* no such field */
                "- rule: A\n  severity: low\n  condition: resource.kind = x\n",              /* no title */
        };
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                struct problems problems = { 0 };
                struct check_rule_file file = { STR("own.yaml"), str_of(wrong[i]) };
                assert_int_equal(check_rules_add(&file, 1, &problems), RULES_WRONG);
                assert_int_not_equal(problems.n_errors, 0);
                problems_done(&problems);
                assert_null(check_find(STR("A")));
                assert_non_null(check_find(STR("SK-K8S-104")));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(mistakes_change_nothing),
                cmocka_unit_test(paths),
                cmocka_unit_test(every_field_is_answered),
                cmocka_unit_test(shipped_checks_can_be_changed),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
