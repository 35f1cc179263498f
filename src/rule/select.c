/*
 * Filing rules by what each of them needs: see struct selection. Of a condition whose parts must all hold, one part is
 * the key: a comparison of a text with a few constants, so that one look-up finds the rules that the text can make
 * true; else a part that other rules need too, so that one answer settles all of them.
 */
#include "rule/set.h"

#include <stdlib.h>

#define DICTIONARY_CONSTANTS_MAX 256u /* of a comparison that is a key */
#define RARE                     2u   /* a part that so many rules have is their own */
#define COMMON                   3u   /* ... is worth an answer of its own */
#define WEIGHT_MOST              16u

struct keyed {
        struct candidate candidate;
        const struct check *text; /* a comparison with constants, or NULL */
        uint32_t gate;            /* a part that must hold, or GATE_ID_FALSE */
};

/* The parts that must all hold: of a gate that is no ALL, itself. */
static const uint32_t *parts_of(const struct rule_set *s, const uint32_t *gate, uint32_t *ret_n)
{
        const struct gate *g = &s->graph.gates.v[*gate];
        *ret_n = g->kind == GATE_ALL ? g->n : 1;
        return g->kind == GATE_ALL ? g->children : gate;
}

/* A comparison that is true of its constants only, and of a single text. */
static const struct check *text_key(const struct rule_set *s, uint32_t gate)
{
        const struct gate *g = &s->graph.gates.v[gate];
        if (g->kind != GATE_CHECK)
                return NULL;
        const struct check *c = s->graph.checks.v[g->check];
        bool is_set = c->op->id == OP_EQ || c->op->id == OP_IN || c->op->id == OP_INTERSECTS;
        bool is_plain = c->quantifier == QUANTIFIER_NONE || c->quantifier == QUANTIFIER_ANYOF;
        bool is_text = c->left->type == VALUE_STRING && c->left->traits == 0 && c->left->kind == EXPR_FIELD;
        return is_set && is_plain && is_text && c->matcher && c->n > 0 && c->n <= DICTIONARY_CONSTANTS_MAX ? c : NULL;
}

/* How well a part tells events apart: what says what something is better than what says what it is not. */
static unsigned weight(const struct rule_set *s, uint32_t gate)
{
        const struct gate *g = &s->graph.gates.v[gate];
        if (g->kind == GATE_NOT)
                return 1;
        if (g->kind != GATE_CHECK)
                return 8;
        enum operator_id op = s->graph.checks.v[g->check]->op->id;
        return op == OP_NE || op == OP_EXISTS ? 2 : WEIGHT_MOST;
}

static void count_parts(const struct rule_set *s, const struct candidate_vec *candidates, uint32_t *counts)
{
        for (size_t i = 0; i < candidates->n; i++) {
                uint32_t n;
                const uint32_t *parts = parts_of(s, &candidates->v[i].gate, &n);
                for (uint32_t k = 0; k < n; k++)
                        counts[parts[k]]++;
        }
}

/*
 * The key of a rule. A comparison of a text that few other rules have is the best: the text finds the rule. Else, of
 * the parts that several rules have, the one that fewest have, for it tells most.
 */
static struct keyed find_key(const struct rule_set *s, const struct candidate *c, const uint32_t *counts)
{
        struct keyed key = { *c, NULL, GATE_ID_FALSE };
        uint32_t n;
        const uint32_t *parts = parts_of(s, &c->gate, &n);
        for (uint32_t k = 0; k < n; k++) {
                const struct check *text = text_key(s, parts[k]);
                uint32_t count = counts[parts[k]];
                if (text && count <= RARE && (!key.text || text->n < key.text->n))
                        key.text = text;
                if (count >= COMMON && weight(s, parts[k]) == WEIGHT_MOST &&
                    (key.gate == GATE_ID_FALSE || count < counts[key.gate]))
                        key.gate = parts[k];
        }
        return key;
}

