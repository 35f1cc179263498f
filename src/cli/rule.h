/* What the verbs of `sekisho rule` share: see rule.c. */
#ifndef SEKISHO_CLI_RULE_H
#define SEKISHO_CLI_RULE_H

#include "cli/command.h"
#include "rule/rule.h"

#include <jansson.h>
#include <stdio.h>

extern const struct command command_rule;

struct rule_command {
        const char *facts, *stage, *name;
        bool json, explain, unused, details, quiet;
};

/*
 * Loads files ("-": standard input). 0: *ret is the set; RULES_WRONG: there are errors in *ret_problems. Otherwise an
 * exit code, negative, and it was said why.
 */
int rule_load(const struct rule_command *c, int n, char **paths, struct rule_set **ret, struct problems *ret_problems);

/* The problems on standard error, one a line. */
void rule_print_problems(const struct problems *p, bool warnings);

json_t *rule_json_text(struct str s);
void rule_print_json(json_t *j); /* takes it */

/* The rule of that name, in any case; SIZE_MAX and words on standard error with the nearest one. */
size_t rule_by_name(const struct rule_set *s, const char *name);

int rule_run_test(void *state, int argc, char **argv);

#endif
