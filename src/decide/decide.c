/*
 * See decide.h. A finding is shown to the rule set once: hits below policy_n_rules() are rules, those above are
 * conditions of waivers. Waivers that name a finding and have no condition are looked up by its id and aliases.
 */
#include "decide/decide.h"

#include "base/map.h"

#include <ctype.h>
#include <stdlib.h>

#define DAY          INT64_C(86400)
#define ALL_FINDINGS 5 /* a waiver without scope that covers all of at least as many findings is over-broad */

struct decider {
        const struct policy *policy;
        struct subject_artefact artefact;
        struct subject subject;
        struct rule_eval *eval;
        enum stage stage;
        struct arena arena;
        size_t n_decided;
        struct map_str by_id; /* lower-case id -> number of a waiver without a condition, from 1 */
        size_t *next;         /* of each waiver: the next one of the same id, from 1; 0: none */
        size_t *of_condition; /* condition's index - policy_n_rules() -> waiver */
        struct waiver_use *uses;
        size_t *last_tried; /* of each waiver: the finding that it was last compared with, from 1 */
        bool *is_live;      /* of each waiver: it has no control, or that is live */
};

bool action_denies(enum rule_action a) { return a >= ACTION_DENY; }

static const struct {
        const char *name, *words;
        bool ends;
} doubts[WAIVER_DOUBTS] = {
        [WAIVER_HOLDS] = { "holds", "it holds", false },
        [WAIVER_IS_PENDING] = { "pending", "nobody has approved it yet", false },
        [WAIVER_HAS_EXPIRED] = { "expired", "it has expired", false },
        [WAIVER_NOT_YET] = { "not-yet", "it begins later than today", false },
        [WAIVER_NO_CONTROL] = { "control-gone", "its control is not known to be live", false },
        [WAIVER_FIXED] = { "fix", "a fix has been published", true },
        [WAIVER_EXPLOITED] = { "kev", "it is known to be exploited", true },
        [WAIVER_LIKELY] = { "epss", "EPSS has reached the value that ends it", true },
        [WAIVER_EXPOSED] = { "exposed", "the image is reachable from outside", true },
        [WAIVER_ONE_PERSON] = { "four-eyes", "the policy wants an approver who is not the requester", false },
        [WAIVER_TOO_LONG] = { "too-long", "it lasts longer than the policy allows for this severity", false },
};

const char *waiver_doubt_name(enum waiver_doubt d) { return doubts[d].name; }
const char *waiver_doubt_words(enum waiver_doubt d) { return doubts[d].words; }
bool waiver_doubt_ends(enum waiver_doubt d) { return doubts[d].ends; }

/* --- scope --- */

static bool is_repository(const struct subject_artefact *a, struct str name)
{
        if (!a->is_reference || !str_ends(name, a->repository)) {
                struct str short_name = str_from(a->repository, strlen("library/"));
                return a->is_reference && str_is(a->registry, "docker.io") &&
                       str_starts(a->repository, STR("library/")) && str_eq(name, short_name);
        }
        struct str host = str_upto(name, name.n - a->repository.n);
        return !host.n || (str_ends(host, STR("/")) && str_eq(str_upto(host, host.n - 1), a->registry));
}

static bool is_about(const struct waiver_scope *s, const struct subject_artefact *a)
{
        return (!s->digest.n || str_eq(s->digest, a->digest) || str_eq(s->digest, a->image_id)) &&
               (!s->repository.n || is_repository(a, s->repository));
}

static bool has_package(const struct subject_finding *f, struct str name)
{
        if (f->vulnerability && str_eq(f->vulnerability->matched_name, name))
                return true;
        for (size_t i = 0; i < f->n_packages; i++)
                if (str_eq(f->packages[i].p->name, name) || str_eq(f->packages[i].p->source, name))
                        return true;
        return false;
}

static struct str without_slash(struct str path) { return str_from(path, path.n && path.p[0] == '/'); }

static bool is_at(struct str path, struct str wanted)
{
        path = without_slash(path);
        wanted = without_slash(wanted);
        return str_ends(wanted, STR("/")) || !wanted.n ? str_starts(path, wanted) : str_eq(path, wanted);
}

static bool fits(const struct waiver *w, const struct subject_finding *f)
{
        return (!w->scope.package.n || has_package(f, w->scope.package)) &&
               (!w->scope.path.n || is_at(f->path, w->scope.path));
}

/* --- whether a waiver holds --- */

static bool is_in(struct str s, struct str_list l)
{
        for (size_t i = 0; i < l.n; i++)
                if (str_eq(s, l.v[i]))
                        return true;
        return false;
}

