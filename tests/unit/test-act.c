/* Whom an action is for: which cgroup is the container's, and which is nobody's to touch; the table; process trees. */
#include "act/actions.h"
#include "act/process-tree.h"
#include "base/fs.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void assert_str(struct str got, const char *want)
{
        if (!str_is(got, want))
                fail_msg("got \"%.*s\", wanted \"%s\"", STR_FMT(got), want);
}

static void test_line(void **state)
{
        struct str text = STR("9:name=systemd:/a\n4:cpu,cpuacct:/b:c\n6:freezer:/d\n0::/e f\n");
        assert_str(act_cgroup_line(text, NULL), "/e f");
        assert_str(act_cgroup_line(text, "freezer"), "/d");
        assert_str(act_cgroup_line(text, "cpuacct"), "/b:c");
        assert_null(act_cgroup_line(text, "memory").p);
        assert_null(act_cgroup_line(STR("6:freezer:/d\n"), NULL).p);
        assert_null(act_cgroup_line(STR("0:\n\n:"), NULL).p);
        assert_null(act_cgroup_line(STR_NONE, NULL).p);
}

static void test_own(void **state)
{
        static const struct {
                const char *path, *id, *own;
        } cases[] = {
                { "/libpod_parent/libpod-" ID, ID, "/libpod_parent/libpod-" ID },
                { "/libpod_parent/libpod-" ID "/container", ID, "/libpod_parent/libpod-" ID },
                { "/system.slice/docker-" ID ".scope", ID, "/system.slice/docker-" ID ".scope" },
                { "/docker/" ID "/docker/" ID, ID, "/docker/" ID }, /* one inside of it that took its name */
                { "/web", "web", "/web" },
                { "/web.scope", "web.scope", "/web.scope" },
                { "/webserver", "web", "" },
                { "/myweb/x", "web", "" },
                { "/a/b", "", "" },
                { "/", ID, "" },
                { "", ID, "" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_str(act_cgroup_of_id(str_of(cases[i].path), str_of(cases[i].id)), cases[i].own);
}

static void test_refusals(void **state)
{
        static const char *const refused[] = {
                "/", "", "/system.slice", "/a/user-1000.slice", "/system.slice/ssh.service", "/init.scope"
        };
        static const char *const taken[] = { "/web", ("/system.slice/docker-" ID ".scope"),
                                             ("/libpod_parent/libpod-" ID) };
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
                assert_non_null(act_cgroup_refusal(str_of(refused[i])));
        for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
                assert_null(act_cgroup_refusal(str_of(taken[i])));
        assert_true(act_cgroup_holds(STR("/a"), STR("/a")));
        assert_true(act_cgroup_holds(STR("/a"), STR("/a/b")));
        assert_true(act_cgroup_holds(STR("/"), STR("/a")));
        assert_false(act_cgroup_holds(STR("/a"), STR("/ab")));
        assert_false(act_cgroup_holds(STR("/a/b"), STR("/a")));
}

/* Our own cgroup, by our own process, is refused whatever it is called: it may be the root, or hold this test. */
static void test_ourselves(void **state)
{
        struct error err = ERROR_NONE;
        struct act_target t;
        struct act_subject who = { .id = STR("ourselves"), .pid = (uint64_t)getpid() };
        assert_true(act_target_find(&who, &t, &err) < 0);
        assert_true(err.text[0] != '\0');
        who.pid = 1;
        assert_true(act_target_find(&who, &t, &err) < 0);
        who = (struct act_subject){ .id = STR("nobody") };
        assert_int_equal(act_target_find(&who, &t, &err), -ESRCH);
}

/* What an action says of itself is what help, doctor and journal show. */
static void test_table(void **state)
{
        size_t n = 0;
        for (const struct act_action *a = act_actions; a->name; a++, n++) {
                assert_true(a->does && a->done && a->how && a->is_done && a->run);
                assert_ptr_equal(act_find(a->name), a);
                if (a->undo)
                        assert_non_null(act_find(a->undo));
        }
        assert_true(n >= 8);
        assert_null(act_find("nothing"));
}

static uint64_t started_ns(pid_t pid)
{
        char path[64];
        _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
        uint64_t ticks = 0;
        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        assert_int_equal(read_file(path, &b, NULL), 0);
        struct str rest = str_from(buf_str(&b), (size_t)(str_rfind_char(buf_str(&b), ')') + 2));
        for (int i = 1; i < 20; i++)
                str_cut(&rest, ' ');
        assert_true(str_u64(str_cut(&rest, ' '), &ticks));
        return ticks * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* A process with children and grandchildren, all of which hold the pipe: it ends when they all have. */
static pid_t make_tree(int *ret_fd)
{
        int fds[2], ready[2];
        char byte;
        assert_int_equal(pipe(fds), 0);
        assert_int_equal(pipe(ready), 0);
        pid_t pid = fork();
        if (pid == 0) {
                for (int i = 0; i < 3; i++)
                        if (fork() == 0) {
                                setsid();
                                (void)fork();
                                break;
                        }
                if (write(ready[1], "x", 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        close(fds[1]);
        for (int i = 0; i < 7; i++)
                assert_int_equal(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        close(ready[1]);
        *ret_fd = fds[0];
        return pid;
}

static void test_tree(void **state)
{
        struct error err = ERROR_NONE;
        int fd;
        char byte;
        pid_t pid = make_tree(&fd);
        uint64_t started = started_ns(pid);
        assert_int_equal(act_kill_tree((uint32_t)pid, started + 5000000000u, &err),
                         0); /* somebody else of that number */
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
        assert_int_equal(act_kill_tree((uint32_t)pid, started, &err), 7);
        assert_int_equal(read(fd, &byte, 1), 0); /* nobody holds the pipe any more */
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(act_kill_tree((uint32_t)pid, started, &err), 0);
        assert_int_equal(act_kill_tree(1, 0, &err), -EPERM);
        assert_int_equal(act_kill_tree((uint32_t)getpid(), started_ns(getpid()), &err), -EPERM);
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_line),      cmocka_unit_test(test_own),   cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_ourselves), cmocka_unit_test(test_table), cmocka_unit_test(test_tree),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
