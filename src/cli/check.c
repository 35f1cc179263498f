/*
 * `sekisho check`: judges Dockerfiles and other configuration by the checks of analyze/, and repairs what is safe to
 * repair. What the files say is parsed in a worker (flow/check.h).
 */
#include "flow/check.h"

#include "analyze/check-rules.h"
#include "base/fs.h"
#include "cli/command.h"
#include "cli/rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_MAX   64u
#define OUTPUTS_MAX 8u

struct words {
        struct str v[WORDS_MAX];
        size_t n;
};

struct check_state {
        struct {
                const struct check_reporter *reporter;
                const char *path;
        } outputs[OUTPUTS_MAX];
        size_t n_outputs;
        struct words enabled, registries, labels, rules;
        enum severity fail_on; /* SEVERITY_UNKNOWN: high */
        bool never_fails, strict_labels, fixes, shows_diff, lists, is_quiet;
};

static const struct option_spec options[] = {
        { "output", 'o', "FORMAT[=FILE]", "table, json or sarif; repeatable (default: table)" },
        { "fail-on", 0, "SEVERITY", "critical, high, medium, low, or never (default: high)" },
        { "fix", 0, NULL, "repair in the files what can be repaired without changing what they mean" },
        { "diff", 0, NULL, "show what --fix would change, and change nothing" },
        { "rules", 0, "FILE", "checks of your own, as rules (docs/format/check-rules.md); repeatable" },
        { "enable", 0, "RULE", "report a rule that is off by default, or \"all\"; repeatable" },
        { "registry", 0, "HOST", "a registry that base images may come from; repeatable (default: any)" },
        { "label", 0, "NAME:TYPE", "a label that images must carry: text, url, rfc3339, semver, hash, spdx, email" },
        { "strict-labels", 0, NULL, "no labels but those of --label" },
        { "list", 0, NULL, "list all rules and end" },
        { "quiet", 'q', NULL, "no table on standard output: the exit code tells" },
        { NULL, 0, NULL, NULL },
};

static int add_word(struct words *w, const char *value, struct error *err)
{
        if (w->n == WORDS_MAX)
                return error_set(err, -EINVAL, "given more than %u times", WORDS_MAX);
        w->v[w->n++] = str_of(value);
        return 0;
}

static int add_output(struct check_state *s, const char *value, struct error *err)
{
        const char *equals = strchr(value, '=');
        struct str name = { value, equals ? (size_t)(equals - value) : strlen(value) };
        if (s->n_outputs == OUTPUTS_MAX)
                return error_set(err, -EINVAL, "given more than %u times", OUTPUTS_MAX);
        for (size_t i = 0; check_reporters[i]; i++)
                if (str_is(name, check_reporters[i]->name)) {
                        s->outputs[s->n_outputs].reporter = check_reporters[i];
                        s->outputs[s->n_outputs++].path = equals ? equals + 1 : "-";
                        return 0;
                }
        return error_set(err, -EINVAL, "\"%.*s\" is not one of table, json, sarif", STR_FMT(name));
}

static int option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct check_state *s = state;
        if (strcmp(o->name, "output") == 0)
                return add_output(s, value, err);
        if (strcmp(o->name, "enable") == 0)
                return add_word(&s->enabled, value, err);
        if (strcmp(o->name, "rules") == 0)
                return add_word(&s->rules, value, err);
        if (strcmp(o->name, "registry") == 0)
                return add_word(&s->registries, value, err);
        if (strcmp(o->name, "label") == 0)
                return add_word(&s->labels, value, err);
        if (strcmp(o->name, "fail-on") == 0) {
                s->never_fails = strcmp(value, "never") == 0;
                if (!s->never_fails && (!severity_parse(str_of(value), &s->fail_on) || s->fail_on < SEVERITY_LOW))
                        return error_set(err, -EINVAL, "\"%s\" is not one of critical, high, medium, low, never",
                                         value);
                return 0;
        }
        s->strict_labels |= strcmp(o->name, "strict-labels") == 0;
        s->fixes |= strcmp(o->name, "fix") == 0;
        s->shows_diff |= strcmp(o->name, "diff") == 0;
        s->lists |= strcmp(o->name, "list") == 0;
        s->is_quiet |= strcmp(o->name, "quiet") == 0;
        return 0;
}

static int list_rules(void)
{
        const struct check *c;
        for (size_t i = 0; (c = check_at(i)); i++)
                printf("%-15s %-15s %-8s %s%s\n", c->id, c->aliases ? c->aliases : "", severity_name(c->severity),
                       c->title, c->is_quiet ? " (off by default)" : "");
        return EXIT_CLEAN;
}

/* --- repairing --- */

