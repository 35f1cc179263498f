/*
 * From what a person asks for (names of policies, files, --fail-on, files of waivers, the ledger's waivers) to a
 * compiled policy. The only part of the decision flow that reads files.
 */
#ifndef SEKISHO_FLOW_POLICIES_H
#define SEKISHO_FLOW_POLICIES_H

#include "decide/policy.h"

#define POLICY_NAMES_MAX 16
#define POLICY_BYTES_MAX RULE_FILE_BYTES_MAX
#define WAIVER_FILES_MAX 64
#define WAIVER_BYTES_MAX (16u << 20)

struct policy_choice {
        const char *names[POLICY_NAMES_MAX]; /* of profiles, or paths; later ones append to and override earlier ones */
        size_t n_names;
        const char *fail_on[POLICY_NAMES_MAX]; /* without names: instead of the default policy; else beside them */
        size_t n_fail_on;
        const char *waivers[WAIVER_FILES_MAX];
        size_t n_waivers;
        const struct waiver *more; /* from the ledger */
        size_t n_more;
};

/*
 * Loads and compiles. 0: *ret is the policy. RULES_WRONG: a file has mistakes, which are among the problems. < 0 and
 * words: a file cannot be read, or no policy is called so. Texts of waivers live in the arena. problems_done() is the
 * caller's in each case.
 */
int policy_load(const struct policy_choice *c, struct arena *arena, struct policy **ret, struct problems *ret_problems,
                struct error *err);

/* The bytes of one policy by name or path, and what its places are called. -ENOENT and words. */
int policy_read(const char *name, struct arena *arena, struct policy_file *ret, struct error *err);

#endif
