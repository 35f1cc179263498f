/* See load.h: rules. */
#include "rule/load.h"

#include <stdio.h>

const char *const rule_priority_names[PRIORITIES] = { "Emergency", "Alert",  "Critical",      "Error",
                                                      "Warning",   "Notice", "Informational", "Debug" };
const char *const rule_action_names[ACTIONS] = { "none",   "allow",      "warn",    "deny",     "kill",
                                                 "freeze", "quarantine", "isolate", "terminate" };
const char *const rule_response_names[RULE_RESPONSES] = { "none", "update", "replace", "mitigate", "accept" };

/* The keys that append and override know, in the order of struct changes' by_key. */
enum changed_key {
        KEY_CONDITION,
        KEY_OUTPUT,
        KEY_DESC,
        KEY_TAGS,
        KEY_EXCEPTIONS,
        KEY_PRIORITY,
        KEY_ENABLED,
        KEY_WARN,
        KEY_SKIP,
        KEY_CAPTURE,
        KEY_CAPTURE_DURATION,
        KEY_ACTION,
        KEY_WHEN,
        KEY_RESPONSE,
        KEY_WHY,
        KEY_FIX,
        KEY_SEVERITY,
};

static const struct changeable changeable[] = {
        [KEY_CONDITION] = { "condition", true, true },
        [KEY_OUTPUT] = { "output", true, true },
        [KEY_DESC] = { "desc", true, true },
        [KEY_TAGS] = { "tags", true, true },
        [KEY_EXCEPTIONS] = { "exceptions", true, true },
        [KEY_PRIORITY] = { "priority", false, true },
        [KEY_ENABLED] = { "enabled", false, true },
        [KEY_WARN] = { "warn_evttypes", false, true },
        [KEY_SKIP] = { "skip-if-unknown-filter", false, true },
        [KEY_CAPTURE] = { "capture", false, true }, /* read and of no effect here, as in a rule of its own */
        [KEY_CAPTURE_DURATION] = { "capture_duration", false, true },
        [KEY_ACTION] = { "action", false, true },
        [KEY_WHEN] = { "when", false, true },
        [KEY_RESPONSE] = { "response", false, true },
        [KEY_WHY] = { "why", false, true },
        [KEY_FIX] = { "fix", false, true },
        [KEY_SEVERITY] = { "severity", false, true },
        { NULL, false, false },
};
_Static_assert(ARRAY_SIZE(changeable) <= CHANGEABLE_MAX + 1, "each key has a place in struct changes");

static const char *const keys[] = {
        "rule",
        "desc",
        "condition",
        "output",
        "priority",
        "source",
        "enabled",
        "tags",
        "append",
        "override",
        "exceptions",
        "warn_evttypes",
        "skip-if-unknown-filter",
        "capture",
        "capture_duration",
        "stage",
        "action",
        "when",
        "response",
        "why",
        "fix",
        "severity",
        NULL,
};

/* The index of a word among names, in any case; -1 and a problem if it is none of them. */
static int one_of(struct loading *l, const struct yaml_node *n, const char *key, const char *const *names,
                  size_t n_names, size_t first)
{
        struct str text = yaml_text(n);
        const char *words[16] = { NULL };
        for (size_t i = first; i < n_names; i++) {
                if (n->kind == YAML_SCALAR && str_eq_nocase(text, str_of(names[i])))
                        return (int)i;
                words[i - first] = names[i];
        }
        const char *near = words_nearest(str_upto(text, 60), words);
        char suggestion[200] = "it is one of";
        size_t used = strlen(suggestion);
        if (near)
                snprintf(suggestion, sizeof(suggestion), "did you mean %s?", near);
        for (size_t i = first; !near && i < n_names; i++)
                used += (size_t)snprintf(suggestion + used, sizeof(suggestion) - used, "%s %s", i > first ? "," : "",
                                         names[i]);
        load_problem(l, PROBLEM_ERROR, "bad-value", n, suggestion, "\"%.*s\" is no %s", STR_FMT(str_upto(text, 60)),
                     key);
        return -1;
}

static void load_priority(struct loading *l, const struct yaml_node *item, struct rule *r)
{
        const struct yaml_node *n = yaml_get(item, "priority");
        if (!n)
                return;
        if (str_eq_nocase(yaml_text(n), STR("info"))) {
                r->priority = PRIORITY_INFORMATIONAL;
                return;
        }
        int i = one_of(l, n, "priority", rule_priority_names, PRIORITIES, 0);
        if (i >= 0)
                r->priority = (enum rule_priority)i;
}

