/* See child.h. */
#include "serve/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FD 3 /* behind standard input, output and errors */

/* What a process that only sends and receives has no use for, and whoever took it over would. */
static int forbid(void)
{
        static const int calls[] = {
                SCMP_SYS(execve),
                SCMP_SYS(execveat),
                SCMP_SYS(fork),
                SCMP_SYS(vfork),
                SCMP_SYS(ptrace),
                SCMP_SYS(bpf),
                SCMP_SYS(perf_event_open),
                SCMP_SYS(mount),
                SCMP_SYS(umount2),
                SCMP_SYS(pivot_root),
                SCMP_SYS(setns),
                SCMP_SYS(unshare),
                SCMP_SYS(init_module),
                SCMP_SYS(finit_module),
                SCMP_SYS(delete_module),
                SCMP_SYS(kexec_load),
                SCMP_SYS(keyctl),
                SCMP_SYS(add_key),
                SCMP_SYS(request_key),
                SCMP_SYS(userfaultfd),
                SCMP_SYS(io_uring_setup),
                SCMP_SYS(process_vm_readv),
                SCMP_SYS(process_vm_writev),
                SCMP_SYS(open_by_handle_at),
                SCMP_SYS(unlink),
                SCMP_SYS(unlinkat),
                SCMP_SYS(rename),
                SCMP_SYS(renameat2),
                SCMP_SYS(chmod),
                SCMP_SYS(fchmodat),
                SCMP_SYS(chown),
                SCMP_SYS(fchownat),
        };
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        int r = filter ? 0 : -ENOMEM;
        for (size_t i = 0; r == 0 && i < sizeof(calls) / sizeof(*calls); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
        if (r == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        return r;
}

/* 0, or -errno: then nothing is run. */
static int drop(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[2] = { 0 };
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(CHILD_USER, CHILD_USER, CHILD_USER) < 0 ||
                               setresuid(CHILD_USER, CHILD_USER, CHILD_USER) < 0))
                return -errno;
        if (syscall(SYS_capset, &header, none) < 0)
                return -errno;
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        return forbid();
}

/* All but the standard ones, fd, and keep if there is one. */
static int close_others(int fd, int keep)
{
        unsigned low = (unsigned)(keep >= 0 ? MIN(fd, keep) : fd), high = (unsigned)MAX(fd, keep);
        bool good = (low <= FIRST_FD || syscall(SYS_close_range, FIRST_FD, low - 1, 0) == 0) &&
                    (high <= low + 1 || syscall(SYS_close_range, low + 1, high - 1, 0) == 0) &&
                    syscall(SYS_close_range, high + 1, ~0u, 0) == 0;
        return good ? 0 : -errno;
}

static void be_quiet(void)
{
        static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGQUIT };
        sigset_t none;
        for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
                signal(ignored[i], SIG_IGN);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

static _noreturn_ void be_child(const char *name, void (*run)(void *arg, int fd), void *arg, int fd, int keep)
{
        (void)prctl(PR_SET_NAME, name, 0, 0, 0);
        be_quiet();
        if (close_others(fd, keep) == 0 && drop() == 0)
                run(arg, fd);
        _exit(0);
}

int child_start(const char *name, void (*run)(void *arg, int fd), void *arg, int keep, struct child *ret,
                struct error *err)
{
        int fds[2], bytes = CHILD_SOCKET_BYTES;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return error_errno(err, -errno, "%s", name);
        (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
        if (setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
                (void)setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
        pid_t pid = fork();
        if (pid == 0)
                be_child(name, run, arg, fds[1], keep);
        int r = pid < 0 ? -errno : 0;
        close_fd(fds[1]);
        if (r < 0) {
                close_fd(fds[0]);
                return error_errno(err, r, "%s: cannot fork", name);
        }
        *ret = (struct child){ .pid = pid, .fd = fds[0] };
        return 0;
}

void child_end(struct child *c, void (*take)(void *arg, struct str message), void *arg)
{
        struct pollfd p = { .fd = c->fd, .events = POLLIN };
        char message[4096];
        ssize_t n = 1;
        if (c->pid <= 0)
                return;
        (void)shutdown(c->fd, SHUT_WR);
        while (n > 0) { /* no child says much: each message begins the patience anew */
                n = poll(&p, 1, CHILD_END_MS) > 0 ? recv(c->fd, message, sizeof(message), MSG_DONTWAIT) : -1;
                if (n > 0 && take)
                        take(arg, str_span(message, (size_t)n));
        }
        if (n < 0)
                kill(c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        c->fd = close_fd(c->fd);
        c->pid = 0;
}
