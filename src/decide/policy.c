/* See policy.h: rule files, their settings and the conditions of waivers become one rule set. */
#include "decide/policy.h"

#include "base/error.h"
#include "read/yaml.h"

#include <errno.h>
#include <stdlib.h>

struct policy {
        struct arena arena;
        struct str name;
        struct policy_settings settings;
        struct rule_set *rules;
        size_t n_rules, n_enabled;
        bool *is_of_artefact; /* of each rule */
        struct waiver *waivers;
        size_t *conditions; /* of each waiver */
        size_t n_waivers;
};

/* --- settings --- */

struct settings_reading {
        struct policy *p;
        struct str file;
        struct problems *problems;
        size_t n_errors;
};

static void complain(struct settings_reading *r, const struct yaml_node *at, struct str words)
{
        problems_add(r->problems, &(struct problem){ .level = PROBLEM_ERROR,
                                                     .code = "settings",
                                                     .place = { r->file, at->line, at->column },
                                                     .about = STR("settings"),
                                                     .words = words });
        r->n_errors++;
}

#define DAYS_MAX 36500

static void read_max_days(struct settings_reading *r, const struct yaml_node *n)
{
        if (n->kind != YAML_MAPPING)
                complain(r, n, STR("max_days is a mapping of severities to days: {critical: 30, high: 90}"));
        for (size_t i = 0; n->kind == YAML_MAPPING && i < n->n; i++) {
                enum severity s;
                int64_t days;
                if (!severity_parse(yaml_text(n->pairs[i].key), &s) || !yaml_int(n->pairs[i].value, &days) ||
                    days < 1 || days > DAYS_MAX)
                        complain(r, n->pairs[i].key,
                                 STR("max_days gives a severity a number of days, from 1 to 36500"));
                else
                        r->p->settings.max_days[s] = (uint64_t)days;
        }
}

static void read_setting(struct settings_reading *r, const struct yaml_pair *pair)
{
        struct str name = yaml_text(pair->key);
        int64_t n;
        if (str_is(name, "four_eyes")) {
                if (!yaml_bool(pair->value, &r->p->settings.four_eyes))
                        complain(r, pair->value, STR("four_eyes is true or false"));
        } else if (str_is(name, "max_findings")) {
                if (!yaml_int(pair->value, &n) || n < 1)
                        complain(r, pair->value, STR("max_findings is a number from 1 on"));
                else
                        r->p->settings.max_findings = (uint64_t)n;
        } else if (str_is(name, "max_days")) {
                read_max_days(r, pair->value);
        } else {
                complain(r, pair->key,
                         arena_printf(&r->p->arena,
                                      "no setting is called \"%.*s\"; there are four_eyes, max_days, max_findings",
                                      STR_FMT(name)));
        }
}

static size_t read_settings(struct policy *p, const struct policy_file *f, struct problems *problems)
{
        struct settings_reading r = { p, f->name, problems, 0 };
        struct arena arena = ARENA_INIT;
        struct yaml y = { 0 };
        if (str_find(f->text, STR("settings")) < 0 || yaml_read(f->text, &arena, &y, NULL) < 0)
                y.n = 0; /* what is wrong with the file, the loader of rules says */
        for (size_t d = 0; d < y.n; d++) {
                const struct yaml_node *list = y.documents[d];
                for (size_t i = 0; list->kind == YAML_SEQUENCE && i < list->n; i++) {
                        const struct yaml_node *s = yaml_get(list->items[i], "settings");
                        if (s && s->kind != YAML_MAPPING)
                                complain(&r, s, STR("settings is a mapping: four_eyes, max_days, max_findings"));
                        for (size_t k = 0; s && s->kind == YAML_MAPPING && k < s->n; k++)
                                read_setting(&r, &s->pairs[k]);
                }
        }
        arena_done(&arena);
        return r.n_errors;
}

size_t policy_check_settings(const struct policy_file *f, struct problems *ret_problems)
{
        struct policy scratch = { .arena = ARENA_INIT };
        size_t n = read_settings(&scratch, f, ret_problems);
        arena_done(&scratch.arena);
        return n;
}

/* --- compiling --- */

static size_t add_waivers(struct policy *p, const struct policy_input *in, struct rule_loader *l)
{
        size_t n = 0;
        p->n_waivers = in->n_waivers;
        p->waivers = arena_array(&p->arena, in->n_waivers, sizeof(*p->waivers));
        p->conditions = arena_array(&p->arena, in->n_waivers, sizeof(*p->conditions));
        for (size_t i = 0; i < in->n_waivers; i++) {
                const struct waiver *w = &in->waivers[i];
                p->waivers[i] = *w;
                p->conditions[i] = SIZE_MAX;
                if (!w->condition.n)
                        continue;
                p->conditions[i] = rule_loader_add_condition(l, arena_printf(&p->arena, "waiver %.*s", STR_FMT(w->id)),
                                                             w->condition, w->condition_place, STAGES_POLICY);
                n++;
        }
        return n;
}

