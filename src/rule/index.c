/*
 * Which rules a record can hit, before any of them is asked: see set.h. That is what makes the cost of an event grow
 * with the rules that could match it.
 */
#include "rule/set.h"

#include <stdlib.h>

#define UNKNOWN UINT32_MAX

struct indexing {
        struct rule_set *set;
        struct id_list event_checks; /* ids of checks that compare evt.type with constants */
        uint64_t *truths;            /* of the group at work, a bit for each of them */
        size_t n_words;
        uint32_t *simplified; /* by gate, of the group at work */
        size_t n_gates;       /* before any were added here */
};

static bool is_event_check(const struct check *c)
{
        return c->left->kind == EXPR_FIELD && c->left->ref.field->id == FIELD_evt_type && c->matcher &&
               matcher_scratch_size(c->matcher) == 0;
}

static void find_event_checks(struct indexing *x)
{
        const struct graph *g = &x->set->graph;
        for (size_t i = 0; i < g->checks.n; i++)
                if (is_event_check(g->checks.v[i]))
                        *vec_push(&x->event_checks) = (uint32_t)i;
        x->n_words = x->event_checks.n / 64 + 1;
}

/* What each comparison of evt.type says of an event. */
static void find_truths(struct indexing *x, size_t event)
{
        struct value type = value_string(str_of(field_words(FIELD_evt_type)[event]));
        memset(x->truths, 0, x->n_words * sizeof(*x->truths));
        for (size_t i = 0; i < x->event_checks.n; i++)
                if (matcher_match(x->set->graph.checks.v[x->event_checks.v[i]]->matcher, &type, NULL))
                        x->truths[i / 64] |= UINT64_C(1) << i % 64;
}

static bool truth_of(const struct indexing *x, uint32_t check)
{
        size_t low = 0, high = x->event_checks.n;
        while (low < high) {
                size_t middle = (low + high) / 2;
                if (x->event_checks.v[middle] < check)
                        low = middle + 1;
                else
                        high = middle;
        }
        return x->truths[low / 64] >> low % 64 & 1;
}

/* The gate without what the event's type decides. */
static uint32_t simplify(struct indexing *x, uint32_t id)
{
        struct graph *g = &x->set->graph;
        if (x->simplified[id] != UNKNOWN)
                return x->simplified[id];
        struct gate gate = g->gates.v[id];
        uint32_t result = id;
        if (gate.kind == GATE_CHECK && is_event_check(g->checks.v[gate.check])) {
                result = truth_of(x, gate.check) ? GATE_ID_TRUE : GATE_ID_FALSE;
        } else if (gate.kind == GATE_NOT) {
                result = graph_not(g, simplify(x, gate.children[0]));
        } else if (gate.kind == GATE_ALL || gate.kind == GATE_ANY) {
                struct id_list parts = { 0 };
                bool changed = false;
                for (uint32_t i = 0; i < gate.n; i++) {
                        uint32_t part = simplify(x, gate.children[i]);
                        changed |= part != gate.children[i];
                        *vec_push(&parts) = part;
                }
                if (changed)
                        result = graph_gate(g, gate.kind, parts.v, parts.n);
                vec_done(&parts);
        }
        x->simplified[id] = result;
        return result;
}

/* The condition of a rule for the group; the whole of it once the graph has grown too large. */
static uint32_t simplify_rule(struct indexing *x, uint32_t gate)
{
        if (x->set->graph.too_large)
                return gate;
        uint32_t simple = simplify(x, gate);
        return x->set->graph.too_large ? gate : simple;
}

static bool is_asked(const struct rule_set *s, size_t rule)
{
        const struct rule *r = &s->library.rules.v[rule]->rule;
        return r->enabled && !r->unsupported && s->codes[rule].gate != GATE_ID_FALSE;
}

