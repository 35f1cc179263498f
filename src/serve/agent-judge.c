/* Events through the rules, and every alert on its way out. See agent-private.h. */
#include "serve/agent-private.h"

/* ---------------------------------------------------------------------------------------------------- alerts ---- */

void agent_emit_loss(struct agent *a, const char *rule, const char *field, uint64_t lost, const char *words)
{
        const struct alert_field extra = { field, value_number((int64_t)lost) };
        agent_emit(a, &(struct alert){ .rule_name = rule,
                                       .priority = PRIORITY_WARNING,
                                       .source = "internal",
                                       .output = str_of(words),
                                       .extras = &extra,
                                       .n_extras = 1 });
}

void agent_emit(struct agent *a, const struct alert *alert)
{
        struct alert whole = *alert;
        if (alert->priority > a->o->least && !alert_is_deed(alert->action))
                return;
        a->counts.alerts++;
        whole.hostname = a->hostname;
        if (whole.time_ns == 0)
                whole.time_ns = agent_now_ns(CLOCK_REALTIME);
        for (size_t i = 0; agent_parts[i]; i++)
                if (a->part_states[i] && agent_parts[i]->before_alert)
                        agent_parts[i]->before_alert(a->part_states[i], &whole);
        alert_write(&a->sink, &whole);
        bool is_of_event = alert->record != NULL;
        stats_alert(&a->stats, &whole, is_of_event ? MAX(0, agent_now_ns(CLOCK_REALTIME) - whole.time_ns) : -1);
        for (size_t i = 0; agent_parts[i]; i++)
                if (a->part_states[i] && agent_parts[i]->on_alert)
                        agent_parts[i]->on_alert(a->part_states[i], &whole);
}

/* What was held back since: told once it has gone quiet, or with `all` at once. */
void agent_tell_held(struct agent *a, bool all)
{
        const struct limit_pair *p;
        uint64_t held;
        while ((p = limiter_take_held(&a->limiter, agent_now_ns(CLOCK_MONOTONIC), all, &held))) {
                const struct rule *rule = rule_set_rule(a->rules.set, p->rule);
                struct str words =
                        arena_printf(&a->arena, "%llu more alerts of rule \"%.*s\" in container %s were held back",
                                     (unsigned long long)held, STR_FMT(rule->name), p->container);
                struct alert_field extra = { "held", value_number((int64_t)held) };
                agent_emit(a, &(struct alert){ .rule_name = "Alerts held back",
                                               .priority = rule->priority,
                                               .source = "internal",
                                               .output = words,
                                               .stands_for = held,
                                               .held_container = str_of(p->container),
                                               .extras = &extra,
                                               .n_extras = 1 });
                arena_done(&a->arena);
        }
}

/* What was enforced is told each time; of anything else so many of a rule and a container. */
static bool may_pass(struct agent *a, size_t rule, const struct event_record *r, enum alert_action action)
{
        if (alert_is_deed(action))
                return true;
        struct str id = r->container ? r->container->id : STR("host");
        bool passes = limiter_pass(&a->limiter, rule, id, agent_now_ns(CLOCK_MONOTONIC));
        a->counts.held += !passes;
        return passes;
}

/* What is done about a hit: by the kernel already, or by the part that answers for the rule's action. */
static enum alert_action respond(struct agent *a, const struct rule *rule, const struct event_record *r)
{
        unsigned flags = r->event->kind == OBSERVE_EXEC ? r->event->exec.flags : 0;
        enum alert_action action = ALERT_NOTHING;
        if (rule->action == ACTION_NONE)
                return ALERT_NOTHING;
        if (rule->action == ACTION_KILL && flags & (OBSERVE_KILLED | OBSERVE_KILL_FAILED))
                return flags & OBSERVE_KILLED ? ALERT_KILLED : ALERT_KILL_FAILED;
        for (size_t i = 0; agent_parts[i] && action == ALERT_NOTHING; i++)
                if (a->part_states[i] && agent_parts[i]->respond)
                        action = agent_parts[i]->respond(a->part_states[i], rule, r);
        return action;
}

#define CONTAINER_FIELDS 3

/* No alert leaves without its container, whether or not its rule asks. */
static size_t container_extras(const struct event_record *r, const struct record *record,
                               struct alert_field ret[CONTAINER_FIELDS])
{
        static const enum field_id ids[CONTAINER_FIELDS] = { FIELD_container_id, FIELD_container_name,
                                                             FIELD_container_image };
        for (size_t i = 0; r->container && i < CONTAINER_FIELDS; i++) {
                struct field_ref ref = { .field = &fields[ids[i]], .text = str_of(fields[ids[i]].name) };
                ret[i] = (struct alert_field){ fields[ids[i]].name, value_absent() };
                record->get(record->ctx, &ref, &ret[i].value);
        }
        return r->container ? CONTAINER_FIELDS : 0;
}

static void on_hit(struct agent *a, size_t rule, const struct event_record *r, const struct record *record)
{
        const struct rule *hit = rule_set_rule(a->rules.set, rule);
        enum alert_action action = respond(a, hit, r);
        struct alert_field extras[CONTAINER_FIELDS];
        _cleanup_(buf_done) struct buf output = BUF_INIT(RULE_OUTPUT_BYTES_MAX);
        if ((hit->priority > a->o->least && !alert_is_deed(action)) || !may_pass(a, rule, r, action))
                return;
        size_t n_extras = container_extras(r, record, extras);
        rule_render(a->rules.eval, rule, record, &output);
        agent_emit(a, &(struct alert){ .rule = hit,
                                       .priority = hit->priority,
                                       .source = "syscall",
                                       .time_ns = r->boot_ns + (int64_t)r->event->head.time_ns,
                                       .output = buf_str(&output),
                                       .action = action,
                                       .fields = a->needs[rule].fields,
                                       .n_fields = a->needs[rule].n_fields,
                                       .extras = extras,
                                       .n_extras = n_extras,
                                       .record = record,
                                       .process = r->process,
                                       .container = r->container });
}

static void judge(struct agent *a, const struct event *e, const struct process *p, const struct container_entry *c,
                  bool by_rules)
{
        struct event_record r = { .event = e,
                                  .process = p,
                                  .processes = &a->processes,
                                  .container = c,
                                  .hostname = a->hostname,
                                  .number = a->counts.events,
                                  .boot_ns = a->boot_ns,
                                  .users = &a->users,
                                  .bursts = &a->bursts,
                                  .arena = &a->arena };
        struct record record = event_record(&r);
        const uint32_t *hits;
        stats_event(&a->stats, e->kind, c);
        if (a->bursts.is_wanted && by_rules)
                event_count(&r, &a->bursts);
        for (size_t i = 0; agent_parts[i]; i++)
                if (a->part_states[i] && agent_parts[i]->on_event)
                        agent_parts[i]->on_event(a->part_states[i], &r);
        size_t n = by_rules ? rule_eval(a->rules.eval, &record, STAGE_SYSCALL, &hits) : 0;
        if (n == 0)
                return;
        uint32_t *kept = arena_array(&a->arena, n, sizeof(*kept)); /* rendering may ask again */
        memcpy(kept, hits, n * sizeof(*kept));
        for (size_t i = 0; i < n; i++)
                on_hit(a, kept[i], &r, &record);
}

void agent_judge(struct agent *a, const struct event *e, const struct process *p, const struct container_entry *c)
{
        judge(a, e, p, c, true);
}

void agent_show(struct agent *a, const struct event *e, const struct process *p, const struct container_entry *c)
{
        judge(a, e, p, c, false);
}
