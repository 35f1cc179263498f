/* sense/process.c and process-proc.c: forks, execs, exits, ancestors; numbers used again; /proc, and directories like
 * it. */
#include "sense/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TICK UINT64_C(10000000)

static struct event exec_event(uint32_t pid, uint32_t ppid, uint64_t started, const char *path, const char *comm)
{
        struct event e = { .kind = OBSERVE_EXEC, .head = { .pid = pid, .started = started }, .layer = EXE_LAYER_LOWER };
        e.exec.ppid = ppid;
        e.exe_path = str_of(path);
        e.args = STR("title\0one\0");
        snprintf(e.exec.comm, sizeof(e.exec.comm), "%s", comm);
        return e;
}

static struct event fork_event(uint32_t pid, uint32_t ppid, uint64_t started)
{
        struct event e = { .kind = OBSERVE_FORK, .head = { .pid = pid, .started = started } };
        e.fork.ppid = ppid;
        return e;
}

static struct event exit_event(uint32_t pid, uint64_t started)
{
        return (struct event){ .kind = OBSERVE_EXIT, .head = { .pid = pid, .started = started } };
}

static struct process *apply(struct process_table *t, struct event e) { return process_apply(t, &e); }

static void lives(void **state)
{
        struct process_table t;
        process_table_init(&t);
        apply(&t, exec_event(10, 1, 5 * TICK, "/usr/sbin/nginx", "nginx"));
        struct process *child = apply(&t, fork_event(11, 10, 9 * TICK));
        assert_true(str_is(child->program->exe_path, "/usr/sbin/nginx")); /* its parent's, until it runs another */
        apply(&t, exec_event(11, 10, 9 * TICK, "/bin/sh", "sh"));
        assert_true(str_is(process_find(&t, 11)->program->exe_path, "/bin/sh"));
        assert_true(str_is(process_find(&t, 10)->program->exe_path, "/usr/sbin/nginx"));
        const struct process *p = process_find(&t, 11);
        assert_ptr_equal(process_ancestor(&t, p, 0), p);
        assert_ptr_equal(process_ancestor(&t, p, 1), process_find(&t, 10));
        assert_null(process_ancestor(&t, p, 2));
        assert_null(process_ancestor(&t, p, UINT32_MAX));
        assert_null(process_ancestor(&t, NULL, 1));
        apply(&t, exit_event(10, 5 * TICK));
        assert_null(process_find(&t, 10));
        assert_int_equal(t.n, 1);
        process_table_done(&t);
}

static void a_number_is_used_again(void **state)
{
        struct process_table t;
        process_table_init(&t);
        apply(&t, exec_event(10, 1, 100 * TICK, "/old", "old"));
        apply(&t, exit_event(10, 5 * TICK)); /* of somebody before: late, and not his */
        assert_non_null(process_find(&t, 10));
        apply(&t, fork_event(10, 1, 200 * TICK)); /* the exit was lost */
        assert_int_equal(process_find(&t, 10)->started_ns, 200 * TICK);
        process_table_done(&t);
}

static void a_circle_ends(void **state)
{
        struct process_table t;
        process_table_init(&t);
        apply(&t, exec_event(10, 11, TICK, "/a", "a"));
        apply(&t, exec_event(11, 10, TICK, "/b", "b"));
        apply(&t, exec_event(12, 12, TICK, "/c", "c"));
        assert_non_null(process_ancestor(&t, process_find(&t, 10), PROCESS_ANCESTORS));
        assert_null(process_ancestor(&t, process_find(&t, 10), PROCESS_ANCESTORS + 1));
        assert_null(process_ancestor(&t, process_find(&t, 12), 1));
        process_table_done(&t);
}

static void keep(struct process_table *t, const char *environment, size_t n)
{
        struct event e = exec_event(10, 1, TICK, "/bin/sh", "sh");
        e.env = (struct str){ environment, n };
        process_apply(t, &e);
}

