/* serve/: kill rules as masks, against the conditions themselves; the table of fields against the getters; alerts. */
#include "serve/alert.h"
#include "serve/limit.h"
#include "serve/record.h"
#include "serve/rules.h"

#include "bpf/shared/exe.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CASE(layer, deleted, inside) (UINT32_C(1) << exe_case(layer, deleted, inside))

static void masks(void **state)
{
        const struct {
                const char *condition;
                uint32_t mask;
        } cases[] = {
                { "evt.type = execve and proc.in_container = true and proc.exe.layer = upper",
                  CASE(EXE_LAYER_UPPER, 0, 1) | CASE(EXE_LAYER_UPPER, 1, 1) },
                { "proc.is_exe_from_memfd = true and not proc.in_container = true",
                  CASE(EXE_LAYER_MEMFD, 0, 0) | CASE(EXE_LAYER_MEMFD, 1, 0) },
                { "proc.exe.layer = tmpfs and proc.exe.deleted = true and proc.in_container = true",
                  CASE(EXE_LAYER_TMPFS, 1, 1) },
                { "evt.type = connect and proc.exe.layer = upper", 0 },
                { "evt.type = execve or evt.type = open", (UINT32_C(1) << EXE_CASES) - 1 },
                /* A name that can make no difference is never asked for. */
                { "evt.type = open and proc.name = x", 0 },
        };
        struct arena arena = ARENA_INIT;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint32_t mask = 0;
                struct str field;
                int r = kill_mask_of(str_of(cases[i].condition), &mask, &arena, &field);
                if (r != 0 || mask != cases[i].mask)
                        fail_msg("%s: %d %08x, wanted %08x", cases[i].condition, r, mask, cases[i].mask);
        }
        arena_done(&arena);
}

static void undecidable(void **state)
{
        static const char *const cases[][2] = {
                { "proc.exe.layer = upper and proc.name = evil", "proc.name" },
                { "proc.exe.layer = upper and not proc.name = good", "proc.name" },
                { "proc.exe.layer = upper and container.id != host", "container.id" },
                { "proc.exe.layer = upper and proc.aname[2] = nginx", "proc.aname[2]" },
                { "proc.exepath startswith /tmp", "proc.exepath" },
        };
        struct arena arena = ARENA_INIT;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint32_t mask;
                struct str field = STR_NONE;
                assert_int_equal(kill_mask_of(str_of(cases[i][0]), &mask, &arena, &field), RULES_WRONG);
                assert_true(str_is(field, cases[i][1]));
        }
        arena_done(&arena);
}

static void embedded_rules_load(void **state)
{
        struct agent_rules rules;
        struct problems problems = { 0 };
        assert_int_equal(agent_rules_load(NULL, 0, &rules, &problems, NULL), 0);
        assert_int_equal(problems.n_errors + problems.n_warnings, 0);
        for (size_t i = 0; i < rule_set_n(rules.set); i++)
                assert_int_equal(rules.kill_masks[i], 0); /* nobody is killed who was not asked for */
        for (size_t i = 0; i < rule_set_n(rules.set); i++) {
                struct arena arena = ARENA_INIT;
                struct rule_needs needs;
                rule_set_needs(rules.set, i, &arena, &needs);
                assert_int_equal(needs.n_missing, 0);
                assert_true(rule_set_rule(rules.set, i)->tags.n > 0);
                arena_done(&arena);
        }
        problems_done(&problems);
        agent_rules_done(&rules);
}

static void delivered_is_delivered(void **state)
{
        for (unsigned i = 0; i < FIELDS; i++)
                if (fields[i].stages & STAGE_SYSCALL && event_delivers((enum field_id)i) != (fields[i].missing == NULL))
                        fail_msg("%s", fields[i].name);
}

/* Every getter, of every kind of event, with nothing known but the event: an answer or none, and no harm. */
static void getters_stand_nothing(void **state)
{
        struct process_table processes;
        process_table_init(&processes);
        for (unsigned kind = 0; kind < OBSERVE_KINDS; kind++)
                for (unsigned i = 0; i < FIELDS; i++) {
                        struct arena arena = ARENA_INIT;
                        struct event event = { .kind = (enum observe_kind)kind };
                        struct container_entry container = { .arena = ARENA_INIT };
                        struct event_record r = { .event = &event, .processes = &processes, .arena = &arena };
                        struct field_ref ref = { .field = &fields[i], .key = STR("x"), .text = str_of(fields[i].name) };
                        struct record record = event_record(&r);
                        struct value v;
                        for (unsigned known = 0; known < 4; known++) {
                                struct process *p = known & 1 ? process_get(&processes, 5) : NULL;
                                r.process = p;
                                r.container = known & 2 ? &container : NULL;
                                record.get(record.ctx, &ref, &v);
                                bool is_wrong =
                                        v.type != VALUE_ABSENT && v.type != VALUE_LIST && v.type != fields[i].type;
                                if (is_wrong)
                                        fail_msg("%s is a %s", fields[i].name, value_type_name(v.type));
                        }
                        arena_done(&arena);
                }
        process_table_done(&processes);
}

