/* `sekisho help [COMMAND|TOPIC]`, `sekisho version`, and the words that follow a usage error. */
#include "cli/help.h"

#include "decide/decide.h"
#include "flow/policies.h"
#include "intel/import.h"
#include "intel/vex.h"
#include "report/report.h"
#include "source/source.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void print_exit_codes(FILE *to)
{
        fprintf(to, "  0  clean by the policy\n"
                    "  1  denied by the policy\n"
                    "  2  the command line cannot be understood\n"
                    "  3  the work could not be completed (what could not be read is in the report)\n");
}

static void print_sources(FILE *to)
{
        fprintf(to, "A target is recognised by what it is. A prefix forces the kind:\n\n");
        for (size_t i = 0; sources[i]; i++)
                fprintf(to, "  %-16s %s\n  %-16s   sekisho scan %s\n", sources[i]->prefix, sources[i]->summary, "",
                        sources[i]->example);
}

static void print_formats(FILE *to)
{
        fprintf(to, "-o FORMAT writes to standard output, -o FORMAT=FILE to a file; several at once are fine:\n\n");
        for (size_t i = 0; reporters[i]; i++)
                fprintf(to, "  %-13s %s\n", reporters[i]->name, reporters[i]->summary);
}

/* The rules of the default policy as they stand in its file. */
static void print_rules(FILE *to)
{
        struct arena arena = ARENA_INIT;
        struct problems problems = { 0 };
        const struct policy_choice choice = { 0 };
        struct policy *p = NULL;
        if (policy_load(&choice, &arena, &p, &problems, NULL) == 0)
                for (size_t i = 0; i < policy_n_rules(p); i++)
                        fprintf(to, "  %-5s  %.*s\n", rule_action_names[rule_set_rule(policy_rules(p), i)->action],
                                STR_FMT(rule_set_rule(policy_rules(p), i)->name));
        policy_free(p);
        problems_done(&problems);
        arena_done(&arena);
}

static void print_policy(FILE *to)
{
        fprintf(to, "A policy is a list of rules that deny or warn of findings. Deny beats warn, in any "
                    "order.\n\nPolicies:\n\n");
        for (size_t i = 0; i < n_profiles; i++)
                fprintf(to, "  %-13s %s\n", profiles[i].name, profiles[i].summary);
        fprintf(to, "\nThe default policy:\n\n");
        print_rules(to);
        fprintf(to, "\nA rule of your own, in a file for --policy (sekisho rule fields: what it may ask about):\n\n"
                    "  - rule: Old image\n    condition: image.age > 90d\n    action: warn\n\n"
                    "--fail-on is short for a rule. Each of its words narrows: a severity (critical, high, medium, "
                    "low: that "
                    "or worse;\n"
                    "any: unknown too), fixable, kev. Given several times, any of them denies:\n\n"
                    "  sekisho scan --fail-on high,fixable --fail-on kev image.tar\n");
}

static void print_feeds(FILE *to)
{
        fprintf(to,
                "db build takes files and directories of these kinds, and recognises them; KIND:PATH forces one:\n\n");
        for (size_t i = 0; importers[i]; i++)
                fprintf(to, "  %-15s %s\n", importers[i]->name, importers[i]->summary);
        fprintf(to, "\nAny of them may be packed: .gz, .xz, .zst, .bz2, .tar, .zip.\n\n"
                    "db update reads a list of feeds, one a line, NAME KIND URL [max-mib=N] [plain-http]: --config "
                    "FILE, else\n"
                    "~/.config/sekisho/feeds.conf, else /etc/sekisho/feeds.conf, else the one that sekisho db feeds "
                    "prints.\n");
}

static void print_recording(FILE *to)
{
        fputs("The ledger is what sekisho remembers: each scan, sighting, decision and waiver is a record in it that "
              "is never\n"
              "changed, chained to the one before it by its hash.\n\n"
              "  where    --ledger FILE (scan: --ledger-db FILE), else $SEKISHO_LEDGER, else "
              "/var/lib/sekisho/ledger.db for\n"
              "           root, else $XDG_STATE_HOME/sekisho/ledger.db, else ~/.local/state/sekisho/ledger.db\n"
              "  begin    sekisho scan --record TARGET makes it. From then on every scan is recorded, with --record "
              "or\n"
              "           without; --no-record leaves one out\n"
              "  ask      sekisho inventory, sekisho history NAME, sekisho rematch\n"
              "  trust    sekisho ledger verify names the first record that does not fit. Who can write the file can "
              "write\n"
              "           all of it anew: keep the checkpoint that sekisho ledger status prints on another machine\n"
              "  who      $SEKISHO_ACTOR, else who called sudo, else the user: the ledger records what it is told\n"
              "  backup   sqlite3 LEDGER \".backup FILE\", or copy it while nothing runs\n\n"
              "(scan --ledger FILE is another thing: it lists every file of every layer.)\n",
              to);
}

