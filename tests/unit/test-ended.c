/* serve/ended.c: what is known of processes outlives them for two turns, and no burst of them stays. */
#include "serve/ended.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void end(struct process_table *t, struct ended *e, uint32_t pid, const char *path)
{
        struct program program = { .is_known = true, .exe_path = str_of(path) };
        struct event exit = { .kind = OBSERVE_EXIT, .head = { .pid = pid } };
        struct process *p = process_get(t, pid);
        process_set_program(p, &program);
        ended_keep(e, p);
        process_apply(t, &exit);
        assert_null(process_find(t, pid));
}

static bool is_kept(const struct ended *e, uint32_t pid, const char *path)
{
        const struct process *p = ended_find(e, pid);
        return p && p->pid == pid && str_is(p->program->exe_path, path);
}

static void two_turns(void **state)
{
        struct process_table t = { 0 };
        struct ended e = { 0 };
        assert_null(ended_find(&e, 1));
        ended_turn(&e);
        end(&t, &e, 1, "/bin/a");
        end(&t, &e, 2, "/bin/b");
        end(&t, &e, 2, "/bin/c"); /* its number was used again at once */
        assert_true(is_kept(&e, 1, "/bin/a") && is_kept(&e, 2, "/bin/c"));
        ended_turn(&e);
        end(&t, &e, 1, "/bin/d");
        assert_true(is_kept(&e, 1, "/bin/d") && is_kept(&e, 2, "/bin/c"));
        ended_turn(&e);
        assert_true(is_kept(&e, 1, "/bin/d") && !ended_find(&e, 2));
        ended_turn(&e);
        assert_null(ended_find(&e, 1));
        assert_true(!e.generations[0].buckets && !e.generations[1].buckets); /* nothing is left of them */
        process_table_done(&t);
        ended_done(&e);
}

static void a_burst(void **state)
{
        struct process_table t = { 0 };
        struct ended e = { 0 };
        for (uint32_t pid = 1; pid <= 2 * ENDED_MAX + 1; pid++)
                end(&t, &e, pid, "/bin/true");
        assert_null(ended_find(&e, ENDED_MAX)); /* the older ones made room */
        assert_non_null(ended_find(&e, ENDED_MAX + 1));
        assert_int_equal(e.generations[0].n, 1);
        assert_true(e.generations[0].n_buckets < e.generations[1].n_buckets);
        process_table_done(&t);
        ended_done(&e);
        assert_null(ended_find(&e, 2 * ENDED_MAX + 1));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(two_turns),
                cmocka_unit_test(a_burst),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
