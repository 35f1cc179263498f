/* `sekisho rule`: check, fields, explain; the verb test stands in rule-test.c. */
#include "cli/rule.h"

#include "base/fs.h"
#include "base/utf8.h"
#include "decide/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct rule_command *c = state;
        const struct {
                const char *name;
                const char **text;
                bool *flag;
        } places[] = {
                { "facts", &c->facts, NULL },   { "stage", &c->stage, NULL },     { "explain", NULL, &c->explain },
                { "unused", NULL, &c->unused }, { "details", NULL, &c->details }, { "quiet", NULL, &c->quiet },
                { "rule", &c->name, NULL },
        };
        if (strcmp(o->name, "output") == 0)
                return option_format(value, "text", &c->json, err);
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                if (strcmp(o->name, places[i].name) != 0)
                        continue;
                if (places[i].text && !*value)
                        return error_set(err, -EINVAL, "is empty");
                if (places[i].text)
                        *places[i].text = value;
                else
                        *places[i].flag = true;
        }
        return 0;
}

json_t *rule_json_text(struct str s)
{
        json_t *j = json_stringn(s.n ? s.p : "", s.n);
        if (j)
                return j;
        _cleanup_(buf_done) struct buf b = BUF_INIT(s.n * 3 + 1); /* not UTF-8: the bytes that are none become U+FFFD */
        for (uint32_t c; s.n > 0;) {
                size_t n = utf8_decode(s, &c);
                buf_add_str(&b, n ? str_upto(s, n) : STR("\xef\xbf\xbd"));
                s = str_from(s, n ? n : 1);
        }
        return json_stringn(b.p, b.n);
}

void rule_print_json(json_t *j)
{
        json_dumpf(j, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(j);
}

void rule_print_problems(const struct problems *p, bool warnings)
{
        for (size_t i = 0; i < p->n; i++) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
                if (p->v[i].level == PROBLEM_WARNING && !warnings)
                        continue;
                problem_print(&p->v[i], &b);
                utf8_print(stderr, buf_str(&b));
                fputc('\n', stderr);
        }
        if (p->n_dropped > 0)
                fprintf(stderr, "and %zu more\n", p->n_dropped);
}

