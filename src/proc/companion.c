/* See companion.h. What comes from a servant is bytes of a bounded number; who asked it decodes them. */
#include "proc/companion.h"

#include "base/map.h"
#include "proc/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(CHILD_KEEPS >= COMPANION_KEEPS + 1, "a child can keep its socket and what it is given");

int companion_start(void (*run)(void *arg, int fd), void *arg, const int keep[static COMPANION_KEEPS], bool dies_too,
                    int *ret_fd, pid_t *ret_pid, struct error *err)
{
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_errno(err, -errno, "cannot make a pair of sockets");
        fflush(NULL);
        hash_str(STR("")); /* the seed is drawn before the fork, so that hashes agree */
        pid_t parent = getpid(), pid = fork();
        if (pid == 0) {
                if (dies_too)
                        child_dies_with(parent);
                child_keep_only((int[CHILD_KEEPS]){ pair[1], keep[0], keep[1] });
                run(arg, pair[1]);
                _exit(0);
        }
        int saved = errno;
        close(pair[1]);
        if (pid < 0) {
                close(pair[0]);
                return error_errno(err, -saved, "cannot start a process");
        }
        (void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
        *ret_fd = pair[0];
        *ret_pid = pid;
        return 0;
}

union control {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))];
};

int message_send(int fd, const void *p, size_t n, const int *fds, size_t n_fds)
{
        union control control = { .bytes = { 0 } };
        struct iovec part = { .iov_base = (void *)p, .iov_len = n };
        struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
        if (n > MESSAGE_MAX || n_fds > MESSAGE_FDS_MAX)
                return -EMSGSIZE;
        if (n_fds) {
                m.msg_control = control.bytes;
                m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(n_fds * sizeof(int)),
                                                 .cmsg_level = SOL_SOCKET,
                                                 .cmsg_type = SCM_RIGHTS };
                memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof(int));
        }
        ssize_t sent;
        do
                sent = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (sent < 0 && errno == EINTR);
        return sent < 0 ? -errno : 0;
}

ssize_t message_take(int fd, void *p, size_t size, int fds[static MESSAGE_FDS_MAX])
{
        union control control;
        struct iovec part = { .iov_base = p, .iov_len = size };
        struct msghdr m = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
        };
        for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
                fds[i] = -1;
        ssize_t n;
        do
                n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                        memcpy(fds, CMSG_DATA(c), MIN(c->cmsg_len - CMSG_LEN(0), MESSAGE_FDS_MAX * sizeof(int)));
        if (!(m.msg_flags & MSG_TRUNC))
                return n;
        for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
                fds[i] = close_fd(fds[i]);
        return -EMSGSIZE;
}

/* ---------------------------------------------------------------------------------------------------- servants ---- */

static void servant_main(void *arg, int fd)
{
        const struct servant_work *work = arg;
        char missing[64], question[MESSAGE_MAX];
        int fds[MESSAGE_FDS_MAX];
        ssize_t n;
        struct buf reply = BUF_INIT(MESSAGE_MAX);
        if (sandbox_enter_receiving(work->memory_max, fd, missing, NULL) < 0)
                _exit(1);
        if (work->begin)
                work->begin(work->arg);
        while ((n = message_take(fd, question, sizeof(question), fds)) > 0) {
                buf_clear(&reply);
                work->answer(work->arg, str_span(question, (size_t)n), fds, &reply);
                for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
                        close_fd(fds[i]);
                /* write(2), since the sandbox knows no send; a message is sent whole */
                if (write(fd, reply.n ? reply.p : "", MAX(reply.n, (size_t)1)) < 0)
                        break;
        }
        _exit(0);
}

int servant_start(const struct servant_work *work, struct servant *ret, struct error *err)
{
        static const int keep[COMPANION_KEEPS] = { -1, -1 };
        return companion_start(servant_main, (void *)work, keep, true, &ret->fd, &ret->pid, err);
}

int servant_ask(const struct servant *s, struct str question, const int *fds, size_t n)
{
        return message_send(s->fd, question.p, question.n, fds, n);
}

int servant_wait(const struct servant *s, int timeout_ms, struct buf *reply)
{
        struct pollfd p = { .fd = s->fd, .events = POLLIN };
        if (poll(&p, 1, timeout_ms) <= 0)
                return -ETIMEDOUT;
        int r = servant_take(s, reply);
        return r == 0 ? -ETIMEDOUT : MIN(r, 0);
}

int servant_take(const struct servant *s, struct buf *reply)
{
        char bytes[MESSAGE_MAX];
        int fds[MESSAGE_FDS_MAX];
        ssize_t n = message_take(s->fd, bytes, sizeof(bytes), fds);
        for (size_t i = 0; i < MESSAGE_FDS_MAX; i++) /* it has none to give */
                close_fd(fds[i]);
        if (n == -EAGAIN)
                return 0;
        if (n <= 0)
                return n < 0 && n != -ECONNRESET ? (int)n : -EPIPE; /* reset: it died before it took the question */
        buf_clear(reply);
        buf_add(reply, bytes, (size_t)n);
        return 1;
}

void servant_end(struct servant *s, char words[static SERVANT_WORDS_MAX])
{
        int status = 0;
        words[0] = '\0';
        if (!s->pid)
                return;
        s->fd = close_fd(s->fd);
        kill(s->pid, SIGKILL); /* who is dying of something else keeps that as his status */
        while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
                ;
        s->pid = 0;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
                snprintf(words, SERVANT_WORDS_MAX, "tried what the sandbox forbids and was killed");
        else if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
                snprintf(words, SERVANT_WORDS_MAX, "crashed (signal %d, %s)", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
        else if (WIFEXITED(status))
                snprintf(words, SERVANT_WORDS_MAX, "ended by itself (status %d)", WEXITSTATUS(status));
}
