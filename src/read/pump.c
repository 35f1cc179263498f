/*
 * The pump: one producer, one consumer, a ring of chunks under a mutex. A chunk is half a megabyte, so the lock is
 * taken some thousand times a second at most.
 *
 * Invariant: chunks [taken, filled) hold content, counted on without end; chunk i lies at place i % PUMP_CHUNKS. The
 * consumer holds chunk taken - 1 until its next pull, so the thread fills at most PUMP_CHUNKS - 1 ahead of it.
 */
#include "read/pump.h"

#include "base/arena.h"

#include <pthread.h>
#include <stdlib.h>

struct pump {
        struct stream *stream;
        pthread_t thread;
        bool has_thread;
        pthread_mutex_t lock;
        pthread_cond_t has_room, has_chunk;

        /* Under the lock: */
        uint64_t filled, taken;
        size_t sizes[PUMP_CHUNKS];
        bool is_over; /* the stream's end or error was reached: nothing comes after `filled` */
        bool is_stopped;
        int failed;
        struct error why;

        uint8_t *chunks; /* PUMP_CHUNKS of PUMP_CHUNK_BYTES, owned */
};

static uint8_t *chunk(const struct pump *p, uint64_t i) { return p->chunks + i % PUMP_CHUNKS * PUMP_CHUNK_BYTES; }

/* Takes what stream_read gave into the books. Needs the lock where there is a thread. */
static void book(struct pump *p, ssize_t r, const struct error *why)
{
        if (r > 0) {
                p->sizes[p->filled++ % PUMP_CHUNKS] = (size_t)r;
                return;
        }
        p->is_over = true;
        p->failed = (int)r;
        p->why = *why;
}

static void *run(void *arg)
{
        struct pump *p = arg;
        struct error why = ERROR_NONE;
        pthread_mutex_lock(&p->lock);
        while (!p->is_over && !p->is_stopped) {
                if (p->filled - p->taken == PUMP_CHUNKS - 1) {
                        pthread_cond_wait(&p->has_room, &p->lock);
                        continue;
                }
                uint8_t *to = chunk(p, p->filled);
                pthread_mutex_unlock(&p->lock);
                ssize_t r = stream_read(p->stream, to, PUMP_CHUNK_BYTES, &why);
                pthread_mutex_lock(&p->lock);
                book(p, r, &why);
                pthread_cond_signal(&p->has_chunk);
        }
        pthread_mutex_unlock(&p->lock);
        return NULL;
}

struct pump *pump_start(struct stream *s)
{
        struct pump *p = xcalloc(1, sizeof(*p));
        p->stream = s;
        p->chunks = xreallocarray(NULL, PUMP_CHUNKS, PUMP_CHUNK_BYTES);
        pthread_mutex_init(&p->lock, NULL);
        pthread_cond_init(&p->has_room, NULL);
        pthread_cond_init(&p->has_chunk, NULL);
        p->has_thread = pthread_create(&p->thread, NULL, run, p) == 0;
        return p;
}

/* Waits until a chunk lies ready or nothing comes any more. */
static void await(struct pump *p)
{
        if (p->has_thread) {
                while (p->taken == p->filled && !p->is_over)
                        pthread_cond_wait(&p->has_chunk, &p->lock);
        } else if (!p->is_over) {
                struct error why = ERROR_NONE;
                book(p, stream_read(p->stream, chunk(p, p->filled), PUMP_CHUNK_BYTES, &why), &why);
        }
}

ssize_t pump_pull(void *arg, const void **ret_p)
{
        struct pump *p = arg;
        ssize_t r = 0;
        pthread_mutex_lock(&p->lock);
        await(p);
        if (p->taken < p->filled) {
                *ret_p = chunk(p, p->taken);
                r = (ssize_t)p->sizes[p->taken % PUMP_CHUNKS];
                p->taken++;
                pthread_cond_signal(&p->has_room);
        } else {
                r = p->failed;
        }
        pthread_mutex_unlock(&p->lock);
        return r;
}

int pump_error(const struct pump *p, struct error *err)
{
        return p->failed < 0 ? error_set(err, p->failed, "%s", p->why.text) : 0;
}

void pump_stop(struct pump *p)
{
        if (!p)
                return;
        if (p->has_thread) {
                pthread_mutex_lock(&p->lock);
                p->is_stopped = true;
                pthread_cond_signal(&p->has_room);
                pthread_mutex_unlock(&p->lock);
                pthread_join(p->thread, NULL);
        }
        pthread_cond_destroy(&p->has_chunk);
        pthread_cond_destroy(&p->has_room);
        pthread_mutex_destroy(&p->lock);
        free(p->chunks);
        free(p);
}

void pump_stopp(struct pump **p) { pump_stop(*p); }
