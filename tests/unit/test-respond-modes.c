/* Modes of answers: which entry decides, what the kernel may do by itself, and files that are wrong. */
#include "sense/container.h"
#include "serve/respond-modes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct respond_modes parsed(const char *text, enum respond_mode otherwise)
{
        struct error err = ERROR_NONE;
        struct respond_modes m;
        if (respond_modes_parse(str_of(text), "f.yaml", otherwise, &m, &err) < 0)
                fail_msg("%s", err.text);
        return m;
}

static void test_first_decides(void **state)
{
        static const char text[] = "- {rule: 'Drop*', image: '*/shop:*', mode: alert}\n"
                                   "- {name: 'shop-*', mode: log}\n"
                                   "- {label: 'tier=front*', mode: enforce}\n";
        struct str labels[] = { STR("a=b"), STR("tier=frontend") };
        struct container_entry shop = { .id = STR("1"),
                                        .facts = { .name = STR("shop-web"), .image = STR("r.example/x/shop:1") } };
        struct container_entry front = { .id = STR("shop"), .facts = { .labels = { labels, 2 } } };
        struct container_entry other = { .id = STR("shop-1") }; /* the id where there is no name */
        struct rule drop = { .name = STR("Drop and execute") }, shell = { .name = STR("Shell") };
        struct respond_modes m = parsed(text, RESPOND_ALERT);
        assert_int_equal(m.n, 3);
        assert_int_equal(respond_mode_of(&m, &drop, &shop), RESPOND_ALERT);
        assert_int_equal(respond_mode_of(&m, &shell, &shop), RESPOND_LOG);
        assert_int_equal(respond_mode_of(&m, &shell, &front), RESPOND_ENFORCE);
        assert_int_equal(respond_mode_of(&m, &drop, &other), RESPOND_LOG);
        front.facts.labels.n = 1;
        assert_int_equal(respond_mode_of(&m, &shell, &front), RESPOND_ALERT);
        respond_modes_done(&m);
}

static void test_kernel(void **state)
{
        static const struct {
                const char *text;
                enum respond_mode otherwise;
                bool may;
        } cases[] = {
                { "", RESPOND_ENFORCE, true },
                { "# nothing\n", RESPOND_ALERT, false },
                { "- {mode: enforce}\n", RESPOND_LOG, true },
                { "- {rule: K*, mode: enforce}\n- {mode: log}\n", RESPOND_LOG, true },
                { "- {rule: X*, mode: log}\n", RESPOND_ENFORCE, true },
                { "- {image: 'x*', mode: log}\n", RESPOND_ENFORCE, false },
                { "- {image: 'x*', mode: enforce}\n", RESPOND_ALERT, false },
                { "- {image: 'x*', mode: enforce}\n- {mode: enforce}\n", RESPOND_ALERT, true },
        };
        struct rule rule = { .name = STR("Kill") };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct respond_modes m = parsed(cases[i].text, cases[i].otherwise);
                if (respond_always_enforces(&m, &rule) != cases[i].may)
                        fail_msg("case %zu", i);
                respond_modes_done(&m);
        }
}

static void test_wrong(void **state)
{
        static const char *const cases[][2] = {
                { "mode: log\n", "f.yaml:1:1: the file is one list of entries" },
                { "- log\n", "f.yaml:1:3: an entry has a mode" },
                { "- {rule: x}\n", "f.yaml:1:3: the mode is missing" },
                { "- mode: log\n- mode: [log]\n", "f.yaml:2:9: this is one text" },
                { "- {mode: Log}\n", "f.yaml:1:10: a mode is enforce, alert or log" },
                { "- {mode: log, images: x}\n", "f.yaml:1:15: there is no such key" },
                { "- {mode: log, mode: alert}\n", "f.yaml:1:15: the key stands twice" },
                { "- mode: log\n---\n- mode: log\n", "f.yaml:3:1: the file is one list" },
                { "- {mode: log\n", "f.yaml: line " },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct error err = ERROR_NONE;
                struct respond_modes m;
                assert_true(respond_modes_parse(str_of(cases[i][0]), "f.yaml", RESPOND_LOG, &m, &err) < 0);
                if (strncmp(err.text, cases[i][1], strlen(cases[i][1])) != 0)
                        fail_msg("case %zu: %s", i, err.text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_decides),
                cmocka_unit_test(test_kernel),
                cmocka_unit_test(test_wrong),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