static void load_when(struct loading *l, const struct yaml_node *item, struct rule *r)
{
        static const char *const names[] = { "before", "after" };
        const struct yaml_node *when = yaml_get(item, "when");
        int i = when ? one_of(l, when, "when", names, ARRAY_SIZE(names), 0) : -1;
        if (when && r->action != ACTION_KILL)
                load_problem(l, PROBLEM_ERROR, "bad-value", when, "drop it", "when is for action kill alone");
        else if (i >= 0)
                r->acts_after = i == 1;
}

static void load_decision(struct loading *l, const struct yaml_node *item, struct rule *r)
{
        const struct yaml_node *action = yaml_get(item, "action"), *response = yaml_get(item, "response");
        const struct yaml_node *severity = yaml_get(item, "severity");
        int i;
        if (action && str_eq_nocase(yaml_text(action), STR("log"))) /* Trend Micro's word for a rule that only speaks */
                r->action = ACTION_NONE;
        else if (action && (i = one_of(l, action, "action", rule_action_names, ACTIONS, 1)) >= 0)
                r->action = (enum rule_action)i;
        load_when(l, item, r);
        if (severity && !severity_parse(yaml_text(severity), &r->severity))
                load_problem(l, PROBLEM_ERROR, "bad-value", severity, "it is one of critical, high, medium, low",
                             "\"%.*s\" is no severity", STR_FMT(str_upto(yaml_text(severity), 60)));
        if (response && (i = one_of(l, response, "response", rule_response_names, RULE_RESPONSES, 1)) >= 0)
                r->response = (enum rule_response)i;
        load_text(l, item, "why", false, &r->why);
        load_text(l, item, "fix", false, &r->fix);
}

/* stage: scan, or [scan, admit]. */
static void load_stages(struct loading *l, const struct yaml_node *item, struct rule *r)
{
        const struct yaml_node *n = yaml_get(item, "stage");
        static const char *const names[] = { "build", "scan", "admit", "run", "syscall", "check" };
        if (!n)
                return;
        r->stages = 0;
        for (size_t i = 0; i < (n->kind == YAML_SEQUENCE ? n->n : 1); i++) {
                const struct yaml_node *one = n->kind == YAML_SEQUENCE ? n->items[i] : n;
                int which = one_of(l, one, "stage", names, ARRAY_SIZE(names), 0);
                r->stages |= which >= 0 ? 1u << which : 0;
        }
        if (r->stages == 0) {
                r->stages = STAGES_ALL; /* said already; what follows is not blamed for it */
                if (n->kind == YAML_SEQUENCE && n->n == 0)
                        load_problem(l, PROBLEM_ERROR, "bad-value", n, "", "stage names no stage");
        }
}

/* Falco's rules have no action. One that only lets pass, warns or denies is a policy's, which need not say its stages.
 */
static bool says_policy(const struct yaml_node *item)
{
        struct str action = yaml_text(yaml_get(item, "action"));
        return str_eq_nocase(action, STR("allow")) || str_eq_nocase(action, STR("warn")) ||
               str_eq_nocase(action, STR("deny"));
}

static void load_source(struct loading *l, const struct yaml_node *item, struct rule *r)
{
        const struct yaml_node *n = yaml_get(item, "source");
        if (yaml_get(item, "stage")) {
                if (n)
                        load_problem(l, PROBLEM_ERROR, "bad-value", n, "drop one of them",
                                     "a rule has a stage or a source");
                return;
        }
        if (!n) {
                r->stages = l->options->stages ? l->options->stages : says_policy(item) ? STAGES_POLICY : STAGE_SYSCALL;
                r->source = r->stages == STAGE_SYSCALL ? STR("syscall") : STR_NONE;
                return;
        }
        load_text(l, item, "source", true, &r->source);
        r->stages = STAGE_SYSCALL;
        if (str_is(r->source, "syscall"))
                return;
        r->unsupported = true;
        load_problem(l, PROBLEM_WARNING, "unknown-source", n, "",
                     "there is no field table for the source %.*s yet: the rule is read, but never true",
                     STR_FMT(str_upto(r->source, 60)));
}

static void load_flags(struct loading *l, const struct yaml_node *item, struct rule_def *r)
{
        bool warn;
        load_flag(l, item, "enabled", &r->rule.enabled);
        load_flag(l, item, "skip-if-unknown-filter", &r->skip_if_unknown);
        if (load_flag(l, item, "warn_evttypes", &warn))
                r->no_event_warning = !warn;
}

