/*
 * A limit for alerts: of each rule in each container so many at once, and so many a second from then on. What is held
 * back is counted, and the count is told: nothing is lost but repetition. What was enforced is never held back (the
 * caller's part).
 */
#ifndef SEKISHO_SERVE_LIMIT_H
#define SEKISHO_SERVE_LIMIT_H

#include "base/map.h"
#include "base/vec.h"

#define LIMIT_BURST      100 /* at once */
#define LIMIT_PER_SECOND 2
#define LIMIT_PAIRS_MAX  4096u /* of rule and container; past it all begin anew */

struct limit_pair {
        uint64_t key;
        size_t rule;
        char container[65]; /* its id, cut */
        int64_t milli;      /* alerts that may pass, in thousandths */
        int64_t last_ns;
        uint64_t held; /* since the last one that passed or was told of */
};

struct limiter {
        struct map64 index; /* to places in pairs */
        VEC(struct limit_pair) pairs;
};

/* A zeroed struct is empty. */
void limiter_done(struct limiter *l);

/* May this one pass? now_ns never goes back (CLOCK_MONOTONIC). */
bool limiter_pass(struct limiter *l, size_t rule, struct str container, int64_t now_ns);

/*
 * The next pair that held something back and has gone quiet (an alert would pass again) or, if `all`, any such pair;
 * its count becomes 0, *ret_held has it. NULL: there is none. Valid until the next limiter_pass.
 */
const struct limit_pair *limiter_take_held(struct limiter *l, int64_t now_ns, bool all, uint64_t *ret_held);

/* True if no further pair fits: take what was held with `all`, then limiter_clear. */
static inline bool limiter_is_full(const struct limiter *l) { return l->pairs.n == LIMIT_PAIRS_MAX; }
void limiter_clear(struct limiter *l);

/* Gives back the memory of pairs that hold nothing and have been quiet for so long that they are as at the beginning.
 */
void limiter_rest(struct limiter *l, int64_t now_ns);

#endif