static bool is_too_long(const struct decider *d, const struct waiver *w, enum severity s)
{
        uint64_t days = policy_settings(d->policy)->max_days[s];
        int64_t from = w->created ? w->created - w->created % DAY : d->artefact.now;
        return days && w->expires > from + (int64_t)(days + 1) * DAY; /* the day of the request does not count */
}

/* What speaks against it, whatever the finding. */
static enum waiver_doubt doubt_of_waiver(const struct decider *d, size_t i)
{
        const struct waiver *w = policy_waiver(d->policy, i);
        if (w->is_pending)
                return WAIVER_IS_PENDING;
        if (d->artefact.now >= w->expires)
                return WAIVER_HAS_EXPIRED;
        if (w->created - w->created % DAY > d->artefact.now)
                return WAIVER_NOT_YET;
        if (policy_settings(d->policy)->four_eyes && (!w->approver.n || str_eq_nocase(w->approver, w->requester)))
                return WAIVER_ONE_PERSON;
        if (!d->is_live[i])
                return WAIVER_NO_CONTROL;
        if (w->ends_on.exposed && d->artefact.exposed == ANSWER_YES)
                return WAIVER_EXPOSED;
        return WAIVER_HOLDS;
}

static enum waiver_doubt doubt_of(const struct decider *d, size_t i, const struct subject_finding *f)
{
        const struct waiver *w = policy_waiver(d->policy, i);
        const struct fact_vulnerability *v = f->vulnerability;
        enum waiver_doubt doubt = doubt_of_waiver(d, i);
        if (doubt != WAIVER_HOLDS)
                return doubt;
        if (is_too_long(d, w, f->severity))
                return WAIVER_TOO_LONG;
        if (w->ends_on.fix && f->fix.n)
                return WAIVER_FIXED;
        if (w->ends_on.kev && v && v->kev)
                return WAIVER_EXPLOITED;
        if (w->ends_on.epss && v && v->epss >= w->ends_on.epss)
                return WAIVER_LIKELY;
        return WAIVER_HOLDS;
}

/* A waiver whose condition, and whose finding if it names one, is true of this finding. */
static void try_waiver(struct decider *d, size_t i, const struct subject_finding *f, struct decision *ret)
{
        const struct waiver *w = policy_waiver(d->policy, i);
        struct waiver_use *u = &d->uses[i];
        if (d->last_tried[i] == d->n_decided || !u->is_about || !fits(w, f))
                return;
        d->last_tried[i] = d->n_decided;
        enum waiver_doubt doubt = doubt_of(d, i, f);
        if (doubt == WAIVER_HOLDS) {
                u->covers++;
                ret->waiver = MIN(ret->waiver, i);
                return;
        }
        if (!u->doubtful++) {
                u->doubt = doubt;
                u->doubted = d->n_decided - 1;
        }
        if (i < ret->doubtful) {
                ret->doubtful = i;
                ret->doubt = doubt;
        }
}

/* --- finding waivers by id --- */

static struct str lower(struct arena *a, struct str s)
{
        char *p = arena_cstr(a, s);
        for (size_t i = 0; i < s.n; i++)
                p[i] = (char)tolower((unsigned char)p[i]);
        return str_span(p, s.n);
}

static void file_by_id(struct decider *d, size_t i)
{
        void **first = map_str_put(&d->by_id, lower(&d->arena, policy_waiver(d->policy, i)->finding), NULL);
        d->next[i] = (size_t)(uintptr_t)*first;
        *first = (void *)(uintptr_t)(i + 1); /* NOLINT: a number in a map of pointers */
}

#define ID_MAX 256 /* bytes of a finding's id that a waiver may name; longer ones are never equal */

static void try_id(struct decider *d, struct str id, const struct subject_finding *f, struct decision *ret)
{
        char text[ID_MAX];
        if (id.n > sizeof(text))
                return;
        for (size_t i = 0; i < id.n; i++)
                text[i] = (char)tolower((unsigned char)id.p[i]);
        size_t i = (size_t)(uintptr_t)map_str_get(&d->by_id, str_span(text, id.n));
        for (; i; i = d->next[i - 1])
                try_waiver(d, i - 1, f, ret);
}

static bool is_named(const struct subject_finding *f, struct str id)
{
        const struct fact_vulnerability *v = f->vulnerability;
        bool is = str_eq_nocase(f->id, id) || (v && (str_eq_nocase(v->id, id) || str_eq_nocase(v->cve, id)));
        for (size_t i = 0; i < f->aliases.n && !is; i++)
                is = str_eq_nocase(f->aliases.v[i], id);
        return is;
}