/* Puts the new bytes in the file's place, with its mode and owner; a link that leads to it stays a link. */
static int replace_file(const char *name, struct str bytes, struct error *err)
{
        struct output out;
        struct stat st;
        _cleanup_(freep) char *path = realpath(name, NULL);
        if (!path || stat(path, &st) < 0)
                return error_errno(err, -errno, "cannot look at %s", name);
        int r = output_open(&out, path, err);
        if (r < 0)
                return r;
        if (fwrite(bytes.p, 1, bytes.n, out.stream) != bytes.n || fchmod(fileno(out.stream), st.st_mode & 07777) < 0 ||
            (fchown(fileno(out.stream), st.st_uid, st.st_gid) < 0 && errno != EPERM)) {
                r = error_errno(err, -errno, "cannot write %s", path);
                output_abort(&out);
                return r;
        }
        return output_commit(&out, err);
}

static size_t count_lines(struct str s)
{
        size_t n = 0;
        for (size_t i = 0; i < s.n; i++)
                n += s.p[i] == '\n';
        return n + (s.n && s.p[s.n - 1] != '\n');
}

static void put_lines(char mark, struct str s)
{
        while (s.n) {
                ptrdiff_t n = str_find_char(s, '\n');
                struct str line = n < 0 ? s : str_upto(s, (size_t)n);
                printf("%c%.*s\n%s", mark, STR_FMT(line), n < 0 ? "\\ No newline at end of file\n" : "");
                s = n < 0 ? STR_NONE : str_from(s, (size_t)n + 1);
        }
}

/* Where the line ends in s that holds the byte `at`: behind its newline. */
static size_t line_end(struct str s, size_t at)
{
        ptrdiff_t n = str_find_char(str_from(s, at), '\n');
        return n < 0 ? s.n : at + (size_t)n + 1;
}

/*
 * One hunk of a unified diff, without context, from the first line that differs to the last: edits are few, and a hunk
 * of all lines between them is exact.
 */
static void put_diff(struct str path, struct str before, struct str after)
{
        size_t same = 0, tail = 0, start = 0;
        while (same < before.n && same < after.n && before.p[same] == after.p[same]) {
                same++;
                if (before.p[same - 1] == '\n')
                        start = same;
        }
        while (tail < before.n - start && tail < after.n - start &&
               before.p[before.n - 1 - tail] == after.p[after.n - 1 - tail])
                tail++;
        size_t end = line_end(before, MAX(before.n - tail, start));
        struct str gone = str_from(str_upto(before, end), start);
        struct str come = str_from(str_upto(after, after.n - (before.n - end)), start);
        size_t line = count_lines(str_upto(before, start)) + 1;
        printf("--- %.*s\n+++ %.*s\n@@ -%zu,%zu +%zu,%zu @@\n", STR_FMT(path), STR_FMT(path), line, count_lines(gone),
               line, count_lines(come));
        put_lines('-', gone);
        put_lines('+', come);
}

static int repair(struct check_run *run, const struct check_state *s, size_t *ret_n)
{
        for (size_t i = 0; i < run->files.n; i++) {
                const struct check_file *f = &run->files.v[i];
                struct error err = ERROR_NONE;
                size_t n;
                struct str fixed = check_fixed(run, i, &n);
                if (!fixed.p)
                        continue;
                if (s->shows_diff)
                        put_diff(f->path, f->bytes, fixed);
                if (!s->fixes || s->shows_diff)
                        continue;
                if (str_is(f->path, "-"))
                        (void)fwrite(fixed.p, 1, fixed.n, stdout);
                else if (replace_file(arena_cstr(&run->arena, f->path), fixed, &err) < 0)
                        return fail(EXIT_INCOMPLETE, &err);
                *ret_n += n;
        }
        return EXIT_CLEAN;
}

/* --- the command --- */

static bool is_gap(const struct fact_unread *u) { return !str_is(u->code, "skipped"); }

static struct check_report report_of(const struct check_run *run, const struct check_state *s)
{
        struct check_report r = { .tool_version = STR(SEKISHO_VERSION),
                                  .today = today(),
                                  .findings = run->findings.v,
                                  .n_findings = run->findings.n,
                                  .unread = run->unread.v,
                                  .n_unread = run->unread.n,
                                  .n_files = run->files.n,
                                  .fail_on = s->fail_on ? s->fail_on : SEVERITY_HIGH,
                                  .complete = true };
        for (size_t i = 0; i < r.n_findings; i++)
                r.denied |= !s->never_fails && !r.findings[i].waived && r.findings[i].severity >= r.fail_on;
        for (size_t i = 0; i < r.n_unread; i++)
                r.complete &= !is_gap(&r.unread[i]);
        return r;
}

