/* `sekisho policy`: the policies that ship inside the program, and what a policy's rules are. */
#include "cli/command.h"
#include "flow/policies.h"
#include "report/document.h"

#include <stdio.h>
#include <string.h>

extern const struct command command_policy;

static const struct option_spec options[] = {
        { "rules", 0, NULL, "show: the rules as a list instead of the file's text" },
        { "output", 'o', "FORMAT", "list, show --rules: text (the default) or json" },
        { NULL, 0, NULL, NULL },
};

struct policy_state {
        bool as_rules, as_json;
};

static int policy_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct policy_state *s = state;
        if (strcmp(o->name, "output") == 0)
                return option_format(value, "text", &s->as_json, err);
        s->as_rules = true;
        return 0;
}

/* Takes the document over. */
static int print_json(json_t *j)
{
        struct doc_stream s = { stdout };
        doc_put(&s, NULL, j);
        return doc_end(&s) < 0 ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

static int list(bool as_json)
{
        json_t *all = doc_array();
        for (size_t i = 0; as_json && i < n_profiles; i++) {
                json_t *one = doc_object();
                doc_set(one, "name", doc_cstr(profiles[i].name));
                doc_set(one, "summary", doc_cstr(profiles[i].summary));
                doc_add(all, one);
        }
        if (as_json)
                return print_json(all);
        json_decref(all);
        for (size_t i = 0; i < n_profiles; i++)
                printf("%-13s %s\n", profiles[i].name, profiles[i].summary);
        printf("\nAny file can be a policy too: sekisho scan --policy FILE TARGET. The language: sekisho help "
               "policy.\n");
        return EXIT_CLEAN;
}

static json_t *rule_json(const struct rule *x, const struct place *place)
{
        json_t *one = doc_object();
        doc_set(one, "rule", doc_text(x->name));
        doc_set(one, "action", doc_cstr(rule_action_names[x->action]));
        doc_set(one, "response", doc_cstr(rule_response_names[x->response]));
        doc_set(one, "enabled", doc_bool(x->enabled));
        doc_set(one, "condition", doc_text(x->condition));
        doc_set(one, "tags", doc_list(x->tags));
        doc_set(one, "file", doc_str(place->file));
        doc_set(one, "line", doc_number(place->line));
        return one;
}

static int show_rules(const char *name, bool as_json)
{
        const struct policy_choice choice = { .names = { name }, .n_names = 1 };
        struct arena arena = ARENA_INIT;
        struct policy *p = NULL;
        struct problems problems = { 0 };
        struct error err = ERROR_NONE;
        int r = policy_load(&choice, &arena, &p, &problems, &err);
        for (size_t i = 0; i < problems.n; i++) {
                _cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);
                problem_print(&problems.v[i], &text);
                fprintf(stderr, "%s\n", text.p);
        }
        json_t *all = doc_array();
        for (size_t i = 0; r == 0 && i < policy_n_rules(p); i++) {
                const struct rule *x = rule_set_rule(policy_rules(p), i);
                struct str place = policy_place(&x->place, &arena);
                if (as_json)
                        doc_add(all, rule_json(x, &x->place));
                else if (x->enabled)
                        printf("%-5s  %.*s  (%.*s)\n", rule_action_names[x->action], STR_FMT(x->name), STR_FMT(place));
        }
        if (r == RULES_WRONG)
                (void)error_set(&err, r, "%s has %zu mistakes", name, problems.n_errors);
        if (r == 0 && as_json)
                print_json(all);
        else
                json_decref(all);
        problems_done(&problems);
        policy_free(p);
        arena_done(&arena);
        return r == 0 ? EXIT_CLEAN : fail(EXIT_USAGE, &err);
}

static int show(const char *name)
{
        struct arena arena = ARENA_INIT;
        struct policy_file file;
        struct error err = ERROR_NONE;
        int r = policy_read(name, &arena, &file, &err);
        if (r == 0)
                fwrite(file.text.p, 1, file.text.n, stdout);
        arena_done(&arena);
        return r == 0 ? EXIT_CLEAN : fail(EXIT_USAGE, &err);
}

static int run_list(void *state, int argc, char **argv)
{
        const struct policy_state *s = state;
        return argc == 0 ? list(s->as_json) : fail_usage(&command_policy, "list takes no argument \"%s\"", argv[0]);
}

static int run_show(void *state, int argc, char **argv)
{
        const struct policy_state *s = state;
        if (argc != 1)
                return fail_usage(&command_policy, "show needs the name of a policy, or its file");
        return s->as_rules ? show_rules(argv[0], s->as_json) : show(argv[0]);
}

static const struct verb verbs[] = {
        { "list", run_list, "output" },
        { "show", run_show, "rules output" },
        { NULL, NULL, NULL },
};

const struct command command_policy = {
        .name = "policy",
        .usage = "policy list | policy show [--rules] NAME|FILE  [-o json]",
        .summary = "Show the policies that ship inside the program",
        .help = "A policy says which findings deny an artefact, and what to do about each. To make one of your own, "
                "begin with the text that show prints, or write a file that overrides some of its rules, and give "
                "both.\n",
        .examples = "  sekisho policy show default > mine.yaml\n"
                    "  sekisho scan --policy default --policy mine.yaml nginx-app.tar\n",
        .options = options,
        .option = policy_option,
        .state_size = sizeof(struct policy_state),
        .verbs = verbs,
};