static int parse_stages(const char *words, unsigned *ret)
{
        static const char *const names[] = { "build", "scan", "admit", "run", "syscall", NULL };
        struct str rest = str_of(words);
        for (*ret = 0; rest.p;) {
                struct str word = str_cut(&rest, ',');
                enum stage s = stage_parse(word);
                if (s == 0) {
                        const char *near = words_nearest(word, names);
                        return fail_usage(&command_rule, "no stage is called \"%.*s\"%s%s%s", STR_FMT(word),
                                          near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
                }
                *ret |= s;
        }
        return 0;
}

int rule_load(const struct rule_command *c, int n, char **paths, struct rule_set **ret, struct problems *ret_problems)
{
        struct rule_options options = { .warn_unused = c->unused };
        struct problems settings = { 0 };
        struct error err = ERROR_NONE;
        int code = c->stage ? parse_stages(c->stage, &options.stages) : 0;
        if (code)
                return -code;
        struct rule_loader *l = rule_loader_new(&options);
        int r = 0;
        for (int i = 0; i < n && r == 0; i++) {
                _cleanup_(buf_done) struct buf bytes = BUF_INIT(RULE_FILE_BYTES_MAX + 1);
                bool is_stdin = strcmp(paths[i], "-") == 0;
                r = is_stdin ? read_all(STDIN_FILENO, &bytes) : read_file(paths[i], &bytes, &err);
                if (r < 0 && is_stdin)
                        error_errno(&err, r, "standard input");
                if (r < 0)
                        break;
                const struct policy_file file = { is_stdin ? STR("<stdin>") : str_of(paths[i]), buf_str(&bytes) };
                rule_loader_add_file(l, file.name, file.text);
                policy_check_settings(&file, &settings);
        }
        r = r < 0 ? -fail(EXIT_INCOMPLETE, &err) : rule_loader_finish(l, ret, ret_problems);
        for (size_t i = 0; i < settings.n && r >= 0; i++)
                problems_add(ret_problems, &settings.v[i]);
        problems_done(&settings);
        rule_loader_free(l);
        return r;
}

/* ----------------------------------------------------------------------------------------------------- check ---- */

static json_t *problem_json(const struct problem *p)
{
        json_t *j = json_pack("{s:s, s:s, s:o, s:o}", "level", p->level == PROBLEM_ERROR ? "error" : "warning", "code",
                              p->code, "file", rule_json_text(p->place.file), "words", rule_json_text(p->words));
        if (p->place.line > 0) {
                json_object_set_new(j, "line", json_integer(p->place.line));
                json_object_set_new(j, "column", json_integer(p->place.column));
        }
        if (p->about.n > 0)
                json_object_set_new(j, "about", rule_json_text(p->about));
        if (p->suggestion.n > 0)
                json_object_set_new(j, "suggestion", rule_json_text(p->suggestion));
        return j;
}

static json_t *refs_json(const struct field_ref *const *refs, size_t n)
{
        json_t *j = json_array();
        for (size_t i = 0; i < n; i++)
                json_array_append_new(j, rule_json_text(refs[i]->text));
        return j;
}

static json_t *stages_json(unsigned stages)
{
        json_t *j = json_array();
        for (unsigned bit = 1; bit <= STAGE_LAST; bit <<= 1)
                if (stages & bit)
                        json_array_append_new(j, json_string(stage_name((enum stage)bit)));
        return j;
}

static json_t *needs_json(const struct rule_set *s, size_t rule, struct arena *arena)
{
        struct rule_needs needs;
        rule_set_needs(s, rule, arena, &needs);
        json_t *events = needs.all_events ? json_string("all") : json_array(), *prefixes = json_array();
        for (size_t i = 0; i < needs.n_events; i++)
                json_array_append_new(events, json_string(needs.events[i]));
        for (size_t i = 0; i < needs.n_prefixes; i++)
                json_array_append_new(prefixes, rule_json_text(needs.prefixes[i]));
        return json_pack("{s:o, s:o, s:o, s:o}", "fields", refs_json(needs.fields, needs.n_fields), "missing",
                         refs_json(needs.missing, needs.n_missing), "events", events, "paths", prefixes);
}

static json_t *rule_json(const struct rule_set *s, size_t i, struct arena *arena)
{
        const struct rule *r = rule_set_rule(s, i);
        json_t *tags = json_array();
        for (size_t k = 0; k < r->tags.n; k++)
                json_array_append_new(tags, rule_json_text(r->tags.v[k]));
        return json_pack("{s:o, s:o, s:i, s:b, s:b, s:s, s:s, s:s, s:o, s:o, s:o}", "rule", rule_json_text(r->name),
                         "file", rule_json_text(r->place.file), "line", (int)r->place.line, "enabled", (int)r->enabled,
                         "supported", (int)!r->unsupported, "priority", rule_priority_names[r->priority], "action",
                         rule_action_names[r->action], "response", rule_response_names[r->response], "stages",
                         stages_json(r->stages), "tags", tags, "needs", needs_json(s, i, arena));
}

static void print_check_json(const struct rule_set *s, const struct problems *p, size_t n_files)
{
        struct arena arena = ARENA_INIT;
        json_t *problems = json_array(), *rules = json_array();
        for (size_t i = 0; i < p->n; i++)
                json_array_append_new(problems, problem_json(&p->v[i]));
        for (size_t i = 0; s && i < rule_set_n(s); i++)
                json_array_append_new(rules, rule_json(s, i, &arena));
        json_t *j = json_pack("{s:i, s:i, s:i, s:o, s:o}", "files", (int)n_files, "errors", (int)p->n_errors,
                              "warnings", (int)p->n_warnings, "problems", problems, "rules", rules);
        if (s) {
                struct rule_counts counts = rule_set_counts(s);
                json_object_set_new(j, "macros", json_integer((json_int_t)counts.macros));
                json_object_set_new(j, "lists", json_integer((json_int_t)counts.lists));
        }
        rule_print_json(j);
        arena_done(&arena);
}

/* What the fields that a rule needs lack, each reason once. */
static void print_missing(const struct rule_set *s, bool details)
{
        struct arena arena = ARENA_INIT;
        size_t n_rules = 0;
        struct rule_needs all;
        for (size_t i = 0; i < rule_set_n(s); i++) {
                struct rule_needs needs;
                rule_set_needs(s, i, &arena, &needs);
                n_rules += needs.n_missing > 0;
                if (!details || needs.n_missing == 0)
                        continue;
                printf("  ");
                utf8_print(stdout, rule_set_rule(s, i)->name);
                printf(": not delivered yet:");
                for (size_t k = 0; k < needs.n_missing; k++)
                        printf(" %.*s", STR_FMT(needs.missing[k]->text));
                putchar('\n');
        }
        rule_set_needs(s, SIZE_MAX, &arena, &all);
        if (n_rules > 0)
                printf("%zu rule%s fields that are not delivered yet (%zu of %zu fields: %s)%s\n", n_rules,
                       n_rules == 1 ? " needs" : "s need", all.n_missing, all.n_fields,
                       all.n_missing > 0 ? all.missing[0]->field->missing : "of disabled rules",
                       details ? "" : "; --details says which");
        arena_done(&arena);
}

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

static int run_check(void *state, int argc, char **argv)
{
        const struct rule_command *c = state;
        struct rule_set *s = NULL;
        struct problems p = { 0 };
        if (argc == 0)
                return fail_usage(&command_rule, "which rule files?");
        int r = rule_load(c, argc, argv, &s, &p);
        if (r < 0)
                return -r;
        if (c->json) {
                print_check_json(s, &p, (size_t)argc);
        } else {
                rule_print_problems(&p, !c->quiet);
                if (s && !c->quiet)
                        print_missing(s, c->details);
                struct rule_counts n = s ? rule_set_counts(s) : (struct rule_counts){ .files = (size_t)argc };
                if (!c->quiet && s)
                        printf("%zu file%s: %zu rule%s, %zu macro%s, %zu list%s; %zu error%s, %zu warning%s\n", n.files,
                               plural(n.files), n.rules, plural(n.rules), n.macros, plural(n.macros), n.lists,
                               plural(n.lists), p.n_errors, plural(p.n_errors), p.n_warnings, plural(p.n_warnings));
                else if (!s)
                        printf("%zu file%s: %zu error%s, %zu warning%s\n", n.files, plural(n.files), p.n_errors,
                               plural(p.n_errors), p.n_warnings, plural(p.n_warnings));
        }
        int code = p.n_errors > 0 ? EXIT_USAGE : EXIT_CLEAN;
        problems_done(&p);
        rule_set_free(s);
        return code;
}

/* ---------------------------------------------------------------------------------------------------- fields ---- */

static const char *argument_text(const struct field *f)
{
        static const char *const texts[] = { "", "[n]", "[key]", "[key]" };
        return texts[f->argument];
}

static void print_field(const struct field *f)
{
        char name[80], type[24];
        snprintf(name, sizeof(name), "%s%s", f->name, argument_text(f));
        snprintf(type, sizeof(type), "%s%s", value_type_name(f->type), f->traits & FIELD_LIST ? " list" : "");
        printf("  %-34s %-12s %s%s%s\n", name, type, f->doc, f->traits & FIELD_DEPRECATED ? " (deprecated)" : "",
               f->missing ? " *" : "");
}

static json_t *field_json(const struct field *f)
{
        static const char *const arguments[] = { "none", "index", "key", "key-required" };
        json_t *j = json_pack("{s:s, s:s, s:b, s:s, s:o, s:b, s:b, s:s}", "field", f->name, "type",
                              value_type_name(f->type), "list", (int)!!(f->traits & FIELD_LIST), "argument",
                              arguments[f->argument], "stages", stages_json(f->stages), "deprecated",
                              (int)!!(f->traits & FIELD_DEPRECATED), "delivered", (int)!f->missing, "doc", f->doc);
        const char *const *words = field_words(f->id);
        if (f->missing)
                json_object_set_new(j, "missing", json_string(f->missing));
        if (words) {
                json_t *values = json_array();
                for (size_t i = 0; words[i]; i++)
                        json_array_append_new(values, json_string(words[i]));
                json_object_set_new(j, "values", values);
        }
        return j;
}

static int run_fields(void *state, int argc, char **argv)
{
        const struct rule_command *c = state;
        unsigned stages = 0;
        const char *before = "", *missing = NULL;
        if (argc > 1)
                return fail_usage(&command_rule, "rule fields takes one stage");
        int code = argc == 1 ? parse_stages(argv[0], &stages) : 0;
        if (code)
                return code;
        json_t *list = c->json ? json_array() : NULL;
        for (size_t i = 0; i < FIELDS; i++) {
                const struct field *f = &fields[i];
                if ((f->stages & stages) != stages)
                        continue;
                if (list) {
                        json_array_append_new(list, field_json(f));
                        continue;
                }
                size_t class = strcspn(f->name, ".");
                if (strncmp(before, f->name, class + 1) != 0)
                        printf("%s%.*s\n", *before ? "\n" : "", (int)class, f->name);
                before = f->name;
                missing = f->missing ? f->missing : missing;
                print_field(f);
        }
        if (list)
                rule_print_json(list);
        else if (missing)
                printf("\n* not delivered yet: understood and checked, but absent of every record so far\n");
        return EXIT_CLEAN;
}

/* --------------------------------------------------------------------------------------------------- explain ---- */

size_t rule_by_name(const struct rule_set *s, const char *name)
{
        size_t near = SIZE_MAX;
        unsigned least = 9;
        for (size_t i = 0; i < rule_set_n(s); i++)
                if (str_eq_nocase(rule_set_rule(s, i)->name, str_of(name)))
                        return i;
        for (size_t i = 0; i < rule_set_n(s); i++) {
                unsigned d = word_distance(str_of(name), rule_set_rule(s, i)->name, least - 1);
                if (d < least) {
                        least = d;
                        near = i;
                }
        }
        fprintf(stderr, "sekisho: no rule is called \"%s\"", name);
        if (near != SIZE_MAX) {
                fprintf(stderr, "; did you mean \"");
                utf8_print(stderr, rule_set_rule(s, near)->name);
                fputs("\"?", stderr);
        }
        fputc('\n', stderr);
        return SIZE_MAX;
}

static void print_line(const char *what, struct str text)
{
        if (text.n == 0)
                return;
        printf("  %-10s ", what);
        while (text.n > 0) {
                struct str line = str_trim(str_line(&text));
                utf8_print(stdout, line);
                if (text.n > 0)
                        printf("\n  %-10s ", "");
        }
        putchar('\n');
}

static void print_condition(const char *what, const struct rule_set *s, size_t rule, bool expand)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(RULE_PRINT_BYTES_MAX);
        rule_print_condition(s, rule, expand, &b);
        print_line(what, buf_str(&b));
        if (buf_is_full(&b))
                printf("  %-10s (cut: longer than %u bytes)\n", "", RULE_PRINT_BYTES_MAX);
}

