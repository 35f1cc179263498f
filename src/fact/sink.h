/*
 * Where facts go. Whoever finds facts is given a sink and does not know what is behind it: the pipe of a worker, a
 * test's list, a fuzzer's nothing.
 */
#ifndef SEKISHO_FACT_SINK_H
#define SEKISHO_FACT_SINK_H

#include "fact/fact.h"

struct sink {
        /* Takes one fact. What it points to is only valid during the call. */
        void (*put)(struct sink *s, enum fact_kind kind, const void *fact);
};

static inline void sink_put(struct sink *s, enum fact_kind kind, const void *fact) { s->put(s, kind, fact); }

/* Puts an `unread` fact: this path could not be read, for this one-word code, with these details for a person. */
void sink_unread(struct sink *s, struct str path, const char *code, const char *fmt, ...) _printf_(4, 5);

#endif
