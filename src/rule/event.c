/*
 * Which events can make a condition true. Of each gate two sets are computed: the events with which it can be true, and
 * those with which it can be false; "not" swaps them, so that the answer is exact however conditions are nested.
 */
#include "rule/set.h"

#define WORDS (sizeof(((struct event_set *)0)->bits) / 8)

struct both {
        struct event_set can_be_true, can_be_false;
};

size_t events_count(void) { return field_n_events(); }

bool event_set_has(const struct event_set *s, size_t event) { return s->bits[event / 64] >> event % 64 & 1; }

size_t event_set_count(const struct event_set *s)
{
        size_t n = 0;
        for (size_t i = 0; i < WORDS; i++)
                n += (size_t)__builtin_popcountll(s->bits[i]);
        return n;
}

static void add_all_events(struct event_set *s)
{
        for (size_t i = 0; i <= events_count(); i++)
                s->bits[i / 64] |= UINT64_C(1) << i % 64;
}

static struct event_set join(struct event_set a, const struct event_set *b, bool intersect)
{
        for (size_t i = 0; i < WORDS; i++)
                a.bits[i] = intersect ? a.bits[i] & b->bits[i] : a.bits[i] | b->bits[i];
        return a;
}

/* A comparison of evt.type with constants is decided by the event alone; any other can go either way. */
static struct both of_check(const struct check *c, const struct event_set *all)
{
        struct both b = { *all, *all };
        bool is_event = c->left->kind == EXPR_FIELD && c->left->ref.field->id == FIELD_evt_type && c->matcher;
        if (!is_event || matcher_scratch_size(c->matcher) > 0)
                return b;
        const char *const *words = field_words(FIELD_evt_type);
        for (size_t i = 0; words[i]; i++) {
                struct value v = value_string(str_of(words[i]));
                bool matches = matcher_match(c->matcher, &v, NULL);
                struct event_set *never = matches ? &b.can_be_false : &b.can_be_true;
                never->bits[i / 64] &= ~(UINT64_C(1) << i % 64);
        }
        return b; /* an event of an unknown name can go either way */
}

static struct both of_gate(const struct graph *g, const struct both *sets, const struct gate *gate,
                           const struct event_set *all)
{
        static const struct event_set none;
        switch (gate->kind) {
        case GATE_FALSE:
                return (struct both){ none, *all };
        case GATE_TRUE:
                return (struct both){ *all, none };
        case GATE_CHECK:
                return of_check(g->checks.v[gate->check], all);
        case GATE_NOT:
                return (struct both){ sets[gate->children[0]].can_be_false, sets[gate->children[0]].can_be_true };
        case GATE_ALL:
        case GATE_ANY:
                break;
        }
        bool is_all = gate->kind == GATE_ALL;
        struct both b = { is_all ? *all : none, is_all ? none : *all };
        for (uint32_t i = 0; i < gate->n; i++) {
                b.can_be_true = join(b.can_be_true, &sets[gate->children[i]].can_be_true, is_all);
                b.can_be_false = join(b.can_be_false, &sets[gate->children[i]].can_be_false, !is_all);
        }
        return b;
}

struct event_set *events_of_gates(const struct graph *g)
{
        struct both *sets = xcalloc(g->gates.n, sizeof(*sets));
        struct event_set all = { 0 };
        add_all_events(&all);
        for (size_t i = 0; i < g->gates.n; i++) /* children come before their gates */
                sets[i] = of_gate(g, sets, &g->gates.v[i], &all);
        struct event_set *ret = xcalloc(g->gates.n, sizeof(*ret));
        for (size_t i = 0; i < g->gates.n; i++)
                ret[i] = sets[i].can_be_true;
        free(sets);
        return ret;
}