struct scored {
        uint32_t gate, score, place;
};

static int compare_scores(const void *a, const void *b)
{
        const struct scored *x = a, *y = b;
        if (x->score != y->score)
                return x->score > y->score ? -1 : 1;
        return x->place < y->place ? -1 : 1;
}

/* The same condition with the parts first that are most likely to settle it: what is the rule's own, and positive. */
static uint32_t reorder(struct rule_set *s, uint32_t gate, const uint32_t *counts)
{
        struct gate all = s->graph.gates.v[gate];
        if (all.kind != GATE_ALL || s->graph.too_large)
                return gate;
        struct scored *scored = xcalloc(all.n, sizeof(*scored));
        uint32_t *parts = xcalloc(all.n, sizeof(*parts));
        for (uint32_t i = 0; i < all.n; i++)
                scored[i] = (struct scored){ all.children[i], weight(s, all.children[i]) * 64 / counts[all.children[i]],
                                             i };
        qsort(scored, all.n, sizeof(*scored), compare_scores);
        for (uint32_t i = 0; i < all.n; i++)
                parts[i] = scored[i].gate;
        uint32_t ordered = graph_gate(&s->graph, GATE_ALL, parts, all.n);
        free(scored);
        free(parts);
        return s->graph.too_large ? gate : ordered;
}

static void add_to_dictionary(struct selection *to, struct rule_set *s, const struct keyed *key)
{
        size_t i = 0;
        while (i < to->dictionaries.n && to->dictionaries.v[i].expr != key->text->left)
                i++;
        if (i == to->dictionaries.n)
                vec_push(&to->dictionaries)->expr = key->text->left;
        struct dictionary *d = &to->dictionaries.v[i];
        for (size_t k = 0; k < key->text->n; k++) {
                void **slot = map_str_put(&d->rules, key->text->constants[k].text, NULL);
                struct candidate_vec *rules = *slot;
                if (!rules) {
                        *slot = rules = arena_new(&s->arena, struct candidate_vec);
                        *vec_push(&d->all) = rules;
                }
                if (rules->n == 0 || rules->v[rules->n - 1].rule != key->candidate.rule)
                        *vec_push(rules) = key->candidate;
        }
}

static void add_to_bucket(struct selection *to, const struct keyed *key)
{
        bool is_new;
        uint64_t *place = map64_put(&to->bucket_of, key->gate, &is_new);
        if (is_new) {
                *place = to->buckets.n;
                vec_push(&to->buckets)->gate = key->gate;
        }
        *vec_push(&to->buckets.v[*place].rules) = key->candidate;
}

void selection_fill(struct selection *to, struct rule_set *s, const struct candidate_vec *candidates)
{
        uint32_t *counts = xcalloc(s->graph.gates.n, sizeof(*counts));
        count_parts(s, candidates, counts);
        for (size_t i = 0; i < candidates->n; i++) {
                struct keyed key = find_key(s, &candidates->v[i], counts);
                key.candidate.gate = reorder(s, key.candidate.gate, counts);
                if (key.text)
                        add_to_dictionary(to, s, &key);
                else if (key.gate != GATE_ID_FALSE)
                        add_to_bucket(to, &key);
                else
                        *vec_push(&to->rest) = key.candidate;
        }
        map64_done(&to->bucket_of);
        free(counts);
}

void selection_done(struct selection *s)
{
        for (size_t i = 0; i < s->dictionaries.n; i++) {
                struct dictionary *d = &s->dictionaries.v[i];
                for (size_t k = 0; k < d->all.n; k++)
                        vec_done(d->all.v[k]);
                vec_done(&d->all);
                map_str_done(&d->rules);
        }
        for (size_t i = 0; i < s->buckets.n; i++)
                vec_done(&s->buckets.v[i].rules);
        vec_done(&s->dictionaries);
        vec_done(&s->buckets);
        vec_done(&s->rest);
}