static bool asks_only_artefact(const struct policy *p, size_t rule)
{
        struct arena arena = ARENA_INIT;
        struct rule_needs needs = { 0 };
        bool only = true;
        rule_set_needs(p->rules, rule, &arena, &needs);
        for (size_t i = 0; i < needs.n_fields && only; i++)
                only = field_is_of_artefact(needs.fields[i]->field->id);
        arena_done(&arena);
        return only;
}

static void describe_rules(struct policy *p, size_t n_conditions)
{
        p->n_rules = rule_set_n(p->rules) - n_conditions;
        p->is_of_artefact = arena_array(&p->arena, p->n_rules, sizeof(*p->is_of_artefact));
        for (size_t i = 0; i < p->n_rules; i++) {
                const struct rule *r = rule_set_rule(p->rules, i);
                p->n_enabled += r->enabled && r->action != ACTION_NONE;
                p->is_of_artefact[i] = asks_only_artefact(p, i);
        }
}

int policy_compile(const struct policy_input *in, struct policy **ret, struct problems *ret_problems)
{
        struct rule_options o = { .stages = STAGES_POLICY };
        struct policy *p = xcalloc(1, sizeof(*p));
        struct rule_loader *l = rule_loader_new(&o);
        p->settings.max_findings = WAIVER_FINDINGS_MAX;
        p->name = arena_str(&p->arena, in->name);
        for (size_t i = 0; i < in->n_files; i++)
                rule_loader_add_file(l, in->files[i].name, in->files[i].text);
        size_t n_conditions = add_waivers(p, in, l), wrong = 0;
        int r = rule_loader_finish(l, &p->rules, ret_problems);
        rule_loader_free(l);
        for (size_t i = 0; i < in->n_files; i++)
                wrong += read_settings(p, &in->files[i], ret_problems);
        if (r == 0 && !wrong) {
                describe_rules(p, n_conditions);
                *ret = p;
                return 0;
        }
        policy_free(p);
        return RULES_WRONG;
}

void policy_free(struct policy *p)
{
        if (!p)
                return;
        rule_set_free(p->rules);
        arena_done(&p->arena);
        free(p);
}

void policy_freep(struct policy **p) { policy_free(*p); }

struct str policy_name(const struct policy *p) { return p->name; }
const struct policy_settings *policy_settings(const struct policy *p) { return &p->settings; }
const struct rule_set *policy_rules(const struct policy *p) { return p->rules; }
size_t policy_n_rules(const struct policy *p) { return p->n_rules; }
size_t policy_n_enabled(const struct policy *p) { return p->n_enabled; }
bool policy_rule_is_of_artefact(const struct policy *p, size_t rule) { return p->is_of_artefact[rule]; }
size_t policy_n_waivers(const struct policy *p) { return p->n_waivers; }
const struct waiver *policy_waiver(const struct policy *p, size_t i) { return &p->waivers[i]; }
size_t policy_waiver_condition(const struct policy *p, size_t i) { return p->conditions[i]; }

struct str policy_place(const struct place *p, struct arena *arena)
{
        if (!p->line || str_is(p->file, POLICY_FAIL_ON))
                return arena_str(arena, p->file);
        return arena_printf(arena, "%.*s:%u", STR_FMT(p->file), p->line);
}

/* --- --fail-on --- */

int policy_fail_on(struct str words, struct buf *to, struct error *err)
{
        bool fixable = false, kev = false, has_severity = false;
        enum severity least = SEVERITY_UNKNOWN, s;
        struct str rest = words;
        if (!rest.n)
                return error_set(err, -EINVAL, "is empty: give a severity, fixable, kev");
        while (rest.p) {
                struct str word = str_trim(str_cut(&rest, ','));
                if (str_eq_nocase(word, STR("fixable"))) {
                        fixable = true;
                } else if (str_eq_nocase(word, STR("kev"))) {
                        kev = true;
                } else if (!has_severity && str_eq_nocase(word, STR("any"))) {
                        has_severity = true;
                } else if (!has_severity && severity_parse(word, &s) && s != SEVERITY_UNKNOWN) {
                        least = s;
                        has_severity = true;
                } else {
                        return error_set(
                                err, -EINVAL,
                                "\"%.*s\" is not one of critical, high, medium, low, any (one of them), fixable, kev",
                                STR_FMT(word));
                }
        }
        buf_printf(to,
                   "- rule: \"" POLICY_FAIL_ON " %.*s\"\n  desc: what the option says\n"
                   "  condition: finding.kind = vulnerability",
                   STR_FMT(words));
        if (least != SEVERITY_UNKNOWN)
                buf_printf(to, " and vuln.severity >= %s", severity_name(least));
        buf_printf(to, "%s%s\n  action: deny\n  why: The option --fail-on says so.\n",
                   fixable ? " and vuln.fixable = true" : "", kev ? " and vuln.kev = true" : "");
        return 0;
}