/* What is kept of environments outlives them; what was not seen, or not asked for, is said to be unknown. */
static void variables(void **state)
{
        static const struct str names[] = { STR_INIT("SIZE"), STR_INIT("FILE") };
        struct process_table t;
        struct str value = STR_NONE;
        process_table_init(&t);
        keep(&t, "FILE=/x\0", 8); /* before anybody asks */
        process_keep_variables(&t, names, ARRAY_SIZE(names));
        assert_false(process_variable(&t, process_find(&t, 10), STR("FILE"), &value));
        char environment[] = "FILES=no\0FILE=/dev/null\0FILE=second\0SIZE\0HOME=/root\0CUT=a";
        keep(&t, environment, sizeof(environment) - 1);
        memset(environment, 'x', sizeof(environment));
        apply(&t, fork_event(11, 10, 2 * TICK)); /* shares it */
        const struct process *p = process_find(&t, 11);
        assert_true(process_variable(&t, p, STR("FILE"), &value) && str_is(value, "/dev/null"));
        assert_true(process_variable(&t, p, STR("SIZE"), &value) && value.p && value.n == 0);
        assert_false(process_variable(&t, p, STR("HOME"), &value));
        keep(&t, "HOME=/\0", 7);
        assert_true(process_variable(&t, process_find(&t, 10), STR("FILE"), &value) && !value.p);
        keep(&t, NULL, 0); /* its environment was not seen */
        assert_false(process_variable(&t, process_find(&t, 10), STR("FILE"), &value));
        process_keep_variables(&t, names, 1); /* other rules: what was kept says nothing of theirs */
        assert_false(process_variable(&t, p, STR("SIZE"), &value));
        process_table_done(&t);
}

/* As many buckets as a burst needs, and back; whoever holds a process does not notice. */
static void a_burst_passes(void **state)
{
        struct process_table t = { 0 };
        apply(&t, exec_event(1, 0, TICK, "/sbin/init", "init"));
        const struct process *init = process_find(&t, 1);
        size_t before = t.n_buckets;
        for (uint32_t pid = 2; pid <= 5000; pid++)
                apply(&t, fork_event(pid, 1, TICK * pid * 3));
        assert_true(t.n == 5000 && t.n_buckets >= 5000);
        for (uint32_t pid = 2; pid <= 5000; pid++)
                assert_ptr_equal(process_ancestor(&t, process_find(&t, pid), 1), init);
        for (uint32_t pid = 2; pid <= 5000; pid++)
                apply(&t, exit_event(pid, TICK * pid * 3));
        assert_true(t.n == 1 && t.n_buckets == before);
        assert_ptr_equal(process_find(&t, 1), init);
        t.round++;
        process_forget_unseen(&t);
        assert_true(t.n == 0 && !process_find(&t, 1));
        process_table_done(&t);
}

static void the_table_is_bounded(void **state)
{
        struct process_table t;
        process_table_init(&t);
        for (uint32_t pid = 1; pid <= PROCESSES_MAX + 10; pid++)
                apply(&t, fork_event(pid, 1, TICK * pid * 3));
        assert_int_equal(t.n, PROCESSES_MAX);
        assert_int_equal(t.refused, 10);
        for (uint32_t pid = 1; pid <= PROCESSES_MAX; pid++)
                apply(&t, exit_event(pid, TICK * pid * 3));
        assert_int_equal(t.n, 0);
        process_table_done(&t);
}

static void put(const char *dir, const char *name, const char *text, size_t n)
{
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", dir, name);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fwrite(text, 1, n, f);
        fclose(f);
}

#define PUT(dir, name, text) put(dir, name, text, sizeof(text) - 1)

static void on_cgroup(void *arg, uint64_t id, struct str path)
{
        uint64_t *told = arg;
        assert_true(str_is(path, "/c"));
        *told = id;
}

