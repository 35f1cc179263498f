/* analyze/clamd: what answers mean; and a worker that has a helper, with a server of the test's own behind it. */
#include "analyze/clamd.h"

#include "base/fs.h"
#include "proc/worker.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void answers_are_understood(void **state)
{
        static const struct {
                const char *text;
                enum clamd_verdict verdict;
                const char *code, *words;
        } cases[] = {
                { "fd[7]: OK", CLAMD_CLEAN, NULL, "" },
                { "fd[7]: Own.Marker FOUND", CLAMD_FOUND, NULL, "Own.Marker" },
                { "fd[7]: Own.Marker.UNOFFICIAL(d41d8cd98f00b204e9800998ecf8427e:68) FOUND", CLAMD_FOUND, NULL,
                  "Own.Marker.UNOFFICIAL(d41d8cd98f00b204e9800998ecf8427e:68)" },
                { "fd[7]: Heuristics.Limits.Exceeded.MaxFileSize FOUND", CLAMD_INCOMPLETE, "too-large",
                  "Heuristics.Limits.Exceeded.MaxFileSize" },
                { "fd[7]: Heuristics.Limits.Exceeded.MaxRecursion FOUND", CLAMD_INCOMPLETE, "too-deep",
                  "Heuristics.Limits.Exceeded.MaxRecursion" },
                { "fd[7]: Heuristics.Limits.Exceeded FOUND", CLAMD_INCOMPLETE, "budget", "Heuristics.Limits.Exceeded" },
                { "fd[7]: Heuristics.Encrypted.Zip FOUND", CLAMD_INCOMPLETE, "encrypted", "Heuristics.Encrypted.Zip" },
                { "fd[7]: Heuristics.Structured.SSN FOUND", CLAMD_FOUND, NULL, "Heuristics.Structured.SSN" },
                { "fd[7]: Can't allocate memory ERROR", CLAMD_INCOMPLETE, "unsupported", "Can't allocate memory" },
                { "COMMAND READ TIMED OUT ERROR", CLAMD_INCOMPLETE, "unsupported", "COMMAND READ TIMED OUT" },
                { "!denied no way", CLAMD_SILENT, "denied", "no way" },
                { "!budget too slow", CLAMD_SILENT, "budget", "too slow" },
                { "!whatever", CLAMD_SILENT, "unsupported", "whatever" },
                { "", CLAMD_SILENT, "unsupported", NULL },
                { "OK", CLAMD_SILENT, "unsupported", NULL },
                { ": OK", CLAMD_SILENT, "unsupported", NULL },
                { "fd[7]: OK ", CLAMD_SILENT, "unsupported", NULL },
                { "fd[7]: ok", CLAMD_SILENT, "unsupported", NULL },
                { "fd[7]: FOUND", CLAMD_SILENT, "unsupported", NULL },
                { "fd[7]:  FOUND", CLAMD_SILENT, "unsupported", NULL },
                { "fd[7]: ERROR", CLAMD_SILENT, "unsupported", NULL },
                { "fd[7]: A\033[2J FOUND", CLAMD_SILENT, "unsupported", NULL },
                { "fd[7]: OK\nfd[7]: OK", CLAMD_SILENT, "unsupported", NULL },
                { "UNKNOWN COMMAND", CLAMD_SILENT, "unsupported", NULL },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct clamd_answer a = clamd_understand(str_of(cases[i].text));
                if (a.verdict != cases[i].verdict || (cases[i].words && !str_is(a.words, cases[i].words)) ||
                    (cases[i].code && strcmp(a.code, cases[i].code) != 0))
                        fail_msg("%s: %d, %s, %.*s", cases[i].text, (int)a.verdict, a.code ? a.code : "-",
                                 STR_FMT(a.words));
        }
}

/* --- a server, and a worker that sends one file through its helper --- */

enum { ANSWER, HANG_UP, STALL, DRIBBLE, FLOOD };

static struct clamd the_clamd;
static struct job_helper the_helper = { .serve = clamd_serve, .arg = &the_clamd, .worker_fd = &the_clamd.fd };
static char the_path[108];

