/*
 * See rule.h: conditions weakened to what somebody else can decide. The condition is walked as a formula of ALL, ANY
 * and NOT over checks; a set of clauses stands for each part. Sets stay small: where one would grow past its room, the
 * two clauses that lose least are replaced by what they have in common, which is true whenever one of them is.
 */
#include "rule/set.h"

#include <stdlib.h>

VEC_TYPE(clauses_vec, struct rule_clauses);

struct weakening {
        const struct graph *graph;
        struct value event; /* what evt.type is */
        rule_necessary *necessary;
        void *arg;
        struct map64 known; /* gate << 1 | negated -> index into sets */
        struct clauses_vec sets;
};

static void drop(struct rule_clauses *c, size_t i) { c->v[i] = c->v[--c->n]; }

/* Two of n + 1 clauses become one. */
static uint64_t merge_nearest(struct rule_clauses *c, uint64_t clause)
{
        size_t best = 0, best_i = 0, best_k = c->n; /* k == n: the new one */
        bool is_first = true;
        for (size_t i = 0; i < c->n; i++)
                for (size_t k = i + 1; k <= c->n; k++) {
                        uint64_t common = c->v[i] & (k == c->n ? clause : c->v[k]);
                        size_t bits = (size_t)__builtin_popcountll(common);
                        if (is_first || bits > best) {
                                is_first = false;
                                best = bits;
                                best_i = i;
                                best_k = k;
                        }
                }
        uint64_t merged = c->v[best_i] & (best_k == c->n ? clause : c->v[best_k]);
        if (best_k < c->n) {
                drop(c, best_k);
                drop(c, best_i);
                rule_clauses_add(c, clause);
        } else {
                drop(c, best_i);
        }
        return merged;
}

void rule_clauses_add(struct rule_clauses *c, uint64_t clause)
{
        for (;;) {
                for (size_t i = 0; i < c->n;)
                        if ((c->v[i] & clause) == c->v[i]) /* asks for less, or the same */
                                return;
                        else if ((c->v[i] & clause) == clause)
                                drop(c, i);
                        else
                                i++;
                if (c->n < RULE_CLAUSES_MAX)
                        break;
                clause = merge_nearest(c, clause);
        }
        c->v[c->n++] = clause;
}

/* The set becomes: it and the other, or it or the other. Apart from the recursion, whose frames are to be small. */
static void combine(struct weakening *w, size_t into, size_t other, bool is_both)
{
        struct rule_clauses *a = &w->sets.v[into], product = { 0 };
        const struct rule_clauses *b = &w->sets.v[other];
        for (size_t k = 0; !is_both && k < b->n; k++)
                rule_clauses_add(a, b->v[k]);
        for (size_t i = 0; is_both && i < a->n; i++)
                for (size_t k = 0; k < b->n; k++)
                        rule_clauses_add(&product, a->v[i] | b->v[k]);
        if (is_both)
                *a = product;
}

/* A comparison of evt.type has been decided: true or false. */
static bool is_event_check(const struct check *c)
{
        return c->left->kind == EXPR_FIELD && c->left->ref.field->id == FIELD_evt_type && c->matcher &&
               matcher_scratch_size(c->matcher) == 0;
}

static void of_check(struct weakening *w, const struct check *c, bool is_negated, struct rule_clauses *ret)
{
        ret->n = 1;
        if (is_event_check(c)) {
                ret->n = matcher_match(c->matcher, &w->event, NULL) != is_negated;
                return;
        }
        bool is_plain = c->left->kind == EXPR_FIELD && !c->right && c->quantifier == QUANTIFIER_NONE;
        ret->v[0] = w->necessary(w->arg, &(struct rule_check){ .id = c->id,
                                                               .ref = is_plain ? &c->left->ref : NULL,
                                                               .op = c->op,
                                                               .constants = c->constants,
                                                               .n = c->n,
                                                               .is_negated = is_negated });
}

/* The index of the gate's set. */
static size_t of_gate(struct weakening *w, uint32_t id, bool is_negated)
{
        const struct gate *gate = &w->graph->gates.v[id];
        uint64_t key = (uint64_t)id << 1 | is_negated;
        const uint64_t *known = map64_get(&w->known, key);
        if (known)
                return *known;
        if (gate->kind == GATE_NOT)
                return of_gate(w, gate->children[0], !is_negated);
        size_t own = w->sets.n;
        struct rule_clauses *set = vec_push(&w->sets);
        bool is_both = (gate->kind == GATE_ALL) != is_negated;
        if (gate->kind == GATE_CHECK)
                of_check(w, w->graph->checks.v[gate->check], is_negated, set);
        else if (gate->kind == GATE_FALSE || gate->kind == GATE_TRUE)
                set->n = (gate->kind == GATE_TRUE) != is_negated;
        else
                set->n = is_both; /* of no part: true, or false */
        for (uint32_t i = 0; i < gate->n; i++)
                combine(w, own, of_gate(w, gate->children[i], is_negated), is_both);
        *map64_put(&w->known, key, NULL) = own;
        return own;
}

void rule_set_clauses(const struct rule_set *s, size_t rule, struct str event, rule_necessary *necessary, void *arg,
                      struct rule_clauses *ret)
{
        struct weakening w = { .graph = &s->graph, .event = value_string(event), .necessary = necessary, .arg = arg };
        size_t whole = of_gate(&w, s->codes[rule].gate, false);
        *ret = w.sets.v[whole];
        map64_done(&w.known);
        vec_done(&w.sets);
}
