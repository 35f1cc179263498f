/*
 * The decision flow over a scan (decide/decide.h): rules about the artefact become findings of their own, each finding
 * is judged and perhaps waived, what is wrong with waivers becomes findings too, and the report gets all of it, sorted.
 */
#include "decide/decide.h"
#include "flow/scan.h"
#include "flow/subjects.h"

#include <ctype.h>
#include <stdlib.h>

struct judged {
        struct finding f;
        struct decision d;
        size_t number; /* in the order of judging */
};

VEC_TYPE(judged_vec, struct judged);

struct judge {
        struct scan *s;
        const struct scan_options *o;
        struct subjects subjects;
        struct decider *decider;
        struct judged_vec all;
        struct finding_reason *rules; /* of each rule: its name, place and action */
        bool wants_first_seen;
};

static const struct rule *rule_of(const struct judge *j, size_t i)
{
        return rule_set_rule(policy_rules(j->o->policy), i);
}

/* --- preparing --- */

static void name_rules(struct judge *j)
{
        size_t n = policy_n_rules(j->o->policy);
        j->rules = arena_array(&j->s->arena, n, sizeof(*j->rules));
        for (size_t i = 0; i < n; i++)
                j->rules[i] = (struct finding_reason){ .name = rule_of(j, i)->name,
                                                       .place = policy_place(&rule_of(j, i)->place, &j->s->arena),
                                                       .action = str_of(rule_action_names[rule_of(j, i)->action]) };
}

static bool asks_first_seen(const struct policy *p)
{
        struct arena arena = ARENA_INIT;
        struct rule_needs needs = { 0 };
        bool asks = false;
        rule_set_needs(policy_rules(p), SIZE_MAX, &arena, &needs);
        for (size_t i = 0; i < needs.n_fields; i++)
                asks = asks || needs.fields[i]->field->id == FIELD_finding_first_seen ||
                       needs.fields[i]->field->id == FIELD_finding_first_seen_age;
        arena_done(&arena);
        return asks;
}

/* --- rules about the artefact --- */

static struct str slug(struct arena *arena, struct str name)
{
        char *p = arena_cstr(arena, name);
        size_t n = 0;
        for (size_t i = 0; i < name.n; i++) {
                if (isalnum((unsigned char)name.p[i]))
                        p[n++] = (char)tolower((unsigned char)name.p[i]);
                else if (n && p[n - 1] != '-')
                        p[n++] = '-';
        }
        while (n && p[n - 1] == '-')
                n--;
        return n ? str_span(p, n) : STR("rule");
}

static enum response response_of(enum rule_response r)
{
        static const enum response same[RULE_RESPONSES] = {
                [RULE_RESPONSE_NONE] = RESPONSE_DECIDE,     [RULE_RESPONSE_UPDATE] = RESPONSE_UPDATE,
                [RULE_RESPONSE_REPLACE] = RESPONSE_REPLACE, [RULE_RESPONSE_MITIGATE] = RESPONSE_MITIGATE,
                [RULE_RESPONSE_ACCEPT] = RESPONSE_ACCEPT,
        };
        return same[r];
}

static void subject_of(struct judge *j, const struct finding *f, struct subject_finding *ret)
{
        subjects_finding(&j->subjects, f, ret);
        if (j->wants_first_seen && j->o->first_seen)
                ret->first_seen = j->o->first_seen(j->o->first_seen_arg, f->id);
}

static bool is_asked_about(const struct judge *j, const struct finding *f)
{
        return j->o->explain.n && finding_is_named(f, j->o->explain);
}

static void explain(struct judge *j, const struct subject_finding *subject, size_t rule, struct finding_reason *to)
{
        static const char *const words[] = { [STEP_ALL] = "all of", [STEP_ANY] = "one of", [STEP_NOT] = "not" };
        const struct rule_step *steps;
        size_t n = decider_explain(j->decider, policy_rule_is_of_artefact(j->o->policy, rule) ? NULL : subject, rule,
                                   &j->s->arena, &steps);
        struct reason_part *parts = arena_array(&j->s->arena, n, sizeof(*parts));
        for (size_t i = 0; i < n; i++) {
                bool has_text = steps[i].kind == STEP_CHECK || steps[i].kind == STEP_MACRO;
                parts[i] = (struct reason_part){ .depth = steps[i].depth,
                                                 .is_true = steps[i].is_true,
                                                 .text = has_text ? steps[i].text : str_of(words[steps[i].kind]),
                                                 .seen = steps[i].kind == STEP_CHECK ? steps[i].seen : STR_NONE };
        }
        to->parts = parts;
        to->n_parts = n;
}