static void from_proc(void **state)
{
        char root[] = "/tmp/sekisho-proc-XXXXXX", dir[64], command[128], cgroup[64];
        struct process_table t;
        assert_non_null(mkdtemp(root));
        process_table_init(&t);
        snprintf(dir, sizeof(dir), "%s/41", root);
        mkdir(dir, 0755);
        PUT(dir, "stat", "41 (a) b (c)) S 7 40 39 34816 41 0 0 0 0 0 0 0 0 0 20 0 1 0 1234 0\n");
        PUT(dir, "status", "Name:\tx\nUid:\t1000\t1001\t0\t0\nGid:\t5\t5\t5\t5\nNSpid:\t41\t3\n");
        PUT(dir, "cmdline", "x\0y z\0");
        PUT(dir, "loginuid", "4294967295");
        PUT(dir, "cgroup", "3:cpu:/x\n0::/c\n");
        snprintf(cgroup, sizeof(cgroup), "%s/c", root);
        mkdir(cgroup, 0755);
        snprintf(command, sizeof(command), "%s/exe", dir);
        assert_int_equal(symlink("/tmp/x (deleted)", command), 0);
        snprintf(dir, sizeof(dir), "%s/42", root); /* a zombie, one without a stat, one that is nonsense */
        mkdir(dir, 0755);
        PUT(dir, "stat", "42 (z) Z 1 1 1 0 0");
        snprintf(dir, sizeof(dir), "%s/43", root);
        mkdir(dir, 0755);
        snprintf(dir, sizeof(dir), "%s/44", root);
        mkdir(dir, 0755);
        PUT(dir, "stat", ")(((");
        snprintf(dir, sizeof(dir), "%s/99999999999999999999", root);
        mkdir(dir, 0755);
        apply(&t, exec_event(50, 1, 5 * TICK, "/gone", "gone")); /* ended while nobody looked */

        uint64_t told = 0;
        struct process_source from = { .proc = root, .cgroups = root, .on_cgroup = on_cgroup, .arg = &told };
        process_fill(&t, &from);
        assert_int_equal(t.n, 1);
        const struct process *p = process_find(&t, 41);
        assert_true(str_is(event_comm(p->comm), "a) b (c)"));
        struct stat st;
        assert_int_equal(stat(cgroup, &st), 0);
        assert_true(p->cgroup_id == st.st_ino && told == st.st_ino);
        assert_int_equal(p->ppid, 7);
        assert_int_equal(p->pgid, 40);
        assert_int_equal(p->sid, 39);
        assert_int_equal(p->tty, 34816);
        assert_int_equal(p->uid, 1000);
        assert_int_equal(p->euid, 1001);
        assert_int_equal(p->gid, 5);
        assert_int_equal(p->vpid, 3);
        assert_int_equal(p->loginuid, UINT32_MAX);
        assert_int_equal(p->started_ns, 1234 * TICK);
        assert_true(str_is(p->program->exe_path, "/tmp/x"));
        assert_true(p->program->is_deleted);
        assert_int_equal(p->program->layer, EXE_LAYERS);
        assert_true(str_eq(p->program->args, STR("x\0y z\0")));

        /* What an event said is more exact, and stays; a late fork event of the same process changes nothing. */
        apply(&t, exec_event(41, 7, 1234 * TICK + 4321, "/tmp/x", "x"));
        process_fill(&t, &from);
        assert_int_equal(process_find(&t, 41)->program->layer, EXE_LAYER_LOWER);
        apply(&t, fork_event(41, 7, 1234 * TICK + 4321));
        assert_int_equal(process_find(&t, 41)->program->layer, EXE_LAYER_LOWER);
        process_table_done(&t);
        snprintf(command, sizeof(command), "rm -rf %s", root);
        assert_int_equal(system(command), 0);
}

static void from_the_real_proc(void **state)
{
        struct process_table t;
        process_table_init(&t);
        process_fill(&t, &(struct process_source){ .proc = "/proc" });
        const struct process *self = process_find(&t, (uint32_t)getpid());
        assert_non_null(self);
        assert_int_equal(self->ppid, getppid());
        assert_int_equal(self->uid, getuid());
        assert_int_equal(self->sid, getsid(0));
        char exe[512] = "";
        assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
        assert_true(str_is(self->program->exe_path, exe));
        process_fill(&t, &(struct process_source){ .proc = "/nonexistent" }); /* forgets nothing */
        assert_non_null(process_find(&t, (uint32_t)getpid()));
        process_table_done(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lives),
                cmocka_unit_test(a_number_is_used_again),
                cmocka_unit_test(a_circle_ends),
                cmocka_unit_test(a_burst_passes),
                cmocka_unit_test(the_table_is_bounded),
                cmocka_unit_test(variables),
                cmocka_unit_test(from_proc),
                cmocka_unit_test(from_the_real_proc),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