static void alerts_are_json(void **state)
{
        char path[] = "/tmp/sekisho-alert-XXXXXX", text[4096];
        close(mkstemp(path));
        struct alert_sink sink = { .path = path, .fd = -1 };
        struct alert_field extra = { "lost.exec", value_number(3) };
        assert_int_equal(alert_open(&sink, NULL), 0);
        struct alert a = { .rule_name = "a \"rule\"",
                           .priority = PRIORITY_WARNING,
                           .source = "internal",
                           .time_ns = INT64_C(1700000000123456789),
                           .output = STR("line\nbreak \xff\x1b[31m"),
                           .extras = &extra,
                           .n_extras = 1 };
        alert_write(&sink, &a);
        alert_write(&sink, &a);
        alert_close(&sink);
        FILE *f = fopen(path, "r");
        size_t lines = 0;
        while (fgets(text, sizeof(text), f)) {
                json_t *j = json_loads(text, 0, NULL);
                assert_non_null(j);
                assert_string_equal(json_string_value(json_object_get(j, "time")), "2023-11-14T22:13:20.123456789Z");
                assert_string_equal(json_string_value(json_object_get(j, "rule")), "a \"rule\"");
                assert_string_equal(json_string_value(json_object_get(j, "priority")), "Warning");
                assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "output_fields"), "lost.exec")),
                                 3);
                json_decref(j);
                lines++;
        }
        fclose(f);
        assert_int_equal(lines, 2);
        assert_int_equal(sink.written, 2);
        unlink(path);
        sink = (struct alert_sink){ .path = "/dev/full", .fd = -1 };
        assert_int_equal(alert_open(&sink, NULL), 0);
        alert_write(&sink, &a);
        assert_int_equal(sink.failed, 1);
        alert_close(&sink);
        sink.path = "/nonexistent/x";
        assert_true(alert_open(&sink, NULL) < 0);
}

static void repetition_is_held_back(void **state)
{
        struct limiter l = { 0 };
        uint64_t held = 0;
        for (int i = 0; i < LIMIT_BURST; i++)
                assert_true(limiter_pass(&l, 1, STR("a"), 0));
        for (int i = 0; i < 5; i++)
                assert_false(limiter_pass(&l, 1, STR("a"), 0));
        assert_true(limiter_pass(&l, 2, STR("a"), 0)); /* another rule, another container */
        assert_true(limiter_pass(&l, 1, STR("b"), 0));
        assert_null(limiter_take_held(&l, 1, false, &held)); /* it goes on */
        const struct limit_pair *p = limiter_take_held(&l, VALUE_SECOND, false, &held);
        assert_non_null(p);
        assert_int_equal(held, 5);
        assert_int_equal(p->rule, 1);
        assert_string_equal(p->container, "a");
        assert_null(limiter_take_held(&l, VALUE_SECOND, true, &held));
        for (int i = 0; i < LIMIT_PER_SECOND; i++)
                assert_true(limiter_pass(&l, 1, STR("a"), VALUE_SECOND));
        assert_false(limiter_pass(&l, 1, STR("a"), VALUE_SECOND));
        assert_non_null(limiter_take_held(&l, VALUE_SECOND, true, &held));
        assert_int_equal(held, 1);
        for (int i = 0; i < LIMIT_BURST; i++) /* no more than the burst, however long it was quiet */
                assert_true(limiter_pass(&l, 1, STR("a"), 9999 * VALUE_SECOND));
        assert_false(limiter_pass(&l, 1, STR("a"), 9999 * VALUE_SECOND));
        for (size_t i = l.pairs.n; i < LIMIT_PAIRS_MAX; i++)
                assert_true(limiter_pass(&l, 1000 + i, STR("a"), 0));
        assert_true(limiter_is_full(&l));
        limiter_clear(&l);
        assert_true(limiter_pass(&l, 1, STR("a"), 0));
        limiter_done(&l);
}

static void quiet_pairs_take_no_memory(void **state)
{
        struct limiter l = { 0 };
        uint64_t held = 0;
        for (size_t i = 0; i < 1000; i++)
                assert_true(limiter_pass(&l, i, STR("a"), 0));
        for (size_t i = 0; i < LIMIT_BURST; i++) /* both hold one back at the end */
                assert_true(limiter_pass(&l, 501, STR("a"), 0) == (i < LIMIT_BURST - 1) &&
                            limiter_pass(&l, 500, STR("a"), 0) == (i < LIMIT_BURST - 1));
        limiter_rest(&l, 0);
        assert_int_equal(l.pairs.n, 1000); /* each has let an alert pass just now */
        while (limiter_take_held(&l, 0, true, &held))
                assert_int_equal(held, 1);
        limiter_rest(&l, VALUE_SECOND);
        assert_int_equal(l.pairs.n, 2);
        assert_true(l.pairs.size < 100);
        for (size_t i = 0; i < LIMIT_PER_SECOND; i++)
                assert_true(limiter_pass(&l, 501, STR("a"), VALUE_SECOND));
        assert_false(limiter_pass(&l, 501, STR("a"), VALUE_SECOND)); /* what they have used is not given back to them */
        limiter_rest(&l, 9999 * VALUE_SECOND);
        assert_int_equal(l.pairs.n, 1); /* what was held back waits to be told */
        assert_non_null(limiter_take_held(&l, 9999 * VALUE_SECOND, false, &held));
        assert_int_equal(held, 1);
        limiter_rest(&l, 9999 * VALUE_SECOND);
        assert_int_equal(l.pairs.n, 0);
        assert_true(limiter_pass(&l, 501, STR("a"), 9999 * VALUE_SECOND));
        limiter_done(&l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(masks),
                cmocka_unit_test(undecidable),
                cmocka_unit_test(embedded_rules_load),
                cmocka_unit_test(delivered_is_delivered),
                cmocka_unit_test(getters_stand_nothing),
                cmocka_unit_test(alerts_are_json),
                cmocka_unit_test(repetition_is_held_back),
                cmocka_unit_test(quiet_pairs_take_no_memory),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