/* The reasons of a finding, in the policy's order; with their parts where somebody asked about it. */
static void give_reasons(struct judge *j, const struct subject_finding *subject, struct judged *x)
{
        struct finding_reason *reasons = arena_array(&j->s->arena, x->d.n_hits, sizeof(*reasons));
        for (size_t i = 0; i < x->d.n_hits; i++) {
                reasons[i] = j->rules[x->d.hits[i]];
                reasons[i].decides = x->d.hits[i] == x->d.rule;
                if (is_asked_about(j, &x->f))
                        explain(j, subject, x->d.hits[i], &reasons[i]);
        }
        x->f.reasons = reasons;
        x->f.n_reasons = x->d.n_hits;
}

/* A rule may say what to do where nothing better is known: an update that exists stays one. */
static void respond(struct judge *j, struct judged *x)
{
        if (x->d.rule == DECIDE_NONE || x->f.response != RESPONSE_DECIDE)
                return;
        enum response r = response_of(rule_of(j, x->d.rule)->response);
        bool is_possible =
                r == RESPONSE_MITIGATE || r == RESPONSE_ACCEPT || (r == RESPONSE_REPLACE && x->f.vulnerability);
        if (is_possible)
                x->f.response = r;
}

static void judge_finding(struct judge *j, const struct finding *f, size_t rule)
{
        struct judged *x = vec_push(&j->all);
        struct subject_finding subject;
        x->f = *f;
        x->number = j->all.n - 1;
        if (f->set_aside) {
                x->d = (struct decision){ .rule = DECIDE_NONE, .waiver = DECIDE_NONE, .doubtful = DECIDE_NONE };
                return;
        }
        subject_of(j, f, &subject);
        if (f->kind == FINDING_WAIVER)
                decider_note(j->decider, &subject, &x->d);
        else
                decider_finding(j->decider, &subject, rule, &x->d);
        give_reasons(j, &subject, x);
        respond(j, x);
}

static void judge_artefact(struct judge *j)
{
        struct arena *arena = &j->s->arena;
        const uint32_t *rules;
        size_t n = decider_artefact(j->decider, &rules);
        for (size_t i = 0; i < n; i++) {
                const struct rule *r = rule_of(j, rules[i]);
                struct str why = r->why.n ? r->why : r->desc;
                _cleanup_(buf_done) struct buf condition = BUF_INIT(RULE_PRINT_BYTES_MAX);
                if (r->action == ACTION_NONE)
                        continue;
                rule_print_condition(policy_rules(j->o->policy), rules[i], true, &condition);
                struct finding f = {
                        .kind = FINDING_ARTEFACT,
                        .id = slug(arena, r->name),
                        .title = why.n ? arena_printf(arena, "%.*s: %.*s", STR_FMT(r->name), STR_FMT(why)) : r->name,
                        .severity = action_denies(r->action) ? SEVERITY_HIGH : SEVERITY_LOW,
                        .layer = NONE,
                        .proof = arena_str(arena, buf_str(&condition)),
                        .response = RESPONSE_DECIDE,
                };
                judge_finding(j, &f, rules[i]);
        }
}

/* --- waivers --- */

static void judge_waivers(struct judge *j)
{
        static const enum severity severities[NOTE_KINDS] = {
                [NOTE_EXPIRED] = SEVERITY_MEDIUM,
                [NOTE_UNUSED] = SEVERITY_LOW,
                [NOTE_BROAD] = SEVERITY_MEDIUM,
        };
        struct arena *arena = &j->s->arena;
        struct waiver_note *notes;
        size_t n = decider_waivers(j->decider, arena, &notes);
        for (size_t i = 0; i < n; i++) {
                const struct waiver *w = policy_waiver(j->o->policy, notes[i].waiver);
                struct finding f = {
                        .kind = FINDING_WAIVER,
                        .id = str_of(waiver_note_name(notes[i].kind)),
                        .title = arena_printf(arena, "waiver %.*s %.*s", STR_FMT(w->id), STR_FMT(notes[i].words)),
                        .severity = severities[notes[i].kind],
                        .layer = NONE,
                        .proof = policy_place(&w->place, arena),
                        .response = RESPONSE_DECIDE,
                };
                judge_finding(j, &f, DECIDE_NONE);
        }
}