static void try_all(struct decider *d, const struct subject_finding *f, const uint32_t *conditions, size_t n,
                    struct decision *ret)
{
        if (d->by_id.n) {
                try_id(d, f->id, f, ret);
                if (f->vulnerability) {
                        try_id(d, f->vulnerability->id, f, ret);
                        try_id(d, f->vulnerability->cve, f, ret);
                }
                for (size_t i = 0; i < f->aliases.n; i++)
                        try_id(d, f->aliases.v[i], f, ret);
        }
        for (size_t k = 0; k < n; k++) {
                size_t i = d->of_condition[conditions[k] - policy_n_rules(d->policy)];
                struct str id = policy_waiver(d->policy, i)->finding;
                if (!id.n || is_named(f, id))
                        try_waiver(d, i, f, ret);
        }
        if (ret->waiver != DECIDE_NONE) {
                ret->doubtful = DECIDE_NONE;
                ret->doubt = WAIVER_HOLDS;
        }
}

/* --- rules --- */

static void count_rule(struct decider *d, uint32_t rule, uint32_t *hits, struct decision *ret)
{
        enum rule_action action = rule_set_rule(policy_rules(d->policy), rule)->action;
        hits[ret->n_hits++] = rule;
        if (action > ret->action) {
                ret->action = action;
                ret->rule = rule;
        }
}

/*
 * Rules about the artefact alone hit every finding alike: only the finding that stands for one has it. Returns how many
 * of the hits, from *ret_conditions on, are conditions of waivers.
 */
static size_t judge(struct decider *d, const struct subject_finding *f, size_t rule, struct decision *ret,
                    const uint32_t **ret_conditions)
{
        struct record r = subject_record(&d->subject, f);
        const uint32_t *found;
        size_t n = rule_eval(d->eval, &r, d->stage, &found), n_rules = 0;
        *ret = (struct decision){ .rule = DECIDE_NONE, .waiver = DECIDE_NONE, .doubtful = DECIDE_NONE };
        while (n_rules < n && found[n_rules] < policy_n_rules(d->policy))
                n_rules++;
        uint32_t *hits = arena_array(&d->arena, n_rules, sizeof(*hits));
        for (size_t i = 0; i < n_rules; i++)
                if (found[i] == rule || !policy_rule_is_of_artefact(d->policy, found[i]))
                        count_rule(d, found[i], hits, ret);
        ret->hits = hits;
        *ret_conditions = found + n_rules;
        return n - n_rules;
}

size_t decider_artefact(struct decider *d, const uint32_t **ret_rules)
{
        struct record r = subject_record(&d->subject, NULL);
        const uint32_t *found;
        size_t n = rule_eval(d->eval, &r, d->stage, &found), kept = 0;
        uint32_t *rules = arena_array(&d->arena, n, sizeof(*rules));
        for (size_t i = 0; i < n; i++)
                if (found[i] < policy_n_rules(d->policy) && policy_rule_is_of_artefact(d->policy, found[i]))
                        rules[kept++] = found[i];
        *ret_rules = rules;
        return kept;
}

void decider_finding(struct decider *d, const struct subject_finding *f, size_t rule, struct decision *ret)
{
        const uint32_t *conditions;
        d->n_decided++;
        size_t n = judge(d, f, rule, ret, &conditions);
        try_all(d, f, conditions, n, ret);
}

void decider_note(struct decider *d, const struct subject_finding *f, struct decision *ret)
{
        const uint32_t *conditions;
        (void)judge(d, f, DECIDE_NONE, ret, &conditions);
}

size_t decider_explain(struct decider *d, const struct subject_finding *f, size_t rule, struct arena *arena,
                       const struct rule_step **ret_steps)
{
        struct record r = subject_record(&d->subject, f);
        const uint32_t *found;
        (void)rule_eval(d->eval, &r, d->stage, &found);
        return rule_explain(d->eval, rule, &r, arena, ret_steps);
}

/* --- what is to be said of waivers --- */

const char *waiver_note_name(unsigned kind)
{
        static const char *const names[NOTE_KINDS] = { "waiver-expired", "waiver-unused", "waiver-broad" };
        return names[kind];
}

void decider_use(const struct decider *d, size_t waiver, struct waiver_use *ret) { *ret = d->uses[waiver]; }