/* The size of what a descriptor that came along holds, and its first byte; -1: none came. */
static int64_t receive_file(int s, char *ret_first)
{
        char byte, room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(sizeof(long))));
        struct iovec iov = { &byte, 1 };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
        if (recvmsg(s, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
                return -1;
        int fd;
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
        int64_t n = read(fd, ret_first, 1) == 1 ? lseek(fd, 0, SEEK_END) : -1;
        close(fd);
        return n;
}

static void serve_one(int s, int how)
{
        char command[8], first = 0, answer[64];
        if (recv(s, command, sizeof(command), MSG_WAITALL) != sizeof(command) || memcmp(command, "zFILDES", 8) != 0)
                return;
        int64_t n = how == HANG_UP ? 0 : receive_file(s, &first);
        int length = snprintf(answer, sizeof(answer), "fd[9]: Size-%lld-%c FOUND", (long long)n, first);
        if (how == ANSWER)
                (void)!write(s, answer, (size_t)length + 1);
        for (unsigned i = 0; how == FLOOD && i < 100; i++)
                (void)!send(s, "0123456789abcdef0123456789abcdef", 32, MSG_NOSIGNAL);
        while ((how == STALL || how == DRIBBLE) && poll(&(struct pollfd){ .fd = s, .events = POLLIN }, 1, 20) == 0)
                if (how == DRIBBLE && send(s, "x", 1, MSG_NOSIGNAL) != 1)
                        break;
}

static pid_t start_server(int how)
{
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        snprintf(the_path, sizeof(the_path), "%s/clamd-%d.sock", env_or("TMPDIR", "/tmp"), (int)getpid());
        snprintf(to.sun_path, sizeof(to.sun_path), "%s", the_path);
        int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(s, (struct sockaddr *)&to, sizeof(to)), 0);
        assert_int_equal(listen(s, 8), 0);
        pid_t pid = fork();
        if (pid == 0) {
                for (;;) {
                        int c = accept(s, NULL, NULL);
                        serve_one(c, how);
                        close(c);
                }
        }
        close(s);
        return pid;
}

static void end_server(pid_t pid)
{
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        unlink(the_path);
}

struct seen {
        char what[CLAMD_ANSWER_MAX];
        int r;
};

static void on_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct seen *s = arg;
        if (kind == FACT_package)
                snprintf(s->what, sizeof(s->what), "%.*s", STR_FMT(((const struct fact_package *)fact)->name));
}

static void on_end(void *arg, int r, const char *why) { ((struct seen *)arg)->r = r; }

static const struct frame {
        uint32_t n, of; /* of them; the bytes that follow */
} * the_frames;

static int send_frames(void *arg, int fd, struct sink *out, struct error *err)
{
        char *bytes = calloc(1, CLAMD_CHUNK_MAX), text[CLAMD_ANSWER_MAX + 1] = { 0 };
        memset(bytes, 'b', CLAMD_CHUNK_MAX);
        for (const struct frame *f = the_frames; f->n; f++)
                for (uint32_t i = 0; i < f->n; i++) {
                        uint8_t head[4] = { (uint8_t)f->of, (uint8_t)(f->of >> 8), (uint8_t)(f->of >> 16),
                                            (uint8_t)(f->of >> 24) };
                        if (write_all(the_clamd.fd, head, 4) < 0 ||
                            (f->of != CLAMD_FORGET && write_all(the_clamd.fd, bytes, MIN(f->of, CLAMD_CHUNK_MAX)) < 0))
                                break;
                }
        free(bytes);
        for (size_t n = 0; n < CLAMD_ANSWER_MAX && (n == 0 || text[n - 1]);) {
                ssize_t got = read(the_clamd.fd, text + n, CLAMD_ANSWER_MAX - n);
                if (got <= 0)
                        return error_set(err, -EPIPE, "the helper hung up");
                n += (size_t)got;
        }
        sink_put(out, FACT_package, &(struct fact_package){ .name = str_of(text) });
        return 0;
}

