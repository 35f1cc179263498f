/* The reader of control requests, and what the agent counts. */
#include "base/buf.h"
#include "sense/container.h"
#include "serve/control.h"
#include "serve/stats.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void requests_are_a_table(void **state)
{
        struct arena arena = ARENA_INIT;
        struct control_request r;
        for (unsigned i = 0; i < CONTROL_VERBS; i++) {
                char line[64];
                snprintf(line, sizeof(line), "{\"request\":\"%s\"}", control_verbs[i].name);
                assert_int_equal(control_parse(str_of(line), &arena, &r, NULL), 0);
                assert_int_equal(r.verb, i);
        }
        assert_int_equal(
                control_parse(STR("{\"filter\":\"evt.type = execve\",\"request\":\"events\"}"), &arena, &r, NULL), 0);
        assert_true(str_is(r.filter, "evt.type = execve"));
        arena_done(&arena);
}

static void anything_else_is_refused(void **state)
{
        static const char *const lines[] = {
                "",
                "{}",
                "[]",
                "status",
                "{\"request\":\"kill\"}",
                "{\"request\":\"Status\"}",
                "{\"request\":1}",
                "{\"request\":\"status\",\"filter\":\"x\"}",
                "{\"request\":\"events\",\"filter\":1}",
                "{\"request\":\"events\",\"odd\":\"x\"}",
                "{\"request\":\"mode\",\"container\":\"x\"}",
                "{\"request\":\"status\"} {\"request\":\"status\"}",
        };
        struct arena arena = ARENA_INIT;
        struct control_request r;
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                struct error err = ERROR_NONE;
                if (control_parse(str_of(lines[i]), &arena, &r, &err) != -EBADMSG || !err.text[0])
                        fail_msg("taken: %s", lines[i]);
        }
        char *line = malloc(CONTROL_REQUEST_MAX);
        int n = snprintf(line, CONTROL_REQUEST_MAX, "{\"request\":\"events\",\"filter\":\"%0*d\"}",
                         CONTROL_FILTER_MAX + 1, 0);
        assert_int_equal(control_parse(str_span(line, (size_t)n), &arena, &r, NULL), -EBADMSG);
        free(line);
        arena_done(&arena);
}

static bool prints(const struct stats *s, const char *line)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(1u << 20);
        stats_print(s, &b);
        return str_find(buf_str(&b), str_of(line)) >= 0;
}

static void counters_print_as_prometheus_reads(void **state)
{
        struct stats s;
        char label[256];
        stats_init(&s);
        uint64_t *a = stats_counter(&s, STATS_COUNTER, "x_total", "X.", "k=\"1\"");
        *stats_counter(&s, STATS_GAUGE, "y", "Y.", "") = 7;
        *stats_counter(&s, STATS_COUNTER, "x_total", "X.", stats_label("k", STR("a\"b\\c\nd"), label)) = 2;
        *a += 5;
        assert_ptr_equal(a, stats_counter(&s, STATS_COUNTER, "x_total", "X.", "k=\"1\""));
        assert_true(prints(
                &s,
                "# HELP x_total X.\n# TYPE x_total counter\nx_total{k=\"1\"} 5\nx_total{k=\"a\\\"b\\\\c\\nd\"} 2\n"));
        assert_true(prints(&s, "# TYPE y gauge\ny 7\n"));
        for (unsigned i = 0; i < 2 * STATS_COUNTERS_MAX; i++) {
                snprintf(label, sizeof(label), "k=\"n%u\"", i);
                ++*stats_counter(&s, STATS_COUNTER, "x_total", "X.", label);
        }
        assert_int_equal(s.n_counters, STATS_COUNTERS_MAX);
        assert_int_equal(s.refused.value, STATS_COUNTERS_MAX + 3);
        stats_done(&s);
}

static void latency_is_a_histogram(void **state)
{
        struct stats s;
        stats_init(&s);
        struct alert a = { .rule_name = "r", .priority = PRIORITY_ERROR, .time_ns = 1 };
        stats_alert(&s, &a, 0);
        stats_alert(&s, &a, 10000000);
        stats_alert(&s, &a, 10000001);
        stats_alert(&s, &a, INT64_C(90000000000));
        stats_alert(&s, &a, -1); /* not measured */
        assert_true(prints(&s, "_bucket{le=\"0.00025\"} 1\n"));
        assert_true(prints(&s, "_bucket{le=\"0.01\"} 2\n"));
        assert_true(prints(&s, "_bucket{le=\"0.025\"} 3\n"));
        assert_true(prints(&s, "_bucket{le=\"1\"} 3\n"));
        assert_true(prints(&s, "_bucket{le=\"+Inf\"} 4\n"));
        assert_true(prints(&s, "_count 4\n"));
        assert_true(prints(&s, "sekisho_agent_alerts_total{priority=\"Error\"} 5\n"));
        stats_done(&s);
}

static void containers_come_and_go(void **state)
{
        struct stats s;
        struct container_entry a = { .id = STR("aaa") }, b = { .id = STR("bbb") };
        stats_init(&s);
        for (int i = 0; i < 10; i++)
                stats_event(&s, OBSERVE_EXEC, &a);
        stats_event(&s, OBSERVE_FORK, &b);
        stats_event(&s, OBSERVE_FORK, NULL);
        stats_look(&s, INT64_C(1000000000));
        for (int i = 0; i < 20; i++)
                stats_event(&s, OBSERVE_EXEC, &a);
        stats_look(&s, INT64_C(1500000000)); /* too early */
        stats_look(&s, INT64_C(3000000000));
        assert_int_equal(stats_of(&s, STR("aaa"))->per_second, 10);
        assert_int_equal(stats_of(&s, STR_NONE)->events, 1);
        stats_forget(&s, STR("aaa"));
        assert_null(stats_of(&s, STR("aaa")));
        assert_int_equal(stats_of(&s, STR("bbb"))->events, 1);
        stats_forget(&s, STR("zzz"));
        for (unsigned i = 0; i < 2 * STATS_CONTAINERS_MAX; i++) {
                char id[16];
                snprintf(id, sizeof(id), "c%u", i);
                stats_event(&s, OBSERVE_EXEC, &(struct container_entry){ .id = str_of(id) });
        }
        assert_int_equal(s.containers.n, STATS_CONTAINERS_MAX);
        for (unsigned i = 0; i < STATS_CONTAINERS_MAX; i += 2) { /* whoever moves into a free place is found there */
                char id[16];
                snprintf(id, sizeof(id), "c%u", i);
                stats_forget(&s, str_of(id));
                assert_null(stats_of(&s, str_of(id)));
        }
        assert_int_equal(stats_of(&s, STR("c1"))->events, 1);
        for (unsigned i = 1; i < STATS_CONTAINERS_MAX; i += 2) {
                char id[16];
                snprintf(id, sizeof(id), "c%u", i);
                stats_forget(&s, str_of(id));
        }
        stats_forget(&s, STR("bbb"));
        assert_int_equal(s.containers.n, 1);
        assert_true(s.containers.size < 16);
        stats_done(&s);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(requests_are_a_table),
                cmocka_unit_test(anything_else_is_refused),
                cmocka_unit_test(counters_print_as_prometheus_reads),
                cmocka_unit_test(latency_is_a_histogram),
                cmocka_unit_test(containers_come_and_go),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
