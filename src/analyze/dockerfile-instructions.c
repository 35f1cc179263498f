/* Dockerfile rules about single instructions other than RUN, and about what a file lacks. */
#include "analyze/dockerfile-lint.h"

#define THE(w) STR_FMT(str_upto((w), 100))

static bool is_archive(struct str path)
{
        static const char *const ends[] = { ".tar", ".tar.gz",  ".tgz",  ".tar.bz2", ".tbz2", ".tbz",      ".tar.xz",
                                            ".txz", ".tar.zst", ".tzst", ".tar.lz",  ".tlz",  ".tar.lzma", ".tar.Z",
                                            ".gz",  ".bz2",     ".xz",   ".zst",     ".lzma", ".Z",        ".lz" };
        for (size_t k = 0; k < ARRAY_SIZE(ends); k++)
                if (str_ends(path, str_of(ends[k])))
                        return true;
        return false;
}

static bool is_remote(struct str source)
{
        return str_find(source, STR("://")) >= 0 || str_starts(source, STR("git@")) || str_ends(source, STR(".git"));
}

static bool is_absolute(struct str path)
{
        bool is_drive = path.n > 1 && path.p[1] == ':' &&
                        ((path.p[0] >= 'a' && path.p[0] <= 'z') || (path.p[0] >= 'A' && path.p[0] <= 'Z'));
        return is_drive || str_starts(path, STR("/")) || str_starts(path, STR("\\"));
}

static bool begins_unknown(const struct dockerfile_word *w) { return !w->is_known && str_starts(w->value, STR("$")); }

static void on_workdir(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if (i->keyword == DOCKERFILE_WORKDIR && i->n_words && !is_absolute(i->words[0].value) &&
            !begins_unknown(&i->words[0]))
                (void)lint_hit(l, r, i, i->words[0].offset, "%.*s", THE(i->words[0].value));
}

/* --- users --- */

static struct str user_of(const struct dockerfile_instruction *i)
{
        struct str user = i->n_words ? i->words[0].value : STR_NONE;
        return str_cut(&user, ':');
}

static void on_root(struct lint *l, const struct lint_rule *r)
{
        const struct dockerfile *d = l->d;
        const struct dockerfile_instruction *i = d->n_stages ? l->stages[d->n_stages - 1].user : NULL;
        if (i && i->n_words && (str_eq_nocase(user_of(i), STR("root")) || str_is(user_of(i), "0")))
                (void)lint_hit(l, r, i, i->words[0].offset, "the last USER is %.*s", THE(i->words[0].value));
}

static bool says_nonroot(struct str image)
{
        return str_find(image, STR("nonroot")) >= 0 || str_find(image, STR("rootless")) >= 0 ||
               str_find(image, STR("unprivileged")) >= 0;
}

static const struct dockerfile_stage *base_of_final(const struct dockerfile *d)
{
        if (!d->n_stages)
                return NULL;
        size_t k = d->n_stages - 1;
        while (d->stages[k].parent != DOCKERFILE_NONE)
                k = d->stages[k].parent;
        return &d->stages[k];
}

static void on_no_user(struct lint *l, const struct lint_rule *r)
{
        const struct dockerfile_stage *base = base_of_final(l->d);
        if (!base || l->stages[l->d->n_stages - 1].user || says_nonroot(base->image.value))
                return;
        const struct dockerfile_instruction *i = &l->d->instructions[l->d->stages[l->d->n_stages - 1].instruction];
        (void)lint_hit(l, r, i, i->offset, "no USER in the last stage: it runs as the user of %.*s, mostly root",
                       THE(base->image.value));
}

static void on_named_user(struct lint *l, const struct lint_rule *r)
{
        const struct dockerfile_instruction *i = l->d->n_stages ? l->stages[l->d->n_stages - 1].user : NULL;
        if (!i || !i->n_words || begins_unknown(&i->words[0]))
                return;
        struct str user = user_of(i);
        bool is_number = user.n > 0;
        for (size_t k = 0; k < user.n; k++)
                is_number = is_number && user.p[k] >= '0' && user.p[k] <= '9';
        if (!is_number && !str_eq_nocase(user, STR("root")))
                (void)lint_hit(l, r, i, i->words[0].offset, "%.*s", THE(user));
}

/* --- COPY and ADD --- */

