/*
 * Dockerfiles: the checker. Recognises them, reads them, finds the shell commands in them and runs the rules of the
 * tables over all of it; see dockerfile-lint.h. Commands for other shells than sh and its kin are passed over, and that
 * is said.
 */
#include "analyze/check-rules.h"
#include "analyze/dockerfile-lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define COMMANDS_MAX 100000u /* of a file */

static const struct lint_rule syntax_rule = {
        .check = {
                .id = "SK-DOCKER-100",
                .severity = SEVERITY_HIGH,
                .title = "A Dockerfile that cannot be read as one",
                .why = "The build fails here, or does something else than what seems to be written.",
                .fix = "Correct the line",
        },
};

static const struct lint_table syntax_table = { &syntax_rule, 1 };

static const struct lint_table *const tables[] = {
        &syntax_table,
        &dockerfile_rules_stages,
        &dockerfile_rules_instructions,
        &dockerfile_rules_packages,
        &dockerfile_rules_commands,
        &dockerfile_rules_labels,
        &dockerfile_rules_danger,
        &dockerfile_rules_secrets,
};

/* --- findings --- */

static bool hit(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i, size_t offset,
                const char *fmt, va_list ap) _printf_(5, 0);

static bool hit(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i, size_t offset,
                const char *fmt, va_list ap)
{
        char text[CHECK_DETAIL_MAX + 1];
        uint32_t line, column;
        if (l->page->findings.n >= CHECK_FINDINGS_MAX) { /* before the place is looked for: that takes its time */
                l->page->is_flooded = true;
                return false;
        }
        dockerfile_place(l->d, offset, &line, &column);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        return check_page_add(l->page, &r->check, line, column, i ? i->end_line : line, "%s", text);
}

bool lint_hit(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i, size_t offset,
              const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        bool added = hit(l, r, i, offset, fmt, ap);
        va_end(ap);
        return added;
}

bool lint_hit_command(struct lint *l, const struct lint_rule *r, const struct command *c, const struct shell_word *at,
                      const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        bool added = hit(l, r, c->script->in, lint_offset(c->script, at->offset), fmt, ap);
        va_end(ap);
        return added;
}

size_t lint_offset(const struct script *s, size_t at) { return dockerfile_offset(s->text, s->at + at); }

/* --- scripts --- */

enum shell { SHELL_POSIX, SHELL_OTHER };

static struct str base_name(struct str path) { return str_from(path, (size_t)(str_rfind_char(path, '/') + 1)); }

static bool is_posix_shell(struct str program)
{
        return word_is_one_of(base_name(program), "sh bash dash ash ksh zsh busybox");
}

static bool is_pipefail(struct str option)
{
        return str_is(option, "pipefail") || str_find(option, STR("-o pipefail")) >= 0;
}

/* argv after what only wraps a command: sudo -u x, env A=b, exec, time, nice -n 5 ... */
static size_t skip_wrappers(const struct shell_word *v, size_t n)
{
        size_t k = 0;
        while (k < n && v[k].is_literal &&
               word_is_one_of(base_name(v[k].value),
                              "sudo env exec time nice command eatmydata nohup chronic ionice")) {
                bool takes_values = word_is_one_of(base_name(v[k].value), "sudo nice ionice");
                for (k++; k < n; k++) {
                        struct str w = v[k].value;
                        if (takes_values && word_is_one_of(w, "-u -g -n -c -p -h"))
                                k++;
                        else if (!(w.n && w.p[0] == '-') && str_find_char(w, '=') < 0)
                                break;
                }
        }
        return k < n ? k : 0;
}

static void add_commands(struct lint *l, const struct script *s)
{
        for (size_t k = 0; k < s->shell.n && l->commands.n < COMMANDS_MAX; k++) {
                const struct shell_command *c = &s->shell.commands[k];
                size_t skip = skip_wrappers(c->words, c->n_words);
                if (!c->n_words)
                        continue;
                *vec_push(&l->commands) =
                        (struct command){ .script = s,
                                          .shell = c,
                                          .number = k,
                                          .argv = c->words + skip,
                                          .argc = c->n_words - skip,
                                          .name = c->words[skip].is_literal ? base_name(c->words[skip].value)
                                                                            : STR_NONE };
        }
}

static struct script *add_script(struct lint *l, const struct dockerfile_instruction *i,
                                 const struct dockerfile_text *t, size_t at, struct str text, bool has_pipefail)
{
        struct script *s = vec_push(&l->scripts);
        *s = (struct script){ .in = i, .text = t, .at = at, .has_pipefail = has_pipefail };
        shell_read(text, l->arena, &s->shell);
        return s;
}

