/* See stats.h. */
#include "serve/stats.h"

#include "base/arena.h"
#include "sense/container.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND_NS INT64_C(1000000000)

static const struct {
        int64_t ns;
        const char *seconds;
} bounds[STATS_BUCKETS] = {
        { 250000, "0.00025" }, { 500000, "0.0005" }, { 1000000, "0.001" },  { 2500000, "0.0025" },
        { 5000000, "0.005" },  { 10000000, "0.01" }, { 25000000, "0.025" }, { 50000000, "0.05" },
        { 100000000, "0.1" },  { 500000000, "0.5" }, { 1000000000, "1" },   { INT64_MAX, "+Inf" },
};

void stats_init(struct stats *s)
{
        *s = (struct stats){
                .counters = xcalloc(STATS_COUNTERS_MAX, sizeof(*s->counters)),
                .refused = { .name = "sekisho_agent_counters_refused_total",
                             .help = "Counted where no counter of its own had room." },
        };
        (void)vec_push(&s->containers);
}

void stats_done(struct stats *s)
{
        for (size_t i = 0; i < s->n_counters; i++) {
                free(s->counters[i]->labels);
                free(s->counters[i]);
        }
        free(s->counters);
        vec_done(&s->containers);
        map64_done(&s->counter_index);
        map64_done(&s->container_index);
        *s = (struct stats){ 0 };
}

uint64_t *stats_counter(struct stats *s, enum stats_kind kind, const char *name, const char *help, const char *labels)
{
        uint64_t key = hash_str_more(hash_str(str_of(name)), str_of(labels));
        uint64_t *at = map64_get(&s->counter_index, key);
        if (at)
                return &s->counters[*at]->value;
        if (s->n_counters == STATS_COUNTERS_MAX)
                return &s->refused.value;
        struct stats_counter *c = xmalloc(sizeof(*c));
        *c = (struct stats_counter){ .name = name, .help = help, .labels = xstrdup(labels), .kind = kind };
        *map64_put(&s->counter_index, key, NULL) = s->n_counters;
        s->counters[s->n_counters++] = c;
        return &c->value;
}

const char *stats_label(const char *key, struct str value, char to[static 256])
{
        size_t n = (size_t)snprintf(to, 64, "%s=\"", key);
        for (size_t i = 0; i < value.n && n < 250; i++) {
                char c = value.p[i];
                if (c == '"' || c == '\\' || c == '\n')
                        to[n++] = '\\';
                to[n++] = c == '\n' ? 'n' : c;
        }
        snprintf(to + n, 3, "\"");
        return to;
}

/* ------------------------------------------------------------------------------------------------ containers ---- */

static struct str id_of(const struct container_entry *c) { return c ? str_upto(c->id, STATS_ID_BYTES - 1) : STR_NONE; }

/* NULL if no more find room. */
static struct stats_container *container(struct stats *s, struct str id)
{
        if (id.n == 0)
                return &s->containers.v[0];
        const uint64_t *known = map64_get(&s->container_index, hash_str(id));
        if (known)
                return &s->containers.v[*known];
        if (s->containers.n == STATS_CONTAINERS_MAX)
                return NULL;
        *map64_put(&s->container_index, hash_str(id), NULL) = s->containers.n;
        struct stats_container *c = vec_push(&s->containers);
        memcpy(c->id, id.p, id.n);
        return c;
}

void stats_event(struct stats *s, enum observe_kind kind, const struct container_entry *c)
{
        s->events[kind]++;
        struct stats_container *of = container(s, id_of(c));
        if (of)
                of->events++;
}

static bool is_done(enum alert_action a)
{
        return a == ALERT_KILLED || a == ALERT_DENIED || a == ALERT_FROZEN || a == ALERT_ISOLATED ||
               a == ALERT_TERMINATED || a == ALERT_QUARANTINED;
}

static void count_alert(struct stats *s, const struct alert *a)
{
        char label[256];
        ++*stats_counter(s, STATS_COUNTER, "sekisho_agent_alerts_total", "Alerts told, by priority.",
                         stats_label("priority", str_of(rule_priority_names[a->priority]), label));
        ++*stats_counter(s, STATS_COUNTER, "sekisho_agent_rule_alerts_total", "Alerts told, by rule.",
                         stats_label("rule", a->rule ? a->rule->name : str_of(a->rule_name), label));
        if (a->action != ALERT_NOTHING)
                ++*stats_counter(s, STATS_COUNTER, "sekisho_agent_actions_total", "What was done, by action.",
                                 stats_label("action", str_of(alert_action_names[a->action]), label));
}

