/*
 * Credential helpers: programs docker-credential-NAME that keep passwords elsewhere
 * (https://github.com/docker/docker-credential-helpers). The server's name goes in on standard input, a JSON object
 * {"Username": ..., "Secret": ...} comes out; both sides are bounded in bytes and time. See auth.h.
 */
#include "source/auth.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/fs.h"
#include "proc/worker.h"
#include "read/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER_SECONDS_MAX 30
#define HELPER_OUTPUT_MAX  (64u << 10)

extern char **environ;

static int spawn(const char *program, int in_fd, int out_fd, pid_t *ret_pid)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t defaults;
        char *argv[] = { (char *)program, (char *)"get", NULL };
        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        posix_spawn_file_actions_adddup2(&actions, in_fd, 0);
        posix_spawn_file_actions_adddup2(&actions, out_fd, 1);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
        int r = -posix_spawnp(ret_pid, program, &actions, &attributes, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        return r;
}

/* 0 at the end of the output; -ETIMEDOUT, -EFBIG, -EINTR. */
static int collect(int fd, struct buf *out)
{
        int64_t end = monotonic_ms() + HELPER_SECONDS_MAX * 1000;
        for (;;) {
                char chunk[4096];
                struct pollfd p = { .fd = fd, .events = POLLIN };
                if (workers_interrupted())
                        return -EINTR;
                if (monotonic_ms() >= end)
                        return -ETIMEDOUT;
                if (poll(&p, 1, 200) <= 0)
                        continue;
                ssize_t n = read(fd, chunk, sizeof(chunk));
                if (n == 0)
                        return buf_is_full(out) ? -EFBIG : 0;
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0)
                        buf_add(out, chunk, (size_t)n);
                explicit_bzero(chunk, sizeof(chunk));
                if (buf_is_full(out))
                        return -EFBIG;
        }
}

static int take_answer(const char *program, struct str text, struct credential *ret, struct error *err)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(json_dropp) json_t *root = NULL;
        int r = json_document(text, HELPER_OUTPUT_MAX, &root, NULL);
        struct str user = json_text_of(root, "Username", &arena), secret = json_text_of(root, "Secret", &arena);
        if (r < 0 || !secret.n || memchr(secret.p, 0, secret.n) || memchr(user.p ? user.p : "", 0, user.n))
                return error_set(err, -EIO, "%s printed what is not an answer", program);
        if (str_is(user, "<token>")) {
                ret->identity_token = str_dup(secret);
        } else {
                ret->username = str_dup(user);
                ret->password = str_dup(secret);
        }
        return 0;
}

int auth_helper_get(const char *name, const char *server, struct credential *ret, struct error *err)
{
        char program[AUTH_HELPER_MAX + 32];
        _cleanup_(closep) int in_read = -1;
        _cleanup_(closep) int out_read = -1;
        _cleanup_(buf_done) struct buf out = BUF_INIT(HELPER_OUTPUT_MAX);
        int in[2], from[2], status = 0;
        pid_t pid;
        snprintf(program, sizeof(program), "docker-credential-%s", name);
        if (pipe2(in, O_CLOEXEC) < 0)
                return error_errno(err, -errno, "cannot make a pipe");
        in_read = in[0];
        (void)write_all(in[1], server, strlen(server)); /* fits a pipe: no reader is needed yet */
        close(in[1]);
        if (pipe2(from, O_CLOEXEC) < 0)
                return error_errno(err, -errno, "cannot make a pipe");
        out_read = from[0];
        int r = spawn(program, in_read, from[1], &pid);
        close(from[1]);
        if (r < 0)
                return error_errno(err, -EIO, "cannot run the credential helper %s (%s)", program, strerror(-r));
        r = collect(out_read, &out);
        if (r < 0)
                kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        bool is_unknown = r == 0 && str_find(buf_str(&out), STR("credentials not found")) >= 0;
        if (r == -ETIMEDOUT)
                r = error_set(err, r, "%s gave no answer within %d s", program, HELPER_SECONDS_MAX);
        else if (r < 0)
                r = error_errno(err, r == -EINTR ? r : -EIO, "%s could not be read", program);
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                r = is_unknown ? 0 : error_set(err, -EIO, "%s failed", program);
        else
                r = take_answer(program, buf_str(&out), ret, err);
        if (out.p)
                explicit_bzero(out.p, out.n);
        return r;
}
