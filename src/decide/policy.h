/*
 * A policy: rule files in the one rule language, settings, and the waivers that hold under it, checked and compiled
 * together. Immutable; the same bytes give the same policy. The language and the keys: docs/format/policy.md.
 */
#ifndef SEKISHO_DECIDE_POLICY_H
#define SEKISHO_DECIDE_POLICY_H

#include "decide/record.h"
#include "decide/waiver.h"

/* A policy that ships inside the program: data/policies/<name>.yaml. */
struct profile {
        const char *name, *summary; /* the summary is the first line of the file */
        struct str text;
};

extern const struct profile profiles[];
extern const size_t n_profiles;

const struct profile *profile_find(struct str name); /* NULL if there is none */

struct policy_file {
        struct str name; /* of places: "default.yaml" */
        struct str text;
};

/* The item "settings:" of a policy file. Of several files each value is that of the last one that gives it. */
struct policy_settings {
        bool four_eyes; /* waivers need an approver who is not the requester */
        uint64_t max_days[SEVERITY_CRITICAL +
                          1];  /* how long a waiver may last, by severity of what it waives; 0: no limit */
        uint64_t max_findings; /* a waiver for more of them in one artefact is over-broad */
};

#define WAIVER_FINDINGS_MAX 100 /* max_findings, unless a file sets it */

struct policy;

/* What is wrong with the settings of a file, for whoever only reads its rules: how many problems were added. */
size_t policy_check_settings(const struct policy_file *f, struct problems *ret_problems);

struct policy_input {
        struct str name;                 /* as reports call it: "default" */
        const struct policy_file *files; /* in order: later ones append to and override earlier ones */
        size_t n_files;
        const struct waiver *waivers; /* their texts must outlive the policy */
        size_t n_waivers;
};

/* 0: *ret is the policy (there may be warnings); RULES_WRONG: there are errors among the problems, and no policy. */
int policy_compile(const struct policy_input *in, struct policy **ret, struct problems *ret_problems);
void policy_free(struct policy *p); /* NULL is fine */
void policy_freep(struct policy **p);

struct str policy_name(const struct policy *p);
const struct policy_settings *policy_settings(const struct policy *p);

/* Rules are counted and named by their index in the set; conditions of waivers come after them. */
const struct rule_set *policy_rules(const struct policy *p);
size_t policy_n_rules(const struct policy *p);   /* indexes below this are rules */
size_t policy_n_enabled(const struct policy *p); /* of them, those that are enabled and have an action */
bool policy_rule_is_of_artefact(const struct policy *p, size_t rule); /* asks about nothing but the artefact */

size_t policy_n_waivers(const struct policy *p);
const struct waiver *policy_waiver(const struct policy *p, size_t i);
size_t policy_waiver_condition(const struct policy *p, size_t i); /* its index in the set; SIZE_MAX: it has none */

/* "default.yaml:12", or the file alone where it has no lines. */
struct str policy_place(const struct place *p, struct arena *arena);

/*
 * The rule of one --fail-on as the text of a rule file: words separated by commas, each of which narrows it: a severity
 * (critical, high, medium, low, any), fixable, kev. -EINVAL and words.
 */
int policy_fail_on(struct str words, struct buf *to, struct error *err);

#define POLICY_FAIL_ON "--fail-on" /* the name of the file that such rules are in */

#endif