static bool is_plain_file(struct str source) /* of a kind that ADD never unpacks: its name says so */
{
        static const char *const ends[] = { "/",    ".txt",  ".json", ".py",   ".sh",         ".js",   ".ts",
                                            ".go",  ".rb",   ".c",    ".h",    ".md",         ".conf", ".cfg",
                                            ".ini", ".yml",  ".yaml", ".toml", ".xml",        ".html", ".css",
                                            ".sql", ".lock", ".mod",  ".sum",  ".properties", ".env",  ".service",
                                            ".crt", ".pem",  ".java", ".rs",   ".php",        ".pl" };
        for (size_t k = 0; k < ARRAY_SIZE(ends); k++)
                if (str_ends(source, str_of(ends[k])))
                        return true;
        return str_is(source, ".");
}

static void on_add(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if (i->keyword != DOCKERFILE_ADD || i->n_words < 2 || i->n_heredocs)
                return;
        bool is_safe = !dockerfile_flag(i, "checksum") && !dockerfile_flag(i, "keep-git-dir") &&
                       !dockerfile_flag(i, "unpack") && !i->is_onbuild;
        for (size_t k = 0; k + 1 < i->n_words; k++) {
                const struct dockerfile_word *w = &i->words[k];
                if (is_archive(w->value) || is_remote(w->value) || !w->is_known)
                        return;
                is_safe = is_safe && is_plain_file(w->value);
        }
        if (lint_hit(l, r, i, i->offset, "ADD %.*s", THE(i->words[0].value)) && is_safe)
                check_page_edit(l->page, i->name.offset, i->name.end - i->name.offset, STR("COPY"));
}

static void on_copy_many(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if (i->keyword != DOCKERFILE_COPY || i->n_words < 3)
                return;
        const struct dockerfile_word *last = &i->words[i->n_words - 1];
        bool is_directory = str_ends(last->value, STR("/")) || str_ends(last->value, STR("\\")) ||
                            word_is_one_of(last->value, ". .. ./.. ../..");
        if (!is_directory && last->is_known)
                (void)lint_hit(l, r, i, last->offset, "%.*s", THE(last->value));
}

static void on_relative_copy(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const struct dockerfile_word *last = i->n_words ? &i->words[i->n_words - 1] : NULL;
        if (i->keyword != DOCKERFILE_COPY || i->is_onbuild || i->n_words < 2 || i->stage == DOCKERFILE_NONE ||
            is_absolute(last->value) || begins_unknown(last))
                return;
        const struct dockerfile *d = l->d;
        for (size_t stage = i->stage, k = (size_t)(i - d->instructions); stage != DOCKERFILE_NONE;
             stage = d->stages[stage].parent) {
                if (stage != i->stage) {
                        if (l->stages[stage].has_workdir)
                                return;
                        continue;
                }
                for (; k > d->stages[stage].instruction; k--)
                        if (d->instructions[k].keyword == DOCKERFILE_WORKDIR && !d->instructions[k].is_onbuild)
                                return;
        }
        (void)lint_hit(l, r, i, last->offset, "%.*s", THE(last->value));
}

/* COPY of an archive that a RUN of the same stage unpacks: tar with x, and the archive's name among its words. */
static bool is_unpacked(const struct lint *l, const struct dockerfile_instruction *i, struct str name)
{
        const struct dockerfile *d = l->d;
        for (size_t k = (size_t)(i - d->instructions) + 1;
             k < d->n_instructions && d->instructions[k].stage == i->stage; k++) {
                size_t n;
                const struct command *c = lint_commands(l, &d->instructions[k], &n);
                for (size_t m = 0; m < n; m++) {
                        bool unpacks = command_is(&c[m], "tar bsdtar") &&
                                       (command_has_letter(&c[m], 'x') || command_has(&c[m], "--extract --get") ||
                                        (c[m].argc > 1 && str_find_char(c[m].argv[1].value, 'x') >= 0 &&
                                         str_find_char(c[m].argv[1].value, '/') < 0));
                        for (size_t w = 1; unpacks && w < c[m].argc; w++)
                                if (str_ends(c[m].argv[w].value, name))
                                        return true;
                }
        }
        return false;
}

#define UNPACKED_MAX 200u /* archives of one file that are looked for */

