/*
 * The body of a sink's child. One thread takes messages off the socket into the queue, so that the agent's burst is
 * taken even while a delivery waits for a slow target; the other delivers. The queue is bounded in alerts and bytes:
 * what comes while it is full is lost, and counted.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "serve/child.h"
#include "serve/sink.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MILLI_NS INT64_C(1000000)

struct queue {
        const struct sink_job *job;
        int fd;
        pthread_mutex_t lock;
        pthread_cond_t changed; /* something came, or the end */
        char **lines;           /* a ring of SINK_QUEUE_MAX */
        size_t first, n, bytes;
        bool has_ended;   /* the agent's side is closed */
        int64_t until_ns; /* then: when to give up */
        struct sink_report report;
};

/* ------------------------------------------------------------------------------------------------- what comes ---- */

static void put(struct queue *q, struct str line)
{
        pthread_mutex_lock(&q->lock);
        if (q->n == SINK_QUEUE_MAX || q->bytes + line.n > SINK_QUEUE_BYTES) {
                q->report.lost++;
        } else {
                q->lines[(q->first + q->n++) % SINK_QUEUE_MAX] = str_dup(line);
                q->bytes += line.n;
        }
        pthread_cond_signal(&q->changed);
        pthread_mutex_unlock(&q->lock);
}

static void *take_messages(void *arg)
{
        struct queue *q = arg;
        char *message = xmalloc(CHILD_MESSAGE_MAX);
        for (;;) {
                ssize_t n = recv(q->fd, message, CHILD_MESSAGE_MAX, 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                put(q, str_trim(str_span(message, (size_t)n)));
        }
        free(message);
        pthread_mutex_lock(&q->lock);
        q->has_ended = true;
        q->until_ns = monotonic_ns() + SINK_DRAIN_MS * MILLI_NS;
        pthread_cond_signal(&q->changed);
        pthread_mutex_unlock(&q->lock);
        return NULL;
}

/* ------------------------------------------------------------------------------------------------ what leaves ---- */

/* The lock is held. Waits; false if nothing is left and nothing will come. */
static bool wait_for_lines(struct queue *q)
{
        while (q->n == 0 && !q->has_ended)
                pthread_cond_wait(&q->changed, &q->lock);
        return q->n > 0;
}

/* The lock is held. For so long, or until there is no more time. False: there is none. */
static bool pause_for(struct queue *q, int64_t ms)
{
        int64_t end = monotonic_ns() + ms * MILLI_NS;
        while (monotonic_ns() < end) {
                int64_t to = q->has_ended ? MIN(end, q->until_ns) : end;
                struct timespec t = { .tv_sec = to / INT64_C(1000000000), .tv_nsec = to % INT64_C(1000000000) };
                if (q->has_ended && monotonic_ns() >= q->until_ns)
                        return false;
                (void)pthread_cond_timedwait(&q->changed, &q->lock, &t);
        }
        return !q->has_ended || monotonic_ns() < q->until_ns;
}

/* The lock is held. How many of the first lines make a batch. */
static size_t batch_of(const struct queue *q, struct str lines[static SINK_BATCH_MAX])
{
        size_t n = 0, bytes = 0, most = MIN(q->job->kind->batch, (size_t)SINK_BATCH_MAX);
        while (n < MIN(q->n, most)) {
                struct str line = str_of(q->lines[(q->first + n) % SINK_QUEUE_MAX]);
                bytes += line.n;
                if (n > 0 && bytes > SINK_BATCH_BYTES)
                        break;
                lines[n++] = line;
        }
        return n;
}

static void remove_first(struct queue *q, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                char **line = &q->lines[(q->first + i) % SINK_QUEUE_MAX];
                q->bytes -= strlen(*line);
                free(*line);
                *line = NULL;
        }
        q->first = (q->first + n) % SINK_QUEUE_MAX;
        q->n -= n;
}

static void keep_words(struct sink_report *r, const char *words)
{
        snprintf(r->words, sizeof(r->words), "%.*s", (int)sizeof(r->words) - 1, words);
}

/* The lock is held. Tells the agent what happened since; it may be gone, or slow: then it is told later. */
static void tell(struct queue *q)
{
        if (send(q->fd, &q->report, sizeof(q->report), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(q->report))
                q->report = (struct sink_report){ 0 };
}

static void deliver_all(struct queue *q, void *state)
{
        struct str lines[SINK_BATCH_MAX];
        int64_t pause = 0;
        while (wait_for_lines(q)) {
                struct error err = ERROR_NONE;
                size_t n = batch_of(q, lines);
                pthread_mutex_unlock(&q->lock); /* these lines stay: nobody else removes any */
                int r = q->job->kind->deliver(state, lines, n, &err);
                pthread_mutex_lock(&q->lock);
                if (r >= 0) {
                        remove_first(q, n);
                        *(r == 0 ? &q->report.delivered : &q->report.refused) += n;
                        if (pause > 0)
                                snprintf(q->report.words, sizeof(q->report.words), "it takes alerts again");
                        pause = 0;
                }
                if (r != 0 && (pause == 0 || r > 0))
                        keep_words(&q->report, err.text);
                tell(q);
                if (r < 0) {
                        pause = MIN(pause ? 2 * pause : SINK_RETRY_MS, (int64_t)SINK_RETRY_MAX_MS);
                        if (!pause_for(q, pause))
                                break;
                }
        }
        q->report.lost += q->n;
        tell(q);
}

void sink_run(void *job, int fd)
{
        struct queue q = { .job = job, .fd = fd, .lines = xcalloc(SINK_QUEUE_MAX, sizeof(*q.lines)) };
        struct error err = ERROR_NONE;
        pthread_condattr_t attributes;
        pthread_t reader;
        void *state = q.job->kind->begin(q.job->target, q.job->fd, &err);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&q.changed, &attributes);
        pthread_mutex_init(&q.lock, NULL);
        if (!state || pthread_create(&reader, NULL, take_messages, &q) != 0) {
                keep_words(&q.report, state ? "no thread can be made" : err.text);
                tell(&q);
                return;
        }
        pthread_mutex_lock(&q.lock);
        deliver_all(&q, state);
        pthread_mutex_unlock(&q.lock);
}
