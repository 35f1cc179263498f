/* See graph.h. */
#include "rule/graph.h"

void graph_init(struct graph *g, struct arena *arena)
{
        *g = (struct graph){ .arena = arena };
        *vec_push(&g->gates) = (struct gate){ .kind = GATE_FALSE };
        *vec_push(&g->gates) = (struct gate){ .kind = GATE_TRUE };
}

void graph_done(struct graph *g)
{
        map_str_done(&g->expr_by_text);
        map_str_done(&g->check_by_text);
        map64_done(&g->gate_by_hash);
        vec_done(&g->gates);
        vec_done(&g->checks);
        vec_done(&g->exprs);
}

struct expr *graph_find_expr(struct graph *g, struct str text) { return map_str_get(&g->expr_by_text, text); }

struct expr *graph_add_expr(struct graph *g, struct str text)
{
        struct expr *e = arena_new(g->arena, struct expr);
        e->text = arena_str(g->arena, text);
        e->id = (uint32_t)g->exprs.n;
        *vec_push(&g->exprs) = e;
        *map_str_put(&g->expr_by_text, e->text, NULL) = e;
        return e;
}

struct check *graph_find_check(struct graph *g, struct str text) { return map_str_get(&g->check_by_text, text); }

struct check *graph_add_check(struct graph *g, struct str text)
{
        struct check *c = arena_new(g->arena, struct check);
        c->text = arena_str(g->arena, text);
        c->id = (uint32_t)g->checks.n;
        *vec_push(&g->checks) = c;
        *map_str_put(&g->check_by_text, c->text, NULL) = c;
        return c;
}

static bool is_same(const struct gate *a, const struct gate *b)
{
        return a->kind == b->kind && a->check == b->check && a->n == b->n &&
               (a->n == 0 || memcmp(a->children, b->children, a->n * sizeof(*a->children)) == 0);
}

/* The gate that is like this one, or this one added; its children are copied then. */
static uint32_t intern(struct graph *g, struct gate gate)
{
        uint32_t head[2] = { gate.kind, gate.check };
        uint64_t hash = hash_str_more(hash_str(str_span(head, sizeof(head))),
                                      str_span(gate.children, gate.n * sizeof(*gate.children)));
        uint64_t *known = map64_get(&g->gate_by_hash, hash);
        if (known && is_same(&g->gates.v[*known], &gate))
                return (uint32_t)*known;
        unsigned depth = 0;
        for (uint32_t i = 0; i < gate.n; i++)
                depth = MAX(depth, g->gates.v[gate.children[i]].depth + 1u);
        g->edges += gate.n + 1;
        if (g->edges > RULE_NODES_MAX || depth > GATE_DEPTH_MAX) {
                g->too_large = true;
                return GATE_ID_FALSE;
        }
        gate.depth = (uint16_t)depth;
        if (gate.n > 0) {
                uint32_t *children = arena_array(g->arena, gate.n, sizeof(*children));
                memcpy(children, gate.children, gate.n * sizeof(*children));
                gate.children = children;
        }
        uint32_t id = (uint32_t)g->gates.n;
        *vec_push(&g->gates) = gate;
        if (!known)
                *map64_put(&g->gate_by_hash, hash, NULL) = id;
        return id;
}

uint32_t graph_check(struct graph *g, const struct check *c)
{
        return intern(g, (struct gate){ .kind = GATE_CHECK, .check = c->id });
}

uint32_t graph_not(struct graph *g, uint32_t gate)
{
        if (gate <= GATE_ID_TRUE)
                return !gate;
        if (g->gates.v[gate].kind == GATE_NOT)
                return g->gates.v[gate].children[0];
        return intern(g, (struct gate){ .kind = GATE_NOT, .children = &gate, .n = 1 });
}

struct joiner {
        struct graph *g;
        enum gate_kind kind;
        struct id_list parts;
        struct set64 seen; /* of gate ids; that of x's opposite too, as id | 1 << 32 */
        bool folded;       /* one part decides it */
};

static void join_one(struct joiner *j, uint32_t id)
{
        const struct gate *gate = &j->g->gates.v[id];
        uint32_t neutral = j->kind == GATE_ALL ? GATE_ID_TRUE : GATE_ID_FALSE;
        if (id == neutral || j->folded)
                return;
        if (id == !neutral) {
                j->folded = true;
                return;
        }
        if (gate->kind == j->kind) {
                for (uint32_t i = 0; i < gate->n; i++)
                        join_one(j, gate->children[i]);
                return;
        }
        bool is_not = gate->kind == GATE_NOT;
        uint64_t opposite = (is_not ? gate->children[0] : id) | (uint64_t)!is_not << 32;
        uint64_t self = (is_not ? gate->children[0] : id) | (uint64_t)is_not << 32;
        if (set64_has(&j->seen, opposite)) {
                j->folded = true;
                return;
        }
        if (set64_add(&j->seen, self))
                *vec_push(&j->parts) = id;
}

uint32_t graph_gate(struct graph *g, enum gate_kind kind, const uint32_t *children, size_t n)
{
        struct joiner j = { .g = g, .kind = kind };
        for (size_t i = 0; i < n; i++)
                join_one(&j, children[i]);
        uint32_t id;
        if (j.folded)
                id = kind == GATE_ALL ? GATE_ID_FALSE : GATE_ID_TRUE;
        else if (j.parts.n == 0)
                id = kind == GATE_ALL ? GATE_ID_TRUE : GATE_ID_FALSE;
        else if (j.parts.n == 1)
                id = j.parts.v[0];
        else
                id = intern(g, (struct gate){ .kind = kind, .children = j.parts.v, .n = (uint32_t)j.parts.n });
        vec_done(&j.parts);
        set64_done(&j.seen);
        return id;
}