static void fill_group(struct indexing *x, size_t event, struct selection *to)
{
        struct rule_set *s = x->set;
        struct candidate_vec candidates = { 0 };
        memset(x->simplified, 0xff, x->n_gates * sizeof(*x->simplified));
        for (size_t i = 0; i < s->library.rules.n; i++) {
                if (!is_asked(s, i) || !(s->library.rules.v[i]->rule.stages & STAGE_SYSCALL) ||
                    !event_set_has(&s->codes[i].events, event))
                        continue;
                bool is_known = event < events_count();
                uint32_t gate = is_known ? simplify_rule(x, s->codes[i].gate) : s->codes[i].gate;
                if (gate != GATE_ID_FALSE)
                        *vec_push(&candidates) = (struct candidate){ (uint32_t)i, gate };
        }
        selection_fill(to, s, &candidates);
        vec_done(&candidates);
}

/* Events with the same truths are one group; a hash that two different ones share only costs a group more. */
static void group_events(struct indexing *x)
{
        struct rule_set *s = x->set;
        size_t n = events_count();
        struct map64 groups = { 0 };
        uint64_t *known = xcalloc((n + 1) * x->n_words, sizeof(*known)); /* truths by group */
        s->group_of = arena_array(&s->arena, n + 1, sizeof(*s->group_of));
        s->by_events = arena_array(&s->arena, n + 1, sizeof(*s->by_events));
        for (size_t event = 0; event <= n; event++) {
                bool is_new = true;
                uint64_t *slot = NULL;
                if (event < n) {
                        find_truths(x, event);
                        slot = map64_put(&groups, hash_str(str_span(x->truths, x->n_words * sizeof(*x->truths))),
                                         &is_new);
                }
                if (!is_new && memcmp(known + *slot * x->n_words, x->truths, x->n_words * sizeof(*known)) == 0) {
                        s->group_of[event] = (uint32_t)*slot;
                        continue;
                }
                size_t group = s->n_groups++;
                if (slot)
                        *slot = group;
                memcpy(known + group * x->n_words, x->truths, x->n_words * sizeof(*known));
                s->group_of[event] = (uint32_t)group;
                fill_group(x, event, &s->by_events[group]);
        }
        free(known);
        map64_done(&groups);
}

/* Marks gates that are reached more than once. */
static void mark_shared(struct rule_set *s)
{
        struct graph *g = &s->graph;
        bool *seen = xcalloc(g->gates.n, sizeof(*seen));
        for (size_t i = 0; i < g->gates.n; i++)
                for (uint32_t k = 0; k < g->gates.v[i].n; k++) {
                        uint32_t child = g->gates.v[i].children[k];
                        g->gates.v[child].is_shared |= seen[child];
                        seen[child] = true;
                }
        free(seen);
}

void index_events(struct rule_set *s)
{
        struct event_set *events = events_of_gates(&s->graph);
        struct indexing x = { .set = s, .n_gates = s->graph.gates.n };
        for (size_t i = 0; i < s->library.rules.n; i++)
                s->codes[i].events = events[s->codes[i].gate];
        free(events);
        for (unsigned bit = 0; bit < ARRAY_SIZE(s->by_stage); bit++) {
                struct candidate_vec candidates = { 0 };
                for (size_t i = 0; i < s->library.rules.n; i++)
                        if (is_asked(s, i) && s->library.rules.v[i]->rule.stages >> bit & 1)
                                *vec_push(&candidates) = (struct candidate){ (uint32_t)i, s->codes[i].gate };
                selection_fill(&s->by_stage[bit], s, &candidates);
                vec_done(&candidates);
        }
        if (s->event) {
                find_event_checks(&x);
                for (size_t i = 0; i < events_count(); i++)
                        *map_str_put(&s->event_ids, str_of(field_words(FIELD_evt_type)[i]), NULL) =
                                (void *)(uintptr_t)(i + 1);
                x.truths = xcalloc(x.n_words, sizeof(*x.truths));
                x.simplified = xcalloc(x.n_gates, sizeof(*x.simplified));
                group_events(&x);
                free(x.truths);
                free(x.simplified);
                vec_done(&x.event_checks);
        }
        mark_shared(s);
}
