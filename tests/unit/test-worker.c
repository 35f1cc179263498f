/* proc/worker: facts come through, and a worker cannot open, connect, exec, fork or outlive its limits. */
#include "proc/worker.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
        unsigned facts, ends;
        int r;
        char why[ERROR_TEXT_MAX], last[256];
        uint64_t last_number;
};

static void on_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct seen *s = arg;
        s->facts++;
        if (kind == FACT_package) {
                const struct fact_package *p = fact;
                snprintf(s->last, sizeof(s->last), "%.*s", STR_FMT(p->name));
                s->last_number = p->line;
        }
}

static void on_end(void *arg, int r, const char *why)
{
        struct seen *s = arg;
        s->ends++;
        s->r = r;
        snprintf(s->why, sizeof(s->why), "%s", why);
}

static struct seen run_one(int (*run)(void *, int, struct sink *, struct error *), uint64_t memory_max)
{
        struct seen s = { 0 };
        struct job job = { .name = "test",
                           .run = run,
                           .on_fact = on_fact,
                           .on_end = on_end,
                           .arg = &s,
                           .memory_max = memory_max,
                           .stall_seconds = 5 };
        assert_int_equal(workers_run(&job, 1, 1, NULL), 0);
        assert_int_equal(s.ends, 1);
        return s;
}

static int say_many(void *arg, int fd, struct sink *out, struct error *err)
{
        for (unsigned i = 1; i <= 100000; i++) {
                struct fact_package p = { .name = STR("libssl1.1"), .version = STR("1.1.1w-0+deb11u1"), .line = i };
                sink_put(out, FACT_package, &p);
        }
        return 0;
}

static void facts_come_through(void **state)
{
        struct seen s = run_one(say_many, 0);
        assert_int_equal(s.r, 0);
        assert_int_equal(s.facts, 100000);
        assert_string_equal(s.last, "libssl1.1");
        assert_int_equal(s.last_number, 100000);
}

static int fail_with_words(void *arg, int fd, struct sink *out, struct error *err)
{
        return error_set(err, -EBADMSG, "byte 12 is odd");
}

static void words_come_through(void **state)
{
        struct seen s = run_one(fail_with_words, 0);
        assert_int_equal(s.r, -EBADMSG);
        assert_string_equal(s.why, "byte 12 is odd");
}

static int try_to_open(void *arg, int fd, struct sink *out, struct error *err)
{
        int a = open("/etc/passwd", O_RDONLY);
        int b = open("/dev/null", O_WRONLY);
        int c = open("/tmp/sekisho-test-escape", O_CREAT | O_WRONLY, 0600);
        return a >= 0 || b >= 0 || c >= 0 ? 0 : error_set(err, -EACCES, "refused: %d", errno);
}

static void a_worker_cannot_open(void **state)
{
        struct seen s = run_one(try_to_open, 0);
        assert_int_equal(s.r, -EACCES);
        assert_int_equal(access("/tmp/sekisho-test-escape", F_OK), -1);
}

static int try_to_connect(void *arg, int fd, struct sink *out, struct error *err)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr = { htonl(INADDR_LOOPBACK) } };
        int s = socket(AF_INET, SOCK_STREAM, 0);
        return connect(s, (struct sockaddr *)&to, sizeof(to));
}

static int try_to_exec(void *arg, int fd, struct sink *out, struct error *err)
{
        execl("/bin/true", "true", NULL);
        return 0;
}

static int try_to_fork(void *arg, int fd, struct sink *out, struct error *err) { return fork() < 0 ? -errno : 0; }

static int try_to_kill(void *arg, int fd, struct sink *out, struct error *err)
{
        kill(getppid(), SIGTERM);
        return 0;
}

static int try_to_run_data(void *arg, int fd, struct sink *out, struct error *err)
{
        void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return p == MAP_FAILED ? -errno : 0;
}

static void a_worker_cannot_connect_exec_or_kill(void **state)
{
        assert_string_equal(run_one(try_to_connect, 0).why, "the worker tried what the sandbox forbids and was killed");
        assert_string_equal(run_one(try_to_exec, 0).why, "the worker tried what the sandbox forbids and was killed");
        assert_string_equal(run_one(try_to_kill, 0).why, "the worker tried what the sandbox forbids and was killed");
        assert_int_equal(run_one(try_to_fork, 0).r, -EPERM);
        assert_int_equal(run_one(try_to_run_data, 0).r, -EPERM);
}

static int crash(void *arg, int fd, struct sink *out, struct error *err)
{
        say_many(arg, fd, out, err);
        raise(SIGSEGV);
        abort();
}

static void a_crash_costs_one_job(void **state)
{
        struct seen a = { 0 }, b = { 0 };
        struct job jobs[] = {
                { .name = "bad", .run = crash, .on_fact = on_fact, .on_end = on_end, .arg = &a },
                { .name = "good", .run = say_many, .on_fact = on_fact, .on_end = on_end, .arg = &b },
        };
        assert_int_equal(workers_run(jobs, 2, 2, NULL), 0);
        assert_true(a.r < 0);
        assert_int_equal(b.r, 0);
        assert_int_equal(b.facts, 100000);
}

