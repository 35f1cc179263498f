/*
 * Companions: children that keep the caller's rights and live beside it, each at the other end of a pair of sockets
 * that carry messages with descriptors. And servants: companions that lock themselves into the workers' sandbox and
 * answer one question after the other about files that they are handed as descriptors, for where starting a worker for
 * each file (worker.h) would take longer than reading it.
 *
 * A servant that crashes, stalls or is killed costs the question that it was asked. One that was taken over can lie
 * about all that it is asked later: whoever asks replaces it after so many questions.
 */
#ifndef SEKISHO_PROC_COMPANION_H
#define SEKISHO_PROC_COMPANION_H

#include "base/buf.h"
#include "base/error.h"

#include <sys/types.h>

#define MESSAGE_MAX       (64u << 10) /* bytes of one */
#define MESSAGE_FDS_MAX   2           /* descriptors that go with it */
#define COMPANION_KEEPS   2
#define SERVANT_WORDS_MAX 160

/*
 * Forks a child that keeps of all descriptors its end of the sockets and those of `keep` (-1: none), and runs
 * run(arg, fd), which is not to return. dies_too: it is killed when the caller ends. 0 or -errno with words.
 */
int companion_start(void (*run)(void *arg, int fd), void *arg, const int keep[static COMPANION_KEEPS], bool dies_too,
                    int *ret_fd, pid_t *ret_pid, struct error *err);

/* A message, whole or not at all; descriptors stay the sender's too. 0, -EAGAIN (it would block), -EPIPE, -errno. */
int message_send(int fd, const void *p, size_t n, const int *fds, size_t n_fds);

/*
 * The next message: its bytes, 0 at the end of the other side, or -errno (-EAGAIN: there is none). Descriptors that do
 * not come are -1; those that came are the receiver's. A message longer than `size` is -EMSGSIZE.
 */
ssize_t message_take(int fd, void *p, size_t size, int fds[static MESSAGE_FDS_MAX]);

struct servant {
        pid_t pid; /* 0: there is none */
        int fd;    /* poll it for the answer */
};

struct servant_work {
        /* In the sandbox, once. May be NULL. */
        void (*begin)(void *arg);
        /* In the sandbox: one question about open files (-1: none), which are closed afterwards. */
        void (*answer)(void *arg, struct str question, const int fds[static MESSAGE_FDS_MAX], struct buf *reply);
        void *arg;
        uint64_t memory_max; /* RLIMIT_AS above what the process has at start */
};

int servant_start(const struct servant_work *work, struct servant *ret, struct error *err);

/* One question at a time, about n open files, which stay the caller's too. 0 or -errno: it is gone. */
int servant_ask(const struct servant *s, struct str question, const int *fds, size_t n);

/* Waits for its answer: 0; -ETIMEDOUT: there is none in that time; < 0: it is gone. */
int servant_wait(const struct servant *s, int timeout_ms, struct buf *reply);

/* Its answer: 1, 0: not yet, < 0: it is gone. reply's maximum should be MESSAGE_MAX. */
int servant_take(const struct servant *s, struct buf *reply);

/* Kills and reaps it; how it ended stands in words ("crashed (signal 11, ...)"), if it was not by this call. */
void servant_end(struct servant *s, char words[static SERVANT_WORDS_MAX]);

#endif
