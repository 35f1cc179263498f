/*
 * What can never be true: among parts that must all hold, two comparisons of one value that exclude each other. Only
 * fields with a single value and types with exact equality are looked at; what is not sure is not said.
 */
#include "rule/compile.h"

#include <stdio.h>

#define PARTS_MAX 200 /* of one gate that are compared with each other */

/* A comparison, or the opposite of one. */
struct part {
        const struct check *check;
        bool negated;
};

static bool is_exact(const struct check *c)
{
        static const unsigned types = TYPES(VALUE_STRING) | TYPES(VALUE_NUMBER) | TYPES(VALUE_DECIMAL) |
                                      TYPES(VALUE_TIME) | TYPES(VALUE_DURATION) | TYPES(VALUE_SEVERITY) |
                                      TYPES(VALUE_FLAG);
        return types & TYPES(c->left->type) && c->left->traits == 0 && !c->right && c->quantifier == QUANTIFIER_NONE;
}

static bool is_set(const struct check *c)
{
        return c->op->id == OP_EQ || c->op->id == OP_IN || c->op->id == OP_INTERSECTS;
}

static bool is_ordered(const struct check *c) { return c->op->id >= OP_LT && c->op->id <= OP_GE; }

/* True if no value can make both true. a is a set of values; b anything that can be asked of each of them. */
static bool excludes(const struct check *a, const struct part *b)
{
        bool negated = b->negated;
        const struct check *c = b->check;
        if (c->op->id == OP_EXISTS)
                return negated;
        if (!c->matcher || matcher_scratch_size(c->matcher) > 0)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (matcher_match(c->matcher, &a->constants[i], NULL) != negated)
                        return false;
        return a->n > 0;
}

/* x > 5 and x < 3. */
static bool ranges_exclude(const struct check *a, const struct check *b)
{
        enum operator_id up = a->op->id, down = b->op->id;
        if ((up != OP_GT && up != OP_GE) || (down != OP_LT && down != OP_LE) || a->left->type == VALUE_STRING)
                return false;
        int64_t low = a->constants[0].number, high = b->constants[0].number;
        return low > high || (low == high && (up == OP_GT || down == OP_LT));
}

static bool exclude(const struct part *a, const struct part *b)
{
        if (a->check->left != b->check->left || !is_exact(a->check) || !is_exact(b->check))
                return false;
        if (!a->negated && is_set(a->check) && excludes(a->check, b))
                return true;
        if (!a->negated && !b->negated && is_ordered(a->check) && is_ordered(b->check))
                return ranges_exclude(a->check, b->check);
        /* A comparison is only true of a value that is there. */
        return a->check->op->id == OP_EXISTS && a->negated && !b->negated;
}

/* The part of a gate that a child is; of an ANY the opposite, for if the opposites exclude each other it always holds.
 */
static bool part_of(const struct graph *g, uint32_t child, bool opposite, struct part *ret)
{
        const struct gate *gate = &g->gates.v[child];
        bool negated = gate->kind == GATE_NOT;
        if (negated)
                gate = &g->gates.v[gate->children[0]];
        if (gate->kind != GATE_CHECK)
                return false;
        *ret = (struct part){ g->checks.v[gate->check], negated != opposite };
        return true;
}

bool gate_is_contradiction(const struct graph *g, uint32_t id, char words[200])
{
        const struct gate *gate = &g->gates.v[id];
        struct part parts[PARTS_MAX];
        size_t n = 0;
        if (gate->kind != GATE_ALL && gate->kind != GATE_ANY)
                return false;
        for (uint32_t i = 0; i < gate->n && n < PARTS_MAX; i++)
                n += part_of(g, gate->children[i], gate->kind == GATE_ANY, &parts[n]);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < n; j++) {
                        if (i == j || !exclude(&parts[i], &parts[j]))
                                continue;
                        const struct part *a = &parts[MIN(i, j)], *b = &parts[MAX(i, j)];
                        bool turn = gate->kind == GATE_ANY;
                        snprintf(words, 200, "%s%.*s and %s%.*s", a->negated != turn ? "not " : "",
                                 (int)MIN(a->check->text.n, 80u), a->check->text.p, b->negated != turn ? "not " : "",
                                 (int)MIN(b->check->text.n, 80u), b->check->text.p);
                        return true;
                }
        return false;
}
