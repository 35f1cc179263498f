/*
 * Helpers: children that do for one worker what its sandbox forbids. They keep the caller's rights, and of its
 * descriptors only their end of the pair of sockets.
 */
#include "proc/worker.h"

#include "proc/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int helper_start(const struct job_helper *h, int *ret_fd, pid_t *ret_pid, struct error *err)
{
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_errno(err, -errno, "cannot make a pair of sockets");
        fflush(NULL);
        pid_t parent = getpid(), pid = fork();
        if (pid == 0) {
                child_dies_with(parent);
                child_keep_only((int[CHILD_KEEPS]){ pair[1], -1, -1 });
                h->serve(h->arg, pair[1]);
                _exit(0);
        }
        int saved = errno;
        close(pair[1]);
        if (pid < 0) {
                close(pair[0]);
                return error_errno(err, -saved, "cannot start a helper");
        }
        *ret_fd = pair[0];
        *ret_pid = pid;
        return 0;
}

void helper_end(pid_t pid)
{
        if (!pid)
                return;
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
}