static void on_archive(struct lint *l, const struct lint_rule *r)
{
        unsigned n = 0;
        for (size_t k = 0; k < l->d->n_instructions && n < UNPACKED_MAX; k++) {
                const struct dockerfile_instruction *i = &l->d->instructions[k];
                if (i->keyword != DOCKERFILE_COPY || i->is_onbuild || dockerfile_flag(i, "from"))
                        continue;
                for (size_t w = 0; w + 1 < i->n_words && n < UNPACKED_MAX; w++) {
                        struct str source = i->words[w].value;
                        source = str_from(source, (size_t)(str_rfind_char(source, '/') + 1));
                        if (!is_archive(source) || str_find_char(source, '*') >= 0)
                                continue;
                        n++;
                        if (is_unpacked(l, i, source))
                                (void)lint_hit(l, r, i, i->words[w].offset, "%.*s is unpacked by a RUN", THE(source));
                }
        }
}

/* --- the rest --- */

static void on_port(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        for (size_t k = 0; i->keyword == DOCKERFILE_EXPOSE && k < i->n_words; k++) {
                struct str rest = i->words[k].value, ports = str_cut(&rest, '/'), last = ports,
                           first = str_cut(&last, '-');
                uint64_t a = 0, b = 0;
                if (!i->words[k].is_known)
                        continue;
                bool is_good =
                        str_u64(first, &a) && a <= 65535 && (!last.p || (str_u64(last, &b) && b <= 65535 && a <= b));
                if (!is_good)
                        (void)lint_hit(l, r, i, i->words[k].offset, "%.*s", THE(i->words[k].value));
        }
}

static void on_shell_form(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if ((i->keyword == DOCKERFILE_CMD || i->keyword == DOCKERFILE_ENTRYPOINT) && i->command_at != DOCKERFILE_NONE)
                (void)lint_hit(l, r, i, i->offset, "%.*s", STR_FMT(str_upto(i->line_text.text, 100)));
}

static void on_trigger(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if (i->is_onbuild &&
            (i->keyword == DOCKERFILE_ONBUILD || i->keyword == DOCKERFILE_FROM || i->keyword == DOCKERFILE_MAINTAINER))
                (void)lint_hit(l, r, i, i->name.offset, "ONBUILD %.*s", THE(i->name.text));
}

/* Whether $name or ${name...} stands in the text, outside single quotes and unescaped. */
static bool refers_to(struct str text, struct str name, char escape)
{
        bool is_single = false;
        for (size_t k = 0; k < text.n; k++) {
                if (text.p[k] == escape && !is_single) {
                        k++;
                } else if (text.p[k] == '\'') {
                        is_single = !is_single;
                } else if (text.p[k] == '$' && !is_single) {
                        struct str rest = str_from(text, k + 1);
                        rest = str_from(rest, str_starts(rest, STR("{")));
                        char next = rest.n > name.n ? rest.p[name.n] : 0;
                        bool goes_on = next == '_' || (next >= '0' && next <= '9') || (next >= 'a' && next <= 'z') ||
                                       (next >= 'A' && next <= 'Z');
                        if (str_starts(rest, name) && !goes_on)
                                return true;
                }
        }
        return false;
}

#define PAIRS_MAX 200u /* of one ENV that are compared with each other */

/* A variable that an earlier instruction of the stage, or an ARG, has set is another one than is defined here. */
static bool is_set_before(const struct lint *l, const struct dockerfile_instruction *i, struct str name)
{
        for (size_t k = (size_t)(i - l->d->instructions); k-- > 0;) {
                const struct dockerfile_instruction *e = &l->d->instructions[k];
                if (e->stage != i->stage)
                        return false;
                for (size_t p = 0; (e->keyword == DOCKERFILE_ENV || e->keyword == DOCKERFILE_ARG) && p < e->n_pairs;
                     p++)
                        if (str_eq(e->pairs[p].name.text, name))
                                return true;
        }
        return false;
}

static void on_env(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        size_t n = i->keyword == DOCKERFILE_ENV ? MIN(i->n_pairs, (size_t)PAIRS_MAX) : 0;
        for (size_t k = 0; k < n; k++)
                for (size_t m = 0; m < n; m++) {
                        struct str name = i->pairs[m].name.text;
                        if (m == k || str_eq(name, i->pairs[k].name.text) ||
                            !refers_to(i->pairs[k].value.text, name, l->d->escape) || is_set_before(l, i, name))
                                continue;
                        (void)lint_hit(l, r, i, i->pairs[k].value.offset, "%.*s uses %.*s", THE(i->pairs[k].name.text),
                                       THE(name));
                        break;
                }
}

static void on_maintainer(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if (i->keyword == DOCKERFILE_MAINTAINER && !i->is_onbuild)
                (void)lint_hit(l, r, i, i->offset, "%s", "");
}

