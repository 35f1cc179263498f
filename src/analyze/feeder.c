/* See feeder.h. The turn is handed over under a mutex, which also orders what both sides wrote. */
#include "analyze/feeder.h"

#include "base/arena.h"

#include <pthread.h>
#include <stdlib.h>

#define STACK_BYTES (1u << 20) /* of the thread; archives in archives make one each */

enum turn { TURN_GIVER, TURN_RUNNER };

struct feeder {
        void (*run)(void *arg, struct feeder *f);
        void *arg;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        enum turn turn;
        struct str piece; /* not yet pulled */
        bool is_ended, is_cut, is_done;
};

static void pass_turn(struct feeder *f, enum turn to)
{
        f->turn = to;
        pthread_cond_signal(&f->changed);
}

static void await_turn(struct feeder *f, enum turn mine)
{
        while (f->turn != mine)
                pthread_cond_wait(&f->changed, &f->lock);
}

static void *thread_main(void *arg)
{
        struct feeder *f = arg;
        pthread_mutex_lock(&f->lock);
        await_turn(f, TURN_RUNNER);
        pthread_mutex_unlock(&f->lock);
        f->run(f->arg, f);
        pthread_mutex_lock(&f->lock);
        f->is_done = true;
        pass_turn(f, TURN_GIVER);
        pthread_mutex_unlock(&f->lock);
        return NULL;
}

struct feeder *feeder_new(void (*run)(void *arg, struct feeder *f), void *arg)
{
        struct feeder *f = xcalloc(1, sizeof(*f));
        pthread_attr_t attributes;
        f->run = run;
        f->arg = arg;
        pthread_mutex_init(&f->lock, NULL);
        pthread_cond_init(&f->changed, NULL);
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        int r = pthread_create(&f->thread, &attributes, thread_main, f);
        pthread_attr_destroy(&attributes);
        if (r == 0)
                return f;
        pthread_cond_destroy(&f->changed);
        pthread_mutex_destroy(&f->lock);
        free(f);
        return NULL;
}

static void let_run(struct feeder *f)
{
        pthread_mutex_lock(&f->lock);
        if (!f->is_done) {
                pass_turn(f, TURN_RUNNER);
                await_turn(f, TURN_GIVER);
        }
        pthread_mutex_unlock(&f->lock);
}

void feeder_give(struct feeder *f, struct str bytes)
{
        f->piece = bytes;
        if (bytes.n && !f->is_done)
                let_run(f);
}

bool feeder_is_done(const struct feeder *f) { return f->is_done; }

void feeder_end(struct feeder *f, bool is_whole)
{
        f->piece = STR_NONE;
        f->is_ended = true;
        f->is_cut = !is_whole;
        while (!f->is_done)
                let_run(f);
        pthread_join(f->thread, NULL);
        pthread_cond_destroy(&f->changed);
        pthread_mutex_destroy(&f->lock);
        free(f);
}

void feeder_over(struct str bytes, void (*run)(void *arg, struct feeder *f), void *arg)
{
        struct feeder f = { .piece = bytes, .is_ended = true };
        run(arg, &f);
}

ssize_t feeder_pull(void *feeder, const void **ret_p)
{
        struct feeder *f = feeder;
        if (!f->piece.n && !f->is_ended) {
                pthread_mutex_lock(&f->lock);
                pass_turn(f, TURN_GIVER);
                await_turn(f, TURN_RUNNER);
                pthread_mutex_unlock(&f->lock);
        }
        struct str piece = f->piece;
        *ret_p = piece.p;
        f->piece = STR_NONE;
        return (ssize_t)piece.n;
}

bool feeder_is_cut(const struct feeder *f) { return f->is_cut; }

bool feeder_is_last(const struct feeder *f) { return f->is_ended && !f->piece.n; }