/* RUN ["program", "argument"]: one command; with sh -c, its script. */
static void add_exec(struct lint *l, const struct dockerfile_instruction *i)
{
        for (size_t k = 1; k + 1 < i->n_words && is_posix_shell(i->words[0].value); k++) {
                struct str option = i->words[k].value;
                if (!str_starts(option, STR("-")) || str_find_char(option, 'c') < 0)
                        continue;
                struct dockerfile_text *t = arena_new(l->arena, struct dockerfile_text);
                struct dockerfile_part *part = arena_new(l->arena, struct dockerfile_part);
                *part = (struct dockerfile_part){ 0, i->words[k + 1].offset + 1 };
                *t = (struct dockerfile_text){ i->words[k + 1].value, part, 1 };
                bool has_pipefail = false;
                for (size_t n = 1; n < k; n++)
                        has_pipefail |= is_pipefail(i->words[n].value);
                (void)add_script(l, i, t, 0, t->text, has_pipefail);
                return;
        }
        struct script *s = vec_push(&l->scripts);
        struct shell_command *c = arena_new(l->arena, struct shell_command);
        c->n_words = i->n_words;
        c->words = arena_array(l->arena, i->n_words, sizeof(*c->words));
        size_t start = i->n_words ? (size_t)(i->words[0].text.p - i->line_text.text.p) : 0;
        for (size_t k = 0; k < i->n_words; k++) {
                const struct dockerfile_word *w = &i->words[k];
                size_t at = (size_t)(w->text.p - i->line_text.text.p) - start;
                c->words[k] = (struct shell_word){ w->text, w->value, true, true, at, at + w->text.n };
        }
        *s = (struct script){ .in = i, .text = &i->line_text, .at = start, .shell = { .commands = c, .n = 1 } };
}

/* Whether the heredoc is what a shell reads: RUN <<EOF alone, or RUN sh <<EOF. */
static bool is_shell_input(const struct shell_script *line)
{
        if (line->n != 1)
                return false;
        const struct shell_command *c = &line->commands[0];
        return !c->n_words || is_posix_shell(c->words[0].value);
}

static void add_run(struct lint *l, const struct dockerfile_instruction *i, bool has_pipefail)
{
        struct str text = str_from(i->line_text.text, i->command_at);
        struct script *s = add_script(l, i, &i->line_text, i->command_at, text, has_pipefail);
        s->is_editable = true;
        bool feeds_shell = is_shell_input(&s->shell);
        for (size_t k = 0; k < i->n_heredocs && feeds_shell; k++) {
                const struct dockerfile_heredoc *h = &i->heredocs[k];
                struct str line = h->body.text, interpreter = str_line(&line);
                if (str_starts(interpreter, STR("#!")) && !is_posix_shell(str_trim(str_from(interpreter, 2))) &&
                    str_find(interpreter, STR("sh")) < 0)
                        continue; /* a script in another language */
                (void)add_script(l, i, &h->body, 0, h->body.text, has_pipefail);
        }
}

/* What runs a stage's RUN lines in shell form. */
struct current_shell {
        enum shell kind;
        bool has_pipefail;
};

static struct current_shell shell_of_base(const struct lint *l, const struct dockerfile_stage *s,
                                          const struct current_shell *stages)
{
        if (s->parent != DOCKERFILE_NONE)
                return stages[s->parent];
        bool is_windows = l->d->escape == '`' || str_find(s->image.value, STR("windows")) >= 0 ||
                          str_find(s->image.value, STR("nanoserver")) >= 0;
        return (struct current_shell){ is_windows ? SHELL_OTHER : SHELL_POSIX, false };
}

static struct current_shell shell_of(const struct dockerfile_instruction *i)
{
        struct current_shell s = { SHELL_OTHER, false };
        if (i->n_words && is_posix_shell(i->words[0].value))
                s.kind = SHELL_POSIX;
        for (size_t k = 1; k < i->n_words; k++)
                s.has_pipefail |= is_pipefail(i->words[k].value);
        return s;
}

static void find_scripts(struct lint *l)
{
        struct current_shell *stages = arena_array(l->arena, l->d->n_stages + 1, sizeof(*stages));
        for (size_t k = 0; k < l->d->n_instructions; k++) {
                const struct dockerfile_instruction *i = &l->d->instructions[k];
                struct current_shell *shell = &stages[i->stage == DOCKERFILE_NONE ? l->d->n_stages : i->stage];
                if (i->keyword == DOCKERFILE_FROM && !i->is_onbuild && i->stage != DOCKERFILE_NONE)
                        *shell = shell_of_base(l, &l->d->stages[i->stage], stages);
                else if (i->keyword == DOCKERFILE_SHELL && !i->is_onbuild)
                        *shell = shell_of(i);
                if (i->keyword != DOCKERFILE_RUN)
                        continue;
                if (i->is_exec)
                        add_exec(l, i);
                else if (shell->kind == SHELL_OTHER)
                        l->skipped_shells++;
                else if (i->command_at != DOCKERFILE_NONE)
                        add_run(l, i, shell->has_pipefail);
        }
}

