/*
 * Decisions: findings x policy -> verdict, with the rule that made it. Pure functions: no I/O, no clock; the same input
 * gives the same verdict at every stage.
 *
 * Until the rule language arrives a policy is a list of the few conditions below, either the default one or what
 * --fail-on says.
 */
#ifndef SEKISHO_DECIDE_DECIDE_H
#define SEKISHO_DECIDE_DECIDE_H

#include "base/error.h"
#include "fact/fact.h"

enum subject { /* what kind of finding a rule is about */
               SUBJECT_VULNERABILITY,
               SUBJECT_END_OF_LIFE,
               SUBJECT_BLIND,
               SUBJECT_UNREAD,
               SUBJECT_MODIFIED,
               SUBJECT_STALE_DATA,
               SUBJECT_MISMATCH,
               SUBJECT_MISCONFIG,
};

/* What a rule may ask about a finding. */
struct judged {
        enum subject subject;
        enum severity severity;
        bool has_fix, is_exploited, is_malicious;
        bool is_executable; /* modified files */
        bool is_over;       /* end of life: the day has passed */
};

struct rule {
        const char *name;
        enum subject subject;
        enum severity least; /* at least this severity; SEVERITY_UNKNOWN: any */
        bool only_unknown;   /* only those whose severity nobody told */
        bool needs_fix, needs_exploited, needs_malicious, needs_executable, needs_over;
        bool denies;      /* else it warns */
        const char *tags; /* of frameworks, separated by spaces: "NIST-800-190:4.1.1 T1190"; NULL: none */
};

#define POLICY_RULES_MAX 32

struct policy {
        const char *name;
        struct rule rules[POLICY_RULES_MAX];
        size_t n_rules;
        char words[256]; /* of --fail-on, as given; its rules' place */
};

extern const struct policy policy_default;

/*
 * Adds the rule of one --fail-on: words separated by commas, each of which narrows it: a severity (critical, high,
 * medium, low, any), fixable, kev. -EINVAL and words.
 */
int policy_add_fail_on(struct policy *p, const char *words, struct error *err);

/* The index of the first rule that denies the finding, else of the first that warns, else SIZE_MAX. */
size_t decide(const struct policy *p, const struct judged *j);

#endif
