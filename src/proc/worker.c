/*
 * The pool of workers: forks one process a job, decodes the facts that come back, and reaps.
 *
 * A frame on the pipe is a 32-bit length (of what follows), a kind byte and a fact's wire form; kind FRAME_END carries
 * the job's result and its words. The parent believes nothing: an unknown kind, a long frame or bytes that do not
 * decode end the job.
 */
#include "proc/worker.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"
#include "proc/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAME_MAX      (16u << 20)
#define FRAME_END      0xff
#define SEND_BYTES     (64u << 10)
#define PIPE_BYTES     (1 << 20)
#define MEMORY_DEFAULT (UINT64_C(512) << 20)
#define STALL_DEFAULT  120
#define RUNNING_MAX    64

/* --- in the worker --- */

struct pipe_sink {
        struct sink sink;
        struct buf out;
        int fd;
        struct buf one;
};

static void pipe_flush(struct pipe_sink *s)
{
        if (s->out.n && write_all(s->fd, s->out.p, s->out.n) < 0)
                _exit(1); /* the parent is gone, or has given us up */
        buf_clear(&s->out);
}

static void pipe_frame(struct pipe_sink *s, uint8_t kind, struct str payload)
{
        buf_le32(&s->out, (uint32_t)payload.n + 1);
        buf_u8(&s->out, kind);
        buf_add_str(&s->out, payload);
        if (s->out.n >= SEND_BYTES)
                pipe_flush(s);
}

static void pipe_put(struct sink *sink, enum fact_kind kind, const void *fact)
{
        struct pipe_sink *s = (struct pipe_sink *)sink;
        buf_clear(&s->one);
        fact_encode(kind, fact, &s->one);
        if (buf_is_full(&s->one)) {
                sink_unread(sink, STR("(a fact)"), "too-large", "a %s fact is larger than %u bytes",
                            fact_infos[kind].name, FRAME_MAX);
                return;
        }
        pipe_frame(s, (uint8_t)kind, buf_str(&s->one));
        if (kind == FACT_progress)
                pipe_flush(s);
}

static _noreturn_ void worker_main(const struct job *job, int in_fd, int helper_fd, int out_fd)
{
        struct error err = ERROR_NONE;
        char missing[64];
        struct pipe_sink s = { .sink = { .put = pipe_put },
                               .out = BUF_INIT(2 * (size_t)FRAME_MAX),
                               .one = BUF_INIT(FRAME_MAX - 1),
                               .fd = out_fd };
        child_keep_only((int[CHILD_KEEPS]){ in_fd, helper_fd, out_fd });
        if (job->helper)
                *job->helper->worker_fd = helper_fd;
        int r = sandbox_enter(job->memory_max ? job->memory_max : MEMORY_DEFAULT, missing, &err);
        if (r == 0)
                r = job->run(job->arg, in_fd, &s.sink, &err);
        struct buf end = BUF_INIT(ERROR_TEXT_MAX + 64);
        buf_le32(&end, (uint32_t)(r < 0 ? -r : 0));
        if (r < 0)
                buf_puts(&end, err.text);
        pipe_frame(&s, FRAME_END, buf_str(&end));
        pipe_flush(&s);
        _exit(0);
}

/* --- in the parent --- */

struct running {
        const struct job *job;
        pid_t pid, producer, helper;
        int fd;
        struct buf in;
        struct arena arena;
        bool ended;  /* the end frame came */
        bool killed; /* by us; `why` says for what */
        int r;
        char why[ERROR_TEXT_MAX];
        int64_t last_sign;
};

static void give_up(struct running *w, int r, const char *why)
{
        if (w->ended || w->killed)
                return;
        kill(w->pid, SIGKILL);
        w->killed = true;
        w->r = r;
        snprintf(w->why, sizeof(w->why), "%s", why);
}

static int start(const struct job *job, struct running *w, struct error *err)
{
        _cleanup_(closep) int in_fd = -1, helper_fd = -1;
        *w = (struct running){ .job = job, .fd = -1, .in = BUF_INIT(FRAME_MAX + 4), .arena = ARENA_INIT };
        int r = job->open ? job->open(job->arg, &in_fd, &w->producer, err) : 0;
        if (r == 0 && job->helper)
                r = helper_start(job->helper, &helper_fd, &w->helper, err);
        if (r < 0)
                return r;
        int pipe_fds[2];
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_errno(err, -errno, "cannot make a pipe");
        (void)fcntl(pipe_fds[0], F_SETPIPE_SZ, PIPE_BYTES);
        (void)fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
        fflush(NULL);
        hash_str(STR("")); /* the seed is drawn before the fork, so that hashes agree */
        pid_t parent = getpid();
        w->pid = fork();
        if (w->pid == 0) {
                child_dies_with(parent);
                worker_main(job, in_fd, helper_fd, pipe_fds[1]);
        }
        int saved = errno;
        close(pipe_fds[1]);
        if (w->pid < 0) {
                close(pipe_fds[0]);
                return error_errno(err, -saved, "cannot start a worker");
        }
        w->fd = pipe_fds[0];
        w->last_sign = monotonic_ms() / 1000;
        return 0;
}

static void take_end(struct running *w, struct str payload)
{
        struct cursor c = cursor_from(payload);
        uint32_t code = cursor_le32(&c);
        struct str text = cursor_bytes(&c, cursor_left(&c));
        w->ended = true;
        w->r = code == 0 ? 0 : code < 4096 ? -(int)code : -EIO;
        snprintf(w->why, sizeof(w->why), "%.*s", STR_FMT(text));
}

