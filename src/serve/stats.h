/*
 * What the agent counts: named counters that any part can add, as Prometheus has them; how long an alert took; and per
 * container how much happens there. Everything is bounded: past the limits one counter says how many found no room.
 */
#ifndef SEKISHO_SERVE_STATS_H
#define SEKISHO_SERVE_STATS_H

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "bpf/shared/observe.h"
#include "serve/alert.h"

#define STATS_COUNTERS_MAX   2048u
#define STATS_CONTAINERS_MAX 4096u
#define STATS_ID_BYTES       65u
#define STATS_LAST_BYTES     64u
#define STATS_BUCKETS        12u /* of the histogram, the last one without a bound */

enum stats_kind { STATS_COUNTER, STATS_GAUGE };

/* Name and help are the program's own texts; labels are `priority="Critical"` or "". */
struct stats_counter {
        const char *name, *help;
        char *labels;
        enum stats_kind kind;
        uint64_t value;
};

struct stats_container {
        char id[STATS_ID_BYTES];
        uint64_t events, alerts, enforced;
        uint64_t events_before; /* at the last look */
        uint64_t per_second;
        uint64_t incident; /* the last one, 0: none */
        int64_t last_ns;   /* of the last alert, 0: none */
        char last_rule[STATS_LAST_BYTES];
        enum alert_action last_action;
};

struct stats {
        struct stats_counter **counters; /* their addresses stay */
        size_t n_counters;
        struct map64 counter_index;
        struct stats_counter refused;
        VEC(struct stats_container) containers; /* [0] is the host */
        struct map64 container_index;
        uint64_t events[OBSERVE_KINDS];
        int64_t looked_ns; /* CLOCK_MONOTONIC */
        uint64_t latency[STATS_BUCKETS];
        uint64_t latency_sum_ns;
};

void stats_init(struct stats *s);
void stats_done(struct stats *s);

/* The counter of that name and labels, made if there is none: to be added to, or set. Never NULL. */
uint64_t *stats_counter(struct stats *s, enum stats_kind kind, const char *name, const char *help, const char *labels);

/* `key="value"`, the value escaped (and cut to fit). */
const char *stats_label(const char *key, struct str value, char to[static 256]);

/* One event / alert of a container (NULL: of the host). latency_ns < 0: not measured. */
void stats_event(struct stats *s, enum observe_kind kind, const struct container_entry *c);
void stats_alert(struct stats *s, const struct alert *a, int64_t latency_ns);

/* Forgets a container that ended. */
void stats_forget(struct stats *s, struct str id);

/* What is known of a container (STR_NONE: of the host); NULL: nothing yet. */
const struct stats_container *stats_of(const struct stats *s, struct str id);

/* Events a second since the last look, anew once a second has passed. now_ns: CLOCK_MONOTONIC. */
void stats_look(struct stats *s, int64_t now_ns);

/* All counters and the histogram, in the text format of Prometheus (version 0.0.4). */
void stats_print(const struct stats *s, struct buf *to);

#endif