static void on_no_healthcheck(struct lint *l, const struct lint_rule *r)
{
        if (!l->d->n_stages || l->stages[l->d->n_stages - 1].has_healthcheck)
                return;
        const struct dockerfile_instruction *i = &l->d->instructions[l->d->stages[l->d->n_stages - 1].instruction];
        (void)lint_hit(l, r, i, i->offset, "no HEALTHCHECK in the last stage");
}

static bool same_flags(const struct dockerfile_instruction *a, const struct dockerfile_instruction *b)
{
        if (a->n_flags != b->n_flags)
                return false;
        for (size_t k = 0; k < a->n_flags; k++)
                if (!str_eq(a->flags[k].name.value, b->flags[k].name.value) ||
                    !str_eq(a->flags[k].value.text, b->flags[k].value.text))
                        return false;
        return true;
}

static void on_consecutive(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const struct dockerfile_instruction *before = i - 1;
        if (i == l->d->instructions || i->keyword != DOCKERFILE_RUN || before->keyword != DOCKERFILE_RUN ||
            i->is_onbuild != before->is_onbuild || i->line != before->end_line + 1 || i->n_heredocs ||
            before->n_heredocs || !same_flags(i, before))
                return;
        const struct stage_facts *s = lint_stage(l, i);
        if (s && s->ships)
                (void)lint_hit(l, r, i, i->offset, "RUN right after the RUN of line %u", before->line);
}

static void on_pragma(struct lint *l, const struct lint_rule *r)
{
        for (size_t k = 0; k < l->d->n_comments; k++) {
                struct str text = str_trim(str_from(l->d->comments[k].text, 1));
                if (str_starts(text, STR("hadolint")) && str_find(text, STR("ignore")) >= 0)
                        (void)lint_hit(l, r, NULL, l->d->comments[k].offset, "%.*s", THE(text));
        }
}

