/* What the commands that judge an artefact have in common: by which policy, with which waivers, as on which day. */
#ifndef SEKISHO_CLI_JUDGING_H
#define SEKISHO_CLI_JUDGING_H

#include "cli/command.h"
#include "flow/policies.h"
#include "store/store.h"

#define CONTROLS_MAX 64

struct judging { /* filled in by judging_option */
        struct policy_choice choice;
        struct str controls[CONTROLS_MAX];
        size_t n_controls;
        enum stage stage;
        int64_t today;       /* 0: today */
        const char *ledger;  /* that has waivers; NULL: the usual one */
        bool without_ledger; /* they are not wanted */
        bool may_miss;       /* a ledger that cannot be read is told, and done without */
};

#define JUDGING_OPTIONS                                                                                                \
        { "policy", 0, "NAME|FILE", "judge by this policy: sekisho policy list; repeatable (default: default)" },      \
                { "fail-on", 0, "WORDS", "deny by SEVERITY[,fixable][,kev]; alone: instead of a policy; repeatable" }, \
                { "waivers", 0, "FILE", "set findings aside that its waivers cover; repeatable" },                     \
                { "control", 0, "NAME", "a mitigating control that is live, like waf:9301; repeatable" },              \
                { "stage", 0, "STAGE", "judge as at build, scan, admit or run (default: scan)" },                      \
        {                                                                                                              \
                "today", 0, "DATE", "judge as on that day, to repeat a verdict"                                        \
        }

/* 0; -EINVAL and words; OPTION_OTHER. */
int judging_option(struct judging *j, const struct option_spec *o, const char *value, struct error *err);

struct judgement {
        struct arena arena; /* of waivers and controls */
        struct policy *policy;
        enum stage stage;
        struct str_list controls;
        int64_t today;
};

/*
 * Loads policy and waivers, also those of the ledger if there is one. 0: judgement_done is due; else the exit code, and
 * everything that is wrong with the files was told.
 */
int judging_open(const struct judging *j, struct judgement *ret);
void judgement_done(struct judgement *j);

#endif
