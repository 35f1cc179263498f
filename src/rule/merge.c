/*
 * Alternatives that ask the same of one text become one question: "x = a or x in (b, c)" one set, "x contains a or x
 * contains b ..." one search, "x startswith ..." one tree. Only what is evaluated changes, not what is printed or
 * explained.
 */
#include "rule/merge.h"

#include "base/buf.h"

#include <stdlib.h>

#define MERGE_LEAST 4u /* alternatives that are worth it */

struct merger {
        struct graph *graph;
        uint32_t *merged; /* by gate; UINT32_MAX: not yet */
        size_t n_gates;   /* before any were added */
};

/* What a comparison can be joined as; OPERATORS if it cannot. */
static enum operator_id family(const struct check *c)
{
        bool is_text = c->left->type == VALUE_STRING && !(c->left->traits & (FIELD_LIST | FIELD_VARIANT)) && c->matcher;
        if (!is_text || (c->quantifier != QUANTIFIER_NONE && c->quantifier != QUANTIFIER_ANYOF))
                return OPERATORS;
        switch (c->op->id) {
        case OP_EQ:
        case OP_IN:
        case OP_INTERSECTS:
                return OP_IN;
        case OP_CONTAINS:
        case OP_ICONTAINS:
        case OP_STARTSWITH:
                return c->op->id;
        default:
                return OPERATORS;
        }
}

static const struct check *check_of(const struct graph *g, uint32_t gate)
{
        return g->gates.v[gate].kind == GATE_CHECK ? g->checks.v[g->gates.v[gate].check] : NULL;
}

static bool joins(const struct check *a, const struct check *b)
{
        return b && a->left == b->left && family(a) == family(b) && family(a) != OPERATORS;
}

/* One comparison instead of those parts that join with `first`. Its text cannot be that of a written one. */
static uint32_t join(struct graph *g, const struct check *first, const uint32_t *parts, size_t n, size_t n_constants)
{
        struct value *constants = arena_array(g->arena, n_constants, sizeof(*constants));
        _cleanup_(buf_done) struct buf text = BUF_INIT((size_t)64 << 20);
        char words[200];
        size_t which, k = 0;
        buf_puts(&text, "merged:");
        for (size_t i = 0; i < n; i++) {
                const struct check *c = check_of(g, parts[i]);
                if (!joins(first, c))
                        continue;
                memcpy(constants + k, c->constants, c->n * sizeof(*constants));
                k += c->n;
                buf_printf(&text, " %u", c->id);
        }
        struct check *c = graph_find_check(g, buf_str(&text));
        if (!c) {
                const struct operator* op = & operators[family(first)];
                struct matcher *m = matcher_new(g->arena, op, op->id == OP_IN ? QUANTIFIER_NONE : QUANTIFIER_ANYOF,
                                                constants, k, words, &which);
                if (!m)
                        return GATE_ID_FALSE;
                c = graph_add_check(g, buf_str(&text));
                c->op = op;
                c->quantifier = op->id == OP_IN ? QUANTIFIER_NONE : QUANTIFIER_ANYOF;
                c->left = first->left;
                c->constants = constants;
                c->n = k;
                c->matcher = m;
        }
        return graph_check(g, c);
}

/* The parts of an ANY with those joined that can be; returns how many are left. */
static size_t join_parts(struct graph *g, uint32_t *parts, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const struct check *first = check_of(g, parts[i]);
                size_t alike = 0, constants = 0, kept = i + 1;
                if (!first || family(first) == OPERATORS)
                        continue;
                for (size_t k = i; k < n; k++)
                        if (joins(first, check_of(g, parts[k]))) {
                                alike++;
                                constants += check_of(g, parts[k])->n;
                        }
                if (alike < MERGE_LEAST || constants > RULE_LIST_ITEMS_MAX)
                        continue;
                uint32_t joined = join(g, first, parts + i, n - i, constants);
                if (joined == GATE_ID_FALSE)
                        return n;
                for (size_t k = i + 1; k < n; k++)
                        if (!joins(first, check_of(g, parts[k])))
                                parts[kept++] = parts[k];
                parts[i] = joined;
                n = kept;
        }
        return n;
}

static uint32_t merge(struct merger *m, uint32_t id)
{
        struct gate gate = m->graph->gates.v[id];
        if (id >= m->n_gates || gate.n == 0)
                return id;
        if (m->merged[id] != UINT32_MAX)
                return m->merged[id];
        uint32_t *parts = xcalloc(gate.n, sizeof(*parts)), result = id;
        bool changed = false;
        for (uint32_t i = 0; i < gate.n; i++) {
                parts[i] = merge(m, gate.children[i]);
                changed |= parts[i] != gate.children[i];
        }
        size_t n = gate.kind == GATE_ANY ? join_parts(m->graph, parts, gate.n) : gate.n;
        if (gate.kind == GATE_NOT)
                result = graph_not(m->graph, parts[0]);
        else if (changed || n < gate.n)
                result = graph_gate(m->graph, gate.kind, parts, n);
        free(parts);
        m->merged[id] = result;
        return result;
}

void graph_merge(struct graph *g, uint32_t *gates, size_t n)
{
        struct merger m = { g, xcalloc(g->gates.n, sizeof(uint32_t)), g->gates.n };
        memset(m.merged, 0xff, m.n_gates * sizeof(uint32_t));
        for (size_t i = 0; i < n && !g->too_large; i++) {
                uint32_t gate = merge(&m, gates[i]);
                if (!g->too_large)
                        gates[i] = gate;
        }
        free(m.merged);
}