static int write_reports(const struct check_report *report, const struct check_state *s, struct error *err)
{
        for (size_t i = 0; i < s->n_outputs; i++) {
                struct output out;
                bool to_screen = strcmp(s->outputs[i].path, "-") == 0;
                struct report_options o = { .colour = to_screen && may_colour(STDOUT_FILENO),
                                            .width = to_screen ? terminal_width(STDOUT_FILENO) : 0 };
                int r = output_open(&out, s->outputs[i].path, err);
                if (r < 0)
                        return r;
                r = s->outputs[i].reporter->write(report, &o, out.stream);
                if (r < 0) {
                        output_abort(&out);
                        return error_errno(err, r, "cannot write %s", s->outputs[i].path);
                }
                r = output_commit(&out, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_files(struct check_run *run, struct check_state *s, int argc, char **argv)
{
        struct error err = ERROR_NONE;
        struct check_settings settings = { .today = today(),
                                           .enabled = { s->enabled.v, s->enabled.n },
                                           .registries = { s->registries.v, s->registries.n },
                                           .labels = { s->labels.v, s->labels.n },
                                           .strict_labels = s->strict_labels };
        for (int i = 0; i < argc; i++)
                if (check_add_path(run, argv[i], &err) < 0)
                        return fail(EXIT_INCOMPLETE, &err);
        if (!run->files.n && !run->unread.n) {
                (void)error_set(&err, -ENOENT,
                                "nothing to check: no file there is called like one that a check knows (%zu others)",
                                run->n_ignored_names);
                return fail(EXIT_INCOMPLETE, &err);
        }
        if (check_run(run, &settings, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        if (s->fixes || s->shows_diff) {
                size_t n = 0;
                int code = repair(run, s, &n);
                if (code == EXIT_CLEAN && s->fixes && !s->shows_diff && !s->is_quiet)
                        fprintf(stderr, "sekisho: %zu findings repaired\n", n);
                return code;
        }
        struct check_report report = report_of(run, s);
        if (write_reports(&report, s, &err) < 0)
                return fail(EXIT_INCOMPLETE, &err);
        return report.denied ? EXIT_DENIED : report.complete ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

extern const struct command command_check;

/* The user's rule files, in the order given. EXIT_CLEAN, or the exit code after it was told what is wrong. */
static int load_rules(const struct check_state *s)
{
        struct check_rule_file files[WORDS_MAX];
        struct buf bytes[WORDS_MAX];
        struct problems problems = { 0 };
        struct error err = ERROR_NONE;
        size_t n = 0;
        int r = 0;
        for (; n < s->rules.n && r == 0; n++) {
                bytes[n] = (struct buf)BUF_INIT(RULE_FILE_BYTES_MAX + 1);
                r = read_file(s->rules.v[n].p, &bytes[n], &err);
                files[n] = (struct check_rule_file){ s->rules.v[n], buf_str(&bytes[n]) };
        }
        if (r == 0 && n)
                r = check_rules_add(files, n, &problems);
        if (problems.n)
                rule_print_problems(&problems, false);
        problems_done(&problems);
        while (n-- > 0)
                buf_done(&bytes[n]);
        return r == 0 ? EXIT_CLEAN : r == RULES_WRONG ? EXIT_USAGE : fail(EXIT_USAGE, &err);
}

static int check_main(void *state, int argc, char **argv)
{
        struct check_state *s = state;
        struct error err = ERROR_NONE;
        struct check_run run = { 0 };
        int loaded = load_rules(s);
        if (loaded != EXIT_CLEAN)
                return loaded;
        for (size_t i = 0; i < s->enabled.n; i++)
                if (!str_is(s->enabled.v[i], "all") && !check_find(s->enabled.v[i]))
                        return fail_usage(&command_check, "--enable: there is no rule %.*s: sekisho check --list",
                                          STR_FMT(s->enabled.v[i]));
        if (s->lists)
                return list_rules();
        if (argc == 0)
                return fail_usage(&command_check, "which files or directories should be checked?");
        if (!s->n_outputs && !s->is_quiet)
                (void)add_output(s, "table", &err);
        int code = check_files(&run, s, argc, argv);
        check_run_done(&run);
        return code;
}

const struct command command_check = {
        .name = "check",
        .usage = "check [OPTIONS] FILE|DIR...",
        .summary = "Judge Dockerfiles, Kubernetes manifests and Compose files; repair what is safe to repair",
        .help = "Files are recognised by what they are; of a directory those that are called like what is checked. - "
                "is standard input. A comment in the file waives a finding, and the report shows it:\n\n  # "
                "sekisho:ignore RULE[,RULE] reason until=2027-01-31      the next instruction or object\n  # "
                "sekisho:ignore-file RULE[,RULE] reason                  the whole file\n  # hadolint ignore=RULE,RULE "
                "  # hadolint global ignore=RULE\n\nChecks of your own are rules of the one language: --rules; sekisho "
                "rule fields check lists what they can ask. Exit status: 0 nothing as bad as --fail-on, 1 denied, 2 "
                "usage, 3 something was not read.\n",
        .examples = "  sekisho check Dockerfile deploy/\n"
                    "  sekisho check --rules our-checks.yaml deploy/\n"
                    "  sekisho check --diff Dockerfile && sekisho check --fix Dockerfile\n",
        .options = options,
        .option = option,
        .state_size = sizeof(struct check_state),
        .run = check_main,
};
