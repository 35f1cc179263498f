/* A loaded rule set from inside: see rule.h. */
#ifndef SEKISHO_RULE_SET_H
#define SEKISHO_RULE_SET_H

#include "rule/library.h"
#include "rule/output.h"

/* Which events a gate can be true of (or false): a bit for each word of evt.type, one more for anything else. */
struct event_set {
        uint64_t bits[10];
};

/* An enabled rule that is worth asking, and what is left of its condition once the type of the event is known. */
struct candidate {
        uint32_t rule, gate;
};

VEC_TYPE(candidate_vec, struct candidate);

/* Rules that can only be true if a gate is. */
struct bucket {
        uint32_t gate;
        struct candidate_vec rules;
};

/* Rules that can only be true if a text is one of theirs: by text. */
struct dictionary {
        const struct expr *expr;
        struct map_str rules; /* to struct candidate_vec, in the arena of the set, its vectors on the heap */
        VEC(struct candidate_vec *) all;
};

/* The rules of a stage or of a group of events, filed by something that each of them needs. */
struct selection {
        VEC(struct dictionary) dictionaries;
        VEC(struct bucket) buckets;
        struct map64 bucket_of; /* by gate, while they are filled */
        struct candidate_vec rest;
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
        const struct expr *event;     /* evt.type, if some condition asks for it */
        struct map_str event_ids;     /* names of events to their bit + 1 */
        struct selection by_stage[8]; /* of each stage, by the number of its bit */
        struct selection *by_events;  /* of STAGE_SYSCALL, one for each group of events */
        size_t n_groups;
        uint32_t *group_of; /* by event; the last one is for events of unknown names */
};

size_t event_set_count(const struct event_set *s);
bool event_set_has(const struct event_set *s, size_t event);

/* The number of words that evt.type has; the bit behind them is for all other events. */
size_t events_count(void);

/* Of every gate of the graph the events that can make it true, by gate id; on the heap. */
struct event_set *events_of_gates(const struct graph *g);

/*
 * Files the enabled rules under stages and events. Events that all comparisons of evt.type treat alike are one group;
 * for each group conditions are simplified by what the event's type decides.
 */
void index_events(struct rule_set *s);

/* Files candidates, which are in ascending order; takes the vector's place. */
void selection_fill(struct selection *to, struct rule_set *s, const struct candidate_vec *candidates);
void selection_done(struct selection *s);

#endif