/* A waiver for one finding is over when data ends it; one with a condition still covers others. */
static struct str ended_by(const struct waiver *w, const struct waiver_use *u)
{
        bool ends = waiver_doubt_ends(u->doubt) || (u->doubt == WAIVER_NO_CONTROL && w->ends_on.control_gone);
        return u->doubtful && !u->covers && !w->condition.n && ends ? str_of(waiver_doubt_name(u->doubt)) : STR_NONE;
}

static void describe_waiver(struct judge *j, size_t i, struct report_waiver *ret)
{
        const struct waiver *w = policy_waiver(j->o->policy, i);
        struct arena *arena = &j->s->arena;
        _cleanup_(buf_done) struct buf scope = BUF_INIT(4 * WAIVER_TEXT_MAX);
        char until[WAIVER_UNTIL_TEXT_MAX];
        struct waiver_use use;
        decider_use(j->decider, i, &use);
        waiver_scope_print(&w->scope, &scope);
        *ret = (struct report_waiver){
                .id = w->id,
                .place = policy_place(&w->place, arena),
                .covers = w->finding.n ? w->finding : w->condition,
                .scope = arena_str(arena, buf_str(&scope)),
                .owner = w->owner,
                .approver = w->approver,
                .reason = w->reason,
                .response = w->response,
                .control = w->control,
                .until = arena_str(arena, str_of(waiver_until_print(w->expires, until))),
                .n_covered = use.covers,
                .n_doubtful = use.doubtful,
                .doubt = use.doubtful ? str_of(waiver_doubt_words(use.doubt)) : STR_NONE,
                .ended_by = ended_by(w, &use),
        };
}

/* Of each waiver that has to do with this artefact; NULL for the others. */
static struct report_waiver **describe_waivers(struct judge *j)
{
        size_t n = policy_n_waivers(j->o->policy);
        struct report_waiver *v = arena_array(&j->s->arena, n, sizeof(*v));
        struct report_waiver **of = arena_array(&j->s->arena, n, sizeof(struct report_waiver *));
        struct report *r = &j->s->report;
        r->waivers = v;
        for (size_t i = 0; i < n; i++) {
                struct waiver_use use;
                decider_use(j->decider, i, &use);
                if (!use.covers && !use.doubtful)
                        continue;
                of[i] = &v[r->n_waivers++];
                describe_waiver(j, i, of[i]);
        }
        return of;
}

static void apply_waivers(struct judge *j, struct report_waiver **of)
{
        for (size_t i = 0; i < j->all.n; i++) {
                struct judged *x = &j->all.v[i];
                if (x->d.waiver != DECIDE_NONE) {
                        const struct waiver *w = policy_waiver(j->o->policy, x->d.waiver);
                        x->f.waiver = of[x->d.waiver];
                        x->f.set_aside = SET_ASIDE_BY_WAIVER;
                        x->f.set_aside_by = w->owner;
                        x->f.set_aside_why = w->reason;
                } else if (x->d.doubtful != DECIDE_NONE) {
                        x->f.doubtful = of[x->d.doubtful];
                        x->f.doubt = str_of(waiver_doubt_words(x->d.doubt));
                }
        }
}

/* --- order --- */

static int64_t is_exploited(const struct finding *f) { return f->vulnerability && f->vulnerability->kev ? 1 : 0; }

static int worst_first(const void *a, const void *b)
{
        const struct finding *x = &((const struct judged *)a)->f, *y = &((const struct judged *)b)->f;
        if (is_exploited(x) != is_exploited(y))
                return is_exploited(x) ? -1 : 1;
        if (x->severity != y->severity)
                return x->severity > y->severity ? -1 : 1;
        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        uint64_t ex = x->vulnerability ? x->vulnerability->epss : 0, ey = y->vulnerability ? y->vulnerability->epss : 0;
        if (ex != ey)
                return ex > ey ? -1 : 1;
        int r = str_cmp(x->id, y->id);
        if (r == 0 && x->vulnerability && y->vulnerability)
                r = str_cmp(x->vulnerability->matched_name, y->vulnerability->matched_name);
        if (r == 0 && x->vulnerability && y->vulnerability)
                r = str_cmp(x->vulnerability->installed, y->vulnerability->installed);
        if (r == 0)
                r = str_cmp(x->path, y->path);
        if (r == 0 && x->layer != y->layer)
                r = x->layer < y->layer ? -1 : 1;
        if (r == 0)
                r = str_cmp(x->title, y->title);
        return r ? r : str_cmp(x->proof, y->proof);
}