/* After all scripts are found: their addresses are final. */
static void find_commands(struct lint *l)
{
        size_t n = l->d->n_instructions, script = 0;
        l->first_command = arena_array(l->arena, n + 1, sizeof(*l->first_command));
        for (size_t k = 0; k < n; k++) {
                l->first_command[k] = l->commands.n;
                for (; script < l->scripts.n && l->scripts.v[script].in == &l->d->instructions[k]; script++)
                        add_commands(l, &l->scripts.v[script]);
        }
        l->first_command[n] = l->commands.n;
}

const struct command *lint_commands(const struct lint *l, const struct dockerfile_instruction *i, size_t *ret_n)
{
        size_t k = (size_t)(i - l->d->instructions);
        *ret_n = l->first_command[k + 1] - l->first_command[k];
        return *ret_n ? l->commands.v + l->first_command[k] : NULL; /* of no commands at all there is no vector */
}

/* --- stages --- */

static void find_stages(struct lint *l)
{
        const struct dockerfile *d = l->d;
        l->stages = arena_array(l->arena, d->n_stages, sizeof(*l->stages));
        for (size_t k = 0; k < d->n_instructions; k++) {
                const struct dockerfile_instruction *i = &d->instructions[k];
                if (i->is_onbuild || i->stage == DOCKERFILE_NONE)
                        continue;
                struct stage_facts *s = &l->stages[i->stage];
                if (i->keyword == DOCKERFILE_FROM && d->stages[i->stage].parent != DOCKERFILE_NONE)
                        *s = l->stages[d->stages[i->stage].parent];
                else if (i->keyword == DOCKERFILE_USER)
                        s->user = i;
                s->has_workdir |= i->keyword == DOCKERFILE_WORKDIR;
                s->has_healthcheck |= i->keyword == DOCKERFILE_HEALTHCHECK;
        }
        for (size_t k = d->n_stages - 1; d->n_stages && k != DOCKERFILE_NONE; k = d->stages[k].parent)
                l->stages[k].ships = true;
}

const struct stage_facts *lint_stage(const struct lint *l, const struct dockerfile_instruction *i)
{
        return i->stage == DOCKERFILE_NONE ? NULL : &l->stages[i->stage];
}

bool lint_is_final(const struct lint *l, const struct dockerfile_instruction *i)
{
        return l->d->n_stages && i->stage == l->d->n_stages - 1;
}

/* --- the checker --- */

static bool wants(struct str name)
{
        static const char *const kinds[] = { "Dockerfile", "dockerfile", "Containerfile", "containerfile" };
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
                struct str kind = str_of(kinds[k]);
                bool is_prefix = str_starts(name, kind) && (name.n == kind.n || name.p[kind.n] == '.');
                bool is_suffix = str_ends(name, kind) && name.n > kind.n && name.p[name.n - kind.n - 1] == '.';
                if (is_prefix || is_suffix)
                        return true;
        }
        return false;
}

/* By name, or because its first line that is no comment begins a Dockerfile. */
static bool recognises(struct str path, struct str bytes)
{
        if (wants(base_name(path)))
                return true;
        for (unsigned lines = 0; bytes.n && lines < 200; lines++) {
                struct str line = str_trim(str_line(&bytes));
                if (!line.n || line.p[0] == '#')
                        continue;
                bool is_from = line.n > 5 && str_eq_nocase(str_upto(line, 5), STR("FROM "));
                return (is_from && str_find_char(line, ';') < 0) || str_starts(line, STR("ARG "));
        }
        return false;
}

/* Comments that stand alone hold for the instruction that follows, those inside one for all of it. */
static void read_comments(struct lint *l)
{
        size_t next = 0;
        for (size_t k = 0; k < l->d->n_comments; k++) {
                const struct dockerfile_comment *c = &l->d->comments[k];
                while (next < l->d->n_instructions && l->d->instructions[next].end_line < c->line)
                        next++;
                bool has_one = next < l->d->n_instructions;
                const struct dockerfile_instruction *i = has_one ? &l->d->instructions[next] : NULL;
                (void)check_page_comment(l->page, c->text, c->line, i ? i->line : c->line, i ? i->end_line : c->line);
        }
}

