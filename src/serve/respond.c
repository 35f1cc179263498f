/*
 * The part that does what rules ask for: `action: freeze`, `isolate`, `terminate`, `deny`, and `kill` where the kernel
 * has not done it. It comes after the event, by act/'s table; on the host nothing is done. Modes (respond-modes.h) say
 * whether. To one container each action is done once: whoever takes it back by hand has decided.
 */
#include "act/actions.h"
#include "act/journal.h"
#include "act/network.h"
#include "act/process-tree.h"
#include "base/vec.h"
#include "serve/agent-private.h"

#include <errno.h>

#define TRIES_MAX 3 /* of an action that fails */

/* What was done to one container. */
struct treated {
        uint64_t cgroup_id;
        unsigned done;   /* bits of the rows of act_actions[] */
        unsigned failed; /* times */
};

struct responder {
        struct agent *agent;
        struct arena arena;
        const char *journal, *pins;
        VEC(struct treated) all;
};

/* The rows that rules can ask for. Those of a rule that denies depend on what it saw. */
static const struct answer {
        enum rule_action asked;
        int call; /* enum observe_call_id, -1: any event */
        const char *action;
        enum alert_action done;
} answers[] = {
        { ACTION_FREEZE, -1, "freeze", ALERT_FROZEN },
        { ACTION_ISOLATE, -1, "isolate", ALERT_ISOLATED },
        { ACTION_TERMINATE, -1, "terminate", ALERT_TERMINATED },
        { ACTION_DENY, CALL_connect, "deny-connect", ALERT_DENIED },
        { ACTION_DENY, CALL_bind, "deny-bind", ALERT_DENIED },
        { ACTION_DENY, CALL_sendto, "deny-send", ALERT_DENIED },
        { ACTION_DENY, CALL_sendmsg, "deny-send", ALERT_DENIED },
};

static const struct answer *answer_to(const struct rule *rule, const struct event *e)
{
        for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
                if (answers[i].asked == rule->action &&
                    (answers[i].call < 0 || (e->kind == OBSERVE_CALL && e->call.call == answers[i].call)))
                        return &answers[i];
        return NULL;
}

static struct treated *treated_of(struct responder *s, uint64_t cgroup_id)
{
        for (size_t i = 0; i < s->all.n; i++)
                if (s->all.v[i].cgroup_id == cgroup_id)
                        return &s->all.v[i];
        struct treated *t = vec_push(&s->all); /* at most one for each container that is known: on_end() */
        t->cgroup_id = cgroup_id;
        return t;
}

static enum alert_action kill_tree(struct responder *s, const struct rule *rule, const struct event_record *r)
{
        struct error err = ERROR_NONE;
        int n = act_kill_tree(r->event->head.pid, r->event->head.started, &err);
        if (n < 0)
                agent_tell(s->agent, "rule \"%.*s\": %s", STR_FMT(rule->name), err.text);
        return n > 0 || n == -E2BIG ? ALERT_KILLED_AFTER : ALERT_KILL_FAILED;
}

static enum alert_action treat(struct responder *s, const struct answer *a, const struct rule *rule,
                               const struct container_entry *c)
{
        const struct act_action *action = act_find(a->action);
        struct treated *t = treated_of(s, c->cgroup_id);
        unsigned bit = 1u << (action - act_actions);
        if (t->done & bit)
                return ALERT_ALREADY;
        if (t->failed >= TRIES_MAX)
                return ALERT_ACTION_FAILED;
        struct error err = ERROR_NONE;
        struct act_target target;
        struct act_subject who = { .id = c->id, .name = c->facts.name, .image = c->facts.image, .cgroup = c->cgroup };
        struct act_order order = { .pins = s->pins,
                                   .journal = s->journal,
                                   .by = arena_printf(&s->agent->arena, "rule %.*s", STR_FMT(rule->name)).p,
                                   .why = arena_cstr(&s->agent->arena, rule->desc),
                                   .is_hasty = true };
        bool is_unwritten = false;
        int done = act_target_find(&who, &target, &err);
        if (done == 0)
                done = act_do(action, &target, &order, &is_unwritten, &err);
        if (done < 0 || is_unwritten)
                agent_tell(s->agent, "rule \"%.*s\": %s", STR_FMT(rule->name), err.text);
        if (done < 0) {
                t->failed++;
                return ALERT_ACTION_FAILED;
        }
        t->done |= bit;
        return done == ACT_ALREADY ? ALERT_ALREADY : a->done;
}

static enum alert_action respond(void *state, const struct rule *rule, const struct event_record *r)
{
        struct responder *s = state;
        const struct answer *a = answer_to(rule, r->event);
        bool is_kill = rule->action == ACTION_KILL && r->event->kind != OBSERVE_EXIT;
        if (!r->container || (!a && !is_kill))
                return ALERT_NOTHING;
        enum respond_mode mode = respond_mode_of(&s->agent->modes, rule, r->container);
        if (mode != RESPOND_ENFORCE)
                return mode == RESPOND_ALERT ? ALERT_WOULD_ACT : ALERT_NOTHING;
        return is_kill ? kill_tree(s, rule, r) : treat(s, a, rule, r->container);
}

static bool is_answered(const struct rule *rule)
{
        for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
                if (answers[i].asked == rule->action)
                        return true;
        return rule->action == ACTION_KILL;
}

static const char *protects(void *state, const struct container_entry *c)
{
        const struct responder *s = state;
        const struct agent_rules *rules = &s->agent->rules;
        for (size_t i = 0; i < rule_set_n(rules->set); i++) {
                const struct rule *rule = rule_set_rule(rules->set, i);
                if (rule->enabled && is_answered(rule) && respond_mode_of(&s->agent->modes, rule, c) == RESPOND_ENFORCE)
                        return "answers";
        }
        return NULL;
}

static void on_end(void *state, uint64_t cgroup_id)
{
        struct responder *s = state;
        for (size_t i = 0; i < s->all.n; i++)
                if (s->all.v[i].cgroup_id == cgroup_id) {
                        s->all.v[i] = s->all.v[--s->all.n];
                        return;
                }
}

/* Beside the alerts, so that what belongs together lies together. */
static const char *journal_path(const struct agent_options *o, struct arena *arena)
{
        struct str alerts = str_of(o->alerts);
        ptrdiff_t slash = str_rfind_char(alerts, '/');
        if (o->respond.actions || !o->alerts)
                return o->respond.actions ? o->respond.actions : ACT_JOURNAL_DEFAULT;
        return arena_printf(arena, "%.*sactions.jsonl", STR_FMT(str_upto(alerts, (size_t)(slash + 1)))).p;
}

static int start(struct agent *a, void **ret, struct error *err)
{
        struct responder *s = xcalloc(1, sizeof(*s));
        s->agent = a;
        s->journal = journal_path(a->o, &s->arena);
        s->pins = a->o->respond.pins ? a->o->respond.pins : ACT_PINS_DEFAULT;
        *ret = s;
        return 0;
}

static void stop(void *state)
{
        struct responder *s = state;
        vec_done(&s->all);
        arena_done(&s->arena);
        free(s);
}

const struct agent_part part_respond = {
        .name = "respond",
        .start = start,
        .respond = respond,
        .protects = protects,
        .on_container_end = on_end,
        .stop = stop,
};