static void print_vex(FILE *to)
{
        fprintf(to, "--vex FILE takes what somebody states about vulnerabilities, in any of these formats:\n\n");
        for (size_t i = 0; vex_readers[i]; i++)
                fprintf(to, "  %-13s %s\n", vex_readers[i]->name, vex_readers[i]->summary);
        fprintf(to,
                "\nA finding whose newest statement says not_affected or fixed is set aside: it stays in every report, "
                "with "
                "who\nsays so and why, and no rule judges it. affected and under_investigation are shown. A statement "
                "that leaves\nopen to what it applies (a product named in words, a range of versions, fixed without a "
                "version) is not\napplied, and that is said. docs/format/vex.md has the rules.\n\n"
                "-o openvex and -o cyclonedx-vex write what was decided, in its author's words, and what is open:\n\n"
                "  sekisho scan --vex vendor.json -o openvex=vex.json --author \"Web team\" image.tar\n");
}

const struct help_topic help_topics[] = {
        { "sources", "what can be scanned", print_sources },
        { "formats", "what a report can be written as", print_formats },
        { "vex", "what others state about findings", print_vex },
        { "feeds", "of what the advisory database is made", print_feeds },
        { "policy", "what denies an image", print_policy },
        { "recording", "what sekisho remembers, and where", print_recording },
        { "exit-codes", "what the exit status says", print_exit_codes },
        { NULL, NULL, NULL },
};

void help_overview(FILE *to)
{
        fprintf(to, "sekisho: the checkpoint for containers\n\nUsage: sekisho COMMAND [OPTIONS] [ARGUMENTS]\n\n");
        for (size_t i = 0; commands[i]; i++)
                fprintf(to, "  %-13s %s\n", commands[i]->name, commands[i]->summary);
        fprintf(to, "\nExamples:\n"
                    "  sekisho scan nginx-app.tar\n"
                    "  sekisho scan registry:localhost:5000/web:1.2 -o table -o html=report.html\n\n"
                    "sekisho help COMMAND goes deeper; topics:");
        for (size_t i = 0; help_topics[i].name; i++)
                fprintf(to, " %s", help_topics[i].name);
        fprintf(to, "\n");
}

#define WIDTH_MIN     60u
#define WIDTH_MAX     120u
#define WIDTH_FILE    100u /* where there is no terminal */
#define OPTION_COLUMN 31u

/* Prints a line that has reached `column`, in so many columns as there are; what is broken off goes on at `indent`. */
static void print_wrapped(FILE *to, const char *line, size_t n, size_t column, size_t indent, size_t width)
{
        while (column + n > width) {
                size_t cut = width > column ? width - column : 0;
                while (cut > 0 && line[cut] != ' ')
                        cut--;
                if (cut == 0 || strspn(line, " ") >= cut) /* one long word */
                        break;
                fprintf(to, "%.*s\n%*s", (int)cut, line, (int)indent, "");
                line += cut + 1;
                n -= cut + 1;
                column = indent;
        }
        fprintf(to, "%.*s\n", (int)n, line);
}

/* Where the second column of a line begins that has two: "  build    compile feeds"; its indent if it has one. */
static size_t hanging_indent(const char *line, size_t n)
{
        size_t indent = strspn(line, " ");
        for (size_t i = indent; indent > 0 && i + 2 < n; i++)
                if (line[i] == ' ' && line[i + 1] == ' ')
                        return i + strspn(line + i, " ");
        return indent;
}

static void print_prose(FILE *to, const char *text, size_t width)
{
        for (const char *end; *text; text = end + 1) {
                end = strchrnul(text, '\n');
                size_t n = (size_t)(end - text);
                print_wrapped(to, text, n, 0, hanging_indent(text, n), width);
                if (!*end)
                        return;
        }
}

