/* What the control socket answers: the agent's state, its containers, its counters. See control.h. */
#include "report/document.h"
#include "serve/control-private.h"

#include <sys/resource.h>
#include <unistd.h>

#define METRICS_BYTES_MAX (4u << 20)

json_t *control_refusal(const char *words)
{
        json_t *o = doc_object();
        doc_set(o, "error", doc_cstr(words));
        return o;
}

static uint64_t milliseconds(struct timeval t) { return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_usec / 1000; }

static json_t *lost_json(const struct agent *a)
{
        static const char *const names[OBSERVE_KINDS] = { "exec", "fork", "exit", "call" };
        json_t *o = doc_object();
        for (size_t i = 0; i < OBSERVE_KINDS; i++)
                doc_set(o, names[i], doc_number(a->counts.lost[i]));
        return o;
}

static void count(void *arg, struct container_entry *c)
{
        (void)set64_add(arg, hash_str(c->id)); /* it may have several cgroups */
}

static size_t count_containers(const struct agent *a)
{
        struct set64 ids = { 0 };
        container_each(&a->containers, count, &ids);
        size_t n = ids.n;
        set64_done(&ids);
        return n;
}

static json_t *status(struct agent *a)
{
        struct rusage usage = { 0 };
        json_t *o = doc_object(), *parts = doc_array();
        getrusage(RUSAGE_SELF, &usage);
        for (size_t i = 0; agent_parts[i]; i++)
                if (a->part_states[i])
                        doc_add(parts, doc_cstr(agent_parts[i]->name));
        doc_set(o, "version", doc_cstr(SEKISHO_VERSION));
        doc_set(o, "hostname", doc_cstr(a->hostname));
        doc_set(o, "pid", doc_number((uint64_t)getpid()));
        doc_set(o, "monotonic_ms", doc_number((uint64_t)agent_now_ns(CLOCK_MONOTONIC) / 1000000));
        doc_set(o, "uptime_ms", doc_number((uint64_t)(agent_now_ns(CLOCK_MONOTONIC) - a->started_ns) / 1000000));
        doc_set(o, "cpu_ms", doc_number(milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)));
        doc_set(o, "memory_bytes", doc_number(agent_memory_bytes()));
        doc_set(o, "mode", doc_cstr(sensor_is_full(a->sensor) ? "full" : "lean"));
        doc_set(o, "containers", doc_number(count_containers(a)));
        doc_set(o, "rules", doc_number(rule_set_n(a->rules.set)));
        doc_set(o, "kill_rules", doc_number(a->rules.n_kill));
        doc_set(o, "processes", doc_number(a->processes.n));
        doc_set(o, "events", doc_number(a->counts.events));
        doc_set(o, "alerts", doc_number(a->counts.alerts));
        doc_set(o, "held", doc_number(a->counts.held));
        doc_set(o, "lost", lost_json(a));
        doc_set(o, "parts", parts);
        return o;
}

/* ------------------------------------------------------------------------------------------------ containers ---- */

struct listing {
        struct agent *agent;
        json_t *list;
        struct map_str rows; /* by id; a container may have several cgroups */
        struct arena arena;
};

struct row {
        const struct container_entry *container; /* NULL: the host */
        uint64_t processes;
};

static struct row *row_of(struct listing *l, const struct container_entry *c)
{
        void **at = map_str_put(&l->rows, c ? c->id : STR(""), NULL);
        if (!*at)
                *at = arena_new(&l->arena, struct row);
        struct row *row = *at;
        if (!row->container)
                row->container = c;
        return row;
}

static void add_container(void *arg, struct container_entry *c) { (void)row_of(arg, c); }

static void count_process(void *arg, const struct process *p)
{
        struct listing *l = arg;
        row_of(l, container_known(&l->agent->containers, p->cgroup_id))->processes++;
}

static json_t *protection(const struct agent *a, const struct container_entry *c)
{
        json_t *list = doc_array();
        doc_add(list, doc_cstr("rules"));
        if (c && a->rules.n_kill > 0)
                doc_add(list, doc_cstr("kill"));
        for (size_t i = 0; c && agent_parts[i]; i++) {
                const char *word = a->part_states[i] && agent_parts[i]->protects
                                           ? agent_parts[i]->protects(a->part_states[i], c)
                                           : NULL;
                if (word)
                        doc_add(list, doc_cstr(word));
        }
        return list;
}