static int hang(void *arg, int fd, struct sink *out, struct error *err)
{
        while (out)
                pause();
        return 0;
}

static void a_stall_is_ended(void **state)
{
        struct seen s = { 0 };
        struct job job = {
                .name = "hang", .run = hang, .on_fact = on_fact, .on_end = on_end, .arg = &s, .stall_seconds = 1
        };
        assert_int_equal(workers_run(&job, 1, 1, NULL), 0);
        assert_int_equal(s.r, -ETIMEDOUT);
}

static int lie(void *arg, int fd, struct sink *out, struct error *err)
{
        struct fact_package p = { .name = STR("x") };
        sink_put(out, FACT_vulnerability, &(struct fact_vulnerability){ .id = STR("y") });
        sink_put(out, FACT_package, &p);
        for (int i = 3; i < 64; i++) /* straight onto the pipe, past the sink */
                if (i != fd && write(i, "\xff\xff\xff\xff\xff", 5) == 5)
                        break;
        return 0;
}

static void a_lie_is_not_trusted(void **state) { assert_int_equal(run_one(lie, 0).r, -EPROTO); }

/* The pipe of facts: the one descriptor that takes bytes. */
static void write_past_the_sink(const void *p, size_t n)
{
        for (int i = 3; i < 64; i++)
                if (write(i, p, n) == (ssize_t)n)
                        return;
}

static int end_and_stay(void *arg, int fd, struct sink *out, struct error *err)
{
        write_past_the_sink("\5\0\0\0\xff\0\0\0\0", 9);
        while (out)
                write_past_the_sink("\1\0\0\0\0", 5);
        return 0;
}

static int close_and_stay(void *arg, int fd, struct sink *out, struct error *err)
{
        for (int i = 0; i < 64; i++)
                close(i);
        while (out)
                sched_yield();
        return 0;
}

static void who_ended_may_not_stay(void **state)
{
        assert_int_equal(run_one(end_and_stay, 0).r, 0);
        assert_int_equal(run_one(close_and_stay, 0).r, -ECHILD);
}

static pid_t test_pid;

static int signal_the_parent(void *arg, int fd, struct sink *out, struct error *err)
{
        return syscall(SYS_tgkill, test_pid, test_pid, 0) == 0 ? 0 : -errno;
}

static void only_itself_can_be_signalled(void **state)
{
        test_pid = getpid();
        assert_int_equal(run_one(signal_the_parent, 0).r, -EPERM);
}

static int produce(void *arg, int out_fd, struct error *err)
{
        int r = write_all(out_fd, "hello", 5);
        return r < 0 ? r : arg ? error_set(err, -EIO, "the disk fell off") : 0;
}

static int open_produced(void *arg, int *ret_fd, pid_t *ret_pid, struct error *err)
{
        struct seen *s = arg;
        return producer_start(produce, s->last_number ? s : NULL, ret_fd, ret_pid, err);
}

static int consume(void *arg, int fd, struct sink *out, struct error *err)
{
        struct buf b = BUF_INIT(64);
        int r = read_all(fd, &b);
        struct fact_package p = { .name = buf_str(&b) };
        sink_put(out, FACT_package, &p);
        return r;
}

static void producers_feed_workers_and_tell_why_they_failed(void **state)
{
        struct seen s = { 0 };
        struct job job = {
                .name = "fed", .open = open_produced, .run = consume, .on_fact = on_fact, .on_end = on_end, .arg = &s
        };
        assert_int_equal(workers_run(&job, 1, 1, NULL), 0);
        assert_int_equal(s.r, 0);
        assert_string_equal(s.last, "hello");
        s.last_number = 1;
        assert_int_equal(workers_run(&job, 1, 1, NULL), 0);
        assert_int_equal(s.r, -EIO);
        assert_string_equal(s.why, "the disk fell off");
}

static int eat_memory(void *arg, int fd, struct sink *out, struct error *err)
{
        while (out) {
                char *p = malloc(1 << 20);
                if (!p)
                        return error_set(err, -ENOMEM, "no more");
                memset(p, 1, 1 << 20);
                __asm__ volatile("" : : "r"(p) : "memory"); /* or the compiler sees that nobody needs it */
        }
        return 0;
}

static void memory_is_bounded(void **state)
{
#ifdef __SANITIZE_ADDRESS__
        skip();
#endif
        assert_int_equal(run_one(eat_memory, 32 << 20).r, -ENOMEM);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(facts_come_through),
                cmocka_unit_test(words_come_through),
                cmocka_unit_test(a_worker_cannot_open),
                cmocka_unit_test(a_worker_cannot_connect_exec_or_kill),
                cmocka_unit_test(a_crash_costs_one_job),
                cmocka_unit_test(a_stall_is_ended),
                cmocka_unit_test(a_lie_is_not_trusted),
                cmocka_unit_test(who_ended_may_not_stay),
                cmocka_unit_test(only_itself_can_be_signalled),
                cmocka_unit_test(producers_feed_workers_and_tell_why_they_failed),
                cmocka_unit_test(memory_is_bounded),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