static const struct lint_rule rules[] = {
        {
                .check = { .id = "DL1001",
                           .aliases = "SK-DOCKER-091",
                           .severity = SEVERITY_LOW,
                           .is_quiet = true,
                           .title = "A rule is switched off by a comment in the file",
                           .why = "Where policy is kept elsewhere, files must not make exceptions for themselves.",
                           .fix = "Remove the comment, or ask for a waiver" },
                .on_file = on_pragma,
        },
        {
                .check = { .id = "DL3000",
                           .aliases = "SK-DOCKER-000",
                           .severity = SEVERITY_MEDIUM,
                           .title = "WORKDIR with a relative path",
                           .why = "Where it leads depends on the WORKDIR of the base image, which can change.",
                           .fix = "Begin the path with /" },
                .on_instruction = on_workdir,
        },
        {
                .check = { .id = "DL3002",
                           .aliases = "SK-DOCKER-002",
                           .severity = SEVERITY_HIGH,
                           .title = "The image runs as root",
                           .why = "Whoever takes over the process is root in the container, and one mistake of the "
                                  "kernel or "
                                  "of its configuration away from root on the host.",
                           .fix = "End with USER and the number of a user without rights: USER 10001",
                           .tags = "NIST-800-190:4.1.2 NIST-800-190:4.4.3 CWE-250 T1611" },
                .on_file = on_root,
        },
        {
                .check = { .id = "SK-DOCKER-101",
                           .severity = SEVERITY_MEDIUM,
                           .title = "The image says no USER",
                           .why = "Unless its base image says one, it runs as root.",
                           .fix = "End with USER and the number of a user without rights: USER 10001",
                           .tags = "NIST-800-190:4.1.2 NIST-800-190:4.4.3 CWE-250 T1611" },
                .on_file = on_no_user,
        },
        {
                .check = { .id = "DL3066",
                           .aliases = "SK-DOCKER-066",
                           .severity = SEVERITY_LOW,
                           .title = "USER by name",
                           .why = "Kubernetes can hold runAsNonRoot only against a number, and a name means what the "
                                  "image's "
                                  "passwd file says.",
                           .fix = "Write the user's number",
                           .tags = "NIST-800-190:4.1.2" },
                .on_file = on_named_user,
        },
        {
                .check = { .id = "DL3010",
                           .aliases = "SK-DOCKER-010",
                           .severity = SEVERITY_LOW,
                           .title = "An archive is copied, then unpacked",
                           .why = "The archive stays in a layer of its own beside its content.",
                           .fix = "Let ADD unpack it, or mount it: RUN --mount=type=bind" },
                .on_file = on_archive,
        },
        {
                .check = { .id = "DL3011",
                           .aliases = "SK-DOCKER-011",
                           .severity = SEVERITY_HIGH,
                           .title = "EXPOSE of something that is no port",
                           .why = "Ports go from 0 to 65535: the build fails.",
                           .fix = "Write PORT, PORT/udp or FIRST-LAST" },
                .on_instruction = on_port,
        },
        {
                .check = { .id = "DL3020",
                           .aliases = "SK-DOCKER-020",
                           .severity = SEVERITY_MEDIUM,
                           .title = "ADD where COPY would do",
                           .why = "ADD also downloads and unpacks: a file that turns out to be an archive ends as "
                                  "something "
                                  "else than was meant.",
                           .fix = "Write COPY",
                           .tags = "NIST-800-190:4.1.2" },
                .on_instruction = on_add,
        },
        {
                .check = { .id = "DL3021",
                           .aliases = "SK-DOCKER-021",
                           .severity = SEVERITY_HIGH,
                           .title = "COPY of several files to what is no directory",
                           .why = "With more than one source the destination must end with a slash: the build fails.",
                           .fix = "End the destination with /" },
                .on_instruction = on_copy_many,
        },
        {
                .check = { .id = "DL3025",
                           .aliases = "SK-DOCKER-025",
                           .severity = SEVERITY_LOW,
                           .title = "CMD or ENTRYPOINT in shell form",
                           .why = "A shell is process 1: it hands on no signals, so the program is killed instead of "
                                  "being "
                                  "asked to stop, and the image must hold a shell.",
                           .fix = "Write a JSON list: [\"program\", \"argument\"]",
                           .tags = "NIST-800-190:4.1.2" },
                .on_instruction = on_shell_form,
        },
        {
                .check = { .id = "DL3043",
                           .aliases = "SK-DOCKER-043",
                           .severity = SEVERITY_HIGH,
                           .title = "ONBUILD with an instruction that it must not hold",
                           .why = "ONBUILD, FROM and MAINTAINER cannot be triggers: the build fails.",
                           .fix = "Remove it" },
                .on_instruction = on_trigger,
        },
        {
                .check = { .id = "DL3044",
                           .aliases = "SK-DOCKER-044",
                           .severity = SEVERITY_MEDIUM,
                           .title = "ENV uses a variable that the same ENV sets",
                           .why = "All values of one ENV are made before any of its names is set: the variable is "
                                  "still empty, "
                                  "or an older one.",
                           .fix = "Set it in an ENV of its own before" },
                .on_instruction = on_env,
        },
        {
                .check = { .id = "DL3045",
                           .aliases = "SK-DOCKER-045",
                           .severity = SEVERITY_LOW,
                           .title = "COPY to a relative path without a WORKDIR",
                           .why = "Where the files end depends on the WORKDIR of the base image, which can change.",
                           .fix = "Set WORKDIR before, or copy to an absolute path" },
                .on_instruction = on_relative_copy,
        },
        {
                .check = { .id = "DL3057",
                           .aliases = "SK-DOCKER-057",
                           .severity = SEVERITY_LOW,
                           .title = "The image has no HEALTHCHECK",
                           .why = "An engine can only tell whether the process lives, not whether it works.",
                           .fix = "Add HEALTHCHECK CMD with a quick test, or HEALTHCHECK NONE where the orchestrator "
                                  "has probes",
                           .tags = "NIST-800-190:4.1.2" },
                .on_file = on_no_healthcheck,
        },
        {
                .check = { .id = "DL3059",
                           .aliases = "SK-DOCKER-059",
                           .severity = SEVERITY_LOW,
                           .title = "RUN right after RUN",
                           .why = "Each makes a layer: what one writes and the next deletes stays in the image.",
                           .fix = "Join them with && or a heredoc, where they belong together" },
                .on_instruction = on_consecutive,
        },
        {
                .check = { .id = "DL4000",
                           .aliases = "SK-DOCKER-080",
                           .severity = SEVERITY_LOW,
                           .title = "MAINTAINER is deprecated",
                           .why = "Tools no longer read it.",
                           .fix = "Write LABEL org.opencontainers.image.authors=..." },
                .on_instruction = on_maintainer,
        },
};

const struct lint_table dockerfile_rules_instructions = { rules, ARRAY_SIZE(rules) };