/* One frame's worth of bytes. False if it is not what a worker sends. */
static bool take_frame(struct running *w, struct str frame)
{
        union {
#define KIND(kind, doc) struct fact_##kind kind;
#define FIELD(kind, type, name, doc)
#define END(kind)
#include "fact/kinds.def"
#undef KIND
#undef FIELD
#undef END
        } fact;
        struct cursor c = cursor_from(frame);
        uint8_t kind = cursor_u8(&c);
        if (kind == FRAME_END) {
                take_end(w, cursor_bytes(&c, cursor_left(&c)));
                return true;
        }
        if (kind >= FACT_KINDS || !fact_decode((enum fact_kind)kind, &c, &w->arena, &fact) || !cursor_at_end(&c))
                return false;
        w->job->on_fact(w->job->arg, (enum fact_kind)kind, &fact);
        return true;
}

static void take_frames(struct running *w)
{
        struct cursor c = cursor_from(buf_str(&w->in));
        size_t used = 0;
        while (!w->killed && !w->ended && cursor_left(&c) >= 4) {
                uint32_t n = cursor_le32(&c);
                if (n == 0 || n > FRAME_MAX) {
                        give_up(w, -EPROTO, "the worker sent a frame that is too long: its result is not trusted");
                        break;
                }
                if (cursor_left(&c) < n)
                        break;
                if (!take_frame(w, cursor_bytes(&c, n))) {
                        give_up(w, -EPROTO, "the worker sent what is not a fact: its result is not trusted");
                        break;
                }
                used = cursor_where(&c);
        }
        memmove(w->in.p, w->in.p + used, w->in.n - used);
        w->in.n -= used;
        arena_done(&w->arena);
}

/* Reads what is there. False at the end of the pipe. */
static bool receive(struct running *w)
{
        char chunk[256 << 10];
        ssize_t n = read(w->fd, chunk, sizeof(chunk));
        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        if (n == 0)
                return false;
        w->last_sign = monotonic_ms() / 1000;
        for (size_t at = 0; at < (size_t)n && !w->killed && !w->ended;) {
                size_t part = MIN((size_t)n - at, FRAME_MAX + 4 - w->in.n);
                buf_add(&w->in, chunk + at, part);
                at += part;
                take_frames(w);
        }
        return true;
}

static void describe_death(struct running *w, int status)
{
        if (w->ended || w->killed)
                return;
        w->r = -ECHILD;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
                snprintf(w->why, sizeof(w->why), "the worker tried what the sandbox forbids and was killed");
        else if (WIFSIGNALED(status))
                snprintf(w->why, sizeof(w->why), "the worker crashed (signal %d, %s)", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
        else
                snprintf(w->why, sizeof(w->why), "the worker ended without a result (status %d)", WEXITSTATUS(status));
}

static void finish(struct running *w, bool tell)
{
        int status = 0;
        w->fd = close_fd(w->fd);
        kill(w->pid,
             SIGKILL); /* it said its last word, or closed its pipe: it may not go on. Who is dying keeps his status */
        while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
                ;
        describe_death(w, status);
        helper_end(w->helper);
        if (w->producer) {
                struct error err = ERROR_NONE;
                /* A producer that failed is the cause; one that was cut off because the worker ended is not. */
                if (producer_finish(w->producer, &err) < 0 && (w->r == 0 || w->r == -EBADMSG)) {
                        w->r = -EIO;
                        snprintf(w->why, sizeof(w->why), "%s", err.text);
                }
        }
        if (tell)
                w->job->on_end(w->job->arg, w->r, w->why);
        buf_done(&w->in);
        arena_done(&w->arena);
}

static unsigned default_parallel(void)
{
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        return cores < 1 ? 1 : (unsigned)MIN(cores, 16);
}

static void watch(struct running *running, size_t n)
{
        struct pollfd fds[RUNNING_MAX];
        for (size_t i = 0; i < n; i++)
                fds[i] = (struct pollfd){ .fd = running[i].fd, .events = POLLIN };
        if (poll(fds, n, 200) <= 0)
                return;
        for (size_t i = 0; i < n; i++)
                if (fds[i].revents && !receive(&running[i]))
                        running[i].fd = close_fd(running[i].fd);
}

static bool may_start(const struct job *job, size_t n_running)
{
        return n_running == 0 || !job->ready || job->ready(job->arg);
}

int workers_run(const struct job *jobs, size_t n_jobs, unsigned parallel, struct error *err)
{
        struct running running[RUNNING_MAX];
        size_t n = 0, next = 0;
        parallel = MIN(parallel ? parallel : default_parallel(), RUNNING_MAX);
        while ((next < n_jobs || n) && !workers_interrupted()) {
                while (next < n_jobs && n < parallel && may_start(&jobs[next], n)) {
                        const struct job *job = &jobs[next++];
                        struct error why = ERROR_NONE;
                        int r = start(job, &running[n], &why);
                        if (r == 0) {
                                n++;
                        } else {
                                helper_end(running[n].helper);
                                if (running[n].producer)
                                        (void)producer_finish(running[n].producer, NULL);
                                job->on_end(job->arg, r, why.text);
                        }
                }
                if (n)
                        watch(running, n);
                for (size_t i = 0; i < n;) {
                        struct running *w = &running[i];
                        int64_t patience = w->job->stall_seconds ? w->job->stall_seconds : STALL_DEFAULT;
                        if (monotonic_ms() / 1000 - w->last_sign > patience)
                                give_up(w, -ETIMEDOUT, "no progress for too long: given up");
                        if (w->fd >= 0 && !w->killed && !w->ended) {
                                i++;
                                continue;
                        }
                        finish(w, true);
                        *w = running[--n];
                }
        }
        if (!workers_interrupted())
                return 0;
        for (size_t i = 0; i < n; i++) {
                give_up(&running[i], -EINTR, "interrupted");
                finish(&running[i], false);
        }
        return error_set(err, -EINTR, "interrupted");
}
