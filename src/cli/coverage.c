/* `sekisho coverage`: which sections of a framework are covered by which rules. */
#include "analyze/check.h"
#include "base/vec.h"
#include "cli/command.h"
#include "flow/framework-coverage.h"
#include "flow/image-checks.h"
#include "flow/policies.h"
#include "intel/malware-rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct coverage_settings {
        bool json, verbose;
};

static const struct option_spec options[] = {
        { "output", 'o', "FORMAT", "table (the default) or json (docs/format/coverage.md)" },
        { "verbose", 'v', NULL, "all rules of each row, and what the row belongs to" },
        { NULL, 0, NULL, NULL },
};

static int coverage_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct coverage_settings *s = state;
        if (strcmp(o->name, "verbose") == 0) {
                s->verbose = true;
                return 0;
        }
        return option_format(value, "table", &s->json, err);
}

extern const struct command command_coverage;

VEC_TYPE(coverage_rule_vec, struct coverage_rule);

static void add_rules(const struct policy *p, struct arena *arena, struct coverage_rule_vec *to)
{
        for (size_t i = 0; i < policy_n_rules(p); i++) {
                const struct rule *r = rule_set_rule(policy_rules(p), i);
                struct coverage_rule *x = vec_push(to);
                *x = (struct coverage_rule){ .name = arena_str(arena, r->name),
                                             .place = policy_place(&r->place, arena) };
                x->tags.v = arena_array(arena, r->tags.n, sizeof(struct str));
                for (size_t k = 0; k < r->tags.n; k++)
                        x->tags.v[x->tags.n++] = arena_str(arena, r->tags.v[k]);
        }
}

static void add_checks(const struct check *(*at)(size_t), const char *place, struct arena *arena,
                       struct coverage_rule_vec *to)
{
        const struct check *c;
        for (size_t i = 0; (c = at(i)); i++) {
                struct fact_check about = { 0 };
                check_describe(c, arena, &about);
                *vec_push(to) = (struct coverage_rule){ .name = arena_printf(arena, "%s %s", c->id, c->title),
                                                        .place = str_of(place),
                                                        .tags = about.tags };
        }
}

static void add_malware_rules(struct arena *arena, struct coverage_rule_vec *to)
{
        struct malware_rules *rules;
        struct error err = ERROR_NONE;
        if (malware_rules_builtin(&rules, &err) < 0)
                return; /* they are part of the program: its tests compile them */
        for (size_t i = 0; i < malware_rules_count(rules); i++) {
                const struct malware_rule *r = malware_rule_at(rules, i);
                struct coverage_rule *x = vec_push(to);
                *x = (struct coverage_rule){ .name = arena_str(arena, r->id), .place = STR("malware rule") };
                x->tags.v = arena_array(arena, r->tags.n, sizeof(struct str));
                for (size_t k = 0; k < r->tags.n; k++)
                        x->tags.v[x->tags.n++] = arena_str(arena, r->tags.v[k]);
        }
        malware_rules_free(rules);
}

/*
 * Everything with tags that ships inside the program: the rules of all policies, each once for each policy, the checks
 * of files and of images, and the rules for malware. What they report is what the policies judge.
 */
static struct coverage_rule *shipped_rules(struct arena *arena, size_t *ret_n)
{
        struct coverage_rule_vec found = { 0 };
        for (size_t i = 0; i < n_profiles; i++) {
                const struct policy_choice choice = { .names = { profiles[i].name }, .n_names = 1 };
                struct problems problems = { 0 };
                _cleanup_(policy_freep) struct policy *p = NULL;
                if (policy_load(&choice, arena, &p, &problems, NULL) == 0)
                        add_rules(p, arena, &found);
                problems_done(&problems);
        }
        add_checks(check_at, "check of files", arena, &found);
        add_checks(image_check_at, "check of images", arena, &found);
        add_malware_rules(arena, &found);
        struct coverage_rule *rules = arena_array(arena, found.n, sizeof(*rules));
        if (found.n)
                memcpy(rules, found.v, found.n * sizeof(*rules));
        *ret_n = found.n;
        vec_done(&found);
        return rules;
}

static int unknown_framework(const char *name)
{
        const char *names[16] = { 0 };
        for (size_t i = 0; frameworks[i] && i + 1 < ARRAY_SIZE(names); i++)
                names[i] = frameworks[i]->name;
        const char *near = nearest(name, names);
        if (near)
                return fail_usage(&command_coverage, "no framework \"%s\"; did you mean %s?", name, near);
        return fail_usage(&command_coverage, "no framework \"%s\"; there are nist and attack", name);
}

static int coverage_run(void *state, int argc, char **argv)
{
        const struct coverage_settings *s = state;
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        if (argc != 1)
                return fail_usage(&command_coverage, "needs one framework: nist or attack");
        const struct framework *f = NULL;
        for (size_t i = 0; frameworks[i]; i++)
                if (strcmp(frameworks[i]->name, argv[0]) == 0)
                        f = frameworks[i];
        if (!f)
                return unknown_framework(argv[0]);
        size_t n;
        const struct coverage_rule *rules = shipped_rules(&arena, &n);
        struct framework_coverage c;
        f->cover(rules, n, &arena, &c);
        struct report_options o = { .colour = may_colour(STDOUT_FILENO),
                                    .width = terminal_width(STDOUT_FILENO),
                                    .verbose = s->verbose };
        int r = s->json ? coverage_write_json(&c, stdout) : coverage_write_table(&c, &o, stdout);
        if (r < 0) {
                (void)error_errno(&err, r, "cannot write");
                return fail(EXIT_INCOMPLETE, &err);
        }
        return EXIT_CLEAN;
}

const struct command command_coverage = {
        .name = "coverage",
        .usage = "coverage [OPTIONS] nist|attack",
        .summary = "Tell which sections of a framework are covered by which rules",
        .help = "nist    NIST SP 800-190, countermeasures and the risks that they answer\n"
                "attack  MITRE ATT&CK, techniques for containers\n\n"
                "Rules are those of all policies, the checks of files and images, and the rules for malware.\n",
        .examples = "  sekisho coverage nist\n"
                    "  sekisho coverage attack -o json | jq -r '.rows[] | select(.state == \"open\") | .id'\n",
        .options = options,
        .option = coverage_option,
        .state_size = sizeof(struct coverage_settings),
        .run = coverage_run,
};