static void set_counts(json_t *o, const struct stats_container *s)
{
        static const struct stats_container none;
        char time[ALERT_TIME_BYTES];
        s = s ? s : &none;
        doc_set(o, "events", doc_number(s->events));
        doc_set(o, "events_per_second", doc_number(s->per_second));
        doc_set(o, "alerts", doc_number(s->alerts));
        doc_set(o, "enforced", doc_number(s->enforced));
        doc_set(o, "incident", s->incident > 0 ? doc_number(s->incident) : doc_null());
        doc_set(o, "last_time", s->last_ns > 0 ? doc_text(alert_time(s->last_ns, time)) : doc_null());
        doc_set(o, "last_rule", doc_cstr(s->last_rule));
        doc_set(o, "last_action", s->last_ns > 0 ? doc_cstr(alert_action_names[s->last_action]) : doc_null());
}

static json_t *row_json(const struct agent *a, const struct row *row)
{
        static const struct container_entry host = { .facts = { .name = { "host", 4 } } };
        const struct container_entry *c = row->container ? row->container : &host;
        json_t *o = doc_object();
        doc_set(o, "id", doc_str(c->id));
        doc_set(o, "name", doc_text(c->facts.name.n > 0 ? c->facts.name : c->id));
        doc_set(o, "image", doc_str(c->facts.image));
        doc_set(o, "engine", doc_cstr(c->facts.engine));
        doc_set(o, "pod", doc_str(c->pod));
        doc_set(o, "namespace", doc_str(c->pod_namespace));
        doc_set(o, "pid", c->facts.pid > 0 ? doc_number(c->facts.pid) : doc_null());
        doc_set(o, "processes", doc_number(row->processes));
        set_counts(o, stats_of(&a->stats, c->id));
        doc_set(o, "protection", protection(a, row->container));
        return o;
}

static int by_name(const void *a, const void *b)
{
        const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
        if (!x->container || !y->container) /* the host stands first */
                return (x->container ? 1 : 0) - (y->container ? 1 : 0);
        int r = str_cmp(x->container->facts.name, y->container->facts.name);
        return r != 0 ? r : str_cmp(x->container->id, y->container->id);
}

static json_t *containers(struct agent *a)
{
        struct listing l = { .agent = a, .list = doc_array(), .arena = ARENA_INIT };
        size_t n = 0;
        container_each(&a->containers, add_container, &l);
        process_each(&a->processes, count_process, &l);
        struct row **rows = arena_array(&l.arena, l.rows.n, sizeof(struct row *));
        for (size_t i = 0; i < l.rows.size; i++)
                if (l.rows.slots[i].key.p)
                        rows[n++] = l.rows.slots[i].value;
        qsort(rows, n, sizeof(*rows), by_name);
        for (size_t i = 0; i < n; i++)
                doc_add(l.list, row_json(a, rows[i]));
        map_str_done(&l.rows);
        arena_done(&l.arena);
        return l.list;
}

/* --------------------------------------------------------------------------------------------------- answers ---- */

static json_t *metrics(struct agent *a)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(METRICS_BYTES_MAX);
        json_t *o = doc_object();
        agent_metrics(a, &b);
        doc_set(o, "metrics", doc_text(buf_str(&b)));
        return o;
}

static json_t *set_mode(struct agent *a, struct str mode)
{
        struct error err = ERROR_NONE;
        bool is_full = str_is(mode, "full");
        if (!is_full && !str_is(mode, "lean"))
                return control_refusal("a mode is lean or full");
        if (agent_set_mode(a, is_full, &err) < 0)
                return control_refusal(err.text);
        json_t *o = doc_object();
        doc_set(o, "mode", doc_text(mode));
        return o;
}

json_t *control_answer(struct agent *a, const struct control_request *r)
{
        json_t *o = doc_object();
        switch (r->verb) {
        case CONTROL_STATUS:
                doc_set(o, "status", status(a));
                return o;
        case CONTROL_PS:
                doc_set(o, "containers", containers(a));
                return o;
        case CONTROL_TOP:
                doc_set(o, "status", status(a));
                doc_set(o, "containers", containers(a));
                return o;
        default:
                json_decref(o);
                return r->verb == CONTROL_METRICS ? metrics(a) : set_mode(a, r->mode);
        }
}

json_t *control_reloaded(const struct agent *a, bool is_loaded)
{
        json_t *o = doc_object();
        doc_set(o, "reloaded", doc_bool(is_loaded));
        doc_set(o, "rules", doc_number(rule_set_n(a->rules.set)));
        return o;
}
