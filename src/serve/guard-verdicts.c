/*
 * See guard-verdicts.h. Rows lie in one array; buckets and the order of use are chained by their numbers, NONE ends a
 * chain. Nothing is allocated after the beginning but the index of descriptors.
 */
#include "serve/guard-verdicts.h"

#include "base/arena.h"

#include <stdlib.h>

#define NONE    UINT32_MAX
#define BUCKETS (VERDICTS_ROWS_MAX * 2)

struct chain {
        uint32_t newest, oldest;
};

struct verdicts {
        struct verdict_row *rows;
        uint32_t *buckets;
        uint32_t free;
        struct chain chains[2]; /* rows in the order of their use: without a descriptor, and with one */
        uint32_t *by_fd;        /* row of a descriptor */
        size_t by_fd_n;
        size_t n, held, held_max, visited;
        void (*release)(void *arg, int fd);
        void *arg;
};

struct file_key file_key_of(const struct stat *st)
{
        return (struct file_key){ .dev = st->st_dev,
                                  .ino = st->st_ino,
                                  .ctime_ns = st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec,
                                  .size = (uint64_t)st->st_size };
}

bool file_key_eq(const struct file_key *a, const struct file_key *b)
{
        return a->dev == b->dev && a->ino == b->ino && a->ctime_ns == b->ctime_ns && a->size == b->size;
}

static uint32_t *bucket(struct verdicts *v, uint64_t dev, uint64_t ino)
{
        uint64_t both[2] = { dev, ino };
        return &v->buckets[hash_str(str_span(both, sizeof(both))) % BUCKETS];
}

struct verdicts *verdicts_new(size_t held_max, void (*release)(void *arg, int fd), void *arg)
{
        struct verdicts *v = xcalloc(1, sizeof(*v));
        *v = (struct verdicts){ .rows = xcalloc(VERDICTS_ROWS_MAX, sizeof(*v->rows)),
                                .buckets = xreallocarray(NULL, BUCKETS, sizeof(*v->buckets)),
                                .chains = { { NONE, NONE }, { NONE, NONE } },
                                .held_max = held_max,
                                .release = release,
                                .arg = arg };
        for (uint32_t i = 0; i < BUCKETS; i++)
                v->buckets[i] = NONE;
        for (uint32_t i = 0; i < VERDICTS_ROWS_MAX; i++)
                v->rows[i] = (struct verdict_row){ .fd = -1, .next = i + 1 < VERDICTS_ROWS_MAX ? i + 1 : NONE };
        return v;
}

static uint32_t number(const struct verdicts *v, const struct verdict_row *r) { return (uint32_t)(r - v->rows); }

/* --- the order of use --- */

static struct chain *chain_of(struct verdicts *v, const struct verdict_row *r) { return &v->chains[r->fd >= 0]; }

static void unchain(struct verdicts *v, struct verdict_row *r)
{
        struct chain *c = chain_of(v, r);
        *(r->newer == NONE ? &c->newest : &v->rows[r->newer].older) = r->older;
        *(r->older == NONE ? &c->oldest : &v->rows[r->older].newer) = r->newer;
}

static void chain_newest(struct verdicts *v, struct verdict_row *r)
{
        struct chain *c = chain_of(v, r);
        r->newer = NONE;
        r->older = c->newest;
        *(c->newest == NONE ? &c->oldest : &v->rows[c->newest].newer) = number(v, r);
        c->newest = number(v, r);
}

void verdicts_use(struct verdicts *v, struct verdict_row *r)
{
        unchain(v, r);
        chain_newest(v, r);
}

/* --- descriptors --- */

static void let_go(struct verdicts *v, struct verdict_row *r)
{
        if (r->fd < 0)
                return;
        unchain(v, r);
        v->by_fd[r->fd] = NONE;
        v->held--;
        v->release(v->arg, r->fd);
        r->fd = -1;
        chain_newest(v, r);
}

static void hold(struct verdicts *v, struct verdict_row *r, int fd)
{
        if ((size_t)fd >= v->by_fd_n) {
                size_t n = MAX((size_t)fd + 1, 2 * v->by_fd_n);
                v->by_fd = xreallocarray(v->by_fd, n, sizeof(*v->by_fd));
                while (v->by_fd_n < n)
                        v->by_fd[v->by_fd_n++] = NONE;
        }
        unchain(v, r);
        v->by_fd[fd] = number(v, r);
        v->held++;
        r->fd = fd;
        chain_newest(v, r);
}

struct verdict_row *verdicts_holding(struct verdicts *v, int fd)
{
        return fd < 0 || (size_t)fd >= v->by_fd_n || v->by_fd[fd] == NONE ? NULL : &v->rows[v->by_fd[fd]];
}

/* --- rows --- */

struct verdict_row *verdicts_find(struct verdicts *v, uint64_t dev, uint64_t ino)
{
        for (uint32_t i = *bucket(v, dev, ino); i != NONE; i = v->rows[i].next)
                if (v->rows[i].key.ino == ino && v->rows[i].key.dev == dev)
                        return &v->rows[i];
        return NULL;
}

void verdicts_drop(struct verdicts *v, struct verdict_row *r)
{
        uint32_t *at = bucket(v, r->key.dev, r->key.ino);
        while (*at != number(v, r))
                at = &v->rows[*at].next;
        *at = r->next;
        let_go(v, r);
        unchain(v, r);
        *r = (struct verdict_row){ .fd = -1, .next = v->free };
        v->free = number(v, r);
        v->n--;
}

bool verdicts_fits(const struct verdict_row *r, const struct file_key *key, bool holds_lease)
{
        return file_key_eq(&r->key, key) && (r->fd >= 0 || (holds_lease && r->is_settled));
}

struct verdict_row *verdicts_put(struct verdicts *v, const struct file_key *key, enum verdict verdict, int fd,
                                 int64_t looked_ns)
{
        struct verdict_row *r = verdicts_find(v, key->dev, key->ino);
        if (r)
                verdicts_drop(v, r);
        if (v->free == NONE)
                verdicts_drop(v, &v->rows[v->chains[0].oldest != NONE ? v->chains[0].oldest : v->chains[1].oldest]);
        if (fd >= 0 && v->held >= v->held_max) /* it may still be believed */
                let_go(v, &v->rows[v->chains[1].oldest]);
        r = &v->rows[v->free];
        v->free = r->next;
        uint32_t *at = bucket(v, key->dev, key->ino);
        *r = (struct verdict_row){ .key = *key,
                                   .verdict = verdict,
                                   .is_settled = key->ctime_ns < looked_ns - VERDICTS_COARSE,
                                   .fd = -1,
                                   .next = *at };
        *at = number(v, r);
        chain_newest(v, r);
        if (fd >= 0)
                hold(v, r, fd);
        v->n++;
        return r;
}

void verdicts_visit(struct verdicts *v, size_t n, void (*each)(void *arg, struct verdict_row *r), void *arg)
{
        for (size_t seen = 0; seen < v->by_fd_n && n; seen++) {
                uint32_t row = v->by_fd[v->visited++ % v->by_fd_n];
                if (row == NONE)
                        continue;
                each(arg, &v->rows[row]);
                n--;
        }
}

size_t verdicts_rows(const struct verdicts *v) { return v->n; }
size_t verdicts_held(const struct verdicts *v) { return v->held; }

void verdicts_free(struct verdicts *v)
{
        if (!v)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(v->chains); i++)
                while (v->chains[i].newest != NONE)
                        verdicts_drop(v, &v->rows[v->chains[i].newest]);
        free(v->by_fd);
        free(v->buckets);
        free(v->rows);
        free(v);
}
