/*
 * The rules of the agent: loaded from files, or the embedded ones; and those with `action: kill` compiled into what the
 * kernel can decide alone.
 *
 * A kill comes before the first instruction of the program, so the kernel decides it, and knows four things: the kind
 * of event (execve, execveat), the layer of the program, whether its file is deleted, and whether it begins in a
 * container. A kill rule is evaluated here for every combination of them: if it asks for anything else on the way, it
 * is refused, with the field's name. So is one that would kill outside of containers: it could end the host. What comes
 * out is exact: the kernel kills if, and only if, the condition is true.
 */
#ifndef SEKISHO_SERVE_RULES_H
#define SEKISHO_SERVE_RULES_H

#include "rule/rule.h"

#define RULES_TRIAL_BYTES   (UINT64_C(512) << 20) /* that parsing the files may take */
#define RULES_TRIAL_SECONDS 10u

/* The text of data/rules/, one file behind the other. */
struct str rules_embedded(void);

struct agent_rules {
        struct rule_set *set;
        struct rule_eval *eval;
        uint32_t *kill_masks; /* of each rule: exe_must_die(); 0 of those that do not kill before the program runs */
        size_t n_kill;        /* rules that do */
};

/*
 * Loads the files (n == 0: the embedded rules). Their bytes are read once and parsed in a sandboxed worker first; only
 * what that one survives, within the limits above, is parsed here. 0: *ret_problems may hold warnings. RULES_WRONG:
 * there are errors in it, and no rules. < 0: a file cannot be read, or the worker did not get through; words in err.
 * problems_done() is the caller's unless r < 0.
 */
int agent_rules_load(const char *const *files, size_t n, struct agent_rules *ret, struct problems *ret_problems,
                     struct error *err);
void agent_rules_done(struct agent_rules *r);

/*
 * The same for who cannot wait: the files are read at once, and a servant in the sandbox parses them. 0; < 0 with
 * words. Its descriptor (-1: there is none to wait for) is readable when there is more to take: 1, it got through; 0,
 * not yet; < 0 with words, it did not, or not in time. Of what got through, what was read then is loaded as
 * agent_rules_load does.
 */
struct rules_trial;

int rules_trial_begin(const char *const *files, size_t n, struct rules_trial **ret, struct error *err);
int rules_trial_fd(const struct rules_trial *t);
int rules_trial_take(struct rules_trial *t, struct error *err);
int rules_trial_load(const struct rules_trial *t, struct agent_rules *ret, struct problems *ret_problems);
void rules_trial_end(struct rules_trial *t); /* NULL is fine */

/*
 * The mask of one condition. 0; RULES_WRONG: it asks for a field that the kernel does not decide with, *ret_field says
 * which (a text of the arena).
 */
int kill_mask_of(struct str condition, uint32_t *ret_mask, struct arena *arena, struct str *ret_field);

#endif