/* --- the verdict --- */

static void describe_rule(struct judge *j, size_t rule, struct rule_hit *hit)
{
        const struct rule *r = rule_of(j, rule);
        *hit = (struct rule_hit){ .name = r->name,
                                  .place = j->rules[rule].place,
                                  .action = j->rules[rule].action,
                                  .response = r->response ? str_of(rule_response_names[r->response]) : STR_NONE,
                                  .why = r->why,
                                  .fix = r->fix,
                                  .tags = r->tags,
                                  .denies = action_denies(r->action) };
}

/* The rules that decided about something that was not set aside, each with its findings. */
static void count_hits(struct judge *j, struct finding *findings)
{
        struct report *r = &j->s->report;
        size_t n_rules = policy_n_rules(j->o->policy), n = j->all.n;
        struct rule_hit *hits = arena_array(&j->s->arena, n_rules, sizeof(*hits));
        size_t *counts = xcalloc(n_rules + 1, sizeof(*counts));
        size_t *which = arena_array(&j->s->arena, n, sizeof(*which)), at = 0;
        const struct rule_hit **of = xcalloc(n_rules + 1, sizeof(*of));
        size_t *next = xcalloc(n_rules + 1, sizeof(*next));
        for (size_t i = 0; i < n; i++)
                if (!findings[i].set_aside && j->all.v[i].d.rule != DECIDE_NONE)
                        counts[j->all.v[i].d.rule]++;
        for (size_t k = 0; k < n_rules; k++) {
                if (!counts[k] || rule_of(j, k)->action < ACTION_WARN)
                        continue;
                struct rule_hit *hit = &hits[r->n_rules++];
                describe_rule(j, k, hit);
                hit->findings = which + at;
                hit->n_findings = counts[k];
                next[k] = at;
                at += counts[k];
                of[k] = hit;
                r->denied = r->denied || hit->denies;
        }
        for (size_t i = 0; i < n; i++) {
                size_t k = j->all.v[i].d.rule;
                if (findings[i].set_aside || k == DECIDE_NONE || !of[k])
                        continue;
                findings[i].rule = of[k];
                which[next[k]++] = i;
        }
        r->rules = hits;
        free(counts);
        free(of);
        free(next);
}

static void put_findings(struct judge *j, struct report_waiver **of)
{
        struct report *r = &j->s->report;
        struct finding *findings = arena_array(&j->s->arena, j->all.n, sizeof(*findings));
        size_t *at = xcalloc(j->all.n + 1, sizeof(*at)); /* number -> place */
        if (j->all.n)
                qsort(j->all.v, j->all.n, sizeof(*j->all.v), worst_first);
        for (size_t i = 0; i < j->all.n; i++) {
                findings[i] = j->all.v[i].f;
                at[j->all.v[i].number] = i;
        }
        for (size_t i = 0; i < policy_n_waivers(j->o->policy); i++) {
                struct waiver_use use;
                decider_use(j->decider, i, &use);
                if (of[i] && use.doubtful)
                        of[i]->doubted = &findings[at[use.doubted]];
        }
        free(at);
        r->findings = findings;
        r->n_findings = j->all.n;
        count_hits(j, findings);
}

void scan_judge(struct scan *s, const struct scan_options *o, const struct finding *found, size_t n)
{
        struct judge j = { .s = s, .o = o, .wants_first_seen = asks_first_seen(o->policy) };
        struct report *r = &s->report;
        r->policy = policy_name(o->policy);
        enum stage stage = o->stage ? o->stage : STAGE_SCAN;
        r->stage = str_of(stage_name(stage));
        r->n_rules_total = policy_n_enabled(o->policy);
        subjects_init(&j.subjects, s);
        j.decider = decider_new(o->policy, &j.subjects.artefact, stage, o->controls);
        name_rules(&j);
        judge_artefact(&j);
        for (size_t i = 0; i < n; i++)
                judge_finding(&j, &found[i], DECIDE_NONE);
        judge_waivers(&j);
        struct report_waiver **of = describe_waivers(&j);
        apply_waivers(&j, of);
        put_findings(&j, of);
        decider_free(j.decider);
        subjects_done(&j.subjects);
        vec_done(&j.all);
}