static void print_needs(const struct rule_set *s, size_t rule)
{
        struct arena arena = ARENA_INIT;
        struct rule_needs needs;
        _cleanup_(buf_done) struct buf b = BUF_INIT(RULE_PRINT_BYTES_MAX);
        rule_set_needs(s, rule, &arena, &needs);
        for (size_t i = 0; i < needs.n_events; i++)
                buf_printf(&b, "%s%s", i > 0 ? ", " : "", needs.events[i]);
        if (rule_set_rule(s, rule)->stages & STAGE_SYSCALL)
                print_line("events", needs.all_events ? STR("all of them: the rule does not say which") : buf_str(&b));
        buf_clear(&b);
        for (size_t i = 0; i < needs.n_fields; i++)
                buf_printf(&b, "%s%.*s", i > 0 ? ", " : "", STR_FMT(needs.fields[i]->text));
        print_line("fields", buf_str(&b));
        buf_clear(&b);
        for (size_t i = 0; i < needs.n_missing; i++)
                buf_printf(&b, "%s%.*s", i > 0 ? ", " : "", STR_FMT(needs.missing[i]->text));
        print_line("missing", buf_str(&b));
        buf_clear(&b);
        for (size_t i = 0; i < needs.n_prefixes; i++)
                buf_printf(&b, "%s%.*s", i > 0 ? ", " : "", STR_FMT(needs.prefixes[i]));
        print_line("paths", buf_str(&b));
        arena_done(&arena);
}

