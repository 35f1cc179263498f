/* What the files that compile rules for full mode share. */
#ifndef SEKISHO_SERVE_CALLS_PRIVATE_H
#define SEKISHO_SERVE_CALLS_PRIVATE_H

#include "serve/calls-compile.h"

#include "base/map.h"
#include "base/vec.h"

VEC_TYPE(call_texts, struct sensor_text);

/* Texts that stand for atoms, each once. */
struct call_dictionary {
        struct map_str index; /* text to its place + 1 */
        struct call_texts texts;
        size_t most;
        unsigned first, n, n_used; /* atoms: so many from this one on, so many are taken */
};

struct calls_compiling {
        const struct rule_set *set;
        struct arena *arena;
        struct sensor_recipes *to;
        struct call_dictionary prefixes, suffixes, comms;
        struct map64 atoms; /* of checks that have some, by id: of a dictionary */

        /* The rule and the call at work. */
        enum observe_call_id call;
        bool asks_result; /* a check was met that only a call can answer, not a program that begins */
        bool counts;      /* a check was met that counts calls: the others must come too */
};

/* rule_necessary of the call at work; arg is the struct. */
uint64_t calls_necessary(void *arg, const struct rule_check *check);

#endif