void stats_alert(struct stats *s, const struct alert *a, int64_t latency_ns)
{
        struct stats_container *c = container(s, id_of(a->container));
        struct str rule = a->rule ? a->rule->name : str_of(a->rule_name);
        count_alert(s, a);
        if (latency_ns >= 0) {
                size_t i = 0;
                while (latency_ns > bounds[i].ns)
                        i++;
                s->latency[i]++;
                s->latency_sum_ns += (uint64_t)latency_ns;
        }
        if (!c)
                return;
        c->alerts++;
        c->enforced += is_done(a->action);
        c->last_ns = a->time_ns;
        c->last_action = a->action;
        if (a->incident > 0)
                c->incident = a->incident;
        snprintf(c->last_rule, sizeof(c->last_rule), "%.*s", STR_FMT(rule));
}

/* The last one moves into its place. */
void stats_forget(struct stats *s, struct str id)
{
        id = str_upto(id, STATS_ID_BYTES - 1);
        const uint64_t *known = id.n > 0 ? map64_get(&s->container_index, hash_str(id)) : NULL;
        if (!known)
                return;
        size_t at = (size_t)*known;
        const struct stats_container *last = &s->containers.v[s->containers.n - 1];
        map64_take_out(&s->container_index, hash_str(id), at, hash_str(str_of(last->id)));
        s->containers.v[at] = *last;
        s->containers.n--;
        vec_shrink(&s->containers);
}

const struct stats_container *stats_of(const struct stats *s, struct str id)
{
        id = str_upto(id, STATS_ID_BYTES - 1);
        if (id.n == 0)
                return &s->containers.v[0];
        const uint64_t *known = map64_get(&s->container_index, hash_str(id));
        return known ? &s->containers.v[*known] : NULL;
}

void stats_look(struct stats *s, int64_t now_ns)
{
        int64_t passed = now_ns - s->looked_ns;
        if (passed < SECOND_NS)
                return;
        for (size_t i = 0; i < s->containers.n; i++) {
                struct stats_container *c = &s->containers.v[i];
                uint64_t came = c->events - c->events_before;
                c->per_second = s->looked_ns > 0 ? (uint64_t)((double)came * SECOND_NS / (double)passed + 0.5) : 0;
                c->events_before = c->events;
        }
        s->looked_ns = now_ns;
}

/* --------------------------------------------------------------------------------------------------- printing ---- */

static void print_head(struct buf *to, const char *name, const char *help, const char *type)
{
        buf_printf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_one(struct buf *to, const struct stats_counter *c)
{
        buf_puts(to, c->name);
        if (c->labels && c->labels[0])
                buf_printf(to, "{%s}", c->labels);
        buf_printf(to, " %llu\n", (unsigned long long)c->value);
}

static void print_latency(const struct stats *s, struct buf *to)
{
        static const char name[] = "sekisho_agent_alert_latency_seconds";
        uint64_t sum = 0;
        print_head(to, name, "From the event in the kernel to the alert in its file.", "histogram");
        for (size_t i = 0; i < STATS_BUCKETS; i++) {
                sum += s->latency[i];
                buf_printf(to, "%s_bucket{le=\"%s\"} %llu\n", name, bounds[i].seconds, (unsigned long long)sum);
        }
        buf_printf(to, "%s_sum %.9f\n%s_count %llu\n", name, (double)s->latency_sum_ns / SECOND_NS, name,
                   (unsigned long long)sum);
}

/* A name's lines stand together, as the format asks for, whenever its counters were made. */
void stats_print(const struct stats *s, struct buf *to)
{
        for (size_t i = 0; i < s->n_counters; i++) {
                const struct stats_counter *first = s->counters[i];
                size_t before = 0;
                while (before < i && strcmp(s->counters[before]->name, first->name) != 0)
                        before++;
                if (before < i)
                        continue;
                print_head(to, first->name, first->help, first->kind == STATS_GAUGE ? "gauge" : "counter");
                for (size_t k = i; k < s->n_counters; k++)
                        if (strcmp(s->counters[k]->name, first->name) == 0)
                                print_one(to, s->counters[k]);
        }
        print_head(to, s->refused.name, s->refused.help, "counter");
        print_one(to, &s->refused);
        print_latency(s, to);
}
