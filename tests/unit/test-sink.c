/* The shapes that alerts take on their way to others. */
#include "serve/sink.h"

#include "intel/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char alert[] =
        "{\"time\":\"2026-11-26T12:24:31.123456789Z\",\"rule\":\"R\",\"priority\":\"Warning\",\"source\":\"syscall\","
        "\"hostname\":\"h\",\"action\":\"killed\",\"incident\":7,\"tags\":[\"T1059.004\",\"x\"],\"output\":\"o\","
        "\"output_fields\":{\"proc.pid\":9,\"proc.exepath\":\"/opt/x\",\"container.id\":\"host\",\"proc.pname\":null}}";

static void falco_has_its_members(void **state)
{
        _cleanup_(json_freep) json_t *a = sink_falco(STR("{}")), *b = sink_falco(str_of(alert)),
                                     *c = sink_falco(str_of(alert));
        assert_int_equal(json_object_size(b), 9);
        assert_null(json_object_get(b, "action"));
        assert_int_equal(json_member(b, "uuid").n, 36);
        assert_false(str_eq(json_member(b, "uuid"), json_member(c, "uuid")));
        assert_true(json_is_null(json_object_get(a, "rule")));
        assert_null(sink_falco(STR("nonsense")));
        assert_null(sink_falco(STR("[]")));
}

static int64_t number(const json_t *o, const char *name) { return json_integer_value(json_object_get(o, name)); }

static void ocsf_has_its_members(void **state)
{
        _cleanup_(json_freep) json_t *o = sink_ocsf(str_of(alert)), *empty = sink_ocsf(STR("{}"));
        const json_t *info = json_object_get(o, "finding_info"), *attacks = json_object_get(info, "attacks");
        const json_t *process = json_object_get(json_array_get(json_object_get(o, "evidences"), 0), "process");
        assert_int_equal(number(o, "class_uid"), 2004);
        assert_int_equal(number(o, "type_uid"), 200401);
        assert_int_equal(number(o, "severity_id"), 3);
        assert_int_equal(number(o, "time"), INT64_C(1795695871123));
        assert_int_equal(number(o, "action_id"), 2);
        assert_int_equal(number(o, "disposition_id"), 2);
        assert_true(str_ends(json_member(info, "uid"), STR("/7")));
        assert_int_equal(json_array_size(attacks), 1);
        assert_true(str_is(json_member(json_object_get(json_array_get(attacks, 0), "technique"), "uid"), "T1059.004"));
        assert_true(str_is(json_member(json_object_get(json_array_get(attacks, 0), "tactic"), "uid"), "TA0002"));
        assert_int_equal(number(process, "pid"), 9);
        assert_null(json_object_get(process, "container")); /* the host is none */
        assert_null(json_object_get(process, "parent_process"));
        assert_int_equal(number(empty, "class_uid"), 2004);
        assert_null(sink_ocsf(STR("")));
}

static void names_hide_secrets(void **state)
{
        char name[256];
        assert_int_equal(sink_http_check("https://hooks.example.com/services/T0/B0/key?x=y", name, NULL), 0);
        assert_string_equal(name, "https://hooks.example.com");
        assert_int_equal(sink_http_check("http://127.0.0.1:2801", name, NULL), 0);
        assert_string_equal(name, "http://127.0.0.1:2801");
        assert_int_equal(sink_http_check("http://user@host/", name, NULL), -EINVAL);
        assert_int_equal(sink_http_check("file:///etc/passwd", name, NULL), -EINVAL);
        assert_int_equal(sink_http_check(NULL, name, NULL), -EINVAL);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(falco_has_its_members),
                cmocka_unit_test(ocsf_has_its_members),
                cmocka_unit_test(names_hide_secrets),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