static void load_condition(struct loading *l, const struct yaml_node *item, struct rule_def *r, enum change change)
{
        struct str text;
        if (!load_text(l, item, "condition", true, &text))
                return;
        if (change == CHANGE_REPLACE)
                vec_clear(&r->pieces);
        *vec_push(&r->pieces) = load_piece(l, yaml_get(item, "condition"));
}

static void set_output(struct loading *l, const struct yaml_node *item, struct rule_def *r)
{
        if (!load_text(l, item, "output", false, &r->rule.output))
                return;
        r->rule.output = str_trim(r->rule.output);
        r->output_file = l->file;
        r->output_node = yaml_get(item, "output");
}

static struct str joined(struct loading *l, struct str a, struct str b)
{
        return arena_printf(l->arena, "%.*s %.*s", STR_FMT(a), STR_FMT(b));
}

static void append_tags(struct loading *l, struct rule *r, struct str_list more)
{
        struct str_list all = { arena_array(l->arena, r->tags.n + more.n, sizeof(struct str)), r->tags.n };
        if (all.n + more.n > RULE_TAGS_MAX) {
                load_problem(l, PROBLEM_ERROR, "too-large", NULL, "", "the rule has more than %u tags", RULE_TAGS_MAX);
                return;
        }
        if (r->tags.n > 0)
                memcpy(all.v, r->tags.v, r->tags.n * sizeof(*all.v));
        for (size_t i = 0; i < more.n; i++) {
                bool is_new = true;
                for (size_t j = 0; j < r->tags.n && is_new; j++)
                        is_new = !str_eq(r->tags.v[j], more.v[i]);
                if (is_new)
                        all.v[all.n++] = more.v[i];
        }
        r->tags = all;
}

/* Texts that can be appended to: with a blank between. */
static void change_text(struct loading *l, const struct yaml_node *item, const char *key, enum change change,
                        struct str *to)
{
        struct str text;
        if (change == CHANGE_NONE || !load_text(l, item, key, true, &text))
                return;
        if (to->n + text.n > RULE_OUTPUT_BYTES_MAX)
                load_problem(l, PROBLEM_ERROR, "too-large", yaml_get(item, key), "", "%s is longer than %u bytes", key,
                             RULE_OUTPUT_BYTES_MAX);
        else
                *to = change == CHANGE_APPEND && to->n > 0 ? joined(l, *to, text) : text;
}

/* An item that changes a rule of an earlier item. */
static void change_rule(struct loading *l, const struct yaml_node *item, struct rule_def *r, struct changes *changes)
{
        struct str_list tags = { 0 };
        if (changes->append_flag) {
                bool has_condition = yaml_get(item, "condition") != NULL,
                     has_exceptions = yaml_get(item, "exceptions") != NULL;
                if (!has_condition && !has_exceptions)
                        load_problem(l, PROBLEM_ERROR, "nothing-to-change", item, "",
                                     "append adds to condition or exceptions, and the item has neither");
                changes->by_key[KEY_CONDITION] = has_condition ? CHANGE_APPEND : CHANGE_NONE;
                changes->by_key[KEY_EXCEPTIONS] = has_exceptions ? CHANGE_APPEND : CHANGE_NONE;
        }
        const enum change *by_key = changes->by_key;
        if (by_key[KEY_CONDITION])
                load_condition(l, item, r, by_key[KEY_CONDITION]);
        if (by_key[KEY_EXCEPTIONS])
                load_exceptions(l, item, r, by_key[KEY_EXCEPTIONS]);
        if (by_key[KEY_OUTPUT] == CHANGE_REPLACE) {
                set_output(l, item, r);
        } else if (by_key[KEY_OUTPUT]) {
                change_text(l, item, "output", CHANGE_APPEND, &r->rule.output);
                r->output_node = NULL; /* its parts stand in two places */
        }
        change_text(l, item, "desc", by_key[KEY_DESC], &r->rule.desc);
        if (by_key[KEY_TAGS] && load_texts(l, item, "tags", &tags)) {
                if (by_key[KEY_TAGS] == CHANGE_APPEND)
                        append_tags(l, &r->rule, tags);
                else
                        r->rule.tags = tags;
        }
        if (by_key[KEY_PRIORITY])
                load_priority(l, item, &r->rule);
        load_flags(l, item, r);
        load_decision(l, item, &r->rule);
}