static void print_rule(const struct rule_set *s, size_t i)
{
        const struct rule *r = rule_set_rule(s, i);
        _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);
        utf8_print(stdout, r->name);
        printf("\n");
        print_line("says", r->desc);
        buf_printf(&b, "%.*s:%u", STR_FMT(r->place.file), r->place.line);
        print_line("place", buf_str(&b));
        buf_clear(&b);
        for (unsigned bit = 1; bit <= STAGE_LAST; bit <<= 1)
                if (r->stages & bit)
                        buf_printf(&b, "%s%s", b.n > 0 ? ", " : "", stage_name((enum stage)bit));
        print_line("stages", r->unsupported ? STR("none yet: its source has no field table") : buf_str(&b));
        print_line("priority", str_of(rule_priority_names[r->priority]));
        if (r->action != ACTION_NONE)
                print_line("action", str_of(rule_action_names[r->action]));
        if (r->response != RULE_RESPONSE_NONE)
                print_line("response", str_of(rule_response_names[r->response]));
        if (!r->enabled)
                print_line("enabled", STR("no"));
        buf_clear(&b);
        for (size_t k = 0; k < r->tags.n; k++)
                buf_printf(&b, "%s%.*s", k > 0 ? ", " : "", STR_FMT(r->tags.v[k]));
        print_line("tags", buf_str(&b));
        print_needs(s, i);
        print_line("output", r->output);
        print_line("why", r->why);
        print_line("fix", r->fix);
        print_condition("condition", s, i, false);
        print_condition("expanded", s, i, true);
}