void help_command(const struct command *c, FILE *to)
{
        size_t width = terminal_width(fileno(to));
        width = width ? MIN(MAX(width, WIDTH_MIN), WIDTH_MAX) : WIDTH_FILE;
        fprintf(to, "sekisho %s: %s\n\nUsage: sekisho %s\n", c->name, c->summary, c->usage);
        if (c->help) {
                fputc('\n', to);
                print_prose(to, c->help, width);
        }
        if (c->options)
                fprintf(to, "\nOptions:\n");
        for (const struct option_spec *o = c->options; o && o->name; o++) {
                char left[64];
                int n = o->letter ? snprintf(left, sizeof(left), "-%c, --%s", o->letter, o->name)
                                  : snprintf(left, sizeof(left), "    --%s", o->name);
                if (o->argument)
                        snprintf(left + n, sizeof(left) - (size_t)n, " %s", o->argument);
                int printed = fprintf(to, "  %-28s ", left);
                print_wrapped(to, o->help, strlen(o->help), (size_t)MAX(printed, 0), OPTION_COLUMN, width);
        }
        if (c->examples)
                fprintf(to, "\nExamples:\n%s", c->examples);
}

int fail(int exit_code, const struct error *err)
{
        fprintf(stderr, "sekisho: %s\n", err->text[0] ? err->text : "failed, and nobody said why: please report this");
        return exit_code;
}

int fail_usage(const struct command *c, const char *fmt, ...)
{
        char words[ERROR_TEXT_MAX];
        struct error err;
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(words, sizeof(words), fmt, ap);
        va_end(ap);
        (void)error_set(&err, 0, "%s", words); /* an argument may hold what a terminal obeys */
        fprintf(stderr, "sekisho %s: %s", c->name, err.text);
        fprintf(stderr, "\nUsage: sekisho %s\nTry: sekisho %s --help\n", c->usage, c->name);
        return EXIT_USAGE;
}

static bool print_topic(const char *name, const char *before)
{
        for (size_t i = 0; help_topics[i].name; i++)
                if (strcmp(help_topics[i].name, name) == 0) {
                        printf("%s%s: %s\n\n", before, help_topics[i].name, help_topics[i].summary);
                        help_topics[i].print(stdout);
                        return true;
                }
        return false;
}

static int help_run(void *state, int argc, char **argv)
{
        if (argc == 0) {
                help_overview(stdout);
                return EXIT_CLEAN;
        }
        const char *names[128] = { 0 };
        size_t n = 0;
        for (size_t i = 0; commands[i] && n + 1 < ARRAY_SIZE(names); i++) {
                if (strcmp(commands[i]->name, argv[0]) == 0) {
                        help_command(commands[i], stdout);
                        print_topic(argv[0], "\n"); /* a command and what it is about may have the same name */
                        return EXIT_CLEAN;
                }
                names[n++] = commands[i]->name;
        }
        for (size_t i = 0; help_topics[i].name && n + 1 < ARRAY_SIZE(names); i++) {
                if (print_topic(argv[0], ""))
                        return EXIT_CLEAN;
                names[n++] = help_topics[i].name;
        }
        const char *near = nearest(argv[0], names);
        fprintf(stderr, "sekisho: no command or topic \"%s\"%s%s%s\n", argv[0], near ? "; did you mean \"" : "",
                near ? near : "", near ? "\"?" : "");
        return EXIT_USAGE;
}

const struct command command_help = {
        .name = "help",
        .usage = "help [COMMAND|TOPIC]",
        .summary = "Explain a command or a topic",
        .run = help_run,
};

static const struct option_spec version_options[] = {
        { "output", 'o', "FORMAT", "text (the default) or json" },
        { NULL, 0, NULL, NULL },
};

static int version_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        return option_format(value, "text", state, err);
}

static int version_run(void *state, int argc, char **argv)
{
        const bool *as_json = state;
        printf(*as_json ? "{\"name\": \"sekisho\", \"version\": \"%s\"}\n" : "sekisho %s\n", SEKISHO_VERSION);
        return EXIT_CLEAN;
}

const struct command command_version = {
        .name = "version",
        .usage = "version [-o json]",
        .summary = "Print the program's version",
        .options = version_options,
        .option = version_option,
        .state_size = sizeof(bool),
        .run = version_run,
};