static void run_rule(struct lint *l, const struct lint_rule *r)
{
        if (!check_is_enabled(&r->check, l->settings))
                return;
        if (r->on_file)
                r->on_file(l, r);
        for (size_t k = 0; r->on_instruction && k < l->d->n_instructions; k++)
                r->on_instruction(l, r, &l->d->instructions[k]);
        for (size_t k = 0; r->on_command && k < l->commands.n; k++)
                r->on_command(l, r, &l->commands.v[k]);
}

/* The instructions as the rules see them (check-rules.h). */
static void run_check_rules(struct lint *l)
{
        for (size_t k = 0; k < l->d->n_instructions; k++) {
                const struct dockerfile_instruction *i = &l->d->instructions[k];
                const struct stage_facts *stage = lint_stage(l, i);
                size_t n, n_named = 0;
                const struct command *commands = lint_commands(l, i, &n);
                struct str *names = arena_array(l->arena, n, sizeof(*names));
                for (size_t c = 0; c < n; c++)
                        if (commands[c].name.n)
                                names[n_named++] = commands[c].name;
                struct str stage_name = stage ? l->d->stages[i->stage].name.value : STR_NONE;
                check_rules_run(l->page, &(struct resource){ .format = "dockerfile",
                                                             .part = "instruction",
                                                             .kind = str_of(dockerfile_keyword_name(i->keyword)),
                                                             .stage = stage && !stage_name.n
                                                                              ? arena_printf(l->arena, "%zu", i->stage)
                                                                              : stage_name,
                                                             .is_final = stage && stage->ships,
                                                             .line = i->line,
                                                             .column = 1,
                                                             .end_line = i->end_line,
                                                             .instruction = i,
                                                             .commands = names,
                                                             .n_commands = n_named });
        }
}

static void report_unread(struct lint *l, struct sink *out)
{
        if (l->d->is_cut)
                sink_unread(out, l->page->file, "limit", "%s", l->d->problems[l->d->n_problems - 1].why);
        if (l->commands.n == COMMANDS_MAX)
                sink_unread(out, l->page->file, "limit", "more than %u commands: the rest was not judged",
                            COMMANDS_MAX);
        if (l->skipped_shells)
                sink_unread(out, l->page->file, "skipped",
                            "the commands of %zu RUN instructions: only sh and its kin are understood, not cmd or "
                            "PowerShell",
                            l->skipped_shells);
        for (size_t k = 0; k < l->scripts.n; k++) {
                const struct script *s = &l->scripts.v[k];
                uint32_t line, column;
                if (!s->shell.why)
                        continue;
                dockerfile_place(l->d, lint_offset(s, s->shell.why_offset), &line, &column);
                sink_unread(out, l->page->file, "skipped", "line %u: the commands from here to the end of the RUN: %s",
                            line, s->shell.why);
        }
}

static void check_one(const struct check_file *file, const struct check_settings *s, struct sink *out)
{
        struct arena arena = ARENA_INIT;
        struct check_page page;
        struct dockerfile d;
        struct lint l = { .d = &d, .page = &page, .settings = s, .arena = &arena };
        check_page_begin(&page, file->path, s, &arena);
        dockerfile_read(file->bytes, &arena, &d);
        find_scripts(&l);
        find_commands(&l);
        find_stages(&l);
        read_comments(&l);
        for (size_t k = 0; k < d.n_problems; k++)
                (void)lint_hit(&l, &syntax_rule, NULL, d.problems[k].offset, "%s", d.problems[k].why);
        for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
                for (size_t k = 0; k < tables[t]->n; k++)
                        run_rule(&l, &tables[t]->v[k]);
        run_check_rules(&l);
        check_page_end(&page, out);
        report_unread(&l, out);
        vec_done(&l.scripts);
        vec_done(&l.commands);
        arena_done(&arena);
}

static void run(const struct check_file *files, size_t n, const struct check_settings *s, struct sink *out)
{
        for (size_t i = 0; i < n; i++)
                check_one(&files[i], s, out);
}

static const struct check *check(size_t i)
{
        for (size_t t = 0; t < ARRAY_SIZE(tables); i -= tables[t]->n, t++)
                if (i < tables[t]->n)
                        return &tables[t]->v[i].check;
        return NULL;
}

const struct checker checker_dockerfile = {
        .name = "dockerfile",
        .summary = "Dockerfiles and Containerfiles",
        .wants = wants,
        .recognises = recognises,
        .run = run,
        .check = check,
};
