/* `sekisho rule test`: which rules hit facts that a file holds, and why. */
#include "base/utf8.h"
#include "cli/rule-facts.h"
#include "cli/rule.h"

#include "base/fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FACTS_BYTES_MAX ((size_t)256 << 20)

struct testing {
        const struct rule_command *c;
        const struct rule_set *set;
        struct rule_eval *eval;
        enum stage stage;
        size_t only; /* the rule to look at; SIZE_MAX: all */
};

/* The stage of the first rule: facts are of one stage, and so are most files. */
static enum stage stage_of(const struct rule_set *s)
{
        unsigned stages = rule_set_n(s) > 0 ? rule_set_rule(s, 0)->stages : STAGE_SYSCALL;
        return (enum stage)(stages & -stages);
}

static const char *step_kind(const struct rule_step *s)
{
        static const char *const names[] = { "all of", "any of", "not", "macro", "" };
        return names[s->kind];
}

static void print_steps(struct testing *t, size_t rule, const struct record *record)
{
        struct arena arena = ARENA_INIT;
        const struct rule_step *steps;
        size_t n = rule_explain(t->eval, rule, record, &arena, &steps);
        for (size_t i = 0; i < n; i++) {
                const struct rule_step *s = &steps[i];
                printf("    %s %*s%s", s->is_true ? "true " : "false", (int)MIN(s->depth, 40u) * 2, "", step_kind(s));
                if (s->text.n > 0 && *step_kind(s))
                        putchar(' ');
                utf8_print(stdout, s->text);
                if (s->kind == STEP_CHECK) {
                        printf("   (");
                        utf8_print(stdout, s->seen);
                        putchar(')');
                }
                putchar('\n');
        }
        if (n == RULE_STEPS_MAX)
                printf("    ... cut after %u parts\n", RULE_STEPS_MAX);
        arena_done(&arena);
}

static json_t *steps_json(struct testing *t, size_t rule, const struct record *record)
{
        struct arena arena = ARENA_INIT;
        const struct rule_step *steps;
        size_t n = rule_explain(t->eval, rule, record, &arena, &steps);
        json_t *j = json_array();
        for (size_t i = 0; i < n; i++) {
                static const char *const kinds[] = { "all", "any", "not", "macro", "check" };
                json_t *step = json_pack("{s:s, s:i, s:b}", "kind", kinds[steps[i].kind], "depth", (int)steps[i].depth,
                                         "true", (int)steps[i].is_true);
                if (steps[i].text.n > 0)
                        json_object_set_new(step, "text", rule_json_text(steps[i].text));
                if (steps[i].kind == STEP_CHECK)
                        json_object_set_new(step, "seen", rule_json_text(steps[i].seen));
                json_array_append_new(j, step);
        }
        arena_done(&arena);
        return j;
}

static bool is_hit(const uint32_t *hits, size_t n, size_t rule)
{
        for (size_t i = 0; i < n; i++)
                if (hits[i] == rule)
                        return true;
        return false;
}

static bool is_wanted(const struct testing *t, size_t rule) { return t->only == SIZE_MAX || t->only == rule; }

static void print_text(struct testing *t, size_t line, const struct record *record, const uint32_t *hits, size_t n)
{
        size_t shown = 0;
        for (size_t i = 0; i < n; i++)
                shown += is_wanted(t, hits[i]);
        printf("line %zu: %zu rule%s hit%s\n", line, shown, shown == 1 ? "" : "s", shown == 1 ? "s" : "");
        for (size_t rule = 0; rule < rule_set_n(t->set); rule++) {
                bool hit = is_hit(hits, n, rule);
                if (!is_wanted(t, rule) || (!hit && !t->c->explain))
                        continue;
                const struct rule *r = rule_set_rule(t->set, rule);
                _cleanup_(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);
                rule_render(t->eval, rule, record, &b);
                printf("  %s %-13s ", hit ? "hit " : "    ",
                       r->action != ACTION_NONE ? rule_action_names[r->action] : rule_priority_names[r->priority]);
                utf8_print(stdout, r->name);
                if (hit && b.n > 0) {
                        printf("\n                     ");
                        utf8_print(stdout, buf_str(&b));
                }
                putchar('\n');
                if (t->c->explain)
                        print_steps(t, rule, record);
        }
}

