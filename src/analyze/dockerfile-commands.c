/* Dockerfile rules about the other commands of RUN. */
#include "analyze/dockerfile-lint.h"

#define THE(w) STR_FMT(str_upto((w), 80))

static void on_pointless(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        if (command_is(c, "ssh vim shutdown service ps free top kill mount ifconfig"))
                (void)lint_hit_command(l, r, c, &c->argv[0], "%.*s", THE(c->name));
}

static void on_cd(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        if (command_is(c, "cd") && c->number == 0 && c->argc == 2)
                (void)lint_hit_command(l, r, c, &c->argv[0], "cd %.*s", THE(c->argv[1].value));
}

static void on_sudo(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        const struct shell_command *s = c->shell;
        if (s->n_words && s->words[0].is_literal && word_is_one_of(s->words[0].value, "sudo /usr/bin/sudo doas"))
                (void)lint_hit_command(l, r, c, &s->words[0], "%.*s %.*s", THE(s->words[0].value), THE(c->name));
}

/* useradd without -l writes lastlog and faillog, sparse files as long as the number is high. */
static void on_useradd(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        if (!command_is(c, "useradd") || command_has(c, "--no-log-init") || command_has_letter(c, 'l'))
                return;
        for (size_t k = 1; k < c->argc; k++) {
                struct str w = c->argv[k].value, uid = STR_NONE;
                uint64_t n;
                if (word_is_one_of(w, "-u --uid") && k + 1 < c->argc)
                        uid = c->argv[k + 1].value;
                else if (str_starts(w, STR("--uid=")))
                        uid = str_from(w, 6);
                else if (str_starts(w, STR("-u")))
                        uid = str_from(w, 2);
                if (str_u64(uid, &n) && n > 99999)
                        (void)lint_hit_command(l, r, c, &c->argv[k], "uid %.*s", THE(uid));
        }
}

static void on_wget(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        if (!command_is(c, "wget") || c->argc < 2 ||
            command_has(c,
                        "--progress --quiet --no-verbose --output-file --append-output -nv --version --help --spider"))
                return;
        for (size_t k = 1; k < c->argc; k++) {
                struct str w = c->argv[k].value;
                if (w.n > 1 && w.p[0] == '-' && w.p[1] != '-' &&
                    (str_find_char(w, 'q') > 0 || str_find(w, STR("nv")) > 0 || w.p[1] == 'o' || w.p[1] == 'a'))
                        return;
        }
        (void)lint_hit_command(l, r, c, &c->argv[0], "%s", "");
}

static void on_both(struct lint *l, const struct lint_rule *r)
{
        const struct command *first = NULL;
        size_t stage = DOCKERFILE_NONE;
        for (size_t k = 0; k < l->commands.n; k++) {
                const struct command *c = &l->commands.v[k];
                if (c->script->in->stage != stage)
                        first = NULL;
                stage = c->script->in->stage;
                if (!command_is(c, "curl wget"))
                        continue;
                if (first && !str_eq(first->name, c->name)) {
                        (void)lint_hit_command(l, r, c, &c->argv[0], "line %u uses %.*s", first->script->in->line,
                                               THE(first->name));
                        return;
                }
                first = c;
        }
}

static void on_shell_link(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        if (command_is(c, "ln") && c->argc > 2 && word_is_one_of(c->argv[c->argc - 1].value, "/bin/sh /usr/bin/sh"))
                (void)lint_hit_command(l, r, c, &c->argv[0], "ln to /bin/sh");
}

static bool sets_pipefail(const struct command *c)
{
        bool has_o = false;
        for (size_t k = 1; command_is(c, "set") && k < c->argc; k++) {
                struct str w = c->argv[k].value;
                if (has_o && str_is(w, "pipefail"))
                        return true;
                has_o = w.n > 1 && w.p[0] == '-' && w.p[w.n - 1] == 'o';
        }
        return false;
}

static void on_pipe(struct lint *l, const struct lint_rule *r)
{
        size_t next = 0;
        for (size_t k = 0; k < l->scripts.n; k++) {
                const struct script *s = &l->scripts.v[k];
                bool has_pipefail = s->has_pipefail;
                for (; next < l->commands.n && l->commands.v[next].script <= s; next++)
                        has_pipefail |= l->commands.v[next].script == s && sets_pipefail(&l->commands.v[next]);
                if (s->shell.has_pipe && !has_pipefail)
                        (void)lint_hit(l, r, s->in, lint_offset(s, s->shell.pipe_offset),
                                       "only the last command's failure ends the build");
        }
}

static const struct lint_rule rules[] = {
        { .check = { .id = "DL3001",
                     .aliases = "SK-DOCKER-001",
                     .severity = SEVERITY_LOW,
                     .title = "A command that has no use in a build",
                     .why = "It looks at or changes a running system; a build has none.",
                     .fix = "Remove it, or do the thing where the container runs",
                     .tags = "NIST-800-190:4.1.2" },
          .on_command = on_pointless },
        { .check = { .id = "DL3003",
                     .aliases = "SK-DOCKER-003",
                     .severity = SEVERITY_LOW,
                     .title = "cd at the beginning of RUN",
                     .why = "The next instruction is back where it was before.",
                     .fix = "Use WORKDIR" },
          .on_command = on_cd },
        { .check = { .id = "DL3004",
                     .aliases = "SK-DOCKER-004",
                     .severity = SEVERITY_MEDIUM,
                     .title = "sudo in RUN",
                     .why = "It hides which user a build works as, and an image that holds it lets a user become root.",
                     .fix = "Put the line before USER, or between USER root and USER",
                     .tags = "NIST-800-190:4.1.2 CWE-250 T1548.003" },
          .on_command = on_sudo },
        { .check = { .id = "DL3046",
                     .aliases = "SK-DOCKER-046",
                     .severity = SEVERITY_LOW,
                     .title = "useradd of a high number without -l",
                     .why = "It writes logs that are sparse files as long as the number is high, and a layer keeps "
                            "them whole.",
                     .fix = "Add -l" },
          .on_command = on_useradd },
        { .check = { .id = "DL3047",
                     .aliases = "SK-DOCKER-047",
                     .severity = SEVERITY_LOW,
                     .title = "wget that draws its progress",
                     .why = "A build's log gets a line for every few kilobytes.",
                     .fix = "Add --progress=dot:giga, or -nv" },
          .on_command = on_wget },
        { .check = { .id = "DL4001",
                     .aliases = "SK-DOCKER-081",
                     .severity = SEVERITY_LOW,
                     .title = "Both wget and curl",
                     .why = "Each is one more package to update, and one is enough.",
                     .fix = "Use one of them" },
          .on_file = on_both },
        { .check = { .id = "DL4005",
                     .aliases = "SK-DOCKER-085",
                     .severity = SEVERITY_LOW,
                     .title = "Another shell is linked to /bin/sh",
                     .why = "Every script of the distribution then runs with a shell that it was not written for.",
                     .fix = "Use SHELL [\"/bin/bash\", \"-c\"]" },
          .on_command = on_shell_link },
        { .check = { .id = "DL4006",
                     .aliases = "SK-DOCKER-086",
                     .severity = SEVERITY_MEDIUM,
                     .title = "A pipe without pipefail",
                     .why = "If an earlier command fails, a broken download for instance, the build goes on as if all "
                            "were well.",
                     .fix = "Begin with set -o pipefail, or SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]",
                     .tags = "CWE-252" },
          .on_file = on_pipe },
};

const struct lint_table dockerfile_rules_commands = { rules, ARRAY_SIZE(rules) };
