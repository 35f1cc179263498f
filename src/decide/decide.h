/*
 * Decisions: findings x policy x waivers x now -> verdict, with the reasons. Pure functions: no I/O, no clock; the same
 * input gives the same verdict at every stage, unless a rule names stages.
 *
 *         struct decider *d = decider_new(policy, &artefact, STAGE_SCAN, controls);
 *         n = decider_artefact(d, &rules);                 rules about the artefact as a whole: each a finding of its
 * own decider_finding(d, &finding, &decision);         each finding n = decider_waivers(d, arena, &notes); what is
 * wrong with waivers: findings again decider_note(d, &finding, &decision);            each of these
 *
 * - Of all rules that hit a finding the strongest action counts; deny beats warn beats allow. Among equals the one that
 *   stands first is named. So neither the order of rules nor that of findings changes a verdict.
 * - A finding that a waiver covers is set aside: it keeps its rules, and does not count. No rule can do that.
 * - Adding a finding, or a rule that denies, never turns deny into allow.
 */
#ifndef SEKISHO_DECIDE_DECIDE_H
#define SEKISHO_DECIDE_DECIDE_H

#include "decide/policy.h"
#include "decide/record.h"

struct decider;

#define DECIDE_NONE SIZE_MAX

/* Why a waiver does not cover a finding that it was made for. */
enum waiver_doubt {
        WAIVER_HOLDS,
        WAIVER_IS_PENDING, /* nobody has approved it */
        WAIVER_HAS_EXPIRED,
        WAIVER_NOT_YET,    /* it begins later than today: a clock was set back */
        WAIVER_NO_CONTROL, /* its control is not live */
        WAIVER_FIXED,      /* a fix has appeared */
        WAIVER_EXPLOITED,  /* KEV lists it */
        WAIVER_LIKELY,     /* EPSS has reached the value */
        WAIVER_EXPOSED,    /* the image is reachable from outside */
        WAIVER_ONE_PERSON, /* the policy wants two persons */
        WAIVER_TOO_LONG,   /* it lasts longer than the policy allows for the finding's severity */
        WAIVER_DOUBTS
};

const char *waiver_doubt_name(enum waiver_doubt d); /* "expired", "fix", "kev", "epss", "control-gone", ...: one word */
const char *waiver_doubt_words(enum waiver_doubt d); /* "a fix has been published" */

/* Whether data, not time or people, ended it: it is over, also if the data should change back. */
bool waiver_doubt_ends(enum waiver_doubt d);

struct decision {
        enum rule_action action; /* the strongest; ACTION_NONE: no rule with an action hit */
        size_t rule;             /* that decides, or DECIDE_NONE */
        const uint32_t *hits;    /* all rules that hit, ascending; in the decider, valid until decider_free */
        size_t n_hits;
        size_t waiver;           /* that covers the finding, or DECIDE_NONE */
        size_t doubtful;         /* else one made for it that does not hold, or DECIDE_NONE */
        enum waiver_doubt doubt; /* why not */
};

/* Whether this action keeps an artefact from passing. */
bool action_denies(enum rule_action a);

/* The policy, the artefact and the controls must outlive it. controls: names of those that are live. */
struct decider *decider_new(const struct policy *p, const struct subject_artefact *a, enum stage stage,
                            struct str_list controls);
void decider_free(struct decider *d); /* NULL is fine */

/* Which rules about the artefact alone hit it: ascending indexes, valid until decider_free. Those without action too.
 */
size_t decider_artefact(struct decider *d, const uint32_t **ret_rules);

/* Decides a finding. rule: the finding stands for this rule of the artefact, which alone hits it; else DECIDE_NONE. */
void decider_finding(struct decider *d, const struct subject_finding *f, size_t rule, struct decision *ret);

/* The same for a finding that is about a waiver: no waiver covers it. */
void decider_note(struct decider *d, const struct subject_finding *f, struct decision *ret);

/* What is to be said of a waiver after all findings were decided. */
struct waiver_note {
        size_t waiver;
        enum { NOTE_EXPIRED, NOTE_UNUSED, NOTE_BROAD, NOTE_KINDS } kind;
        struct str words; /* in the arena */
};

const char *waiver_note_name(unsigned kind); /* "waiver-expired", "waiver-unused", "waiver-broad" */

size_t decider_waivers(struct decider *d, struct arena *arena, struct waiver_note **ret);

/* How a waiver fared: findings that it covers, and that it was made for but does not cover. */
struct waiver_use {
        size_t covers, doubtful;
        enum waiver_doubt doubt; /* of the first of these; or of the waiver as a whole */
        size_t doubted;          /* the number of that finding, in the order decided; DECIDE_NONE: none */
        bool is_about;           /* its scope names this artefact, or none */
};
void decider_use(const struct decider *d, size_t waiver, struct waiver_use *ret);

/* The parts of a rule's condition for a finding (NULL: the artefact), with what was seen. See rule_explain. */
size_t decider_explain(struct decider *d, const struct subject_finding *f, size_t rule, struct arena *arena,
                       const struct rule_step **ret_steps);

#endif