static json_t *condition_json(const struct rule_set *s, size_t rule, bool expand)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(RULE_PRINT_BYTES_MAX);
        rule_print_condition(s, rule, expand, &b);
        return rule_json_text(buf_str(&b));
}

static int run_explain(void *state, int argc, char **argv)
{
        const struct rule_command *c = state;
        struct rule_set *s = NULL;
        struct problems p = { 0 };
        if (argc < 2)
                return fail_usage(&command_rule, "rule explain takes the name of a rule and the files that define it");
        int r = rule_load(c, argc - 1, argv + 1, &s, &p);
        if (r < 0)
                return -r;
        rule_print_problems(&p, false);
        int code = p.n_errors > 0 ? EXIT_USAGE : EXIT_CLEAN;
        size_t i = s ? rule_by_name(s, argv[0]) : SIZE_MAX;
        if (i == SIZE_MAX) {
                code = EXIT_USAGE;
        } else if (c->json) {
                struct arena arena = ARENA_INIT;
                json_t *j = rule_json(s, i, &arena);
                json_object_set_new(j, "desc", rule_json_text(rule_set_rule(s, i)->desc));
                json_object_set_new(j, "output", rule_json_text(rule_set_rule(s, i)->output));
                json_object_set_new(j, "condition", condition_json(s, i, false));
                json_object_set_new(j, "expanded", condition_json(s, i, true));
                rule_print_json(j);
                arena_done(&arena);
        } else {
                print_rule(s, i);
        }
        problems_done(&p);
        rule_set_free(s);
        return code;
}

/* ------------------------------------------------------------------------------------------------- the command ---- */

static const struct verb verbs[] = {
        { "check", run_check, "output stage unused details quiet" },
        { "fields", run_fields, "output" },
        { "test", rule_run_test, "output stage facts explain rule" },
        { "explain", run_explain, "output stage" },
        { NULL, NULL, NULL },
};

static const struct option_spec options[] = {
        { "output", 'o', "FORMAT", "text (the default) or json" },
        { "stage", 0, "STAGES", "of rules that name none: build,scan,admit,run (else syscall, as Falco's)" },
        { "facts", 0, "FILE", "test: facts, a JSON object a line; \"-\": standard input" },
        { "rule", 0, "NAME", "test: only this rule" },
        { "explain", 0, NULL, "test: why each rule hits or does not, part by part" },
        { "unused", 0, NULL, "check: warn of lists and macros that nothing uses" },
        { "details", 0, NULL, "check: of each rule the fields that are not delivered yet" },
        { "quiet", 'q', NULL, "check: only errors" },
        { NULL, 0, NULL, NULL },
};

const struct command command_rule = {
        .name = "rule",
        .usage = "rule check FILE... | rule fields [STAGE] | rule test FILE... --facts FACTS | rule explain RULE "
                 "FILE...",
        .summary = "Check, try and explain rules (Falco's rule files too)",
        .help = "  check    all that is wrong in rule files, with file, line, column and a suggestion; status 2 if "
                "there are errors\n"
                "  fields   what conditions can ask, at a stage: build, scan, admit, run, syscall, check\n"
                "  test     which rules hit facts, given as JSON objects: {\"evt.type\": \"execve\", \"proc.name\": "
                "\"nc\"}\n"
                "  explain  a rule with its macros and lists expanded, and what it needs\n",
        .examples = "  sekisho rule check falco_rules.yaml my_rules.yaml\n"
                    "  sekisho rule test my_rules.yaml --facts events.jsonl --explain\n",
        .options = options,
        .option = option,
        .state_size = sizeof(struct rule_command),
        .verbs = verbs,
};