/* Which conditions of waivers are true even of a record of which nothing is known. */
static void find_always_true(struct decider *d, bool *ret)
{
        struct subject nothing;
        const struct subject_artefact none = { 0 };
        const uint32_t *found;
        subject_init(&nothing, &none);
        struct record r = subject_record(&nothing, NULL);
        size_t n = rule_eval(d->eval, &r, d->stage, &found);
        for (size_t i = 0; i < n; i++)
                if (found[i] >= policy_n_rules(d->policy))
                        ret[d->of_condition[found[i] - policy_n_rules(d->policy)]] = true;
        subject_done(&nothing);
}

static void note(struct decider *d, struct waiver_note *notes, size_t *n, size_t waiver, unsigned kind,
                 struct str words)
{
        notes[(*n)++] = (struct waiver_note){ .waiver = waiver, .kind = kind, .words = words };
}

static void note_broad(struct decider *d, size_t i, bool always, struct arena *arena, struct waiver_note *notes,
                       size_t *n)
{
        const struct waiver *w = policy_waiver(d->policy, i);
        size_t covers = d->uses[i].covers, most = policy_settings(d->policy)->max_findings;
        bool everything = d->n_decided >= ALL_FINDINGS && covers == d->n_decided;
        if (covers > most)
                note(d, notes, n, i, NOTE_BROAD,
                     arena_printf(arena, "covers %zu findings here; more than %zu is too much for one waiver", covers,
                                  most));
        else if (covers && !w->finding.n && waiver_scope_is_empty(&w->scope) && (always || everything))
                note(d, notes, n, i, NOTE_BROAD,
                     STR("has no scope, and its condition is true of everything: name a finding, a package, a "
                         "repository"));
}

size_t decider_waivers(struct decider *d, struct arena *arena, struct waiver_note **ret)
{
        size_t n_waivers = policy_n_waivers(d->policy), n = 0;
        struct waiver_note *notes = arena_array(arena, n_waivers, sizeof(*notes));
        bool *always = arena_array(arena, n_waivers, sizeof(*always));
        char text[WAIVER_UNTIL_TEXT_MAX];
        if (n_waivers)
                find_always_true(d, always);
        for (size_t i = 0; i < n_waivers; i++) {
                const struct waiver *w = policy_waiver(d->policy, i);
                const struct waiver_use *u = &d->uses[i];
                bool is_ours = u->is_about && (w->is_from_file || w->scope.digest.n || w->scope.repository.n);
                bool is_idle = !u->covers && !u->doubtful;
                enum waiver_doubt doubt = doubt_of_waiver(d, i);
                if (doubt == WAIVER_HAS_EXPIRED && (u->doubtful || is_ours))
                        note(d, notes, &n, i, NOTE_EXPIRED,
                             arena_printf(arena, "has expired: it held until %s",
                                          waiver_until_print(w->expires, text)));
                else if (is_idle && is_ours && doubt == WAIVER_HOLDS)
                        note(d, notes, &n, i, NOTE_UNUSED, STR("covers nothing that was found"));
                note_broad(d, i, always[i], arena, notes, &n);
        }
        *ret = notes;
        return n;
}

/* --- life --- */

struct decider *decider_new(const struct policy *p, const struct subject_artefact *a, enum stage stage,
                            struct str_list controls)
{
        size_t n = policy_n_waivers(p);
        struct decider *d = xcalloc(1, sizeof(*d));
        d->policy = p;
        d->artefact = *a;
        d->stage = stage;
        d->eval = rule_eval_new(policy_rules(p));
        subject_init(&d->subject, &d->artefact);
        d->next = arena_array(&d->arena, n, sizeof(*d->next));
        d->of_condition = arena_array(&d->arena, rule_set_n(policy_rules(p)) - policy_n_rules(p), sizeof(size_t));
        d->uses = arena_array(&d->arena, n, sizeof(*d->uses));
        d->last_tried = arena_array(&d->arena, n, sizeof(*d->last_tried));
        d->is_live = arena_array(&d->arena, n, sizeof(*d->is_live));
        for (size_t i = 0; i < n; i++) {
                const struct waiver *w = policy_waiver(p, i);
                d->is_live[i] = !w->control.n || is_in(w->control, controls);
                d->uses[i] = (struct waiver_use){ .doubted = DECIDE_NONE, .is_about = is_about(&w->scope, a) };
                if (policy_waiver_condition(p, i) != SIZE_MAX)
                        d->of_condition[policy_waiver_condition(p, i) - policy_n_rules(p)] = i;
                else
                        file_by_id(d, i);
        }
        return d;
}

void decider_free(struct decider *d)
{
        if (!d)
                return;
        rule_eval_free(d->eval);
        subject_done(&d->subject);
        map_str_done(&d->by_id);
        arena_done(&d->arena);
        free(d);
}
