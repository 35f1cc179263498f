/* See limit.h. A bucket of tokens a pair. */
#include "serve/limit.h"

#include "base/arena.h"

#include <stdlib.h>

#define MILLI INT64_C(1000)
#define NS_A_MILLI                                                                                                     \
        (INT64_C(1000000) / LIMIT_PER_SECOND) /* nanoseconds in which a thousandth of an alert comes back              \
                                               */

void limiter_clear(struct limiter *l)
{
        map64_done(&l->index);
        vec_clear(&l->pairs);
}

void limiter_done(struct limiter *l)
{
        limiter_clear(l);
        vec_done(&l->pairs);
}

static void refill(struct limit_pair *p, int64_t now_ns)
{
        int64_t came = (now_ns - p->last_ns) / NS_A_MILLI;
        if (came <= 0)
                return;
        p->milli = MIN(p->milli + MIN(came, LIMIT_BURST * MILLI), LIMIT_BURST * MILLI);
        p->last_ns += came * NS_A_MILLI;
}

static struct limit_pair *find(struct limiter *l, size_t rule, struct str container, int64_t now_ns)
{
        uint64_t key = hash_str_more(hash_str(container), str_span(&rule, sizeof(rule)));
        bool is_new;
        uint64_t *at = map64_put(&l->index, key, &is_new);
        if (!is_new)
                return &l->pairs.v[*at];
        *at = l->pairs.n;
        struct limit_pair *p = vec_push(&l->pairs);
        *p = (struct limit_pair){ .key = key, .rule = rule, .milli = LIMIT_BURST * MILLI, .last_ns = now_ns };
        memcpy(p->container, container.p ? container.p : "", MIN(container.n, sizeof(p->container) - 1));
        return p;
}

bool limiter_pass(struct limiter *l, size_t rule, struct str container, int64_t now_ns)
{
        struct limit_pair *p = find(l, rule, container, now_ns);
        refill(p, now_ns);
        if (p->milli < MILLI) {
                p->held++;
                return false;
        }
        p->milli -= MILLI;
        return true;
}

const struct limit_pair *limiter_take_held(struct limiter *l, int64_t now_ns, bool all, uint64_t *ret_held)
{
        for (size_t i = 0; i < l->pairs.n; i++) {
                struct limit_pair *p = &l->pairs.v[i];
                if (p->held == 0)
                        continue;
                refill(p, now_ns);
                if (!all && p->milli < MILLI)
                        continue;
                *ret_held = p->held;
                p->held = 0;
                return p;
        }
        return NULL;
}

void limiter_rest(struct limiter *l, int64_t now_ns)
{
        for (size_t i = l->pairs.n; i-- > 0;) {
                struct limit_pair *p = &l->pairs.v[i];
                refill(p, now_ns);
                if (p->held > 0 || p->milli < LIMIT_BURST * MILLI)
                        continue;
                map64_take_out(&l->index, p->key, i, l->pairs.v[l->pairs.n - 1].key);
                *p = l->pairs.v[--l->pairs.n];
        }
        vec_shrink(&l->pairs);
}
