/*
 * The agent's rules: loaded at the start, and anew when the operator wants it. Then the files are tried beside the loop
 * (rules.h), so that no file can hold up the judging of events; only what got through is loaded here. See
 * agent-private.h.
 */
#include "serve/agent-private.h"

static bool is_burst(enum field_id id)
{
        return id == FIELD_burst_ports || id == FIELD_burst_hosts || id == FIELD_burst_removed ||
               id == FIELD_burst_suffixed;
}

static bool is_environment(enum field_id id) { return id == FIELD_proc_env || id == FIELD_proc_aenv; }

static bool asks_for(const struct agent *a, bool (*is_it)(enum field_id))
{
        for (size_t i = 0; i < rule_set_n_refs(a->rules.set); i++)
                if (is_it(rule_set_ref(a->rules.set, i)->field->id))
                        return true;
        return false;
}

/* What is asked of ancestors, which may have ended by then. */
static void keep_variables(struct agent *a)
{
        size_t n = 0, n_refs = rule_set_n_refs(a->rules.set);
        struct str *names = arena_array(&a->needs_arena, n_refs, sizeof(*names));
        for (size_t i = 0; i < n_refs; i++) {
                const struct field_ref *ref = rule_set_ref(a->rules.set, i);
                if (ref->field->id == FIELD_proc_aenv && ref->key.n)
                        names[n++] = ref->key;
        }
        process_keep_variables(&a->processes, names, n);
}

static void take_rules(struct agent *a, const struct agent_rules *rules)
{
        if (a->rules.set) /* the limiter counts by the old set's numbers */
                agent_tell_held(a, true);
        limiter_clear(&a->limiter);
        agent_rules_done(&a->rules);
        arena_done(&a->needs_arena);
        a->rules = *rules;
        size_t n = rule_set_n(rules->set);
        a->needs = arena_array(&a->needs_arena, n, sizeof(*a->needs));
        for (size_t i = 0; i < n; i++)
                rule_set_needs(rules->set, i, &a->needs_arena, &a->needs[i]);
        a->bursts.is_wanted = asks_for(a, is_burst);
        keep_variables(a);
        for (size_t i = 0; agent_parts[i]; i++)
                if (a->part_states[i] && agent_parts[i]->on_rules)
                        agent_parts[i]->on_rules(a->part_states[i]);
}

static int load_modes(struct agent *a, struct error *err)
{
        struct respond_modes modes;
        int r = respond_modes_load(a->o->respond.responses, a->o->respond.mode, &modes, err);
        if (r < 0)
                return r;
        respond_modes_done(&a->modes);
        a->modes = modes;
        return 0;
}

/* What came of loading: 0, RULES_WRONG or < 0 with words. Rules that do not load leave those that are there. */
static int take_loaded(struct agent *a, int r, const struct agent_rules *loaded, struct problems *problems,
                       struct error *err)
{
        struct agent_rules rules = *loaded;
        if (r >= 0 && a->o->tell_problems)
                a->o->tell_problems(a->o->arg, problems);
        if (r >= 0)
                problems_done(problems);
        if (r != 0)
                return r;
        r = load_modes(a, err);
        if (r == 0)
                take_rules(a, &rules);
        else
                agent_rules_done(&rules);
        return r;
}

int agent_load_rules(struct agent *a, struct error *err)
{
        struct agent_rules rules = { 0 };
        struct problems problems = { 0 };
        int r = agent_rules_load(a->o->rules, a->o->n_rules, &rules, &problems, err);
        return take_loaded(a, r, &rules, &problems, err);
}

/* What the kernel kills by itself: it knows no workloads, so only what is enforced in all of them. */
static uint32_t kill_mask(const struct agent *a)
{
        uint32_t mask = 0;
        for (size_t i = 0; i < rule_set_n(a->rules.set); i++)
                if (respond_always_enforces(&a->modes, rule_set_rule(a->rules.set, i)))
                        mask |= a->rules.kill_masks[i];
        return mask;
}

int agent_apply_rules(struct agent *a, struct error *err)
{
        struct observe_settings settings = { .kill_mask = kill_mask(a), .wants_env = asks_for(a, is_environment) };
        int r = sensor_set(a->sensor, &settings);
        return r < 0 ? error_errno(err, r, "the kernel does not take the kill rules") : 0;
}

/* --------------------------------------------------------------------------------------------------- reloading ---- */

static int load_tried(struct agent *a, struct error *err)
{
        struct agent_rules rules = { 0 };
        struct problems problems = { 0 };
        int r = rules_trial_load(a->trial, &rules, &problems);
        r = take_loaded(a, r, &rules, &problems, err);
        return r == 0 ? agent_apply_rules(a, err) : r;
}

/* r: what came of the trial, with words if it is < 0. */
static void finish(struct agent *a, int r, struct error *err)
{
        if (r >= 0)
                r = load_tried(a, err);
        if (r == 0)
                agent_tell(a, "rules loaded anew: %zu, %zu of them kill", rule_set_n(a->rules.set), a->rules.n_kill);
        else
                agent_tell(a, "rules not loaded anew, the old ones stay%s%s", err->text[0] ? ": " : "", err->text);
        agent_reload_end(a);
        if (a->must_reload_again) {
                a->must_reload_again = false;
                agent_reload(a);
                return;
        }
        for (size_t i = 0; agent_parts[i]; i++)
                if (a->part_states[i] && agent_parts[i]->on_reloaded)
                        agent_parts[i]->on_reloaded(a->part_states[i], r == 0);
}

static void look(void *arg)
{
        struct agent *a = arg;
        struct error err = ERROR_NONE;
        int fd = rules_trial_fd(a->trial), r = rules_trial_take(a->trial, &err);
        if (r == 0)
                return;
        if (fd >= 0)
                agent_remove_source(a, fd);
        finish(a, r, &err);
}

void agent_reload_look(struct agent *a)
{
        if (a->trial)
                look(a);
}

void agent_reload_end(struct agent *a)
{
        if (a->trial && rules_trial_fd(a->trial) >= 0)
                agent_remove_source(a, rules_trial_fd(a->trial));
        rules_trial_end(a->trial);
        a->trial = NULL;
}

static void reopen_files(struct agent *a)
{
        struct error err = ERROR_NONE;
        for (size_t i = 0; agent_parts[i]; i++)
                if (a->part_states[i] && agent_parts[i]->on_reload)
                        agent_parts[i]->on_reload(a->part_states[i]);
        if (alert_open(&a->sink, &err) < 0)
                agent_tell(a, "alerts go on into the file that was open: %s", err.text);
}

void agent_reload(struct agent *a)
{
        struct error err = ERROR_NONE;
        if (a->trial) {
                a->must_reload_again = true;
                return;
        }
        reopen_files(a);
        int r = rules_trial_begin(a->o->rules, a->o->n_rules, &a->trial, &err);
        if (r == 0 && rules_trial_fd(a->trial) >= 0)
                r = agent_add_source(a, rules_trial_fd(a->trial), look, a);
        if (r < 0)
                finish(a, r, &err);
        else
                look(a);
}
