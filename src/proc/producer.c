/*
 * Producers: children that fetch or pack bytes for a worker. They keep the caller's rights (files, network) and parse
 * nothing of what they carry. Their last words come through a pipe of their own.
 */
#include "proc/worker.h"

#include "base/fs.h"
#include "proc/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define KEEP_STDERR 1 /* for the sanitizer's report */
#else
#define KEEP_STDERR 0
#endif

#define PRODUCERS_MAX   128
#define PIPE_BYTES      (1 << 20)
#define DESCRIPTORS_MAX (1 << 20) /* what Linux allows a process, unless the administrator raised it */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_CUT_OFF = 2 };

static struct {
        pid_t pid; /* 0: free */
        int words_fd;
} producers[PRODUCERS_MAX];

/* Closes first to last; where the kernel has no close_range (before 5.9), one by one. */
static void close_between(int first, int last)
{
        if (first > last || close_range((unsigned)first, (unsigned)last, 0) == 0)
                return;
        struct rlimit r;
        int most =
                getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_max < DESCRIPTORS_MAX ? (int)r.rlim_max : DESCRIPTORS_MAX;
        for (int fd = first; fd <= MIN(last, most); fd++)
                close(fd);
}

static bool is_among(int fd, const int keep[static CHILD_KEEPS])
{
        for (size_t i = 0; i < CHILD_KEEPS; i++)
                if (keep[i] == fd)
                        return true;
        return false;
}

/* The lowest of those that are not below; INT_MAX: there is none. */
static int next_kept(int from, const int keep[static CHILD_KEEPS])
{
        int next = INT_MAX;
        for (size_t i = 0; i < CHILD_KEEPS; i++)
                if (keep[i] >= from)
                        next = MIN(next, keep[i]);
        return next;
}

void child_keep_only(const int keep[static CHILD_KEEPS])
{
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = 0; fd < (KEEP_STDERR ? 2 : 3); fd++)
                if (!is_among(fd, keep) && (null < 0 || dup2(null, fd) < 0))
                        close(fd); /* no /dev/null here: nothing is better than the terminal */
        int from = 3, kept;
        for (; (kept = next_kept(from, keep)) < INT_MAX; from = kept + 1)
                close_between(from, kept - 1);
        close_between(from, INT_MAX);
}

void child_dies_with(pid_t parent)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (getppid() != parent)
                _exit(EXIT_FAILED);
        signal(SIGINT, SIG_IGN); /* the parent hears of Ctrl-C and ends us in order */
        signal(SIGHUP, SIG_IGN);
        signal(SIGTERM, SIG_DFL);
        signal(SIGPIPE, SIG_IGN);
}

static _noreturn_ void producer_main(int (*run)(void *, int, struct error *), void *arg, int out_fd, int words_fd)
{
        struct error err = ERROR_NONE;
        int r = run(arg, out_fd, &err);
        if (r == -EPIPE)
                _exit(EXIT_CUT_OFF);
        if (r < 0) {
                const char *words = err.text[0] ? err.text : "failed without a word";
                (void)write_all(words_fd, words, strlen(words));
                _exit(EXIT_FAILED);
        }
        _exit(EXIT_DONE);
}

int producer_start(int (*run)(void *arg, int out_fd, struct error *err), void *arg, int *ret_fd, pid_t *ret_pid,
                   struct error *err)
{
        size_t slot = 0;
        while (slot < PRODUCERS_MAX && producers[slot].pid)
                slot++;
        if (slot == PRODUCERS_MAX)
                return error_set(err, -EMFILE, "more than %d producers at once", PRODUCERS_MAX);
        int data[2], words[2];
        if (pipe2(data, O_CLOEXEC) < 0)
                return error_errno(err, -errno, "cannot make a pipe");
        if (pipe2(words, O_CLOEXEC) < 0) {
                int r = error_errno(err, -errno, "cannot make a pipe");
                close(data[0]);
                close(data[1]);
                return r;
        }
        (void)fcntl(data[1], F_SETPIPE_SZ, PIPE_BYTES);
        fflush(NULL);
        pid_t parent = getpid(), pid = fork();
        if (pid == 0) {
                child_dies_with(parent);
                close(data[0]);
                close(words[0]);
                producer_main(run, arg, data[1], words[1]);
        }
        int saved = errno;
        close(data[1]);
        close(words[1]);
        if (pid < 0) {
                close(data[0]);
                close(words[0]);
                return error_errno(err, -saved, "cannot start a producer");
        }
        producers[slot].pid = pid;
        producers[slot].words_fd = words[0];
        *ret_fd = data[0];
        *ret_pid = pid;
        return 0;
}

int producer_finish(pid_t pid, struct error *err)
{
        _cleanup_(closep) int words_fd = -1;
        for (size_t i = 0; i < PRODUCERS_MAX; i++)
                if (producers[i].pid == pid) {
                        words_fd = producers[i].words_fd;
                        producers[i].pid = 0;
                }
        /* Its reader is gone: a producer that still writes sees EPIPE at once; one that waits for a peer is ended. */
        int status = 0;
        pid_t r = waitpid(pid, &status, WNOHANG);
        for (int i = 0; r == 0 && i < 50; i++) {
                struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };
                nanosleep(&pause, NULL);
                r = waitpid(pid, &status, WNOHANG);
        }
        if (r == 0) {
                kill(pid, SIGKILL);
                while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                        ;
                return 0;
        }
        if (r < 0 || (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_FAILED))
                return 0;
        if (WIFSIGNALED(status))
                return error_set(err, -EIO, "the process that fetched it died (signal %d)", WTERMSIG(status));
        _cleanup_(buf_done) struct buf text = BUF_INIT(ERROR_TEXT_MAX);
        if (words_fd >= 0)
                (void)read_all(words_fd, &text);
        return error_set(err, -EIO, "%.*s", STR_FMT(buf_str(&text)));
}