static void print_json_line(struct testing *t, size_t line, const struct record *record, const uint32_t *hits, size_t n)
{
        json_t *list = json_array();
        for (size_t rule = 0; rule < rule_set_n(t->set); rule++) {
                bool hit = is_hit(hits, n, rule);
                if (!is_wanted(t, rule) || (!hit && !t->c->explain))
                        continue;
                const struct rule *r = rule_set_rule(t->set, rule);
                _cleanup_(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);
                rule_render(t->eval, rule, record, &b);
                json_t *j = json_pack("{s:o, s:b, s:s, s:s, s:o}", "rule", rule_json_text(r->name), "hit", (int)hit,
                                      "priority", rule_priority_names[r->priority], "action",
                                      rule_action_names[r->action], "output", rule_json_text(buf_str(&b)));
                if (t->c->explain)
                        json_object_set_new(j, "steps", steps_json(t, rule, record));
                json_array_append_new(list, j);
        }
        json_t *j = json_pack("{s:i, s:o}", "line", (int)line, "rules", list);
        json_dumpf(j, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(j);
}

static int test_lines(struct testing *t, struct str text)
{
        int code = EXIT_CLEAN;
        for (size_t line = 1; text.n > 0; line++) {
                struct error err = ERROR_NONE;
                struct str json = str_trim(str_line(&text));
                const uint32_t *hits;
                if (json.n == 0)
                        continue;
                struct facts *f = facts_read(json, &err);
                if (!f) {
                        (void)error_prefix(&err, -EINVAL, "%s, line %zu", t->c->facts, line);
                        code = fail(EXIT_USAGE, &err);
                        continue;
                }
                struct record record = facts_record(f);
                size_t n = rule_eval(t->eval, &record, t->stage, &hits);
                if (t->c->json)
                        print_json_line(t, line, &record, hits, n);
                else
                        print_text(t, line, &record, hits, n);
                facts_free(f);
        }
        return code;
}

static int read_facts(const char *path, struct buf *ret, struct error *err)
{
        if (strcmp(path, "-") != 0)
                return read_file(path, ret, err);
        int r = read_all(STDIN_FILENO, ret);
        return r < 0 ? error_errno(err, r, "standard input") : 0;
}

static int test_with(struct testing *t)
{
        struct error err = ERROR_NONE;
        _cleanup_(buf_done) struct buf text = BUF_INIT(FACTS_BYTES_MAX);
        if (t->c->name) {
                t->only = rule_by_name(t->set, t->c->name);
                if (t->only == SIZE_MAX)
                        return EXIT_USAGE;
        }
        if (read_facts(t->c->facts, &text, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        t->eval = rule_eval_new(t->set);
        int code = test_lines(t, buf_str(&text));
        rule_eval_free(t->eval);
        return code;
}

int rule_run_test(void *state, int argc, char **argv)
{
        const struct rule_command *c = state;
        struct rule_set *s = NULL;
        struct problems p = { 0 };
        if (argc == 0 || !c->facts)
                return fail_usage(&command_rule, "rule test takes rule files and --facts FILE");
        int r = rule_load(c, argc, argv, &s, &p);
        if (r < 0)
                return -r;
        rule_print_problems(&p, false);
        int code = EXIT_USAGE;
        if (s) {
                struct testing t = { .c = c, .set = s, .only = SIZE_MAX };
                t.stage = c->stage ? stage_parse(str_of(c->stage)) : stage_of(s);
                if (t.stage == 0)
                        code = fail_usage(&command_rule, "facts are of one stage: --stage scan");
                else
                        code = test_with(&t);
        }
        problems_done(&p);
        rule_set_free(s);
        return code;
}