static void define_rule(struct loading *l, const struct yaml_node *item, struct rule_def *r)
{
        bool is_policy = yaml_get(item, "stage") || (l->options->stages & (STAGES_POLICY | STAGE_CHECK)) ||
                         (says_policy(item) && !yaml_get(item, "source"));
        r->rule.place = node_place(l->file, item);
        r->rule.enabled = true;
        r->rule.priority = PRIORITY_WARNING;
        load_stages(l, item, &r->rule);
        load_source(l, item, &r->rule);
        if (!is_policy)
                for (const char *const *key = (const char *const[]){ "desc", "output", "priority", NULL }; *key; key++)
                        if (!yaml_get(item, *key))
                                load_problem(l, PROBLEM_ERROR, "missing-key", item, "", "the key %s is missing", *key);
        bool is_check = is_policy && r->rule.stages == STAGE_CHECK;
        for (const char *const *key = (const char *const[]){ "desc", "severity", NULL }; is_check && *key; key++)
                if (!yaml_get(item, *key))
                        load_problem(l, PROBLEM_ERROR, "missing-key", item, "", "a check needs the key %s", *key);
        if (is_policy && !is_check && !yaml_get(item, "action"))
                load_problem(l, PROBLEM_ERROR, "missing-key", item, "add action: warn",
                             "a policy rule needs the key action");
        load_text(l, item, "desc", false, &r->rule.desc);
        set_output(l, item, r);
        load_priority(l, item, &r->rule);
        load_decision(l, item, &r->rule);
        load_flags(l, item, r);
        load_texts(l, item, "tags", &r->rule.tags);
        load_condition(l, item, r, CHANGE_REPLACE);
        load_exceptions(l, item, r, CHANGE_REPLACE);
}

/* Only "enabled": switches a rule of an earlier item on or off. */
static bool only_enables(const struct yaml_node *item)
{
        static const char *const defining[] = { "condition", "output", "desc", "priority" };
        for (size_t i = 0; i < ARRAY_SIZE(defining); i++)
                if (yaml_get(item, defining[i]))
                        return false;
        return yaml_get(item, "enabled") != NULL;
}

static struct rule_def *add_rule(struct loading *l, struct str name, void **slot)
{
        struct rule_def *r = *slot = arena_new(l->arena, struct rule_def);
        r->rule.name = name;
        *vec_push(&l->library->rules) = r;
        if (l->library->rules.n == RULE_RULES_MAX + 1)
                load_problem(l, PROBLEM_ERROR, "too-large", NULL, "", "there are more than %u rules", RULE_RULES_MAX);
        return r;
}

static void redefine(struct loading *l, const struct yaml_node *item, struct rule_def *r)
{
        struct str before = r->rule.source;
        if (str_eq(r->rule.place.file, l->file->name))
                load_problem(l, PROBLEM_WARNING, "redefined", item, "",
                             "the rule was defined before in this file, at line %u: this definition replaces it",
                             r->rule.place.line);
        for (size_t i = 0; i < r->exceptions.n; i++)
                vec_done(&r->exceptions.v[i]->values);
        vec_clear(&r->exceptions);
        vec_clear(&r->pieces);
        struct rule_def fresh = { .rule.name = r->rule.name, .pieces = r->pieces, .exceptions = r->exceptions };
        *r = fresh;
        define_rule(l, item, r);
        if (!str_eq(before, r->rule.source))
                load_problem(l, PROBLEM_ERROR, "redefined", item, "",
                             "the rule was defined before with another source");
}

void load_rule(struct loading *l, const struct yaml_node *item)
{
        struct changes changes = { 0 };
        struct str name;
        if (!load_text(l, item, "rule", true, &name))
                return;
        l->about = arena_printf(l->arena, "rule \"%.*s\"", STR_FMT(str_upto(name, 150)));
        load_check_keys(l, item, keys);
        if (!load_changes(l, item, changeable, &changes))
                return;
        void **slot = map_str_put(&l->library->rule_by_name, name, NULL);
        struct rule_def *r = *slot;
        l->library->n_changes++;
        bool enables = !changes.any && !changes.append_flag && only_enables(item);
        if (!r && (changes.any || changes.append_flag || enables)) {
                load_problem(l, PROBLEM_ERROR, "nothing-to-change", item, "",
                             "there is no rule of that name to change");
                return;
        }
        if (enables)
                load_flag(l, item, "enabled", &r->rule.enabled);
        else if (changes.any || changes.append_flag)
                change_rule(l, item, r, &changes);
        else if (r)
                redefine(l, item, r);
        else
                define_rule(l, item, add_rule(l, name, slot));
}