static struct seen ask(const struct frame *frames, int patience_ms)
{
        struct seen s = { 0 };
        struct job job = { .name = "ask",
                           .run = send_frames,
                           .on_fact = on_fact,
                           .on_end = on_end,
                           .arg = &s,
                           .helper = &the_helper,
                           .stall_seconds = 30 };
        the_frames = frames;
        the_clamd = (struct clamd){ .path = the_path, .patience_ms = patience_ms, .fd = -1 };
        assert_int_equal(workers_run(&job, 1, 1, NULL), 0);
        assert_int_equal(the_clamd.fd, -1);
        return s;
}

static const struct frame one_file[] = { { 3, 1000 }, { 1, CLAMD_END }, { 0, 0 } };

static void a_file_reaches_clamd(void **state)
{
        static const struct frame large[] = { { 100, CLAMD_CHUNK_MAX }, { 1, CLAMD_END }, { 0, 0 } };
        static const struct frame forgotten[] = {
                { 2, 70000 }, { 1, CLAMD_FORGET }, { 1, 5 }, { 1, CLAMD_END }, { 0, 0 }
        };
        pid_t server = start_server(ANSWER);
        assert_string_equal(ask(one_file, 20000).what, "fd[9]: Size-3000-b FOUND");
        assert_string_equal(ask(large, 20000).what, "fd[9]: Size-104857600-b FOUND");
        assert_string_equal(ask(forgotten, 20000).what, "fd[9]: Size-5-b FOUND");
        end_server(server);
}

static void who_sends_too_much_is_hung_up_on(void **state)
{
        static const struct frame too_large[] = { { 100, CLAMD_CHUNK_MAX }, { 1, 1 }, { 1, CLAMD_END }, { 0, 0 } };
        static const struct frame long_chunk[] = { { 1, CLAMD_CHUNK_MAX + 1 }, { 1, CLAMD_END }, { 0, 0 } };
        pid_t server = start_server(ANSWER);
        assert_int_equal(ask(too_large, 20000).r, -EPIPE);
        assert_int_equal(ask(long_chunk, 20000).r, -EPIPE);
        end_server(server);
}

static void faults_are_told(void **state)
{
        static const struct {
                int how, patience_ms;
                const char *words;
        } cases[] = {
                { HANG_UP, 20000, "!denied clamd closed the connection without an answer" },
                { STALL, 200, "!budget clamd did not answer within 1 s" },
                { DRIBBLE, 200, "!budget clamd did not answer within 1 s" },
                { FLOOD, 20000, "!unsupported clamd's answer is longer than 1024 bytes" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                pid_t server = start_server(cases[i].how);
                assert_string_equal(ask(one_file, cases[i].patience_ms).what, cases[i].words);
                end_server(server);
        }
        struct seen s = ask(one_file, 20000);
        assert_non_null(strstr(s.what, "!denied cannot connect to clamd at "));
        assert_non_null(strstr(s.what, ": No such file or directory"));
}

/* --- the sandbox of a worker with a helper is that of all --- */

static int try_to_pass_a_descriptor(void *arg, int fd, struct sink *out, struct error *err)
{
        struct iovec iov = { (char[]){ 0 }, 1 };
        return (int)sendmsg(the_clamd.fd, &(struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1 }, 0);
}

static int try_to_connect(void *arg, int fd, struct sink *out, struct error *err)
{
        return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int try_to_make_a_file(void *arg, int fd, struct sink *out, struct error *err) { return memfd_create("x", 0); }

static void a_worker_with_a_helper_is_in_the_same_sandbox(void **state)
{
        static int (*const tries[])(void *, int, struct sink *,
                                    struct error *) = { try_to_pass_a_descriptor, try_to_connect, try_to_make_a_file };
        for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
                struct seen s = { 0 };
                struct job job = { .name = "try",
                                   .run = tries[i],
                                   .on_fact = on_fact,
                                   .on_end = on_end,
                                   .arg = &s,
                                   .helper = &the_helper };
                assert_int_equal(workers_run(&job, 1, 1, NULL), 0);
                assert_int_equal(s.r, -ECHILD); /* killed */
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(answers_are_understood),
                cmocka_unit_test(a_file_reaches_clamd),
                cmocka_unit_test(who_sends_too_much_is_hung_up_on),
                cmocka_unit_test(faults_are_told),
                cmocka_unit_test(a_worker_with_a_helper_is_in_the_same_sandbox),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("clamd", tests, NULL, NULL);
}
