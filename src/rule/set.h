/* A loaded rule set from inside: see rule.h. */
#ifndef SEKISHO_RULE_SET_H
#define SEKISHO_RULE_SET_H

#include "rule/library.h"
#include "rule/output.h"

/* Which events a gate can be true of (or false): a bit for each word of evt.type, one more for anything else. */
struct event_set {
        uint64_t bits[10];
};

struct rule_code {
        uint32_t gate;
        struct output_template *output;
        struct event_set events;
};

struct rule_set {
        struct arena arena;
        struct library library; /* with the trees, for printing and explaining */
        struct graph graph;
        struct rule_code *codes; /* by rule */
        const struct field_ref **refs;
        size_t n_refs;
        size_t scratch_size; /* of the matchers */
        struct rule_counts counts;
        const struct expr *event;   /* evt.type, if some condition asks for it */
        struct map_str event_ids;   /* names of events to their bit + 1 */
        struct id_list by_stage[8]; /* enabled rules of each stage, by the number of its bit */
        struct id_list *by_event;   /* enabled rules of STAGE_SYSCALL that an event can make true */
};

size_t event_set_count(const struct event_set *s);
bool event_set_has(const struct event_set *s, size_t event);

/* The number of words that evt.type has; the bit behind them is for all other events. */
size_t events_count(void);

/* Of every gate of the graph the events that can make it true, by gate id; on the heap. */
struct event_set *events_of_gates(const struct graph *g);

#endif
